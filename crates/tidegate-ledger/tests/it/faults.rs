//! A full disk and syncs that fail: nothing unrecorded is promised, and the ledger goes on when it can.

use std::sync::Arc;
use std::time::Duration;

use tidegate_ledger::{Limits, Mode, RecordError, Recorder};
use tidegate_sys::disk::SyncSite;
use tidegate_testkit::{Crash, ForgetfulDisk};

use crate::support::{Written, check, dir, draft, eventually, open, open_in, read_all, small, wait};

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    for room in (0..3000).step_by(97) {
        let disk = ForgetfulDisk::new();
        let (recorder, _) = open(&disk).unwrap();
        let mut durable: Vec<Written> = Vec::new();
        disk.set_room(Some(room));
        let refused = loop {
            let marker = durable.len() as u64;
            match recorder.append(&draft(marker)) {
                Ok(appended) => {
                    wait(appended.durable).unwrap();
                    durable.push((appended.seq, marker));
                }
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, RecordError::Write(_)), "{refused:?}");
        let health = recorder.health();
        assert!(!health.writable && health.why.is_some(), "{health:?}");
        assert_eq!((health.appended, health.durable), (durable.len() as u64, durable.len() as u64));

        disk.set_room(None);
        let appended = recorder.append(&draft(500)).unwrap();
        assert_eq!(appended.seq, durable.len() as u64 + 1, "the refused entry used no number");
        durable.push((appended.seq, 500));
        wait(appended.durable).unwrap();
        assert!(recorder.health().writable);
        assert_eq!(read_all(&recorder).unwrap(), durable);
        drop(recorder);
        check(&disk.crash(Crash::LosesAll), &durable).unwrap();
    }
}

/// Half an entry was written and taken back, another one was written there and not synced yet. Blocks of the first must not
/// come back among those of the second, or an ordinary power cut would look like damage.
#[test]
fn what_was_taken_back_never_comes_back() {
    let mut other = draft(2);
    other.tenant = "another tenant, so that nothing stands where it stood".into();
    // The header takes 100 bytes: these fill the second block of the disk and not all of the entry.
    for room in (930..1000).step_by(14) {
        for seed in 0..64 {
            let disk = ForgetfulDisk::new();
            let limits = Limits { batch_pause: Duration::from_secs(60), ..small() };
            let opened =
                Recorder::open(Arc::new(disk.clone()), &dir(), "n1".parse().unwrap(), Mode::Batched, limits);
            let recorder = opened.unwrap().0;
            disk.set_room(Some(room));
            assert!(recorder.append(&draft(1)).is_err());
            disk.set_room(None);
            let _ = recorder.append(&other).unwrap();
            let after = disk.crash(Crash::LosesSome(seed));
            open(&after).unwrap_or_else(|e| panic!("room {room}, seed {seed}: {e}"));
            drop(recorder);
        }
    }
}

#[test]
fn health_turns_green_by_itself_when_there_is_room() {
    let disk = ForgetfulDisk::new();
    let (recorder, _) = open(&disk).unwrap();
    disk.set_room(Some(10));
    assert!(recorder.append(&draft(1)).is_err());
    std::thread::sleep(Duration::from_millis(30));
    assert!(!recorder.health().writable, "there is still no room");
    disk.set_room(None);
    eventually("the recorder finds room", || recorder.health().writable);
}

/// Fails one sync after `before` durable entries, then some more; whatever happens, nothing promised is lost.
fn fail_one_sync(site: SyncSite, before: u64, times: u64) {
    let disk = ForgetfulDisk::new();
    let (recorder, _) = open(&disk).unwrap();
    let mut durable = Vec::new();
    for marker in 0..before {
        let appended = recorder.append(&draft(marker)).unwrap();
        durable.push((appended.seq, marker));
        wait(appended.durable).unwrap();
    }
    disk.fail_syncs(site, times);
    let mut refused = 0;
    let mut marker = 100;
    while durable.len() < 24 {
        marker += 1;
        let Ok(appended) = recorder.append(&draft(marker)) else {
            refused += 1;
            assert!(!recorder.health().writable || refused > 0);
            eventually("the ledger is mended", || recorder.health().writable);
            continue;
        };
        let entry = (appended.seq, marker);
        match wait(appended.durable) {
            Ok(()) => durable.push(entry),
            Err(RecordError::Sync(_)) => {
                check(&disk.crash(Crash::LosesAll), &durable).unwrap();
                eventually("the ledger is mended", || recorder.health().writable);
                // Mended means that even the entry whose sync failed is durable now: its number was given away.
                durable.push(entry);
            }
            Err(other) => panic!("{other}"),
        }
        check(&disk.crash(Crash::LosesAll), &durable)
            .unwrap_or_else(|e| panic!("{site:?} failed {times} times after {before}: {e}"));
    }
    assert_eq!(read_all(&recorder).unwrap(), durable, "{site:?} failed {times} times after {before}");
    drop(recorder);
    check(&disk.crash(Crash::LosesAll), &durable).unwrap();
    check(&disk, &durable).unwrap();
}

#[test]
fn a_failed_sync_breaks_the_promise_and_is_mended_in_a_new_segment() {
    for before in [0, 1, 4, 5, 9] {
        for times in [1, 2, 3] {
            fail_one_sync(SyncSite::LedgerEntries, before, times);
            fail_one_sync(SyncSite::LedgerSegmentName, before, times);
        }
    }
}

#[test]
fn while_syncs_fail_nothing_is_taken() {
    let disk = ForgetfulDisk::new();
    let (recorder, _) = open(&disk).unwrap();
    disk.fail_syncs(SyncSite::LedgerEntries, u64::MAX);
    let first = recorder.append(&draft(1)).unwrap();
    assert!(matches!(wait(first.durable), Err(RecordError::Sync(_))));
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(6));
        let refused = recorder.append(&draft(2)).unwrap_err();
        assert!(matches!(refused, RecordError::Failed(_)), "{refused:?}");
        assert!(!recorder.health().writable);
    }
    disk.fail_syncs(SyncSite::LedgerEntries, 0);
    eventually("the ledger is mended", || recorder.health().writable);
    assert_eq!(recorder.append(&draft(3)).unwrap().seq, 2);
}

/// The power fails while the ledger is being mended after a failed sync.
#[test]
fn a_power_cut_while_mending_loses_nothing_promised() {
    for before in [0, 3] {
        for cut in 0..14 {
            let disk = ForgetfulDisk::new();
            let (recorder, _) = open(&disk).unwrap();
            let mut durable = Vec::new();
            for marker in 0..before {
                let appended = recorder.append(&draft(marker)).unwrap();
                durable.push((appended.seq, marker));
                wait(appended.durable).unwrap();
            }
            disk.fail_syncs(SyncSite::LedgerEntries, 1);
            disk.fail_after(cut);
            for marker in 50..53 {
                if let Ok(appended) = recorder.append(&draft(marker))
                    && wait(appended.durable).is_ok()
                {
                    durable.push((appended.seq, marker));
                }
            }
            std::thread::sleep(Duration::from_millis(15));
            for crash in
                [Crash::LosesAll, Crash::LosesNothing].into_iter().chain((0..6).map(Crash::LosesSome))
            {
                check(&disk.crash(crash), &durable)
                    .unwrap_or_else(|e| panic!("{before}, {cut}, {crash:?}: {e}"));
            }
        }
    }
}

#[test]
fn batched_answers_at_once_and_measures_its_window() {
    let disk = ForgetfulDisk::new();
    let (recorder, _) = open_in(Arc::new(disk.clone()), &dir(), Mode::Batched).unwrap();
    let appended = recorder.append(&draft(1)).unwrap();
    assert!(matches!(appended.durable.now(), Some(Ok(()))));
    assert!(check(&disk.crash(Crash::LosesNothing), &[(1, 1)]).is_ok(), "a kill loses nothing");
    eventually("the sync follows", || recorder.health().durable == 1);
    let window = recorder.health().unsynced_window_ms;
    assert!((2..5_000).contains(&window), "{window} ms");
    check(&disk.crash(Crash::LosesAll), &[(1, 1)]).unwrap();
}
