//! Writing down that advisories came into force.

use sha2::Digest as _;
use tidegate_intel::Snapshot;
use tidegate_intel::import::{Applied, FeedReport};
use tidegate_ledger::entry::{AdvisoriesChange, FeedInForce};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::Sha256;

use crate::door::{Door, TENANT};

/// Records that other advisories are in force; `names` is how many packages the change touches.
pub(super) fn in_force(door: &Door, applied: &Applied, names: usize, actor: Option<Pseudonym>) {
    let taken: Vec<&FeedReport> = applied.reports.iter().filter(|report| !report.refused).collect();
    let count = |list: fn(&FeedReport) -> usize| taken.iter().map(|report| list(report) as u64).sum();
    let change = AdvisoriesChange {
        generation: applied.after.generation(),
        manifest: digest(&applied.after),
        changed: count(|r| r.added.len() + r.changed.len() + r.restored.len()),
        withdrawn: count(|r| r.withdrawn.len() + r.removed.len()),
        names: names as u64,
        actor,
        feeds: feeds(&applied.after),
        feeds_omitted: 0,
    };
    append(door, Body::Advisories(Box::new(change)));
}

/// Appends an entry of now. One that the ledger cannot take is an error in the log: advisories are in force all the same.
pub(super) fn append(door: &Door, body: Body) -> bool {
    let entry = EntryDraft { time: door.clock.now(), tenant: TENANT.into(), body };
    let appended = door.recorder.append(&entry);
    if let Err(error) = &appended {
        tracing::error!(error = %error, "a change of advisories could not be recorded: {error}");
    }
    appended.is_ok()
}

fn feeds(snapshot: &Snapshot) -> Vec<FeedInForce> {
    let segments = snapshot.segments();
    let newest = |name: &str| segments.iter().rfind(|segment| &*segment.feed == name);
    let shown = snapshot.feeds().iter().filter_map(|feed| {
        let newest = newest(feed.name())?;
        Some(FeedInForce {
            feed: feed.name().into(),
            kind: feed.kind().as_str().into(),
            as_of: feed.as_of(),
            digest: newest.digest,
        })
    });
    shown.collect()
}

/// The digest of the list of everything that is in force: a line for each delivery, in the order of feeds.
fn digest(snapshot: &Snapshot) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    for segment in snapshot.segments().iter() {
        let as_of = segment.as_of.map_or_else(|| "-".to_owned(), |at| at.to_string());
        hasher.update(format!("{} {as_of} {}\n", segment.feed, segment.digest));
    }
    Sha256::new(hasher.finalize().into())
}
