//! A small ledger on any disk, and what must always be true of one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_ledger::entry::{Access, CacheState};
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_ledger::{
    Body, Durability, Entry, EntryDraft, Limits, Mode, OpenError, RecordError, Recorder, RecoveryReport,
};
use tidegate_model::{Action, DecisionId, Ecosystem, PrincipalKind, Sha256, Timestamp};
use tidegate_sys::disk::Disk;
use tidegate_testkit::{Crash, ForgetfulDisk};

pub(crate) fn dir() -> PathBuf {
    PathBuf::from("/data/ledger")
}

/// About five entries a segment, and no long waits.
pub(crate) fn small() -> Limits {
    Limits { segment_bytes: 6 * 1024, retry: Duration::from_millis(5), ..Limits::default() }
}

pub(crate) fn open(disk: &ForgetfulDisk) -> Result<(Recorder, RecoveryReport), OpenError> {
    open_in(Arc::new(disk.clone()), &dir(), Mode::Durable)
}

pub(crate) fn open_in(
    disk: Arc<dyn Disk>,
    dir: &Path,
    mode: Mode,
) -> Result<(Recorder, RecoveryReport), OpenError> {
    Recorder::open(disk, dir, "n1".parse().unwrap(), mode, small())
}

/// An access entry that is recognised by its `bytes`.
pub(crate) fn draft(marker: u64) -> EntryDraft {
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
        bytes: marker,
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

pub(crate) fn wait(durable: Durability) -> Result<(), RecordError> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(durable.wait())
}

/// Sequence number and marker.
pub(crate) type Written = (u64, u64);

/// Reads everything and checks that the numbers run from 1 without a gap.
pub(crate) fn read_all(recorder: &Recorder) -> Result<Vec<Written>, String> {
    let mut found = Vec::new();
    for frame in recorder.reader(1) {
        let frame = frame.map_err(|e| e.to_string())?;
        let entry = Entry::parse(&frame.json).map_err(|e| e.to_string())?;
        let Body::Access(access) = entry.body else { return Err("not an access".to_owned()) };
        if (frame.seq, entry.seq) != (found.len() as u64 + 1, frame.seq) {
            return Err(format!("found entry {} after {} entries", frame.seq, found.len()));
        }
        found.push((frame.seq, access.bytes));
    }
    Ok(found)
}

/// What must hold of a ledger after a restart: it opens, every promised entry is there under its number with its content,
/// the numbers have no gaps, the chain is whole, and it can be written on.
pub(crate) fn check(disk: &ForgetfulDisk, promised: &[Written]) -> Result<(), String> {
    let (recorder, report) = open(disk).map_err(|e| format!("does not open: {e}"))?;
    let found = read_all(&recorder)?;
    if report.last_seq != found.len() as u64 {
        return Err(format!("reports {} entries, reads {}", report.last_seq, found.len()));
    }
    for entry in promised {
        if !found.contains(entry) {
            return Err(format!("entry {entry:?} was promised and is lost"));
        }
    }
    let next = recorder.append(&draft(4711)).map_err(|e| e.to_string())?;
    let seq = next.seq;
    wait(next.durable).map_err(|e| e.to_string())?;
    drop(recorder);
    let summary = tidegate_ledger::verify(&disk.crash(Crash::LosesAll), &dir()).map_err(|e| e.to_string())?;
    if (seq, summary.last_seq) != (found.len() as u64 + 1, seq) {
        return Err(format!(
            "entry {seq} was written after {} and {} are kept",
            found.len(),
            summary.last_seq
        ));
    }
    Ok(())
}

/// Waits until `condition` holds, for at most ten seconds.
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}: not within ten seconds");
        std::thread::sleep(Duration::from_millis(1));
    }
}
