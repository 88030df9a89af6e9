//! What proves that a row stands in the ledger.

use serde_json::{Value, json};
use tidegate_ledger::RecordId;
use tidegate_store::access_index::WhoPage;

use crate::door::Door;

/// The most rows of a page with proofs: each is read from the ledger and from the tree's tiles.
pub(crate) const MAX_PROVEN: u32 = 1000;

/// The receipt of each record, in their order: the entry, its place, the hashes up to a signed checkpoint. None where the tree
/// cannot be read. Blocks.
fn of(door: &Door, records: &[&RecordId]) -> Option<Vec<Value>> {
    // So that what was answered a moment ago has a proof too.
    door.tree.publish();
    let view = door.tree.view()?;
    let proof = |record: &&RecordId| match view.receipt(record) {
        Ok(receipt) => serde_json::from_str(&receipt.to_json()).expect("a receipt is JSON"),
        Err(error) => json!({ "missing": error.to_string() }),
    };
    Some(records.iter().map(proof).collect())
}

/// Adds a proof to each row, or says that there is none.
pub(crate) fn add(door: &Door, page: &WhoPage, told: &mut Value) {
    let records: Vec<&RecordId> = page.rows.iter().map(|row| &row.record).collect();
    match of(door, &records) {
        Some(proofs) => {
            for (row, proof) in told["accesses"].as_array_mut().into_iter().flatten().zip(proofs) {
                row["proof"] = proof;
            }
            told["proofs"] = json!("included");
        }
        None => told["proofs"] = json!("not available"),
    }
}
