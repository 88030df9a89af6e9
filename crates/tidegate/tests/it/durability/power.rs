//! Power cuts: the door on a disk that forgets what was not synced, cut at every operation.
//!
//! Ledger and blobs lie on the double. The catalogue does not: SQLite reaches the operating system itself, not through
//! our trait, and its promise (a commit with `synchronous=FULL` survives) is its own, tested by its authors. So after a
//! cut the catalogue knows everything and the disk may not: the door has to cope with that order too.

use std::sync::Arc;

use tidegate_ledger::audit::{AuditInput, SavedCheckpoint, audit};
use tidegate_ledger::tiles::DiskTiles;
use tidegate_sys::disk::SyncSite;
use tidegate_testkit::{Crash, FakeUpstream, ForgetfulDisk, Package};

use super::publish;
use super::support::{Opened, Question, Told, accesses, blobs, check};

struct Setting {
    upstream: FakeUpstream,
    questions: Vec<Question>,
    data: tempfile::TempDir,
}

impl Setting {
    fn new() -> Self {
        let upstream = FakeUpstream::start();
        let mut questions = Vec::new();
        for package in [Package::npm("alpha", "1.0.0"), Package::cargo("gamma", "1.0.0")] {
            // Above what is held until it is durable before its head leaves.
            let file = publish(&upstream, package.padded(100_000));
            questions.push(Question { method: "HEAD", ..file.clone() });
            questions.push(file);
        }
        questions.push(super::question("GET", "/npm/nowhere", &[], "pkg:npm/nowhere"));
        Self { upstream, questions, data: tempfile::tempdir().unwrap() }
    }

    /// A fresh data directory: the real one holds the catalogue, the double everything else.
    fn fresh(&self) -> std::path::PathBuf {
        let data = self.data.path().join(super::unique().to_string());
        std::fs::create_dir(&data).unwrap();
        data
    }

    /// Opens a door and asks everything; returns what was answered as a whole.
    fn run(&self, data: &std::path::Path, disk: &ForgetfulDisk) -> Vec<Told> {
        let Ok(opened) = Opened::new(&self.upstream, data, Arc::new(disk.clone())) else { return Vec::new() };
        let ask = |question: &Question| {
            let mut client = tidegate_testkit::client::RawClient::connect(opened.address).ok()?;
            super::ask(&mut client, question)
        };
        self.questions.iter().filter_map(ask).filter(|told| told.status != 503).collect()
    }

    /// The same with the tree published and custody stated after each answer; returns also every checkpoint that was shown.
    fn followed(&self, data: &std::path::Path, disk: &ForgetfulDisk) -> (Vec<Told>, Vec<SavedCheckpoint>) {
        let (mut told, mut shown) = (Vec::new(), Vec::new());
        let Ok(opened) = Opened::new(&self.upstream, data, Arc::new(disk.clone())) else {
            return (told, shown);
        };
        for question in &self.questions {
            let client = tidegate_testkit::client::RawClient::connect(opened.address);
            let answered = client.ok().and_then(|mut client| super::ask(&mut client, question));
            told.extend(answered.filter(|told| told.status != 503));
            opened.door.tree.publish();
            if let Some(note) = opened.door.tree.view().and_then(|view| view.checkpoint()) {
                shown.push(SavedCheckpoint { name: format!("shown-{}", shown.len()), note: note.into() });
            }
            // A disk that is gone stops it; what is due is stated after the restart.
            while opened.door.state_custody() == Ok(true) {}
        }
        (told, shown)
    }

    /// Opens a door on what a cut left, and has it catch up: each answer has its proof, each checkpoint that was shown is continued,
    /// each artifact is stated once.
    fn caught_up(
        &self,
        data: &std::path::Path,
        after: &ForgetfulDisk,
        told: &[Told],
        shown: &[SavedCheckpoint],
    ) -> Result<(), String> {
        let opened = Opened::new(&self.upstream, data, Arc::new(after.clone()))?;
        let door = &opened.door;
        for question in &self.questions {
            super::ask(&mut tidegate_testkit::client::RawClient::connect(opened.address).unwrap(), question)
                .ok_or_else(|| format!("no whole answer to {question:?}"))?;
        }
        while door.recorder.health().durable < door.recorder.health().appended {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        door.tree.publish();
        while door.state_custody()? {}
        if let Some(degraded) = door.tree.degradations().first() {
            return Err(degraded.why.clone());
        }
        let (view, key) = (door.tree.view().ok_or("there is no tree")?, door.tree.key());
        for told in told {
            let receipt = view.receipt(&told.record).map_err(|e| format!("{}: {e}", told.record))?;
            receipt.check(&key, &[]).map_err(|e| format!("{}: {e}", told.record))?;
        }
        for sha256 in self.questions.iter().filter_map(|question| question.sha256) {
            let events = door.store.catalogue.custody_events(&sha256, 100).map_err(|e| e.to_string())?;
            let stored = events.iter().filter(|event| event.event == "stored").count();
            if (stored, events.len()) != (1, 1) {
                return Err(format!("{sha256} is stated {} times, {stored} times as stored", events.len()));
            }
        }
        let tiles = DiskTiles::existing(Arc::new(after.clone()), &data.join("tlog"));
        let report = audit(&AuditInput {
            disk: Arc::new(after.clone()),
            ledgers: vec![data.join("ledger")],
            tiles: &tiles,
            origin: key.name(),
            keys: std::slice::from_ref(&key),
            earlier_keys: &[],
            head: None,
            saved: shown,
            witnesses: &[],
            required_cosignatures: 0,
            clock_tolerance_ms: 5_000,
        });
        if report.is_whole() { Ok(()) } else { Err(report.to_json()) }
    }

    /// Checks a disk after a cut: every answer has its entry, every blob is whole, and what was served is kept.
    fn judge(&self, data: &std::path::Path, after: &ForgetfulDisk, told: &[Told]) -> Result<(), String> {
        let disk = Arc::new(after.clone());
        if !told.is_empty() {
            check(told, &accesses(disk.clone(), &data.join("ledger"))?)?;
        }
        let kept = blobs(&*disk, &data.join("blobs"))?;
        for told in told {
            if let Some(sha256) = told.question.sha256.filter(|s| !kept.contains(s)) {
                return Err(format!("{sha256} was served and is not kept"));
            }
        }
        Ok(())
    }
}

#[test]
fn a_power_cut_at_any_operation_loses_no_answer_and_no_blob() {
    let setting = Setting::new();
    let all = setting.questions.len();
    let mut reopened = 0;
    for cut in 0.. {
        assert!(cut < 2000, "the run never ends");
        let (data, disk) = (setting.fresh(), ForgetfulDisk::new());
        disk.fail_after(cut);
        let told = setting.run(&data, &disk);
        for crash in [Crash::LosesAll, Crash::LosesNothing, Crash::LosesSome(cut), Crash::LosesSome(cut + 7)]
        {
            setting
                .judge(&data, &disk.crash(crash), &told)
                .unwrap_or_else(|e| panic!("cut after {cut}, {crash:?}: {e}"));
        }
        // A door that opens on what is left serves everything, and says so in the same ledger.
        if cut % 8 == 0 {
            let after = disk.crash(Crash::LosesSome(cut));
            let again = setting.run(&data, &after);
            assert_eq!(again.len(), all, "after a cut at {cut}");
            let whole = told.iter().chain(&again).cloned().collect::<Vec<_>>();
            setting.judge(&data, &after, &whole).unwrap_or_else(|e| panic!("reopened after {cut}: {e}"));
            reopened += 1;
        }
        let _ = std::fs::remove_dir_all(&data);
        if told.len() == all && disk.ops() < cut {
            assert!(cut > 40 && reopened > 4, "the run has many operations to be cut at, found {cut}");
            return;
        }
    }
}

#[test]
fn a_power_cut_at_any_operation_contradicts_no_checkpoint_and_no_statement() {
    let setting = Setting::new();
    let all = setting.questions.len();
    let mut most = 0;
    for cut in 0.. {
        assert!(cut < 2000, "the run never ends");
        let (data, disk) = (setting.fresh(), ForgetfulDisk::new());
        disk.fail_after(cut);
        let (told, shown) = setting.followed(&data, &disk);
        let crash = match cut % 3 {
            0 => Crash::LosesAll,
            1 => Crash::LosesNothing,
            _ => Crash::LosesSome(cut),
        };
        setting
            .caught_up(&data, &disk.crash(crash), &told, &shown)
            .unwrap_or_else(|e| panic!("cut after {cut}, {crash:?}: {e}"));
        most = most.max(shown.len());
        let _ = std::fs::remove_dir_all(&data);
        if told.len() == all && disk.ops() < cut {
            assert!(cut > 80 && most == all, "the run has many operations to be cut at, found {cut}");
            return;
        }
    }
}

#[test]
fn every_sync_of_the_door_is_needed() {
    let setting = Setting::new();
    let run = |forget: Option<SyncSite>| {
        let (data, disk) = (setting.fresh(), ForgetfulDisk::new());
        if let Some(site) = forget {
            disk.ignore_sync(site);
        }
        let told = setting.run(&data, &disk);
        assert_eq!(told.len(), setting.questions.len());
        if let Some(site) = forget {
            assert!(disk.reached(site) > 0, "{site:?} is never reached");
        }
        setting.judge(&data, &disk.crash(Crash::LosesAll), &told)
    };
    run(None).unwrap();
    for site in SyncSite::REQUEST {
        assert!(run(Some(site)).is_err(), "without {site:?} nothing is lost, so this test sees nothing");
    }
}
