//! Reads entries back in order, also while the recorder writes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_sys::disk::Disk;

use crate::frame::{FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, parse_frame};
use crate::recorder::Published;
use crate::recover::{OpenError, Segment, scan, segment_path};

/// How much is read at once, in bytes. Longer than the longest frame.
const CHUNK_BYTES: usize = 1 << 20;

/// One entry with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFrame {
    /// Its number.
    pub seq: u64,
    /// Where its frame begins in its segment, in bytes.
    pub offset: u64,
    /// The entry, for [`crate::Entry::parse`].
    pub json: Vec<u8>,
}

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk refused.
    #[error("cannot read `{}`", path.display())]
    Disk {
        /// Which segment.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// What was read is not the entry that was written.
    #[error("`{}` is damaged at byte {offset}: {what}", path.display())]
    Damaged {
        /// Which segment.
        path: PathBuf,
        /// At which byte.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The entry asked for is older than the oldest kept.
    #[error("entry {asked} is not kept any more, the oldest is {oldest}")]
    TooOld {
        /// Where reading should begin.
        asked: u64,
        /// The oldest entry that is kept.
        oldest: u64,
    },
}

enum Source {
    Live(Arc<Published>),
    Fixed(Vec<Segment>),
}

/// Iterates over the durable entries from a number on.
///
/// `None` means that there is nothing more *yet*: after the recorder has written on, the same reader goes on. An entry
/// that was answered in mode `batched` appears once it is durable. After an error the reader stays where it was.
pub struct Reader {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    source: Source,
    next_seq: u64,
    /// First number of the segment being read.
    segment: Option<u64>,
    /// Offset of `chunk[at]` in the segment.
    offset: u64,
    chunk: Vec<u8>,
    at: usize,
}

impl Reader {
    pub(crate) fn live(disk: Arc<dyn Disk>, dir: PathBuf, published: Arc<Published>, from: u64) -> Self {
        Self::new(disk, dir, Source::Live(published), from)
    }

    /// Reads a ledger that no recorder of this process has open; only what stands there now.
    ///
    /// # Errors
    /// A ledger that is damaged, see [`crate::verify()`].
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, from: u64) -> Result<Self, OpenError> {
        let segments = scan(&*disk, dir, None, usize::MAX)?.segments;
        Ok(Self::fixed(disk, dir, segments, from))
    }

    /// Reads segments that were checked already.
    pub(crate) fn fixed(disk: Arc<dyn Disk>, dir: &Path, segments: Vec<Segment>, from: u64) -> Self {
        Self::new(disk, dir.to_owned(), Source::Fixed(segments), from)
    }

    fn new(disk: Arc<dyn Disk>, dir: PathBuf, source: Source, from: u64) -> Self {
        let next_seq = from.max(1);
        Self { disk, dir, source, next_seq, segment: None, offset: 0, chunk: Vec::new(), at: 0 }
    }

    /// Number of the entry that comes next.
    pub const fn position(&self) -> u64 {
        self.next_seq
    }

    fn read_next(&mut self) -> Result<Option<EntryFrame>, ReadError> {
        loop {
            let Some((segment, follows)) = self.place()? else { return Ok(None) };
            if self.segment != Some(segment.first) {
                self.segment = Some(segment.first);
                self.offset = SEGMENT_HEADER_BYTES as u64;
                self.chunk.clear();
                self.at = 0;
            }
            let Some((seq, offset, json)) = self.frame(&segment)? else {
                if follows {
                    let path = segment_path(&self.dir, segment.first);
                    let what = format!("it ends before entry {}", self.next_seq);
                    return Err(ReadError::Damaged { path, offset: self.offset, what });
                }
                return Ok(None);
            };
            if seq < self.next_seq {
                continue;
            }
            self.next_seq = seq + 1;
            return Ok(Some(EntryFrame { seq, offset, json }));
        }
    }

    /// The segment that holds the next entry, and whether another one follows it.
    fn place(&self) -> Result<Option<(Segment, bool)>, ReadError> {
        let pick = |segments: &[Segment]| {
            let after = segments.partition_point(|s| s.first <= self.next_seq);
            match (after.checked_sub(1), segments.first()) {
                (Some(i), _) => Ok(Some((segments[i].clone(), after < segments.len()))),
                (None, Some(oldest)) => Err(ReadError::TooOld { asked: self.next_seq, oldest: oldest.first }),
                (None, None) => Ok(None),
            }
        };
        match &self.source {
            Source::Live(published) => pick(&published.lock().segments),
            Source::Fixed(segments) => pick(segments),
        }
    }

    /// The frame at the current offset, if the segment goes on.
    fn frame(&mut self, segment: &Segment) -> Result<Option<(u64, u64, Vec<u8>)>, ReadError> {
        if self.offset >= segment.end {
            return Ok(None);
        }
        let path = segment_path(&self.dir, segment.first);
        for refill in [false, true] {
            if refill {
                let left = usize::try_from(segment.end - self.offset).unwrap_or(usize::MAX);
                self.chunk = self
                    .disk
                    .read_range(&path, self.offset, left.min(CHUNK_BYTES))
                    .map_err(|source| ReadError::Disk { path: path.clone(), source })?;
                self.at = 0;
            }
            match parse_frame(&self.chunk[self.at..]) {
                Ok(frame) => {
                    // The bytes before a wanted entry are passed over, but their numbers must still be plausible.
                    let (seq, offset, bytes) = (frame.seq, self.offset, frame.file_bytes());
                    if seq > self.next_seq {
                        let what = format!("entry {} should stand here, found {seq}", self.next_seq);
                        return Err(ReadError::Damaged { path, offset, what });
                    }
                    let json = if seq < self.next_seq { Vec::new() } else { frame.json.to_vec() };
                    self.at += bytes;
                    self.offset += bytes as u64;
                    return Ok(Some((seq, offset, json)));
                }
                Err(e) if refill => {
                    return Err(ReadError::Damaged { path, offset: self.offset, what: e.to_string() });
                }
                Err(_) => {}
            }
        }
        Ok(None)
    }
}

impl Iterator for Reader {
    type Item = Result<EntryFrame, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_next().transpose()
    }
}

const _: () = assert!(CHUNK_BYTES > FRAME_HEADER_BYTES + crate::entry::MAX_ENTRY_BYTES);
