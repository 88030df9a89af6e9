//! The thread that makes entries durable, begins new segments, and mends after failures.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use tidegate_sys::disk::{DiskFile, SyncSite};

use super::{Group, Mode, Phase, RecordError, Shared, Writer, create_segment, lock, remove_if_there};
use crate::frame::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::recover::{Segment, link, segment_path};

/// What is written to see whether a full disk has room again, in bytes: some entries' worth.
const PROBE_BYTES: usize = 64 * 1024;

/// What a sync that is about to begin will have made durable.
struct Target {
    group: Arc<Group>,
    last_seq: u64,
    end: u64,
    running: crate::frame::Running,
    since: Instant,
}

/// Runs until the recorder is dropped. Whoever still waits when it ends is told.
pub(super) fn run(shared: &Shared, sync_file: Box<dyn DiskFile>) {
    let _last_word = LastWord(shared);
    let mut syncer = Syncer { shared, sync_file };
    while syncer.step() {}
}

struct LastWord<'a>(&'a Shared);

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        let mut writer = self.0.lock();
        writer.closing = true;
        writer.group.resolve(Err(RecordError::Closed));
    }
}

struct Syncer<'a> {
    shared: &'a Shared,
    /// Another handle on the current segment: appends go on through theirs during a sync.
    sync_file: Box<dyn DiskFile>,
}

impl Syncer<'_> {
    /// One round; false when there is nothing left to do for good.
    fn step(&mut self) -> bool {
        let shared = self.shared;
        let mut writer = shared.lock();
        if writer.unsynced_since.is_some() && !matches!(writer.phase, Phase::Failed(_)) {
            if shared.mode == Mode::Batched {
                let pause = shared.limits.batch_pause;
                let gather = shared.wake_syncer.wait_timeout_while(writer, pause, |writer| !writer.closing);
                writer = gather.unwrap_or_else(PoisonError::into_inner).0;
            }
            self.sync(writer);
            return true;
        }
        if writer.closing {
            return false;
        }
        match &writer.phase {
            Phase::Running => drop(self.sleep(writer, false)),
            Phase::Refusing(_) => {
                let mut writer = self.sleep(writer, true);
                let idle = !writer.closing && writer.unsynced_since.is_none();
                if idle && matches!(writer.phase, Phase::Refusing(_)) && self.has_room() {
                    writer.phase = Phase::Running;
                }
            }
            Phase::Failed(_) => {
                let mut writer = self.sleep(writer, true);
                if !writer.closing {
                    self.mend(&mut writer);
                }
            }
        }
        true
    }

    /// Waits for work; after a failure no longer than the time after which it is worth trying again.
    fn sleep<'w>(&self, mut writer: MutexGuard<'w, Writer>, bounded: bool) -> MutexGuard<'w, Writer> {
        let wake = &self.shared.wake_syncer;
        writer.syncer_waits = true;
        let mut writer = if bounded {
            wake.wait_timeout(writer, self.shared.limits.retry).unwrap_or_else(PoisonError::into_inner).0
        } else {
            wake.wait(writer).unwrap_or_else(PoisonError::into_inner)
        };
        writer.syncer_waits = false;
        writer
    }

    /// Syncs what is written, without the lock, and begins a new segment where this one is full.
    fn sync(&mut self, mut writer: MutexGuard<'_, Writer>) {
        let Some(target) = self.take_target(&mut writer) else { return };
        drop(writer);
        let outcome = self.sync_file.sync(SyncSite::LedgerEntries);
        self.settle(&target, outcome);
        let writer = self.shared.lock();
        if writer.len >= self.shared.limits.segment_bytes && writer.phase == Phase::Running {
            self.rotate(writer);
        }
    }

    fn take_target(&self, writer: &mut Writer) -> Option<Target> {
        let since = writer.unsynced_since.take()?;
        Some(Target {
            group: std::mem::take(&mut writer.group),
            last_seq: writer.next_seq - 1,
            end: writer.len,
            running: writer.running,
            since,
        })
    }

    fn settle(&self, target: &Target, outcome: io::Result<()>) {
        match outcome {
            Ok(()) => {
                self.publish(target);
                target.group.resolve(Ok(()));
            }
            Err(error) => self.shared.fail(&mut self.shared.lock(), Some(&target.group), error),
        }
    }

    fn publish(&self, target: &Target) {
        let mut published = self.shared.published.lock();
        published.running = target.running;
        if let Some(current) = published.segments.last_mut() {
            current.end = target.end;
        }
        self.shared.durable.store(target.last_seq, Ordering::Release);
        drop(published);
        lock(&self.shared.windows).note(target.since.elapsed());
    }

    /// Begins a new segment. The old one is durable as a whole before the new one gets its name, so that only the last
    /// segment can ever be torn; appends wait for that one sync. The new one's name is made durable before anything in it
    /// counts.
    fn rotate(&mut self, mut writer: MutexGuard<'_, Writer>) {
        if let Some(target) = self.take_target(&mut writer) {
            match self.sync_file.sync(SyncSite::LedgerEntries) {
                Ok(()) => {
                    self.publish(&target);
                    target.group.resolve(Ok(()));
                }
                Err(error) => return self.shared.fail(&mut writer, Some(&target.group), error),
            }
        }
        let shared = self.shared;
        let header = SegmentHeader {
            node: shared.node.clone(),
            first: writer.next_seq,
            previous_first: writer.first,
            running: writer.running,
            supersedes: false,
        };
        match create_segment(&*shared.disk, &shared.dir, &header) {
            Ok((file, sync_file)) => {
                self.enter(&mut writer, &header, file, sync_file, SEGMENT_HEADER_BYTES as u64);
                drop(writer);
                // The header needs no sync of its own: the sync of the first entries covers the whole file.
                let named = shared.disk.sync_dir(&shared.dir, SyncSite::LedgerSegmentName);
                if let Err(error) = named {
                    shared.fail(&mut shared.lock(), None, error);
                }
            }
            // The old segment goes on and grows beyond its size; the next round tries again.
            Err(error) => tracing::warn!(error = %error, "cannot begin a new ledger segment"),
        }
    }

    /// Makes a segment the current one, for the writer, for this thread and for readers.
    fn enter(
        &mut self,
        writer: &mut Writer,
        header: &SegmentHeader,
        file: Box<dyn DiskFile>,
        sync_file: Box<dyn DiskFile>,
        len: u64,
    ) {
        writer.file = file;
        writer.first = header.first;
        writer.previous_first = header.previous_first;
        writer.len = len;
        self.sync_file = sync_file;
        let mut published = self.shared.published.lock();
        published.segments.retain(|s| s.first < header.first);
        published.segments.push(Segment { first: header.first, end: SEGMENT_HEADER_BYTES as u64 });
    }

    /// After a failed sync: writes the entries that are not durable into a new segment, out of what the old one reads
    /// back as, and lets appends go on there.
    ///
    /// Writing them again makes their pages dirty again, which nothing else can be relied on to do. The new segment
    /// begins right after the last durable entry and says that it supersedes what follows that entry in the old file. It
    /// is synced before it gets its name, so at no time is there a segment with that name and without the entries. Where
    /// what is read back does not continue the chain, the bytes are gone from memory too; then the ledger stays shut until
    /// a restart cuts the end off as torn, and no answer was completed that needed it.
    fn mend(&mut self, writer: &mut Writer) {
        match self.replace_segment(writer) {
            Ok(()) => {
                tracing::warn!(ledger.segment = writer.first, "the ledger goes on in a new segment");
                writer.phase = Phase::Running;
            }
            Err(error) => {
                writer.phase = Phase::Failed(format!("the ledger cannot be mended yet: {error}").into());
            }
        }
    }

    fn replace_segment(&mut self, writer: &mut Writer) -> io::Result<()> {
        let shared = self.shared;
        let durable = shared.durable.load(Ordering::Acquire);
        let (from, running) = {
            let published = shared.published.lock();
            let current = published.segments.last().filter(|s| s.first == writer.first);
            (current.map_or(SEGMENT_HEADER_BYTES as u64, |s| s.end), published.running)
        };
        let old = segment_path(&shared.dir, writer.first);
        let len = usize::try_from(writer.len - from).unwrap_or(usize::MAX);
        let frames = shared.disk.read_range(&old, from, len)?;
        let read_back = check_frames(&frames, durable + 1, running)?;
        if read_back != writer.next_seq || frames.len() != len {
            return Err(io::Error::other("the entries that were not durable do not read back"));
        }
        // A segment none of whose entries is durable is replaced under its own name.
        let same_name = writer.first == durable + 1;
        let header = SegmentHeader {
            node: shared.node.clone(),
            first: durable + 1,
            previous_first: if same_name { writer.previous_first } else { writer.first },
            running,
            supersedes: true,
        };
        let path = segment_path(&shared.dir, header.first);
        let new = path.with_extension("new");
        remove_if_there(&*shared.disk, &new)?;
        let mut file = shared.disk.create_new(&new)?;
        let sync_file = shared.disk.open_append(&new)?;
        file.append(&header.to_bytes())?;
        file.append(&frames)?;
        file.sync(SyncSite::LedgerEntries)?;
        shared.disk.rename(&new, &path)?;
        shared.disk.sync_dir(&shared.dir, SyncSite::LedgerSegmentName)?;
        self.enter(writer, &header, file, sync_file, (SEGMENT_HEADER_BYTES + frames.len()) as u64);
        let target = Target {
            group: Arc::new(Group::default()),
            last_seq: writer.next_seq - 1,
            end: writer.len,
            running: writer.running,
            since: Instant::now(),
        };
        self.publish(&target);
        Ok(())
    }

    /// Whether some entries' worth of bytes can be written, by writing them.
    fn has_room(&self) -> bool {
        let path = self.shared.dir.join("probe.new");
        let disk = &self.shared.disk;
        let written = remove_if_there(&**disk, &path)
            .and_then(|()| disk.create_new(&path))
            .and_then(|mut file| file.append(&[0; PROBE_BYTES]));
        let removed = remove_if_there(&**disk, &path);
        written.and(removed).is_ok()
    }
}

/// Checks that `frames` are whole entries from number `seq` on after `running`; returns the number after the last.
fn check_frames(frames: &[u8], mut seq: u64, mut running: crate::frame::Running) -> io::Result<u64> {
    let mut at = 0;
    while at < frames.len() {
        let frame = link(&frames[at..], seq, &running)
            .map_err(|broken| io::Error::other(format!("entry {seq} does not read back: {broken}")))?;
        at += frame.file_bytes();
        running = frame.running;
        seq += 1;
    }
    Ok(seq)
}
