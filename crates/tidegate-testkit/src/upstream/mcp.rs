//! A registry of MCP servers: entries as a test lists them, on short pages.

use serde_json::{Value, json};

use super::page::{Ask, Page, decoded};
use super::serve::State;

/// Entries on one page, whatever is asked for: few, so that lists have pages.
const PAGE_ENTRIES: usize = 3;

/// Where the registry's own words about an entry stand.
const OFFICIAL: &str = "io.modelcontextprotocol.registry/official";

/// Answers below `/registry/`.
pub(super) fn answer(state: &State, ask: Ask<'_>) -> Page {
    let parts: Vec<String> = ask.path.split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let contents = state.catalog.read();
    let of = |name: &str| -> Vec<&Value> {
        contents.servers.iter().filter(|((one, _), _)| one == name).map(|(_, entry)| entry).collect()
    };
    match parts.as_slice() {
        ["v0.1", "servers"] => list(ask, contents.servers.values()),
        ["v0.1", "servers", name, "versions"] => {
            let entries = of(name);
            if entries.is_empty() {
                return absent();
            }
            Page::json(&json!({ "servers": entries, "metadata": { "count": entries.len() } }))
        }
        ["v0.1", "servers", name, "versions", version] => {
            let found = match *version {
                "latest" => of(name).into_iter().find(|entry| entry["_meta"][OFFICIAL]["isLatest"] == true),
                version => contents.servers.get(&((*name).to_owned(), version.to_owned())),
            };
            found.map_or_else(absent, Page::json)
        }
        _ => absent(),
    }
}

fn absent() -> Page {
    let mut page = Page::typed_json(
        "application/problem+json",
        &json!({ "title": "Not Found", "status": 404, "detail": "Server not found" }),
    );
    page.status = http::StatusCode::NOT_FOUND;
    page
}

fn list<'a>(ask: Ask<'_>, entries: impl Iterator<Item = &'a Value>) -> Page {
    let asked = |name: &str| {
        ask.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(decoded)
    };
    let since = asked("updated_since");
    let with_deleted = since.is_some() || asked("include_deleted").as_deref() == Some("true");
    let shown = entries.filter(|entry| {
        let official = &entry["_meta"][OFFICIAL];
        let is_new =
            since.as_ref().is_none_or(|since| official["updatedAt"].as_str() >= Some(since.as_str()));
        is_new && (with_deleted || official["status"] != "deleted")
    });
    let key = |entry: &Value| {
        format!(
            "{}:{}",
            entry["server"]["name"].as_str().unwrap_or_default(),
            entry["server"]["version"].as_str().unwrap_or_default()
        )
    };
    let from = asked("cursor").unwrap_or_default();
    let mut rest = shown.filter(|entry| from.is_empty() || key(entry) > from);
    let page: Vec<&Value> = rest.by_ref().take(PAGE_ENTRIES).collect();
    let next = rest.next().and(page.last()).map(|entry| key(entry));
    let mut metadata = json!({ "count": page.len() });
    if let Some(next) = next {
        metadata["nextCursor"] = next.into();
    }
    Page::json(&json!({ "servers": page, "metadata": metadata }))
}
