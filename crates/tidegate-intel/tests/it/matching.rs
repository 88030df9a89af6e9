//! The rules of matching, one test each.

use tidegate_intel::matching::Says;
use tidegate_intel::{AdvisoryKind, MatchReason};

use crate::support::{NOW, ask, at, ids, intel, only, record, record_with};

const FIXED_IN_2: &str = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;

/// Which of the versions are touched.
fn touched<'v>(events: &str, ecosystem: &str, versions: &[&'v str]) -> Vec<&'v str> {
    let intel = intel(&[&record("X-1", ecosystem, "p", events)]);
    versions.iter().copied().filter(|v| !ids(&intel, ecosystem, "p", v).is_empty()).collect()
}

#[test]
fn rule_1_listed_or_in_a_range_over_all_entries_of_the_package() {
    let text = r#"{"id":"X-1","modified":"2026-01-01T00:00:00Z","affected":[
        {"package":{"ecosystem":"npm","name":"p"},"versions":["5.0.0"]},
        {"package":{"ecosystem":"npm","name":"q"},"versions":["6.0.0"]},
        {"package":{"ecosystem":"npm","name":"p"},"ranges":[
            {"type":"GIT","events":[{"introduced":"0"}]},
            {"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"1.2.0"}]},
            {"type":"SEMVER","events":[{"introduced":"3.0.0"},{"fixed":"3.1.0"}]}]}]}"#;
    let intel = intel(&[text]);
    for (version, reason) in [
        ("0.9.0", None),
        ("1.0.0", Some(MatchReason::Range)),
        ("1.2.0", None),
        ("3.0.5", Some(MatchReason::Range)),
        ("5.0.0", Some(MatchReason::Version)),
        ("6.0.0", None),
    ] {
        assert_eq!(ask(&intel, "npm", "p", version).items.first().map(|f| f.reason), reason, "{version}");
    }
    assert_eq!(ids(&intel, "npm", "q", "6.0.0"), ["X-1"]);
}

#[test]
fn rule_2_a_range_is_a_timeline_with_many_pairs_in_any_order() {
    let pairs = r#"{"introduced":"1.0.0"},{"fixed":"1.2.0"},{"introduced":"2.0.0"},{"fixed":"2.3.0"}"#;
    let shuffled = r#"{"fixed":"2.3.0"},{"introduced":"2.0.0"},{"introduced":"1.0.0"},{"fixed":"1.2.0"}"#;
    let versions = ["0.9.0", "1.0.0", "1.1.9", "1.2.0", "1.9.0", "2.0.0", "2.2.9", "2.3.0", "9.0.0"];
    for events in [pairs, shuffled] {
        assert_eq!(touched(events, "npm", &versions), ["1.0.0", "1.1.9", "2.0.0", "2.2.9"]);
    }
    // What opens and closes at one version is empty; what closes and opens again has no gap.
    assert!(
        touched(r#"{"introduced":"1.0.0"},{"fixed":"1.0.0"}"#, "npm", &["0.9.0", "1.0.0", "2.0.0"])
            .is_empty()
    );
    let no_gap = r#"{"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"1.0.0"},{"fixed":"2.0.0"}"#;
    assert_eq!(touched(no_gap, "npm", &["0.9.0", "1.0.0", "2.0.0"]), ["0.9.0", "1.0.0"]);
    // Two openings before one closing are one opening.
    let twice = r#"{"introduced":"1.0.0"},{"introduced":"1.5.0"},{"fixed":"2.0.0"}"#;
    assert_eq!(touched(twice, "npm", &["0.9.0", "1.0.0", "1.6.0", "2.0.0"]), ["1.0.0", "1.6.0"]);
}

#[test]
fn rule_3_zero_is_before_everything_last_affected_is_inclusive_limit_ends_all() {
    assert_eq!(
        touched(FIXED_IN_2, "npm", &["0.0.0-0", "0.0.0", "2.0.0-rc.1", "2.0.0"]),
        ["0.0.0-0", "0.0.0", "2.0.0-rc.1"]
    );
    let last = r#"{"introduced":"1.0.0"},{"last_affected":"1.0.0"}"#;
    assert_eq!(touched(last, "npm", &["0.9.0", "1.0.0", "1.0.1"]), ["1.0.0"]);
    let limit = r#"{"introduced":"1.0.0"},{"limit":"1.5.0"}"#;
    assert_eq!(touched(limit, "npm", &["0.9.0", "1.4.0", "1.5.0", "2.0.0"]), ["1.4.0"]);
    let no_limit = r#"{"introduced":"1.0.0"},{"limit":"*"}"#;
    assert_eq!(touched(no_limit, "npm", &["0.9.0", "9.0.0"]), ["9.0.0"]);
}

#[test]
fn rule_3_an_unknown_event_drops_its_range_and_is_no_clean_answer() {
    let text = r#"{"id":"X-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[
        {"type":"SEMVER","events":[{"introduced":"0"},{"repaired":{"in":"9.0.0"}}]},
        {"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"2.0.0"}]}]}]}"#;
    let intel = intel(&[text]);
    assert_eq!(ids(&intel, "npm", "p", "1.5.0"), ["X-1"]);
    let findings = ask(&intel, "npm", "p", "3.0.0");
    assert!(findings.items.is_empty());
    assert_eq!(findings.undecided, ["X-1"]);
}

#[test]
fn rule_4_an_open_range_and_versions_are_a_union_and_the_reason_shows() {
    let text = r#"{"id":"MAL-2026-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],"versions":["1.0.0"]}],"database_specific":{"sources":["b","a","a"]}}"#;
    let intel = intel(&[text]);
    let listed = only(ask(&intel, "npm", "p", "1.0.0"));
    assert_eq!((listed.reason, listed.all_versions), (MatchReason::Both, true));
    assert_eq!(listed.kind, AdvisoryKind::Malware);
    assert_eq!(listed.reporters, ["a", "b"]);
    assert_eq!(only(ask(&intel, "npm", "p", "7.0.0")).reason, MatchReason::Range);
}

#[test]
fn rule_5_withdrawn_is_never_live_and_can_be_looked_up() {
    let past = record_with("X-1", "npm", "p", FIXED_IN_2, r#""withdrawn":"2026-10-01T00:00:00Z","#);
    let future = record_with("X-2", "npm", "p", FIXED_IN_2, r#""withdrawn":"2026-12-01T00:00:00Z","#);
    let unreadable = record_with("X-3", "npm", "p", FIXED_IN_2, r#""withdrawn":"one day","#);
    let intel = intel(&[&past, &future, &unreadable]);
    let findings = ask(&intel, "npm", "p", "1.0.0");
    let live: Vec<&str> = findings.items.iter().map(|f| f.id.as_str()).collect();
    assert_eq!(live, ["X-2", "X-3"], "an announced or unreadable retraction is none yet");
    assert_eq!(findings.changes_at, Some(at("2026-12-01T00:00:00Z")));
    assert_eq!(findings.retracted.len(), 1);
    assert_eq!(
        (findings.retracted[0].id.as_str(), findings.retracted[0].withdrawn),
        ("X-1", at("2026-10-01T00:00:00Z"))
    );
    let records = intel.snapshot().records("X-1", at(NOW)).unwrap();
    assert_eq!((records.len(), records[0].withdrawn), (1, true));
    assert!(ask(&intel, "npm", "p", "2.0.0").retracted.is_empty());
}

#[test]
fn rule_6_names_and_orders_are_those_of_the_ecosystem() {
    let intel = intel(&[
        &record("PYSEC-1", "PyPI", "Zope_Interface", r#"{"introduced":"0"},{"fixed":"1.0"}"#),
        &record("RUSTSEC-1", concat!("crates", ".", "io"), "some_crate", FIXED_IN_2),
        &record("GO-1", "Go", "example.test/m/v2", r#"{"introduced":"0"},{"fixed":"2.1.0"}"#),
        &record("GHSA-1", "npm", "JSONStream", FIXED_IN_2),
    ]);
    assert_eq!(ids(&intel, "pypi", "zope.interface", "0.9"), ["PYSEC-1"]);
    assert!(ids(&intel, "PyPI", "zope-interface", "1.0.0").is_empty(), "1.0.0 is 1.0");
    assert_eq!(ids(&intel, "PyPI", "zope-interface", "1.0rc1"), ["PYSEC-1"]);
    assert_eq!(ids(&intel, "cargo", "some-crate", "1.0.0"), ["RUSTSEC-1"]);
    assert_eq!(ids(&intel, "go", "example.test/m/v2", "v2.0.9"), ["GO-1"]);
    assert!(ids(&intel, "go", "example.test/m", "v1.0.0").is_empty(), "/v2 belongs to the name");
    assert_eq!(ids(&intel, "npm", "JSONStream", "1.0.0"), ["GHSA-1"]);
    assert!(ids(&intel, "npm", "jsonstream", "1.0.0").is_empty());
}

#[test]
fn rule_7_npm_prereleases_follow_precedence() {
    assert_eq!(
        touched(FIXED_IN_2, "npm", &["1.4.4-lts.1", "2.0.0-beta.1", "2.0.0", "2.0.1-beta.1"]),
        ["1.4.4-lts.1", "2.0.0-beta.1"]
    );
}

#[test]
fn rule_8_a_python_local_build_counts_as_its_public_version_too() {
    let intel =
        intel(&[&record("PYSEC-1", "PyPI", "torch", r#"{"introduced":"0"},{"last_affected":"2.1.0"}"#)]);
    let local = only(ask(&intel, "PyPI", "torch", "2.1.0+cu118"));
    assert!(local.without_local);
    assert!(!only(ask(&intel, "PyPI", "torch", "2.1.0")).without_local);
    assert!(ids(&intel, "PyPI", "torch", "2.1.1+cu118").is_empty());
}

#[test]
fn rule_9_aliases_fold_within_a_package_only() {
    let alias = |id: &str, name: &str, aliases: &str| {
        record_with(
            id,
            "npm",
            name,
            FIXED_IN_2,
            &format!(r#""aliases":[{aliases}],"related":["GHSA-rrrr"],"#),
        )
    };
    let intel = intel(&[
        &alias("GHSA-aaaa", "p", r#""CVE-2026-1000""#),
        &alias("X-1", "p", r#""GHSA-aaaa","CVE-2025-2000""#),
        &alias("X-2", "p", ""),
        &alias("GHSA-rrrr", "p", ""),
        // Of another package: would glue X-2 to the others.
        &alias("B-1", "q", r#""X-1","X-2""#),
    ]);
    let findings = ask(&intel, "npm", "p", "1.0.0");
    let shown: Vec<&str> = findings.items.iter().map(|f| f.id.as_str()).collect();
    assert_eq!(shown, ["CVE-2025-2000", "GHSA-rrrr", "X-2"]);
    assert_eq!(findings.items[0].ids, ["CVE-2025-2000", "CVE-2026-1000", "GHSA-aaaa", "X-1"]);
    assert_eq!(ids(&intel, "npm", "q", "1.0.0"), ["B-1"]);
}

#[test]
fn rule_9_upstream_is_listed_transitively_and_does_not_fold() {
    let derived =
        |id: &str, from: &str| record_with(id, "npm", "p", FIXED_IN_2, &format!(r#""upstream":["{from}"],"#));
    let intel = intel(&[&derived("D-1", "U-1"), &derived("D-2", "U-1"), &derived("U-1", "CVE-2026-1000")]);
    let findings = ask(&intel, "npm", "p", "1.0.0");
    assert_eq!(findings.items.len(), 3);
    assert_eq!(findings.items[0].upstream, ["CVE-2026-1000", "U-1"]);
}

#[test]
fn rule_10_disagreeing_advisories_are_shown_with_what_each_says() {
    let narrow = record_with(
        "GHSA-aaaa",
        "npm",
        "p",
        r#"{"introduced":"0"},{"fixed":"1.0.0"}"#,
        r#""aliases":["CVE-2026-1000"],"#,
    );
    let wide = record_with("X-1", "npm", "p", FIXED_IN_2, r#""aliases":["CVE-2026-1000"],"#);
    // The alias itself, rejected: it takes nothing with it.
    let rejected =
        record_with("CVE-2026-1000", "npm", "p", FIXED_IN_2, r#""withdrawn":"2026-02-01T00:00:00Z","#);
    let intel = intel(&[&narrow, &wide, &rejected]);
    let finding = only(ask(&intel, "npm", "p", "1.5.0"));
    let says: Vec<(&str, Says)> = finding.sources.iter().map(|s| (s.id.as_str(), s.says)).collect();
    assert_eq!(says, [("GHSA-aaaa", Says::NotAffected), ("X-1", Says::Affected(MatchReason::Range))]);
    assert_eq!(finding.fixed, ["2.0.0"]);
    assert_eq!(only(ask(&intel, "npm", "p", "0.5.0")).sources.len(), 2);
}

#[test]
fn rule_11_review_is_told_where_the_publisher_tells() {
    let reviewed = record_with(
        "GHSA-aaaa",
        "npm",
        "p",
        FIXED_IN_2,
        r#""database_specific":{"github_reviewed":true,"severity":"MODERATE"},"#,
    );
    let go =
        record_with("GO-1", "npm", "q", FIXED_IN_2, r#""database_specific":{"review_status":"UNREVIEWED"},"#);
    let intel = intel(&[&reviewed, &go]);
    let finding = only(ask(&intel, "npm", "p", "1.0.0"));
    assert_eq!(finding.sources[0].reviewed, Some(true));
    assert_eq!(finding.label, Some(tidegate_model::facts::Severity::Medium));
    assert_eq!(only(ask(&intel, "npm", "q", "1.0.0")).sources[0].reviewed, Some(false));
}

#[test]
fn what_cannot_be_compared_is_undecided_not_clean() {
    let odd = r#"{"introduced":"0"},{"fixed":"two"}"#;
    let listed = r#"{"id":"X-2","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"p"},"versions":["snapshot of spring","1.0"]}]}"#;
    let nothing = r#"{"id":"X-3","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"n"}}]}"#;
    let intel =
        intel(&[&record("X-1", "npm", "q", odd), listed, nothing, &record("X-4", "npm", "p", FIXED_IN_2)]);
    assert_eq!(ask(&intel, "npm", "q", "3.0.0").undecided, ["X-1"]);
    // Text that is no version of the order is found by its letters.
    assert_eq!(ids(&intel, "PyPI", "p", "snapshot of spring"), ["X-2"]);
    assert_eq!(ids(&intel, "PyPI", "p", "1.0.0"), ["X-2"]);
    assert_eq!(ask(&intel, "PyPI", "n", "1.0").undecided, ["X-3"]);
    assert_eq!(ask(&intel, "npm", "p", "not a version").undecided, ["X-4"]);
}

#[test]
fn a_suffix_narrows_and_its_absence_does_not() {
    let intel = intel(&[
        &record("ALPINE-1", "Alpine:v3.18", "p", r#"{"introduced":"0"}"#),
        &record("ALPINE-2", "Alpine", "p", r#"{"introduced":"0"}"#),
    ]);
    assert_eq!(ids(&intel, "Alpine:v3.18", "p", "1.0-r0"), ["ALPINE-1", "ALPINE-2"]);
    assert_eq!(ids(&intel, "Alpine:v3.19", "p", "1.0-r0"), ["ALPINE-2"]);
    assert_eq!(ids(&intel, "Alpine", "p", "1.0-r0"), ["ALPINE-1", "ALPINE-2"]);
}

#[test]
fn the_nearest_fixed_version_is_one_that_nothing_touches() {
    let intel = intel(&[
        &record(
            "X-1",
            "npm",
            "p",
            r#"{"introduced":"0"},{"fixed":"1.2.0"},{"introduced":"2.0.0"},{"fixed":"2.1.0"}"#,
        ),
        &record("X-2", "npm", "p", r#"{"introduced":"1.1.0"},{"fixed":"1.3.0"}"#),
    ]);
    let snapshot = intel.snapshot();
    let query = |version| tidegate_intel::Query { ecosystem: "npm", name: "p", version, now: at(NOW) };
    // 1.2.0 fixes the first and has the second.
    assert_eq!(snapshot.nearest_fixed(&query("1.0.0")).as_deref(), Some("1.3.0"));
    assert_eq!(snapshot.nearest_fixed(&query("2.0.5")).as_deref(), Some("2.1.0"));
    assert_eq!(only(ask(&intel, "npm", "p", "1.0.0")).fixed, ["1.2.0", "2.1.0"]);
    let fixes = snapshot.fixes(&query("v1.3"));
    assert_eq!(fixes.len(), 1);
    assert_eq!((fixes[0].id.as_str(), fixes[0].feeds.as_slice()), ("X-2", ["feed".to_owned()].as_slice()));
    assert!(snapshot.fixes(&query("1.4.0")).is_empty());
    let malware = intel_of_malware();
    assert_eq!(malware.snapshot().nearest_fixed(&query("1.0.0")), None);
}

fn intel_of_malware() -> tidegate_intel::Intel {
    intel(&[&record("MAL-1", "npm", "p", r#"{"introduced":"0"}"#)])
}

#[test]
fn malware_comes_first_and_the_weakness_class_tells_it_too() {
    let embedded =
        record_with("GHSA-zzzz", "npm", "p", FIXED_IN_2, r#""database_specific":{"cwe_ids":["CWE-506"]},"#);
    let intel = intel(&[&record("CVE-2020-1000", "npm", "p", FIXED_IN_2), &embedded]);
    let findings = ask(&intel, "npm", "p", "1.0.0");
    assert_eq!(findings.items[0].id, "GHSA-zzzz");
    assert_eq!(findings.items[0].kind, AdvisoryKind::Malware);
}

#[test]
fn rustsec_notices_are_no_vulnerabilities() {
    let text = r#"{"id":"RUSTSEC-2026-0001","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"cargo","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"}]}],
        "database_specific":{"informational":"unmaintained","cvss":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H","categories":[]},"ecosystem_specific":{"affected_functions":null}}],"aliases":null}"#;
    let finding = only(ask(&intel(&[text]), "cargo", "p", "1.0.0"));
    assert_eq!(finding.kind, AdvisoryKind::Unmaintained);
    assert_eq!(finding.ratings[0].system, "CVSS_V3");
}

#[test]
fn answers_cite_what_they_were_made_from() {
    let intel = intel(&[&record("X-1", "npm", "p", FIXED_IN_2)]);
    let findings = ask(&intel, "npm", "unheard-of", "1.0.0");
    assert_eq!(findings.generation, 1);
    assert_eq!(findings.segments.len(), 1);
    assert_eq!(&*findings.segments[0].feed, "feed");
    assert_eq!(findings.segments[0].as_of, Some(at("2026-01-01T00:00:00Z")));
    let snapshot = intel.snapshot();
    assert!(
        snapshot.covers("npm") && !snapshot.covers("PyPI"),
        "silence of a feed that knows nothing is no answer"
    );
    assert!(snapshot.knows("npm", "p") && !snapshot.knows("npm", "q"));
}
