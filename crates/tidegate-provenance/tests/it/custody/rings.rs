//! The signed list of keys, and its editions.

use tidegate_provenance::signing::{KeyAlgorithm, NewKey, OwnKeys, OwnKeysError, SigningKey, Use};

use super::support::{Deployment, at, edited, uri};

fn announced(
    d: &Deployment,
    name: &str,
    from: i64,
    now: i64,
) -> (tidegate_provenance::signing::FileKey, OwnKeys) {
    let key = d.new_key(name, KeyAlgorithm::EcdsaP256);
    let new = NewKey { key: key.public_key().clone(), used_for: Use::Custody, from: at(from) };
    let ring = d.ring.announcing(new, at(now)).unwrap();
    (key, ring)
}

#[test]
fn whoever_pinned_a_key_can_follow() {
    let d = Deployment::new();
    let pinned = d.key.public_key().key_id();
    let first = OwnKeys::open(&d.ring.sign(&[&*d.key]).unwrap(), pinned).unwrap();
    assert_eq!(first, d.ring);
    let (second_key, second) = announced(&d, "second.pem", 2000, 1000);
    let file = second.sign(&[&*d.key, &second_key]).unwrap();
    let followed = first.follow(&file).unwrap();
    assert_eq!((followed.edition(), &followed), (2, &second));
    // The first key ends where the second begins, and not before.
    let at_time = |seconds| followed.in_force(Use::Custody, at(seconds)).unwrap().key.key_id();
    assert_eq!((at_time(0), at_time(1999)), (pinned, pinned));
    assert_eq!(at_time(2000), second_key.public_key().key_id());
    assert!(followed.in_force(Use::Custody, at(-1)).is_none());
    // From then on the second key signs editions, and the first does not.
    let third = second.revoking(pinned, at(3000)).unwrap();
    assert!(followed.follow(&third.sign(&[&second_key]).unwrap()).is_ok());
    assert!(matches!(followed.follow(&third.sign(&[&*d.key]).unwrap()), Err(OwnKeysError::NotSigned)));
}

#[test]
fn a_key_is_announced_before_it_is_used() {
    let d = Deployment::new();
    let key = d.new_key("second.pem", KeyAlgorithm::EcdsaP256).public_key().clone();
    for from in [1000, 999, 0] {
        let new = NewKey { key: key.clone(), used_for: Use::Custody, from: at(from) };
        assert!(matches!(d.ring.announcing(new, at(1000)), Err(OwnKeysError::NotAnnounced(_))));
    }
    let again = NewKey { key: d.key.public_key().clone(), used_for: Use::Custody, from: at(2000) };
    assert!(matches!(d.ring.announcing(again, at(1000)), Err(OwnKeysError::ListedTwice(_))));
    let checkpoint = NewKey { key, used_for: Use::Checkpoint, from: at(2000) };
    assert!(matches!(d.ring.announcing(checkpoint, at(1000)), Err(OwnKeysError::Contradiction(_))));
    let ed25519 = d.new_key("checkpoint.pem", KeyAlgorithm::Ed25519);
    let new = NewKey { key: ed25519.public_key().clone(), used_for: Use::Checkpoint, from: at(2000) };
    let ring = d.ring.announcing(new, at(1000)).unwrap();
    // A key for something else ends no key for custody.
    assert!(
        ring.in_force(Use::Custody, at(3000)).is_some() && ring.in_force(Use::Checkpoint, at(3000)).is_some()
    );
}

#[test]
fn forged_rings_are_refused() {
    let d = Deployment::new();
    let pinned = d.key.public_key().key_id();
    let thief = d.new_key("thief.pem", KeyAlgorithm::EcdsaP256);
    let theirs = OwnKeys::first(uri(), at(0), vec![(thief.public_key().clone(), Use::Custody)]).unwrap();
    let file = theirs.sign(&[&thief]).unwrap();
    assert!(matches!(OwnKeys::open(&file, pinned), Err(OwnKeysError::NotSigned)));
    // A ring whose words were changed after it was signed.
    let (_, second) = announced(&d, "second.pem", 2000, 1000);
    let good = second.sign(&[&*d.key]).unwrap();
    let changed = edited(&good, |json| {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::STANDARD;
        let text = engine.decode(json["payload"].as_str().unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap().replace("\"revoked\":false", "\"revoked\":true ");
        json["payload"] = engine.encode(text).into();
    });
    assert!(matches!(d.ring.follow(&changed), Err(OwnKeysError::NotSigned)));
    // Signed by the new key alone, which the edition before does not know.
    let own = d.new_key("own.pem", KeyAlgorithm::EcdsaP256);
    let new = NewKey { key: own.public_key().clone(), used_for: Use::Custody, from: at(2000) };
    let self_made = d.ring.announcing(new, at(1000)).unwrap();
    assert!(matches!(d.ring.follow(&self_made.sign(&[&own]).unwrap()), Err(OwnKeysError::NotSigned)));
    assert!(matches!(d.ring.sign(&[&thief]), Err(OwnKeysError::NotSigned)));
    // An envelope of another kind, signed by the right key.
    let statement = edited(&good, |json| json["payloadType"] = "application/vnd.in-toto+json".into());
    assert!(matches!(d.ring.follow(&statement), Err(OwnKeysError::OtherPayload(_))));
}

#[test]
fn the_past_of_a_ring_stays() {
    let d = Deployment::new();
    let (second_key, second) = announced(&d, "second.pem", 2000, 1000);
    let known = d.ring.follow(&second.sign(&[&*d.key]).unwrap()).unwrap();
    // Older, and the same edition again with other words.
    for older in [&d.ring, &second] {
        let file = older.sign(&[&*d.key]).unwrap();
        assert!(matches!(known.follow(&file), Err(OwnKeysError::RolledBack { .. })));
    }
    // Each of these is signed by the key that may sign. What they say is the offence.
    let keys = |ring: &OwnKeys| ring.sign(&[&second_key]).unwrap();
    let rewritten = |edit: &dyn Fn(&mut serde_json::Value)| {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::STANDARD;
        let third = known.revoking(d.key.public_key().key_id(), at(3000)).unwrap();
        let envelope: serde_json::Value = serde_json::from_slice(&keys(&third)).unwrap();
        let payload = engine.decode(envelope["payload"].as_str().unwrap()).unwrap();
        let mut payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        edit(&mut payload);
        let payload = serde_json::to_vec(&payload).unwrap();
        let kind = envelope["payloadType"].as_str().unwrap();
        let signed = tidegate_provenance::dsse::Envelope::sign(kind, &payload, &[&second_key]).unwrap();
        known.follow(&serde_json::to_vec(&signed).unwrap())
    };
    assert!(rewritten(&|_| {}).is_ok());
    let refused = |edit: &dyn Fn(&mut serde_json::Value)| rewritten(edit).unwrap_err();
    let later = refused(&|json| json["keys"][0]["until"] = "2026-12-01T00:00:00Z".into());
    assert!(matches!(later, OwnKeysError::RewritesPast(_)), "{later}");
    let reopened = refused(&|json| json["keys"][0]["until"] = serde_json::Value::Null);
    assert!(matches!(reopened, OwnKeysError::RewritesPast(_)), "{reopened}");
    let earlier = refused(&|json| {
        json["keys"][1]["announced"] = "2026-11-01T00:00:00Z".into();
        json["keys"][1]["from"] = "2026-11-01T00:00:01Z".into();
    });
    assert!(matches!(earlier, OwnKeysError::RewritesPast(_)), "{earlier}");
    let forgotten = refused(&|json| {
        json["keys"].as_array_mut().unwrap().remove(0);
    });
    assert!(matches!(forgotten, OwnKeysError::RewritesPast(_)), "{forgotten}");
    let other_use = refused(&|json| json["keys"][0]["use"] = "ring".into());
    assert!(matches!(other_use, OwnKeysError::RewritesPast(_)), "{other_use}");
    let elsewhere = refused(&|json| json["deployment"] = "https://other.example/".into());
    assert!(matches!(elsewhere, OwnKeysError::OtherDeployment { .. }), "{elsewhere}");
    let renamed = refused(&|json| json["keys"][0]["key_id"] = "0".repeat(64).into());
    assert!(matches!(renamed, OwnKeysError::Contradiction(_)), "{renamed}");
}

#[test]
fn a_key_kept_apart_signs_editions() {
    let d = Deployment::new();
    let root = d.new_key("root.pem", KeyAlgorithm::EcdsaP256);
    let keys = vec![(d.key.public_key().clone(), Use::Custody), (root.public_key().clone(), Use::Ring)];
    let ring = OwnKeys::first(uri(), at(0), keys).unwrap();
    assert!(OwnKeys::open(&ring.sign(&[&root]).unwrap(), root.public_key().key_id()).is_ok());
    // The key that the server holds is not enough.
    let next = ring.revoking(root.public_key().key_id(), at(10)).unwrap();
    assert!(matches!(ring.follow(&next.sign(&[&*d.key]).unwrap()), Err(OwnKeysError::NotSigned)));
    let custody = d.key.public_key().key_id();
    assert!(matches!(OwnKeys::open(&ring.sign(&[&*d.key]).unwrap(), custody), Err(OwnKeysError::NotSigned)));
    let revoked = ring.revoking(custody, at(10)).unwrap();
    let revoked = ring.follow(&revoked.sign(&[&root]).unwrap()).unwrap();
    assert!(revoked.in_force(Use::Custody, at(5)).is_none());
}
