//! A link of an archive points outside of it, a member is written through a link, or a member is a device.
//!
//! What is unpacked behind such a link lands where the link points: outside the folder that was meant.
//!
//! **What to do:** do not unpack it as a user who may write elsewhere.
//!
//! **Limits:** image layers hold absolute links by nature and are not judged here.

use super::{ArchiveDetector, Judged, Remark};
use crate::OddityKind;

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/tar-link-escape",
    catalogue: "TAR-LINK-ESCAPE",
    title: "a link that leads out of the archive",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let kinds = &[OddityKind::LinkOutside, OddityKind::ThroughLink, OddityKind::SpecialFile];
    let oddity = remark.oddity_among(kinds)?;
    Some(Judged::of_the_artifact(remark, "leads out of the archive", &oddity.detail))
}
