//! How clients of registries are told no: errors in the form of the distribution specification.
//!
//! skopeo, podman and buildah show the first error's message of a refused manifest, of a refused blob the status alone. Of what is
//! not ready they ask again after 429 and `Retry-After`, five times, and after no other status.

use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::json;
use tidegate_model::Denial;
use tidegate_model::denial::DenialKind;

use super::JSON;
use crate::Answer;
use crate::answer::{denial_answer, problem_members};

/// How long clients wait before they ask again for what is still on its way: five times, which is about two minutes.
const RETRY_SECONDS: &str = "15";

pub(super) fn answer(denial: &Denial) -> Answer {
    let detail = serde_json::Value::Object(problem_members(denial));
    let errors = json!({
        "errors": [{ "code": code(denial.kind), "message": denial.reason, "detail": detail }],
    });
    let mut answer = denial_answer(denial, JSON, errors.to_string());
    if matches!(denial.kind, DenialKind::Pending { .. }) {
        answer.status = StatusCode::TOO_MANY_REQUESTS;
        answer = answer.with_header(RETRY_AFTER, RETRY_SECONDS);
    }
    answer
}

const fn code(kind: DenialKind) -> &'static str {
    match kind {
        DenialKind::Policy { .. } | DenialKind::Integrity => "DENIED",
        DenialKind::UnknownRoute | DenialKind::NotOffered => "UNSUPPORTED",
        DenialKind::BadRequest => "NAME_INVALID",
        DenialKind::NotFound => "NAME_UNKNOWN",
        DenialKind::NoSuchVersion => "MANIFEST_UNKNOWN",
        DenialKind::NoSuchFile => "BLOB_UNKNOWN",
        DenialKind::Unauthenticated => "UNAUTHORIZED",
        DenialKind::Pending { .. } | DenialKind::UpstreamBusy { .. } => "TOOMANYREQUESTS",
        DenialKind::Unavailable
        | DenialKind::UpstreamBroken
        | DenialKind::UpstreamTimeout
        | DenialKind::CannotRecord => "UNAVAILABLE",
    }
}
