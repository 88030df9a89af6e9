//! The single writer: gives every entry its number, writes it at once, and makes groups of entries durable together.
//!
//! [`Recorder::append`] is an ordinary function. Under one lock it numbers, encodes and chains the entry and hands it to
//! the operating system with one `write`, so a `kill -9` after it returns loses nothing. It may be called from an async
//! task: it takes microseconds, apart from the moments in which the kernel holds a write back, and from the short syncs
//! when a segment is full (every 64 MiB). That was weighed against a hand-over to another thread, which costs two
//! context switches for every response.
//!
//! A thread of its own syncs ([`syncer`]): as soon as something is not durable it syncs, and what is appended meanwhile is
//! the next group. [`Durability::wait`] resolves with the sync that covers the entry; each waiter is woken once.
//!
//! When writing fails, the part written is taken back, the caller gets an error and the next append tries again: a disk
//! that was full may have room. When *syncing* fails, the ledger refuses everything until it is mended, because after a
//! failed `fsync` the kernel may call lost pages clean, and a second `fsync` that succeeds says nothing about them.
//!
//! Under the same lock it counts ([`crate::tally`]): before the first entry of a later hour stands one that says how many of
//! which kind were recorded since the counts before. A start counts again what the newest counts do not cover.

mod group;
mod recount;
mod syncer;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tidegate_sys::disk::{Disk, DiskFile, SyncSite};

use crate::entry::{MAX_ENTRY_BYTES, Text, encode};
use crate::frame::{
    FRAME_HEADER_BYTES, Running, SEGMENT_HEADER_BYTES, SegmentHeader, chain_start, finish_frame,
};
use crate::recover::{OpenError, RecoveryReport, Scan, Segment, scan, segment_path};
use crate::tally::{Counted, Tally};
use crate::{Body, EntryDraft, NodeId, Reader, RecordId};
use tidegate_model::Timestamp;

pub use group::Durability;
use group::Group;

/// When an answer may be let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Once its entry is durable: survives a power cut.
    #[default]
    Durable,
    /// Once its entry is written: survives `kill -9`; a power cut may take the window that [`Health`] reports.
    Batched,
}

impl Mode {
    /// The word used in configuration and entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Batched => "batched",
        }
    }
}

/// Sizes and times of a recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A segment this long, in bytes, is followed by a new one. It overshoots by what is written during one sync.
    pub segment_bytes: u64,
    /// How many of the newest segments are checked entry by entry when the recorder opens; at least one. The default
    /// keeps a start below a second; [`crate::verify()`] checks them all.
    pub verify_segments: usize,
    /// How long to wait before trying again after the disk refused.
    pub retry: Duration,
    /// In mode `batched`, how long entries are gathered before a sync.
    pub batch_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            verify_segments: 4,
            retry: Duration::from_secs(1),
            batch_pause: Duration::from_millis(2),
        }
    }
}

/// Why an entry was not recorded, or not made durable. The answer it belongs to must not be completed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecordError {
    /// The entry could not be written; the next one may be.
    #[error("cannot write the record to the ledger")]
    Write(#[source] Arc<io::Error>),
    /// The entry could not be made durable.
    #[error("cannot make the record durable")]
    Sync(#[source] Arc<io::Error>),
    /// An earlier failure was not mended yet.
    #[error("the ledger takes no records until it is mended: {0}")]
    Failed(Arc<str>),
    /// The entry is longer than any may be.
    #[error("a record of {0} bytes is too long")]
    TooLong(usize),
    /// The recorder was closed.
    #[error("the ledger was closed")]
    Closed,
}

/// An entry that is written.
#[derive(Debug)]
#[must_use = "the answer may be completed only once the record is durable"]
pub struct Appended {
    /// Its number.
    pub seq: u64,
    /// Its name for everybody.
    pub record: RecordId,
    /// Resolves when it is durable.
    pub durable: Durability,
}

/// How the recorder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether entries can be recorded. If not, nothing may be served.
    pub writable: bool,
    /// Why not.
    pub why: Option<Arc<str>>,
    /// The longest that an entry was written but not durable during the last minute, or is now, in milliseconds,
    /// rounded up. In mode `batched` a power cut may take that much.
    pub unsynced_window_ms: u64,
    /// Number of the newest entry written; 0 for none.
    pub appended: u64,
    /// Number of the newest durable entry; 0 for none.
    pub durable: u64,
}

/// What readers may see: segments, each up to its last durable entry.
#[derive(Debug, Default)]
pub(crate) struct Published(Mutex<PublishedSegments>);

#[derive(Debug, Default)]
pub(crate) struct PublishedSegments {
    pub(crate) segments: Vec<Segment>,
    /// Running digest at the end of the last of them.
    running: Running,
}

impl Published {
    pub(crate) fn lock(&self) -> MutexGuard<'_, PublishedSegments> {
        lock(&self.0)
    }
}

/// Locks even after a panic elsewhere. INVARIANT: under these locks nothing that can panic stands between two changes that
/// belong together, so what is behind them stays whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the recorder takes entries.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// It does.
    Running,
    /// The last write failed and left nothing behind: every append tries again.
    Refusing(Arc<str>),
    /// A sync failed, or a failed write could not be taken back: refused until the segment was replaced.
    Failed(Arc<str>),
}

/// What the lock guards.
struct Writer {
    file: Box<dyn DiskFile>,
    /// First number of the current segment, and of the one before it (0 for none).
    first: u64,
    previous_first: u64,
    /// Length of the current segment up to its last whole entry.
    len: u64,
    next_seq: u64,
    running: Running,
    scratch: Vec<u8>,
    tally: Tally,
    group: Arc<Group>,
    /// When the first entry that no sync has begun to cover was written.
    unsynced_since: Option<Instant>,
    phase: Phase,
    syncer_waits: bool,
    closing: bool,
}

impl Writer {
    fn is_open(&self) -> Result<(), RecordError> {
        if self.closing {
            return Err(RecordError::Closed);
        }
        match &self.phase {
            Phase::Failed(why) => Err(RecordError::Failed(Arc::clone(why))),
            Phase::Running | Phase::Refusing(_) => Ok(()),
        }
    }
}

/// What the recorder and its syncer share.
struct Shared {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    node: NodeId,
    mode: Mode,
    limits: Limits,
    writer: Mutex<Writer>,
    wake_syncer: Condvar,
    published: Arc<Published>,
    appended: AtomicU64,
    durable: AtomicU64,
    windows: Mutex<Windows>,
}

/// The single writer of one node's ledger. Share it in an [`Arc`]; dropping it syncs what is left.
pub struct Recorder {
    shared: Arc<Shared>,
    syncer: Option<JoinHandle<()>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("dir", &self.shared.dir).field("health", &self.health()).finish()
    }
}

impl Recorder {
    /// Opens the ledger in `dir`, which is made where it is missing, and mends what a power cut left.
    ///
    /// Only one process may have a directory open; the owner of the data directory sees to that.
    ///
    /// # Errors
    /// Damage that no power cut explains, another node's ledger, a later format, and what the disk refuses.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        node: NodeId,
        mode: Mode,
        limits: Limits,
    ) -> Result<(Self, RecoveryReport), OpenError> {
        disk.create_dir_all(dir).map_err(OpenError::disk("cannot make the ledger's directory", dir))?;
        let found = scan(&*disk, dir, Some(&node), limits.verify_segments)?;
        let report = RecoveryReport {
            first_seq: if found.next_seq > found.first_seq { found.first_seq } else { 0 },
            last_seq: found.next_seq - 1,
            segments: found.segments.len(),
            verified_segments: found.verified,
            torn_bytes: found.torn_bytes,
        };
        if report.torn_bytes > 0 {
            tracing::warn!(ledger.torn_bytes = report.torn_bytes, "cut half-written entries off the ledger");
        }
        let (file, sync_file, segments, running) = mend(&*disk, dir, &node, found)?;
        let last = segments.last().expect("INVARIANT: a mended ledger has a segment").clone();
        let previous_first = segments.iter().rev().nth(1).map_or(0, |s| s.first);
        let next_seq = report.last_seq + 1;
        let tally = recount::recount(&disk, dir, &segments, next_seq);
        let writer = Writer {
            file,
            first: last.first,
            previous_first,
            len: last.end,
            next_seq,
            running,
            scratch: Vec::with_capacity(FRAME_HEADER_BYTES + 4096),
            tally,
            group: Arc::new(Group::default()),
            unsynced_since: None,
            phase: Phase::Running,
            syncer_waits: false,
            closing: false,
        };
        let shared = Arc::new(Shared {
            disk,
            dir: dir.to_owned(),
            node,
            mode,
            limits,
            writer: Mutex::new(writer),
            wake_syncer: Condvar::new(),
            published: Arc::new(Published(Mutex::new(PublishedSegments { segments, running }))),
            appended: AtomicU64::new(next_seq - 1),
            durable: AtomicU64::new(next_seq - 1),
            windows: Mutex::new(Windows::default()),
        });
        let for_syncer = Arc::clone(&shared);
        let syncer = std::thread::Builder::new()
            .name("ledger-sync".to_owned())
            .spawn(move || syncer::run(&for_syncer, sync_file))
            .map_err(OpenError::Thread)?;
        Ok((Self { shared, syncer: Some(syncer) }, report))
    }

    /// Records one entry: numbers it and writes it. Once this returns, `kill -9` does not lose it. Where it is the first of a later
    /// hour, the counts of the hour before are recorded ahead of it.
    ///
    /// # Errors
    /// The entry was not recorded and used no number. Nothing may be served that needed it.
    pub fn append(&self, draft: &EntryDraft) -> Result<Appended, RecordError> {
        let mut guard = self.shared.lock();
        let writer = &mut *guard;
        writer.is_open()?;
        if writer.tally.is_due(draft.time) {
            self.shared.write_counts(writer, draft.time, &draft.tenant)?;
        }
        let seq = self.shared.write(writer, draft)?;
        Ok(self.appended(guard, seq))
    }

    /// Records what was counted, where the hour is over by now. To be called every now and then, so that an hour without
    /// entries has its counts, too.
    ///
    /// # Errors
    /// As [`Recorder::append`]; the next call or entry tries again.
    pub fn count_if_due(&self, now: Timestamp, tenant: &Text) -> Result<(), RecordError> {
        self.count_where(now, tenant, |tally| tally.hour().is_some() && tally.is_due(now))
    }

    /// Records what was counted of the hour that has begun, where there is anything: at a stop, and at a start after a kill.
    ///
    /// # Errors
    /// As [`Recorder::append`].
    pub fn count_now(&self, now: Timestamp, tenant: &Text) -> Result<(), RecordError> {
        self.count_where(now, tenant, Tally::is_worth_telling)
    }

    fn count_where(
        &self,
        now: Timestamp,
        tenant: &Text,
        wanted: impl FnOnce(&Tally) -> bool,
    ) -> Result<(), RecordError> {
        let mut guard = self.shared.lock();
        let writer = &mut *guard;
        writer.is_open()?;
        if !wanted(&writer.tally) {
            return Ok(());
        }
        let seq = self.shared.write_counts(writer, now, tenant)?;
        drop(self.appended(guard, seq));
        Ok(())
    }

    /// Hands over what the caller waits for, and wakes the syncer.
    fn appended(&self, guard: MutexGuard<'_, Writer>, seq: u64) -> Appended {
        let durable = match self.shared.mode {
            Mode::Durable => Durability::with(Arc::clone(&guard.group)),
            Mode::Batched => Durability::written(),
        };
        let wake = guard.syncer_waits;
        drop(guard);
        if wake {
            self.shared.wake_syncer.notify_one();
        }
        Appended { seq, record: RecordId { node: self.shared.node.clone(), seq }, durable }
    }

    /// How the recorder is.
    pub fn health(&self) -> Health {
        let (phase, unsynced_since) = {
            let writer = self.shared.lock();
            (writer.phase.clone(), writer.unsynced_since)
        };
        let waiting = unsynced_since.map_or(Duration::ZERO, |since| since.elapsed());
        let window = lock(&self.shared.windows).longest().max(waiting);
        let why = match phase {
            Phase::Running => None,
            Phase::Refusing(why) | Phase::Failed(why) => Some(why),
        };
        Health {
            writable: why.is_none(),
            why,
            unsynced_window_ms: u64::try_from(window.as_micros().div_ceil(1000)).unwrap_or(u64::MAX),
            appended: self.shared.appended.load(Ordering::Acquire),
            durable: self.shared.durable.load(Ordering::Acquire),
        }
    }

    /// Reads durable entries from number `from` on, also while this recorder writes.
    pub fn reader(&self, from: u64) -> Reader {
        let shared = &self.shared;
        Reader::live(Arc::clone(&shared.disk), shared.dir.clone(), Arc::clone(&shared.published), from)
    }

    /// The node that this recorder writes for.
    pub fn node(&self) -> &NodeId {
        &self.shared.node
    }

    /// When answers are let go.
    pub fn mode(&self) -> Mode {
        self.shared.mode
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.wake_syncer.notify_one();
        if let Some(syncer) = self.syncer.take() {
            // It panicked: what was not synced stays written, and its waiters were told.
            let _ = syncer.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Writer> {
        lock(&self.writer)
    }

    /// Writes the counts up to here. Returns their number.
    fn write_counts(&self, writer: &mut Writer, time: Timestamp, tenant: &Text) -> Result<u64, RecordError> {
        let counts = writer.tally.counts(writer.next_seq, time);
        self.write(writer, &EntryDraft { time, tenant: Arc::clone(tenant), body: Body::Counts(counts) })
    }

    /// Numbers, encodes, chains and writes one entry, and counts it. Returns its number.
    fn write(&self, writer: &mut Writer, draft: &EntryDraft) -> Result<u64, RecordError> {
        let seq = writer.next_seq;
        writer.scratch.clear();
        writer.scratch.resize(FRAME_HEADER_BYTES, 0);
        encode(&mut writer.scratch, &self.node, seq, draft);
        let json_len = writer.scratch.len() - FRAME_HEADER_BYTES;
        if json_len > MAX_ENTRY_BYTES {
            return Err(RecordError::TooLong(json_len));
        }
        let synced = self.durable.load(Ordering::Acquire);
        let running = finish_frame(&mut writer.scratch, seq, synced, &writer.running);
        if let Err(error) = writer.file.append(&writer.scratch) {
            return Err(self.take_back(writer, error));
        }
        writer.len += writer.scratch.len() as u64;
        writer.next_seq += 1;
        writer.running = running;
        writer.tally.push(Counted::of(seq, draft.time, &draft.body));
        if matches!(writer.phase, Phase::Refusing(_)) {
            writer.phase = Phase::Running;
        }
        writer.unsynced_since.get_or_insert_with(Instant::now);
        self.appended.store(seq, Ordering::Release);
        Ok(seq)
    }

    /// After a failed write: cuts the segment back to its last whole entry.
    ///
    /// The cut is synced at once. Otherwise a power cut could show parts of the failed write among the entries that are
    /// written there later, which recovery would have to call damage.
    fn take_back(&self, writer: &mut Writer, error: io::Error) -> RecordError {
        let error = Arc::new(error);
        let cut = writer.file.truncate(writer.len).and_then(|()| writer.file.sync(SyncSite::LedgerEntries));
        tracing::error!(error = %error, "cannot write to the ledger");
        match cut {
            Ok(()) => {
                writer.phase = Phase::Refusing(format!("cannot write to the ledger: {error}").into());
            }
            Err(cut) => self.fail(writer, None, cut),
        }
        // The syncer looks after room on the disk, or mends.
        self.wake_syncer.notify_one();
        RecordError::Write(error)
    }

    /// A sync failed, or a failed write could not be taken back. The kernel may have dropped the pages and marked them
    /// clean, so neither trying again nor going on in this segment could make the entries durable: everybody who waits is
    /// told, and the syncer mends before anything is taken again.
    fn fail(&self, writer: &mut Writer, group: Option<&Group>, error: io::Error) {
        tracing::error!(error = %error, "cannot make the ledger durable");
        writer.phase = Phase::Failed(format!("cannot make the ledger durable: {error}").into());
        let error = Arc::new(error);
        if let Some(group) = group {
            group.resolve(Err(RecordError::Sync(Arc::clone(&error))));
        }
        std::mem::take(&mut writer.group).resolve(Err(RecordError::Sync(error)));
        writer.unsynced_since = None;
    }
}

type Mended = (Box<dyn DiskFile>, Box<dyn DiskFile>, Vec<Segment>, Running);

/// Cuts off what is torn, removes what never became a segment, and makes all that is left durable: after a `kill -9` it
/// may stand in memory only, and from now on it counts.
fn mend(disk: &dyn Disk, dir: &Path, node: &NodeId, found: Scan) -> Result<Mended, OpenError> {
    for path in found.leftovers.iter().chain(&found.torn_segment) {
        disk.remove(path).map_err(OpenError::disk("cannot remove", path))?;
    }
    let mut segments = found.segments;
    let (path, file, sync_file, running) = if let Some(last) = segments.last() {
        let path = segment_path(dir, last.first);
        let mut file = disk.open_append(&path).map_err(OpenError::disk("cannot open", &path))?;
        let sync_file = disk.open_append(&path).map_err(OpenError::disk("cannot open", &path))?;
        if found.torn_bytes > 0 && found.torn_segment.is_none() {
            file.truncate(last.end).map_err(OpenError::disk("cannot cut the torn end off", &path))?;
        }
        (path, file, sync_file, found.running)
    } else {
        let running = chain_start(node);
        let header =
            SegmentHeader { node: node.clone(), first: 1, previous_first: 0, running, supersedes: false };
        let path = segment_path(dir, 1);
        let (file, sync_file) =
            create_segment(disk, dir, &header).map_err(OpenError::disk("cannot begin the segment", &path))?;
        segments.push(Segment { first: 1, end: SEGMENT_HEADER_BYTES as u64 });
        (path, file, sync_file, running)
    };
    let mut sync_file = sync_file;
    sync_file.sync(SyncSite::LedgerEntries).map_err(OpenError::disk("cannot sync", &path))?;
    disk.sync_dir(dir, SyncSite::LedgerSegmentName).map_err(OpenError::disk("cannot sync", dir))?;
    Ok((file, sync_file, segments, running))
}

/// Begins a segment; nothing of it is durable yet. Returns one handle to append and one to sync.
///
/// It is made under another name, so that a failure halfway leaves no segment without a header.
fn create_segment(
    disk: &dyn Disk,
    dir: &Path,
    header: &SegmentHeader,
) -> io::Result<(Box<dyn DiskFile>, Box<dyn DiskFile>)> {
    let path = segment_path(dir, header.first);
    let new = path.with_extension("new");
    remove_if_there(disk, &new)?;
    let mut file = disk.create_new(&new)?;
    file.append(&header.to_bytes())?;
    let sync_file = disk.open_append(&new)?;
    disk.rename(&new, &path)?;
    Ok((file, sync_file))
}

fn remove_if_there(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.remove(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// The longest window of the current half minute and of the one before.
#[derive(Debug, Default)]
struct Windows {
    since: Option<Instant>,
    current: Duration,
    before: Duration,
}

impl Windows {
    const SPAN: Duration = Duration::from_secs(30);

    fn turn(&mut self) {
        let now = Instant::now();
        let age = self.since.map_or(Duration::MAX, |since| now.saturating_duration_since(since));
        if age >= Self::SPAN {
            self.before = if age >= Self::SPAN * 2 { Duration::ZERO } else { self.current };
            self.current = Duration::ZERO;
            self.since = Some(now);
        }
    }

    fn note(&mut self, window: Duration) {
        self.turn();
        self.current = self.current.max(window);
    }

    fn longest(&mut self) -> Duration {
        self.turn();
        self.current.max(self.before)
    }
}
