//! The tree over the entries: reads what is durable, makes tiles of it, and publishes signed heads.
//!
//! Leaf `i` is the JSON of an entry as it stands in the ledger. One [`Publisher`] per log does, again and again:
//!
//! 1. read the entries after the tree's size, hash them;
//! 2. make full tiles, bundles and the new edge durable ([`Tiles`]);
//! 3. sign a checkpoint and move the head by compare-and-swap ([`Heads`]);
//! 4. put the checkpoint where everybody finds it.
//!
//! A note leaves the process only after its head was moved, and a head moves only from the one before. So whatever is cut
//! short at any step, no two published heads have one size and different roots. What a step made durable is made again,
//! with the same bytes, after a restart.
//!
//! [`Publisher::open`] compares head, checkpoint, tiles and the node's newest entries, and refuses to sign over damage. It does
//! not read the whole ledger; [`crate::audit`] does.

mod damage;
mod edge;
mod open;
mod view;

use std::io;
use std::sync::{Arc, Mutex};

pub use damage::{Failure, FailureKind};
pub use view::{TreeView, ViewError};

use crate::checkpoint::{Checkpoint, Root};
use crate::heads::{Head, Heads, HeadsError, Runs};
use crate::note::{CheckpointSigner, NoteError, SignError, SignedNote, VerifierKey};
use crate::tiles::{CHECKPOINT_PATH, TileFile, Tiles};
use crate::{NodeId, ReadError, Reader, RecordId, Recorder};
pub(crate) use edge::Edge;
pub(crate) use open::open_note;
use view::Snapshot;

/// Tiles are stored once this many wait, so that a ledger of any length takes little memory.
const FLUSH_FILES: usize = 256;
/// The same in bytes.
const FLUSH_BYTES: usize = 32 << 20;
/// The most entries of one head, so that a long ledger shows progress and can be stopped.
const MAX_ENTRIES_PER_HEAD: u64 = 1 << 20;
/// How often a lost head is tried again within one call.
const MAX_LOST: usize = 3;

/// A node whose durable entries go into a tree.
pub trait Entries: Send + Sync {
    /// Which node.
    fn node(&self) -> &NodeId;

    /// Its durable entries from number `from` on, also while it writes.
    fn reader(&self, from: u64) -> Reader;
}

impl Entries for Recorder {
    fn node(&self) -> &NodeId {
        Recorder::node(self)
    }

    fn reader(&self, from: u64) -> Reader {
        Recorder::reader(self, from)
    }
}

/// What a tree is made of.
pub struct TreeParts {
    /// Signs checkpoints. Its name is the log's origin.
    pub signer: Arc<dyn CheckpointSigner>,
    /// Keys that signed checkpoints of this log before; a key that was never announced is not believed.
    pub earlier_keys: Vec<VerifierKey>,
    /// Where tiles go.
    pub tiles: Arc<dyn Tiles>,
    /// Where the head stands.
    pub heads: Arc<dyn Heads>,
    /// Whose entries.
    pub entries: Arc<dyn Entries>,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Something is not as it was. Nothing was signed and nothing was changed.
    #[error("the ledger's tree is damaged and nothing is published any more: {0}")]
    Damaged(#[from] Failure),
    /// Tiles cannot be stored or read.
    #[error("cannot {doing} the ledger's tree")]
    Tiles {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The head cannot be read or moved.
    #[error(transparent)]
    Heads(#[from] HeadsError),
    /// Entries cannot be read.
    #[error("cannot read entries for the ledger's tree")]
    Read(#[from] ReadError),
    /// Signing failed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Others moved the head again and again.
    #[error("another publisher of the same log was faster {MAX_LOST} times in a row")]
    Lost,
}

fn tiles_failed(doing: &'static str) -> impl FnOnce(io::Error) -> TreeError {
    move |source| TreeError::Tiles { doing, source }
}

/// What one call published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// How many entries were added.
    pub added: u64,
    /// How many the tree has.
    pub size: u64,
    /// The root over them.
    pub root: Root,
    /// Whether more entries were durable already: call again at once.
    pub more: bool,
}

/// The one who appends to a tree. See the module.
pub struct Publisher {
    parts: TreeParts,
    origin: String,
    trusted: Vec<VerifierKey>,
    head: Option<Head>,
    edge: Edge,
    reader: Option<Reader>,
    shared: Arc<Mutex<Arc<Snapshot>>>,
    /// After a lost head everything is read again.
    stale: bool,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.edge.size();
        f.debug_struct("Publisher").field("origin", &self.origin).field("size", &size).finish_non_exhaustive()
    }
}

impl Publisher {
    /// Opens the tree of a log, which begins with the first entry kept where there is none yet.
    ///
    /// # Errors
    /// [`TreeError::Damaged`] where head, checkpoint, tiles and entries do not agree; what the stores say.
    pub fn open(parts: TreeParts) -> Result<Self, TreeError> {
        let key = parts.signer.key().clone();
        let origin = key.name().to_owned();
        let mut trusted = vec![key];
        trusted.extend(parts.earlier_keys.iter().cloned());
        let mut publisher = Self {
            shared: Arc::default(),
            parts,
            origin,
            trusted,
            head: None,
            edge: Edge::default(),
            reader: None,
            stale: true,
        };
        publisher.reload()?;
        Ok(publisher)
    }

    /// What readers of the tree need; cheap to clone, and always at the newest published head.
    pub fn view(&self) -> TreeView {
        TreeView::new(Arc::clone(&self.parts.tiles), Arc::clone(&self.shared), self.trusted.clone())
    }

    /// Number of the node's newest entry in the tree; 0 for none.
    pub fn last_seq(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.runs.last_seq(self.parts.entries.node()))
    }

    /// Publishes what is durable and not in the tree yet. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`TreeError`]. Nothing was published; the next call tries again.
    pub fn publish(&mut self) -> Result<Publication, TreeError> {
        for _ in 0..MAX_LOST {
            if self.stale {
                self.reload()?;
            }
            let outcome = self.try_publish();
            if !matches!(outcome, Ok(Some(_))) {
                // The reader may stand behind entries that are in no head.
                self.reader = None;
            }
            match outcome? {
                Some(publication) => return Ok(publication),
                None => self.stale = true,
            }
        }
        Err(TreeError::Lost)
    }

    /// Has another key sign the newest published checkpoint, too: for the handover to it. Its text stays, so nothing of what was
    /// shown is contradicted.
    ///
    /// # Errors
    /// [`TreeError`]; for a tree that was never published [`TreeError::Lost`].
    pub fn add_signature(&mut self, signer: &dyn CheckpointSigner) -> Result<(), TreeError> {
        if self.stale {
            self.reload()?;
        }
        let Some(head) = &self.head else { return Err(TreeError::Lost) };
        let failed = |e: NoteError| SignError { key: signer.key().to_string(), why: e.to_string() };
        let mut note = SignedNote::parse(head.note.as_bytes()).map_err(failed)?;
        let line = SignedNote::sign(note.text().to_owned(), signer)?.line(signer.key());
        note.add_line(&line.expect("INVARIANT: a signed note has its signer's line")).map_err(failed)?;
        let next = Head { note: note.to_text(), ..head.clone() };
        self.stale = true;
        if !self.parts.heads.advance(&self.origin, Some((head.size, head.root)), &next)? {
            return Err(TreeError::Lost);
        }
        self.parts
            .tiles
            .put_checkpoint(CHECKPOINT_PATH, &next.note)
            .map_err(tiles_failed("store the checkpoint of"))?;
        self.stale = false;
        self.head = Some(next);
        self.show();
        Ok(())
    }

    fn try_publish(&mut self) -> Result<Option<Publication>, TreeError> {
        let before = self.edge.size();
        let mut grown = Grown {
            edge: self.edge.clone(),
            runs: self.head.as_ref().map_or_else(Runs::default, |head| head.runs.clone()),
            full: Vec::new(),
            replaced: Vec::new(),
        };
        let more = self.grow(&mut grown)?;
        let Grown { edge, runs, full, replaced } = grown;
        let mut files = full;
        if edge.size() == before {
            let root = edge.root();
            return Ok(Some(Publication { added: 0, size: before, root, more: false }));
        }
        files.extend(edge.partials(before));
        self.parts.tiles.put(files).map_err(tiles_failed("store tiles of"))?;
        let root = edge.root();
        let note = Checkpoint::new(&self.origin, edge.size(), root).sign(&*self.parts.signer)?;
        let next = Head { size: edge.size(), root, note: note.to_text(), runs };
        let from = self.head.as_ref().map(|head| (head.size, head.root));
        // From here on the head may have moved, whatever is answered: only reading it again tells.
        self.stale = true;
        if !self.parts.heads.advance(&self.origin, from, &next)? {
            return Ok(None);
        }
        self.parts
            .tiles
            .put_checkpoint(CHECKPOINT_PATH, &next.note)
            .map_err(tiles_failed("store the checkpoint of"))?;
        self.stale = false;
        for path in replaced {
            self.parts.tiles.remove_partials(&path);
        }
        let publication = Publication { added: edge.size() - before, size: edge.size(), root, more };
        (self.edge, self.head) = (edge, Some(next));
        self.show();
        Ok(Some(publication))
    }

    /// Reads what is durable into the tree, storing full tiles on the way. Returns whether there is more.
    fn grow(&mut self, grown: &mut Grown) -> Result<bool, TreeError> {
        let entries = &self.parts.entries;
        let node = entries.node().clone();
        let next_seq = grown.runs.last_seq(&node) + 1;
        let reader = match &mut self.reader {
            Some(reader) if Reader::position(reader) == next_seq => reader,
            other => other.insert(first_kept(&**entries, next_seq)?),
        };
        let before = grown.edge.size();
        let mut waiting = 0;
        while grown.edge.size() - before < MAX_ENTRIES_PER_HEAD {
            let Some(frame) = reader.next() else { return Ok(false) };
            let frame = frame?;
            let files = grown.full.len();
            grown.edge.push(&frame.json, &mut grown.full);
            grown.runs.push(&node, frame.seq);
            for file in &grown.full[files..] {
                waiting += file.bytes.len();
                grown.replaced.push(file.path.clone());
            }
            if grown.full.len() >= FLUSH_FILES || waiting > FLUSH_BYTES {
                self.parts
                    .tiles
                    .put(std::mem::take(&mut grown.full))
                    .map_err(tiles_failed("store tiles of"))?;
                waiting = 0;
            }
        }
        Ok(true)
    }

    fn show(&self) {
        let mut shared = self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let cosigned = shared.cosigned.clone();
        *shared = Arc::new(Snapshot { head: self.head.clone(), cosigned });
    }
}

/// A tree that has grown and is published by nobody yet.
struct Grown {
    edge: Edge,
    runs: Runs,
    full: Vec<TileFile>,
    /// Full files whose partial forms are of no use any more.
    replaced: Vec<String>,
}

/// A reader at `from`; for a tree that begins now, at the oldest entry kept.
fn first_kept(entries: &dyn Entries, from: u64) -> Result<Reader, TreeError> {
    let reader = entries.reader(from);
    if from == 1
        && let Some(Err(ReadError::TooOld { oldest, .. })) = entries.reader(from).next()
    {
        return Ok(entries.reader(oldest));
    }
    Ok(reader)
}

/// The name of an entry that is no part of a tree.
pub(crate) fn unknown(record: &RecordId) -> String {
    format!("{record} is in no published tree yet, or never was")
}
