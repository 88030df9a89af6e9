//! A witness cosigns what continues what it knows, and says why not otherwise.

use tidegate_ledger::checkpoint::{Checkpoint, Root};
use tidegate_ledger::heads::MemoryHeads;
use tidegate_ledger::note::{CheckpointSigner as _, Ed25519Signer, KeyKind, NoteError, SignedNote, cosign};
use tidegate_ledger::witness::{AddCheckpoint, Witness, WitnessRefusal};

use super::rig::{ORIGIN, Opened, Rig, append, signer, witness};

const TIME: u64 = 1_795_000_000;

struct Log {
    rig: Rig,
    opened: Opened,
}

impl Log {
    fn new() -> Self {
        let rig = Rig::new();
        let opened = rig.open();
        Self { rig, opened }
    }

    fn grow(&mut self, by: u64) -> u64 {
        append(&self.opened.recorder, by);
        self.opened.publisher.publish().unwrap().size
    }

    fn request(&self, old: u64) -> AddCheckpoint {
        let view = self.opened.publisher.view();
        let note = SignedNote::parse(view.checkpoint().unwrap().as_bytes()).unwrap();
        let size = view.head().unwrap().size;
        let proof = if old == 0 { Vec::new() } else { view.prove_consistency(old, size).unwrap().hashes };
        AddCheckpoint { old, proof, note }
    }
}

fn ask(log: &Log, heads: &MemoryHeads, request: &AddCheckpoint) -> Result<String, WitnessRefusal> {
    let logs = [log.rig.signer.key().clone()];
    let w = witness(8);
    Witness { signer: &w, logs: &logs, heads }.add_checkpoint(request.to_body().as_bytes(), TIME)
}

#[test]
fn what_continues_is_cosigned_and_the_line_verifies() {
    let mut log = Log::new();
    let heads = MemoryHeads::default();
    let mut old = 0;
    for step in [3, 300, 5] {
        let size = log.grow(step);
        let request = log.request(old);
        assert_eq!(AddCheckpoint::parse(request.to_body().as_bytes()).unwrap(), request);
        let line = ask(&log, &heads, &request).unwrap();
        let mut note = request.note.clone();
        note.add_line(&line).unwrap();
        assert_eq!(note.verify(witness(8).key()), Ok(TIME));
        assert_eq!(note.verify(log.rig.signer.key()), Ok(0));
        old = size;
    }
    // Again the same: witnesses repeat themselves with a newer time.
    assert!(ask(&log, &heads, &log.request(old)).is_ok());

    let mut note = log.request(old).note;
    note.add_line(&ask(&log, &heads, &log.request(old)).unwrap()).unwrap();
    let view = log.opened.publisher.view();
    view.keep_cosigned(&note, &[witness(8).key().clone()]).unwrap();
    assert_eq!(view.cosigned(), Some(note.to_text()));
    log.grow(4);
    let receipt = view.receipt(&"n1-2".parse().unwrap()).unwrap();
    let proven = receipt.check(log.rig.signer.key(), &[witness(8).key().clone()]).unwrap();
    assert_eq!(proven.cosigned, [(witness(8).key().clone(), TIME)]);
    assert_eq!(proven.checkpoint.size, old);
    let newest = view.receipt(&"n1-312".parse().unwrap()).unwrap();
    assert!(newest.check(log.rig.signer.key(), &[]).is_ok());
    assert!(newest.check(log.rig.signer.key(), &[witness(8).key().clone()]).is_err());
    assert!(view.keep_cosigned(&note, &[witness(9).key().clone()]).is_err(), "an unknown witness");
}

#[test]
fn refusals_have_the_statuses_of_the_standard() {
    let mut log = Log::new();
    let heads = MemoryHeads::default();
    log.grow(10);
    ask(&log, &heads, &log.request(0)).unwrap();
    log.grow(10);
    let good = log.request(10);
    let status = |request: &AddCheckpoint| ask(&log, &heads, request).unwrap_err().status();

    let conflict = ask(&log, &heads, &log.request(0)).unwrap_err();
    assert_eq!((conflict.status(), conflict.body()), (409, "10\n".to_owned()));
    assert_eq!(status(&log.request(5)), 409);
    let mut bad = good.clone();
    bad.proof[0][0] ^= 1;
    assert_eq!(status(&bad), 422);
    bad.proof.clear();
    assert_eq!(status(&bad), 422);
    bad.old = 21;
    assert_eq!(status(&bad), 400);

    let fork = |size, signer: &Ed25519Signer, origin| AddCheckpoint {
        note: Checkpoint::new(origin, size, Root([9; 32])).sign(signer).unwrap(),
        ..good.clone()
    };
    assert_eq!(status(&fork(30, &signer(1), ORIGIN)), 422);
    assert_eq!(status(&AddCheckpoint { proof: Vec::new(), ..fork(10, &signer(1), ORIGIN) }), 409);
    assert_eq!(status(&fork(30, &signer(2), ORIGIN)), 403);
    assert_eq!(status(&fork(30, &signer(1), "other.example/log")), 404);

    let logs = [log.rig.signer.key().clone()];
    let w = witness(8);
    let asked = Witness { signer: &w, logs: &logs, heads: &heads };
    for body in ["", "old 10", "old x\n\n", "old 010\n\nx\n1\n\n", "new 10\n\nx", "old 10\nAA==\n\nx"] {
        assert_eq!(asked.add_checkpoint(body.as_bytes(), TIME).unwrap_err().status(), 400, "{body:?}");
    }
    let long = format!("old 10\n{}\nx", "A".repeat(100_000));
    assert_eq!(asked.add_checkpoint(long.as_bytes(), TIME).unwrap_err().status(), 400);
    assert!(ask(&log, &heads, &good).is_ok(), "nothing of all that was remembered");
}

#[test]
fn of_two_trees_at_once_one_is_cosigned() {
    let mut log = Log::new();
    let heads = MemoryHeads::default();
    log.grow(10);
    let good = log.request(0);
    let fork = AddCheckpoint {
        note: Checkpoint::new(ORIGIN, 10, Root([9; 32])).sign(&signer(1)).unwrap(),
        ..good.clone()
    };
    let cosigned: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = [&good, &fork, &good, &fork]
            .into_iter()
            .map(|request| {
                let (fork, log, heads) = (&fork, &log, &heads);
                scope.spawn(move || (request == fork, ask(log, heads, request).is_ok()))
            })
            .collect();
        let done: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        usize::from(done.contains(&(true, true))) + usize::from(done.contains(&(false, true)))
    });
    assert_eq!(cosigned, 1);
}

#[test]
fn a_cosignature_is_bound_to_its_text_time_and_name() {
    let text = Checkpoint::new(ORIGIN, 1, Root([1; 32])).to_text();
    let w = witness(8);
    let mut note = SignedNote::sign(text.clone(), &signer(1)).unwrap();
    note.add_line(&cosign(&text, &w, TIME).unwrap()).unwrap();
    assert_eq!(note.verify(w.key()), Ok(TIME));
    let other = Checkpoint::new(ORIGIN, 2, Root([1; 32])).to_text();
    let mut moved = SignedNote::sign(other, &signer(1)).unwrap();
    moved.add_line(&note.line(w.key()).unwrap()).unwrap();
    assert!(matches!(moved.verify(w.key()), Err(NoteError::BadSignature(_))));
    assert!(matches!(note.verify(witness(9).key()), Err(NoteError::NotSigned(_))));
    assert!(cosign(&text, &signer(1), TIME).is_err(), "a log's key is no witness's");
    // A key of the same bytes but another kind has another id.
    let plain = Ed25519Signer::from_seed("witness.example/w", KeyKind::Ed25519, &[8; 32]).unwrap();
    assert!(matches!(note.verify(plain.key()), Err(NoteError::NotSigned(_))));
}
