//! Handovers: what proves to whoever believes a log's key that the key itself announced another one.
//!
//! A handover is a [`Receipt`] of the `key` entry that names the new key. Its checkpoint is signed by both: by the old key, so
//! that the announcement is its own; by the new one, so that nobody announces a key that is not there. Signatures of two keys
//! under one checkpoint alone would prove nothing, since anybody can add a line of a key with the log's name.
//!
//! Handovers are followed forward only: from a key that is believed to those that it announced.

use crate::entry::{Body, KeyPurpose};
use crate::note::{KeyKind, NoteError, SignedNote, VerifierKey};
use crate::proof::{ProofError, Receipt};

/// The file with every handover of a log, beside its checkpoint: one receipt a line, oldest first.
pub const HANDOVERS_PATH: &str = "handovers";
/// The most handovers that are read.
pub const MAX_HANDOVERS: usize = 256;

/// Why a receipt hands nothing over.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The receipt itself proves nothing under the key that is believed.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The entry is about something else.
    #[error("entry {0} announces no key for checkpoints")]
    OtherEntry(String),
    /// It comes after another key.
    #[error("the key is announced after `{found}`, not after `{expected}`")]
    OtherKey {
        /// The id of the key before, as the entry has it.
        found: String,
        /// The id of the key that is believed.
        expected: String,
    },
    /// What is announced is no key of this log.
    #[error("what is announced is no key of this log: {0}")]
    NoKey(String),
    /// The new key did not sign.
    #[error("the new key did not sign the handover")]
    NotSigned(#[source] NoteError),
}

/// Checks that `from`, which is believed, handed over to another key; returns that.
///
/// # Errors
/// [`HandoverError`].
pub fn check(receipt: &Receipt, from: &VerifierKey) -> Result<VerifierKey, HandoverError> {
    let proven = receipt.check(from, &[])?;
    let Body::Key(change) = &proven.entry.body else {
        return Err(HandoverError::OtherEntry(receipt.record.to_string()));
    };
    if change.purpose != KeyPurpose::Checkpoint {
        return Err(HandoverError::OtherEntry(receipt.record.to_string()));
    }
    let expected = id_of(from);
    if change.previous.as_deref() != Some(&*expected) {
        let found = change.previous.as_deref().unwrap_or("none").to_owned();
        return Err(HandoverError::OtherKey { found, expected });
    }
    let to: VerifierKey = change
        .public_key
        .parse()
        .map_err(|e: crate::note::InvalidVerifierKey| HandoverError::NoKey(e.to_string()))?;
    if to.name() != from.name() || to.kind() != KeyKind::Ed25519 {
        return Err(HandoverError::NoKey(to.to_string()));
    }
    let note = SignedNote::parse(receipt.checkpoint.as_bytes()).map_err(HandoverError::NotSigned)?;
    note.verify(&to).map_err(HandoverError::NotSigned)?;
    Ok(to)
}

/// The keys that a key which is believed handed over to, one after the other. What does not follow is passed over.
pub fn follow(from: &VerifierKey, handovers: &[Receipt]) -> Vec<VerifierKey> {
    let mut followed: Vec<VerifierKey> = Vec::new();
    for handover in handovers.iter().take(MAX_HANDOVERS) {
        let newest = followed.last().unwrap_or(from);
        if let Ok(next) = check(handover, newest) {
            followed.push(next);
        }
    }
    followed
}

/// The id of a key as entries have it.
pub fn id_of(key: &VerifierKey) -> String {
    format!("{:08x}", key.key_id())
}

/// Reads a file of handovers; nothing of them is checked.
///
/// # Errors
/// Bytes that are none, with the line.
pub fn read(bytes: &[u8]) -> Result<Vec<Receipt>, ProofError> {
    let mut handovers = Vec::new();
    for (at, line) in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        if at == MAX_HANDOVERS {
            return Err(ProofError::Malformed(format!("there are more than {MAX_HANDOVERS} handovers")));
        }
        let receipt = Receipt::from_json(line);
        handovers.push(receipt.map_err(|e| ProofError::Malformed(format!("handover {}: {e}", at + 1)))?);
    }
    Ok(handovers)
}

/// The file of handovers.
pub fn to_text(handovers: &[Receipt]) -> String {
    handovers.iter().map(|handover| handover.to_json() + "\n").collect()
}
