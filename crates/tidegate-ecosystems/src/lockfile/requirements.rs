//! pip's requirements files, with hashes as `pip-compile` and `uv export` write them.
//!
//! The format is pip's own: logical lines joined by a backslash, comments behind white space, options mixed with
//! requirements. A requirement names no file, so the digests of an entry are alternatives: each is of one file of the
//! version. A requirement that pins no version is no entry of a lock, and is skipped with the reason.

use tidegate_model::{Coordinate, Digest, Ecosystem, PackageName, Version};

use super::{
    LintContext, LintFinding, LockError, LockFormat, LockedPackage, Lockfile, Relocate, Skipped,
    check_entries,
};

/// Why a path is no entry.
const LOCAL: &str = "is a path on this machine, which no registry answers";

pub(super) fn parse(text: &str) -> Result<Lockfile, LockError> {
    let mut lock = Lockfile { format: LockFormat::Requirements, packages: Vec::new(), skipped: Vec::new() };
    for line in logical_lines(text) {
        let mut skip = |what: String, why: &str| {
            let local = why == LOCAL;
            lock.skipped.push(Skipped { what, why: why.to_owned(), local, line: Some(line.number) });
        };
        match line.read()? {
            Entry::Pinned { coordinate, digests } => lock.packages.push(LockedPackage {
                coordinate,
                file: None,
                digests,
                resolved: None,
                line: Some(line.number),
                aliased_as: None,
            }),
            Entry::Unpinned { what } => {
                skip(what, "pins no version with `==`, so nothing is known until it is installed")
            }
            Entry::Direct { what } => {
                skip(what, "is fetched from an address of its own, past any index and any door")
            }
            Entry::Local { what } => skip(what, LOCAL),
            Entry::Include { what } => skip(what, "is another file: give that one as well"),
            Entry::Address(_) | Entry::Other => {}
        }
        check_entries(lock.packages.len() + lock.skipped.len())?;
    }
    Ok(lock)
}

pub(super) fn lint(text: &str, context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    let mut findings = Vec::new();
    for line in logical_lines(text) {
        let mut add = |what: String, problem: String, remedy: &str, fixable| {
            findings.push(LintFinding {
                line: Some(line.number),
                what,
                problem,
                remedy: remedy.into(),
                fixable,
            });
        };
        match line.read()? {
            Entry::Direct { what } => add(
                what,
                "is fetched from an address of its own and goes around the door".into(),
                "require a published version instead (`name==version`)",
                false,
            ),
            Entry::Address(Address { option, value, .. }) => {
                let what = format!("{option} {}", shown(value));
                if context.is_door(value) {
                    let problem = "names the door: without this door the file installs nowhere".into();
                    add(what, problem, "leave the index to pip's configuration (`tidegate setup pip`)", true);
                } else if context.is_upstream(value) {
                    let problem =
                        "names the upstream itself: everything in the file goes around the door".into();
                    add(what, problem, "leave the index to pip's configuration (`tidegate setup pip`)", true);
                } else {
                    let problem = match option {
                        "--find-links" => "adds files from elsewhere, which go around the door",
                        "--index-url" => {
                            "names an index the door does not know: the file goes around the door"
                        }
                        _ => {
                            "adds an index beside the door: pip takes the highest version that any of them has"
                        }
                    };
                    let remedy = "make that index an upstream of the door, and remove the option";
                    add(what, problem.into(), remedy, false);
                }
            }
            _ => {}
        }
    }
    Ok(findings)
}

/// Rewrites the addresses of indexes; requirements name none.
pub(super) fn rewrite(text: &str, target: &dyn Relocate) -> Result<String, LockError> {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for line in logical_lines(text) {
        let Entry::Address(Address { value, option, .. }) = line.read()? else { continue };
        // A folder of files is no index, and what it becomes cannot be said.
        let moved = (option != "--find-links").then(|| target.registry(value)).flatten();
        // The value stands in the text as it is, unless a continuation tore it apart.
        let at = text[line.start..line.end].find(value).map(|at| line.start + at);
        if let Some((moved, at)) = moved.filter(|moved| moved != value).zip(at) {
            if moved.chars().any(|c| c.is_whitespace() || c.is_control()) {
                let why = "the new address holds white space".into();
                return Err(LockError::MalformedAt { line: line.number, why });
            }
            out.push_str(&text[done..at]);
            out.push_str(&moved);
            done = at + value.len();
        }
    }
    out.push_str(&text[done..]);
    Ok(out)
}

/// A line as pip sees it: continued lines joined, comments gone.
struct Line {
    /// Where it begins, from 1.
    number: u32,
    /// Its bytes in the file.
    start: usize,
    end: usize,
    text: String,
}

/// What a line is.
enum Entry<'a> {
    Pinned {
        coordinate: Coordinate,
        digests: Vec<Digest>,
    },
    Unpinned {
        what: String,
    },
    /// A URL or a version control address.
    Direct {
        what: String,
    },
    Local {
        what: String,
    },
    /// `-r`, `-c`.
    Include {
        what: String,
    },
    /// An option that names an index or a folder of files.
    Address(Address<'a>),
    /// Any other option: how pip works, not what comes from where.
    Other,
}

struct Address<'a> {
    /// Its long name.
    option: &'static str,
    value: &'a str,
}

/// Options with an address, and those that name another file: short, long.
const ADDRESSES: [(&str, &str); 4] =
    [("-i", "--index-url"), ("", "--pypi-url"), ("", "--extra-index-url"), ("-f", "--find-links")];
const INCLUDES: [(&str, &str); 2] = [("-r", "--requirement"), ("-c", "--constraint")];

fn logical_lines(text: &str) -> impl Iterator<Item = Line> + '_ {
    let mut physical = text.split_inclusive('\n').scan((1_u32, 0_usize), |(number, start), raw| {
        let found = (*number, *start, raw);
        *number += 1;
        *start += raw.len();
        Some(found)
    });
    std::iter::from_fn(move || {
        loop {
            let (number, start, raw) = physical.next()?;
            let mut line = Line { number, start, end: start + raw.len(), text: String::new() };
            let mut part = raw;
            loop {
                let trimmed = part.trim_end_matches(['\n', '\r']);
                // A comment ends a line even where it ends in a backslash.
                let is_comment = trimmed.trim_start().starts_with('#');
                match trimmed.strip_suffix('\\').filter(|_| !is_comment) {
                    Some(continued) => line.text.push_str(continued),
                    None => {
                        line.text.push_str(if is_comment { "" } else { trimmed });
                        break;
                    }
                }
                let Some((_, start, raw)) = physical.next() else { break };
                line.end = start + raw.len();
                part = raw;
            }
            let length = without_comment(&line.text).trim_end().len();
            line.text.truncate(length);
            if !line.text.trim().is_empty() {
                return Some(line);
            }
        }
    })
}

/// A comment begins at `#` at the start or behind white space; elsewhere `#` is part of a URL.
fn without_comment(text: &str) -> &str {
    let begins = |at: &usize| text[..*at].chars().next_back().is_none_or(char::is_whitespace);
    let at = text.match_indices('#').map(|(at, _)| at).find(begins);
    &text[..at.unwrap_or(text.len())]
}

impl Line {
    fn malformed(&self, why: String) -> LockError {
        LockError::MalformedAt { line: self.number, why }
    }

    fn read(&self) -> Result<Entry<'_>, LockError> {
        let text = self.text.trim();
        if text.starts_with('-') {
            return Ok(option(text));
        }
        // Options of a requirement stand behind white space; a marker may hold hyphens but no such word.
        let (requirement, options) = match text.find(" --").or_else(|| text.find("\t--")) {
            Some(at) => (text[..at].trim(), &text[at..]),
            None => (text, ""),
        };
        let what = || shown(requirement);
        if let Some((_, address)) = requirement.split_once('@') {
            if address.trim_start().starts_with("file:") {
                return Ok(Entry::Local { what: what() });
            }
            if address.contains(':') || requirement.contains("://") {
                return Ok(Entry::Direct { what: what() });
            }
        }
        if requirement.starts_with("file:") {
            return Ok(Entry::Local { what: what() });
        }
        if requirement.contains("://") {
            return Ok(Entry::Direct { what: what() });
        }
        let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        let (name, rest) = requirement.split_at(end.unwrap_or(requirement.len()));
        let is_path = name.is_empty() || name.starts_with('.') || rest.starts_with(['/', '\\', ':']);
        if is_path || (rest.is_empty() && is_archive(name)) {
            return Ok(Entry::Local { what: what() });
        }
        let name = PackageName::parse(Ecosystem::Pypi, name).map_err(|e| self.malformed(e.to_string()))?;
        let Some(version) = self.pinned(rest)? else { return Ok(Entry::Unpinned { what: what() }) };
        Ok(Entry::Pinned { coordinate: Coordinate { name, version }, digests: self.digests(options)? })
    }

    /// The version of the one `==` (or `===`) in `[extras]specifiers; marker`.
    fn pinned(&self, rest: &str) -> Result<Option<Version>, LockError> {
        let rest = rest.trim_start();
        let specifiers = match rest.strip_prefix('[') {
            Some(extras) => extras.split_once(']').ok_or_else(|| self.malformed("`[` without `]`".into()))?.1,
            None => rest,
        };
        let specifiers = specifiers.split(';').next().unwrap_or_default().trim();
        let specifiers = specifiers.strip_prefix('(').and_then(|s| s.strip_suffix(')')).unwrap_or(specifiers);
        let mut pins = specifiers.split(',').filter_map(|specifier| {
            let specifier = specifier.trim();
            let version = specifier.strip_prefix("===").or_else(|| specifier.strip_prefix("=="))?.trim();
            (!version.ends_with('*')).then_some(version)
        });
        let Some(pin) = pins.next() else {
            let known = specifiers.is_empty() || specifiers.starts_with(['=', '<', '>', '!', '~']);
            return if known { Ok(None) } else { Err(self.unreadable(specifiers)) };
        };
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._+!-".contains(&b);
        if pin.is_empty() || !pin.bytes().all(allowed) {
            return Err(self.unreadable(pin));
        }
        Ok(Some(Version::parse(Ecosystem::Pypi, pin)))
    }

    fn unreadable(&self, text: &str) -> LockError {
        let start: String = text.chars().take(80).collect();
        self.malformed(format!("`{}` cannot be read: expected `name==version`", start.escape_debug()))
    }

    fn digests(&self, options: &str) -> Result<Vec<Digest>, LockError> {
        let mut digests = Vec::new();
        let mut words = options.split_whitespace();
        while let Some(word) = words.next() {
            let value = match word.strip_prefix("--hash") {
                Some("") => words.next().unwrap_or_default(),
                Some(rest) => match rest.strip_prefix('=') {
                    Some(value) => value,
                    None => continue,
                },
                None => continue,
            };
            let digest = value
                .parse()
                .map_err(|e: tidegate_model::digest::InvalidDigest| self.malformed(format!("--hash: {e}")))?;
            digests.push(digest);
        }
        digests.sort_by_key(Digest::algorithm);
        Ok(digests)
    }
}

/// A requirement that is the name of a file in this folder.
fn is_archive(text: &str) -> bool {
    [".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar"]
        .iter()
        .any(|suffix| text.ends_with(suffix))
}

fn option(text: &str) -> Entry<'_> {
    let of = |(short, long): (&'static str, &'static str)| {
        let value = match text.strip_prefix(long) {
            Some(rest) if rest.is_empty() || rest.starts_with(['=', ' ', '\t']) => Some(rest),
            _ if !short.is_empty() && !text.starts_with("--") => text.strip_prefix(short),
            _ => None,
        }?;
        let value = value.trim_start_matches(['=', ' ', '\t']).trim();
        // Quotes are optional, as in a shell.
        Some((long, value.trim_matches(['"', '\''])))
    };
    if let Some((option, value)) = ADDRESSES.into_iter().find_map(of) {
        return Entry::Address(Address { option, value });
    }
    if INCLUDES.into_iter().any(|include| of(include).is_some()) {
        return Entry::Include { what: text.to_owned() };
    }
    match of(("-e", "--editable")) {
        Some((_, value)) if value.contains("://") => Entry::Direct { what: shown(value) },
        Some((_, value)) => Entry::Local { what: value.to_owned() },
        None => Entry::Other,
    }
}

/// Text for people: without a user name, password or token that someone wrote into an address in it.
pub(super) fn shown(text: &str) -> String {
    let Some((before, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#')).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{before}://****{}", &rest[at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
