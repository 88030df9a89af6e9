//! The content of a zip member does not have the CRC-32 that the archive states.
//!
//! Many scanners skip a member whose checksum fails, and some loaders do not check it: so code that loads hides from code
//! that looks. The content was looked at all the same.
//!
//! **What to do:** fetch the file again; if the checksum still fails, do not use it.

use super::{ArchiveDetector, Judged, Remark};
use crate::{Format, OddityKind};

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/zip-crc",
    catalogue: "ZIP-CRC",
    title: "the checksum of a zip member does not fit",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let oddity = remark.oddity_of(Format::Zip, &[OddityKind::Checksum])?;
    Some(Judged::of_the_artifact(remark, "has another checksum than the archive states", &oddity.detail))
}
