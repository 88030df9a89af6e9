//! Which roots the ledger was told of, so that every change of what is believed stands there once, whatever brought it: a
//! refresh, a hand, the configuration, or another release.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_ledger::entry::RootChange;
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::{Sha256, Timestamp};
use tidegate_provenance::{Instance, Origin, Root};

use crate::door::{Door, TENANT};
use crate::intel::Degradation;

/// The setting that keeps what was told over restarts.
const SETTING: &str = "roots_told";
/// The control that knows what is signed.
const CONTROL: &str = "provenance";
/// Days for which a root may be old before that counts as degraded: nobody who just installed a release has neglected it.
const GRACE_DAYS: i64 = 90;

/// What was told of one instance's root.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Told {
    digest: Sha256,
    /// When this root was last said to be current, or came into force here.
    since: Timestamp,
}

fn read(door: &Door) -> BTreeMap<Instance, Told> {
    let kept = door.store.catalogue.setting(SETTING).unwrap_or_else(|error| {
        tracing::warn!(error = %error, "what was told of trust roots could not be read: {error}");
        None
    });
    // Text that is not ours means that everything is told once more.
    kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Records every root that is believed and was not told yet; `actor` is who brought it, where somebody did. Blocks.
pub fn tell(door: &Door, actor: Option<Pseudonym>) {
    let (now, mut told) = (door.clock.now(), read(door));
    let roots = door.trusted.roots();
    for root in roots.iter() {
        let before = told.get(root.instance()).copied();
        let is_known = before.is_some_and(|before| before.digest == root.digest());
        // The roots that a first release brings are those of its start entry.
        let is_news = !is_known && (before.is_some() || root.origin() != Origin::Embedded);
        if is_news && !record(door, root, before.map(|before| before.digest), actor, now) {
            // Told at the next look, if the ledger takes it then.
            continue;
        }
        let since = match before {
            Some(before) if is_known => before.since.max(root.as_of()),
            _ => now,
        };
        told.insert(root.instance().clone(), Told { digest: root.digest(), since });
    }
    let text = serde_json::to_string(&told).expect("plain values");
    // Lost by a crash, it is told twice.
    if let Err(error) = door.store.catalogue.set_setting(SETTING, &text) {
        tracing::warn!(error = %error, "what was told of trust roots could not be kept: {error}");
    }
}

fn record(
    door: &Door,
    root: &Arc<Root>,
    previous: Option<Sha256>,
    actor: Option<Pseudonym>,
    now: Timestamp,
) -> bool {
    let change = RootChange {
        instance: root.instance().as_str().into(),
        origin: root.origin().as_str().into(),
        digest: root.digest(),
        previous,
        version: root.version(),
        as_of: root.as_of(),
        actor,
    };
    let entry = EntryDraft { time: now, tenant: TENANT.into(), body: Body::Root(Box::new(change)) };
    match door.recorder.append(&entry) {
        Ok(_) => true,
        Err(error) => {
            tracing::error!(error = %error, "a change of a trust root could not be recorded: {error}");
            false
        }
    }
}

/// Roots that are too old, of instances that a repository relies on. Blocks for an instant.
pub fn degradations(door: &Door, now: Timestamp) -> Vec<Degradation> {
    if !door.config.provenance.enabled {
        return Vec::new();
    }
    let (roots, told) = (door.trusted.roots(), read(door));
    let mut used: Vec<Instance> =
        door.repositories.values().map(|repository| repository.instance()).collect();
    used.sort();
    used.dedup();
    let degraded = |instance: &Instance| {
        // INVARIANT: the configuration lets no repository name an instance without a root.
        let root = roots.get(instance)?;
        let since = told.get(instance).map_or(now, |told| told.since);
        let is_old = root.is_stale(now) && now.seconds_since(since) > GRACE_DAYS * 86_400;
        is_old.then(|| {
            (format!("the trust root of {instance} is old"), format!(": {} days", root.age_days(now)))
        })
    };
    let told = |(what, measure): (String, String)| Degradation {
        control: CONTROL,
        why: format!("{what}{measure}"),
        what,
    };
    used.iter().filter_map(degraded).map(told).collect()
}
