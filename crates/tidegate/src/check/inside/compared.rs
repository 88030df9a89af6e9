//! A file beside an earlier version of it: what it can do that the other could not.

use tidegate_inspect::Inspection;
use tidegate_inspect::behaviour::diff::{self, Between};
use tidegate_model::{Finding, Sha256};

use super::Looked;
use crate::inspection::Seen;

/// A comparison.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// The earlier one, as given.
    pub with: String,
    /// Its digest; none of a folder.
    pub sha256: Option<Sha256>,
    /// The version that it says it is.
    pub version: Option<String>,
    /// What is new.
    pub findings: Vec<Finding>,
    /// Why nothing could be compared.
    pub why_not: Option<String>,
    /// Whether the two say that they are different packages.
    pub other_package: Option<String>,
}

impl Compared {
    pub(super) fn of(current: &Looked, previous: &Looked) -> Self {
        let mut compared = Self {
            with: previous.given.clone(),
            sha256: previous.sha256,
            version: previous.subject().and_then(|own| own.version.clone()),
            ..Self::default()
        };
        let name = |looked: &Looked| looked.subject().map(|own| own.name.clone());
        if let (Some(own), Some(other)) = (name(current), name(previous))
            && own != other
        {
            compared.other_package = Some(other);
        }
        match (&previous.inspection, &current.inspection) {
            (Ok(before), Ok(now)) => {
                compared.findings = compare(before, now);
                if before.summary.is_less_parsed_than(&now.summary) {
                    compared.why_not = Some(LESS_PARSED.to_owned());
                }
            }
            (Err(why), _) | (_, Err(why)) => compared.why_not = Some(why.clone()),
        }
        compared
    }

    /// What it means for decisions.
    pub(super) fn add_to(&self, seen: &mut Seen) {
        let of_release = Seen::of_findings(self.findings.clone());
        seen.verdict = seen.verdict.max(of_release.verdict);
        for detector in of_release.detectors {
            if !seen.detectors.contains(&detector) {
                seen.detectors.push(detector);
            }
        }
        seen.summary = seen.summary.take().or(of_release.summary);
        if self.why_not.is_some() {
            seen.not_seen.push("comparison".to_owned());
        }
    }
}

/// Why what the code does was not compared.
const LESS_PARSED: &str = "large sources of the earlier version could not be parsed, so what its code does is not known well enough";

fn compare(before: &Inspection, now: &Inspection) -> Vec<Finding> {
    // When each was published is not in the bytes.
    diff::compare(&before.summary, &now.summary, Between { days: None })
}
