//! A witness: remembers the newest checkpoint of each log it knows, and cosigns only what continues it
//! ([C2SP tlog-witness](https://c2sp.org/tlog-witness)). Logic without HTTP; a refusal knows its status.
//!
//! What it remembers stands in a [`Heads`] of its own, and is moved before the cosignature leaves: two requests at once
//! cannot get cosignatures of two trees.

use crate::checkpoint::{Checkpoint, CheckpointError, EMPTY_ROOT, Root};
use crate::heads::{Head, Heads, HeadsError, Runs};
use crate::note::{CheckpointSigner, MAX_NOTE_BYTES, SignError, SignedNote, VerifierKey, cosign};
use crate::proof::{ConsistencyProof, MAX_PROOF_HASHES, base64_hash, plain_number};

/// The longest request that is read, in bytes.
pub const MAX_REQUEST_BYTES: usize = MAX_NOTE_BYTES + 8 * 1024;

/// A request that was read: `old <size>`, proof lines, a blank line, the log's signed checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct AddCheckpoint {
    /// The size that the log thinks the witness remembers.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<[u8; 32]>,
    /// The checkpoint to be cosigned.
    pub note: SignedNote,
}

/// Why a witness does not cosign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessRefusal {
    /// The request is not what it should be: 400.
    #[error("the request is malformed: {0}")]
    Malformed(String),
    /// The witness does not know the log: 404.
    #[error("the log `{}` is not known here", .0.escape_debug())]
    UnknownOrigin(String),
    /// No known key of the log signed: 403.
    #[error("the checkpoint is not signed by a known key of the log: {0}")]
    UnknownKey(String),
    /// The witness remembers another size, or another tree of this size: 409, with the size it remembers.
    #[error("the newest checkpoint known here has {0} entries")]
    Conflict(u64),
    /// The proof does not lead from what is remembered to what is shown: 422.
    #[error("the checkpoint does not continue the one of {0} entries that is known here")]
    NotConsistent(u64),
    /// What is remembered cannot be read or written: 500.
    #[error(transparent)]
    Heads(#[from] HeadsError),
    /// The witness cannot sign: 500.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl WitnessRefusal {
    /// The HTTP status of the answer.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::UnknownKey(_) => 403,
            Self::UnknownOrigin(_) => 404,
            Self::Conflict(_) => 409,
            Self::NotConsistent(_) => 422,
            Self::Heads(_) | Self::Sign(_) => 500,
        }
    }

    /// The body of the answer: for a conflict the size remembered (`text/x.tlog.size`), else the reason.
    pub fn body(&self) -> String {
        match self {
            Self::Conflict(size) => format!("{size}\n"),
            other => format!("{other}\n"),
        }
    }
}

impl AddCheckpoint {
    /// Reads a request.
    ///
    /// # Errors
    /// [`WitnessRefusal::Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, WitnessRefusal> {
        let malformed = |what: &str| WitnessRefusal::Malformed(what.to_owned());
        if body.len() > MAX_REQUEST_BYTES {
            return Err(malformed("it is too long"));
        }
        let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or_else(|| malformed("it has no blank line"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(plain_number);
        let old = old.ok_or_else(|| malformed("its first line is not `old <size>`"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF_HASHES {
                return Err(malformed("its proof has more than 64 hashes"));
            }
            proof.push(base64_hash(line).ok_or_else(|| malformed("a line of its proof is no hash"))?);
        }
        let note = SignedNote::parse(note.as_bytes()).map_err(|e| malformed(&e.to_string()))?;
        Ok(Self { old, proof, note })
    }

    /// The request as it is sent.
    pub fn to_body(&self) -> String {
        let proof = ConsistencyProof { old: self.old, new: self.old, hashes: self.proof.clone() };
        format!("old {}\n{}\n{}", self.old, proof.to_lines(), self.note.to_text())
    }
}

/// A witness of some logs.
pub struct Witness<'a> {
    /// Its key, of kind `cosignature/v1`.
    pub signer: &'a dyn CheckpointSigner,
    /// The logs it knows, by their keys: a key's name is its log's origin.
    pub logs: &'a [VerifierKey],
    /// What it remembers.
    pub heads: &'a dyn Heads,
}

impl Witness<'_> {
    /// Answers one request: a cosignature line with its line end, of which the time is `unix_seconds`.
    ///
    /// # Errors
    /// [`WitnessRefusal`].
    pub fn add_checkpoint(&self, body: &[u8], unix_seconds: u64) -> Result<String, WitnessRefusal> {
        let request = AddCheckpoint::parse(body)?;
        let checkpoint = self.open(&request.note)?;
        if request.old > checkpoint.size {
            return Err(WitnessRefusal::Malformed("its old size is larger than its checkpoint".to_owned()));
        }
        let row = remembered_as(&checkpoint.origin);
        let known = self.heads.head(&row)?;
        let from = known.as_ref().map(|head| (head.size, head.root));
        let (size, root) = from.unwrap_or((0, EMPTY_ROOT));
        if request.old != size {
            return Err(WitnessRefusal::Conflict(size));
        }
        continues(&request, (size, root), &checkpoint)?;
        if from != Some((checkpoint.size, checkpoint.root)) {
            let next = Head {
                size: checkpoint.size,
                root: checkpoint.root,
                note: request.note.to_text(),
                runs: Runs::default(),
            };
            if !self.heads.advance(&row, from, &next)? {
                let now = self.heads.head(&row)?.map_or(0, |head| head.size);
                return Err(WitnessRefusal::Conflict(now));
            }
        }
        Ok(cosign(request.note.text(), self.signer, unix_seconds)?)
    }

    fn open(&self, note: &SignedNote) -> Result<Checkpoint, WitnessRefusal> {
        let malformed = |e: CheckpointError| WitnessRefusal::Malformed(e.to_string());
        let origin = Checkpoint::parse(note.text()).map_err(malformed)?.origin;
        let keys: Vec<VerifierKey> = self.logs.iter().filter(|key| key.name() == origin).cloned().collect();
        if keys.is_empty() {
            return Err(WitnessRefusal::UnknownOrigin(origin.chars().take(200).collect()));
        }
        Checkpoint::open(note, &origin, &keys).map_err(|e| WitnessRefusal::UnknownKey(e.to_string()))
    }
}

fn continues(
    request: &AddCheckpoint,
    (size, root): (u64, Root),
    checkpoint: &Checkpoint,
) -> Result<(), WitnessRefusal> {
    if size == checkpoint.size && root != checkpoint.root {
        return Err(WitnessRefusal::Conflict(size));
    }
    // From nothing, and to itself, no proof is needed, and none may be given.
    if size == 0 || size == checkpoint.size {
        let empty = request.proof.is_empty();
        return if empty { Ok(()) } else { Err(WitnessRefusal::NotConsistent(size)) };
    }
    let proof = ConsistencyProof { old: size, new: checkpoint.size, hashes: request.proof.clone() };
    proof.check(&root, &checkpoint.root).map_err(|_| WitnessRefusal::NotConsistent(size))
}

/// The name under which a witness remembers a log, apart from the logs of its own.
fn remembered_as(origin: &str) -> String {
    format!("witness:{origin}")
}
