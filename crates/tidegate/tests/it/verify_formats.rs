//! `tidegate verify` on everything that is signed with a bare key: statements of a door, OpenPGP, signed notes, models, Open VSX.

use std::io::Write as _;

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, Password};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tidegate_model::{Action, DecisionId, Sha256 as Sha256Digest, Timestamp};
use tidegate_provenance::custody::{
    self, BuildLevel, Decided, Event, EventKind, Origin, Signed as Statements,
};
use tidegate_provenance::predicate;
use tidegate_provenance::signing::{FileKey, KeyAlgorithm, SigningKey as _};
use tidegate_provenance::testing::{Build, key, statement};

use crate::verify::{Signed, run, state};

const BYTES: &[u8] = b"the bytes of an artifact";

#[track_caller]
fn states(user: &Signed, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let finished = run(&user.home, &[arguments, &["--json"]].concat());
    let read =
        |line| serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e}: {}", finished.output()));
    (finished.code(), finished.stdout.lines().map(|line| state(&read(line))).collect())
}

fn expected(code: i32, words: &[&str]) -> (Option<i32>, Vec<String>) {
    (Some(code), words.iter().map(|word| (*word).to_owned()).collect())
}

/// What a door states when the artifact comes in, and once more when it is held.
fn stated(key: &FileKey) -> [Statements; 2] {
    let at = |seconds| "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap().plus_seconds(seconds);
    let mut event = Event {
        deployment: "https://tidegate.corp.example/".parse().unwrap(),
        purl: "pkg:npm/alpha@1.0.0".to_owned(),
        sha256: Sha256Digest::new(Sha256::digest(BYTES).into()),
        sha512: None,
        bytes: BYTES.len() as u64,
        repository: "npm".to_owned(),
        kind: EventKind::Stored,
        at: at(10),
        stored_at: at(9),
        origin: Origin::Upstream { name: "npm-mirror".to_owned(), promised: Vec::new() },
        decided: Decided {
            id: DecisionId::from_random([7; 10]),
            action: Action::Allow,
            enforced: true,
            rules: vec!["cooldown".to_owned()],
            policy: Sha256Digest::new([1; 32]),
        },
        record: "node-1-12".parse().unwrap(),
        actor: None,
        attestations: Vec::new(),
        level: BuildLevel::Two,
        dependency: None,
        previous: None,
    };
    let first = custody::sign(&event, key).unwrap();
    event.previous = Some(first.custody.payload);
    (event.kind, event.decided.action) = (EventKind::Quarantined, Action::Quarantine);
    (event.at, event.record) = (at(20), "node-1-13".parse().unwrap());
    let second = custody::sign(&event, key).unwrap();
    [first, second]
}

#[test]
fn statements_of_a_door_are_checked_with_its_key_and_as_a_chain() {
    let user = Signed::new();
    let new =
        |name: &str| FileKey::create(&user.home.path().join(name), KeyAlgorithm::EcdsaP256, None).unwrap();
    let (door, other) = (new("door.key"), new("other.key"));
    user.write("door.pem", door.public_key().to_pem());
    user.write("other.pem", other.public_key().to_pem());
    user.write("alpha.tgz", BYTES);
    let [first, second] = stated(&door);
    user.write("alpha.tgz.custody.json", &first.custody.bundle);
    let with = |more: &[&str]| states(&user, &[&["alpha.tgz", "--key", "door.pem"], more].concat());
    assert_eq!(with(&[]), expected(0, &["verified"]));
    assert_eq!(with(&["--name", "pkg:npm/alpha@1.0.0"]), expected(0, &["verified"]));
    assert_eq!(with(&["--name", "pkg:npm/beta@1.0.0"]), expected(4, &["policy_mismatch(subject_name)"]));
    assert_eq!(
        with(&["--source", "https://github.com/acme/alpha"]),
        expected(4, &["policy_mismatch(source_repository)"])
    );
    assert_eq!(with(&["--predicate", custody::CUSTODY_TYPE]), expected(0, &["verified"]));
    assert_eq!(with(&["--predicate", "provenance"]), expected(4, &["policy_mismatch(predicate_type)"]));
    let told = run(&user.home, &["alpha.tgz", "--key", "door.pem"]).stdout;
    for row in [
        "by          https://tidegate.corp.example/",
        "event       stored, allow (cooldown)",
        "fetched from npm-mirror",
        "not proven: that what it says is so",
        "not proven: when the key was in use, and that it was not revoked",
    ] {
        assert!(told.contains(row), "{row}\n{told}");
    }
    assert_eq!(states(&user, &["alpha.tgz"]), expected(3, &["unsupported"]), "no key, no proof");
    let stranger = states(&user, &["alpha.tgz", "--key", "other.pem"]);
    assert_eq!(stranger, expected(4, &["invalid(custody_key_unknown)"]));
    let mut forged: Value = serde_json::from_slice(&first.custody.bundle).unwrap();
    forged["dsseEnvelope"]["signatures"][0]["sig"] = serde_json::from_slice::<Value>(&second.custody.bundle)
        .unwrap()["dsseEnvelope"]["signatures"][0]["sig"]
        .clone();
    user.write("forged.json", forged.to_string());
    assert_eq!(with(&["--attestation", "forged.json"]), expected(4, &["invalid(custody_forged)"]));
    for (name, bundle) in
        [("1", &first.custody), ("2", &first.summary), ("3", &second.custody), ("4", &second.summary)]
    {
        user.write(name, &bundle.bundle);
    }
    let all = with(&["--attestation", "3", "--attestation", "1", "--attestation", "2", "--attestation", "4"]);
    assert_eq!(all, expected(0, &["verified"; 5]), "four statements and their chain");
    let torn = with(&["--attestation", "3", "--attestation", "4"]);
    assert_eq!(torn, expected(4, &["verified", "verified", "invalid(custody_chain_broken)"]));
    user.write("alpha.tgz", b"other bytes");
    assert_eq!(with(&[]), expected(4, &["invalid(custody_other_artifact)"]));
}

fn generated() -> SignedSecretKey {
    let mut made = SecretKeyParamsBuilder::default();
    made.key_type(KeyType::Ed25519).can_certify(true).can_sign(true);
    made.primary_user_id("Archive <archive@archive.example>".into());
    made.build().unwrap().generate(rand::rngs::OsRng).unwrap()
}

fn public(key: &SignedSecretKey) -> String {
    key.to_public_key().to_armored_string(ArmorOptions::default()).unwrap()
}

#[test]
fn openpgp_signatures_count_by_a_key_that_was_given() {
    let user = Signed::new();
    let (ours, theirs) = (generated(), generated());
    user.write("ours.asc", public(&ours));
    user.write("theirs.asc", public(&theirs));
    user.write("alpha.jar", BYTES);
    let sign = |key: &SignedSecretKey| {
        DetachedSignature::sign_binary_data(
            rand::rngs::OsRng,
            &key.primary_key,
            &Password::empty(),
            HashAlgorithm::Sha256,
            BYTES,
        )
        .unwrap()
    };
    user.write("alpha.jar.asc", sign(&ours).to_armored_string(ArmorOptions::default()).unwrap());
    let fingerprint = hex::encode_upper(ours.primary_key.fingerprint().as_bytes());
    let finished = run(&user.home, &["alpha.jar", "--key", "ours.asc"]);
    assert_eq!(finished.code(), Some(0), "{}", finished.output());
    assert!(finished.stdout.contains(&format!("OpenPGP {fingerprint}")), "{}", finished.stdout);
    assert!(finished.stdout.contains("archive@archive.example"), "{}", finished.stdout);
    assert_eq!(states(&user, &["alpha.jar"]), expected(3, &["unsupported"]));
    assert_eq!(states(&user, &["alpha.jar", "--key", "theirs.asc"]), expected(4, &["invalid(unknown_key)"]));
    let demanded = states(&user, &["alpha.jar", "--key", "ours.asc", "--issuer", "https://issuer.example"]);
    assert_eq!(demanded, expected(4, &["policy_mismatch(issuer)"]));
    // Binary, as archives of some distributions are signed.
    user.write("alpha.jar.asc", sign(&ours).to_bytes().unwrap());
    assert_eq!(states(&user, &["alpha.jar", "--key", "ours.asc"]), expected(0, &["verified"]));
    user.write("alpha.jar", b"other bytes");
    assert_eq!(states(&user, &["alpha.jar", "--key", "ours.asc"]), expected(4, &["invalid(signature)"]));
}

#[test]
fn a_signed_text_counts_by_itself_and_for_the_digests_that_it_lists() {
    let user = Signed::new();
    let ours = generated();
    user.write("ours.asc", public(&ours));
    user.write("alpha.jar", BYTES);
    let signed = |text: &str| {
        let made =
            CleartextSignedMessage::sign(rand::rngs::OsRng, text, &ours.primary_key, &Password::empty());
        made.unwrap().to_armored_string(ArmorOptions::default()).unwrap()
    };
    let list = signed(&format!("{}  alpha.jar\n", hex::encode(Sha256::digest(BYTES))));
    user.write("SHA256SUMS", &list);
    assert_eq!(states(&user, &["SHA256SUMS", "--key", "ours.asc"]), expected(0, &["verified"]));
    let by_list = ["alpha.jar", "--attestation", "SHA256SUMS", "--key", "ours.asc"];
    assert_eq!(states(&user, &by_list), expected(0, &["verified"]));
    user.write("alpha.jar", b"other bytes");
    assert_eq!(states(&user, &by_list), expected(4, &["invalid(artifact_digest)"]));
    user.write("SHA256SUMS", list.replacen("alpha.jar", "omega.jar", 1));
    assert_eq!(states(&user, &["SHA256SUMS", "--key", "ours.asc"]), expected(4, &["invalid(signature)"]));
}

#[test]
fn a_note_is_checked_with_the_key_of_its_database() {
    let user = Signed::new();
    let (secret, ours) = signed_note::generate_key(&mut rand::rngs::OsRng, "sum.example");
    let (_, theirs) = signed_note::generate_key(&mut rand::rngs::OsRng, "sum.example");
    let record = "module.example/m v1.0.0 h1:aaa=\n";
    let mut note = signed_note::Note::new(record.as_bytes(), &[]).unwrap();
    note.add_sigs(&[&signed_note::StandardSigner::new(&secret).unwrap()]).unwrap();
    let text = String::from_utf8(note.to_bytes()).unwrap();
    user.write("note", &text);
    user.write("ours", format!("{ours}\n"));
    user.write("theirs", &theirs);
    assert_eq!(states(&user, &["note", "--key", "ours"]), expected(0, &["verified"]));
    assert_eq!(states(&user, &["note", "--key", "theirs", "--key", "ours"]), expected(0, &["verified"]));
    assert_eq!(states(&user, &["note", "--key", "theirs"]), expected(4, &["invalid(unknown_key)"]));
    assert_eq!(states(&user, &["note"]), expected(3, &["unsupported"]));
    user.write("note", text.replacen("aaa", "aab", 1));
    assert_eq!(states(&user, &["note", "--key", "ours"]), expected(4, &["invalid(signature)"]));
    user.write("alpha.zip", BYTES);
    let beside = states(&user, &["alpha.zip", "--attestation", "note", "--key", "ours"]);
    assert_eq!(beside, expected(3, &["unsupported"]));
}

#[test]
fn a_model_is_the_whole_folder() {
    let user = Signed::new();
    let files = [("config.json", &b"{}"[..]), ("weights/a.bin", b"weights")];
    let mut root = Sha256::new();
    let mut resources = Vec::new();
    for (name, bytes) in files {
        user.write(&format!("model/{name}"), bytes);
        let digest = Sha256::digest(bytes);
        root.update(digest);
        resources.push(json!({ "name": name, "algorithm": "sha256", "digest": hex::encode(digest) }));
    }
    let said = json!({ "serialization": { "method": "files", "ignore_paths": [] }, "resources": resources });
    let mut signed = statement("model", b"", &(predicate::MODEL_SIGNATURE, said));
    signed["subject"][0]["digest"]["sha256"] = hex::encode(root.finalize()).into();
    user.write("model/model.sig", user.sigstore.attest(&signed, &Build::of("acme/model")).to_string());
    let check = || states(&user, &["model", "--root", "root.json"]);
    assert_eq!(check(), expected(0, &["verified"]));
    let renamed = states(&user, &["model", "--root", "root.json", "--name", "other"]);
    assert_eq!(renamed, expected(4, &["policy_mismatch(subject_name)"]));
    let extra = user.write("model/run.py", b"import os");
    assert_eq!(check(), expected(4, &["invalid(extra_file)"]));
    std::fs::remove_file(extra).unwrap();
    user.write("model/config.json", b"{ }");
    assert_eq!(check(), expected(4, &["invalid(artifact_digest)"]));
    std::os::unix::fs::symlink("/etc/hostname", user.home.path().join("model/link")).unwrap();
    let linked = run(&user.home, &["model", "--root", "root.json"]);
    assert_eq!(linked.code(), Some(1), "{}", linked.output());
    assert!(linked.stderr.contains("no links"), "{}", linked.stderr);
}

#[test]
fn an_extensions_signature_archive_beside_it_is_checked_with_the_registrys_key() {
    let user = Signed::new();
    let (spki, sign) = tidegate_provenance::testing::ed25519_key();
    let pem = tidegate_provenance::signing::PublicKey::from_der(&spki).unwrap().to_pem();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file(".signature.sig", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(&sign(BYTES)).unwrap();
    user.write("alpha.sigzip", archive.finish().unwrap().into_inner());
    user.write("alpha.vsix", BYTES);
    user.write("registry.pem", pem);
    user.write("other.pem", key().public_key_pem());
    assert_eq!(states(&user, &["alpha.vsix", "--key", "registry.pem"]), expected(0, &["verified"]));
    assert_eq!(states(&user, &["alpha.vsix"]), expected(3, &["unsupported"]));
    assert_eq!(states(&user, &["alpha.vsix", "--key", "other.pem"]), expected(4, &["invalid(signature)"]));
    user.write("alpha.vsix", b"other bytes");
    assert_eq!(states(&user, &["alpha.vsix", "--key", "registry.pem"]), expected(4, &["invalid(signature)"]));
}

#[test]
fn a_bundle_by_a_bare_key_counts_by_the_key_that_was_given() {
    let user = Signed::new();
    let ours = key();
    user.write("ours.pem", ours.public_key_pem());
    user.write("other.pem", key().public_key_pem());
    user.write("alpha.tar", BYTES);
    let said = statement("alpha.tar", BYTES, &(predicate::SLSA_V1, json!({})));
    let at = "2025-06-01T12:00:00Z".parse().unwrap();
    let bundle = user.sigstore.attest_by_key(&ours, "any-hint", &said, at);
    user.write("alpha.tar.sigstore", bundle.to_string());
    let with = |more: &[&str]| states(&user, &[&["alpha.tar", "--root", "root.json"], more].concat());
    assert_eq!(with(&["--key", "ours.pem"]), expected(0, &["verified"]));
    assert_eq!(with(&["--key", "other.pem", "--key", "ours.pem"]), expected(0, &["verified"]));
    assert_eq!(with(&[]), expected(3, &["unsupported"]));
    assert_eq!(with(&["--key", "other.pem"]).0, Some(4));
    let told = run(&user.home, &["alpha.tar", "--root", "root.json", "--key", "ours.pem"]).stdout;
    assert!(
        !told.contains("any-hint"),
        "a key is shown by what it is, not by what a bundle calls it: {told}"
    );
}
