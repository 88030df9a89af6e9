//! Lock files: what they pin, what in them would go around the door, and how their addresses are mended.
//!
//! Reading is tolerant of what a format may hold beyond what is needed here, and strict about its frame: a file that is
//! not what it says it is gives an error that names the line. Rewriting touches addresses only; every other byte stays.
//! Nothing here asks the network, and nothing here decides whether an entry may be installed.

mod berry;
mod cargo;
mod npm;
mod pipfile;
mod pnpm;
mod poetry;
mod requirements;
mod shared;
mod uv;
mod yaml;
mod yarn;

use tidegate_model::{Coordinate, Digest, FileName};
use url::Url;

/// The largest lock file that is read: 64 MiB.
pub const MAX_LOCKFILE_BYTES: usize = 64 << 20;
/// The most entries a lock file may hold.
pub const MAX_ENTRIES: usize = 200_000;

/// One pinned package that comes from a registry.
///
/// PyPI pins several files of one version: each file is an entry of its own.
#[derive(Clone, Debug)]
pub struct LockedPackage {
    /// Name and version.
    pub coordinate: Coordinate,
    /// The file, where the lock names one.
    pub file: Option<FileName>,
    /// Every digest the lock promises for the file, strongest first.
    pub digests: Vec<Digest>,
    /// The address the lock names: of the file (npm, uv) or of the registry (cargo), as written.
    pub resolved: Option<String>,
    /// Line of the entry, from 1.
    pub line: Option<u32>,
    /// The name it is installed under, where that is another one (npm aliases).
    pub aliased_as: Option<String>,
}

/// An entry that no registry answers: git, a URL, a path, a member of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Which entry.
    pub what: String,
    /// Why it is not a package of a registry, and what that means for the door.
    pub why: String,
    /// Whether it is the project's own: a member of the workspace, a folder or file of this machine. Nothing is fetched for
    /// it, so it is no gap.
    pub local: bool,
    /// Line of the entry, from 1.
    pub line: Option<u32>,
}

/// A lock file, read.
#[derive(Clone, Debug)]
pub struct Lockfile {
    /// Which format it has.
    pub format: LockFormat,
    /// Packages that a registry answers, in the file's order.
    pub packages: Vec<LockedPackage>,
    /// Everything else.
    pub skipped: Vec<Skipped>,
}

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockFormat {
    /// npm's `package-lock.json` and `npm-shrinkwrap.json`, lock file versions 2 and 3.
    PackageLock,
    /// pip's requirements file.
    Requirements,
    /// uv's `uv.lock`.
    UvLock,
    /// cargo's `Cargo.lock`, versions 1 to 4.
    CargoLock,
    /// pnpm's `pnpm-lock.yaml`, lock file versions 5 to 9.
    PnpmLock,
    /// `yarn.lock` of Yarn 1.
    YarnClassic,
    /// `yarn.lock` of Yarn 2 and later.
    YarnBerry,
    /// `poetry.lock`, lock file versions 1 and 2.
    PoetryLock,
    /// Pipenv's `Pipfile.lock`.
    PipfileLock,
}

/// What a lint compares addresses with.
#[derive(Clone, Debug, Default)]
pub struct LintContext {
    /// Roots under which doors are reached (`http://127.0.0.1:8484/`): an entry that names one installs nowhere else.
    pub doors: Vec<Url>,
    /// Roots of the upstreams behind the door: an entry that names one goes around the door.
    pub upstreams: Vec<Url>,
}

/// One thing in a lock file that does not go well with a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintFinding {
    /// Line, from 1.
    pub line: Option<u32>,
    /// Which entry.
    pub what: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub remedy: String,
    /// Whether `rewrite` mends it.
    pub fixable: bool,
}

/// What an address in a lock file becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// No address: the client builds it from its configuration.
    Omit,
    /// This one.
    Url(String),
}

/// Says what addresses become when a lock file is rewritten.
pub trait Relocate {
    /// The new address of a package's file; `None` leaves the entry as it is.
    fn location(&self, package: &LockedPackage) -> Option<Location>;

    /// The new address of a registry, given the one that is written now; `None` leaves it.
    fn registry(&self, current: &str) -> Option<String>;
}

/// Why a lock file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Neither its name nor its content is that of a format that is read.
    #[error(
        "`{}` is no lock file tidegate reads: expected package-lock.json, npm-shrinkwrap.json, pnpm-lock.yaml, \
         yarn.lock, a pip requirements file, uv.lock, poetry.lock, Pipfile.lock or Cargo.lock", .file_name.escape_debug()
    )]
    UnknownFormat {
        /// Its name.
        file_name: String,
    },
    /// It breaks its format.
    #[error("line {line}: {why}")]
    MalformedAt {
        /// Where, from 1.
        line: u32,
        /// What is wrong and what was expected.
        why: String,
    },
    /// It breaks its format at no place in particular.
    #[error("{0}")]
    Malformed(String),
    /// A bound of ours was exceeded.
    #[error("the lock file has more than {limit}")]
    TooMuch {
        /// The bound, with its unit.
        limit: &'static str,
    },
}

impl LockError {
    /// An error at a byte offset of `text`.
    fn at_offset(text: &str, offset: usize, why: impl Into<String>) -> Self {
        Self::MalformedAt { line: line_of(text, offset), why: why.into() }
    }
}

impl LockFormat {
    /// Which format a file has, by its name and, where that says nothing, by how its content begins.
    pub fn detect(file_name: &str, bytes: &[u8]) -> Option<Self> {
        let base = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
        match base {
            "package-lock.json" | "npm-shrinkwrap.json" | ".package-lock.json" => {
                return Some(Self::PackageLock);
            }
            "uv.lock" => return Some(Self::UvLock),
            "Cargo.lock" => return Some(Self::CargoLock),
            "pnpm-lock.yaml" => return Some(Self::PnpmLock),
            "poetry.lock" => return Some(Self::PoetryLock),
            "Pipfile.lock" => return Some(Self::PipfileLock),
            _ => {}
        }
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(SNIFFED_BYTES)]);
        if head.contains("\n__metadata:") || head.starts_with("__metadata:") {
            return Some(Self::YarnBerry);
        }
        if base == "yarn.lock" || head.contains("# yarn lockfile v1") {
            return Some(Self::YarnClassic);
        }
        if head.starts_with("lockfileVersion:") || head.contains("\nlockfileVersion:") {
            return Some(Self::PnpmLock);
        }
        let lower = base.to_ascii_lowercase();
        if lower.ends_with(".json") || head.trim_start().starts_with('{') {
            if head.contains("\"pipfile-spec\"") {
                return Some(Self::PipfileLock);
            }
            return (head.contains("\"lockfileVersion\"")).then_some(Self::PackageLock);
        }
        if head.contains("@generated by Poetry") {
            return Some(Self::PoetryLock);
        }
        if head.contains("automatically @generated by Cargo") {
            return Some(Self::CargoLock);
        }
        if head.contains("\n[[package]]\n") || head.contains("\n[[package]]\r\n") {
            let python = head.contains("requires-python") || head.contains("source = {");
            return Some(if python { Self::UvLock } else { Self::CargoLock });
        }
        let requirements = lower.contains("require") || lower.contains("constraint");
        (requirements && (lower.ends_with(".txt") || lower.ends_with(".in"))).then_some(Self::Requirements)
    }
}

/// How much of a file is looked at to tell its format, in bytes.
const SNIFFED_BYTES: usize = 4096;

/// Reads a lock file.
///
/// # Errors
/// An unknown format, a file that breaks its format, a bound that is exceeded.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Lockfile, LockError> {
    let (format, text, _) = open(file_name, bytes)?;
    match format {
        LockFormat::PackageLock => npm::parse(text),
        LockFormat::Requirements => requirements::parse(text),
        LockFormat::UvLock => uv::parse(text),
        LockFormat::CargoLock => cargo::parse(text),
        LockFormat::PnpmLock => pnpm::parse(text),
        LockFormat::YarnClassic => yarn::parse(text),
        LockFormat::YarnBerry => berry::parse(text),
        LockFormat::PoetryLock => poetry::parse(text),
        LockFormat::PipfileLock => pipfile::parse(text),
    }
}

/// Finds what in a lock file goes around the door or works through one door only.
///
/// # Errors
/// As [`parse`].
pub fn lint(file_name: &str, bytes: &[u8], context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    let (format, text, _) = open(file_name, bytes)?;
    match format {
        LockFormat::PackageLock => npm::lint(text, context),
        LockFormat::Requirements => requirements::lint(text, context),
        LockFormat::UvLock => uv::lint(text, context),
        LockFormat::CargoLock => cargo::lint(text, context),
        LockFormat::PnpmLock => pnpm::lint(text, context),
        LockFormat::YarnClassic => yarn::lint(text, context),
        LockFormat::YarnBerry => berry::lint(text, context),
        LockFormat::PoetryLock => poetry::lint(text, context),
        LockFormat::PipfileLock => pipfile::lint(text, context),
    }
}

/// The same lock file with other addresses; every byte that is no address stays.
///
/// # Errors
/// As [`parse`].
pub fn rewrite(file_name: &str, bytes: &[u8], target: &dyn Relocate) -> Result<Vec<u8>, LockError> {
    let (format, text, mark) = open(file_name, bytes)?;
    let rewritten = match format {
        LockFormat::PackageLock => npm::rewrite(text, target),
        LockFormat::Requirements => requirements::rewrite(text, target),
        LockFormat::UvLock => uv::rewrite(text, target),
        LockFormat::CargoLock => cargo::rewrite(text, target),
        LockFormat::PnpmLock => pnpm::rewrite(text, target),
        LockFormat::YarnClassic => yarn::rewrite(text, target),
        LockFormat::YarnBerry => berry::rewrite(text, target),
        LockFormat::PoetryLock => poetry::rewrite(text),
        LockFormat::PipfileLock => pipfile::rewrite(text, target),
    }?;
    Ok([mark, rewritten.as_bytes()].concat())
}

/// UTF-8's byte order mark, which some editors put first.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Checks the size, tells the format, and splits a byte order mark from the text.
fn open<'a>(file_name: &str, bytes: &'a [u8]) -> Result<(LockFormat, &'a str, &'a [u8]), LockError> {
    if bytes.len() > MAX_LOCKFILE_BYTES {
        return Err(LockError::TooMuch { limit: "64 MiB" });
    }
    let (mark, rest) = match bytes.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => (BYTE_ORDER_MARK, rest),
        None => (&bytes[..0], bytes),
    };
    let unknown = || LockError::UnknownFormat { file_name: file_name.chars().take(200).collect() };
    let format = LockFormat::detect(file_name, rest).ok_or_else(unknown)?;
    let text = std::str::from_utf8(rest).map_err(|e| {
        let line = 1 + rest[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        LockError::MalformedAt {
            line: line.try_into().unwrap_or(u32::MAX),
            why: "text that is not UTF-8".into(),
        }
    })?;
    Ok((format, text, mark))
}

/// The line, from 1, that holds a byte offset. For errors; where many lines are needed use [`Lines`].
fn line_of(text: &str, offset: usize) -> u32 {
    let end = offset.min(text.len());
    let breaks = text.as_bytes()[..end].iter().filter(|b| **b == b'\n').count();
    u32::try_from(breaks + 1).unwrap_or(u32::MAX)
}

/// Finds the lines of many offsets in one text.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i).collect())
    }

    /// The line, from 1, that holds a byte offset.
    fn at(&self, offset: usize) -> u32 {
        u32::try_from(self.0.partition_point(|newline| *newline < offset) + 1).unwrap_or(u32::MAX)
    }
}

/// Refuses one entry more than [`MAX_ENTRIES`].
const fn check_entries(count: usize) -> Result<(), LockError> {
    if count > MAX_ENTRIES { Err(LockError::TooMuch { limit: "200,000 entries" }) } else { Ok(()) }
}

impl LintContext {
    /// Whether an address lies at or below a door.
    pub fn is_door(&self, address: &str) -> bool {
        lies_below(address, &self.doors)
    }

    /// Whether an address lies at or below an upstream.
    pub fn is_upstream(&self, address: &str) -> bool {
        lies_below(address, &self.upstreams)
    }
}

/// Compares scheme-less: a lock made over http names the same door as one made over https.
fn lies_below(address: &str, roots: &[Url]) -> bool {
    let address =
        ["sparse+", "registry+"].iter().fold(address, |a, prefix| a.strip_prefix(prefix).unwrap_or(a));
    let Ok(address) = Url::parse(address) else { return false };
    roots.iter().any(|root| {
        let path = root.path().trim_end_matches('/');
        root.host_str() == address.host_str()
            && root.port() == address.port()
            && address.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests;
