//! Advisories on what packages bring along.

use serde_json::json;
use tidegate_testkit::{FakeUpstream, Package};

use super::{admin, critical, import, open_alarms, withdrawn};
use crate::support::{Setup, TestDoor, days_ago, json as body};

const FAT: &str = "/npm/fat/-/fat-1.0.0.tgz";

/// `fat`, which brings a version of `lib` along.
fn door(version: &str) -> (FakeUpstream, TestDoor) {
    let upstream = FakeUpstream::start();
    let manifest = json!({ "name": "lib", "version": version, "main": "index.js" }).to_string();
    upstream.publish(
        Package::npm("fat", "1.0.0")
            .published(&days_ago(100))
            .file("node_modules/lib/package.json", manifest)
            .file("node_modules/lib/index.js", "module.exports = 1;\n"),
    );
    let door = Setup::new(&upstream).open();
    (upstream, door)
}

#[test]
fn an_advisory_on_a_component_is_told_of_whoever_holds_it() {
    let (_upstream, door) = door("1.0.0");
    assert_eq!(door.get(FAT).status, 200);
    import(&door, &[critical()]);
    assert_eq!(open_alarms(&door), [("advisory".to_owned(), "pkg:npm/fat@1.0.0".to_owned())]);
    let page = tidegate_store::catalogue::Page::default();
    let message = door.door.store.catalogue.alarms(false, page).unwrap().remove(0).alarm.message;
    assert!(
        message.contains("GHSA-aaaa-bbbb-cccc (critical, in pkg:npm/lib@1.0.0 which it holds)"),
        "{message}"
    );
    // "Who has this?" names the package that was taken.
    let who = body(&door.ask("GET", "/api/v1/accesses?advisory=GHSA-aaaa-bbbb-cccc", &[&admin(&door)]));
    assert_eq!(who["versions"][0]["purl"], "pkg:npm/fat@1.0.0", "{who:#}");
    assert_eq!(who["versions"][0]["touch"], "affected");
    let held = &who["versions"][0]["holds"];
    assert_eq!(held["purl"], "pkg:npm/lib@1.0.0");
    assert!(held["path"].as_str().unwrap().ends_with("node_modules/lib/package.json"), "{held}");
    assert_eq!((&who["takers"]["accesses"], &who["advisory"]["touched"]), (&json!(1), &json!(1)));
    import(&door, &[withdrawn(&critical())]);
    assert!(open_alarms(&door).is_empty());
}

#[test]
fn a_component_that_is_not_touched_is_nobody_s_news() {
    let (_upstream, door) = door("2.0.0");
    assert_eq!(door.get(FAT).status, 200);
    import(&door, &[critical()]);
    assert!(open_alarms(&door).is_empty());
}

#[test]
fn what_was_known_when_it_was_admitted_is_no_news() {
    let (_upstream, door) = door("1.0.0");
    import(&door, &[critical()]);
    assert_eq!(door.get(FAT).status, 200);
    let mut again = critical();
    again["modified"] = days_ago(2).into();
    again["summary"] = "told in other words".into();
    import(&door, &[again]);
    assert!(open_alarms(&door).is_empty());
}
