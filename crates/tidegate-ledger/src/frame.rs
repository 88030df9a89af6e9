//! How entries lie in a segment file: a header, then frames, each with its own check sum and chained to the one before.
//!
//! Pure functions over bytes, so that recovery, the reader, an offline verifier and a fuzzer share one parser. All
//! integers are little-endian.
//!
//! ```text
//! segment header, 100 bytes             frame, 56 bytes and the entry
//!   0  8  "tgledger"                      0  4  length of the entry, 1 to 65,535
//!   8  2  version, 1                      4  4  CRC-32C of the frame without these four bytes
//!  10  2  flags                           8  8  sequence number
//!  12  1  length of the node name        16  8  all entries up to this number were durable when this was written
//!  13  3  zero                           24 32  running digest
//!  16 32  node name, padded with zeros   56  …  the entry: one JSON object, no line breaks
//!  48  8  first sequence number
//!  56  8  first number of the segment before, 0 for none
//!  64 32  running digest before the first entry
//!  96  4  CRC-32C of the 96 bytes before
//! ```
//!
//! The running digest is `SHA-256(digest before ‖ entry)`. It begins at `SHA-256("tidegate-ledger/v1" ‖ 0 ‖ node)`.

use sha2::{Digest as _, Sha256};

use crate::NodeId;
use crate::entry::MAX_ENTRY_BYTES;

/// Length of a segment's header, in bytes.
pub const SEGMENT_HEADER_BYTES: usize = 100;
/// Length of what stands before an entry, in bytes.
pub const FRAME_HEADER_BYTES: usize = 56;
/// The version of the segment layout that this program writes and reads.
pub const SEGMENT_VERSION: u16 = 1;

const MAGIC: &[u8; 8] = b"tgledger";
const SUPERSEDES: u16 = 1;

/// A running digest: commits to every entry up to a point.
pub type Running = [u8; 32];

/// The running digest before a node's first entry.
pub fn chain_start(node: &NodeId) -> Running {
    Sha256::new()
        .chain_update(b"tidegate-ledger/v1")
        .chain_update([0])
        .chain_update(node.as_str().as_bytes())
        .finalize()
        .into()
}

/// The running digest after `json`.
pub fn chain(before: &Running, json: &[u8]) -> Running {
    Sha256::new().chain_update(before).chain_update(json).finalize().into()
}

/// What a segment says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The node that wrote it.
    pub node: NodeId,
    /// Number of its first entry.
    pub first: u64,
    /// Number of the first entry of the segment before; 0 where this is the node's first segment.
    pub previous_first: u64,
    /// Running digest before the first entry.
    pub running: Running,
    /// Whether it repeats what stood unsynced at the end of the segment before, after a sync of that one failed. What
    /// the earlier segment holds from [`SegmentHeader::first`] on is then void.
    pub supersedes: bool,
}

/// Bytes that are not the header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Fewer bytes than a header has.
    #[error("the segment header is cut short")]
    Short,
    /// It does not begin as segments do.
    #[error("the file does not begin as a ledger segment")]
    Magic,
    /// Written by a later program.
    #[error("the segment has version {0}, this program reads version 1: use the newer program")]
    Version(u16),
    /// The check sum does not fit.
    #[error("the segment header does not pass its check sum")]
    Crc,
    /// The check sum fits and the content makes no sense.
    #[error("the segment header names no node or no first entry")]
    Content,
}

impl SegmentHeader {
    /// The header as it stands in the file.
    pub fn to_bytes(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        let name = self.node.as_str().as_bytes();
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&SEGMENT_VERSION.to_le_bytes());
        bytes[10..12].copy_from_slice(&(if self.supersedes { SUPERSEDES } else { 0 }).to_le_bytes());
        bytes[12] = u8::try_from(name.len()).expect("a node name has at most 32 bytes");
        bytes[16..16 + name.len()].copy_from_slice(name);
        bytes[48..56].copy_from_slice(&self.first.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.previous_first.to_le_bytes());
        bytes[64..96].copy_from_slice(&self.running);
        let crc = crc32c::crc32c(&bytes[..96]);
        bytes[96..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header at the beginning of `bytes`.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let bytes = bytes.get(..SEGMENT_HEADER_BYTES).ok_or(HeaderError::Short)?;
        if &bytes[..8] != MAGIC {
            return Err(HeaderError::Magic);
        }
        let version = u16::from_le_bytes(array(&bytes[8..10]));
        if version > SEGMENT_VERSION {
            return Err(HeaderError::Version(version));
        }
        if crc32c::crc32c(&bytes[..96]) != u32::from_le_bytes(array(&bytes[96..])) {
            return Err(HeaderError::Crc);
        }
        let name = bytes.get(16..16 + usize::from(bytes[12]).min(32)).ok_or(HeaderError::Content)?;
        let node = std::str::from_utf8(name).ok().and_then(|n| n.parse().ok()).ok_or(HeaderError::Content)?;
        let first = u64::from_le_bytes(array(&bytes[48..56]));
        if first == 0 || version == 0 {
            return Err(HeaderError::Content);
        }
        Ok(Self {
            node,
            first,
            previous_first: u64::from_le_bytes(array(&bytes[56..64])),
            running: array(&bytes[64..96]),
            supersedes: u16::from_le_bytes(array(&bytes[10..12])) & SUPERSEDES != 0,
        })
    }
}

/// One entry as it lies in a segment. Its check sum fits; whether it continues the chain is for the caller to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its number.
    pub seq: u64,
    /// All entries up to this number were durable when it was written.
    pub synced: u64,
    /// Running digest after it.
    pub running: Running,
    /// The entry.
    pub json: &'a [u8],
}

impl Frame<'_> {
    /// Bytes that it takes in the file.
    pub const fn file_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.json.len()
    }
}

/// Bytes that are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes end within the frame.
    #[error("the entry is cut short")]
    Short,
    /// A length that no entry has.
    #[error("no entry has a length of {0} bytes")]
    Length(u32),
    /// The check sum does not fit.
    #[error("the entry does not pass its check sum")]
    Crc,
}

/// Reads the frame at the beginning of `bytes`.
///
/// # Errors
/// See [`FrameError`].
pub fn parse_frame(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let header = bytes.get(..FRAME_HEADER_BYTES).ok_or(FrameError::Short)?;
    let length = u32::from_le_bytes(array(&header[..4]));
    let len = usize::try_from(length).unwrap_or(usize::MAX);
    if len == 0 || len > MAX_ENTRY_BYTES {
        return Err(FrameError::Length(length));
    }
    let json = bytes.get(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + len).ok_or(FrameError::Short)?;
    if frame_crc(&bytes[..FRAME_HEADER_BYTES + len]) != u32::from_le_bytes(array(&header[4..8])) {
        return Err(FrameError::Crc);
    }
    Ok(Frame {
        seq: u64::from_le_bytes(array(&header[8..16])),
        synced: u64::from_le_bytes(array(&header[16..24])),
        running: array(&header[24..56]),
        json,
    })
}

/// Fills in the header of a frame whose first [`FRAME_HEADER_BYTES`] were left free before the entry.
///
/// Returns the running digest after it.
pub fn finish_frame(frame: &mut [u8], seq: u64, synced: u64, before: &Running) -> Running {
    let (header, json) = frame.split_at_mut(FRAME_HEADER_BYTES);
    debug_assert!((1..=MAX_ENTRY_BYTES).contains(&json.len()), "INVARIANT: an entry has a bounded length");
    let running = chain(before, json);
    let length = u32::try_from(json.len()).expect("an entry is shorter than 64 KiB");
    header[..4].copy_from_slice(&length.to_le_bytes());
    header[8..16].copy_from_slice(&seq.to_le_bytes());
    header[16..24].copy_from_slice(&synced.to_le_bytes());
    header[24..56].copy_from_slice(&running);
    let crc = frame_crc(frame);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
    running
}

fn frame_crc(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[8..])
}

fn array<const N: usize>(slice: &[u8]) -> [u8; N] {
    slice.try_into().expect("the caller cut a slice of the array's length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            node: "n1".parse().unwrap(),
            first: 7,
            previous_first: 1,
            running: [3; 32],
            supersedes: true,
        }
    }

    fn frame(json: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; FRAME_HEADER_BYTES];
        frame.extend_from_slice(json);
        finish_frame(&mut frame, 9, 8, &[1; 32]);
        frame
    }

    #[test]
    fn headers_round_trip_and_every_flipped_bit_is_seen() {
        let bytes = header().to_bytes();
        assert_eq!(SegmentHeader::parse(&bytes).unwrap(), header());
        assert_eq!(SegmentHeader::parse(&bytes[..99]), Err(HeaderError::Short));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::parse(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn frames_round_trip_and_every_flipped_bit_is_seen() {
        let bytes = frame(b"{\"v\":1}");
        let parsed = parse_frame(&bytes).unwrap();
        assert_eq!((parsed.seq, parsed.synced, parsed.json), (9, 8, &b"{\"v\":1}"[..]));
        assert_eq!(parsed.running, chain(&[1; 32], parsed.json));
        assert_eq!(parsed.file_bytes(), bytes.len());
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(parse_frame(&flipped).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(parse_frame(&bytes[..cut]), Err(FrameError::Short));
        }
    }
}
