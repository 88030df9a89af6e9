//! Which entries make which events, and the reference page with an example of each: made from entries, as a door does it.

use std::path::Path;

use tidegate::events::kind::PREFIX;
use tidegate::events::map::{SILENT, events_of};
use tidegate::events::{Event, EventKind};
use tidegate_ledger::entry::{
    AdvisoriesChange, Alarm, AlarmKind, ApprovalChange, ControlChange, ControlState, DecisionMade, Effect,
    FeedInForce, Grave, HoldChange, HoldOperation, HoldReason, PolicyChange, QuarantineChange,
    QuarantineOperation, Start, Touching, WaiverChange,
};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::{Body, Entry, Mode};
use tidegate_model::decision::{Because, Decision, Reason, Truth};
use tidegate_model::waiver::WaiverState;
use tidegate_model::{Action, DecisionId, Ecosystem, Sha256, Timestamp};

fn at() -> Timestamp {
    "2026-11-21T02:14:07.123Z".parse().unwrap()
}

fn entry(seq: u64, body: Body) -> Entry {
    Entry { time: at(), node: "f3a91c".parse().unwrap(), seq, tenant: "default".into(), body }
}

fn decision(action: Action, enforced: bool) -> Body {
    let reason = Reason {
        rule: "cooldown".into(),
        truth: Truth::True,
        action,
        message: "published 2 hours ago, held for 3 days".into(),
        remediation: Some("use 1.3.0, or ask for a waiver".into()),
        because: Because::default(),
        until: None,
        waivable: true,
    };
    let decision = Decision {
        action,
        enforced,
        reasons: vec![reason],
        waived: Vec::new(),
        dry_run: None,
        obligations: Vec::new(),
        gaps: Vec::new(),
        valid_until: None,
        selectable_from: Some(at().plus_seconds(3 * 86_400)),
        policy_digest: Sha256::new([0x11; 32]),
        facts_digest: Sha256::new([0x12; 32]),
        waivers_digest: Sha256::new([0x13; 32]),
    };
    Body::Decision(Box::new(DecisionMade {
        id: DecisionId::from_random([9; 10]),
        decided_at: at(),
        repository: "npm".into(),
        ecosystem: Some(Ecosystem::Npm),
        purl: Some("pkg:npm/left-pad@2.0.0".into()),
        file: Some("left-pad-2.0.0.tgz".into()),
        sha256: None,
        upstream: Some("main".into()),
        promised: Vec::new(),
        decision,
    }))
}

fn effect(new: &[(&str, Grave)], gone: &[&str], before: Option<Action>, after: Option<Action>) -> Body {
    Body::Effect(Box::new(Effect {
        ecosystem: Some(Ecosystem::Npm),
        purl: "pkg:npm/left-pad@1.3.0".into(),
        before,
        after,
        held: false,
        takers: 12,
        accesses: 340,
        last_taken_at: Some(at().plus_seconds(-3600)),
        generation: 41,
        new: new.iter().map(|(id, why)| Touching { id: (*id).into(), why: *why }).collect(),
        new_omitted: 0,
        gone: gone.iter().map(|id| (*id).into()).collect(),
        gone_omitted: 0,
    }))
}

fn waiver(state: WaiverState) -> Body {
    Body::Waiver(Box::new(WaiverChange {
        id: "W-7F3K2A".into(),
        state,
        actor: Pseudonym::new([0xa1; 32]),
        rules: ["critical-fixed".into()].into(),
        advisories: ["CVE-2026-1000".into()].into(),
        purl: "pkg:npm/left-pad@1.3.0".into(),
        sha256: None,
        repositories: [].into(),
        expires_at: Some(at().plus_seconds(14 * 86_400)),
        document: Sha256::new([0x21; 32]),
    }))
}

fn approval(state: WaiverState) -> Body {
    Body::Approval(Box::new(ApprovalChange {
        id: "A-7F3K2A9C".into(),
        state,
        actor: Pseudonym::new([0xa1; 32]),
        purl: "pkg:huggingface/acme/tiny@0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c".into(),
        sha256: None,
        repositories: [].into(),
        expires_at: Some(at().plus_seconds(90 * 86_400)),
        document: Sha256::new([0x22; 32]),
    }))
}

fn quarantine(operation: QuarantineOperation) -> Body {
    Body::Quarantine(Box::new(QuarantineChange {
        operation,
        actor: Pseudonym::new([0xa1; 32]),
        repository: "npm".into(),
        purl: "pkg:npm/left-pad@2.0.0".into(),
        file: Some("left-pad-2.0.0.tgz".into()),
        sha256: None,
        decision: Some(DecisionId::from_random([9; 10])),
    }))
}

fn hold(operation: HoldOperation) -> Body {
    Body::Hold(Box::new(HoldChange {
        operation,
        advisory: "CVE-2026-1000".into(),
        reason: HoldReason::Bulk,
        downloads: 61,
        downloads_in_all: 900,
        sources: 1,
        generation: 41,
        actor: (operation != HoldOperation::Held).then(|| Pseudonym::new([0xa1; 32])),
    }))
}

fn control(state: ControlState) -> Body {
    Body::Control(ControlChange {
        control: "advisories".into(),
        state,
        why: "feed osv-npm was last current 80 h ago".into(),
    })
}

/// An entry for each type, in their order.
fn entries() -> Vec<Entry> {
    let malware: &[_] = &[("MAL-2026-7", Grave::Malware)];
    let bodies = vec![
        effect(malware, &[], Some(Action::Allow), Some(Action::Block)),
        effect(&[], &["MAL-2026-7"], Some(Action::Block), Some(Action::Allow)),
        hold(HoldOperation::Held),
        hold(HoldOperation::Confirmed),
        hold(HoldOperation::Dismissed),
        hold(HoldOperation::Ended),
        Body::Advisories(Box::new(AdvisoriesChange {
            generation: 41,
            manifest: Sha256::new([0x31; 32]),
            changed: 17,
            withdrawn: 1,
            names: 15,
            actor: None,
            feeds: vec![FeedInForce {
                feed: "osv-npm".into(),
                kind: "osv".into(),
                as_of: Some(at().plus_seconds(-600)),
                digest: Sha256::new([0x32; 32]),
            }],
            feeds_omitted: 0,
        })),
        decision(Action::Quarantine, true),
        decision(Action::Block, true),
        quarantine(QuarantineOperation::Release),
        control(ControlState::Degraded),
        control(ControlState::Restored),
        waiver(WaiverState::Requested),
        waiver(WaiverState::Approved),
        waiver(WaiverState::Rejected),
        waiver(WaiverState::Revoked),
        approval(WaiverState::Requested),
        approval(WaiverState::Approved),
        approval(WaiverState::Rejected),
        approval(WaiverState::Revoked),
        Body::Policy(PolicyChange {
            policy: Sha256::new([0x11; 32]),
            previous: Some(Sha256::new([0x10; 32])),
            source: "pack baseline".into(),
            rules: 23,
            actor: Some(Pseudonym::new([0xa1; 32])),
        }),
        Body::Alarm(Box::new(Alarm {
            alarm: AlarmKind::FirstSeen,
            repository: "npm".into(),
            ecosystem: Some(Ecosystem::Npm),
            purl: "pkg:npm/left-pad@1.3.0".into(),
            file: Some("left-pad-1.3.0.tgz".into()),
            expected: Sha256::new([0x41; 32]).into(),
            found: Sha256::new([0x42; 32]).into(),
            upstream: Some("main".into()),
        })),
    ];
    (1042..).zip(bodies).map(|(seq, body)| entry(seq, body)).collect()
}

/// An event of each type.
fn examples() -> Vec<Event> {
    let node = "f3a91c".parse().unwrap();
    let told: Vec<Event> = entries().iter().flat_map(events_of).collect();
    let test = Event::test(&node, at(), [0x5e; 8]);
    let of = |kind: &EventKind| told.iter().chain([&test]).find(|event| event.kind == *kind).cloned();
    EventKind::ALL.iter().map(|kind| of(kind).unwrap_or_else(|| panic!("no entry makes {kind:?}"))).collect()
}

const PAGE: &str = "docs/reference/events.md";
const BEGIN: &str = "<!-- made by the test every_event_has_its_example -->\n";

#[test]
fn every_event_has_its_example() {
    let mut made = String::from(BEGIN);
    for event in examples() {
        let json = serde_json::to_string_pretty(&event.to_json()).unwrap();
        let (word, meaning) = (event.kind.as_str(), event.kind.meaning());
        made += &format!(
            "\n### {PREFIX}{word}\n\n{meaning}\n\n```text from every_event_has_its_example\n{json}\n```\n"
        );
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, known) = page.split_at(page.find(BEGIN).expect("the page has a place for examples"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, format!("{head}{made}")).unwrap();
    } else {
        assert!(known == made, "{PAGE} is not up to date: run this test with UPDATE_SNAPSHOTS=1");
    }
}

fn kinds(body: Body) -> Vec<&'static str> {
    events_of(&entry(7, body)).iter().map(|event| event.kind.as_str()).collect()
}

#[test]
fn an_effect_is_told_as_what_it_is_to_the_version() {
    use Action::{Allow, Block, Quarantine, Warn};
    let (new, gone): (&[_], &[_]) = (&[("CVE-2026-1000", Grave::Critical)], &["CVE-2026-1000"]);
    for (new, gone, before, after, expected) in [
        (new, &[][..], Some(Allow), Some(Block), &["advisory.matched", "artifact.blocked"][..]),
        (new, &[], Some(Warn), Some(Quarantine), &["advisory.matched", "artifact.quarantined"]),
        (new, &[], Some(Allow), Some(Warn), &["advisory.matched"]),
        (new, &[], Some(Block), Some(Block), &["advisory.matched"]),
        // What cannot be told without asking upstream is not told.
        (new, &[], None, None, &["advisory.matched"]),
        (new, &[], None, Some(Block), &["advisory.matched", "artifact.blocked"]),
        (&[], gone, Some(Block), Some(Allow), &["advisory.cleared", "artifact.released"]),
        (&[], gone, Some(Quarantine), Some(Warn), &["advisory.cleared", "artifact.released"]),
        (&[], gone, Some(Warn), Some(Allow), &["advisory.cleared"]),
        (&[], gone, None, Some(Allow), &["advisory.cleared"]),
        (new, gone, Some(Allow), Some(Block), &["advisory.matched", "advisory.cleared", "artifact.blocked"]),
        // Confirmed by a person, without a word that is new.
        (&[], &[], Some(Warn), Some(Block), &["artifact.blocked"]),
    ] {
        assert_eq!(kinds(effect(new, gone, before, after)), expected, "{before:?} {after:?}");
    }
}

#[test]
fn what_holds_nothing_back_is_no_event() {
    for (action, enforced) in
        [(Action::Allow, true), (Action::Warn, true), (Action::Block, false), (Action::Quarantine, false)]
    {
        assert_eq!(kinds(decision(action, enforced)), [""; 0], "{action:?} {enforced}");
    }
    let start = Start { program: "tidegate".into(), mode: Mode::Durable, last_seq: 1, torn_bytes: 0 };
    assert_eq!(kinds(Body::Start(start)), [""; 0]);
    assert_eq!(kinds(quarantine(QuarantineOperation::Block)), ["artifact.blocked"]);
    assert_eq!(kinds(quarantine(QuarantineOperation::Unblock)), ["artifact.released"]);
    // What is passed over unread is exactly what makes no events.
    let telling: Vec<&str> = entries().iter().map(|entry| entry.body.kind()).collect();
    for kind in Body::KINDS {
        assert_ne!(SILENT.contains(&kind), telling.contains(&kind), "{kind}");
    }
}

#[test]
fn the_same_entry_makes_the_same_events() {
    let ids: Vec<String> = entries().iter().flat_map(events_of).map(|event| event.id).collect();
    let again: Vec<String> = entries().iter().flat_map(events_of).map(|event| event.id).collect();
    assert_eq!(ids, again);
    assert_eq!(ids[..3], ["f3a91c-1042", "f3a91c-1042-2", "f3a91c-1043"]);
    let mut distinct = ids.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len());
}
