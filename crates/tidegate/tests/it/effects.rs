//! What follows from a change of advisories for what was admitted before: told once, to the end, and held back where a
//! person has to look first.

mod bundled;
mod kills;

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate::intel::{effects, sync};
use tidegate_intel::FeedKind;
use tidegate_intel::import::{self, Extent, PlanOptions, ReadOptions};
use tidegate_ledger::entry::{Effect, Grave, HoldChange, HoldOperation, HoldReason};
use tidegate_ledger::{Body, Entry};
use tidegate_model::{Action, Principal};
use tidegate_store::catalogue::{Scope, Token, TokenHash};
use tidegate_testkit::{FakeUpstream, Fault, Gate, Package};

use crate::support::{PATIENCE, Setup, TestDoor, days_ago, json as body};

fn upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        upstream.publish(Package::npm("lib", version).published(&days_ago(100)));
    }
    upstream.publish(Package::npm("fine", "1.0.0").published(&days_ago(100)));
    upstream
}

/// Blocks what is critical, without a grace time.
const NO_GRACE: &str = "
[[rule]]
id = \"critical\"
action = \"block\"
unknown = \"allow\"
message = \"has critical vulnerabilities: {advisories}\"
[rule.when]
vulnerabilities = { some = { effective_severity = \"critical\" } }

[[rule]]
id = \"malware\"
action = \"block\"
unknown = \"allow\"
message = \"known to be malicious: {malware.reports}\"
[rule.when]
\"malware.verdict\" = \"malicious\"
";

/// A critical advisory on `lib` below 2.0.0.
fn critical() -> Value {
    json!({
        "id": "GHSA-aaaa-bbbb-cccc", "modified": days_ago(5),
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
        "affected": [{
            "package": { "ecosystem": "npm", "name": "lib" },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }],
        }],
    })
}

/// A report of malice in all versions of `lib`.
fn malice() -> Value {
    json!({
        "id": "MAL-2026-7", "modified": days_ago(5), "summary": "takes credentials",
        "affected": [{
            "package": { "ecosystem": "npm", "name": "lib" },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }] }],
        }],
    })
}

fn withdrawn(record: &Value) -> Value {
    let mut record = record.clone();
    record["modified"] = days_ago(1).into();
    record["withdrawn"] = days_ago(1).into();
    record
}

fn deliveries(records: &[Value]) -> Vec<import::Delivery> {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let options = ReadOptions {
        feed: Some("ours".into()),
        kind: Some(FeedKind::Osv),
        extent: Extent::Part,
        as_of: None,
        scratch: None,
    };
    import::read_bytes("ours.jsonl", lines.join("\n").into_bytes(), &options).unwrap()
}

/// Puts records in force without telling what follows, as a door does that is stopped in between.
fn swap(door: &TestDoor, records: &[Value]) {
    let (inner, deliveries) = (Arc::clone(&door.door), deliveries(records));
    let applied = door.runtime().block_on(async move {
        tokio::task::spawn_blocking(move || sync::put_in_force(&inner, deliveries, Vec::new(), None))
            .await
            .unwrap()
    });
    assert!(applied.unwrap().reports.iter().all(|report| !report.refused));
}

fn settle(door: &TestDoor) {
    door.runtime().block_on(effects::settle(&door.door));
}

pub(crate) fn import(door: &TestDoor, records: &[Value]) {
    swap(door, records);
    settle(door);
}

fn take(door: &TestDoor, target: &str, token: &str) -> u16 {
    let authorization = format!("Authorization: Bearer {token}");
    let lines: &[&str] = if token.is_empty() { &[] } else { &[&authorization] };
    door.ask("GET", target, lines).status
}

fn lib(version: &str) -> String {
    format!("/npm/lib/-/lib-{version}.tgz")
}

fn status(door: &TestDoor, version: &str) -> u16 {
    take(door, &lib(version), "")
}

fn bodies(door: &TestDoor) -> Vec<Body> {
    // What is answered later is durable later: everything before it is then there to be read.
    assert_eq!(door.get("/npm/fine").status, 200);
    door.door.recorder.reader(1).map(|frame| Entry::parse(&frame.unwrap().json).unwrap().body).collect()
}

fn told(door: &TestDoor) -> Vec<Effect> {
    let effect = |body| if let Body::Effect(effect) = body { Some(*effect) } else { None };
    bodies(door).into_iter().filter_map(effect).collect()
}

fn holds(door: &TestDoor) -> Vec<HoldChange> {
    let hold = |body| if let Body::Hold(hold) = body { Some(*hold) } else { None };
    bodies(door).into_iter().filter_map(hold).collect()
}

/// Kinds and subjects of alarms that are open.
fn open_alarms(door: &TestDoor) -> Vec<(String, String)> {
    let page = tidegate_store::catalogue::Page::default();
    let alarms = door.door.store.catalogue.alarms(false, page).unwrap();
    alarms.into_iter().map(|a| (a.alarm.kind, a.alarm.subject)).collect()
}

fn new(effect: &Effect) -> Vec<(&str, Grave)> {
    effect.new.iter().map(|touching| (&*touching.id, touching.why)).collect()
}

#[test]
fn each_change_is_told_once_with_who_took_it_and_lifted_when_it_is_taken_back() {
    let upstream = upstream();
    let door = Setup::new(&upstream).policy(NO_GRACE).open();
    let ann = door.token("ann", &[]);
    assert_eq!((status(&door, "1.0.0"), take(&door, &lib("1.0.0"), &ann)), (200, 200));
    assert_eq!((take(&door, &lib("1.0.0"), &ann), status(&door, "2.0.0")), (200, 200));
    import(&door, &[critical()]);
    let [effect] = &told(&door)[..] else { panic!("one version is touched") };
    assert_eq!(&*effect.purl, "pkg:npm/lib@1.0.0");
    assert_eq!(new(effect), [("GHSA-aaaa-bbbb-cccc", Grave::Critical)]);
    assert_eq!((effect.before, effect.after), (Some(Action::Allow), Some(Action::Block)));
    assert_eq!((effect.takers, effect.accesses, effect.held), (2, 3, false));
    assert!(effect.last_taken_at.is_some() && effect.generation == 1);
    assert_eq!(status(&door, "1.0.0"), 403);
    let alarm = ("advisory".to_owned(), "pkg:npm/lib@1.0.0".to_owned());
    assert_eq!(open_alarms(&door), [alarm]);

    import(&door, &[critical()]);
    settle(&door);
    let door = door.restart();
    settle(&door);
    assert_eq!(told(&door).len(), 1, "and not again");

    import(&door, &[withdrawn(&critical())]);
    let [_, back] = &told(&door)[..] else { panic!("one version is free again") };
    assert_eq!(back.gone.iter().map(|id| &**id).collect::<Vec<_>>(), ["GHSA-aaaa-bbbb-cccc"]);
    assert_eq!((back.before, back.after), (Some(Action::Block), Some(Action::Allow)));
    assert!(back.new.is_empty() && open_alarms(&door).is_empty());
    assert_eq!(status(&door, "1.0.0"), 200);
}

#[test]
fn what_was_known_at_the_admission_is_no_news() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    let mut high = critical();
    high["severity"] =
        json!([{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" }]);
    import(&door, &[high.clone()]);
    assert_eq!(status(&door, "1.0.0"), 200, "a warning");
    let mut other = malice();
    other["affected"][0]["ranges"] = json!([]);
    other["affected"][0]["versions"] = json!(["1.0.0"]);
    import(&door, &[other]);
    let [effect] = &told(&door)[..] else { panic!("one version is touched") };
    assert_eq!(new(effect), [("MAL-2026-7", Grave::Malware)], "only what came later");
    let mut worse = critical();
    worse["modified"] = days_ago(2).into();
    import(&door, &[worse]);
    let [_, effect] = &told(&door)[..] else { panic!("one version is touched more gravely") };
    assert_eq!(new(effect), [("GHSA-aaaa-bbbb-cccc", Grave::Critical)]);
    // The same flaw under another id.
    let mut named = critical();
    named["modified"] = days_ago(1).into();
    named["aliases"] = json!(["CVE-2026-1000"]);
    import(&door, &[named]);
    assert_eq!(told(&door).len(), 2, "a name is no news");
    import(&door, &[withdrawn(&high)]);
    let last = told(&door).pop().unwrap();
    assert_eq!(last.gone.iter().map(|id| &**id).collect::<Vec<_>>(), ["CVE-2026-1000"]);
}

#[test]
fn a_crate_is_found_however_its_name_is_spelled() {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("fine", "1.0.0").published(&days_ago(100)));
    upstream.publish(Package::cargo("mixed_up-name", "1.0.0").published(&days_ago(100)));
    let door = Setup::new(&upstream).open();
    let file = "/cargo/api/v1/crates/mixed_up-name/1.0.0/download";
    assert_eq!(take(&door, file, ""), 200);
    let record = json!({
        "id": "MAL-2026-9", "modified": days_ago(1),
        "affected": [{ "package": { "ecosystem": "cargo", "name": "mixed-up_name" }, "versions": ["1.0.0"] }],
    });
    import(&door, &[record]);
    let purls: Vec<_> = told(&door).iter().map(|effect| effect.purl.to_string()).collect();
    assert_eq!(purls, ["pkg:cargo/mixed_up-name@1.0.0"]);
    assert_eq!(take(&door, file, ""), 403);
}

#[test]
fn a_change_that_was_cut_short_is_told_at_the_next_start() {
    let upstream = upstream();
    let door = Setup::new(&upstream).policy(NO_GRACE).open();
    assert_eq!((status(&door, "1.0.0"), status(&door, "1.1.0")), (200, 200));
    // Stopped after the advisories were written down, before anything else.
    let options = PlanOptions { now: door.clock().now(), accept: Vec::new() };
    let plan = door.door.intel.snapshot().plan(deliveries(&[critical()]), &options).unwrap();
    door.door.intel.apply(plan).unwrap();
    let door = door.restart();
    assert_eq!(
        (status(&door, "1.0.0"), status(&door, "2.0.0")),
        (403, 200),
        "in force from the first answer"
    );
    settle(&door);
    assert_eq!((told(&door).len(), open_alarms(&door).len()), (2, 2));
    // Stopped after they came into force, before anything was told.
    swap(&door, &[withdrawn(&critical())]);
    let door = door.restart();
    assert_eq!(status(&door, "1.0.0"), 200);
    settle(&door);
    assert_eq!((told(&door).len(), open_alarms(&door).len()), (4, 0));
    // Stopped after entries were written, before it was noted: they come again and say the same.
    import(
        &door,
        &[{
            let mut again = critical();
            again["modified"] = days_ago(0).into();
            again
        }],
    );
    door.door.store.catalogue.set_setting("effects_generation", "1").unwrap();
    let lost = tidegate_store::catalogue::VersionExposure {
        purl: "pkg:npm/lib@1.0.0".into(),
        advisories: Vec::new(),
    };
    door.door.store.catalogue.set_exposures(&[lost]).unwrap();
    let door = door.restart();
    settle(&door);
    let all = told(&door);
    let of = |purl: &str| all.iter().filter(|e| &*e.purl == purl && !e.new.is_empty()).count();
    assert_eq!((of("pkg:npm/lib@1.0.0"), of("pkg:npm/lib@1.1.0")), (3, 2));
    assert_eq!(open_alarms(&door).len(), 2);
    let door = door.restart();
    settle(&door);
    assert_eq!(told(&door).len(), all.len(), "and then never again");
}

#[test]
fn what_is_ingested_while_advisories_change_is_decided_by_the_new_ones() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    let gate = Gate::new();
    upstream.fault("lib-1.0.0.tgz", Fault::Wait(gate.clone()));
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| door.get(&lib("1.0.0")));
        assert!(upstream.wait_for("lib-1.0.0.tgz", 1, PATIENCE));
        // The ask has been decided on without its bytes, and waits for them.
        import(&door, &[malice()]);
        gate.open();
        let answer = asking.join().unwrap();
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.reason.contains("MAL-2026-7"), "{}", answer.reason);
    });
    assert!(door.door.store.catalogue.admission("pkg:npm/lib@1.0.0").unwrap().is_none());
    assert!(told(&door).is_empty(), "nobody has it");
}

/// A door where somebody took `lib` 1.0.0, and others so many other packages.
fn taken_among(upstream: &FakeUpstream, setup: Setup, others: usize) -> TestDoor {
    let door = setup.open();
    assert_eq!(status(&door, "1.0.0"), 200);
    for n in 0..others {
        let name = format!("other-{n}");
        upstream.publish(Package::npm(&name, "1.0.0").published(&days_ago(100)));
        assert_eq!(take(&door, &format!("/npm/{name}/-/{name}-1.0.0.tgz"), ""), 200);
    }
    door
}

pub(crate) fn admin(door: &TestDoor) -> String {
    administrator(door, "lead")
}

/// Makes a token of an administrator known and returns it as a header line.
pub(crate) fn administrator(door: &TestDoor, name: &str) -> String {
    let token = Token {
        id: format!("id-{name}"),
        hash: TokenHash::of(&format!("tg_{name}")),
        principal: Principal { id: name.into(), ..Principal::anonymous() },
        scope: Scope::Admin,
        repositories: Vec::new(),
        created_at: door.clock().now(),
        expires_at: None,
        revoked_at: None,
    };
    assert!(door.door.store.catalogue.put_token(&token).unwrap());
    format!("Authorization: Bearer tg_{name}")
}

#[test]
fn an_advisory_that_would_hold_much_of_what_is_used_waits_for_a_person() {
    let upstream = upstream();
    let door = taken_among(&upstream, Setup::new(&upstream).policy(NO_GRACE), 18);
    assert_eq!(status(&door, "1.1.0"), 200);
    import(&door, &[critical()]);
    let served = door.get(&lib("1.0.0"));
    assert_eq!(served.status, 200, "two of twenty downloads");
    assert!(served.header("x-tidegate-warning").unwrap().contains("waits for a person"), "{served:?}");
    let effects = told(&door);
    assert!(effects.iter().all(|e| e.held && e.after == Some(Action::Warn)) && effects.len() == 2);
    let [hold] = &holds(&door)[..] else { panic!("one advisory waits") };
    assert_eq!((hold.operation, hold.reason), (HoldOperation::Held, HoldReason::Bulk));
    assert_eq!((hold.downloads, hold.downloads_in_all), (2, 20));
    assert!(
        open_alarms(&door)
            .iter()
            .any(|(kind, about)| kind == "advisory-held" && about == "GHSA-aaaa-bbbb-cccc")
    );
    // What nobody has is refused at once.
    upstream.publish(Package::npm("lib", "1.2.0").published(&days_ago(100)));
    door.clock().advance(3600);
    assert_eq!(status(&door, "1.2.0"), 403);
    let door = door.restart();
    settle(&door);
    assert_eq!(status(&door, "1.0.0"), 200, "it waits over restarts");

    let admin = admin(&door);
    let held = |door: &TestDoor| body(&door.ask("GET", "/api/v1/intel/held", &[&admin]))["held"].clone();
    assert_eq!(held(&door)[0]["state"], "waiting");
    let decide = |door: &TestDoor, step: &str| {
        let target = format!("/api/v1/intel/held/GHSA-aaaa-bbbb-cccc/{step}");
        door.send("POST", &target, &[&admin, "Content-Type: application/json"], b"{}").status
    };
    assert_eq!(door.send("POST", "/api/v1/intel/held/GHSA-aaaa-bbbb-cccc/confirm", &[], b"{}").status, 403);
    assert_eq!(decide(&door, "dismiss"), 200);
    let dismissed = door.get(&lib("1.0.0"));
    assert_eq!(dismissed.status, 200);
    assert!(
        dismissed.header("x-tidegate-warning").unwrap().contains("a person lets it stay"),
        "{dismissed:?}"
    );
    assert_eq!(status(&door, "1.2.0"), 403);
    assert_eq!(decide(&door, "confirm"), 200);
    assert_eq!(status(&door, "1.0.0"), 403);
    assert_eq!(held(&door)[0]["decided_by"], "lead");
    let decided: Vec<_> = holds(&door).iter().map(|h| (h.operation, h.actor.is_some())).collect();
    let expected =
        [(HoldOperation::Held, false), (HoldOperation::Dismissed, true), (HoldOperation::Confirmed, true)];
    assert_eq!(decided, expected);
    let last = told(&door).pop().unwrap();
    assert_eq!((last.held, last.after), (false, Some(Action::Block)));

    import(&door, &[withdrawn(&critical())]);
    assert_eq!((status(&door, "1.0.0"), status(&door, "1.2.0")), (200, 200));
    assert_eq!(holds(&door).pop().unwrap().operation, HoldOperation::Ended);
    assert!(held(&door).as_array().unwrap().is_empty() && open_alarms(&door).is_empty());
    assert_eq!(decide(&door, "confirm"), 404);
}

#[test]
fn an_advisory_that_holds_little_or_where_little_is_used_waits_for_nobody() {
    for others in [18, 19] {
        let upstream = upstream();
        // One of nineteen says nothing yet; one of twenty is not more than 5 %.
        let door = taken_among(&upstream, Setup::new(&upstream).policy(NO_GRACE), others);
        import(&door, &[critical()]);
        assert_eq!(status(&door, "1.0.0"), 403, "{others}");
        assert!(holds(&door).is_empty());
    }
}

#[test]
fn a_report_of_malice_in_everything_of_a_much_used_name_lets_old_versions_be_served() {
    let upstream = upstream();
    let door = Setup::new(&upstream).open();
    let people: Vec<String> = (0..6).map(|n| door.token(&format!("dev-{n}"), &[])).collect();
    for token in &people {
        assert_eq!(take(&door, &lib("1.0.0"), token), 200);
    }
    door.clock().advance(31 * 86_400);
    import(&door, &[malice()]);
    let served = door.get(&lib("1.0.0"));
    assert_eq!(served.status, 200, "{}", served.text());
    let warning = served.header("x-tidegate-warning").unwrap();
    assert!(warning.contains("MAL-2026-7") && warning.contains("waits for a person"), "{warning}");
    let refused = door.get(&lib("1.1.0"));
    assert_eq!(refused.status, 403, "nobody has it");
    assert!(refused.reason.contains("MAL-2026-7"), "{}", refused.reason);
    let listed = body(&door.get("/npm/lib"));
    assert_eq!(listed["versions"].as_object().unwrap().keys().collect::<Vec<_>>(), ["1.0.0"]);
    let [hold] = &holds(&door)[..] else { panic!("one report waits") };
    assert_eq!((hold.reason, hold.sources), (HoldReason::AllVersions, 1));
    let admin = admin(&door);
    let why = body(&door.ask("GET", "/api/v1/why?purl=pkg:npm/lib@1.0.0", &[&admin]));
    assert_eq!(why["files"][0]["facts"]["advisories"][0]["held"], "waiting", "{why:#}");

    // A report that names the version waits for nobody.
    let mut named = malice();
    named["id"] = "MAL-2026-8".into();
    named["affected"][0]["ranges"] = json!([]);
    named["affected"][0]["versions"] = json!(["1.0.0"]);
    import(&door, &[named.clone()]);
    assert_eq!(status(&door, "1.0.0"), 403);
    import(&door, &[withdrawn(&named)]);
    assert_eq!(status(&door, "1.0.0"), 200);

    let target = "/api/v1/intel/held/MAL-2026-7/confirm";
    assert_eq!(door.send("POST", target, &[&admin, "Content-Type: application/json"], b"{}").status, 200);
    assert_eq!(status(&door, "1.0.0"), 403);
    import(&door, &[withdrawn(&malice())]);
    assert_eq!((status(&door, "1.0.0"), status(&door, "1.1.0")), (200, 200));
    assert_eq!(holds(&door).pop().unwrap().operation, HoldOperation::Ended);
}

#[test]
fn a_report_of_malice_in_everything_blocks_a_name_that_is_new_here_or_little_used() {
    for (people, days) in [(6, 20), (5, 31)] {
        let upstream = upstream();
        let door = Setup::new(&upstream).open();
        for n in 0..people {
            assert_eq!(take(&door, &lib("1.0.0"), &door.token(&format!("dev-{n}"), &[])), 200);
        }
        door.clock().advance(days * 86_400);
        import(&door, &[malice()]);
        assert_eq!(status(&door, "1.0.0"), 403, "{people} people, {days} days");
        assert!(holds(&door).is_empty());
    }
}
