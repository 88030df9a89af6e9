//! What a record costs: processor time of one append, and durable records a second with many waiters.
//!
//! `cargo bench -p tidegate-ledger` writes to a folder below the target directory, so that a real file system syncs.
//! Processor times come from the kernel's accounting; wall times depend on what else the machine does.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run shows why")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidegate_ledger::entry::{Access, CacheState};
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_ledger::{Body, EntryDraft, Limits, Mode, Recorder};
use tidegate_model::{Action, DecisionId, Ecosystem, PrincipalKind, Sha256, Timestamp};
use tidegate_sys::disk::{Disk as _, RealDisk, SyncSite};

const APPENDS: u32 = 200_000;
const SECONDS: u64 = 4;

fn main() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    one_writer(&dir.path().join("batched"));
    let syncs = bare_syncs(&dir.path().join("bare"));
    println!("fdatasync alone, 1 KB each: p50 {:.2} ms, p99 {:.2} ms", syncs.0, syncs.1);
    for waiters in [16, 64, 1024] {
        many_waiters(&dir.path().join(waiters.to_string()), waiters);
    }
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

fn recorder(dir: &Path, mode: Mode) -> Recorder {
    Recorder::open(Arc::new(RealDisk), dir, "n1".parse().unwrap(), mode, Limits::default()).unwrap().0
}

/// Processor time of this thread in nanoseconds.
fn thread_cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

/// Processor time of this process, all threads, in nanoseconds.
fn process_cpu() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

fn one_writer(dir: &Path) {
    let recorder = recorder(dir, Mode::Batched);
    let mut best = u64::MAX;
    for _ in 0..5 {
        let before = thread_cpu();
        for _ in 0..APPENDS {
            // A draft of its own, as a request makes one.
            let appended = recorder.append(&draft()).unwrap();
            std::hint::black_box(appended.seq);
        }
        best = best.min((thread_cpu() - before) / u64::from(APPENDS));
    }
    let drafts = {
        let before = thread_cpu();
        for _ in 0..APPENDS {
            std::hint::black_box(draft());
        }
        (thread_cpu() - before) / u64::from(APPENDS)
    };
    println!(
        "append, one writer, batched: {best} ns of its thread's processor time, {drafts} ns of them the draft"
    );
    println!("window: {} ms", recorder.health().unsynced_window_ms);
    println!(
        "of it, for 1,050 bytes: the write alone {} ns, the running digest {} ns",
        bare_writes(&dir.join("bare")),
        bare_digests()
    );
}

fn bare_writes(path: &Path) -> u64 {
    let mut file = RealDisk.create_new(path).unwrap();
    let before = thread_cpu();
    for _ in 0..APPENDS {
        file.append(&[7; 1050]).unwrap();
    }
    (thread_cpu() - before) / u64::from(APPENDS)
}

fn bare_digests() -> u64 {
    let mut running = [0; 32];
    let before = thread_cpu();
    for _ in 0..APPENDS {
        running = tidegate_ledger::frame::chain(&running, &[7; 1000]);
    }
    std::hint::black_box(running);
    (thread_cpu() - before) / u64::from(APPENDS)
}

fn bare_syncs(path: &Path) -> (f64, f64) {
    let mut file = RealDisk.create_new(path).unwrap();
    let mut times: Vec<Duration> = (0..300)
        .map(|_| {
            file.append(&[7; 1024]).unwrap();
            let start = Instant::now();
            file.sync(SyncSite::LedgerEntries).unwrap();
            start.elapsed()
        })
        .collect();
    percentiles(&mut times)
}

fn percentiles(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1000.0;
    (at(50), at(99))
}

fn many_waiters(dir: &Path, waiters: usize) {
    let recorder = Arc::new(recorder(dir, Mode::Durable));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (cpu, start) = (process_cpu(), Instant::now());
    let mut times = runtime.block_on(async {
        let tasks: Vec<_> = (0..waiters)
            .map(|_| {
                let (recorder, stop) = (Arc::clone(&recorder), Arc::clone(&stop));
                tokio::spawn(async move {
                    let mut times = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let start = Instant::now();
                        recorder.append(&draft()).unwrap().durable.wait().await.unwrap();
                        times.push(start.elapsed());
                    }
                    times
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(SECONDS));
        stop.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.unwrap());
        }
        times
    });
    let (cpu, wall) = (process_cpu() - cpu, start.elapsed());
    let count = times.len();
    let (p50, p99) = percentiles(&mut times);
    println!(
        "{waiters} waiters, durable: {:.0} records/s, {:.2} µs processor time a record (all threads), p50 {p50:.2} ms, p99 {p99:.2} ms",
        count as f64 / wall.as_secs_f64(),
        cpu as f64 / 1000.0 / count as f64,
    );
}
