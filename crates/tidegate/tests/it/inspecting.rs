//! Looking inside, at the door: before anybody gets a byte, once, and by whom it cannot be helped not at all.

use std::sync::Arc;

use serde_json::Value;
use tidegate_store::catalogue::{Page, StoredInspection};
use tidegate_testkit::{FakeUpstream, Package};

use crate::effects::admin;
use crate::support::{Setup, TestDoor, days_ago, json};

const FILE: &str = "/npm/alpha/-/alpha-1.1.0.tgz";

/// `alpha` 1.0.0, which is clean, and 1.1.0 with these files beside its own.
fn upstream(files: &[(&str, &[u8])]) -> FakeUpstream {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0").published(&days_ago(100)));
    let mut package = Package::npm("alpha", "1.1.0").published(&days_ago(90));
    for (path, bytes) in files {
        package = package.file(path, bytes.to_vec());
    }
    upstream.publish(package);
    upstream
}

/// A program under the name of a picture.
fn disguised() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(400, 0);
    elf
}

fn status(door: &TestDoor) -> Value {
    serde_json::to_value(door.door.inspection.status()).unwrap()
}

#[test]
fn what_is_clean_is_served_and_looked_into_once() {
    let upstream = upstream(&[("lib/a.js", b"module.exports = 1;")]);
    let door = Setup::new(&upstream).open();
    let answer = door.get(FILE);
    assert_eq!(answer.status, 200, "{}", answer.text());
    for _ in 0..3 {
        assert_eq!(door.get(FILE).status, 200);
    }
    assert_eq!(status(&door)["done"], 1, "{}", status(&door));
    assert!(answer.header("x-tidegate-degraded").is_none_or(|told| !told.contains("contents")), "{answer:?}");
    // A door that opens again knows what was found.
    let door = door.restart();
    assert_eq!(door.get(FILE).status, 200);
    assert_eq!(status(&door)["done"], 0);
}

#[test]
fn what_is_suspicious_is_held_from_the_first_ask_and_steers_the_next() {
    let upstream = upstream(&[("assets/logo.png", &disguised())]);
    let door = Setup::new(&upstream).open();
    let listed = |door: &TestDoor| -> Vec<String> {
        let packument = json(&door.get("/npm/alpha"));
        packument["versions"].as_object().unwrap().keys().cloned().collect()
    };
    // Nobody has seen the bytes yet: the index speaks of what it knows.
    assert_eq!(listed(&door), ["1.0.0", "1.1.0"]);
    let refused = door.get(FILE);
    assert_eq!(refused.status, 403);
    let told = refused.text();
    assert!(told.contains("contents-suspicious"), "{told}");
    assert!(told.contains("logo.png") && told.contains("archive/type-mismatch"), "{told}");
    assert!(told.contains("1.0.0"), "the version that can be had instead is named: {told}");
    assert_eq!(listed(&door), ["1.0.0"], "from now on the index steers past it");
    let why = json(&door.ask("GET", "/api/v1/why?purl=pkg:npm/alpha@1.1.0", &[&admin(&door)]));
    let inside = &why["files"][0]["inside"];
    assert_eq!(
        (inside["verdict"].as_str(), inside["findings_omitted"].as_u64()),
        (Some("suspicious"), Some(0))
    );
    assert_eq!(inside["findings"][0]["detector"], "archive/type-mismatch", "{inside}");
    assert!(inside["findings"][0]["path"].as_str().unwrap().ends_with("assets/logo.png"), "{inside}");
    for method in ["GET", "HEAD"] {
        assert_eq!(door.ask(method, FILE, &[]).status, 403);
    }
    assert_eq!(door.ask("GET", FILE, &["Range: bytes=0-9"]).status, 403);
    // Also after a restart, without looking again.
    let door = door.restart();
    assert_eq!(door.get(FILE).status, 403);
    assert_eq!(listed(&door), ["1.0.0"]);
    assert_eq!(status(&door)["done"], 0);
}

#[test]
fn a_control_that_is_off_says_so() {
    let upstream = upstream(&[("assets/logo.png", &disguised())]);
    let door = Setup::new(&upstream).with(|config| config.inspection.enabled = false).open();
    let answer = door.get(FILE);
    assert_eq!(answer.status, 200);
    assert!(
        answer.header("x-tidegate-degraded").unwrap().contains("contents: nothing looks inside"),
        "{answer:?}"
    );
    assert_eq!(status(&door), Value::Null);
    // Switched on again, what was served before is looked into when it is next asked for.
    let mut setup = door.close();
    setup.config.inspection.enabled = true;
    let door = setup.open();
    assert_eq!(door.get(FILE).status, 403);
}

#[test]
fn many_who_wait_share_one_look() {
    let upstream = upstream(&[("big.bin", &vec![7; 3 << 20])]);
    let door = Arc::new(Setup::new(&upstream).open());
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| assert_eq!(door.get(FILE).status, 200));
        }
    });
    assert_eq!(status(&door)["done"], 1, "{}", status(&door));
}

#[test]
fn what_cannot_be_looked_at_in_full_is_said() {
    // A zip whose member says that it is encrypted, and is.
    let locked = {
        let mut zip = b"PK\x03\x04\x14\x00\x01\x00\x08\x00\x00\x00\x00\x00\x11\x22\x33\x44\x10\x00\x00\x00\x20\x00\x00\x00\x01\x00\x00\x00x".to_vec();
        zip.extend([0x9d; 16]);
        let directory = zip.len() as u32;
        zip.extend(b"PK\x01\x02\x14\x03\x14\x00\x01\x00\x08\x00\x00\x00\x00\x00\x11\x22\x33\x44\x10\x00\x00\x00\x20\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00x");
        let size = zip.len() as u32 - directory;
        zip.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
        zip.extend(size.to_le_bytes());
        zip.extend(directory.to_le_bytes());
        zip.extend([0, 0]);
        zip
    };
    let upstream = upstream(&[("data/locked.zip", &locked)]);
    let door = Setup::new(&upstream).open();
    let answer = door.get(FILE);
    assert_eq!(answer.status, 200, "baseline warns: {}", answer.text());
    let decision = answer.header("x-tidegate-decision").unwrap().to_owned();
    let told = door.get(&format!("/d/{decision}")).text();
    assert!(told.contains("contents-incomplete") && told.contains("encrypted"), "{told}");
    let strict = Setup::new(&upstream).with(|config| config.policy.pack = "strict".into()).open();
    let refused = strict.get(FILE);
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("encrypted"), "{}", refused.text());
}

#[test]
fn the_newest_version_is_looked_into_ahead_where_that_is_wanted() {
    let upstream = upstream(&[("assets/logo.png", &disguised())]);
    let door = Setup::new(&upstream).with(|config| config.inspection.ahead = true).open();
    let listed = || -> Vec<String> {
        let packument = json(&door.get("/npm/alpha"));
        packument["versions"].as_object().unwrap().keys().cloned().collect()
    };
    // Nobody asks for a file, and the index steers all the same.
    door.until("1.1.0 is steered past", || listed() == ["1.0.0"]);
    door.until("then what is newest by now is looked into", || status(&door)["done"] == 2);
    assert_eq!(upstream.count("alpha-1.0.0.tgz"), 1);
    assert_eq!(door.get("/npm/alpha/-/alpha-1.0.0.tgz").status, 200);
    assert_eq!((upstream.count("alpha-1.0.0.tgz"), status(&door)["done"].as_u64()), (1, Some(2)));
}

#[test]
fn a_newer_inspector_looks_again_and_tells_what_was_admitted() {
    let upstream = upstream(&[("assets/logo.png", &disguised())]);
    let door = Setup::new(&upstream).with(|config| config.inspection.enabled = false).open();
    assert_eq!(door.get(FILE).status, 200);
    // As an inspector left it that could not tell programs from pictures.
    let sha256 = door.door.store.catalogue.pins_of("npm", "alpha").unwrap()[0].sha256;
    let clean = serde_json::to_string(&tidegate::inspection::Seen::default()).unwrap();
    let at = door.clock().now();
    let old = StoredInspection { sha256, inspector: 0, at, facts: clean, report: "{}".into() };
    door.door.store.catalogue.put_inspection(&old, &[]).unwrap();
    let mut setup = door.close();
    setup.config.inspection.enabled = true;
    setup.config.inspection.compare = tidegate::config::Compare::Never;
    let door = setup.open();
    assert_eq!(door.get(FILE).status, 200, "what the old one found counts until then");
    assert_eq!(status(&door)["done"], 0);
    door.runtime().block_on(tidegate::inspection::look_again(&door.door));
    assert_eq!(status(&door)["done"], 1);
    let refused = door.get(FILE);
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("archive/type-mismatch"), "{}", refused.text());
    let alarms = door.door.store.catalogue.alarms(false, Page::default()).unwrap();
    let told = &alarms.iter().find(|a| a.alarm.kind == "contents").expect("an alarm").alarm.message;
    assert!(told.contains("pkg:npm/alpha@1.1.0 was admitted") && told.contains("suspicious"), "{told}");
    // There is nothing left to look at.
    door.runtime().block_on(tidegate::inspection::look_again(&door.door));
    assert_eq!(status(&door)["done"], 1);
}

#[test]
fn the_licence_is_the_one_in_the_package_where_the_index_names_none() {
    let upstream = FakeUpstream::start();
    for (name, licence) in [("alpha", "GPL-3.0-only"), ("beta", "MIT")] {
        upstream.publish(Package::pypi(name, "1.0.0").licence(Some(licence)).published(&days_ago(90)));
    }
    let rule = "extends = \"baseline\"\n[[rule]]\nid = \"licences\"\naction = \"block\"\nunknown = \"allow\"\n\
                message = \"its licence is {licence.expression}\"\n[rule.when]\n\
                \"licence.expression\" = [\"GPL-3.0-only\"]\n";
    let door = Setup::new(&upstream).policy(rule).open();
    let refused = door.get("/pypi/files/alpha/alpha-1.0.0-py3-none-any.whl");
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("its licence is GPL-3.0-only"), "{}", refused.text());
    assert_eq!(door.get("/pypi/files/beta/beta-1.0.0-py3-none-any.whl").status, 200);
}

#[test]
fn what_takes_too_much_memory_is_looked_at_less_closely() {
    // Its syntax tree alone is larger than what a worker has left.
    let code = "f([1, 2, {a: b}], c.d.e(f), 'g');\n".repeat(230_000).into_bytes();
    let upstream = upstream(&[("lib/large.js", &code), ("assets/logo.png", &disguised())]);
    let small = |config: &mut tidegate::config::Config| {
        config.inspection.memory_mib = 176;
        config.inspection.compare = tidegate::config::Compare::Never;
    };
    let door = Setup::new(&upstream).with(small).open();
    let refused = door.get(FILE);
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("archive/type-mismatch"), "{}", refused.text());
    assert_eq!(status(&door)["done"], 1, "{}", status(&door));
    let token = admin(&door);
    let why = json(&door.ask("GET", "/api/v1/why?purl=pkg:npm/alpha@1.1.0", &[&token]));
    assert_eq!(why["files"][0]["inside"]["failed"], Value::Null, "{why}");
    let digest = why["files"][0]["sha256"].as_str().unwrap();
    let found = json(&door.ask("GET", &format!("/api/v1/inspections?sha256={digest}"), &[&token]));
    let told = serde_json::to_string(&found).unwrap();
    assert!(told.contains("large.js") && told.contains("tokens only"), "{told}");
}
