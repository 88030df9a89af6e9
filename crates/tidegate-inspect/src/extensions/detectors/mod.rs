//! The detectors of extensions: one file each, over the manifest and what the code can do. The head of each file is the detector's page.

mod identity;
mod installs_others;
mod native_code;
mod outside_member;
mod passive_code;
mod password_page;
mod proposed_api;
mod remote_page;
mod starts_with_editor;
mod update;
mod weakens_editor;

use tidegate_model::finding::{Confidence, Finding, FindingKind, FindingSeverity, Location};

use super::Seen;
use crate::behaviour::detectors::sense::redacted;
use crate::behaviour::facts::What;

/// Findings that one detector gives of one extension.
const FINDINGS: usize = 20;

/// Characters of evidence.
const EVIDENCE_CHARS: usize = 160;

/// How bad and how sure.
type Grade = (FindingSeverity, Confidence);

/// A detector of extensions.
#[derive(Clone, Copy, Debug)]
pub struct ExtensionDetector {
    /// `extension/name`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// The most severe that it gives.
    pub severity: FindingSeverity,
    run: fn(&Seen<'_>, &mut Findings),
}

/// Every detector of extensions, in the order of their pages.
pub const DETECTORS: &[ExtensionDetector] = &[
    identity::DETECTOR,
    passive_code::DETECTOR,
    outside_member::DETECTOR,
    installs_others::DETECTOR,
    weakens_editor::DETECTOR,
    starts_with_editor::DETECTOR,
    native_code::DETECTOR,
    proposed_api::DETECTOR,
    remote_page::DETECTOR,
    password_page::DETECTOR,
    update::DETECTOR,
];

/// What detectors tell.
struct Findings {
    detector: &'static str,
    told: Vec<Finding>,
}

impl Findings {
    fn tell(&mut self, path: &str, line: Option<u32>, grade: Grade, message: String, evidence: &str) {
        let alike = self.told.iter_mut().find(|f| f.message == message && f.location.path == path);
        if let Some(same) = alike {
            same.count += 1;
            if (same.severity, same.confidence) < grade {
                (same.severity, same.confidence) = grade;
            }
        } else if self.told.len() < FINDINGS {
            self.told.push(finding(self.detector, path, line, grade, message, evidence));
        }
    }
}

fn finding(
    detector: &str,
    path: &str,
    line: Option<u32>,
    grade: Grade,
    message: String,
    evidence: &str,
) -> Finding {
    let evidence: String = crate::mcp::change::shown(evidence).chars().take(EVIDENCE_CHARS).collect();
    Finding {
        detector: detector.to_owned(),
        kind: FindingKind::Extension,
        severity: grade.0,
        confidence: grade.1,
        location: Location { path: path.to_owned(), line, offset: None },
        message,
        evidence: Some(redacted(evidence.trim())).filter(|text| !text.is_empty()),
        secret_hash: None,
        count: 1,
    }
}

/// Runs every detector over an extension.
pub(crate) fn run(seen: &Seen<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    for detector in DETECTORS {
        let mut findings = Findings { detector: detector.id, told: Vec::new() };
        (detector.run)(seen, &mut findings);
        all.append(&mut findings.told);
    }
    all
}

/// Extensions of others that an update brings.
pub(super) fn brings(new: &[&str], is_collection: bool, from: &str) -> Finding {
    let (grade, message) = update::brings(new, is_collection, from);
    finding(update::DETECTOR.id, "", None, grade, message, "")
}

/// Something else that an update has and the release before had not.
pub(super) fn gains(what: &str, from: &str) -> Finding {
    let grade = (FindingSeverity::Low, Confidence::High);
    finding(update::DETECTOR.id, "", None, grade, format!("{what} {from} did not"), "")
}

/// Abilities that only code has, and that no theme needs.
const STRONG: &[What] = &[
    What::NetSend,
    What::NetReceive,
    What::ChannelReceive,
    What::DnsQuery,
    What::Exec,
    What::ExecDetached,
    What::Eval,
    What::SocketToProcess,
    What::LibraryLoad,
    What::KeychainRead,
    What::ClipboardRead,
    What::EnvAll,
];

fn ability(what: What) -> &'static str {
    match what {
        What::NetSend | What::DnsQuery => "sends to the network",
        What::NetReceive | What::ChannelReceive => "takes from the network",
        What::Exec | What::ExecDetached | What::SocketToProcess => "starts programs",
        What::Eval => "runs text as code",
        What::LibraryLoad => "loads native libraries",
        What::KeychainRead => "reads the credential store",
        What::ClipboardRead => "reads the clipboard",
        _ => "reads the environment",
    }
}

/// Common words of all detectors.
mod common {
    pub(super) use super::super::Seen;
    pub(super) use super::{ExtensionDetector, Findings, Grade, STRONG, ability};
    pub(super) use crate::behaviour::facts::Stage;
    pub(super) use crate::mcp::change::shown;
    pub(super) use crate::mcp::weak_setting;
    pub(super) use tidegate_model::finding::Confidence::{High as Sure, Medium as Likely};
    pub(super) use tidegate_model::finding::FindingSeverity::{High, Info, Low, Medium};
}
