//! Manifests in JSON: npm's `package.json`, conda's `index.json`.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Manifest, believable};

/// The members of an object; of one name, the last.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The fields of `package.json` in the documentation of npm; `licenses` and objects are old forms that are
/// still met.
pub(super) fn npm(text: &str) -> Option<Manifest> {
    let members: Members<'_> = serde_json::from_str(text).ok()?;
    let mut manifest = Manifest::new("npm", "package.json");
    if let Some(full) = text_of(&members, "name") {
        (manifest.namespace, manifest.name) = match full.split_once('/') {
            Some((scope, name)) if scope.starts_with('@') => (believable(scope), believable(name)),
            Some(_) => (None, None),
            None => (None, believable(&full)),
        };
    }
    manifest.version = text_of(&members, "version").and_then(|version| believable(&version));
    for field in ["license", "licence", "licenses"] {
        let Some(value) = members.get(field).and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok())
        else {
            continue;
        };
        let said: Vec<&str> = match &value {
            Value::Array(several) => several.iter().filter_map(one_licence).collect(),
            one => one_licence(one).into_iter().collect(),
        };
        // Several licences of the old form were a choice.
        manifest.state(field, &said.join(" OR "));
    }
    Some(manifest)
}

/// A licence as text, or as an object with its `type`.
fn one_licence(value: &Value) -> Option<&str> {
    let of = |key: &str| value.get(key).and_then(Value::as_str);
    value.as_str().or_else(|| of("type")).or_else(|| of("name")).filter(|text| !text.trim().is_empty())
}

pub(super) fn conda(text: &str) -> Option<Manifest> {
    let members: Members<'_> = serde_json::from_str(text).ok()?;
    // Other files have this name.
    if !members.contains_key("build") || !members.contains_key("name") {
        return None;
    }
    let mut manifest = Manifest::new("conda", "info/index.json");
    manifest.name = text_of(&members, "name").and_then(|name| believable(&name));
    manifest.version = text_of(&members, "version").and_then(|version| believable(&version));
    if let Some(licence) = text_of(&members, "license") {
        manifest.state("license", &licence);
    }
    Some(manifest)
}

fn text_of(members: &Members<'_>, key: &str) -> Option<String> {
    members.get(key).and_then(|raw| serde_json::from_str(raw.get()).ok())
}
