//! Power cuts and kills at every operation of publishing: nothing shown is lost or contradicted, and each sync is needed.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_ledger::checkpoint::Checkpoint;
use tidegate_ledger::note::{CheckpointSigner as _, SignedNote};
use tidegate_ledger::tree::TreeError;
use tidegate_sys::disk::{Disk as _, SyncSite};
use tidegate_testkit::{Crash, ForgetfulDisk};

use super::rig::{ORIGIN, Remembering, Rig, append, tlog};
use crate::support::{draft, open, read_all, wait};

/// Entries that stand in the ledger before the tree begins.
const BEFORE: u64 = 252;

/// A ledger without a tree.
fn ledger() -> ForgetfulDisk {
    let disk = ForgetfulDisk::new();
    let (recorder, _) = open(&disk).unwrap();
    append(&recorder, BEFORE);
    drop(recorder);
    disk
}

/// A rig on a copy of the ledger, whose head and signer live as long as the test.
fn rig_on(base: &ForgetfulDisk) -> Rig {
    Rig::on(base.crash(Crash::LosesNothing))
}

/// Publishes in steps over the edge of a tile, with a restart in between; returns the notes that publishing succeeded for.
fn workload(rig: &Rig) -> (Vec<String>, bool) {
    let mut shown = Vec::new();
    for steps in [&[0u64, 2, 3][..], &[1, 2]] {
        let Ok((recorder, _)) = open(&rig.disk) else { return (shown, false) };
        let recorder = Arc::new(recorder);
        let Ok(mut publisher) = rig.publisher(&recorder) else { return (shown, false) };
        for step in steps {
            for n in 0..*step {
                let Ok(appended) = recorder.append(&draft(n)) else { return (shown, false) };
                if wait(appended.durable).is_err() {
                    return (shown, false);
                }
            }
            match publisher.publish() {
                Ok(_) => shown.extend(publisher.view().checkpoint()),
                Err(_) => return (shown, false),
            }
        }
    }
    (shown, true)
}

/// What must hold after a restart on this disk.
fn check(rig: &Rig, disk: ForgetfulDisk, shown: &[String]) -> Result<(), String> {
    let on_disk = disk.read(&tlog().join("checkpoint")).ok();
    let size = |note: &[u8]| {
        let note = SignedNote::parse(note).map_err(|e| e.to_string())?;
        Checkpoint::parse(note.text()).map(|c| c.size).map_err(|e| e.to_string())
    };
    if let Some(last) = shown.last() {
        let kept = size(&on_disk.ok_or("the checkpoint shown is lost")?)?;
        if kept < size(last.as_bytes())? {
            return Err(format!("the checkpoint is of {kept} entries, a later one was shown"));
        }
    }
    let rig = rig.apart(disk);
    let recorder = Arc::new(open(&rig.disk).map_err(|e| e.to_string())?.0);
    let mut publisher = rig.publisher(&recorder).map_err(|e| e.to_string())?;
    let published = publisher.publish().map_err(|e| e.to_string())?;
    let entries = read_all(&recorder)?.len() as u64;
    if published.size != entries {
        return Err(format!("{entries} entries are durable, the tree has {}", published.size));
    }
    let view = publisher.view();
    for seq in (1..=entries).filter(|seq| seq % 64 < 2 || *seq > BEFORE) {
        let receipt = view.receipt(&format!("n1-{seq}").parse().unwrap()).map_err(|e| e.to_string())?;
        receipt.check(rig.signer.key(), &[]).map_err(|e| format!("entry {seq}: {e}"))?;
    }
    drop((publisher, recorder));
    let report = rig.audit(shown);
    if !report.is_whole() {
        return Err(report.to_json());
    }
    one_root_for_each_size(&rig.signer)
}

fn one_root_for_each_size(signer: &Remembering) -> Result<(), String> {
    let mut roots = BTreeMap::new();
    for text in signer.signed.lock().unwrap().iter() {
        let signed = Checkpoint::parse(text).map_err(|e| e.to_string())?;
        assert_eq!(signed.origin, ORIGIN);
        if *roots.entry(signed.size).or_insert(signed.root) != signed.root {
            return Err(format!("two trees of {} entries were signed", signed.size));
        }
    }
    Ok(())
}

#[test]
fn a_power_cut_at_any_operation_contradicts_nothing_shown() {
    let base = ledger();
    for cut in 0..1000 {
        let rig = rig_on(&base);
        rig.disk.fail_after(cut);
        let (shown, whole) = workload(&rig);
        for crash in [Crash::LosesAll, Crash::LosesNothing].into_iter().chain((0..2).map(Crash::LosesSome)) {
            check(&rig, rig.disk.crash(crash), &shown)
                .unwrap_or_else(|e| panic!("cut after {cut}, {crash:?}: {e}"));
        }
        if whole {
            assert!(cut > 60, "publishing has many operations to be cut at, found {cut}");
            return;
        }
    }
    panic!("the workload never ends");
}

#[test]
fn a_second_power_cut_while_opening_contradicts_nothing_shown() {
    let base = ledger();
    for cut in (20..90).step_by(7) {
        let rig = rig_on(&base);
        rig.disk.fail_after(cut);
        let (shown, _) = workload(&rig);
        let after = rig.disk.crash(Crash::LosesSome(cut));
        for second in (cut % 3..24).step_by(3) {
            let again = rig.apart(after.crash(Crash::LosesNothing));
            again.disk.fail_after(second);
            workload(&again);
            check(&again, again.disk.crash(Crash::LosesSome(second)), &shown)
                .unwrap_or_else(|e| panic!("cut after {cut} and {second}: {e}"));
        }
    }
}

#[test]
fn every_sync_of_the_tree_is_needed() {
    let base = ledger();
    for site in SyncSite::TREE {
        let rig = rig_on(&base);
        rig.disk.ignore_sync(site);
        let (shown, whole) = workload(&rig);
        assert!(whole && rig.disk.reached(site) > 0, "{site:?} is never reached");
        let outcome = check(&rig, rig.disk.crash(Crash::LosesAll), &shown);
        assert!(outcome.is_err(), "without {site:?} nothing is lost, so the test sees nothing");
    }
}

/// A disk that refuses: nothing is published, and once it is mended publishing goes on.
#[test]
fn a_failed_sync_publishes_nothing_and_the_next_try_does() {
    for site in SyncSite::TREE {
        let rig = rig_on(&ledger());
        let mut opened = rig.open();
        rig.disk.fail_syncs(site, 1);
        let failed = opened.publisher.publish().unwrap_err();
        assert!(matches!(failed, TreeError::Tiles { .. }), "{failed}");
        let published = opened.publisher.publish().unwrap();
        assert_eq!(published.size, BEFORE);
        let shown = opened.publisher.view().checkpoint();
        drop(opened);
        check(&rig, rig.disk.crash(Crash::LosesAll), shown.as_slice())
            .unwrap_or_else(|e| panic!("{site:?}: {e}"));
    }
}
