//! Deliveries of advisories: what is imported answers, and answers alike after it was exported and imported elsewhere.
#![no_main]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use tidegate_intel::import::{AlarmKind, Delivery, PlanOptions, ReadOptions, read_bytes};
use tidegate_intel::{FeedKind, Intel, Query, bundle, inverse};
use tidegate_model::Timestamp;
use tidegate_testkit::ForgetfulDisk;

/// Whatever is odd about a delivery, it is let in: the parsers are what is looked at.
const ALL: [AlarmKind; 4] =
    [AlarmKind::Shrunk, AlarmKind::MassRetraction, AlarmKind::RolledBack, AlarmKind::Unreadable];

fn load(deliveries: Vec<Delivery>, now: Timestamp) -> Intel {
    let disk = Arc::new(ForgetfulDisk::new());
    let intel = Intel::open(disk, Path::new("intel")).expect("an empty folder opens");
    let options = PlanOptions { now, accept: ALL.to_vec() };
    let plan = intel.snapshot().plan(deliveries, &options).expect("nothing is damaged");
    intel.apply(plan).expect("a plan for this generation applies");
    intel
}

fuzz_target!(|data: &[u8]| {
    let now = Timestamp::from_unix_seconds(1_795_000_000);
    let options =
        ReadOptions { feed: Some("feed".to_owned()), kind: Some(FeedKind::Osv), ..ReadOptions::default() };
    let Ok(deliveries) = read_bytes("feed.jsonl", data.to_vec(), &options) else { return };
    let intel = load(deliveries, now);
    let snapshot = intel.snapshot();
    for (ecosystem, name) in [("npm", "p"), ("PyPI", "p"), ("Go", "p"), ("Maven", "p:q"), ("Debian:12", "p")] {
        for version in ["1.0.0", "2.0+local", "", "odd"] {
            let query = Query { ecosystem, name, version, now };
            let findings = snapshot.matches(&query);
            let _ = snapshot.facts(&query, &findings, &|_| true);
            let _ = (snapshot.nearest_fixed(&query), snapshot.fixes(&query));
        }
    }
    if snapshot.feeds().is_empty() {
        return;
    }
    let mut bytes = Cursor::new(Vec::new());
    bundle::export(&snapshot, &BTreeMap::new(), None, &mut bytes).expect("nothing is damaged");
    let opened = bundle::open_bytes(bytes.get_ref()).expect("what was exported opens");
    let other = load(opened.deliveries(None).expect("what was exported is whole"), now);
    assert!(inverse::changes(&snapshot, &other.snapshot()).expect("nothing is damaged").is_empty());
});
