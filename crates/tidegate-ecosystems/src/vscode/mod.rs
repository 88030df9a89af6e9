//! Editor extensions: VS Code and the editors built from it, by the gallery protocol; Open VSX and its command line, by its
//! REST interface.
//!
//! Both are views of one index, which is read by the gallery protocol, because every gallery speaks it; where the upstream
//! is an Open VSX server, its REST interface adds what only that tells: who published, under which licence, with which
//! digest. A package is `publisher/name`; a version has a file for each target platform. What is published beside a file is
//! decided on with it. Publishing, and reading single files out of a package, are refused with a word on why.

mod assets;
mod gallery;
mod manifest;
mod query;
mod release;
mod render;
mod rest;
mod route;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use tidegate_model::{Denial, Ecosystem, ListedFile, PackageName, Principal};
use url::Url;

use crate::answer::{denial_answer, problem_members};
use crate::queries::Recalled;
use crate::upstream::{MAX_API_BYTES, MAX_INDEX_BYTES};
use crate::{
    Answer, ApiCall, Ask, ClientRequest, DocumentRequest, FetchedDocument, Found, Index, IndexError, Links,
    Protocol, Queries, Query, RouteError, UpstreamBase,
};

const JSON: &str = "application/json";
/// How galleries are asked: by this version of their protocol.
const GALLERY_JSON: &str = "application/json;api-version=3.0-preview.1";

/// The protocols of editor extensions.
#[derive(Debug, Clone, Copy)]
pub struct Vscode;

/// What an upstream's address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Service {
    /// Where the gallery protocol begins.
    gallery: UpstreamBase,
    /// Where Open VSX's own interface begins, where it is such a server.
    rest: Option<UpstreamBase>,
}

impl Service {
    /// Reads an upstream's address: that of an Open VSX server, of its gallery (`…/vscode/gallery`), or of another gallery, whose
    /// address ends with `gallery` or `api`.
    fn of(upstream: &UpstreamBase) -> Self {
        let segments: Vec<&str> = upstream
            .url
            .path_segments()
            .map(|all| all.filter(|s| !s.is_empty()).collect())
            .unwrap_or_default();
        let open_vsx = |root: UpstreamBase| Self {
            gallery: UpstreamBase { url: with_slash(root.join(&["vscode", "gallery"])) },
            rest: Some(root),
        };
        match segments.as_slice() {
            [before @ .., "vscode", "gallery"] => {
                let mut root = upstream.url.clone();
                if let Ok(mut path) = root.path_segments_mut() {
                    path.clear().extend(before);
                }
                open_vsx(UpstreamBase { url: with_slash(root) })
            }
            [.., "gallery" | "api"] => Self { gallery: upstream.clone(), rest: None },
            _ => open_vsx(upstream.clone()),
        }
    }
}

fn with_slash(mut url: Url) -> Url {
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push("");
    }
    url
}

/// `publisher.name`, as editors write it.
fn id_of(package: &PackageName) -> String {
    package.as_str().replacen('/', ".", 1)
}

impl Protocol for Vscode {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Vscode
    }

    fn route(&self, request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
        route::route(request)
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            render::LATEST,
            rest::EXTENSION,
            rest::VERSIONS,
            query::GALLERY_QUERY,
            query::REST_QUERY,
            query::REST_SEARCH,
            "artifact",
            "companion",
            route::PUBLIC_KEY,
            route::STATISTICS,
            route::VERSION,
            route::MANIFEST,
            "recall",
            "not-offered",
        ]
    }

    fn queries(&self) -> Option<&'static dyn Queries> {
        Some(&Self)
    }

    fn recall(&self, recalled: &[Recalled]) -> Option<Answer> {
        let ids: Vec<String> = recalled.iter().map(|one| id_of(&one.package)).collect();
        let links: serde_json::Map<String, serde_json::Value> =
            recalled.iter().filter_map(|one| Some((id_of(&one.package), one.help.clone()?.into()))).collect();
        let list = json!({
            "malicious": ids,
            "deprecated": {},
            "search": [],
            "extensionsEnabledWithPreRelease": [],
            "autoUpdate": {},
            "learnMoreLinks": links,
        });
        Some(
            Answer::new(StatusCode::OK, JSON, list.to_string())
                .with_header(http::header::CACHE_CONTROL, "no-cache"),
        )
    }

    fn index_request(&self, package: &PackageName, upstream: &UpstreamBase) -> DocumentRequest {
        let url = Service::of(upstream).gallery.join(&["extensionquery"]);
        DocumentRequest::post_json(url, GALLERY_JSON, query::index_question(package), MAX_INDEX_BYTES)
    }

    /// Who published what, licences and digests. An Open VSX server tells of its newest hundred packages in one answer; what it
    /// does not tell of stays a gap.
    fn supplement_request(
        &self,
        package: &PackageName,
        upstream: &UpstreamBase,
        _index: &dyn Index,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        let mut url = Service::of(upstream).rest?.join(&["api", "-", "query"]);
        url.query_pairs_mut()
            .append_pair("extensionId", &id_of(package))
            .append_pair("includeAllVersions", "true")
            .append_pair("size", "100");
        Some(DocumentRequest::get(url, JSON, MAX_INDEX_BYTES))
    }

    fn parse_index(
        &self,
        package: &PackageName,
        upstream: &UpstreamBase,
        index: &FetchedDocument,
        _prelude: Option<&FetchedDocument>,
        supplement: Option<&FetchedDocument>,
    ) -> Result<Arc<dyn Index>, IndexError> {
        Ok(Arc::new(gallery::parse(package, upstream, index, supplement)?))
    }

    fn api_request(
        &self,
        call: &ApiCall,
        upstream: &UpstreamBase,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        let id = call.file.as_ref().filter(|_| call.service == route::PUBLIC_KEY)?;
        let url = Service::of(upstream).rest?.join(&["api", "-", "public-key", id.as_str()]);
        Some(DocumentRequest::get(url, "*/*", MAX_API_BYTES))
    }

    fn generate(
        &self,
        document: &str,
        links: &Links,
        _principal: &Principal,
        _auth_required: bool,
    ) -> Answer {
        match document {
            // Counted nowhere: what an organisation installs is not for others to know.
            route::STATISTICS => Answer::new(StatusCode::OK, JSON, "{}"),
            route::MANIFEST => Answer::new(StatusCode::OK, JSON, manifest::of(links).to_string()),
            route::VERSION => {
                let version = concat!("tidegate ", env!("CARGO_PKG_VERSION"));
                Answer::new(StatusCode::OK, JSON, json!({ "version": version }).to_string())
            }
            other => {
                let error = format!("there is no document `{other}`");
                Answer::new(StatusCode::NOT_FOUND, JSON, json!({ "error": error }).to_string())
            }
        }
    }

    /// The command line shows `message` of a document and the reason phrase of a file; editors show the phrase or the status.
    fn deny(&self, denial: &Denial, _request: &ClientRequest<'_>) -> Answer {
        let mut members = problem_members(denial);
        members.insert("error".into(), denial.reason.clone().into());
        members.insert("message".into(), denial.reason.clone().into());
        denial_answer(denial, JSON, serde_json::Value::Object(members).to_string())
    }

    fn artifact_path(&self, file: &ListedFile, package: &PackageName) -> String {
        rest::file_path(package.scope().unwrap_or_default(), package.base(), file, file.file.as_str())
    }
}

impl Queries for Vscode {
    fn search_request(&self, query: &Query, upstream: &UpstreamBase) -> Option<DocumentRequest> {
        query::search_request(query, &Service::of(upstream))
    }

    fn read_found(&self, query: &Query, document: &FetchedDocument) -> Result<Found, IndexError> {
        query::read_found(query, &document.body)
    }

    fn compose(&self, query: &Query, entries: &[Bytes], total: u64) -> Vec<u8> {
        query::compose(query, entries, total)
    }
}
