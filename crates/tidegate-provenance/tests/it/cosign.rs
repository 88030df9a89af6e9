//! Cosign over images, in both of its forms.

use base64::Engine as _;
use tidegate_model::{Digest, Timestamp};
use tidegate_provenance::testing::{Build, CosignLayer, cosign_payload, digests, key, sign, slsa, statement};
use tidegate_provenance::{KeyRing, KeyUsage, Requirement, Trust, TrustedKey, formats::cosign};

use crate::own::World;

const MANIFEST: &[u8] = br#"{"schemaVersion":2}"#;

fn manifest() -> Digest {
    digests(MANIFEST)[0].clone()
}

fn payload(digest: &Digest) -> String {
    cosign_payload(&digest.to_string())
}

#[test]
fn a_referrer_holds_a_bundle_over_the_manifest() {
    let world = World::new();
    let build = Build::of("example/thing");
    let bundle = world.sigstore.attest(&statement("", MANIFEST, &slsa(&build)), &build).to_string();
    let check = |digest: &Digest| {
        cosign::verify_bundle(bundle.as_bytes(), digest, &Requirement::default(), world.trust())
            .state
            .to_string()
    };
    assert_eq!(check(&manifest()), "verified");
    assert_eq!(check(&digests(b"an index of which it is a part")[0]), "invalid(artifact_digest)");
}

#[test]
fn the_payload_names_the_manifest() {
    let world = World::new();
    let ours = key();
    let trusted = TrustedKey::from_pem(&ours.public_key_pem()).unwrap();
    let text = payload(&manifest());
    let signature = base64::engine::general_purpose::STANDARD.encode(sign(&ours, text.as_bytes()));
    let check = |payload: &str, keys: &KeyRing, digest: &Digest| {
        let layer = cosign::SimpleSigning {
            payload: payload.as_bytes(),
            signature: &signature,
            certificate: None,
            bundle: None,
        };
        let trust = Trust { keys, ..world.trust() };
        cosign::verify_simple(layer, digest, &Requirement::default(), trust).state.to_string()
    };
    let ring = KeyRing::new([trusted.clone()]);
    assert_eq!(check(&text, &ring, &manifest()), "verified");
    assert_eq!(check(&text, &ring, &digests(b"other")[0]), "invalid(artifact_digest)");
    assert_eq!(check(&payload(&digests(b"other")[0]), &ring, &digests(b"other")[0]), "invalid(signature)");
    assert_eq!(check(&text, &KeyRing::default(), &manifest()), "invalid(unknown_key)");
    let of_a_registry = TrustedKey { usage: KeyUsage::NpmRegistry, ..trusted.clone() };
    assert_eq!(check(&text, &KeyRing::new([of_a_registry]), &manifest()), "invalid(unknown_key)");
    assert_eq!(
        check(&text, &KeyRing::new([TrustedKey::from_pem(&key().public_key_pem()).unwrap()]), &manifest()),
        "invalid(signature)"
    );
    let over = TrustedKey { valid_until: Some("2025-01-01".parse().unwrap()), ..trusted };
    assert_eq!(check(&text, &KeyRing::new([over]), &manifest()), "invalid(key_window)");
}

#[test]
fn a_payload_signed_with_a_certificate_brings_the_logs_promise() {
    let world = World::new();
    let check = |time: &str, requirement: &Requirement, leave_out: bool| {
        let build = Build::of("example/thing").at(time);
        let signed = CosignLayer::by_build(&world.sigstore, &build, &manifest().to_string());
        let annotation = |name: &str| signed.annotations[name].as_str().unwrap();
        let layer = cosign::SimpleSigning {
            payload: signed.payload.as_bytes(),
            signature: annotation("dev.cosignproject.cosign/signature"),
            certificate: Some(annotation("dev.sigstore.cosign/certificate")),
            bundle: (!leave_out).then(|| annotation("dev.sigstore.cosign/bundle")),
        };
        cosign::verify_simple(layer, &manifest(), requirement, world.trust())
    };
    let plain = Requirement::default();
    let old = check("2023-05-01T00:00:00Z", &plain, false);
    assert_eq!(old.state.to_string(), "verified", "{:?}", old.detail);
    assert_eq!(old.subject_digest, Some(manifest()));
    assert_eq!(old.source_repository.as_deref(), Some("https://github.com/example/thing"));
    assert_eq!(check("2025-05-01T00:00:00Z", &plain, false).state.to_string(), "invalid(promise_only)");
    let until: Timestamp = "2026-01-01".parse().unwrap();
    let lenient = Requirement { proof_required_from: until, ..Requirement::default() };
    assert_eq!(check("2025-05-01T00:00:00Z", &lenient, false).state.to_string(), "verified");
    assert_eq!(check("2023-05-01T00:00:00Z", &plain, true).state.to_string(), "invalid(no_log_evidence)");
}
