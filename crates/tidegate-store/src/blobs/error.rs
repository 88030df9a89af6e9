//! What can go wrong with blobs. Each message names the path and what to do.

use std::io;
use std::path::{Path, PathBuf};

use tidegate_model::{Digest, Sha256};

/// The blob store could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("opening the blob store failed at `{}`: give the user that runs tidegate write access there", path.display())]
pub struct OpenBlobsError {
    /// Where it failed.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// A blob could not be written, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The file system is full.
    #[error("no space left for `{}`: free some, or lower the quota of the store", path.display())]
    Full {
        /// What was being written.
        path: PathBuf,
    },
    /// The quota is used up by blobs that may not be evicted.
    #[error(
        "the blob store `{}` holds {used_bytes} of {quota_bytes} bytes and nothing may be evicted: raise the quota, or release what is held or pinned",
        path.display()
    )]
    OverQuota {
        /// The store.
        path: PathBuf,
        /// Bytes in it.
        used_bytes: u64,
        /// Bytes allowed.
        quota_bytes: u64,
    },
    /// The bytes are not the promised ones. They are gone.
    #[error(
        "the bytes have {found}, promised was {promised}: the upstream or something on the way changed them"
    )]
    Mismatch {
        /// What the index promised.
        promised: Digest,
        /// What came.
        found: Digest,
    },
    /// There are more or fewer bytes than promised. They are gone.
    #[error(
        "{found} bytes came, promised were {promised}: the transfer was cut or the upstream changed the file"
    )]
    WrongSize {
        /// Bytes promised.
        promised: u64,
        /// Bytes that came.
        found: u64,
    },
    /// A stored blob no longer has the digest in its name.
    #[error("the stored blob {sha256} was damaged and is now `{}`: it is fetched again; check the disk", moved_to.display())]
    Corrupt {
        /// Which blob.
        sha256: Sha256,
        /// Where the damaged bytes are kept.
        moved_to: PathBuf,
    },
    /// Anything else that the operating system says.
    #[error("{doing} failed at `{}`", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl BlobError {
    /// Tells a full disk, and a full quota of the operating system, from the rest.
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path: path.to_owned() },
            _ => Self::Io { doing, path: path.to_owned(), source },
        }
    }
}
