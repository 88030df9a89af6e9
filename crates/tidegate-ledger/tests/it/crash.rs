//! Power cuts and kills at every operation: nothing promised is lost, and each sync is needed.

use std::sync::Mutex;

use tidegate_sys::disk::SyncSite;
use tidegate_testkit::{Crash, ForgetfulDisk};

use crate::support::{Written, check, dir, draft, open, read_all, wait};

/// What a run of the workload was told.
#[derive(Default)]
struct Told {
    /// Entries that `append` returned for: a kill must not lose them.
    written: Vec<Written>,
    /// Entries that `wait` returned for: a power cut must not lose them.
    durable: Vec<Written>,
}

/// Writes single entries and bursts over several segments, with a restart in the middle.
fn workload(disk: &ForgetfulDisk) -> Told {
    let mut told = Told::default();
    let mut marker = 0;
    for _ in 0..2 {
        let Ok((recorder, _)) = open(disk) else { return told };
        for burst in [1, 1, 4, 1, 3, 1, 2] {
            let mut waiting = Vec::new();
            for _ in 0..burst {
                marker += 1;
                if let Ok(appended) = recorder.append(&draft(marker)) {
                    told.written.push((appended.seq, marker));
                    waiting.push(((appended.seq, marker), appended.durable));
                }
            }
            let acknowledged =
                waiting.into_iter().filter_map(|(entry, durable)| wait(durable).ok().map(|()| entry));
            told.durable.extend(acknowledged);
        }
    }
    told
}

/// Runs `attempt` with the power cut after 0, 1, 2… operations, until a run is not cut any more.
fn at_every_cut(mut attempt: impl FnMut(&ForgetfulDisk, u64) -> Told) -> u64 {
    for cut in 0..1000 {
        let disk = ForgetfulDisk::new();
        disk.fail_after(cut);
        let told = attempt(&disk, cut);
        if told.durable.len() == 26 {
            return cut;
        }
    }
    panic!("the workload never ends");
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_promised() {
    let cuts = at_every_cut(|disk, cut| {
        let told = workload(disk);
        for crash in [Crash::LosesAll, Crash::LosesNothing].into_iter().chain((0..6).map(Crash::LosesSome)) {
            let after = disk.crash(crash);
            check(&after, &told.durable).unwrap_or_else(|e| panic!("cut after {cut}, {crash:?}: {e}"));
        }
        check(&disk.crash(Crash::LosesNothing), &told.written)
            .unwrap_or_else(|e| panic!("killed after {cut}: {e}"));
        told
    });
    assert!(cuts > 60, "the workload has many operations to be cut at, found {cuts}");
}

#[test]
fn a_second_power_cut_during_recovery_loses_nothing_promised() {
    at_every_cut(|disk, cut| {
        let told = workload(disk);
        let after = disk.crash(Crash::LosesSome(cut));
        for second in 0..8 {
            let again = after.crash(Crash::LosesNothing);
            again.fail_after(second);
            drop(open(&again));
            let twice = again.crash(Crash::LosesSome(second));
            check(&twice, &told.durable).unwrap_or_else(|e| panic!("cut after {cut} and {second}: {e}"));
        }
        told
    });
}

/// Killed, not cut: the page cache survives, and what a new process reads from it must be made durable before it counts.
#[test]
fn what_a_new_process_shows_survives_a_power_cut() {
    at_every_cut(|disk, cut| {
        let told = workload(disk);
        disk.restart();
        let (recorder, _) = open(disk).unwrap_or_else(|e| panic!("killed after {cut}: {e}"));
        let shown = read_all(&recorder).unwrap();
        assert!(told.written.iter().all(|entry| shown.contains(entry)), "killed after {cut}");
        let after = disk.crash(Crash::LosesAll);
        drop(recorder);
        check(&after, &shown).unwrap_or_else(|e| panic!("killed after {cut}, then cut: {e}"));
        told
    });
}

#[test]
fn every_sync_is_needed() {
    for site in [SyncSite::LedgerEntries, SyncSite::LedgerSegmentName, SyncSite::DirectoryName] {
        let disk = ForgetfulDisk::new();
        disk.ignore_sync(site);
        let told = workload(&disk);
        assert_eq!(told.durable.len(), 26);
        assert!(disk.reached(site) > 0, "{site:?} is never reached");
        let outcome = check(&disk.crash(Crash::LosesAll), &told.durable);
        assert!(outcome.is_err(), "without {site:?} nothing is lost, so the test sees nothing");
    }
}

/// Many writers keep entries coming while a segment is closed, so the sync before its successor has work to do.
#[test]
fn a_power_cut_among_many_writers_loses_nothing_promised() {
    for cut in (20..220).step_by(4) {
        let disk = ForgetfulDisk::new();
        disk.fail_after(cut);
        let durable = Mutex::new(Vec::new());
        if let Ok((recorder, _)) = open(&disk) {
            std::thread::scope(|scope| {
                for writer in 0..6 {
                    let (recorder, durable) = (&recorder, &durable);
                    scope.spawn(move || {
                        for n in 0..20 {
                            let marker = writer * 100 + n;
                            let Ok(appended) = recorder.append(&draft(marker)) else { return };
                            if wait(appended.durable).is_ok() {
                                durable.lock().unwrap().push((appended.seq, marker));
                            }
                        }
                    });
                }
            });
        }
        let durable = durable.into_inner().unwrap();
        for crash in [Crash::LosesAll, Crash::LosesNothing].into_iter().chain((0..4).map(Crash::LosesSome)) {
            check(&disk.crash(crash), &durable).unwrap_or_else(|e| panic!("cut after {cut}, {crash:?}: {e}"));
        }
    }
}

#[test]
fn files_that_never_became_segments_are_removed() {
    use tidegate_sys::disk::Disk as _;
    let disk = ForgetfulDisk::new();
    disk.create_dir_all(&dir()).unwrap();
    drop(disk.create_new(&dir().join("segment-00000000000000000009.new")).unwrap());
    let (recorder, report) = open(&disk).unwrap();
    assert_eq!((report.last_seq, report.segments), (0, 0));
    drop(recorder);
    let names: Vec<String> = disk.list(&dir()).unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["segment-00000000000000000001.tgl"]);
}
