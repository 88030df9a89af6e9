//! The cargo ecosystem: a sparse index, one `.crate` file per version.
//!
//! What passes: `config.json` (made here), index files, downloads, search where the upstream has a web API. What does
//! not: publishing, yanking, owners, and any path the registry protocol does not describe. A withheld version stays in
//! its index file with `yanked` set, because cargo then resolves to an older version by itself and tells a person who
//! pinned it; leaving the line out breaks `--locked` with a message that misleads.
//!
//! The protocol is that of the Cargo book, "Registry Index" and "Registry Web API".

mod config;
mod denial;
mod index;
mod line;
mod route;

use std::sync::Arc;

use tidegate_model::{Denial, Ecosystem, ListedFile, PackageName, Principal};

use crate::upstream::{MAX_API_BYTES, MAX_INDEX_BYTES};
use crate::{
    Answer, ApiCall, Ask, ClientRequest, DocumentRequest, FetchedDocument, Index, IndexError, Links,
    Protocol, RouteError, UpstreamBase,
};

use config::UpstreamConfig;

/// The cargo protocol.
#[derive(Debug, Clone, Copy)]
pub struct Cargo;

/// The one form of an index file.
const LINES: &str = "cargo-lines";
/// The document that tells cargo where downloads and the web API are.
const CONFIG: &str = "config.json";
/// The service behind `cargo search`.
const SEARCH: &str = "search";

impl Protocol for Cargo {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Cargo
    }

    fn route(&self, request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
        route::route(request)
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[LINES, "artifact", SEARCH, CONFIG, "not-offered"]
    }

    fn prelude(&self, upstream: &UpstreamBase) -> Option<DocumentRequest> {
        Some(DocumentRequest::get(upstream.join(&[CONFIG]), "application/json, */*;q=0.5", config::MAX_BYTES))
    }

    fn check_prelude(&self, prelude: &FetchedDocument) -> Result<(), IndexError> {
        let malformed = |why| IndexError::Malformed { package: CONFIG.into(), why };
        UpstreamConfig::read(prelude).map(drop).map_err(|e| malformed(e.to_string()))
    }

    fn index_request(&self, package: &PackageName, upstream: &UpstreamBase) -> DocumentRequest {
        let name = package.as_str();
        let mut segments: Vec<&str> = route::prefix(name);
        segments.push(name);
        DocumentRequest::get(upstream.join(&segments), "text/plain, */*;q=0.5", MAX_INDEX_BYTES)
    }

    /// The web API's page of a crate, where the index says no publish time at all: it also names licence and
    /// publisher.
    fn supplement_request(
        &self,
        package: &PackageName,
        _upstream: &UpstreamBase,
        index: &dyn Index,
        prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        let timeless = !index.files().is_empty() && index.files().iter().all(|f| f.published_at.is_none());
        let api = UpstreamConfig::read(prelude?).ok()?.api?;
        timeless.then(|| {
            let url = config::extend(&api, &["api", "v1", "crates", package.as_str()]);
            DocumentRequest::get(url, "application/json", MAX_API_BYTES)
        })
    }

    fn parse_index(
        &self,
        package: &PackageName,
        _upstream: &UpstreamBase,
        index: &FetchedDocument,
        prelude: Option<&FetchedDocument>,
        supplement: Option<&FetchedDocument>,
    ) -> Result<Arc<dyn Index>, IndexError> {
        let malformed = |why| IndexError::Malformed { package: package.to_string(), why };
        let prelude = prelude.ok_or_else(|| malformed("the upstream's config.json is missing".into()))?;
        let config = UpstreamConfig::read(prelude).map_err(|e| malformed(e.to_string()))?;
        Ok(Arc::new(index::CargoIndex::read(package, index.body.clone(), &config, supplement)?))
    }

    fn api_request(
        &self,
        call: &ApiCall,
        _upstream: &UpstreamBase,
        prelude: Option<&FetchedDocument>,
    ) -> Option<DocumentRequest> {
        if call.service != SEARCH {
            return None;
        }
        let api = UpstreamConfig::read(prelude?).ok()?.api?;
        let mut url = config::extend(&api, &["api", "v1", "crates"]);
        url.query_pairs_mut().extend_pairs(&call.query);
        Some(DocumentRequest::get(url, "application/json", MAX_API_BYTES))
    }

    /// `config.json` of our own. `dl` has no markers, so cargo appends `/<crate>/<version>/download` and stays below
    /// our base; `api` serves search, and answers publishing with a sentence instead of a riddle.
    fn generate(&self, document: &str, links: &Links, _principal: &Principal, auth_required: bool) -> Answer {
        if document != CONFIG {
            let body = format!("no document `{}`\n", document.escape_debug());
            return Answer::new(http::StatusCode::NOT_FOUND, denial::PLAIN, body);
        }
        let base = links.base.trim_end_matches('/');
        let mut config = serde_json::Map::new();
        config.insert("dl".into(), format!("{base}/api/v1/crates").into());
        config.insert("api".into(), base.into());
        if auth_required {
            config.insert("auth-required".into(), true.into());
        }
        let body = serde_json::Value::Object(config).to_string();
        Answer::new(http::StatusCode::OK, "application/json", body)
    }

    fn deny(&self, denial: &Denial, request: &ClientRequest<'_>) -> Answer {
        denial::answer(denial, request)
    }

    /// cargo reads the scheme `Cargo` and shows `login_url` to a person who has no token; it must parse as a URL.
    fn challenge(&self) -> &'static str {
        "Cargo login_url=\"urn:tidegate:token-create\""
    }

    fn artifact_path(&self, file: &ListedFile, package: &PackageName) -> String {
        format!("api/v1/crates/{package}/{}/download", file.version)
    }
}

#[cfg(test)]
mod tests;
