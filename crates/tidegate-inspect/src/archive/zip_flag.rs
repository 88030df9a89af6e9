//! A zip member carries the flag for encryption although it is not encrypted.
//!
//! Scanners that believe the flag skip the member; loaders that ignore it run it. The content was looked at.
//!
//! **What to do:** do not use it before its publisher explains how it was made.

use super::{ArchiveDetector, Judged, Remark};
use crate::OddityKind;

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/zip-flag",
    catalogue: "ZIP-FLAG",
    title: "a zip member is marked as encrypted and is not",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let oddity = remark.oddity_among(&[OddityKind::FalseEncryption])?;
    Some(Judged::of_the_artifact(remark, "is marked as encrypted, and is not", &oddity.detail))
}
