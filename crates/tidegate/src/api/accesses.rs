//! `GET /accesses`: who took what, when, from where, under which decision.

use serde_json::{Value, json};
use tidegate_model::Sha256;
use tidegate_store::access_index::{AccessRow, Seek, WhoError, WhoPage, WhoQuery, WhoSubject};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::{decisions, recall, subject};

pub(crate) async fn list(call: &Call) -> Handled {
    let query = query(call).await?;
    if let Some(advisory) = call.param("advisory") {
        if query.subject != WhoSubject::Everything {
            return Err(Problem::bad("advisory is given with another subject", "give one"));
        }
        return Box::pin(recall::accesses(call, advisory, query)).await;
    }
    let page = call
        .blocking(move |door| {
            // What was answered before the question is part of the answer.
            door.project().map_err(Problem::failed)?;
            door.store.access.who(&query, &*door.store.catalogue).map_err(|e| failed(&e))
        })
        .await?;
    Ok(told(&page))
}

pub(super) fn failed(error: &WhoError) -> Problem {
    let cause = std::error::Error::source(error).map_or_else(String::new, |s| format!(": {s}"));
    Problem::failed(format!("{error}{cause}"))
}

async fn query(call: &Call) -> Result<WhoQuery, Problem> {
    let subject = match (call.param("purl"), call.param("sha256"), call.param("person")) {
        // A server that is no package of an ecosystem has a name of our own kind.
        (Some(purl), None, None) if purl.starts_with(crate::mcp::facts::OWN_NAMES) => {
            WhoSubject::Package(purl.to_owned())
        }
        (Some(purl), None, None) => {
            let text = decisions::canonical(purl)?;
            if subject::read_purl(purl)?.version.is_some() {
                WhoSubject::Purl(text)
            } else {
                WhoSubject::Package(text)
            }
        }
        (None, Some(digest), None) => WhoSubject::Sha256(read_sha256(digest)?),
        (None, None, Some(person)) => {
            let name = person.to_owned();
            let found = call.door.catalogue(move |c| c.person(&name)).await?;
            let found = found.ok_or_else(|| {
                Problem::not_found(format!("nobody is known as `{}`", person.escape_debug()), "")
            })?;
            WhoSubject::Actor(found.pseudonym)
        }
        (None, None, None) => WhoSubject::Everything,
        _ => return Err(Problem::bad("more than one of purl, sha256 and person is given", "give one")),
    };
    let after = match call.param("after") {
        None => None,
        Some(text) => Some(read_seek(text).ok_or_else(|| {
            Problem::bad("`after` is no place in a list", "use the `next` of the page before")
        })?),
    };
    Ok(WhoQuery {
        subject,
        since: call.parsed("since")?,
        until: call.parsed("until")?,
        only_taken: !call.flag("all"),
        limit: call.parsed::<u32>("limit")?.unwrap_or(1000),
        after,
    })
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

fn read_seek(text: &str) -> Option<Seek> {
    let (at, record) = text.split_once('_')?;
    Some(Seek { at: at.parse().ok()?, record: record.parse().ok()? })
}

pub(super) fn told(page: &WhoPage) -> Value {
    json!({
        "accesses": page.rows.iter().map(shown).collect::<Vec<_>>(),
        "next": page.next.as_ref().map(|seek| format!("{}_{}", seek.at, seek.record)),
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
