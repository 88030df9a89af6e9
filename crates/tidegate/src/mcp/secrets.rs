//! Secrets in what is sent to a tool and in what it answers, found with the rules that look inside packages.
//!
//! A value never leaves here: only the names of the detectors do.

use std::sync::OnceLock;

use serde_json::Value;
use tidegate_inspect::secrets::{FingerprintKey, Rules};
use tidegate_model::finding::{Confidence, FindingSeverity};

/// The most detectors that are named.
const MAX_DETECTORS: usize = 32;

/// Detectors that found something in the texts of a value, in the order of their names. Takes processor time in proportion to the
/// size of the value.
pub fn detectors(value: &Value) -> Vec<String> {
    static KEY: OnceLock<FingerprintKey> = OnceLock::new();
    // Fingerprints are not kept, so the key only has to be there.
    let key = KEY.get_or_init(|| {
        let mut random = [0; 32];
        let _ = getrandom::fill(&mut random);
        FingerprintKey::new(random)
    });
    let mut text = String::new();
    write(None, value, &mut text);
    let found = Rules::builtin().look(text.as_bytes(), key);
    let likely = found
        .hits
        .iter()
        .filter(|hit| hit.severity >= FindingSeverity::Medium && hit.confidence >= Confidence::Medium);
    let mut detectors: Vec<String> = likely.map(|hit| hit.rule.id.clone()).collect();
    detectors.sort_unstable();
    detectors.dedup();
    detectors.truncate(MAX_DETECTORS);
    detectors
}

/// Texts as they are without the escapes of JSON, each with its key: rules look for both.
fn write(key: Option<&str>, value: &Value, out: &mut String) {
    match value {
        Value::String(text) => {
            if let Some(key) = key {
                out.push_str(key);
                out.push_str(" = \"");
                out.push_str(text);
                out.push_str("\"\n");
            } else {
                out.push_str(text);
                out.push('\n');
            }
        }
        Value::Array(items) => items.iter().for_each(|item| write(key, item, out)),
        Value::Object(members) => members.iter().for_each(|(key, member)| write(Some(key), member, out)),
        _ => {}
    }
}
