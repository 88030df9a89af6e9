//! Reads entries back: ignores fields of later programs, refuses what it would misread.

use serde::Deserialize;
use tidegate_model::decision::{Because, BecauseFact, Decision, DryRun, Gap, Reason, Truth, Waived};
use tidegate_model::{Action, DecisionId, Ecosystem, Sha256, Timestamp};

use super::{Body, ByteRange, DecisionMade, ENTRY_VERSION, Entry, MAX_ENTRY_BYTES, Text};
use crate::NodeId;

/// Bytes that are not an entry this program can read.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Longer than any entry.
    #[error("an entry has at most {MAX_ENTRY_BYTES} bytes, this has {0}")]
    TooLong(usize),
    /// Not JSON, or a field is missing or of the wrong form.
    #[error("the bytes are not an entry")]
    Malformed(#[source] serde_json::Error),
    /// Written in another format.
    #[error("the entry has format {0}, this program reads format {ENTRY_VERSION}: use the newer program")]
    Version(u64),
    /// A kind that this program does not know.
    #[error("`{}` is not a kind of entry this program knows", .0.escape_debug())]
    Kind(String),
}

#[derive(Deserialize)]
struct Version {
    v: u64,
}

#[derive(Deserialize)]
struct Head {
    kind: String,
    time: Timestamp,
    node: NodeId,
    seq: u64,
    tenant: Text,
}

pub(super) fn decode(json: &[u8]) -> Result<Entry, EntryError> {
    if json.len() > MAX_ENTRY_BYTES {
        return Err(EntryError::TooLong(json.len()));
    }
    let Version { v } = read(json)?;
    if v != u64::from(ENTRY_VERSION) {
        return Err(EntryError::Version(v));
    }
    let Head { kind, time, node, seq, tenant } = read(json)?;
    let body = match kind.as_str() {
        "access" => Body::Access(read(json)?),
        "decision" => Body::Decision(Box::new(read::<WireDecision>(json)?.into())),
        "view" => Body::View(read(json)?),
        "waiver" => Body::Waiver(read(json)?),
        "approval" => Body::Approval(read(json)?),
        "policy" => Body::Policy(read(json)?),
        "quarantine" => Body::Quarantine(read(json)?),
        "alarm" => Body::Alarm(read(json)?),
        "start" => Body::Start(read(json)?),
        "stop" => Body::Stop(read(json)?),
        "person" => Body::Person(read(json)?),
        "advisories" => Body::Advisories(read(json)?),
        "effect" => Body::Effect(read(json)?),
        "control" => Body::Control(read(json)?),
        "hold" => Body::Hold(read(json)?),
        "call" => Body::Call(read(json)?),
        "counts" => Body::Counts(read(json)?),
        "key" => Body::Key(read(json)?),
        "root" => Body::Root(read(json)?),
        _ => return Err(EntryError::Kind(kind.chars().take(40).collect())),
    };
    Ok(Entry { time, node, seq, tenant, body })
}

fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, EntryError> {
    serde_json::from_slice(json).map_err(EntryError::Malformed)
}

impl<'de> Deserialize<'de> for ByteRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.split_once('-')
            .and_then(|(first, last)| Some(Self { first: first.parse().ok()?, last: last.parse().ok()? }))
            .ok_or_else(|| serde::de::Error::custom("a range is written `first-last`"))
    }
}

/// A decision entry as it is written: flat, and with `facts` and `advisories` beside the rule that read them.
#[derive(Deserialize)]
struct WireDecision {
    id: DecisionId,
    decided_at: Timestamp,
    repository: Text,
    ecosystem: Option<Ecosystem>,
    purl: Option<Text>,
    file: Option<Text>,
    sha256: Option<Sha256>,
    // Earlier programs did not write these two.
    #[serde(default)]
    upstream: Option<Text>,
    #[serde(default)]
    promised: Vec<String>,
    action: Action,
    enforced: bool,
    valid_until: Option<Timestamp>,
    selectable_from: Option<Timestamp>,
    policy: Sha256,
    facts: Sha256,
    waivers: Sha256,
    obligations: Vec<String>,
    reasons: Vec<WireReason>,
    waived: Vec<Waived>,
    gaps: Vec<Gap>,
    dry_run: Option<Action>,
    #[serde(default)]
    dry_run_reasons: Vec<WireReason>,
}

#[derive(Deserialize)]
struct WireReason {
    rule: String,
    truth: Truth,
    action: Action,
    message: String,
    remediation: Option<String>,
    facts: Vec<BecauseFact>,
    advisories: Vec<String>,
    until: Option<Timestamp>,
    waivable: bool,
}

impl From<WireReason> for Reason {
    fn from(wire: WireReason) -> Self {
        Self {
            rule: wire.rule,
            truth: wire.truth,
            action: wire.action,
            message: wire.message,
            remediation: wire.remediation,
            because: Because { facts: wire.facts, advisories: wire.advisories },
            until: wire.until,
            waivable: wire.waivable,
        }
    }
}

impl From<WireDecision> for DecisionMade {
    fn from(wire: WireDecision) -> Self {
        let reasons = |wire: Vec<WireReason>| wire.into_iter().map(Reason::from).collect::<Vec<_>>();
        Self {
            id: wire.id,
            decided_at: wire.decided_at,
            repository: wire.repository,
            ecosystem: wire.ecosystem,
            purl: wire.purl,
            file: wire.file,
            sha256: wire.sha256,
            upstream: wire.upstream,
            promised: wire.promised,
            decision: Decision {
                action: wire.action,
                enforced: wire.enforced,
                reasons: reasons(wire.reasons),
                waived: wire.waived,
                dry_run: wire.dry_run.map(|action| DryRun { action, reasons: reasons(wire.dry_run_reasons) }),
                obligations: wire.obligations,
                gaps: wire.gaps,
                valid_until: wire.valid_until,
                selectable_from: wire.selectable_from,
                policy_digest: wire.policy,
                facts_digest: wire.facts,
                waivers_digest: wire.waivers,
            },
        }
    }
}
