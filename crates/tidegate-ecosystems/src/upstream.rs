//! Requests to an upstream, and what came back. Fetching itself happens elsewhere.

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

/// Where an upstream begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamBase {
    /// Absolute, without credentials, with a trailing slash. npm: the registry. PyPI: the simple index. cargo: the
    /// sparse index (no `sparse+`).
    pub url: Url,
}

impl UpstreamBase {
    /// `self` extended by path segments, each encoded so that it stays one segment.
    pub fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// A document to ask an upstream for.
#[derive(Clone, Debug)]
pub struct DocumentRequest {
    /// Absolute address.
    pub url: Url,
    /// GET, or POST for services that take a body.
    pub method: Method,
    /// Request headers beyond those every request carries (`Accept` above all).
    pub headers: HeaderMap,
    /// What is sent with it, where that is not the client's own.
    pub body: Option<Bytes>,
    /// The most bytes of the document once decompressed.
    pub max_bytes: u64,
}

impl DocumentRequest {
    /// A GET with an `Accept` header.
    pub fn get(url: Url, accept: &'static str, max_bytes: u64) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, http::HeaderValue::from_static(accept));
        Self { url, method: Method::GET, headers, body: None, max_bytes }
    }

    /// A POST of a JSON document, which asks and changes nothing.
    pub fn post_json(url: Url, accept: &'static str, body: impl Into<Bytes>, max_bytes: u64) -> Self {
        let mut request = Self::get(url, accept, max_bytes);
        request.method = Method::POST;
        request.body = Some(body.into());
        let json = http::HeaderValue::from_static("application/json");
        request.headers.insert(http::header::CONTENT_TYPE, json);
        request
    }
}

/// A document an upstream gave.
#[derive(Clone, Debug)]
pub struct FetchedDocument {
    /// The address that answered, after redirects: relative links in the document start here.
    pub url: Url,
    /// `Content-Type`, where given.
    pub content_type: Option<String>,
    /// The decompressed body.
    pub body: Bytes,
}

/// The most bytes of an index document, decompressed: 128 MiB (the largest seen in the field is 38.9 MB).
pub const MAX_INDEX_BYTES: u64 = 128 << 20;
/// The most bytes of an answer to an API call, decompressed: 16 MiB.
pub const MAX_API_BYTES: u64 = 16 << 20;
