//! What is known of artifacts by digest, and which digest a file name has for good.

use tidegate_model::{ArtifactKind, Digest, Sha256, Timestamp};

use super::CatalogueError;

/// Names one file for good, across all upstreams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PinKey<'a> {
    /// The ecosystem's word.
    pub ecosystem: &'a str,
    /// Normalised package name.
    pub package: &'a str,
    /// Version as published.
    pub version: &'a str,
    /// File name.
    pub file: &'a str,
}

/// The digest first seen for one file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Version as published.
    pub version: String,
    /// File name.
    pub file: String,
    /// The digest.
    pub sha256: Sha256,
}

/// An artifact that is or was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its name in the blob store.
    pub sha256: Sha256,
    /// SHA-512, where it was computed.
    pub sha512: Option<Digest>,
    /// Size in bytes.
    pub size: u64,
    /// What kind of thing.
    pub kind: ArtifactKind,
    /// Where the bytes came from, without credentials; `None` for one adopted after a crash.
    pub upstream_url: Option<String>,
    /// When the bytes were first stored. A later `put_artifact` does not change it.
    pub first_stored_at: Timestamp,
    /// When the bytes were last served or stored.
    pub last_access_at: Timestamp,
    /// Whether the blob store holds the bytes now.
    pub stored: bool,
    /// Whether an administrator keeps it from eviction.
    pub pinned: bool,
}

/// Artifacts, pins and holds.
pub trait Artifacts: Send + Sync {
    /// What is known of an artifact.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn artifact(&self, sha256: &Sha256) -> Result<Option<Artifact>, CatalogueError>;

    /// Records that an artifact is stored. For a known one this updates what is now known; the time of first storing
    /// and the administrator's pin stay.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_artifact(&self, artifact: &Artifact) -> Result<(), CatalogueError>;

    /// Records last accesses. Artifacts that are not known are passed over; an access never moves back in time.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn touch_artifacts(&self, accesses: &[(Sha256, Timestamp)]) -> Result<(), CatalogueError>;

    /// Keeps an artifact from eviction, or no longer. False where it is not known.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn pin_artifact(&self, sha256: &Sha256, pinned: bool) -> Result<bool, CatalogueError>;

    /// Holds an artifact: it is quarantined under `reason` (a repository, a case) and not evicted until every reason is
    /// gone. Holding twice for one reason is holding once.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn hold(&self, sha256: &Sha256, reason: &str, at: Timestamp) -> Result<(), CatalogueError>;

    /// Takes one reason away. False where it did not stand.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn unhold(&self, sha256: &Sha256, reason: &str) -> Result<bool, CatalogueError>;

    /// Why an artifact is held; empty where it is not.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn holds(&self, sha256: &Sha256) -> Result<Vec<String>, CatalogueError>;

    /// Chooses the least recently used artifacts that are stored, not held and not pinned, until they make up
    /// `bytes` or there are `limit` of them, and marks them as no longer stored, all in one transaction.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn take_for_eviction(&self, bytes: u64, limit: usize) -> Result<Vec<Sha256>, CatalogueError>;

    /// Every artifact that counts as stored.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn stored_artifacts(&self) -> Result<Vec<Sha256>, CatalogueError>;

    /// Marks artifacts as not stored, because their bytes are not there (lost, damaged).
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn mark_absent(&self, artifacts: &[Sha256]) -> Result<(), CatalogueError>;

    /// Counts blobs that are on disk (with their sizes in bytes) as stored, whether or not they are known.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn adopt_artifacts(&self, blobs: &[(Sha256, u64)], now: Timestamp) -> Result<(), CatalogueError>;

    /// The digest first seen for a file, across all upstreams.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn pin(&self, key: &PinKey<'_>) -> Result<Option<Sha256>, CatalogueError>;

    /// Every pin of a package.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn pins_of(&self, ecosystem: &str, package: &str) -> Result<Vec<Pin>, CatalogueError>;

    /// Pins a digest where none is pinned; returns the one that holds. Other bytes than that are refused by the caller.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn set_pin(&self, key: &PinKey<'_>, sha256: &Sha256, at: Timestamp) -> Result<Sha256, CatalogueError>;
}
