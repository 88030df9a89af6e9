//! Something could not be looked at: a budget was reached, content is encrypted, damaged or of a form that has no reader.
//!
//! What was not looked at is not clean. Policy says what it means: the pack `baseline` warns, `strict` holds.
//!
//! **What to do:** see which part it is; a form without a reader is worth telling us about.

use super::{ArchiveDetector, Judged, Remark};

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/incomplete",
    catalogue: "INSPECT-INCOMPLETE",
    title: "not looked at",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let gap = remark.gap()?;
    Some(Judged::info(format!("was not looked at: {}", gap.detail)))
}
