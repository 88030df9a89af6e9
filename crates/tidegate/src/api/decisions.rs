//! `GET /decisions`: recorded decisions, newest first.

use serde_json::{Value, json};
use tidegate_model::Action;
use tidegate_store::catalogue::{DecisionFilter, DecisionRecord, Page};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::subject;

/// How many items a page has unless asked otherwise.
const PAGE: u32 = 100;

pub(crate) async fn list(call: &Call) -> Handled {
    let filter = filter(call)?;
    let page = page(call)?;
    let found = call.door.catalogue(move |c| c.decisions(&filter, page)).await?;
    Ok(told(&found, page))
}

pub(crate) fn filter(call: &Call) -> Result<DecisionFilter, Problem> {
    let action = match call.param("action") {
        None => None,
        Some(word) => {
            Some(serde_json::from_value::<Action>(Value::String(word.to_owned())).map_err(|_| {
                Problem::bad(
                    format!("`{}` is no action", word.escape_debug()),
                    "use allow, warn, quarantine or block",
                )
            })?)
        }
    };
    Ok(DecisionFilter {
        purl: call.param("purl").map(canonical).transpose()?,
        repository: call.param("repository").map(str::to_owned),
        action,
        since: call.parsed("since")?,
    })
}

/// A package URL in the one spelling that records use.
pub(crate) fn canonical(text: &str) -> Result<String, Problem> {
    let purl = subject::read_purl(text)?;
    Ok(match purl.version {
        Some(version) => tidegate_model::Coordinate { name: purl.name, version }.purl(),
        None => tidegate_model::coordinate::package_purl(&purl.name),
    })
}

pub(crate) fn page(call: &Call) -> Result<Page, Problem> {
    let limit = call.parsed::<u32>("limit")?.unwrap_or(PAGE).clamp(1, Page::MAX_LIMIT);
    Ok(Page { limit, after: call.parsed("after")? })
}

/// One page of items that are sorted by a key: those behind `after`, at most `limit` of them; and the key to go on with,
/// where there are more.
pub(crate) fn seek<T>(
    call: &Call,
    items: Vec<T>,
    key: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>), Problem> {
    let limit = call.parsed::<u32>("limit")?.unwrap_or(PAGE).clamp(1, Page::MAX_LIMIT) as usize;
    let after = call.param("after").unwrap_or_default();
    let begin = items.partition_point(|item| key(item) <= after);
    let more = items.len() > begin + limit;
    let page: Vec<T> = items.into_iter().skip(begin).take(limit).collect();
    let next = page.last().filter(|_| more).map(|item| key(item).to_owned());
    Ok((page, next))
}

pub(crate) fn told(found: &[DecisionRecord], page: Page) -> Value {
    let next = found.last().filter(|_| found.len() >= page.limit as usize).map(|d| d.seek.to_string());
    json!({ "decisions": found.iter().map(shown).collect::<Vec<_>>(), "next": next })
}

pub(crate) fn shown(record: &DecisionRecord) -> Value {
    let decision: Value = serde_json::from_str(&record.json).unwrap_or(Value::Null);
    json!({
        "id": record.id, "decided_at": record.at, "purl": record.purl, "file": record.file,
        "sha256": record.sha256.map(|s| s.hex()), "repository": record.repository,
        "action": record.action, "served": record.served, "decision": decision,
    })
}
