//! Upstream's documents, kept to revalidate and to answer while the upstream is down.

use bytes::Bytes;
use tidegate_model::{Sha256, Timestamp};

use super::CatalogueError;

/// Names one document. The upstream's base URL is part of it, so nothing cached outlives an upstream switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentKey<'a> {
    /// The repository through which it was asked.
    pub repository: &'a str,
    /// Base URL of the upstream, without credentials.
    pub upstream: &'a str,
    /// Normalised package name; empty for a document about no package.
    pub package: &'a str,
    /// Which of the package's documents: the ecosystem's word for the form.
    pub kind: &'a str,
}

/// A document to keep.
#[derive(Clone, Copy, Debug)]
pub struct NewDocument<'a> {
    /// The decompressed body; it is compressed for storage.
    pub body: &'a [u8],
    /// `ETag` as given, for revalidation.
    pub etag: Option<&'a str>,
    /// `Last-Modified` as given.
    pub last_modified: Option<&'a str>,
    /// `Content-Type` as given.
    pub content_type: Option<&'a str>,
    /// The address that answered, after redirects, without credentials.
    pub url: &'a str,
    /// Digest of `body`.
    pub digest: Sha256,
    /// When it was fetched; also counts as checked then.
    pub fetched_at: Timestamp,
}

/// What is known of a stored document without reading its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentHead {
    /// `ETag` as given.
    pub etag: Option<String>,
    /// `Last-Modified` as given.
    pub last_modified: Option<String>,
    /// `Content-Type` as given.
    pub content_type: Option<String>,
    /// The address that answered.
    pub url: String,
    /// Digest of the body.
    pub digest: Sha256,
    /// Size of the decompressed body in bytes.
    pub size: u64,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// When the upstream last said that it is current.
    pub checked_at: Timestamp,
}

/// A stored document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// What is known of it.
    pub head: DocumentHead,
    /// The decompressed body.
    pub body: Bytes,
}

/// Documents and the names an upstream does not have.
pub trait Documents: Send + Sync {
    /// A document with its body.
    ///
    /// # Errors
    /// [`CatalogueError`]; a body that no longer decompresses is one, and is forgotten.
    fn document(&self, key: &DocumentKey<'_>) -> Result<Option<StoredDocument>, CatalogueError>;

    /// A document without its body.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn document_head(&self, key: &DocumentKey<'_>) -> Result<Option<DocumentHead>, CatalogueError>;

    /// Keeps a document in place of the one with this key, and forgets that its package was absent.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_document(&self, key: &DocumentKey<'_>, document: &NewDocument<'_>) -> Result<(), CatalogueError>;

    /// Records that the upstream said "not modified". False where no such document is kept.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn touch_document(&self, key: &DocumentKey<'_>, checked_at: Timestamp) -> Result<bool, CatalogueError>;

    /// Forgets one document, because the upstream no longer has it. False where none was kept.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn forget_document(&self, key: &DocumentKey<'_>) -> Result<bool, CatalogueError>;

    /// Forgets everything of one upstream in one repository; returns how many documents.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn forget_documents(&self, repository: &str, upstream: &str) -> Result<u64, CatalogueError>;

    /// Forgets documents that nobody checked since `before`, and absences that are over; returns how many documents.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn prune_documents(&self, before: Timestamp, now: Timestamp) -> Result<u64, CatalogueError>;

    /// Until when the upstream counts as not having the package; `None` where it is not known to lack it, or no longer.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn absent(
        &self,
        repository: &str,
        upstream: &str,
        package: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, CatalogueError>;

    /// Records that the upstream said it does not have the package. Only an answer says so, never a failure to get one.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_absent(
        &self,
        repository: &str,
        upstream: &str,
        package: &str,
        until: Timestamp,
    ) -> Result<(), CatalogueError>;
}
