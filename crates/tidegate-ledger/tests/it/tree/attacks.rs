//! Attacks on a published ledger: each is found, and called by its name.
//!
//! Three people attack: one who can write files, one who also holds the database, one who also holds the signing key and
//! computes everything again honestly. The last one is caught by what others kept: a saved checkpoint, or a cosigned one.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tidegate_ledger::Recorder;
use tidegate_ledger::audit::{AuditInput, AuditReport, SavedCheckpoint, audit};
use tidegate_ledger::checkpoint::{Checkpoint, Root};
use tidegate_ledger::frame::{FRAME_HEADER_BYTES, SegmentHeader, chain_start, finish_frame};
use tidegate_ledger::heads::{Head, MemoryHeads, Runs};
use tidegate_ledger::note::{CheckpointSigner as _, Ed25519Signer, KeyKind, SignedNote, VerifierKey, cosign};
use tidegate_ledger::tiles::{Tiles, bundle_path, read_bundle, tile_path};
use tidegate_ledger::tree::{FailureKind as Kind, Publisher, TreeParts};
use tidegate_sys::disk::Disk as _;
use tidegate_testkit::{Crash, ForgetfulDisk};
use tlog_tiles::{Hash, HashReader, Tile};

use super::rig::{MemoryTiles, ORIGIN, append, signer, witness};
use crate::support::{dir, draft, eventually, open};

/// Entries when somebody saved the checkpoint, when a witness cosigned, and at the end.
const SAVED: u64 = 300;
const SIZE: u64 = 600;

/// Everything that can be attacked, and everything that an auditor brings along.
struct Target {
    disk: ForgetfulDisk,
    tiles: MemoryTiles,
    head: Option<Head>,
    keys: Vec<VerifierKey>,
    saved: Vec<SavedCheckpoint>,
    required_cosignatures: usize,
    /// State of tiles, head and segments when the checkpoint was saved: a backup.
    backup: Arc<(ForgetfulDisk, MemoryTiles, Head)>,
}

impl Target {
    fn copy(&self) -> Self {
        Self {
            disk: self.disk.crash(Crash::LosesNothing),
            tiles: self.tiles.copy(),
            head: self.head.clone(),
            keys: self.keys.clone(),
            saved: self.saved.clone(),
            required_cosignatures: self.required_cosignatures,
            backup: Arc::clone(&self.backup),
        }
    }

    fn audit(&self) -> AuditReport {
        audit(&AuditInput {
            disk: Arc::new(self.disk.clone()),
            ledgers: vec![dir()],
            tiles: &self.tiles,
            origin: ORIGIN,
            keys: &self.keys,
            earlier_keys: &[],
            head: self.head.clone(),
            saved: &self.saved,
            witnesses: &[witness(8).key().clone()],
            required_cosignatures: self.required_cosignatures,
            clock_tolerance_ms: 2000,
        })
    }

    fn entries(&self) -> Vec<Vec<u8>> {
        (0..SIZE.div_ceil(256))
            .flat_map(|n| {
                let width = (SIZE - n * 256).min(256);
                let bytes = self.tiles.get(&bundle_path(n, width)).unwrap().unwrap();
                read_bundle(&bytes, width).unwrap().into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
            })
            .collect()
    }

    fn segments(&self) -> Vec<PathBuf> {
        self.disk.list(&dir()).unwrap().into_iter().map(|file| dir().join(file.name)).collect()
    }

    /// Writes other entries into the node's segments, with numbers and running digests that fit.
    fn rewrite_segments(&self, entries: &[Vec<u8>]) {
        for path in self.segments() {
            self.disk.remove(&path).unwrap();
        }
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
        self.disk.create_new(&path).unwrap().append(&bytes).unwrap();
    }

    /// What a holder of the key can do: other entries, and everything made from them honestly and signed.
    fn rewrite_all(&mut self, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let mut entries = self.entries();
        change(&mut entries);
        self.rewrite_segments(&entries);
        self.rewrite_tiles(&entries);
        let (size, root) = self.resign(&entries);
        let runs = format!(r#"[{{"index":0,"node":"n1","first_seq":1,"count":{size}}}]"#);
        let note = self.published();
        self.head = Some(Head { size, root, note, runs: Runs::parse(&runs).unwrap() });
    }

    /// Every tile and bundle of these entries, by another implementation than ours.
    fn rewrite_tiles(&self, entries: &[Vec<u8>]) {
        let cosigned = self.tiles.get("checkpoint.cosigned").unwrap();
        self.tiles.0.lock().unwrap().clear();
        if let Some(note) = cosigned {
            self.tiles.put_checkpoint("checkpoint.cosigned", &String::from_utf8(note).unwrap()).unwrap();
        }
        let hashes = naive(entries);
        for tile in Tile::new_tiles(8, 0, entries.len() as u64) {
            let path = tile_path(tile.level(), tile.level_index(), tile.width().into());
            let bytes = tile.read_data(&hashes).unwrap();
            self.tiles.0.lock().unwrap().insert(path, bytes);
        }
        for (n, chunk) in (0..).zip(entries.chunks(256)) {
            let mut bytes = Vec::new();
            for entry in chunk {
                bytes.extend_from_slice(&u16::try_from(entry.len()).unwrap().to_be_bytes());
                bytes.extend_from_slice(entry);
            }
            self.tiles.0.lock().unwrap().insert(bundle_path(n, chunk.len() as u64), bytes);
        }
    }

    fn resign(&self, entries: &[Vec<u8>]) -> (u64, Root) {
        let size = entries.len() as u64;
        let root = Root(tlog_tiles::tree_hash(size, &naive(entries)).unwrap().0);
        let note = Checkpoint::new(ORIGIN, size, root).sign(&signer(1)).unwrap();
        self.tiles.put_checkpoint("checkpoint", &note.to_text()).unwrap();
        (size, root)
    }

    fn published(&self) -> String {
        String::from_utf8(self.tiles.get("checkpoint").unwrap().unwrap()).unwrap()
    }

    fn publish(&self, note: &str) {
        self.tiles.put_checkpoint("checkpoint", note).unwrap();
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint::parse(SignedNote::parse(self.published().as_bytes()).unwrap().text()).unwrap()
    }

    fn head(&mut self) -> &mut Head {
        self.head.as_mut().unwrap()
    }

    /// Nobody saved a checkpoint: only the cosigned one is left.
    fn only_witness(&mut self) {
        let cosigned = self.tiles.get("checkpoint.cosigned").unwrap().unwrap();
        self.saved = vec![SavedCheckpoint { name: "from the witness".to_owned(), note: cosigned }];
        self.tiles.0.lock().unwrap().remove("checkpoint.cosigned");
        self.required_cosignatures = 0;
    }
}

struct Naive(Vec<Hash>);

impl HashReader for Naive {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
    }
}

fn naive(entries: &[Vec<u8>]) -> Naive {
    let mut hashes = Naive(Vec::new());
    for (n, entry) in (0..).zip(entries) {
        let new = tlog_tiles::stored_hashes(n, entry, &hashes).unwrap();
        hashes.0.extend(new);
    }
    hashes
}

fn edit(entry: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(entry.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    *entry = text.replacen(from, to, 1).into_bytes();
}

/// Gives entries new numbers, so that they follow each other.
fn renumber(entries: &mut [Vec<u8>]) {
    for (seq, entry) in (1..).zip(entries) {
        let text = String::from_utf8(entry.clone()).unwrap();
        let (before, rest) = text.split_once("\"seq\":").unwrap();
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        *entry = format!("{before}\"seq\":{seq}{after}").into_bytes();
    }
}

struct Tree {
    recorder: Arc<Recorder>,
    publisher: Publisher,
    tiles: Arc<MemoryTiles>,
}

fn tree(disk: &ForgetfulDisk) -> Tree {
    let recorder = Arc::new(open(disk).unwrap().0);
    let tiles = Arc::new(MemoryTiles::default());
    let publisher = Publisher::open(TreeParts {
        signer: Arc::new(signer(1)),
        earlier_keys: Vec::new(),
        tiles: tiles.clone(),
        heads: Arc::new(MemoryHeads::default()),
        entries: recorder.clone(),
    });
    Tree { recorder, publisher: publisher.unwrap(), tiles }
}

fn count(recorder: &Recorder) {
    recorder.count_now(draft(0).time, &"default".into()).unwrap();
    let last = recorder.health().appended;
    eventually("the counts are durable", || recorder.health().durable == last);
}

/// 600 entries; the checkpoint of 300 was saved, that of 500 was cosigned and saved.
fn target() -> &'static Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let disk = ForgetfulDisk::new();
        let Tree { recorder, mut publisher, tiles } = tree(&disk);
        append(&recorder, SAVED - 1);
        count(&recorder);
        publisher.publish().unwrap();
        let view = publisher.view();
        let saved = SavedCheckpoint { name: "saved".to_owned(), note: view.checkpoint().unwrap().into() };
        let backup = Arc::new((disk.crash(Crash::LosesNothing), tiles.copy(), view.head().unwrap()));
        append(&recorder, 200);
        publisher.publish().unwrap();
        let mut note = SignedNote::parse(view.checkpoint().unwrap().as_bytes()).unwrap();
        note.add_line(&cosign(note.text(), &witness(8), 1_795_000_000).unwrap()).unwrap();
        view.keep_cosigned(&note, &[witness(8).key().clone()]).unwrap();
        append(&recorder, 99);
        count(&recorder);
        assert_eq!(publisher.publish().unwrap().size, SIZE);
        let head = view.head();
        drop((recorder, publisher));
        Target {
            disk: disk.crash(Crash::LosesNothing),
            tiles: tiles.copy(),
            head,
            keys: vec![signer(1).key().clone()],
            saved: vec![saved],
            required_cosignatures: 1,
            backup,
        }
    })
}

#[test]
fn what_nobody_touched_is_whole() {
    let report = target().audit();
    assert!(report.is_whole(), "{}", report.to_json());
    assert_eq!((report.entries, report.compared, report.counts, report.cosigned.len()), (SIZE, SIZE, 2, 1));
    let [note] = &report.notes[..] else { panic!("{:?}", report.notes) };
    assert!(note.starts_with("500 of 600 entries are in a cosigned checkpoint"), "{note}");
    // What a key holder writes honestly and entirely is whole as well, where nobody kept anything.
    let mut rewritten = target().copy();
    rewritten.rewrite_all(|_| {});
    assert!(rewritten.audit().is_whole());
}

type Attack = (&'static str, Kind, fn(&mut Target));

fn flip(path: &str, at: usize) -> impl Fn(&mut Target) {
    move |t| t.tiles.change(path, |bytes| bytes[at] ^= 1)
}

fn remove(t: &Target, path: &str) {
    assert!(t.tiles.0.lock().unwrap().remove(path).is_some(), "no `{path}`");
}

fn swap(t: &Target, a: &str, b: &str) {
    let mut files = t.tiles.0.lock().unwrap();
    let (was_a, was_b) = (files[a].clone(), files[b].clone());
    files.insert(a.to_owned(), was_b);
    files.insert(b.to_owned(), was_a);
}

/// Somebody who can write to the folder of tiles.
const ON_TILES: &[Attack] = &[
    ("a bit of the first tile", Kind::TileAltered, |t| flip("tile/0/000", 0)(t)),
    ("a bit of a full tile", Kind::TileAltered, |t| flip("tile/0/001", 8191)(t)),
    ("a bit of the partial tile", Kind::TileAltered, |t| flip("tile/0/002.p/88", 2815)(t)),
    ("a bit of the tile above", Kind::TileAltered, |t| flip("tile/1/000.p/2", 33)(t)),
    ("a tile cut short", Kind::TileAltered, |t| t.tiles.change("tile/0/000", |b| b.truncate(8160))),
    ("a tile cut within a hash", Kind::TileAltered, |t| t.tiles.change("tile/1/000.p/2", |b| b.truncate(40))),
    ("a tile removed", Kind::TileMissing, |t| remove(t, "tile/0/001")),
    ("the partial tile removed", Kind::TileMissing, |t| remove(t, "tile/0/002.p/88")),
    ("the tile above removed", Kind::TileMissing, |t| remove(t, "tile/1/000.p/2")),
    ("tiles in each other's place", Kind::TileAltered, |t| swap(t, "tile/0/000", "tile/0/001")),
    ("a bit of a bundle", Kind::BundleAltered, |t| flip("tile/entries/000", 300)(t)),
    ("a bit of the partial bundle", Kind::BundleAltered, |t| flip("tile/entries/002.p/88", 77)(t)),
    ("a length in a bundle", Kind::BundleAltered, |t| flip("tile/entries/001", 0)(t)),
    ("a bundle cut short", Kind::BundleAltered, |t| t.tiles.change("tile/entries/001", |b| b.truncate(9000))),
    ("an empty bundle", Kind::BundleAltered, |t| t.tiles.change("tile/entries/001", Vec::clear)),
    ("a bundle with one entry more", Kind::BundleAltered, |t| {
        t.tiles.change("tile/entries/002.p/88", |b| b.extend([0, 2, b'{', b'}']));
    }),
    ("a bundle removed", Kind::BundleMissing, |t| remove(t, "tile/entries/000")),
    ("the partial bundle removed", Kind::BundleMissing, |t| remove(t, "tile/entries/002.p/88")),
    ("bundles in each other's place", Kind::BundleAltered, |t| {
        swap(t, "tile/entries/000", "tile/entries/001")
    }),
    ("an entry and the tile over it", Kind::RootMismatch, |t| {
        let mut entries = t.entries();
        edit(&mut entries[4], "\"bytes\":4", "\"bytes\":5");
        let note = t.published();
        t.rewrite_tiles(&entries);
        t.publish(&note);
    }),
];

/// Somebody who can write to the checkpoint, the database, or what witnesses said.
const ON_HEADS: &[Attack] = &[
    ("the row's size", Kind::HeadAltered, |t| t.head().size = 599),
    ("a bit of the row's root", Kind::HeadAltered, |t| t.head().root.0[5] ^= 1),
    ("the row's note", Kind::HeadAltered, |t| {
        let note = t.head().note.replace("\n600\n", "\n601\n");
        t.head().note = note;
    }),
    ("the row's note removed", Kind::HeadAltered, |t| t.head().note.clear()),
    ("the row's list of runs", Kind::HeadAltered, |t| {
        t.head().runs = Runs::parse(r#"[{"index":0,"node":"n1","first_seq":2,"count":600}]"#).unwrap();
    }),
    ("the row's list of runs, another node", Kind::HeadAltered, |t| {
        t.head().runs = Runs::parse(r#"[{"index":0,"node":"n2","first_seq":1,"count":600}]"#).unwrap();
    }),
    ("the row put back from a backup", Kind::LogRolledBack, |t| t.head = Some(t.backup.2.clone())),
    ("the checkpoint removed", Kind::CheckpointMissing, |t| remove(t, "checkpoint")),
    ("the checkpoint is something else", Kind::CheckpointMalformed, |t| t.publish("600 entries, honestly")),
    ("a bit of the signature", Kind::CheckpointSignature, |t| {
        let mut note = t.published();
        let at = note.len() - 20;
        let other = if &note[at..=at] == "A" { "B" } else { "A" };
        note.replace_range(at..=at, other);
        t.publish(&note);
    }),
    ("the checkpoint's size", Kind::CheckpointSignature, |t| {
        t.publish(&t.published().replace("\n600\n", "\n599\n"))
    }),
    ("another key of the same name", Kind::CheckpointSignature, |t| {
        t.publish(&t.checkpoint().sign(&signer(2)).unwrap().to_text());
    }),
    ("the auditor has another key", Kind::CheckpointSignature, |t| t.keys = vec![signer(3).key().clone()]),
    ("a checkpoint of another log", Kind::CheckpointOrigin, |t| {
        let other = Ed25519Signer::from_seed("other.example/log", KeyKind::Ed25519, &[1; 32]).unwrap();
        let mut checkpoint = t.checkpoint();
        checkpoint.origin = "other.example/log".to_owned();
        t.publish(&checkpoint.sign(&other).unwrap().to_text());
    }),
    ("another log's checkpoint under our key", Kind::CheckpointOrigin, |t| {
        let mut checkpoint = t.checkpoint();
        checkpoint.origin = "other.example/log".to_owned();
        t.publish(&checkpoint.sign(&signer(1)).unwrap().to_text());
    }),
    ("two checkpoints of one size", Kind::LogForked, |t| {
        let mut other = t.checkpoint();
        other.root.0[0] ^= 1;
        let note = other.sign(&signer(1)).unwrap().to_text().into_bytes();
        t.saved.push(SavedCheckpoint { name: "from another client".to_owned(), note });
    }),
    ("row and checkpoint of one size and two roots", Kind::LogForked, |t| {
        let mut other = t.checkpoint();
        other.root.0[0] ^= 1;
        t.publish(&other.sign(&signer(1)).unwrap().to_text());
    }),
    ("a bit of the cosignature", Kind::Cosignature, |t| {
        t.tiles.change("checkpoint.cosigned", |note| {
            let at = note.len() - 20;
            note[at] = if note[at] == b'A' { b'B' } else { b'A' };
        });
    }),
    ("a cosignature of another tree", Kind::Cosignature, |t| {
        let line = cosign(&Checkpoint::new(ORIGIN, 600, Root([1; 32])).to_text(), &witness(8), 1).unwrap();
        t.publish(&format!("{}{line}", t.published()));
    }),
    ("the cosigned checkpoint removed", Kind::CosignatureMissing, |t| remove(t, "checkpoint.cosigned")),
    ("a cosigner whom nobody knows", Kind::CosignatureMissing, |t| {
        remove(t, "checkpoint.cosigned");
        let line = cosign(&t.checkpoint().to_text(), &witness(9), 1_795_000_000).unwrap();
        t.publish(&format!("{}{line}", t.published()));
    }),
    ("the folder of tiles put back from a backup", Kind::LogRolledBack, |t| {
        t.tiles = t.backup.1.copy();
        t.head = None;
        t.saved.push(SavedCheckpoint { name: "newest".to_owned(), note: t.copy_of_newest() });
    }),
    ("everything put back from a backup", Kind::LogRolledBack, |t| {
        let newest = t.copy_of_newest();
        (t.disk, t.tiles) = (t.backup.0.crash(Crash::LosesNothing), t.backup.1.copy());
        t.head = Some(t.backup.2.clone());
        t.saved.push(SavedCheckpoint { name: "newest".to_owned(), note: newest });
    }),
];

impl Target {
    fn copy_of_newest(&self) -> Vec<u8> {
        target().published().into_bytes()
    }
}

/// Somebody who can write to the node's own ledger.
const ON_SEGMENTS: &[Attack] = &[
    ("a bit of a segment", Kind::SegmentAltered, |t| {
        let path = t.segments()[3].clone();
        t.disk.tamper(&path, |bytes| bytes[400] ^= 1);
    }),
    ("a bit of a segment's header", Kind::SegmentAltered, |t| {
        let path = t.segments()[0].clone();
        t.disk.tamper(&path, |bytes| bytes[70] ^= 1);
    }),
    ("a segment cut short", Kind::SegmentAltered, |t| {
        let path = t.segments()[1].clone();
        t.disk.tamper(&path, |bytes| bytes.truncate(2000));
    }),
    ("a segment removed", Kind::SegmentAltered, |t| t.disk.remove(&t.segments()[5]).unwrap()),
    ("the last segments removed", Kind::LogTruncated, |t| {
        // The very last one may hold no entry yet.
        t.segments().iter().rev().take(2).for_each(|path| t.disk.remove(path).unwrap());
    }),
    ("the end cut off", Kind::LogTruncated, |t| t.rewrite_segments(&t.entries()[..590])),
    ("an entry rewritten", Kind::EntryAltered, |t| {
        let mut entries = t.entries();
        edit(&mut entries[30], "\"action\":\"allow\"", "\"action\":\"block\"");
        t.rewrite_segments(&entries);
    }),
    ("an entry dropped", Kind::EntryMissing, |t| {
        let mut entries = t.entries();
        entries.remove(30);
        t.rewrite_segments(&entries);
    }),
    ("an entry dropped, the others renumbered", Kind::EntryAltered, |t| {
        let mut entries = t.entries();
        entries.remove(30);
        renumber(&mut entries);
        t.rewrite_segments(&entries);
    }),
    ("an entry twice", Kind::EntryDuplicated, |t| {
        let mut entries = t.entries();
        entries.insert(31, entries[30].clone());
        t.rewrite_segments(&entries);
    }),
    ("two entries in each other's place", Kind::EntryReordered, |t| {
        let mut entries = t.entries();
        entries.swap(30, 31);
        t.rewrite_segments(&entries);
    }),
];

/// Somebody who holds the signing key, and makes everything anew.
const BY_THE_KEY_HOLDER: &[Attack] = &[
    ("an entry rewritten", Kind::LogForked, |t| {
        t.rewrite_all(|e| edit(&mut e[30], "\"status\":200", "\"status\":403"));
    }),
    ("an entry rewritten after the saved checkpoint", Kind::LogForked, |t| {
        t.rewrite_all(|e| edit(&mut e[450], "\"status\":200", "\"status\":403"));
    }),
    ("an entry rewritten, only the witness remembers", Kind::LogForked, |t| {
        t.only_witness();
        t.rewrite_all(|e| edit(&mut e[450], "\"status\":200", "\"status\":403"));
    }),
    ("an entry dropped", Kind::EntryMissing, |t| t.rewrite_all(|e| drop(e.remove(30)))),
    ("an entry dropped, the others renumbered", Kind::LogForked, |t| {
        t.rewrite_all(|e| {
            e.remove(30);
            renumber(e);
        });
    }),
    ("an entry twice", Kind::EntryDuplicated, |t| t.rewrite_all(|e| e.insert(31, e[30].clone()))),
    ("two entries in each other's place", Kind::EntryReordered, |t| t.rewrite_all(|e| e.swap(30, 31))),
    ("two entries in each other's place, renumbered", Kind::LogForked, |t| {
        t.rewrite_all(|e| {
            e.swap(30, 31);
            renumber(e);
        });
    }),
    ("an entry slipped in, the others renumbered", Kind::LogForked, |t| {
        t.rewrite_all(|e| {
            e.insert(100, e[7].clone());
            renumber(e);
        });
    }),
    ("the end cut off", Kind::LogRolledBack, |t| t.rewrite_all(|e| e.truncate(250))),
    ("the end cut off, only the witness remembers", Kind::LogRolledBack, |t| {
        t.only_witness();
        t.rewrite_all(|e| e.truncate(499));
    }),
    ("the end cut off and others put there", Kind::LogForked, |t| {
        t.rewrite_all(|e| {
            e.truncate(250);
            while (e.len() as u64) < 700 {
                e.push(e[10].clone());
            }
            renumber(e);
        });
    }),
    ("something that is no entry", Kind::EntryMalformed, |t| {
        t.rewrite_all(|e| e[599] = b"{\"v\":1}".to_vec());
    }),
    ("a clock set back", Kind::ClockSetBack, |t| {
        t.rewrite_all(|e| edit(&mut e[590], "\"time\":\"2026", "\"time\":\"2025"));
    }),
    ("fewer bytes in a counted hour", Kind::CountsMismatch, |t| {
        t.rewrite_all(|e| edit(&mut e[20], "\"bytes\":20", "\"bytes\":21"));
    }),
    ("a refusal made an answer", Kind::CountsMismatch, |t| {
        t.rewrite_all(|e| edit(&mut e[20], "\"status\":200", "\"status\":403"));
    }),
    ("an access dropped within a counted hour", Kind::CountsMissing, |t| {
        t.rewrite_all(|e| {
            e.remove(20);
            renumber(e);
        });
    }),
    ("an access put in the place of another kind", Kind::CountsMismatch, |t| {
        t.rewrite_all(|e| {
            let at = e.len() - 1;
            edit(&mut e[at], "\"access\":299", "\"access\":298");
        });
    }),
    ("counts taken out", Kind::CountsMissing, |t| {
        t.rewrite_all(|e| {
            e.remove(299);
            renumber(e);
        });
    }),
    ("counts that count something twice", Kind::CountsMissing, |t| {
        t.rewrite_all(|e| edit(&mut e[599], "\"first_seq\":300", "\"first_seq\":290"));
    }),
    ("an hour that ends without counts", Kind::CountsMissing, |t| {
        t.rewrite_all(|e| {
            for entry in &mut e[500..] {
                edit(entry, "\"time\":\"2026-11-18T1", "\"time\":\"2026-11-18T2");
            }
        });
    }),
];

#[test]
fn every_attack_is_found_and_named() {
    let all = [
        ("tiles", ON_TILES),
        ("heads", ON_HEADS),
        ("segments", ON_SEGMENTS),
        ("by the key holder", BY_THE_KEY_HOLDER),
    ];
    let mut wrong = Vec::new();
    let mut count = 0;
    for (what, attacks) in all {
        for (name, expected, attack) in attacks {
            let mut attacked = target().copy();
            attack(&mut attacked);
            let report = attacked.audit();
            count += 1;
            if !report.has(*expected) {
                wrong.push(format!("{what}: {name}: no {expected} in {}", report.to_json()));
            }
            let named = report.failures.iter().all(|f| !f.place.is_empty() && !f.what.is_empty());
            assert!(named, "{name}: {}", report.to_json());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 60, "{count} attacks");
}

/// Whoever changes one tile or bundle is told apart from whoever changed its neighbour.
#[test]
fn what_is_altered_is_not_blamed_on_what_is_not() {
    for (path, kind) in [
        ("tile/0/001", Kind::TileAltered),
        ("tile/1/000.p/2", Kind::TileAltered),
        ("tile/entries/001", Kind::BundleAltered),
    ] {
        let mut attacked = target().copy();
        // Within an entry's text, so that the bundle still is one.
        flip(path, 60)(&mut attacked);
        let report = attacked.audit();
        let kinds: Vec<_> = report.failures.iter().map(|f| (f.kind, f.place.as_str())).collect();
        assert!(
            kinds.iter().all(|(k, p)| *k == kind && *p == path || *k == Kind::EntryMalformed),
            "{kinds:?}"
        );
        assert!(kinds.contains(&(kind, path)), "{kinds:?}");
    }
}

/// Nobody kept anything: then what a key holder rewrites honestly cannot be told. The documentation says so.
#[test]
fn without_a_witness_a_key_holder_can_rewrite() {
    let mut t = target().copy();
    t.saved.clear();
    remove(&t, "checkpoint.cosigned");
    t.required_cosignatures = 0;
    t.rewrite_all(|e| {
        edit(&mut e[450], "\"status\":200", "\"status\":403");
        edit(&mut e[599], "\"refused\":0", "\"refused\":1");
    });
    assert!(t.audit().is_whole());
}

/// A tree of three levels of tiles.
#[test]
fn a_flipped_bit_of_any_level_of_tiles_is_found() {
    let disk = ForgetfulDisk::new();
    let entries: Vec<Vec<u8>> = (1..=65_800)
        .map(|seq| {
            let head = r#"{"v":1,"kind":"stop","time":"2026-11-18T11:06:40.123Z","node":"n1","seq":"#;
            let tail = r#","tenant":"t","accesses":0,"refused":0,"bytes":0,"store_reads":0}"#;
            format!("{head}{seq}{tail}").into_bytes()
        })
        .collect();
    disk.create_dir_all(&dir()).unwrap();
    let mut t = Target { disk, tiles: MemoryTiles::default(), saved: Vec::new(), ..target().copy() };
    t.required_cosignatures = 0;
    t.rewrite_segments(&entries);
    let tree = tree(&t.disk);
    let Tree { recorder, mut publisher, tiles } = tree;
    let size = publisher.publish().unwrap().size;
    assert_eq!(size, entries.len() as u64);
    t.head = publisher.view().head();
    let hashes = naive(&entries);
    assert_eq!(t.head().root.0, tlog_tiles::tree_hash(size, &hashes).unwrap().0);
    for index in [0, 65_535, 65_536, size - 1] {
        let proof = publisher.view().prove(index).unwrap();
        let expected: Vec<_> = tlog_tiles::prove_record(size, index, &hashes).unwrap();
        assert_eq!(proof.hashes, expected.into_iter().map(|hash| hash.0).collect::<Vec<_>>());
    }
    drop((recorder, publisher));
    t.tiles = tiles.copy();
    assert!(t.audit().is_whole());
    for path in
        ["tile/0/000", "tile/0/255", "tile/0/257.p/8", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"]
    {
        let before = t.tiles.get(path).unwrap().unwrap();
        flip(path, 31)(&mut t);
        let report = t.audit();
        assert!(report.failures.iter().any(|f| f.kind == Kind::TileAltered && f.place == path), "{path}");
        t.tiles.change(path, |bytes| *bytes = before);
    }
}
