//! JSON Web Tokens (RFC 7519).

use std::ops::Range;

use serde_json::Value;

use super::{Judged, decoded};
use tidegate_model::finding::{Confidence, FindingSeverity as Severity};

/// Tokens that ended before this moment are of no use to anyone. Inspection reads no clock, so it is a date: 2026-01-01.
const LONG_PAST: i64 = 1_767_225_600;

/// Names that stand in samples.
const SAMPLE_NAMES: &[&str] = &["john doe", "jane doe", "example", "1234567890", "joe", "test", "foo", "bar"];

/// Header and payload, if they are what they should be and there is a signature.
fn parts(token: &[u8]) -> Option<(Value, Value)> {
    let mut parts = token.split(|&b| b == b'.');
    let mut json = || serde_json::from_slice::<Value>(&decoded(parts.next()?)).ok();
    let (header, payload) = (json()?, json()?);
    let algorithm = header.get("alg")?.as_str()?;
    let is_signed = !algorithm.eq_ignore_ascii_case("none") && !parts.next()?.is_empty();
    (is_signed && payload.is_object()).then_some((header, payload))
}

pub(super) fn judge(token: &[u8], place: Range<usize>) -> Option<Judged> {
    let (_, payload) = parts(token)?;
    let is_past = payload.get("exp").and_then(Value::as_i64).is_some_and(|end| end < LONG_PAST);
    if is_past || is_sample(&payload) {
        return Judged::as_bad_as(place, Severity::Info, Confidence::Low);
    }
    Judged::plain(place)
}

fn is_sample(payload: &Value) -> bool {
    let Some(claims) = payload.as_object() else { return true };
    let is_sample_text = |value: &Value| {
        let text = value.as_str().unwrap_or_default().to_ascii_lowercase();
        SAMPLE_NAMES.contains(&text.as_str()) || text.contains("example.com")
    };
    claims.is_empty() || claims.values().any(is_sample_text)
}

/// Whether Supabase's service role is named: it passes by every row rule of the database.
pub(super) fn is_service_role(token: &[u8]) -> bool {
    parts(token).is_some_and(|(_, payload)| {
        let is = |claim: &str, expected: &str| payload.get(claim).and_then(Value::as_str) == Some(expected);
        is("role", "service_role") && is("iss", "supabase")
    })
}
