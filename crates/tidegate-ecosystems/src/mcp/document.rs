//! Pages of a registry's list, brought into one document.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tidegate_model::{Ecosystem, PackageName, Timestamp};

use crate::IndexError;
use crate::catalogue::Merged;
use crate::upstream::MAX_INDEX_BYTES;

/// The most entries of a list.
const MAX_ENTRIES: usize = 150_000;
/// The largest entry, in bytes; larger ones are left out.
const MAX_ENTRY_BYTES: usize = 256 << 10;
/// The longest version, in bytes.
const MAX_VERSION_BYTES: usize = 255;
/// The longest cursor that is followed, in bytes.
const MAX_CURSOR_BYTES: usize = 2_048;

/// The registry's own words about an entry.
pub(super) const OFFICIAL: &str = "io.modelcontextprotocol.registry/official";

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    servers: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "nextCursor", alias = "next_cursor", default)]
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    server: Named,
    #[serde(rename = "_meta", default)]
    meta: Option<Value>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    version: String,
}

fn broken(why: impl Into<String>) -> IndexError {
    IndexError::Malformed { package: "the list of servers".to_owned(), why: why.into() }
}

/// An answer without a list is no empty list: to take it for one would take everything away.
fn page(bytes: &[u8]) -> Result<Page<'_>, IndexError> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(broken("a page of it is no object"));
    }
    let page: Page<'_> =
        serde_json::from_slice(bytes).map_err(|e| broken(format!("a page of it cannot be read: {e}")))?;
    if page.servers.is_none() && page.metadata.is_none() {
        return Err(broken("a page of it lists nothing"));
    }
    Ok(page)
}

/// Where the list goes on.
pub(super) fn next_cursor(bytes: &[u8]) -> Result<Option<String>, IndexError> {
    let next = page(bytes)?.metadata.and_then(|metadata| metadata.next_cursor);
    Ok(next.filter(|cursor| !cursor.is_empty() && cursor.len() <= MAX_CURSOR_BYTES))
}

/// When upstream last changed an entry, by its own clock.
pub(super) fn updated_at(meta: &Value) -> Option<Timestamp> {
    let official = &meta[OFFICIAL];
    let text = official["updatedAt"].as_str().or_else(|| official["updated_at"].as_str())?;
    text.parse().ok()
}

/// Brings pages into one document: a line for each version of each server, ordered by both, so that the same list always
/// gives the same bytes.
pub(super) fn merge(before: Option<&[u8]>, pages: &[Bytes]) -> Result<Merged, IndexError> {
    let mut entries: BTreeMap<(String, String), String> = BTreeMap::new();
    let (mut newest, mut skipped) = (None, 0);
    let all = before.into_iter().chain(pages.iter().map(|page| &page[..]));
    for bytes in all {
        let listed = page(bytes)?.servers.unwrap_or_default();
        for raw in listed {
            let Some((key, at, text)) = normal(raw.get()) else {
                skipped += 1;
                continue;
            };
            newest = newest.max(at);
            entries.insert(key, text);
            if entries.len() > MAX_ENTRIES {
                return Err(too_much("150,000 versions"));
            }
        }
    }
    let size: usize = entries.values().map(|text| text.len() + 2).sum();
    if size as u64 > MAX_INDEX_BYTES {
        return Err(too_much("128 MiB"));
    }
    let document = joined(entries.values().map(String::as_str), size);
    Ok(Merged { document: document.into(), newest, skipped })
}

fn too_much(limit: &'static str) -> IndexError {
    IndexError::TooMuch { package: "the list of servers".to_owned(), limit }
}

fn joined<'a>(entries: impl Iterator<Item = &'a str>, size: usize) -> Vec<u8> {
    let mut document = Vec::with_capacity(size + 20);
    document.extend_from_slice(b"{\"servers\":[");
    for (n, text) in entries.enumerate() {
        document.extend_from_slice(if n == 0 { b"\n" } else { b",\n" });
        document.extend_from_slice(text.as_bytes());
    }
    document.extend_from_slice(b"\n]}");
    document
}

/// An entry's key, when it changed, and its text without blanks; none for what is no entry.
fn normal(raw: &str) -> Option<((String, String), Option<Timestamp>, String)> {
    if raw.len() > MAX_ENTRY_BYTES {
        return None;
    }
    let entry: Entry = serde_json::from_str(raw).ok()?;
    let Named { name, version } = entry.server;
    let is_version = !version.is_empty()
        && version.len() <= MAX_VERSION_BYTES
        && !version.contains(['/', '\\', '%'])
        && !version.chars().any(char::is_control);
    PackageName::parse(Ecosystem::Mcp, &name).ok().filter(|_| is_version)?;
    let at = entry.meta.as_ref().and_then(updated_at);
    let text = serde_json::from_str::<Value>(raw).ok()?.to_string();
    Some(((name, version), at, text))
}

/// The servers of a document in the normal form, each with a document of its own.
pub(super) fn split(document: &[u8]) -> Result<Vec<(PackageName, Bytes)>, IndexError> {
    let mut servers: Vec<(PackageName, Vec<&str>)> = Vec::new();
    for raw in page(document)?.servers.unwrap_or_default() {
        let entry: Entry = serde_json::from_str(raw.get()).map_err(|e| broken(e.to_string()))?;
        let name =
            PackageName::parse(Ecosystem::Mcp, &entry.server.name).map_err(|e| broken(e.to_string()))?;
        match servers.last_mut() {
            Some((last, entries)) if *last == name => entries.push(raw.get()),
            _ => servers.push((name, vec![raw.get()])),
        }
    }
    let document = |entries: Vec<&str>| {
        let size = entries.iter().map(|entry| entry.len() + 2).sum();
        joined(entries.into_iter(), size).into()
    };
    Ok(servers.into_iter().map(|(name, entries)| (name, document(entries))).collect())
}

/// The entries of a document, as text.
pub(super) fn entries(document: &[u8]) -> Result<Vec<Value>, IndexError> {
    let listed = page(document)?.servers.unwrap_or_default();
    listed.iter().map(|raw| serde_json::from_str(raw.get()).map_err(|e| broken(e.to_string()))).collect()
}
