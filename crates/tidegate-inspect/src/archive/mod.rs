//! What an archive's own form tells: detectors over oddities and gaps of the unfolder, one file each.
//!
//! They judge the artifact's own container strictly, because nobody builds it by hand, and containers within it mildly.

mod bomb;
mod incomplete;
mod polyglot;
mod tar_conflict;
mod tar_link_escape;
mod tar_traversal;
mod type_mismatch;
mod zip_crc;
mod zip_duplicate;
mod zip_flag;
mod zip_headers;
mod zip_prefix;

use tidegate_model::finding::{Confidence, Finding, FindingKind, FindingSeverity, Location};

use crate::{Format, Gap, GapKind, Leaf, Oddity, OddityKind};

/// A detector of this family.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveDetector {
    /// `archive/name`.
    pub id: &'static str,
    /// Its id in catalogues that people compare.
    pub catalogue: &'static str,
    /// One line.
    pub title: &'static str,
    judge: fn(&Remark<'_>) -> Option<Judged>,
}

/// Every detector of this family, in the order of their pages.
pub const DETECTORS: &[ArchiveDetector] = &[
    zip_duplicate::DETECTOR,
    zip_headers::DETECTOR,
    zip_crc::DETECTOR,
    zip_flag::DETECTOR,
    zip_prefix::DETECTOR,
    tar_traversal::DETECTOR,
    tar_link_escape::DETECTOR,
    tar_conflict::DETECTOR,
    bomb::DETECTOR,
    type_mismatch::DETECTOR,
    polyglot::DETECTOR,
    incomplete::DETECTOR,
];

/// What the unfolder said.
#[derive(Clone, Copy, Debug)]
pub enum Remark<'a> {
    /// Something odd.
    Oddity(&'a Oddity),
    /// Something that was not looked at.
    Gap(&'a Gap),
    /// Content.
    Leaf(&'a Leaf<'a>),
}

impl<'a> Remark<'a> {
    fn oddity_among(&self, kinds: &[OddityKind]) -> Option<&'a Oddity> {
        match self {
            Remark::Oddity(oddity) if kinds.contains(&oddity.kind) => Some(oddity),
            _ => None,
        }
    }

    fn oddity_of(&self, reader: Format, kinds: &[OddityKind]) -> Option<&'a Oddity> {
        self.oddity_among(kinds).filter(|oddity| oddity.reader == Some(reader))
    }

    fn gap(&self) -> Option<&'a Gap> {
        match self {
            Remark::Gap(gap) => Some(gap),
            _ => None,
        }
    }

    fn gap_among(&self, kinds: &[GapKind]) -> Option<&'a Gap> {
        self.gap().filter(|gap| kinds.contains(&gap.kind))
    }

    /// Whether it is about the artifact's own container.
    fn is_outermost(&self) -> bool {
        matches!(self, Remark::Oddity(oddity) if oddity.depth == 0)
    }

    fn place(&self) -> (&'a str, Option<u64>, u64) {
        match self {
            Remark::Oddity(oddity) => {
                (&oddity.path, (oddity.offset > 0).then_some(oddity.offset), oddity.count)
            }
            Remark::Gap(gap) => (&gap.path, None, gap.count),
            Remark::Leaf(leaf) => (leaf.path, None, 1),
        }
    }
}

/// What a detector makes of a remark.
#[derive(Clone, Debug)]
struct Judged {
    severity: FindingSeverity,
    confidence: Confidence,
    message: String,
}

impl Judged {
    /// High in the artifact's own container, medium within.
    fn of_the_artifact(remark: &Remark<'_>, what: &str, detail: &str) -> Self {
        let severity = if remark.is_outermost() { FindingSeverity::High } else { FindingSeverity::Medium };
        Self { severity, confidence: Confidence::High, message: format!("{what}: {detail}") }
    }

    fn high(message: String) -> Self {
        Self { severity: FindingSeverity::High, confidence: Confidence::High, message }
    }

    fn info(message: String) -> Self {
        Self { severity: FindingSeverity::Info, confidence: Confidence::High, message }
    }
}

/// Runs every detector over one remark.
pub fn judge(remark: Remark<'_>, found: &mut dyn FnMut(Finding)) {
    for detector in DETECTORS {
        let Some(judged) = (detector.judge)(&remark) else { continue };
        let (path, offset, count) = remark.place();
        found(Finding {
            detector: detector.id.to_owned(),
            kind: FindingKind::Archive,
            severity: judged.severity,
            confidence: judged.confidence,
            location: Location { path: path.to_owned(), line: None, offset },
            message: judged.message,
            evidence: None,
            secret_hash: None,
            count,
        });
    }
}
