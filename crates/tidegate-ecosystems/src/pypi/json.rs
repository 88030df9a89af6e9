//! Reads simple pages in JSON (PEP 691).
//!
//! Files are read one by one from the raw text: a file with a member of the wrong type is left out, the rest stands.

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tidegate_model::PackageName;

use super::page::{Candidate, Files, Link, Page, Pairs, Status, check_name, is_hash, malformed};
use crate::{FetchedDocument, IndexError};

/// The members of a JSON object in their order, unread.
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

pub(super) fn read(package: &PackageName, document: &FetchedDocument) -> Result<Page, IndexError> {
    let Members(members) =
        serde_json::from_slice(&document.body).map_err(|e| malformed(package, e.to_string()))?;
    let mut page = Page::default();
    let mut found_files = None;
    for (key, raw) in members {
        let wrong = |what: &str| malformed(package, format!("its member `{key}` is not {what}"));
        match key.as_str() {
            "files" => {
                let files: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| wrong("a list"))?;
                found_files = Some(files);
            }
            "name" => {
                let name: String = serde_json::from_str(raw.get()).map_err(|_| wrong("text"))?;
                check_name(package, &name)?;
            }
            "meta" => {
                let meta = serde_json::from_str(raw.get()).map_err(|_| wrong("an object"))?;
                read_meta(&mut page, meta).map_err(|()| wrong("one whose `api-version` is text"))?;
            }
            "versions" => page.versions = serde_json::from_str(raw.get()).ok(),
            "alternate-locations" => {
                page.alternate_locations = serde_json::from_str(raw.get()).unwrap_or_default();
            }
            "project-status" => page.status = read_status(raw),
            _ => {
                if let Ok(value) = serde_json::from_str(raw.get()) {
                    page.extra.insert(key, value);
                }
            }
        }
    }
    let Some(found) = found_files else { return Err(malformed(package, "it has no member `files`")) };
    let mut files = Files::of(package);
    for raw in found {
        if let Some(candidate) = read_file(raw, document) {
            files.add(candidate)?;
        }
    }
    (page.files, page.links) = files.finish();
    Ok(page)
}

fn read_meta(page: &mut Page, meta: Map<String, Value>) -> Result<(), ()> {
    for (key, value) in meta {
        match (key.as_str(), value) {
            ("api-version", Value::String(version)) => page.api_version = Some(version),
            ("api-version", _) => return Err(()),
            ("tracks", value) => page.tracks = serde_json::from_value(value).unwrap_or_default(),
            (_, value) => {
                page.extra_meta.insert(key, value);
            }
        }
    }
    Ok(())
}

fn read_status(raw: &RawValue) -> Option<Status> {
    let members: Map<String, Value> = serde_json::from_str(raw.get()).ok()?;
    let text = |key| members.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Status { status: text("status").unwrap_or_else(|| "active".into()), reason: text("reason") })
}

const NULLABLE: [&str; 9] = [
    "requires-python",
    "core-metadata",
    "dist-info-metadata",
    "data-dist-info-metadata",
    "gpg-sig",
    "yanked",
    "upload-time",
    "size",
    "provenance",
];

/// One file; `None` where a member that matters has the wrong type.
fn read_file(raw: &RawValue, document: &FetchedDocument) -> Option<Candidate> {
    let members: Map<String, Value> = serde_json::from_str(raw.get()).ok()?;
    let (mut file_name, mut location, mut size) = (None, None, None);
    let mut link = Link::default();
    // PEP 714 renamed the member; the new name wins, whichever comes first.
    let (mut new_sidecar, mut old_sidecar) = (None, None);
    for (key, value) in members {
        match (key.as_str(), value) {
            ("filename", value) => file_name = Some(text(value)?),
            ("url", value) => location = Some(document.url.join(text(value)?.trim()).ok()?),
            ("hashes", value) => link.hashes = hashes(value)?,
            // Null is how servers write that they know nothing.
            (key, Value::Null) if NULLABLE.contains(&key) => {}
            ("requires-python", value) => link.requires_python = Some(text(value)?),
            ("core-metadata", value) => new_sidecar = Some(sidecar(value)?),
            ("dist-info-metadata" | "data-dist-info-metadata", value) => old_sidecar = Some(sidecar(value)?),
            ("gpg-sig", value) => link.gpg_sig = Some(value.as_bool()?),
            ("yanked", value) => link.yanked = yanked(value)?,
            ("upload-time", value) => link.upload_time = Some(text(value)?),
            ("size", value) => size = Some(value.as_u64()?),
            ("provenance", value) => link.provenance = Some(document.url.join(text(value)?.trim()).ok()?),
            (_, value) => {
                link.extra.insert(key, value);
            }
        }
    }
    link.core_metadata = new_sidecar.or(old_sidecar).flatten();
    Some(Candidate { file_name: file_name?, location: location?, size, link })
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn hashes(value: Value) -> Option<Pairs> {
    let Value::Object(members) = value else { return None };
    members
        .into_iter()
        .map(|(algorithm, digits)| {
            let digits = text(digits)?;
            is_hash(&algorithm, &digits).then_some((algorithm, digits))
        })
        .collect()
}

/// `Some(None)` where the value says that there is no sidecar; `None` where it has the wrong type.
#[expect(clippy::option_option, reason = "absent and unreadable are two things here")]
fn sidecar(value: Value) -> Option<Option<Pairs>> {
    match value {
        Value::Bool(false) => Some(None),
        Value::Bool(true) => Some(Some(Pairs::new())),
        value => hashes(value).map(Some),
    }
}

#[expect(clippy::option_option, reason = "absent and unreadable are two things here")]
fn yanked(value: Value) -> Option<Option<String>> {
    match value {
        Value::Bool(false) => Some(None),
        Value::Bool(true) => Some(Some(String::new())),
        Value::String(reason) => Some(Some(reason)),
        _ => None,
    }
}
