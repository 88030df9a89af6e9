//! Takes private names out of audit requests before they leave.
//!
//! What npm, pnpm and Yarn send lists every package of a project. Private names are dropped, and with them everything
//! that may carry one: addresses, aliases, the project's own name. What cannot be judged is refused as a whole: an
//! audit that silently asked for less would read as good news.

use serde_json::{Map, Value};
use tidegate_model::{Ecosystem, PackageName, Version};

type IsPrivate<'f> = &'f dyn Fn(&PackageName) -> bool;

/// The deepest tree of dependencies that is read.
pub(super) const MAX_DEPTH: usize = 100;

/// A bulk request, `{"name": ["1.0.0", …]}`, without private names.
pub(super) fn redact_bulk(body: &[u8], is_private: IsPrivate<'_>) -> Result<Vec<u8>, String> {
    let mut redacted = Map::new();
    for (name, versions) in object(body)? {
        let package = parse_name(&name)?;
        let all_plain = |list: &Vec<Value>| {
            list.iter().all(|v| v.as_str().is_some_and(|v| Version::parse(Ecosystem::Npm, v).is_valid()))
        };
        if !versions.as_array().is_some_and(all_plain) {
            return Err(format!("`{package}`: expected a list of versions"));
        }
        if !is_private(&package) {
            redacted.insert(name, versions);
        }
    }
    Ok(Value::Object(redacted).to_string().into_bytes())
}

/// An audit request, `{requires, dependencies}` as a tree, without private names.
pub(super) fn redact_tree(body: &[u8], is_private: IsPrivate<'_>) -> Result<Vec<u8>, String> {
    let mut tree = object(body)?;
    if !tree.contains_key("dependencies") && !tree.contains_key("requires") {
        return Err("expected `requires` and `dependencies`".into());
    }
    let mut redaction = Redaction { is_private, replaced: 0 };
    let mut redacted = Map::new();
    // The project's own name and version are nobody's business; the service wants some.
    redacted.insert("name".into(), "project".into());
    redacted.insert("version".into(), "0.0.0".into());
    redacted.insert("requires".into(), redaction.requires(tree.remove("requires"))?);
    redacted.insert("dependencies".into(), redaction.dependencies(tree.remove("dependencies"), 0)?);
    for list in ["install", "remove"] {
        if tree.contains_key(list) {
            redacted.insert(list.into(), Value::Array(Vec::new()));
        }
    }
    if let Some(Value::Object(metadata)) = tree.remove("metadata") {
        let kept =
            |(name, _): &(String, Value)| ["npm_version", "node_version", "platform"].contains(&&**name);
        redacted.insert("metadata".into(), metadata.into_iter().filter(kept).collect());
    }
    Ok(Value::Object(redacted).to_string().into_bytes())
}

pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("expected a JSON object".into()),
        Err(e) => Err(format!("expected a JSON object: {e}")),
    }
}

pub(super) fn parse_name(name: &str) -> Result<PackageName, String> {
    PackageName::parse(Ecosystem::Npm, name).map_err(|e| e.to_string())
}

struct Redaction<'f> {
    is_private: IsPrivate<'f>,
    replaced: usize,
}

impl Redaction<'_> {
    fn dependencies(&mut self, value: Option<Value>, depth: usize) -> Result<Value, String> {
        let mut redacted = Map::new();
        for (name, entry) in members(value, "dependencies")? {
            let Value::Object(entry) = entry else {
                return Err(format!("dependency `{}`: expected an object", name.escape_debug()));
            };
            if depth == MAX_DEPTH {
                return Err("the tree of dependencies is deeper than 100".into());
            }
            let entry = self.entry(entry, depth)?;
            // pnpm names the importers of a workspace here, `.` first.
            let private = name != "." && (self.is_private)(&parse_name(&name)?);
            if private {
                // Its own dependencies still count, so it stays as a nameless place in the tree.
                self.replaced += 1;
                let mut nameless = entry;
                nameless.insert("version".into(), "0.0.0".into());
                nameless.shift_remove("integrity");
                redacted.insert(format!("redacted-by-tidegate-{}", self.replaced), nameless.into());
            } else {
                redacted.insert(name, entry.into());
            }
        }
        Ok(redacted.into())
    }

    fn entry(&mut self, mut entry: Map<String, Value>, depth: usize) -> Result<Map<String, Value>, String> {
        let mut redacted = Map::new();
        let version = entry.remove("version");
        // Anything but a version (a git address, an alias, a path) may name what is private.
        let plain =
            version.as_ref().and_then(Value::as_str).filter(|v| Version::parse(Ecosystem::Npm, v).is_valid());
        if let Some(version) = plain {
            redacted.insert("version".into(), version.into());
            redacted.extend(entry.remove_entry("integrity").filter(|(_, value)| value.is_string()));
        }
        for flag in ["dev", "optional", "bundled", "peer"] {
            redacted.extend(entry.remove_entry(flag).filter(|(_, value)| value.is_boolean()));
        }
        if let Some(requires) = entry.remove("requires").filter(Value::is_object) {
            redacted.insert("requires".into(), self.requires(Some(requires))?);
        }
        if let Some(dependencies) = entry.remove("dependencies") {
            redacted.insert("dependencies".into(), self.dependencies(Some(dependencies), depth + 1)?);
        }
        Ok(redacted)
    }

    fn requires(&mut self, value: Option<Value>) -> Result<Value, String> {
        let mut redacted = Map::new();
        for (name, range) in members(value, "requires")? {
            if name != "." && (self.is_private)(&parse_name(&name)?) {
                continue;
            }
            let plain = range.as_str().filter(|range| !range.contains([':', '/', '@']));
            redacted.insert(name, plain.unwrap_or("*").into());
        }
        Ok(redacted.into())
    }
}

/// The members of an object that may be missing (npm writes `"requires": true` in some).
pub(super) fn members(value: Option<Value>, what: &str) -> Result<Map<String, Value>, String> {
    match value {
        Some(Value::Object(map)) => Ok(map),
        None | Some(Value::Null | Value::Bool(_)) => Ok(Map::new()),
        Some(_) => Err(format!("`{what}`: expected an object")),
    }
}
