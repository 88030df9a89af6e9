//! Branches that stay at the last commit that may be had, where the repository is configured so.
//!
//! A package manager falls back to an older version by itself; a client of a model hub asks for `main` and gets what that is. So
//! the door answers with the newest commit that was decided to be had, until the branch points at one that is.

use std::sync::Arc;

use tidegate_ecosystems::FetchedDocument;
use tidegate_model::{PackageName, Principal, Timestamp, Version};

use super::documents::{self, LoadError, Loaded};
use super::package::Package;
use super::{commits, group, views};
use crate::door::{Door, Repository};
use crate::upstream::{Upstream, Validators};

/// The kind under which the commits of a revision are kept that could be had, newest first.
const APPROVED: &str = "approved";
/// How many of them are kept: what is found later may refuse the newest again.
const MAX_KEPT: usize = 16;
/// How long a new commit may take to be looked into before the one before it is served meanwhile.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Whether a commit could be had, and for how long that is known.
#[derive(Clone, Copy, Debug)]
pub struct Approval {
    epoch: u64,
    changes: u64,
    until: Option<Timestamp>,
    approved: bool,
}

/// As [`commits::load`]; a revision of a repository that holds is the newest commit of it that may be had, where there is one.
///
/// # Errors
/// [`LoadError`].
pub async fn load(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    revision: &str,
) -> Result<Loaded, LoadError> {
    let newest = commits::load(door, repository, name, revision).await?;
    if !repository.hold_at_approved || commits::is_version(name, revision) {
        return Ok(newest);
    }
    let package = &newest.package;
    let upstream = Arc::clone(&package.upstream);
    let what = format!("{}@{revision}", package.name);
    let kept = kept(door, repository, &upstream, &what).await?;
    if is_approved(door, repository, package).await? {
        let Some(commit) = commit_of(package) else { return Ok(newest) };
        if kept.first() != Some(&commit) {
            keep(door, repository, &upstream, &what, &commit, kept).await?;
        }
        return Ok(newest);
    }
    for commit in kept {
        let before = commits::load(door, repository, &package.name, &commit).await?;
        if is_approved(door, repository, &before.package).await? {
            tracing::info!(package.purl = %package.purl, "{what} is held at {commit}: what it is now may not be had");
            return Ok(Loaded { stale: newest.stale, cold: newest.cold || before.cold, ..before });
        }
    }
    // Nothing older may be had either: the refusal of the newest says why.
    Ok(newest)
}

fn commit_of(package: &Package) -> Option<String> {
    package.index.files().first().map(|file| file.version.as_str().to_owned())
}

/// Whether nobody in particular may have every file of a commit, as far as it was looked into.
async fn is_approved(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    package: &Arc<Package>,
) -> Result<bool, LoadError> {
    let (rules, now, changes) = (door.rules(), door.clock.now(), package.freshness.changes());
    let known = package.approval().filter(|known| {
        known.epoch == rules.epoch && known.changes == changes && known.until.is_none_or(|until| now < until)
    });
    if let Some(known) = known {
        return Ok(known.approved);
    }
    // What is not looked into in time is not approved yet; looking goes on.
    if !matches!(tokio::time::timeout(PATIENCE, group::ready(door, repository, package)).await, Ok(Ok(()))) {
        return Ok(false);
    }
    let changes = package.freshness.changes();
    let (door2, repository2, package2, rules2) =
        (Arc::clone(door), Arc::clone(repository), Arc::clone(package), Arc::clone(&rules));
    let decided = door
        .heavy(move || {
            let nobody = Principal::anonymous();
            views::decisions_for(&door2, &repository2, &package2, &rules2, (&nobody, None), now)
        })
        .await
        .map_err(LoadError::Storage)?;
    let approved = decided.iter().all(tidegate_model::Decision::serves);
    let until = decided.iter().filter_map(|decision| decision.valid_until).min();
    package.set_approval(Approval { epoch: rules.epoch, changes, until, approved });
    Ok(approved)
}

async fn kept(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    what: &str,
) -> Result<Vec<String>, LoadError> {
    let kept = documents::stored(door, repository, upstream, what, APPROVED).await?;
    let commits: Vec<String> =
        kept.and_then(|kept| serde_json::from_slice(&kept.body).ok()).unwrap_or_default();
    let is_commit = |commit: &String| Version::parse(repository.ecosystem, commit).is_valid();
    Ok(commits.into_iter().filter(is_commit).take(MAX_KEPT).collect())
}

async fn keep(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    what: &str,
    commit: &str,
    mut kept: Vec<String>,
) -> Result<(), LoadError> {
    kept.retain(|known| known != commit);
    kept.insert(0, commit.to_owned());
    kept.truncate(MAX_KEPT);
    let body = serde_json::to_vec(&kept).expect("a list of strings").into();
    let document = FetchedDocument { url: upstream.base.url.clone(), content_type: None, body };
    let (validators, now) = (Validators::default(), door.clock.now());
    documents::keep(door, repository, upstream, what, APPROVED, &document, &validators, now).await
}
