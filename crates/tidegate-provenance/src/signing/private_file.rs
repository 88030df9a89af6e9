//! Small files that hold a secret: a key, a PIN, a passphrase.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The most bytes of a file with a secret; a key has some hundreds.
const MAX_BYTES: u64 = 16 << 10;
/// The bits of a mode that let anybody but the owner in.
const OTHERS: u32 = 0o077;

/// A file with a secret that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// It cannot be opened or read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is a folder, a pipe or a device.
    #[error("`{}` is not a plain file: name the file that holds the secret", .0.display())]
    NotAFile(PathBuf),
    /// Others than its owner may read it.
    #[error(
        "`{0}` may be used by others (mode {mode:04o}): run `chmod 600 {0}`, and replace the secret if somebody may have read it", path.display()
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is longer than any secret.
    #[error("`{}` is longer than {MAX_BYTES} bytes: it holds something else than a key or a PIN", .0.display())]
    TooLong(PathBuf),
    /// It is no text.
    #[error("`{}` is not UTF-8: it holds something else than a key in PEM, a PIN or a passphrase", .0.display())]
    NotText(PathBuf),
}

/// Reads a file that nobody but its owner may read.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, PrivateFileError> {
    let failed = |source| PrivateFileError::Read { path: path.to_owned(), source };
    // Without this flag, opening a pipe would wait for whoever writes to it.
    let not_blocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(not_blocking).open(path).map_err(failed)?;
    // Asked of what is open, not of the name: the file behind a name can change in between.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(PrivateFileError::NotAFile(path.to_owned()));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(PrivateFileError::Exposed { path: path.to_owned(), mode });
    }
    // Reserved at once: a buffer that grows leaves copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize + 1));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(PrivateFileError::TooLong(path.to_owned()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| PrivateFileError::NotText(path.to_owned()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Creates a file with mode 0600 that holds `text`, whole or not at all; fails with `AlreadyExists` where there is one.
pub(super) fn create(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}", hex::encode(random)));
    let beside = folder.join(beside);
    let written = write(&beside, text).and_then(|()| {
        // A link, unlike a rename, never takes the place of a file that is there.
        std::fs::hard_link(&beside, path)
    });
    // It has another name by now, or must not stay.
    let removed = std::fs::remove_file(&beside);
    written.and(removed)?;
    File::open(folder)?.sync_all()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
