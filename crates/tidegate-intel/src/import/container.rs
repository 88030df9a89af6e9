//! What deliveries come packed in: plain, gzip, zstd, zip, with bounds on what comes out.

use std::io::{self, Cursor, Read};

/// The most bytes that one packed file may hold unpacked. All of OSV is about 2 GB.
pub const MAX_UNPACKED_BYTES: u64 = 8 << 30;

/// The most bytes that one document in an archive may have.
pub const MAX_DOCUMENT_BYTES: u64 = 1 << 30;

/// The most files in an archive or a folder. All of OSV has under a million.
pub const MAX_FILES: usize = 5_000_000;

/// How many times larger than packed something may be, once it is larger than [`RATIO_FREE_BYTES`]. Advisories shrink by
/// about ten, the most repetitive lists by less than a hundred.
pub const MAX_RATIO: u64 = 300;

/// Up to here the ratio does not matter.
pub const RATIO_FREE_BYTES: u64 = 64 << 20;

/// Why a packed file was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// It ends too early, or is no such file.
    #[error("it is damaged or cut off")]
    Damaged(#[source] io::Error),
    /// The archive's directory cannot be read.
    #[error("the archive is damaged or cut off")]
    Archive(#[source] zip::result::ZipError),
    /// Too large.
    #[error("it unpacks to more than {limit} bytes")]
    TooLarge {
        /// The bound that was met.
        limit: u64,
    },
    /// Too many files.
    #[error("it holds more than {MAX_FILES} files")]
    TooManyFiles,
}

/// A document: the name it has within its container, its bytes.
pub(super) struct Document {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Bounds of one container.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub unpacked: u64,
    pub document: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { unpacked: MAX_UNPACKED_BYTES, document: MAX_DOCUMENT_BYTES }
    }
}

/// Unpacks whatever it is, layer by layer for a packed file, and gives each document to `each`.
pub(super) fn unpack<E: From<ContainerError>>(
    name: &str,
    bytes: Vec<u8>,
    bounds: Bounds,
    each: &mut dyn FnMut(Document) -> Result<(), E>,
) -> Result<(), E> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return unzip(&bytes, bounds, each);
    }
    let (bytes, name) = match bytes.as_slice() {
        [0x1f, 0x8b, ..] => {
            let reader = flate2::read::MultiGzDecoder::new(bytes.as_slice());
            (expand(reader, bytes.len(), bounds)?, name.trim_end_matches(".gz"))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let reader =
                zstd::stream::read::Decoder::new(bytes.as_slice()).map_err(ContainerError::Damaged)?;
            (expand(reader, bytes.len(), bounds)?, name.trim_end_matches(".zst"))
        }
        _ => (bytes, name),
    };
    each(Document { name: name.to_owned(), bytes })
}

/// Reads a packed stream to its end within the bounds.
fn expand(reader: impl Read, packed: usize, bounds: Bounds) -> Result<Vec<u8>, ContainerError> {
    let by_ratio = (packed as u64).saturating_mul(MAX_RATIO).max(RATIO_FREE_BYTES);
    let limit = bounds.unpacked.min(bounds.document.max(RATIO_FREE_BYTES)).min(by_ratio);
    let mut out = Vec::new();
    reader.take(limit + 1).read_to_end(&mut out).map_err(ContainerError::Damaged)?;
    if out.len() as u64 > limit {
        return Err(ContainerError::TooLarge { limit });
    }
    Ok(out)
}

fn unzip<E: From<ContainerError>>(
    bytes: &[u8],
    bounds: Bounds,
    each: &mut dyn FnMut(Document) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(ContainerError::Archive)?;
    if archive.len() > MAX_FILES {
        return Err(ContainerError::TooManyFiles.into());
    }
    let by_ratio = (bytes.len() as u64).saturating_mul(MAX_RATIO).max(RATIO_FREE_BYTES);
    let limit = bounds.unpacked.min(by_ratio);
    let mut left = limit;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(ContainerError::Archive)?;
        if file.is_dir() {
            continue;
        }
        let name = file.name().to_owned();
        let mut out = Vec::new();
        let allowed = left.min(bounds.document);
        (&mut file).take(allowed + 1).read_to_end(&mut out).map_err(ContainerError::Damaged)?;
        if out.len() as u64 > allowed {
            return Err(ContainerError::TooLarge { limit: limit.min(bounds.document) }.into());
        }
        left -= out.len() as u64;
        each(Document { name, bytes: out })?;
    }
    Ok(())
}
