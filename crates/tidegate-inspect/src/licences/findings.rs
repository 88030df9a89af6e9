//! What is worth telling about licences, as findings. All of it is information: what it means is policy's.

use tidegate_model::finding::{Confidence, Finding, FindingKind, FindingSeverity, Location};
use tidegate_model::licence::Reading;

use super::{ConflictKind, Declared, Licences};

/// A detector of this family.
#[derive(Clone, Copy, Debug)]
pub struct LicenceDetector {
    /// `licence/name`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// Why it matters, in sentences.
    pub why: &'static str,
    /// What to do about it, in sentences.
    pub remedy: &'static str,
}

const CONFLICT: LicenceDetector = LicenceDetector {
    id: "licence/conflict",
    title: "the licence texts in a package are not those of the licence that it declares",
    why: "Whoever uses the package by what its index says may be bound by other terms than they know of.",
    remedy: "Read the licence file. The conclusion beside it says which of the two was believed.",
};
const NOT_SPDX: LicenceDetector = LicenceDetector {
    id: "licence/not-spdx",
    title: "a declared licence is no SPDX expression in force: it is corrected, stays open or means nothing",
    why: "A policy on licences can only decide on what it can read; where a statement can mean several licences, it stays open.",
    remedy: "Where nothing is concluded, read the package's licence file, and ask its author for an SPDX expression.",
};
const NONE_STATED: LicenceDetector = LicenceDetector {
    id: "licence/none-stated",
    title: "nothing in a package states a licence",
    why: "Without a licence nobody but its author may use, change or pass on the package.",
    remedy: "Look for the licence where the package is developed, and ask its author to ship it.",
};

/// Every detector of this family, in the order of their pages.
pub const DETECTORS: &[LicenceDetector] = &[CONFLICT, NOT_SPDX, NONE_STATED];

/// Bytes of a statement that a message repeats.
const SHOWN_BYTES: usize = 80;

impl Licences {
    /// The findings, in a stable order: `licence/conflict`, `licence/not-spdx`, `licence/none-stated`. `name` is the path of
    /// the package, where a finding is about all of it.
    #[must_use]
    pub fn findings(&self, name: &str) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.conflicts.iter().map(conflict).collect();
        findings.extend(self.declared.iter().filter(|one| one.own).filter_map(not_spdx));
        let is_stated = self.declared.iter().any(|one| one.own && one.reading != Reading::Nothing)
            || self.detected.iter().any(|one| one.own)
            || self.tags.iter().any(|tag| tag.own);
        if !is_stated {
            let message = "no manifest, licence file or tag of the package states a licence".to_owned();
            findings.push(finding(NONE_STATED, Confidence::High, name, None, message));
        }
        findings
    }
}

fn conflict(conflict: &super::Conflict) -> Finding {
    let found = conflict.detected.join(" or ");
    let declared = &conflict.declared;
    let (confidence, message) = match conflict.kind {
        ConflictKind::Different => (
            Confidence::High,
            format!("`{declared}` is declared, but the licence file holds the text of {found}"),
        ),
        ConflictKind::Undeclared => (
            Confidence::Medium,
            format!("the licence file also holds the text of {found}, beside the declared `{declared}`"),
        ),
    };
    let mut finding = finding(CONFLICT, confidence, &conflict.path, Some(conflict.line), message);
    finding.evidence = Some(format!("declared in {}", conflict.declared_path));
    finding
}

fn not_spdx(declared: &Declared) -> Option<Finding> {
    let shown: String = declared.text.chars().take(SHOWN_BYTES).filter(|c| !c.is_control()).collect();
    let message = match &declared.reading {
        Reading::Expression { expression, corrected: true } if declared.field != "Classifier" => {
            format!("`{shown}` is no SPDX expression in force and is read as `{expression}`")
        }
        Reading::Ambiguous { among } => format!("`{shown}` can mean any of {}", among.join(", ")),
        Reading::Unknown => format!("`{shown}` is no SPDX expression"),
        _ => return None,
    };
    Some(finding(NOT_SPDX, Confidence::High, &declared.path, None, message))
}

fn finding(
    detector: LicenceDetector,
    confidence: Confidence,
    path: &str,
    line: Option<u32>,
    message: String,
) -> Finding {
    Finding {
        detector: detector.id.to_owned(),
        kind: FindingKind::Licence,
        severity: FindingSeverity::Info,
        confidence,
        location: Location { path: path.to_owned(), line, offset: None },
        message,
        evidence: None,
        secret_hash: None,
        count: 1,
    }
}
