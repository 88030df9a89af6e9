//! Disks that run full, and syncs that fail.

use std::path::Path;
use std::sync::Arc;

use tidegate_model::Sha256;
use tidegate_store::blobs::{BlobError, BlobStore, Promise};
use tidegate_sys::disk::{Disk as _, SyncSite};
use tidegate_testkit::forgetful_disk::{Crash, ForgetfulDisk};

const DIR: &str = "/data/blobs";

fn store() -> (ForgetfulDisk, BlobStore) {
    let disk = ForgetfulDisk::new();
    disk.create_dir_all(Path::new("/data")).unwrap();
    let store = BlobStore::open(Arc::new(disk.clone()), Path::new(DIR), 1 << 30).unwrap();
    (disk, store)
}

fn put(store: &BlobStore, bytes: &[u8]) -> Result<Sha256, BlobError> {
    let mut writer = store.begin(&[])?;
    for chunk in bytes.chunks(1000) {
        writer.append(chunk)?;
    }
    writer.finish(&Promise::default()).map(|committed| committed.sha256)
}

#[test]
fn a_full_disk_is_reported_and_takes_nothing_with_it() {
    for room in [0, 1, 999, 1000, 4999] {
        let (disk, store) = store();
        let before = put(&store, b"before").unwrap();
        disk.set_room(Some(room));
        let error = put(&store, &[7; 5000]).unwrap_err();
        assert!(matches!(&error, BlobError::Full { path } if path.starts_with(DIR)), "{room}: {error:?}");
        assert!(disk.list(&Path::new(DIR).join("staging")).unwrap().is_empty(), "what was staged is removed");
        assert_eq!(store.usage().unwrap().used_bytes, 6);
        assert!(store.open_blob(&before).unwrap().is_some());
        disk.set_room(None);
        let after = put(&store, &[7; 5000]).unwrap();
        assert_eq!(store.open_blob(&after).unwrap().unwrap().size(), 5000);
    }
}

#[test]
fn room_for_the_bytes_and_not_for_the_checksums_is_enough() {
    let (disk, store) = store();
    disk.set_room(Some(5000));
    let sha256 = put(&store, &[7; 5000]).unwrap();
    assert_eq!(store.open_blob(&sha256).unwrap().unwrap().size(), 5000);
}

#[test]
fn nothing_is_appended_after_a_failed_append() {
    let (disk, store) = store();
    let mut writer = store.begin(&[]).unwrap();
    disk.set_room(Some(500));
    assert!(matches!(writer.append(&[1; 1000]), Err(BlobError::Full { .. })));
    disk.set_room(None);
    assert!(writer.append(&[1; 1000]).is_err());
    assert!(writer.finish(&Promise::default()).is_err());
    assert_eq!(store.list().unwrap(), []);
}

#[test]
fn a_failed_sync_names_nothing_and_can_be_tried_again() {
    // The first directory sync is for the checksums, which a blob can do without.
    for (site, times) in [(SyncSite::BlobBytes, 1), (SyncSite::BlobName, 1), (SyncSite::DirectoryName, 2)] {
        let (disk, store) = store();
        disk.fail_syncs(site, times);
        assert!(put(&store, b"bytes").is_err(), "{site:?}");
        assert_eq!(store.list().unwrap(), [], "{site:?}");
        assert_eq!(store.usage().unwrap().used_bytes, 0, "{site:?}");
        let sha256 = put(&store, b"bytes").unwrap();
        let after = disk.crash(Crash::LosesAll);
        let store = BlobStore::open(Arc::new(after), Path::new(DIR), 1 << 30).unwrap();
        assert_eq!(&store.open_blob(&sha256).unwrap().unwrap().bytes()[..], b"bytes", "{site:?}");
    }
}
