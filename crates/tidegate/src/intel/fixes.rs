//! Whether a young version is a proven security fix, which need not wait out a cool-down.
//!
//! Proof is hard on purpose, or whoever can publish a version could also publish an advisory about it and open the gate:
//! the advisory must have been looked at by others, publisher and attestation must be what they were, and there must be
//! no older version that the flaw does not touch.

use tidegate_intel::Query;
use tidegate_model::Timestamp;

use super::Advisories;
use super::facts::{Asked, findings};
use crate::pipeline::package::Package;

/// No cool-down is longer than this, so older versions need no proof: 30 days.
const YOUNG_SECONDS: i64 = 30 * 86_400;

/// Ids of the advisories that the version is the proven fix of.
pub fn proven(advisories: &Advisories, package: &Package, position: usize, now: Timestamp) -> Vec<String> {
    let file = &package.index.files()[position];
    let published = file.published_at.or(package.sightings[position].first_seen_at);
    if published.is_some_and(|at| now.seconds_since(at) >= YOUNG_SECONDS) {
        return Vec::new();
    }
    let history = &package.history[position];
    if history.publisher_changed == Some(true) || history.attestation_dropped == Some(true) {
        return Vec::new();
    }
    let query = Query {
        ecosystem: package.name.ecosystem().as_str(),
        name: package.name.as_str(),
        version: file.version.as_str(),
        now,
    };
    let fixes = advisories.snapshot.fixes(&query);
    fixes
        .into_iter()
        .filter(|fix| !fix.reviewed.is_empty() || fix.feeds.len() > 1)
        .filter(|fix| all_older_are_touched(advisories, package, position, &fix.ids, now))
        .map(|fix| fix.id)
        .collect()
}

/// Whether every older version that a resolver could take instead is touched by what the fix mends.
fn all_older_are_touched(
    advisories: &Advisories,
    package: &Package,
    position: usize,
    ids: &[String],
    now: Timestamp,
) -> bool {
    let files = package.index.files();
    let fix = &files[position];
    let older = files
        .iter()
        .filter(|file| file.version < fix.version && file.yanked.is_none() && !file.version.is_prerelease());
    older.into_iter().all(|file| {
        let asked = Asked {
            ecosystem: package.name.ecosystem(),
            name: package.name.as_str(),
            version: file.version.as_str(),
            now,
        };
        let found = findings(advisories, &asked);
        found.items.iter().any(|finding| finding.ids.iter().any(|id| ids.contains(id)))
    })
}
