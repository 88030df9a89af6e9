//! What the tree costs: entries a second through segments, tiles and signed checkpoints, and processor time a million.
//!
//! `cargo bench -p tidegate-ledger --bench tree` writes to a folder below the target directory, so that a real file system
//! syncs. Processor times come from the kernel's accounting; wall times depend on what else the machine does.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shows why")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidegate_ledger::audit::{AuditInput, audit};
use tidegate_ledger::entry::{Access, CacheState};
use tidegate_ledger::heads::MemoryHeads;
use tidegate_ledger::note::{CheckpointSigner as _, Ed25519Signer, KeyKind};
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_ledger::tiles::DiskTiles;
use tidegate_ledger::tree::{Publisher, TreeParts};
use tidegate_ledger::{Body, EntryDraft, Limits, Mode, Recorder};
use tidegate_model::{Action, DecisionId, Ecosystem, PrincipalKind, Sha256, Timestamp};
use tidegate_sys::disk::RealDisk;

/// Entries that stand in the ledger before the tree begins.
const OLD: u64 = 1_000_000;
const SECONDS: u64 = 10;
/// Entries a second while a checkpoint is published each second.
const RATE: u64 = 60_000;
/// How often is published while entries come.
const EVERY: Duration = Duration::from_secs(1);

fn main() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (ledger, tlog) = (dir.path().join("ledger"), dir.path().join("tlog"));
    let recorder = Arc::new(
        Recorder::open(Arc::new(RealDisk), &ledger, "n1".parse().unwrap(), Mode::Batched, Limits::default())
            .unwrap()
            .0,
    );
    let draft = draft();
    for _ in 0..OLD {
        std::hint::black_box(recorder.append(&draft).unwrap().seq);
    }
    while recorder.health().durable < OLD {
        std::thread::sleep(Duration::from_millis(5));
    }
    let signer = Arc::new(Ed25519Signer::from_seed("door.example/log", KeyKind::Ed25519, &[1; 32]).unwrap());
    let mut publisher = Publisher::open(TreeParts {
        signer: signer.clone(),
        earlier_keys: Vec::new(),
        tiles: Arc::new(DiskTiles::open(Arc::new(RealDisk), &tlog).unwrap()),
        heads: Arc::new(MemoryHeads::default()),
        entries: recorder.clone(),
    })
    .unwrap();
    upgrade(&mut publisher);
    publisher = steadily(&recorder, publisher, &draft);
    proofs(&publisher);
    drop((publisher, recorder));
    whole_audit(&ledger, &tlog, signer.key().clone());
}

/// A ledger without a tree gets one.
fn upgrade(publisher: &mut Publisher) {
    let (cpu, start) = (process_cpu(), Instant::now());
    while publisher.publish().unwrap().more {}
    let (cpu, wall) = (process_cpu() - cpu, start.elapsed());
    println!(
        "tree over {OLD} entries that were there: {:.0} entries/s, {:.2} s processor time a million",
        OLD as f64 / wall.as_secs_f64(),
        cpu as f64 / 1e9 / (OLD as f64 / 1e6),
    );
}

/// Entries come at [`RATE`], and a checkpoint each second.
fn steadily(recorder: &Arc<Recorder>, mut publisher: Publisher, draft: &EntryDraft) -> Publisher {
    let stop = Arc::new(AtomicBool::new(false));
    let (cpu, start, before) = (process_cpu(), Instant::now(), recorder.health().appended);
    let writer = {
        let (recorder, stop, draft) = (Arc::clone(recorder), Arc::clone(&stop), draft.clone());
        std::thread::spawn(move || {
            let (begun, mut written) = (Instant::now(), 0u64);
            while !stop.load(Ordering::Relaxed) {
                let due = (begun.elapsed().as_secs_f64() * RATE as f64) as u64;
                for _ in written..due {
                    std::hint::black_box(recorder.append(&draft).unwrap().seq);
                }
                written = due.max(written);
                std::thread::sleep(Duration::from_millis(1));
            }
        })
    };
    let mut times = Vec::new();
    while start.elapsed() < Duration::from_secs(SECONDS) {
        std::thread::sleep(EVERY);
        let began = Instant::now();
        let published = publisher.publish().unwrap();
        times.push((published.added, began.elapsed()));
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    while recorder.health().durable < recorder.health().appended {
        std::thread::sleep(Duration::from_millis(5));
    }
    while publisher.publish().unwrap().added > 0 {}
    let (cpu, wall) = (process_cpu() - cpu, start.elapsed());
    let count = (publisher.last_seq() - before) as f64;
    println!(
        "segments, tree and a checkpoint each second, {RATE}/s asked for: {:.0} entries/s, {:.2} s processor time a million (all threads)",
        count / wall.as_secs_f64(),
        cpu as f64 / 1e9 / (count / 1e6),
    );
    for (added, took) in times {
        println!("  {added} entries published in {:.0} ms", took.as_secs_f64() * 1000.0);
    }
    publisher
}

fn proofs(publisher: &Publisher) {
    const PROOFS: u64 = 2000;
    let view = publisher.view();
    let size = publisher.last_seq();
    let cpu = process_cpu();
    for n in 0..PROOFS {
        let seq = 1 + n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
        std::hint::black_box(view.receipt(&format!("n1-{seq}").parse().unwrap()).unwrap());
    }
    let cpu = process_cpu() - cpu;
    println!("a receipt from files: {:.0} µs processor time", cpu as f64 / 1000.0 / PROOFS as f64);
}

fn whole_audit(ledger: &Path, tlog: &Path, key: tidegate_ledger::note::VerifierKey) {
    let (cpu, start) = (process_cpu(), Instant::now());
    let report = audit(&AuditInput {
        disk: Arc::new(RealDisk),
        ledgers: vec![ledger.to_owned()],
        tiles: &DiskTiles::existing(Arc::new(RealDisk), tlog),
        origin: "door.example/log",
        keys: &[key],
        earlier_keys: &[],
        head: None,
        saved: &[],
        witnesses: &[],
        required_cosignatures: 0,
        clock_tolerance_ms: 0,
    });
    assert!(report.is_whole(), "{}", report.to_json());
    let (cpu, wall) = (process_cpu() - cpu, start.elapsed());
    println!(
        "audit of {} entries: {:.0} entries/s, {:.2} s processor time a million",
        report.entries,
        report.entries as f64 / wall.as_secs_f64(),
        cpu as f64 / 1e9 / (report.entries as f64 / 1e6),
    );
}

fn draft() -> EntryDraft {
    let access = Access {
        actor: Pseudonym::new([1; 32]),
        actor_kind: PrincipalKind::Human,
        host: Some(Commitment::new([2; 32])),
        address: Commitment::new([3; 32]),
        client: Some(Commitment::new([4; 32])),
        credential: Some(Commitment::new([5; 32])),
        repository: "npm".into(),
        ecosystem: Some(Ecosystem::Npm),
        method: "GET".into(),
        operation: "artifact".into(),
        purl: Some("pkg:npm/left-pad@1.3.0".into()),
        file: Some("left-pad-1.3.0.tgz".into()),
        sha256: Some(Sha256::new([6; 32])),
        status: 200,
        range: None,
        bytes: 4096,
        action: Some(Action::Allow),
        decision: Some(DecisionId::from_random([7; 10])),
        rules: [].into(),
        policy: Some(Sha256::new([8; 32])),
        cache: Some(CacheState::Warm),
        upstream: Some("default".into()),
        enforced: true,
        degraded: [].into(),
    };
    EntryDraft {
        time: Timestamp::from_unix_millis(1_795_000_000_000),
        tenant: "default".into(),
        body: Body::Access(Box::new(access)),
    }
}

/// Processor time of this process, threads that ended included, in nanoseconds.
fn process_cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after = stat.rsplit_once(')').unwrap().1;
    // After the name: user and system time are the twelfth and thirteenth field, in clock ticks of 10 ms.
    let ticks: u64 =
        after.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    ticks * 10_000_000
}
