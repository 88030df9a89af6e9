//! What proves that a row stands in the ledger.

use serde_json::{Value, json};
use tidegate_ledger::RecordId;
use tidegate_store::access_index::WhoPage;

use crate::door::Door;

/// The proof of each record, in their order; none where this door has no proofs to give.
///
/// This is the one place that the tree over the ledger plugs into: inclusion of each entry under one checkpoint.
const fn of(_door: &Door, _records: &[&RecordId]) -> Option<Vec<Value>> {
    None
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
