//! Tiles and entry bundles: how a tree lies in files ([C2SP tlog-tiles](https://c2sp.org/tlog-tiles)).
//!
//! A tile holds up to 256 hashes of one level of the tree, a bundle the same number of entries, each after its length in
//! two bytes, big-endian. What is full never changes. The edge of the tree lies in partial tiles, named by their width.
//! Pure functions; [`Tiles`] is where the files are, [`DiskTiles`] a folder that any static server can serve.

mod disk;

use std::io;

use tlog_tiles::{Hash, HashReader, Tile, TileHashReader, TileReader};

pub use disk::DiskTiles;

use crate::checkpoint::Root;
use crate::entry::MAX_ENTRY_BYTES;
use crate::proof::plain_number;

/// How many levels of the tree one level of tiles spans.
pub(crate) const TILE_HEIGHT: u8 = 8;
/// Hashes of a full tile, entries of a full bundle.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;
/// Bytes of a hash.
pub(crate) const HASH_BYTES: usize = 32;
/// Where the newest checkpoint is.
pub const CHECKPOINT_PATH: &str = "checkpoint";
/// Where the newest checkpoint that witnesses cosigned is, with their lines.
pub const COSIGNED_PATH: &str = "checkpoint.cosigned";

/// The hash of a leaf: `SHA-256(0 ‖ entry)` (RFC 6962 §2.1).
pub fn leaf_hash(entry: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    // Not the crate's own: this one runs for every entry, and ours uses the machine's instructions for it.
    sha2::Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of an inner node: `SHA-256(1 ‖ left ‖ right)` (RFC 6962 §2.1).
pub(crate) fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Path of tile `n` of tile level `level`; `width` hashes, 256 for a full one.
pub fn tile_path(level: u8, n: u64, width: u64) -> String {
    format!("tile/{level}/{}{}", number_path(n), width_suffix(width))
}

/// Path of bundle `n`; `width` entries, 256 for a full one.
pub fn bundle_path(n: u64, width: u64) -> String {
    format!("tile/entries/{}{}", number_path(n), width_suffix(width))
}

fn width_suffix(width: u64) -> String {
    if width == TILE_WIDTH { String::new() } else { format!(".p/{width}") }
}

/// Groups of three digits, all but the last after an `x`: 1234067 is `x001/x234/067`.
fn number_path(mut n: u64) -> String {
    let mut path = format!("{:03}", n % 1000);
    while n >= 1000 {
        n /= 1000;
        path = format!("x{:03}/{path}", n % 1000);
    }
    path
}

/// Whether this is the path of a file that may be shown to everybody: a checkpoint, a tile or a bundle, spelled in the one
/// way that the standard has. Whoever serves the folder asks this first, and needs no other check of a path.
pub fn is_public_path(path: &str) -> bool {
    let known = [CHECKPOINT_PATH, COSIGNED_PATH, crate::handover::HANDOVERS_PATH];
    known.contains(&path) || is_tile_path(path).is_some()
}

fn is_tile_path(path: &str) -> Option<()> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (number, width) = match rest.split_once(".p/") {
        Some((number, width)) => (number, plain_number(width).filter(|w| (1..TILE_WIDTH).contains(w))?),
        None => (rest, TILE_WIDTH),
    };
    let mut n = 0u64;
    for group in number.split('/') {
        n = n.checked_mul(1000)?.checked_add(group.trim_start_matches('x').parse().ok()?)?;
    }
    // Spelled anew, so that there is one name for one file.
    let spelled = if kind == "entries" {
        bundle_path(n, width)
    } else {
        tile_path(plain_number(kind).filter(|level| *level < 64)?.try_into().ok()?, n, width)
    };
    (spelled == path).then_some(())
}

/// Appends one entry to a bundle.
pub(crate) fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len()).expect("INVARIANT: an entry fits the length of a bundle");
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// Bytes that are no bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// They end within an entry.
    #[error("the bundle ends within entry {0}")]
    Short(usize),
    /// They hold another number of entries.
    #[error("the bundle holds {found} entries, {expected} were expected")]
    Count {
        /// How many it holds.
        found: usize,
        /// How many it should hold.
        expected: usize,
    },
}

/// The entries of a bundle of `width`.
///
/// # Errors
/// [`BundleError`].
pub fn read_bundle(bytes: &[u8], width: u64) -> Result<Vec<&[u8]>, BundleError> {
    let expected = usize::try_from(width.min(TILE_WIDTH)).expect("at most 256");
    let mut entries = Vec::with_capacity(expected);
    let mut rest = bytes;
    while !rest.is_empty() {
        let short = BundleError::Short(entries.len());
        let (length, after) = rest.split_first_chunk::<2>().ok_or(short)?;
        let (entry, after) = after.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(short)?;
        if entries.len() == expected {
            return Err(BundleError::Count { found: expected + 1, expected });
        }
        entries.push(entry);
        rest = after;
    }
    if entries.len() != expected {
        return Err(BundleError::Count { found: entries.len(), expected });
    }
    Ok(entries)
}

/// The longest file of a tree: a full bundle of the longest entries.
pub const MAX_TILE_FILE_BYTES: usize = 256 * (2 + MAX_ENTRY_BYTES);

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileFile {
    /// Its path, as a client asks for it.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Where the files of a tree are: a folder, an object store. Paths are those that clients ask for.
pub trait Tiles: Send + Sync {
    /// Stores tiles and bundles. All of them survive a power cut once this returns; before that, none of them counts.
    ///
    /// # Errors
    /// What the store says.
    fn put(&self, files: Vec<TileFile>) -> io::Result<()>;

    /// Puts a checkpoint in the place of the one before, at once and durably.
    ///
    /// # Errors
    /// What the store says.
    fn put_checkpoint(&self, path: &str, note: &str) -> io::Result<()>;

    /// A file, if it is there.
    ///
    /// # Errors
    /// What the store says.
    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// Removes the partial forms of a full tile or bundle, whose path this is. Nothing depends on its success.
    fn remove_partials(&self, path: &str);
}

/// Reads hashes of a tree of one size through its tiles; every tile is checked against the root before it is used.
pub(crate) struct TreeHashes<'a> {
    tiles: &'a dyn Tiles,
    size: u64,
    root: Root,
}

impl<'a> TreeHashes<'a> {
    pub(crate) const fn new(tiles: &'a dyn Tiles, size: u64, root: Root) -> Self {
        Self { tiles, size, root }
    }
}

impl HashReader for TreeHashes<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        if indexes.is_empty() {
            return Ok(Vec::new());
        }
        let reader = Stored(self.tiles);
        TileHashReader::new(self.size, Hash(self.root.0), &reader).read_hashes(indexes)
    }
}

struct Stored<'a>(&'a dyn Tiles);

impl TileReader for Stored<'_> {
    fn height(&self) -> u8 {
        TILE_HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        tiles.iter().map(|tile| self.read(tile)).collect()
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}

impl Stored<'_> {
    fn read(&self, tile: &Tile) -> Result<Vec<u8>, tlog_tiles::Error> {
        let width = u64::from(tile.width());
        let bytes = hashes_of(self.0, tile.level(), tile.level_index(), width);
        bytes.map_err(|e| tlog_tiles::Error::InvalidInput(e.to_string()))
    }
}

/// The first `width` hashes of a tile: from its partial form, or from a wider one that has taken its place.
pub(crate) fn hashes_of(tiles: &dyn Tiles, level: u8, n: u64, width: u64) -> io::Result<Vec<u8>> {
    let path = tile_path(level, n, width);
    let bytes = match tiles.get(&path)? {
        None if width < TILE_WIDTH => tiles.get(&tile_path(level, n, TILE_WIDTH))?,
        found => found,
    };
    let length = usize::try_from(width).expect("at most 256") * HASH_BYTES;
    let mut bytes =
        bytes.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("`{path}` is missing")))?;
    if bytes.len() < length || !bytes.len().is_multiple_of(HASH_BYTES) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{path}` is cut short")));
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// The entries of bundle `n`, the first `width` of them: from its partial form or the full one.
pub(crate) fn entries_of(tiles: &dyn Tiles, n: u64, width: u64) -> io::Result<Vec<Vec<u8>>> {
    let bad =
        |path: &str, e: BundleError| io::Error::new(io::ErrorKind::InvalidData, format!("`{path}`: {e}"));
    let path = bundle_path(n, width);
    if let Some(bytes) = tiles.get(&path)? {
        let entries = read_bundle(&bytes, width).map_err(|e| bad(&path, e))?;
        return Ok(entries.into_iter().map(<[u8]>::to_vec).collect());
    }
    let full = bundle_path(n, TILE_WIDTH);
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("`{path}` is missing"));
    let bytes = tiles.get(&full)?.ok_or_else(missing)?;
    let entries = read_bundle(&bytes, TILE_WIDTH).map_err(|e| bad(&full, e))?;
    let width = usize::try_from(width).expect("at most 256");
    Ok(entries.into_iter().take(width).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_standard() {
        assert_eq!(tile_path(4, 1_234_067, 256), "tile/4/x001/x234/067");
        assert_eq!(tile_path(0, 0, 5), "tile/0/000.p/5");
        assert_eq!(bundle_path(999, 256), "tile/entries/999");
        assert_eq!(bundle_path(1000, 1), "tile/entries/x001/000.p/1");
    }

    #[test]
    fn only_paths_of_the_standard_are_public() {
        for path in [
            "checkpoint",
            "checkpoint.cosigned",
            "tile/0/000",
            "tile/4/x001/x234/067",
            "tile/0/000.p/5",
            "tile/entries/x001/000.p/255",
        ] {
            assert!(is_public_path(path), "{path}");
        }
        for path in [
            "",
            "tile",
            "tile/0/",
            "tile/0/0",
            "tile/00/000",
            "tile/64/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/05",
            "tile/0/x000/001",
            "tile/0/1000",
            "tile/0/+01",
            "tile/0/../../catalogue.sqlite",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/data/000",
            "../ledger",
            "checkpoint.new",
            "tile/0/000.new",
        ] {
            assert!(!is_public_path(path), "{path}");
        }
    }

    #[test]
    fn bundles_round_trip_and_no_other_bytes_are_bundles() {
        let mut bundle = Vec::new();
        push_entry(&mut bundle, b"{}");
        push_entry(&mut bundle, b"");
        push_entry(&mut bundle, &[b'x'; MAX_ENTRY_BYTES]);
        assert_eq!(read_bundle(&bundle, 3).unwrap()[2].len(), MAX_ENTRY_BYTES);
        assert_eq!(read_bundle(&bundle, 2), Err(BundleError::Count { found: 3, expected: 2 }));
        assert_eq!(read_bundle(&bundle, 4), Err(BundleError::Count { found: 3, expected: 4 }));
        assert_eq!(read_bundle(&bundle[..bundle.len() - 1], 3), Err(BundleError::Short(2)));
        assert_eq!(read_bundle(&bundle[..1], 3), Err(BundleError::Short(0)));
    }
}
