//! The records of a zip file (APPNOTE 4.3), read where they stand.

use crate::bytes::{slice, u16_le, u32_le, u64_le};

pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
pub(super) const CENTRAL: &[u8] = b"PK\x01\x02";
pub(super) const DESCRIPTOR: &[u8] = b"PK\x07\x08";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";

/// Bytes of an end record without its comment.
const END_BYTES: usize = 22;
/// Bytes from the end within which readers look for the end record.
const END_SEARCH_BYTES: usize = END_BYTES + 0xffff;

/// Flag: encrypted.
pub(super) const FLAG_ENCRYPTED: u16 = 1;
/// Flag: sizes and CRC stand behind the content.
pub(super) const FLAG_DESCRIPTOR: u16 = 1 << 3;
/// Flag: the content is a patch.
pub(super) const FLAG_PATCH: u16 = 1 << 5;
/// Flag: the central directory is encrypted and local headers are masked.
pub(super) const FLAG_MASKED: u16 = 1 << 13;

/// What one header says of a member.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry<'a> {
    /// Where the header stands.
    pub(super) at: u64,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) name: &'a [u8],
    pub(super) comment: &'a [u8],
    /// A central header's word for where the local header stands; a local header's content begins there.
    pub(super) target: u64,
    /// Unix mode with the file type, if the writer was Unix.
    pub(super) mode: u32,
    /// Where the header ends.
    pub(super) end: u64,
}

/// The end of the archive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End<'a> {
    /// Where the end record (or its 64-bit form before it) stands.
    pub(super) at: u64,
    /// Bytes that the offsets in the archive do not count: what was put before it.
    pub(super) prefix: u64,
    /// Where the central directory stands.
    pub(super) directory: u64,
    /// Bytes of the central directory.
    pub(super) directory_bytes: u64,
    /// Members that the end record counts.
    pub(super) entries: u64,
    pub(super) comment: &'a [u8],
    /// Where everything ends.
    pub(super) end: u64,
}

/// A local header.
pub(super) fn local(bytes: &[u8], at: u64) -> Option<Entry<'_>> {
    let head = slice(bytes, at, 30)?;
    if !head.starts_with(LOCAL) {
        return None;
    }
    let name_bytes = u64::from(u16_le(head, 26)?);
    let extra_bytes = u64::from(u16_le(head, 28)?);
    let name = slice(bytes, at + 30, name_bytes)?;
    let extra = slice(bytes, at + 30 + name_bytes, extra_bytes)?;
    let mut entry = Entry {
        at,
        flags: u16_le(head, 6)?,
        method: u16_le(head, 8)?,
        crc: u32_le(head, 14)?,
        packed: u64::from(u32_le(head, 18)?),
        size: u64::from(u32_le(head, 22)?),
        name,
        target: at + 30 + name_bytes + extra_bytes,
        end: at + 30 + name_bytes + extra_bytes,
        ..Entry::default()
    };
    let Entry { size, packed, .. } = &mut entry;
    zip64(extra, &mut [size, packed]);
    Some(entry)
}

/// A central header.
pub(super) fn central(bytes: &[u8], at: u64) -> Option<Entry<'_>> {
    let head = slice(bytes, at, 46)?;
    if !head.starts_with(CENTRAL) {
        return None;
    }
    let name_bytes = u64::from(u16_le(head, 28)?);
    let extra_bytes = u64::from(u16_le(head, 30)?);
    let comment_bytes = u64::from(u16_le(head, 32)?);
    let extra = slice(bytes, at + 46 + name_bytes, extra_bytes)?;
    let is_unix = head[5] == 3 || head[5] == 19;
    let mut entry = Entry {
        at,
        flags: u16_le(head, 8)?,
        method: u16_le(head, 10)?,
        crc: u32_le(head, 16)?,
        packed: u64::from(u32_le(head, 20)?),
        size: u64::from(u32_le(head, 24)?),
        name: slice(bytes, at + 46, name_bytes)?,
        comment: slice(bytes, at + 46 + name_bytes + extra_bytes, comment_bytes)?,
        target: u64::from(u32_le(head, 42)?),
        mode: if is_unix { u32_le(head, 38)? >> 16 } else { 0 },
        end: at + 46 + name_bytes + extra_bytes + comment_bytes,
    };
    let Entry { size, packed, target, .. } = &mut entry;
    zip64(extra, &mut [size, packed, target]);
    Some(entry)
}

/// Replaces those of the numbers that say "see the extra field" (APPNOTE 4.5.3).
fn zip64(extra: &[u8], numbers: &mut [&mut u64]) {
    let mut at = 0;
    while let (Some(id), Some(length)) = (u16_le(extra, at), u16_le(extra, at + 2)) {
        let length = usize::from(length);
        if id == 1 {
            let Some(field) = extra.get(at + 4..at + 4 + length) else { return };
            let mut used = 0;
            for number in numbers {
                if **number == u64::from(u32::MAX) {
                    let Some(value) = u64_le(field, used) else { return };
                    **number = value;
                    used += 8;
                }
            }
            return;
        }
        at += 4 + length;
    }
}

/// The end record that readers find: the last one. `strict` wants it to reach exactly to the end of the bytes.
pub(super) fn end(bytes: &[u8], strict: bool) -> Option<End<'_>> {
    let from = bytes.len().saturating_sub(END_SEARCH_BYTES);
    let mut search = &bytes[from..];
    while let Some(at) = memchr::memmem::rfind(search, END) {
        let end = end_at(bytes, from + at).filter(|end| !strict || end.end == bytes.len() as u64);
        if end.is_some() {
            return end;
        }
        search = &search[..at];
    }
    None
}

/// Whether another end record stands before `at`, within what readers search.
pub(super) fn another_end(bytes: &[u8], at: u64) -> Option<u64> {
    let from = bytes.len().saturating_sub(END_SEARCH_BYTES);
    let until = usize::try_from(at).ok()?;
    let found = memchr::memmem::rfind(bytes.get(from..until)?, END)? + from;
    end_at(bytes, found).map(|_| found as u64)
}

fn end_at(bytes: &[u8], at: usize) -> Option<End<'_>> {
    let head = bytes.get(at..at + END_BYTES)?;
    let comment_bytes = usize::from(u16_le(head, 20)?).min(bytes.len() - at - END_BYTES);
    let mut end = End {
        at: at as u64,
        entries: u64::from(u16_le(head, 10)?),
        directory_bytes: u64::from(u32_le(head, 12)?),
        directory: u64::from(u32_le(head, 16)?),
        comment: &bytes[at + END_BYTES..at + END_BYTES + comment_bytes],
        end: (at + END_BYTES + comment_bytes) as u64,
        prefix: 0,
    };
    if let Some(wide) = at.checked_sub(20).and_then(|locator| end_64(bytes, locator)) {
        end = End { comment: end.comment, end: end.end, ..wide };
    }
    // The directory stands right before the end record; the offset that is stated misses what was put before it all.
    let start = end.at.checked_sub(end.directory_bytes)?;
    let is_directory = |at: u64| slice(bytes, at, 4) == Some(CENTRAL) || end.entries == 0;
    if is_directory(start) {
        end.prefix = start.checked_sub(end.directory)?;
        end.directory = start;
    } else if !is_directory(end.directory) {
        return None;
    }
    Some(end)
}

fn end_64(bytes: &[u8], locator: usize) -> Option<End<'static>> {
    if !bytes.get(locator..)?.starts_with(LOCATOR_64) {
        return None;
    }
    let stated = usize::try_from(u64_le(bytes, locator + 8)?).ok()?;
    let is_end = |at: usize| bytes.get(at..).is_some_and(|rest| rest.starts_with(END_64));
    // With bytes put before the archive the record is not where it says, but it is right before its locator.
    let at = if is_end(stated) { stated } else { locator.checked_sub(56).filter(|at| is_end(*at))? };
    Some(End {
        at: at as u64,
        entries: u64_le(bytes, at + 32)?,
        directory_bytes: u64_le(bytes, at + 40)?,
        directory: u64_le(bytes, at + 48)?,
        ..End::default()
    })
}
