//! The detectors of what assistants load: one file each, over what the readers tell. The head of each file is the detector's page.

mod auto_approve;
mod broken_bridge;
mod environment;
mod far_text;
mod fetched_text;
mod fixed_recipient;
mod hidden_text;
mod injectable;
mod listing;
mod literal_secret;
mod loose_path;
mod off_registry;
mod open_server;
mod passing_host;
mod plain_http;
mod secret_orders;
mod starts_by_itself;
mod starts_download;
mod starts_exfiltration;
mod steers;
mod steers_others;
mod takes_secrets;
mod tool_changed;
mod unpinned;
mod weak_setting;
mod wide_container;

use tidegate_model::finding::{Confidence, Finding, FindingKind, FindingSeverity, Location};

use super::change::ToolChange;
use super::remark::Remark;
use crate::behaviour::detectors::sense::redacted;

/// Characters of evidence.
const EVIDENCE_CHARS: usize = 200;

/// A detector of what assistants load.
#[derive(Clone, Copy, Debug)]
pub struct McpDetector {
    /// `mcp/name`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// The most severe that it gives.
    pub severity: FindingSeverity,
    judge: fn(&Remark) -> Option<Judged>,
}

/// Every detector of what assistants load, in the order of their pages.
pub const DETECTORS: &[McpDetector] = &[
    hidden_text::DETECTOR,
    far_text::DETECTOR,
    secret_orders::DETECTOR,
    takes_secrets::DETECTOR,
    steers_others::DETECTOR,
    steers::DETECTOR,
    fixed_recipient::DETECTOR,
    injectable::DETECTOR,
    loose_path::DETECTOR,
    open_server::DETECTOR,
    fetched_text::DETECTOR,
    starts_download::DETECTOR,
    starts_exfiltration::DETECTOR,
    starts_by_itself::DETECTOR,
    unpinned::DETECTOR,
    off_registry::DETECTOR,
    plain_http::DETECTOR,
    passing_host::DETECTOR,
    literal_secret::DETECTOR,
    wide_container::DETECTOR,
    broken_bridge::DETECTOR,
    auto_approve::DETECTOR,
    environment::DETECTOR,
    weak_setting::DETECTOR,
    listing::DETECTOR,
    tool_changed::DETECTOR,
];

/// What a detector makes of a remark.
struct Judged {
    severity: FindingSeverity,
    confidence: Confidence,
    message: String,
}

fn judged(grade: (FindingSeverity, Confidence), message: impl Into<String>) -> Option<Judged> {
    Some(Judged { severity: grade.0, confidence: grade.1, message: message.into() })
}

/// Runs every detector over one remark on the leaf at `path`.
pub(crate) fn judge(remark: &Remark, path: &str, found: &mut dyn FnMut(Finding)) {
    for detector in DETECTORS {
        let Some(judged) = (detector.judge)(remark) else { continue };
        let location = Location { path: path.to_owned(), line: remark.line, offset: None };
        found(finding(detector, judged, location, &remark.evidence));
    }
}

/// What a change of a tool means.
pub(crate) fn tool_changed(change: &ToolChange) -> Option<Finding> {
    let judged = tool_changed::of(change)?;
    let location = Location { path: change.tool.clone(), ..Location::default() };
    Some(finding(&tool_changed::DETECTOR, judged, location, &change.to_string()))
}

fn finding(detector: &McpDetector, judged: Judged, location: Location, evidence: &str) -> Finding {
    Finding {
        detector: detector.id.to_owned(),
        kind: FindingKind::Mcp,
        severity: judged.severity,
        confidence: judged.confidence,
        location,
        message: judged.message,
        evidence: Some(shown_evidence(evidence)).filter(|text| !text.is_empty()),
        secret_hash: None,
        count: 1,
    }
}

/// Evidence on one line, with what nobody sees written out, without what may be a secret.
fn shown_evidence(text: &str) -> String {
    let text = super::change::shown(text.trim());
    redacted(&text.chars().take(EVIDENCE_CHARS).collect::<String>())
}

/// Whether a detector speaks of code, which only a server's own is asked about.
pub(crate) fn is_of_server_code(id: &str) -> bool {
    ["mcp/fixed-recipient", "mcp/injectable", "mcp/loose-path", "mcp/open-server", "mcp/fetched-text"]
        .contains(&id)
}

/// Common words of all detectors.
mod common {
    pub(super) use super::super::change::shown;
    pub(super) use super::super::hidden::Hidden;
    pub(super) use super::super::remark::{Remark, What};
    pub(super) use super::{Judged, McpDetector, judged};
    pub(super) use tidegate_model::finding::Confidence::{High as Sure, Medium as Likely};
    pub(super) use tidegate_model::finding::FindingSeverity::{Critical, High, Info, Low, Medium};

    /// What a remark is about, for a sentence.
    pub(super) fn of(remark: &Remark) -> String {
        if remark.subject.is_empty() { "a text".to_owned() } else { format!("`{}`", remark.subject) }
    }

    /// Whether something only happens when somebody starts it.
    pub(super) fn by_hand(when: &str) -> bool {
        when.contains("when the task is run")
    }
}
