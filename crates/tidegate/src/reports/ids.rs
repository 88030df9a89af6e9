//! Identifiers that are derived from what they identify, so that the same report has the same bytes.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::{Component, Report};

/// What the subject is called inside a document.
pub(super) const SUBJECT: &str = "subject";

/// A UUID of version 8 (RFC 9562: made in a way of one's own) from content.
pub(super) fn uuid(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let mut bytes: [u8; 16] = digest[..16].try_into().expect("a SHA-256 digest has 32 bytes");
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex::encode(bytes);
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Names a result across runs: what it is about, not when it was found, on which line or by which version of the tool.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        // The length goes ahead, so that no two lists of parts run together.
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex::encode(&hasher.finalize()[..16])
}

/// What each component is called inside a document: its package URL or its name, with a number where that repeats.
pub(super) fn references(report: &Report) -> Vec<String> {
    let mut taken = HashSet::from([SUBJECT.to_owned()]);
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut unique = |name: String| {
        let mut reference = name.clone();
        while !taken.insert(reference.clone()) {
            // Kept across components, so that many of one name do not try the same numbers again.
            let count = counts.entry(name.clone()).or_insert(1);
            *count += 1;
            reference = format!("{name} ({count})");
        }
        reference
    };
    report.components.iter().map(|component| unique(name(component))).collect()
}

/// The package URL, else name and version.
pub(super) fn name(component: &Component) -> String {
    match (&component.purl, &component.version) {
        (Some(purl), _) => purl.clone(),
        (None, Some(version)) => format!("{}@{version}", component.name),
        (None, None) => component.name.clone(),
    }
}
