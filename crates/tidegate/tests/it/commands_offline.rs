//! Commands that need no door: how they work without one, and how they fail.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory as _;
use tidegate_testkit::process::{Finished, Home, Program};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");

fn run(home: &Home, arguments: &[&str]) -> Finished {
    Program::new(PROGRAM, home).args(arguments).run()
}

#[track_caller]
fn refused(home: &Home, arguments: &[&str]) -> String {
    let finished = run(home, arguments);
    assert_eq!(finished.code(), Some(1), "{}", finished.output());
    let said = finished.output();
    assert!(said.lines().count() <= 8 && !said.contains("panicked"), "{said}");
    said
}

fn write(home: &Home, name: &str, text: &str) -> String {
    let path = home.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn without_a_door_every_command_says_what_where_and_what_to_do() {
    let home = Home::new();
    for command in [
        &["status"][..],
        &["why", "pkg:npm/x"],
        &["who", "pkg:npm/x"],
        &["policy", "show"],
        &["policy", "reload"],
        &["quarantine", "list"],
        &["waiver", "list"],
        &["token", "create", "ann"],
        &["person", "list"],
        &["alarms", "list"],
    ] {
        let said = refused(&home, command);
        assert!(said.contains("no door runs in `") && said.contains("tidegate up"), "{command:?}: {said}");
    }
    let elsewhere = refused(&home, &["status", "--door", "http://127.0.0.1:1/"]);
    assert!(elsewhere.contains("no door answers at http://127.0.0.1:1/"), "{elsewhere}");
    assert!(refused(&home, &["status", "--door", "ftp://x.test/"]).contains("no address of a door"));
    let doctor = run(&home, &["doctor"]);
    assert_eq!(doctor.code(), Some(1));
    assert!(doctor.stdout.contains("no door runs in"), "{}", doctor.stdout);
}

#[test]
fn wrong_usage_ends_with_status_2() {
    let home = Home::new();
    for wrong in [
        &["nonsense"][..],
        &["why"],
        &["token", "create", "ann", "--expires", "soon"],
        &["token", "create", "ann", "--scope", "all"],
        &["quarantine", "block", "pkg:npm/x"],
        &["policy", "explain"],
    ] {
        assert_eq!(run(&home, wrong).code(), Some(2), "{wrong:?}");
    }
    // A token is never shown in help, though it may stand in the environment.
    let help = Program::new(PROGRAM, &home).args(["status", "--help"]).env("TIDEGATE_TOKEN", "tg_shh").run();
    assert!(help.succeeded() && !help.stdout.contains("tg_shh"), "{}", help.stdout);
}

#[test]
fn policies_are_shown_checked_tested_and_explained() {
    let home = Home::new();
    let shown = run(&home, &["policy", "show", "baseline"]).expect_success().stdout;
    assert!(shown.contains("cooldown") && shown.contains("quarantine"), "{shown}");
    let source = run(&home, &["policy", "show", "strict", "--source"]).expect_success().stdout;
    assert!(source.contains("[[rule]]"), "{source}");
    run(&home, &["policy", "lint", "baseline", "strict", "observe"]).expect_success();

    let broken = write(
        &home,
        "broken.toml",
        "[policy]\nid = \"x\"\nversion = \"1\"\n\n[[rule]]\nid = \"r\"\naction = \"blok\"\n[rule.when]\n\"artifact.name\" = \"x\"\n",
    );
    for command in [&["policy", "lint", &broken][..], &["policy", "show", &broken]] {
        let said = refused(&home, command);
        assert!(said.contains("broken.toml:7") && said.contains("write one of"), "{said}");
    }
    assert!(refused(&home, &["policy", "lint", "nowhere.toml"]).contains("neither a policy pack nor a file"));

    let facts = write(
        &home,
        "facts.jsonl",
        "{\"artifact\":{\"purl\":\"pkg:npm/x@1.0.0\",\"published_at\":\"2026-11-20T00:00:00Z\"}}\n{\"artifact\":{\"purl\":\"pkg:npm/x@0.9.0\",\"published_at\":\"2020-01-01T00:00:00Z\"}}\n",
    );
    let explained = run(&home, &["policy", "explain", "--facts", &facts, "--now", "2026-11-21", "--json"])
        .expect_success();
    let decided: Vec<serde_json::Value> =
        explained.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(decided.len(), 2);
    assert_eq!(decided[0]["decision"]["action"], "quarantine");
    assert_eq!(decided[0]["decision"]["selectable_from"], "2026-11-23T00:00:00Z");
    assert_ne!(decided[1]["decision"]["action"], "quarantine");
    let waivers = write(
        &home,
        "waivers.jsonl",
        "{\"id\":\"W-1\",\"rules\":[\"cooldown\"],\"purl\":\"pkg:npm/x@1.0.0\",\"requested_by\":\"ann\",\"state\":\"approved\",\"created_at\":\"2026-11-20T00:00:00Z\",\"expires_at\":\"2026-11-30T00:00:00Z\"}\n",
    );
    let waived =
        ["policy", "explain", "--facts", &facts, "--waivers", &waivers, "--now", "2026-11-21", "--json"];
    let waived = run(&home, &waived).expect_success().stdout;
    let first: serde_json::Value = serde_json::from_str(waived.lines().next().unwrap()).unwrap();
    assert_eq!(first["decision"]["waived"][0]["rule"], "cooldown");
    let bad = write(&home, "bad.json", "{\n  \"artifact\": nonsense\n}\n");
    assert!(refused(&home, &["policy", "explain", "--facts", &bad]).contains("bad.json: line 2"));

    let case = |action: &str| {
        format!(
            "pack = \"baseline\"\nnow = \"2026-11-21T00:00:00Z\"\n[[case]]\nname = \"young\"\nfacts.artifact.purl = \"pkg:npm/x@1.0.0\"\nfacts.artifact.published_at = \"2026-11-20T00:00:00Z\"\n[case.expect]\naction = \"{action}\"\n"
        )
    };
    let good = write(&home, "good.toml", &case("quarantine"));
    assert!(run(&home, &["policy", "test", &good]).expect_success().stdout.contains("1 passed, 0 failed"));
    let failing = write(&home, "failing.toml", &case("allow"));
    let said = refused(&home, &["policy", "test", &failing]);
    assert!(said.contains("expected allow, found quarantine") && said.contains("young"), "{said}");
}

#[test]
fn the_configuration_is_checked_and_shown_with_its_sources() {
    let home = Home::new();
    let template = run(&home, &["config", "template"]).expect_success().stdout;
    let good = write(&home, "good.toml", &template);
    assert!(run(&home, &["config", "check", &good]).expect_success().stdout.contains("can be used"));
    let bad = write(&home, "bad.toml", "[server]\nlisten = \"127.0.0.1:1\"\nport = 3\n");
    for command in [&["config", "check", &bad][..], &["config", "show", &bad], &["up", "--config", &bad]] {
        let said = refused(&home, command);
        assert!(said.contains("bad.toml: line 3") && said.contains("port"), "{said}");
        assert!(said.contains("tidegate config template"), "{said}");
    }
    let pack = write(&home, "pack.toml", "[policy]\npack = \"mine\"\n");
    assert!(
        refused(&home, &["config", "check", &pack])
            .contains("pack.toml: line 2: [policy] there is no pack `mine`")
    );
    let own = write(&home, "own.toml", "[cache]\nfresh_seconds = 5\n");
    let shown = run(&home, &["config", "show", &own]).expect_success().stdout;
    assert!(shown.contains("cache.fresh_seconds = 5  (") && shown.contains("own.toml)"), "{shown}");
    assert!(shown.contains("cache.absent_seconds = 20  (default)"), "{shown}");
    assert!(refused(&home, &["config", "check", "nowhere.toml"]).contains("cannot be read"));
}

#[test]
fn completions_and_manual_come_from_the_definition() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&home, &["completions", shell]).expect_success().stdout;
        assert!(script.contains("quarantine"), "{shell}");
    }
    let folder = home.path().join("man");
    run(&home, &["manual", folder.to_str().unwrap()]).expect_success();
    let page = std::fs::read_to_string(folder.join("tidegate-quarantine-release.1")).unwrap();
    assert!(page.contains("digest") || page.contains("bytes"), "{page}");
    let file = write(&home, "file", "");
    assert!(refused(&home, &["manual", &format!("{file}/below")]).contains("cannot be written"));
}

#[test]
fn the_reference_of_commands_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/commands.md");
    let made = tidegate::cli::reference::markdown(tidegate::cli::Cli::command());
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "docs/reference/commands.md is old: run the test with UPDATE_SNAPSHOTS=1");
}

#[test]
fn the_list_of_detectors_is_that_of_their_pages() {
    let home = Home::new();
    let listed = run(&home, &["detectors", "--json"]).expect_success().stdout;
    let id = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["id"].as_str().unwrap().to_owned()
    };
    let listed: BTreeSet<String> = listed.lines().map(id).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/detectors");
    let mut documented = BTreeSet::new();
    for family in ["archive", "behaviour", "extension", "licence", "mcp", "model", "secrets"] {
        for page in std::fs::read_dir(folder.join(family)).unwrap().map(|entry| entry.unwrap().path()) {
            let name = page.file_stem().unwrap().to_str().unwrap().to_owned();
            match (family, name.as_str()) {
                (_, "README") => {}
                // A page for each rule file, with an anchor for each rule.
                ("secrets", _) => {
                    let text = std::fs::read_to_string(&page).unwrap();
                    let anchors = text.split("<a id=\"").skip(1).filter_map(|part| part.split('"').next());
                    documented.extend(anchors.map(|anchor| format!("secrets/{anchor}")));
                }
                _ => {
                    documented.insert(format!("{family}/{name}"));
                }
            }
        }
    }
    assert_eq!(listed, documented);
    // The list for people names each, and one can be asked for by its word.
    let told = run(&home, &["detectors"]).expect_success().stdout;
    assert_eq!(told.lines().count(), listed.len());
    let one = run(&home, &["detectors", "zip-crc"]).expect_success().stdout;
    assert!(one.contains("archive/zip-crc") && one.lines().count() == 1, "{one}");
    assert!(refused(&home, &["detectors", "nothing-is-called-so"]).contains("no detector is called"));
}
