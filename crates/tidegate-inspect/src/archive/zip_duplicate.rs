//! A zip archive holds two members of one name.
//!
//! Which of them an installer takes depends on the installer: Python's reader takes the last one listed, others the first. So
//! a person who looks with one tool sees other code than runs. Every reading was looked at, but an archive that means two
//! things is built by hand. Public registries refuse such uploads by now.
//!
//! **What to do:** compare both members; ask the publisher for an archive made by an ordinary tool.
//!
//! **Limits:** archives within the artifact are told as medium, because old build tools made such jars.

use super::{ArchiveDetector, Judged, Remark};
use crate::{Format, OddityKind};

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/zip-duplicate",
    catalogue: "ZIP-DUP",
    title: "two members of one name",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let oddity = remark.oddity_of(Format::Zip, &[OddityKind::DuplicateName])?;
    Some(Judged::of_the_artifact(remark, "holds a second member of the same name", &oddity.detail))
}
