//! The detectors of models: one file each, over what the readers tell. The head of each file is the detector's page.

mod code_in_pickle;
mod custom_operation;
mod file_operation;
mod foreign_path;
mod form;
mod handler;
mod keras_code;
mod keras_foreign;
mod pickle_call;
mod pickle_hides;
mod pickle_unknown;
mod program;
mod remote_code;
mod script_operation;
mod target;
mod template_escape;
mod template_orders;

use tidegate_model::finding::{Confidence, Finding, FindingKind, FindingSeverity, Location};

use super::remark::Remark;

/// A detector of models.
#[derive(Clone, Copy, Debug)]
pub struct ModelDetector {
    /// `model/name`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// The most severe that it gives.
    pub severity: FindingSeverity,
    /// Whether what it finds runs, or may run, when a model is loaded.
    pub runs: bool,
    judge: fn(&Remark) -> Option<Judged>,
}

/// Every detector of models, in the order of their pages.
pub const DETECTORS: &[ModelDetector] = &[
    pickle_call::DETECTOR,
    pickle_unknown::DETECTOR,
    pickle_hides::DETECTOR,
    code_in_pickle::DETECTOR,
    keras_code::DETECTOR,
    keras_foreign::DETECTOR,
    file_operation::DETECTOR,
    custom_operation::DETECTOR,
    foreign_path::DETECTOR,
    template_escape::DETECTOR,
    template_orders::DETECTOR,
    script_operation::DETECTOR,
    target::DETECTOR,
    remote_code::DETECTOR,
    handler::DETECTOR,
    program::DETECTOR,
    form::DETECTOR,
];

/// What a detector makes of a remark.
struct Judged {
    severity: FindingSeverity,
    confidence: Confidence,
    message: String,
}

fn judged(severity: FindingSeverity, confidence: Confidence, message: impl Into<String>) -> Option<Judged> {
    Some(Judged { severity, confidence, message: message.into() })
}

/// Runs every detector over one remark on the leaf at `path`.
pub(crate) fn judge(remark: &Remark, path: &str, found: &mut dyn FnMut(&ModelDetector, Finding)) {
    for detector in DETECTORS {
        let Some(judged) = (detector.judge)(remark) else { continue };
        let location = Location { path: path.to_owned(), line: remark.line, offset: remark.offset };
        let finding = Finding {
            detector: detector.id.to_owned(),
            kind: FindingKind::Model,
            severity: judged.severity,
            confidence: judged.confidence,
            location,
            message: judged.message,
            evidence: remark.evidence.clone(),
            secret_hash: None,
            count: 1,
        };
        found(detector, finding);
    }
}

/// Common words of all detectors.
mod common {
    pub(super) use super::super::remark::{Remark, Unlisted, What};
    pub(super) use super::{Judged, ModelDetector, judged};
    pub(super) use tidegate_model::finding::Confidence::{High as Sure, Medium as Likely};
    pub(super) use tidegate_model::finding::FindingSeverity::{Critical, High, Info, Low, Medium};
}
