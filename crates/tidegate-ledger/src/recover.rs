//! Checks a ledger on disk: for the recorder before it writes, and for an auditor without a server.
//!
//! A power cut leaves entries half written at the end of the *last* segment, and only there: a segment is synced before
//! the next one gets its name. Such a torn end is cut off, and none of it was ever durable. Everything else that is not as
//! it was written is damage; it is reported with its file and offset and never repaired by leaving something out.
//!
//! Telling the two apart in the last segment: every frame says up to which number all entries were durable when it was
//! written. A broken frame with a number up to which a later frame vouches is damage. One that nobody vouches for is torn
//! where it ends with the file, or where a block of it reads as the zeros of a block that never reached the disk;
//! otherwise it is damage too.

use std::io;
use std::path::{Path, PathBuf};

use tidegate_sys::disk::Disk;

use crate::NodeId;
use crate::frame::{
    FRAME_HEADER_BYTES, Frame, FrameError, HeaderError, Running, SEGMENT_HEADER_BYTES, SegmentHeader, chain,
    chain_start, parse_frame,
};

/// What disks write as a whole, in bytes.
const SECTOR_BYTES: usize = 512;
/// How much zero-padded text a sequence number takes in a file name.
const NAME_DIGITS: usize = 20;

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk refused an operation.
    #[error("{doing} `{}`", path.display())]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Something is not as it was written.
    #[error(transparent)]
    Damaged(Damage),
    /// The directory belongs to another node.
    #[error("`{}` is the ledger of node `{found}`, not of `{expected}`: give this node its own directory", path.display())]
    OtherNode {
        /// The segment that says so.
        path: PathBuf,
        /// The node asked for.
        expected: NodeId,
        /// The node found.
        found: NodeId,
    },
    /// A later program wrote it.
    #[error("cannot read `{}`", path.display())]
    Newer {
        /// Which segment.
        path: PathBuf,
        /// Which version it has.
        source: HeaderError,
    },
    /// The thread that syncs could not be started.
    #[error("cannot start the thread that syncs the ledger")]
    Thread(#[source] io::Error),
}

impl OpenError {
    pub(crate) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk { doing, path, source }
    }
}

/// A place where the ledger is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the ledger is damaged in `{}` at byte {offset}: {what}; nothing was changed: put back an intact copy of the file, or move the ledger's directory away and keep it as evidence",
    path.display()
)]
pub struct Damage {
    /// In which file.
    pub path: PathBuf,
    /// At which byte of it.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
}

/// What the recorder found when it opened its ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Number of the oldest entry; 0 for an empty ledger.
    pub first_seq: u64,
    /// Number of the newest entry; 0 for an empty ledger.
    pub last_seq: u64,
    /// Segments found.
    pub segments: usize,
    /// Of those, how many were checked entry by entry; of the older ones only the headers were.
    pub verified_segments: usize,
    /// Bytes of entries that were being written when the node died, now cut off.
    pub torn_bytes: u64,
}

/// What a whole ledger holds; every entry was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The node that wrote it; none for an empty ledger.
    pub node: Option<NodeId>,
    /// Number of the oldest entry; 0 for an empty ledger.
    pub first_seq: u64,
    /// Number of the newest entry; 0 for an empty ledger.
    pub last_seq: u64,
    /// Segments found.
    pub segments: usize,
    /// Running digest after the newest entry: commits to the whole ledger.
    pub running: Running,
    /// Bytes at the end that are no whole entry: being written just now, or torn.
    pub torn_bytes: u64,
}

/// Checks every entry of the ledger in `dir` without changing anything.
///
/// # Errors
/// Damage, with its file and offset; what the disk refuses.
pub fn verify(disk: &dyn Disk, dir: &Path) -> Result<Summary, OpenError> {
    let found = scan(disk, dir, None, usize::MAX)?;
    Ok(Summary {
        node: found.node,
        first_seq: if found.next_seq > found.first_seq { found.first_seq } else { 0 },
        last_seq: found.next_seq - 1,
        segments: found.segments.len(),
        running: found.running,
        torn_bytes: found.torn_bytes,
    })
}

/// One segment file and how much of it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) first: u64,
    /// Offset after its last entry that counts.
    pub(crate) end: u64,
}

/// The file of the segment that begins with `first`.
pub(crate) fn segment_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("segment-{first:0width$}.tgl", width = NAME_DIGITS))
}

fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("segment-")?.strip_suffix(".tgl")?;
    (digits.len() == NAME_DIGITS).then(|| digits.parse().ok())?
}

/// What stands in a ledger's directory.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) node: Option<NodeId>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) first_seq: u64,
    pub(crate) next_seq: u64,
    /// Running digest after the newest entry.
    pub(crate) running: Running,
    pub(crate) verified: usize,
    /// Bytes to cut off the last segment.
    pub(crate) torn_bytes: u64,
    /// A last segment whose header never reached the disk.
    pub(crate) torn_segment: Option<PathBuf>,
    /// Files that were being made when the node died.
    pub(crate) leftovers: Vec<PathBuf>,
}

/// Reads the directory; the last `verify_last` segments entry by entry, of the others the headers.
pub(crate) fn scan(
    disk: &dyn Disk,
    dir: &Path,
    node: Option<&NodeId>,
    verify_last: usize,
) -> Result<Scan, OpenError> {
    let (mut files, leftovers) = list(disk, dir)?;
    let mut found = Scan {
        node: node.cloned(),
        segments: Vec::new(),
        first_seq: 1,
        next_seq: 1,
        running: [0; 32],
        verified: 0,
        torn_bytes: 0,
        torn_segment: None,
        leftovers,
    };
    if let Some(path) = torn_last_header(disk, dir, &files)? {
        let bytes = disk.read(&path).map_err(OpenError::disk("cannot read", &path))?;
        found.torn_bytes = bytes.len() as u64;
        found.torn_segment = Some(path);
        files.pop();
    }
    let headers = read_headers(disk, dir, &files, node)?;
    match headers.first() {
        Some(oldest) => {
            found.node = Some(oldest.node.clone());
            (found.first_seq, found.running) = (oldest.first, oldest.running);
        }
        None => found.running = node.map_or([0; 32], chain_start),
    }
    let unverified = headers.len().saturating_sub(verify_last.max(1));
    for (i, header) in headers.iter().enumerate() {
        let next = headers.get(i + 1);
        let path = segment_path(dir, header.first);
        let end = match next {
            Some(next) if i < unverified => {
                found.running = next.running;
                found.next_seq = next.first;
                // Where it was superseded, the reader stops at the number instead.
                files[i].end
            }
            _ => {
                found.verified += 1;
                check_segment(disk, &path, header, next, &mut found)?
            }
        };
        found.segments.push(Segment { first: header.first, end });
    }
    Ok(found)
}

/// The segment files in order with their lengths, and files that never became segments.
fn list(disk: &dyn Disk, dir: &Path) -> Result<(Vec<Segment>, Vec<PathBuf>), OpenError> {
    let mut files = Vec::new();
    let mut leftovers = Vec::new();
    for entry in disk.list(dir).map_err(OpenError::disk("cannot list the ledger's directory", dir))? {
        if let Some(first) = segment_first(&entry.name) {
            files.push(Segment { first, end: entry.len });
        } else if entry.name.ends_with(".new") {
            leftovers.push(dir.join(&entry.name));
        }
    }
    files.sort_unstable_by_key(|file| file.first);
    Ok((files, leftovers))
}

/// The last segment, where its header was being written when the node died: nothing in it can have been durable.
fn torn_last_header(disk: &dyn Disk, dir: &Path, files: &[Segment]) -> Result<Option<PathBuf>, OpenError> {
    let Some(&Segment { first: last, .. }) = files.last() else { return Ok(None) };
    let path = segment_path(dir, last);
    let start =
        disk.read_range(&path, 0, SEGMENT_HEADER_BYTES).map_err(OpenError::disk("cannot read", &path))?;
    match SegmentHeader::parse(&start) {
        Ok(_) | Err(HeaderError::Version(_)) => return Ok(None),
        Err(HeaderError::Short) => return Ok(Some(path)),
        Err(HeaderError::Magic | HeaderError::Crc | HeaderError::Content) => {}
    }
    // The header lies in one sector, whose unwritten rest reads as zeros.
    if start.last() != Some(&0) {
        return Ok(None);
    }
    let bytes = disk.read(&path).map_err(OpenError::disk("cannot read", &path))?;
    let durable = vouched_through(&bytes, SEGMENT_HEADER_BYTES, last);
    Ok(durable.is_none_or(|seq| seq < last).then_some(path))
}

fn read_headers(
    disk: &dyn Disk,
    dir: &Path,
    files: &[Segment],
    node: Option<&NodeId>,
) -> Result<Vec<SegmentHeader>, OpenError> {
    let mut headers: Vec<SegmentHeader> = Vec::with_capacity(files.len());
    for &Segment { first, .. } in files {
        let path = segment_path(dir, first);
        let damage = |what: String| OpenError::Damaged(Damage { path: path.clone(), offset: 0, what });
        let start =
            disk.read_range(&path, 0, SEGMENT_HEADER_BYTES).map_err(OpenError::disk("cannot read", &path))?;
        let header = match SegmentHeader::parse(&start) {
            Ok(header) => header,
            Err(source @ HeaderError::Version(_)) => return Err(OpenError::Newer { path, source }),
            Err(e) => return Err(damage(e.to_string())),
        };
        if header.first != first {
            return Err(damage(format!("its first entry is {}, its name says {first}", header.first)));
        }
        let expected = node.or(headers.first().map(|h| &h.node));
        if let Some(expected) = expected.filter(|n| **n != header.node) {
            return Err(OpenError::OtherNode { path, expected: expected.clone(), found: header.node });
        }
        // The oldest segments may have been taken away after their time; a gap between two may not.
        if let Some(before) = headers.last().filter(|before| before.first != header.previous_first) {
            return Err(damage(format!(
                "it follows the segment that begins with entry {}, but the one before it here begins with {}",
                header.previous_first, before.first
            )));
        }
        headers.push(header);
    }
    Ok(headers)
}

/// Checks one segment entry by entry; returns the offset after its last entry that counts.
fn check_segment(
    disk: &dyn Disk,
    path: &Path,
    header: &SegmentHeader,
    next: Option<&SegmentHeader>,
    found: &mut Scan,
) -> Result<u64, OpenError> {
    let bytes = disk.read(path).map_err(OpenError::disk("cannot read", path))?;
    let damage = |offset: usize, what: String| {
        OpenError::Damaged(Damage { path: path.to_owned(), offset: offset as u64, what })
    };
    if !found.segments.is_empty() && header.running != found.running {
        return Err(damage(0, "its running digest does not continue the segment before".to_owned()));
    }
    let (mut at, mut seq, mut running) = (SEGMENT_HEADER_BYTES, header.first, header.running);
    loop {
        if next.is_some_and(|next| next.first == seq) {
            break;
        }
        if at == bytes.len() {
            match next {
                None => break,
                Some(next) => {
                    return Err(damage(at, format!("entries {seq} to {} are missing", next.first - 1)));
                }
            }
        }
        match link(&bytes[at..], seq, &running) {
            Ok(frame) => {
                at += frame.file_bytes();
                running = frame.running;
                seq += 1;
            }
            Err(_) if next.is_none() && is_torn(&bytes, at, seq) => {
                found.torn_bytes += (bytes.len() - at) as u64;
                break;
            }
            Err(broken) => return Err(damage(at, format!("entry {seq}: {broken}"))),
        }
    }
    if at < bytes.len() && next.is_some_and(|next| !next.supersedes) {
        return Err(damage(at, format!("it goes on after entry {}, where the next segment begins", seq - 1)));
    }
    (found.next_seq, found.running) = (seq, running);
    Ok(at as u64)
}

/// A frame that does not continue the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokenLink {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("the entry found here has the number {0}")]
    Seq(u64),
    #[error("the running digest does not continue the entry before")]
    Running,
}

/// The frame at the beginning of `bytes`, if it is entry `seq` after `running`.
pub(crate) fn link<'a>(bytes: &'a [u8], seq: u64, running: &Running) -> Result<Frame<'a>, BrokenLink> {
    let frame = parse_frame(bytes)?;
    if frame.seq != seq {
        return Err(BrokenLink::Seq(frame.seq));
    }
    if frame.running != chain(running, frame.json) {
        return Err(BrokenLink::Running);
    }
    Ok(frame)
}

/// Whether what stands at `at`, where entry `seq` should, is what a power cut leaves.
fn is_torn(bytes: &[u8], at: usize, seq: u64) -> bool {
    if vouched_through(bytes, at, seq).is_some_and(|durable| durable >= seq) {
        return false;
    }
    let rest = &bytes[at..];
    let whole = match parse_frame(rest) {
        Err(FrameError::Short) => return true,
        // A prefix of a length, padded with zeros, is never larger than the length.
        Err(FrameError::Length(0)) => FRAME_HEADER_BYTES.min(rest.len()),
        Err(FrameError::Crc) => {
            let len = u32::from_le_bytes(rest[..4].try_into().expect("a frame has a length"));
            FRAME_HEADER_BYTES + len as usize
        }
        Err(FrameError::Length(_)) | Ok(_) => return false,
    };
    // Entries hold no zero bytes, so a sector that ends in zero never reached the disk, or not whole.
    let end = at + whole;
    let mut from = at;
    while from < end {
        let to = end.min((from / SECTOR_BYTES + 1) * SECTOR_BYTES);
        if bytes[to - 1] == 0 {
            return true;
        }
        from = to;
    }
    false
}

/// The highest number that any whole frame after `at` vouches for; only frames numbered `seq` or later count.
fn vouched_through(bytes: &[u8], at: usize, seq: u64) -> Option<u64> {
    let mut highest = None;
    let mut from = at;
    while from + FRAME_HEADER_BYTES < bytes.len() {
        match parse_frame(&bytes[from..]) {
            Ok(frame) if frame.seq >= seq => {
                highest = highest.max(Some(frame.synced));
                from += frame.file_bytes();
            }
            _ => from += 1,
        }
    }
    highest
}
