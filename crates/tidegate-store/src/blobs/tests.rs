//! The store on a real disk; crashes and full disks are in `tests/it`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_model::{Algorithm, ArtifactKind, Digest, Sha256, Timestamp};
use tidegate_sys::disk::RealDisk;

use super::{BLOCK_BYTES, BlobError, BlobStore, Evicted, Promise, Reconciled, hashing};
use crate::catalogue::sqlite::SqliteCatalogue;
use crate::catalogue::{Artifact, Artifacts as _};

const QUOTA: u64 = 1 << 30;

fn open(dir: &Path, quota: u64) -> BlobStore {
    BlobStore::open(Arc::new(RealDisk), &dir.join("blobs"), quota).unwrap()
}

fn put(store: &BlobStore, bytes: &[u8]) -> Sha256 {
    let mut writer = store.begin(&[]).unwrap();
    writer.append(bytes).unwrap();
    writer.finish(&Promise::default()).unwrap().sha256
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

#[test]
fn bytes_come_back_under_their_digest() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), QUOTA);
    let bytes: Vec<u8> = (0..3 * BLOCK_BYTES + 5).map(|n| (n % 241) as u8).collect();
    let mut writer = store.begin(&[Algorithm::Sha512, Algorithm::Sha1]).unwrap();
    bytes.chunks(10_000).for_each(|chunk| writer.append(chunk).unwrap());
    assert_eq!(writer.written(), bytes.len() as u64);
    let promise = Promise {
        digests: [Algorithm::Sha512, Algorithm::Md5].map(|a| hashing::digest(a, &bytes)).to_vec(),
        size: Some(bytes.len() as u64),
    };
    let committed = writer.finish(&promise).unwrap();
    assert_eq!(committed.sha256, hashing::sha256(&bytes));
    assert_eq!(committed.size, bytes.len() as u64);
    assert_eq!(committed.digest(Algorithm::Sha1), Some(&hashing::digest(Algorithm::Sha1, &bytes)));
    assert_eq!(committed.digest(Algorithm::Md5), None, "compared, not asked for");
    let hex = committed.sha256.hex();
    let path = dir.path().join("blobs/sha256").join(&hex[..2]).join(&hex);
    assert_eq!(std::fs::read(path).unwrap(), bytes, "the file holds the bytes and nothing else");
    for store in [store, open(dir.path(), QUOTA)] {
        let blob = store.open_blob(&committed.sha256).unwrap().unwrap();
        assert_eq!((&blob.bytes()[..], blob.size()), (&bytes[..], bytes.len() as u64));
        assert_eq!(store.usage().unwrap().used_bytes, bytes.len() as u64);
        assert!(store.open_blob(&Sha256::new([0; 32])).unwrap().is_none());
    }
    let store = open(dir.path(), QUOTA);
    assert_eq!(put(&store, b""), hashing::sha256(b""));
    assert!(store.open_blob(&hashing::sha256(b"")).unwrap().unwrap().bytes().is_empty());
}

#[test]
fn broken_promises_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), QUOTA);
    for algorithm in
        [Algorithm::Sha512, Algorithm::Sha384, Algorithm::Sha256, Algorithm::Sha1, Algorithm::Md5]
    {
        for asked in [&[algorithm][..], &[]] {
            let mut writer = store.begin(asked).unwrap();
            writer.append(b"other bytes").unwrap();
            let good = hashing::digest(Algorithm::Sha256, b"other bytes");
            let bad: Digest = hashing::digest(algorithm, b"bytes");
            let result = writer.finish(&Promise { digests: vec![good, bad.clone()], size: None });
            assert!(
                matches!(result, Err(BlobError::Mismatch { promised, .. }) if promised == bad),
                "{algorithm:?}"
            );
        }
    }
    let mut writer = store.begin(&[]).unwrap();
    writer.append(b"short").unwrap();
    let result = writer.finish(&Promise { digests: vec![], size: Some(6) });
    assert!(matches!(result, Err(BlobError::WrongSize { promised: 6, found: 5 })));
    let mut dropped = store.begin(&[]).unwrap();
    dropped.append(b"given up").unwrap();
    drop(dropped);
    assert_eq!(files(&dir.path().join("blobs")), Vec::<PathBuf>::new());
    assert_eq!(store.usage().unwrap().used_bytes, 0);
}

#[test]
fn a_damaged_blob_is_set_aside_and_can_be_fetched_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), QUOTA);
    let bytes = vec![5u8; 2 * BLOCK_BYTES];
    let harm: [fn(&mut Vec<u8>); 4] =
        [|b| b[BLOCK_BYTES + 9] ^= 0x10, |b| b.truncate(BLOCK_BYTES), |b| b.push(0), Vec::clear];
    for (n, harm) in harm.into_iter().enumerate() {
        for with_checks in [true, false] {
            let sha256 = put(&store, &bytes);
            let mut harmed = bytes.clone();
            harm(&mut harmed);
            std::fs::write(store.blob_path(&sha256), &harmed).unwrap();
            if !with_checks {
                std::fs::remove_file(store.checks_path(&sha256)).unwrap();
            }
            let Err(BlobError::Corrupt { moved_to, .. }) = store.open_blob(&sha256) else {
                panic!("harm {n} was served");
            };
            assert_eq!(std::fs::read(moved_to).unwrap(), harmed);
            assert!(store.open_blob(&sha256).unwrap().is_none(), "absent until fetched again");
            assert_eq!(&store.open_blob(&put(&store, &bytes)).unwrap().unwrap().bytes()[..], &bytes[..]);
            store.remove(&sha256).unwrap();
        }
    }
}

#[test]
fn damaged_blobs_do_not_pile_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), QUOTA);
    for n in 0..super::MAX_CORRUPT + 5 {
        let sha256 = put(&store, &n.to_le_bytes());
        std::fs::write(store.blob_path(&sha256), b"harmed").unwrap();
        assert!(
            matches!(store.open_blob(&sha256), Err(BlobError::Corrupt { moved_to, .. }) if moved_to.exists())
        );
    }
    assert_eq!(files(&dir.path().join("blobs/corrupt")).len(), super::MAX_CORRUPT);
    assert_eq!(store.usage().unwrap().used_bytes, 0);
}

#[test]
fn checksums_are_a_shortcut_not_a_judge() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), QUOTA);
    let (one, two) = (put(&store, b"one"), put(&store, b"two"));
    let good = std::fs::read(store.checks_path(&one)).unwrap();
    let of_another = std::fs::read(store.checks_path(&two)).unwrap();
    for bad in [&b""[..], &good[1..], &of_another] {
        std::fs::write(store.checks_path(&one), bad).unwrap();
        assert_eq!(&store.open_blob(&one).unwrap().unwrap().bytes()[..], b"one");
        assert_eq!(std::fs::read(store.checks_path(&one)).unwrap(), good, "mended");
    }
}

#[test]
fn opening_removes_what_was_half_written_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), QUOTA);
    let kept = put(&store, b"kept");
    std::fs::write(dir.path().join("blobs/staging/99"), b"half").unwrap();
    std::fs::write(dir.path().join("blobs/sha256/README"), b"no blob").unwrap();
    let store = open(dir.path(), QUOTA);
    assert!(std::fs::read_dir(dir.path().join("blobs/staging")).unwrap().next().is_none());
    assert_eq!(store.list().unwrap(), [(kept, 4)]);
}

#[test]
fn many_writers_of_one_blob_count_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), QUOTA);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| put(&store, b"the same"));
        }
    });
    assert_eq!(store.usage().unwrap().used_bytes, 8);
    assert_eq!(store.remove(&hashing::sha256(b"the same")).unwrap(), Some(8));
    assert_eq!(store.usage().unwrap().used_bytes, 0);
    assert_eq!(store.remove(&hashing::sha256(b"the same")).unwrap(), None);
}

fn artifact(sha256: Sha256, size: u64, seconds: i64) -> Artifact {
    let at = Timestamp::from_unix_seconds(seconds);
    Artifact {
        sha256,
        sha512: None,
        size,
        kind: ArtifactKind::Package,
        upstream_url: None,
        first_stored_at: at,
        last_access_at: at,
        stored: true,
        pinned: false,
    }
}

#[test]
fn eviction_keeps_the_quota_and_what_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = SqliteCatalogue::open(&dir.path().join("catalogue.sqlite")).unwrap();
    let store = open(dir.path(), 1000);
    let blobs: Vec<Sha256> = (0..10u8).map(|n| put(&store, &[n; 100])).collect();
    for (n, sha256) in (0..).zip(&blobs) {
        catalogue.put_artifact(&artifact(*sha256, 100, n)).unwrap();
    }
    assert!(matches!(
        store.begin(&[]),
        Err(BlobError::OverQuota { used_bytes: 1000, quota_bytes: 1000, .. })
    ));
    catalogue.hold(&blobs[0], "npm", Timestamp::from_unix_seconds(0)).unwrap();
    catalogue.pin_artifact(&blobs[1], true).unwrap();
    assert_eq!(store.make_room(&catalogue, 250).unwrap(), Evicted { blobs: 3, bytes: 300 });
    let left: Vec<usize> = (0..10).filter(|n| store.open_blob(&blobs[*n]).unwrap().is_some()).collect();
    assert_eq!(left, [0, 1, 5, 6, 7, 8, 9], "the oldest went, but for the held and the pinned");
    assert_eq!(store.make_room(&catalogue, 250).unwrap(), Evicted::default(), "there is room");
    assert!(store.begin(&[]).is_ok());
    assert_eq!(store.make_room(&catalogue, 5000).unwrap().blobs, 5);
    assert_eq!(store.usage().unwrap().used_bytes, 200, "what is left may not go");
}

#[test]
fn reconciling_brings_catalogue_and_disk_into_step() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = SqliteCatalogue::open(&dir.path().join("catalogue.sqlite")).unwrap();
    let store = open(dir.path(), QUOTA);
    let [known, orphan, lost] = [b"known", b"orpha", b"lost!"].map(|b| put(&store, b));
    for sha256 in [known, lost] {
        catalogue.put_artifact(&artifact(sha256, 5, 0)).unwrap();
    }
    store.remove(&lost).unwrap();
    let now = Timestamp::from_unix_seconds(100);
    assert_eq!(store.reconcile(&catalogue, now).unwrap(), Reconciled { adopted: 1, missing: 1 });
    assert!(catalogue.artifact(&orphan).unwrap().unwrap().stored);
    assert!(!catalogue.artifact(&lost).unwrap().unwrap().stored);
    assert_eq!(store.reconcile(&catalogue, now).unwrap(), Reconciled::default());
}
