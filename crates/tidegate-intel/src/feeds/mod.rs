//! The feeds: one file each, behind one trait.
//!
//! A feed knows how its documents look and what its own fields mean. Advisory feeds all speak OSV, so what differs is
//! what they put beside the schema; since a bulk delivery of all databases carries records of each, that knowledge is
//! chosen by the prefix of a record's id (its home), not by the delivery it came in.

pub mod csaf;
pub mod epss;
pub mod ghsa;
pub mod go;
pub mod kev;
pub mod malicious;
pub mod openvex;
pub mod osv;
pub mod pypa;
pub mod rustsec;
pub mod ssvc;

use crate::advisory::Advisory;
use crate::osv::Record;

/// Which kind of feed a delivery is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedKind {
    /// Any database in the OSV schema.
    Osv,
    /// The GitHub advisory database.
    Ghsa,
    /// RustSec.
    Rustsec,
    /// The Python packaging advisory database.
    Pypa,
    /// The Go vulnerability database.
    Go,
    /// The OpenSSF's malicious packages.
    Malicious,
    /// CISA's known exploited vulnerabilities.
    Kev,
    /// FIRST's exploit prediction scores.
    Epss,
    /// CISA's SSVC decision points (vulnrichment).
    Ssvc,
    /// OpenVEX documents.
    Openvex,
    /// CSAF documents of the VEX profile.
    Csaf,
}

impl FeedKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Osv,
        Self::Ghsa,
        Self::Rustsec,
        Self::Pypa,
        Self::Go,
        Self::Malicious,
        Self::Kev,
        Self::Epss,
        Self::Ssvc,
        Self::Openvex,
        Self::Csaf,
    ];

    /// The word in configuration and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Osv => "osv",
            Self::Ghsa => "ghsa",
            Self::Rustsec => "rustsec",
            Self::Pypa => "pypa",
            Self::Go => "go",
            Self::Malicious => "malicious",
            Self::Kev => "kev",
            Self::Epss => "epss",
            Self::Ssvc => "ssvc",
            Self::Openvex => "openvex",
            Self::Csaf => "csaf",
        }
    }

    /// What reads it.
    pub fn feed(self) -> &'static dyn Feed {
        match self {
            Self::Osv => &osv::Osv,
            Self::Ghsa => &ghsa::Ghsa,
            Self::Rustsec => &rustsec::RustSec,
            Self::Pypa => &pypa::PyPa,
            Self::Go => &go::Go,
            Self::Malicious => &malicious::Malicious,
            Self::Kev => &kev::Kev,
            Self::Epss => &epss::Epss,
            Self::Ssvc => &ssvc::Ssvc,
            Self::Openvex => &openvex::OpenVex,
            Self::Csaf => &csaf::Csaf,
        }
    }

    /// Whether it delivers advisories, rather than signals or VEX statements.
    pub const fn is_advisories(self) -> bool {
        matches!(self, Self::Osv | Self::Ghsa | Self::Rustsec | Self::Pypa | Self::Go | Self::Malicious)
    }
}

/// A document that a feed cannot read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl Unreadable {
    /// From whatever the parser says.
    pub fn because(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// One document read: what it adds to a delivery.
#[derive(Debug)]
pub enum Item {
    /// One OSV record as delivered.
    Record(Vec<u8>),
    /// Rows of the catalogue of exploited vulnerabilities.
    Kev(Vec<kev::Row>),
    /// Exploit prediction scores.
    Epss(epss::Table),
    /// SSVC decision points.
    Ssvc(Vec<ssvc::Row>),
    /// VEX statements.
    Vex(Vec<openvex::Statement>),
}

/// One feed.
pub trait Feed: Sync {
    /// Which one.
    fn kind(&self) -> FeedKind;

    /// Prefixes of the ids that it is the home of.
    fn homes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether a file in an archive of this feed is one of its documents: databases are kept beside scripts, indexes and
    /// drafts.
    fn keeps(&self, path: &str) -> bool {
        let file = path.rsplit('/').next().unwrap_or(path);
        let is_document = [".json", ".jsonl", ".csv"].iter().any(|end| file.ends_with(end));
        let homes = self.homes();
        is_document && (homes.is_empty() || homes.iter().any(|prefix| file.starts_with(prefix)))
    }

    /// Reads what the database says beside the schema.
    fn describe(&self, _record: &Record<'_>, _advisory: &mut Advisory) {}

    /// Reads one document: a file, or a line of one that holds a document a line.
    ///
    /// # Errors
    /// [`Unreadable`] where it is not a document of this feed.
    fn read(&self, document: &[u8]) -> Result<Item, Unreadable>;

    /// The time that a whole document states for itself, RFC 3339 or a date.
    fn stated_time(&self, _document: &[u8]) -> Option<String> {
        None
    }
}

/// Lets the home of a record say what it says beside the schema.
pub(crate) fn describe(record: &Record<'_>, advisory: &mut Advisory) {
    osv::describe_common(record, advisory);
    let home = FeedKind::ALL
        .into_iter()
        .map(FeedKind::feed)
        .find(|feed| feed.homes().iter().any(|prefix| record.id.starts_with(prefix)));
    if let Some(home) = home {
        home.describe(record, advisory);
    }
}
