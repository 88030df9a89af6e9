//! What is signed about models: a signature in the repository, held against every file of the commit.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidegate::config::SigstoreInstance;
use tidegate_provenance::predicate;
use tidegate_provenance::testing::{Build, Sigstore, Tamper};
use tidegate_testkit::client::RawResponse;
use tidegate_testkit::{Fault, HubFile};

use crate::models::{FIRST, Hub, file, safetensors};
use crate::support::{Setup, TestDoor, json as read, sha256_of};

const CONFIG: &str = r#"{"model_type": "tiny"}"#;
const WEIGHTS: &str = "m/x.safetensors";

/// The files of the model, by path.
fn files() -> BTreeMap<&'static str, Vec<u8>> {
    [("config.json", CONFIG.into()), ("README.md", b"# tiny\n".to_vec()), (WEIGHTS, safetensors(1, 5_000))]
        .into()
}

/// A signature over these files.
fn signature(sigstore: &Sigstore, files: &BTreeMap<&str, Vec<u8>>) -> Value {
    let resources: Vec<Value> = files
        .iter()
        .map(|(path, bytes)| json!({ "name": path, "algorithm": "sha256", "digest": sha256_of(bytes) }))
        .collect();
    let digests: Vec<u8> = files.values().flat_map(|bytes| hex::decode(sha256_of(bytes)).unwrap()).collect();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "m", "digest": { "sha256": sha256_of(&digests) } }],
        "predicateType": predicate::MODEL_SIGNATURE,
        "predicate": {
            "serialization": { "method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": [] },
            "resources": resources,
        },
    });
    sigstore.attest(&statement, &Build::of("acme/m"))
}

/// Puts files into the hub, and a signature beside them.
fn commit(hub: &Hub, files: &BTreeMap<&'static str, Vec<u8>>, signature: &str) {
    let mut all: Vec<(&'static str, HubFile)> = files
        .iter()
        .map(|(path, bytes)| {
            let file =
                if *path == WEIGHTS { HubFile::large(bytes.clone()) } else { HubFile::small(bytes.clone()) };
            (*path, file)
        })
        .collect();
    all.push(("model.sig", HubFile::small(signature.to_owned())));
    hub.commit(FIRST, all);
}

fn door(hub: &Hub, sigstore: &Sigstore) -> TestDoor {
    let setup = Setup::new(&hub.hub);
    let root = setup.data().join("trusted-root.json");
    std::fs::write(&root, sigstore.trusted_root()).unwrap();
    setup
        .with(|config| {
            let instance = SigstoreInstance { root: Some(root), ..SigstoreInstance::default() };
            config.provenance.instance.insert("acme".to_owned(), instance);
            config.repository.get_mut("huggingface").unwrap().sigstore = Some("acme".to_owned());
        })
        .open()
}

fn pull(door: &TestDoor, path: &str) -> RawResponse {
    door.get(&file("main", path))
}

fn rows(door: &TestDoor) -> Vec<String> {
    let name = tidegate_model::PackageName::parse(tidegate_model::Ecosystem::Huggingface, "org/m").unwrap();
    let purl = tidegate_model::coordinate::package_purl(&name);
    door.door.store.catalogue.verifications_of(&purl).unwrap().into_iter().map(|row| row.result).collect()
}

fn outcome(door: &TestDoor) -> Value {
    let rows = rows(door);
    assert_eq!(rows.len(), 1, "{rows:?}");
    serde_json::from_str(&rows[0]).unwrap()
}

fn decided(door: &TestDoor, answer: &RawResponse) -> String {
    door.get(&format!("/d/{}", answer.header("x-tidegate-decision").unwrap())).text()
}

#[test]
fn a_signed_model_is_verified_and_passes_unchanged() {
    let (hub, sigstore) = (Hub::start(), Sigstore::new());
    let mut all = files();
    // What hubs put in themselves.
    let signed = signature(&sigstore, &all).to_string();
    all.insert(".gitattributes", b"* text\n".to_vec());
    commit(&hub, &all, &signed);
    let door = door(&hub, &sigstore);
    for (path, bytes) in &all {
        let answer = pull(&door, path);
        assert_eq!((answer.status, &answer.body), (200, bytes), "{path}");
    }
    assert_eq!(pull(&door, "model.sig").body, signed.as_bytes());
    let outcome = outcome(&door)["outcomes"][0].clone();
    assert_eq!((&outcome["format"], &outcome["state"]), (&json!("model"), &json!("verified")), "{outcome}");
    assert_eq!(outcome["source_repository"], "https://github.com/acme/m");
    assert!(outcome["not_proven"].to_string().contains(".gitattributes"), "{outcome}");
    let asked = hub.hub.requests().len();
    let door = door.restart();
    assert_eq!(pull(&door, WEIGHTS).status, 200);
    assert_eq!(hub.hub.requests().len(), asked, "it is known");
}

#[test]
fn what_is_not_what_was_signed_is_refused_with_every_file_of_it() {
    let sigstore = Sigstore::new();
    let signed = signature(&sigstore, &files());
    type Change<'a> = &'a dyn Fn(&mut BTreeMap<&'static str, Vec<u8>>, &mut Value);
    let cases: [(&str, &str, Change<'_>); 8] = [
        ("other weights", "invalid(artifact_digest)", &|files, _| {
            drop(files.insert(WEIGHTS, safetensors(2, 5_000)))
        }),
        ("another small file", "invalid(artifact_digest)", &|files, _| {
            drop(files.insert("README.md", b"#".to_vec()))
        }),
        ("one file more", "invalid(extra_file)", &|files, _| {
            drop(files.insert("vocab.txt", b"a\n".to_vec()))
        }),
        ("one file less", "invalid(missing_file)", &|files, _| drop(files.remove("README.md"))),
        ("a flipped bit", "invalid(signature)", &|_, bundle| {
            *bundle = sigstore.tampered(bundle, Tamper::SignatureBit)
        }),
        ("a rewritten subject", "invalid(", &|_, bundle| {
            *bundle = sigstore.tampered(bundle, Tamper::RewrittenSubject)
        }),
        ("no log entry", "invalid(no_log_evidence)", &|_, bundle| {
            *bundle = sigstore.tampered(bundle, Tamper::NoLogEntry);
        }),
        ("garbage", "malformed", &|_, bundle| *bundle = json!("garbage")),
    ];
    for (what, why, change) in cases {
        let hub = Hub::start();
        let (mut all, mut bundle) = (files(), signed.clone());
        change(&mut all, &mut bundle);
        commit(&hub, &all, &bundle.to_string());
        let door = door(&hub, &sigstore);
        for path in [WEIGHTS, "config.json", "model.sig"] {
            let refused = pull(&door, path);
            assert_eq!(refused.status, 403, "{what} {path}: {}", outcome(&door));
            let told = read(&refused)["error"].to_string();
            assert!(
                told.contains("its provenance does not verify: the model's signature") && told.contains(why),
                "{what}: {told}"
            );
        }
        let off = Setup::new(&hub.hub).with(|c| c.provenance.enabled = false).open();
        assert_eq!(pull(&off, "config.json").status, 200, "{what}");
    }
}

#[test]
fn what_cannot_be_told_is_a_gap_and_not_clean() {
    let sigstore = Sigstore::new();
    // Nobody who is believed signed it.
    let hub = Hub::start();
    commit(&hub, &files(), &signature(&sigstore, &files()).to_string());
    let stranger = Setup::new(&hub.hub).open();
    let answer = pull(&stranger, "config.json");
    assert_eq!(answer.status, 200);
    assert_eq!(outcome(&stranger)["outcomes"][0]["state"], "unsupported");
    assert!(decided(&stranger, &answer).contains("provenance unsupported"));
    // A file that is to be compared cannot be had.
    let hub = Hub::start();
    commit(&hub, &files(), &signature(&sigstore, &files()).to_string());
    hub.hub.fault("README.md", Fault::Status { code: 500, retry_after: None });
    let door = door(&hub, &sigstore);
    let answer = pull(&door, "config.json");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(decided(&door, &answer).contains("provenance error"), "{}", decided(&door, &answer));
    hub.hub.clear_faults();
    door.clock().advance(400);
    let door = door.restart();
    assert_eq!(pull(&door, "config.json").status, 200);
    assert_eq!(outcome(&door)["outcomes"][0]["state"], "verified");
    // A signature that is too large to be one.
    let hub = Hub::start();
    commit(&hub, &files(), &" ".repeat(9 << 20));
    let refused = pull(&self::door(&hub, &sigstore), "config.json");
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("larger than any real one"), "{}", refused.text());
    // Where nothing is signed, nothing is asked for and nothing is said.
    let hub = Hub::start();
    hub.commit(FIRST, vec![("config.json", HubFile::small(CONFIG))]);
    let door = self::door(&hub, &sigstore);
    let answer = pull(&door, "config.json");
    assert_eq!(answer.status, 200);
    assert!(!decided(&door, &answer).contains("provenance unsupported"));
    assert!(rows(&door).is_empty());
}
