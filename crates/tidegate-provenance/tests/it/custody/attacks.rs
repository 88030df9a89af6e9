//! What an attacker tries with single statements. Each has its word.

use tidegate_model::{Algorithm, Digest};
use tidegate_provenance::custody::{self, Artifact, BUNDLE_MEDIA_TYPE, Trust};
use tidegate_provenance::signing::{KeyAlgorithm, NewKey, OwnKeys, SigningKey, Use};

use super::support::{
    CONTENTS, Deployment, PURL, artifact, at, bundle_of, digest, edited, payload, policy, ring_of, stored,
    uri,
};

fn word(bundle: &[u8], trust: &Trust<'_>) -> &'static str {
    custody::verify(&artifact(), bundle, trust).map_or_else(|problem| problem.word(), |_| "ok")
}

#[test]
fn forged_words_and_signatures() {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let d = Deployment::new();
    let good = d.sign(&stored(10)).custody.bundle;
    assert_eq!(word(&good, &d.trust()), "ok");
    let said = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut payload = payload(&good);
        edit(&mut payload);
        edited(&good, |json| {
            json["dsseEnvelope"]["payload"] = engine.encode(serde_json::to_vec(&payload).unwrap()).into();
        })
    };
    // The words changed, the signature kept.
    assert_eq!(word(&said(&|_| {}), &d.trust()), "ok");
    assert_eq!(
        word(&said(&|json| json["predicate"]["event"] = "released".into()), &d.trust()),
        "custody_forged"
    );
    assert_eq!(
        word(&said(&|json| json["predicate"]["fetchedFrom"] = "x".into()), &d.trust()),
        "custody_forged"
    );
    // Any byte of the signature.
    let signature = engine.decode(edited_signature(&good)).unwrap();
    for at in 0..signature.len() {
        let mut changed = signature.clone();
        changed[at] ^= 1;
        let bundle = edited(&good, |json| {
            json["dsseEnvelope"]["signatures"][0]["sig"] = engine.encode(&changed).into();
        });
        assert_eq!(word(&bundle, &d.trust()), "custody_forged", "byte {at}");
    }
    // A good statement under another key's name.
    let other = d.new_key("other.pem", KeyAlgorithm::EcdsaP256);
    let both = OwnKeys::first(
        uri(),
        at(0),
        vec![(d.key.public_key().clone(), Use::Custody), (other.public_key().clone(), Use::Custody)],
    )
    .unwrap();
    let renamed = edited(&good, |json| {
        json["verificationMaterial"]["publicKey"]["hint"] = other.public_key().key_id().to_string().into();
        json["dsseEnvelope"]["signatures"][0]["keyid"] = other.public_key().key_id().to_string().into();
    });
    assert_eq!(word(&renamed, &Trust { keys: &both, ..d.trust() }), "custody_forged");
    // The payload's type is signed too.
    let retyped = edited(&good, |json| json["dsseEnvelope"]["payloadType"] = "application/json".into());
    assert_eq!(word(&retyped, &d.trust()), "custody_forged");
}

fn edited_signature(bundle: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(bundle).unwrap();
    json["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap().to_owned()
}

#[test]
fn a_downgraded_media_type() {
    let d = Deployment::new();
    let good = d.sign(&stored(10)).custody.bundle;
    for other in [
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle.v0.4+json",
        "application/json",
        "",
    ] {
        let relabelled = edited(&good, |json| json["mediaType"] = other.into());
        assert_eq!(word(&relabelled, &d.trust()), "custody_media_type", "{other}");
    }
    let bare = edited(&good, |json| {
        json.as_object_mut().unwrap().remove("mediaType");
    });
    assert_eq!(word(&bare, &d.trust()), "custody_media_type");
    // Said twice, two readers could read two versions.
    let twice = String::from_utf8(good).unwrap();
    let twice = twice.replacen('{', &format!("{{\"mediaType\":\"{BUNDLE_MEDIA_TYPE}\","), 1);
    assert_eq!(word(twice.as_bytes(), &d.trust()), "custody_malformed");
}

#[test]
fn bundles_of_another_form() {
    let d = Deployment::new();
    let good = d.sign(&stored(10)).custody.bundle;
    let check = |edit: &dyn Fn(&mut serde_json::Value)| word(&edited(&good, edit), &d.trust());
    let certificate = serde_json::json!({ "rawBytes": "AAAA" });
    assert_eq!(
        check(&|json| json["verificationMaterial"]["certificate"] = certificate.clone()),
        "custody_malformed"
    );
    assert_eq!(check(&|json| json["verificationMaterial"] = serde_json::json!({})), "custody_malformed");
    assert_eq!(check(&|json| json["messageSignature"] = serde_json::json!({})), "custody_malformed");
    let two = check(&|json| {
        let signatures = json["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
        signatures.push(signatures[0].clone());
    });
    assert_eq!(two, "custody_malformed");
    assert_eq!(
        check(&|json| json["dsseEnvelope"]["signatures"] = serde_json::json!([])),
        "custody_malformed"
    );
    assert_eq!(
        check(&|json| json["dsseEnvelope"]["signatures"][0]["keyid"] = "x".into()),
        "custody_malformed"
    );
    assert_eq!(check(&|json| json["dsseEnvelope"]["payload"] = "!".into()), "custody_malformed");
    // More evidence than ours may stand beside it, and proves nothing to us.
    let stamped = serde_json::json!({ "rfc3161Timestamps": [] });
    assert_eq!(
        check(&|json| json["verificationMaterial"]["timestampVerificationData"] = stamped.clone()),
        "ok"
    );
    for junk in [&b""[..], b"[]", b"null", b"{", b"\xff"] {
        assert_eq!(word(junk, &d.trust()), "custody_malformed");
    }
    let long = vec![b' '; custody::MAX_BUNDLE_BYTES + 1];
    assert_eq!(word(&long, &d.trust()), "custody_too_large");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(word(deep.as_bytes(), &d.trust()), "custody_malformed");
}

#[test]
fn a_statement_about_something_else() {
    let d = Deployment::new();
    let good = d.sign(&stored(10)).custody.bundle;
    let check = |artifact: Artifact<'_>| {
        custody::verify(&artifact, &good, &d.trust()).map_or_else(|problem| problem.word(), |_| "ok")
    };
    let other_bytes = Artifact { sha256: digest(b"malware"), ..artifact() };
    assert_eq!(check(other_bytes), "custody_other_artifact");
    assert_eq!(check(Artifact { purl: Some("pkg:npm/left-pad@1.3.1"), ..artifact() }), "custody_other_name");
    assert_eq!(check(Artifact { purl: None, ..artifact() }), "ok");
    // in-toto lets one digest of two suffice; we want both.
    let sha512 = Digest::from_bytes(Algorithm::Sha512, &[7; 64]).unwrap();
    assert_eq!(check(Artifact { sha512: Some(&sha512), ..artifact() }), "custody_other_artifact");

    // Subjects swapped by somebody who can sign.
    let said = payload(&good);
    let swapped = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut said = said.clone();
        edit(&mut said);
        word(&bundle_of(&said, &*d.key), &d.trust())
    };
    assert_eq!(swapped(&|_| {}), "ok");
    let hex = digest(b"malware").hex();
    assert_eq!(
        swapped(&|json| json["subject"][0]["digest"]["sha256"] = hex.clone().into()),
        "custody_other_artifact"
    );
    let only_weak = serde_json::json!({ "md5": "00000000000000000000000000000000" });
    assert_eq!(swapped(&|json| json["subject"][0]["digest"] = only_weak.clone()), "custody_other_artifact");
    assert_eq!(swapped(&|json| json["subject"][0]["name"] = "pkg:npm/x@1".into()), "custody_other_name");
    assert_eq!(
        swapped(&|json| json["predicate"]["resourceUri"] = "pkg:npm/x@1".into()),
        "custody_other_name"
    );
    let two = swapped(&|json| {
        let subjects = json["subject"].as_array_mut().unwrap();
        subjects.push(subjects[0].clone());
    });
    assert_eq!(two, "custody_malformed");
    assert_eq!(swapped(&|json| json["subject"] = serde_json::json!([])), "custody_malformed");
    assert_eq!(
        swapped(&|json| json["predicate"]["deployment"] = "https://x.example/".into()),
        "custody_other_deployment"
    );
    assert_eq!(
        swapped(&|json| json["_type"] = "https://in-toto.io/Statement/v0.1".into()),
        "custody_other_statement"
    );
    assert_eq!(
        swapped(&|json| json["predicateType"] = "https://x.example/v1".into()),
        "custody_other_statement"
    );
    // A summary's words under a custody record's type.
    assert_eq!(swapped(&|json| json["predicate"] = serde_json::json!({})), "custody_malformed");
}

#[test]
fn keys_outside_their_period() {
    let d = Deployment::new();
    let good = d.sign(&stored(10)).custody.bundle;
    // A stranger's key, and a hint that is none.
    let stranger = d.new_key("stranger.pem", KeyAlgorithm::EcdsaP256);
    let theirs = custody::sign(&stored(10), &stranger).unwrap().custody.bundle;
    assert_eq!(word(&theirs, &d.trust()), "custody_key_unknown");
    let hinted = edited(&good, |json| {
        json["verificationMaterial"]["publicKey"]["hint"] = "our-key".into();
        json["dsseEnvelope"]["signatures"][0].as_object_mut().unwrap().remove("keyid");
    });
    assert_eq!(word(&hinted, &d.trust()), "custody_key_unknown");
    // The key is on the ring, and began later.
    let later = OwnKeys::first(uri(), at(20), vec![(d.key.public_key().clone(), Use::Custody)]).unwrap();
    assert_eq!(word(&good, &Trust { keys: &later, ..d.trust() }), "custody_key_early");
    // Rotated: what the first key signed in its period stays valid, what it signs later is not.
    let second = d.new_key("second.pem", KeyAlgorithm::EcdsaP256);
    let new = NewKey { key: second.public_key().clone(), used_for: Use::Custody, from: at(100) };
    let rotated = d.ring.announcing(new, at(50)).unwrap();
    let trust = Trust { keys: &rotated, ..d.trust() };
    assert_eq!(word(&good, &trust), "ok");
    assert_eq!(word(&d.sign(&stored(99)).custody.bundle, &trust), "ok");
    assert_eq!(word(&d.sign(&stored(100)).custody.bundle, &trust), "custody_key_expired");
    let by_second = |seconds| custody::sign(&stored(seconds), &second).unwrap().custody.bundle;
    assert_eq!(word(&by_second(100), &trust), "ok");
    assert_eq!(word(&by_second(99), &trust), "custody_key_early");
    let revoked = rotated.revoking(d.key.public_key().key_id(), at(200)).unwrap();
    assert_eq!(word(&good, &Trust { keys: &revoked, ..trust }), "custody_key_revoked");
    // A key of ours that signs something else.
    let checkpoint = d.new_key("checkpoint.pem", KeyAlgorithm::Ed25519);
    let keys =
        vec![(d.key.public_key().clone(), Use::Custody), (checkpoint.public_key().clone(), Use::Checkpoint)];
    let ring = OwnKeys::first(uri(), at(0), keys).unwrap();
    let crossed = custody::sign(&stored(10), &checkpoint).unwrap().custody.bundle;
    assert_eq!(word(&crossed, &Trust { keys: &ring, ..d.trust() }), "custody_key_for_other");
    assert_eq!(
        word(&good, &Trust { keys: &ring_of(stranger.public_key()), ..d.trust() }),
        "custody_key_unknown"
    );
    assert_eq!(word(&good, &Trust { at: at(9), ..d.trust() }), "custody_from_the_future");
}

#[test]
fn an_old_policy_replayed() {
    let d = Deployment::new();
    // Policy 2 is in force from second 1000 and record 100 on.
    let claim = |number: u8, seconds: i64, record: u64| {
        let mut event = stored(seconds);
        event.decided.policy = policy(number);
        event.record = super::support::record(record);
        let signed = d.sign(&event);
        (word(&signed.custody.bundle, &d.trust()), word(&signed.summary.bundle, &d.trust()))
    };
    let replayed = "custody_policy_replayed";
    assert_eq!(claim(1, 500, 50), ("ok", "ok"));
    assert_eq!(claim(2, 1500, 150), ("ok", "ok"));
    assert_eq!(claim(1, 1500, 150), (replayed, replayed));
    assert_eq!(claim(2, 500, 50), (replayed, replayed));
    // A record from before the change, claimed for a time after it: the record tells for the custody statement; the
    // summary has only the time.
    assert_eq!(claim(1, 1500, 99), ("ok", replayed));
    assert_eq!(claim(3, 500, 50), (replayed, replayed));
    let unaware = Trust { policies: None, ..d.trust() };
    let mut event = stored(1500);
    event.decided.policy = policy(1);
    assert_eq!(word(&d.sign(&event).custody.bundle, &unaware), "ok", "without a history nothing is noticed");
}

#[test]
fn anything_that_a_stranger_changes_in_a_bundle_is_noticed_or_means_nothing() {
    let d = Deployment::new();
    let good = d.sign(&stored(10)).custody.bundle;
    let expected = custody::verify(&artifact(), &good, &d.trust()).unwrap();
    let mut accepted = 0;
    for at in 0..good.len() {
        for change in [1u8, 0x20, 0x80] {
            let mut bundle = good.clone();
            bundle[at] ^= change;
            if let Ok(found) = custody::verify(&artifact(), &bundle, &d.trust()) {
                assert_eq!(found, expected, "byte {at}");
                accepted += 1;
            }
        }
    }
    // Only the name of a field that need not be there can change without a word.
    assert!(accepted < 20, "{accepted} changes made no difference");
    assert_eq!((PURL, CONTENTS.len()), (expected.purl.as_str(), 55));
}
