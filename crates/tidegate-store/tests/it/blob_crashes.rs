//! Power cuts and kills at every operation of the blob store.

use std::path::Path;
use std::sync::Arc;

use sha2::Digest as _;
use tidegate_model::Sha256;
use tidegate_store::blobs::{BlobStore, Promise};
use tidegate_sys::disk::{Disk as _, SyncSite};
use tidegate_testkit::forgetful_disk::{Crash, ForgetfulDisk};

const DIR: &str = "/data/blobs";
/// Seeds of partial losses tried at each cut.
const SEEDS: u64 = 12;

fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(bytes).into())
}

fn bodies() -> Vec<Vec<u8>> {
    // Of several appends and checksum blocks, small, empty; the last one repeats the first.
    let large: Vec<u8> = (0..150_000u32).map(|n| (n % 239) as u8 | 1).collect();
    vec![large.clone(), b"small".to_vec(), Vec::new(), large]
}

fn open(disk: &ForgetfulDisk) -> Option<BlobStore> {
    BlobStore::open(Arc::new(disk.clone()), Path::new(DIR), 1 << 30).ok()
}

fn put(store: &BlobStore, bytes: &[u8]) -> Option<Sha256> {
    let mut writer = store.begin(&[]).ok()?;
    for chunk in bytes.chunks(40_000) {
        writer.append(chunk).ok()?;
    }
    let promise = Promise { digests: vec![sha256(bytes).into()], size: Some(bytes.len() as u64) };
    writer.finish(&promise).ok().map(|committed| committed.sha256)
}

/// What a process does until its power is cut: the blobs it was told are there.
fn work(disk: &ForgetfulDisk) -> Vec<Vec<u8>> {
    let Some(store) = open(disk) else { return Vec::new() };
    bodies().into_iter().filter(|bytes| put(&store, bytes).is_some()).collect()
}

/// Everything reported is there, and whatever has a blob's name is that blob, whole.
fn check(disk: &ForgetfulDisk, reported: &[Vec<u8>]) -> Result<(), String> {
    let store = open(disk).ok_or("the store does not open")?;
    let staging = disk.list(&Path::new(DIR).join("staging")).map_err(|e| e.to_string())?;
    if !staging.is_empty() {
        return Err(format!("left over: {staging:?}"));
    }
    for (name, _) in store.list().map_err(|e| e.to_string())? {
        let hex = name.hex();
        let raw = disk.read(&Path::new(DIR).join("sha256").join(&hex[..2]).join(&hex)).unwrap();
        if sha256(&raw) != name {
            return Err(format!("{name} is not whole"));
        }
        if store.open_blob(&name).map_err(|e| e.to_string())?.is_none() {
            return Err(format!("{name} is listed and cannot be opened"));
        }
    }
    for bytes in reported {
        let found = store.open_blob(&sha256(bytes)).map_err(|e| e.to_string())?;
        if found.is_none_or(|blob| blob.bytes()[..] != bytes[..]) {
            return Err(format!("a blob of {} bytes was reported and is lost", bytes.len()));
        }
    }
    Ok(())
}

fn fresh(ignored: Option<SyncSite>) -> ForgetfulDisk {
    let disk = ForgetfulDisk::new();
    disk.create_dir_all(Path::new("/data")).unwrap();
    if let Some(site) = ignored {
        disk.ignore_sync(site);
    }
    disk
}

fn crashes() -> impl Iterator<Item = Crash> {
    [Crash::LosesAll, Crash::LosesNothing].into_iter().chain((0..SEEDS).map(Crash::LosesSome))
}

fn operations() -> u64 {
    let disk = fresh(None);
    let before = disk.ops();
    assert_eq!(work(&disk).len(), bodies().len());
    disk.ops() - before
}

/// Power cuts at every operation, or the first that loses something.
fn power_cuts(ignored: Option<SyncSite>) -> Result<(), String> {
    for cut in 0..=operations() {
        let disk = fresh(ignored);
        disk.fail_after(cut);
        let reported = work(&disk);
        for crash in crashes() {
            check(&disk.crash(crash), &reported).map_err(|why| format!("cut at {cut}, {crash:?}: {why}"))?;
        }
    }
    Ok(())
}

/// A kill at every operation, a new process on the same disk, then a power cut.
fn kills(ignored: Option<SyncSite>) -> Result<(), String> {
    for cut in 0..=operations() {
        let disk = fresh(ignored);
        disk.fail_after(cut);
        let mut reported = work(&disk);
        // The kernel lives on, and with it everything that was written.
        disk.fail_after(u64::from(u32::MAX));
        reported.extend(work(&disk));
        assert!(reported.len() >= bodies().len());
        for crash in crashes() {
            check(&disk.crash(crash), &reported).map_err(|why| format!("kill at {cut}, {crash:?}: {why}"))?;
        }
    }
    Ok(())
}

#[test]
fn blobs_are_whole_or_absent_after_a_power_cut_anywhere() {
    let disk = fresh(None);
    work(&disk);
    for site in [SyncSite::BlobBytes, SyncSite::BlobName, SyncSite::DirectoryName] {
        assert!(disk.reached(site) > 0, "{site:?} is never reached");
    }
    power_cuts(None).unwrap();
}

#[test]
fn blobs_are_whole_or_absent_after_a_kill_anywhere_and_a_power_cut_later() {
    kills(None).unwrap();
}

#[test]
fn each_sync_is_needed() {
    for site in [SyncSite::BlobBytes, SyncSite::BlobName, SyncSite::DirectoryName] {
        assert!(power_cuts(Some(site)).is_err(), "nothing is lost without {site:?}");
        assert!(kills(Some(site)).is_err(), "nothing is lost without {site:?}");
    }
}
