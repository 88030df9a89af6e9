use super::*;
use crate::report::{Leaf, Place};

fn text(id: &str) -> &'static str {
    spdx::license_id(id).unwrap().text()
}

/// What a package of these files comes to.
fn package(files: &[(&str, &str)]) -> Licences {
    let mut collector = LicenceCollector::new();
    for (name, content) in files {
        let path = format!("a.tgz!/package/{name}");
        let bytes = content.as_bytes();
        collector.leaf(&Leaf {
            path: &path,
            bytes,
            format: crate::Format::of(bytes),
            place: Place::default(),
        });
    }
    collector.finish()
}

fn manifest(licence: &str) -> String {
    serde_json::json!({ "name": "a", "version": "1.0.0", "license": licence }).to_string()
}

fn check(licence: &str, files: &[(&str, &str)], concluded: &str, detectors: &[&str]) {
    let manifest = manifest(licence);
    let mut all = vec![("package.json", manifest.as_str())];
    all.extend_from_slice(files);
    let licences = package(&all);
    assert_eq!(licences.concluded.as_deref().unwrap_or("-"), concluded, "{licence}: {}", licences.because);
    let findings = licences.findings("a.tgz");
    let found: Vec<&str> = findings.iter().map(|finding| finding.detector.as_str()).collect();
    assert_eq!(found, detectors, "{licence}: {findings:#?}");
}

#[test]
fn a_declaration_and_its_text_agree() {
    check("MIT", &[("LICENSE", text("MIT"))], "MIT", &[]);
    check("MIT", &[], "MIT", &[]);
    check(
        "MIT OR Apache-2.0",
        &[("LICENSE-MIT", text("MIT")), ("LICENSE-APACHE", text("Apache-2.0"))],
        "MIT OR Apache-2.0",
        &[],
    );
    check("GPL-2.0-or-later", &[("COPYING", text("GPL-2.0-only"))], "GPL-2.0-or-later", &[]);
    check(
        "Apache-2.0 WITH LLVM-exception",
        &[("LICENSE", text("Apache-2.0"))],
        "Apache-2.0 WITH LLVM-exception",
        &[],
    );
    check(
        "LGPL-3.0-or-later",
        &[("COPYING", text("GPL-3.0-only")), ("COPYING.LESSER", text("LGPL-3.0-only"))],
        "LGPL-3.0-or-later",
        &[],
    );
    let bundled =
        [("LICENSE", text("MIT")), ("node_modules/b/LICENSE", text("GPL-3.0-only")), ("NOTICE", text("ISC"))];
    check("MIT", &bundled, "MIT", &[]);
}

#[test]
fn a_conflict_says_what_and_where() {
    let files = [("LICENSE", text("GPL-3.0-only"))];
    check("MIT", &files, "MIT AND GPL-3.0-only", &["licence/conflict"]);
    let manifest = manifest("MIT");
    let licences = package(&[("package.json", &manifest), files[0]]);
    let conflict = &licences.conflicts[0];
    assert_eq!(conflict.kind, ConflictKind::Different);
    assert_eq!(conflict.path, "a.tgz!/package/LICENSE");
    assert_eq!(conflict.declared_path, "a.tgz!/package/package.json");
    assert_eq!(conflict.detected, ["GPL-3.0-only", "GPL-3.0-or-later"]);
    let two = format!("{}\n\n{}", text("MIT"), text("AGPL-3.0-only"));
    check("MIT", &[("LICENSE", &two)], "MIT", &["licence/conflict"]);
}

#[test]
fn what_is_not_spdx_is_corrected_or_stays_open() {
    check("Apache 2.0", &[], "Apache-2.0", &["licence/not-spdx"]);
    check("BSD", &[], "-", &["licence/not-spdx"]);
    check("BSD", &[("LICENSE", text("BSD-3-Clause"))], "BSD-3-Clause", &["licence/not-spdx"]);
    check("BSD", &[("LICENSE", text("MIT"))], "MIT", &["licence/conflict", "licence/not-spdx"]);
    check("Acme EULA", &[], "-", &["licence/not-spdx"]);
    check("UNLICENSED", &[], "-", &[]);
    check("SEE LICENSE IN LICENSE", &[("LICENSE", text("ISC"))], "ISC", &[]);
    let gpl = format!(
        "This is free software under the GNU General Public License as published by the Free Software Foundation; either version 2 of the License, or (at your option) any later version.\n\n{}",
        text("GPL-2.0-only")
    );
    check("SEE LICENSE IN COPYING", &[("COPYING", &gpl)], "GPL-2.0-or-later", &[]);
}

#[test]
fn tags_and_silence() {
    let licences = package(&[
        ("a.js", "// SPDX-License-Identifier: MIT\n"),
        ("b.js", "/* SPDX-License-Identifier: MIT */"),
    ]);
    assert_eq!(licences.concluded.as_deref(), Some("MIT"));
    assert_eq!((licences.tags.len(), licences.tags[0].files), (1, 2));
    let licences = package(&[("a.js", "x()")]);
    assert_eq!(licences.concluded, None);
    assert_eq!(licences.findings("a.tgz")[0].detector, "licence/none-stated");
}

#[test]
fn a_whole_text_as_a_declaration_is_compared() {
    let metadata =
        format!("Name: a\nVersion: 1\nLicense: {}\n", text("BSD-2-Clause").replace('\n', "\n        "));
    let mut collector = LicenceCollector::new();
    let path = "a.whl!/a-1.dist-info/METADATA";
    let bytes = metadata.as_bytes();
    collector.leaf(&Leaf { path, bytes, format: crate::Format::Text, place: Place::default() });
    assert_eq!(collector.finish().concluded.as_deref(), Some("BSD-2-Clause"));
}

#[test]
fn what_is_too_long_is_told() {
    let long = format!("{}\n{}", text("MIT"), "x ".repeat(1 << 20));
    let licences = package(&[("LICENSE", &long)]);
    assert_eq!((licences.not_compared, licences.concluded.as_deref()), (1, Some("MIT")));
}

#[test]
fn results_survive_being_stored() {
    let licences = package(&[("package.json", &manifest("BSD")), ("LICENSE", text("MIT"))]);
    let stored = serde_json::to_string(&licences).unwrap();
    assert_eq!(serde_json::from_str::<Licences>(&stored).unwrap(), licences);
}
