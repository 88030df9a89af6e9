//! Models: every file counts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tidegate_model::Digest;
use tidegate_provenance::testing::{Build, digests, key, pae, sign};
use tidegate_provenance::{KeyRing, Requirement, Trust, TrustedKey, formats::model, predicate};

use crate::own::World;

type Files = BTreeMap<String, Digest>;

fn files() -> Files {
    ["config.json", "weights/a.safetensors", "weights/b.safetensors"]
        .into_iter()
        .map(|path| (path.to_owned(), digests(path.as_bytes())[0].clone()))
        .collect()
}

fn statement(files: &Files) -> Value {
    let mut root = Sha256::new();
    files.values().for_each(|d| root.update(d.as_bytes()));
    let resources: Vec<Value> = files
        .iter()
        .map(|(path, digest)| json!({ "name": path, "algorithm": "sha256", "digest": digest.hex() }))
        .collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "thing", "digest": { "sha256": hex::encode(root.finalize()) } }],
        "predicateType": predicate::MODEL_SIGNATURE,
        "predicate": {
            "serialization": { "method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": [".git"] },
            "resources": resources,
        },
    })
}

#[test]
fn a_model_is_all_of_its_files() {
    let world = World::new();
    let bundle = world.sigstore.attest(&statement(&files()), &Build::of("example/thing")).to_string();
    let check =
        |files: &Files| model::verify(bundle.as_bytes(), files, &Requirement::default(), world.trust());
    let word = |change: &dyn Fn(&mut Files)| {
        let mut changed = files();
        change(&mut changed);
        check(&changed).state.to_string()
    };
    assert_eq!(check(&files()).state.to_string(), "verified", "{:?}", check(&files()).detail);
    let other = digests(b"other")[0].clone();
    assert_eq!(word(&|f| drop(f.remove("config.json"))), "invalid(missing_file)");
    assert_eq!(word(&|f| drop(f.insert("run.py".into(), other.clone()))), "invalid(extra_file)");
    assert_eq!(word(&|f| drop(f.insert("config.json".into(), other.clone()))), "invalid(artifact_digest)");
    assert_eq!(word(&|f| drop(f.insert(".gitattributes".into(), other.clone()))), "invalid(extra_file)");
    let mut ignored = files();
    ignored.insert(".git/config".into(), other);
    let found = check(&ignored);
    assert!(found.is_verified() && found.not_proven.iter().any(|s| s.contains("ignores")), "{found:?}");
}

#[test]
fn a_list_that_is_not_whole_is_refused() {
    let world = World::new();
    let check = |change: &dyn Fn(&mut Value)| {
        let mut said = statement(&files());
        change(&mut said);
        let bundle = world.sigstore.attest(&said, &Build::of("example/thing")).to_string();
        model::verify(bundle.as_bytes(), &files(), &Requirement::default(), world.trust()).state.to_string()
    };
    assert_eq!(check(&|s| s["subject"][0]["digest"]["sha256"] = "00".repeat(32).into()), "invalid(payload)");
    assert_eq!(check(&|s| s["predicate"]["resources"][0]["name"] = "../config.json".into()), "malformed");
    assert_eq!(
        check(&|s| s["predicate"]["resources"][0]["name"] = "weights/a.safetensors".into()),
        "malformed"
    );
    assert_eq!(check(&|s| s["predicate"]["serialization"]["method"] = "shards".into()), "unsupported");
    assert_eq!(check(&|s| s["predicate"]["resources"][0]["algorithm"] = "blake2b".into()), "unsupported");
    assert_eq!(check(&|s| s["predicateType"] = predicate::SLSA_V1.into()), "unsupported");
}

#[test]
fn the_key_method_logs_nothing_and_says_so() {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let world = World::new();
    let ours = key();
    let payload = statement(&files()).to_string();
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": "" }, "tlogEntries": [] },
        "dsseEnvelope": {
            "payloadType": "application/vnd.in-toto+json",
            "payload": engine.encode(&payload),
            "signatures": [{ "sig": engine.encode(sign(&ours, &pae(payload.as_bytes()))), "keyid": "" }],
        },
    })
    .to_string();
    let check = |keys: &KeyRing, files: &Files| {
        model::verify(bundle.as_bytes(), files, &Requirement::default(), Trust { keys, ..world.trust() })
    };
    let ring = KeyRing::new([TrustedKey::from_pem(&ours.public_key_pem()).unwrap()]);
    let found = check(&ring, &files());
    assert_eq!(found.state.to_string(), "verified", "{:?}", found.detail);
    assert!(found.not_proven.iter().any(|s| s.contains("bare key")));
    let foreign = KeyRing::new([TrustedKey::from_pem(&key().public_key_pem()).unwrap()]);
    assert_eq!(check(&foreign, &files()).state.to_string(), "invalid(signature)");
    assert_eq!(check(&ring, &Files::new()).state.to_string(), "invalid(missing_file)");
    let demanded = Requirement::provenance("https://issuer.example", "https://git.example/o/r");
    let trust = Trust { keys: &ring, ..world.trust() };
    let missed = model::verify(bundle.as_bytes(), &files(), &demanded, trust).state.to_string();
    assert!(missed.starts_with("policy_mismatch"), "a bare key has no issuer: {missed}");
}
