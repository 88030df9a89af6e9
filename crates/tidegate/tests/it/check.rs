//! `tidegate check` on lock files and SBOMs: the right component is flagged, whatever the format, with and without a door.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tidegate_testkit::process::{Finished, Home};
use tidegate_testkit::validators::{Standard, Validators};
use tidegate_testkit::{Package, Style};

use crate::check_samples::{FORMATS, Sample, spdx3};
use crate::clients_support::Site;

/// What the schema calls Rust's ecosystem, by parts.
const RUST: &str = concat!("crates", ".io");
const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const HIGH: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N";

/// A flaw in all versions of a package below 2.0.0.
fn flaw(id: &str, ecosystem: &str, name: &str, vector: &str) -> Value {
    json!({
        "id": id, "modified": "2026-01-01T00:00:00Z", "published": "2025-12-01T00:00:00Z",
        "summary": "reads any file", "details": "Every path is *read*.",
        "severity": [{ "type": "CVSS_V3", "score": vector }],
        "references": [{ "type": "WEB", "url": "https://example.test/more" },
            { "type": "ADVISORY", "url": format!("https://example.test/{id}") }],
        "database_specific": { "cwe_ids": ["CWE-22"] },
        "affected": [{
            "package": { "ecosystem": ecosystem, "name": name },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }],
        }],
    })
}

/// A critical flaw in the `leaf` of every ecosystem, and in npm one of everything else.
fn advisories() -> Vec<Value> {
    let leaves = [
        ("npm", "leaf"),
        ("PyPI", "leaf"),
        (RUST, "leaf"),
        ("Go", "example.test/leaf"),
        ("Maven", "org.test:leaf"),
        ("RubyGems", "leaf"),
        ("Packagist", "test/leaf"),
        ("NuGet", "Leaf"),
    ];
    let mut records: Vec<Value> = leaves
        .iter()
        .enumerate()
        .map(|(n, (ecosystem, name))| flaw(&format!("CVE-2026-100{n}"), ecosystem, name, CRITICAL))
        .collect();
    records.push(flaw("CVE-2026-2000", "npm", "high-of-test", HIGH));
    records.push(flaw("CVE-2026-3000", "npm", "exploited-of-test", HIGH));
    let mut withdrawn = flaw("CVE-2026-4000", "npm", "withdrawn-of-test", CRITICAL);
    withdrawn["withdrawn"] = "2026-02-01T00:00:00Z".into();
    records.push(withdrawn);
    records.push(json!({
        "id": "MAL-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "Malicious code in evil-of-test",
        "affected": [{ "package": { "ecosystem": "npm", "name": "evil-of-test" }, "versions": ["1.0.0"] }],
    }));
    records
}

/// A site whose door has these advisories, KEV and EPSS loaded.
fn site() -> Site {
    let site = Site::open(Style::Rich);
    load(&site);
    site
}

fn load(site: &Site) {
    let lines: Vec<String> = advisories().iter().map(Value::to_string).collect();
    let kev = json!({
        "title": "t", "catalogVersion": "2026.11.01", "dateReleased": "2026-11-01T00:00:00Z", "count": 1,
        "vulnerabilities": [{ "cveID": "CVE-2026-3000", "dateAdded": "2026-10-01", "dueDate": "2026-11-20" }],
    });
    let epss = "#model_version:v2025.03.14,score_date:2026-11-20T12:00:00Z\ncve,epss,percentile\nCVE-2026-3000,0.91000,0.99900\n";
    for (kind, name, text) in [
        ("osv", "all.jsonl", lines.join("\n")),
        ("kev", "kev.json", kev.to_string()),
        ("epss", "epss.csv", epss.into()),
    ] {
        let file = site.operator.path().join(name);
        fs::write(&file, text).unwrap();
        let import = ["intel", "import", "--feed", kind, "--kind", kind];
        site.tidegate(&site.operator, &import).arg(&file).run().expect_success();
    }
}

fn written(home: &Home, name: &str, text: &str) -> PathBuf {
    let path = home.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn check(site: &Site, home: &Home, args: &[&str]) -> Finished {
    site.tidegate(home, &["check"]).args(args).env("NO_COLOR", "1").in_folder(home.path()).run()
}

fn lines(done: &Finished) -> Vec<Value> {
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_format_shows_what_advisories_say() {
    let site = site();
    let home = Home::new();
    let samples = FORMATS.iter().copied().chain([("spdx3/bom.spdx3.json", spdx3(), "npm")]);
    let mut seen = 0;
    for (name, text, ty) in samples {
        seen += 1;
        written(&home, name, text);
        let done = check(&site, &home, &["--offline", "--json", name]);
        let told = || format!("{name}: {}", done.output());
        assert_eq!(done.code(), Some(4), "{}", told());
        let all = lines(&done);
        let components: Vec<&Value> =
            all.iter().filter(|line| line["artifact"]["kind"] == "package").collect();
        let flagged: Vec<&&Value> =
            components.iter().filter(|line| !line["findings"].as_array().unwrap().is_empty()).collect();
        assert_eq!(flagged.len(), 1, "{}", told());
        let leaf = flagged[0];
        assert_eq!(leaf["input"], name);
        let purl = leaf["artifact"]["purl"].as_str().unwrap();
        assert!(
            purl.starts_with(&format!("pkg:{ty}/")) && purl.to_lowercase().contains("leaf@"),
            "{}",
            told()
        );
        assert_eq!(leaf["decision"]["action"], "block", "{}", told());
        assert_eq!(leaf["decision"]["reasons"][0]["rule"], "critical-fixed", "{}", told());
        assert_eq!(leaf["nearest_compliant"], "2.0.0", "{}", told());
        let finding = &leaf["findings"][0];
        assert_eq!((&finding["kind"], &finding["severity"]), (&json!("vulnerability"), &json!("critical")));
        assert_eq!(finding["location"]["path"], name);
        let line = finding["location"]["line"].as_u64().unwrap() as usize;
        // The place is that of the component: its name stands there, or right below.
        let near: Vec<&str> = text.lines().skip(line.saturating_sub(1)).take(6).collect();
        assert!(near.concat().to_lowercase().contains("leaf"), "{name}:{line}: {near:?}");
        let advisory = &finding["advisory"];
        assert!(advisory["id"].as_str().unwrap().starts_with("CVE-2026-100"), "{}", told());
        assert_eq!(advisory["effective_severity"], "critical");
        assert_eq!(advisory["kev"], false);
        assert_eq!(advisory["fixed_in"], json!(["2.0.0"]));
        // The other one is there, clean of findings, and what is not known of it is a gap.
        let fine =
            components.iter().find(|c| c["artifact"]["purl"].as_str().unwrap_or_default().contains("fine"));
        let fine = fine.unwrap_or_else(|| panic!("{}", told()));
        assert!(["allow", "warn"].contains(&fine["decision"]["action"].as_str().unwrap()), "{}", told());
        assert!(!fine["gaps"].as_array().unwrap().is_empty(), "{}", told());
        assert!(
            fine["gaps"].as_array().unwrap().iter().all(|g| g["fact"] != "vulnerabilities"),
            "{}",
            told()
        );

        let shown = check(&site, &home, &["--offline", name]);
        assert_eq!(shown.code(), Some(4), "{}", shown.output());
        let first = shown.stdout.lines().next().unwrap();
        assert!(first.starts_with("block") && first.to_lowercase().contains("leaf"), "{}", shown.stdout);
        assert!(shown.stdout.contains("(critical 9.8): reads any file; fixed in 2.0.0"), "{}", shown.stdout);
        assert!(shown.stdout.contains("take 2.0.0 instead"), "{}", shown.stdout);
        let shows_fine = |done: &Finished| done.stdout.contains("fine@");
        assert!(!shows_fine(&shown), "only what needs action: {}", shown.stdout);
        assert!(shows_fine(&check(&site, &home, &["--offline", "--all", name])));
    }
    assert!(seen >= 20, "{seen} formats");
}

const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
"": {"name": "shop", "version": "1.0.0"},
"node_modules/clean-of-test": {"version": "1.0.0"},
"node_modules/high-of-test": {"version": "1.5.0"},
"node_modules/exploited-of-test": {"version": "1.0.0"},
"node_modules/evil-of-test": {"version": "1.0.0"},
"node_modules/withdrawn-of-test": {"version": "1.0.0"}
}}"#;

/// The packages of [`LOCK`], as the upstream has them.
fn publish(site: &Site) {
    for (name, versions) in [
        ("clean-of-test", &["1.0.0"][..]),
        ("high-of-test", &["1.4.0", "1.5.0", "2.0.0", "2.1.0"]),
        ("exploited-of-test", &["1.0.0", "2.0.0"]),
        ("evil-of-test", &["0.9.0", "1.0.0"]),
        ("withdrawn-of-test", &["1.0.0"]),
    ] {
        for version in versions {
            site.upstream.publish(Package::npm(name, version).published("2020-01-01T00:00:00Z"));
        }
    }
}

#[test]
fn each_kind_of_finding_has_its_action_and_its_way_out() {
    let site = site();
    publish(&site);
    let home = Home::new();
    written(&home, "package-lock.json", LOCK);
    let done = check(&site, &home, &["--json", "package-lock.json"]);
    assert_eq!(done.code(), Some(4), "{}", done.output());
    let told = lines(&done);
    assert_eq!(told.len(), 5, "one line a component, in the order of the file");
    let of = |name: &str| {
        let purl = format!("pkg:npm/{name}@");
        let found = told.iter().find(|line| line["artifact"]["purl"].as_str().unwrap().starts_with(&purl));
        found.unwrap_or_else(|| panic!("{}", done.output()))
    };
    let action = |name: &str| of(name)["decision"]["action"].as_str().unwrap().to_owned();
    assert!(told[0]["artifact"]["purl"].as_str().unwrap().contains("clean-of-test"), "{}", told[0]);
    assert_eq!((action("high-of-test"), action("exploited-of-test")), ("warn".into(), "block".into()));
    assert_eq!(action("evil-of-test"), "block");
    assert!(["allow", "warn"].contains(&&*action("withdrawn-of-test")), "{}", of("withdrawn-of-test"));
    assert_eq!(of("withdrawn-of-test")["findings"], json!([]), "a retraction is no finding");
    let exploited = &of("exploited-of-test")["findings"][0]["advisory"];
    assert_eq!((&exploited["kev"], &exploited["epss"]), (&json!(true), &json!(0.91)));
    let malware = &of("evil-of-test")["findings"][0];
    assert_eq!((&malware["kind"], &malware["severity"]), (&json!("malware"), &json!("critical")));
    // The nearest version, not the newest; below, where nothing above is free of it.
    assert_eq!(of("high-of-test")["nearest_compliant"], "2.0.0");
    assert_eq!(of("high-of-test")["newest_compliant"], "2.1.0");
    assert_eq!(of("evil-of-test")["nearest_compliant"], "0.9.0");
    assert!(of("clean-of-test").get("nearest_compliant").is_none());

    let shown = check(&site, &home, &["package-lock.json"]);
    let at = |text: &str| shown.stdout.find(text).unwrap_or_else(|| panic!("{text}: {}", shown.stdout));
    assert!(at("evil-of-test") < at("high-of-test") && at("exploited-of-test") < at("high-of-test"));
    assert!(shown.stdout.contains("CVE-2026-3000 (high 7.5, exploited, EPSS 91.0 %)"), "{}", shown.stdout);
    assert!(
        shown.stdout.contains("treat machines that installed this one as compromised"),
        "{}",
        shown.stdout
    );
    assert!(!shown.stdout.contains("clean-of-test") && !shown.stdout.contains("withdrawn-of-test"));
    let guide =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/check.md")).unwrap();
    let begin = "```text from each_kind_of_finding_has_its_action_and_its_way_out\n";
    let block = guide.split_once(begin).unwrap().1.split_once("```").unwrap().0;
    assert_eq!(shown.stdout.trim_end(), block.trim_end(), "docs/guides/check.md shows what is printed");
    let last = shown.stdout.lines().last().unwrap();
    assert!(last.starts_with("package-lock.json: 5 components: 2 block, "), "{last}");
    assert!(last.contains("1 malicious; 2 known vulnerabilities (1 exploited)"), "{last}");

    // Below the worst: what warns ends with 0; another policy decides otherwise, here by a pack and by a file.
    let high = ["pkg:npm/high-of-test@1.5.0"];
    assert_eq!(check(&site, &home, &high).code(), Some(0));
    assert_eq!(check(&site, &home, &["--policy", "observe", "package-lock.json"]).code(), Some(0));
    written(
        &home,
        "own.toml",
        "[policy]\nid = \"own\"\nversion = \"1\"\nextends = \"baseline\"\n\n[[rule]]\nid = \"no-high\"\naction = \"quarantine\"\nunknown = \"allow\"\nmessage = \"no high ones\"\n[rule.when]\nvulnerabilities = { some = { effective_severity = { ge = \"high\" } } }\n",
    );
    assert_eq!(check(&site, &home, &["--policy", "own.toml", high[0]]).code(), Some(3));
    written(&home, "broken.toml", "[policy]\nid = 3\n");
    let broken = check(&site, &home, &["--policy", "broken.toml", high[0]]);
    assert_eq!(broken.code(), Some(1));
    assert!(broken.stderr.contains("broken.toml:2"), "{}", broken.stderr);
}

#[test]
fn what_an_upstream_does_not_have_is_still_compared_with_advisories() {
    let site = site();
    let home = Home::new();
    // Taken down by the registry since: the lock file still names it.
    let evil = check(&site, &home, &["--json", "pkg:npm/evil-of-test@1.0.0"]);
    assert_eq!(evil.code(), Some(4), "{}", evil.output());
    assert_eq!(lines(&evil)[0]["findings"][0]["advisory"]["id"], "MAL-2026-1");
    // What advisories do not refuse is no admission, either.
    let high = check(&site, &home, &["--json", "pkg:npm/high-of-test@1.0.0"]);
    assert_eq!(high.code(), Some(1), "{}", high.output());
    assert!(lines(&high)[0].get("decision").is_none());
    assert_eq!(lines(&high)[0]["findings"][0]["advisory"]["id"], "CVE-2026-2000");
}

#[test]
fn checks_without_a_door_use_what_is_loaded_and_say_what_is_not() {
    let home = Home::new();
    written(&home, "package-lock.json", LOCK);
    written(&home, "go.mod", FORMATS.iter().find(|(name, ..)| name.ends_with("go.mod")).unwrap().1);
    let mut site = site();
    site.close_door();
    let done = check(&site, &home, &["--offline", "--json", "package-lock.json", "go.mod"]);
    assert_eq!(done.code(), Some(4), "{}", done.output());
    let kinds: Vec<Value> =
        lines(&done).iter().filter_map(|l| Some(l["findings"].get(0)?["kind"].clone())).collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");

    // A data directory that knows nothing: the gap is loud, in every form of the answer.
    let empty = Site::closed(Style::Rich);
    let told = check(&empty, &home, &["--offline", "--json", "package-lock.json", "go.mod"]);
    assert_eq!(told.code(), Some(0), "baseline warns of gaps: {}", told.output());
    for line in lines(&told).iter().filter(|line| line["artifact"]["kind"] == "package") {
        assert_eq!(line["decision"]["action"], "warn", "{line}");
        let gaps = line["gaps"].as_array().unwrap();
        let gap =
            gaps.iter().find(|gap| gap["fact"] == "vulnerabilities").unwrap_or_else(|| panic!("{line}"));
        assert_eq!(gap["state"], "not_scanned");
        assert!(gap["why"].as_str().unwrap().contains("no advisory feed for"), "{gap}");
    }
    let shown = check(&empty, &home, &["--offline", "go.mod"]);
    assert!(shown.stdout.contains("not known [not_scanned]: vulnerabilities of"), "{}", shown.stdout);
    assert!(shown.stdout.contains("no advisory feed for Go is loaded"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("0 known vulnerabilities"), "{}", shown.stdout);
    assert_eq!(check(&empty, &home, &["--offline", "--policy", "strict", "go.mod"]).code(), Some(3));
}

#[test]
fn documents_of_real_runs_pass_other_validators() {
    let site = site();
    publish(&site);
    let home = Home::new();
    written(&home, "package-lock.json", LOCK);
    let bom = FORMATS.iter().find(|(name, ..)| name.contains("cyclonedx")).unwrap();
    written(&home, "bom.json", bom.1);
    let validators = Validators::install();
    if validators.is_none() {
        eprintln!(
            "SKIPPED: the validators of CycloneDX, SARIF and OpenVEX cannot be installed here (no network?)"
        );
    }
    let formats = [
        ("cyclonedx", Standard::CycloneDx("1.6")),
        ("cyclonedx-1.7", Standard::CycloneDx("1.7")),
        ("sarif", Standard::Sarif),
        ("openvex", Standard::OpenVex),
    ];
    for input in ["package-lock.json", "bom.json", "pkg:npm/evil-of-test@1.0.0"] {
        for (format, standard) in formats {
            let done = check(&site, &home, &["--format", format, input]);
            assert_eq!(done.code(), Some(4), "the status is that of the decisions: {}", done.output());
            let document: Value = serde_json::from_str(&done.stdout).unwrap();
            let text = document.to_string();
            let id = match input {
                "package-lock.json" => "CVE-2026-3000",
                "bom.json" => "CVE-2026-100",
                _ => "MAL-2026-1",
            };
            assert!(text.contains(id), "{format} of {input}: {}", done.stdout);
            match &validators {
                Some(judges) if standard != Standard::Sarif || judges.knows_sarif() => {
                    let said = judges.judge(standard, &done.stdout);
                    assert_eq!(said, Ok(()), "{format} of {input}: {}", done.stdout);
                }
                _ => {}
            }
        }
    }
    // Into a file, with the report for people beside it.
    let done = check(&site, &home, &["--format", "sarif", "--output", "out.sarif", "package-lock.json"]);
    assert!(done.stdout.starts_with("block"), "{}", done.output());
    let sarif: Value = serde_json::from_slice(&fs::read(home.path().join("out.sarif")).unwrap()).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let at = |id: &str| {
        let result =
            results.iter().find(|result| result["ruleId"] == id).unwrap_or_else(|| panic!("{sarif:#}"));
        result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64()
    };
    assert_eq!((at("CVE-2026-3000"), at("MAL-2026-1")), (Some(5), Some(6)));
    let json = check(&site, &home, &["--json", "--output", "out.jsonl", "package-lock.json"]);
    assert!(json.stdout.starts_with("block"));
    assert_eq!(fs::read_to_string(home.path().join("out.jsonl")).unwrap().lines().count(), 5);
    // OpenVEX has no document that states nothing.
    let nothing = check(&site, &home, &["--format", "openvex", "pkg:npm/clean-of-test@1.0.0"]);
    assert_eq!((nothing.code(), nothing.stdout.as_str()), (Some(0), ""), "{}", nothing.output());
    assert!(nothing.stderr.contains("nothing to state"), "{}", nothing.stderr);
    for wrong in [
        &["--format", "sarif", "a", "b"][..],
        &["--format", "sarif", "-"],
        &["--format", "csv", "a"],
        &["--format", "sarif", "--json", "a"],
    ] {
        assert_eq!(check(&site, &home, wrong).code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn broken_and_hostile_files_are_refused_with_their_place() {
    let site = Site::closed(Style::Rich);
    let home = Home::new();
    let cases: [(&str, String, &str); 11] = [
        ("package-lock.json", "{\"lockfileVersion\": 3,\n\"packages\": {]}".into(), "line 2"),
        ("pnpm-lock.yaml", "lockfileVersion: '99'\n".into(), "5 to 9 are read"),
        ("poetry.lock", "# This file is automatically @generated by Poetry\n[[package]\n".into(), "line 2"),
        ("Cargo.lock", "version = 4\n[[package]\n".into(), "line 2"),
        ("go.mod", "module m\nrequire x\n".into(), "line 2: `require x`"),
        ("pom.xml", "<project>\n<dependencies>\n</project>".into(), "line 3"),
        ("composer.lock", "{\"packages\":\n[1}".into(), "line 2"),
        ("bom.cdx.json", "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"9.9\"}".into(), "9.9"),
        (
            "deep/bom.cdx.json",
            format!(
                "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":{}",
                "[".repeat(200_000)
            ),
            "line 1",
        ),
        ("many/requirements.txt", "x==1\n".repeat(200_001), "200,000 entries"),
        (
            "bom.xml",
            "<bom xmlns='http://cyclonedx.org/schema/bom/1.5'/>".into(),
            "this looks like CycloneDX as XML",
        ),
    ];
    for (name, text, expected) in cases {
        written(&home, name, &text);
        let done = check(&site, &home, &["--offline", name]);
        assert_eq!(done.code(), Some(1), "{name}: {}", done.stderr);
        assert!(done.stderr.contains(&format!("`{name}`")), "{name}: {}", done.stderr);
        assert!(done.stderr.contains(expected), "{name}: {}", done.stderr);
        let remedy =
            ["make the file anew", "SBOMs as JSON"].iter().any(|remedy| done.stderr.contains(remedy));
        assert!(remedy, "{name}: {}", done.stderr);
    }
    // What has no end, and what is too long.
    let endless = check(&site, &home, &["--offline", "/dev/zero"]);
    assert_eq!(endless.code(), Some(1));
    assert!(endless.stderr.contains("is a device"), "{}", endless.stderr);
    let long = format!("{{\"bomFormat\":\"CycloneDX\",\"x\":\"{}\"}}", "x".repeat(64 << 20));
    written(&home, "long.json", &long);
    let long = check(&site, &home, &["--offline", "long.json"]);
    assert_eq!(long.code(), Some(1));
    assert!(long.stderr.contains("larger than 64 MiB"), "{}", long.stderr);
    let told = check(&site, &home, &["--offline", "--json", "go.mod", "pkg:maven/"]);
    let told = lines(&told);
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|line| line["error"]["code"] == "bad_input"), "{told:?}");
    // What could not be read as a component is told, not passed over.
    written(&home, "requirements.txt", "fine==1.0.0\nfork @ git+https://git.example/fork\n./near\n");
    let notes = lines(&check(&site, &home, &["--offline", "--json", "requirements.txt"]));
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert_eq!((&notes[1]["artifact"]["kind"], &notes[1]["gaps"][0]["line"]), (&json!("file"), &json!(2)));
    let shown = check(&site, &home, &["--offline", "requirements.txt"]);
    assert!(shown.stdout.contains("not looked at: 1 entry of requirements.txt"), "{}", shown.stdout);
    assert!(shown.stdout.contains("1 of the project itself"), "{}", shown.stdout);
}

#[test]
fn samples_are_told_apart_by_name_and_content() {
    let names: Vec<&Sample> = FORMATS.iter().collect();
    assert!(names.iter().all(|(_, text, _)| text.to_lowercase().contains("leaf") && text.contains("fine")));
}
