//! The gallery's views of an extension: an entry of a query's answer, and the newest releases.
//!
//! What may not be selected is left out: a gallery has no word for it. An extension without a selectable release is not
//! there at all.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::assets::{self, PACKAGE};
use super::release::Extension;
use super::target::UNIVERSAL;
use super::{JSON, rest};
use crate::index::Verdicts;
use crate::{Companion, Links, Rendered, View};

/// `GET …/{publisher}/{name}/latest`.
pub(super) const LATEST: &str = "gallery-latest";
/// One extension in the answer to a query: a list of one, or of none.
pub(super) const ENTRY: &str = "gallery-entry";

/// What an answer is to hold.
pub(super) const VERSIONS: u32 = 0x1;
pub(super) const FILES: u32 = 0x2;
pub(super) const CATEGORIES_AND_TAGS: u32 = 0x4;
pub(super) const PROPERTIES: u32 = 0x10;
pub(super) const ASSET_URI: u32 = 0x80;
pub(super) const STATISTICS: u32 = 0x100;
pub(super) const LATEST_ONLY: u32 = 0x200;
pub(super) const LATEST_OF_BOTH_ONLY: u32 = 0x1_0000;
/// Every flag that changes what is rendered.
pub(super) const KNOWN: u32 = VERSIONS
    | FILES
    | CATEGORIES_AND_TAGS
    | PROPERTIES
    | ASSET_URI
    | STATISTICS
    | LATEST_ONLY
    | LATEST_OF_BOTH_ONLY;

/// The newest release and the newest pre-release for each platform.
pub(super) fn latest(extension: &Extension, verdicts: Verdicts<'_>, links: &Links) -> Rendered {
    let flags = FILES | CATEGORIES_AND_TAGS | PROPERTIES | ASSET_URI | STATISTICS | LATEST_OF_BOTH_ONLY;
    match object(extension, verdicts, links, flags, None) {
        Some(object) => document(&object),
        None => match extension.newest_first(None).first() {
            Some(newest) => Rendered::Withheld(*newest),
            None => Rendered::Absent(format!("{} has no release", extension.package)),
        },
    }
}

/// An entry under the flags and the platform that the view's selector names: `flags`, or `flags` and a platform in two lines.
pub(super) fn entry(extension: &Extension, view: &View, verdicts: Verdicts<'_>, links: &Links) -> Rendered {
    let (flags, target) = rest::halves(view);
    let flags = flags.and_then(|text| text.parse().ok()).unwrap_or(KNOWN);
    document(&Value::Array(object(extension, verdicts, links, flags, target).into_iter().collect()))
}

pub(super) fn document(value: &Value) -> Rendered {
    Rendered::Document { content_type: JSON, body: value.to_string().into_bytes() }
}

fn object(
    extension: &Extension,
    verdicts: Verdicts<'_>,
    links: &Links,
    flags: u32,
    target: Option<&str>,
) -> Option<Value> {
    let shown = shown(extension, verdicts, flags, target)?;
    let mut object = extension.about.clone();
    if flags & STATISTICS == 0 {
        object.insert("statistics".to_owned(), json!([]));
    }
    if flags & CATEGORIES_AND_TAGS == 0 {
        object.remove("categories");
        object.remove("tags");
    }
    let versions: Vec<Value> = shown.into_iter().map(|at| version(extension, at, links, flags)).collect();
    object.insert("versions".to_owned(), versions.into());
    Some(object.into())
}

/// The positions that are shown, in upstream's order; none where nothing of the extension may be selected.
fn shown(
    extension: &Extension,
    verdicts: Verdicts<'_>,
    flags: u32,
    target: Option<&str>,
) -> Option<Vec<usize>> {
    let may = |at: &usize| {
        verdicts.get(*at).is_some_and(|v| !v.withheld)
            && target.is_none_or(|target| extension.releases[*at].target == target)
    };
    let allowed: Vec<usize> = (0..extension.releases.len()).filter(may).collect();
    if allowed.is_empty() {
        return None;
    }
    if flags & (LATEST_ONLY | LATEST_OF_BOTH_ONLY) == 0 {
        return Some(if flags & (VERSIONS | PROPERTIES) == 0 { Vec::new() } else { allowed });
    }
    let apart = flags & LATEST_OF_BOTH_ONLY != 0;
    let kind = |at: usize| (extension.releases[at].target, apart && extension.releases[at].pre_release);
    let mut newest: HashMap<(&str, bool), usize> = HashMap::new();
    for at in allowed {
        let best = newest.entry(kind(at)).or_insert(at);
        if extension.files[at].version > extension.files[*best].version {
            *best = at;
        }
    }
    let mut newest: Vec<usize> = newest.into_values().collect();
    newest.sort_unstable();
    Some(newest)
}

fn version(extension: &Extension, at: usize, links: &Links, flags: u32) -> Value {
    let release = &extension.releases[at];
    let mut object = Map::new();
    object.insert("version".to_owned(), release.version.clone().into());
    if release.target != UNIVERSAL {
        object.insert("targetPlatform".to_owned(), release.target.into());
    }
    object.insert("flags".to_owned(), "validated".into());
    if let Some(time) = &release.last_updated {
        object.insert("lastUpdated".to_owned(), time.clone().into());
    }
    let base = asset_base(extension, at, links);
    if flags & ASSET_URI != 0 {
        object.insert("assetUri".to_owned(), base.clone().into());
        object.insert("fallbackAssetUri".to_owned(), base.clone().into());
    }
    if flags & FILES != 0 {
        let types = Companion::ALL
            .into_iter()
            .filter(|companion| release.companions.contains_key(companion))
            .filter_map(assets::gallery_type);
        let files: Vec<Value> = types
            .chain([PACKAGE])
            .map(|kind| json!({ "assetType": kind, "source": asset(&base, kind, release.target) }))
            .collect();
        object.insert("files".to_owned(), files.into());
    }
    if flags & PROPERTIES != 0 {
        let properties: Vec<Value> = release
            .properties
            .iter()
            .filter(|(_, value)| !extension.leads_past(value))
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect();
        object.insert("properties".to_owned(), properties.into());
    }
    object.into()
}

/// Where a version's assets are at this door.
fn asset_base(extension: &Extension, at: usize, links: &Links) -> String {
    let parts =
        [extension.publisher.as_str(), extension.name.as_str(), extension.releases[at].version.as_str()];
    format!("{}asset/{}", links.base, parts.map(rest::segment).join("/"))
}

fn asset(base: &str, kind: &str, target: &str) -> String {
    match target {
        UNIVERSAL => format!("{base}/{kind}"),
        target => format!("{base}/{kind}?targetPlatform={target}"),
    }
}
