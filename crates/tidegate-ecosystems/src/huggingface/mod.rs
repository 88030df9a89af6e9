//! The model hub: models, data sets and spaces, as `huggingface_hub`, `hf` and what is built on them ask for them.
//!
//! A package is a repository, a version is a commit. Branches and tags are resolved to a commit once, and every answer is
//! about that commit. What would lead a client past the door is not passed on: nothing of Xet (content-addressed storage
//! that clients fetch from by themselves), no redirect to a content network. Publishing is refused with a word on where to
//! go instead.

mod commit;
mod denial;
mod listing;
mod route;
mod steering;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use tidegate_model::{Algorithm, Denial, Digest, Ecosystem, ListedFile, PackageName, Principal};
use url::Url;

use crate::commits::Pointer;
use crate::upstream::{MAX_API_BYTES, MAX_INDEX_BYTES};
use crate::{
    Answer, ApiCall, Ask, ClientRequest, Commits, DocumentRequest, FetchedDocument, Index, IndexError, Links,
    Protocol, RouteError, UpstreamBase, View,
};

const JSON: &str = "application/json";

/// The commit that a file belongs to.
const REPO_COMMIT: HeaderName = HeaderName::from_static("x-repo-commit");
/// The digest of a large file, in quotes.
const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");
/// The size of a file in bytes.
const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");

/// The huggingface protocol.
#[derive(Debug, Clone, Copy)]
pub struct Huggingface;

impl Protocol for Huggingface {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Huggingface
    }

    fn route(&self, request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
        route::route(request)
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            commit::INFO,
            commit::TREE,
            commit::PATHS,
            "artifact",
            route::REFS,
            route::COMMITS,
            route::WHOAMI,
            "not-offered",
        ]
    }

    fn commits(&self) -> Option<&'static dyn Commits> {
        Some(&Self)
    }

    /// What the default branch is, for those who ask for a package without a version.
    fn index_request(&self, package: &PackageName, upstream: &UpstreamBase) -> DocumentRequest {
        self.revision_request(package, self.default_revision(), upstream)
    }

    fn parse_index(
        &self,
        package: &PackageName,
        upstream: &UpstreamBase,
        index: &FetchedDocument,
        _prelude: Option<&FetchedDocument>,
        supplement: Option<&FetchedDocument>,
    ) -> Result<Arc<dyn Index>, IndexError> {
        Ok(Arc::new(commit::Commit::read(package, upstream, &index.body, supplement)?))
    }

    fn api_request(
        &self,
        call: &ApiCall,
        upstream: &UpstreamBase,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        let package = call.package.as_ref()?;
        let mut url = match (call.service, &call.version) {
            (route::REFS, _) => api_url(upstream, package, &["refs"]),
            (route::COMMITS, Some(revision)) => api_url(upstream, package, &["commits", revision.as_str()]),
            _ => return None,
        };
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Some(DocumentRequest::get(url, JSON, MAX_API_BYTES))
    }

    fn generate(
        &self,
        document: &str,
        _links: &Links,
        principal: &Principal,
        _auth_required: bool,
    ) -> Answer {
        let (status, body) = match document {
            route::WHOAMI if principal.id.is_empty() => {
                let error = "you are anonymous at this door: it was sent no token, or none it knows";
                (StatusCode::UNAUTHORIZED, json!({ "error": error }))
            }
            route::WHOAMI => {
                let body =
                    json!({ "type": "user", "name": principal.id, "fullname": principal.id, "orgs": [] });
                (StatusCode::OK, body)
            }
            other => (StatusCode::NOT_FOUND, json!({ "error": format!("there is no document `{other}`") })),
        };
        let answer = Answer::new(status, JSON, body.to_string());
        match status {
            StatusCode::UNAUTHORIZED => answer.with_header(http::header::WWW_AUTHENTICATE, self.challenge()),
            _ => answer,
        }
    }

    fn deny(&self, denial: &Denial, _request: &ClientRequest<'_>) -> Answer {
        denial::answer(denial)
    }

    fn artifact_path(&self, file: &ListedFile, package: &PackageName) -> String {
        let base = UpstreamBase { url: Url::parse("https://door.invalid/").expect("a valid address") };
        let url = file_url(&base, package, file.version.as_str(), file.file.as_str());
        url.path().trim_start_matches('/').to_owned()
    }
}

impl Commits for Huggingface {
    fn default_revision(&self) -> &'static str {
        "main"
    }

    fn revision_of<'a>(&self, view: &'a View) -> &'a str {
        let selector = view.selector.as_deref().unwrap_or(self.default_revision());
        selector.split('\n').next().unwrap_or(selector)
    }

    fn revision_request(
        &self,
        package: &PackageName,
        revision: &str,
        upstream: &UpstreamBase,
    ) -> DocumentRequest {
        DocumentRequest::get(api_url(upstream, package, &["revision", revision]), JSON, MAX_API_BYTES)
    }

    fn read_revision(
        &self,
        package: &PackageName,
        document: &FetchedDocument,
    ) -> Result<Pointer, IndexError> {
        listing::pointer(package, &document.body)
    }

    fn page_request(
        &self,
        pointer: &Pointer,
        upstream: &UpstreamBase,
        cursor: Option<&str>,
    ) -> DocumentRequest {
        let mut url = api_url(upstream, &pointer.package, &["tree", pointer.commit.as_str()]);
        url.query_pairs_mut().append_pair("recursive", "true").append_pair("expand", "false");
        if let Some(cursor) = cursor {
            // The rest of the address is ours: only the place in the list is taken from upstream.
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        DocumentRequest::get(url, JSON, MAX_INDEX_BYTES)
    }

    fn next_page(&self, link: &str) -> Option<String> {
        listing::next_cursor(link)
    }

    fn listing(&self, pointer: &Pointer, pages: &[Bytes]) -> Result<Bytes, IndexError> {
        listing::write(pointer, pages)
    }

    fn etag(&self, file: &ListedFile) -> String {
        promised(file).map(|digest| format!("\"{}\"", digest.hex())).unwrap_or_default()
    }

    fn file_headers(&self, file: &ListedFile) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        let mut add = |name, text: &str| headers.extend(HeaderValue::from_str(text).ok().map(|v| (name, v)));
        add(REPO_COMMIT, file.version.as_str());
        if promised(file).is_some_and(|digest| digest.algorithm() == Algorithm::Sha256) {
            add(LINKED_ETAG, &self.etag(file));
        }
        if let Some(size) = file.size {
            add(LINKED_SIZE, &size.to_string());
        }
        headers
    }

    fn steers(&self, package: &PackageName, file: &ListedFile) -> bool {
        steering::steers(package, file)
    }
}

/// The digest under which the hub names a file: SHA-256 of large ones, git's id of the others.
fn promised(file: &ListedFile) -> Option<&Digest> {
    file.digests.first()
}

/// The word for a repository's kind in API routes, and its id.
fn kind_and_id(package: &PackageName) -> (&'static str, &str) {
    let name = package.as_str();
    if let Some(id) = name.strip_prefix("datasets/") {
        ("datasets", id)
    } else if let Some(id) = name.strip_prefix("spaces/") {
        ("spaces", id)
    } else {
        ("models", name)
    }
}

/// Whether a package is a model, and not a data set or a space.
fn is_model(package: &PackageName) -> bool {
    kind_and_id(package).0 == "models"
}

/// An address of the API, in parts that each stay one segment: `refs/pr/1` too.
fn api_url(upstream: &UpstreamBase, package: &PackageName, rest: &[&str]) -> Url {
    let (kind, id) = kind_and_id(package);
    let mut segments = vec!["api", kind];
    segments.extend(id.split('/'));
    segments.extend(rest);
    upstream.join(&segments)
}

/// Where a file of a commit lies, upstream or here.
fn file_url(base: &UpstreamBase, package: &PackageName, commit: &str, path: &str) -> Url {
    let mut segments: Vec<&str> = package.as_str().split('/').collect();
    segments.extend(["resolve", commit]);
    segments.extend(path.split('/'));
    base.join(&segments)
}
