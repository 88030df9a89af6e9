//! A blob on its way in: hashed while it streams, compared, made durable, named.

use std::path::PathBuf;

use tidegate_model::{Algorithm, Digest, Sha256};
use tidegate_sys::disk::{DiskFile, SyncSite};

use super::checks::BlockHasher;
use super::hashing::{self, Hashers};
use super::{BlobError, BlobStore};

/// What whoever named the blob says of it. Empty where nothing is promised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promise {
    /// Every one of them must agree, the weak ones too.
    pub digests: Vec<Digest>,
    /// Size in bytes.
    pub size: Option<u64>,
}

/// A blob that is whole, durable and named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its name.
    pub sha256: Sha256,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 and every other digest that was asked for, strongest first.
    pub digests: Vec<Digest>,
}

impl Committed {
    /// The digest of this algorithm, where it was asked for.
    pub fn digest(&self, algorithm: Algorithm) -> Option<&Digest> {
        self.digests.iter().find(|d| d.algorithm() == algorithm)
    }
}

/// A blob being written. Dropping it removes what was written.
pub struct BlobWriter {
    store: BlobStore,
    staged: PathBuf,
    file: Option<Box<dyn DiskFile>>,
    hashers: Hashers,
    blocks: BlockHasher,
    written: u64,
}

impl BlobWriter {
    pub(super) fn begin(store: BlobStore, algorithms: &[Algorithm]) -> Result<Self, BlobError> {
        let staged = store.staging_path();
        let file = store
            .shared
            .disk
            .create_new(&staged)
            .map_err(|e| BlobError::io("beginning a blob", &staged, e))?;
        Ok(Self {
            store,
            staged,
            file: Some(file),
            hashers: Hashers::new(algorithms),
            blocks: BlockHasher::default(),
            written: 0,
        })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`BlobError::Full`], or what the disk says; the blob cannot be finished after that.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let file = self.file.as_mut().ok_or_else(|| self.store.broken(&self.staged))?;
        if let Err(e) = file.append(bytes) {
            // Some of the bytes may stand in the file: nothing may be appended after them.
            self.file = None;
            return Err(BlobError::io("writing a blob", &self.staged, e));
        }
        self.hashers.update(bytes);
        self.blocks.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Bytes appended so far.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Compares with what was promised, makes the bytes durable, names them, makes the name durable.
    ///
    /// # Errors
    /// [`BlobError::Mismatch`] and [`BlobError::WrongSize`] where the promise is broken, [`BlobError::Full`], or what the
    /// disk says. In every case nothing has the blob's name that had not before.
    pub fn finish(mut self, promise: &Promise) -> Result<Committed, BlobError> {
        let mut file = self.file.take().ok_or_else(|| self.store.broken(&self.staged))?;
        let size = self.written;
        if let Some(promised) = promise.size.filter(|promised| *promised != size) {
            return Err(BlobError::WrongSize { promised, found: size });
        }
        let hashers = std::mem::replace(&mut self.hashers, Hashers::new(&[]));
        let (sha256, digests) = hashers.finish();
        self.compare(&promise.digests, &digests)?;
        file.sync(SyncSite::BlobBytes).map_err(|e| BlobError::io("syncing a blob", &self.staged, e))?;
        drop(file);
        self.store.write_checks(&sha256, &std::mem::take(&mut self.blocks).finish());
        self.store.give_name(&self.staged, &sha256, size)?;
        self.staged.clear();
        Ok(Committed { sha256, size, digests })
    }

    fn compare(&self, promised: &[Digest], found: &[Digest]) -> Result<(), BlobError> {
        for promise in promised {
            let found = match found.iter().find(|d| d.algorithm() == promise.algorithm()) {
                Some(found) => found.clone(),
                // Not asked for when the blob began, so the staged bytes are read once more.
                None => {
                    let bytes = self
                        .store
                        .shared
                        .disk
                        .map(&self.staged)
                        .map_err(|e| BlobError::io("reading a blob back", &self.staged, e))?;
                    hashing::digest(promise.algorithm(), &bytes)
                }
            };
            if found != *promise {
                return Err(BlobError::Mismatch { promised: promise.clone(), found });
            }
        }
        Ok(())
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if !self.staged.as_os_str().is_empty() {
            self.file = None;
            // What cannot be removed now is removed when the store is opened next.
            drop(self.store.shared.disk.remove(&self.staged));
        }
    }
}

impl BlobStore {
    fn broken(&self, staged: &std::path::Path) -> BlobError {
        BlobError::io("continuing a blob", staged, std::io::Error::other("an earlier write to it failed"))
    }

    /// Renames synced bytes to their digest. A blob that is there already is replaced by the same bytes: that mends one
    /// that was damaged, and makes durable one whose writer died before it could.
    fn give_name(&self, staged: &std::path::Path, sha256: &Sha256, size: u64) -> Result<(), BlobError> {
        let path = self.blob_path(sha256);
        let shard = path.parent().expect("sharded").to_owned();
        let before = {
            let mut names = self.names();
            self.ensure_shard(&mut names, &shard, true)
                .map_err(|e| BlobError::io("making a directory for blobs", &shard, e))?;
            let before = self.size_of(&path)?;
            self.shared.disk.rename(staged, &path).map_err(|e| BlobError::io("naming a blob", &path, e))?;
            self.count(size, before.unwrap_or(0));
            before
        };
        self.shared.disk.sync_dir(&shard, SyncSite::BlobName).map_err(|e| {
            if before.is_none() {
                drop(self.remove(sha256));
            }
            BlobError::io("syncing a blob's name", &path, e)
        })
    }
}
