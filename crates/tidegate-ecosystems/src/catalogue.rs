//! Registries that list all of their packages in one document, page by page.
//!
//! The pages are followed and kept as one document in a normal form. It is the one index of every package in it: what a list
//! shows and what is answered for one package come from the same bytes. Everything here is a pure function; pages are
//! fetched elsewhere.

use bytes::Bytes;
use serde_json::Value;
use tidegate_model::{PackageName, Timestamp, Version};

use crate::{DocumentRequest, IndexError, UpstreamBase};

/// How such a registry is followed, and how a list of its packages is written.
pub trait Catalogue: Send + Sync {
    /// One page of the list; `cursor` is what the page before named, `since` asks for what changed from then on alone.
    fn page_request(
        &self,
        upstream: &UpstreamBase,
        cursor: Option<&str>,
        since: Option<Timestamp>,
    ) -> DocumentRequest;

    /// Where the list goes on.
    ///
    /// # Errors
    /// The page is no page of such a list.
    fn next_page(&self, page: &[u8]) -> Result<Option<String>, IndexError>;

    /// Brings pages into one document. With what was known `before`, only what they hold takes the place of what was there.
    ///
    /// # Errors
    /// A page that is no page, or more than this door reads.
    fn merge(&self, before: Option<&[u8]>, pages: &[Bytes]) -> Result<Merged, IndexError>;

    /// The packages of a document that [`Catalogue::merge`] wrote, by name, each with its own document for
    /// [`crate::Protocol::parse_index`].
    ///
    /// # Errors
    /// It is no such document.
    fn split(&self, document: &[u8]) -> Result<Vec<(PackageName, Bytes)>, IndexError>;

    /// Writes one page of a list from entries that [`crate::Index::entry`] gave.
    fn page(&self, entries: Vec<Value>, next: Option<&str>) -> Vec<u8>;
}

/// What pages came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The document.
    pub document: Bytes,
    /// The latest change in it, by upstream's own clock; where to go on from.
    pub newest: Option<Timestamp>,
    /// Entries that could not be used: no name, no version, too large.
    pub skipped: usize,
}

/// A package of another ecosystem that a version is made of. It comes through its own repository, and what is decided on it
/// there counts for the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartOf {
    /// The package.
    pub name: PackageName,
    /// Which version of it.
    pub version: Version,
}

/// A version in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// A file of the version, by position.
    pub position: usize,
    /// The version as published.
    pub version: String,
    /// Whether it is the one that is meant where none is named.
    pub is_latest: bool,
    /// Whether it is to be had no more: withheld here, or deleted upstream.
    pub is_gone: bool,
    /// When upstream last changed the entry; for one that is withheld here nothing, because nobody upstream did that.
    pub updated_at: Option<Timestamp>,
}

/// Which entries of a list are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// Name and version of the entry behind which the page begins.
    pub after: Option<(String, String)>,
    /// The most entries of the page.
    pub limit: usize,
    /// Part of the name, letters of either case.
    pub search: Option<String>,
    /// Only entries that changed from then on, with those that are gone.
    pub updated_since: Option<Timestamp>,
    /// Only this version of each package.
    pub version: Which,
    /// Whether entries that are gone are listed as such.
    pub with_gone: bool,
}

/// Which versions a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Which {
    /// Every one.
    #[default]
    Every,
    /// The latest of each package.
    Latest,
    /// This one.
    This(String),
}

impl Query {
    /// Whether a package may be in the answer.
    pub fn takes(&self, name: &str) -> bool {
        self.after.as_ref().is_none_or(|(after, _)| name >= after.as_str())
            && self.search.as_ref().is_none_or(|part| name.to_ascii_lowercase().contains(part.as_str()))
    }

    /// Whether an entry of such a package is.
    pub fn takes_entry(&self, listed: &Listed) -> bool {
        let is_wanted = match &self.version {
            Which::Every => true,
            Which::Latest => listed.is_latest || listed.is_gone,
            Which::This(version) => listed.version == *version,
        };
        // Who follows changes must learn what is gone, and from when on it is this door's own matter.
        let is_new = match (self.updated_since, listed.updated_at) {
            (Some(since), Some(at)) => at >= since,
            _ => true,
        };
        let is_shown = !listed.is_gone || self.with_gone || self.updated_since.is_some();
        is_wanted && is_new && is_shown
    }
}

/// The most pages of one list that are followed.
pub const MAX_PAGES: usize = 2_000;
