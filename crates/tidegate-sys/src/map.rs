//! Read-only memory maps of files that never change.

use std::fs::File;
use std::io;
use std::ops::{Deref, RangeBounds};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use crate::residency;

/// How many bytes of one map may pass before its pages are given back to the system: 24 MiB.
///
/// A map's pages count as memory of the process although the system may take them back at any time. Whoever watches
/// that figure, or limits it, would see every large file that is being served.
const RESIDENT_BYTES: usize = 24 << 20;

/// Bytes of a file, mapped where that is possible. Cloning, slicing and splitting do not copy.
#[derive(Clone, Debug)]
pub struct FileBytes {
    bytes: Bytes,
    /// None for bytes that are in memory anyway.
    map: Option<Arc<Map>>,
}

#[derive(Debug)]
pub(crate) struct Map {
    pages: memmap2::Mmap,
    /// Bytes that passed since the pages were last given back.
    passed: AtomicUsize,
}

impl Map {
    /// Bytes of the file.
    pub(crate) fn length(&self) -> u64 {
        self.pages.len() as u64
    }

    /// Gives the pages back to the system. Those still in use come again from its cache when they are touched.
    #[expect(unsafe_code, reason = "giving pages back is outside what the compiler can check; see SAFETY")]
    pub(crate) fn give_back(&self) {
        // SAFETY: the map is of a file, shared and never written, so a page that is given back and touched again holds
        // the same bytes.
        let given_back = unsafe { self.pages.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        // It is advice: where the system does not take it, memory is all that differs.
        drop(given_back);
    }
}

/// What keeps the map alive as long as any of its bytes are.
struct Owner(Arc<Map>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0.pages
    }
}

impl FileBytes {
    /// Maps a whole file into memory.
    ///
    /// The file must never be truncated or written again while the map lives: tidegate maps blobs only, which are named
    /// by their digest, renamed into place once whole, and only ever unlinked. An empty file gives empty bytes.
    ///
    /// # Errors
    /// What the operating system says of opening the map.
    #[expect(unsafe_code, reason = "a memory map is outside what the compiler can check; see SAFETY")]
    pub fn map_immutable(file: &File) -> io::Result<Self> {
        // Asked by the descriptor alone, which is what a process without files may still do.
        let length = usize::try_from(rustix::fs::fstat(file)?.st_size).map_err(io::Error::other)?;
        if length == 0 {
            return Ok(Bytes::new().into());
        }
        // SAFETY: the map is read-only, and the file behind it is never written or truncated while it is mapped (see
        // above). An unlinked file keeps its pages until the map is dropped.
        let pages = unsafe { memmap2::MmapOptions::new().len(length).map(file)? };
        let map = Arc::new(Map { pages, passed: AtomicUsize::new(0) });
        residency::note(&map);
        Ok(Self { bytes: Bytes::from_owner(Owner(Arc::clone(&map))), map: Some(map) })
    }

    /// Part of the bytes.
    ///
    /// # Panics
    /// Where `range` reaches beyond them.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        Self { bytes: self.bytes.slice(range), map: self.map.clone() }
    }

    /// Takes the first `count` bytes to be read once, and counts them as [passed](FileBytes::pass).
    ///
    /// # Panics
    /// Where there are fewer.
    pub fn take(&mut self, count: usize) -> Bytes {
        self.pass(count);
        self.bytes.split_to(count)
    }

    /// Counts bytes as read. Once many have been, the map's pages are given back; those still in use come again from
    /// the system's cache when they are touched.
    pub fn pass(&self, count: usize) {
        let Some(map) = &self.map else { return };
        if map.pages.len() <= RESIDENT_BYTES {
            return;
        }
        if map.passed.fetch_add(count, Ordering::Relaxed) + count < RESIDENT_BYTES {
            return;
        }
        map.passed.store(0, Ordering::Relaxed);
        map.give_back();
    }
}

impl From<Bytes> for FileBytes {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, map: None }
    }
}

impl From<FileBytes> for Bytes {
    /// The bytes alone. Reading them is not counted, so a large map then stays in memory as far as it was read.
    fn from(file: FileBytes) -> Self {
        file.bytes
    }
}

impl Default for FileBytes {
    fn default() -> Self {
        Bytes::new().into()
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Kilobytes of the process's maps of this file that are in memory.
    fn resident(path: &std::path::Path) -> usize {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let name = path.to_str().unwrap();
        let mut lines = maps.lines().skip_while(|line| !line.ends_with(name));
        lines
            .find_map(|l| l.strip_prefix("Rss:"))
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .parse()
            .unwrap()
    }

    #[test]
    fn what_has_passed_is_given_back_and_reads_the_same_again() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let block: Vec<u8> = (0..1 << 20).map(|n: usize| (n % 251).to_le_bytes()[0]).collect();
        for _ in 0..48 {
            file.write_all(&block).unwrap();
        }
        let whole = FileBytes::map_immutable(file.as_file()).unwrap();
        let mut left = whole.clone();
        let mut most = 0;
        while !left.is_empty() {
            assert!(left.take(block.len())[..] == block[..], "other bytes");
            most = most.max(resident(file.path()));
        }
        assert!(most <= RESIDENT_BYTES / 1024 + 1024, "{most} kB were in memory");
        assert!(resident(file.path()) <= 17 * 1024);
        assert!(whole[..block.len()] == block[..]);
    }

    #[test]
    fn parts_are_the_files_bytes() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"abcdef").unwrap();
        let whole = FileBytes::map_immutable(file.as_file()).unwrap();
        let mut part = whole.slice(1..=4);
        drop(whole);
        assert_eq!(&part.take(2)[..], b"bc");
        assert_eq!(&part[..], b"de");
        assert!(FileBytes::map_immutable(tempfile::tempfile().as_ref().unwrap()).unwrap().is_empty());
    }
}
