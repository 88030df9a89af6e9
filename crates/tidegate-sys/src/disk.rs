//! The file operations that durability rests on, behind a trait.
//!
//! Everything that must survive a crash goes through [`Disk`]: the ledger's segments and the blob store. Each sync names
//! its [`SyncSite`], so that a test can leave out any one of them and show that something is then lost.

use std::fs;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::map::FileBytes;

/// Every place in the product that syncs, in groups that each have a crash test. A site of a group that is never reached
/// by its crash test fails it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SyncSite {
    /// Entries appended to the ledger's current segment.
    LedgerEntries,
    /// The directory that gained a new ledger segment.
    LedgerSegmentName,
    /// A blob's bytes before it gets its name.
    BlobBytes,
    /// The directory that gained a blob's name.
    BlobName,
    /// A directory that gained a subdirectory.
    DirectoryName,
    /// A compiled segment of advisories or signals before anything names it.
    IntelSegment,
    /// The directory that gained the names of such segments.
    IntelSegmentName,
    /// The list of segments in force, before it takes the place of the one before.
    IntelManifest,
    /// The directory in which the list of segments changed.
    IntelManifestName,
    /// A tile or an entry bundle of the ledger's tree before it gets its name.
    TileBytes,
    /// The directory that gained the names of tiles or bundles.
    TileName,
    /// A checkpoint before it takes the place of the one before.
    CheckpointBytes,
    /// The directory in which the checkpoint changed.
    CheckpointName,
}

impl SyncSite {
    /// Every site on the way of a request.
    pub const REQUEST: [Self; 5] =
        [Self::LedgerEntries, Self::LedgerSegmentName, Self::BlobBytes, Self::BlobName, Self::DirectoryName];

    /// Every site of loading advisories and signals.
    pub const INTEL: [Self; 4] =
        [Self::IntelSegment, Self::IntelSegmentName, Self::IntelManifest, Self::IntelManifestName];

    /// Every site of publishing the ledger's tree.
    pub const TREE: [Self; 4] =
        [Self::TileBytes, Self::TileName, Self::CheckpointBytes, Self::CheckpointName];
}

/// What a directory holds under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Name within the directory.
    pub name: String,
    /// Size in bytes; 0 for a directory.
    pub len: u64,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// When it was last written.
    pub modified: SystemTime,
}

/// What tells that somebody wrote to a file that nobody should write to, or that its name stands for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// Size in bytes.
    pub len: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
    /// Its number in the file system; 0 where there is none.
    pub inode: u64,
}

/// A file open for writing at its end.
pub trait DiskFile: Send {
    /// Writes everything at the end, or fails; after a failure some of it may stand there.
    ///
    /// # Errors
    /// What the operating system says, above all that the disk is full.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written so far survive a power cut (`fdatasync`).
    ///
    /// # Errors
    /// What the operating system says. After a failure nothing may be assumed of the bytes since the last success.
    fn sync(&mut self, site: SyncSite) -> io::Result<()>;

    /// Cuts the file to `len` bytes; the next append goes there.
    ///
    /// # Errors
    /// What the operating system says.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// The operations themselves. All block; callers run them off the async executor.
pub trait Disk: Send + Sync + 'static {
    /// Creates a file that must not exist yet.
    ///
    /// # Errors
    /// What the operating system says.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens an existing file to append to it.
    ///
    /// # Errors
    /// What the operating system says.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// The whole content of a file.
    ///
    /// # Errors
    /// What the operating system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Up to `max` bytes of a file from `offset` on; fewer only where the file ends.
    ///
    /// # Errors
    /// What the operating system says.
    fn read_range(&self, path: &Path, offset: u64, max: usize) -> io::Result<Vec<u8>> {
        let whole = self.read(path)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(whole.len());
        Ok(whole[from..].iter().take(max).copied().collect())
    }

    /// The whole content of a file that never changes, without copying where that is possible.
    ///
    /// # Errors
    /// What the operating system says.
    fn map(&self, path: &Path) -> io::Result<FileBytes>;

    /// A file that never changes, open for another process to read.
    ///
    /// # Errors
    /// What the operating system says.
    fn open_read(&self, path: &Path) -> io::Result<fs::File>;

    /// What tells one state of a file from another, at the cost of one system call.
    ///
    /// # Errors
    /// What the operating system says.
    fn stamp(&self, path: &Path) -> io::Result<FileStamp> {
        Ok(FileStamp { len: self.map(path)?.len() as u64, modified: None, inode: 0 })
    }

    /// Gives a file another name in the same file system, replacing what had that name.
    ///
    /// # Errors
    /// What the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the operating system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory. A disk that cannot leaves it: nothing may depend on its being gone.
    ///
    /// # Errors
    /// What the operating system says.
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let _ = path;
        Ok(())
    }

    /// Makes a directory and those above it, each synced into its parent.
    ///
    /// # Errors
    /// What the operating system says.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// What a directory holds, by name.
    ///
    /// # Errors
    /// What the operating system says.
    fn list(&self, dir: &Path) -> io::Result<Vec<DirectoryEntry>>;

    /// Makes the names in a directory survive a power cut.
    ///
    /// # Errors
    /// What the operating system says.
    fn sync_dir(&self, dir: &Path, site: SyncSite) -> io::Result<()>;

    /// Bytes that can still be written to the file system that holds `dir`.
    ///
    /// # Errors
    /// What the operating system says.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

struct RealFile(fs::File);

impl DiskFile for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self, _site: SyncSite) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        // Opened in append mode, so the next write lands at the new end.
        self.0.set_len(len)
    }
}

impl Disk for RealDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = fs::OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile(fs::OpenOptions::new().append(true).open(path)?)))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn read_range(&self, path: &Path, offset: u64, max: usize) -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(path)?;
        file.seek(io::SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(max as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn map(&self, path: &Path) -> io::Result<FileBytes> {
        FileBytes::map_immutable(&fs::File::open(path)?)
    }

    fn open_read(&self, path: &Path) -> io::Result<fs::File> {
        fs::File::open(path)
    }

    fn stamp(&self, path: &Path) -> io::Result<FileStamp> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = fs::metadata(path)?;
        Ok(FileStamp { len: metadata.len(), modified: metadata.modified().ok(), inode: metadata.ino() })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut missing: Vec<PathBuf> = Vec::new();
        let mut at = Some(path);
        while let Some(dir) = at {
            if dir.as_os_str().is_empty() || dir.is_dir() {
                break;
            }
            missing.push(dir.to_owned());
            at = dir.parent();
        }
        for dir in missing.into_iter().rev() {
            match fs::create_dir(&dir) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
            if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
                self.sync_dir(parent, SyncSite::DirectoryName)?;
            }
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirectoryEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // Removed between the listing and the look.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            entries.push(DirectoryEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                len: if metadata.is_dir() { 0 } else { metadata.len() },
                is_dir: metadata.is_dir(),
                modified: metadata.modified()?,
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn sync_dir(&self, dir: &Path, _site: SyncSite) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_after_truncation_land_at_the_new_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/file");
        RealDisk.create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = RealDisk.create_new(&path).unwrap();
        file.append(b"hello world").unwrap();
        file.truncate(5).unwrap();
        file.append(b"!").unwrap();
        file.sync(SyncSite::BlobBytes).unwrap();
        assert_eq!(RealDisk.read(&path).unwrap(), b"hello!");
        assert_eq!(&RealDisk.map(&path).unwrap()[..], b"hello!");
        assert_eq!(RealDisk.read_range(&path, 1, 3).unwrap(), b"ell");
        assert_eq!(RealDisk.read_range(&path, 4, 99).unwrap(), b"o!");
        assert!(RealDisk.read_range(&path, 99, 1).unwrap().is_empty());
        assert!(RealDisk.create_new(&path).is_err());
        assert_eq!(RealDisk.list(path.parent().unwrap()).unwrap()[0].len, 6);
        assert!(RealDisk.free_bytes(dir.path()).unwrap() > 0);
    }

    #[test]
    fn an_empty_file_maps_to_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("empty");
        RealDisk.create_new(&path).unwrap();
        assert!(RealDisk.map(&path).unwrap().is_empty());
    }
}
