//! A disk in memory that forgets what was not synced.
//!
//! It keeps two pictures: what a process sees, and what a power cut would leave. A file's bytes reach the second one only
//! by a sync of that file, a name only by a sync of its directory. [`ForgetfulDisk::crash`] returns a new disk in a state
//! after a power cut: all that was not synced is gone, or all of it survived, or some of it did, block by block and in no
//! order. On the way it can refuse operations, run full, lose the pages of a failed sync as real kernels do, and silently
//! leave out the syncs of one [`SyncSite`], so that a test can show that each of them is needed.
//!
//! It is meaner than most file systems (a rename may be half undone, blocks survive in any order) and never kinder than
//! POSIX promises. It does not model bits that rot.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tidegate_sys::disk::{DirectoryEntry, Disk, DiskFile, SyncSite};
use tidegate_sys::map::FileBytes;

/// What survives or is lost as a whole, in bytes.
const BLOCK_BYTES: usize = 512;

/// What a power cut leaves of that which was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Nothing: only what was synced is there.
    LosesAll,
    /// Everything, as after `kill -9`.
    LosesNothing,
    /// Some names and some blocks, in any order, some of them half written. The same seed loses the same.
    LosesSome(u64),
}

/// See the module. Clones are the same disk.
#[derive(Clone, Default)]
pub struct ForgetfulDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Dir,
    File(u64),
}

#[derive(Default)]
struct State {
    files: HashMap<u64, Content>,
    next_file: u64,
    /// Names as a process sees them.
    names: BTreeMap<PathBuf, Node>,
    /// Names that survive.
    durable_names: BTreeMap<PathBuf, Node>,
    /// Changing operations so far.
    ops: u64,
    cut_after: Option<u64>,
    room: Option<u64>,
    ignored: BTreeSet<SyncSite>,
    failing: BTreeMap<SyncSite, u64>,
    reached: BTreeMap<SyncSite, u64>,
}

#[derive(Clone, Default)]
struct Content {
    /// As a process sees it.
    bytes: Vec<u8>,
    /// What survives.
    synced: Vec<u8>,
    /// Changes that a sync would make survive.
    unsynced: Vec<Change>,
    /// When it was last written, in operations.
    written: u64,
}

#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                // Where pages before it were lost, the file has a hole.
                let end = offset + bytes.len();
                content.resize(content.len().max(end), 0);
                content[*offset..end].copy_from_slice(bytes);
            }
            Self::Truncate(len) => content.resize(*len, 0),
        }
    }
}

impl ForgetfulDisk {
    /// An empty disk, roomy and in order.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changing operations so far: creations, appends, syncs, truncations, renames, removals.
    pub fn ops(&self) -> u64 {
        self.lock().ops
    }

    /// Lets `ops` more changing operations succeed; the next one is done by half and fails, and so does everything
    /// after it, as for a process whose power is cut.
    pub fn fail_after(&self, ops: u64) {
        let mut state = self.lock();
        state.cut_after = Some(state.ops + ops);
    }

    /// Gives the disk room for `bytes` more; `None` is as much as one likes. Removed files and truncated bytes make room.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.lock().room = bytes;
    }

    /// From now on syncs at `site` say that they succeeded and do nothing.
    pub fn ignore_sync(&self, site: SyncSite) {
        self.lock().ignored.insert(site);
    }

    /// Lets the next `times` syncs at `site` fail. What they should have made durable can still be read, and no later
    /// sync makes it durable: that is how kernels treat pages whose write-back failed.
    pub fn fail_syncs(&self, site: SyncSite, times: u64) {
        self.lock().failing.insert(site, times);
    }

    /// How many syncs named `site`.
    pub fn reached(&self, site: SyncSite) -> u64 {
        self.lock().reached.get(&site).copied().unwrap_or(0)
    }

    /// Changes bytes of a file behind everybody's back, durably: rot, or somebody who forges.
    ///
    /// # Panics
    /// There is no such file.
    pub fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock();
        let Some(&Node::File(id)) = state.names.get(path) else { panic!("no file `{}`", path.display()) };
        let content = state.files.get_mut(&id).expect("INVARIANT: a name leads to content");
        change(&mut content.bytes);
        content.synced.clone_from(&content.bytes);
        content.unsynced.clear();
    }

    /// Ends the cut of [`ForgetfulDisk::fail_after`] without a power cut, as when a process was killed and starts again:
    /// all that it wrote can still be read, and what was not synced is still not synced.
    pub fn restart(&self) {
        self.lock().cut_after = None;
    }

    /// A disk in a state that a power cut now could leave. This one stays as it is.
    pub fn crash(&self, crash: Crash) -> Self {
        let state = self.lock();
        let mut dice = Dice(match crash {
            Crash::LosesSome(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            Crash::LosesAll | Crash::LosesNothing => 1,
        });
        let paths: BTreeSet<&PathBuf> = state.names.keys().chain(state.durable_names.keys()).collect();
        let mut after = State { next_file: state.next_file, ..State::default() };
        for path in paths {
            let seen = state.names.get(path);
            let durable = state.durable_names.get(path);
            let survives = match crash {
                Crash::LosesAll => durable,
                Crash::LosesNothing => seen,
                Crash::LosesSome(_) if seen == durable || dice.coin() => seen,
                Crash::LosesSome(_) => durable,
            };
            // A name is only found through its directory. Directories sort before what they hold.
            let reachable = parent(path).is_none_or(|dir| after.is_dir(dir));
            if let (Some(&node), true) = (survives, reachable) {
                after.names.insert(path.clone(), node);
                if let Node::File(id) = node {
                    let bytes = state.files[&id].after(crash, &mut dice);
                    let content = Content { synced: bytes.clone(), bytes, ..Content::default() };
                    after.files.insert(id, content);
                }
            }
        }
        after.durable_names.clone_from(&after.names);
        Self { state: Arc::new(Mutex::new(after)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let id = self.lock().file_id(path)?;
        Ok(Box::new(ForgetfulFile { disk: self.clone(), id }))
    }
}

impl Content {
    /// What a power cut leaves of it.
    fn after(&self, crash: Crash, dice: &mut Dice) -> Vec<u8> {
        match crash {
            Crash::LosesAll => self.synced.clone(),
            Crash::LosesNothing => self.bytes.clone(),
            Crash::LosesSome(_) if self.unsynced.is_empty() => self.synced.clone(),
            Crash::LosesSome(_) => self.mixture(dice),
        }
    }

    /// Each block as it was at some moment since the last sync, the length as it was at some other.
    fn mixture(&self, dice: &mut Dice) -> Vec<u8> {
        const MOMENTS: usize = 3;
        let mut moments = vec![self.synced.clone()];
        for _ in 0..MOMENTS {
            let mut content = self.synced.clone();
            let (whole, rest) = self.unsynced.split_at(dice.below(self.unsynced.len() + 1));
            whole.iter().for_each(|change| change.apply(&mut content));
            if let Some(Change::Write { offset, bytes }) = rest.first() {
                let bytes = bytes[..dice.below(bytes.len() + 1)].to_vec();
                Change::Write { offset: *offset, bytes }.apply(&mut content);
            }
            moments.push(content);
        }
        let mut mixed = vec![0; moments[dice.below(moments.len())].len()];
        for (i, block) in mixed.chunks_mut(BLOCK_BYTES).enumerate() {
            let moment = &moments[dice.below(moments.len())];
            let from = (i * BLOCK_BYTES).min(moment.len());
            let to = (from + block.len()).min(moment.len());
            block[..to - from].copy_from_slice(&moment[from..to]);
        }
        mixed
    }
}

impl State {
    fn file_id(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Node::File(id)) => Ok(*id),
            Some(Node::Dir) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn content(&self, path: &Path) -> io::Result<&Content> {
        self.power()?;
        Ok(&self.files[&self.file_id(path)?])
    }

    fn is_dir(&self, path: &Path) -> bool {
        parent(path).is_none() || self.names.get(path) == Some(&Node::Dir)
    }

    fn in_dir(&self, path: &Path) -> io::Result<()> {
        let found = parent(path).is_some_and(|dir| self.is_dir(dir));
        if found { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Fails once the power is cut.
    fn power(&self) -> io::Result<()> {
        match self.cut_after {
            Some(cut) if self.ops > cut => Err(io::Error::other("the power is cut")),
            _ => Ok(()),
        }
    }

    /// Counts a changing operation; `true` where it is the one that is done by half.
    fn begin(&mut self) -> io::Result<bool> {
        self.power()?;
        self.ops += 1;
        Ok(self.power().is_err())
    }

    fn begin_whole(&mut self) -> io::Result<()> {
        if self.begin()? { self.power() } else { Ok(()) }
    }

    /// Counts a sync; `true` where it takes effect.
    fn begin_sync(&mut self, site: SyncSite) -> io::Result<bool> {
        self.begin_whole()?;
        *self.reached.entry(site).or_default() += 1;
        Ok(!self.ignored.contains(&site))
    }

    fn fails(&mut self, site: SyncSite) -> bool {
        match self.failing.get_mut(&site) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        }
    }

    fn give_back(&mut self, bytes: usize) {
        if let Some(room) = &mut self.room {
            *room += bytes as u64;
        }
    }

    fn sync_names(&mut self, dir: &Path) {
        let below = |path: &PathBuf| parent(path) == Some(dir);
        self.durable_names.retain(|path, _| !below(path));
        let now = self.names.iter().filter(|(path, _)| below(path));
        self.durable_names.extend(now.map(|(path, node)| (path.clone(), *node)));
    }
}

struct ForgetfulFile {
    disk: ForgetfulDisk,
    id: u64,
}

impl DiskFile for ForgetfulFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        let half = state.begin()?;
        let mut fits = if half { bytes.len() / 2 } else { bytes.len() };
        if let Some(room) = &mut state.room {
            fits = fits.min(usize::try_from(*room).unwrap_or(usize::MAX));
            *room -= fits as u64;
        }
        let now = state.ops;
        let content = state.files.get_mut(&self.id).expect("INVARIANT: a handle leads to content");
        let change = Change::Write { offset: content.bytes.len(), bytes: bytes[..fits].to_vec() };
        change.apply(&mut content.bytes);
        content.unsynced.push(change);
        content.written = now;
        if half {
            return state.power();
        }
        if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn sync(&mut self, site: SyncSite) -> io::Result<()> {
        let mut state = self.disk.lock();
        if !state.begin_sync(site)? {
            return Ok(());
        }
        let fails = state.fails(site);
        let content = state.files.get_mut(&self.id).expect("INVARIANT: a handle leads to content");
        let changes = std::mem::take(&mut content.unsynced);
        if fails {
            return Err(io::Error::other("the disk reports a write error"));
        }
        changes.iter().for_each(|change| change.apply(&mut content.synced));
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.begin_whole()?;
        let now = state.ops;
        let content = state.files.get_mut(&self.id).expect("INVARIANT: a handle leads to content");
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let freed = content.bytes.len().saturating_sub(len);
        let change = Change::Truncate(len);
        change.apply(&mut content.bytes);
        content.unsynced.push(change);
        content.written = now;
        state.give_back(freed);
        Ok(())
    }
}

impl Disk for ForgetfulDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        state.begin_whole()?;
        state.in_dir(path)?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = state.next_file;
        state.next_file += 1;
        let written = state.ops;
        state.files.insert(id, Content { written, ..Content::default() });
        state.names.insert(path.to_owned(), Node::File(id));
        drop(state);
        self.file(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.lock().power()?;
        self.file(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.lock().content(path)?.bytes.clone())
    }

    fn map(&self, path: &Path) -> io::Result<FileBytes> {
        self.read(path).map(|bytes| Bytes::from(bytes).into())
    }

    fn open_read(&self, path: &Path) -> io::Result<std::fs::File> {
        // Another process cannot read what is only in our memory: it gets a copy without a name.
        let mut copy = tempfile::tempfile()?;
        io::Write::write_all(&mut copy, &self.read(path)?)?;
        Ok(copy)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.begin_whole()?;
        state.in_dir(to)?;
        let id = state.file_id(from)?;
        if state.names.get(to) == Some(&Node::Dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        state.names.remove(from);
        state.names.insert(to.to_owned(), Node::File(id));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.begin_whole()?;
        let id = state.file_id(path)?;
        state.names.remove(path);
        let freed = state.files[&id].bytes.len();
        state.give_back(freed);
        Ok(())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut missing: Vec<&Path> = path.ancestors().take_while(|dir| !self.lock().is_dir(dir)).collect();
        missing.reverse();
        for dir in missing {
            let mut state = self.lock();
            state.begin_whole()?;
            if state.names.insert(dir.to_owned(), Node::Dir).is_some() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            drop(state);
            if let Some(above) = parent(dir) {
                self.sync_dir(above, SyncSite::DirectoryName)?;
            }
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirectoryEntry>> {
        let state = self.lock();
        state.power()?;
        if !state.is_dir(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let below = state.names.iter().filter(|(path, _)| parent(path) == Some(dir));
        Ok(below
            .map(|(path, node)| {
                let content = match node {
                    Node::Dir => None,
                    Node::File(id) => state.files.get(id),
                };
                DirectoryEntry {
                    name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                    len: content.map_or(0, |c| c.bytes.len() as u64),
                    is_dir: content.is_none(),
                    modified: SystemTime::UNIX_EPOCH + Duration::from_secs(content.map_or(0, |c| c.written)),
                }
            })
            .collect())
    }

    fn sync_dir(&self, dir: &Path, site: SyncSite) -> io::Result<()> {
        let mut state = self.lock();
        if !state.is_dir(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if !state.begin_sync(site)? {
            return Ok(());
        }
        if state.fails(site) {
            return Err(io::Error::other("the disk reports a write error"));
        }
        state.sync_names(dir);
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        let state = self.lock();
        state.power()?;
        Ok(state.room.unwrap_or(1 << 40))
    }
}

/// The directory that holds `path`; none for the root and for what stands beside no directory.
fn parent(path: &Path) -> Option<&Path> {
    path.parent()
}

/// A small generator (xorshift64*), so that a seed says everything about a crash.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn coin(&mut self) -> bool {
        self.roll() & 1 == 1
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % n as u64).expect("below a usize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> (ForgetfulDisk, PathBuf) {
        let disk = ForgetfulDisk::new();
        let dir = PathBuf::from("/data/x");
        disk.create_dir_all(&dir).unwrap();
        (disk, dir)
    }

    #[test]
    fn bytes_and_names_survive_only_when_both_were_synced() {
        let (disk, dir) = disk();
        let path = dir.join("f");
        let mut file = disk.create_new(&path).unwrap();
        file.append(b"one").unwrap();
        file.sync(SyncSite::BlobBytes).unwrap();
        assert!(disk.crash(Crash::LosesAll).read(&path).is_err());
        disk.sync_dir(&dir, SyncSite::BlobName).unwrap();
        file.append(b"two").unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"onetwo");
        assert_eq!(disk.crash(Crash::LosesAll).read(&path).unwrap(), b"one");
        assert_eq!(disk.crash(Crash::LosesNothing).read(&path).unwrap(), b"onetwo");
        assert_eq!((disk.reached(SyncSite::BlobBytes), disk.reached(SyncSite::BlobName)), (1, 1));
    }

    #[test]
    fn some_of_it_is_always_something_between() {
        let (disk, dir) = disk();
        let path = dir.join("f");
        let mut file = disk.create_new(&path).unwrap();
        file.append(&[1; 700]).unwrap();
        file.sync(SyncSite::BlobBytes).unwrap();
        disk.sync_dir(&dir, SyncSite::BlobName).unwrap();
        file.append(&[2; 2000]).unwrap();
        let outcomes: BTreeSet<Vec<u8>> =
            (0..64).map(|seed| disk.crash(Crash::LosesSome(seed)).read(&path).unwrap()).collect();
        assert!(outcomes.len() > 8, "{}", outcomes.len());
        for bytes in &outcomes {
            assert!((700..=2700).contains(&bytes.len()) && bytes[..700] == [1; 700]);
            assert!(bytes[700..].iter().all(|b| *b == 2 || *b == 0));
        }
        assert!(
            outcomes.iter().any(|b| b[700..].windows(2).any(|w| w == [0, 2])),
            "blocks survive out of order"
        );
    }

    #[test]
    fn renames_and_removals_are_undone_unless_synced() {
        let (disk, dir) = disk();
        let (a, b) = (dir.join("a"), dir.join("b"));
        let mut file = disk.create_new(&a).unwrap();
        file.append(b"x").unwrap();
        file.sync(SyncSite::BlobBytes).unwrap();
        disk.sync_dir(&dir, SyncSite::BlobName).unwrap();
        disk.rename(&a, &b).unwrap();
        assert!(disk.crash(Crash::LosesAll).read(&a).is_ok());
        disk.sync_dir(&dir, SyncSite::BlobName).unwrap();
        assert!(disk.crash(Crash::LosesAll).read(&a).is_err());
        assert_eq!(disk.crash(Crash::LosesAll).read(&b).unwrap(), b"x");
        disk.remove(&b).unwrap();
        assert!(disk.read(&b).is_err() && disk.crash(Crash::LosesAll).read(&b).is_ok());
    }

    #[test]
    fn an_ignored_directory_sync_loses_what_lies_below() {
        let disk = ForgetfulDisk::new();
        disk.ignore_sync(SyncSite::DirectoryName);
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.create_new(Path::new("/data/f")).unwrap();
        disk.sync_dir(Path::new("/data"), SyncSite::BlobName).unwrap();
        assert!(disk.crash(Crash::LosesAll).list(Path::new("/data")).is_err());
    }

    #[test]
    fn a_failed_sync_loses_its_bytes_for_good() {
        let (disk, dir) = disk();
        let path = dir.join("f");
        let mut file = disk.create_new(&path).unwrap();
        disk.sync_dir(&dir, SyncSite::BlobName).unwrap();
        file.append(b"one").unwrap();
        disk.fail_syncs(SyncSite::BlobBytes, 1);
        assert!(file.sync(SyncSite::BlobBytes).is_err());
        file.append(b"two").unwrap();
        file.sync(SyncSite::BlobBytes).unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"onetwo");
        assert_eq!(disk.crash(Crash::LosesAll).read(&path).unwrap(), b"\0\0\0two");
    }

    #[test]
    fn a_full_disk_writes_what_fits_and_truncation_makes_room() {
        let (disk, dir) = disk();
        let mut file = disk.create_new(&dir.join("f")).unwrap();
        disk.set_room(Some(4));
        assert_eq!(file.append(b"123456").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(disk.read(&dir.join("f")).unwrap(), b"1234");
        file.truncate(0).unwrap();
        assert_eq!(disk.free_bytes(&dir).unwrap(), 4);
        file.append(b"12").unwrap();
    }

    #[test]
    fn after_the_cut_everything_fails() {
        let (disk, dir) = disk();
        let mut file = disk.create_new(&dir.join("f")).unwrap();
        disk.fail_after(1);
        file.append(b"whole").unwrap();
        assert!(file.append(b"half").is_err());
        assert!(file.sync(SyncSite::BlobBytes).is_err());
        assert!(disk.read(&dir.join("f")).is_err());
        assert_eq!(disk.crash(Crash::LosesNothing).read(&dir.join("f")).unwrap(), b"wholeha");
    }
}
