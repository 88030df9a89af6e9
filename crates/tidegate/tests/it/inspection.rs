//! Inspection in worker processes: what each of them may do, and what the others do meanwhile.

mod bombs;
mod careful;
mod confined;
mod kills;
mod large_models;
mod liars;
// Writers that can lie, from the unfolder's own tests.
#[expect(dead_code, reason = "the unfolder's tests use the others")]
#[path = "../../../tidegate-inspect/tests/it/support/tar.rs"]
pub(crate) mod tar;
#[path = "../../../tidegate-inspect/tests/it/support/zip.rs"]
pub(crate) mod zip;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256 as Hasher};
use tempfile::TempDir;
use tidegate::inspection::{Config, Job, Limits, Loss, Outcome, Pool, Usage, WorkerCommand};
use tidegate_model::Sha256;

/// Memory of a worker in all.
const MEMORY_BYTES: u64 = 256 << 20;

/// A pool in a folder of its own, and a runtime to wait for it.
struct TestPool {
    pool: Arc<Pool>,
    runtime: tokio::runtime::Runtime,
    folder: TempDir,
}

impl TestPool {
    /// Workers as the product starts them.
    fn real(limits: Limits) -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_tidegate"));
        Self::of(WorkerCommand { program, arguments: vec!["inspection-worker".into()] }, 2, limits)
    }

    /// One worker, which is a test of this program that is otherwise ignored.
    fn played_by(test: &str, limits: Limits) -> Self {
        let program = std::env::current_exe().unwrap();
        let arguments = [test, "--exact", "--ignored", "--nocapture", "--test-threads=1"];
        Self::of(WorkerCommand { program, arguments: arguments.map(Into::into).to_vec() }, 1, limits)
    }

    fn of(command: WorkerCommand, workers: usize, limits: Limits) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-pool-").tempdir().unwrap();
        let scratch = folder.path().join("scratch");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let pool = Pool::start(Config { command, workers, limits, scratch }).unwrap();
        Self { pool: Arc::new(pool), runtime, folder }
    }

    fn job(&self, name: &str, bytes: &[u8]) -> Job {
        let path = self.folder.path().join(format!("{name}.blob"));
        std::fs::write(&path, bytes).unwrap();
        job(name, &path)
    }

    /// Inspects bytes.
    fn inspect(&self, name: &str, bytes: &[u8]) -> Outcome {
        self.run(self.job(name, bytes))
    }

    fn run(&self, job: Job) -> Outcome {
        self.runtime.block_on(self.pool.inspect(job))
    }
}

/// The file as a job. Its digest is of its name: the pool does not read the content.
fn job(name: &str, path: &Path) -> Job {
    let blob = File::open(path).unwrap();
    let digest = Sha256::new(Hasher::digest(name).into());
    Job { digest, size: blob.metadata().unwrap().len(), blob, name: name.into(), head: serde_json::json!({}) }
}

#[track_caller]
fn done(outcome: Outcome) -> (Vec<u8>, Usage) {
    match outcome {
        Outcome::Done(body, usage) => (body, usage),
        Outcome::Gap { why, kind } => panic!("{}: {why}", kind.as_str()),
    }
}

#[track_caller]
fn lost(outcome: Outcome) -> (Loss, String) {
    match outcome {
        Outcome::Gap { why, kind } => (kind, why),
        Outcome::Done(body, _) => panic!("{}", String::from_utf8_lossy(&body)),
    }
}

/// The result of an inspection that counts.
#[track_caller]
fn counted(outcome: Outcome) -> (serde_json::Value, Usage) {
    let (body, usage) = done(outcome);
    (serde_json::from_slice(&body).unwrap(), usage)
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_as(flate2::Compression::fast(), bytes)
}

pub(crate) fn gzip_as(level: flate2::Compression, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_artifact_is_looked_into_by_a_confined_worker() {
    let pool = TestPool::real(Limits::default());
    assert_eq!(pool.pool.status().confinement, None);
    let (result, usage) = counted(pool.inspect("a.gz", &gzip(b"content")));
    assert_eq!(result["extent"]["largest_leaf_bytes"], 7);
    assert!(usage.cpu > Duration::ZERO && usage.wall > Duration::ZERO, "{usage:?}");
    let status = pool.pool.status();
    assert_eq!((status.done, status.started, status.lost, status.busy), (1, 1, 0, 0));
    let confinement = status.confinement.unwrap();
    if confinement.missing.is_empty() {
        assert!(confinement.files_refused && confinement.sockets_refused && confinement.seccomp);
        assert!(confinement.landlock.is_some() && status.degraded.is_empty());
    } else {
        eprintln!("SKIPPED: THIS KERNEL CANNOT CONFINE A WORKER WHOLLY: {:?}", confinement.missing);
        assert!(!status.degraded.is_empty());
    }
}

#[test]
fn a_worker_is_there_before_the_first_artifact_where_that_is_wanted() {
    let pool = TestPool::real(Limits::default());
    pool.pool.warm_up();
    let ends = std::time::Instant::now() + crate::support::PATIENCE;
    while pool.pool.status().confinement.is_none() {
        assert!(std::time::Instant::now() < ends);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(pool.pool.status().processes.len(), 1);
}

#[test]
fn workers_are_replaced_after_so_many_jobs_and_when_nobody_needs_them() {
    let limits = Limits { jobs: 2, idle: Duration::from_millis(50), ..Limits::default() };
    let pool = TestPool::real(limits);
    for n in 0..4 {
        done(pool.inspect(&format!("{n}"), b"x"));
    }
    assert!((2..=4).contains(&pool.pool.status().started), "{:?}", pool.pool.status());
    let ends = std::time::Instant::now() + crate::support::PATIENCE;
    while !pool.pool.status().processes.is_empty() {
        assert!(std::time::Instant::now() < ends);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(pool.pool.status().lost, 0, "they were ended, not lost");
}

#[test]
fn an_artifact_that_can_be_written_is_given_to_nobody() {
    let pool = TestPool::real(Limits::default());
    let mut job = pool.job("x", b"x");
    job.blob = File::options().read(true).write(true).open(pool.folder.path().join("x.blob")).unwrap();
    assert_eq!(lost(pool.run(job)).0, Loss::Protocol);
    assert_eq!(pool.pool.status().started, 0);
}

#[test]
fn without_workers_every_artifact_is_a_gap_and_the_status_says_why() {
    let command = WorkerCommand { program: "/nonexistent/tidegate".into(), arguments: Vec::new() };
    let pool = TestPool::of(command, 1, Limits::default());
    let (kind, why) = lost(pool.inspect("x", b"x"));
    assert_eq!(kind, Loss::NotStarted);
    assert!(!kind.is_lasting() && why.contains("no worker could be started"), "{why}");
    assert_eq!(pool.pool.status().degraded, [why]);
}

#[test]
fn a_door_that_stops_waits_for_no_inspection() {
    let pool = TestPool::played_by("inspection::liars::hangs", Limits::default());
    let (bad, waiting) = (pool.job("bad", b"x"), pool.job("good", b"x"));
    let began = std::time::Instant::now();
    let (first, second) = pool.runtime.block_on(async {
        let stop = async {
            while pool.pool.status().busy == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            pool.pool.stop();
        };
        let (first, second, ()) = tokio::join!(pool.pool.inspect(bad), pool.pool.inspect(waiting), stop);
        (first, second)
    });
    assert_eq!((lost(first).0, lost(second).0), (Loss::Stopped, Loss::Stopped));
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(lost(pool.inspect("late", b"x")).0, Loss::Stopped);
}
