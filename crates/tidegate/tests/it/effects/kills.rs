//! `kill -9` while what follows from an advisory is being told.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_ledger::{Body, Entry, Reader};
use tidegate_store::catalogue::sqlite::SqliteCatalogue;
use tidegate_store::catalogue::{Exposures as _, Settings as _};
use tidegate_sys::disk::RealDisk;
use tidegate_testkit::client::RawClient;
use tidegate_testkit::process::{Home, Program, Running};
use tidegate_testkit::{FakeUpstream, Package};

use crate::support::{PATIENCE, days_ago};

/// Versions that are admitted and touched.
const VERSIONS: usize = 60;
/// Milliseconds between the command and the kill.
const KILL_AFTER: [u64; 6] = [5, 40, 90, 160, 260, 400];

fn start(home: &Home, data: &Path, upstream: &FakeUpstream) -> (Running, SocketAddr) {
    let mut door = Program::new(env!("CARGO_BIN_EXE_tidegate"), home)
        .args(["up", "--no-sync", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("TIDEGATE_UPSTREAM_NPM", upstream.npm_url())
        .env("TIDEGATE_UPSTREAM_PYPI", upstream.pypi_url())
        .env("TIDEGATE_UPSTREAM_CARGO", upstream.cargo_url())
        .spawn();
    let line = door.wait_for_line("tidegate is open on", PATIENCE);
    let rest = line.split("http://").nth(1).unwrap();
    (door, rest.split('/').next().unwrap().parse().unwrap())
}

/// Malice in every version, or its retraction; each step is later than the one before.
fn record(step: usize, withdrawn: bool) -> Value {
    let at = format!("{}T00:00:{step:02}Z", &days_ago(2)[..10]);
    let versions: Vec<String> = (0..VERSIONS).map(|n| format!("1.{n}.0")).collect();
    let mut record = json!({
        "id": "MAL-2026-1", "modified": at,
        "affected": [{ "package": { "ecosystem": "npm", "name": "lib" }, "versions": versions }],
    });
    if withdrawn {
        record["withdrawn"] = at.into();
    }
    record
}

fn statuses(address: SocketAddr) -> BTreeSet<u16> {
    let mut client = RawClient::connect(address).unwrap();
    let ask = |n: usize| client.request("GET", &format!("/npm/lib/-/lib-1.{n}.0.tgz"), &[]).unwrap().status;
    (0..VERSIONS).map(ask).collect()
}

/// Versions of which effects say last that they are touched.
fn touched(ledger: &Path) -> BTreeSet<String> {
    let mut touched = BTreeSet::new();
    // The door runs: what it is writing at this moment ends the reading.
    let frames = Reader::open(Arc::new(RealDisk), ledger, 1).unwrap().map_while(Result::ok);
    for frame in frames {
        let Body::Effect(effect) = Entry::parse(&frame.json).unwrap().body else { continue };
        if effect.new.is_empty() {
            touched.remove(&*effect.purl);
        } else {
            touched.insert(effect.purl.to_string());
        }
    }
    touched
}

#[test]
fn a_kill_in_the_middle_leaves_no_half_state() {
    let (upstream, home, data) = (FakeUpstream::start(), Home::new(), tempfile::tempdir().unwrap());
    for n in 0..VERSIONS {
        upstream.publish(Package::npm("lib", &format!("1.{n}.0")).published(&days_ago(100)));
    }
    let (door, address) = start(&home, data.path(), &upstream);
    assert_eq!(statuses(address), BTreeSet::from([200]));
    let mut running = Some(door);
    for (step, after) in KILL_AFTER.into_iter().enumerate() {
        let withdrawn = step % 2 == 1;
        let path = home.path().join("record.json");
        std::fs::write(&path, record(step, withdrawn).to_string()).unwrap();
        let command = || {
            Program::new(env!("CARGO_BIN_EXE_tidegate"), &home)
                .args(["intel", "import", "--feed", "ours", "--kind", "osv"])
                .arg(&path)
                .env("TIDEGATE_DATA", data.path())
        };
        let mut importing = command().spawn();
        std::thread::sleep(Duration::from_millis(after));
        let door = running.take().unwrap();
        door.signal(9);
        drop(door);
        importing.wait(PATIENCE).expect("a command without a door ends");
        let (door, address) = start(&home, data.path(), &upstream);
        // However far it came, every version stands on one side.
        let now = statuses(address);
        assert_eq!(now.len(), 1, "step {step}, killed after {after} ms: {now:?}");
        // Again, in case it did not come far enough to be kept; this one is told to the end.
        command().run().expect_success();
        let expected = if withdrawn { 200 } else { 403 };
        assert_eq!(statuses(address), BTreeSet::from([expected]), "step {step}");
        let all = if withdrawn { 0 } else { VERSIONS };
        assert_eq!(touched(&data.path().join("ledger")).len(), all, "step {step}: what the ledger says");
        running = Some(door);
    }
    let door = running.take().unwrap();
    door.signal(9);
    drop(door);
    let catalogue = SqliteCatalogue::open(&data.path().join("catalogue.sqlite")).unwrap();
    assert!(catalogue.exposures("pkg:npm/lib").unwrap().is_empty(), "the last was a retraction");
    assert!(catalogue.setting("effects_generation").unwrap().is_some());
}
