//! Other people's tools verify what we sign, with our public key and nothing else of ours.

use tidegate_provenance::custody::statement::PAYLOAD_TYPE;
use tidegate_provenance::dsse;
use tidegate_provenance::signing::SigningKey;
use tidegate_testkit::process::Home;
use tidegate_testkit::tools;

use super::support::{CONTENTS, Deployment, edited, payload_bytes, stored};

/// Sigstore's verifier in JavaScript: reads bundles from files and says which hold.
const SIGSTORE: &str = r#"
const fs = require('fs'), crypto = require('crypto'), path = require('path');
const kit = path.join(process.argv[2], 'node_modules', '@sigstore');
const { bundleFromJSON, isBundleWithDsseEnvelope, BUNDLE_V03_MEDIA_TYPE } = require(path.join(kit, 'bundle'));
const { Verifier, toSignedEntity, toTrustMaterial } = require(path.join(kit, 'verify'));
const publicKey = crypto.createPublicKey(fs.readFileSync(process.argv[3]));
const hint = process.argv[4];
const keys = (wanted) => {
  if (wanted !== hint) throw new Error('another key: ' + wanted);
  return { publicKey, validFor: () => true };
};
const none = { mediaType: '', tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] };
const thresholds = { tlogThreshold: 0, ctlogThreshold: 0, tsaThreshold: 0, timestampThreshold: 0 };
const verifier = new Verifier(toTrustMaterial(none, keys), thresholds);
for (const file of process.argv.slice(5)) {
  try {
    const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(file)));
    if (bundle.mediaType !== BUNDLE_V03_MEDIA_TYPE || !isBundleWithDsseEnvelope(bundle)) throw new Error('form');
    verifier.verify(toSignedEntity(bundle));
    console.log('holds');
  } catch (error) {
    console.log('refused: ' + (error.code || error.message));
  }
}
"#;

/// Cosign 3 passes over a signature whose `keyid` is not its own fingerprint of the key, and takes one that has none.
#[test]
fn the_key_is_named_in_the_bundle_and_not_in_the_envelope() {
    let d = Deployment::new();
    for signed in d.sign(&stored(10)).all() {
        let bundle: serde_json::Value = serde_json::from_slice(&signed.bundle).unwrap();
        assert_eq!(bundle["dsseEnvelope"]["signatures"][0]["keyid"], "");
        let hint = bundle["verificationMaterial"]["publicKey"]["hint"].as_str().unwrap();
        assert_eq!(hint, d.key.public_key().key_id().to_string());
    }
}

#[test]
fn sigstores_verifier_in_javascript_accepts_our_bundles() {
    let (Some(node), Some(kit)) = (tools::node(), tools::sigstore_kit()) else { return };
    let d = Deployment::new();
    let home = Home::new();
    let write = |name: &str, bytes: &[u8]| {
        let path = home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let script = write("verify.js", SIGSTORE.as_bytes());
    let key = write("key.pem", d.key.public_key().to_pem().as_bytes());
    let signed = d.sign(&stored(10));
    let mut files: Vec<_> =
        signed.all().enumerate().map(|(at, one)| write(&format!("{at}.json"), &one.bundle)).collect();
    // And refuses what was changed, or it would say the same of everything.
    let forged = edited(&signed.custody.bundle, |json| {
        let text = json["dsseEnvelope"]["payload"].as_str().unwrap().replacen("ey", "eX", 1);
        json["dsseEnvelope"]["payload"] = text.into();
    });
    files.push(write("forged.json", &forged));
    let other = d.new_key("other.pem", tidegate_provenance::signing::KeyAlgorithm::EcdsaP256);
    let theirs = tidegate_provenance::custody::sign(&stored(10), &other).unwrap().custody.bundle;
    files.push(write("theirs.json", &theirs));
    let ran = node
        .called_by(&home)
        .arg(script)
        .arg(kit)
        .arg(key)
        .arg(d.key.public_key().key_id().to_string())
        .args(files)
        .run()
        .expect_success();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[..3], ["holds"; 3], "{}", ran.output());
    assert_eq!(lines[3], "refused: SIGNATURE_ERROR");
    assert!(lines[4].starts_with("refused: another key"), "{}", lines[4]);
}

/// The crate that verifies what others sign reads our bundles too. It wants a witnessed time in every bundle, which ours
/// do not have (the ledger is their witness), and says so before it looks at the signature.
#[test]
fn sigstores_verifier_in_rust_reads_our_bundles_and_misses_a_witnessed_time() {
    use sigstore_types::{Bundle, DerPublicKey};
    use sigstore_verify::{PublicKeyVerificationPolicy, Verifier};
    let d = Deployment::new();
    let root =
        sigstore_trust_root::TrustedRoot::from_json(sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT);
    let verifier = Verifier::new(&root.unwrap()).unwrap();
    let der = DerPublicKey::from(d.key.public_key().der().to_vec());
    let policy = PublicKeyVerificationPolicy::new(der).skip_tlog_unsafe();
    for one in d.sign(&stored(10)).all() {
        let bundle = Bundle::from_json(std::str::from_utf8(&one.bundle).unwrap()).unwrap();
        let refused = verifier.verify(CONTENTS, &bundle, &policy).unwrap_err();
        assert!(format!("{refused:?}").contains("MissingSigningTimeEvidence"), "{refused:?}");
        let sigstore_types::SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
            panic!("{bundle:?}")
        };
        assert_eq!(envelope.pae(), dsse::pae(PAYLOAD_TYPE, &payload_bytes(&one.bundle)));
    }
}

#[test]
fn openssl_verifies_our_envelopes() {
    let Some(openssl) = tools::openssl() else { return };
    let d = Deployment::new();
    let home = Home::new();
    let write = |name: &str, bytes: &[u8]| std::fs::write(home.path().join(name), bytes).unwrap();
    write("key.pem", d.key.public_key().to_pem().as_bytes());
    let verify = || {
        let args = ["dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed"];
        openssl.called_by(&home).args(args).in_folder(home.path()).run()
    };
    for one in d.sign(&stored(10)).all() {
        use base64::Engine as _;
        let json: serde_json::Value = serde_json::from_slice(&one.bundle).unwrap();
        let signature = json["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
        write("signature", &base64::engine::general_purpose::STANDARD.decode(signature).unwrap());
        let payload = payload_bytes(&one.bundle);
        // By hand as an auditor would, not with our own function.
        let by_hand = [format!("DSSEv1 28 {PAYLOAD_TYPE} {} ", payload.len()).as_bytes(), &payload].concat();
        assert_eq!(by_hand, dsse::pae(PAYLOAD_TYPE, &payload));
        write("signed", &by_hand);
        assert!(verify().expect_success().stdout.contains("Verified OK"));
        write("signed", &payload);
        verify().expect_failure();
    }
}
