//! The right edge of a tree: what is needed to go on, and nothing else.

use std::io;

use crate::checkpoint::{EMPTY_ROOT, Root};
use crate::tiles::{
    HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, TileFile, Tiles, bundle_path, entries_of, hashes_of, leaf_hash,
    node_hash, push_entry, tile_path,
};

type Hash = [u8; 32];

/// The hashes of every tile that is not full, and the entries of the last bundle. Never more than 255 of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    size: u64,
    /// By level of tiles.
    levels: Vec<Vec<Hash>>,
    bundle: Vec<u8>,
}

impl Edge {
    /// Reads the edge of a tree of this size. The caller compares its root.
    pub(crate) fn load(tiles: &dyn Tiles, size: u64) -> io::Result<Self> {
        let mut edge = Self { size, ..Self::default() };
        for level in 0..8 {
            let above = size >> (TILE_HEIGHT * level);
            if above == 0 {
                break;
            }
            let width = above % TILE_WIDTH;
            let hashes =
                if width == 0 { Vec::new() } else { hashes_of(tiles, level, above / TILE_WIDTH, width)? };
            edge.levels.push(hashes.chunks_exact(HASH_BYTES).map(array).collect());
        }
        if !size.is_multiple_of(TILE_WIDTH) {
            for entry in entries_of(tiles, size / TILE_WIDTH, size % TILE_WIDTH)? {
                push_entry(&mut edge.bundle, &entry);
            }
        }
        Ok(edge)
    }

    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Whether the last bundle holds the entries that the last tile has the hashes of.
    pub(crate) fn bundle_fits(&self) -> bool {
        let hashes = self.levels.first().map_or(&[][..], Vec::as_slice);
        let entries = crate::tiles::read_bundle(&self.bundle, hashes.len() as u64);
        entries.is_ok_and(|entries| entries.iter().zip(hashes).all(|(entry, hash)| leaf_hash(entry) == *hash))
    }

    /// Appends one entry; what becomes full goes to `full`.
    pub(crate) fn push(&mut self, entry: &[u8], full: &mut Vec<TileFile>) {
        push_entry(&mut self.bundle, entry);
        if (self.size + 1).is_multiple_of(TILE_WIDTH) {
            let path = bundle_path(self.size / TILE_WIDTH, TILE_WIDTH);
            full.push(TileFile { path, bytes: std::mem::take(&mut self.bundle) });
        }
        self.push_leaf(leaf_hash(entry), full);
    }

    /// Appends a leaf of which only the hash is known; bundles are not made then.
    pub(crate) fn push_leaf(&mut self, leaf: Hash, full: &mut Vec<TileFile>) {
        let mut hash = leaf;
        self.size += 1;
        for level in 0u8.. {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[usize::from(level)];
            hashes.push(hash);
            if (hashes.len() as u64) < TILE_WIDTH {
                break;
            }
            let n = (self.size >> (TILE_HEIGHT * (level + 1))) - 1;
            full.push(TileFile { path: tile_path(level, n, TILE_WIDTH), bytes: hashes.concat() });
            hash = subtree(hashes);
            hashes.clear();
        }
    }

    /// The partial tiles and the partial bundle that a tree of `before` entries did not have.
    pub(crate) fn partials(&self, before: u64) -> Vec<TileFile> {
        let mut files = Vec::new();
        for (level, hashes) in (0u8..).zip(&self.levels) {
            let shift = TILE_HEIGHT * level;
            if !hashes.is_empty() && before >> shift != self.size >> shift {
                let n = self.size >> (shift + TILE_HEIGHT);
                let path = tile_path(level, n, hashes.len() as u64);
                files.push(TileFile { path, bytes: hashes.concat() });
            }
        }
        if !self.bundle.is_empty() && before != self.size {
            let path = bundle_path(self.size / TILE_WIDTH, self.size % TILE_WIDTH);
            files.push(TileFile { path, bytes: self.bundle.clone() });
        }
        files
    }

    /// The root of the whole tree.
    pub(crate) fn root(&self) -> Root {
        // The tree is a row of perfect subtrees, one for each bit of its size, the largest first.
        let mut peaks = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = &hashes[..];
            for bit in (0..TILE_HEIGHT).rev() {
                if hashes.len() >> bit & 1 == 1 {
                    let (perfect, after) = rest.split_at(1 << bit);
                    peaks.push(subtree(perfect));
                    rest = after;
                }
            }
        }
        let folded = peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
        folded.map_or(EMPTY_ROOT, Root)
    }
}

/// The root of a perfect subtree over `hashes`, whose number is a power of two.
fn subtree(hashes: &[Hash]) -> Hash {
    debug_assert!(hashes.len().is_power_of_two(), "INVARIANT: a perfect subtree");
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row[0]
}

fn array(bytes: &[u8]) -> Hash {
    bytes.try_into().expect("the caller cut a slice of the hash's length")
}
