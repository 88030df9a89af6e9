//! From an entry of the ledger to events. Pure: the same entry always makes the same events.
//!
//! Entries about people (accesses, calls, forgotten people) and about the door's own life make none. What names somebody names
//! the pseudonym that the entry has.

use serde_json::{Map, Value, json};
use tidegate_ledger::entry::{
    AdvisoriesChange, Alarm, ApprovalChange, ControlChange, ControlState, DecisionMade, Effect, HoldChange,
    HoldOperation, PolicyChange, QuarantineChange, QuarantineOperation, WaiverChange,
};
use tidegate_ledger::{Body, Entry};
use tidegate_model::Action;
use tidegate_model::waiver::WaiverState;

use super::event::EventId;
use super::{Event, EventKind};

/// Kinds of entries that never make events, as they stand at the head of an entry. Nearly all entries are of these, and
/// they are passed over unread.
pub const SILENT: [&str; 9] = ["access", "view", "start", "stop", "person", "call", "counts", "key", "root"];

/// What is told of an entry.
struct Told {
    kind: EventKind,
    subject: Option<String>,
    data: Value,
}

/// The events of an entry, in their order.
pub fn events_of(entry: &Entry) -> Vec<Event> {
    let told = match &entry.body {
        Body::Decision(made) => decision(made),
        Body::Quarantine(change) => vec![quarantine(change)],
        Body::Waiver(change) => vec![waiver(change)],
        Body::Approval(change) => vec![approval(change)],
        Body::Policy(change) => vec![policy(change)],
        Body::Alarm(alarm) => vec![self::alarm(alarm)],
        Body::Advisories(change) => vec![advisories(change)],
        Body::Effect(effect) => self::effect(effect),
        Body::Hold(change) => vec![hold(change)],
        Body::Control(change) => vec![control(change)],
        Body::Access(_)
        | Body::View(_)
        | Body::Start(_)
        | Body::Stop(_)
        | Body::Person(_)
        | Body::Call(_)
        | Body::Counts(_)
        | Body::Key(_)
        | Body::Root(_) => Vec::new(),
    };
    let record = entry.record();
    (1..)
        .zip(told)
        .map(|(number, told)| {
            let mut data = Map::new();
            data.insert("record".into(), record.to_string().into());
            if let Value::Object(members) = told.data {
                data.extend(members);
            }
            Event {
                id: EventId { record: record.clone(), number }.to_string(),
                seq: entry.seq,
                number,
                node: entry.node.clone(),
                kind: told.kind,
                time: entry.time,
                subject: told.subject,
                data,
            }
        })
        .collect()
}

/// A decision that holds something back. One that only observes is none: the artifact was served.
fn decision(made: &DecisionMade) -> Vec<Told> {
    let decision = &made.decision;
    let kind = match decision.action {
        Action::Quarantine => EventKind::ArtifactQuarantined,
        Action::Block => EventKind::ArtifactBlocked,
        Action::Allow | Action::Warn => return Vec::new(),
    };
    if !decision.enforced {
        return Vec::new();
    }
    let leading = decision.leading_reason();
    let mut advisories: Vec<&String> =
        decision.reasons.iter().flat_map(|reason| &reason.because.advisories).collect();
    advisories.sort_unstable();
    advisories.dedup();
    let data = json!({
        "why": "decision",
        "decision": made.id,
        "repository": &*made.repository,
        "ecosystem": made.ecosystem,
        "purl": made.purl.as_deref(),
        "file": made.file.as_deref(),
        "sha256": made.sha256.map(|digest| digest.hex()),
        "action": decision.action,
        "rules": decision.reasons.iter().map(|reason| &reason.rule).collect::<Vec<_>>(),
        "advisories": advisories,
        "message": leading.map(|reason| &reason.message),
        "remediation": leading.and_then(|reason| reason.remediation.as_ref()),
        "selectable_from": decision.selectable_from,
        "policy": decision.policy_digest.hex(),
    });
    vec![Told { kind, subject: made.purl.as_deref().map(str::to_owned), data }]
}

/// What a person did by hand.
fn quarantine(change: &QuarantineChange) -> Told {
    let (kind, action) = match change.operation {
        QuarantineOperation::Block => (EventKind::ArtifactBlocked, "block"),
        QuarantineOperation::Release | QuarantineOperation::Unblock => (EventKind::ArtifactReleased, "allow"),
    };
    let data = json!({
        "why": "by_hand",
        "operation": change.operation.as_str(),
        "actor": change.actor.to_string(),
        "decision": change.decision,
        "repository": &*change.repository,
        "purl": &*change.purl,
        "file": change.file.as_deref(),
        "sha256": change.sha256.map(|digest| digest.hex()),
        "action": action,
    });
    Told { kind, subject: Some(change.purl.to_string()), data }
}

fn waiver(change: &WaiverChange) -> Told {
    let kind = match change.state {
        WaiverState::Requested => EventKind::WaiverRequested,
        WaiverState::Approved => EventKind::WaiverApproved,
        WaiverState::Rejected => EventKind::WaiverRejected,
        WaiverState::Revoked => EventKind::WaiverRevoked,
    };
    let words =
        |texts: &[tidegate_ledger::entry::Text]| texts.iter().map(|t| t.to_string()).collect::<Vec<_>>();
    let data = json!({
        "waiver": &*change.id,
        "actor": change.actor.to_string(),
        "rules": words(&change.rules),
        "advisories": words(&change.advisories),
        "purl": &*change.purl,
        "sha256": change.sha256.map(|digest| digest.hex()),
        "repositories": words(&change.repositories),
        "expires_at": change.expires_at,
    });
    Told { kind, subject: Some(change.purl.to_string()), data }
}

fn approval(change: &ApprovalChange) -> Told {
    let kind = match change.state {
        WaiverState::Requested => EventKind::ApprovalRequested,
        WaiverState::Approved => EventKind::ApprovalGiven,
        WaiverState::Rejected => EventKind::ApprovalRejected,
        WaiverState::Revoked => EventKind::ApprovalRevoked,
    };
    let data = json!({
        "approval": &*change.id,
        "actor": change.actor.to_string(),
        "purl": &*change.purl,
        "sha256": change.sha256.map(|digest| digest.hex()),
        "repositories": change.repositories.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "expires_at": change.expires_at,
    });
    Told { kind, subject: Some(change.purl.to_string()), data }
}

fn policy(change: &PolicyChange) -> Told {
    let data = json!({
        "policy": change.policy.hex(),
        "previous": change.previous.map(|digest| digest.hex()),
        "source": &*change.source,
        "rules": change.rules,
        "actor": change.actor.map(|actor| actor.to_string()),
    });
    Told { kind: EventKind::PolicyActivated, subject: None, data }
}

fn alarm(alarm: &Alarm) -> Told {
    let data = json!({
        "alarm": alarm.alarm.as_str(),
        "repository": &*alarm.repository,
        "ecosystem": alarm.ecosystem,
        "purl": &*alarm.purl,
        "file": alarm.file.as_deref(),
        "expected": alarm.expected.to_string(),
        "found": alarm.found.to_string(),
        "upstream": alarm.upstream.as_deref(),
    });
    Told { kind: EventKind::AlarmRaised, subject: Some(alarm.purl.to_string()), data }
}

fn advisories(change: &AdvisoriesChange) -> Told {
    let feeds: Vec<Value> = change
        .feeds
        .iter()
        .map(|f| json!({ "feed": &*f.feed, "kind": &*f.kind, "as_of": f.as_of, "digest": f.digest.hex() }))
        .collect();
    let data = json!({
        "generation": change.generation,
        "manifest": change.manifest.hex(),
        "changed": change.changed,
        "withdrawn": change.withdrawn,
        "names": change.names,
        "actor": change.actor.map(|actor| actor.to_string()),
        "feeds": feeds,
        "feeds_omitted": change.feeds_omitted,
    });
    Told { kind: EventKind::AdvisoriesChanged, subject: None, data }
}

/// What a change of advisories did to one version: matched, cleared, and what the door does with it where that changed.
fn effect(effect: &Effect) -> Vec<Told> {
    let new: Vec<Value> = effect.new.iter().map(|t| json!({ "id": &*t.id, "why": t.why.as_str() })).collect();
    let gone: Vec<&str> = effect.gone.iter().map(|id| &**id).collect();
    let data = json!({
        "why": "advisory",
        "ecosystem": effect.ecosystem,
        "purl": &*effect.purl,
        "advisories": new,
        "advisories_omitted": effect.new_omitted,
        "cleared": gone,
        "cleared_omitted": effect.gone_omitted,
        "before": effect.before,
        "after": effect.after,
        "waits_for_a_person": effect.held,
        "people": effect.takers,
        "accesses": effect.accesses,
        "last_taken_at": effect.last_taken_at,
        "generation": effect.generation,
    });
    let serves = |action: Action| matches!(action, Action::Allow | Action::Warn);
    let changed = match (effect.before, effect.after) {
        (before, Some(Action::Block)) if before != Some(Action::Block) => Some(EventKind::ArtifactBlocked),
        (before, Some(Action::Quarantine)) if before != Some(Action::Quarantine) => {
            Some(EventKind::ArtifactQuarantined)
        }
        (Some(before), Some(after)) if !serves(before) && serves(after) => Some(EventKind::ArtifactReleased),
        _ => None,
    };
    let matched = (!effect.new.is_empty()).then_some(EventKind::AdvisoryMatched);
    let cleared = (!effect.gone.is_empty()).then_some(EventKind::AdvisoryCleared);
    let kinds = [matched, cleared, changed].into_iter().flatten();
    kinds.map(|kind| Told { kind, subject: Some(effect.purl.to_string()), data: data.clone() }).collect()
}

fn hold(change: &HoldChange) -> Told {
    let kind = match change.operation {
        HoldOperation::Held => EventKind::AdvisoryHeld,
        HoldOperation::Confirmed => EventKind::AdvisoryConfirmed,
        HoldOperation::Dismissed => EventKind::AdvisoryDismissed,
        HoldOperation::Ended => EventKind::AdvisoryEnded,
    };
    let data = json!({
        "advisory": &*change.advisory,
        "reason": change.reason.as_str(),
        "downloads": change.downloads,
        "downloads_in_all": change.downloads_in_all,
        "sources": change.sources,
        "generation": change.generation,
        "actor": change.actor.map(|actor| actor.to_string()),
    });
    Told { kind, subject: Some(change.advisory.to_string()), data }
}

fn control(change: &ControlChange) -> Told {
    let kind = match change.state {
        ControlState::Degraded => EventKind::ControlDegraded,
        ControlState::Restored => EventKind::ControlRestored,
    };
    let data = json!({ "control": &*change.control, "state": change.state.as_str(), "why": &*change.why });
    Told { kind, subject: None, data }
}
