//! What a client's own audit is told of the advisories that touch a version.

use tidegate_model::facts::Severity;
use tidegate_model::{PackageName, Timestamp};

/// One advisory that touches a version, in no ecosystem's form yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advice {
    /// The id that people know it by: a CVE, else a GHSA, else the database's own.
    pub id: String,
    /// Every id of the same matter, the shown one among them.
    pub ids: Vec<String>,
    /// Where this door explains it.
    pub url: String,
    /// One line.
    pub summary: String,
    /// All that is known, as plain text or Markdown.
    pub details: String,
    /// How bad; `None` where nobody says.
    pub severity: Option<Severity>,
    /// CVSS base score, 0–10, and the vector it comes from.
    pub cvss: Option<(f64, String)>,
    /// Weaknesses, as `CWE-79`.
    pub weaknesses: Vec<String>,
    /// Which versions it touches.
    pub affected: Vec<Affected>,
    /// The versions that mend it, lowest first.
    pub fixed_in: Vec<String>,
    /// Whether it reports malice rather than a flaw.
    pub malicious: bool,
    /// When its publisher last changed it.
    pub modified: Option<Timestamp>,
}

/// Versions that an advisory touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Affected {
    /// One version.
    Version(String),
    /// All from one version on, up to another.
    Range {
        /// The first; `None` for the first there is.
        from: Option<String>,
        /// The end; `None` for no end.
        to: Option<End>,
    },
}

/// Where a range of versions ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Before this version.
    Before(String),
    /// With this version.
    With(String),
}

/// Says what touches a version of a package. `Err` where that is not known; an audit then fails rather than looking
/// clean.
pub type Advise<'a> = &'a dyn Fn(&PackageName, &str) -> Result<Vec<Advice>, String>;

impl Advice {
    /// A number that stands for the advisory where a client's format demands one. The same in every answer.
    pub fn number(&self) -> u32 {
        // FNV-1a; clients keep the number as a signed one of 32 bits.
        let hash = self
            .id
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        hash & 0x7fff_ffff
    }

    /// The ids that begin with a prefix such as `CVE-`.
    pub fn ids_of<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.ids.iter().map(String::as_str).filter(move |id| id.starts_with(prefix))
    }
}
