//! PyPI: the simple repository API in both its forms, the legacy JSON API, provenance, and the files themselves.
//!
//! Standards: PEP 503 and PEP 691 (the two forms), PEP 592 (yanked), PEP 629 (API version), PEP 658 and 714 (metadata
//! sidecars), PEP 700 (sizes and times), PEP 708 (tracks), PEP 740 (provenance), PEP 792 (project status).
//!
//! Whatever form the upstream gives is read into one page value; both forms are rendered from it. A file that may
//! not be selected stays listed and is marked as yanked with the reason, because that is the one marking that every
//! resolver falls back from and shows to a person; its bytes are refused at the artifact route. A file whose version
//! cannot be told is not listed at all: nothing could be decided about it.

mod accept;
mod filename;
mod html;
mod json;
mod listing;
mod page;
mod project;
mod render;
mod route;
#[cfg(test)]
mod tests;
mod vulnerabilities;

use std::sync::Arc;

use http::StatusCode;
use tidegate_model::{Denial, Ecosystem, ListedFile, PackageName, Principal};

use crate::answer::{denial_answer, problem_members};
use crate::upstream::{MAX_API_BYTES, MAX_INDEX_BYTES};
use crate::{
    Answer, ApiCall, Ask, ClientRequest, DocumentRequest, FetchedDocument, Index, IndexError, Links,
    Protocol, RouteError, UpstreamBase,
};

/// The simple page as HTML.
pub const FORM_HTML: &str = "pypi-html";
/// The simple page as JSON.
pub const FORM_JSON: &str = "pypi-json";
/// The legacy JSON document of a project.
pub const FORM_PROJECT_JSON: &str = "pypi-project-json";
/// The legacy JSON document of one version.
pub const FORM_VERSION_JSON: &str = "pypi-version-json";

/// What is asked of an upstream's simple index, whatever the client asked of us. Both JSON and the versioned HTML are
/// named: a mirror was seen to add `data-upload-time` only to clients that name them.
const INDEX_ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, \
                            text/html;q=0.01";

/// The pypi protocol.
#[derive(Debug, Clone, Copy)]
pub struct Pypi;

impl Protocol for Pypi {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Pypi
    }

    fn route(&self, request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
        route::route(request)
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            FORM_HTML,
            FORM_JSON,
            FORM_PROJECT_JSON,
            FORM_VERSION_JSON,
            "artifact",
            "metadata",
            route::SERVICE_INTEGRITY,
            "redirect",
            "not-offered",
        ]
    }

    fn index_request(&self, package: &PackageName, upstream: &UpstreamBase) -> DocumentRequest {
        // The trailing slash is part of the normal address: without it every fetch costs a redirect.
        DocumentRequest::get(upstream.join(&[package.as_str(), ""]), INDEX_ACCEPT, MAX_INDEX_BYTES)
    }

    fn supplement_request(
        &self,
        package: &PackageName,
        upstream: &UpstreamBase,
        _index: &dyn Index,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        let url = sibling(upstream)?.join(&["pypi", package.as_str(), "json"]);
        Some(DocumentRequest::get(url, "application/json", MAX_INDEX_BYTES))
    }

    fn parse_index(
        &self,
        package: &PackageName,
        upstream: &UpstreamBase,
        index: &FetchedDocument,
        _prelude: Option<&FetchedDocument>,
        supplement: Option<&FetchedDocument>,
    ) -> Result<Arc<dyn Index>, IndexError> {
        let page = page::read(package, index)?;
        let project = supplement.and_then(|document| project::Project::read(package, document));
        Ok(Arc::new(listing::Listing::new(package.clone(), sibling(upstream), page, project)))
    }

    fn api_request(
        &self,
        call: &ApiCall,
        upstream: &UpstreamBase,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        let (package, version, file) = (call.package.as_ref()?, call.version.as_ref()?, call.file.as_ref()?);
        let root = sibling(upstream).filter(|_| call.service == route::SERVICE_INTEGRITY)?;
        let url = root.join(&["integrity", package.as_str(), version.as_str(), file.as_str(), "provenance"]);
        Some(DocumentRequest::get(url, INTEGRITY, MAX_API_BYTES))
    }

    fn generate(
        &self,
        document: &str,
        _links: &Links,
        _principal: &Principal,
        _auth_required: bool,
    ) -> Answer {
        let detail = format!("there is no document `{}` here", document.escape_debug());
        let body = serde_json::json!({ "title": "not found", "status": 404, "detail": detail });
        Answer::new(StatusCode::NOT_FOUND, PROBLEM, body.to_string())
    }

    fn deny(&self, denial: &Denial, _request: &ClientRequest<'_>) -> Answer {
        let body = serde_json::Value::Object(problem_members(denial));
        denial_answer(denial, PROBLEM, body.to_string())
    }

    fn artifact_path(&self, file: &ListedFile, package: &PackageName) -> String {
        page::artifact_path(package, &file.file)
    }
}

/// What the document of a file's attestations is (PEP 740).
const INTEGRITY: &str = "application/vnd.pypi.integrity.v1+json";

/// RFC 9457; uv prints title and detail, pip prints the reason phrase.
const PROBLEM: &str = "application/problem+json";

/// The base beside the simple index where an upstream keeps its other services: `…/simple/` without `simple/`. `None`
/// where the index lies elsewhere, so that an address is never made up.
fn sibling(upstream: &UpstreamBase) -> Option<UpstreamBase> {
    let root = upstream.url.path().strip_suffix("simple/").filter(|root| root.ends_with('/'))?;
    let mut url = upstream.url.clone();
    url.set_path(root);
    url.set_query(None);
    Some(UpstreamBase { url })
}
