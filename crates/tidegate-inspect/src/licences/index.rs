//! The texts of the SPDX list as the build script has written them: read where they lie, nothing is built at a start.

use super::words::UNKNOWN;

/// One text, of one licence or of several that it does not tell apart.
#[derive(Debug)]
pub(crate) struct Text {
    /// Their identifiers.
    pub(crate) ids: &'static [&'static str],
    start: usize,
    length: usize,
    /// Shingles of it that the index has.
    pub(crate) indexed: u32,
}

include!(concat!(env!("OUT_DIR"), "/licence_texts.rs"));

static WORDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/licence_words.bin"));
static SEQUENCES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/licence_sequences.bin"));
static KEYS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/licence_keys.bin"));
static VALUES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/licence_values.bin"));

impl Text {
    /// Its words, by their numbers.
    pub(crate) fn words(&self) -> impl Iterator<Item = u16> {
        let bytes = SEQUENCES.get(2 * self.start..2 * (self.start + self.length)).unwrap_or_default();
        bytes.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes))
    }
}

/// All texts, by their first identifier.
pub(crate) fn texts() -> &'static [Text] {
    TEXTS
}

/// The number of a word; [`UNKNOWN`] where no text has it.
pub(crate) fn word(hash: u32) -> u16 {
    find(WORDS, hash).ok().and_then(|at| u16::try_from(at).ok()).unwrap_or(UNKNOWN)
}

/// The texts that hold a shingle, by their place in [`texts`].
pub(crate) fn holding(digest: u32) -> impl Iterator<Item = u16> {
    // Equal keys lie side by side; the search ends at any of them.
    let (keys, values) = (KEYS.as_chunks::<4>().0, VALUES.as_chunks::<2>().0);
    let first = keys.partition_point(|key| u32::from_le_bytes(*key) < digest);
    let is_it = move |(key, _): &(&[u8; 4], &[u8; 2])| u32::from_le_bytes(**key) == digest;
    keys.iter().zip(values).skip(first).take_while(is_it).map(|(_, value)| u16::from_le_bytes(*value))
}

fn find(table: &[u8], hash: u32) -> Result<usize, usize> {
    table.as_chunks::<4>().0.binary_search_by_key(&hash, |bytes| u32::from_le_bytes(*bytes))
}
