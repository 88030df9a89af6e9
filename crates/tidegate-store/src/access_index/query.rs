//! Answering "who took this", a page at a time.

use std::collections::BTreeSet;
use std::path::Path;

use tidegate_ledger::RecordId;
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_model::{Sha256, Timestamp};

use super::picked::{Picked, Place};
use super::rows::{self, AccessRow};
use super::{AccessIndex, AccessIndexError, merge, month};
use crate::catalogue::{CatalogueError, People};

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhoSubject {
    /// One version: a package URL with its version.
    Purl(String),
    /// Any of these versions.
    Purls {
        /// Package URLs with their versions.
        purls: Vec<String>,
        /// Only these bytes of them.
        sha256: Option<Sha256>,
    },
    /// Every version: a package URL without one.
    Package(String),
    /// These bytes, under whatever name.
    Sha256(Sha256),
    /// Whatever.
    Everything,
}

/// By whom, from where and through what. Every part that is there must hold; a list holds where one of it does, and an empty one
/// never does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    /// By this person.
    pub actor: Option<Pseudonym>,
    /// On one of these machines.
    pub hosts: Option<Vec<Place>>,
    /// From one of these network addresses.
    pub addresses: Option<Vec<Place>>,
    /// With one of these credentials: a token, or the run that it was minted for.
    pub credentials: Option<Vec<tidegate_ledger::pseudonym::Commitment>>,
    /// Through this repository.
    pub repository: Option<String>,
}

/// A question: all of it must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhoQuery {
    /// What was taken.
    pub subject: WhoSubject,
    /// By whom and from where.
    pub from: Narrow,
    /// At or after this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Only answers that carried bytes of an artifact; else refusals, indexes and HEAD count too.
    pub only_taken: bool,
    /// At most this many; capped at [`WhoQuery::MAX_LIMIT`].
    pub limit: u32,
    /// After this row of an earlier page.
    pub after: Option<Seek>,
}

impl WhoQuery {
    /// The most rows of one page.
    pub const MAX_LIMIT: u32 = 10_000;

    /// Everyone who took it, newest first: the first 1,000.
    pub fn taken(subject: WhoSubject) -> Self {
        Self {
            subject,
            from: Narrow::default(),
            since: None,
            until: None,
            only_taken: true,
            limit: 1000,
            after: None,
        }
    }

    /// What one person took.
    pub fn taken_by(actor: Pseudonym) -> Self {
        let from = Narrow { actor: Some(actor), ..Narrow::default() };
        Self { from, ..Self::taken(WhoSubject::Everything) }
    }
}

/// Where a page ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seek {
    /// Time of the last row.
    pub at: Timestamp,
    /// Its record.
    pub record: RecordId,
}

/// One page of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhoPage {
    /// Newest first.
    pub rows: Vec<AccessRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Seek>,
}

/// A question could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum WhoError {
    /// The index failed.
    #[error("asking the access index failed")]
    Index(#[from] AccessIndexError),
    /// The private table failed.
    #[error("looking names up failed")]
    Names(#[from] CatalogueError),
}

impl AccessIndex {
    /// Who took it, newest first, with names from the private table.
    ///
    /// # Errors
    /// [`WhoError`].
    pub fn who(&self, query: &WhoQuery, people: &dyn People) -> Result<WhoPage, WhoError> {
        let limit = query.limit.clamp(1, WhoQuery::MAX_LIMIT) as usize;
        let mut found = Vec::new();
        for path in self.files()?.iter().rev().filter(|path| may_hold(path, query)) {
            let missing = limit + 1 - found.len();
            let began = month::began(path);
            let rows = month::open_read_only(path)
                .and_then(|c| {
                    let picked = Picked::of(&c, began, query)?;
                    let hits = merge::newest(&c, &picked, missing)?;
                    rows::read(&c, began, &hits)
                })
                .map_err(AccessIndexError::at("asking the access index", path))?;
            found.extend(rows);
            if found.len() > limit {
                break;
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let rows = rows::name(found, people)?;
        let next = rows.last().filter(|_| more).map(|row| Seek { at: row.at, record: row.record.clone() });
        Ok(WhoPage { rows, next })
    }

    /// The versions of a package of which anything was recorded, as package URLs; `package` is without version.
    ///
    /// # Errors
    /// [`AccessIndexError`].
    pub fn versions_of(&self, package: &str) -> Result<BTreeSet<String>, AccessIndexError> {
        let mut versions = BTreeSet::new();
        for path in self.files()? {
            month::open_read_only(&path)
                .and_then(|c| {
                    let mut find = c.prepare("select distinct purl from subject where package = ?1")?;
                    for purl in find.query_map([package], |row| row.get::<_, String>(0))? {
                        let purl = purl?;
                        if crate::catalogue::package_of(&purl).1 {
                            versions.insert(purl);
                        }
                    }
                    Ok(())
                })
                .map_err(AccessIndexError::at("asking the access index", &path))?;
        }
        Ok(versions)
    }
}

/// Whether the month of a file can hold anything of the period asked about.
pub(super) fn may_hold(path: &Path, query: &WhoQuery) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let month = stem.trim_start_matches("access-");
    let last = [query.until, query.after.as_ref().map(|seek| seek.at)].into_iter().flatten().min();
    query.since.is_none_or(|since| month >= since.month().as_str())
        && last.is_none_or(|last| month <= last.month().as_str())
}
