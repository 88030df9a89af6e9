//! `Packages.db`: RPM's own form. Pages of slots point to blobs, each of which is a header. All numbers are little-endian.

use super::{HEADER_BYTES, Headers};
use crate::bytes::{slice, u32_le};

/// Bytes before the first slot.
const FIRST_SLOT: u64 = 32;
const SLOT_BYTES: u64 = 16;
const PAGE_BYTES: u64 = 4096;
/// What offsets of blobs count.
const BLOCK_BYTES: u64 = 16;
/// Bytes before the header in a blob: a mark, the package's number, a generation, the length.
const BLOB_HEAD_BYTES: u64 = 16;

pub(super) fn headers(bytes: &[u8], headers: &mut Headers<'_>) {
    let pages = u32_le(bytes, 12).filter(|_| bytes.starts_with(b"RpmP"));
    let Some(pages) = pages.map(u64::from).filter(|pages| pages * PAGE_BYTES <= bytes.len() as u64) else {
        headers.damaged("the account is none of RPM's, or breaks off");
        return;
    };
    let slots = slice(bytes, FIRST_SLOT, (pages * PAGE_BYTES).saturating_sub(FIRST_SLOT)).unwrap_or_default();
    for slot in slots.chunks_exact(SLOT_BYTES as usize) {
        let (number, at) = (u32_le(slot, 4).unwrap_or(0), u32_le(slot, 8).unwrap_or(0));
        // An empty slot has no number and no blob.
        if !slot.starts_with(b"Slot") || number == 0 || at == 0 {
            continue;
        }
        let Some(header) = blob(bytes, number, u64::from(at) * BLOCK_BYTES) else {
            headers.damaged("a package of the account cannot be found where it should be");
            continue;
        };
        if !headers.take(header) {
            return;
        }
    }
}

fn blob(bytes: &[u8], number: u32, at: u64) -> Option<&[u8]> {
    let head = slice(bytes, at, BLOB_HEAD_BYTES)?;
    let length = u32_le(head, 12)?;
    let is_it = head.starts_with(b"BlbS") && u32_le(head, 4)? == number && length as usize <= HEADER_BYTES;
    slice(bytes, at + BLOB_HEAD_BYTES, u64::from(length)).filter(|_| is_it)
}
