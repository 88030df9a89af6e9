//! Every question that `tidegate who` answers, in every form, and where the answer comes from.

use serde_json::Value;
use tidegate_ledger::note::VerifierKey;
use tidegate_ledger::proof::Receipt;
use tidegate_testkit::Package;
use tidegate_testkit::client::RawClient;

use crate::recall::Site;
use crate::support::{PATIENCE, days_ago};

/// Takes a file as the owner of a token, from an agent.
fn take(site: &Site, path: &str, token: &str, agent: &str) -> u16 {
    let mut client = RawClient::connect(site.address).unwrap();
    let lines = [format!("Authorization: Bearer {token}"), format!("User-Agent: {agent}")];
    client.request("GET", path, &[&lines[0], &lines[1]]).unwrap().status
}

fn file(name: &str, version: &str) -> String {
    format!("/npm/{name}/-/{name}-{version}.tgz")
}

fn made(site: &Site, arguments: &[&str]) -> String {
    let mut all = vec!["token", "create"];
    all.extend(arguments);
    site.json(&all)[0]["token"].as_str().unwrap().to_owned()
}

fn column<'v>(rows: &'v [Value], key: &str) -> Vec<&'v str> {
    rows.iter().map(|row| row[key].as_str().unwrap_or("-")).collect()
}

/// Ann took 1.0.0 and 1.1.0 on her laptop, a build took 1.1.0 and 2.0.0.
fn history() -> Site {
    let site = Site::open("");
    let ann = made(&site, &["ann", "--host", "laptop"]);
    let build = made(&site, &["builder", "--kind", "ci", "--host", "agent-7", "--run", "github:a/b/42"]);
    for (token, version) in [(&ann, "1.0.0"), (&ann, "1.1.0"), (&build, "1.1.0"), (&build, "2.0.0")] {
        assert_eq!(take(&site, &file("lib", version), token, "npm/11"), 200);
    }
    site
}

#[test]
fn whatever_is_given_holds_together() {
    let site = history();
    for (arguments, versions) in [
        (vec!["pkg:npm/lib"], vec!["2.0.0", "1.1.0", "1.1.0", "1.0.0"]),
        (vec!["pkg:npm/lib@>=1.0.0,<1.1.0"], vec!["1.0.0"]),
        (vec!["pkg:npm/lib", "--range", ">1.0.0"], vec!["2.0.0", "1.1.0", "1.1.0"]),
        (vec!["pkg:npm/lib@>=9.0.0"], vec![]),
        (vec!["--by", "ann"], vec!["1.1.0", "1.0.0"]),
        (vec!["--person", "ann", "--host", "agent-7"], vec![]),
        (vec!["--run", "github:a/b/42"], vec!["2.0.0", "1.1.0"]),
        (vec!["pkg:npm/lib@1.1.0", "--run", "github:a/b/42"], vec!["1.1.0"]),
        (vec!["--host", "laptop"], vec!["1.1.0", "1.0.0"]),
        (vec!["--address", "127.0.0.1", "--by", "builder"], vec!["2.0.0", "1.1.0"]),
        (vec!["--repository", "npm", "--since", "2020-01-01"], vec!["2.0.0", "1.1.0", "1.1.0", "1.0.0"]),
        (vec!["--repository", "pypi"], vec![]),
        (vec!["--until", "2020-01-01"], vec![]),
    ] {
        let rows = site.json(&[vec!["who"], arguments.clone()].concat());
        let expected: Vec<String> = versions.iter().map(|v| format!("pkg:npm/lib@{v}")).collect();
        assert_eq!(column(&rows, "purl"), expected, "{arguments:?}");
        assert!(rows.iter().all(|row| row["record"].as_str().is_some_and(|r| r.contains('-'))), "{rows:?}");
    }
    // A name that nobody has is no empty answer: that would read as innocence.
    for (arguments, told) in [
        (vec!["--by", "nobody-here"], "nobody is known as `nobody-here`"),
        (vec!["--run", "r9"], "no run or token is known as `r9`"),
        (vec!["--host", "h9"], "no host is known as `h9`"),
        (vec!["--address", "192.0.2.9"], "nobody came from `192.0.2.9`"),
        (vec!["--address", "x"], "is no IP address"),
        (vec!["--repository", "nope"], "there is no repository `nope`"),
        (vec!["pkg:npm/lib@^1"], "is no condition on a version"),
        (vec!["pkg:npm/lib@>=one"], "compares with no version of npm"),
        (vec!["pkg:npm/lib@1.0.0", "--range", ">1"], "names one version"),
        (vec!["pkg:oci/app@>=1"], "have no order"),
        (vec!["--since", "2026-02-01", "--until", "2026-01-01"], "is not after"),
        (vec!["--by", "ann", "--follow"], "needs something to follow"),
    ] {
        let refused = site.run(&[vec!["who"], arguments.clone()].concat()).expect_failure();
        assert!(refused.stderr.contains(told), "{arguments:?}: {}", refused.stderr);
    }
    assert_eq!(site.run(&["who"]).expect_failure().code(), Some(2), "something has to be asked");
}

#[test]
fn an_answer_counts_all_of_it_and_says_where_it_ends() {
    let site = history();
    let summary = &site.json(&["who", "pkg:npm/lib", "--summary"])[0];
    for (key, count) in [("accesses", 4), ("people", 2), ("hosts", 2), ("addresses", 1), ("purls", 3)] {
        assert_eq!(summary[key], count, "{key}: {summary}");
    }
    assert_eq!(summary["repositories"], serde_json::json!(["npm"]));
    let up_to = &summary["indexed_up_to"];
    assert_eq!(up_to["behind"], 0, "{up_to}");
    let end = up_to["ledger_end"].as_u64().unwrap();
    assert!(
        up_to["record"].as_str().unwrap().ends_with(&format!("-{end}")) && up_to["at"].is_string(),
        "{up_to}"
    );
    let told = site.told(&["who", "pkg:npm/lib", "--limit", "1"]);
    assert!(
        told.starts_with("4 accesses of 3 package URLs by 2 people on 2 known hosts from 1 address"),
        "{told}"
    );
    assert!(told.contains("there are more; --limit 10"), "{told}");
    let ranged = &site.json(&["who", "pkg:npm/lib@<2.0.0", "--summary"])[0];
    assert_eq!((&ranged["accesses"], &ranged["range"]["count"]), (&3.into(), &2.into()), "{ranged}");
    let mut client = RawClient::connect(site.address).unwrap();
    let keys = client.request("GET", "/ledger/key", &[]).unwrap().text();
    let key: VerifierKey = keys.lines().next().unwrap().parse().unwrap();
    let rows = site.json(&["who", "pkg:npm/lib", "--proofs"]);
    let proven: Vec<&Value> = rows.iter().filter(|row| row["record"].is_string()).collect();
    assert_eq!(proven.len(), 4, "{rows:?}");
    for row in proven {
        let receipt = Receipt::from_json(row["proof"].to_string().as_bytes()).unwrap();
        assert_eq!(receipt.check(&key, &[]).unwrap().entry.record().to_string(), row["record"]);
    }
}

#[test]
fn answers_are_tables_lines_cells_and_events() {
    let site = history();
    let evil = made(&site, &["=cmd|' /C calc'!A0", "--host", "@host,\"quoted\""]);
    assert_eq!(take(&site, &file("lib", "1.0.0"), &evil, "+agent"), 200);
    let csv = site.told(&["who", "pkg:npm/lib@1.0.0", "--csv"]);
    let mut lines = csv.split("\r\n");
    assert_eq!(lines.next().unwrap().split(',').count(), 22);
    let cells = lines.next().unwrap();
    assert!(
        cells.contains(",'=cmd|' /C calc'!A0,") && cells.contains(",\"'@host,\"\"quoted\"\"\","),
        "{cells}"
    );
    assert!(cells.contains(",'+agent,"), "{cells}");
    let events: Vec<Value> = site
        .told(&["who", "pkg:npm/lib", "--ocsf"])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), 5);
    for event in &events {
        assert_eq!((&event["class_uid"], &event["type_uid"]), (&6006.into(), &600_602.into()), "{event}");
        assert_eq!(event["metadata"]["version"], "1.3.0");
        assert!(event["src_endpoint"]["ip"] == "127.0.0.1" && event["time"].is_u64(), "{event}");
    }
    let refusals = site.told(&["who", "pkg:npm/lib", "--ocsf", "--all"]);
    assert!(refusals.lines().count() >= 5);
}

#[test]
fn what_contains_it_is_followed() {
    let site = Site::open("");
    let bundle = Package::npm("bundle", "1.0.0")
        .published(&days_ago(100))
        .file("node_modules/lib/package.json", r#"{"name":"lib","version":"1.0.0","license":"ISC"}"#);
    site.upstream.publish(bundle);
    let (ann, bob) = (site.token("ann"), site.token("bob"));
    assert_eq!([take(&site, &file("bundle", "1.0.0"), &ann, "npm"), site.take("1.1.0", &bob)], [200; 2]);
    assert_eq!(site.json(&["who", "pkg:npm/lib@1.0.0"]).len(), 0, "nobody asked for it by name");
    for asked in ["pkg:npm/lib@1.0.0", "pkg:npm/lib@<1.1.0"] {
        let rows = site.json(&["who", asked, "--follow"]);
        assert_eq!(column(&rows, "person"), ["ann"], "{asked}: {rows:?}");
        let step = &rows[0]["path"][0];
        assert_eq!(
            (&step["kind"], &step["of"]),
            (&"contained_in".into(), &"pkg:npm/lib@1.0.0".into()),
            "{step}"
        );
        assert_eq!(step["within"], "pkg:npm/bundle@1.0.0");
        assert!(step["path"].as_str().unwrap().contains("node_modules/lib"), "{step}");
    }
    let all = site.json(&["who", "pkg:npm/lib", "--follow"]);
    assert_eq!(column(&all, "person"), ["bob", "ann"], "by name and by what contains it");
    assert!(all[0].get("path").is_none() && all[1]["path"].is_array());
    let told = site.told(&["who", "pkg:npm/lib@1.0.0", "--follow"]);
    assert!(told.contains("BY WAY OF") && told.contains("pkg:npm/lib@1.0.0 contained in"), "{told}");
    let digest = format!("sha256:{}", all[1]["sha256"].as_str().unwrap());
    assert_eq!(column(&site.json(&["who", &digest, "--follow"]), "person"), ["ann"]);
}

#[test]
fn the_index_is_made_anew_from_the_ledger() {
    let mut site = history();
    let before = site.json(&["who", "pkg:npm/lib"]);
    let refused = site.run(&["ledger", "reindex"]).expect_failure();
    assert!(refused.stderr.contains("another tidegate uses the data directory"), "{}", refused.stderr);
    site.door.signal(15);
    site.door.wait(PATIENCE).expect("the door ends");
    let access = site.data.join("access");
    for file in std::fs::read_dir(&access).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let told = site.told(&["ledger", "reindex"]);
    assert!(told.contains("entries of the ledger are in the index, up to "), "{told}");
    assert!(std::fs::read_dir(&access).unwrap().next().is_some());
    site.start_again();
    assert_eq!(site.json(&["who", "pkg:npm/lib"]), before);
    let nowhere = site.home.folder("nowhere");
    let refused = site.run(&["ledger", "reindex", "--data", nowhere.to_str().unwrap()]).expect_failure();
    assert!(refused.stderr.contains("there is no ledger"), "{}", refused.stderr);
}
