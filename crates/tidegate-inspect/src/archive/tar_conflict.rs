//! Two headers of one tar member state different names or sizes, or a size is negative or no number.
//!
//! One reader then takes as content what another takes as the next header: members appear that only some tools see. Both
//! readings were looked at.
//!
//! **What to do:** unpack the archive with two different tools and compare.
//!
//! **Limits:** archives within the artifact are told as medium.

use super::{ArchiveDetector, Judged, Remark};
use crate::{Format, OddityKind};

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/tar-conflict",
    catalogue: "TAR-PAX-CONFLICT",
    title: "headers of a tar member disagree",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let kinds = &[OddityKind::HeaderMismatch, OddityKind::InvalidNumber];
    let oddity = remark.oddity_of(Format::Tar, kinds)?;
    Some(Judged::of_the_artifact(remark, "is described in two ways", &oddity.detail))
}
