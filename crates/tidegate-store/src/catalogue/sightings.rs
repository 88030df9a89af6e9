//! When this door first saw a file listed, and with which digests.

use tidegate_model::{Digest, Sha256, Timestamp};

use super::CatalogueError;

/// One file of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting<'a> {
    /// Version as published.
    pub version: &'a str,
    /// File name.
    pub file: &'a str,
    /// Every digest the document promises.
    pub digests: &'a [Digest],
}

/// Every file of one document of a package.
#[derive(Clone, Copy, Debug)]
pub struct SightingBatch<'a> {
    /// The ecosystem's word.
    pub ecosystem: &'a str,
    /// Normalised package name.
    pub package: &'a str,
    /// Where the document came from: the upstream's base URL. The first document of each source is that source's
    /// bootstrap, so putting a second mirror in place does not make its old files look new.
    pub source: &'a str,
    /// Digest of the document. Where it is the one last recorded for this source, nothing is written.
    pub document: Sha256,
    /// When the document was fetched.
    pub now: Timestamp,
    /// Its files.
    pub files: &'a [Sighting<'a>],
}

/// What is known of one file's first sighting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SightingState {
    /// When the file was first seen; `None` where it stood in the first document, so that its age is unknown.
    pub first_seen_at: Option<Timestamp>,
    /// Whether it stood in the first document ever fetched from its source.
    pub bootstrap: bool,
    /// The digests promised first, extended by algorithms promised later. These stay.
    pub promised_digests_first: Vec<Digest>,
    /// Whether a digest differing from the first was ever promised.
    pub changed: bool,
}

/// First sightings.
pub trait Sightings: Send + Sync {
    /// Records the files of a document and returns what is known of each, in the order given.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn record_sightings(&self, batch: &SightingBatch<'_>) -> Result<Vec<SightingState>, CatalogueError>;

    /// What is known of one file, without recording anything.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn sighting(
        &self,
        ecosystem: &str,
        package: &str,
        version: &str,
        file: &str,
    ) -> Result<Option<SightingState>, CatalogueError>;
}
