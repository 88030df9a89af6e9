//! What deliveries come packed in: plain, gzip, zstd, zip, with bounds on what comes out. Everything is a stream.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use super::zip::{Directory, Seekable};

/// The most bytes that one packed file may hold unpacked. All of OSV is about 2 GB.
pub const MAX_UNPACKED_BYTES: u64 = 8 << 30;

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
    #[error("the archive is damaged or cut off: {0}")]
    Archive(&'static str),
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

/// A bound was met while a stream was read: carried by an [`io::Error`] through whoever reads.
#[derive(Debug, thiserror::Error)]
#[error("it unpacks to more than {0} bytes")]
struct Exceeded(u64);

impl From<io::Error> for ContainerError {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Exceeded>()) {
            Some(Exceeded(limit)) => Self::TooLarge { limit: *limit },
            None => Self::Damaged(error),
        }
    }
}

/// Something packed: a file, or bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packed<'a> {
    File(&'a Path),
    Bytes(&'a [u8]),
}

impl<'a> Packed<'a> {
    /// Opens it once more; each opening has a place of its own.
    pub(crate) fn open(self) -> io::Result<Box<dyn Seekable + 'a>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        })
    }

    pub(crate) fn len(self) -> io::Result<u64> {
        match self {
            Self::File(path) => Ok(path.metadata()?.len()),
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
        }
    }
}

/// A stream that may give so many bytes and no more.
pub(crate) struct Bounded<'b, R> {
    pub inner: R,
    /// How many are left.
    pub left: &'b mut u64,
    /// How many there were, for the message.
    pub limit: u64,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        *self.left =
            self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(Exceeded(self.limit)))?;
        Ok(read)
    }
}

/// How much may come out of so many packed bytes.
pub(crate) fn limit(packed: u64) -> u64 {
    MAX_UNPACKED_BYTES.min(packed.saturating_mul(MAX_RATIO).max(RATIO_FREE_BYTES))
}

/// Unpacks whatever it is and gives each document, under the name that it has in its container, to `each` as a stream.
pub(crate) fn unpack<E: From<ContainerError>>(
    name: &str,
    packed: Packed<'_>,
    each: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let open = || packed.open().map_err(ContainerError::from);
    let mut magic = Vec::new();
    open()?.take(4).read_to_end(&mut magic).map_err(ContainerError::from)?;
    let limit = limit(packed.len().map_err(ContainerError::from)?);
    let mut left = limit;
    let mut bounded =
        |name: &str, inner: &mut dyn Read| each(name, &mut Bounded { inner, left: &mut left, limit });
    match magic.as_slice() {
        b"PK\x03\x04" | b"PK\x05\x06" => {
            let mut directory = Directory::open(open()?)?;
            while let Some(member) = directory.next()? {
                if !member.is_folder() {
                    bounded(&member.name, &mut member.open(open()?)?)?;
                }
            }
            Ok(())
        }
        [0x1f, 0x8b, ..] => {
            let mut reader = flate2::bufread::MultiGzDecoder::new(BufReader::new(open()?));
            bounded(name.trim_end_matches(".gz"), &mut reader)
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let mut reader = zstd::Decoder::new(open()?).map_err(ContainerError::from)?;
            // The library's own default; a larger window would be a way to ask for memory.
            reader.window_log_max(MAX_WINDOW_LOG).map_err(ContainerError::from)?;
            bounded(name.trim_end_matches(".zst"), &mut reader)
        }
        _ => each(name, &mut open()?),
    }
}

/// How far back zstd may look, as a power of two: 128 MiB, the library's own default.
const MAX_WINDOW_LOG: u32 = 27;
