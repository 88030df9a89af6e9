//! Whoever stops a change anywhere leaves the state before or after it.

use std::path::Path;
use std::sync::Arc;

use tidegate_intel::import::{Extent, PlanOptions};
use tidegate_intel::{ApplyError, Intel, Query};
use tidegate_sys::disk::SyncSite;
use tidegate_testkit::{Crash, ForgetfulDisk};

use crate::support::{NOW, at, delivery, record};

const DIR: &str = "data/intel";

fn open(disk: &ForgetfulDisk) -> Intel {
    Intel::open(Arc::new(disk.clone()), Path::new(DIR)).unwrap()
}

fn change(intel: &Intel, id: &str) -> Result<(), ApplyError> {
    let record = record(id, "npm", "p", r#"{"introduced":"0"}"#);
    let deliveries = delivery("feed", &[&record], Extent::Part);
    let plan = intel.snapshot().plan(deliveries, &PlanOptions::at(at(NOW))).unwrap();
    intel.apply(plan).map(drop)
}

/// Generation and ids in force.
fn state(intel: &Intel) -> (u64, Vec<String>) {
    let snapshot = intel.snapshot();
    assert!(snapshot.damaged().is_empty(), "{:?}", snapshot.damaged());
    let query = Query { ecosystem: "npm", name: "p", version: "1.0.0", now: at(NOW) };
    (snapshot.generation(), snapshot.matches(&query).items.iter().map(|f| f.id.clone()).collect())
}

/// Three changes: a base, a delta, a merge.
fn changes(intel: &Intel, done: &mut usize) -> Result<(), ApplyError> {
    change(intel, "A-1")?;
    *done = 1;
    change(intel, "A-2")?;
    *done = 2;
    intel.compact()?;
    *done = 3;
    Ok(())
}

fn expected(done: usize) -> (u64, Vec<String>) {
    let ids = ["A-1", "A-2"].into_iter().take(done).map(str::to_owned).collect();
    (done as u64, ids)
}

#[test]
fn a_crash_at_any_operation_leaves_one_whole_state() {
    let disk = ForgetfulDisk::new();
    changes(&open(&disk), &mut 0).unwrap();
    let operations = disk.ops();
    assert!(operations > 20, "{operations}");
    for cut in 0..=operations {
        for crash in [Crash::LosesAll, Crash::LosesNothing, Crash::LosesSome(cut)] {
            let disk = ForgetfulDisk::new();
            disk.fail_after(cut);
            let mut done = 0;
            let opened = Intel::open(Arc::new(disk.clone()), Path::new(DIR));
            if let Ok(intel) = opened {
                let _ = changes(&intel, &mut done);
            }
            let after = open(&disk.crash(crash));
            let found = state(&after);
            // What was said to be done is there; what was under way may be.
            let possible = [expected(done), expected((done + 1).min(3))];
            assert!(possible.contains(&found), "cut at {cut}, {crash:?}: {found:?}, done {done}");
            // And it goes on from there.
            change(&after, "A-9").unwrap();
            assert_eq!(state(&after).1.last().unwrap(), "A-9");
        }
    }
}

#[test]
fn every_sync_is_needed() {
    let run = |forget: Option<SyncSite>| {
        let disk = ForgetfulDisk::new();
        if let Some(site) = forget {
            disk.ignore_sync(site);
        }
        changes(&open(&disk), &mut 0).unwrap();
        if let Some(site) = forget {
            assert!(disk.reached(site) > 0, "{site:?} is never reached");
        }
        let opened = Intel::open(Arc::new(disk.crash(Crash::LosesAll)), Path::new(DIR));
        opened.is_ok_and(|intel| intel.snapshot().damaged().is_empty() && state(&intel) == expected(3))
    };
    assert!(run(None));
    for site in SyncSite::INTEL {
        assert!(!run(Some(site)), "without {site:?} nothing is lost, so this test sees nothing");
    }
}

#[test]
fn a_full_disk_changes_nothing() {
    let disk = ForgetfulDisk::new();
    let intel = open(&disk);
    change(&intel, "A-1").unwrap();
    disk.set_room(Some(100));
    assert!(change(&intel, "A-2").is_err());
    assert_eq!(state(&intel), expected(1));
    disk.set_room(None);
    change(&intel, "A-2").unwrap();
    assert_eq!(state(&open(&disk)), expected(2));
}

#[test]
fn a_damaged_segment_is_a_named_gap_until_its_feed_comes_again() {
    let disk = ForgetfulDisk::new();
    let intel = open(&disk);
    change(&intel, "A-1").unwrap();
    drop(intel);
    disk.tamper(&Path::new(DIR).join("segments/1-0.seg"), |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
    });
    let intel = open(&disk);
    let snapshot = intel.snapshot();
    assert_eq!(snapshot.damaged().len(), 1);
    assert_eq!(snapshot.damaged()[0].feed, "feed");
    assert!(snapshot.damaged()[0].why.contains("1-0.seg"), "{:?}", snapshot.damaged());
    assert!(!snapshot.covers("npm"));
    // A change of another feed does not make the gap forgotten.
    let other = record("B-1", "npm", "q", r#"{"introduced":"0"}"#);
    let plan = snapshot.plan(delivery("other", &[&other], Extent::Part), &PlanOptions::at(at(NOW))).unwrap();
    intel.apply(plan).unwrap();
    assert_eq!(open(&disk).snapshot().damaged().len(), 1);
    change(&intel, "A-1").unwrap();
    assert!(open(&disk).snapshot().damaged().is_empty());
    assert_eq!(state(&open(&disk)).1, ["A-1"]);
}

#[test]
fn a_damaged_manifest_is_refused_with_what_to_do() {
    let disk = ForgetfulDisk::new();
    change(&open(&disk), "A-1").unwrap();
    disk.tamper(&Path::new(DIR).join("manifest"), |bytes| bytes[10] ^= 1);
    let error = Intel::open(Arc::new(disk), Path::new(DIR)).unwrap_err().to_string();
    assert!(error.contains("import the feeds again"), "{error}");
}
