//! What a change touches is never too small, and small all the same.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tidegate_intel::import::Applied;
use tidegate_intel::inverse::{NameChange, changes};
use tidegate_intel::{Query, Snapshot};
use tidegate_model::facts::{FactState, Severity};

use crate::support::{NOW, apply, ask, at, empty, intel, load, record, record_with};

const FIXED_IN_2: &str = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;

fn changed(applied: &Applied) -> Vec<NameChange> {
    changes(&applied.before, &applied.after).unwrap()
}

fn names(changes: &[NameChange]) -> Vec<(&str, &str)> {
    changes.iter().map(|c| (c.ecosystem.as_str(), c.name.as_str())).collect()
}

#[test]
fn only_what_an_advisory_speaks_of_is_touched() {
    let intel = intel(&[&record("A-1", "npm", "p", FIXED_IN_2), &record("A-2", "npm", "q", FIXED_IN_2)]);
    let applied = load(
        &intel,
        "feed",
        &[&record("MAL-3", "PyPI", "New_Name", r#"{"introduced":"1.0"},{"fixed":"1.5"}"#)],
    );
    let change = changed(&applied);
    assert_eq!(names(&change), [("pypi", "new-name")]);
    assert!(change[0].malware);
    assert!(change[0].touches("1.2") && change[0].touches("1.2+local") && !change[0].touches("0.9"));
    assert!(change[0].touches("1.5"), "the fixed version is now the fix of something");
    assert!(!change[0].touches("1.6"));
    assert_eq!(change[0].runs()[0].from.as_deref(), Some("1.0"));
}

#[test]
fn a_changed_and_a_withdrawn_advisory_touch_what_they_said_before_too() {
    let intel = intel(&[&record("A-1", "npm", "p", FIXED_IN_2)]);
    let newer =
        |events, members| record_with("A-1", "npm", "q", events, members).replace("2026-01-01", "2026-02-01");
    let applied = load(&intel, "feed", &[&newer(r#"{"introduced":"5.0.0"}"#, "")]);
    let moved = changed(&applied);
    assert_eq!(names(&moved), [("npm", "p"), ("npm", "q")]);
    assert!(moved[0].touches("1.0.0") && moved[1].touches("6.0.0") && !moved[1].touches("1.0.0"));
    let withdrawn = newer(r#"{"introduced":"5.0.0"}"#, r#""withdrawn":"2026-02-02T00:00:00Z","#)
        .replace("modified\":\"2026-02-01", "modified\":\"2026-02-02");
    let back = changed(&load(&intel, "feed", &[&withdrawn]));
    assert_eq!(names(&back), [("npm", "q")]);
    assert!(back[0].touches("6.0.0"));
}

#[test]
fn a_merge_touches_nothing_and_a_forgotten_feed_all_of_its_names() {
    let intel = intel(&[&record("A-1", "npm", "p", FIXED_IN_2)]);
    load(&intel, "feed", &[&record("A-2", "npm", "q", FIXED_IN_2)]);
    let before = intel.snapshot();
    assert!(intel.compact().unwrap());
    assert!(changes(&before, &intel.snapshot()).unwrap().is_empty());
    intel.forget("feed").unwrap();
    assert_eq!(names(&changes(&before, &intel.snapshot()).unwrap()), [("npm", "p"), ("npm", "q")]);
}

#[test]
fn signals_and_vex_touch_the_packages_of_their_vulnerability() {
    let intel = intel(&[
        &record_with("GHSA-a", "npm", "p", FIXED_IN_2, r#""aliases":["CVE-2026-1000"],"#),
        &record("A-2", "npm", "q", FIXED_IN_2),
    ]);
    let kev = load(&intel, "kev", &[r#"{"cveID":"CVE-2026-1000","dateAdded":"2026-11-01"}"#]);
    assert_eq!(names(&changed(&kev)), [("npm", "p")]);
    let scores = |score: &str, day: u32| {
        let text = format!(
            "#model_version:v1,score_date:2026-11-{day}T00:00:00Z\ncve,epss,percentile\nCVE-2026-1000,{score},0.5\n"
        );
        apply(
            &intel,
            tidegate_intel::import::read_bytes("epss.csv", text.into_bytes(), &Default::default()).unwrap(),
        )
    };
    assert_eq!(names(&changed(&scores("0.2", 10))), [("npm", "p")]);
    assert!(changed(&scores("0.3", 11)).is_empty(), "it stands on the same step");
    assert_eq!(names(&changed(&scores("0.6", 12))), [("npm", "p")]);
    let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc","author":"A","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-1000"},"products":[{"@id":"pkg:npm/p@1.0.0"}],"status":"not_affected"}]}"#;
    assert_eq!(names(&changed(&load(&intel, "vex", &[vex]))), [("npm", "p")]);
}

#[test]
fn facts_say_what_is_known_and_what_is_not() {
    let rated = record_with(
        "GHSA-a",
        "npm",
        "p",
        FIXED_IN_2,
        r#""aliases":["CVE-2026-1000"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"database_specific":{"severity":"LOW"},"#,
    );
    let intel = intel(&[&rated, &record("MAL-1", "npm", "evil", r#"{"introduced":"0"}"#)]);
    let facts = |name: &str, version: &str, ecosystem: &str| {
        let snapshot = intel.snapshot();
        let query = Query { ecosystem, name, version, now: at(NOW) };
        snapshot.facts(&query, &snapshot.matches(&query), &|author| author == "trusted")
    };
    let known = facts("p", "1.0.0", "npm");
    assert_eq!(known.vulnerabilities.state, FactState::Known);
    assert_eq!(known.vulnerabilities.as_of, Some(at("2026-01-01T00:00:00Z")));
    let item = &known.vulnerabilities.value.unwrap().items[0];
    assert_eq!(
        (item.id.as_str(), item.severity, item.effective_severity, item.cvss_score),
        ("CVE-2026-1000", Some(Severity::Low), Some(Severity::Critical), Some(9.8))
    );
    assert_eq!((item.kev, item.epss, item.fix_available), (None, None, Some(true)), "no such feed is loaded");
    assert_eq!(known.malware.value.unwrap().verdict, "clean");
    let evil = facts("evil", "1.0.0", "npm");
    assert_eq!(evil.malware.value.unwrap().reports, ["MAL-1"]);
    assert!(evil.vulnerabilities.value.unwrap().items[0].malicious);
    assert_eq!(facts("p", "1.0.0", "PyPI").vulnerabilities.state, FactState::NotScanned);
    assert_eq!(facts("p", "1.0.0", "PyPI").malware.value, None, "silence is not clean");
    let odd = facts("p", "not a version", "npm");
    assert_eq!((odd.vulnerabilities.state, odd.vulnerabilities.value), (FactState::Error, None));
    // Exploited, once a feed says so; and a statement of somebody who is trusted before one of somebody who is not.
    load(&intel, "kev", &[r#"{"cveID":"CVE-2026-1000","dateAdded":"2026-11-01"}"#]);
    let vex = |author: &str, status: &str, day: u32| {
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"{author}","author":"{author}","timestamp":"2026-01-0{day}T00:00:00Z","version":1,"statements":[{{"vulnerability":{{"name":"CVE-2026-1000"}},"products":[{{"@id":"pkg:npm/p"}}],"status":"{status}"}}]}}"#
        )
    };
    load(&intel, "vex", &[&vex("trusted", "not_affected", 1), &vex("stranger", "affected", 5)]);
    let item = facts("p", "1.0.0", "npm").vulnerabilities.value.unwrap().items.remove(0);
    assert_eq!(item.kev, Some(true));
    let vex = item.vex.unwrap();
    assert_eq!((vex.status.as_str(), vex.trusted), ("not_affected", true));
    assert!(ask(&intel, "npm", "p", "2.0.0").items.is_empty());
}

fn answer(snapshot: &Snapshot, name: &str, version: &str) -> BTreeSet<(String, Vec<String>)> {
    let findings = snapshot.matches(&Query { ecosystem: "npm", name, version, now: at(NOW) });
    let undecided = findings.undecided.into_iter().map(|id| (id, Vec::new()));
    findings.items.iter().map(|f| (f.id.clone(), f.fixed.clone())).chain(undecided).collect()
}

fn events() -> impl Strategy<Value = String> {
    let version = || (0..4_u8, 0..4_u8).prop_map(|(a, b)| format!("{a}.{b}.0"));
    (prop::option::of(version()), prop::option::of(version()), any::<bool>()).prop_map(|(from, to, fixed)| {
        let from = format!(r#"{{"introduced":"{}"}}"#, from.as_deref().unwrap_or("0"));
        let word = if fixed { "fixed" } else { "last_affected" };
        to.map_or_else(|| from.clone(), |to| format!(r#"{from},{{"{word}":"{to}"}}"#))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_answers_differently_is_touched(
        before in prop::collection::vec((events(), 0..2_u8), 1..5),
        after in prop::collection::vec((events(), 0..2_u8, any::<bool>()), 1..5),
    ) {
        let make = |n: usize, events: &str, name: u8, day: u8, withdrawn: bool| {
            let members = if withdrawn { r#""withdrawn":"2026-02-02T00:00:00Z","# } else { "" };
            let record = record_with(&format!("A-{n}"), "npm", &format!("p{name}"), events, members);
            record.replace("2026-01-01", &format!("2026-02-0{day}"))
        };
        let intel = empty();
        let first: Vec<String> = before.iter().enumerate().map(|(n, (e, name))| make(n, e, *name, 1, false)).collect();
        load(&intel, "feed", &first.iter().map(String::as_str).collect::<Vec<_>>());
        let second: Vec<String> = after.iter().enumerate().map(|(n, (e, name, w))| make(n + 2, e, *name, 2, *w)).collect();
        let applied = load(&intel, "feed", &second.iter().map(String::as_str).collect::<Vec<_>>());
        let touched = changed(&applied);
        for name in ["p0", "p1"] {
            for version in ["0.0.0", "0.1.0", "0.1.1", "1.0.0", "1.3.0", "2.0.0", "2.2.2", "3.3.0", "9.0.0", "odd"] {
                if answer(&applied.before, name, version) != answer(&applied.after, name, version) {
                    let change = touched.iter().find(|c| c.name == name);
                    // A version below the fixes of a range it does not lie in lists no fix of it.
                    prop_assert!(change.is_some_and(|c| c.touches(version)), "{name}@{version}");
                }
            }
        }
    }
}
