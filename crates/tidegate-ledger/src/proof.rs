//! Proofs as values: an entry is in a tree, a tree is the beginning of another; and receipts, which hold all that an auditor
//! needs besides a public key.
//!
//! Checking takes the document and a verifier key, and nothing else. `docs/guides/verify-entry.sh` does the same with
//! `openssl`, `sha256sum`, `jq` and `xxd`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use tlog_tiles::{Hash, check_record, check_tree};

use crate::RecordId;
use crate::checkpoint::{Checkpoint, CheckpointError, MAX_TREE_SIZE, Root};
use crate::entry::{Entry, MAX_ENTRY_BYTES};
use crate::note::{MAX_NOTE_BYTES, NoteError, SignedNote, VerifierKey};
use crate::tiles::leaf_hash;

/// The most hashes of a proof: a tree of 2^48 leaves is 48 levels high, and consistency needs one more.
pub const MAX_PROOF_HASHES: usize = 64;
/// The longest receipt that is read, in bytes.
pub const MAX_RECEIPT_BYTES: usize = 8 * MAX_ENTRY_BYTES;
/// The word in the field `format` of a receipt.
pub const RECEIPT_FORMAT: &str = "tidegate-receipt/v1";
const TLOG_PROOF: &str = "c2sp.org/tlog-proof@v1";

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It is not what it should be.
    #[error("the document is not a proof: {0}")]
    Malformed(String),
    /// It does not lead to the root.
    #[error("the proof does not lead to the root of the checkpoint: the entry or the proof was changed")]
    Wrong,
    /// The checkpoint is not believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A witness that should have cosigned did not, or not this.
    #[error("the checkpoint is not cosigned as asked")]
    Witness(#[source] NoteError),
    /// The entry is not the one that the receipt names.
    #[error("the receipt names {named}, its entry is {found}")]
    OtherEntry {
        /// What it names.
        named: RecordId,
        /// What it holds.
        found: String,
    },
}

/// Proves that a leaf is in a tree (RFC 6962 §2.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The leaf, from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// Hashes of the subtrees beside the way to the root, from the leaf on.
    pub hashes: Vec<[u8; 32]>,
}

impl InclusionProof {
    /// Checks that the leaf with this hash leads to this root.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] and [`ProofError::Wrong`].
    pub fn check(&self, leaf: &[u8; 32], root: &Root) -> Result<(), ProofError> {
        bounded(self.hashes.len(), self.size)?;
        if self.index >= self.size {
            return Err(ProofError::Malformed(format!("leaf {} of {}", self.index, self.size)));
        }
        let hashes = self.hashes.iter().map(|hash| Hash(*hash)).collect();
        check_record(&hashes, self.size, Hash(root.0), self.index, Hash(*leaf)).map_err(|_| ProofError::Wrong)
    }
}

/// Proves that a tree is the beginning of another (RFC 6962 §2.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// How many leaves the smaller tree has; at least one.
    pub old: u64,
    /// How many the larger has.
    pub new: u64,
    /// What leads to both roots.
    pub hashes: Vec<[u8; 32]>,
}

#[derive(Serialize, Deserialize)]
struct WireConsistency {
    old: u64,
    new: u64,
    proof: Vec<String>,
}

impl ConsistencyProof {
    /// Checks that it leads from one root to the other.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] and [`ProofError::Wrong`].
    pub fn check(&self, old: &Root, new: &Root) -> Result<(), ProofError> {
        bounded(self.hashes.len(), self.new)?;
        if self.old == 0 || self.old > self.new {
            return Err(ProofError::Malformed(format!("from {} to {} entries", self.old, self.new)));
        }
        let hashes = self.hashes.iter().map(|hash| Hash(*hash)).collect();
        check_tree(&hashes, self.new, Hash(new.0), self.old, Hash(old.0)).map_err(|_| ProofError::Wrong)
    }

    /// As JSON: `old`, `new`, and `proof` in hexadecimal.
    pub fn to_json(&self) -> String {
        let proof = self.hashes.iter().map(hex::encode).collect();
        let wire = WireConsistency { old: self.old, new: self.new, proof };
        serde_json::to_string(&wire).expect("numbers and digits are JSON")
    }

    /// Reads what [`ConsistencyProof::to_json`] wrote.
    ///
    /// # Errors
    /// [`ProofError::Malformed`].
    pub fn from_json(json: &[u8]) -> Result<Self, ProofError> {
        let wire: WireConsistency = read_json(json)?;
        bounded(wire.proof.len(), wire.new)?;
        let hashes = wire.proof.iter().map(|h| hex_hash(h)).collect::<Result<_, _>>()?;
        Ok(Self { old: wire.old, new: wire.new, hashes })
    }

    /// One hash a line in base64, as requests to witnesses have it.
    pub fn to_lines(&self) -> String {
        self.hashes.iter().map(|hash| BASE64.encode(hash) + "\n").collect()
    }
}

/// Everything that proves one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which entry.
    pub record: RecordId,
    /// Its JSON, byte by byte as it stands in the ledger.
    pub entry: String,
    /// That it is in the tree.
    pub proof: InclusionProof,
    /// The tree's checkpoint: a signed note, with cosignatures where witnesses gave them.
    pub checkpoint: String,
    /// The log's keys that signed it. A convenience: who checks uses keys from elsewhere.
    pub keys: Vec<VerifierKey>,
}

#[derive(Serialize, Deserialize)]
struct WireReceipt {
    format: String,
    record: String,
    entry: String,
    index: u64,
    size: u64,
    proof: Vec<String>,
    checkpoint: String,
    keys: Vec<String>,
}

/// What a receipt has proven.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// The entry.
    pub entry: Entry,
    /// The checkpoint that covers it.
    pub checkpoint: Checkpoint,
    /// Each witness that cosigned, with its time in Unix seconds.
    pub cosigned: Vec<(VerifierKey, u64)>,
}

impl Receipt {
    /// As one JSON object on one line.
    pub fn to_json(&self) -> String {
        let wire = WireReceipt {
            format: RECEIPT_FORMAT.to_owned(),
            record: self.record.to_string(),
            entry: self.entry.clone(),
            index: self.proof.index,
            size: self.proof.size,
            proof: self.proof.hashes.iter().map(hex::encode).collect(),
            checkpoint: self.checkpoint.clone(),
            keys: self.keys.iter().map(ToString::to_string).collect(),
        };
        serde_json::to_string(&wire).expect("numbers and texts are JSON")
    }

    /// Reads what [`Receipt::to_json`] wrote; nothing of it is checked.
    ///
    /// # Errors
    /// [`ProofError::Malformed`].
    pub fn from_json(json: &[u8]) -> Result<Self, ProofError> {
        let malformed = |what: &dyn std::fmt::Display| ProofError::Malformed(what.to_string());
        let wire: WireReceipt = read_json(json)?;
        if wire.format != RECEIPT_FORMAT {
            return Err(malformed(&format!("its format is not {RECEIPT_FORMAT}")));
        }
        bounded(wire.proof.len(), wire.size)?;
        if wire.entry.len() > MAX_ENTRY_BYTES
            || wire.checkpoint.len() > MAX_NOTE_BYTES
            || wire.keys.len() > 64
        {
            return Err(malformed(&"a part of it is too long"));
        }
        let hashes = wire.proof.iter().map(|h| hex_hash(h)).collect::<Result<_, _>>()?;
        let keys = wire.keys.iter().map(|key| key.parse()).collect::<Result<_, _>>();
        Ok(Self {
            record: wire.record.parse().map_err(|e| malformed(&e))?,
            entry: wire.entry,
            proof: InclusionProof { index: wire.index, size: wire.size, hashes },
            checkpoint: wire.checkpoint,
            keys: keys.map_err(|e: crate::note::InvalidVerifierKey| malformed(&e))?,
        })
    }

    /// The proof without its entry, as [C2SP tlog-proof](https://c2sp.org/tlog-proof) writes it.
    pub fn to_tlog_proof(&self) -> String {
        let hashes: String = self.proof.hashes.iter().map(|hash| BASE64.encode(hash) + "\n").collect();
        format!("{TLOG_PROOF}\nindex {}\n{hashes}\n{}", self.proof.index, self.checkpoint)
    }

    /// Checks all of it: that `key` signed the checkpoint of the log it names, that the entry is in that tree and is the one
    /// named, and that every one of `witnesses` cosigned.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn check(&self, key: &VerifierKey, witnesses: &[VerifierKey]) -> Result<Proven, ProofError> {
        let note = SignedNote::parse(self.checkpoint.as_bytes()).map_err(CheckpointError::from)?;
        let checkpoint = Checkpoint::open(&note, key.name(), std::slice::from_ref(key))?;
        let mut cosigned = Vec::new();
        for witness in witnesses {
            cosigned.push((witness.clone(), note.verify(witness).map_err(ProofError::Witness)?));
        }
        if checkpoint.size != self.proof.size {
            let (size, of) = (self.proof.size, checkpoint.size);
            return Err(ProofError::Malformed(format!("it is for {size} entries, its checkpoint for {of}")));
        }
        self.proof.check(&leaf_hash(self.entry.as_bytes()), &checkpoint.root)?;
        let entry = Entry::parse(self.entry.as_bytes()).map_err(|e| ProofError::Malformed(e.to_string()))?;
        if entry.record() != self.record {
            let found = entry.record().to_string();
            return Err(ProofError::OtherEntry { named: self.record.clone(), found });
        }
        Ok(Proven { entry, checkpoint, cosigned })
    }
}

/// Reads a proof of C2SP tlog-proof: the inclusion proof and the checkpoint's note.
///
/// # Errors
/// [`ProofError::Malformed`].
pub fn parse_tlog_proof(text: &str) -> Result<(InclusionProof, SignedNote), ProofError> {
    let malformed = |what: &str| ProofError::Malformed(what.to_owned());
    if text.len() > MAX_RECEIPT_BYTES {
        return Err(malformed("it is too long"));
    }
    let (proof, note) = text.split_once("\n\n").ok_or_else(|| malformed("it has no blank line"))?;
    let mut lines = proof.split('\n').peekable();
    if lines.next() != Some(TLOG_PROOF) {
        return Err(malformed("it does not begin as c2sp.org/tlog-proof@v1"));
    }
    // Extra data is bound to nothing and is passed over.
    lines.next_if(|line| line.starts_with("extra "));
    let index = lines.next().and_then(|line| line.strip_prefix("index "));
    let index = index.and_then(plain_number).ok_or_else(|| malformed("it has no index"))?;
    let mut hashes = Vec::new();
    for line in lines {
        if hashes.len() == MAX_PROOF_HASHES {
            return Err(malformed("it has more than 64 hashes"));
        }
        hashes.push(base64_hash(line).ok_or_else(|| malformed("a line is no hash"))?);
    }
    let note = SignedNote::parse(note.as_bytes()).map_err(|e| malformed(&e.to_string()))?;
    let size = Checkpoint::parse(note.text()).map_err(|e| malformed(&e.to_string()))?.size;
    Ok((InclusionProof { index, size, hashes }, note))
}

/// A decimal number without sign or leading zeros.
pub(crate) fn plain_number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (plain && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok())?
}

pub(crate) fn base64_hash(line: &str) -> Option<[u8; 32]> {
    BASE64.decode(line).ok()?.try_into().ok()
}

fn bounded(hashes: usize, size: u64) -> Result<(), ProofError> {
    if hashes > MAX_PROOF_HASHES || size > MAX_TREE_SIZE {
        return Err(ProofError::Malformed("it has too many hashes or is for too large a tree".to_owned()));
    }
    Ok(())
}

fn hex_hash(text: &str) -> Result<[u8; 32], ProofError> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash)
        .map_err(|_| ProofError::Malformed("a hash is not 64 hexadecimal digits".to_owned()))?;
    Ok(hash)
}

fn read_json<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, ProofError> {
    if json.len() > MAX_RECEIPT_BYTES {
        return Err(ProofError::Malformed("it is too long".to_owned()));
    }
    serde_json::from_slice(json).map_err(|e| ProofError::Malformed(e.to_string()))
}
