//! OpenPGP: pinned keys, and none that expired, was revoked or may not sign.

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, KeyType, SecretKeyParamsBuilder,
    SignedSecretKey, SubkeyParamsBuilder,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{Duration, KeyDetails as _, Password, Tag, Timestamp as Time};
use tidegate_model::Timestamp;
use tidegate_provenance::testing::digests;
use tidegate_provenance::{Requirement, Subject, formats::pgp as verify};

const TEXT: &str = "Origin: example\n- a line that begins with a dash\nSHA256:\n 00 1 main/Packages\n";

fn generated() -> SignedSecretKey {
    generated_as(KeyType::Ed25519)
}

fn generated_as(primary: KeyType) -> SignedSecretKey {
    let created = Time::from_secs(1_735_689_600);
    let mut subkey = SubkeyParamsBuilder::default();
    subkey.key_type(KeyType::Ed25519).can_sign(true).created_at(created);
    let mut key = SecretKeyParamsBuilder::default();
    key.key_type(primary).can_certify(true).can_sign(true).created_at(created);
    key.primary_user_id("Archive <archive@debian.example>".into()).subkeys(vec![subkey.build().unwrap()]);
    key.build().unwrap().generate(rand::rngs::OsRng).unwrap()
}

fn fingerprint(key: &SignedSecretKey) -> String {
    hex::encode_upper(key.primary_key.fingerprint().as_bytes())
}

fn pinned(key: &SignedSecretKey, change: impl Fn(&mut pgp::composed::SignedPublicKey)) -> verify::PinnedKeys {
    let mut public = key.to_public_key();
    change(&mut public);
    let text = public.to_armored_string(ArmorOptions::default()).unwrap();
    verify::PinnedKeys::from_armored(&text, &[&fingerprint(key)]).unwrap()
}

/// A moment after every key and signature that these tests make.
fn later() -> Timestamp {
    "2099-01-01".parse().unwrap()
}

fn by_subkey(key: &SignedSecretKey, bytes: &[u8]) -> String {
    let subkey = &key.secret_subkeys[0].key;
    detached(subkey, HashAlgorithm::Sha256, bytes)
}

fn detached(key: &impl pgp::types::SigningKey, hash: HashAlgorithm, bytes: &[u8]) -> String {
    let made =
        DetachedSignature::sign_binary_data(rand::rngs::OsRng, key, &Password::empty(), hash, bytes).unwrap();
    made.to_armored_string(ArmorOptions::default()).unwrap()
}

fn word(signature: &str, bytes: &[u8], keys: &verify::PinnedKeys) -> String {
    let subject = Subject::new(digests(bytes));
    verify::verify_detached(signature, bytes, keys, &subject, &Requirement::default(), later())
        .state
        .to_string()
}

#[test]
fn every_key_of_a_file_that_a_person_named_counts_and_is_shown() {
    let (key, other) = (generated(), generated());
    let armoured =
        |key: &SignedSecretKey| key.to_public_key().to_armored_string(ArmorOptions::default()).unwrap();
    let keys = verify::PinnedKeys::every_key_of(&armoured(&key)).unwrap();
    assert_eq!(keys.fingerprints(), [fingerprint(&key).to_lowercase()]);
    assert_eq!(word(&by_subkey(&key, b"bytes"), b"bytes", &keys), "verified");
    assert_eq!(word(&by_subkey(&other, b"bytes"), b"bytes", &keys), "invalid(unknown_key)");
    let both = keys.and(verify::PinnedKeys::every_key_of(&armoured(&other)).unwrap());
    assert_eq!(both.fingerprints().len(), 2);
    assert_eq!(word(&by_subkey(&other, b"bytes"), b"bytes", &both), "verified");
    assert!(verify::PinnedKeys::every_key_of("no armour").is_err());
}

#[test]
fn a_detached_signature_of_a_pinned_key_verifies() {
    let key = generated();
    let keys = pinned(&key, |_| {});
    for signature in [by_subkey(&key, b"bytes"), detached(&key.primary_key, HashAlgorithm::Sha512, b"bytes")]
    {
        assert_eq!(word(&signature, b"bytes", &keys), "verified");
        assert_eq!(word(&signature, b"bytez", &keys), "invalid(signature)");
        assert_eq!(word(&signature, b"bytes", &pinned(&generated(), |_| {})), "invalid(unknown_key)");
    }
    assert_eq!(word("no armour", b"bytes", &keys), "malformed");
    let found = verify::verify_detached(
        &by_subkey(&key, b"bytes"),
        b"bytes",
        &keys,
        &Subject::default(),
        &Requirement::default(),
        later(),
    );
    let signer = found.signer.unwrap();
    assert_eq!(signer.key_id.unwrap().to_uppercase(), fingerprint(&key), "named by its primary key");
    assert_eq!(signer.identity.as_deref(), Some("Archive <archive@debian.example>"));
}

#[test]
fn a_clear_signed_text_is_handed_on_only_if_it_holds() {
    let key = generated();
    let keys = pinned(&key, |_| {});
    let message =
        CleartextSignedMessage::sign(rand::rngs::OsRng, TEXT, &key.secret_subkeys[0].key, &Password::empty())
            .unwrap();
    let armoured = message.to_armored_string(ArmorOptions::default()).unwrap();
    let check = |text: &str| verify::verify_clear_signed(text, &keys, &Requirement::default(), later());
    let (found, text) = check(&armoured);
    assert_eq!(found.state.to_string(), "verified", "{:?}", found.detail);
    assert!(text.unwrap().contains("main/Packages"));
    let (found, text) = check(&armoured.replacen("00 1 main", "00 2 main", 1));
    assert_eq!((found.state.to_string().as_str(), text), ("invalid(signature)", None));
    assert_eq!(check("Origin: example\n").0.state.to_string(), "malformed");
}

#[test]
fn a_key_that_is_over_signs_nothing() {
    let key = generated();
    let signature = by_subkey(&key, b"bytes");
    let public = key.primary_key.public_key();
    let config = |kind, data: Vec<SubpacketData>| {
        let mut config = SignatureConfig::v4(kind, key.primary_key.algorithm(), HashAlgorithm::Sha256);
        let when = SubpacketData::SignatureCreationTime(Time::now());
        let issuer = SubpacketData::IssuerFingerprint(key.primary_key.fingerprint());
        let all = [when, issuer].into_iter().chain(data);
        config.hashed_subpackets = all.map(|data| Subpacket::regular(data).unwrap()).collect();
        config
    };
    let expired = pinned(&key, |changed| {
        let user = &mut changed.details.users[0];
        let day = SubpacketData::KeyExpirationTime(Duration::from_secs(86_400));
        let certified = config(SignatureType::CertPositive, vec![day]).sign_certification(
            &key.primary_key,
            public,
            &Password::empty(),
            Tag::UserId,
            &user.id,
        );
        user.signatures = vec![certified.unwrap()];
    });
    assert_eq!(word(&signature, b"bytes", &expired), "invalid(key_expired)");
    let revoked = pinned(&key, |changed| {
        let made = config(SignatureType::KeyRevocation, vec![]).sign_key(
            &key.primary_key,
            &Password::empty(),
            public,
        );
        changed.details.revocation_signatures = vec![made.unwrap()];
    });
    assert_eq!(word(&signature, b"bytes", &revoked), "invalid(key_expired)");
    let adopted = pinned(&key, |changed| {
        changed.public_subkeys[0].signatures.clone_from(&changed.details.users[0].signatures)
    });
    assert_ne!(word(&signature, b"bytes", &adopted), "verified", "a subkey that is not bound");
    let alone = pinned(&key, |changed| changed.public_subkeys.clear());
    assert_eq!(word(&signature, b"bytes", &alone), "invalid(unknown_key)");
}

#[test]
fn a_weak_digest_proves_nothing() {
    let key = generated_as(KeyType::Rsa(2048));
    let keys = pinned(&key, |_| {});
    let mut config =
        SignatureConfig::v4(SignatureType::Binary, key.primary_key.algorithm(), HashAlgorithm::Sha1);
    let when = SubpacketData::SignatureCreationTime(Time::now());
    let issuer = SubpacketData::IssuerFingerprint(key.primary_key.fingerprint());
    config.hashed_subpackets = vec![Subpacket::regular(when).unwrap(), Subpacket::regular(issuer).unwrap()];
    let made = config.sign(&key.primary_key, &Password::empty(), &b"bytes"[..]).unwrap();
    let armoured = DetachedSignature::new(made).to_armored_string(ArmorOptions::default()).unwrap();
    assert_eq!(word(&armoured, b"bytes", &keys), "invalid(weak)");
}

#[test]
fn a_key_file_has_to_hold_the_pinned_key() {
    let text = generated().to_public_key().to_armored_string(ArmorOptions::default()).unwrap();
    let other = fingerprint(&generated());
    assert!(matches!(
        verify::PinnedKeys::from_armored(&text, &[&other]),
        Err(verify::InvalidPgpKeys::NotThere(_))
    ));
    assert!(verify::PinnedKeys::from_armored("nothing", &[]).is_err());
    // Nothing pinned: nothing believed.
    let none = verify::PinnedKeys::from_armored(&text, &[]).unwrap();
    let key = generated();
    assert_eq!(word(&by_subkey(&key, b"bytes"), b"bytes", &none), "invalid(unknown_key)");
}
