//! `Cargo.lock`, versions 1 to 4.
//!
//! Versions 2 to 4 keep a checksum beside each package; version 1 keeps them in `[metadata]`, one key per package. A
//! lock made through source replacement names the registry that was replaced, not the door, and so works everywhere; one
//! that names the door was made with the door as a registry of its own.

use std::collections::HashMap;
use std::ops::Range;

use tidegate_model::{Algorithm, Coordinate, Digest, Ecosystem, FileName, PackageName, Version};
use toml_edit::{Document, Item, Table};

use super::{
    Lines, LintContext, LintFinding, LockError, LockFormat, LockedPackage, Lockfile, Relocate, Skipped,
    check_entries,
};

/// The newest version of the format that is known.
const NEWEST_VERSION: i64 = 4;

pub(super) fn parse(text: &str) -> Result<Lockfile, LockError> {
    let mut lock = Lockfile { format: LockFormat::CargoLock, packages: Vec::new(), skipped: Vec::new() };
    for entry in read(text)? {
        match entry.source.as_deref().map(Source::of) {
            Some(Source::Registry) => lock.packages.push(entry.locked()?),
            other => lock.skipped.push(Skipped {
                what: entry.to_string(),
                why: match other {
                    Some(Source::Git) => "comes from a git repository, which no registry answers",
                    Some(_) => "comes from a folder or a local registry of this machine",
                    None => "is a member of the workspace or a path dependency",
                }
                .into(),
                local: !matches!(other, Some(Source::Git)),
                line: Some(entry.line),
            }),
        }
    }
    Ok(lock)
}

pub(super) fn lint(text: &str, context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    let entries = read(text)?;
    let main = main_registry(&entries, context);
    let mut findings = Vec::new();
    for entry in &entries {
        let Some(source) = entry.source.as_deref() else { continue };
        let mut add = |problem: String, remedy: &str, fixable| {
            let (line, what) = (Some(entry.line), entry.to_string());
            findings.push(LintFinding { line, what, problem, remedy: remedy.into(), fixable });
        };
        match Source::of(source) {
            Source::Registry if context.is_door(source) => add(
                "its source is the door's own address: without this door the lock file installs nowhere"
                    .into(),
                "rewrite the lock file, and let cargo reach the door by source replacement (`tidegate setup cargo`)",
                true,
            ),
            Source::Registry if !context.is_upstream(source) && main.is_some_and(|main| main != source) => {
                add(
                    format!(
                        "it comes from `{}`, another registry than the rest of the lock file",
                        shown(source)
                    ),
                    "make that registry an upstream of a repository of its own, or its packages go around the door",
                    false,
                )
            }
            Source::Registry if entry.checksum.is_none() => add(
                "it has no checksum: cargo cannot tell other bytes from the locked ones".into(),
                "run `cargo update --package` for it with a registry that gives checksums",
                false,
            ),
            Source::Git => add(
                format!("it comes from `{}` and goes around the door", shown(source)),
                "depend on a published version, or vendor the repository after review",
                false,
            ),
            Source::Registry | Source::Local => {}
        }
    }
    Ok(findings)
}

/// Rewrites the source of every registry package, wherever the file repeats it. [`Relocate::registry`] is given, and
/// gives, the source as cargo writes it: with `registry+` or `sparse+`.
pub(super) fn rewrite(text: &str, target: &dyn Relocate) -> Result<String, LockError> {
    let document = open(text)?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut edit = |span: Option<Range<usize>>, written: &str| {
        if let Some((span, moved)) = span.zip(relocated(written, target)) {
            edits.push((span, moved));
        }
    };
    for (_, item) in document.iter() {
        for table in tables(item) {
            if let Some(source) = table.get("source") {
                edit(source.span(), source.as_str().unwrap_or_default());
            }
            for dependency in table.get("dependencies").and_then(Item::as_array).into_iter().flatten() {
                edit(dependency.span(), dependency.as_str().unwrap_or_default());
            }
            let replace = table.get("replace");
            edit(replace.and_then(Item::span), replace.and_then(Item::as_str).unwrap_or_default());
        }
    }
    if let Some(metadata) = document.get("metadata").and_then(Item::as_table) {
        for (name, _) in metadata {
            edit(metadata.key(name).and_then(toml_edit::Key::span), name);
        }
    }
    edits.sort_by_key(|(span, _)| span.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (span, moved) in edits {
        out.push_str(&text[done..span.start]);
        out.push_str(&toml_edit::Value::from(moved).to_string());
        done = span.end;
    }
    out.push_str(&text[done..]);
    Ok(out)
}

/// `[[package]]`, `[root]` and `[[patch.unused]]` tables.
fn tables(item: &Item) -> Vec<&Table> {
    match item {
        Item::ArrayOfTables(array) => array.iter().collect(),
        Item::Table(table) => {
            let unused = table.get("unused").and_then(Item::as_array_of_tables);
            std::iter::once(table).chain(unused.into_iter().flatten()).collect()
        }
        _ => Vec::new(),
    }
}

/// `written` with the registry in it moved: a bare source, or one in parentheses behind a name and version.
fn relocated(written: &str, target: &dyn Relocate) -> Option<String> {
    let (before, source, after) = match written.split_once(" (") {
        Some((before, rest)) => (format!("{before} ("), rest.strip_suffix(')')?, ")"),
        None => (String::new(), written, ""),
    };
    if Source::of(source) != Source::Registry {
        return None;
    }
    target.registry(source).filter(|moved| moved != source).map(|moved| format!("{before}{moved}{after}"))
}

/// Where a package comes from, by the prefix of cargo's source ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Registry,
    Git,
    Local,
}

impl Source {
    fn of(source: &str) -> Self {
        match source.split_once('+').map_or("", |(kind, _)| kind) {
            "registry" | "sparse" => Self::Registry,
            "git" => Self::Git,
            _ => Self::Local,
        }
    }
}

/// A source for people: without a password or token that someone wrote into it.
fn shown(source: &str) -> String {
    let (kind, address) = source.split_once('+').unwrap_or(("", source));
    let Ok(mut url) = url::Url::parse(address) else { return format!("{kind} source") };
    if !url.username().is_empty() || url.password().is_some() {
        // Setting them fails only for addresses that can have none.
        let _ = url.set_username("****").and_then(|()| url.set_password(None));
    }
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// The registry that most packages come from; doors do not count.
fn main_registry<'a>(entries: &'a [Entry], context: &LintContext) -> Option<&'a str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for source in entries.iter().filter_map(|e| e.source.as_deref()) {
        if Source::of(source) == Source::Registry && !context.is_door(source) {
            *counts.entry(source).or_default() += 1;
        }
    }
    counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0))).map(|(source, _)| source)
}

/// One `[[package]]` (or version 1's `[root]`).
struct Entry {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    line: u32,
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl Entry {
    fn locked(&self) -> Result<LockedPackage, LockError> {
        let malformed = |why: String| LockError::MalformedAt { line: self.line, why };
        let name = PackageName::parse(Ecosystem::Cargo, &self.name).map_err(|e| malformed(e.to_string()))?;
        let version = Version::parse(Ecosystem::Cargo, &self.version);
        if !version.is_valid() {
            let shown = self.version.chars().take(80).collect::<String>();
            return Err(malformed(format!("`{}` is not a semantic version", shown.escape_debug())));
        }
        let digest = match &self.checksum {
            None => None,
            Some(hex) => Some(
                Digest::from_hex(Algorithm::Sha256, hex)
                    .ok_or_else(|| malformed("the checksum is not 64 hexadecimal digits".into()))?,
            ),
        };
        Ok(LockedPackage {
            file: FileName::parse(&format!("{}-{}.crate", self.name, self.version)).ok(),
            coordinate: Coordinate { name, version },
            digests: digest.into_iter().collect(),
            resolved: self.source.clone(),
            line: Some(self.line),
            aliased_as: None,
        })
    }
}

fn open(text: &str) -> Result<Document<&str>, LockError> {
    let document = Document::parse(text).map_err(|e| {
        let offset = e.span().map_or(0, |span| span.start);
        LockError::at_offset(text, offset, format!("not TOML: {}", e.message()))
    })?;
    if let Some(version) = document.get("version") {
        let span = version.span().map_or(0, |span| span.start);
        match version.as_integer() {
            Some(1..=NEWEST_VERSION) => {}
            Some(other) => {
                let why = format!("lock file version {other}: versions 1 to {NEWEST_VERSION} are read");
                return Err(LockError::at_offset(text, span, why));
            }
            None => return Err(LockError::at_offset(text, span, "`version` is not a number")),
        }
    }
    Ok(document)
}

fn read(text: &str) -> Result<Vec<Entry>, LockError> {
    let document = open(text)?;
    let lines = Lines::of(text);
    let checksums = document.get("metadata").and_then(Item::as_table);
    let mut tables: Vec<&Table> = document.get("root").and_then(Item::as_table).into_iter().collect();
    match document.get("package") {
        None => {}
        Some(Item::ArrayOfTables(packages)) => {
            check_entries(packages.len())?;
            tables.extend(packages);
        }
        Some(other) => {
            let offset = other.span().map_or(0, |span| span.start);
            return Err(LockError::at_offset(text, offset, "`package` is not a list of tables"));
        }
    }
    tables.into_iter().map(|table| entry(table, checksums, &lines)).collect()
}

fn entry(table: &Table, checksums: Option<&Table>, lines: &Lines) -> Result<Entry, LockError> {
    let line = lines.at(table.span().map_or(0, |span| span.start));
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(item) => match item.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(LockError::MalformedAt { line, why: format!("`{key}` is not text") }),
        },
    };
    let required = |key: &str| {
        text(key)?.ok_or_else(|| LockError::MalformedAt { line, why: format!("a package without `{key}`") })
    };
    let (name, version, source) = (required("name")?, required("version")?, text("source")?);
    let checksum = match (text("checksum")?, &source, checksums) {
        (Some(checksum), ..) => Some(checksum),
        (None, Some(source), Some(checksums)) => checksums
            .get(&format!("checksum {name} {version} ({source})"))
            .and_then(Item::as_str)
            .filter(|checksum| *checksum != "<none>")
            .map(str::to_owned),
        (None, ..) => None,
    };
    Ok(Entry { name, version, source, checksum, line })
}

#[cfg(test)]
mod tests;
