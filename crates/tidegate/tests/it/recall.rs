//! "Who has this?": from an advisory to everyone who took what it touches, as people ask it of a running door.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};
use tidegate_testkit::client::RawClient;
use tidegate_testkit::process::{Finished, Home, Program, Running};
use tidegate_testkit::{FakeUpstream, Package};

use crate::support::{PATIENCE, days_ago};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");

/// Where a door's configuration may say that its secret for webhooks is.
pub(crate) const SECRET_ENV: &str = "TIDEGATE_TEST_WEBHOOK_SECRET";
/// That secret: 32 bytes.
pub(crate) const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A running door with its upstream and its user.
pub(crate) struct Site {
    pub(crate) upstream: FakeUpstream,
    pub(crate) home: Home,
    pub(crate) data: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) door: Running,
}

impl Site {
    /// A door in front of three versions of `lib` and one of `fine`; `configure` writes lines of its configuration.
    pub(crate) fn open(configuration: &str) -> Self {
        let upstream = FakeUpstream::start();
        for version in ["1.0.0", "1.1.0", "2.0.0"] {
            upstream.publish(Package::npm("lib", version).published(&days_ago(100)));
        }
        upstream.publish(Package::npm("fine", "1.0.0").published(&days_ago(100)));
        let home = Home::new();
        let data = home.folder("data");
        std::fs::write(data.join("tidegate.toml"), configuration).unwrap();
        let (door, address) = start(&home, &data, &upstream);
        Self { upstream, home, data, address, door }
    }

    /// Kills the door as a power switch would, and opens another on what it left.
    pub(crate) fn kill_and_start(&mut self) {
        self.kill_and_start_after(|_| ());
    }

    /// Opens another door on what an earlier one left.
    pub(crate) fn start_again(&mut self) {
        (self.door, self.address) = start(&self.home, &self.data, &self.upstream);
    }

    /// The same, with something done to the data directory between.
    pub(crate) fn kill_and_start_after(&mut self, between: impl FnOnce(&std::path::Path)) {
        self.door.signal(9);
        self.door.wait(PATIENCE).expect("a killed process ends");
        between(&self.data);
        self.start_again();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        Program::new(PROGRAM, &self.home)
            .args(arguments)
            .env("TIDEGATE_DATA", &self.data)
            .timeout(PATIENCE)
            .run()
    }

    /// Standard output of a command that succeeds.
    #[track_caller]
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        self.run(arguments).expect_success().stdout
    }

    /// The lines of a command that prints JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let mut all = arguments.to_vec();
        all.push("--json");
        self.told(&all).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Fetches a version of `lib` as the owner of a token; returns the status.
    pub(crate) fn take(&self, version: &str, token: &str) -> u16 {
        let mut client = RawClient::connect(self.address).unwrap();
        let authorization = format!("Authorization: Bearer {token}");
        let lines: &[&str] = if token.is_empty() { &[] } else { &[&authorization] };
        client.request("GET", &format!("/npm/lib/-/lib-{version}.tgz"), lines).unwrap().status
    }

    /// A token for somebody.
    pub(crate) fn token(&self, name: &str) -> String {
        self.json(&["token", "create", name])[0]["token"].as_str().unwrap().to_owned()
    }

    /// Puts one record in force.
    pub(crate) fn import(&self, record: &Value) {
        let path = self.home.path().join("record.json");
        std::fs::write(&path, record.to_string()).unwrap();
        self.told(&["intel", "import", path.to_str().unwrap(), "--feed", "ours", "--kind", "osv"]);
    }
}

fn start(home: &Home, data: &std::path::Path, upstream: &FakeUpstream) -> (Running, SocketAddr) {
    let mut door = Program::new(PROGRAM, home)
        .args(["up", "--no-sync", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("TIDEGATE_UPSTREAM_NPM", upstream.npm_url())
        .env("TIDEGATE_UPSTREAM_PYPI", upstream.pypi_url())
        .env("TIDEGATE_UPSTREAM_CARGO", upstream.cargo_url())
        .env(SECRET_ENV, SECRET)
        .spawn();
    let line = door.wait_for_line("tidegate is open on", PATIENCE);
    let rest = line.split("http://").nth(1).unwrap();
    (door, rest.split('/').next().unwrap().parse().unwrap())
}

/// An advisory on `lib` below 2.0.0.
pub(crate) fn advisory(withdrawn: bool) -> Value {
    let mut record = json!({
        "id": "GHSA-aaaa-bbbb-cccc",
        "aliases": ["CVE-2026-1000"],
        "modified": days_ago(if withdrawn { 1 } else { 2 }),
        "published": days_ago(50),
        "summary": "reads any file",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
        "affected": [{
            "package": { "ecosystem": "npm", "name": "lib" },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }],
        }, { "package": { "ecosystem": "Maven", "name": "org.lib:lib" }, "versions": ["1.0.0"] }],
    });
    if withdrawn {
        record["withdrawn"] = days_ago(1).into();
    }
    record
}

#[test]
fn an_advisory_names_everyone_who_took_what_it_touches() {
    let site = Site::open("");
    let (ann, bob) = (site.token("ann"), site.token("bob"));
    assert_eq!([site.take("1.0.0", &ann), site.take("1.0.0", &ann), site.take("1.1.0", &bob)], [200; 3]);
    assert_eq!([site.take("2.0.0", &bob), site.take("1.0.0", "")], [200; 2]);
    site.import(&advisory(false));

    // By any of its ids, however it is typed at night.
    for id in ["GHSA-aaaa-bbbb-cccc", "CVE-2026-1000", "cve-2026-1000", "ghsa-AAAA-bbbb-cccc"] {
        let lines = site.json(&["who", id]);
        let (head, rows) = lines.split_first().unwrap();
        assert_eq!(head["advisory"]["state"], "in_force", "{head}");
        let takers = &head["takers"];
        assert_eq!(
            (&takers["accesses"], &takers["people"], &takers["versions"]),
            (&4.into(), &3.into(), &2.into())
        );
        assert_eq!(takers["repositories"], json!(["npm"]));
        assert_eq!(rows.len(), 4, "{rows:?}");
        assert!(rows.iter().all(|row| row["purl"] != "pkg:npm/lib@2.0.0"));
        let people: Vec<&str> = rows.iter().filter_map(|row| row["person"].as_str()).collect();
        assert_eq!(people, ["anonymous", "bob", "ann", "ann"], "newest first");
        assert_eq!(takers["first_at"], rows[3]["at"]);
        assert_eq!(takers["last_at"], rows[0]["at"]);
        let versions = head["versions"].as_array().unwrap();
        let of = |n: usize, key: &str| versions[n][key].as_str().unwrap().to_owned();
        assert_eq!([of(0, "purl"), of(1, "purl")], ["pkg:npm/lib@1.0.0", "pkg:npm/lib@1.1.0"]);
        assert_eq!([of(0, "touch"), of(0, "fixed_in")], ["affected", "2.0.0"]);
        assert_eq!(of(0, "action"), "warn", "a grace time for what is here: {head}");
        assert_eq!(head["untouched"][0]["purl"], "pkg:npm/lib@2.0.0");
        assert_eq!(head["advisory"]["packages_elsewhere"], 1);
    }
    let told = site.told(&["who", "CVE-2026-1000"]);
    for part in [
        "GHSA-aaaa-bbbb-cccc",
        "reads any file",
        "in force",
        "pkg:npm/lib",
        "taken 4 times by 3 people",
        "2.0.0",
        "ann",
        "bob",
        "taken and not touched: pkg:npm/lib@2.0.0 (1×)",
        "1 more in ecosystems",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("there are more"), "{told}");
    // Pages: the head comes once, the rows all.
    let lines = site.json(&["who", "CVE-2026-1000", "--limit", "3"]);
    assert_eq!((lines.len(), &lines[0]["takers"]["accesses"]), (4, &4.into()));
    let csv = site.told(&["who", "CVE-2026-1000", "--csv"]);
    assert_eq!(csv.lines().count(), 5);
    assert!(csv.starts_with("at,person,") && csv.contains(",ann,"), "{csv}");
    let since = site.json(&["who", "CVE-2026-1000", "--since", "2100-01-01"]);
    assert_eq!((since.len(), &since[0]["takers"]["people"]), (1, &0.into()));

    // Taken back: the answer says so, and still who took it.
    site.import(&advisory(true));
    let lines = site.json(&["who", "CVE-2026-1000"]);
    assert_eq!((&lines[0]["advisory"]["state"], lines.len()), (&"withdrawn".into(), 5));
    assert_eq!(lines[0]["versions"][0]["touch"], "withdrawn");
    assert_eq!(lines[0]["versions"][0]["action"], "allow");
    assert!(site.told(&["who", "CVE-2026-1000"]).contains("withdrawn: it was taken back"));
}

#[test]
fn an_advisory_that_touches_nobody_is_an_answer_and_an_unknown_one_is_not() {
    let site = Site::open("");
    assert_eq!(site.take("2.0.0", ""), 200);
    site.import(&advisory(false));
    let told = site.told(&["who", "CVE-2026-1000"]);
    assert!(told.contains("nobody took what it touches through this door"), "{told}");
    assert!(told.contains("0 of 1 admitted versions touched"), "{told}");
    for unknown in ["CVE-2026-9999", "TIDEGATE-LOCAL-7", "left-pad"] {
        let refused = site.run(&["who", unknown]).expect_failure();
        assert_eq!(refused.code(), Some(1));
        assert!(
            refused.stderr.contains(&format!("no advisory `{unknown}` is known here")),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("tidegate intel status"), "{}", refused.stderr);
    }
    // Exploited, says a list; what it is in, says nobody.
    let kev = json!({ "title": "t", "catalogVersion": "1", "dateReleased": days_ago(1), "count": 1,
        "vulnerabilities": [{ "cveID": "CVE-2026-9999", "dateAdded": "2026-11-01", "dueDate": "2026-11-20" }] });
    let path = site.home.path().join("kev.json");
    std::fs::write(&path, kev.to_string()).unwrap();
    site.told(&["intel", "import", path.to_str().unwrap(), "--feed", "kev", "--kind", "kev"]);
    let refused = site.run(&["who", "cve-2026-9999"]).expect_failure().stderr;
    assert!(refused.contains("feeds of signals") && refused.contains("tidegate who PURL"), "{refused}");
}

#[test]
fn a_block_by_hand_is_asked_about_like_any_advisory() {
    let site = Site::open("");
    let ann = site.token("ann");
    assert_eq!([site.take("1.0.0", &ann), site.take("1.1.0", &ann)], [200; 2]);
    site.told(&["quarantine", "block", "pkg:npm/lib@1.0.0", "--reason", "calls home"]);
    let lines = site.json(&["who", "tidegate-local-1"]);
    let head = &lines[0];
    assert_eq!(
        (&head["advisory"]["kind"], &head["advisory"]["summary"]),
        (&"malware".into(), &"calls home".into())
    );
    assert_eq!((&head["takers"]["accesses"], lines.len()), (&1.into(), 2));
    assert_eq!((&head["versions"][0]["action"], &lines[1]["person"]), (&"block".into(), &"ann".into()));
    assert_eq!(head["untouched"][0]["purl"], "pkg:npm/lib@1.1.0");
    site.told(&["quarantine", "unblock", "TIDEGATE-LOCAL-1"]);
    assert_eq!(site.json(&["who", "TIDEGATE-LOCAL-1"])[0]["advisory"]["state"], "withdrawn");
}
