//! The tree is the one of the standard, whatever sizes it was published at.

use proptest::prelude::*;
use tidegate_ledger::checkpoint::{Checkpoint, Root};
use tidegate_ledger::note::{CheckpointSigner as _, SignedNote, VerifierKey};
use tidegate_ledger::proof::{ConsistencyProof, Receipt, parse_tlog_proof};
use tidegate_ledger::tiles::leaf_hash;
use tlog_tiles::{Hash, HashReader};

use super::rig::{ORIGIN, Rig, append, signer};
use crate::support::read_all;

/// Every hash of a tree in memory: another way to the same root.
#[derive(Default)]
struct Naive(Vec<Hash>, u64);

impl HashReader for Naive {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
    }
}

impl Naive {
    fn push(&mut self, entry: &[u8]) {
        let new = tlog_tiles::stored_hashes(self.1, entry, self).unwrap();
        self.0.extend(new);
        self.1 += 1;
    }

    fn root(&self, size: u64) -> Root {
        Root(tlog_tiles::tree_hash(size, self).unwrap().0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_steps_make_the_tree_of_the_standard(steps in proptest::collection::vec(1u64..200, 1..6)) {
        let rig = Rig::new();
        let mut opened = rig.open();
        let mut naive = Naive::default();
        let mut sizes = Vec::new();
        for step in steps {
            append(&opened.recorder, step);
            let published = opened.publisher.publish().unwrap();
            prop_assert_eq!((published.added, published.more), (step, false));
            for frame in opened.recorder.reader(naive.1 + 1) {
                naive.push(&frame.unwrap().json);
            }
            prop_assert_eq!(published.root, naive.root(published.size));
            sizes.push(published.size);
        }
        let view = opened.publisher.view();
        let size = *sizes.last().unwrap();
        let root = naive.root(size);
        for index in (0..size).step_by(37).chain([size - 1]) {
            let proof = view.prove(index).unwrap();
            let entry = view.entry(index).unwrap();
            prop_assert!(proof.check(&leaf_hash(&entry), &root).is_ok());
            prop_assert!(proof.check(&leaf_hash(b"another"), &root).is_err());
            let receipt = view.receipt(&format!("n1-{}", index + 1).parse().unwrap()).unwrap();
            prop_assert!(receipt.check(rig.signer.key(), &[]).is_ok());
        }
        for old in sizes.iter().copied().chain([1, size / 2 + 1]) {
            let proof = view.prove_consistency(old, size).unwrap();
            prop_assert!(proof.check(&naive.root(old), &root).is_ok());
            if old < size {
                prop_assert!(proof.check(&Root([7; 32]), &root).is_err());
            }
            prop_assert_eq!(ConsistencyProof::from_json(proof.to_json().as_bytes()).unwrap(), proof);
        }
        let report = rig.audit(&[]);
        prop_assert!(report.is_whole(), "{}", report.to_json());
        prop_assert_eq!((report.entries, report.compared, report.root), (size, size, Some(root)));
    }

    #[test]
    fn any_bytes_are_a_document_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = SignedNote::parse(&bytes);
        let _ = Receipt::from_json(&bytes);
        let _ = tidegate_ledger::witness::AddCheckpoint::parse(&bytes);
        let _ = tidegate_ledger::tiles::read_bundle(&bytes, 3);
        let text = String::from_utf8_lossy(&bytes);
        let _ = text.parse::<VerifierKey>();
        let _ = Checkpoint::parse(&text);
        let _ = parse_tlog_proof(&text);
    }
}

/// The example of the standard: key, note, text form.
#[test]
fn keys_and_notes_are_those_of_the_standard() {
    let key: VerifierKey =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let note = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let parsed = SignedNote::parse(note.as_bytes()).unwrap();
    assert_eq!(parsed.verify(&key), Ok(0));
    assert_eq!(parsed.to_text(), note);
    assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
    let other = SignedNote::parse(note.replace("problem is", "problem was").as_bytes()).unwrap();
    assert!(other.verify(&key).is_err());
    for bad in ["", "a", "a+00000000+AQ==", "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"] {
        assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
    }
}

#[test]
fn checkpoints_are_read_strictly() {
    let root = Root([7; 32]);
    let good = Checkpoint::new(ORIGIN, 5, root);
    assert_eq!(Checkpoint::parse(&good.to_text()), Ok(good.clone()));
    let text = good.to_text();
    for bad in [
        String::new(),
        "\n5\n".to_owned(),
        text.replace("\n5\n", "\n05\n"),
        text.replace("\n5\n", "\n+5\n"),
        text.replace("\n5\n", "\n281474976710657\n"),
        text.replace("\n5\n", "\n99999999999999999999\n"),
        text.trim_end().to_owned(),
        text.replace('=', ""),
        format!("{text}\n"),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
    let more = Checkpoint { extensions: vec!["more".to_owned()], ..good };
    assert_eq!(Checkpoint::parse(&more.to_text()), Ok(more));
}

#[test]
fn receipts_hold_and_no_part_of_them_can_be_changed() {
    let rig = Rig::new();
    let mut opened = rig.open();
    append(&opened.recorder, 300);
    opened.publisher.publish().unwrap();
    let receipt = opened.publisher.view().receipt(&"n1-270".parse().unwrap()).unwrap();
    let key = rig.signer.key();
    assert_eq!(Receipt::from_json(receipt.to_json().as_bytes()).unwrap(), receipt);
    let proven = receipt.check(key, &[]).unwrap();
    assert_eq!((proven.entry.seq, proven.checkpoint.size), (270, 300));
    assert_eq!(receipt.keys, std::slice::from_ref(key));

    let (proof, note) = parse_tlog_proof(&receipt.to_tlog_proof()).unwrap();
    assert_eq!((proof, note.to_text()), (receipt.proof.clone(), receipt.checkpoint.clone()));

    type Change = (&'static str, fn(&mut Receipt));
    let changes: [Change; 8] = [
        ("entry", |r| r.entry = r.entry.replace("\"bytes\":269", "\"bytes\":268")),
        ("record", |r| r.record.seq += 1),
        ("index", |r| r.proof.index += 1),
        ("size", |r| r.proof.size += 1),
        ("hash", |r| r.proof.hashes[3][0] ^= 1),
        ("shorter", |r| r.proof.hashes.truncate(5)),
        ("root", |r| r.checkpoint = r.checkpoint.replace("\n300\n", "\n301\n")),
        ("signature", |r| {
            let end = r.checkpoint.len() - 10;
            let other = if &r.checkpoint[end..=end] == "A" { "B" } else { "A" };
            r.checkpoint.replace_range(end..=end, other);
        }),
    ];
    for (name, change) in changes {
        let mut changed = receipt.clone();
        change(&mut changed);
        assert_ne!(changed, receipt, "{name}");
        assert!(changed.check(key, &[]).is_err(), "{name}");
    }
    assert!(receipt.check(signer(9).key(), &[]).is_err(), "another key");
}

/// A ledger of the format before trees gets one over all of its entries.
#[test]
fn an_old_ledger_gets_a_tree_from_its_first_entry_on() {
    let rig = Rig::new();
    let recorder = rig.recorder();
    append(&recorder, 700);
    drop(recorder);
    let mut opened = rig.open();
    assert_eq!(opened.publisher.last_seq(), 0);
    assert_eq!(opened.publisher.publish().unwrap().size, 700);
    let view = opened.publisher.view();
    let head = view.head().unwrap();
    assert_eq!(head.runs.index_of(&"n1-1".parse().unwrap()), Some(0));
    assert_eq!(read_all(&opened.recorder).unwrap().len(), 700);
    assert!(rig.audit(&[head.note]).is_whole());
}

/// Where the oldest segments were taken away after their time, the tree begins with what is left.
#[test]
fn a_tree_can_begin_late() {
    use tidegate_sys::disk::Disk as _;
    let rig = Rig::new();
    let recorder = rig.recorder();
    append(&recorder, 20);
    drop(recorder);
    let oldest = rig.disk.list(&crate::support::dir()).unwrap()[0].name.clone();
    rig.disk.remove(&crate::support::dir().join(oldest)).unwrap();
    let mut opened = rig.open();
    let size = opened.publisher.publish().unwrap().size;
    assert!(size > 0 && size < 20);
    assert!(opened.publisher.view().receipt(&"n1-20".parse().unwrap()).is_ok());
    assert!(opened.publisher.view().receipt(&"n1-1".parse().unwrap()).is_err());
    let report = rig.audit(&[]);
    assert!(report.is_whole(), "{}", report.to_json());
}

#[test]
fn partial_tiles_go_once_the_full_one_is_there() {
    use tidegate_ledger::tiles::Tiles as _;
    let rig = Rig::new();
    let mut opened = rig.open();
    append(&opened.recorder, 200);
    opened.publisher.publish().unwrap();
    let tiles = rig.tiles().unwrap();
    assert!(tiles.get("tile/0/000.p/200").unwrap().is_some());
    let old = opened.publisher.view();
    append(&opened.recorder, 100);
    opened.publisher.publish().unwrap();
    for path in ["tile/0/000.p/200", "tile/entries/000.p/200"] {
        assert!(tiles.get(path).unwrap().is_none(), "{path}");
    }
    for path in
        ["tile/0/000", "tile/entries/000", "tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"]
    {
        assert!(tiles.get(path).unwrap().is_some(), "{path}");
    }
    assert!(old.receipt(&"n1-7".parse().unwrap()).is_ok());
}
