//! Bringing the access index up to the ledger, and the entry that closes a run of the door.

use tidegate_ledger::entry::Stop;
use tidegate_ledger::{Body, Entry, EntryDraft};
use tidegate_store::access_index::MAX_BATCH;

use super::{Door, TENANT};

impl Door {
    /// Projects every entry that the access index does not have yet. Blocks. Whoever asks "who took it" calls this
    /// first, so that the answer holds everything that was answered before the question.
    ///
    /// # Errors
    /// What failed, as text.
    pub fn project(&self) -> Result<(), String> {
        let node = self.recorder.node();
        let cursor = self.store.access.cursor(node);
        if cursor >= self.recorder.health().appended {
            return Ok(());
        }
        let mut batch = Vec::new();
        for frame in self.recorder.reader(cursor + 1) {
            let frame = frame.map_err(|e| e.to_string())?;
            batch.push(Entry::parse(&frame.json).map_err(|e| e.to_string())?);
            if batch.len() >= MAX_BATCH {
                self.store.access.project(&batch).map_err(|e| e.to_string())?;
                batch.clear();
            }
        }
        if !batch.is_empty() {
            self.store.access.project(&batch).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// Records that the door stops, with what it counted.
    pub fn record_stop(&self) {
        let counts = self.metrics.counts();
        let stop = Stop {
            accesses: counts.requests,
            refused: counts.refused,
            bytes: counts.bytes,
            store_reads: counts.served,
        };
        let entry = EntryDraft { time: self.clock.now(), tenant: TENANT.into(), body: Body::Stop(stop) };
        if let Err(error) = self.recorder.append(&entry) {
            tracing::error!(error = %error, "the stop could not be recorded: {error}");
        }
    }
}
