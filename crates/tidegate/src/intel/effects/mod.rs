//! What follows from a change of advisories for what was admitted before.
//!
//! 1. *In force* ([`swap`]): what must wait for a person is found and kept, then the new snapshot takes the place of the old
//!    one for every path at once. A version whose admission is being written belongs to one side or the other (see
//!    `Effects::admitting`).
//! 2. *Told* ([`settle`]): every admitted version that is exposed to more or to less gets an entry in the ledger, a note in
//!    the catalogue of what was told, and an alarm that says how to find who took it, or the end of that alarm.
//!
//! Both steps compare what was told with what is known now, so neither needs the state before. The catalogue keeps up to
//! which generation effects were told; a door that starts with another one looks at everything that it ever admitted.

pub(crate) mod bundled;
pub(crate) mod held;
mod look;
mod record;
mod tell;

use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard};

use tidegate_ecosystems::inventory;
use tidegate_intel::import::Applied;
use tidegate_intel::{Snapshot, inverse};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_model::coordinate::PackageRef;
use tidegate_model::{Ecosystem, Timestamp};
use tidegate_store::catalogue::{Catalogue, CatalogueError, VersionExposure};

use super::Advisories;
use super::facts::Asked;
use super::holds::Holds;
use super::sync::chain;
use crate::door::Door;
use crate::pipeline::decide::Ruleset;

pub use look::{Names, Scope};

/// The kind of the alarms about admitted versions that are touched.
pub const ALARM: &str = "advisory";
/// The kind of the alarms about advisories that wait for a person.
pub const HELD_ALARM: &str = "advisory-held";
/// The setting that says up to which generation effects were told.
const FOLLOWED: &str = "effects_generation";

/// What is under way.
#[derive(Debug, Default)]
pub struct Effects {
    /// One change of advisories at a time, from reading what is in force to putting in force what follows.
    applying: Mutex<()>,
    /// Held while advisories are swapped; shared while an admission is written.
    admitting: RwLock<()>,
    /// What is to be told.
    pending: Mutex<Vec<Pending>>,
    /// One telling at a time.
    telling: tokio::sync::Mutex<()>,
    /// How many distinct downloads the last week had, and when they were counted.
    week: Mutex<Option<(Timestamp, u64)>>,
}

/// A change that is in force and not told yet.
struct Pending {
    /// The generation that it follows from.
    generation: u64,
    /// What it may touch.
    scope: Scope,
    /// What decided before it; `None` where that is not known any more, after a stop.
    before: Option<Arc<Ruleset>>,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({})", self.generation)
    }
}

impl Effects {
    /// For one change of advisories at a time.
    pub(super) fn applying(&self) -> std::sync::MutexGuard<'_, ()> {
        self.applying.lock().expect("no panic while holding it")
    }

    /// For as long as an admission is written that was decided under `rules`; `None` where other rules are in force by
    /// now, so that it has to be decided anew. What is written before a swap is seen by the look that follows it; what is
    /// written after it was decided by what is in force then. No admission falls between.
    pub(crate) fn admitting(&self, door: &Door, rules: &Ruleset) -> Option<RwLockReadGuard<'_, ()>> {
        let admitting = self.admitting.read().expect("no panic while holding it");
        (door.rules().epoch == rules.epoch).then_some(admitting)
    }

    fn push(&self, pending: Pending) {
        self.pending.lock().expect("no panic while holding it").push(pending);
    }

    /// Everything that is to be told, as one change: what decided before the first of them is what decided before.
    fn take(&self) -> Option<Pending> {
        let all = std::mem::take(&mut *self.pending.lock().expect("no panic while holding it"));
        all.into_iter().reduce(|first, next| Pending {
            generation: first.generation.max(next.generation),
            scope: first.scope.with(next.scope),
            before: first.before,
        })
    }
}

/// Puts what was applied in force for every path. What follows for admitted versions is left for [`settle`]. Blocks.
pub fn swap(door: &Arc<Door>, applied: &Applied, actor: Option<Pseudonym>) {
    if applied.before.generation() == applied.after.generation() {
        return;
    }
    // A first delivery touches a million names: of each nothing but the name is kept.
    let (mut own, mut others) = (Vec::new(), Vec::new());
    let mut name_it = |ecosystem: &str, name: &str| {
        match ecosystem.parse::<Ecosystem>() {
            Ok(ecosystem) => own.push((ecosystem, name.to_owned())),
            Err(_) => others.extend(inventory::package_of(ecosystem, name)),
        }
        false
    };
    let scope = match inverse::changes_among(&applied.before, &applied.after, &mut name_it) {
        Ok(_) => Scope::Names(Names { own: own.into_iter().collect(), others: others.into_iter().collect() }),
        Err(error) => {
            tracing::error!(error = %error, "what changed cannot be told, so everything is looked at: {}", chain(&error));
            Scope::Everything
        }
    };
    let names = if let Scope::Names(names) = &scope { names.len() } else { 0 };
    let before = Some(door.rules());
    put_in_force(door, &applied.after, scope, before);
    record::in_force(door, applied, names, actor);
}

/// Puts in force what lies on disk where effects were never told of it: after a stop in the middle, and for a data
/// directory from before there were effects. Blocks; takes as long as looking at every admitted package.
///
/// # Errors
/// The catalogue's.
pub fn catch_up(door: &Arc<Door>) -> Result<(), CatalogueError> {
    let snapshot = door.intel.snapshot();
    let told = door.store.catalogue.setting(FOLLOWED)?.and_then(|text| text.parse::<u64>().ok());
    if told.unwrap_or(0) != snapshot.generation() {
        tracing::info!(
            intel.generation = snapshot.generation(),
            "what was admitted is compared with the advisories in force"
        );
        put_in_force(door, &snapshot, Scope::Everything, None);
    }
    Ok(())
}

fn put_in_force(door: &Arc<Door>, snapshot: &Arc<Snapshot>, scope: Scope, before: Option<Arc<Ruleset>>) {
    let next = Advisories { snapshot: Arc::clone(snapshot), ..door.rules().advisories.clone() };
    if let Err(why) = held::hold_what_must_wait(door, &next, &scope) {
        // Safe: what would have waited is then not held back.
        tracing::error!("whether an advisory must wait for a person could not be told: {why}");
    }
    door.effects.push(Pending { generation: snapshot.generation(), scope, before });
    let _nobody_admits = door.effects.admitting.write().expect("no panic while holding it");
    door.put_advisories_in_force(Arc::clone(snapshot));
}

/// Notes what touches a version when it is first admitted, so that only what comes later is news. Before the admission
/// itself is written: a note too many does no harm.
pub(crate) fn begin(
    catalogue: &dyn Catalogue,
    advisories: &Advisories,
    purl: &str,
    now: Timestamp,
) -> Result<(), CatalogueError> {
    let Ok(read) = PackageRef::parse(purl) else { return Ok(()) };
    let Some(version) = read.version.as_ref().map(|v| v.as_str()) else { return Ok(()) };
    let asked = Asked { ecosystem: read.name.ecosystem(), name: read.name.as_str(), version, now };
    let components = catalogue.components_in(asked.ecosystem.as_str(), asked.name)?;
    let of_version = components.iter().filter(|component| component.version == version);
    let advisories = look::exposure(advisories, &asked, of_version);
    if advisories.is_empty() {
        return Ok(());
    }
    catalogue.set_exposures(&[VersionExposure { purl: purl.to_owned(), advisories }])
}

/// Tells what follows from every change that is in force and was not told yet. Returns once all of it is told. What fails
/// is told at the next call, or at the next start.
pub async fn settle(door: &Arc<Door>) {
    // Its own task: whoever waits may go away, the work may not stop for that.
    let door = Arc::clone(door);
    let told = tokio::spawn(async move {
        let _one_at_a_time = door.effects.telling.lock().await;
        while let Some(pending) = door.effects.take() {
            if let Err(why) = tell::all(&door, &pending).await {
                tracing::error!("what an advisory touches could not be told: {why}");
                door.effects.push(pending);
                return;
            }
        }
    });
    if let Err(error) = told.await
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// The holds that the catalogue keeps, for the ruleset.
pub(crate) fn holds(catalogue: &dyn Catalogue) -> Result<Holds, CatalogueError> {
    Ok(Holds::of(&catalogue.advisory_holds()?))
}
