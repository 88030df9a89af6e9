//! From a recorded answer to an HTTP response.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;
use tidegate_ecosystems::Answer;
use tidegate_ledger::{Durability, RecordError, RecordId};
use tidegate_model::{DecisionId, Denial};
use tidegate_sys::map::FileBytes;

use super::body::RecordedBody;
use crate::pipeline::admission::{Admitted, Refused};
use crate::pipeline::decide::ascii_line;
use crate::pipeline::{Answered, Representation};

/// The decision behind an answer.
pub const DECISION: HeaderName = HeaderName::from_static("x-tidegate-decision");
/// The entry of an answer, `<node>-<seq>`.
pub const RECORD: HeaderName = HeaderName::from_static("x-tidegate-record");
/// Controls that were degraded while answering.
pub const DEGRADED: HeaderName = HeaderName::from_static("x-tidegate-degraded");
/// What policy warns of.
pub const WARNING: HeaderName = HeaderName::from_static("x-tidegate-warning");

/// Bodies up to this size wait for their entry before the head leaves, so that head and body are one packet.
const SMALL_BODY: usize = 64 * 1024;

/// What hyper sends.
pub type HttpResponse = Response<RecordedBody>;

/// Makes the response. Resolves once the head may leave: for small and empty bodies that is when the entry is durable.
///
/// # Errors
/// The entry could not be made durable; nothing may be sent then.
pub async fn response(answered: Answered, head_only: bool) -> Result<HttpResponse, RecordError> {
    match answered {
        Answered::Served(admitted, representation) => served(admitted, &representation).await,
        Answered::Told(refused) => told(refused, head_only).await,
    }
}

async fn served(admitted: Admitted, r: &Representation) -> Result<HttpResponse, RecordError> {
    let Admitted { body, plan, record, decision } = admitted;
    let mut headers = HeaderMap::with_capacity(14);
    let view_decision = decision.is_none().then(|| format!("view:{}", r.etag.trim_matches('"')));
    stamp(&mut headers, decision, view_decision.as_deref(), &record.record);
    set(&mut headers, header::ETAG, &r.etag);
    set(&mut headers, header::CACHE_CONTROL, r.cache_control);
    if !r.vary.is_empty() {
        headers.insert(header::VARY, HeaderValue::from_static(r.vary));
    }
    if r.ranges {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    if !r.degraded.is_empty() {
        set(&mut headers, DEGRADED, &ascii_line(&r.degraded.join("; ")));
    }
    if let Some(warning) = &r.warning {
        set(&mut headers, WARNING, &ascii_line(warning));
    }
    for (name, value) in &r.headers {
        headers.insert(name, value.clone());
    }
    match plan.status {
        304 => {}
        416 => set(&mut headers, header::CONTENT_RANGE, &format!("bytes */{}", r.length)),
        _ => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(r.content_type));
            if let Some(coding) = r.content_encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
            }
            if let Some(range) = plan.range {
                set(
                    &mut headers,
                    header::CONTENT_RANGE,
                    &format!("bytes {}-{}/{}", range.first, range.last, r.length),
                );
            }
            // A HEAD says how long the body would be.
            let length = if body.is_empty() && plan.range.is_none() { r.length } else { body.len() as u64 };
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
    let body = hold(body, record.durable).await?;
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(plan.status).expect("a plan has a valid status");
    *response.headers_mut() = headers;
    Ok(response)
}

async fn told(refused: Refused, head_only: bool) -> Result<HttpResponse, RecordError> {
    let Refused { answer, record, decision } = refused;
    let mut headers = answer.headers;
    stamp(&mut headers, decision, None, &record.record);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
    let body =
        hold(if head_only { FileBytes::default() } else { answer.body.into() }, record.durable).await?;
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = headers;
    if let Some(phrase) = answer.phrase {
        set_phrase(&mut response, phrase);
    }
    Ok(response)
}

async fn hold(body: FileBytes, durable: Durability) -> Result<RecordedBody, RecordError> {
    if body.len() <= SMALL_BODY {
        durable.wait().await?;
        return Ok(RecordedBody::free(body));
    }
    Ok(RecordedBody::held(body, durable))
}

fn stamp(headers: &mut HeaderMap, decision: Option<DecisionId>, otherwise: Option<&str>, record: &RecordId) {
    match decision {
        Some(id) => set(headers, DECISION, &id.to_string()),
        None => set(headers, DECISION, otherwise.unwrap_or("none")),
    }
    set(headers, RECORD, &record.to_string());
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Puts a reason phrase on a response; one that cannot stand in a status line is left out.
pub fn set_phrase<B>(response: &mut Response<B>, phrase: String) {
    if let Ok(phrase) = ReasonPhrase::try_from(phrase) {
        response.extensions_mut().insert(phrase);
    }
}

/// An answer that has no entry because it concerns no package: operations, pages, malformed requests.
pub fn unrecorded(answer: Answer, head_only: bool) -> HttpResponse {
    let mut headers = answer.headers;
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
    let mut response =
        Response::new(RecordedBody::free(if head_only { FileBytes::default() } else { answer.body.into() }));
    *response.status_mut() = answer.status;
    *response.headers_mut() = headers;
    if let Some(phrase) = answer.phrase {
        set_phrase(&mut response, phrase);
    }
    response
}

/// What is said when there can be no entry: nothing is served without one.
pub fn cannot_record(error: &RecordError) -> HttpResponse {
    let denial = Denial {
        kind: tidegate_model::denial::DenialKind::CannotRecord,
        reason: "tidegate cannot record, so it serves nothing; see /readyz".into(),
        detail: error.to_string(),
        decision: None,
        help: None,
    };
    problem(&denial)
}

/// A refusal as problem details (RFC 9457), for routes that belong to no ecosystem.
pub fn problem(denial: &Denial) -> HttpResponse {
    let members = tidegate_ecosystems::answer::problem_members(denial);
    let body = serde_json::to_vec(&members).expect("a map of strings serialises");
    unrecorded(tidegate_ecosystems::answer::denial_answer(denial, "application/problem+json", body), false)
}
