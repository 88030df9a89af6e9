//! What comes to the ledger's tree from outside: notes, checkpoints, keys, receipts, proofs, bundles, requests to a witness.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_ledger::checkpoint::Checkpoint;
use tidegate_ledger::heads::Runs;
use tidegate_ledger::note::{SignedNote, VerifierKey};
use tidegate_ledger::proof::{ConsistencyProof, Receipt, parse_tlog_proof};
use tidegate_ledger::tiles::{is_public_path, read_bundle};
use tidegate_ledger::witness::AddCheckpoint;

fuzz_target!(|data: &[u8]| {
    if let Ok(note) = SignedNote::parse(data) {
        assert_eq!(SignedNote::parse(note.to_text().as_bytes()).as_ref(), Ok(&note));
    }
    if let Ok(request) = AddCheckpoint::parse(data) {
        assert_eq!(AddCheckpoint::parse(request.to_body().as_bytes()).ok(), Some(request));
    }
    if let Ok(proof) = ConsistencyProof::from_json(data) {
        let root = tidegate_ledger::checkpoint::EMPTY_ROOT;
        let _ = proof.check(&root, &root);
    }
    if let Ok(receipt) = Receipt::from_json(data) {
        for key in &receipt.keys {
            let _ = receipt.check(key, &receipt.keys);
        }
    }
    if let Ok(entries) = read_bundle(data, 256) {
        assert_eq!(entries.iter().map(|entry| entry.len() + 2).sum::<usize>(), data.len());
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_text(), text, "a checkpoint says one thing in one way");
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string().parse().as_ref(), Ok(&key));
    }
    if let Ok(runs) = Runs::parse(text) {
        assert_eq!(Runs::parse(&runs.to_text()), Ok(runs));
    }
    let _ = parse_tlog_proof(text);
    assert!(!is_public_path(text) || !text.contains(".."));
});
