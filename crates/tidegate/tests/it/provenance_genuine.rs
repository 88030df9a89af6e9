//! Genuine attestations of the npm registry and of PyPI, through a door with its embedded roots: the packages come from where this
//! machine's clients get them, the attestations from the labelled set. Skips aloud where either is not to be had.

use std::path::Path;

use serde_json::{Value, json};
use tidegate::config::{Config, SigstoreInstance};
use tidegate_testkit::fetch::{self, Kind};
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::{FakeUpstream, Package, Style, data, tools};

use crate::clients_support::Site;
use crate::provenance_foreign::{IDENTITY, javascript, pypi_attestations, through};
use crate::support::{Setup, sha256_of};

/// The form of PyPI's index that names where attestations are.
const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";

/// One row of the set: its attestation and the digest of what it is about.
fn case(set: &Path, name: &str) -> Value {
    serde_json::from_str(&data::read(&set.join("cases").join(format!("{name}.json")))).unwrap()
}

/// The one file that a command leaves in a folder, where it has the digest of the row.
fn fetched(folder: &Path, case: &Value, fetch: impl FnOnce(&Path) -> Finished) -> Option<(String, Vec<u8>)> {
    let done = fetch(folder);
    let found =
        std::fs::read_dir(folder).unwrap().filter_map(Result::ok).find(|entry| entry.path().is_file());
    let Some(found) = found else {
        return tools::skip_because(&format!("the package cannot be had here: {}", done.stderr));
    };
    let bytes = std::fs::read(found.path()).unwrap();
    assert_eq!(sha256_of(&bytes), case["artifact"]["sha256"], "{}", found.path().display());
    Some((found.file_name().into_string().unwrap(), bytes))
}

/// Another source repository in the signed statement, with the old signature.
fn tampered(document: &Value) -> Value {
    let mut text = document.to_string();
    let at = text
        .find("\"payload\":\"")
        .map(|at| at + 60)
        .or_else(|| text.find("\"statement\":\"").map(|at| at + 60));
    let at = at.unwrap();
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    text.replace_range(at..=at, other);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_genuine_npm_package_is_verified_and_a_tampered_one_refused() {
    let (Some(npm), Some(set)) = (tools::npm(), data::shared_data("provenance")) else { return };
    let row = case(&set, "npm-sigstore-2.3.1-prov");
    let publish = case(&set, "npm-sigstore-2.3.1-publish");
    let folder = Home::new();
    let pack = |folder: &Path| {
        let program = Program::of_this_user(npm.path()).args(["pack", "--silent", "sigstore@2.3.1"]);
        program.in_folder(folder).timeout(std::time::Duration::from_secs(120)).run()
    };
    let Some((name, bytes)) = fetched(&folder.folder("pack"), &row, pack) else { return };
    let genuine = json!({ "attestations": [row["attestation"], publish["attestation"]] });
    for (document, verifies) in [(genuine.clone(), true), (tampered(&genuine), false)] {
        let site = Site::open(Style::Rich);
        let mut package = Package::npm("sigstore", "2.3.1").published("2024-02-05");
        // The index says what the package itself says, as the registry does.
        for (member, value) in manifest(&bytes) {
            package = package.listed(&member, value);
        }
        site.upstream.catalog().publish_bytes(package, &name, bytes.clone());
        site.upstream.catalog().attest("sigstore@2.3.1", document);
        let home = Home::new();
        let folder = home.folder("pack");
        let done = site.run(&home, &npm).args(["pack", "sigstore@2.3.1"]).in_folder(&folder).run();
        assert_eq!(done.status.is_some_and(|s| s.success()), verifies, "{}", done.stderr);
        if verifies {
            assert_eq!(std::fs::read(folder.join(&name)).unwrap(), bytes, "byte for byte");
            let passed = through(&site, "/npm/-/npm/v1/attestations/sigstore@2.3.1", "*/*");
            let said = javascript(&set, &passed);
            assert!(said.is_none_or(|said| said == ["holds", "holds"]), "{}", done.stderr);
        } else {
            assert!(done.stderr.contains("its provenance does not verify"), "{}", done.stderr);
        }
    }
}

/// `package.json` of a tarball.
fn manifest(tarball: &[u8]) -> serde_json::Map<String, Value> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(tarball));
    let is_it =
        |entry: &tar::Entry<'_, _>| entry.path().is_ok_and(|p| p == Path::new("package/package.json"));
    let entry = archive.entries().unwrap().map(Result::unwrap).find(is_it).unwrap();
    let read: serde_json::Map<String, Value> = serde_json::from_reader(entry).unwrap();
    read.into_iter()
        .filter(|(member, _)| !matches!(member.as_str(), "name" | "version" | "scripts"))
        .collect()
}

/// The set's wheels are of the staging instance, which nobody believes who does not say so; its genuine files of the public
/// one are source distributions.
#[test]
fn a_genuine_file_of_pypi_is_verified_and_what_is_not_is_refused() {
    let (pips, Some(set)) = (tools::pips(), data::shared_data("provenance")) else { return };
    let Some(pip) = pips.last() else { return };
    let (source, wheel) =
        (case(&set, "pypi-pypi_attestations-0.0.19-publish"), case(&set, "pypi-rfc8785-0.1.2-publish"));
    let home = Home::new();
    let download = |folder: &Path| fetch::from_pypi(folder, "pypi-attestations", "0.0.19", Kind::Source);
    let Some((name, bytes)) = fetched(&home.folder("source"), &source, download) else { return };
    let download = |folder: &Path| fetch::from_pypi(folder, "rfc8785", "0.1.2", Kind::Wheel);
    let Some((wheel_name, wheel_bytes)) = fetched(&home.folder("wheel"), &wheel, download) else { return };
    let genuine = provenance_of(&source, "trailofbits/pypi-attestations");
    let staging = provenance_of(&wheel, "trailofbits/rfc8785.py");
    for (project, version, name, bytes, document, verifies) in [
        ("pypi-attestations", "0.0.19", &name, &bytes, genuine.clone(), true),
        ("pypi-attestations", "0.0.19", &name, &bytes, tampered(&genuine), false),
        ("rfc8785", "0.1.2", &wheel_name, &wheel_bytes, staging, false),
    ] {
        let site = Site::open(Style::Rich);
        let package = Package::pypi(project, version).published("2024-11-15");
        site.upstream.catalog().publish_bytes(package, name, bytes.clone());
        site.upstream.catalog().attest(name, document);
        if verifies {
            let served = through(&site, &format!("/pypi/files/{project}/{name}"), "*/*");
            assert!(served == bytes[..], "byte for byte");
            let page = through(&site, &format!("/pypi/simple/{project}/"), SIMPLE_JSON);
            let page: Value = serde_json::from_slice(&page).unwrap();
            let address = page["files"][0]["provenance"].as_str().unwrap();
            // Relative to the page, as every link of ours.
            let path = format!("/pypi/{}", address.strip_prefix("../../").unwrap());
            let passed: Value = serde_json::from_slice(&through(&site, &path, "*/*")).unwrap();
            let attestation = &passed["attestation_bundles"][0]["attestations"][0];
            let said = pypi_attestations(name, &served, attestation, IDENTITY);
            assert!(said.clone().is_none_or(|said| said.is_ok()), "{said:?}");
            continue;
        }
        let home = Home::new();
        let wanted = format!("{project}=={version}");
        let done = site
            .run(&home, pip)
            .args(["install", "--no-deps", "--target"])
            .arg(home.folder("site"))
            .arg(wanted)
            .run();
        assert!(done.status.is_some_and(|s| !s.success()), "{name}");
        assert!(done.stderr.contains("provenance does not verify"), "{}", done.stderr);
    }
}

/// The set's wheels were signed with the staging instance: believed by a repository whose configuration names it, and by no other.
#[test]
fn a_genuine_wheel_is_verified_under_the_instance_that_signed_it() {
    let (Some(_), Some(set)) = (tools::python(), data::shared_data("provenance")) else { return };
    let row = case(&set, "pypi-rfc8785-0.1.2-publish");
    let home = Home::new();
    let download = |folder: &Path| fetch::from_pypi(folder, "rfc8785", "0.1.2", Kind::Wheel);
    let Some((name, bytes)) = fetched(&home.folder("wheel"), &row, download) else { return };
    let mut genuine = provenance_of(&row, "trailofbits/rfc8785.py");
    // A person signed it by hand, which is no publisher that the index knows.
    genuine["attestation_bundles"][0]["publisher"] = json!({ "kind": "person" });
    for (document, status) in [(genuine.clone(), 200), (tampered(&genuine), 403)] {
        let upstream = FakeUpstream::start();
        let package = Package::pypi("rfc8785", "0.1.2").published("2024-11-15");
        upstream.catalog().publish_bytes(package, &name, bytes.clone());
        upstream.catalog().attest(&name, document);
        let believe = |config: &mut Config| {
            config.provenance.instance.insert("staging".to_owned(), SigstoreInstance::default());
            config.repository.get_mut("pypi").unwrap().sigstore = Some("staging".to_owned());
        };
        let door = Setup::new(&upstream).with(believe).open();
        let served = door.get(&format!("/pypi/files/rfc8785/{name}"));
        assert_eq!(served.status, status, "{}", served.text());
        if status == 200 {
            assert!(served.body == bytes, "byte for byte");
            let row = door.door.store.catalogue.verifications_of("pkg:pypi/rfc8785").unwrap().remove(0);
            let checked: Value = serde_json::from_str(&row.result).unwrap();
            assert_eq!(checked["outcomes"][0]["state"], "verified", "{checked}");
        } else {
            assert!(served.text().contains("provenance does not verify"), "{}", served.text());
        }
    }
}

/// PyPI's document about one file with the attestation of a row.
fn provenance_of(row: &Value, repository: &str) -> Value {
    let publisher = json!({ "kind": "GitHub", "repository": repository, "workflow": "release.yml" });
    let bundle = json!({ "publisher": publisher, "attestations": [row["attestation"]] });
    json!({ "version": 1, "attestation_bundles": [bundle] })
}
