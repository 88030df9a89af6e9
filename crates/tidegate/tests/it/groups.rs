//! A decision on a group admits what the group contains, and nothing because another group contains it too.

use std::net::{IpAddr, Ipv4Addr};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use tidegate::door::identify;
use tidegate::pipeline::admission::{Admitted, Circumstances, Plan, admit_artifact};
use tidegate::pipeline::decide::Decided;
use tidegate_model::decision::Decision;
use tidegate_model::{Action, Sha256, Subject};
use tidegate_testkit::FakeUpstream;

use crate::support::{Setup, TestDoor};

/// Two manifests that share a layer, as two images on one base do.
struct Images {
    allowed: Subject,
    refused: Subject,
    shared: Sha256,
    of_refused: Sha256,
}

fn images() -> Images {
    let [one, two, shared, of_refused] = [1, 2, 3, 4].map(|n| Sha256::new([n; 32]));
    let group = |name: &str, root, members: &[Sha256]| Subject::Group {
        name: name.into(),
        root,
        members: members.into(),
    };
    Images {
        allowed: group("fine", one, &[shared]),
        refused: group("bad", two, &[shared, of_refused]),
        shared,
        of_refused,
    }
}

fn decision(action: Action) -> Decision {
    let [policy_digest, facts_digest, waivers_digest] = [7, 8, 9].map(|n| Sha256::new([n; 32]));
    Decision {
        action,
        enforced: true,
        reasons: Vec::new(),
        waived: Vec::new(),
        dry_run: None,
        obligations: Vec::new(),
        gaps: Vec::new(),
        valid_until: None,
        selectable_from: None,
        policy_digest,
        facts_digest,
        waivers_digest,
    }
}

/// Asks for a blob under a decision on a group; `None` where the gate does not open.
fn admit(door: &TestDoor, subject: &Subject, action: Action, blob: &Sha256) -> Option<Admitted> {
    let now = door.clock().now();
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let identity = identify(&*door.door.store.catalogue, None, address, None, now).unwrap();
    let decided = Decided {
        id: door.door.new_decision_id().unwrap(),
        at: now,
        epoch: 1,
        decision: decision(action),
        purl: "pkg:oci/image".into(),
        file: "manifest".into(),
        sha256: Some(subject.digest()),
        rules: [].into(),
    };
    let circumstances = Circumstances {
        identity: &identity,
        repository: "images".into(),
        ecosystem: None,
        method: "GET".into(),
        operation: "artifact".into(),
        purl: None,
        file: None,
        sha256: Some(*blob),
        decision: Some(&decided),
        policy: None,
        cache: None,
        upstream: None,
        degraded: [].into(),
        at: now,
    };
    let plan = Plan { status: 200, range: None, bytes: 4 };
    let body = Bytes::from_static(b"blob").into();
    let recorder = &door.door.recorder;
    catch_unwind(AssertUnwindSafe(|| {
        admit_artifact(recorder, &circumstances, subject, blob, plan, body).unwrap()
    }))
    .ok()
}

#[test]
fn a_shared_blob_is_admitted_through_the_group_that_is_allowed() {
    let upstream = FakeUpstream::start();
    let door = Setup::new(&upstream).open();
    let images = images();
    let before = door.door.recorder.health().appended;
    let admitted = admit(&door, &images.allowed, Action::Allow, &images.shared).unwrap();
    assert_eq!(&admitted.body[..], b"blob");
    assert_eq!(door.door.recorder.health().appended, before + 1, "it has its entry");
    assert!(admit(&door, &images.allowed, Action::Warn, &images.allowed.digest()).is_some());
}

#[test]
fn nothing_is_admitted_through_a_group_that_is_refused_or_does_not_contain_it() {
    let upstream = FakeUpstream::start();
    let door = Setup::new(&upstream).open();
    let images = images();
    let before = door.door.recorder.health().appended;
    for action in [Action::Block, Action::Quarantine] {
        assert!(admit(&door, &images.refused, action, &images.shared).is_none());
        assert!(admit(&door, &images.refused, action, &images.of_refused).is_none());
    }
    assert!(admit(&door, &images.allowed, Action::Allow, &images.of_refused).is_none());
    assert!(admit(&door, &images.allowed, Action::Allow, &images.refused.digest()).is_none());
    assert_eq!(door.door.recorder.health().appended, before, "no entry says that it was served");
}
