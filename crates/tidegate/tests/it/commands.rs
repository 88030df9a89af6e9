//! Commands against a running door, as people type them: what they print, what they change, how they fail.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tidegate::config::Config;
use tidegate::door::{Door, Options, new_token};
use tidegate::http::server::Server;
use tidegate_model::{Principal, PrincipalKind, Timestamp};
use tidegate_store::catalogue::{Scope, Token};
use tidegate_testkit::FakeUpstream;
use tidegate_testkit::client::{self, RawResponse};
use tidegate_testkit::package::Package;
use tidegate_testkit::process::{Finished, Home, Program, Running};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");
/// How long anything may take on a slow, busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running door with its upstream and its user.
struct Site {
    upstream: FakeUpstream,
    home: Home,
    data: PathBuf,
    address: SocketAddr,
    door: Running,
    young: Timestamp,
}

impl Site {
    /// A door in front of `left-pad` 1.0.0, 1.1.0 and a 2.0.0 of an hour ago, and one wheel.
    fn open() -> Self {
        let upstream = FakeUpstream::start();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let young = Timestamp::from_unix_seconds(i64::try_from(now).unwrap() - 3600);
        upstream.publish(Package::npm("left-pad", "1.0.0").published("2020-01-01T00:00:00Z"));
        upstream.publish(Package::npm("left-pad", "1.1.0").published("2020-06-01T00:00:00Z"));
        upstream.publish(Package::npm("left-pad", "2.0.0").published(&young.to_string()));
        upstream.publish(Package::pypi("tomli", "1.0.0").published("2020-01-01T00:00:00Z"));
        let home = Home::new();
        let data = home.folder("data");
        let (door, address) = start(&home, &data, &upstream);
        Self { upstream, home, data, address, door, young }
    }

    fn command(&self, arguments: &[&str]) -> Program {
        Program::new(PROGRAM, &self.home).args(arguments).env("TIDEGATE_DATA", &self.data).timeout(PATIENCE)
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.command(arguments).run()
    }

    /// Standard output of a command that succeeds.
    #[track_caller]
    fn told(&self, arguments: &[&str]) -> String {
        self.run(arguments).expect_success().stdout
    }

    /// The lines of a command that prints JSON.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let mut all = arguments.to_vec();
        all.push("--json");
        self.told(&all).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// What a command that fails with status 1 says.
    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments);
        assert_eq!(finished.code(), Some(1), "{}", finished.output());
        let said = finished.stderr;
        assert!(said.starts_with("tidegate: ") && said.lines().count() <= 8, "{said}");
        assert!(!said.contains("panicked"), "{said}");
        said
    }

    fn get(&self, target: &str) -> RawResponse {
        client::get(self.address, target).unwrap()
    }

    fn tarball(&self, version: &str) -> u16 {
        self.get(&format!("/npm/left-pad/-/left-pad-{version}.tgz")).status
    }

    fn lists(&self, version: &str) -> bool {
        let packument: Value = serde_json::from_slice(&self.get("/npm/left-pad").body).unwrap();
        packument["versions"].get(version).is_some()
    }

    /// A request to the API with more header lines.
    fn api(&self, method: &str, path: &str, lines: &[&str], body: &str) -> (u16, Value) {
        let mut text = format!(
            "{method} /api/v1/{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        for line in lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(body);
        let answer = client::exchange(self.address, text.as_bytes()).unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }

    /// Ends the door in an orderly way and returns everything its ledger holds.
    fn ledger(mut self) -> String {
        self.door.signal(15);
        assert!(self.door.wait(PATIENCE).is_some_and(|s| s.success()));
        let mut text = String::new();
        for entry in walk(&self.data.join("ledger")) {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(entry).unwrap()));
        }
        text
    }
}

fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

fn start(home: &Home, data: &std::path::Path, upstream: &FakeUpstream) -> (Running, SocketAddr) {
    let mut door = Program::new(PROGRAM, home)
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("TIDEGATE_UPSTREAM_NPM", upstream.npm_url())
        .env("TIDEGATE_UPSTREAM_PYPI", upstream.pypi_url())
        .env("TIDEGATE_UPSTREAM_CARGO", upstream.cargo_url())
        .spawn();
    let line = door.wait_for_line("tidegate is open on", PATIENCE);
    let rest = line.split("http://").nth(1).unwrap();
    let address = rest.split('/').next().unwrap().parse().unwrap();
    (door, address)
}

#[test]
fn why_explains_allowed_steered_held_and_refused() {
    let site = Site::open();
    let from = site.young.plus_seconds(3 * 86_400).to_minute();

    let allowed = site.told(&["why", "pkg:npm/left-pad@1.1.0"]);
    assert!(allowed.contains("pkg:npm/left-pad@1.1.0 is allowed"), "{allowed}");
    assert!(allowed.contains("published 2020-06-01 00:00 UTC"), "{allowed}");
    assert!(allowed.contains("a newer version is withheld, so resolvers land here: 2.0.0"), "{allowed}");
    assert!(allowed.contains(&format!("selectable from {from}")), "{allowed}");
    assert!(!allowed.contains('\u{1b}'), "no colour outside a terminal: {allowed}");

    let held = site.told(&["why", "pkg:npm/left-pad@2.0.0"]);
    assert!(held.contains("pkg:npm/left-pad@2.0.0 is held"), "{held}");
    assert!(held.contains("quarantine [cooldown]") && held.contains("artifact.published_at ="), "{held}");
    assert!(held.contains(&format!("selectable from {from}")), "{held}");
    assert!(held.contains("newest compliant version: 1.1.0"), "{held}");

    let package = &site.json(&["why", "pkg:npm/left-pad"])[0];
    assert_eq!(package["newest_compliant"], "1.1.0");
    assert_eq!(package["withheld"][0]["version"], "2.0.0");
    assert_eq!(package["withheld"][0]["rule"], "cooldown");

    site.told(&["quarantine", "block", "pkg:npm/left-pad@1.0.0", "--reason", "steals keys"]);
    let refused = site.told(&["why", "pkg:npm/left-pad@1.0.0"]);
    assert!(refused.contains("is refused") && refused.contains("[malware]"), "{refused}");
    assert!(refused.contains("TIDEGATE-LOCAL-1"), "{refused}");

    // What a client is shown leads here.
    let answer = site.get("/npm/left-pad/-/left-pad-2.0.0.tgz");
    let id = answer.header("x-tidegate-decision").unwrap().to_owned();
    let by_id = site.told(&["why", &id]);
    assert!(by_id.contains("recorded") && by_id.contains(&id) && by_id.contains("[cooldown]"), "{by_id}");

    let unknown = site.refused(&["why", "pkg:npm/left-pad@9.9.9"]);
    assert!(unknown.contains("no version 9.9.9") && unknown.contains("newest compliant: 1.1.0"), "{unknown}");
    let absent = site.refused(&["why", "pkg:npm/nobody-has-this"]);
    assert!(absent.contains("has no such thing"), "{absent}");
    let wrong = site.refused(&["why", "left-pad"]);
    assert!(wrong.contains("is not a package URL") && wrong.contains("pkg:npm/NAME@VERSION"), "{wrong}");
    site.upstream.stop();
    let down = site.refused(&["why", "pkg:npm/other"]);
    assert!(down.contains("cannot be reached"), "{down}");
}

#[test]
fn release_and_block_have_effect_at_once() {
    let site = Site::open();
    assert_eq!((site.tarball("2.0.0"), site.lists("2.0.0")), (403, false));
    let held = site.told(&["quarantine", "list"]);
    assert!(held.contains("pkg:npm/left-pad@2.0.0") && held.contains("cooldown"), "{held}");

    let nothing = site.refused(&["quarantine", "release", "pkg:npm/left-pad@1.0.0", "--reason", "x"]);
    assert!(nothing.contains("is not held"), "{nothing}");
    let released =
        &site.json(&["quarantine", "release", "pkg:npm/left-pad@2.0.0", "--reason", "we wrote it"])[0];
    assert_eq!(released["in_force"], true);
    assert_eq!((site.tarball("2.0.0"), site.lists("2.0.0")), (200, true));
    let waiver = released["waiver"].as_str().unwrap();
    let listed = &site.json(&["waiver", "list"])[0];
    assert_eq!(listed["id"], waiver);
    assert_eq!(listed["digest"].as_str().unwrap().trim_start_matches("sha256:"), released["sha256"]);
    let why = site.told(&["why", "pkg:npm/left-pad@2.0.0"]);
    assert!(why.contains(&format!("waived [cooldown] by {waiver}")), "{why}");
    assert_eq!(site.told(&["quarantine", "list"]), "nothing is held\n");

    site.told(&["waiver", "revoke", waiver, "--note", "on second thought"]);
    assert_eq!((site.tarball("2.0.0"), site.lists("2.0.0")), (403, false));
    assert!(site.refused(&["waiver", "revoke", waiver]).contains("is revoked"));

    assert_eq!((site.tarball("1.0.0"), site.lists("1.0.0")), (200, true));
    let blocked = &site.json(&["quarantine", "block", "pkg:npm/left-pad@1.0.0", "--reason", "bad"])[0];
    assert_eq!(
        (blocked["id"].as_str(), &blocked["enforced"]),
        (Some("TIDEGATE-LOCAL-1"), &Value::Bool(true))
    );
    assert_eq!((site.tarball("1.0.0"), site.lists("1.0.0")), (403, false), "also what was cached");
    assert!(site.told(&["quarantine", "list", "--blocks"]).contains("TIDEGATE-LOCAL-1"));
    // A block is waived by two people for given bytes only: one person's release stays a request.
    let asked =
        &site.json(&["quarantine", "release", "pkg:npm/left-pad@1.0.0", "--reason", "false alarm"])[0];
    assert_eq!((&asked["in_force"], &asked["missing_approvals"]), (&Value::Bool(false), &2.into()));
    assert_eq!(site.tarball("1.0.0"), 403);
    site.told(&["quarantine", "unblock", "TIDEGATE-LOCAL-1"]);
    assert_eq!((site.tarball("1.0.0"), site.lists("1.0.0")), (200, true));
    assert!(site.refused(&["quarantine", "unblock", "TIDEGATE-LOCAL-1"]).contains("no block"));

    let ledger = site.ledger();
    for operation in ["release", "block", "unblock"] {
        let entry = format!("\"operation\":\"{operation}\"");
        assert_eq!(ledger.matches(&entry).count(), 1, "{entry}");
    }
    assert!(ledger.contains("\"kind\":\"waiver\"") && ledger.contains("\"state\":\"revoked\""));
}

#[test]
fn tokens_open_what_they_are_for_and_stop_when_revoked() {
    let site = Site::open();
    let token = |scope: &str, person: &str| {
        let made = &site.json(&["token", "create", person, "--scope", scope, "--host", "build-7"])[0];
        (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
    };
    let (reader_id, reader) = token("read", "ann");
    let (admin_id, admin) = token("admin", "bea");
    let bearer = |token: &str| format!("Authorization: Bearer {token}");

    // What names nobody is told to anybody on loopback; what names people is not.
    assert_eq!(site.api("GET", "status", &[], "").0, 200);
    assert_eq!(site.api("GET", "accesses", &[], "").0, 401);
    assert_eq!(site.api("GET", "accesses", &[&bearer(&reader)], "").0, 403);
    assert_eq!(site.api("GET", "accesses", &[&bearer(&admin)], "").0, 200);
    assert_eq!(site.api("POST", "tokens", &[], "{\"person\":\"eve\"}").0, 401);
    assert_eq!(site.api("POST", "blocks", &[&bearer(&reader)], "{}").0, 403);
    // Pages of other sites, also those that point their own name at loopback, are told nothing.
    assert_eq!(site.api("GET", "status", &["Origin: http://evil.test"], "").0, 403);
    let rebound = "GET /api/v1/status HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n";
    assert_eq!(client::exchange(site.address, rebound.as_bytes()).unwrap().status, 403);
    let (status, problem) = site.api("POST", "tokens", &[&bearer(&admin)], "{\"person\":\"\"}");
    assert_eq!((status, &problem["code"]), (400, &"bad_request".into()));
    assert_eq!(site.api("GET", "nothing", &[&bearer(&admin)], "").0, 404);

    // The same over the command line from elsewhere.
    let address = format!("http://{}/", site.address);
    let listed = site.told(&["token", "list", "--door", &address, "--token", &admin]);
    assert!(listed.contains("ann") && listed.contains("build-7") && !listed.contains(&reader), "{listed}");
    assert!(site.refused(&["token", "list", "--door", &address]).contains("administrator's token"));

    // Who took it, by whose token, on which machine.
    let path = "/npm/left-pad/-/left-pad-1.0.0.tgz";
    assert_eq!(site.get(&format!("/t/{reader}{path}")).status, 200);
    let who = site.told(&["who", "pkg:npm/left-pad@1.0.0"]);
    for part in ["ann", "build-7", "127.0.0.1", "left-pad-1.0.0.tgz", "warn "] {
        assert!(who.contains(part), "{part}: {who}");
    }
    let row = &site.json(&["who", "--person", "ann"])[0];
    assert!(row["decision"].is_string() && row["record"].is_string() && row["at"].is_string(), "{row}");
    let digest = format!("sha256:{}", row["sha256"].as_str().unwrap());
    assert_eq!(site.json(&["who", &digest]).len(), 1);
    assert_eq!(site.told(&["who", "pkg:npm/left-pad@1.1.0"]), "nobody took it through this door\n");
    assert!(site.refused(&["who", "sha256:xyz"]).contains("no SHA-256 digest"));

    // Revoked tokens stop at once, on packages and on the API.
    site.told(&["token", "revoke", &reader_id]);
    site.told(&["token", "revoke", &admin_id]);
    assert_eq!(site.get(&format!("/t/{reader}{path}")).status, 401);
    assert_eq!(site.api("GET", "accesses", &[&bearer(&admin)], "").0, 401);
    assert!(site.refused(&["token", "revoke", &reader_id]).contains("no valid token"));

    // A forgotten person leaves records that speak of nobody.
    assert!(site.told(&["person", "list"]).contains("ann"));
    site.told(&["person", "forget", "ann"]);
    assert!(!site.told(&["person", "list"]).contains("ann"));
    let who = site.told(&["who", "pkg:npm/left-pad@1.0.0"]);
    assert!(who.contains("(forgotten)") && !who.contains("ann") && !who.contains("build-7"), "{who}");
    assert!(site.refused(&["person", "forget", "ann"]).contains("nobody is known as `ann`"));
    assert!(site.ledger().contains("\"operation\":\"forget\""));
}

#[test]
fn checks_runs_and_locations_tell_a_client_beforehand() {
    let site = Site::open();
    let items = r#"{"locked":[{"purl":"pkg:npm/left-pad@2.0.0"},{"purl":"pkg:npm/left-pad@1.0.0"},
        {"purl":"pkg:pypi/tomli@1.0.0"},{"purl":"pkg:npm/nobody-has-this@1.0.0"},{"purl":"nonsense"}]}"#;
    let (status, told) = site.api("POST", "checks", &[], items);
    assert_eq!(status, 200, "{told}");
    let item = |n: usize| &told["items"][n];
    assert_eq!((&item(0)["served"], &item(0)["rule"]), (&Value::Bool(false), &"cooldown".into()));
    assert_eq!(item(0)["newest_compliant"], "1.1.0");
    let from: Timestamp = item(0)["selectable_from"].as_str().unwrap().parse().unwrap();
    assert_eq!(from.to_minute(), site.young.plus_seconds(3 * 86_400).to_minute());
    assert_eq!((&item(1)["served"], &item(2)["served"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!((&item(3)["status"], &item(4)["status"]), (&"not_found".into(), &"failed".into()));
    let (status, told) = site.api("GET", "locations?purl=pkg:npm/left-pad@1.0.0", &[], "");
    assert_eq!(status, 200);
    let url = told["files"][0]["url"].as_str().unwrap();
    assert!(url.starts_with(site.upstream.url()) && url.ends_with("left-pad-1.0.0.tgz"), "{url}");
    let many = format!("{{\"purls\":[{}\"pkg:npm/x\"]}}", "\"pkg:npm/x\",".repeat(5000));
    assert_eq!(site.api("POST", "checks", &[], &many).0, 400);

    let made = &site.json(&["token", "create", "ann", "--run", "r1", "--kind", "ci"])[0];
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    for version in ["1.0.0", "1.0.0", "2.0.0"] {
        site.get(&format!("/t/{token}/npm/left-pad/-/left-pad-{version}.tgz"));
    }
    let run = format!("runs/{id}");
    assert_eq!(site.api("GET", &run, &[], "").0, 403, "not for everybody");
    let (status, told) = site.api("GET", &run, &[&format!("Authorization: Bearer {token}")], "");
    assert_eq!(status, 200, "{told}");
    assert_eq!((&told["counts"]["admitted"], &told["counts"]["held"]), (&1.into(), &1.into()), "{told}");
    assert_eq!(told["steered"][0]["instead_of"]["version"], "2.0.0");
    assert_eq!(told["held"][0]["newest_compliant"], "1.1.0");
}

#[test]
fn status_doctor_and_policy_speak_of_the_running_door() {
    let site = Site::open();
    let status = site.told(&["status"]);
    assert!(
        status.contains("is ready") && status.contains("baseline") && status.contains("enforced"),
        "{status}"
    );
    assert!(status.contains(site.upstream.npm_url().trim_end_matches('/')), "{status}");
    assert!(status.contains("off         advisories"), "a control that is off says so: {status}");
    let healthy = site.run(&["doctor"]);
    assert!(healthy.stdout.contains("npm: ") && healthy.stdout.contains(" answers"), "{}", healthy.output());
    site.upstream.stop();
    let ill = site.run(&["doctor"]);
    assert_eq!(ill.code(), Some(1), "{}", ill.output());
    assert!(
        ill.stdout.contains("cannot be reached") && ill.stdout.contains("check the address"),
        "{}",
        ill.stdout
    );
    site.upstream.restart();

    assert_eq!(site.tarball("2.0.0"), 403);
    site.told(&["policy", "reload", "--pack", "observe"]);
    assert_eq!(site.tarball("2.0.0"), 200, "observing holds nothing");
    assert!(site.refused(&["policy", "reload", "--pack", "mine"]).contains("no policy pack `mine`"));
    assert_eq!(site.json(&["policy", "show"])[0]["id"], "observe");
    let explained = site.told(&["policy", "explain", "pkg:npm/left-pad@2.0.0"]);
    assert!(explained.starts_with("pkg:npm/left-pad@2.0.0 quarantine by observe"), "{explained}");
    let explained = site.told(&["policy", "explain", "pkg:npm/left-pad@2.0.0", "--policy", "strict"]);
    assert!(explained.starts_with("pkg:npm/left-pad@2.0.0 quarantine by strict"), "{explained}");
    assert_eq!(site.told(&["alarms", "list"]), "no alarm is open\n");
    assert!(site.refused(&["alarms", "ack", "7"]).contains("no open alarm 7"));
}

#[test]
fn changed_bytes_raise_an_alarm_that_somebody_acknowledges() {
    let site = Site::open();
    site.upstream.catalog().serve_other_bytes("left-pad-1.0.0.tgz", "other bytes");
    assert_ne!(site.tarball("1.0.0"), 200);
    let alarm = &site.json(&["alarms", "list"])[0];
    let number = alarm["number"].to_string();
    assert_eq!(site.run(&["doctor"]).code(), Some(1));
    site.told(&["alarms", "ack", &number]);
    assert_eq!(site.told(&["alarms", "list"]), "no alarm is open\n");
    assert!(site.told(&["alarms", "list", "--acknowledged"]).contains("seen to by"));
}

#[test]
fn waivers_need_the_people_that_the_policy_demands() {
    let site = Site::open();
    site.told(&["policy", "reload", "--pack", "strict"]);
    let asked = site.told(&[
        "waiver",
        "request",
        "pkg:npm/left-pad@2.0.0",
        "--rule",
        "cooldown",
        "--reason",
        "urgent",
        "--expires",
        "2d",
    ]);
    assert!(asked.contains("is requested") && asked.contains("2 more must approve"), "{asked}");
    let id = site.json(&["waiver", "list"])[0]["id"].as_str().unwrap().to_owned();
    assert!(site.refused(&["waiver", "approve", &id]).contains("cannot approve it"));
    let address = format!("http://{}/", site.address);
    for (person, expected) in [("ann", "requested"), ("bea", "approved")] {
        let made = &site.json(&["token", "create", person, "--scope", "admin"])[0];
        let token = made["token"].as_str().unwrap();
        let told = site.told(&["waiver", "approve", &id, "--door", &address, "--token", token]);
        assert!(told.contains(&format!("is {expected}")), "{told}");
    }
    assert!(
        site.refused(&["waiver", "request", "pkg:npm/left-pad", "--rule", "nope", "--reason", "x"])
            .contains("no rule `nope`")
    );
    let long =
        ["waiver", "request", "pkg:npm/left-pad", "--rule", "cooldown", "--reason", "x", "--expires", "400d"];
    assert!(site.refused(&long).contains("at most"));
    // Out and in again, here into the same door: nothing is new.
    let file = site.home.path().join("waivers.jsonl");
    std::fs::write(&file, site.told(&["waiver", "export"])).unwrap();
    let told = site.told(&["waiver", "import", file.to_str().unwrap()]);
    assert_eq!(told, "0 waivers imported, 1 known already\n");
    std::fs::write(&file, "{\"id\": 3}\n").unwrap();
    let wrong = site.refused(&["waiver", "import", file.to_str().unwrap()]);
    assert!(wrong.contains("waivers.jsonl: line 1: this is no waiver"), "{wrong}");
    assert!(site.refused(&["waiver", "reject", "W-NONE"]).contains("no waiver `W-NONE`"));
}

#[test]
fn approvals_are_listed_with_what_is_decided_on_them() {
    let site = Site::open();
    let request = |purl: &str| {
        ["approval", "request", purl, "--reason", "everybody pads", "--expires", "9d"].map(str::to_owned)
    };
    for purl in ["pkg:npm/left-pad@1.0.0", "pkg:npm/left-pad@2.0.0"] {
        let words = request(purl);
        let told = site.told(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(told.contains("is approved") && told.contains(purl), "{told}");
    }
    let listed = site.told(&["approval", "list"]);
    let line = |part: &str| listed.lines().find(|line| line.contains(part)).unwrap().to_owned();
    assert!(line("left-pad@1.0.0").contains("warn"), "{listed}");
    assert!(line("left-pad@2.0.0").contains("quarantine by cooldown"), "approved, and too young: {listed}");
    let quick = site.told(&["approval", "list", "--quick", "--purl", "pkg:npm/left-pad@2.0.0"]);
    assert!(!quick.contains("quarantine") && !quick.contains("1.0.0"), "{quick}");
    let file = site.home.path().join("approvals.jsonl");
    std::fs::write(&file, site.told(&["approval", "export"])).unwrap();
    let told = site.told(&["approval", "import", file.to_str().unwrap()]);
    assert_eq!(told, "0 approvals imported, 2 known already\n");
    for id in site.json(&["approval", "list", "--quick"]) {
        let told = site.told(&["approval", "revoke", id["id"].as_str().unwrap(), "--note", "enough"]);
        assert!(told.contains("is revoked"), "{told}");
    }
    assert!(site.refused(&["approval", "approve", "A-NONE"]).contains("no approval `A-NONE`"));
    let whole = ["approval", "request", "pkg:npm/left-pad", "--reason", "x"];
    assert!(site.refused(&whole).contains("one version"));
}

#[test]
fn a_waiver_that_ends_holds_again_without_a_restart() {
    let upstream = FakeUpstream::start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let young = Timestamp::from_unix_seconds(i64::try_from(now).unwrap() - 3600);
    upstream.publish(Package::npm("left-pad", "2.0.0").published(&young.to_string()));
    let home = Home::new();
    let config: Config =
        toml::from_str(&format!("[[repository.npm.upstream]]\nurl = \"{}\"\n", upstream.npm_url())).unwrap();
    let mut options = Options::new(config, home.folder("data"), Vec::new());
    options.inspection_worker = crate::support::worker();
    let clock = options.clock.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (door, address) = runtime.block_on(async {
        let door = Door::open(options).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Server::new(Arc::clone(&door)));
        tokio::spawn(async move { server.serve_tcp(listener, None).await });
        (door, address)
    });
    let (secret, hash, id) = new_token().unwrap();
    let principal = Principal { id: "ann".into(), kind: PrincipalKind::Human, ..Principal::default() };
    let token = Token {
        id,
        hash,
        principal,
        scope: Scope::Admin,
        repositories: vec![],
        created_at: clock.now(),
        expires_at: None,
        revoked_at: None,
    };
    assert!(door.store.catalogue.put_token(&token).unwrap());
    let get = || client::get(address, "/npm/left-pad/-/left-pad-2.0.0.tgz").unwrap().status;
    assert_eq!(get(), 403);
    let body = r#"{"subject":"pkg:npm/left-pad@2.0.0","reason":"ours","expires_in_seconds":3600}"#;
    let request = format!(
        "POST /api/v1/quarantines/release HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        secret.expose(),
        body.len()
    );
    let answer = client::exchange(address, request.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(get(), 200);
    clock.advance(3601);
    assert_eq!(get(), 403);
    runtime.shutdown_background();
}

#[test]
fn the_ledger_is_exported_while_the_door_runs() {
    let site = Site::open();
    assert_eq!(site.tarball("1.0.0"), 200);
    let told = site.told(&["ledger", "export"]);
    let entries: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<u64> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(entries.iter().any(|e| e["kind"] == "access" && e["purl"] == "pkg:npm/left-pad@1.0.0"), "{told}");
    let last = numbers.len().to_string();
    assert_eq!(site.told(&["ledger", "export", "--from", &last]).lines().count(), 1);
    let nowhere = site.home.folder("nowhere");
    let said = site.refused(&["ledger", "export", "--data", nowhere.to_str().unwrap()]);
    assert!(said.contains("there is no ledger") && said.contains("--data"), "{said}");
}

/// The entries of one kind in the ledger of a door that runs.
fn entries(site: &Site, kind: &str) -> Vec<Value> {
    let told = site.told(&["ledger", "export"]);
    let entries = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.filter(|entry| entry["kind"] == kind).collect()
}

#[test]
fn a_release_that_waits_for_approvals_is_recorded_by_the_last_of_them() {
    let site = Site::open();
    site.told(&["policy", "reload", "--pack", "strict"]);
    assert_eq!(site.tarball("2.0.0"), 403);
    let asked = site.told(&["quarantine", "release", "pkg:npm/left-pad@2.0.0", "--reason", "looked at"]);
    assert!(asked.contains("stays held until 2 more approve"), "{asked}");
    let id = site.json(&["waiver", "list"])[0]["id"].as_str().unwrap().to_owned();
    let address = format!("http://{}/", site.address);
    for (person, released) in [("ann", 0), ("bea", 1)] {
        let before = |entry: &Value| entry["operation"] == "release";
        assert_eq!(entries(&site, "quarantine").iter().filter(|e| before(e)).count(), 0);
        let made = &site.json(&["token", "create", person, "--scope", "admin"])[0];
        let token = made["token"].as_str().unwrap();
        site.told(&["waiver", "approve", &id, "--door", &address, "--token", token]);
        let found = entries(&site, "quarantine");
        assert_eq!(found.iter().filter(|e| before(e)).count(), released, "{found:?}");
        if let Some(entry) = found.iter().find(|e| before(e)) {
            assert_eq!(entry["purl"], "pkg:npm/left-pad@2.0.0");
            assert_eq!(entry["file"], "left-pad-2.0.0.tgz");
            assert!(entry["sha256"].as_str().unwrap().starts_with("sha256:"), "{entry}");
            let people = site.json(&["person", "list"]);
            let bea = people.iter().find(|p| p["name"] == "bea").unwrap();
            assert_eq!(entry["actor"], bea["pseudonym"], "the last approval released it");
        }
    }
    assert_eq!(site.tarball("2.0.0"), 200);
}

#[test]
fn a_policy_that_somebody_puts_in_force_is_recorded_in_their_name() {
    let site = Site::open();
    site.told(&["policy", "reload", "--pack", "observe"]);
    let changes = entries(&site, "policy");
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert_eq!(changes[0]["actor"], Value::Null, "the configuration is nobody's doing");
    let people = site.json(&["person", "list"]);
    assert!(people.iter().any(|person| person["pseudonym"] == changes[1]["actor"]), "{people:?} {changes:?}");
}

#[test]
fn doctor_says_which_clients_are_led_through_the_door() {
    let site = Site::open();
    if tidegate_testkit::tools::npm().is_none() {
        return;
    }
    let of = |area: &str| {
        let findings = site.run(&["doctor", "--json"]).expect_success().stdout;
        let findings = findings.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        findings.filter(|finding| finding["area"] == area).collect::<Vec<_>>()
    };
    assert!(of("clients")[0]["what"].as_str().unwrap().contains("npm"), "{:?}", of("clients"));
    std::fs::write(
        site.home.path().join(".npmrc"),
        "registry=http://mirror.test/npm/\n@acme:registry=http://acme.test/\n",
    )
    .unwrap();
    let npm = of("npm");
    let told = |words: &str| npm.iter().any(|f| f["what"].as_str().unwrap().contains(words));
    assert!(told("http://mirror.test/npm/") && told("past the door unless"), "{npm:?}");
    assert!(told("`@acme` comes from http://acme.test/"), "{npm:?}");
    site.told(&["setup", "npm", "--write"]);
    let npm = of("npm");
    assert!(npm.iter().any(|f| f["what"].as_str().unwrap().starts_with("is set up")), "{npm:?}");
}

#[test]
fn long_lists_come_in_pages() {
    let site = Site::open();
    let made = &site.json(&["token", "create", "ann", "--scope", "admin"])[0];
    let header = format!("Authorization: Bearer {}", made["token"].as_str().unwrap());
    let ask = |path: &str| {
        let (status, told) = site.api("GET", path, &[&header], "");
        assert_eq!(status, 200, "{told}");
        told
    };
    for n in 0..3 {
        let purl = format!("pkg:npm/left-pad@9.0.{n}");
        site.told(&["waiver", "request", &purl, "--rule", "cooldown", "--reason", "to come"]);
    }
    assert_eq!(site.told(&["waiver", "export"]).lines().count(), 3);
    for (path, key, id) in [("waivers", "waivers", "id"), ("people", "people", "name")] {
        let whole = ask(path);
        assert_eq!(whole["next"], Value::Null);
        let all: Vec<Value> = whole[key].as_array().unwrap().iter().map(|item| item[id].clone()).collect();
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = ask(&format!("{path}?limit=1{after}"));
            let items = page[key].as_array().unwrap();
            assert_eq!(items.len(), 1, "{page}");
            seen.push(items[0][id].clone());
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, all, "{path}");
        assert!(seen.len() > 1 || path == "people", "{seen:?}");
    }
}
