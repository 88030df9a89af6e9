//! How clients of the model hub are told no.
//!
//! They read `X-Error-Code` and `X-Error-Message`. A refused file's reason is lost ("check your internet connection") unless
//! the code is `GatedRepo`; then the message is shown, whatever the status. What is absent has codes of its own, on which
//! libraries rely: an optional file that is not there is `EntryNotFound`.

use http::header::RETRY_AFTER;
use http::{HeaderName, StatusCode};
use tidegate_model::Denial;
use tidegate_model::denial::DenialKind;

use super::JSON;
use crate::Answer;
use crate::answer::{denial_answer, problem_members};

const ERROR_CODE: HeaderName = HeaderName::from_static("x-error-code");
/// How long clients wait before they ask again for what is still on its way: five times, which is about two minutes.
const RETRY_SECONDS: &str = "15";
const ERROR_MESSAGE: HeaderName = HeaderName::from_static("x-error-message");

/// The longest message in a header, in bytes.
const MAX_MESSAGE_BYTES: usize = 1_000;

pub(super) fn answer(denial: &Denial) -> Answer {
    let mut members = problem_members(denial);
    members.insert("error".into(), denial.reason.clone().into());
    let mut answer = denial_answer(denial, JSON, serde_json::Value::Object(members).to_string())
        .with_header(ERROR_MESSAGE, &line(&denial.reason));
    if matches!(denial.kind, DenialKind::Pending { .. }) {
        // The client asks for a file again after this status and no other, and waits as long as it is told to.
        answer.status = StatusCode::TOO_MANY_REQUESTS;
        answer = answer.with_header(RETRY_AFTER, RETRY_SECONDS);
    }
    match code(denial.kind) {
        Some(code) => answer.with_header(ERROR_CODE, code),
        None => answer,
    }
}

const fn code(kind: DenialKind) -> Option<&'static str> {
    match kind {
        DenialKind::NotFound => Some("RepoNotFound"),
        DenialKind::NoSuchVersion => Some("RevisionNotFound"),
        DenialKind::NoSuchFile => Some("EntryNotFound"),
        DenialKind::Policy { .. } | DenialKind::Integrity => Some("GatedRepo"),
        _ => None,
    }
}

/// Text as one line of printable ASCII.
fn line(text: &str) -> String {
    let printable = text.chars().map(|c| match c {
        c if c.is_ascii_graphic() => c,
        c if c.is_whitespace() => ' ',
        _ => '?',
    });
    printable.take(MAX_MESSAGE_BYTES).collect()
}
