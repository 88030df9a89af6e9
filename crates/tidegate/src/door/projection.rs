//! Bringing the access index up to the ledger, and the entry that closes a run of the door.

use std::time::{Duration, Instant};

use tidegate_ledger::entry::Stop;
use tidegate_ledger::{Body, Entry, EntryDraft};
use tidegate_store::access_index::MAX_BATCH;

use super::{Door, TENANT};

/// How long a stop waits for its entry to be durable before the last checkpoint is signed.
const STOP_DURABLE: Duration = Duration::from_secs(2);

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

    /// Records what was counted of an hour that is over. Blocks.
    pub fn count_hour(&self) {
        if let Err(error) = self.recorder.count_if_due(self.clock.now(), &TENANT.into()) {
            tracing::error!(error = %error, "the hour's counts could not be recorded: {error}");
        }
    }

    /// Records that the door stops, with what it counted, and publishes it. Blocks.
    pub fn record_stop(&self) {
        let counts = self.metrics.counts();
        let stop = Stop {
            accesses: counts.requests,
            refused: counts.refused,
            bytes: counts.bytes,
            store_reads: counts.served,
        };
        let now = self.clock.now();
        let entry = EntryDraft { time: now, tenant: TENANT.into(), body: Body::Stop(stop) };
        let recorded = self.recorder.append(&entry).map(drop);
        if let Err(error) = recorded.and_then(|()| self.recorder.count_now(now, &TENANT.into())) {
            tracing::error!(error = %error, "the stop could not be recorded: {error}");
            return;
        }
        let until = Instant::now() + STOP_DURABLE;
        while self.recorder.health().durable < self.recorder.health().appended && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        // What is not durable by now is published at the next start.
        self.tree.publish();
    }
}
