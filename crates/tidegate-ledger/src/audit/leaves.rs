//! What is stored: bundles, tiles and the root, computed again from the entries.
//!
//! Where a bundle and its tile disagree, one of them is wrong. Both trees are computed then; the one whose root was signed is
//! right.

use std::io;

use super::entries::Ledgers;
use super::heads::Earlier;
use super::{AuditInput, AuditReport};
use crate::checkpoint::Checkpoint;
use crate::tiles::{
    HASH_BYTES, TILE_WIDTH, TileFile, bundle_path, entries_of, hashes_of, leaf_hash, tile_path,
};
use crate::tree::{Edge, FailureKind};

/// The most disagreements that are kept until it is known who is wrong.
const MAX_DISAGREEMENTS: usize = 64;

/// One way to compute the tree, and the tiles that are not as it says.
#[derive(Clone, Default)]
struct Lane {
    edge: Edge,
    wrong: Vec<(FailureKind, String)>,
    /// Saved checkpoints that are not the beginning of it.
    forked: Vec<(String, String)>,
}

impl Lane {
    fn push(&mut self, input: &AuditInput<'_>, saved: &[Earlier], leaf: [u8; 32], report: &mut AuditReport) {
        let mut full = Vec::new();
        self.edge.push_leaf(leaf, &mut full);
        // Tiles of the lowest level were compared with the entries already.
        for file in full.iter().filter(|file| !file.path.starts_with("tile/0/")) {
            self.compare(input, file, report);
        }
        self.compare_saved(saved);
    }

    fn compare_saved(&mut self, saved: &[Earlier]) {
        for Earlier { name, checkpoint } in saved {
            if checkpoint.size == self.edge.size() && checkpoint.root != self.edge.root() {
                let root = self.edge.root();
                let what = format!(
                    "it says root {} for {} entries, of which the root is {root} now",
                    checkpoint.root, checkpoint.size
                );
                self.forked.push((name.clone(), what));
            }
        }
    }

    fn compare(&mut self, input: &AuditInput<'_>, file: &TileFile, report: &mut AuditReport) {
        match input.tiles.get(&file.path) {
            Ok(Some(bytes)) if bytes == file.bytes => {}
            Ok(Some(_)) => self.note(FailureKind::TileAltered, &file.path),
            Ok(None) => self.note(FailureKind::TileMissing, &file.path),
            Err(e) => report.found(FailureKind::Unreadable, &*file.path, e.to_string()),
        }
    }

    fn note(&mut self, kind: FailureKind, path: &str) {
        if self.wrong.len() < MAX_DISAGREEMENTS {
            self.wrong.push((kind, path.to_owned()));
        }
    }
}

/// Computes everything again and compares.
pub(super) fn check(
    input: &AuditInput<'_>,
    stated: Option<&Checkpoint>,
    saved: &[Earlier],
    ledgers: &mut Ledgers,
    report: &mut AuditReport,
) {
    let Some(stated) = stated else { return };
    // By the entries, and by the lowest tiles where these say otherwise.
    let mut by_entries = Lane::default();
    let mut by_tiles: Option<Lane> = None;
    by_entries.compare_saved(saved);
    let mut n = 0;
    while n * TILE_WIDTH < stated.size {
        let width = (stated.size - n * TILE_WIDTH).min(TILE_WIDTH);
        let Some(row) = Row::read(input, n, width, report) else { return };
        if row.tile_disagrees() {
            let by_tiles = by_tiles.get_or_insert_with(|| by_entries.clone());
            by_tiles.note(FailureKind::BundleAltered, &bundle_path(n, width));
            by_entries.note(FailureKind::TileAltered, &tile_path(0, n, width));
        }
        ledgers.row(input, n * TILE_WIDTH, &row, report);
        for at in 0..row.width() {
            by_entries.push(input, saved, row.entry_leaf(at), report);
            if let Some(by_tiles) = &mut by_tiles {
                by_tiles.push(input, saved, row.tile_leaf(at), report);
            }
        }
        report.entries += row.entries.as_ref().map_or(0, |entries| entries.len() as u64);
        n += 1;
    }
    let right = match by_tiles {
        Some(by_tiles) if by_tiles.edge.root() == stated.root => by_tiles,
        _ => by_entries,
    };
    end(input, right, stated, report);
}

fn end(input: &AuditInput<'_>, mut lane: Lane, stated: &Checkpoint, report: &mut AuditReport) {
    for file in lane.edge.partials(0) {
        if file.path.starts_with("tile/0/") || file.path.starts_with("tile/entries/") {
            continue;
        }
        // A wider form may have taken its place.
        match input.tiles.get(&file.path) {
            Ok(None) => {
                let full = file.path.split(".p/").next().unwrap_or_default().to_owned();
                match input.tiles.get(&full) {
                    Ok(Some(bytes)) if bytes.starts_with(&file.bytes) => {}
                    _ => lane.note(FailureKind::TileMissing, &file.path),
                }
            }
            _ => lane.compare(input, &file, report),
        }
    }
    let root = lane.edge.root();
    report.root = Some(root);
    for (kind, path) in lane.wrong {
        report.found(kind, path, "it is not what the entries below it make");
    }
    for (name, what) in lane.forked {
        report.found(FailureKind::LogForked, name, what);
    }
    if root != stated.root {
        let what = format!("it says root {}, the entries have the root {root}", stated.root);
        report.found(FailureKind::RootMismatch, "the checkpoint", what);
    }
}

/// A bundle and the tile over it.
pub(super) struct Row {
    pub(super) entries: Option<Vec<Vec<u8>>>,
    leaves: Vec<[u8; 32]>,
    tile: Option<Vec<u8>>,
}

impl Row {
    /// Reads both; one of them is enough to go on.
    fn read(input: &AuditInput<'_>, n: u64, width: u64, report: &mut AuditReport) -> Option<Self> {
        let entries = match entries_of(input.tiles, n, width) {
            Ok(entries) => Some(entries),
            Err(e) => {
                unusable(
                    &e,
                    bundle_path(n, width),
                    FailureKind::BundleMissing,
                    FailureKind::BundleAltered,
                    report,
                );
                None
            }
        };
        let tile = match hashes_of(input.tiles, 0, n, width) {
            Ok(tile) => Some(tile),
            Err(e) => {
                unusable(
                    &e,
                    tile_path(0, n, width),
                    FailureKind::TileMissing,
                    FailureKind::TileAltered,
                    report,
                );
                None
            }
        };
        let leaves = match (&entries, &tile) {
            (Some(entries), _) => entries.iter().map(|entry| leaf_hash(entry)).collect(),
            (None, Some(tile)) => tile.chunks_exact(HASH_BYTES).map(array).collect(),
            (None, None) => return None,
        };
        Some(Self { entries, leaves, tile })
    }

    pub(super) fn width(&self) -> usize {
        self.leaves.len()
    }

    /// The hash of the entry, where there is one, else what the tile says.
    pub(super) fn entry_leaf(&self, at: usize) -> [u8; 32] {
        self.leaves[at]
    }

    /// The hash that the tile says, where there is one.
    pub(super) fn tile_leaf(&self, at: usize) -> [u8; 32] {
        self.tile.as_ref().map_or(self.leaves[at], |tile| array(&tile[at * HASH_BYTES..][..HASH_BYTES]))
    }

    fn tile_disagrees(&self) -> bool {
        (0..self.width()).any(|at| self.tile_leaf(at) != self.leaves[at])
    }
}

fn unusable(
    e: &io::Error,
    place: String,
    missing: FailureKind,
    altered: FailureKind,
    report: &mut AuditReport,
) {
    let kind = match e.kind() {
        io::ErrorKind::NotFound => missing,
        io::ErrorKind::InvalidData => altered,
        _ => FailureKind::Unreadable,
    };
    report.found(kind, place, e.to_string());
}

fn array(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().expect("the caller cut a slice of the hash's length")
}
