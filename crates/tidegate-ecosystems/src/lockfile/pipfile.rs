//! Pipenv's `Pipfile.lock`.
//!
//! JSON: the indexes under `_meta.sources`, then one object of packages per group. A package names a version and digests of its
//! files, without saying which file each is of, and by name the index that it comes from.

use std::borrow::Cow;
use std::ops::Range;

use tidegate_model::{Coordinate, Digest, Ecosystem, PackageName, Version};

use super::requirements::shown;
use super::{
    Lines, LintContext, LintFinding, LockError, LockFormat, LockedPackage, Lockfile, Relocate, Skipped,
    check_entries, shared,
};
use crate::npm::spans::{InvalidJson, Kind, Reader};

/// What the file holds.
#[derive(Default)]
struct File<'a> {
    /// Addresses of indexes, each with its place.
    sources: Vec<(Cow<'a, str>, Range<usize>)>,
    entries: Vec<Entry<'a>>,
    has_meta: bool,
}

#[derive(Default)]
struct Entry<'a> {
    name: Cow<'a, str>,
    at: usize,
    version: Option<Cow<'a, str>>,
    hashes: Vec<Cow<'a, str>>,
    /// `git`, `path`, `file` and the like: what it comes from instead of an index.
    elsewhere: Option<String>,
}

enum Refusal {
    Json(InvalidJson),
    Lock(LockError),
}

impl From<InvalidJson> for Refusal {
    fn from(value: InvalidJson) -> Self {
        Self::Json(value)
    }
}

fn read(text: &str) -> Result<File<'_>, LockError> {
    let mut file = File::default();
    match file.read(text) {
        Ok(()) if file.has_meta => Ok(file),
        Ok(()) => Err(LockError::Malformed("it has no `_meta`".into())),
        Err(Refusal::Json(e)) => Err(LockError::at_offset(text, e.at, e.why)),
        Err(Refusal::Lock(e)) => Err(e),
    }
}

impl<'a> File<'a> {
    fn read(&mut self, text: &'a str) -> Result<(), Refusal> {
        let mut reader = Reader::new(text.as_bytes())?;
        reader.object(|reader, name, _| {
            match (&*name, reader.kind()) {
                ("_meta", Kind::Object) => {
                    self.has_meta = true;
                    self.meta(reader)?;
                }
                // Every other object is a group of packages: `default`, `develop`, or one with a name of its own.
                (_, Kind::Object) => self.group(reader)?,
                _ => {
                    reader.skip()?;
                }
            }
            Ok::<_, Refusal>(())
        })?;
        reader.end()?;
        Ok(())
    }

    fn meta(&mut self, reader: &mut Reader<'a>) -> Result<(), Refusal> {
        reader.object(|reader, name, _| {
            if name != "sources" || reader.kind() != Kind::Array {
                reader.skip()?;
                return Ok(());
            }
            reader.array(|reader| {
                if reader.kind() != Kind::Object {
                    reader.skip()?;
                    return Ok(());
                }
                reader.object(|reader, name, _| {
                    let (span, address) = reader.text()?;
                    if name == "url"
                        && let Some(address) = address
                    {
                        self.sources.push((address, span.range()));
                    }
                    Ok::<_, Refusal>(())
                })?;
                Ok::<_, Refusal>(())
            })?;
            Ok::<_, Refusal>(())
        })?;
        Ok(())
    }

    fn group(&mut self, reader: &mut Reader<'a>) -> Result<(), Refusal> {
        reader.object(|reader, name, key| {
            check_entries(self.entries.len() + 1).map_err(Refusal::Lock)?;
            let mut entry = Entry { name, at: key.start as usize, ..Entry::default() };
            if reader.kind() == Kind::Object {
                entry.read(reader)?;
            } else {
                // `"name": "==1.0"`
                entry.version = reader.text()?.1;
            }
            self.entries.push(entry);
            Ok::<_, Refusal>(())
        })?;
        Ok(())
    }
}

impl<'a> Entry<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Refusal> {
        reader.object(|reader, name, _| {
            match (&*name, reader.kind()) {
                ("version", _) => self.version = reader.text()?.1,
                ("hashes", Kind::Array) => {
                    reader.array(|reader| {
                        self.hashes.extend(reader.text()?.1);
                        Ok::<_, Refusal>(())
                    })?;
                }
                ("git" | "hg" | "svn" | "bzr" | "path" | "file" | "url", _) => {
                    let address = reader.text()?.1.unwrap_or_default();
                    self.elsewhere = Some(if name == "file" && address.contains("://") {
                        "url".to_owned()
                    } else {
                        name.into_owned()
                    });
                }
                _ => {
                    reader.skip()?;
                }
            }
            Ok::<_, Refusal>(())
        })?;
        Ok(())
    }

    /// Why it is no package of an index, and whether it is fetched from a network nevertheless.
    fn skipped(&self) -> Option<(&'static str, bool)> {
        match self.elsewhere.as_deref()? {
            "path" | "file" => Some(("is a path on this machine", false)),
            "url" => Some(("is fetched from an address of its own and goes around the door", true)),
            _ => Some(("comes from a repository of sources and goes around the door", true)),
        }
    }

    fn locked(&self, text: &str, line: u32) -> Result<Option<LockedPackage>, LockError> {
        let malformed =
            |why: &str| LockError::at_offset(text, self.at, format!("`{}`: {why}", self.name.escape_debug()));
        let Some(version) = self.version.as_deref().and_then(|v| v.strip_prefix("==")) else {
            return Ok(None);
        };
        let name = PackageName::parse(Ecosystem::Pypi, &self.name).map_err(|e| malformed(&e.to_string()))?;
        let version = Version::parse(Ecosystem::Pypi, version.trim_start_matches('='));
        Ok(Some(LockedPackage {
            coordinate: Coordinate { name, version },
            file: None,
            digests: self.hashes.iter().filter_map(|hash| hash.parse::<Digest>().ok()).collect(),
            resolved: None,
            line: Some(line),
            aliased_as: None,
        }))
    }
}

pub(super) fn parse(text: &str) -> Result<Lockfile, LockError> {
    let lines = Lines::of(text);
    let mut lock = Lockfile { format: LockFormat::PipfileLock, packages: Vec::new(), skipped: Vec::new() };
    for entry in read(text)?.entries {
        let line = lines.at(entry.at);
        let (why, bypasses) = match (entry.skipped(), entry.locked(text, line)) {
            (None, locked) => match locked? {
                Some(package) => {
                    lock.packages.push(package);
                    continue;
                }
                None => ("pins no version with `==`, so nothing is known until it is installed", true),
            },
            (Some(skipped), _) => skipped,
        };
        lock.skipped.push(Skipped {
            what: entry.name.into_owned(),
            why: why.into(),
            local: !bypasses,
            line: Some(line),
        });
    }
    Ok(lock)
}

pub(super) fn lint(text: &str, context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    const REWRITE: &str = "rewrite the lock file (`tidegate lock rewrite Pipfile.lock`)";
    let (file, lines) = (read(text)?, Lines::of(text));
    let mut findings = Vec::new();
    for (address, place) in &file.sources {
        let (problem, remedy, fixable) = if context.is_door(address) {
            ("names the door: without this door the file installs nowhere", REWRITE, true)
        } else if context.is_upstream(address) {
            (
                "names the upstream itself: everything from it goes around the door",
                "rewrite the lock file (`tidegate lock rewrite --to door Pipfile.lock`), or set `PIPENV_PYPI_MIRROR`",
                true,
            )
        } else {
            (
                "names an index the door does not know: what comes from it goes around the door",
                "make that index an upstream of the door, and lock again",
                false,
            )
        };
        let line = Some(lines.at(place.start));
        let what = format!("source {}", shown(address));
        findings.push(LintFinding { line, what, problem: problem.into(), remedy: remedy.into(), fixable });
    }
    for entry in &file.entries {
        if let Some((why, true)) = entry.skipped() {
            findings.push(LintFinding {
                line: Some(lines.at(entry.at)),
                what: entry.name.clone().into_owned(),
                problem: why.into(),
                remedy: "depend on a published version from an index behind the door".into(),
                fixable: false,
            });
        }
    }
    Ok(findings)
}

/// Rewrites the addresses of indexes; packages name none.
pub(super) fn rewrite(text: &str, target: &dyn Relocate) -> Result<String, LockError> {
    let edits = read(text)?.sources.into_iter().filter_map(|(address, place)| {
        Some((place, serde_json::Value::from(target.registry(&address)?).to_string()))
    });
    Ok(shared::splice(text, edits.collect()))
}

#[cfg(test)]
mod tests;
