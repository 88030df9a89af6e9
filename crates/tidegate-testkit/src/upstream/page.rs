//! What a route answers before style and faults have their say.

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

/// What a body is, which decides whether it is compressed, revalidated, padded or served in ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A JSON document.
    Json,
    /// An HTML page.
    Html,
    /// JSON objects, one a line: a cargo index file.
    Lines,
    /// The bytes of an artifact.
    File,
    /// A few words.
    Text,
}

/// The right answer to a request.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) kind: Kind,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Page {
    /// The same page with a header more.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn json(value: &Value) -> Self {
        Self::typed_json("application/json", value)
    }

    pub(super) fn typed_json(content_type: &'static str, value: &Value) -> Self {
        Self {
            status: StatusCode::OK,
            kind: Kind::Json,
            content_type,
            body: value.to_string().into(),
            headers: Vec::new(),
        }
    }

    pub(super) fn html(text: String) -> Self {
        Self {
            status: StatusCode::OK,
            kind: Kind::Html,
            content_type: "text/html; charset=utf-8",
            body: text.into(),
            headers: Vec::new(),
        }
    }

    pub(super) fn lines(text: String) -> Self {
        Self {
            status: StatusCode::OK,
            kind: Kind::Lines,
            content_type: "text/plain",
            body: text.into(),
            headers: Vec::new(),
        }
    }

    pub(super) fn file(bytes: Bytes) -> Self {
        Self {
            status: StatusCode::OK,
            kind: Kind::File,
            content_type: "application/octet-stream",
            body: bytes,
            headers: Vec::new(),
        }
    }

    pub(super) fn text(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            kind: Kind::Text,
            content_type: "text/plain",
            body: text.to_owned().into(),
            headers: Vec::new(),
        }
    }

    pub(super) fn not_found() -> Self {
        Self::text(StatusCode::NOT_FOUND, "not found\n")
    }
}

/// What a route may look at besides the catalog.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: &'a http::Method,
    /// Below the prefix of the ecosystem, as sent, without the query.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) accept: &'a str,
    pub(super) body: &'a [u8],
}

/// A path segment, percent-decoded.
pub(super) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
