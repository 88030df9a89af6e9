//! The last step: nothing is served without an entry, and what is served says so in its type.
//!
//! [`Admitted`] and [`Refused`] are the only values that responders accept, and both are made here alone, from what the
//! ledger returned for an entry that it has appended. An ecosystem, however new, cannot forget the gate.

use bytes::Bytes;
use tidegate_ecosystems::Answer;
use tidegate_ledger::entry::{Access, ByteRange, CacheState, Text};
use tidegate_ledger::{Appended, Body, EntryDraft, RecordError, Recorder};
use tidegate_model::{Action, DecisionId, Ecosystem, Sha256, Timestamp};
use tidegate_sys::map::FileBytes;

use super::decide::Decided;
use crate::door::{Identity, TENANT};

/// What a response will be, before it is recorded.
#[derive(Clone, Debug)]
pub struct Plan {
    /// HTTP status.
    pub status: u16,
    /// Bytes of the representation that are sent.
    pub range: Option<ByteRange>,
    /// How many bytes of body are sent.
    pub bytes: u64,
}

/// What an entry says beside the plan.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    /// Who asks.
    pub identity: &'a Identity,
    /// Through which repository.
    pub repository: Text,
    /// Of which ecosystem.
    pub ecosystem: Option<Ecosystem>,
    /// HTTP method.
    pub method: Text,
    /// Route kind: `index`, `artifact`, `metadata`, `api`, `generated`, `refused`.
    pub operation: Text,
    /// Package URL.
    pub purl: Option<Text>,
    /// File name.
    pub file: Option<Text>,
    /// Digest of what is served.
    pub sha256: Option<Sha256>,
    /// The decision behind it.
    pub decision: Option<&'a Decided>,
    /// Digest of the policy in force.
    pub policy: Option<Sha256>,
    /// Whether upstream was asked.
    pub cache: Option<CacheState>,
    /// The upstream behind it.
    pub upstream: Option<Text>,
    /// Controls that were degraded.
    pub degraded: std::sync::Arc<[Text]>,
    /// When.
    pub at: Timestamp,
}

/// Bytes that may be sent: their entry is appended.
#[derive(Debug)]
pub struct Admitted {
    /// The bytes to send, already cut to the range; empty for HEAD and 304.
    pub body: FileBytes,
    /// What the response is.
    pub plan: Plan,
    /// The entry.
    pub record: Appended,
    /// The decision, for the header.
    pub decision: Option<DecisionId>,
}

/// An answer without artifact bytes: a refusal, a generated document, a relayed service. Its entry is appended.
#[derive(Debug)]
pub struct Refused {
    /// The answer.
    pub answer: Answer,
    /// The entry.
    pub record: Appended,
    /// The decision, for the header.
    pub decision: Option<DecisionId>,
}

/// Records that bytes are served, and admits them.
///
/// Only a decision that serves, about a subject that covers the bytes, can admit an artifact; see [`admit_view`] for
/// rendered indexes.
///
/// # Errors
/// The ledger cannot record: then nothing is served.
///
/// # Panics
/// Where the decision does not serve or is about other bytes. That is a broken invariant of the pipeline, and the
/// request dies rather than being answered.
pub fn admit_artifact(
    recorder: &Recorder,
    circumstances: &Circumstances<'_>,
    subject: &tidegate_model::Subject,
    digest: &Sha256,
    plan: Plan,
    body: FileBytes,
) -> Result<Admitted, RecordError> {
    let decided = circumstances.decision.expect("an artifact is admitted by a decision");
    // INVARIANT: one door. These two checks are the gate.
    assert!(decided.decision.serves(), "a decision that refuses admits nothing");
    assert!(subject.covers(digest), "a decision admits the bytes it is about and no others");
    let record = append(recorder, circumstances, &plan)?;
    Ok(Admitted { body, plan, record, decision: Some(decided.id) })
}

/// Records that a view of an index is served, and admits it. A view holds no artifact bytes.
///
/// # Errors
/// The ledger cannot record: then nothing is served.
pub fn admit_view(
    recorder: &Recorder,
    circumstances: &Circumstances<'_>,
    plan: Plan,
    body: Bytes,
) -> Result<Admitted, RecordError> {
    let record = append(recorder, circumstances, &plan)?;
    Ok(Admitted { body: body.into(), plan, record, decision: circumstances.decision.map(|d| d.id) })
}

/// Records an answer that carries no artifact.
///
/// # Errors
/// The ledger cannot record.
pub fn refuse(
    recorder: &Recorder,
    circumstances: &Circumstances<'_>,
    answer: Answer,
) -> Result<Refused, RecordError> {
    // A HEAD is told how long the body would be, and gets none.
    let bytes = if &*circumstances.method == "HEAD" { 0 } else { answer.body.len() as u64 };
    let plan = Plan { status: answer.status.as_u16(), range: None, bytes };
    let record = append(recorder, circumstances, &plan)?;
    Ok(Refused { answer, record, decision: circumstances.decision.map(|d| d.id) })
}

fn append(recorder: &Recorder, c: &Circumstances<'_>, plan: &Plan) -> Result<Appended, RecordError> {
    let access = Access {
        actor: c.identity.actor,
        actor_kind: c.identity.principal.kind,
        host: c.identity.host,
        address: c.identity.address,
        client: c.identity.client,
        credential: c.identity.credential,
        repository: c.repository.clone(),
        ecosystem: c.ecosystem,
        method: c.method.clone(),
        operation: c.operation.clone(),
        purl: c.purl.clone(),
        file: c.file.clone(),
        sha256: c.sha256,
        status: plan.status,
        range: plan.range,
        bytes: plan.bytes,
        action: c.decision.map(|d| d.decision.action).or(if plan.status < 400 {
            Some(Action::Allow)
        } else {
            None
        }),
        decision: c.decision.map(|d| d.id),
        rules: c.decision.map(|d| d.rules.clone()).unwrap_or_default(),
        policy: c.policy,
        cache: c.cache,
        upstream: c.upstream.clone(),
        enforced: c.decision.is_none_or(|d| d.decision.enforced),
        degraded: c.degraded.clone(),
    };
    recorder.append(&EntryDraft { time: c.at, tenant: TENANT.into(), body: Body::Access(Box::new(access)) })
}
