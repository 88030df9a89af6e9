//! Small parts that the formats share.

use serde_json::{Map, Value};
use tidegate_model::facts::Severity;

/// An object of those members that are there: a member that is null is left out.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let present = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(present.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

/// An array, or null where it would be empty.
pub(super) fn list(items: Vec<Value>) -> Value {
    if items.is_empty() { Value::Null } else { Value::Array(items) }
}

/// Where a severity lies on CVSS's scale when no score is given: the middle of its band.
pub(super) const fn middle(severity: Severity) -> f64 {
    match severity {
        Severity::None => 0.0,
        Severity::Low => 2.0,
        Severity::Medium => 5.4,
        Severity::High => 7.9,
        Severity::Critical => 9.5,
    }
}

/// The band of a CVSS score, as version 3.1 and 4.0 cut it.
pub(super) fn band(score: f64) -> Severity {
    match score {
        s if s >= 9.0 => Severity::Critical,
        s if s >= 7.0 => Severity::High,
        s if s >= 4.0 => Severity::Medium,
        s if s > 0.0 => Severity::Low,
        _ => Severity::None,
    }
}

/// The word of a severity.
pub(super) const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::None => "none",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// A path as a URI reference: relative stays relative, absolute becomes a `file` URI.
pub(super) fn uri(path: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEEP: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'+')
        .remove(b'@');
    let path = path.replace('\\', "/");
    let bytes = path.as_bytes();
    // `C:/x`: a drive, not a scheme.
    if bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && &bytes[1..3] == b":/" {
        return format!("file:///{}:{}", &path[..1], utf8_percent_encode(&path[2..], KEEP));
    }
    let encoded = utf8_percent_encode(path.strip_prefix("./").unwrap_or(&path), KEEP).to_string();
    if encoded.starts_with('/') { format!("file://{encoded}") } else { encoded }
}
