//! A member of an archive has a name with `..`, one that begins at the root, or one with a drive letter.
//!
//! An installer that follows it writes anywhere on the machine: a start script, a key, another package.
//!
//! **What to do:** do not unpack it. No ordinary tool writes such names.

use super::{ArchiveDetector, Judged, Remark};
use crate::{Format, OddityKind};

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/tar-traversal",
    catalogue: "TAR-TRAVERSAL",
    title: "a name that leads out of the archive",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let kinds = &[OddityKind::Traversal, OddityKind::AbsoluteName, OddityKind::DriveName];
    // Libraries keep the paths that their objects were built from; linkers unpack none of them.
    let oddity = remark.oddity_among(kinds).filter(|oddity| oddity.reader != Some(Format::Ar))?;
    Some(Judged::of_the_artifact(remark, "has a name that leads out of the archive", &oddity.detail))
}
