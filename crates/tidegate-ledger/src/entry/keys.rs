//! Entries that make the ledger itself checkable: what was counted, which keys sign, and which roots are believed.

use tidegate_model::{Sha256, Timestamp};

use super::Text;
use crate::pseudonym::Pseudonym;

/// What a node counted of one hour, by other means than its entries: an auditor counts the entries and compares.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Counts {
    /// When the hour began.
    pub hour: Timestamp,
    /// Responses to package routes, each with its access entry.
    pub accesses: u64,
    /// Of those, how many were refused.
    pub refused: u64,
    /// Bytes of bodies that were to be sent.
    pub bytes: u64,
    /// Artifacts read from the store, to be compared with the access entries.
    pub store_reads: u64,
    /// Number of the first entry that the counts cover.
    pub first_seq: u64,
    /// Number of the last one, included.
    pub last_seq: u64,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPurpose {
    /// Signs the ledger's checkpoints.
    Checkpoint,
    /// Signs statements of custody.
    Custody,
    /// Cosigns checkpoints of others.
    Witness,
}

impl KeyPurpose {
    /// The word in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Custody => "custody",
            Self::Witness => "witness",
        }
    }
}

/// A key that signs from now on. Announced before its first use, so that its beginning stands under the key before it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct KeyChange {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Its id: for a checkpoint or witness key the eight digits of its verifier key, else a digest of its public half.
    pub key_id: Text,
    /// Its public half: a verifier key, or what the format of the signatures calls for; at most 1,024 bytes.
    pub public_key: Text,
    /// The id of the key before it; none for the first.
    pub previous: Option<Text>,
    /// Who announced it; none where the node made it at its start.
    pub actor: Option<Pseudonym>,
}

/// A trust root that is believed from now on: of a Sigstore instance, whose attestations are checked under it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct RootChange {
    /// Of which instance.
    pub instance: Text,
    /// How it came: `embedded`, `configured`, `refreshed` or `imported`.
    pub origin: Text,
    /// Digest of its text.
    pub digest: Sha256,
    /// Digest of the one before it; none where none was believed.
    pub previous: Option<Sha256>,
    /// Version of the root file that it came under, where there is one.
    pub version: Option<u64>,
    /// When its source said so.
    pub as_of: Timestamp,
    /// Who brought it; none where it was refreshed.
    pub actor: Option<Pseudonym>,
}
