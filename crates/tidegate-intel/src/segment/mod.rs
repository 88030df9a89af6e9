//! Segments: advisories compiled into one immutable file that is mapped and searched as it lies.
//!
//! [`container`] is the file, `layout` what stands where in it, `write` compiles, `read` opens and checks.
//! A segment is checked whole when it is opened (sums, and every number that points somewhere), so that looking things up
//! afterwards needs no errors. Only the text of records is checked when it is asked for.

pub mod container;
mod layout;
pub(crate) mod read;
mod write;

use sha2::{Digest as _, Sha256 as Hasher};
use tidegate_model::{Sha256, Timestamp};

use crate::feeds::FeedKind;

pub use container::{FORMAT_VERSION, SegmentError, TooBig, mend_checksums};
pub use read::Segment;
pub(crate) use read::{AffectedRow, RecordRow, TextCursor, hash_of_name};
pub(crate) use write::{Build, Entry, WriteError};

/// Which record it is, to the byte: the first half of its SHA-256.
pub(crate) type RecordDigest = [u8; 16];

/// The digest of a record as delivered.
pub(crate) fn record_digest(json: &[u8]) -> RecordDigest {
    Hasher::digest(json)[..16].try_into().expect("a SHA-256 is longer")
}

/// What a segment says of itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Meta {
    /// The feed it was made from.
    pub feed: String,
    /// What kind of feed.
    pub kind: FeedKind,
    /// The time that upstream states for the delivery.
    pub as_of: Option<Timestamp>,
    /// Digest of the delivery.
    pub source: Sha256,
    /// How many records there are.
    pub records: u64,
    /// How many of them are withdrawn.
    pub withdrawn: u64,
    /// Ranges that were left out because their events are not known here.
    pub ignored_ranges: u64,
    /// The make of its version keys ([`tidegate_model::version::VersionKey::FORMAT`]).
    pub keys: u32,
}
