//! Hourly counts: each entry in one of them, also after a kill at any operation, and an auditor who has the ledger alone comes
//! to the same numbers.

use std::sync::Arc;

use tidegate_ledger::entry::Counts;
use tidegate_ledger::frame::{FRAME_HEADER_BYTES, SegmentHeader, chain_start, finish_frame};
use tidegate_ledger::{Body, Entry, Recorder};
use tidegate_model::Timestamp;
use tidegate_sys::disk::Disk as _;
use tidegate_testkit::{Crash, ForgetfulDisk};

use super::rig::Rig;
use crate::support::{dir, draft, eventually, open, wait};

const HOUR_MS: i64 = 3_600_000;
/// The first hour of the tests.
const FIRST: i64 = 1_795_000_000_000 / HOUR_MS;

/// A moment of an hour.
fn at(hour: i64, ms: i64) -> Timestamp {
    Timestamp::from_unix_millis((FIRST + hour) * HOUR_MS + ms)
}

fn append(recorder: &Recorder, hour: i64, ms: i64) -> Option<u64> {
    let mut draft = draft(10);
    draft.time = at(hour, ms);
    let appended = recorder.append(&draft).ok()?;
    let seq = appended.seq;
    wait(appended.durable).ok().map(|()| seq)
}

fn settled(recorder: &Recorder) {
    let last = recorder.health().appended;
    eventually("everything is durable", || recorder.health().durable == last);
}

/// The node's counts: hour, first and last number, accesses, entries in all.
fn counts(recorder: &Recorder) -> Vec<(i64, u64, u64, u64, u64)> {
    let told = |counts: &Counts| {
        let hour = counts.hour.unix_millis() / HOUR_MS - FIRST;
        (hour, counts.first_seq, counts.last_seq, counts.entries.of(0), counts.entries.total())
    };
    recorder
        .reader(1)
        .filter_map(|frame| match Entry::parse(&frame.unwrap().json).unwrap().body {
            Body::Counts(counts) => Some(told(&counts)),
            _ => None,
        })
        .collect()
}

fn tenant() -> tidegate_ledger::entry::Text {
    "default".into()
}

/// Publishes and checks everything; returns how many counts were counted again, and the notes.
#[track_caller]
fn audited(rig: &Rig) -> (u64, Vec<String>) {
    rig.open().publisher.publish().unwrap();
    let report = rig.audit(&[]);
    assert!(report.is_whole(), "{}", report.to_json());
    (report.counts, report.notes)
}

#[test]
fn each_hour_has_its_counts_before_the_first_entry_of_a_later_one() {
    let rig = Rig::new();
    let recorder = rig.recorder();
    assert_eq!(recorder.count_if_due(at(0, 0), &tenant()).ok(), Some(()), "nothing to tell");
    for ms in 0..3 {
        append(&recorder, 0, ms);
    }
    // One of the hour before that ends late is no end of an hour.
    append(&recorder, -1, HOUR_MS - 1);
    assert_eq!(append(&recorder, 1, 5), Some(6), "after the counts");
    append(&recorder, 1, 6);
    for hour in 2..4 {
        for ms in [0, 1000] {
            recorder.count_if_due(at(hour, ms), &tenant()).unwrap();
        }
    }
    append(&recorder, 3, 2000);
    recorder.count_now(at(3, 3000), &tenant()).unwrap();
    recorder.count_now(at(3, 3001), &tenant()).unwrap();
    settled(&recorder);
    let expected = [(0, 1, 4, 4, 4), (1, 5, 7, 2, 3), (2, 8, 8, 0, 1), (3, 9, 10, 1, 2)];
    assert_eq!(counts(&recorder), expected);
    drop(recorder);
    assert_eq!(audited(&rig), (4, vec![]));
}

#[test]
fn counting_goes_on_after_a_kill_and_counts_nothing_twice() {
    let rig = Rig::new();
    let recorder = rig.recorder();
    append(&recorder, 0, 0);
    // Over several segments.
    for ms in 0..40 {
        append(&recorder, 1, ms);
    }
    drop(recorder);
    for _ in 0..2 {
        let recorder = rig.recorder();
        recorder.count_now(at(5, 0), &tenant()).unwrap();
        settled(&recorder);
        assert_eq!(counts(&recorder), [(0, 1, 1, 1, 1), (1, 2, 42, 40, 41)]);
    }
    // Killed before anybody counted: the first entry of a later hour does.
    let recorder = rig.recorder();
    append(&recorder, 5, 1);
    drop(recorder);
    append(&rig.recorder(), 7, 0);
    assert_eq!(counts(&rig.recorder()).last(), Some(&(5, 43, 44, 1, 2)));
    let (counted, notes) = audited(&rig);
    assert_eq!(counted, 3);
    assert!(notes[0].contains("stand after the newest counts"), "{notes:?}");
}

#[test]
fn a_cut_at_any_operation_leaves_counts_that_can_be_counted_again() {
    for cut in 0..1000 {
        let disk = ForgetfulDisk::new();
        disk.fail_after(cut);
        let whole = workload(&disk);
        for crash in [Crash::LosesAll, Crash::LosesNothing, Crash::LosesSome(cut)] {
            let rig = Rig::on(disk.crash(crash));
            let recorder = rig.recorder();
            recorder.count_now(at(4, 0), &tenant()).unwrap();
            append(&recorder, 4, 1);
            recorder.count_now(at(4, 2), &tenant()).unwrap();
            settled(&recorder);
            let (counted, last) = (counts(&recorder), recorder.health().appended);
            drop(recorder);
            // One after the other, up to the end.
            let mut next = 1;
            for (_, first, last, ..) in &counted {
                assert_eq!(*first, next, "cut after {cut}, {crash:?}: {counted:?}");
                next = last + 1;
            }
            assert_eq!(next, last, "cut after {cut}, {crash:?}: {counted:?}");
            assert_eq!(audited(&rig), (counted.len() as u64, vec![]), "cut after {cut}, {crash:?}");
        }
        if whole {
            assert!(cut > 30, "there are many operations to be cut at, found {cut}");
            return;
        }
    }
    panic!("the workload never ends");
}

/// Entries over several hours and segments with a restart in between. Whether all of it went well.
fn workload(disk: &ForgetfulDisk) -> bool {
    for hours in [[0, 0, 0, 1, 1, 2], [2, 2, 3, 3, 3, 3]] {
        let Ok((recorder, _)) = open(disk) else { return false };
        if recorder.count_now(at(hours[0], 0), &tenant()).is_err() {
            return false;
        }
        for (ms, hour) in (1..).zip(hours) {
            if append(&recorder, hour, ms).is_none() {
                return false;
            }
        }
    }
    true
}

/// A ledger as a program without counts wrote it.
fn uncounted(entries: &[Vec<u8>]) -> ForgetfulDisk {
    let disk = ForgetfulDisk::new();
    disk.create_dir_all(&dir()).unwrap();
    let node = "n1".parse().unwrap();
    let mut running = chain_start(&node);
    let header = SegmentHeader { node, first: 1, previous_first: 0, running, supersedes: false };
    let mut bytes = header.to_bytes().to_vec();
    for (seq, entry) in (1..).zip(entries) {
        let start = bytes.len();
        bytes.resize(start + FRAME_HEADER_BYTES, 0);
        bytes.extend_from_slice(entry);
        running = finish_frame(&mut bytes[start..], seq, seq, &running);
    }
    let path = dir().join(format!("segment-{:020}.tgl", 1));
    disk.create_new(&path).unwrap().append(&bytes).unwrap();
    disk
}

#[test]
fn a_ledger_of_an_earlier_program_is_counted_from_now_on() {
    let recorder = Rig::new().recorder();
    let entries: Vec<Vec<u8>> = (0..3)
        .map(|hour| {
            append(&recorder, 0, hour);
            let frame = recorder.reader(hour.unsigned_abs() + 1).next().unwrap().unwrap();
            String::from_utf8(frame.json)
                .unwrap()
                .replacen(&format!("{}", at(0, hour)), &format!("{}", at(hour * 5, 0)), 1)
                .into_bytes()
        })
        .collect();
    let rig = Rig::on(uncounted(&entries));
    let recorder: Arc<Recorder> = rig.recorder();
    recorder.count_now(at(11, 0), &tenant()).unwrap();
    assert_eq!(append(&recorder, 12, 0), Some(5));
    recorder.count_now(at(12, 1), &tenant()).unwrap();
    settled(&recorder);
    assert_eq!(counts(&recorder), [(12, 4, 3, 0, 0), (12, 4, 5, 1, 2)]);
    drop(recorder);
    let (counted, notes) = audited(&rig);
    assert_eq!(counted, 2);
    assert!(notes[0].contains("begins with entry 4"), "{notes:?}");
}
