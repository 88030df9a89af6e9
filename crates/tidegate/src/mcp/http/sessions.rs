//! Sessions of servers that have them, each with what its governor knows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tidegate_ledger::pseudonym::Pseudonym;

use crate::door::Identity;
use crate::mcp::DoorGate;
use crate::mcp::governor::Shared;

/// Sessions that are known at a time.
const MAX_SESSIONS: usize = 4_096;

/// A session is that of one person with one server: nobody gets another's answers by naming it.
type Key = (String, String, Pseudonym);

/// Sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    known: Mutex<HashMap<Key, (Shared<DoorGate>, Instant)>>,
}

fn key(server: &str, id: &str, identity: &Identity) -> Key {
    (server.to_owned(), id.to_owned(), identity.actor)
}

impl Sessions {
    /// A session, begun where it is not known: the door may have been started anew meanwhile.
    pub(super) fn get_or_insert(
        &self,
        server: &str,
        id: &str,
        identity: &Identity,
        begin: impl FnOnce() -> Shared<DoorGate>,
    ) -> Shared<DoorGate> {
        let key = key(server, id, identity);
        if let Some((governor, used)) = self.known().get_mut(&key) {
            *used = Instant::now();
            return Arc::clone(governor);
        }
        let governor = begin();
        self.insert(key, &governor);
        governor
    }

    /// Notes the session that a server has just given a name.
    pub(super) fn begin(&self, server: &str, id: &str, identity: &Identity, governor: &Shared<DoorGate>) {
        self.insert(key(server, id, identity), governor);
    }

    fn insert(&self, key: Key, governor: &Shared<DoorGate>) {
        let mut known = self.known();
        if known.len() >= MAX_SESSIONS
            && let Some(oldest) = known.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone())
            && let Some((old, _)) = known.remove(&oldest)
        {
            tokio::spawn(async move { old.close().await });
        }
        known.insert(key, (Arc::clone(governor), Instant::now()));
    }

    /// Forgets a session.
    pub(super) fn remove(&self, server: &str, id: &str, identity: &Identity) -> Option<Shared<DoorGate>> {
        self.known().remove(&key(server, id, identity)).map(|(governor, _)| governor)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Key, (Shared<DoorGate>, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
