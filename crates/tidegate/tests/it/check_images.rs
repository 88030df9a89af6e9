//! `tidegate check` and `tidegate sbom` on container images, and what advisories of distributions say of them.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tidegate_testkit::Style;
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::validators::{Standard, Validators};

use crate::clients_support::Site;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");

const DEBIAN: &str = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";

fn status(version: &str) -> String {
    format!(
        "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: {version}\n\n\
         Package: tzdata\nStatus: install ok installed\nArchitecture: all\nVersion: 2024a-0+deb12u1\n"
    )
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A token of an issuer, made here so that none stands in the repository.
fn token() -> String {
    let body: String = "kQ7wZ2nV5xB8mR3tY6pL".chars().rev().collect();
    format!("{}{body}", ["gl", "pat-"].concat())
}

/// What `docker save` writes of an image of two layers; the upper one deletes a file with a secret.
fn saved(home: &Home, version: &str) -> PathBuf {
    let base = tar(&[
        ("etc/os-release", DEBIAN.as_bytes()),
        ("var/lib/dpkg/status", status(version).as_bytes()),
        ("opt/.npmrc", format!("token={}\n", token()).as_bytes()),
    ]);
    let upper = tar(&[
        ("opt/.wh..npmrc", b""),
        ("app/node_modules/leaf/package.json", br#"{"name":"leaf","version":"0.1.0","license":"ISC"}"#),
    ]);
    let config = br#"{"architecture":"amd64","os":"linux","config":{"User":"app"},"history":[],"rootfs":{"type":"layers","diff_ids":["sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff","sha256:ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"]}}"#;
    let manifest = br#"[{"Config":"c.json","RepoTags":["app:1"],"Layers":["a/layer.tar","b/layer.tar"]}]"#;
    let archive = tar(&[
        ("a/layer.tar", &base),
        ("b/layer.tar", &upper),
        ("c.json", config),
        ("manifest.json", manifest),
    ]);
    let path = home.path().join("app.tar");
    fs::write(&path, archive).unwrap();
    path
}

fn line(done: &Finished) -> Value {
    assert_eq!(done.stdout.lines().count(), 1, "{}", done.output());
    serde_json::from_str(&done.stdout).unwrap()
}

#[test]
fn an_image_is_put_together_and_written_as_an_sbom() {
    let home = Home::new();
    saved(&home, "3.0.11-1");
    let program =
        |arguments: &[&str]| Program::new(PROGRAM, &home).args(arguments).env("NO_COLOR", "1").run();
    let told = line(&program(&["check", "--offline", "--json", "app.tar"]));
    assert_eq!(told["artifact"]["kind"], "image");
    assert_eq!(told["image"]["distro"]["id"], "debian");
    assert_eq!(told["image"]["layers"].as_array().unwrap().len(), 2);
    let secret = told["findings"].as_array().unwrap().iter().find(|f| f["kind"] == "secret").unwrap();
    let path = secret["location"]["path"].as_str().unwrap();
    assert_eq!(path, "app.tar!/layer 1 (sha256:001122334455…)!/opt/.npmrc");
    assert!(secret["message"].as_str().unwrap().contains("the file is deleted in layer 2"), "{secret}");
    // Advisories of the distribution are not loaded, and that is no clean answer.
    let gap = told["gaps"].as_array().unwrap().iter().find(|gap| gap["fact"] == "components").unwrap();
    assert_eq!((&gap["state"], &gap["count"]), (&json!("not_scanned"), &json!(3)));
    assert!(gap["reasons"].to_string().contains("no advisory feed for Debian:12 is loaded"), "{gap:#}");

    let done = program(&["check", "--offline", "app.tar"]);
    assert!(
        done.stdout.contains("an image of Debian GNU/Linux 12 (bookworm) with 2 layers"),
        "{}",
        done.output()
    );
    let document = |arguments: &[&str]| program(arguments).stdout;
    let bom = document(&["check", "--offline", "--format", "cyclonedx", "app.tar"]);
    let purl = "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl";
    let sbom = document(&["sbom", "app.tar"]);
    let spdx = document(&["sbom", "--format", "spdx", "app.tar"]);
    for text in [&bom, &sbom, &spdx] {
        assert!(text.contains(purl) && text.contains("pkg:npm/leaf@0.1.0"), "{text}");
    }
    let Some(validators) = Validators::install() else {
        eprintln!("SKIPPED: the validators of CycloneDX and SPDX cannot be installed here (no network?)");
        return;
    };
    for (standard, text) in
        [(Standard::CycloneDx("1.6"), bom), (Standard::CycloneDx("1.6"), sbom), (Standard::Spdx23, spdx)]
    {
        validators.judge(standard, &text).unwrap_or_else(|said| panic!("{standard:?}: {said}"));
    }
}

#[test]
fn advisories_of_a_distribution_name_the_source() {
    let site = Site::open(Style::Rich);
    let flaw = |id: &str, ecosystem: &str, fixed: &str| {
        json!({
            "id": id, "modified": "2026-01-01T00:00:00Z", "summary": "reads past its end",
            "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
            "affected": [{
                "package": { "ecosystem": ecosystem, "name": "openssl" },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
            }],
        })
    };
    let records = [
        flaw("DSA-1-1", "Debian:12", "3.0.13-1~deb12u1"),
        flaw("DSA-2-1", "Debian:11", "3.0.99-1"),
        flaw("USN-1-1", "Ubuntu:22.04:LTS", "9"),
    ];
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let file = site.operator.path().join("debian.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let import = ["intel", "import", "--feed", "osv-debian", "--kind", "osv"];
    site.tidegate(&site.operator, &import).arg(&file).run().expect_success();
    let home = Home::new();
    let touching = |version: &str| {
        saved(&home, version);
        let done = site
            .tidegate(&home, &["check"])
            .args(["--offline", "--json", "app.tar"])
            .env("NO_COLOR", "1")
            .in_folder(home.path())
            .run();
        let told = line(&done);
        let all = told["findings"].as_array().unwrap().iter().filter(|f| f["kind"] == "vulnerability");
        let told: Vec<(String, String)> = all
            .map(|f| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                (text(&f["advisory"]["id"]), text(&f["component"]))
            })
            .collect();
        told
    };
    let purl = |version: &str| {
        format!("pkg:deb/debian/libssl3@{version}?arch=amd64&distro=debian-12&upstream=openssl")
    };
    // Of the release's own advisories, by the order of dpkg: a tilde comes before nothing.
    assert_eq!(touching("3.0.11-1"), [("DSA-1-1".to_owned(), purl("3.0.11-1"))]);
    assert_eq!(touching("3.0.13-1~deb12u1"), []);
    assert_eq!(touching("3.0.13-1~deb12u0").len(), 1);
}
