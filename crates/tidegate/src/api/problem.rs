//! Why a call is refused, as problem details (RFC 9457).

use http::{Method, StatusCode, header};
use serde_json::json;
use tidegate_ecosystems::Answer;
use tidegate_model::Denial;
use tidegate_store::catalogue::CatalogueError;

use crate::http::respond::{HttpResponse, unrecorded};

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// Stable, for machines.
    pub(crate) code: &'static str,
    /// One sentence: what.
    pub(crate) title: String,
    /// What to do.
    pub(crate) detail: String,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { status, code, title: title.into(), detail: detail.into() }
    }

    /// What was sent cannot be used.
    pub(crate) fn bad(title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", title, detail)
    }

    /// There is no such thing.
    pub(crate) fn not_found(title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", title, detail)
    }

    /// It cannot be done to the thing as it stands.
    pub(crate) fn conflict(title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", title, detail)
    }

    pub(crate) fn forbidden(title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", title, detail)
    }

    pub(crate) fn no_such_resource(path: &str) -> Self {
        let shown: String = path.chars().take(100).collect();
        Self::not_found(format!("the API has no resource `{}`", shown.escape_debug()), "")
    }

    pub(crate) fn method(method: &Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            format!("the API does not know the method {method}"),
            "",
        )
    }

    /// Our own storage failed.
    pub(crate) fn storage(error: &CatalogueError) -> Self {
        Self::failed(format!("{error}: {}", error.cause))
    }

    /// Something of ours failed.
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", why, "see the log of the door")
    }

    pub(crate) fn response(&self) -> HttpResponse {
        let body = json!({
            "type": "about:blank", "title": self.title, "status": self.status.as_u16(),
            "code": self.code, "detail": self.detail,
        });
        let mut answer = Answer::new(self.status, "application/problem+json", body.to_string())
            .with_header(header::CACHE_CONTROL, "no-store")
            .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if self.status == StatusCode::UNAUTHORIZED {
            answer = answer.with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"tidegate\"");
        }
        unrecorded(answer, false)
    }
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        Self::storage(&error)
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        let status = StatusCode::from_u16(denial.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, denial.kind.code(), denial.reason, denial.detail)
    }
}
