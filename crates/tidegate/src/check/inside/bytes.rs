//! The bytes that a person hands over: a file, a folder, what comes through a pipe.
//!
//! A worker is handed an open file. So a file is opened once and read as it is; a pipe is written to a temporary file without a
//! name; a folder is packed into one. Devices are refused, since they end nowhere.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use sha2::Digest as _;
use tidegate_inspect::inspection::NotSeen;
use tidegate_model::Sha256;

use super::pack;

/// Bytes that are taken from a pipe.
pub(super) const PIPE_BYTES: u64 = 2 << 30;

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// What was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A file, or what came through a pipe.
    File,
    /// A folder, packed.
    Folder,
}

/// Bytes that can be looked into.
#[derive(Debug)]
pub struct Bytes {
    /// As given.
    pub given: String,
    /// What paths in findings begin with.
    pub name: String,
    /// What was handed over.
    pub form: Form,
    /// The content, open to be read.
    pub file: File,
    /// Bytes of it.
    pub size: u64,
    /// Digest of it; of a folder, none that anything else has.
    pub sha256: Sha256,
    /// What of a folder was not packed.
    pub left_out: Vec<NotSeen>,
    /// How the file looked when it was opened, to see whether it was changed meanwhile.
    stamp: Option<Stamp>,
}

/// Size and time of last change: seconds, nanoseconds.
type Stamp = (u64, i64, i64);

/// Something that cannot be looked into.
#[derive(Debug, thiserror::Error)]
pub enum BytesError {
    /// Nothing can be read.
    #[error("`{given}` cannot be read: {why}")]
    Read {
        /// What was given.
        given: String,
        /// Why.
        why: String,
    },
    /// There is nothing in it.
    #[error("`{given}` is empty: there is nothing to look into")]
    Empty {
        /// What was given.
        given: String,
    },
    /// It is no file.
    #[error("`{given}` is a device or a socket: give a file, a folder, or `-` for standard input")]
    Special {
        /// What was given.
        given: String,
    },
    /// A pipe that brings too much.
    #[error("`{given}` brings more than {} MiB: write it to a file and give that", PIPE_BYTES >> 20)]
    TooMuch {
        /// What was given.
        given: String,
    },
    /// The file is not what it was when it was opened.
    #[error("`{given}` was changed while it was looked into: check it again")]
    Changed {
        /// What was given.
        given: String,
    },
    /// No room for a temporary file.
    #[error("a temporary file cannot be written: {0}")]
    Temporary(String),
}

/// A file that is open and does not change by being read.
#[derive(Debug)]
pub struct Source {
    given: String,
    file: File,
    stamp: Option<Stamp>,
}

impl Source {
    /// Opens a file; what a pipe brings is kept in a temporary file.
    ///
    /// # Errors
    /// [`BytesError`].
    pub fn open(given: &str, metadata: &Metadata) -> Result<Self, BytesError> {
        let kind = metadata.file_type();
        if kind.is_char_device() || kind.is_block_device() || kind.is_socket() {
            return Err(BytesError::Special { given: given.to_owned() });
        }
        let failed = |e: io::Error| BytesError::Read { given: given.to_owned(), why: e.to_string() };
        let file = File::open(given).map_err(failed)?;
        if kind.is_fifo() {
            return Self::of_pipe(given, file);
        }
        let stamp = file.metadata().map(|m| stamp(&m)).map_err(failed)?;
        Ok(Self { given: given.to_owned(), file, stamp: Some(stamp) })
    }

    /// Keeps what a pipe brings.
    ///
    /// # Errors
    /// [`BytesError`].
    pub fn of_pipe(given: &str, pipe: impl Read) -> Result<Self, BytesError> {
        let (mut kept, file) = unnamed()?;
        let mut taken = pipe.take(PIPE_BYTES + 1);
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut size = 0;
        loop {
            let read = match taken.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(BytesError::Read { given: given.to_owned(), why: e.to_string() }),
            };
            size += read as u64;
            kept.write_all(&chunk[..read]).map_err(temporary)?;
        }
        if size > PIPE_BYTES {
            return Err(BytesError::TooMuch { given: given.to_owned() });
        }
        Ok(Self { given: given.to_owned(), file, stamp: None })
    }

    /// The first bytes, at most `most`.
    ///
    /// # Errors
    /// [`BytesError::Read`].
    pub fn head(&mut self, most: usize) -> Result<Vec<u8>, BytesError> {
        let failed = |e: io::Error| BytesError::Read { given: self.given.clone(), why: e.to_string() };
        let mut head = Vec::new();
        self.file.rewind().map_err(failed)?;
        (&self.file).take(most as u64).read_to_end(&mut head).map_err(failed)?;
        Ok(head)
    }

    /// Makes it ready to be looked into, under a name.
    ///
    /// # Errors
    /// [`BytesError`].
    pub fn bytes(self, name: String) -> Result<Bytes, BytesError> {
        let given = self.given;
        let failed = |e: io::Error| BytesError::Read { given: given.clone(), why: e.to_string() };
        let (size, sha256) = digest(&self.file).map_err(failed)?;
        if size == 0 {
            return Err(BytesError::Empty { given });
        }
        let (form, left_out) = (Form::File, Vec::new());
        Ok(Bytes { given, name, form, file: self.file, size, sha256, left_out, stamp: self.stamp })
    }
}

impl Bytes {
    /// A folder, packed.
    ///
    /// # Errors
    /// [`BytesError`].
    pub fn of_folder(given: &str) -> Result<Self, BytesError> {
        let (mut kept, file) = unnamed()?;
        let packed = pack::pack(Path::new(given), &mut kept)
            .map_err(|e| BytesError::Read { given: given.to_owned(), why: e.to_string() })?;
        if packed.files == 0 && packed.left_out.is_empty() {
            return Err(BytesError::Empty { given: given.to_owned() });
        }
        let (size, sha256) = digest(&file).map_err(temporary)?;
        let (given, name) = (given.to_owned(), name_of(given));
        Ok(Self {
            given,
            name,
            form: Form::Folder,
            file,
            size,
            sha256,
            left_out: packed.left_out,
            stamp: None,
        })
    }

    /// Whether the file is still what it was when it was opened.
    ///
    /// # Errors
    /// [`BytesError::Changed`].
    pub fn confirm(&self) -> Result<(), BytesError> {
        let now = self.file.metadata().ok().map(|m| stamp(&m));
        if self.stamp.is_some() && now != self.stamp {
            return Err(BytesError::Changed { given: self.given.clone() });
        }
        Ok(())
    }
}

/// The last part of a path, as text that separates nothing and stays on its line.
pub fn name_of(given: &str) -> String {
    let path = Path::new(given);
    let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let named = own.or_else(|| {
        let whole = path.canonicalize().ok()?;
        Some(whole.file_name()?.to_string_lossy().into_owned())
    });
    let name = named.unwrap_or_else(|| "root".to_owned());
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>().replace("!/", "!?")
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn temporary(error: io::Error) -> BytesError {
    BytesError::Temporary(error.to_string())
}

/// A file without a name: to be written, and the same to be read alone, since a worker must not be able to write what it looks
/// at.
fn unnamed() -> Result<(File, File), BytesError> {
    let kept = tempfile::NamedTempFile::new().map_err(temporary)?;
    let reader = File::open(kept.path()).map_err(temporary)?;
    let (writer, path) = kept.into_parts();
    // From here on the folder that it lay in can be packed into it.
    drop(path);
    Ok((writer, reader))
}

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

fn digest(mut file: &File) -> io::Result<(u64, Sha256)> {
    file.rewind()?;
    let mut hasher = sha2::Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut size = 0;
    loop {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&chunk[..read]);
                size += read as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    file.rewind()?;
    Ok((size, Sha256::new(hasher.finalize().into())))
}
