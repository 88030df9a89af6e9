//! What must agree before anything is signed: the head, the public checkpoint, the tiles and the node's own entries.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::damage::{Failure, FailureKind};
use super::view::{Cosigned, Snapshot};
use super::{Edge, Publisher, TreeError, tiles_failed};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::heads::Head;
use crate::note::{SignedNote, VerifierKey};
use crate::tiles::{
    CHECKPOINT_PATH, COSIGNED_PATH, HASH_BYTES, TILE_WIDTH, Tiles, bundle_path, hashes_of, leaf_hash,
    tile_path,
};
use crate::{ReadError, RecordId};

/// How many of the node's newest entries in the tree are compared with its ledger.
const COMPARED_ENTRIES: u64 = 256;

impl Publisher {
    /// Reads head, edge and checkpoint again, and compares them.
    pub(super) fn reload(&mut self) -> Result<(), TreeError> {
        let tiles = Arc::clone(&self.parts.tiles);
        let head = self.parts.heads.head(&self.origin)?;
        if let Some(head) = &head {
            check_head(head, &self.origin, &self.trusted)?;
        }
        let cosigned = self.check_published(head.as_ref())?;
        let size = head.as_ref().map_or(0, |head| head.size);
        let edge = Edge::load(&*tiles, size).map_err(|e| edge_failed(e, size))?;
        if let Some(head) = &head {
            if edge.root() != head.root {
                let what =
                    format!("the edge of the tree has the root {}, the head {}", edge.root(), head.root);
                return Err(Failure::new(FailureKind::TileAltered, edge_place(size), what).into());
            }
            if !edge.bundle_fits() {
                let place = bundle_path(size / TILE_WIDTH, size % TILE_WIDTH);
                let what = "its entries do not have the hashes that the tree commits to";
                return Err(Failure::new(FailureKind::BundleAltered, place, what).into());
            }
            self.check_entries(head)?;
        }
        (self.edge, self.head, self.reader) = (edge, head, None);
        *self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Arc::new(Snapshot { head: self.head.clone(), cosigned });
        self.stale = false;
        Ok(())
    }

    /// The head must not be older than anything that was ever shown; what it is ahead of is shown now.
    fn check_published(&self, head: Option<&Head>) -> Result<Option<Cosigned>, TreeError> {
        let tiles = &*self.parts.tiles;
        let read = |path| tiles.get(path).map_err(tiles_failed("read the checkpoint of"));
        if let Some(bytes) = read(CHECKPOINT_PATH)? {
            let (_, checkpoint) = open_note(CHECKPOINT_PATH, &bytes, &self.origin, &self.trusted)?;
            not_older(CHECKPOINT_PATH, &checkpoint, head)?;
        }
        let mut cosigned = None;
        if let Some(bytes) = read(COSIGNED_PATH)? {
            let (note, checkpoint) = open_note(COSIGNED_PATH, &bytes, &self.origin, &self.trusted)?;
            not_older(COSIGNED_PATH, &checkpoint, head)?;
            cosigned = Some(Cosigned { size: checkpoint.size, root: checkpoint.root, note: note.to_text() });
        }
        if let Some(head) = head {
            // Also where it says the same: it may stand in memory only, after a kill or a failed sync.
            tiles
                .put_checkpoint(CHECKPOINT_PATH, &head.note)
                .map_err(tiles_failed("store the checkpoint of"))?;
        }
        Ok(cosigned)
    }

    /// The node's ledger must hold what the tree says it does.
    fn check_entries(&self, head: &Head) -> Result<(), TreeError> {
        let node = self.parts.entries.node();
        let last = head.runs.last_seq(node);
        if last == 0 {
            return Ok(());
        }
        let mut hashes = BTreeMap::new();
        let mut seq = last.saturating_sub(COMPARED_ENTRIES - 1).max(1);
        let mut reader = self.parts.entries.reader(seq);
        while seq <= last {
            let record = RecordId { node: node.clone(), seq };
            let frame = match reader.next() {
                Some(Err(ReadError::TooOld { oldest, .. })) if oldest <= last + 1 => {
                    // Taken away after their time: the bundles hold them.
                    seq = oldest;
                    reader = self.parts.entries.reader(oldest);
                    continue;
                }
                Some(Err(ReadError::Damaged { path, offset, what })) => {
                    let place = format!("`{}` at byte {offset}", path.display());
                    return Err(Failure::new(FailureKind::SegmentAltered, place, what).into());
                }
                Some(Err(e)) => return Err(e.into()),
                Some(Ok(frame)) => frame,
                None => {
                    let what = format!("the node's ledger ends before it; the tree goes to {node}-{last}");
                    return Err(Failure::new(FailureKind::LogTruncated, record.to_string(), what).into());
                }
            };
            // Before the first entry of a tree that began late there is none to compare with.
            if let Some(index) = head.runs.index_of(&record) {
                let expected = leaf(&*self.parts.tiles, head.size, index, &mut hashes)?;
                if leaf_hash(&frame.json) != expected {
                    let what = format!("the node's ledger holds another entry than leaf {index} of the tree");
                    return Err(Failure::new(FailureKind::EntryAltered, record.to_string(), what).into());
                }
            }
            seq += 1;
        }
        Ok(())
    }
}

/// The hash of a leaf as its tile has it.
fn leaf(
    tiles: &dyn Tiles,
    size: u64,
    index: u64,
    read: &mut BTreeMap<u64, Vec<u8>>,
) -> Result<[u8; 32], TreeError> {
    let n = index / TILE_WIDTH;
    let hashes = match read.entry(n) {
        std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
        std::collections::btree_map::Entry::Vacant(free) => {
            let width = (size - n * TILE_WIDTH).min(TILE_WIDTH);
            let found = hashes_of(tiles, 0, n, width);
            free.insert(found.map_err(|e| tile_failed(e, &tile_path(0, n, width)))?)
        }
    };
    let at = usize::try_from(index % TILE_WIDTH).expect("below 256") * HASH_BYTES;
    Ok(hashes[at..at + HASH_BYTES].try_into().expect("a hash has 32 bytes"))
}

fn check_head(head: &Head, origin: &str, trusted: &[VerifierKey]) -> Result<(), Failure> {
    let altered =
        |what: String| Failure::new(FailureKind::HeadAltered, format!("the head of `{origin}`"), what);
    let note = SignedNote::parse(head.note.as_bytes()).map_err(|e| altered(e.to_string()))?;
    let checkpoint = Checkpoint::open(&note, origin, trusted).map_err(|e| altered(e.to_string()))?;
    if (checkpoint.size, checkpoint.root) != (head.size, head.root) {
        return Err(altered(format!(
            "it says {} entries and root {}, its note {} and {}",
            head.size, head.root, checkpoint.size, checkpoint.root
        )));
    }
    if head.runs.size() != head.size {
        return Err(altered(format!("it says {} entries and names {}", head.size, head.runs.size())));
    }
    Ok(())
}

/// Reads a published checkpoint.
pub(crate) fn open_note(
    place: &str,
    bytes: &[u8],
    origin: &str,
    trusted: &[VerifierKey],
) -> Result<(SignedNote, Checkpoint), Failure> {
    let malformed = |what: String| Failure::new(FailureKind::CheckpointMalformed, place, what);
    let note = SignedNote::parse(bytes).map_err(|e| malformed(e.to_string()))?;
    match Checkpoint::open(&note, origin, trusted) {
        Ok(checkpoint) => Ok((note, checkpoint)),
        Err(CheckpointError::Malformed(what)) => Err(malformed(what.to_owned())),
        Err(e @ CheckpointError::Origin { .. }) => {
            Err(Failure::new(FailureKind::CheckpointOrigin, place, e.to_string()))
        }
        Err(CheckpointError::Note(e)) => {
            // The same log under an unknown key, or another log: the origin tells, though nobody vouches for it.
            let kind = match Checkpoint::parse(note.text()) {
                Ok(c) if c.origin != origin => FailureKind::CheckpointOrigin,
                _ => FailureKind::CheckpointSignature,
            };
            Err(Failure::new(kind, place, e.to_string()))
        }
    }
}

/// A checkpoint that was shown must not be ahead of the head, nor beside it.
pub(crate) fn not_older(place: &str, shown: &Checkpoint, head: Option<&Head>) -> Result<(), Failure> {
    let (size, root) = head.map_or((0, crate::checkpoint::EMPTY_ROOT), |head| (head.size, head.root));
    if shown.size > size {
        let what = format!("{} entries were published, the head says {size}", shown.size);
        return Err(Failure::new(FailureKind::LogRolledBack, place, what));
    }
    if shown.size == size && shown.root != root {
        let what = format!("root {} was published for {size} entries, the head says {root}", shown.root);
        return Err(Failure::new(FailureKind::LogForked, place, what));
    }
    Ok(())
}

fn edge_place(size: u64) -> String {
    format!("the tiles of the edge at {size} entries")
}

fn edge_failed(e: io::Error, size: u64) -> TreeError {
    tile_failed(e, &edge_place(size))
}

fn tile_failed(e: io::Error, place: &str) -> TreeError {
    let kind = match e.kind() {
        io::ErrorKind::NotFound => FailureKind::TileMissing,
        io::ErrorKind::InvalidData => FailureKind::TileAltered,
        _ => return TreeError::Tiles { doing: "read tiles of", source: e },
    };
    Failure::new(kind, place, e.to_string()).into()
}
