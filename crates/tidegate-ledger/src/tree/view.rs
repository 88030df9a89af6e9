//! What readers of a tree ask: the newest checkpoint, proofs, receipts. Every tile is checked before it is used.

use std::sync::{Arc, Mutex, PoisonError};

use tlog_tiles::{Hash, prove_record, prove_tree};

use super::open::{not_older, open_note};
use super::{Failure, unknown};
use crate::RecordId;
use crate::checkpoint::Root;
use crate::heads::Head;
use crate::note::{SignedNote, VerifierKey};
use crate::proof::{ConsistencyProof, InclusionProof, Receipt};
use crate::tiles::{COSIGNED_PATH, TILE_WIDTH, Tiles, TreeHashes, entries_of};

/// The newest published head, and the newest one with cosignatures.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub(super) head: Option<Head>,
    pub(super) cosigned: Option<Cosigned>,
}

#[derive(Clone, Debug)]
pub(super) struct Cosigned {
    pub(super) size: u64,
    pub(super) root: Root,
    pub(super) note: String,
}

/// Why a question about the tree has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// Nothing was published yet.
    #[error("nothing of this ledger was published yet")]
    Empty,
    /// The entry is not in the tree.
    #[error("{0}")]
    Unknown(String),
    /// The sizes asked for make no sense.
    #[error("there is no proof from {old} to {new} entries: the log has {size}")]
    Sizes {
        /// From.
        old: u64,
        /// To.
        new: u64,
        /// How many there are.
        size: u64,
    },
    /// Tiles are missing or are not those of the tree.
    #[error("the tiles do not prove it: {0}")]
    Tiles(String),
    /// A cosigned checkpoint is not one of this log.
    #[error(transparent)]
    Checkpoint(#[from] Failure),
    /// It cannot be stored.
    #[error("cannot store the cosigned checkpoint")]
    Store(#[source] std::io::Error),
}

/// A tree as readers see it. Clones see the same tree.
#[derive(Clone)]
pub struct TreeView {
    tiles: Arc<dyn Tiles>,
    shared: Arc<Mutex<Arc<Snapshot>>>,
    trusted: Vec<VerifierKey>,
}

impl TreeView {
    pub(super) fn new(
        tiles: Arc<dyn Tiles>,
        shared: Arc<Mutex<Arc<Snapshot>>>,
        trusted: Vec<VerifierKey>,
    ) -> Self {
        Self { tiles, shared, trusted }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The newest published head: size, root, signed note and which leaf is which entry.
    pub fn head(&self) -> Option<Head> {
        self.snapshot().head.clone()
    }

    /// The newest published checkpoint, as a signed note.
    pub fn checkpoint(&self) -> Option<String> {
        self.snapshot().head.as_ref().map(|head| head.note.clone())
    }

    /// The newest checkpoint that witnesses cosigned, with their lines.
    pub fn cosigned(&self) -> Option<String> {
        self.snapshot().cosigned.as_ref().map(|c| c.note.clone())
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        self.trusted[0].name()
    }

    /// Keeps a published checkpoint to which witnesses have added their lines; each of `witnesses` that signed must fit, one
    /// must have. A smaller one than is kept changes nothing.
    ///
    /// # Errors
    /// A note that is not of this log or that no witness signed; what the store says.
    pub fn keep_cosigned(&self, note: &SignedNote, witnesses: &[VerifierKey]) -> Result<(), ViewError> {
        let text = note.to_text();
        let (_, checkpoint) =
            open_note("the cosigned checkpoint", text.as_bytes(), self.origin(), &self.trusted)?;
        note.verify_any(witnesses).map_err(|e| {
            Failure::new(super::FailureKind::Cosignature, "the cosigned checkpoint", e.to_string())
        })?;
        // The lock is held while the file is written, so that an older one never takes the place of a newer one.
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        not_older("the cosigned checkpoint", &checkpoint, shared.head.as_ref())?;
        if shared.cosigned.as_ref().is_some_and(|kept| kept.size > checkpoint.size) {
            return Ok(());
        }
        self.tiles.put_checkpoint(COSIGNED_PATH, &text).map_err(ViewError::Store)?;
        let cosigned = Some(Cosigned { size: checkpoint.size, root: checkpoint.root, note: text });
        *shared = Arc::new(Snapshot { head: shared.head.clone(), cosigned });
        Ok(())
    }

    /// Proves that leaf `index` is in the newest published tree.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn prove(&self, index: u64) -> Result<InclusionProof, ViewError> {
        let snapshot = self.snapshot();
        let head = snapshot.head.as_ref().ok_or(ViewError::Empty)?;
        self.inclusion(index, head.size, head.root)
    }

    /// Proves that the tree of `old` entries is the beginning of the one of `new`, which must be the newest or smaller.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, ViewError> {
        let snapshot = self.snapshot();
        let head = snapshot.head.as_ref().ok_or(ViewError::Empty)?;
        if old == 0 || old > new || new > head.size {
            return Err(ViewError::Sizes { old, new, size: head.size });
        }
        // Every hash of a smaller tree is one of the newest, and is checked against its root.
        let hashes = TreeHashes::new(&*self.tiles, head.size, head.root);
        let proof = if old == new { Ok(Vec::new()) } else { prove_tree(new, old, &hashes) };
        let proof = proof.map_err(|e| ViewError::Tiles(e.to_string()))?;
        Ok(ConsistencyProof { old, new, hashes: proof.into_iter().map(|Hash(hash)| hash).collect() })
    }

    /// The entry of a leaf; checked by whoever checks its proof.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, ViewError> {
        let snapshot = self.snapshot();
        let head = snapshot.head.as_ref().ok_or(ViewError::Empty)?;
        if index >= head.size {
            return Err(ViewError::Unknown(format!("leaf {index} is in no published tree yet")));
        }
        let n = index / TILE_WIDTH;
        let width = (head.size - n * TILE_WIDTH).min(TILE_WIDTH);
        let mut entries = entries_of(&*self.tiles, n, width).map_err(|e| ViewError::Tiles(e.to_string()))?;
        Ok(entries.swap_remove(usize::try_from(index % TILE_WIDTH).expect("below 256")))
    }

    /// Everything that proves one entry, for somebody who has a public key and nothing else. Against the newest cosigned
    /// checkpoint where that covers the entry, else against the newest.
    ///
    /// # Errors
    /// [`ViewError::Unknown`] for an entry that is in no published tree yet: it will be within a second or so.
    pub fn receipt(&self, record: &RecordId) -> Result<Receipt, ViewError> {
        let snapshot = self.snapshot();
        let head = snapshot.head.as_ref().ok_or(ViewError::Empty)?;
        self.receipt_under(record, head, snapshot.cosigned.as_ref())
    }

    /// The same against the newest checkpoint, whoever has cosigned which.
    ///
    /// # Errors
    /// As [`TreeView::receipt`].
    pub fn newest_receipt(&self, record: &RecordId) -> Result<Receipt, ViewError> {
        let snapshot = self.snapshot();
        self.receipt_under(record, snapshot.head.as_ref().ok_or(ViewError::Empty)?, None)
    }

    fn receipt_under(
        &self,
        record: &RecordId,
        head: &Head,
        cosigned: Option<&Cosigned>,
    ) -> Result<Receipt, ViewError> {
        let index = head.runs.index_of(record).ok_or_else(|| ViewError::Unknown(unknown(record)))?;
        let cosigned = cosigned.filter(|c| index < c.size);
        let (size, root, note) =
            cosigned.map_or((head.size, head.root, &head.note), |c| (c.size, c.root, &c.note));
        let entry = String::from_utf8(self.entry(index)?)
            .map_err(|_| ViewError::Tiles(format!("leaf {index} is not text")))?;
        let proof = if size == head.size {
            self.inclusion(index, size, root)?
        } else {
            // The tiles of a smaller tree may be gone; those of the newest hold all of its hashes.
            let hashes = TreeHashes::new(&*self.tiles, head.size, head.root);
            InclusionProof::new(index, size, prove_record(size, index, &hashes))?
        };
        proof
            .check(&crate::tiles::leaf_hash(entry.as_bytes()), &root)
            .map_err(|e| ViewError::Tiles(e.to_string()))?;
        let signer = SignedNote::parse(note.as_bytes()).ok();
        let keys = self.trusted.iter().filter(|key| signer.as_ref().is_some_and(|n| n.verify(key).is_ok()));
        Ok(Receipt {
            record: record.clone(),
            entry,
            proof,
            checkpoint: note.clone(),
            keys: keys.cloned().collect(),
        })
    }

    fn inclusion(&self, index: u64, size: u64, root: Root) -> Result<InclusionProof, ViewError> {
        if index >= size {
            return Err(ViewError::Unknown(format!("leaf {index} is in no published tree yet")));
        }
        let hashes = TreeHashes::new(&*self.tiles, size, root);
        InclusionProof::new(index, size, prove_record(size, index, &hashes))
    }
}

impl InclusionProof {
    fn new(index: u64, size: u64, hashes: Result<Vec<Hash>, tlog_tiles::Error>) -> Result<Self, ViewError> {
        let hashes = hashes.map_err(|e| ViewError::Tiles(e.to_string()))?;
        Ok(Self { index, size, hashes: hashes.into_iter().map(|Hash(hash)| hash).collect() })
    }
}
