//! What the findings of a package come to.
//!
//! Malicious: a critical finding without doubt, of code that runs unasked; or two critical ones of different detectors that agree.
//! Suspicious: a grave finding that is at least likely. Everything below never holds a package, however much of it there is.

use std::collections::BTreeSet;

use tidegate_model::finding::{Confidence, FindingSeverity};

use super::detectors::Observation;
use super::facts::Stage;
use crate::inspection::Verdict;

/// Judges; the second value is the detectors behind it, in order of their names.
#[must_use]
pub fn judge(observations: &[Observation]) -> (Verdict, Vec<String>) {
    let at_least = |observation: &&Observation, severity, confidence| {
        observation.finding.severity >= severity
            && observation.finding.confidence >= confidence
            && observation.stage != Stage::Aside
    };
    let ids = |found: Vec<&Observation>| -> Vec<String> {
        found.into_iter().map(|o| o.finding.detector.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let critical: Vec<&Observation> =
        observations.iter().filter(|o| at_least(o, FindingSeverity::Critical, Confidence::Medium)).collect();
    let is_sure = |o: &&&Observation| o.finding.confidence == Confidence::High && o.stage <= Stage::Import;
    let sure: Vec<&Observation> = critical.iter().filter(is_sure).copied().collect();
    if !sure.is_empty() {
        return (Verdict::Malicious, ids(sure));
    }
    let agreeing = ids(critical);
    if agreeing.len() >= 2 {
        return (Verdict::Malicious, agreeing);
    }
    let grave =
        observations.iter().filter(|o| at_least(o, FindingSeverity::High, Confidence::Medium)).collect();
    let grave = ids(grave);
    if grave.is_empty() { (Verdict::Clean, grave) } else { (Verdict::Suspicious, grave) }
}

#[cfg(test)]
mod tests {
    use tidegate_model::finding::{Finding, FindingKind, Location};

    use super::*;

    fn observation(
        detector: &str,
        severity: FindingSeverity,
        confidence: Confidence,
        stage: Stage,
    ) -> Observation {
        let finding = Finding {
            detector: detector.to_owned(),
            kind: FindingKind::Malware,
            severity,
            confidence,
            location: Location::default(),
            message: String::new(),
            evidence: None,
            secret_hash: None,
            count: 1,
        };
        Observation { finding, stage }
    }

    #[test]
    fn only_grave_and_likely_findings_hold() {
        use Confidence as C;
        use FindingSeverity as S;
        for (observations, expected) in [
            (vec![("a", S::Critical, C::High, Stage::Install)], Verdict::Malicious),
            (vec![("a", S::Critical, C::High, Stage::Call)], Verdict::Suspicious),
            (vec![("a", S::Critical, C::Medium, Stage::Import)], Verdict::Suspicious),
            (
                vec![
                    ("a", S::Critical, C::Medium, Stage::Import),
                    ("b", S::Critical, C::Medium, Stage::Call),
                ],
                Verdict::Malicious,
            ),
            (
                vec![
                    ("a", S::Critical, C::Medium, Stage::Import),
                    ("a", S::Critical, C::Medium, Stage::Call),
                ],
                Verdict::Suspicious,
            ),
            (vec![("a", S::High, C::Medium, Stage::Call)], Verdict::Suspicious),
            (vec![("a", S::High, C::Low, Stage::Install)], Verdict::Clean),
            (vec![("a", S::Critical, C::High, Stage::Aside)], Verdict::Clean),
            (vec![("a", S::Medium, C::High, Stage::Install); 50], Verdict::Clean),
            (vec![], Verdict::Clean),
        ] {
            let observations: Vec<_> =
                observations.into_iter().map(|(d, s, c, st)| observation(d, s, c, st)).collect();
            assert_eq!(judge(&observations).0, expected, "{observations:?}");
        }
    }
}
