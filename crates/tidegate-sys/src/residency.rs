//! Keeps the memory that a process is seen to take below a bound, by giving back the pages of its maps.
//!
//! Pages of a mapped file count as memory of the process once they were touched, although the system may take them back
//! at any time. A process that may have 256 MiB and reads a file of a gigabyte would be over its bound without having
//! asked for anything. What is given back comes again from the system's cache when it is touched.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::map::Map;

/// Pause between two looks at the memory taken, while there is much to give back. Reading faults pages in at less than
/// 10 GB/s, which is 20 MB in this time.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Every map of the process, and whether anyone wants to know.
static MAPS: Mutex<Option<Vec<Weak<Map>>>> = Mutex::new(None);
/// Told when there is another map.
static MAPPED: Condvar = Condvar::new();

/// What tells the memory taken, and the bound; set where pages are given back.
static BOUND: OnceLock<(Taken, u64)> = OnceLock::new();

/// Starts a thread that gives back the pages of all maps made from here on, whenever the process has more than `bytes` in
/// memory. Memory that is not of maps has no part in it: it needs a limit of its own.
///
/// # Errors
/// This system does not tell how much memory a process takes, or gives no thread.
pub fn keep_below(bytes: u64) -> io::Result<()> {
    let taken = Taken::open()?;
    taken.bytes()?;
    MAPS.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    // The first bound stays: a process has one.
    BOUND.get_or_init(|| (taken, bytes));
    let taken = Taken::open()?;
    std::thread::Builder::new().name("residency".into()).spawn(move || watch(&taken, bytes))?;
    Ok(())
}

/// Gives back the pages of all maps now, if the process has more in memory than it may. Whoever reads much in one go says so from
/// time to time: on a busy machine the thread that looks may come to its turn too late.
pub fn relieve() {
    let Some((taken, bytes)) = BOUND.get() else { return };
    if taken.bytes().unwrap_or(u64::MAX) > *bytes {
        let maps = MAPS.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
        maps.iter().filter_map(Weak::upgrade).for_each(|map| map.give_back());
    }
}

/// Notes a map, where anyone wants to know.
pub(crate) fn note(map: &Arc<Map>) {
    if let Some(maps) = MAPS.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        maps.push(Arc::downgrade(map));
        MAPPED.notify_one();
    }
}

fn watch(taken: &Taken, bytes: u64) {
    loop {
        let maps = large(bytes);
        std::thread::sleep(LOOK_EVERY);
        // Where it cannot be told, the pages leave: that costs time and nothing else.
        if taken.bytes().unwrap_or(u64::MAX) > bytes {
            maps.iter().filter_map(Weak::upgrade).for_each(|map| map.give_back());
        }
    }
}

/// The maps, once they are large enough to matter; waits until they are.
fn large(bytes: u64) -> Vec<Weak<Map>> {
    let mut guard = MAPS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let maps = guard.get_or_insert_default();
        maps.retain(|map| map.strong_count() > 0);
        let mapped: u64 = maps.iter().filter_map(Weak::upgrade).map(|map| map.length()).sum();
        if mapped > bytes / 8 {
            return maps.clone();
        }
        guard = MAPPED.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
}

/// How much memory this process takes. The files stay open, so that a process without files can still read them.
#[derive(Debug)]
pub struct Taken {
    statm: File,
    status: File,
    page_bytes: u64,
}

impl Taken {
    /// Opens what tells it.
    ///
    /// # Errors
    /// This system does not tell.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            statm: File::open("/proc/self/statm")?,
            status: File::open("/proc/self/status")?,
            page_bytes: rustix::param::page_size() as u64,
        })
    }

    /// Bytes in memory now, mapped files included.
    ///
    /// # Errors
    /// The system does not tell any more.
    pub fn bytes(&self) -> io::Result<u64> {
        Ok(self.field(1)? * self.page_bytes)
    }

    /// Bytes in memory now that are the process's own: neither files nor shared.
    ///
    /// # Errors
    /// The system does not tell any more.
    pub fn own_bytes(&self) -> io::Result<u64> {
        Ok(self.field(1)?.saturating_sub(self.field(2)?) * self.page_bytes)
    }

    /// The most bytes that were in memory at a time so far.
    ///
    /// # Errors
    /// The system does not tell any more.
    pub fn peak_bytes(&self) -> io::Result<u64> {
        let mut text = [0; 4096];
        let length = self.status.read_at(&mut text, 0)?;
        let text = std::str::from_utf8(&text[..length]).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|words| words.split_ascii_whitespace().next()?.parse::<u64>().ok());
        kib.map(|kib| kib << 10).ok_or_else(untold)
    }

    /// One number of the line: total, resident, shared, … in pages.
    fn field(&self, index: usize) -> io::Result<u64> {
        let mut line = [0; 128];
        let length = self.statm.read_at(&mut line, 0)?;
        let line = std::str::from_utf8(&line[..length]).unwrap_or_default();
        let number = line.split_ascii_whitespace().nth(index).and_then(|word| word.parse().ok());
        number.ok_or_else(untold)
    }
}

fn untold() -> io::Error {
    io::Error::other("the memory of the process is not told as a number")
}
