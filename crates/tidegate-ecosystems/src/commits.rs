//! Ecosystems whose packages are repositories of files, and whose versions are commits of them.
//!
//! A branch or a tag is a mutable name for a commit. It is resolved once, and everything is answered with the commit: its
//! file list is the index, and each file of it is immutable. Everything here is a pure function; pages are fetched
//! elsewhere.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use tidegate_model::{ListedFile, PackageName, Version};

use crate::{DocumentRequest, FetchedDocument, IndexError, UpstreamBase, View};

/// What a revision names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The repository, under the name it has now: the one that was asked for may be an older one.
    pub package: PackageName,
    /// The commit.
    pub commit: Version,
}

/// How versions of such an ecosystem are found and listed.
pub trait Commits: Send + Sync {
    /// The revision that is meant where none is named.
    fn default_revision(&self) -> &'static str;

    /// The revision that a view is about.
    fn revision_of<'a>(&self, view: &'a View) -> &'a str;

    /// The document that says which commit a revision is, and what upstream says of it.
    fn revision_request(
        &self,
        package: &PackageName,
        revision: &str,
        upstream: &UpstreamBase,
    ) -> DocumentRequest;

    /// Reads that document.
    ///
    /// # Errors
    /// It names no commit, or another repository than one of the kind that was asked for.
    fn read_revision(&self, package: &PackageName, document: &FetchedDocument)
    -> Result<Pointer, IndexError>;

    /// How the head of that document contradicts its body; such an answer is not used.
    fn contradicts(&self, _document: &FetchedDocument, _stated: &http::HeaderMap) -> Option<String> {
        None
    }

    /// The index of a commit, where the revision's own document holds it and no page need be asked for.
    fn listing_of_revision(
        &self,
        _pointer: &Pointer,
        _document: &FetchedDocument,
    ) -> Option<Result<Bytes, IndexError>> {
        None
    }

    /// One page of a commit's file list; `cursor` is what [`Commits::next_page`] gave for the page before.
    fn page_request(
        &self,
        pointer: &Pointer,
        upstream: &UpstreamBase,
        cursor: Option<&str>,
    ) -> DocumentRequest;

    /// Where the list goes on, from a page's `Link` header.
    fn next_page(&self, link: &str) -> Option<String>;

    /// The pages of a commit's file list as one document in a normal form: the index that
    /// [`crate::Protocol::parse_index`] reads, with the revision's document as its supplement.
    ///
    /// # Errors
    /// A page that is no list, a path that is listed twice, too many files.
    fn listing(&self, pointer: &Pointer, pages: &[Bytes]) -> Result<Bytes, IndexError>;

    /// The entity tag, in quotes, under which clients know a file.
    fn etag(&self, file: &ListedFile) -> String;

    /// What clients need in the head of a file, beside what every file has.
    fn file_headers(&self, file: &ListedFile) -> Vec<(HeaderName, HeaderValue)>;

    /// Whether a file can run code or steer what loading the others does, so that it is to be looked into before any other
    /// file of its commit leaves.
    fn steers(&self, package: &PackageName, file: &ListedFile) -> bool;
}

/// The most pages of one file list.
pub const MAX_PAGES: usize = 1_000;
