//! Versions and their order, each by its ecosystem's own rules.
//!
//! Two orders live here for two purposes. [`Version`] is a version of an index that the door serves, as its resolver
//! orders it. [`VersionScheme`] is for advisories, of every ecosystem of the OSV schema: it turns text into a
//! [`VersionKey`], bytes that compare as the versions do, so that a range is two comparisons of bytes.

mod key;
mod orders;
mod scheme;

pub use key::VersionKey;
pub use scheme::VersionScheme;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::Ecosystem;

/// The longest version text that is parsed, in bytes; longer text is kept and compared as text.
pub const MAX_VERSION_BYTES: usize = 256;

/// A version as its publisher wrote it, with its place in the ecosystem's order.
///
/// Text that breaks the ecosystem's grammar stays a version (old registries hold such), ordered below every version
/// that follows it and, among its like, as text.
#[derive(Clone)]
pub struct Version {
    text: Arc<str>,
    parsed: Parsed,
}

#[derive(Clone)]
enum Parsed {
    /// Semantic Versioning 2.0.0 as npm and editors read it (`nodejs-semver`).
    Npm(Arc<nodejs_semver::Version>),
    /// PEP 440.
    Pypi(Arc<pep440_rs::Version>),
    /// Semantic Versioning 2.0.0 as cargo reads it; build metadata takes part in identity, not in precedence.
    Cargo(Arc<semver::Version>),
    /// A commit, 40 hexadecimal digits in lower case, or the digest of an image: equal or different, ordered as text because
    /// an order is owed.
    Commit,
    Opaque,
}

impl Version {
    /// Reads a version by the rules of `ecosystem`; never fails, see [`Version::is_valid`].
    pub fn parse(ecosystem: Ecosystem, text: &str) -> Self {
        let parsed = if text.len() > MAX_VERSION_BYTES {
            Parsed::Opaque
        } else {
            match ecosystem {
                // Its registry asks for semantic versions and takes others.
                Ecosystem::Npm | Ecosystem::Mcp | Ecosystem::Vscode => {
                    nodejs_semver::Version::parse(text).map_or(Parsed::Opaque, |v| Parsed::Npm(Arc::new(v)))
                }
                Ecosystem::Pypi => text.parse().map_or(Parsed::Opaque, |v| Parsed::Pypi(Arc::new(v))),
                Ecosystem::Cargo => {
                    semver::Version::parse(text).map_or(Parsed::Opaque, |v| Parsed::Cargo(Arc::new(v)))
                }
                Ecosystem::Huggingface if is_commit(text) => Parsed::Commit,
                Ecosystem::Oci if is_content_digest(text) => Parsed::Commit,
                Ecosystem::Huggingface | Ecosystem::Oci => Parsed::Opaque,
            }
        };
        Self { text: text.into(), parsed }
    }

    /// The text as published.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the text follows the ecosystem's grammar.
    pub const fn is_valid(&self) -> bool {
        !matches!(self.parsed, Parsed::Opaque)
    }

    /// Whether resolvers pass the version over unless asked for: a SemVer pre-release, or a PEP 440 pre- or
    /// development release. Text outside the grammar counts as one.
    pub fn is_prerelease(&self) -> bool {
        match &self.parsed {
            Parsed::Npm(v) => v.is_prerelease(),
            Parsed::Pypi(v) => v.any_prerelease(),
            Parsed::Cargo(v) => !v.pre.is_empty(),
            Parsed::Commit => false,
            Parsed::Opaque => true,
        }
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.parsed, &other.parsed) {
            (Parsed::Npm(a), Parsed::Npm(b)) => a.cmp(b),
            (Parsed::Pypi(a), Parsed::Pypi(b)) => a.cmp(b),
            (Parsed::Cargo(a), Parsed::Cargo(b)) => a.cmp(b),
            (Parsed::Opaque, Parsed::Opaque) | (Parsed::Commit, Parsed::Commit) => self.text.cmp(&other.text),
            (Parsed::Opaque, _) => Ordering::Less,
            (_, Parsed::Opaque) => Ordering::Greater,
            // Versions of different ecosystems never meet in one index; an order is still owed.
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}

const fn rank(parsed: &Parsed) -> u8 {
    match parsed {
        Parsed::Opaque => 0,
        Parsed::Npm(_) => 1,
        Parsed::Pypi(_) => 2,
        Parsed::Cargo(_) => 3,
        Parsed::Commit => 4,
    }
}

/// Whether text is a whole commit id in its normal form: 40 hexadecimal digits in lower case.
pub fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether text is the digest under which an image is known: `sha256:` and 64 hexadecimal digits in lower case.
pub fn is_content_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

#[cfg(test)]
mod tests;
