//! Keeping the store under its quota, and in step with the catalogue.

use std::collections::HashMap;
use std::io;

use tidegate_model::{Sha256, Timestamp};

use super::{BlobError, BlobStore};
use crate::catalogue::{Artifacts, CatalogueError};

/// How many blobs are taken off the catalogue at a time.
const BATCH: usize = 256;

/// What an eviction removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evicted {
    /// Blobs removed.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What [`BlobStore::reconcile`] had to mend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Blobs on disk that the catalogue did not count; now it does.
    pub adopted: u64,
    /// Blobs the catalogue counted that are not on disk; now it does not.
    pub missing: u64,
}

/// Room could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EvictError {
    /// The catalogue failed.
    #[error("choosing blobs to evict failed")]
    Catalogue(#[from] CatalogueError),
    /// A blob could not be removed.
    #[error("evicting a blob failed")]
    Blob(#[from] BlobError),
    /// The blobs could not be listed.
    #[error("listing the blob store failed")]
    List(#[source] io::Error),
}

impl BlobStore {
    /// Evicts the least recently used blobs until `needed_bytes` more fit under the quota, or nothing is left that may
    /// go. Held and pinned blobs stay; the catalogue decides that in the transaction that takes the others off.
    ///
    /// # Errors
    /// [`EvictError`]; what was evicted until then stays evicted.
    pub fn make_room(&self, catalogue: &dyn Artifacts, needed_bytes: u64) -> Result<Evicted, EvictError> {
        let mut evicted = Evicted::default();
        loop {
            let usage = self.usage()?;
            let target = usage.quota_bytes.saturating_sub(needed_bytes);
            let excess = usage.used_bytes.saturating_sub(target);
            if excess == 0 {
                return Ok(evicted);
            }
            // Off the catalogue first: a crash in between leaves a blob that `reconcile` adopts, never a hold broken.
            let chosen = catalogue.take_for_eviction(excess, BATCH)?;
            if chosen.is_empty() {
                return Ok(evicted);
            }
            for sha256 in chosen {
                if let Some(bytes) = self.remove(&sha256)? {
                    evicted.blobs += 1;
                    evicted.bytes += bytes;
                }
            }
        }
    }

    /// Brings catalogue and disk into step after a crash: what is on disk is counted, what is not is fetched again.
    ///
    /// # Errors
    /// [`EvictError`].
    pub fn reconcile(&self, catalogue: &dyn Artifacts, now: Timestamp) -> Result<Reconciled, EvictError> {
        let mut on_disk: HashMap<Sha256, u64> = self.list().map_err(EvictError::List)?.into_iter().collect();
        let mut missing = Vec::new();
        for sha256 in catalogue.stored_artifacts()? {
            if on_disk.remove(&sha256).is_none() {
                missing.push(sha256);
            }
        }
        let adopted: Vec<(Sha256, u64)> = on_disk.into_iter().collect();
        catalogue.mark_absent(&missing)?;
        catalogue.adopt_artifacts(&adopted, now)?;
        Ok(Reconciled { adopted: adopted.len() as u64, missing: missing.len() as u64 })
    }
}
