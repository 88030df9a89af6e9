//! Looking ahead: the newest version that may be selected is fetched and looked into when an index was shown, before anybody
//! asks for it, so that the one who does neither waits nor is surprised. Off unless the configuration wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidegate_ecosystems::Part;
use tidegate_model::Principal;

use super::artifacts::stage;
use super::contents;
use super::decide::{Ruleset, newest_compliant};
use super::package::Package;
use super::views;
use crate::door::{Door, Repository};

/// Packages that wait to be looked into ahead; more are left for whoever asks.
const WAITING: usize = 1_000;

/// Those who wait, and the one that is looked into: one at a time, so that whoever asks for a file finds a worker.
#[derive(Debug)]
pub struct Ahead {
    turn: tokio::sync::Semaphore,
    waiting: AtomicUsize,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { turn: tokio::sync::Semaphore::new(1), waiting: AtomicUsize::new(0) }
    }
}

/// Begins to look into the newest selectable version of a package whose index is shown now.
pub(super) fn begin(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    rules: &Arc<Ruleset>,
) {
    if !(door.config.inspection.enabled && door.config.inspection.ahead) {
        return;
    }
    if door.flights.ahead.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
        door.flights.ahead.waiting.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    let (door, repository, package, rules) =
        (Arc::clone(door), Arc::clone(repository), Arc::clone(package), Arc::clone(rules));
    tokio::spawn(async move {
        let ahead = &door.flights.ahead;
        let turn = ahead.turn.acquire().await.expect("the semaphore is never closed");
        if !door.draining.load(Ordering::Acquire) {
            look(&door, &repository, &package, &rules).await;
        }
        drop(turn);
        ahead.waiting.fetch_sub(1, Ordering::Relaxed);
    });
}

async fn look(door: &Arc<Door>, repository: &Arc<Repository>, package: &Arc<Package>, rules: &Arc<Ruleset>) {
    let (door2, repository2, package2, rules) =
        (Arc::clone(door), Arc::clone(repository), Arc::clone(package), Arc::clone(rules));
    let newest = door.heavy(move || {
        let (nobody, now) = (Principal::anonymous(), door2.clock.now());
        let decided = views::decisions_for(&door2, &repository2, &package2, &rules, (&nobody, None), now);
        decided.ok().and_then(|decisions| newest_compliant(&package2, &decisions))
    });
    let Some(position) = newest.await.map(|at| most_wanted(package, at)) else { return };
    // Whoever asks is told what is wrong with an upstream.
    let Ok(staged) = stage(door, repository, package, position, Part::Whole).await else { return };
    if let Err(error) = contents::look(door, repository, package, position, &staged).await {
        tracing::warn!(error = %error, "{} could not be looked into ahead: {error}", package.purl);
    }
}

/// Of the files of one version the one that most clients take: a wheel for every platform, where there is one.
fn most_wanted(package: &Package, position: usize) -> usize {
    let files = package.index.files();
    let same = (0..files.len()).filter(|at| files[*at].version == files[position].version);
    let mut anywhere = same.filter(|at| files[*at].file.as_str().ends_with("-none-any.whl"));
    anywhere.next().unwrap_or(position)
}
