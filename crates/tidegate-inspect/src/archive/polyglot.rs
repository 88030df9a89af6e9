//! The same bytes are whole in several formats: an archive that is also a picture or another archive.
//!
//! Whoever looks sees the one, whoever loads gets the other. Every reading was looked at.
//!
//! **What to do:** ask the publisher how the file was made.
//!
//! **Limits:** files within the artifact are told as medium.

use super::{ArchiveDetector, Judged, Remark};
use crate::OddityKind;

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/polyglot",
    catalogue: "POLYGLOT",
    title: "several formats at once",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let oddity = remark.oddity_among(&[OddityKind::Polyglot])?;
    Some(Judged::of_the_artifact(remark, "is several formats at once", &oddity.detail))
}
