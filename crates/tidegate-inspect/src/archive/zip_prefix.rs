//! Bytes stand before, between or behind what a zip archive describes.
//!
//! A zip archive is read from its end, so anything may stand before it: a second archive, a program. Programs that unpack
//! themselves are built so on purpose; packages are not. The bytes were looked at.
//!
//! **What to do:** ask the publisher what they are.
//!
//! **Limits:** archives within the artifact are told as low: launchers of Windows carry their archive behind them.

use super::{ArchiveDetector, Judged, Remark};
use crate::{Format, OddityKind};

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/zip-prefix",
    catalogue: "ZIP-PREFIX",
    title: "bytes outside the structure of a zip archive",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let kinds = &[OddityKind::PrefixBytes, OddityKind::TrailingBytes, OddityKind::HiddenBytes];
    let oddity = remark.oddity_of(Format::Zip, kinds)?;
    Some(Judged::of_the_artifact(remark, "carries bytes that are no part of it", &oddity.detail))
}
