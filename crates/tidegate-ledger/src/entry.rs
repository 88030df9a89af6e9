//! Entries: what the ledger says, as values.
//!
//! An entry is one JSON object on one line, with every field of its kind present in one fixed order (`null` where there is
//! nothing to say), so that an auditor reads it with `jq` and the same entry always has the same bytes. The format is
//! described field by field in `docs/reference/entries.md`. A reader ignores fields it does not know and refuses
//! another `v`.
//!
//! Texts are bounded: one too long ends in `…`, a list too long says how many it left out. So an entry can always be
//! written, whatever a client or an upstream sent, and stays below [`MAX_ENTRY_BYTES`].

mod advisories;
mod call;
mod decode;
mod encode;
mod keys;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use tidegate_model::decision::Decision;
use tidegate_model::waiver::WaiverState;
use tidegate_model::{Action, DecisionId, Digest, Ecosystem, PrincipalKind, Sha256, Timestamp};

use crate::pseudonym::{Commitment, Pseudonym};
use crate::{Mode, NodeId, RecordId};

pub use advisories::{
    AdvisoriesChange, ControlChange, ControlState, Effect, FeedInForce, Grave, HoldChange, HoldOperation,
    HoldReason, Touching,
};
pub use call::{Call, CallOutcome};
pub use decode::EntryError;
pub(crate) use encode::encode;
pub use keys::{Counts, KeyChange, KeyPurpose, KindCounts, RootChange};

/// The version of the entry format that this program writes and reads.
pub const ENTRY_VERSION: u32 = 1;
/// The longest entry, in bytes of JSON: it fits the 16-bit length of C2SP tlog-tiles entry bundles.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// Text that many entries share, such as the name of a repository.
pub type Text = Arc<str>;

/// What is to be recorded; node and number come from the recorder.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryDraft {
    /// When it happened; kept to the millisecond.
    pub time: Timestamp,
    /// Whose ledger it belongs to.
    pub tenant: Text,
    /// What happened.
    pub body: Body,
}

/// One entry as it stands in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When it happened, to the millisecond.
    pub time: Timestamp,
    /// The node that recorded it.
    pub node: NodeId,
    /// Its number on that node: from 1, without gaps.
    pub seq: u64,
    /// Whose ledger it belongs to.
    pub tenant: Text,
    /// What happened.
    pub body: Body,
}

impl Entry {
    /// Reads one entry.
    ///
    /// # Errors
    /// Text that is no entry, one that is too long, and one of a later format or an unknown kind.
    pub fn parse(json: &[u8]) -> Result<Self, EntryError> {
        decode::decode(json)
    }

    /// Its name for everybody, `<node>-<seq>`.
    pub fn record(&self) -> RecordId {
        RecordId { node: self.node.clone(), seq: self.seq }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A response to a package route.
    Access(Box<Access>),
    /// A decision that was made anew.
    Decision(Box<DecisionMade>),
    /// A view of an index that was rendered anew.
    View(Box<View>),
    /// A waiver that changed its state.
    Waiver(Box<WaiverChange>),
    /// An approval that changed its state.
    Approval(Box<ApprovalChange>),
    /// A policy that came into force.
    Policy(PolicyChange),
    /// A person released something from quarantine or blocked it.
    Quarantine(Box<QuarantineChange>),
    /// Bytes that are not what was promised or seen first.
    Alarm(Box<Alarm>),
    /// The node began.
    Start(Start),
    /// The node ended in an orderly way.
    Stop(Stop),
    /// A person was forgotten.
    Person(PersonChange),
    /// Advisories came into force.
    Advisories(Box<AdvisoriesChange>),
    /// A version that was admitted before is exposed to more, or to less.
    Effect(Box<Effect>),
    /// A control of the door became degraded or came back.
    Control(ControlChange),
    /// The effect of an advisory waits for a person, or a person decided.
    Hold(Box<HoldChange>),
    /// An exchange between a client and an MCP server.
    Call(Box<Call>),
    /// What a node counted of one hour.
    Counts(Counts),
    /// A signing key was announced.
    Key(Box<KeyChange>),
    /// A trust root came into force.
    Root(Box<RootChange>),
}

impl Body {
    /// Every kind, in the order of the reference page.
    pub const KINDS: [&str; 19] = [
        "access",
        "decision",
        "view",
        "waiver",
        "policy",
        "quarantine",
        "alarm",
        "start",
        "stop",
        "person",
        "advisories",
        "effect",
        "control",
        "hold",
        "approval",
        "call",
        "counts",
        "key",
        "root",
    ];

    /// Where [`Body::KINDS`] has the kind of entries that hold counts.
    pub const COUNTS_KIND: usize = 16;

    /// The word in the field `kind`.
    pub const fn kind(&self) -> &'static str {
        Self::KINDS[self.kind_index()]
    }

    /// Where [`Body::KINDS`] has the kind.
    pub const fn kind_index(&self) -> usize {
        match self {
            Self::Access(_) => 0,
            Self::Decision(_) => 1,
            Self::View(_) => 2,
            Self::Waiver(_) => 3,
            Self::Policy(_) => 4,
            Self::Quarantine(_) => 5,
            Self::Alarm(_) => 6,
            Self::Start(_) => 7,
            Self::Stop(_) => 8,
            Self::Person(_) => 9,
            Self::Advisories(_) => 10,
            Self::Effect(_) => 11,
            Self::Control(_) => 12,
            Self::Hold(_) => 13,
            Self::Approval(_) => 14,
            Self::Call(_) => 15,
            Self::Counts(_) => Self::COUNTS_KIND,
            Self::Key(_) => 17,
            Self::Root(_) => 18,
        }
    }
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheState {
    /// Fetched from upstream for this answer, or for one that waited with it.
    Cold,
    /// From the store.
    Warm,
    /// From the store, past its freshness, because upstream did not answer.
    Stale,
}

impl CacheState {
    /// The word in entries, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::Stale => "stale",
        }
    }
}

/// The bytes of a range response, both ends included. Written `first-last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte.
    pub last: u64,
}

/// One response to a package route.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
pub struct Access {
    /// Who asked.
    pub actor: Pseudonym,
    /// What kind of principal.
    pub actor_kind: PrincipalKind,
    /// The machine the token was minted for, where it names one.
    pub host: Option<Commitment>,
    /// The address the request came from.
    pub address: Commitment,
    /// What the client says it is (`User-Agent`), where it says so.
    pub client: Option<Commitment>,
    /// The credential used, where one was.
    pub credential: Option<Commitment>,
    /// The repository asked.
    pub repository: Text,
    /// Its ecosystem.
    pub ecosystem: Option<Ecosystem>,
    /// HTTP method.
    pub method: Text,
    /// Kind of route: `index`, `artifact`, `metadata`, `api`, `generated`, `unknown`…
    pub operation: Text,
    /// Package URL, where the request named a package.
    pub purl: Option<Text>,
    /// File name, where the request named a file.
    pub file: Option<Text>,
    /// Digest of the artifact, or of the view's bytes before compression.
    pub sha256: Option<Sha256>,
    /// HTTP status.
    pub status: u16,
    /// The bytes of the artifact that a range response holds.
    pub range: Option<ByteRange>,
    /// Bytes of body that are to be sent.
    pub bytes: u64,
    /// What was decided.
    pub action: Option<Action>,
    /// The decision behind it.
    pub decision: Option<DecisionId>,
    /// Ids of the live rules behind the decision, most restrictive first; at most 32.
    pub rules: Arc<[Text]>,
    /// Digest of the policy in force.
    pub policy: Option<Sha256>,
    /// Where the answer came from.
    pub cache: Option<CacheState>,
    /// Configured name of the upstream that it came from in the end. Never a URL: those may hold credentials.
    pub upstream: Option<Text>,
    /// False where the policy only observed.
    pub enforced: bool,
    /// Controls that were off or degraded for this answer; at most 32.
    pub degraded: Arc<[Text]>,
}

/// A decision that was made anew, with everything it says.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionMade {
    /// Its id.
    pub id: DecisionId,
    /// The moment it was made for: the `now` of the replay.
    pub decided_at: Timestamp,
    /// In which repository.
    pub repository: Text,
    /// Its ecosystem.
    pub ecosystem: Option<Ecosystem>,
    /// About which package.
    pub purl: Option<Text>,
    /// About which file.
    pub file: Option<Text>,
    /// About which bytes; the root of a group. None where it was made from an index, before the bytes were here.
    pub sha256: Option<Sha256>,
    /// Configured name of the upstream whose index was read. Never a URL: those may hold credentials.
    pub upstream: Option<Text>,
    /// What that index promises of the file, `algorithm:hex`; at most 8.
    pub promised: Vec<String>,
    /// What was decided, by which rules, on which facts.
    pub decision: Decision,
}

/// A release or file that a view leaves out or marks.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Withheld {
    /// Its version.
    pub version: Text,
    /// Its file, where only one file of the version is withheld.
    pub file: Option<Text>,
    /// Why: quarantine or block.
    pub action: Action,
    /// The rule that decided.
    pub rule: Text,
    /// When time alone ends it.
    pub until: Option<Timestamp>,
}

/// A view of an index that was rendered anew.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
pub struct View {
    /// In which repository.
    pub repository: Text,
    /// Its ecosystem.
    pub ecosystem: Option<Ecosystem>,
    /// About which package: a package URL without a version.
    pub purl: Text,
    /// The form of the index, for example `npm-full`.
    pub form: Text,
    /// Digest of the upstream's document.
    pub document: Sha256,
    /// Digest of what was rendered, before compression.
    pub view: Sha256,
    /// Digest of the policy in force.
    pub policy: Sha256,
    /// Digest of all facts read.
    pub facts: Sha256,
    /// Digest of the waivers given.
    pub waivers: Sha256,
    /// Releases that the upstream's document lists.
    pub releases: u64,
    /// Those withheld; as many as fit, at most 200.
    pub withheld: Vec<Withheld>,
    /// How many more were withheld.
    #[serde(default)]
    pub withheld_omitted: u64,
    /// The earliest moment at which the same facts could decide otherwise.
    pub valid_until: Option<Timestamp>,
}

/// A waiver that changed its state. Its owner, its reason and its ticket stay in the private store.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct WaiverChange {
    /// Its id.
    pub id: Text,
    /// The state it has from now on.
    pub state: WaiverState,
    /// Who changed it.
    pub actor: Pseudonym,
    /// Rules it silences; at most 32.
    pub rules: Arc<[Text]>,
    /// Advisories it covers; at most 32.
    pub advisories: Arc<[Text]>,
    /// For which package.
    pub purl: Text,
    /// For which bytes only.
    pub sha256: Option<Sha256>,
    /// In which repositories only; at most 32.
    pub repositories: Arc<[Text]>,
    /// Not valid from then on.
    pub expires_at: Option<Timestamp>,
    /// Digest of the whole waiver, for whoever holds it.
    pub document: Sha256,
}

/// An approval that changed its state. Its owner, its reason and its ticket stay in the private store.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct ApprovalChange {
    /// Its id.
    pub id: Text,
    /// The state it has from now on.
    pub state: WaiverState,
    /// Who changed it.
    pub actor: Pseudonym,
    /// Of what.
    pub purl: Text,
    /// Of which bytes only.
    pub sha256: Option<Sha256>,
    /// In which repositories only; at most 32.
    pub repositories: Arc<[Text]>,
    /// Not valid from then on.
    pub expires_at: Option<Timestamp>,
    /// Digest of the whole approval, for whoever holds it.
    pub document: Sha256,
}

/// A policy that came into force.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct PolicyChange {
    /// Its digest.
    pub policy: Sha256,
    /// Digest of the one before.
    pub previous: Option<Sha256>,
    /// Name of the pack or file it came from, without directories.
    pub source: Text,
    /// Number of its rules.
    pub rules: u64,
    /// Who put it in force; none where the node read it at its start.
    pub actor: Option<Pseudonym>,
}

/// What a person did to something held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuarantineOperation {
    /// Released it.
    Release,
    /// Blocked it.
    Block,
    /// Took a block back.
    Unblock,
}

impl QuarantineOperation {
    /// The word in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Block => "block",
            Self::Unblock => "unblock",
        }
    }
}

/// A person released something from quarantine or blocked it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct QuarantineChange {
    /// What was done.
    pub operation: QuarantineOperation,
    /// Who did it.
    pub actor: Pseudonym,
    /// In which repository.
    pub repository: Text,
    /// To which package.
    pub purl: Text,
    /// To which file.
    pub file: Option<Text>,
    /// To which bytes.
    pub sha256: Option<Sha256>,
    /// The decision that had held it.
    pub decision: Option<DecisionId>,
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Bytes are not what the upstream's index promised.
    Integrity,
    /// An immutable file came with other bytes than the first time.
    FirstSeen,
    /// Our own stored bytes no longer have their digest.
    Stored,
    /// A newer inspector finds grave what an older one let pass; both digests are those of the bytes.
    Contents,
}

impl AlarmKind {
    /// The word in entries and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::FirstSeen => "first_seen",
            Self::Stored => "stored",
            Self::Contents => "contents",
        }
    }
}

/// Bytes that are not what was promised or seen first.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Alarm {
    /// What it is about.
    pub alarm: AlarmKind,
    /// In which repository.
    pub repository: Text,
    /// Its ecosystem.
    pub ecosystem: Option<Ecosystem>,
    /// Which package.
    pub purl: Text,
    /// Which file.
    pub file: Option<Text>,
    /// The digest that was promised or seen first.
    pub expected: Digest,
    /// The digest of what came.
    pub found: Digest,
    /// Configured name of the upstream it came from.
    pub upstream: Option<Text>,
}

/// The node began.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Start {
    /// Version of the program.
    pub program: Text,
    /// When answers are let go: `durable` or `batched`.
    pub mode: Mode,
    /// Number of the last entry found at the start; 0 for none.
    pub last_seq: u64,
    /// Bytes of half-written entries that recovery cut off; none of them had been answered in mode `durable`.
    pub torn_bytes: u64,
}

/// The node ended in an orderly way; the counters are since its start.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Stop {
    /// Responses to package routes, each with its access entry.
    pub accesses: u64,
    /// Of those, how many were refused.
    pub refused: u64,
    /// Bytes of bodies sent.
    pub bytes: u64,
    /// Artifacts read from the store, to be compared with the access entries.
    pub store_reads: u64,
}

/// What became of a person's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PersonOperation {
    /// Name, key, salts and tokens were deleted: earlier entries speak of nobody from now on.
    Forget,
}

impl PersonOperation {
    /// The word in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forget => "forget",
        }
    }
}

/// A person was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct PersonChange {
    /// What was done.
    pub operation: PersonOperation,
    /// What earlier entries call the person.
    pub person: Pseudonym,
    /// Who did it.
    pub actor: Pseudonym,
}
