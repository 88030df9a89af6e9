//! What happened to an artifact, as the door tells it.

use std::fmt;
use std::str::FromStr;

use tidegate_model::{Action, DecisionId, Digest, Sha256, Timestamp};

use crate::custody::statement::PublicUri;

/// The most rules that a statement names; how many more there were stands beside them.
pub(super) const MAX_RULES: usize = 64;
/// The longest name of an upstream, a stage or a rule, in bytes.
const MAX_NAME_BYTES: usize = 200;
/// The longest package URL, in bytes.
const MAX_PURL_BYTES: usize = 2048;

/// Something that happened to an artifact, and is to be stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The deployment that states it: the `verifier.id`, and whose [`OwnKeys`](crate::signing::OwnKeys) it is.
    pub deployment: PublicUri,
    /// What the artifact is called: a package URL.
    pub purl: String,
    /// Its bytes.
    pub sha256: Sha256,
    /// Its bytes once more, where that was computed.
    pub sha512: Option<Digest>,
    /// Their number.
    pub bytes: u64,
    /// In which repository it was decided: the same bytes can be decided on in several.
    pub repository: String,
    /// What happened.
    pub kind: EventKind,
    /// When it was decided. The statement says this time; when it is signed does not matter.
    pub at: Timestamp,
    /// When the bytes were stored.
    pub stored_at: Timestamp,
    /// Where they came from.
    pub origin: Origin,
    /// What was decided.
    pub decided: Decided,
    /// The ledger's record of it.
    pub record: LedgerRecord,
    /// Who did it, where a person did: only ever a pseudonym.
    pub actor: Option<Actor>,
    /// Every attestation that was verified for the decision.
    pub attestations: Vec<InputAttestation>,
    /// What they prove about the build.
    pub level: BuildLevel,
    /// What SLSA's dependency track wants to know, where it is known.
    pub dependency: Option<Dependency>,
    /// SHA-256 of the payload of the custody record before it; none for the first of an artifact.
    pub previous: Option<Sha256>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It came in, was decided on and is kept.
    Stored,
    /// It is held.
    Quarantined,
    /// It is held no longer.
    Released,
    /// It is refused.
    Blocked,
    /// It went from one stage to the next.
    Promoted(Stage),
}

impl EventKind {
    /// What a decision makes of an artifact, given what was last stated of it in the same repository; none where that
    /// changes nothing. A decision that is made anew with the same outcome is the ledger's alone.
    pub const fn following(before: Option<Action>, now: Action) -> Option<Self> {
        match (before, now) {
            (None, _) => Some(Self::Stored),
            (Some(Action::Quarantine), Action::Quarantine) | (Some(Action::Block), Action::Block) => None,
            (Some(_), Action::Quarantine) => Some(Self::Quarantined),
            (Some(_), Action::Block) => Some(Self::Blocked),
            (Some(before), _) => {
                if before.serves() {
                    None
                } else {
                    Some(Self::Released)
                }
            }
        }
    }

    /// The word in statements.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Quarantined => "quarantined",
            Self::Released => "released",
            Self::Blocked => "blocked",
            Self::Promoted(_) => "promoted",
        }
    }
}

/// A step between stages or repositories.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stage {
    /// Where it was.
    pub from: String,
    /// Where it is now.
    pub to: String,
}

/// Where bytes came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From an upstream.
    Upstream {
        /// Its name in the configuration, never its address.
        name: String,
        /// What its index promised of the bytes, all of which agreed.
        promised: Vec<Digest>,
    },
    /// From somebody who published here.
    Published,
}

/// The decision behind an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Its id.
    pub id: DecisionId,
    /// What it does.
    pub action: Action,
    /// False where the policy only observes.
    pub enforced: bool,
    /// The rules that decided, first the one that led.
    pub rules: Vec<String>,
    /// Digest of the policy.
    pub policy: Sha256,
}

/// An attestation that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputAttestation {
    /// SHA-256 of the bundle's bytes.
    pub sha256: Sha256,
    /// The predicate type that it carries.
    pub predicate_type: String,
}

/// The level of SLSA's build track that verified provenance shows. Zero means that nothing is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuildLevel {
    /// Nothing.
    #[default]
    Zero,
    /// Provenance exists.
    One,
    /// A hosted build platform signed it.
    Two,
    /// That platform is hardened.
    Three,
}

impl BuildLevel {
    /// SLSA's name for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zero => "SLSA_BUILD_LEVEL_0",
            Self::One => "SLSA_BUILD_LEVEL_1",
            Self::Two => "SLSA_BUILD_LEVEL_2",
            Self::Three => "SLSA_BUILD_LEVEL_3",
        }
    }
}

/// What SLSA's dependency track wants said of an ingestion, beyond the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The organisation that takes the dependency in.
    pub ingestor: PublicUri,
    /// The upstream registry.
    pub registry: PublicUri,
    /// The package's name there.
    pub name: String,
    /// Its version there.
    pub version: String,
    /// Where it is served inside.
    pub path: PublicUri,
    /// What is known of a signature by its publisher.
    pub publisher_signature: PublisherSignature,
    /// What is known of its build's provenance.
    pub upstream_provenance: UpstreamProvenance,
}

/// A signature by the publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublisherSignature {
    /// It holds.
    Verified {
        /// Such as `sigstore`, `npm-provenance`.
        method: String,
        /// The identity or key that signed.
        key_id: String,
    },
    /// The upstream has none for this file.
    NotPublished,
    /// Nobody looked, or could.
    NotVerified,
}

/// Provenance that the upstream publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamProvenance {
    /// It holds.
    Verified(InputAttestation),
    /// The upstream has none for this file.
    NotPublished,
    /// Nobody looked, or could.
    NotVerified,
}

/// The ledger's name for an entry, `<node>-<number>`: what `X-Tidegate-Record` says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LedgerRecord {
    node: String,
    seq: u64,
}

/// Text that names no entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` names no record of the ledger: expected `<node>-<number>`", .0.escape_debug())]
pub struct InvalidRecord(String);

impl LedgerRecord {
    /// The node that wrote it.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Its number there, from 1.
    pub const fn seq(&self) -> u64 {
        self.seq
    }
}

impl fmt::Display for LedgerRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.node, self.seq)
    }
}

impl FromStr for LedgerRecord {
    type Err = InvalidRecord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidRecord(text.chars().take(60).collect());
        let (node, seq) = text.rsplit_once('-').ok_or_else(invalid)?;
        let node_fits = (1..=32).contains(&node.len())
            && !node.starts_with('-')
            && node.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        // One spelling: no sign, no leading zero.
        let number = seq.parse::<u64>().ok().filter(|number| *number > 0 && number.to_string() == seq);
        match (node_fits, number) {
            (true, Some(seq)) => Ok(Self { node: node.to_owned(), seq }),
            _ => Err(invalid()),
        }
    }
}

impl serde::Serialize for LedgerRecord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for LedgerRecord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A person as statements name one: the ledger's pseudonym, 64 hexadecimal digits that forgetting the person unties from
/// them. There is no way to make one of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Actor([u8; 32]);

impl Actor {
    /// Wraps the bytes of a pseudonym.
    pub const fn from_pseudonym(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl serde::Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.as_bytes(), &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// An event that cannot be stated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvent {
    /// The artifact's name is no package URL.
    #[error("`{}` is no package URL: expected `pkg:` and at most {MAX_PURL_BYTES} bytes without white space", .0.escape_debug())]
    NotAPurl(String),
    /// Such as the name of an upstream that is an address.
    #[error(
        "{what} is empty, too long or an address: expected a name of at most {MAX_NAME_BYTES} bytes without `://`, `@` or control characters"
    )]
    NotAName {
        /// Which name.
        what: &'static str,
    },
    /// A release that refuses, or a block that serves.
    #[error("an artifact that is {kind} under a decision to {action}: these contradict each other")]
    Contradiction {
        /// What happened.
        kind: &'static str,
        /// What was decided.
        action: Action,
    },
    /// A SHA-512 that is none.
    #[error("the second digest is no SHA-512")]
    NotSha512,
}

impl Event {
    /// Checks what the types leave open.
    pub(super) fn check(&self) -> Result<(), InvalidEvent> {
        let purl = &self.purl;
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if !purl.starts_with("pkg:") || purl.len() > MAX_PURL_BYTES || purl.contains(odd) {
            return Err(InvalidEvent::NotAPurl(purl.chars().take(80).collect()));
        }
        if self.sha512.as_ref().is_some_and(|digest| digest.algorithm() != tidegate_model::Algorithm::Sha512)
        {
            return Err(InvalidEvent::NotSha512);
        }
        if let Origin::Upstream { name: upstream, .. } = &self.origin {
            name("the upstream's name", upstream)?;
        }
        name("the repository", &self.repository)?;
        if let EventKind::Promoted(stage) = &self.kind {
            name("the stage it came from", &stage.from)?;
            name("the stage it went to", &stage.to)?;
        }
        for rule in &self.decided.rules {
            name("a rule", rule)?;
        }
        let action = self.decided.action;
        let fits = match self.kind {
            EventKind::Stored => true,
            EventKind::Quarantined => action == Action::Quarantine,
            EventKind::Blocked => action == Action::Block,
            EventKind::Released | EventKind::Promoted(_) => action.serves(),
        };
        if fits { Ok(()) } else { Err(InvalidEvent::Contradiction { kind: self.kind.as_str(), action }) }
    }

    /// Whether the decision lets the artifact pass, whether or not it was enforced.
    pub(super) const fn passes(&self) -> bool {
        self.decided.action.serves()
    }
}

fn name(what: &'static str, text: &str) -> Result<(), InvalidEvent> {
    let address = text.contains("://") || text.contains('@') || text.contains(char::is_control);
    if text.is_empty() || text.len() > MAX_NAME_BYTES || address {
        return Err(InvalidEvent::NotAName { what });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_stated() {
        use Action::{Allow, Block, Quarantine, Warn};
        let check = |before, now, expected: Option<&str>| {
            assert_eq!(EventKind::following(before, now).map(|kind| kind.as_str()), expected);
        };
        for first in [Allow, Warn, Quarantine, Block] {
            check(None, first, Some("stored"));
            check(Some(first), first, None);
        }
        check(Some(Allow), Warn, None);
        check(Some(Allow), Quarantine, Some("quarantined"));
        check(Some(Block), Quarantine, Some("quarantined"));
        check(Some(Quarantine), Block, Some("blocked"));
        check(Some(Block), Warn, Some("released"));
        check(Some(Quarantine), Allow, Some("released"));
    }

    #[test]
    fn records_have_one_spelling() {
        for text in ["a-1", "node-3-77", "0-9"] {
            assert_eq!(text.parse::<LedgerRecord>().unwrap().to_string(), text);
        }
        for text in ["", "a", "-1", "a-0", "a-01", "a-+1", "A-1", "a--", "a-99999999999999999999"] {
            assert!(text.parse::<LedgerRecord>().is_err(), "{text}");
        }
    }
}
