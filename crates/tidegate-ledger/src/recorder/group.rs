//! Entries that one sync makes durable together, and those who wait for it.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::RecordError;

/// Entries that one sync will cover. The syncer takes the group when it begins, so what is appended during a sync
/// belongs to the next group, and every waiter is woken exactly once.
#[derive(Debug, Default)]
pub(super) struct Group {
    outcome: OnceLock<Result<(), RecordError>>,
    resolved: Notify,
}

impl Group {
    /// Tells everybody who waits. The first outcome stays.
    pub(super) fn resolve(&self, outcome: Result<(), RecordError>) {
        if self.outcome.set(outcome).is_ok() {
            self.resolved.notify_waiters();
        }
    }
}

/// Resolves when an entry is durable.
#[derive(Clone, Debug)]
pub struct Durability(Option<Arc<Group>>);

impl Durability {
    pub(super) fn with(group: Arc<Group>) -> Self {
        Self(Some(group))
    }

    /// For mode `batched`: being written is enough.
    pub(super) const fn written() -> Self {
        Self(None)
    }

    /// Waits until the entry is as durable as the recorder's mode asks.
    ///
    /// # Errors
    /// It may not be durable, and the last byte of its answer must not leave.
    pub async fn wait(self) -> Result<(), RecordError> {
        let Some(group) = self.0 else { return Ok(()) };
        loop {
            if let Some(outcome) = group.outcome.get() {
                return outcome.clone();
            }
            let mut resolved = std::pin::pin!(group.resolved.notified());
            // Registered before the second look, so that an outcome set in between is not missed.
            resolved.as_mut().enable();
            if group.outcome.get().is_none() {
                resolved.await;
            }
        }
    }

    /// What [`Durability::wait`] would return at once; `None` where it would wait.
    pub fn now(&self) -> Option<Result<(), RecordError>> {
        match &self.0 {
            None => Some(Ok(())),
            Some(group) => group.outcome.get().cloned(),
        }
    }
}
