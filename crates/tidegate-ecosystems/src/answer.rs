//! A small answer made of values: refusals, generated documents.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// An answer that carries no artifact.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// HTTP/1.1 reason phrase, printable ASCII, where the standard one is not meant.
    pub phrase: Option<String>,
    /// Headers; `Content-Length`, `Date` and tidegate's own are added when it is sent.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// An answer with a media type and a body.
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, phrase: None, headers, body: body.into() }
    }

    /// The same answer with a header more; a value that cannot stand in a header is left out.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same answer with a reason phrase.
    #[must_use]
    pub fn with_phrase(mut self, phrase: String) -> Self {
        self.phrase = Some(phrase);
        self
    }
}

/// RFC 9457 members shared by every ecosystem's refusal: `type`, `title`, `status`, `detail`, `code`, `decision`.
pub fn problem_members(denial: &tidegate_model::Denial) -> serde_json::Map<String, serde_json::Value> {
    let mut members = serde_json::Map::new();
    members.insert("type".into(), denial.help.clone().unwrap_or_else(|| "about:blank".into()).into());
    members.insert("title".into(), denial.reason.clone().into());
    members.insert("status".into(), denial.kind.status().into());
    members.insert("detail".into(), denial.detail.clone().into());
    members.insert("code".into(), denial.kind.code().into());
    if let Some(decision) = denial.decision {
        members.insert("decision".into(), decision.to_string().into());
    }
    members
}

/// What every refusal carries, whatever its body: `Cache-Control: no-store`, a `Link` to the help page, `Retry-After`.
pub fn denial_answer(
    denial: &tidegate_model::Denial,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Answer {
    let status = StatusCode::from_u16(denial.kind.status()).expect("DenialKind::status is a valid status");
    let mut answer = Answer::new(status, content_type, body)
        .with_header(http::header::CACHE_CONTROL, "no-store")
        .with_phrase(denial.phrase());
    if let Some(help) = &denial.help {
        answer = answer.with_header(http::header::LINK, &format!("<{help}>; rel=\"help\""));
    }
    if let Some(seconds) = denial.kind.retry_after() {
        answer = answer.with_header(http::header::RETRY_AFTER, &seconds.to_string());
    }
    answer
}
