//! pnpm's `pnpm-lock.yaml`, lock file versions 5 to 9.
//!
//! The key of an entry is its name and version; an address stands only where the registry's is not the one that pnpm
//! would build. So most lock files name no address at all and work through any door.

use std::borrow::Cow;
use std::ops::Range;

use tidegate_model::{Coordinate, Digest, Ecosystem, FileName, PackageName, Version};

use super::yaml::{self, Line};
use super::{
    Lines, LintContext, LintFinding, Location, LockError, LockFormat, LockedPackage, Lockfile, Relocate,
    Skipped, check_entries, shared,
};

/// Lock file versions that are known; pnpm raises the first number when older readers would go wrong.
const VERSIONS: std::ops::RangeInclusive<u32> = 5..=9;

/// One entry of `packages`.
#[derive(Debug, Default)]
struct Entry<'a> {
    key: Cow<'a, str>,
    at: usize,
    integrity: Option<Cow<'a, str>>,
    tarball: Option<Tarball<'a>>,
    /// `git` or `directory`; none for a tarball.
    kind: Option<Cow<'a, str>>,
}

#[derive(Debug)]
struct Tarball<'a> {
    address: Cow<'a, str>,
    /// The value as written.
    value: Range<usize>,
    /// The whole member, with what joins it to its neighbours.
    member: Range<usize>,
}

/// Where an entry comes from.
enum Origin {
    Registry(Box<LockedPackage>),
    Elsewhere { why: String, bypasses: bool },
}

fn read(text: &str) -> Result<Vec<Entry<'_>>, LockError> {
    let lines = yaml::lines(text)?;
    let version = lines.iter().find(|line| line.indent == 0 && line.key == "lockfileVersion");
    let version = version.ok_or_else(|| LockError::Malformed("it has no `lockfileVersion`".into()))?;
    let major = version.text().split('.').next().and_then(|major| major.parse::<u32>().ok());
    let Some(major) = major.filter(|major| VERSIONS.contains(major)) else {
        let shown: String = version.value.chars().take(40).collect();
        let why = format!("lockfileVersion {}: 5 to 9 are read", shown.escape_debug());
        return Err(LockError::at_offset(text, version.at, why));
    };
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut section = Section::default();
    for line in lines {
        if line.indent == 0 {
            section = Section { packages: line.key == "packages", ..Section::default() };
            continue;
        }
        if !section.packages {
            continue;
        }
        let entry_indent = *section.entries.get_or_insert(line.indent);
        if line.indent <= entry_indent {
            check_entries(entries.len() + 1)?;
            entries.push(Entry { at: line.at, key: normal_key(line.key, major), ..Entry::default() });
            section.resolution = None;
        } else if let Some(entry) = entries.last_mut() {
            section.member(entry, &line, text);
        }
    }
    Ok(entries)
}

/// Where the reader stands.
#[derive(Default)]
struct Section {
    /// In `packages`.
    packages: bool,
    /// How deep entries are.
    entries: Option<usize>,
    /// How deep the `resolution` is whose members follow on lines of their own.
    resolution: Option<usize>,
}

impl Section {
    fn member<'a>(&mut self, entry: &mut Entry<'a>, line: &Line<'a>, text: &'a str) {
        if line.key == "resolution" {
            self.resolution = Some(line.indent);
            for member in yaml::flow(line.value, line.value_at) {
                let value = member.value_at..member.value_at + member.value.len();
                entry.take(member.key, yaml::unquoted(member.value), value, member.range);
            }
        } else if self.resolution.is_some_and(|above| line.indent > above) {
            let value = line.value_at..line.value_at + line.value.len();
            // The line with its indentation and its end.
            let begins = text[..line.at].rfind('\n').map_or(0, |at| at + 1);
            let ends = text[value.end..].find('\n').map_or(text.len(), |at| value.end + at + 1);
            entry.take(&line.key, yaml::unquoted(line.value), value, begins..ends);
        } else {
            self.resolution = None;
        }
    }
}

impl<'a> Entry<'a> {
    fn take(&mut self, key: &str, text: Cow<'a, str>, value: Range<usize>, member: Range<usize>) {
        match key {
            "integrity" => self.integrity = Some(text),
            "tarball" => self.tarball = Some(Tarball { address: text, value, member }),
            "type" => self.kind = Some(text),
            _ => {}
        }
    }
}

/// A key as version 9 writes it: `name@version`, without the peers that version 5 and 6 append.
fn normal_key(key: Cow<'_, str>, major: u32) -> Cow<'_, str> {
    let bare = key.strip_prefix('/').unwrap_or(&key);
    let bare = bare.split('(').next().unwrap_or(bare);
    if major > 5 {
        return if bare.len() == key.len() { key } else { Cow::Owned(bare.to_owned()) };
    }
    let bare = bare.split('_').next().unwrap_or(bare);
    match bare.rsplit_once('/') {
        Some((name, version)) if key.starts_with('/') => Cow::Owned(format!("{name}@{version}")),
        _ => Cow::Owned(bare.to_owned()),
    }
}

impl Entry<'_> {
    fn origin(&self) -> Origin {
        let elsewhere = |why: &str, bypasses| Origin::Elsewhere { why: why.to_owned(), bypasses };
        match self.kind.as_deref() {
            Some("directory") => return elsewhere("is a folder of this machine", false),
            Some(_) => return elsewhere("comes from git and goes around the door", true),
            None => {}
        }
        // The `@` of a scope stands first; another one ends the name.
        let end = self.key.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
        let (name, reference) = end.map_or((&*self.key, ""), |at| (&self.key[..at], &self.key[at + 1..]));
        if self.key.starts_with("file:") || reference.starts_with("file:") || reference.starts_with("link:") {
            return elsewhere("is a file or folder of this machine", false);
        }
        let version = Version::parse(Ecosystem::Npm, reference);
        match PackageName::parse(Ecosystem::Npm, name) {
            Ok(name) if version.is_valid() && !reference.is_empty() => self.locked(name, version),
            _ => elsewhere("is fetched from an address of its own and goes around the door", true),
        }
    }

    fn locked(&self, name: PackageName, version: Version) -> Origin {
        let mut digests = self.integrity.as_ref().map(|sri| Digest::from_sri(sri)).unwrap_or_default();
        digests.sort();
        Origin::Registry(Box::new(LockedPackage {
            file: FileName::parse(&format!("{}-{version}.tgz", name.base())).ok(),
            coordinate: Coordinate { name, version },
            digests,
            resolved: self.tarball.as_ref().map(|tarball| tarball.address.clone().into_owned()),
            line: None,
            aliased_as: None,
        }))
    }
}

pub(super) fn parse(text: &str) -> Result<Lockfile, LockError> {
    let lines = Lines::of(text);
    let mut lock = Lockfile { format: LockFormat::PnpmLock, packages: Vec::new(), skipped: Vec::new() };
    for entry in read(text)? {
        let line = Some(lines.at(entry.at));
        match entry.origin() {
            Origin::Registry(package) => lock.packages.push(LockedPackage { line, ..*package }),
            Origin::Elsewhere { why, bypasses } => {
                lock.skipped.push(Skipped { what: entry.key.into_owned(), why, local: !bypasses, line })
            }
        }
    }
    Ok(lock)
}

pub(super) fn lint(text: &str, context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    let lines = Lines::of(text);
    let mut findings = Vec::new();
    for entry in read(text)? {
        let found = match entry.origin() {
            Origin::Registry(package) => shared::judge_npm(&package, context, "pnpm install"),
            Origin::Elsewhere { bypasses: true, why } => {
                Some((why, "depend on a published version, or publish it to a registry".to_owned(), false))
            }
            Origin::Elsewhere { .. } => None,
        };
        if let Some((problem, remedy, fixable)) = found {
            let (line, what) = (Some(lines.at(entry.at)), entry.key.clone().into_owned());
            findings.push(LintFinding { line, what, problem, remedy, fixable });
        }
    }
    Ok(findings)
}

pub(super) fn rewrite(text: &str, target: &dyn Relocate) -> Result<String, LockError> {
    let mut edits = Vec::new();
    for entry in read(text)? {
        let (Some(tarball), Origin::Registry(package)) = (&entry.tarball, entry.origin()) else { continue };
        match target.location(&package) {
            // Without an address pnpm builds the conventional one, so only such a one can be left out.
            Some(Location::Omit) if shared::is_conventional(&tarball.address, &package) => {
                edits.push((tarball.member.clone(), String::new()));
            }
            Some(Location::Url(moved)) => {
                edits.push((tarball.value.clone(), format!("'{}'", moved.replace('\'', "%27"))));
            }
            Some(Location::Omit) | None => {}
        }
    }
    Ok(shared::splice(text, edits))
}

#[cfg(test)]
mod tests;
