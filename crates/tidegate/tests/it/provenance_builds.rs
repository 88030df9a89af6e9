//! Build provenance through the door: npm packages and wheels signed by an instance of our own, as they are, tampered with, and
//! built from somewhere else than the version before.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tidegate::config::{Config, SigstoreInstance};
use tidegate_provenance::testing::{Build, Sigstore, Tamper};
use tidegate_testkit::process::Home;
use tidegate_testkit::{BuiltFile, FakeUpstream, Package, Style, tools};

use crate::clients_support::{Site, npm_project};
use crate::support::{Setup, TestDoor, days_ago, json};

const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";
const REPOSITORY: &str = "acme/alpha";

/// Lets doors believe the instance.
fn believe(config: &mut Config, sigstore: &Sigstore, folder: &Path) {
    let root = folder.join("trusted-root.json");
    std::fs::write(&root, sigstore.trusted_root()).unwrap();
    config
        .provenance
        .instance
        .insert("acme".to_owned(), SigstoreInstance { root: Some(root), ..SigstoreInstance::default() });
    for name in ["npm", "pypi"] {
        config.repository.get_mut(name).unwrap().sigstore = Some("acme".to_owned());
    }
}

/// Publishes a version with the provenance of `build`.
fn publish(upstream: &FakeUpstream, sigstore: &Sigstore, version: &str, build: &Build) -> BuiltFile {
    let package = Package::npm("alpha", version).published(&days_ago(90));
    let file = upstream.publish(package).remove(0);
    attest(upstream, version, &sigstore.npm_attestations("alpha", version, &file.bytes, build));
    let signature = sigstore.npm_signature("alpha", version, &file.integrity);
    upstream.catalog().sign(&format!("alpha@{version}"), &[signature]);
    upstream.catalog().registry_keys(serde_json::from_str(&sigstore.registry_keys()).unwrap());
    file
}

fn attest(upstream: &FakeUpstream, version: &str, document: &str) {
    upstream.catalog().attest(&format!("alpha@{version}"), serde_json::from_str(document).unwrap());
}

fn door(upstream: &FakeUpstream, sigstore: &Sigstore) -> TestDoor {
    let setup = Setup::new(upstream);
    let folder = setup.data().to_owned();
    setup.with(|config| believe(config, sigstore, &folder)).open()
}

fn outcomes(door: &TestDoor, package: &str) -> Vec<Value> {
    let rows = door.door.store.catalogue.verifications_of(package).unwrap();
    let results = rows.iter().map(|row| serde_json::from_str::<Value>(&row.result).unwrap());
    results.flat_map(|result| result["outcomes"].as_array().cloned().unwrap_or_default()).collect()
}

#[test]
fn an_npm_package_with_provenance_is_verified_and_its_documents_pass_unchanged() {
    let (upstream, sigstore) = (FakeUpstream::start(), Sigstore::new());
    let file = publish(&upstream, &sigstore, "1.0.0", &Build::of(REPOSITORY));
    let door = door(&upstream, &sigstore);
    let served = door.get(FILE);
    assert_eq!((served.status, &served.body[..]), (200, &file.bytes[..]));
    let outcomes = outcomes(&door, "pkg:npm/alpha");
    assert!(outcomes.iter().all(|o| o["state"] == "verified"), "{outcomes:?}");
    assert_eq!(outcomes.len(), 3, "build, publication, registry");
    let build = outcomes.iter().find(|o| o["source_repository"].is_string()).unwrap();
    assert_eq!(build["source_repository"], "https://github.com/acme/alpha");
    assert!(!build["not_proven"].as_array().unwrap().is_empty());
    // What is signed leaves as it came, and so do the registry's signatures.
    let plain = |target: &str| {
        tidegate_testkit::client::exchange(
            upstream.address(),
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .unwrap()
    };
    let own = "/npm/-/npm/v1/attestations/alpha@1.0.0";
    assert_eq!(door.get(own).body, plain(own).body);
    let keys = "/npm/-/npm/v1/keys";
    assert_eq!(door.get(keys).body, plain(keys).body);
    let signatures = |document: &Value| document["versions"]["1.0.0"]["dist"]["signatures"].clone();
    assert_eq!(signatures(&json(&door.get("/npm/alpha"))), signatures(&json(&plain("/npm/alpha"))));
}

#[test]
fn tampered_provenance_of_every_kind_is_refused_with_the_reason() {
    let sigstore = Sigstore::new();
    for tamper in &Tamper::ALL {
        let upstream = FakeUpstream::start();
        let file = publish(&upstream, &sigstore, "1.0.0", &Build::of(REPOSITORY));
        let genuine = sigstore.npm_attestations("alpha", "1.0.0", &file.bytes, &Build::of(REPOSITORY));
        let mut document: Value = serde_json::from_str(&genuine).unwrap();
        let entries = document["attestations"].as_array_mut().unwrap();
        let build = entries.iter_mut().find(|e| e["predicateType"].as_str().unwrap().contains("slsa.dev"));
        let bundle = &mut build.unwrap()["bundle"];
        *bundle = sigstore.tampered(bundle, *tamper);
        attest(&upstream, "1.0.0", &document.to_string());
        let door = door(&upstream, &sigstore);
        let refused = door.get(FILE);
        if matches!(tamper, Tamper::NewerEntry | Tamper::NewerBundle) {
            // May be right, and nobody here can tell: a gap, which `strict` holds.
            assert_eq!(refused.status, 200, "{tamper:?} {}", refused.text());
            assert!(
                refused.header("x-tidegate-warning").is_some_and(|w| w.contains("provenance")),
                "{tamper:?}"
            );
            continue;
        }
        assert_eq!(refused.status, 403, "{tamper:?} {:?}", outcomes(&door, "pkg:npm/alpha"));
        assert!(refused.text().contains("its provenance does not verify: "), "{tamper:?} {}", refused.text());
        let listed = json(&door.get("/npm/alpha"));
        assert!(listed["versions"]["1.0.0"].is_null(), "{tamper:?}: no resolver lands on it again");
    }
}

#[test]
fn provenance_of_other_bytes_or_of_another_package_is_refused() {
    let (upstream, sigstore) = (FakeUpstream::start(), Sigstore::new());
    publish(&upstream, &sigstore, "1.0.0", &Build::of(REPOSITORY));
    for (name, version, bytes, why) in [
        ("alpha", "1.0.0", &b"other"[..], "artifact_digest"),
        ("beta", "1.0.0", &[][..], "subject_name"),
        ("alpha", "1.0.1", &[][..], "subject_name"),
    ] {
        let tarball = upstream.publish(Package::npm("alpha", "1.0.0").published(&days_ago(90))).remove(0);
        let bytes = if bytes.is_empty() { &tarball.bytes[..] } else { bytes };
        attest(&upstream, "1.0.0", &sigstore.npm_attestations(name, version, bytes, &Build::of(REPOSITORY)));
        let refused = door(&upstream, &sigstore).get(FILE);
        assert_eq!(refused.status, 403, "{why}");
        assert!(refused.text().contains(why), "{why}: {}", refused.text());
    }
}

#[test]
fn another_instance_does_not_vouch() {
    let (upstream, sigstore) = (FakeUpstream::start(), Sigstore::new());
    publish(&upstream, &sigstore, "1.0.0", &Build::of(REPOSITORY));
    // Only the public instance is believed.
    let refused = Setup::new(&upstream).open().get(FILE);
    assert_eq!(refused.status, 403);
}

#[test]
fn a_version_built_from_another_source_is_held() {
    let (upstream, sigstore) = (FakeUpstream::start(), Sigstore::new());
    publish(&upstream, &sigstore, "0.9.0", &Build::of(REPOSITORY));
    publish(&upstream, &sigstore, "1.0.0", &Build::of("mallory/alpha"));
    let door = door(&upstream, &sigstore);
    let held = door.get(FILE);
    assert_eq!(held.status, 403);
    let told = held.text();
    assert!(
        told.contains("built from https://github.com/mallory/alpha, the version before from https://github.com/acme/alpha"),
        "{told}"
    );
    // The one before may be had, and is what resolvers land on.
    assert_eq!(door.get("/npm/alpha/-/alpha-0.9.0.tgz").status, 200);
    assert_eq!(json(&door.get("/npm/alpha"))["dist-tags"]["latest"], "0.9.0");
}

#[test]
fn a_version_from_the_same_source_passes() {
    let (upstream, sigstore) = (FakeUpstream::start(), Sigstore::new());
    publish(&upstream, &sigstore, "0.9.0", &Build::of(REPOSITORY));
    let next = Build { git_ref: "refs/tags/v1.0.0".to_owned(), ..Build::of(REPOSITORY) };
    publish(&upstream, &sigstore, "1.0.0", &next);
    let door = door(&upstream, &sigstore);
    let served = door.get(FILE);
    assert_eq!(served.status, 200, "{}", served.text());
    assert!(served.header("x-tidegate-warning").is_none_or(|w| !w.contains("built")), "{served:?}");
}

#[test]
fn a_wheel_with_provenance_is_verified_and_a_tampered_one_refused() {
    let (upstream, sigstore) = (FakeUpstream::start(), Sigstore::new());
    let wheel = upstream.publish(Package::pypi("alpha", "1.0.0").published(&days_ago(90))).remove(0);
    let document = sigstore.pypi_provenance(&wheel.name, &wheel.bytes, &Build::of(REPOSITORY));
    let mut document: Value = serde_json::from_str(&document).unwrap();
    upstream.catalog().attest(&wheel.name, document.clone());
    let target = format!("/pypi/files/alpha/{}", wheel.name);
    let open = door(&upstream, &sigstore);
    let page = open.get("/pypi/simple/alpha/").text();
    let href = page.split("href=\"").find_map(|part| part.split_once(".whl").map(|(path, _)| path)).unwrap();
    let target = if href.contains("files/") { target } else { format!("{href}.whl") };
    let served = open.get(&target);
    assert_eq!(served.status, 200, "{target} {}", served.text());
    let verified = outcomes(&open, "pkg:pypi/alpha");
    assert_eq!(verified[0]["state"], "verified", "{verified:?}");
    let signature = &mut document["attestation_bundles"][0]["attestations"][0]["envelope"]["signature"];
    let mut bytes = STANDARD.decode(signature.as_str().unwrap()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let flipped = STANDARD.encode(bytes);
    *signature = json!(flipped);
    upstream.catalog().attest(&wheel.name, document);
    let refused = door(&upstream, &sigstore).get(&target);
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("its provenance does not verify"), "{}", refused.text());
}

#[test]
fn npm_and_pip_show_the_reason() {
    let sigstore = Sigstore::new();
    let mut site = Site::closed(Style::Rich);
    let root = site.data.join("root.json");
    std::fs::write(&root, sigstore.trusted_root()).unwrap();
    let config = format!(
        "[provenance.instance.acme]\nroot = {:?}\n[repository.npm]\nsigstore = \"acme\"\n[repository.pypi]\nsigstore = \"acme\"\n",
        root.display()
    );
    std::fs::write(site.data.join("tidegate.toml"), config).unwrap();
    publish(&site.upstream, &sigstore, "1.0.0", &Build::of(REPOSITORY));
    attest(
        &site.upstream,
        "1.0.0",
        &sigstore.npm_attestations("alpha", "1.0.0", b"x", &Build::of(REPOSITORY)),
    );
    let wheel = site.upstream.publish(Package::pypi("alpha", "1.0.0").published(&days_ago(90))).remove(0);
    let forged = sigstore.pypi_provenance(&wheel.name, b"other bytes", &Build::of(REPOSITORY));
    site.upstream.catalog().attest(&wheel.name, serde_json::from_str(&forged).unwrap());
    site.start_door("127.0.0.1:0");
    if let Some(npm) = tools::npm() {
        let home = Home::new();
        let project = npm_project(&home, "project", "1.0.0");
        let manifest = json!({ "name": "p", "version": "1.0.0", "dependencies": { "alpha": "1.0.0" } });
        std::fs::write(project.join("package.json"), manifest.to_string()).unwrap();
        let done = site.run(&home, &npm).arg("install").in_folder(&project).run();
        assert!(done.status.is_some_and(|status| !status.success()));
        assert!(
            done.stderr.contains("its provenance does not verify: attestation: invalid(artifact_digest)"),
            "{}",
            done.stderr
        );
    }
    for pip in tools::pips() {
        let home = Home::new();
        let done = site
            .run(&home, &pip)
            .args(["install", "--target"])
            .arg(home.folder("site"))
            .arg("alpha==1.0.0")
            .run();
        assert!(done.status.is_some_and(|status| !status.success()), "{}", pip.name());
        assert!(done.stderr.contains("provenance does not verify"), "{}: {}", pip.name(), done.stderr);
    }
}
