//! Numbers at places of a slice, where a place outside is `None`, never a panic; and slices larger than memory may be, read
//! in parts.

use std::ops::Range;

use aho_corasick::{AhoCorasick, PatternID};

/// `len` bytes at `at`.
pub(crate) fn slice(bytes: &[u8], at: u64, len: u64) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    let end = usize::try_from(at.checked_add(len)?).ok()?;
    bytes.get(start..end)
}

/// What is left from `at` on; nothing if that is outside.
pub(crate) fn from(bytes: &[u8], at: u64) -> &[u8] {
    usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Little-endian 16 bits.
pub(crate) fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// Little-endian 32 bits.
pub(crate) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// Little-endian 64 bits.
pub(crate) fn u64_le(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// Big-endian 32 bits.
pub(crate) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// Bytes that are read in one go: gigabytes of a mapped file would all be in memory for a moment.
const READ_BYTES: usize = 8 << 20;

/// Gives memory back once a large part was read. Asking costs a call to the system, which small parts need not pay.
fn relieve_after(part: &[u8]) {
    if part.len() >= READ_BYTES {
        tidegate_sys::residency::relieve();
    }
}

/// The CRC-32 of zip, gzip, PNG and 7z.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    for chunk in bytes.chunks(READ_BYTES) {
        crc.update(chunk);
        relieve_after(chunk);
    }
    crc.sum()
}

/// Whether all bytes are zero.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(READ_BYTES).all(|chunk| {
        let is_zero = chunk.iter().all(|&b| b == 0);
        relieve_after(chunk);
        is_zero
    })
}

/// Every match of an automaton, also those that lie in others: which pattern, and where.
pub(crate) fn matches<'a>(
    automaton: &'a AhoCorasick,
    bytes: &'a [u8],
) -> impl Iterator<Item = (PatternID, Range<usize>)> {
    matches_by(automaton, bytes, READ_BYTES)
}

fn matches_by<'a>(
    automaton: &'a AhoCorasick,
    bytes: &'a [u8],
    part: usize,
) -> impl Iterator<Item = (PatternID, Range<usize>)> {
    // Each part reaches so far into the next that whatever begins in it ends in it.
    let overlap = automaton.max_pattern_len();
    (0..bytes.len()).step_by(part).flat_map(move |from| {
        let next = from.saturating_add(part);
        let until = next.saturating_add(overlap).min(bytes.len());
        relieve_after(&bytes[..from]);
        automaton
            .find_overlapping_iter(&bytes[from..until])
            .map(move |found| (found.pattern(), found.start() + from..found.end() + from))
            .filter(move |(_, span)| span.start < next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_any_size_hold_the_same_matches_once() {
        let automaton = AhoCorasick::new(["ab", "abab", "b", "babb"]).unwrap();
        let text = b"xababbabxxbabbaabab";
        let mut whole: Vec<_> =
            automaton.find_overlapping_iter(text).map(|found| (found.pattern(), found.range())).collect();
        whole.sort_by_key(|(pattern, span)| (span.start, *pattern));
        for part in 1..text.len() + 2 {
            let mut parts: Vec<_> = matches_by(&automaton, text, part).collect();
            parts.sort_by_key(|(pattern, span)| (span.start, *pattern));
            assert_eq!(parts, whole, "in parts of {part} bytes");
        }
    }
}
