//! A ledger with its tree, keys and witnesses.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tidegate_ledger::audit::{AuditInput, AuditReport, SavedCheckpoint, audit};
use tidegate_ledger::heads::{Head, Heads, MemoryHeads};
use tidegate_ledger::note::{CheckpointSigner, Ed25519Signer, KeyKind, SignError, VerifierKey};
use tidegate_ledger::tiles::{DiskTiles, TileFile, Tiles};
use tidegate_ledger::tree::{Publisher, TreeError, TreeParts};
use tidegate_ledger::{Mode, Recorder};
use tidegate_sys::disk::Disk;
use tidegate_testkit::ForgetfulDisk;

use crate::support::{dir, draft, open_in, wait};

pub(crate) const ORIGIN: &str = "door.example/default/access";

pub(crate) fn tlog() -> PathBuf {
    PathBuf::from("/data/tlog")
}

pub(crate) fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(ORIGIN, KeyKind::Ed25519, &[seed; 32]).unwrap()
}

pub(crate) fn witness(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed("witness.example/w", KeyKind::Cosignature, &[seed; 32]).unwrap()
}

/// Remembers every text that it signed.
pub(crate) struct Remembering {
    signer: Ed25519Signer,
    pub(crate) signed: Mutex<Vec<String>>,
}

impl Remembering {
    pub(crate) fn new(seed: u8) -> Self {
        Self { signer: signer(seed), signed: Mutex::default() }
    }
}

impl CheckpointSigner for Remembering {
    fn key(&self) -> &VerifierKey {
        self.signer.key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.signed.lock().unwrap().push(String::from_utf8(message.to_vec()).unwrap());
        self.signer.sign(message)
    }
}

/// Tiles in memory that can be changed behind everybody's back.
#[derive(Default)]
pub(crate) struct MemoryTiles(pub(crate) Mutex<BTreeMap<String, Vec<u8>>>);

impl MemoryTiles {
    pub(crate) fn copy(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap().clone()))
    }

    /// Changes one file, which must be there.
    pub(crate) fn change(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.0.lock().unwrap().get_mut(path).unwrap_or_else(|| panic!("no `{path}`")));
    }
}

impl Tiles for MemoryTiles {
    fn put(&self, files: Vec<TileFile>) -> io::Result<()> {
        self.0.lock().unwrap().extend(files.into_iter().map(|file| (file.path, file.bytes)));
        Ok(())
    }

    fn put_checkpoint(&self, path: &str, note: &str) -> io::Result<()> {
        self.0.lock().unwrap().insert(path.to_owned(), note.into());
        Ok(())
    }

    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap().get(path).cloned())
    }

    fn remove_partials(&self, path: &str) {
        let prefix = format!("{path}.p/");
        self.0.lock().unwrap().retain(|path, _| !path.starts_with(&prefix));
    }
}

/// A ledger on a disk that forgets, and a tree beside it.
pub(crate) struct Rig {
    pub(crate) disk: ForgetfulDisk,
    pub(crate) heads: Arc<MemoryHeads>,
    pub(crate) signer: Arc<Remembering>,
}

pub(crate) struct Opened {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) publisher: Publisher,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::on(ForgetfulDisk::new())
    }

    pub(crate) fn on(disk: ForgetfulDisk) -> Self {
        Self { disk, heads: Arc::default(), signer: Arc::new(Remembering::new(1)) }
    }

    /// The same on another disk; what either does from now on the other does not see.
    pub(crate) fn apart(&self, disk: ForgetfulDisk) -> Self {
        let apart = Self::on(disk);
        if let Some(head) = self.head() {
            assert!(apart.heads.advance(ORIGIN, None, &head).unwrap());
        }
        apart.signer.signed.lock().unwrap().clone_from(&self.signer.signed.lock().unwrap());
        apart
    }

    pub(crate) fn recorder(&self) -> Arc<Recorder> {
        Arc::new(open_in(Arc::new(self.disk.clone()), &dir(), Mode::Durable).unwrap().0)
    }

    pub(crate) fn tiles(&self) -> Result<Arc<DiskTiles>, TreeError> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let tiles = DiskTiles::open(disk, &tlog());
        Ok(Arc::new(tiles.map_err(|source| TreeError::Tiles { doing: "open", source })?))
    }

    pub(crate) fn publisher(&self, recorder: &Arc<Recorder>) -> Result<Publisher, TreeError> {
        Publisher::open(TreeParts {
            signer: self.signer.clone(),
            earlier_keys: Vec::new(),
            tiles: self.tiles()?,
            heads: self.heads.clone(),
            entries: recorder.clone(),
        })
    }

    pub(crate) fn open(&self) -> Opened {
        let recorder = self.recorder();
        let publisher = self.publisher(&recorder).unwrap();
        Opened { recorder, publisher }
    }

    pub(crate) fn audit(&self, saved: &[String]) -> AuditReport {
        let tiles = DiskTiles::existing(Arc::new(self.disk.clone()), &tlog());
        let saved: Vec<SavedCheckpoint> = saved
            .iter()
            .enumerate()
            .map(|(i, note)| SavedCheckpoint { name: format!("saved-{i}"), note: note.clone().into_bytes() })
            .collect();
        audit(&AuditInput {
            disk: Arc::new(self.disk.clone()),
            ledgers: vec![dir()],
            tiles: &tiles,
            origin: ORIGIN,
            keys: &[self.signer.key().clone()],
            earlier_keys: &[],
            head: self.head(),
            saved: &saved,
            witnesses: &[],
            required_cosignatures: 0,
            clock_tolerance_ms: 1000,
        })
    }

    pub(crate) fn head(&self) -> Option<Head> {
        self.heads.head(ORIGIN).unwrap()
    }
}

/// Appends entries and waits until they are durable; every few of them, so that segments end where they should.
pub(crate) fn append(recorder: &Recorder, count: u64) {
    let mut last = None;
    for n in 0..count {
        let durable = recorder.append(&draft(n)).unwrap().durable;
        if n % 4 == 3 {
            wait(durable).unwrap();
        } else {
            last = Some(durable);
        }
    }
    if let Some(durable) = last {
        wait(durable).unwrap();
    }
}
