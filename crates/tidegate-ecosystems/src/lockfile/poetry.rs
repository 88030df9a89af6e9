//! `poetry.lock`, lock file versions 1 and 2.
//!
//! A package from Poetry's built-in index names no address; one from an index of the project's own names it under
//! `source`, as the project's `pyproject.toml` does. Poetry finds an index by its name there, so changing the address in the lock file
//! alone mends nothing: it is left to whoever changes `pyproject.toml`.

use tidegate_model::digest::InvalidDigest;
use tidegate_model::{Coordinate, Digest, Ecosystem, FileName, PackageName, Version};
use toml_edit::{Document, Item, Table, TableLike};

use super::{
    Lines, LintContext, LintFinding, LockError, LockFormat, LockedPackage, Lockfile, Skipped, check_entries,
    shared,
};

/// One `[[package]]`.
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    source: Option<&'a dyn TableLike>,
    files: Vec<&'a dyn TableLike>,
    line: u32,
}

fn open(text: &str) -> Result<Document<&str>, LockError> {
    Document::parse(text).map_err(|e| {
        let offset = e.span().map_or(0, |span| span.start);
        LockError::at_offset(text, offset, format!("not TOML: {}", e.message()))
    })
}

fn packages<'a>(document: &'a Document<&str>, lines: &Lines) -> Result<Vec<Package<'a>>, LockError> {
    let tables = match document.get("package") {
        Some(Item::ArrayOfTables(tables)) => tables,
        // `package = []` is how Poetry writes that there are none.
        Some(Item::Value(toml_edit::Value::Array(array))) if array.is_empty() => return Ok(Vec::new()),
        None if document.get("metadata").is_some() => return Ok(Vec::new()),
        other => {
            let line = lines.at(other.and_then(Item::span).map_or(0, |span| span.start));
            return Err(LockError::MalformedAt { line, why: "`package` is not a list of tables".into() });
        }
    };
    check_entries(tables.len())?;
    // Version 1 keeps the files of all packages in one table.
    let apart = document.get("metadata").and_then(|metadata| metadata.get("files"));
    tables.iter().map(|table| package(table, apart, lines)).collect()
}

fn package<'a>(table: &'a Table, apart: Option<&'a Item>, lines: &Lines) -> Result<Package<'a>, LockError> {
    let line = lines.at(table.span().map_or(0, |span| span.start));
    let text = |key: &str| {
        let found = table.get(key).and_then(Item::as_str);
        found.ok_or_else(|| LockError::MalformedAt { line, why: format!("a package without a `{key}`") })
    };
    let (name, version) = (text("name")?, text("version")?);
    let listed = table.get("files").or_else(|| apart?.get(name)).and_then(Item::as_array);
    let files =
        listed.into_iter().flatten().filter_map(|file| Some(file.as_inline_table()? as &dyn TableLike));
    let source = table.get("source").and_then(Item::as_table_like);
    Ok(Package { name, version, source, files: files.collect(), line })
}

impl Package<'_> {
    fn kind(&self) -> &str {
        self.source.and_then(|source| source.get("type")).and_then(Item::as_str).unwrap_or("legacy")
    }

    /// The address of the project's own index that it comes from.
    fn index(&self) -> Option<&str> {
        self.source.and_then(|source| source.get("url")).and_then(Item::as_str)
    }

    /// Why it is no package of an index, and whether it is fetched from a network nevertheless.
    fn elsewhere(&self) -> Option<(&'static str, bool)> {
        match self.kind() {
            "legacy" => None,
            "git" => Some(("comes from a git repository and goes around the door", true)),
            "file" | "directory" => Some(("is a path on this machine", false)),
            _ => Some(("is fetched from an address of its own and goes around the door", true)),
        }
    }

    /// Every file of the package; the package itself where it names none.
    fn locked(&self, lines: &Lines) -> Result<Vec<LockedPackage>, LockError> {
        let malformed = |line: u32, why: String| LockError::MalformedAt { line, why };
        let name = PackageName::parse(Ecosystem::Pypi, self.name)
            .map_err(|e| malformed(self.line, e.to_string()))?;
        let version = Version::parse(Ecosystem::Pypi, self.version);
        let entry = |line, file, digests| LockedPackage {
            coordinate: Coordinate { name: name.clone(), version: version.clone() },
            file,
            digests,
            resolved: self.index().map(str::to_owned),
            line: Some(line),
            aliased_as: None,
        };
        let mut locked = Vec::new();
        for file in &self.files {
            let text = |key: &str| file.get(key).and_then(Item::as_str);
            let at = file.get("file").and_then(Item::span);
            let line = at.map_or(self.line, |span| lines.at(span.start));
            let name = text("file").ok_or_else(|| malformed(line, "a file without `file`".into()))?;
            let name = FileName::parse(name).map_err(|e| malformed(line, e.to_string()))?;
            let digest = match text("hash").map(str::parse::<Digest>) {
                None | Some(Err(InvalidDigest::UnknownAlgorithm(_))) => None,
                Some(digest) => Some(digest.map_err(|e| malformed(line, e.to_string()))?),
            };
            locked.push(entry(line, Some(name), digest.into_iter().collect()));
        }
        if locked.is_empty() {
            locked.push(entry(self.line, None, Vec::new()));
        }
        Ok(locked)
    }
}

pub(super) fn parse(text: &str) -> Result<Lockfile, LockError> {
    let (document, lines) = (open(text)?, Lines::of(text));
    let mut lock = Lockfile { format: LockFormat::PoetryLock, packages: Vec::new(), skipped: Vec::new() };
    for package in packages(&document, &lines)? {
        match package.elsewhere() {
            None => lock.packages.extend(package.locked(&lines)?),
            Some((why, bypasses)) => {
                let what = format!("{} {}", package.name, package.version);
                lock.skipped.push(Skipped {
                    what,
                    why: why.into(),
                    local: !bypasses,
                    line: Some(package.line),
                });
            }
        }
        check_entries(lock.packages.len() + lock.skipped.len())?;
    }
    Ok(lock)
}

pub(super) fn lint(text: &str, context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    const SOURCE: &str = "change the source in `pyproject.toml` and run `poetry lock`";
    let (document, lines) = (open(text)?, Lines::of(text));
    let mut findings = Vec::new();
    for package in packages(&document, &lines)? {
        let found = match (package.elsewhere(), package.index()) {
            (Some((why, true)), _) => {
                Some((why.to_owned(), "depend on a published version from an index behind the door"))
            }
            (Some(_), _) | (None, None) => None,
            (None, Some(address)) => {
                let place = shared::host_of(address);
                Some(if context.is_door(address) {
                    (
                        format!(
                            "its index is the door's own (`{place}`): without this door it installs nowhere"
                        ),
                        SOURCE,
                    )
                } else if context.is_upstream(address) {
                    (format!("its index is the upstream's own (`{place}`): it goes around the door"), SOURCE)
                } else {
                    (
                        format!("it comes from `{place}`, an index the door does not know"),
                        "make that index an upstream of the door, and lock again",
                    )
                })
            }
        };
        if let Some((problem, remedy)) = found {
            let what = format!("{} {}", package.name, package.version);
            let line = Some(package.line);
            findings.push(LintFinding { line, what, problem, remedy: remedy.into(), fixable: false });
        }
    }
    Ok(findings)
}

/// Nothing in it can be changed alone: see the module.
///
/// # Errors
/// As [`parse`].
pub(super) fn rewrite(text: &str) -> Result<String, LockError> {
    parse(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests;
