//! What statements say, byte for byte.

use tidegate_model::Action;
use tidegate_provenance::custody::{
    self, Actor, CUSTODY_TYPE, DEPENDENCY_TYPE, EventKind, Origin, Predicate, PublisherSignature,
    SUMMARY_TYPE, UpstreamProvenance, Verified,
};

use super::support::{CONTENTS, Deployment, artifact, at, digest, payload, payload_bytes, policy, stored};

#[test]
fn equal_events_have_equal_payloads() {
    let d = Deployment::new();
    let (one, two) = (d.sign(&stored(10)), d.sign(&stored(10)));
    for (one, two) in one.all().zip(two.all()) {
        assert_eq!(payload_bytes(&one.bundle), payload_bytes(&two.bundle));
        assert_eq!(one.payload, digest(&payload_bytes(&one.bundle)));
        assert_ne!(one.bundle, two.bundle, "ECDSA draws a number for each signature");
    }
    // The order in which an index lists what it promises says nothing.
    let mut shuffled = stored(10);
    let Origin::Upstream { promised, .. } = &mut shuffled.origin else { panic!("it came from upstream") };
    promised.push("sha1:0000000000000000000000000000000000000000".parse().unwrap());
    let mut other = shuffled.clone();
    let Origin::Upstream { promised, .. } = &mut other.origin else { panic!("it came from upstream") };
    promised.reverse();
    assert_eq!(d.sign(&shuffled).custody.payload, d.sign(&other).custody.payload);
}

/// The format is a contract: whoever changes these bytes changes what auditors already hold.
#[test]
fn a_custody_record_reads_like_this() {
    let d = Deployment::new();
    let mut event = stored(10);
    event.kind = EventKind::Released;
    event.actor = Some(Actor::from_pseudonym([0xab; 32]));
    event.previous = Some(policy(0xcd));
    let signed = d.sign(&event);
    let found = String::from_utf8(payload_bytes(&signed.custody.bundle)).unwrap();
    let (sha256, sha512) = (digest(CONTENTS).hex(), event.sha512.unwrap().hex());
    let summary = signed.summary.payload.hex();
    let (ab, cd, policy) = ("ab".repeat(32), "cd".repeat(32), "01".repeat(32));
    let expected = format!(
        concat!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","#,
            r#""subject":[{{"name":"pkg:npm/left-pad@1.3.0","digest":{{"sha256":"{sha256}","sha512":"{sha512}"}}}}],"#,
            r#""predicateType":"https://tidegate.example/custody/v1","predicate":{{"#,
            r#""deployment":"https://tidegate.corp.example/","resourceUri":"pkg:npm/left-pad@1.3.0","#,
            r#""repository":"npm","event":"released","time":"2026-11-01T00:00:10Z","fetchedFrom":"npm-mirror","#,
            r#""promised":["sha512:{sha512}"],"storedAt":"2026-11-01T00:00:09Z","bytes":55,"#,
            r#""decision":{{"id":"a4dqobyha4dqobyh","action":"allow","enforced":true,"#,
            r#""rules":["cooldown","known-malware"],"rulesLeftOut":0,"policy":{{"sha256":"{policy}"}}}},"#,
            r#""promotion":null,"actor":"{ab}","ledgerRecord":"node-1-12","#,
            r#""statements":[{{"predicateType":"https://slsa.dev/verification_summary/v1","digest":{{"sha256":"{summary}"}}}}],"#,
            r#""previous":{{"sha256":"{cd}"}}}}}}"#
        ),
        sha256 = sha256,
        sha512 = sha512,
        policy = policy,
        ab = ab,
        summary = summary,
        cd = cd
    );
    assert_eq!(found, expected);
}

#[test]
fn a_summary_has_every_field_that_slsa_requires() {
    let d = Deployment::new();
    let said = payload(&d.sign(&stored(10)).summary.bundle);
    assert_eq!(said["predicateType"], "https://slsa.dev/verification_summary/v1");
    let predicate = &said["predicate"];
    assert_eq!(predicate["verifier"]["id"], "https://tidegate.corp.example/");
    assert_eq!(predicate["timeVerified"], "2026-11-01T00:00:10Z");
    assert_eq!(predicate["resourceUri"], "pkg:npm/left-pad@1.3.0");
    assert_eq!(predicate["policy"]["uri"], "https://tidegate.corp.example/#policy");
    assert_eq!(predicate["policy"]["digest"]["sha256"], policy(1).hex());
    assert_eq!(predicate["inputAttestations"][0]["digest"]["sha256"], digest(b"a bundle").hex());
    assert_eq!(predicate["verificationResult"], "PASSED");
    assert_eq!(predicate["verifiedLevels"], serde_json::json!(["SLSA_BUILD_LEVEL_2"]));
    for (action, result) in [
        (Action::Allow, "PASSED"),
        (Action::Warn, "PASSED"),
        (Action::Quarantine, "FAILED"),
        (Action::Block, "FAILED"),
    ] {
        let mut event = stored(10);
        event.decided.action = action;
        // That the policy only observes changes what is served, not what the verification found.
        event.decided.enforced = false;
        let predicate = &payload(&d.sign(&event).summary.bundle)["predicate"];
        assert_eq!(predicate["verificationResult"], result);
        let level = if result == "FAILED" { "FAILED" } else { "SLSA_BUILD_LEVEL_2" };
        assert_eq!(predicate["verifiedLevels"], serde_json::json!([level]));
    }
}

#[test]
fn ingestion_provenance_is_made_of_what_is_admitted() {
    let d = Deployment::new();
    let said = payload(&d.sign(&stored(10)).dependency.unwrap().bundle);
    assert_eq!(said["predicateType"], "https://slsa.dev/dependency/v1");
    let predicate = &said["predicate"];
    for required in [
        "/ingestor/id",
        "/ingestionPlatform/id",
        "/upstream/registry",
        "/upstream/name",
        "/upstream/version",
        "/upstream/digest/sha512",
        "/ingestion/timestamp",
        "/ingestion/path",
        "/integrity/expected/sha512",
        "/publisherSignature/availability",
        "/policyEvaluations/0/policy/id",
        "/policyEvaluations/0/policy/version",
        "/upstreamProvenance/ref",
        "/ingestionIsolation/method",
    ] {
        assert!(
            predicate.pointer(required).is_some_and(|found| found.is_string()),
            "{required}: {predicate}"
        );
    }
    assert_eq!(predicate["integrity"]["result"], "verified");
    assert_eq!(predicate["policyEvaluations"][0]["result"], "allow");

    // The draft forbids a statement that denies; and only what came from an upstream came in.
    let without = |edit: &dyn Fn(&mut custody::Event)| {
        let mut event = stored(10);
        edit(&mut event);
        d.sign(&event).dependency
    };
    assert!(without(&|event| event.decided.action = Action::Block).is_none());
    assert!(without(&|event| event.decided.action = Action::Quarantine).is_none());
    assert!(without(&|event| event.kind = EventKind::Released).is_none());
    assert!(without(&|event| event.origin = Origin::Published).is_none());
    assert!(without(&|event| event.dependency = None).is_none());

    // What nobody looked at is not said to hold.
    let honest = without(&|event| {
        let dependency = event.dependency.as_mut().unwrap();
        dependency.publisher_signature = PublisherSignature::NotVerified;
        dependency.upstream_provenance = UpstreamProvenance::NotVerified;
        // A weak digest alone proves nothing.
        let weak = "sha1:0000000000000000000000000000000000000000".parse().unwrap();
        event.origin = Origin::Upstream { name: "npm-mirror".into(), promised: vec![weak] };
    });
    let predicate = &payload(&honest.unwrap().bundle)["predicate"];
    assert_eq!(predicate["integrity"], serde_json::json!({ "result": "unverified" }));
    assert_eq!(predicate["publisherSignature"], serde_json::json!({ "result": "unverified" }));
    assert_eq!(predicate["upstreamProvenance"]["verification"]["result"], "not-attempted");
    assert!(predicate["upstream"].get("digest").is_none());
}

#[test]
fn every_statement_verifies() {
    let d = Deployment::new();
    let signed = d.sign(&stored(10));
    let check = |bundle: &[u8]| -> Verified { custody::verify(&artifact(), bundle, &d.trust()).unwrap() };
    let record = check(&signed.custody.bundle);
    assert_eq!((record.predicate_type.as_str(), record.time), (CUSTODY_TYPE, at(10)));
    assert_eq!((record.payload, record.key), (signed.custody.payload, d.ring.keys()[0].key.key_id()));
    let Predicate::Custody(said) = &record.predicate else { panic!("{record:?}") };
    assert_eq!((said.fetched_from.as_deref(), said.bytes), (Some("npm-mirror"), CONTENTS.len() as u64));
    assert!(matches!(check(&signed.summary.bundle).predicate, Predicate::Summary(_)));
    let dependency = signed.dependency.unwrap();
    assert_eq!(check(&dependency.bundle).predicate_type, DEPENDENCY_TYPE);
    assert_eq!(said.statements.len(), 2);
    assert_eq!(signed.summary.predicate_type, SUMMARY_TYPE);
}

#[test]
fn what_must_not_be_stated_is_refused() {
    let d = Deployment::new();
    let check = |edit: &dyn Fn(&mut custody::Event), expected: &str| {
        let mut event = stored(10);
        edit(&mut event);
        let refused = custody::sign(&event, &*d.key).unwrap_err();
        let text = std::error::Error::source(&refused).unwrap().to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    };
    let upstream = |name: &str| {
        let name = name.to_owned();
        move |event: &mut custody::Event| {
            event.origin = Origin::Upstream { name: name.clone(), promised: vec![] }
        }
    };
    check(
        &upstream("https://u:hunter2@registry.example/"),
        "the upstream's name is empty, too long or an address",
    );
    check(&upstream("u:hunter2@registry.example"), "the upstream's name");
    check(&upstream(""), "the upstream's name");
    check(&upstream(&"x".repeat(300)), "the upstream's name");
    check(&|event| event.purl = "left-pad".into(), "is no package URL");
    check(&|event| event.purl = "pkg:npm/a b".into(), "is no package URL");
    check(&|event| event.sha512 = Some(digest(b"").into()), "is no SHA-512");
    check(&|event| event.kind = EventKind::Blocked, "blocked under a decision to allow");
    check(
        &|event| (event.kind, event.decided.action) = (EventKind::Released, Action::Block),
        "released under",
    );
    check(&|event| event.decided.rules.push("somebody@corp.example".into()), "a rule is empty");
}

#[test]
fn many_rules_are_counted_and_not_all_named() {
    let d = Deployment::new();
    let mut event = stored(10);
    event.decided.rules = (0..100).map(|n| format!("rule-{n}")).collect();
    let decision = &payload(&d.sign(&event).custody.bundle)["predicate"]["decision"];
    assert_eq!(decision["rules"].as_array().unwrap().len(), 64);
    assert_eq!(decision["rulesLeftOut"], 36);
}
