//! `tidegate sbom`: of files and folders, and of what a door has looked into, by its package URL and its digest.

use std::fs;
use std::net::SocketAddr;

use serde_json::Value;
use tidegate_testkit::package::PythonForms;
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::validators::{Standard, Validators};
use tidegate_testkit::{Package, Style, client};

use crate::clients_support::Site;
use crate::support::{days_ago, sha256_of};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");

fn holds_a_leaf(version: &str) -> Package {
    Package::npm("alpha", version)
        .published(&days_ago(100))
        .file("node_modules/leaf/package.json", r#"{"name":"leaf","version":"0.1.0","license":"ISC"}"#)
}

fn sbom(home: &Home, arguments: &[&str]) -> Finished {
    Program::new(PROGRAM, home).arg("sbom").args(arguments).env("NO_COLOR", "1").run()
}

fn document(done: Finished) -> Value {
    serde_json::from_str(&done.expect_success().stdout).unwrap()
}

fn purls(bom: &Value) -> Vec<&str> {
    bom["components"].as_array().unwrap().iter().map(|one| one["purl"].as_str().unwrap()).collect()
}

#[test]
fn a_file_or_folder_has_one_without_a_door() {
    let home = Home::new();
    let file = holds_a_leaf("1.0.0").build().remove(0);
    fs::write(home.path().join(&file.name), &file.bytes).unwrap();
    let bom = document(sbom(&home, &[&file.name]));
    assert_eq!(bom["metadata"]["component"]["purl"], "pkg:npm/alpha@1.0.0");
    assert_eq!(bom["metadata"]["component"]["licenses"][0]["expression"], "MIT");
    assert_eq!(purls(&bom), ["pkg:npm/leaf@0.1.0"]);
    assert!(bom.to_string().contains(&file.sha256), "the digest of the file is in it");
    let spdx = document(sbom(&home, &["--format", "spdx", &file.name]));
    let packages = spdx["packages"].as_array().unwrap();
    assert_eq!((packages.len(), &packages[1]["versionInfo"]), (2, &Value::from("0.1.0")));

    let folder = home.folder("work");
    fs::write(folder.join("package.json"), r#"{"name":"beta","version":"2.0.0","license":"ISC"}"#).unwrap();
    std::os::unix::fs::symlink("/nowhere", folder.join("away")).unwrap();
    let done = sbom(&home, &["--output", "work.cdx.json", "work"]);
    assert!(done.stderr.contains("not looked at: work/away"), "{}", done.output());
    let bom: Value =
        serde_json::from_str(&fs::read_to_string(home.path().join("work.cdx.json")).unwrap()).unwrap();
    assert_eq!(bom["metadata"]["component"]["name"], "beta");
    assert_eq!(bom["compositions"][0]["aggregate"], "incomplete", "it does not claim to be whole: {bom:#}");
    let of_folder = document(sbom(&home, &["--format", "spdx", "work"]));
    assert!(of_folder["packages"][0]["comment"].as_str().unwrap().contains("work/away"));

    for wrong in ["missing.tgz", "pkg:npm/alpha@1.0.0"] {
        let done = sbom(&home, &[wrong]);
        assert_eq!(done.code(), Some(1), "{}", done.output());
        assert!(done.stderr.contains(if wrong.starts_with("pkg") {
            "no door runs"
        } else {
            "cannot be read"
        }));
    }
    let Some(validators) = Validators::install() else {
        eprintln!("SKIPPED: the validators of CycloneDX and SPDX cannot be installed here (no network?)");
        return;
    };
    for (standard, text) in [
        (Standard::CycloneDx("1.6"), bom.to_string()),
        (Standard::CycloneDx("1.6"), sbom(&home, &[&file.name]).stdout),
        (Standard::Spdx23, of_folder.to_string()),
        (Standard::Spdx23, spdx.to_string()),
    ] {
        validators.judge(standard, &text).unwrap_or_else(|said| panic!("{standard:?}: {said}\n{text}"));
    }
}

#[test]
fn a_door_tells_what_it_has_looked_into() {
    let site = Site::open(Style::Rich);
    site.upstream.publish(holds_a_leaf("1.0.0"));
    let both = Package::pypi("gamma", "1.0").forms(PythonForms::Both).published(&days_ago(100));
    site.upstream.publish(both.clone());
    let home = Home::new();
    let sbom = |arguments: &[&str]| site.tidegate(&home, &["sbom"]).args(arguments).run();
    let purl = "pkg:npm/alpha@1.0.0";
    let unknown = sbom(&[purl]);
    assert_eq!(unknown.code(), Some(1), "nobody has asked for the bytes yet: {}", unknown.output());
    let address = site.address();
    let address: SocketAddr = address.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let got = |path: &str| {
        let answer = client::get(address, path).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        answer.body
    };
    let bytes = got("/npm/alpha/-/alpha-1.0.0.tgz");
    let bom = document(sbom(&[purl]));
    assert_eq!(purls(&bom), ["pkg:npm/leaf@0.1.0"]);
    assert_eq!(document(sbom(&[purl])), bom, "it is of what is stored, and the same again");
    let sha256 = sha256_of(&bytes);
    let spdx = document(sbom(&["--format", "spdx", &format!("sha256:{sha256}")]));
    assert_eq!(spdx["packages"][0]["checksums"][0]["checksumValue"], sha256);
    assert_eq!(spdx["packages"][0]["packageFileName"], "alpha-1.0.0.tgz");
    // Of a version with two files it must be said which.
    for file in both.build() {
        got(&format!("/pypi/files/gamma/{}", file.name));
    }
    let several = sbom(&["pkg:pypi/gamma@1.0"]);
    assert_eq!(several.code(), Some(1), "{}", several.output());
    assert!(
        several.stderr.contains("gamma-1.0.tar.gz") && several.stderr.contains("--file"),
        "{}",
        several.stderr
    );
    let one = document(sbom(&["--file", "gamma-1.0.tar.gz", "pkg:pypi/gamma@1.0"]));
    assert_eq!(one["metadata"]["component"]["purl"], "pkg:pypi/gamma@1.0");
    assert_eq!(sbom(&["--file", "other", "pkg:pypi/gamma@1.0"]).code(), Some(1));
}
