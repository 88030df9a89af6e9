//! Content unpacks to hundreds of times its size, members share bytes so that they add up to more than there is, or archives
//! are nested deeper than anybody nests them.
//!
//! It exhausts the disk or the memory of whoever unpacks it, or wears scanners out so that they let the rest pass.
//!
//! **What to do:** do not unpack it. If it is data that happens to be very even, ask for a waiver.
//!
//! **Limits:** what lies behind the point was not looked at, and is told as a gap beside this finding.

use super::{ArchiveDetector, Judged, Remark};
use crate::GapKind;

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/bomb",
    catalogue: "BOMB",
    title: "unpacks to more than it can be meant to",
    judge,
};

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let gap = remark.gap_among(&[GapKind::Ratio, GapKind::OverlapBytes, GapKind::Depth])?;
    Some(Judged::high(format!("unpacks to more than it can be meant to: {}", gap.detail)))
}
