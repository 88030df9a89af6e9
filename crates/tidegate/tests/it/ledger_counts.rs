//! Hourly counts, as a door writes them and an auditor counts them again.

use std::path::Path;

use tidegate_ledger::entry::Counts;
use tidegate_ledger::{Body, Entry};
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::{FakeUpstream, Package};

use crate::clients_support::TIDEGATE;
use crate::support::{Setup, TestDoor, days_ago};

const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";

/// Every `counts` entry that is durable.
fn counts(door: &TestDoor) -> Vec<Counts> {
    let recorder = &door.door.recorder;
    while recorder.health().durable < recorder.health().appended {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let entries = recorder.reader(1).map(|frame| Entry::parse(&frame.unwrap().json).unwrap());
    entries
        .filter_map(|entry| match entry.body {
            Body::Counts(counts) => Some(counts),
            _ => None,
        })
        .collect()
}

fn verify(data: &Path) -> Finished {
    Program::new(TIDEGATE, &Home::new())
        .args(["ledger", "verify", "--json", "--data"])
        .arg(data)
        .timeout(std::time::Duration::from_secs(120))
        .run()
}

#[test]
fn each_hour_of_a_door_is_counted_and_an_auditor_finds_the_same() {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0").published(&days_ago(90)));
    let door = Setup::new(&upstream).open();
    door.door.count_hour();
    assert_eq!(counts(&door), [], "the hour is not over");
    let served = [door.get(FILE), door.get(FILE)];
    let refused = door.get("/npm/nowhere");
    assert_eq!((served[0].status, refused.status), (200, 404));
    let body: usize = served.iter().chain([&refused]).map(|answer| answer.body.len()).sum();
    // The first answer of the next hour comes after the counts.
    door.clock().advance(3600);
    door.get(FILE);
    let told = counts(&door);
    assert_eq!(told.len(), 1);
    let first = &told[0];
    assert_eq!((first.first_seq, first.entries.of(0), first.refused), (1, 3, 1));
    assert_eq!(first.bytes, body as u64);
    let kinds: Vec<&str> = first.entries.iter().map(|(kind, _)| kind).collect();
    assert!(kinds.contains(&"start") && kinds.contains(&"decision"), "{kinds:?}");
    // An hour in which nothing happens.
    door.clock().advance(3600);
    door.door.count_hour();
    door.door.count_hour();
    door.clock().advance(3600);
    door.door.count_hour();
    let told = counts(&door);
    assert_eq!(told.len(), 3);
    assert_eq!((told[1].first_seq, told[1].entries.of(0)), (first.last_seq + 1, 1));
    assert_eq!((told[2].first_seq, told[2].last_seq), (told[1].last_seq + 1, told[1].last_seq + 1));

    // A door that ends without a word: the next one counts what was there, and an orderly stop counts the rest.
    door.get(FILE);
    let door = door.restart();
    assert_eq!(counts(&door).len(), 4);
    door.get(FILE);
    door.door.record_stop();
    let told = counts(&door);
    let mut next = 1;
    for counts in &told {
        assert_eq!(counts.first_seq, next, "{told:?}");
        next = counts.last_seq + 1;
    }
    assert_eq!(next, door.door.recorder.health().appended, "all but the last counts are counted");
    let setup = door.close();
    let report = verify(&setup.data().join("door"));
    assert_eq!(report.status.and_then(|s| s.code()), Some(0), "{}{}", report.stdout, report.stderr);
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!((&report["counts"], &report["notes"]), (&told.len().into(), &serde_json::json!([])));
}
