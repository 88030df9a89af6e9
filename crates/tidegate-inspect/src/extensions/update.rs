//! What an update of an extension brings that its code does not show: other extensions, another moment of starting, code at all.

use std::collections::BTreeSet;

use tidegate_model::Finding;

use super::Seen;
use super::detectors;

/// What is kept of a release for the next one to be compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Line {
    /// `publisher.name`.
    pub id: String,
    /// Extensions of other publishers that come with it.
    pub others: BTreeSet<String>,
    /// Whether it has code.
    pub has_code: bool,
    /// Whether it starts with the editor.
    pub starts_with_editor: bool,
    /// Whether it is a collection of others, and says so.
    pub is_collection: bool,
    /// Unstable interfaces that it asks for.
    pub proposed: BTreeSet<String>,
}

impl Line {
    pub(super) fn of(seen: &Seen<'_>) -> Self {
        Self {
            id: seen.manifest.id(),
            others: seen.manifest.others(),
            has_code: seen.manifest.has_code,
            starts_with_editor: seen.manifest.starts_with_editor(),
            is_collection: seen.manifest.is_collection(),
            proposed: seen.manifest.proposed.clone(),
        }
    }
}

/// What an update brings; `from` is the version before.
pub(crate) fn compare(previous: &Line, current: &Line, from: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let new: Vec<&str> = current.others.difference(&previous.others).map(String::as_str).take(10).collect();
    if !new.is_empty() {
        findings.push(detectors::brings(&new, current.is_collection && previous.is_collection, from));
    }
    if current.has_code && !previous.has_code {
        findings.push(detectors::gains("has code, which", from));
    }
    if current.starts_with_editor && !previous.starts_with_editor && previous.has_code {
        findings.push(detectors::gains("starts with the editor, which", from));
    }
    findings
}
