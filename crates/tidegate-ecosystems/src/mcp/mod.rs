//! The registry of MCP servers: what editors and assistants list, and what they install from.
//!
//! A package is a server by its name in the registry, a version is one listing of it. A listing names packages of other
//! ecosystems, remotes and bundles; each is shown with an address of this door, or left out with a word on why. Nothing of a
//! listing that could lead a client past the door is passed on. Publishing is refused.

mod denial;
mod document;
mod offer;
mod render;
mod route;
mod server;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use tidegate_model::{Denial, Ecosystem, ListedFile, PackageName, Principal, Timestamp};
use url::Url;

use crate::catalogue::Merged;
use crate::upstream::MAX_INDEX_BYTES;
use crate::{
    Answer, ApiCall, Ask, Catalogue, ClientRequest, DocumentRequest, FetchedDocument, Index, IndexError,
    Links, Protocol, RouteError, UpstreamBase,
};

/// The list of all servers.
pub const SERVERS: &str = "mcp-servers";
/// The versions of one server.
pub const VERSIONS: &str = "mcp-versions";
/// One version of one server.
pub const VERSION: &str = "mcp-version";

const JSON: &str = "application/json";
/// Entries that one page of an upstream's list is asked for: as many as the protocol allows.
const PAGE_ENTRIES: &str = "100";

/// The mcp protocol.
#[derive(Debug, Clone, Copy)]
pub struct Mcp;

impl Protocol for Mcp {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Mcp
    }

    fn route(&self, request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
        route::route(request)
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            SERVERS,
            VERSIONS,
            VERSION,
            "artifact",
            route::PREFLIGHT,
            route::HEALTH,
            route::PING,
            route::ABOUT,
            "not-offered",
        ]
    }

    fn catalogue(&self) -> Option<&'static dyn Catalogue> {
        Some(&Self)
    }

    /// Pages of editors read it, and those of a browser need to be told that they may.
    fn view_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        vec![
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED)),
        ]
    }

    /// The list itself: it is the index of every server.
    fn index_request(&self, _package: &PackageName, upstream: &UpstreamBase) -> DocumentRequest {
        self.page_request(upstream, None, None)
    }

    fn parse_index(
        &self,
        package: &PackageName,
        upstream: &UpstreamBase,
        index: &FetchedDocument,
        _prelude: Option<&FetchedDocument>,
        _supplement: Option<&FetchedDocument>,
    ) -> Result<Arc<dyn Index>, IndexError> {
        Ok(Arc::new(server::Server::read(package, upstream, &index.body)?))
    }

    fn api_request(
        &self,
        _call: &ApiCall,
        _upstream: &UpstreamBase,
        _prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        None
    }

    fn generate(
        &self,
        document: &str,
        _links: &Links,
        _principal: &Principal,
        _auth_required: bool,
    ) -> Answer {
        let answer = match document {
            route::PREFLIGHT => Answer::new(StatusCode::NO_CONTENT, JSON, "")
                .with_header(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS")
                .with_header(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED)
                .with_header(header::ACCESS_CONTROL_MAX_AGE, "600"),
            route::PING => Answer::new(StatusCode::OK, JSON, json!({ "pong": true }).to_string()),
            route::ABOUT => Answer::new(
                StatusCode::OK,
                JSON,
                json!({ "version": env!("CARGO_PKG_VERSION"), "name": "tidegate" }).to_string(),
            ),
            _ => Answer::new(StatusCode::OK, JSON, json!({ "status": "ok" }).to_string()),
        };
        open(answer)
    }

    fn deny(&self, denial: &Denial, _request: &ClientRequest<'_>) -> Answer {
        open(denial::answer(denial))
    }

    fn challenge(&self) -> &'static str {
        "Bearer"
    }

    fn artifact_path(&self, file: &ListedFile, package: &PackageName) -> String {
        render::bundle_path(package, &file.file)
    }
}

/// Request headers that a page may send, and answer headers that it may read.
const ALLOWED: &str = "Accept, Authorization, Content-Type, If-None-Match, MCP-Protocol-Version";
const EXPOSED: &str = "ETag, Retry-After, X-Tidegate-Decision, X-Tidegate-Record";

/// The same answer, readable by every page.
fn open(answer: Answer) -> Answer {
    answer
        .with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .with_header(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED)
}

impl Catalogue for Mcp {
    fn page_request(
        &self,
        upstream: &UpstreamBase,
        cursor: Option<&str>,
        since: Option<Timestamp>,
    ) -> DocumentRequest {
        let mut url = servers_url(upstream, &[]);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("limit", PAGE_ENTRIES);
            if let Some(cursor) = cursor {
                // The address is ours: only the place in the list is taken from upstream.
                query.append_pair("cursor", cursor);
            }
            if let Some(since) = since {
                query.append_pair("updated_since", &since.to_string());
            }
        }
        DocumentRequest::get(url, JSON, MAX_INDEX_BYTES)
    }

    fn next_page(&self, page: &[u8]) -> Result<Option<String>, IndexError> {
        document::next_cursor(page)
    }

    fn merge(&self, before: Option<&[u8]>, pages: &[Bytes]) -> Result<Merged, IndexError> {
        document::merge(before, pages)
    }

    fn split(&self, document: &[u8]) -> Result<Vec<(PackageName, Bytes)>, IndexError> {
        document::split(document)
    }

    fn page(&self, entries: Vec<Value>, next: Option<&str>) -> Vec<u8> {
        let mut metadata = serde_json::Map::new();
        if let Some(next) = next {
            metadata.insert("nextCursor".into(), next.into());
        }
        metadata.insert("count".into(), entries.len().into());
        json!({ "servers": entries, "metadata": metadata }).to_string().into_bytes()
    }
}

/// An address below `v0.1/servers`, in parts that each stay one segment.
fn servers_url(upstream: &UpstreamBase, rest: &[&str]) -> Url {
    let mut segments = vec!["v0.1", "servers"];
    segments.extend(rest);
    upstream.join(&segments)
}
