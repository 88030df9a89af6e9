//! Checkpoints: what a log says of itself, size and root ([C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint)).
//!
//! ```text
//! tidegate.example/access        the log's name, its origin
//! 20852163                       how many entries
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::note::{CheckpointSigner, NoteError, SignError, SignedNote, VerifierKey};

/// The largest tree that is handled, in entries. Arithmetic on stored hashes stays far from overflow below it.
pub const MAX_TREE_SIZE: u64 = 1 << 48;
/// The root of a tree without entries: SHA-256 of nothing.
pub const EMPTY_ROOT: Root = Root(tlog_tiles::EMPTY_HASH.0);

/// The hash at the root of a tree (RFC 6962 §2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Root(pub [u8; 32]);

impl std::fmt::Display for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What a log says of itself at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many entries it holds.
    pub size: u64,
    /// The root over them.
    pub root: Root,
    /// Further lines, which are signed and otherwise ignored here.
    pub extensions: Vec<String>,
}

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no signed note, or nobody known signed it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is no checkpoint.
    #[error("the note is not a checkpoint: {0}")]
    Malformed(&'static str),
    /// It speaks of another log.
    #[error("the checkpoint is of `{}`, not of `{expected}`", found.escape_debug())]
    Origin {
        /// The log it speaks of.
        found: String,
        /// The log expected.
        expected: String,
    },
}

impl Checkpoint {
    /// A checkpoint without further lines.
    pub fn new(origin: &str, size: u64, root: Root) -> Self {
        Self { origin: origin.to_owned(), size, root, extensions: Vec::new() }
    }

    /// The text that is signed.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, self.root);
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let malformed = CheckpointError::Malformed;
        let text = text.strip_suffix('\n').ok_or(malformed("its last line has no end"))?;
        let mut lines = text.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or(malformed("it names no log"))?;
        let size = lines.next().ok_or(malformed("it states no size"))?;
        let plain = !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit());
        if !plain || (size.len() > 1 && size.starts_with('0')) {
            return Err(malformed("its size is not a decimal number"));
        }
        let size = size.parse().map_err(|_| malformed("its size is too large"))?;
        if size > MAX_TREE_SIZE {
            return Err(malformed("its size is too large"));
        }
        let root = lines.next().and_then(|line| BASE64.decode(line).ok());
        let root =
            root.and_then(|bytes| bytes.try_into().ok()).ok_or(malformed("its root is not 32 bytes"))?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(malformed("one of its lines is empty"));
        }
        Ok(Self { origin: origin.to_owned(), size, root: Root(root), extensions })
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(&self, signer: &dyn CheckpointSigner) -> Result<SignedNote, SignError> {
        SignedNote::sign(self.to_text(), signer)
    }

    /// Reads a note that one of `keys` signed, and that speaks of `origin`.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(note: &SignedNote, origin: &str, keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        note.verify_any(keys)?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin != origin {
            return Err(CheckpointError::Origin { found: checkpoint.origin, expected: origin.to_owned() });
        }
        Ok(checkpoint)
    }
}
