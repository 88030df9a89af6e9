//! A release beside the one before it: what it can do that the other could not.
//!
//! What a comparison finds belongs to both digests, and counts for the coordinate under which they were compared.

use std::sync::Arc;

use tidegate_inspect::Inspection;
use tidegate_inspect::behaviour::diff::{self, Between};
use tidegate_inspect::inspection::INSPECTOR_VERSION;
use tidegate_model::Sha256;
use tidegate_store::catalogue::{Comparison, ComparisonKind, PinKey};

use super::artifacts::{Staged, stage};
use super::contents::{NotInspected, inspected, storage};
use super::facts::purl_of;
use super::package::Package;
use crate::config::Compare;
use crate::door::{Door, Repository};
use crate::inspection::Seen;
use tidegate_ecosystems::Part;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Compares a release that was looked into and does something unasked with the highest lower one, unless that was done. That
/// one is fetched where the configuration allows it. False where that one may be known later.
///
/// # Errors
/// [`NotInspected`]. That there is nothing to compare with is no error.
pub(super) async fn compare(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
    sha256: Sha256,
) -> Result<bool, NotInspected> {
    let wanted = door.config.inspection.compare;
    let Some(before) = package.before(position).filter(|_| wanted != Compare::Never) else { return Ok(true) };
    let Some(current) = report(door, sha256).await? else { return Ok(true) };
    if !current.summary.acts_unasked() {
        return Ok(true);
    }
    let previous = match pinned(door, package, before).await? {
        Some(digest) => Some(digest),
        None if wanted == Compare::Fetch => fetched(door, repository, package, before).await,
        None => None,
    };
    let Some(against) = previous else { return Ok(false) };
    if against == sha256 {
        return Ok(true);
    }
    let purl = purl_of(package, position);
    if is_done(door, package, &purl, sha256, against).await? {
        return Ok(true);
    }
    let Some(previous) = report(door, against).await? else { return Ok(true) };
    let files = package.index.files();
    let days = files[position]
        .published_at
        .zip(files[before].published_at)
        .and_then(|(now, then)| u64::try_from(now.seconds_since(then) / DAY).ok());
    let findings = diff::compare(&previous.summary, &current.summary, Between { days });
    let mut seen = Seen::of_findings(findings);
    if previous.summary.is_less_parsed_than(&current.summary) {
        seen.not_seen.push("comparison".to_owned());
    }
    let comparison = Comparison {
        purl,
        kind: ComparisonKind::Release,
        sha256,
        against,
        inspector: INSPECTOR_VERSION,
        at: door.clock.now(),
        findings: serde_json::to_string(&seen).expect("facts are plain values"),
    };
    door.catalogue(move |c| c.put_comparison(&comparison)).await.map_err(storage)?;
    package.bump_local_epoch();
    Ok(true)
}

/// The digest of a file that is pinned and was looked into.
async fn pinned(
    door: &Arc<Door>,
    package: &Arc<Package>,
    position: usize,
) -> Result<Option<Sha256>, NotInspected> {
    let package = Arc::clone(package);
    door.catalogue(move |c| {
        let file = &package.index.files()[position];
        let key = PinKey {
            ecosystem: package.name.ecosystem().as_str(),
            package: package.name.as_str(),
            version: file.version.as_str(),
            file: file.file.as_str(),
        };
        let Some(digest) = c.pin(&key)? else { return Ok(None) };
        Ok(c.inspection(&digest)?.map(|_| digest))
    })
    .await
    .map_err(storage)
}

/// Gets the release before and looks into it. An upstream that fails costs the comparison, not the release at hand.
async fn fetched(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
    position: usize,
) -> Option<Sha256> {
    let staged: Staged = match stage(door, repository, package, position, Part::Whole).await {
        Ok(staged) => staged,
        Err(error) => {
            let purl = purl_of(package, position);
            tracing::warn!(error = %error, "{purl} could not be had for comparison: {error}");
            return None;
        }
    };
    inspected(door, repository, package, position, &staged).await.ok()?;
    Some(staged.known.sha256)
}

async fn report(door: &Arc<Door>, sha256: Sha256) -> Result<Option<Inspection>, NotInspected> {
    let stored = door.catalogue(move |c| c.inspection(&sha256)).await.map_err(storage)?;
    Ok(stored.and_then(|stored| serde_json::from_str(&stored.report).ok()))
}

async fn is_done(
    door: &Arc<Door>,
    package: &Arc<Package>,
    purl: &str,
    sha256: Sha256,
    against: Sha256,
) -> Result<bool, NotInspected> {
    let of = package.purl.to_string();
    let all = door.catalogue(move |c| c.comparisons_of(&of)).await.map_err(storage)?;
    Ok(all.iter().any(|done| {
        done.purl == purl
            && (done.sha256, done.against) == (sha256, against)
            && done.inspector == INSPECTOR_VERSION
    }))
}
