//! `kill -9` at random moments under load.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidegate_ledger::audit::{AuditInput, SavedCheckpoint, audit};
use tidegate_ledger::entry::Access;
use tidegate_ledger::note::{KeyKind, VerifierKey};
use tidegate_ledger::tiles::DiskTiles;
use tidegate_provenance::signing::{FileKey, SigningKey as _};
use tidegate_store::access_index::{WhoQuery, WhoSubject};
use tidegate_store::catalogue::People;
use tidegate_sys::disk::RealDisk;
use tidegate_testkit::client::RawClient;
use tidegate_testkit::process::{Home, Program, Running};
use tidegate_testkit::{FakeUpstream, Package};

use super::publish;
use super::support::{Opened, Question, Told, accesses, ask, blobs, check};

/// How often the door is killed.
const KILLS: usize = 104;
/// How many clients ask meanwhile.
const CLIENTS: usize = 6;
/// How many packages appear for each run: there is always something cold.
const NEW_PACKAGES: usize = 4;

fn start(home: &Home, upstream: &FakeUpstream, data: &Path) -> (Running, SocketAddr) {
    let mut door = Program::new(env!("CARGO_BIN_EXE_tidegate"), home)
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        // With an upstream for each, no client is asked for its own at the start.
        .env("TIDEGATE_UPSTREAM_NPM", upstream.npm_url())
        .env("TIDEGATE_UPSTREAM_PYPI", upstream.pypi_url())
        .env("TIDEGATE_UPSTREAM_CARGO", upstream.cargo_url())
        .env("NO_COLOR", "1")
        .spawn();
    let line = door.wait_for_line("tidegate is open on http://", Duration::from_secs(60));
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    (door, address)
}

/// A small generator: the moments differ from run to run of the loop, not from run to run of the test.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn is_file(told: &Told) -> bool {
    told.status == 200 && told.question.sha256.is_some()
}

/// Asks until the door is gone; returns what was answered as a whole.
fn load(
    address: SocketAddr,
    questions: &[Question],
    seed: u64,
    stop: &AtomicBool,
    served: &AtomicBool,
) -> Vec<Told> {
    let mut dice = Dice(seed);
    let mut told = Vec::new();
    let Ok(mut client) = RawClient::connect(address) else { return told };
    while !stop.load(Ordering::Relaxed) {
        let question = &questions[usize::try_from(dice.roll(questions.len() as u64)).unwrap()];
        match ask(&mut client, question) {
            Some(answer) => {
                served.fetch_or(is_file(&answer), Ordering::Relaxed);
                told.push(answer);
            }
            None => return told,
        }
    }
    told
}

#[test]
fn kill_at_any_moment_loses_no_answer() {
    let (upstream, home, data) = (FakeUpstream::start(), Home::new(), tempfile::tempdir().unwrap());
    let mut dice = Dice(7);
    let mut questions = vec![super::question("GET", "/npm/nowhere", &[], "pkg:npm/nowhere")];
    let mut told: Vec<Told> = Vec::new();
    let ledger = data.path().join("ledger");
    let mut checkpoints: Vec<SavedCheckpoint> = Vec::new();
    let mut kept: BTreeMap<u64, Access> = BTreeMap::new();
    for round in 0..KILLS {
        for n in 0..NEW_PACKAGES {
            let name = format!("p{round}-{n}");
            let package = match n % 3 {
                0 => Package::npm(&name, "1.0.0"),
                1 => Package::pypi(&name, "1.0.0"),
                _ => Package::cargo(&name, "1.0.0"),
            };
            let purl = format!("pkg:{}/{name}", package.ecosystem());
            let file = publish(&upstream, package.padded(3000 + 20_000 * n));
            if n % 3 == 0 {
                questions.push(super::question("GET", &format!("/npm/{name}"), &[], &purl));
            }
            questions.push(file);
        }
        let (mut door, address) = start(&home, &upstream, data.path());
        // The newest are asked for most: they are cold.
        let recent = &questions[questions.len().saturating_sub(12)..];
        let (stop, served) = (AtomicBool::new(false), AtomicBool::new(false));
        let answered: Vec<Told> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|i| {
                    let (stop, served) = (&stop, &served);
                    scope.spawn(move || load(address, recent, (round * CLIENTS + i) as u64, stop, served))
                })
                .collect();
            // However slow the machine is, something was served before half of the kills. Where nothing ever is, the count
            // at the end says so: a panic here would wait for clients that nobody stops.
            let patience = Instant::now() + Duration::from_secs(60);
            while round % 2 == 0 && !served.load(Ordering::Relaxed) && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(2));
            }
            // A checkpoint is signed each second: some runs live long enough for one or two.
            let longest = if round % 3 == 0 { 2000 } else { 380 };
            std::thread::sleep(Duration::from_millis(20 + dice.roll(longest)));
            door.signal(9);
            door.wait(Duration::from_secs(30)).expect("a killed process ends");
            stop.store(true, Ordering::Relaxed);
            clients.into_iter().flat_map(|c| c.join().unwrap()).collect()
        });
        // What a kill leaves, before anybody mends it.
        let accesses = accesses(Arc::new(RealDisk), &ledger).unwrap_or_else(|e| panic!("kill {round}: {e}"));
        check(&answered, &accesses).unwrap_or_else(|e| panic!("kill {round}: {e}"));
        assert!(
            kept.iter().all(|(seq, old)| accesses.get(seq) == Some(old)),
            "kill {round} changed old entries"
        );
        blobs(&RealDisk, &data.path().join("blobs")).unwrap_or_else(|e| panic!("kill {round}: {e}"));
        audit_tree(data.path(), &mut checkpoints).unwrap_or_else(|e| panic!("kill {round}: {e}"));
        kept = accesses;
        told.extend(answered);
    }
    assert!(checkpoints.len() >= KILLS / 10, "{} checkpoints were seen", checkpoints.len());
    let served = told.iter().filter(|t| is_file(t)).count();
    assert!(served >= KILLS / 2, "the load is a load: {served} files in {KILLS} runs");
    // A last door, in this process, on what the kills left.
    let opened = Opened::new(&upstream, data.path(), Arc::new(RealDisk)).unwrap();
    let last = accesses(Arc::new(RealDisk), &ledger).unwrap();
    check(&told, &last).unwrap();
    opened.door.project().unwrap();
    let people: &dyn People = &*opened.door.store.catalogue;
    let last_served = told.iter().rfind(|t| is_file(t)).unwrap();
    let query = WhoQuery::taken(WhoSubject::Purl(last_served.question.purl.clone()));
    let page = opened.door.store.access.who(&query, people).unwrap();
    assert!(page.rows.iter().any(|row| row.record == last_served.record), "who knows {last_served:?}");
    let again = opened.get(&last_served.question.target).unwrap();
    assert_eq!((again.status, super::sha256(&again.body)), (200, last_served.body_sha256));
    // Every answer that ever left has its proof.
    opened.door.tree.publish();
    assert_eq!(opened.door.tree.degradations().len(), 0);
    let view = opened.door.tree.view().unwrap();
    for answer in &told {
        let receipt = view.receipt(&answer.record).unwrap_or_else(|e| panic!("{}: {e}", answer.record));
        receipt.check(&opened.door.tree.key(), &[]).unwrap_or_else(|e| panic!("{}: {e}", answer.record));
    }
    // Each start after a kill counted what was there: all but the last run are in the tree, each entry in one count.
    let counted = audit_tree(data.path(), &mut checkpoints).unwrap();
    assert!(counted >= KILLS as u64 / 2, "{counted} counts were counted again");
}

/// Checks the tree that a kill leaves: everything fits, and it continues every checkpoint that was ever seen.
/// Returns how many hourly counts were counted again.
fn audit_tree(data: &Path, seen: &mut Vec<SavedCheckpoint>) -> Result<u64, String> {
    let folder = tidegate::ledger::tiles_folder(data);
    let Ok(note) = std::fs::read(folder.join("checkpoint")) else {
        return if seen.is_empty() { Ok(0) } else { Err("the published checkpoint is gone".to_owned()) };
    };
    let origin = String::from_utf8_lossy(&note).lines().next().unwrap_or_default().to_owned();
    let key = FileKey::open(&tidegate::ledger::key_path(data), None).map_err(|e| e.to_string())?;
    let public = key.public_key().raw().try_into().map_err(|_| "no Ed25519 key".to_owned())?;
    let key = VerifierKey::new(&origin, KeyKind::Ed25519, public).map_err(|e| e.to_string())?;
    if seen.last().is_none_or(|last| last.note != note) {
        seen.push(SavedCheckpoint { name: format!("checkpoint {}", seen.len()), note });
    }
    let report = audit(&AuditInput {
        disk: Arc::new(RealDisk),
        ledgers: vec![data.join("ledger")],
        tiles: &DiskTiles::existing(Arc::new(RealDisk), &folder),
        origin: &origin,
        keys: &[key],
        earlier_keys: &[],
        head: None,
        saved: seen,
        witnesses: &[],
        required_cosignatures: 0,
        clock_tolerance_ms: 5_000,
    });
    if report.is_whole() { Ok(report.counts) } else { Err(report.to_json()) }
}
