//! `uv.lock`, version 1.
//!
//! A package names the index it was resolved from, and every file of it by absolute address: `uv sync --frozen` asks
//! for those addresses and for nothing else. A lock made straight at an upstream therefore installs past the door, and
//! one made through a door installs nowhere else, until its addresses are rewritten.

use std::ops::Range;

use percent_encoding::percent_decode_str;
use tidegate_model::digest::InvalidDigest;
use tidegate_model::{Coordinate, Digest, Ecosystem, FileName, PackageName, Version};
use toml_edit::{Document, Item, Table, TableLike, Value};
use url::Url;

use super::requirements::shown;
use super::{
    Lines, LintContext, LintFinding, Location, LockError, LockFormat, LockedPackage, Lockfile, Relocate,
    Skipped, check_entries,
};

/// The version of the format that is known; uv raises it when older readers would go wrong.
const VERSION: i64 = 1;

pub(super) fn parse(text: &str) -> Result<Lockfile, LockError> {
    let document = open(text)?;
    let lines = Lines::of(text);
    let mut lock = Lockfile { format: LockFormat::UvLock, packages: Vec::new(), skipped: Vec::new() };
    for package in packages(&document, &lines)? {
        match package.source {
            Source::Index { .. } => {
                for (locked, _) in package.locked(&lines)? {
                    lock.packages.push(locked);
                }
            }
            Source::Elsewhere { why, bypasses } => lock.skipped.push(Skipped {
                what: package.to_string(),
                why: why.into(),
                local: !bypasses,
                line: Some(package.line),
            }),
        }
        check_entries(lock.packages.len() + lock.skipped.len())?;
    }
    Ok(lock)
}

pub(super) fn lint(text: &str, context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    let document = open(text)?;
    let lines = Lines::of(text);
    let mut findings = Vec::new();
    for package in packages(&document, &lines)? {
        let finding = match package.source {
            Source::Index { address, .. } => package.lint_index(address, context, &lines)?,
            Source::Elsewhere { bypasses: true, why } => {
                Some((why.to_owned(), "depend on a published version from an index behind the door", false))
            }
            Source::Elsewhere { .. } => None,
        };
        if let Some((problem, remedy, fixable)) = finding {
            let (line, what) = (Some(package.line), package.to_string());
            findings.push(LintFinding { line, what, problem, remedy: remedy.into(), fixable });
        }
    }
    Ok(findings)
}

/// Rewrites the index of every package, also where a dependency repeats it, and the address of every file.
pub(super) fn rewrite(text: &str, target: &dyn Relocate) -> Result<String, LockError> {
    let document = open(text)?;
    let lines = Lines::of(text);
    let mut edits = Vec::new();
    registries(document.as_item(), &mut |value, current| {
        if let Some((span, moved)) = value.span().zip(target.registry(current)) {
            edits.push((span, moved));
        }
    });
    for package in packages(&document, &lines)? {
        if !matches!(package.source, Source::Index { .. }) {
            continue;
        }
        for (locked, written) in package.locked(&lines)? {
            // uv knows no entry without an address: `Omit` cannot be written, so the address stays.
            if let Some((Location::Url(moved), span)) = target.location(&locked).zip(written) {
                edits.push((span, moved));
            }
        }
    }
    Ok(splice(text, edits))
}

fn splice(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(span, _)| span.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (span, moved) in edits {
        out.push_str(&text[done..span.start]);
        out.push_str(&Value::from(moved).to_string());
        done = span.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Every `source = { registry = "…" }`, wherever it stands. The parser bounds the depth.
fn registries<'a>(item: &'a Item, found: &mut dyn FnMut(&'a Item, &'a str)) {
    if let Item::ArrayOfTables(tables) = item {
        tables.iter().for_each(|table| table_registries(table, found));
    } else if let Some(table) = item.as_table_like() {
        table_registries(table, found);
    } else if let Some(array) = item.as_array() {
        array.iter().for_each(|value| value_registries(value, found));
    }
}

fn table_registries<'a>(table: &'a dyn TableLike, found: &mut dyn FnMut(&'a Item, &'a str)) {
    for (key, item) in table.iter() {
        let registry = (key == "source").then(|| item.as_table_like()?.get("registry")).flatten();
        match registry.and_then(|registry| Some((registry, registry.as_str()?))) {
            Some((registry, address)) => found(registry, address),
            None => registries(item, found),
        }
    }
}

fn value_registries<'a>(value: &'a Value, found: &mut dyn FnMut(&'a Item, &'a str)) {
    match value {
        Value::InlineTable(table) => table_registries(table, found),
        Value::Array(array) => array.iter().for_each(|value| value_registries(value, found)),
        _ => {}
    }
}

/// One `[[package]]`.
struct Package<'a> {
    name: &'a str,
    version: Option<&'a str>,
    source: Source<'a>,
    table: &'a Table,
    line: u32,
}

enum Source<'a> {
    /// An index that answers over HTTP.
    Index { address: &'a str },
    /// Anything that no index answers.
    Elsewhere {
        why: &'static str,
        /// Whether it is fetched from a network, and so past the door.
        bypasses: bool,
    },
}

impl std::fmt::Display for Package<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)?;
        self.version.map_or(Ok(()), |version| write!(f, " {version}"))
    }
}

fn open(text: &str) -> Result<Document<&str>, LockError> {
    let document = Document::parse(text).map_err(|e| {
        let offset = e.span().map_or(0, |span| span.start);
        LockError::at_offset(text, offset, format!("not TOML: {}", e.message()))
    })?;
    let version = document.get("version");
    let offset = version.and_then(Item::span).map_or(0, |span| span.start);
    match version.map(Item::as_integer) {
        Some(Some(VERSION)) => Ok(document),
        Some(Some(other)) => Err(LockError::at_offset(
            text,
            offset,
            format!("uv.lock version {other}: version {VERSION} is read"),
        )),
        _ => Err(LockError::at_offset(text, offset, "`version` is missing or not a number")),
    }
}

fn packages<'a>(document: &'a Document<&str>, lines: &Lines) -> Result<Vec<Package<'a>>, LockError> {
    let tables = match document.get("package") {
        None => return Ok(Vec::new()),
        Some(Item::ArrayOfTables(tables)) => tables,
        Some(item) => {
            let line = lines.at(item.span().map_or(0, |span| span.start));
            return Err(LockError::MalformedAt { line, why: "`package` is not a list of tables".into() });
        }
    };
    check_entries(tables.len())?;
    tables.iter().map(|table| Package::read(table, lines)).collect()
}

impl<'a> Package<'a> {
    fn read(table: &'a Table, lines: &Lines) -> Result<Self, LockError> {
        let line = lines.at(table.span().map_or(0, |span| span.start));
        let malformed = |why: &str| LockError::MalformedAt { line, why: why.into() };
        let text = |key: &str| table.get(key).and_then(Item::as_str);
        let source = table.get("source").and_then(Item::as_table_like);
        Ok(Self {
            name: text("name").ok_or_else(|| malformed("a package without a `name`"))?,
            version: text("version"),
            source: Source::read(source.ok_or_else(|| malformed("a package without a `source`"))?)
                .ok_or_else(|| malformed("a `source` of no known kind"))?,
            table,
            line,
        })
    }

    /// Every file of the package, with the place of its address in the text; the package itself where it names none.
    fn locked(&self, lines: &Lines) -> Result<Vec<Placed>, LockError> {
        let malformed = |why: String| LockError::MalformedAt { line: self.line, why };
        let name = PackageName::parse(Ecosystem::Pypi, self.name).map_err(|e| malformed(e.to_string()))?;
        let version =
            self.version.ok_or_else(|| malformed("a package of an index without a `version`".into()))?;
        let version = Version::parse(Ecosystem::Pypi, version);
        let entry = |line, file, digests, resolved| LockedPackage {
            coordinate: Coordinate { name: name.clone(), version: version.clone() },
            file,
            digests,
            resolved,
            line: Some(line),
            aliased_as: None,
        };
        let mut locked = Vec::new();
        for file in self.files() {
            let line = file.span.map_or(self.line, |span| lines.at(span.start));
            let malformed = |why: String| LockError::MalformedAt { line, why };
            let digest = file.hash.map(digest).transpose().map_err(|e| malformed(e.to_string()))?;
            let (address, span) = file.address.unzip();
            let name = file_name(file.name, address).map_err(malformed)?;
            let digests = digest.flatten().into_iter().collect();
            locked.push((entry(line, Some(name), digests, address.map(str::to_owned)), span.flatten()));
        }
        if locked.is_empty() {
            locked.push((entry(self.line, None, Vec::new(), None), None));
        }
        Ok(locked)
    }

    /// The source distribution and the wheels.
    fn files(&self) -> impl Iterator<Item = File<'a>> + use<'a> {
        let sdist = self.table.get("sdist").and_then(Item::as_table_like);
        let wheels = self.table.get("wheels").and_then(Item::as_array);
        let wheels = wheels.into_iter().flatten().filter_map(|wheel| wheel.as_inline_table());
        let sdist = sdist.map(|table| File::read(table, self.table.get("sdist").and_then(Item::span)));
        sdist.into_iter().chain(wheels.map(|table| File::read(table, table.span())))
    }

    fn lint_index(
        &self,
        address: &str,
        context: &LintContext,
        lines: &Lines,
    ) -> Result<Option<(String, &'static str, bool)>, LockError> {
        const REWRITE: &str = "rewrite the lock file (`tidegate lock rewrite uv.lock`)";
        let files = self.locked(lines)?;
        let past =
            files.iter().filter_map(|(file, _)| file.resolved.as_deref()).find(|url| !context.is_door(url));
        let (door, upstream) = (context.is_door(address), context.is_upstream(address));
        Ok(match past {
            None if door => Some((
                "its addresses are the door's own: without this door it installs nowhere".into(),
                REWRITE,
                true,
            )),
            Some(url) if door || upstream => Some((
                format!("`uv sync --frozen` fetches it from `{}` and goes around the door", host_of(url)),
                REWRITE,
                true,
            )),
            None if upstream && self.files().next().is_none() => None,
            None if upstream => {
                Some(("its files come through the door, its index does not".into(), REWRITE, true))
            }
            _ => Some((
                format!("it comes from `{}`, an index the door does not know", host_of(address)),
                "make that index an upstream of the door, and lock again",
                false,
            )),
        })
    }
}

impl<'a> Source<'a> {
    fn read(source: &'a dyn TableLike) -> Option<Self> {
        let elsewhere = |why, bypasses| Some(Self::Elsewhere { why, bypasses });
        if let Some(address) = source.get("registry").and_then(Item::as_str) {
            // RFC 3986 §3.1: a scheme in capitals is the same scheme, and must not look like a folder.
            let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
            return if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") {
                Some(Self::Index { address })
            } else {
                elsewhere("comes from an index in a folder of this machine", false)
            };
        }
        let (key, _) = source.iter().next()?;
        match key {
            "git" => elsewhere("comes from a git repository and goes around the door", true),
            "url" => elsewhere("is fetched from an address of its own and goes around the door", true),
            "path" | "directory" | "editable" => elsewhere("is a path on this machine", false),
            "virtual" => elsewhere("is the project itself", false),
            _ => None,
        }
    }
}

/// An entry and where its address stands in the text.
type Placed = (LockedPackage, Option<Range<usize>>);

/// What the lock says of a file.
struct File<'a> {
    /// The address and its place in the text.
    address: Option<(&'a str, Option<Range<usize>>)>,
    name: Option<&'a str>,
    hash: Option<&'a str>,
    span: Option<Range<usize>>,
}

impl<'a> File<'a> {
    fn read(table: &'a dyn TableLike, span: Option<Range<usize>>) -> Self {
        let text = |key: &str| table.get(key).and_then(Item::as_str);
        Self {
            address: table.get("url").and_then(|url| Some((url.as_str()?, url.span()))),
            name: text("filename"),
            hash: text("hash"),
            span,
        }
    }
}

/// A digest; `None` for an algorithm nothing here compares.
fn digest(text: &str) -> Result<Option<Digest>, InvalidDigest> {
    match text.parse() {
        Ok(digest) => Ok(Some(digest)),
        Err(InvalidDigest::UnknownAlgorithm(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn file_name(name: Option<&str>, address: Option<&str>) -> Result<FileName, String> {
    let text = match (name, address) {
        (Some(name), _) => name.to_owned(),
        (None, Some(address)) => {
            let url =
                Url::parse(address).map_err(|e| format!("`{}` is not an address: {e}", shown(address)))?;
            let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
            percent_decode_str(last).decode_utf8_lossy().into_owned()
        }
        (None, None) => return Err("a file without `url`".into()),
    };
    FileName::parse(&text).map_err(|e| e.to_string())
}

/// Host and port, for messages.
fn host_of(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) => url.host_str().map_or_else(String::new, |host| match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }),
        Err(_) => shown(address),
    }
}

#[cfg(test)]
mod tests;
