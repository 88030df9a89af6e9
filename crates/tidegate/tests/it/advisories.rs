//! What is known to be bad stops at the door at once, on every path, and is let through again when it is taken back.

use serde_json::{Value, json};
use tidegate::config::{Config, Feed};
use tidegate::intel::sync::{self, Outcome};
use tidegate_intel::FeedKind;
use tidegate_ledger::entry::ControlState;
use tidegate_ledger::{Body, Entry};
use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::{FakeUpstream, Fault, Package};

use crate::support::{PATIENCE, Setup, TestDoor, days_ago as exactly_days_ago, json as body};

pub(crate) const FEED: &str = "osv/all.jsonl";

/// Midnight so many days ago, so that what is delivered twice is the same.
pub(crate) fn days_ago(days: i64) -> String {
    format!("{}T00:00:00Z", &exactly_days_ago(days)[..10])
}

pub(crate) fn upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        upstream.publish(Package::npm("lib", version).published(&days_ago(100)));
    }
    upstream.publish(Package::npm("fine", "1.0.0").published(&days_ago(100)));
    upstream
}

pub(crate) fn feed(upstream: &FakeUpstream, name: &str, kind: FeedKind, path: &str) -> Feed {
    Feed {
        name: name.into(),
        kind,
        url: Some(format!("{}/feeds/{path}", upstream.url()).parse().unwrap()),
        changes_url: None,
        file_hosts: Vec::new(),
    }
}

pub(crate) fn following(upstream: &FakeUpstream) -> impl FnOnce(&mut Config) {
    let feeds =
        vec![feed(upstream, "osv", FeedKind::Osv, FEED), feed(upstream, "kev", FeedKind::Kev, "kev.json")];
    |config| config.intel.feed = Some(feeds)
}

/// An advisory on `lib` below 2.0.0, last changed so many days ago.
pub(crate) fn advisory(changed: i64) -> Value {
    json!({
        "id": "GHSA-aaaa-bbbb-cccc",
        "aliases": ["CVE-2026-1000"],
        "modified": days_ago(changed),
        "published": days_ago(50),
        "summary": "reads any file",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
        "affected": [{
            "package": { "ecosystem": "npm", "name": "lib" },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }],
        }],
    })
}

/// What any database holds besides, so that one record is not most of it.
pub(crate) fn others() -> Vec<Value> {
    let other = |n: usize| {
        json!({
            "id": format!("OTHER-{n}"), "modified": days_ago(if n == 0 { 3 } else { 40 }),
            "affected": [{ "package": { "ecosystem": "npm", "name": format!("other-{n}") }, "versions": ["1.0.0"] }],
        })
    };
    (0..30).map(other).collect()
}

pub(crate) fn deliver(upstream: &FakeUpstream, records: &[Value]) {
    let lines: Vec<String> = others().iter().chain(records).map(Value::to_string).collect();
    upstream.catalog().put_feed(FEED, lines.join("\n") + "\n");
}

pub(crate) fn exploited(upstream: &FakeUpstream, cves: &[&str]) {
    let rows: Vec<Value> = ["CVE-2020-0001"]
        .iter()
        .chain(cves)
        .map(|cve| json!({ "cveID": cve, "dateAdded": "2026-11-01", "dueDate": "2026-11-20" }))
        .collect();
    let list = json!({ "title": "t", "catalogVersion": "2026.11.01", "dateReleased": days_ago(1), "count": rows.len(), "vulnerabilities": rows });
    upstream.catalog().put_feed("kev.json", list.to_string());
}

pub(crate) fn synced(door: &TestDoor) -> Vec<(String, Outcome)> {
    let outcomes = door.runtime().block_on(sync::all(&door.door, |_, _| ()));
    outcomes.into_iter().collect()
}

/// The status of the tarball of a version of `lib`.
pub(crate) fn status(door: &TestDoor, version: &str) -> u16 {
    door.get(&format!("/npm/lib/-/lib-{version}.tgz")).status
}

pub(crate) fn versions(door: &TestDoor) -> Vec<String> {
    let listed = body(&door.get("/npm/lib"));
    listed["versions"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn an_advisory_is_in_force_on_every_path_and_a_retraction_lifts_it() {
    let upstream = upstream();
    exploited(&upstream, &[]);
    deliver(&upstream, &[]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    assert_eq!(versions(&door), ["1.0.0", "1.1.0", "2.0.0"]);
    assert!(door.get("/npm/lib").header("x-tidegate-degraded").unwrap().contains("no feed is loaded"));
    let first = synced(&door);
    assert!(first.iter().all(|(_, o)| matches!(o, Outcome::Changed { .. })), "{first:?}");
    assert_eq!(versions(&door), ["1.0.0", "1.1.0", "2.0.0"]);
    assert!(door.get("/npm/lib").header("x-tidegate-degraded").is_none_or(|d| !d.contains("advisories")));
    assert_eq!(status(&door, "2.0.0"), 200);

    deliver(&upstream, &[advisory(5)]);
    let second = synced(&door);
    assert!(second.contains(&("osv".into(), Outcome::Changed { count: 1 })), "{second:?}");
    assert_eq!(versions(&door), ["2.0.0"]);
    assert_eq!(status(&door, "1.1.0"), 403);
    assert_eq!(status(&door, "2.0.0"), 200);
    let refusal = door.get("/npm/lib/-/lib-1.1.0.tgz");
    let told = refusal.text();
    for part in ["CVE-2026-1000", "critical-fixed", "2.0.0"] {
        assert!(told.contains(part) || refusal.reason.contains(part), "{part}: {} {told}", refusal.reason);
    }
    assert_eq!(body(&door.get("/npm/lib"))["dist-tags"]["latest"], "2.0.0");

    let mut withdrawn = advisory(1);
    withdrawn["withdrawn"] = days_ago(1).into();
    deliver(&upstream, &[withdrawn]);
    synced(&door);
    assert_eq!(versions(&door), ["1.0.0", "1.1.0", "2.0.0"]);
    assert_eq!(status(&door, "1.1.0"), 200);
}

#[test]
fn what_is_admitted_already_has_a_grace_time_unless_it_is_malware() {
    let upstream = upstream();
    exploited(&upstream, &[]);
    deliver(&upstream, &[]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    synced(&door);
    assert_eq!(status(&door, "1.0.0"), 200);
    deliver(&upstream, &[advisory(1)]);
    synced(&door);
    assert_eq!(door.alarms(), ["advisory"], "somebody took it");
    let warned = door.get("/npm/lib/-/lib-1.0.0.tgz");
    assert_eq!(warned.status, 200);
    assert!(warned.header("x-tidegate-warning").unwrap().contains("CVE-2026-1000"), "{warned:?}");
    assert_eq!(status(&door, "1.1.0"), 403);

    let malware = json!({
        "id": "MAL-2026-7", "modified": days_ago(0), "summary": "takes credentials",
        "affected": [{ "package": { "ecosystem": "npm", "name": "lib" }, "versions": ["1.0.0"] }],
    });
    deliver(&upstream, &[advisory(1), malware]);
    synced(&door);
    assert_eq!(door.alarms(), ["advisory"], "one for the version, once more for the second advisory");
    let refused = door.get("/npm/lib/-/lib-1.0.0.tgz");
    assert_eq!(refused.status, 403);
    assert!(refused.reason.contains("MAL-2026-7"), "{}", refused.reason);
}

#[test]
fn an_exploited_flaw_is_blocked_although_nothing_mends_it() {
    let upstream = upstream();
    let mut open = advisory(5);
    open["affected"][0]["ranges"][0]["events"] = json!([{ "introduced": "0" }]);
    open["severity"] =
        json!([{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N" }]);
    deliver(&upstream, &[open]);
    exploited(&upstream, &[]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    synced(&door);
    assert_eq!(status(&door, "2.0.0"), 200);
    exploited(&upstream, &["CVE-2026-1000"]);
    synced(&door);
    assert_eq!(status(&door, "1.1.0"), 403);
    assert!(door.get("/npm/lib/-/lib-1.1.0.tgz").reason.contains("exploited"));
}

#[test]
fn a_feed_that_fails_keeps_what_it_had_and_shows_its_age() {
    let upstream = upstream();
    exploited(&upstream, &[]);
    deliver(&upstream, &[advisory(1)]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    synced(&door);
    let whole = others().iter().map(|r| r.to_string() + "\n").collect::<String>();
    for (bad, what) in [
        (whole[..whole.len() / 2].to_owned(), "cut off"),
        (String::new(), "empty"),
        ("<html>sign in</html>".to_owned(), "another page"),
        (whole.lines().take(5).collect::<Vec<_>>().join("\n") + "\n", "halved"),
    ] {
        upstream.catalog().put_feed(FEED, bad);
        let outcomes = synced(&door);
        let osv = &outcomes.iter().find(|(name, _)| name == "osv").unwrap().1;
        assert!(matches!(osv, Outcome::Failed { .. } | Outcome::Refused { .. }), "{what}: {osv:?}");
        assert_eq!(status(&door, "1.1.0"), 403, "{what}");
    }
    upstream.fault("/feeds/", Fault::Status { code: 503, retry_after: None });
    assert!(synced(&door).iter().all(|(_, outcome)| matches!(outcome, Outcome::Failed { .. })));
    door.clock().advance(8 * 86_400);
    door.door.look_for_degradations();
    let late = door.get("/npm/lib/-/lib-1.1.0.tgz");
    assert_eq!(late.status, 403, "a stale finding is a finding");
    assert!(
        door.get("/npm/fine")
            .header("x-tidegate-degraded")
            .is_some_and(|d| d.contains("feed osv was last current"))
    );
    // It survives a restart.
    let door = door.restart();
    assert_eq!(status(&door, "1.1.0"), 403);
}

/// Entries of the ledger of one kind, oldest first.
pub(crate) fn entries(door: &TestDoor, kind: &str) -> Vec<Entry> {
    // What is answered later is durable later: everything before it is then there to be read.
    let last = door.get("/npm/fine").header("x-tidegate-record").unwrap().to_owned();
    let frames = door.door.recorder.reader(1).map(|frame| Entry::parse(&frame.unwrap().json).unwrap());
    let all: Vec<Entry> = frames.collect();
    assert!(all.iter().any(|entry| entry.record().to_string() == last));
    all.into_iter().filter(|entry| entry.body.kind() == kind).collect()
}

#[test]
fn the_ledger_says_what_came_into_force_and_which_control_failed() {
    let upstream = upstream();
    exploited(&upstream, &[]);
    deliver(&upstream, &[advisory(5)]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    synced(&door);
    let changes = entries(&door, "advisories");
    let changes: Vec<(Vec<String>, u64)> = changes
        .iter()
        .map(|entry| match &entry.body {
            Body::Advisories(change) => {
                (change.feeds.iter().map(|f| f.feed.to_string()).collect(), change.changed)
            }
            _ => unreachable!(),
        })
        .collect();
    assert_eq!(changes, [(vec!["osv".to_owned()], 31), (vec!["kev".to_owned(), "osv".to_owned()], 1)]);
    synced(&door);
    assert_eq!(entries(&door, "advisories").len(), 2, "nothing changed");

    let controls = |door: &TestDoor| -> Vec<(ControlState, String)> {
        let said = entries(door, "control");
        said.iter()
            .map(|entry| match &entry.body {
                Body::Control(change) => (change.state, change.why.to_string()),
                _ => unreachable!(),
            })
            .collect()
    };
    let none = "no feed is loaded".to_owned();
    let at_first = [(ControlState::Degraded, none.clone()), (ControlState::Restored, none)];
    assert_eq!(controls(&door)[..2], at_first);
    door.clock().advance(4 * 86_400);
    door.door.look_for_degradations();
    door.clock().advance(3 * 3600);
    door.door.look_for_degradations();
    let later = controls(&door);
    assert_eq!(later.len(), 4, "each feed once, however often somebody looks: {later:?}");
    assert!(later[2..].iter().all(|(state, _)| *state == ControlState::Degraded), "{later:?}");
    let door = door.restart();
    assert_eq!(controls(&door).len(), 4, "and not again after a restart");
    synced(&door);
    let back = controls(&door);
    assert!(back[4..].iter().all(|(state, _)| *state == ControlState::Restored), "{back:?}");
    assert_eq!(back.len(), 6);
}

#[test]
fn what_is_current_is_not_fetched_again() {
    let upstream = upstream();
    exploited(&upstream, &[]);
    deliver(&upstream, &[advisory(1)]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    synced(&door);
    let generation = door.door.intel.snapshot().generation();
    let again = synced(&door);
    assert!(again.iter().all(|(_, outcome)| *outcome == Outcome::Current), "{again:?}");
    assert_eq!(door.door.intel.snapshot().generation(), generation);
    let asked = upstream.requests();
    let again = asked.iter().filter(|r| r.path.ends_with("all.jsonl")).nth(1).unwrap();
    assert!(again.header("if-none-match").is_some());
}

#[test]
fn changes_of_an_osv_database_come_one_by_one() {
    let upstream = upstream();
    deliver(&upstream, &[]);
    let mut osv = feed(&upstream, "osv", FeedKind::Osv, FEED);
    osv.changes_url = Some(format!("{}/feeds/osv/modified_id.csv", upstream.url()).parse().unwrap());
    upstream.catalog().put_feed("osv/modified_id.csv", format!("{},OTHER-1\n", days_ago(40)));
    let door = Setup::new(&upstream).with(|config| config.intel.feed = Some(vec![osv])).open();
    synced(&door);
    upstream
        .catalog()
        .put_feed("osv/GHSA-aaaa-bbbb-cccc.json", serde_json::to_vec_pretty(&advisory(1)).unwrap());
    let changes = format!("{},GHSA-aaaa-bbbb-cccc\n{},OTHER-1\n", days_ago(1), days_ago(40));
    upstream.catalog().put_feed("osv/modified_id.csv", changes);
    assert_eq!(synced(&door)[0].1, Outcome::Changed { count: 1 });
    assert_eq!(upstream.count("all.jsonl"), 1);
    assert_eq!(status(&door, "1.1.0"), 403);
    assert_eq!(synced(&door)[0].1, Outcome::Current);
    // Small changes do not pile up.
    let layers = |door: &TestDoor| door.door.rules().advisories.snapshot.feeds()[0].layer_count();
    assert_eq!(layers(&door), 1);
    let mut lifted = advisory(0);
    lifted["withdrawn"] = days_ago(0).into();
    upstream.catalog().put_feed("osv/GHSA-aaaa-bbbb-cccc.json", lifted.to_string());
    upstream.catalog().put_feed("osv/modified_id.csv", format!("{},GHSA-aaaa-bbbb-cccc\n", days_ago(0)));
    assert_eq!(synced(&door)[0].1, Outcome::Changed { count: 1 });
    assert_eq!((layers(&door), status(&door, "1.1.0")), (1, 200));
}

#[test]
fn audits_are_answered_out_of_what_is_loaded() {
    let upstream = upstream();
    deliver(&upstream, &[advisory(1)]);
    exploited(&upstream, &[]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    let ask = |name: &str| {
        let asked = json!({ name: ["1.0.0"] }).to_string();
        let lines = ["Content-Type: application/json"];
        door.send("POST", "/npm/-/npm/v1/security/advisories/bulk", &lines, asked.as_bytes())
    };
    let upstreams_own = json!({ "id": 1, "url": "https://advisories.example/1", "title": "theirs", "severity": "low", "vulnerable_versions": "*" });
    upstream.catalog().advise("fine", upstreams_own);
    assert!(ask("fine").text().contains("theirs"), "where nothing is loaded, the upstream is asked");
    synced(&door);
    let told = body(&ask("lib"));
    assert_eq!(told["lib"][0]["title"], "CVE-2026-1000: reads any file");
    assert_eq!(told["lib"][0]["vulnerable_versions"], "<2.0.0");
    assert_eq!(told["lib"][0]["severity"], "critical");
    assert!(told["lib"][0]["url"].as_str().unwrap().starts_with("http://door.test/advisories/"));
    assert_eq!(body(&ask("fine")), json!({}));
    door.clock().advance(30 * 86_400);
    let late = ask("fine");
    assert_eq!(late.status, 503, "{}", late.text());
    assert!(late.text().contains("too old"), "{}", late.text());
}

/// A configuration file for a door process that follows `kev.json` of this upstream.
pub(crate) fn configuration(upstream: &FakeUpstream, home: &Home, intel: &str) -> std::path::PathBuf {
    let path = home.path().join("tidegate.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[intel]\n{intel}\n[[intel.feed]]\nname = \"kev\"\nkind = \"kev\"\nurl = \"{}/feeds/kev.json\"\n\
         [[repository.npm.upstream]]\nurl = \"{}\"\n",
        upstream.url(),
        upstream.npm_url()
    );
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_door_follows_its_feeds_unless_told_not_to() {
    let upstream = upstream();
    exploited(&upstream, &[]);
    for (intel, variable, follows) in
        [("", "false", true), ("sync = false", "false", false), ("", "true", false)]
    {
        upstream.forget_requests();
        let home = Home::new();
        let config = configuration(&upstream, &home, intel);
        let program =
            || Program::new(env!("CARGO_BIN_EXE_tidegate"), &home).env("TIDEGATE_NO_SYNC", variable);
        let data = home.path().join("d");
        let mut running = program().args(["up", "--config"]).arg(&config).arg("--data").arg(&data).spawn();
        running.wait_for_line("is open on", PATIENCE);
        if follows {
            assert!(upstream.wait_for("kev.json", 1, PATIENCE), "nobody asked for the feed");
        } else {
            // What is asked for by hand is asked for after anything that the door would ask for by itself.
            let synced =
                program().args(["intel", "sync", "--json", "--data"]).arg(&data).run().expect_success();
            assert!(synced.stdout.contains("\"changed\""), "{}", synced.stdout);
            assert_eq!(upstream.count("kev.json"), 1);
        }
        running.kill();
    }
}

#[test]
fn feeds_are_looked_at_again_after_a_while() {
    let upstream = upstream();
    deliver(&upstream, &[advisory(5)]);
    let door = Setup::new(&upstream)
        .with(following(&upstream))
        .with(|config| {
            config.intel.sync = true;
            config.intel.refresh_seconds = 1;
        })
        .open();
    let jobs = door.runtime().block_on(async { tidegate::jobs::start(&door.door) });
    assert!(upstream.wait_for("all.jsonl", 2, PATIENCE));
    door.runtime().block_on(jobs.stop());
    assert_eq!(status(&door, "1.1.0"), 403);
}

#[test]
fn files_are_loaded_without_a_network_and_shown() {
    let upstream = upstream();
    let home = Home::new();
    let config = configuration(&upstream, &home, "sync = false");
    let data = home.path().join("d");
    let program = || Program::new(env!("CARGO_BIN_EXE_tidegate"), &home);
    let mut running = program().args(["up", "--config"]).arg(&config).arg("--data").arg(&data).spawn();
    running.wait_for_line("is open on", PATIENCE);
    let intel = |arguments: &[&str]| program().args(["intel", "--data"]).arg(&data).args(arguments);
    std::fs::write(home.path().join("record.json"), advisory(5).to_string()).unwrap();
    let loaded = intel(&["import", "record.json", "--feed", "ours", "--kind", "osv"]).run().expect_success();
    assert!(loaded.stdout.contains("ours"), "{}", loaded.stdout);
    let shown = intel(&["show", "CVE-2026-1000"]).run().expect_success().stdout;
    for part in ["GHSA-aaaa-bbbb-cccc", "reads any file", ">=0 <2.0.0"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let why = program().args(["why", "--data"]).arg(&data).arg("pkg:npm/lib@1.0.0").run().stdout;
    assert!(
        why.contains("refused") && why.contains("advisory CVE-2026-1000, critical (9.8), fixed in 2.0.0"),
        "{why}"
    );
    let status = intel(&["status"]).run().expect_success().stdout;
    assert!(status.contains("ours") && status.contains("feeds are not fetched"), "{status}");
    std::fs::write(home.path().join("bad.json"), "{\"id\": ").unwrap();
    let refused = intel(&["import", "bad.json", "--feed", "ours", "--kind", "osv"]).run().expect_failure();
    assert!(refused.stderr.contains("bad.json") && refused.stderr.contains("cut off"), "{}", refused.stderr);
    running.kill();
}

#[test]
fn a_trusted_author_may_say_that_a_product_is_not_affected() {
    let upstream = upstream();
    deliver(&upstream, &[advisory(5)]);
    exploited(&upstream, &[]);
    let statement = |author: &str| {
        json!({
            "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://vex.example/1", "author": author,
            "timestamp": days_ago(1), "version": 1,
            "statements": [{
                "vulnerability": { "name": "CVE-2026-1000" },
                "products": [{ "@id": "pkg:npm/lib@1.1.0" }],
                "status": "not_affected", "justification": "vulnerable_code_not_present",
            }],
        })
    };
    upstream.catalog().put_feed("vex.json", statement("security@acme.example").to_string());
    let vex = feed(&upstream, "vex", FeedKind::Openvex, "vex.json");
    let open = |trusted: &[&str]| {
        let trusted = trusted.iter().map(|a| (*a).to_owned()).collect();
        let door = Setup::new(&upstream)
            .with(following(&upstream))
            .with(|config| {
                config.intel.trusted_vex = trusted;
                config.intel.feed.as_mut().unwrap().push(vex.clone());
            })
            .open();
        synced(&door);
        door
    };
    assert_eq!(status(&open(&[]), "1.1.0"), 403);
    let door = open(&["security@acme.example"]);
    assert_eq!(status(&door, "1.1.0"), 200);
    assert_eq!(status(&door, "1.0.0"), 403);
}

#[test]
fn the_query_api_of_osv_answers_with_records_or_an_error() {
    let upstream = upstream();
    deliver(&upstream, &[advisory(5)]);
    exploited(&upstream, &[]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    let ask = |path: &str, question: &Value| {
        door.send("POST", path, &["Content-Type: application/json"], question.to_string().as_bytes())
    };
    let question =
        |version: &str| json!({ "version": version, "package": { "name": "lib", "ecosystem": "npm" } });
    let unknown = ask("/osv/v1/query", &question("1.0.0"));
    assert_eq!(unknown.status, 503, "{}", unknown.text());
    synced(&door);
    let found = body(&ask("/osv/v1/query", &question("1.0.0")));
    assert_eq!(found["vulns"], json!([advisory(5)]));
    assert_eq!(body(&ask("/osv/v1/query", &question("2.0.0"))), json!({}));
    let by_purl = |purl: &str| json!({ "package": { "purl": purl } });
    let batch = json!({ "queries": [by_purl("pkg:npm/lib@1.1.0"), by_purl("pkg:npm/fine@1.0.0")] });
    let found = body(&ask("/osv/v1/querybatch", &batch));
    assert_eq!(found["results"][0]["vulns"][0]["id"], "GHSA-aaaa-bbbb-cccc");
    assert_eq!(found["results"][1], json!({}));
    assert_eq!(body(&door.get("/osv/v1/vulns/CVE-2026-1000")), advisory(5));
    for (question, why) in [
        (json!({ "version": "1.0.0", "package": { "name": "lib", "ecosystem": "Hex" } }), 503),
        (json!({ "package": { "name": "lib", "ecosystem": "npm" } }), 400),
        (json!({ "commit": "abc" }), 400),
        (json!([]), 400),
    ] {
        assert_eq!(ask("/osv/v1/query", &question).status, why, "{question}");
    }
    let page = door.get("/advisories/CVE-2026-1000");
    assert!(page.status == 200 && page.text().contains("reads any file"), "{}", page.text());
    assert_eq!(door.get("/advisories/CVE-1999-0001").status, 404);
}

#[test]
fn a_proven_fix_does_not_wait_and_an_unproven_one_does() {
    let upstream = upstream();
    upstream.publish(Package::npm("lib", "2.0.1").published(&exactly_days_ago(1)));
    exploited(&upstream, &[]);
    let fixed_in_the_young_one = |reviewed: bool, introduced: &str| {
        let mut record = advisory(0);
        record["affected"][0]["ranges"][0]["events"] =
            json!([{ "introduced": introduced }, { "fixed": "2.0.1" }]);
        record["database_specific"] = json!({ "github_reviewed": reviewed });
        record
    };
    deliver(&upstream, &[]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    synced(&door);
    assert_eq!(status(&door, "2.0.1"), 403, "it is young");
    for (record, expected, why) in [
        (fixed_in_the_young_one(false, "0"), 403, "nobody but its publisher vouches for the advisory"),
        (fixed_in_the_young_one(true, "2.0.0"), 403, "1.1.0 is not touched"),
        (fixed_in_the_young_one(true, "0"), 200, "proven"),
    ] {
        deliver(&upstream, &[record]);
        synced(&door);
        assert_eq!(status(&door, "2.0.1"), expected, "{why}");
    }
    assert_eq!(versions(&door), ["2.0.1"]);
    // The newest version that may be taken is the fix, and it is what a range gets.
    assert_eq!(body(&door.get("/npm/lib"))["dist-tags"]["latest"], "2.0.1");
}

#[test]
fn a_feed_is_redirected_to_named_hosts_only() {
    let (upstream, elsewhere) = (upstream(), FakeUpstream::start());
    deliver(&elsewhere, &[advisory(5)]);
    let place = format!("{}/feeds/{FEED}", elsewhere.url().replace("127.0.0.1", "localhost"));
    upstream.fault("/feeds/", Fault::Redirect(place));
    for (hosts, follows) in [(vec![], false), (vec!["localhost".to_owned()], true)] {
        let mut osv = feed(&upstream, "osv", FeedKind::Osv, FEED);
        osv.file_hosts = hosts;
        let door = Setup::new(&upstream)
            .with(|config| {
                config.intel.feed = Some(vec![osv]);
                // Both are loopback here.
                config.upstream.allow_private_addresses = true;
            })
            .open();
        let outcome = &synced(&door)[0].1;
        assert_eq!(matches!(outcome, Outcome::Changed { .. }), follows, "{outcome:?}");
    }
}

#[test]
fn how_long_a_feed_counts_as_current_is_configured() {
    let upstream = upstream();
    exploited(&upstream, &[]);
    deliver(&upstream, &[]);
    let late = |stale_hours: u64| {
        let door = Setup::new(&upstream)
            .with(following(&upstream))
            .with(|config| config.intel.stale_hours = stale_hours)
            .open();
        synced(&door);
        door.clock().advance(5 * 3600);
        door.door.look_for_degradations();
        let answer = door.get("/npm/fine");
        answer.header("x-tidegate-degraded").is_some_and(|d| d.contains("feed osv was last current"))
    };
    assert!(late(4));
    assert!(!late(6));
}

#[test]
fn decision_points_about_exploitation_are_facts_that_a_policy_reads() {
    let upstream = upstream();
    deliver(&upstream, &[advisory(5)]);
    let points = |exploitation: &str| {
        let row = json!({
            "cve": "CVE-2026-1000", "exploitation": exploitation, "automatable": "yes", "technical_impact": "total",
        });
        upstream.catalog().put_feed("ssvc.jsonl", format!("{row}\n"));
    };
    let feeds = vec![
        feed(&upstream, "osv", FeedKind::Osv, FEED),
        feed(&upstream, "ssvc", FeedKind::Ssvc, "ssvc.jsonl"),
    ];
    let rule = r#"
        [[rule]]
        id = "seen"
        action = "block"
        unknown = "allow"
        remediation = "Upgrade"
        message = "exploitation was seen: {advisories}"
        [rule.when]
        vulnerabilities = { some = { ssvc = { exploitation = "active", automatable = true, technical_impact = "total" } } }
    "#;
    points("PoC");
    let door = Setup::new(&upstream).policy(rule).with(|config| config.intel.feed = Some(feeds)).open();
    synced(&door);
    assert_eq!(status(&door, "1.1.0"), 200);
    points("Active");
    synced(&door);
    assert_eq!(status(&door, "1.1.0"), 403);
    assert!(door.get("/npm/lib/-/lib-1.1.0.tgz").reason.contains("exploitation was seen: CVE-2026-1000"));
}

#[test]
fn what_is_under_way_can_be_watched_and_ends() {
    let upstream = upstream();
    exploited(&upstream, &[]);
    deliver(&upstream, &[advisory(5)]);
    upstream.fault("/feeds/osv/", Fault::Trickle(200));
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    let (watched, following) = (std::sync::Arc::clone(&door.door), std::sync::Arc::clone(&door.door));
    let pass = door.runtime().spawn(async move { sync::all(&following, |_, _| ()).await });
    door.until("some of it has arrived and not all", || {
        watched.attempts.under_way().is_some_and(|doing| {
            doing.feed == "osv"
                && doing.step == sync::Step::Fetching
                && doing.bytes > 0
                && doing.of.is_some_and(|of| doing.bytes < of)
        })
    });
    pass.abort();
    let _ = door.runtime().block_on(pass);
    assert_eq!(door.door.attempts.under_way(), None, "a pass that is broken off is not under way");
}
