//! What is signed about packages: checked at the door against the bytes that came, and told to whoever is stopped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use tidegate_store::catalogue::StoredVerification;
use tidegate_testkit::process::Home;
use tidegate_testkit::{BuiltFile, FakeUpstream, Package, Style, tools};

use crate::clients_support::{Site, npm_project};
use crate::support::{Setup, TestDoor, days_ago};

const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";
const KEY: &str = "SHA256:of-the-test";

/// A registry that signs what its index says.
struct Signer(rcgen::KeyPair);

impl Signer {
    fn new(upstream: &FakeUpstream) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let public = STANDARD.encode(key.subject_public_key_info());
        upstream.catalog().registry_keys(json!({ "keys": [{ "keyid": KEY, "expires": null, "key": public,
            "keytype": "ecdsa-sha2-nistp256", "scheme": "ecdsa-sha2-nistp256" }] }));
        Self(key)
    }

    /// Signs that the registry has these bytes under this name.
    fn sign(&self, upstream: &FakeUpstream, what: &str, integrity: &str) {
        let signature = self.0.sign(format!("{what}:{integrity}").as_bytes()).unwrap();
        upstream.catalog().sign(what, &[(KEY.to_owned(), STANDARD.encode(signature))]);
    }
}

fn publish(upstream: &FakeUpstream) -> BuiltFile {
    upstream.publish(Package::npm("alpha", "1.0.0").published(&days_ago(90))).remove(0)
}

fn verifications(door: &TestDoor) -> Vec<StoredVerification> {
    door.door.store.catalogue.verifications_of("pkg:npm/alpha").unwrap()
}

fn states(door: &TestDoor) -> Vec<String> {
    let rows = verifications(door);
    let results = rows.iter().map(|row| serde_json::from_str::<Value>(&row.result).unwrap());
    results
        .flat_map(|result| result["outcomes"].as_array().cloned().unwrap_or_default())
        .map(|outcome| format!("{} {}", outcome["format"], outcome["state"]).replace('"', ""))
        .collect()
}

#[test]
fn a_registrys_signature_is_checked_against_the_bytes() {
    let upstream = FakeUpstream::start();
    let file = publish(&upstream);
    Signer::new(&upstream).sign(&upstream, "alpha@1.0.0", &file.integrity);
    let door = Setup::new(&upstream).open();
    assert_eq!(door.get(FILE).status, 200);
    assert_eq!(states(&door), ["npm_signature verified"]);
    // What was checked is known to the next door, which asks nobody.
    let asked = upstream.count("/keys");
    let first = verifications(&door);
    let door = door.restart();
    assert_eq!(door.get(FILE).status, 200);
    assert_eq!((upstream.count("/keys"), verifications(&door)), (asked, first));
}

#[test]
fn a_forged_signature_is_refused_for_good_and_leaves_the_index() {
    let upstream = FakeUpstream::start();
    publish(&upstream);
    // Of other bytes: somebody changed the index.
    Signer::new(&upstream).sign(&upstream, "alpha@1.0.0", "sha512-AAAA");
    let door = Setup::new(&upstream).open();
    let refused = door.get(FILE);
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .text()
            .contains("its provenance does not verify: the registry's signature: invalid(signature)"),
        "{}",
        refused.text()
    );
    let listed: Value = serde_json::from_str(&door.get("/npm/alpha").text()).unwrap();
    assert!(listed["versions"]["alpha"].is_null() && listed["versions"]["1.0.0"].is_null(), "{listed}");
    // The same without the control: what was off before is on after.
    let door = Setup::new(&upstream).with(|c| c.provenance.enabled = false).open();
    assert_eq!(door.get(FILE).status, 200);
    assert!(verifications(&door).is_empty());
}

#[test]
fn a_key_that_nobody_lists_proves_nothing_and_stops_nobody() {
    let upstream = FakeUpstream::start();
    let file = publish(&upstream);
    Signer::new(&upstream).sign(&upstream, "alpha@1.0.0", &file.integrity);
    upstream.catalog().registry_keys(json!({ "keys": [] }));
    let door = Setup::new(&upstream).open();
    assert_eq!(door.get(FILE).status, 200);
    assert_eq!(states(&door), ["npm_signature invalid"]);
}

#[test]
fn announced_attestations_that_are_not_there_are_a_gap_and_asked_for_again() {
    let upstream = FakeUpstream::start();
    publish(&upstream);
    upstream.catalog().attest("alpha@1.0.0", json!({ "attestations": [] }));
    upstream.fault("/attestations/", tidegate_testkit::Fault::Status { code: 500, retry_after: None });
    let door = Setup::new(&upstream).open();
    let answer = door.get(FILE);
    assert_eq!(answer.status, 200);
    assert!(answer.header("x-tidegate-warning").is_some_and(|w| w.contains("provenance")), "{answer:?}");
    let row = verifications(&door).remove(0);
    assert!(row.result.contains("500"), "{}", row.result);
    upstream.clear_faults();
    door.clock().advance(600);
    let asked = upstream.count("/attestations/");
    assert_eq!(door.restart().get(FILE).status, 200);
    assert!(upstream.count("/attestations/") > asked);
}

#[test]
fn attestations_that_make_no_sense_are_refused() {
    let upstream = FakeUpstream::start();
    publish(&upstream);
    upstream.catalog().attest(
        "alpha@1.0.0",
        json!({ "attestations": [{ "predicateType": "https://slsa.dev/provenance/v1", "bundle": { "x": 1 } }] }),
    );
    let refused = Setup::new(&upstream).open().get(FILE);
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("does not verify"), "{}", refused.text());
}

#[test]
fn npm_shows_why_a_forged_package_is_refused() {
    let Some(npm) = tools::npm() else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream);
    Signer::new(&site.upstream).sign(&site.upstream, "alpha@1.0.0", "sha512-AAAA");
    let home = Home::new();
    let project = npm_project(&home, "project", "1.0.0");
    std::fs::write(
        project.join("package.json"),
        json!({ "name": "p", "version": "1.0.0", "dependencies": { "alpha": "1.0.0" } }).to_string(),
    )
    .unwrap();
    let done = site.run(&home, &npm).arg("install").in_folder(&project).run();
    assert!(done.status.is_some_and(|status| !status.success()));
    assert!(done.stderr.contains("its provenance does not verify"), "{}", done.stderr);
}
