//! Entries that make the ledger itself checkable: what was counted, which keys sign, and which roots are believed.

use tidegate_model::{Sha256, Timestamp};

use super::{Body, Text};
use crate::pseudonym::Pseudonym;

/// What a node counted of one hour, under the lock that gives entries their numbers: an auditor counts the entries and compares.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Counts {
    /// When the hour began in which the first of them was recorded.
    pub hour: Timestamp,
    /// Number of the first entry that the counts cover: the counts before these, or the node's first entry.
    pub first_seq: u64,
    /// Number of the last one, included: the one before this entry. Below `first_seq` where counting begins here, in a ledger of an
    /// earlier program.
    pub last_seq: u64,
    /// How many entries of each kind.
    pub entries: KindCounts,
    /// Accesses that were answered with a status of 400 or above.
    pub refused: u64,
    /// The sum of `bytes` of the accesses.
    pub bytes: u64,
}

/// How many entries of each kind, in the order of [`Body::KINDS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindCounts([u64; Body::KINDS.len()]);

impl KindCounts {
    /// How many of the kind at this place.
    pub const fn of(&self, kind: usize) -> u64 {
        self.0[kind]
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Counts one more of the kind at this place.
    pub const fn add(&mut self, kind: usize) {
        self.0[kind] += 1;
    }

    /// Every kind of which there are any, with its word.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Body::KINDS.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

impl<'de> serde::Deserialize<'de> for KindCounts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let told = std::collections::BTreeMap::<String, u64>::deserialize(deserializer)?;
        let mut counts = Self::default();
        for (kind, count) in told {
            // A kind of a later program cannot be counted again by this one.
            let at = Body::KINDS.iter().position(|known| *known == kind);
            let at = at.ok_or_else(|| serde::de::Error::custom("it counts entries of an unknown kind"))?;
            counts.0[at] = count;
        }
        Ok(counts)
    }
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
