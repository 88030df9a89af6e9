//! The door: everything that requests share, assembled once.

mod caches;
mod controls;
mod edges;
mod forgetting;
mod identity;
mod open;
mod projection;
mod repositories;
mod retention;
pub mod rules;
mod runs;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};

use tidegate_intel::Intel;
use tidegate_ledger::entry::{DecisionMade, Text};
use tidegate_ledger::{Body, EntryDraft, Recorder};
use tidegate_model::{DecisionId, Sha256, Timestamp};
use tidegate_store::access_index::AccessIndex;
use tidegate_store::blobs::BlobStore;
use tidegate_store::catalogue::{Catalogue, CatalogueError, DecisionRecord};

use crate::clock::Clock;
use crate::config::Config;
use crate::custody::Custody;
use crate::events::Events;
use crate::inspection::Looker;
use crate::intel::effects::{self, Effects};
use crate::intel::feeds::FeedSource;
use crate::intel::sync::Attempts;
use crate::ledger::{Cosigners, Tree};
use crate::metrics::Metrics;
use crate::pipeline::decide::{Decided, Ruleset};
use crate::pipeline::package::Package;
use crate::provenance::Trusted;
use crate::provenance::updates::Updates;
use crate::upstream::Client;

pub use caches::{Caches, Flights};
pub use forgetting::Erased;
pub use identity::{ANONYMOUS, Identity, IdentityError, TENANT, identify, new_token, person_of, token_of};
pub use open::{DoorError, Options, lock_data};
pub use repositories::Repository;
pub use retention::keep_accesses_since;
pub use rules::{PolicySource, RulesError};
pub use runs::{RunDecision, RunFile, RunTally, Runs};
pub use words::Words;

/// What the door keeps on disk.
pub struct Store {
    /// Everything that must be found again.
    pub catalogue: Arc<dyn Catalogue>,
    /// Artifact bytes.
    pub blobs: BlobStore,
    /// Who took what.
    pub access: Arc<AccessIndex>,
}

/// Everything that requests share.
pub struct Door {
    /// Configuration in force.
    pub config: Config,
    /// Where the data lives.
    pub data: PathBuf,
    /// The time.
    pub clock: Clock,
    /// How registries are reached.
    pub client: Client,
    /// The ledger's writer.
    pub recorder: Arc<Recorder>,
    /// The tree over its entries.
    pub tree: Tree,
    /// Who cosigns its checkpoints.
    pub cosigners: Cosigners,
    /// What is kept.
    pub store: Store,
    /// Repositories by name.
    pub repositories: BTreeMap<String, Arc<Repository>>,
    /// What is kept in memory.
    pub caches: Caches,
    /// Work that many may wait for.
    pub flights: Flights,
    /// What each run was answered.
    pub runs: Runs,
    /// Counts revocations, so that a look-up that began before one does not outlive it.
    pub revocations: std::sync::atomic::AtomicU64,
    /// Held for reading while it is found out who asks, and for writing while somebody is forgotten.
    pub forgetting: RwLock<()>,
    /// Whether pages of somebody forgotten may still lie in the catalogue's log.
    unscrubbed: AtomicBool,
    /// Counters.
    pub metrics: Metrics,
    /// Words that entries repeat.
    pub words: Words,
    /// This door's id in `Via`, so that loops are seen.
    pub via: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Advisories and signals; those in force are part of the ruleset.
    pub intel: Intel,
    /// The feeds they come from.
    pub feeds: Vec<FeedSource>,
    /// The last attempts to get them.
    pub attempts: Attempts,
    /// Where events are sent.
    pub events: Events,
    /// The last entry before this door opened: a new sink begins after it.
    pub events_begin: u64,
    /// What is stated and signed of artifacts; none where that is switched off.
    pub custody: Option<Custody>,
    degraded: RwLock<Arc<[Text]>>,
    controls: controls::Told,
    /// What follows from changes of advisories.
    pub effects: Effects,
    /// Looks inside artifacts.
    pub inspection: Looker,
    /// The roots and keys that attestations are checked with.
    pub trusted: Trusted,
    /// Where newer roots come from.
    pub updates: Updates,
    /// What is remembered of MCP servers between requests.
    pub mcp: crate::mcp::Desk,
    /// Set when the door no longer takes new connections.
    pub draining: AtomicBool,
    rules: RwLock<Arc<Ruleset>>,
    policy_source: Mutex<PolicySource>,
    touched: Mutex<Vec<(Sha256, Timestamp)>>,
    evicting: AtomicBool,
    blocking_permits: Arc<tokio::sync::Semaphore>,
    heavy_permits: Arc<tokio::sync::Semaphore>,
}

/// How many pieces of blocking work run at a time: enough to wait for disks, too few to starve the processor.
const BLOCKING_AT_A_TIME: usize = 16;
/// Last accesses are written to the catalogue in groups of this many.
const TOUCH_BATCH: usize = 256;

impl Door {
    /// What decides at this moment.
    pub fn rules(&self) -> Arc<Ruleset> {
        Arc::clone(&self.rules.read().expect("no panic while holding it"))
    }

    /// The class of a principal as far as rules and waivers tell principals apart: equal classes get equal views.
    pub fn class_of(&self, rules: &Ruleset, identity: &Identity) -> u64 {
        if rules.one_class {
            return 0;
        }
        let principal = tidegate_model::facts::PrincipalFacts {
            id: identity.principal.id.clone(),
            kind: Some(identity.principal.kind),
            groups: identity.principal.groups.clone(),
        };
        let request = tidegate_model::facts::RequestFacts {
            operation: "index".into(),
            client: identity.client_name.clone(),
        };
        rules.policy.principal_class(&principal, &request, &rules.waivers)
    }

    /// Controls that are not there, told in every answer and entry.
    pub fn degraded(&self) -> Arc<[Text]> {
        Arc::clone(&self.degraded.read().expect("no panic while holding it"))
    }

    /// Controls that are not there, and the upstream where it failed.
    pub fn degraded_with(&self, stale: Option<&str>) -> Arc<[Text]> {
        match stale {
            Some(why) => {
                self.degraded().iter().cloned().chain([Text::from(format!("upstream: {why}"))]).collect()
            }
            None => self.degraded(),
        }
    }

    /// Runs work that blocks on a disk or takes more than half a millisecond of processor time, off the executor.
    pub async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit =
            Arc::clone(&self.blocking_permits).acquire_owned().await.expect("the semaphore is never closed");
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        match task.await {
            Ok(value) => value,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Runs work on whole documents (parsing, rendering): as much at a time as there are processors, since each piece may
    /// hold tens of megabytes.
    pub async fn heavy<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _permit =
            Arc::clone(&self.heavy_permits).acquire_owned().await.expect("the semaphore is never closed");
        self.blocking(work).await
    }

    /// Runs an operation of the catalogue off the executor.
    ///
    /// # Errors
    /// The catalogue's.
    pub async fn catalogue<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Catalogue) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, CatalogueError> {
        let catalogue = Arc::clone(&self.store.catalogue);
        self.blocking(move || work(&*catalogue)).await
    }

    /// A decision id that nobody can guess.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn new_decision_id(&self) -> Result<DecisionId, IdentityError> {
        let mut bytes = [0u8; 10];
        getrandom::fill(&mut bytes).map_err(|_| IdentityError::Randomness)?;
        Ok(DecisionId::from_random(bytes))
    }

    /// Records a decision that was made under `rules` in the ledger and where it is looked up. False, and nothing is
    /// recorded, where bytes would leave under it and other rules are in force by now: then it has to be made anew. Blocks.
    ///
    /// # Errors
    /// Either failed, as text.
    pub fn keep_decision(
        &self,
        repository: &Repository,
        package: &Package,
        position: usize,
        rules: &Ruleset,
        decided: &Decided,
    ) -> Result<bool, String> {
        let in_catalogue = |e: CatalogueError| format!("{e}: {}", e.cause);
        let known_before = decided.sha256.is_none()
            || self.store.catalogue.admission(&decided.purl).map_err(in_catalogue)?.is_some();
        let mut admitting = None;
        if decided.decision.serves() {
            admitting = self.effects.admitting(self, rules);
            if admitting.is_none() {
                return Ok(false);
            }
            if !known_before {
                effects::begin(&*self.store.catalogue, &rules.advisories, &decided.purl, decided.at)
                    .map_err(in_catalogue)?;
            }
        }
        let made = DecisionMade {
            id: decided.id,
            decided_at: decided.at,
            repository: repository.name.clone(),
            ecosystem: Some(repository.ecosystem),
            purl: Some(decided.purl.clone()),
            file: Some(decided.file.clone()),
            sha256: decided.sha256,
            upstream: Some(package.upstream.name.as_str().into()),
            promised: package.index.files()[position].digests.iter().map(ToString::to_string).collect(),
            decision: decided.decision.clone(),
        };
        let entry =
            EntryDraft { time: decided.at, tenant: TENANT.into(), body: Body::Decision(Box::new(made)) };
        let record = self.recorder.append(&entry).map_err(|e| e.to_string())?.record;
        let position = package.position_of_file(&decided.file);
        self.learn_edges(package, position.into_iter(), Some(&record), decided.at);
        self.store
            .catalogue
            .put_decision(&DecisionRecord {
                id: decided.id,
                at: decided.at,
                purl: decided.purl.to_string(),
                file: Some(decided.file.to_string()),
                sha256: decided.sha256,
                repository: repository.name.to_string(),
                action: decided.decision.action,
                served: decided.decision.serves(),
                seek: 0,
                json: serde_json::to_string(&decided.decision).map_err(|e| e.to_string())?,
            })
            .map_err(in_catalogue)?;
        drop(admitting);
        self.metrics.decision(repository.ecosystem, decided.decision.action);
        if !known_before {
            package.bump_local_epoch();
        }
        Ok(true)
    }

    /// Notes that an artifact was served, for eviction. Written in groups.
    pub fn note_access(self: &Arc<Self>, sha256: Sha256, at: Timestamp) {
        let full = {
            let mut touched = self.touched.lock().expect("no panic while holding it");
            touched.push((sha256, at));
            (touched.len() >= TOUCH_BATCH).then(|| std::mem::take(&mut *touched))
        };
        if let Some(batch) = full {
            self.write_touched(batch);
        }
    }

    /// Writes down the last accesses noted so far.
    pub fn flush_touched(self: &Arc<Self>) {
        let batch = std::mem::take(&mut *self.touched.lock().expect("no panic while holding it"));
        if !batch.is_empty() {
            self.write_touched(batch);
        }
    }

    fn write_touched(self: &Arc<Self>, batch: Vec<(Sha256, Timestamp)>) {
        let door = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = door.store.catalogue.touch_artifacts(&batch) {
                tracing::warn!(error = %error, "last accesses could not be noted: {error}");
            }
        });
    }

    /// Makes room in the store where its quota is exceeded, behind whoever noticed.
    pub fn begin_eviction(self: &Arc<Self>) {
        use std::sync::atomic::Ordering;
        let over = self.store.blobs.usage().is_ok_and(|u| u.excess_bytes() > 0);
        if !over || self.evicting.swap(true, Ordering::AcqRel) {
            return;
        }
        let door = Arc::clone(self);
        // Called from blocking work and from tasks alike, so a thread of its own.
        std::thread::spawn(move || {
            match door.store.blobs.make_room(&*door.store.catalogue, 0) {
                Ok(evicted) => tracing::info!(evicted.bytes = evicted.bytes, "made room in the store"),
                Err(error) => tracing::error!(error = %error, "no room could be made in the store: {error}"),
            }
            door.caches.hot.clear();
            door.caches.staged.clear();
            door.evicting.store(false, Ordering::Release);
        });
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door")
            .field("data", &self.data)
            .field("repositories", &self.repositories)
            .finish_non_exhaustive()
    }
}
