//! The central directory of a zip archive and the header before a member say different things, or one of them is missing.
//!
//! Readers that trust the directory and readers that go from member to member unpack different files. Both readings were
//! looked at; that they differ is what is told.
//!
//! **What to do:** unpack the archive with two different tools and compare; ask the publisher for a clean archive.
//!
//! **Limits:** times and comments that differ are no difference; archives within the artifact are told as medium.

use super::{ArchiveDetector, Judged, Remark};
use crate::{Format, OddityKind};

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/zip-headers-differ",
    catalogue: "ZIP-LOCAL-CENTRAL-DIFF",
    title: "the directory of a zip archive and its members disagree",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let kinds =
        &[OddityKind::HeaderMismatch, OddityKind::Unlisted, OddityKind::Missing, OddityKind::SizeMismatch];
    let oddity = remark.oddity_of(Format::Zip, kinds)?;
    Some(Judged::of_the_artifact(remark, "is described in two ways", &oddity.detail))
}
