//! Advisories from one door to another without a network: signed, believed by key, refused when altered, noticed when old.

use std::path::Path;

use serde_json::{Value, json};
use tidegate_testkit::{FakeUpstream, client};

use crate::advisories::{advisory, days_ago, deliver, exploited, following, status, synced, upstream};
use crate::support::{Setup, TestDoor, json as body};

/// A door that follows feeds, and knows of a flaw in `lib` below 2.0.0.
fn knowing(upstream: &FakeUpstream) -> TestDoor {
    exploited(upstream, &[]);
    deliver(upstream, &[advisory(5)]);
    let door = Setup::new(upstream).with(following(upstream)).open();
    synced(&door);
    door
}

/// The API answers under the address only.
fn api(door: &TestDoor, method: &str, resource: &str, document: &str) -> (u16, Value) {
    let request = format!(
        "{method} /api/v1/{resource} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{document}",
        door.address,
        document.len()
    );
    let answer = client::exchange(door.address, request.as_bytes()).unwrap();
    (answer.status, body(&answer))
}

fn export(door: &TestDoor, path: &Path) -> Value {
    let (status, told) = api(door, "POST", "intel/export", &json!({ "path": path }).to_string());
    assert_eq!(status, 200, "{told}");
    told
}

/// The status of the answer, and what it says.
fn import(door: &TestDoor, path: &Path, accept: &[&str]) -> (u16, String) {
    let wanted = json!({ "paths": [path], "accept": accept }).to_string();
    let (status, told) = api(door, "POST", "intel/import", &wanted);
    (status, told.to_string())
}

fn key(door: &TestDoor) -> String {
    api(door, "GET", "intel/key", "").1["key"].as_str().unwrap().to_owned()
}

/// A door without feeds that trusts these keys.
fn cut_off(upstream: &FakeUpstream, trusted: &[String]) -> TestDoor {
    let trusted = trusted.iter().map(|key| key.parse().unwrap()).collect();
    let change = |config: &mut tidegate::config::Config| {
        config.intel.feed = Some(Vec::new());
        config.intel.trusted_bundle_keys = trusted;
    };
    Setup::new(upstream).with(change).open()
}

#[test]
fn a_door_without_a_network_knows_what_another_signed() {
    use std::os::unix::fs::PermissionsExt as _;
    let (upstream, folder) = (upstream(), tempfile::tempdir().unwrap());
    let from = knowing(&upstream);
    let bundle = folder.path().join("advisories.bundle");
    let told = export(&from, &bundle);
    assert_eq!((told["key"].as_str().unwrap(), told["feeds"].as_array().unwrap().len()), (&*key(&from), 2));
    let kept = std::fs::metadata(from.data().join("intel/bundle.key")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    let from = from.restart();
    assert_eq!(told["key"], key(&from), "the key stays");

    let to = cut_off(&upstream, &[key(&from)]);
    assert_eq!(status(&to, "1.1.0"), 200);
    let (code, told) = import(&to, &bundle, &[]);
    assert_eq!(code, 200, "{told}");
    assert_eq!((status(&to, "1.0.0"), status(&to, "2.0.0")), (403, 200));
    assert_eq!(to.alarms().iter().filter(|kind| *kind == "bundle").count(), 0);
    // How old it is was told by the door that made it, so it counts as current, and ages from there.
    assert!(to.get("/npm/fine").header("x-tidegate-degraded").is_none_or(|d| !d.contains("advisories")));
    to.clock().advance(5 * 86_400);
    to.door.look_for_degradations();
    let late = to.get("/npm/fine");
    assert!(late.header("x-tidegate-degraded").unwrap().contains("feed osv was last current"), "{late:?}");
}

#[test]
fn a_bundle_is_believed_by_its_key_or_by_a_persons_word() {
    let (upstream, folder) = (upstream(), tempfile::tempdir().unwrap());
    let (from, stranger) = (knowing(&upstream), knowing(&upstream));
    let bundle = folder.path().join("bundle");
    export(&stranger, &bundle);
    let to = cut_off(&upstream, &[key(&from)]);
    let (code, told) = import(&to, &bundle, &[]);
    assert!(code == 400 && told.contains("not trusted here"), "{code} {told}");
    assert_eq!(status(&to, "1.1.0"), 200, "nothing of it is used");
    let bundle_alarms = || to.alarms().iter().filter(|kind| *kind == "bundle").count();
    assert_eq!(bundle_alarms(), 1, "{:?}", to.alarms());
    let (code, told) = import(&to, &bundle, &["unsigned"]);
    assert_eq!(code, 200, "{told}");
    assert_eq!(status(&to, "1.0.0"), 403);
    assert!(bundle_alarms() >= 1, "a person's word leaves a trace");
}

#[test]
fn an_altered_bundle_is_refused_whatever_a_person_says() {
    let (upstream, folder) = (upstream(), tempfile::tempdir().unwrap());
    let from = knowing(&upstream);
    let bundle = folder.path().join("bundle");
    export(&from, &bundle);
    let to = cut_off(&upstream, &[key(&from)]);
    let whole = std::fs::read(&bundle).unwrap();
    let everything = ["unsigned", "rolled-back", "shrunk", "mass-retraction", "unreadable"];
    // A byte of the first feed; a byte of the list of contents; half of it.
    let text = b"\"generation\"";
    let list = whole.windows(text.len()).position(|w| w == text).unwrap();
    for (what, at, cut) in [("feed", 60, None), ("list", list + 1, None), ("half", 0, Some(whole.len() / 2))]
    {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes.truncate(cut.unwrap_or(whole.len()));
        std::fs::write(&bundle, bytes).unwrap();
        let (code, told) = import(&to, &bundle, &everything);
        assert_eq!(code, 400, "{what}: {told}");
        assert_eq!(to.door.intel.snapshot().generation(), 0, "{what}");
    }
}

#[test]
fn an_older_bundle_is_noticed() {
    let (upstream, folder) = (upstream(), tempfile::tempdir().unwrap());
    let from = knowing(&upstream);
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    export(&from, &old);
    let mut withdrawn = advisory(1);
    withdrawn["withdrawn"] = days_ago(1).into();
    deliver(&upstream, &[withdrawn]);
    synced(&from);
    export(&from, &new);
    let to = cut_off(&upstream, &[key(&from)]);
    assert_eq!(import(&to, &old, &[]).0, 200);
    assert_eq!(status(&to, "1.1.0"), 403);
    assert_eq!(import(&to, &new, &[]).0, 200);
    assert_eq!(status(&to, "1.1.0"), 200);
    let (code, told) = import(&to, &old, &[]);
    assert!(code == 400 && told.contains("rolled back"), "{code} {told}");
    assert_eq!(status(&to, "1.1.0"), 200);
    // It is noticed after a restart too.
    let to = to.restart();
    assert_eq!(import(&to, &old, &[]).0, 400);
    assert!(to.alarms().iter().any(|kind| kind == "bundle"), "{:?}", to.alarms());
}
