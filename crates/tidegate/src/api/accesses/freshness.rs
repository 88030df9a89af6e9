//! Up to where an answer is complete.

use serde_json::{Value, json};
use tidegate_model::Timestamp;

use crate::door::Door;

/// How the access index stands to the ledger.
pub(crate) struct Freshness {
    record: Option<String>,
    at: Option<Timestamp>,
    /// Number of the ledger's last entry when the question was asked.
    ledger_end: u64,
    behind: u64,
    /// Why it could not follow.
    why: Option<String>,
}

/// Brings the index up to the ledger. Where that fails the question is answered from what is there, and the answer says so.
/// Blocks.
pub(crate) fn catch_up(door: &Door) -> Freshness {
    let ledger_end = door.recorder.health().appended;
    let why = door.project().err();
    if let Some(why) = &why {
        tracing::warn!(error = %why, "the access index could not follow the ledger: {why}");
    }
    let node = door.recorder.node();
    let reached = door.store.access.reached().get(node).copied();
    let seq = reached.map_or(0, |reached| reached.seq);
    Freshness {
        record: reached.map(|reached| format!("{node}-{}", reached.seq)),
        at: reached.map(|reached| reached.at),
        ledger_end,
        behind: ledger_end.saturating_sub(seq),
        why,
    }
}

impl Freshness {
    pub(crate) fn told(&self) -> Value {
        json!({
            "record": self.record, "at": self.at, "ledger_end": self.ledger_end, "behind": self.behind,
            "why": self.why,
        })
    }
}
