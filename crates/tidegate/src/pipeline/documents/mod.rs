//! Index documents: fetched, revalidated, kept, parsed. Nobody waits longer than one upstream request, and nobody is told
//! "not found" because an upstream failed.

mod asking;
mod beside;
mod kept;
mod parsing;

use std::sync::Arc;

use tidegate_model::PackageName;

pub use beside::prelude_of;
pub(super) use kept::{document_key, revive, storage};
pub(crate) use kept::{keep, stored};
pub(super) use parsing::{Documents, broken_index, build, parsed};

use super::package::{Freshness, Package};
use crate::door::{Door, Repository};
use crate::upstream::UpstreamError;
use asking::{begin_refresh, refresh};
use kept::restore;

/// The kinds of documents that are kept, part of their keys.
pub(super) const INDEX: &str = "index";
const PRELUDE: &str = "prelude";
pub(super) const SUPPLEMENT: &str = "supplement";
/// Seconds between two refreshes of a package that only its files are asked of.
const KEEP_FRESH_SECONDS: i64 = 60;
/// Seconds between two attempts to refresh a package whose index is asked for: an upstream that fails is not asked once
/// for every request.
const RETRY_REFRESH_SECONDS: i64 = 2;

/// A package and how current it is.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The package.
    pub package: Arc<Package>,
    /// Set where upstream failed and this is what it said before.
    pub stale: Option<Arc<str>>,
    /// Whether upstream was asked for this answer.
    pub cold: bool,
}

/// Why there is no package.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// The upstream failed, or has no such package.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The repository has no upstream.
    #[error("{0}")]
    NotConfigured(String),
    /// The name is kept home and no upstream owns it.
    #[error("`{0}` is a private name that no upstream owns: it is never asked for outside")]
    Private(PackageName),
    /// Our own storage failed.
    #[error("the catalogue failed: {0}")]
    Storage(String),
}

/// Whether there is anybody who may be asked for a name.
fn has_upstream(repository: &Repository, name: &PackageName) -> Result<(), LoadError> {
    if repository.upstreams.is_empty() {
        return Err(LoadError::NotConfigured(repository.not_configured.clone()));
    }
    if repository.upstreams_for(name).is_empty() {
        return Err(LoadError::Private(name.clone()));
    }
    Ok(())
}

/// The package of a name, from memory, from disk or from upstream.
///
/// # Errors
/// [`LoadError`].
pub async fn load(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Loaded, LoadError> {
    has_upstream(repository, name)?;
    if let Some(commits) = repository.protocol.commits() {
        return super::commits::load(door, repository, name, commits.default_revision()).await;
    }
    if repository.protocol.catalogue().is_some() {
        return super::catalogue::load_one(door, repository, name).await;
    }
    load_plain(door, repository, name).await
}

/// As [`load`], of a repository whose packages have a document each.
///
/// # Errors
/// [`LoadError`].
pub async fn load_plain(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Loaded, LoadError> {
    has_upstream(repository, name)?;
    let key = (Arc::clone(&repository.name), name.clone());
    let mut known = door.caches.packages.get(&key);
    if known.is_none() {
        known = restore(door, repository, name).await?;
    }
    let now = door.clock.now();
    let settings = &door.config.cache;
    let Some(package) = known else {
        let package = refresh(door, repository, name, None).await?;
        return Ok(Loaded { package, stale: None, cold: true });
    };
    let age = now.seconds_since(package.freshness.checked_at());
    if age < settings.fresh_seconds as i64 {
        return Ok(Loaded { package, stale: None, cold: false });
    }
    if age < (settings.fresh_seconds + settings.stale_while_revalidate_seconds) as i64 {
        if package.freshness.claim_refresh(now, RETRY_REFRESH_SECONDS) {
            begin_refresh(door, repository, name, Some(Arc::clone(&package)), &package.freshness);
        }
        return Ok(Loaded { package, stale: None, cold: false });
    }
    match refresh(door, repository, name, Some(Arc::clone(&package))).await {
        Ok(package) => Ok(Loaded { package, stale: None, cold: true }),
        Err(LoadError::Upstream(error @ UpstreamError::Absent { .. })) => Err(error.into()),
        Err(error) if age < settings.stale_if_error_seconds as i64 => {
            tracing::warn!(package.purl = %package.purl, error = %error, "serving the last known index of {}: {error}", package.purl);
            Ok(Loaded { package, stale: Some(error.to_string().into()), cold: false })
        }
        Err(error) => Err(error),
    }
}

/// The package of a name from memory or disk, however old, without asking upstream; none where nothing is known.
///
/// # Errors
/// [`LoadError`].
pub async fn known(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Option<Loaded>, LoadError> {
    if let Some(commits) = repository.protocol.commits() {
        return super::commits::known(door, repository, name, commits.default_revision()).await;
    }
    if repository.protocol.catalogue().is_some() {
        return super::catalogue::known_one(door, repository, name).await;
    }
    let key = (Arc::clone(&repository.name), name.clone());
    let mut known = door.caches.packages.get(&key);
    if known.is_none() {
        known = restore(door, repository, name).await?;
    }
    let fresh = |package: &Arc<Package>| {
        let age = door.clock.now().seconds_since(package.freshness.checked_at());
        age < (door.config.cache.fresh_seconds + door.config.cache.stale_while_revalidate_seconds) as i64
    };
    Ok(known.map(|package| {
        let stale = (!fresh(&package))
            .then(|| format!("last checked {}", package.freshness.checked_at().to_minute()).into());
        Loaded { package, stale, cold: false }
    }))
}

/// Asks upstream now, whatever the age of what is held.
///
/// # Errors
/// [`LoadError`].
pub async fn reload(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    held: &Arc<Package>,
) -> Result<Loaded, LoadError> {
    if repository.protocol.catalogue().is_some() {
        return super::catalogue::reload_one(door, repository, name).await;
    }
    let package = refresh(door, repository, name, Some(Arc::clone(held))).await?;
    Ok(Loaded { package, stale: None, cold: true })
}

/// Begins to refresh a package that is used without its index being asked for, as lock-file installs do. `used` is what
/// the use was decided with; it need not be in memory any more.
pub fn keep_fresh(door: &Arc<Door>, repository: &Arc<Repository>, name: &PackageName, used: &Arc<Freshness>) {
    if repository.protocol.catalogue().is_some() {
        return super::catalogue::keep_fresh(door, repository);
    }
    let now = door.clock.now();
    if now.seconds_since(used.checked_at()) >= door.config.cache.fresh_seconds as i64
        && used.claim_refresh(now, KEEP_FRESH_SECONDS)
    {
        let held = door.caches.packages.get(&(Arc::clone(&repository.name), name.clone()));
        begin_refresh(door, repository, name, held, used);
    }
}
