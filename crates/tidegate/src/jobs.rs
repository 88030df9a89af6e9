//! Work that nobody waits for: the access index follows the ledger, last accesses are written down, old rows
//! and free memory leave.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::door::Door;

/// Running jobs.
#[derive(Debug)]
pub struct Jobs {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Pause between two looks of the access index at the ledger. Whoever asks "who" brings it up to date first, so this only
/// bounds how much that is.
const PROJECT_EVERY: Duration = Duration::from_secs(2);
/// Pause between two checkpoints of the ledger.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// Pause between two looks for feeds that have become too old.
const DEGRADE_EVERY: Duration = Duration::from_secs(60);
/// Pause between two writings of last accesses.
const TOUCH_EVERY: Duration = Duration::from_secs(30);
/// Pause between two returns of free memory to the system.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(20);
/// Pause between two clean-ups of documents and tokens that ended.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// Pause between two looks for secrets about which their issuers are to be asked.
const ASK_EVERY: Duration = Duration::from_secs(600);
/// Pause between two counts of the last week's downloads, so that a change of advisories finds one: 50 minutes.
const COUNT_EVERY: Duration = Duration::from_secs(50 * 60);
/// Pause before the first look for newer trust roots: the root at hand will do for the first installs after a start.
const FIRST_LOOK_AT_ROOTS: Duration = Duration::from_secs(300);
/// Documents that nobody asked for in this time leave: 30 days.
const KEEP_DOCUMENTS_SECONDS: i64 = 30 * 86_400;
/// Tokens that ended longer ago leave: 7 days.
const KEEP_TOKENS_SECONDS: i64 = 7 * 86_400;

/// Starts every job.
pub fn start(door: &Arc<Door>) -> Jobs {
    let stop = watch::channel(false).0;
    let every = |pause: Duration, work: fn(&Arc<Door>)| {
        let (door, mut stop) = (Arc::clone(door), stop.subscribe());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = stop.changed() => return,
                }
                let busy = Arc::clone(&door);
                door.blocking(move || work(&busy)).await;
            }
        })
    };
    let mut tasks = vec![
        every(PROJECT_EVERY, project_quietly),
        every(PUBLISH_EVERY, |door| {
            door.count_hour();
            door.tree.publish();
        }),
        every(TOUCH_EVERY, Door::flush_touched),
        every(DEGRADE_EVERY, |door| door.look_for_degradations()),
        every(GIVE_BACK_EVERY, |_| tidegate_sys::heap::give_back()),
        every(PRUNE_EVERY, prune),
        every(PRUNE_EVERY, retain),
        every(TOUCH_EVERY, |door| door.scrub()),
        every(COUNT_EVERY, count_week),
    ];
    let effects = Arc::clone(door);
    // What an earlier process left half told. A stop does not wait for it: the next start begins it anew.
    tokio::spawn(async move { crate::intel::effects::settle(&effects).await });
    if door.config.inspection.enabled {
        let (door, mut stop) = (Arc::clone(door), stop.subscribe());
        tasks.push(tokio::spawn(async move {
            tokio::select! {
                () = crate::inspection::look_again(&door) => {}
                _ = stop.changed() => {}
            }
        }));
    }
    if !door.config.inspection.issuers.is_empty() {
        let (door, mut stop) = (Arc::clone(door), stop.subscribe());
        tasks.push(tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = crate::liveness::ask_all(&door) => {}
                    _ = stop.changed() => return,
                }
                tokio::select! {
                    () = tokio::time::sleep(ASK_EVERY) => {}
                    _ = stop.changed() => return,
                }
            }
        }));
    }
    for outlet in &door.events.sinks {
        let (door, outlet) = (Arc::clone(door), Arc::clone(outlet));
        tasks.push(tokio::spawn(crate::events::follow::follow(door, outlet, stop.subscribe())));
    }
    if !door.cosigners.is_empty() {
        tasks.push(tokio::spawn(crate::ledger::cosigning::follow(Arc::clone(door), stop.subscribe())));
    }
    if door.custody.is_some() {
        tasks.push(tokio::spawn(crate::custody::follow(Arc::clone(door), stop.subscribe())));
    }
    if door.config.provenance.enabled && door.config.provenance.refresh {
        tasks.push(tokio::spawn(follow_roots(Arc::clone(door), stop.subscribe())));
    }
    if door.config.intel.sync {
        tasks.push(tokio::spawn(follow_feeds(Arc::clone(door), stop.subscribe())));
    }
    Jobs { stop, tasks }
}

impl Jobs {
    /// Ends every job after the work it is doing.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// Looks at every feed, at once and then in the configured rhythm. Stopping does not wait for a transfer.
async fn follow_feeds(door: Arc<Door>, mut stop: watch::Receiver<bool>) {
    let pause = Duration::from_secs(door.config.intel.refresh_seconds);
    loop {
        tokio::select! {
            _ = crate::intel::sync::all(&door, |_, _| ()) => {}
            _ = stop.changed() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => return,
        }
    }
}

/// Looks at every repository of trust roots, soon after the start and then in the configured rhythm.
async fn follow_roots(door: Arc<Door>, mut stop: watch::Receiver<bool>) {
    let pause = Duration::from_secs(door.config.provenance.refresh_seconds);
    let mut next = pause.min(FIRST_LOOK_AT_ROOTS);
    loop {
        tokio::select! {
            () = tokio::time::sleep(next) => {}
            _ = stop.changed() => return,
        }
        tokio::select! {
            _ = crate::provenance::updates::refresh_all(&door) => {}
            _ = stop.changed() => return,
        }
        next = pause;
    }
}

fn retain(door: &Arc<Door>) {
    if let Err(error) = door.retain() {
        tracing::warn!(error = %error, "what is too old could not be forgotten: {error}");
    }
}

fn project_quietly(door: &Arc<Door>) {
    if let Err(error) = door.project() {
        tracing::warn!(error = %error, "the access index could not follow the ledger: {error}");
    }
}

fn prune(door: &Arc<Door>) {
    let now = door.clock.now();
    if let Err(error) = door.store.catalogue.prune_documents(now.plus_seconds(-KEEP_DOCUMENTS_SECONDS), now) {
        tracing::warn!(error = %error, "old documents could not be removed: {error}");
    }
    if let Err(error) = door.store.catalogue.prune_tokens(now.plus_seconds(-KEEP_TOKENS_SECONDS)) {
        tracing::warn!(error = %error, "ended tokens could not be removed: {error}");
    }
}

fn count_week(door: &Arc<Door>) {
    if let Err(error) = door.project().and_then(|()| crate::intel::effects::held::count_week(door)) {
        tracing::warn!(error = %error, "the downloads of the last week could not be counted: {error}");
    }
}
