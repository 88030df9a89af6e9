//! `GET /accesses`: who took what, when, from where, under which decision.
//!
//! Every parameter narrows the answer. The first page begins with a summary of all of it, and each page says up to which record of
//! the ledger it is complete.

mod follow;
mod freshness;
mod proofs;
mod question;
mod range;

use serde_json::{Value, json};
use tidegate_model::Sha256;
use tidegate_store::access_index::{AccessRow, Summary, WhoError, WhoPage, WhoSubject};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::recall;

pub(super) use freshness::catch_up;
pub(super) use proofs::{MAX_PROVEN, add as add_proofs};

pub(crate) async fn list(call: &Call) -> Handled {
    let mut asked = question::read(call).await?;
    if call.flag("proofs") {
        asked.query.limit = asked.query.limit.min(MAX_PROVEN);
    }
    if let Some(advisory) = call.param("advisory") {
        if asked.query.subject != WhoSubject::Everything || asked.range.is_some() || call.flag("follow") {
            return Err(Problem::bad(
                "advisory is given with another subject",
                "give one; an advisory reaches what contains it by itself",
            ));
        }
        return Box::pin(recall::accesses(call, advisory, asked.query)).await;
    }
    let (counts, proofs) = (asked.query.after.is_none(), call.flag("proofs"));
    let follow = call.flag("follow");
    call.blocking(move |door| {
        // What was answered before the question is part of the answer.
        let freshness = catch_up(door);
        let (people, access) = (&*door.store.catalogue, &door.store.access);
        let mut query = asked.query;
        let mut told = json!({});
        if let Some(range) = &asked.range {
            // What was never asked for by name may lie in what was.
            let inside = if follow { follow::inside(door, &range.package())? } else { Vec::new() };
            let (subject, shown) = range.resolve(access, inside).map_err(|e| failed(&WhoError::Index(e)))?;
            query.subject = subject;
            told["range"] = shown;
        }
        let paths = if follow { Some(follow::holders(door, &query.subject)?) } else { None };
        if let Some(paths) = &paths {
            query.subject = paths.subject();
            told["followed"] = paths.told();
        }
        let page = access.who(&query, people).map_err(|e| failed(&e))?;
        told["accesses"] = rows(&page, |row| paths.as_ref().and_then(|paths| paths.of(&row.purl)));
        told["next"] = next(&page);
        if counts {
            told["summary"] = summary(&access.summary(&query, people).map_err(|e| failed(&e))?);
        }
        if proofs {
            add_proofs(door, &page, &mut told);
        }
        told["indexed_up_to"] = freshness.told();
        Ok(told)
    })
    .await
}

pub(super) fn failed(error: &WhoError) -> Problem {
    let cause = std::error::Error::source(error).map_or_else(String::new, |s| format!(": {s}"));
    Problem::failed(format!("{error}{cause}"))
}

/// Reads `sha256:…` or bare hexadecimal digits.
pub(crate) fn read_sha256(text: &str) -> Result<Sha256, Problem> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    format!("sha256:{digits}").parse().map_err(|_| {
        Problem::bad(
            format!("`{}` is no SHA-256 digest", text.chars().take(100).collect::<String>().escape_debug()),
            "write it as sha256: and 64 hexadecimal digits",
        )
    })
}

/// Where the next page begins.
pub(super) fn next(page: &WhoPage) -> Value {
    page.next.as_ref().map_or(Value::Null, |seek| format!("{}_{}", seek.at, seek.record).into())
}

/// The rows of a page; `path` says by which way a row belongs to what was asked about, where it is not that itself.
pub(super) fn rows(page: &WhoPage, path: impl Fn(&AccessRow) -> Option<Value>) -> Value {
    let one = |row: &AccessRow| {
        let mut shown = shown(row);
        if let Some(path) = path(row) {
            shown["path"] = path;
        }
        shown
    };
    page.rows.iter().map(one).collect()
}

pub(super) fn summary(of: &Summary) -> Value {
    json!({
        "accesses": of.accesses, "people": of.people, "hosts": of.hosts, "addresses": of.addresses,
        "purls": of.purls, "repositories": of.repositories, "first_at": of.first_at, "last_at": of.last_at,
    })
}

fn shown(row: &AccessRow) -> Value {
    json!({
        "record": row.record.to_string(), "at": row.at, "purl": row.purl, "file": row.file,
        "sha256": row.sha256.map(|s| s.hex()), "person": row.principal, "pseudonym": row.actor.to_string(),
        "kind": row.actor_kind, "host": row.host, "address": row.address, "client": row.client,
        "credential": row.credential, "repository": row.repository, "method": row.method,
        "operation": row.operation, "status": row.status, "bytes": row.bytes, "action": row.action,
        "enforced": row.enforced, "decision": row.decision, "cache": row.cache,
    })
}
