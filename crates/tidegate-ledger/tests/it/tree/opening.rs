//! What a publisher refuses to sign over, and two publishers of one log.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_ledger::heads::{Heads as _, MemoryHeads};
use tidegate_ledger::note::CheckpointSigner as _;
use tidegate_ledger::tiles::Tiles as _;
use tidegate_ledger::tree::{FailureKind, Publisher, TreeError, TreeParts};
use tidegate_sys::disk::Disk as _;
use tidegate_testkit::Crash;

use super::rig::{ORIGIN, Rig, append, signer, tlog};
use crate::support::dir;

/// Published at 300 entries, and at 310.
fn published() -> Rig {
    let rig = Rig::new();
    let mut opened = rig.open();
    append(&opened.recorder, 300);
    opened.publisher.publish().unwrap();
    append(&opened.recorder, 10);
    opened.publisher.publish().unwrap();
    rig
}

fn refused(rig: &Rig) -> FailureKind {
    let recorder = rig.recorder();
    match rig.publisher(&recorder) {
        Err(TreeError::Damaged(failure)) => {
            assert!(!failure.place.is_empty() && !failure.kind.remedy().is_empty(), "{failure}");
            failure.kind
        }
        Err(other) => panic!("{other}"),
        Ok(publisher) => panic!("{publisher:?} was opened over damage"),
    }
}

#[test]
fn nothing_is_signed_over_a_head_that_is_older_than_what_was_shown() {
    let rig = published();
    let newest = rig.head().unwrap();
    let older = Rig::new();
    let mut opened = older.open();
    append(&opened.recorder, 300);
    opened.publisher.publish().unwrap();
    let back = Rig { heads: older.heads, disk: rig.disk.clone(), signer: rig.signer.clone() };
    assert_eq!(refused(&back), FailureKind::LogRolledBack);
    let lost =
        Rig { heads: Arc::new(MemoryHeads::default()), disk: rig.disk.clone(), signer: rig.signer.clone() };
    assert_eq!(refused(&lost), FailureKind::LogRolledBack);
    assert_eq!(rig.tiles().unwrap().get("checkpoint").unwrap(), Some(newest.note.into_bytes()));
}

#[test]
fn nothing_is_signed_over_changed_heads_tiles_or_entries() {
    let intact = published();
    let fresh = || intact.apart(intact.disk.crash(Crash::LosesNothing));
    assert!(fresh().publisher(&fresh().recorder()).is_ok());

    let rig = fresh();
    rig.disk.tamper(&tlog().join("tile/0/001.p/54"), |bytes| bytes[40] ^= 1);
    assert_eq!(refused(&rig), FailureKind::TileAltered);
    let rig = fresh();
    rig.disk.tamper(&tlog().join("tile/1/000.p/1"), |bytes| bytes[0] ^= 1);
    assert_eq!(refused(&rig), FailureKind::TileAltered);
    let rig = fresh();
    rig.disk.tamper(&tlog().join("tile/entries/001.p/54"), |bytes| bytes[90] ^= 1);
    assert_eq!(refused(&rig), FailureKind::BundleAltered);
    let rig = fresh();
    rig.disk.remove(&tlog().join("tile/0/001.p/54")).unwrap();
    assert_eq!(refused(&rig), FailureKind::TileMissing);
    let rig = fresh();
    rig.disk.tamper(&tlog().join("checkpoint"), |bytes| bytes.truncate(20));
    assert_eq!(refused(&rig), FailureKind::CheckpointMalformed);
    let rig = fresh();
    rig.disk.tamper(&tlog().join("checkpoint"), |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap().replace("\n310\n", "\n309\n");
        *bytes = text.into_bytes();
    });
    assert_eq!(refused(&rig), FailureKind::CheckpointSignature);

    let mut head = intact.head().unwrap();
    head.size -= 1;
    let rig = Rig { heads: Arc::new(MemoryHeads::default()), ..fresh() };
    rig.heads.advance(ORIGIN, None, &head).unwrap();
    assert_eq!(refused(&rig), FailureKind::HeadAltered);
}

#[test]
fn a_ledger_that_is_shorter_or_other_than_its_tree_is_refused() {
    let rig = published();
    let shorter = Rig::new();
    let recorder = shorter.recorder();
    append(&recorder, 300);
    append(&recorder, 5);
    drop(recorder);
    let other = Rig::new();
    append(&other.recorder(), 310);
    let recorder = other.recorder();
    append(&recorder, 1);
    drop(recorder);
    for (ledger, expected) in [(&shorter, FailureKind::LogTruncated), (&other, FailureKind::EntryAltered)] {
        let mixed = Rig {
            heads: rig.heads.clone(),
            disk: rig.disk.crash(Crash::LosesNothing),
            signer: rig.signer.clone(),
        };
        for file in mixed.disk.list(&dir()).unwrap() {
            mixed.disk.remove(&dir().join(file.name)).unwrap();
        }
        for file in ledger.disk.list(&dir()).unwrap() {
            let path = dir().join(file.name);
            let bytes = ledger.disk.read(&path).unwrap();
            mixed.disk.create_new(&path).unwrap().append(&bytes).unwrap();
        }
        assert_eq!(refused(&mixed), expected);
    }
}

#[test]
fn a_publisher_that_lost_reads_again_and_goes_on() {
    let rig = Rig::new();
    let recorder = rig.recorder();
    let mut first = rig.publisher(&recorder).unwrap();
    let mut second = rig.publisher(&recorder).unwrap();
    append(&recorder, 5);
    assert_eq!(first.publish().unwrap().size, 5);
    append(&recorder, 3);
    assert_eq!(second.publish().unwrap().size, 8, "it lost, read the head again and went on");
    append(&recorder, 300);
    assert_eq!(first.publish().unwrap().size, 308);
    assert_eq!(second.publish().unwrap().size, 308);
    let mut roots = BTreeMap::new();
    for text in rig.signer.signed.lock().unwrap().iter() {
        let mut lines = text.lines().skip(1);
        let (size, root) = (lines.next().unwrap().to_owned(), lines.next().unwrap().to_owned());
        assert_eq!(roots.entry(size).or_insert(root.clone()), &root);
    }
    drop((first, second));
    assert!(rig.audit(&[]).is_whole());
}

#[test]
fn another_key_goes_on_only_where_the_one_before_is_named() {
    let rig = published();
    let recorder = rig.recorder();
    let open = |earlier_keys| {
        Publisher::open(TreeParts {
            signer: Arc::new(signer(2)),
            earlier_keys,
            tiles: rig.tiles().unwrap(),
            heads: rig.heads.clone(),
            entries: recorder.clone(),
        })
    };
    assert!(matches!(open(Vec::new()), Err(TreeError::Damaged(f)) if f.kind == FailureKind::HeadAltered));
    let mut publisher = open(vec![rig.signer.key().clone()]).unwrap();
    append(&recorder, 1);
    assert_eq!(publisher.publish().unwrap().size, 311);
    let receipt = publisher.view().receipt(&"n1-1".parse().unwrap()).unwrap();
    assert!(receipt.check(signer(2).key(), &[]).is_ok());
    assert!(receipt.check(rig.signer.key(), &[]).is_err());
}
