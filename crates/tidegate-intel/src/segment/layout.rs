//! Where everything stands in a segment of advisories.
//!
//! ```text
//! meta       JSON: feed, times, digest of the source, counts
//! strings    texts, each once                     keys       version keys, each once
//! names      sorted (ecosystem, name) -> rows of `affected`
//! affected   one package of one advisory          intervals  its ranges        listed   its versions
//! records    one advisory, sorted by id           lists      ids and ratings of records
//! aliases    sorted (id, record)                  removed    ids that the feed no longer has
//! blocks     index of the text                    text       zstd blocks of the records as delivered (checked each)
//! ```

use super::container::SectionId;

pub(super) const META: SectionId = SectionId::checked(1, "description");
pub(super) const STRINGS: SectionId = SectionId::checked(2, "texts");
pub(super) const KEYS: SectionId = SectionId::checked(3, "version keys");
pub(super) const NAMES: SectionId = SectionId::checked(4, "names");
pub(super) const AFFECTED: SectionId = SectionId::checked(5, "affected packages");
pub(super) const INTERVALS: SectionId = SectionId::checked(6, "version ranges");
pub(super) const LISTED: SectionId = SectionId::checked(7, "listed versions");
pub(super) const RECORDS: SectionId = SectionId::checked(8, "records");
pub(super) const LISTS: SectionId = SectionId::checked(9, "lists");
pub(super) const ALIASES: SectionId = SectionId::checked(10, "aliases");
pub(super) const REMOVED: SectionId = SectionId::checked(11, "removed ids");
pub(super) const BLOCKS: SectionId = SectionId::checked(12, "text index");
pub(super) const TEXT: SectionId = SectionId { number: 13, name: "text", checked: false };

/// No string, no key.
pub(super) const NONE: u32 = u32::MAX;

/// No time.
pub(super) const NO_TIME: i64 = i64::MIN;

/// ecosystem, name, first row of `affected`, number of rows.
pub(super) const NAME_BYTES: usize = 16;
/// record, suffix, first interval, intervals, first listed, listed, flags.
pub(super) const AFFECTED_BYTES: usize = 28;
/// lower key, lower text, upper key, upper text, flags.
pub(super) const INTERVAL_BYTES: usize = 20;
/// key, text.
pub(super) const LISTED_BYTES: usize = 8;
/// See [`super::read::RecordRow`].
pub(super) const RECORD_BYTES: usize = 80;
/// id, record.
pub(super) const ALIAS_BYTES: usize = 8;
/// offset (8), packed length, unpacked length, checksum.
pub(super) const BLOCK_BYTES: usize = 20;

/// Flags of `affected`; the order's code stands in the second byte.
pub(super) const NOT_UNDERSTOOD: u32 = 1;
pub(super) const ORDER_SHIFT: u32 = 8;

/// Flags of `intervals`.
pub(super) const UPPER_INCLUSIVE: u32 = 1;
pub(super) const UPPER_IS_FIX: u32 = 2;

/// Records are packed together until a block holds this many bytes.
pub(super) const BLOCK_TARGET_BYTES: usize = 64 << 10;

/// The compression of text. Higher levels cost more at import than they save.
pub(super) const TEXT_LEVEL: i32 = 3;
