//! `yarn.lock` of Yarn 1: a format of its own, two levels deep.
//!
//! An entry stands for every range that led to one version, and names the file by its whole address: Yarn asks that
//! address and nothing else. Without it Yarn takes the entry for none and resolves the range anew, so that an address can
//! be changed and never left out.

use std::borrow::Cow;
use std::ops::Range;

use tidegate_model::{Coordinate, Digest, Ecosystem, FileName, PackageName, Version};

use super::shared::{Origin, YarnEntry};
use super::{
    LintContext, LintFinding, Location, LockError, LockFormat, LockedPackage, Lockfile, Relocate,
    check_entries, line_of, shared, yaml,
};

/// One entry.
#[derive(Debug)]
struct Entry<'a> {
    /// The first of its `name@range`.
    pattern: Cow<'a, str>,
    at: usize,
    version: Option<Cow<'a, str>>,
    integrity: Option<Cow<'a, str>>,
    resolved: Option<(Cow<'a, str>, Range<usize>)>,
}

fn read(text: &str) -> Result<Vec<Entry<'_>>, LockError> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let at = start;
        start += whole.len();
        let line = whole.trim_end_matches(['\n', '\r', ' ']);
        let content = line.trim_start_matches(' ');
        let begins = at + line.len() - content.len();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let malformed = |why: &str| LockError::MalformedAt { line: line_of(text, at), why: why.to_owned() };
        match line.len() - content.len() {
            0 => {
                let patterns =
                    content.strip_suffix(':').ok_or_else(|| malformed("expected `name@range:`"))?;
                check_entries(entries.len() + 1)?;
                let pattern = first_pattern(patterns).ok_or_else(|| malformed("expected `name@range:`"))?;
                entries.push(Entry { pattern, at: begins, version: None, integrity: None, resolved: None });
            }
            2 => {
                let entry = entries.last_mut().ok_or_else(|| malformed("this belongs to no entry"))?;
                // `dependencies:` and the like have lines of their own, deeper.
                let Some((key, value)) = content.split_once(' ') else { continue };
                let value_at = begins + content.len() - value.len();
                match key {
                    "version" => entry.version = Some(yaml::unquoted(value)),
                    "integrity" => entry.integrity = Some(yaml::unquoted(value)),
                    "resolved" => {
                        entry.resolved = Some((yaml::unquoted(value), value_at..value_at + value.len()));
                    }
                    _ => {}
                }
            }
            _ if entries.is_empty() => return Err(malformed("this belongs to no entry")),
            _ => {}
        }
    }
    Ok(entries)
}

/// The first of `"a@^1, b", c@2`. A range may hold a comma and blanks where it is quoted.
fn first_pattern(patterns: &str) -> Option<Cow<'_, str>> {
    let end = match patterns.strip_prefix('"') {
        Some(rest) => rest.find('"')? + 2,
        None => patterns.find(", ").unwrap_or(patterns.len()),
    };
    let pattern = yaml::unquoted(&patterns[..end]);
    (!pattern.is_empty()).then_some(pattern)
}

impl YarnEntry for Entry<'_> {
    fn at(&self) -> usize {
        self.at
    }

    fn label(&self) -> &str {
        &self.pattern
    }

    fn judge(package: &LockedPackage, context: &LintContext) -> Option<(String, String, bool)> {
        shared::judge_npm(package, context, "yarn install")
    }

    fn origin(&self, text: &str) -> Result<Origin, LockError> {
        let malformed = |why: &str| {
            LockError::at_offset(text, self.at, format!("`{}`: {why}", self.pattern.escape_debug()))
        };
        let elsewhere = |why, bypasses| Ok(Origin::Elsewhere { why, bypasses });
        let end = self.pattern.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
        let (name, range) =
            end.map_or((&*self.pattern, ""), |at| (&self.pattern[..at], &self.pattern[at + 1..]));
        // `alias@npm:name@range`
        let aliased = range.strip_prefix("npm:").map(|real| {
            match real.char_indices().skip(1).find(|(_, c)| *c == '@') {
                Some((at, _)) => &real[..at],
                None => real,
            }
        });
        let address = self.resolved.as_ref().map(|(address, _)| &**address);
        if ["file:", "link:", "portal:", "./", "../", "/"].iter().any(|start| range.starts_with(start)) {
            return elsewhere("is a file or folder of this machine", false);
        }
        let from_git =
            |place: &str| place.starts_with("git") || place.starts_with("ssh:") || place.contains(".git#");
        if from_git(range) || address.is_some_and(from_git) {
            return elsewhere("comes from git and goes around the door", true);
        }
        if range.starts_with("http:")
            || range.starts_with("https:")
            || (aliased.is_none() && range.contains('/'))
        {
            return elsewhere("is fetched from an address of its own and goes around the door", true);
        }
        let version = self.version.as_deref().ok_or_else(|| malformed("it has no `version`"))?;
        let version = Version::parse(Ecosystem::Npm, version);
        if !version.is_valid() {
            return Err(malformed("its `version` is none"));
        }
        let real = PackageName::parse(Ecosystem::Npm, aliased.unwrap_or(name))
            .map_err(|e| malformed(&e.to_string()))?;
        let mut digests = self.integrity.as_ref().map(|sri| Digest::from_sri(sri)).unwrap_or_default();
        digests.sort();
        Ok(Origin::Registry(Box::new(LockedPackage {
            file: FileName::parse(&format!("{}-{version}.tgz", real.base())).ok(),
            coordinate: Coordinate { name: real, version },
            digests,
            resolved: address.map(str::to_owned),
            line: None,
            aliased_as: aliased.map(|_| name.to_owned()),
        })))
    }
}

pub(super) fn parse(text: &str) -> Result<Lockfile, LockError> {
    shared::parse_yarn(LockFormat::YarnClassic, text, &read(text)?)
}

pub(super) fn lint(text: &str, context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    shared::lint_yarn(text, &read(text)?, context)
}

pub(super) fn rewrite(text: &str, target: &dyn Relocate) -> Result<String, LockError> {
    let mut edits = Vec::new();
    for entry in read(text)? {
        let (Some((address, place)), Origin::Registry(package)) = (&entry.resolved, entry.origin(text)?)
        else {
            continue;
        };
        // `Omit` cannot be written: without an address Yarn would choose a version anew.
        if let Some(Location::Url(moved)) = target.location(&package) {
            // Behind `#` stands the SHA-1 that Yarn compares the file with.
            let hash = address.split_once('#').map(|(_, hash)| format!("#{hash}")).unwrap_or_default();
            let moved = moved.split('#').next().unwrap_or_default().to_owned() + &hash;
            edits.push((place.clone(), serde_json::Value::from(moved).to_string()));
        }
    }
    Ok(shared::splice(text, edits))
}

#[cfg(test)]
mod tests;
