//! A client's look at a door's ledger: the newest checkpoint, the proof that it continues the last one seen.

use serde_json::Value;
use tidegate_ledger::handover::MAX_HANDOVERS;
use tidegate_ledger::note::VerifierKey;
use tidegate_ledger::proof::{ConsistencyProof, Receipt};

use super::checkpoints::{Saved, SavedCheckpoints, WitnessError};
use crate::cli::Failure;
use crate::cli::remote::Remote;

/// Asks a door for its newest checkpoint and keeps it, where it continues what was kept. None where nothing is published yet.
///
/// # Errors
/// [`WitnessError`].
pub fn look(remote: &Remote, saved: &SavedCheckpoints) -> Result<Option<Saved>, WitnessError> {
    let asking = |Failure(why): Failure| WitnessError::Asking(why);
    let told = remote.get("ledger/checkpoint", &[]).map_err(asking)?;
    let Some(note) = told.get("checkpoint").and_then(Value::as_str) else { return Ok(None) };
    let key = key(told.get("key"))?;
    let handovers = told.get("handovers").and_then(Value::as_array).into_iter().flatten().take(MAX_HANDOVERS);
    // One that cannot be read hands nothing over.
    let handovers: Vec<Receipt> =
        handovers.filter_map(|told| Receipt::from_json(told.to_string().as_bytes()).ok()).collect();
    let prove = |old: u64, new: u64| {
        let query = [("old", &*old.to_string()), ("new", &*new.to_string())];
        let proof = remote.get("ledger/consistency", &query).map_err(|Failure(why)| why)?;
        ConsistencyProof::from_json(proof.to_string().as_bytes()).map_err(|e| e.to_string())
    };
    saved.see(note, &key, &handovers, prove).map(Some)
}

fn key(text: Option<&Value>) -> Result<VerifierKey, WitnessError> {
    let text = text.and_then(Value::as_str).unwrap_or_default();
    text.parse().map_err(|e| WitnessError::Checkpoint(format!("the door names no key: {e}")))
}
