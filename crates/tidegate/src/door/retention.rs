//! Forgetting by policy: accesses that are too old leave the index, people who were not seen are forgotten. The ledger keeps every
//! entry.

use tidegate_ledger::entry::{PersonChange, PersonOperation};
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::{Principal, Timestamp};

use super::{Door, TENANT, person_of};
use crate::config::Config;

/// The most people that are forgotten in one round; the next round does the others.
const MAX_FORGOTTEN: usize = 500;
/// In whose name the door forgets by policy. It is nobody's name, and no token can have it.
const BY_POLICY: &str = "tidegate/retention";
const DAY: i64 = 86_400;

/// Since when accesses are kept in the index; none where all are.
pub fn keep_accesses_since(config: &Config, now: Timestamp) -> Option<Timestamp> {
    let days = config.retention.access_days;
    (days > 0).then(|| now.plus_seconds(-i64::from(days) * DAY))
}

impl Door {
    /// Does what `[retention]` asks for. Blocks.
    ///
    /// # Errors
    /// What failed, as text.
    pub fn retain(&self) -> Result<(), String> {
        let now = self.clock.now();
        let names = self.config.retention.names_days;
        if names > 0 {
            self.forget_unseen(now.plus_seconds(-i64::from(names) * DAY), now)?;
        }
        if let Some(since) = keep_accesses_since(&self.config, now) {
            let dropped = self.store.access.drop_months(since).map_err(|e| e.to_string())?;
            for month in dropped {
                tracing::info!("the accesses of {month} left the index; their entries stay in the ledger");
            }
        }
        Ok(())
    }

    fn forget_unseen(&self, since: Timestamp, now: Timestamp) -> Result<(), String> {
        let told = |e: tidegate_store::catalogue::CatalogueError| format!("{e}: {}", e.cause);
        // Whoever took something a moment ago was seen.
        self.project()?;
        let seen = self.store.access.actors_since(since).map_err(|e| e.to_string())?;
        let tokens = self.store.catalogue.tokens(false, now).map_err(told)?;
        let unseen = self.store.catalogue.people().map_err(told)?.into_iter().filter(|person| {
            person.created_at < since
                && person.seen_at < since
                && !seen.contains(&person.pseudonym)
                && person.principal != BY_POLICY
                && !tokens.iter().any(|token| token.principal.id == person.principal)
        });
        let names: Vec<String> = unseen.take(MAX_FORGOTTEN).map(|person| person.principal).collect();
        if names.is_empty() {
            return Ok(());
        }
        let own = Principal { id: BY_POLICY.to_owned(), ..Principal::default() };
        let actor = person_of(&*self.store.catalogue, &own, now).map_err(|e| e.to_string())?.pseudonym;
        let count = names.len();
        for erased in self.forget_all(&names)? {
            let change = PersonChange {
                operation: PersonOperation::Forget,
                person: erased.forgotten.pseudonym,
                actor,
            };
            let entry = EntryDraft { time: now, tenant: TENANT.into(), body: Body::Person(change) };
            drop(self.recorder.append(&entry).map_err(|e| e.to_string())?);
        }
        tracing::info!(people = count, "{count} people who were not seen since {since} are forgotten");
        Ok(())
    }
}
