//! Content-addressed blobs in a directory.
//!
//! ```text
//! blobs/sha256/ab/<64 hex digits>   the bytes, nothing else: `sha256sum` agrees with the name
//! blobs/crc32c/ab/<64 hex digits>   checksums per block, see [`checks`]
//! blobs/staging/<n>                 being written; removed when the store is opened
//! blobs/corrupt/<64 hex digits>-<n> found damaged; kept for whoever looks into the disk
//! ```
//!
//! // INVARIANT: a name below `sha256/` stands for whole bytes. They are synced before they get the name, the name is
//! synced before the caller hears of it, and nothing ever writes to a named file: blobs are renamed into place and
//! unlinked, so a map of one stays valid.

mod checks;
mod error;
mod evict;
mod hashing;
mod writer;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_model::Sha256;
use tidegate_sys::disk::{Disk, FileStamp, SyncSite};
use tidegate_sys::map::FileBytes;

pub use checks::BLOCK_BYTES;
pub use error::{BlobError, OpenBlobsError};
pub use evict::{EvictError, Evicted, Reconciled};
pub use writer::{BlobWriter, Committed, Promise};

use crate::blobs::checks::BlockChecks;

/// The most damaged blobs that are kept to be looked into; the oldest make room, so that a failing disk does not fill.
const MAX_CORRUPT: usize = 32;

/// The blobs of one data directory.
#[derive(Clone)]
pub struct BlobStore {
    shared: Arc<Shared>,
}

struct Shared {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    quota_bytes: u64,
    /// Bytes of named blobs; staged and damaged bytes are not counted.
    used: AtomicU64,
    next_name: AtomicU64,
    /// Directories that this process has made durable; also serialises what changes which names exist.
    names: Mutex<HashSet<PathBuf>>,
}

/// A blob that was checked when it was opened.
#[derive(Clone)]
pub struct Blob {
    sha256: Sha256,
    bytes: FileBytes,
    /// Of its file, taken before the bytes were checked.
    stamp: FileStamp,
}

impl Blob {
    /// The digest of the bytes.
    pub const fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The bytes.
    pub const fn bytes(&self) -> &FileBytes {
        &self.bytes
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.sha256, self.bytes.len())
    }
}

/// How full the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of blobs.
    pub used_bytes: u64,
    /// Bytes the configuration allows.
    pub quota_bytes: u64,
    /// Bytes the file system could still take.
    pub free_bytes: u64,
}

impl Usage {
    /// Bytes above the quota.
    pub const fn excess_bytes(&self) -> u64 {
        self.used_bytes.saturating_sub(self.quota_bytes)
    }
}

impl BlobStore {
    /// Opens the store in `dir`, making it where it is missing and removing what was half written.
    ///
    /// # Errors
    /// [`OpenBlobsError`] names the path that could not be used.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, quota_bytes: u64) -> Result<Self, OpenBlobsError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenBlobsError { path, source }
        };
        for name in ["sha256", "crc32c", "staging", "corrupt"] {
            let path = dir.join(name);
            disk.create_dir_all(&path).map_err(failed(&path))?;
        }
        // A process that died may have made these without living to sync them.
        disk.sync_dir(dir, SyncSite::DirectoryName).map_err(failed(dir))?;
        if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
            disk.sync_dir(parent, SyncSite::DirectoryName).map_err(failed(parent))?;
        }
        let staging = dir.join("staging");
        for leftover in disk.list(&staging).map_err(failed(&staging))? {
            let path = staging.join(&leftover.name);
            disk.remove(&path).map_err(failed(&path))?;
        }
        let store = Self {
            shared: Arc::new(Shared {
                disk,
                root: dir.to_owned(),
                quota_bytes,
                used: AtomicU64::new(0),
                next_name: AtomicU64::new(0),
                names: Mutex::new(HashSet::new()),
            }),
        };
        let used = store.list().map_err(failed(dir))?.iter().map(|(_, size)| size).sum();
        store.shared.used.store(used, Ordering::Relaxed);
        Ok(store)
    }

    /// Begins a blob whose digest is known once it is whole. `algorithms` are computed besides SHA-256 while bytes arrive.
    ///
    /// The quota is soft for what has begun and hard for what has not: a blob may overshoot it, and once it is reached
    /// nothing begins until [`BlobStore::make_room`] found something to evict.
    ///
    /// # Errors
    /// [`BlobError::OverQuota`], [`BlobError::Full`], or what the disk says.
    pub fn begin(&self, algorithms: &[tidegate_model::Algorithm]) -> Result<BlobWriter, BlobError> {
        let used_bytes = self.shared.used.load(Ordering::Relaxed);
        if used_bytes >= self.shared.quota_bytes {
            return Err(BlobError::OverQuota {
                path: self.shared.root.clone(),
                used_bytes,
                quota_bytes: self.shared.quota_bytes,
            });
        }
        BlobWriter::begin(self.clone(), algorithms)
    }

    /// The blob with this digest, checked against its stored checksums; `None` where the store does not hold it.
    ///
    /// A damaged blob is moved to `corrupt/` and reported, never returned; the caller fetches it again.
    ///
    /// # Errors
    /// [`BlobError::Corrupt`], or what the disk says.
    pub fn open_blob(&self, sha256: &Sha256) -> Result<Option<Blob>, BlobError> {
        let path = self.blob_path(sha256);
        let opened =
            self.shared.disk.stamp(&path).and_then(|stamp| Ok((stamp, self.shared.disk.map(&path)?)));
        let (stamp, bytes) = match opened {
            Ok(opened) => opened,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(BlobError::io("opening a blob", &path, e)),
        };
        if self.stored_checks(sha256).is_some_and(|checks| checks.agree(&bytes)) {
            return Ok(Some(Blob { sha256: *sha256, bytes, stamp }));
        }
        // Checksums that are missing, torn or in disagreement prove nothing against the bytes: the digest does.
        if hashing::sha256_of_file(&bytes) != *sha256 {
            drop(bytes);
            return Err(BlobError::Corrupt { sha256: *sha256, moved_to: self.set_aside(sha256, &path)? });
        }
        self.write_checks(sha256, &BlockChecks::of(&bytes));
        Ok(Some(Blob { sha256: *sha256, bytes, stamp }))
    }

    /// The file of a blob, to be handed to another process for reading; `None` where it is not there. Its bytes are as
    /// [`open_blob`](Self::open_blob) found them as long as the blob [is unharmed](Self::is_unharmed).
    ///
    /// # Errors
    /// What the system says.
    pub fn open_file(&self, sha256: &Sha256) -> Result<Option<std::fs::File>, BlobError> {
        let path = self.blob_path(sha256);
        match self.shared.disk.open_read(&path) {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(BlobError::io("opening a blob", &path, e)),
        }
    }

    /// Whether a blob's file is as it was when the blob was opened and checked. The bytes of a blob that is held open are
    /// the file's, so whoever keeps one asks before using it again.
    pub fn is_unharmed(&self, blob: &Blob) -> bool {
        self.shared.disk.stamp(&self.blob_path(&blob.sha256)).is_ok_and(|now| now == blob.stamp)
    }

    /// Removes a blob; those who hold it open keep their bytes. Returns its size, `None` where it was not there.
    ///
    /// # Errors
    /// What the disk says.
    pub fn remove(&self, sha256: &Sha256) -> Result<Option<u64>, BlobError> {
        let path = self.blob_path(sha256);
        let _names = self.names();
        let Some(size) = self.size_of(&path)? else { return Ok(None) };
        self.shared.disk.remove(&path).map_err(|e| BlobError::io("removing a blob", &path, e))?;
        self.forget_checks(sha256);
        self.count(0, size);
        Ok(Some(size))
    }

    /// Every blob with its size, in no order.
    ///
    /// # Errors
    /// What the disk says.
    pub fn list(&self) -> io::Result<Vec<(Sha256, u64)>> {
        let base = self.shared.root.join("sha256");
        let mut blobs = Vec::new();
        for shard in self.shared.disk.list(&base)?.iter().filter(|e| e.is_dir) {
            for file in self.shared.disk.list(&base.join(&shard.name))? {
                match Sha256::from_hex(&file.name) {
                    Some(sha256) if !file.is_dir => blobs.push((sha256, file.len)),
                    _ => {
                        tracing::warn!(file.name = %file.name, "ignored a file in the blob store that is no blob")
                    }
                }
            }
        }
        Ok(blobs)
    }

    /// How full the store is.
    ///
    /// # Errors
    /// What the disk says of its free space.
    pub fn usage(&self) -> Result<Usage, BlobError> {
        let root = &self.shared.root;
        Ok(Usage {
            used_bytes: self.shared.used.load(Ordering::Relaxed),
            quota_bytes: self.shared.quota_bytes,
            free_bytes: self
                .shared
                .disk
                .free_bytes(root)
                .map_err(|e| BlobError::io("asking for free space", root, e))?,
        })
    }

    fn blob_path(&self, sha256: &Sha256) -> PathBuf {
        sharded(&self.shared.root.join("sha256"), sha256)
    }

    fn checks_path(&self, sha256: &Sha256) -> PathBuf {
        sharded(&self.shared.root.join("crc32c"), sha256)
    }

    fn staging_path(&self) -> PathBuf {
        let n = self.shared.next_name.fetch_add(1, Ordering::Relaxed);
        self.shared.root.join("staging").join(n.to_string())
    }

    /// Counts bytes in and out. Never below nothing: a damaged blob may leave with more bytes than it came with.
    fn count(&self, added: u64, removed: u64) {
        let change = |used: u64| Some(used.saturating_add(added).saturating_sub(removed));
        let _always = self.shared.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }

    fn names(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        // The set only ever grows by a path whose sync succeeded, so a panic elsewhere leaves it true.
        self.shared.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn size_of(&self, path: &Path) -> Result<Option<u64>, BlobError> {
        match self.shared.disk.map(path) {
            Ok(bytes) => Ok(Some(bytes.len() as u64)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(BlobError::io("looking for a blob", path, e)),
        }
    }

    /// Makes a shard's directory and its name durable, once per process: an earlier process may have died between
    /// making it and syncing it.
    fn ensure_shard(&self, known: &mut HashSet<PathBuf>, shard: &Path, durable: bool) -> io::Result<()> {
        if known.contains(shard) {
            return Ok(());
        }
        self.shared.disk.create_dir_all(shard)?;
        if durable {
            let parent = shard.parent().expect("a shard lies in the store");
            self.shared.disk.sync_dir(parent, SyncSite::DirectoryName)?;
        }
        known.insert(shard.to_owned());
        Ok(())
    }

    fn set_aside(&self, sha256: &Sha256, path: &Path) -> Result<PathBuf, BlobError> {
        let _names = self.names();
        let corrupt = self.shared.root.join("corrupt");
        let mut kept = self
            .shared
            .disk
            .list(&corrupt)
            .map_err(|e| BlobError::io("listing damaged blobs", &corrupt, e))?;
        kept.sort_by_key(|file| file.modified);
        for file in &kept[..kept.len().saturating_sub(MAX_CORRUPT - 1)] {
            // One more or less is no reason to fail: the blob that matters is the one being set aside.
            drop(self.shared.disk.remove(&corrupt.join(&file.name)));
        }
        let n = self.shared.next_name.fetch_add(1, Ordering::Relaxed);
        let to = corrupt.join(format!("{}-{n}", sha256.hex()));
        match self.shared.disk.rename(path, &to) {
            Ok(()) => {}
            // Another reader found it first.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(BlobError::io("setting a damaged blob aside", path, e)),
        }
        // Damage may have changed its size, so what it was counted with is not known.
        if let Ok(blobs) = self.list() {
            self.shared.used.store(blobs.iter().map(|(_, size)| size).sum(), Ordering::Relaxed);
        }
        self.forget_checks(sha256);
        Ok(to)
    }

    fn stored_checks(&self, sha256: &Sha256) -> Option<BlockChecks> {
        BlockChecks::decode(&self.shared.disk.read(&self.checks_path(sha256)).ok()?)
    }

    /// Writes checksums without syncing: they are a shortcut that proves itself, and the digest stands in for them.
    fn write_checks(&self, sha256: &Sha256, checks: &BlockChecks) {
        let path = self.checks_path(sha256);
        let staged = self.staging_path();
        let written = (|| {
            self.ensure_shard(&mut self.names(), path.parent().expect("sharded"), false)?;
            self.shared.disk.create_new(&staged)?.append(&checks.encode())?;
            self.shared.disk.rename(&staged, &path)
        })();
        if let Err(e) = written {
            tracing::warn!(blob.sha256 = %sha256, error = %e, "kept no checksums for a blob; it is checked by digest");
            drop(self.shared.disk.remove(&staged));
        }
    }

    fn forget_checks(&self, sha256: &Sha256) {
        // Absent checksums and stale ones are both harmless, see `open_blob`.
        drop(self.shared.disk.remove(&self.checks_path(sha256)));
    }
}

fn sharded(base: &Path, sha256: &Sha256) -> PathBuf {
    let hex = sha256.hex();
    base.join(&hex[..2]).join(hex)
}

#[cfg(test)]
mod tests;
