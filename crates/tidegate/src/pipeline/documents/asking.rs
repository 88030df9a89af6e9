//! Upstreams are asked for an index, one question about a package at a time.

use std::sync::Arc;

use tidegate_model::{PackageName, Timestamp};
use tidegate_store::catalogue::DocumentKey;

use super::beside::{prelude_of, supplement};
use super::kept::{digest_of, keep, storage, stored};
use super::parsing::{Documents, build};
use super::{INDEX, LoadError};
use crate::door::{Door, Repository};
use crate::pipeline::package::{Freshness, Package};
use crate::upstream::{Fetched, Upstream, UpstreamError, Validators};

/// Begins to refresh a package, unless that is under way. What was decided with `used` is decided anew afterwards, where
/// the answer is another document or the package left memory meanwhile.
pub(super) fn begin_refresh(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    held: Option<Arc<Package>>,
    used: &Arc<Freshness>,
) {
    let (door2, repository2, name2, used) =
        (door.clone(), repository.clone(), name.clone(), Arc::clone(used));
    let key = (Arc::clone(&repository.name), name.clone());
    door.flights.packages.start(key, move || async move {
        let result = ask_upstreams(&door2, &repository2, &name2, held).await;
        match &result {
            Ok(package) if Arc::ptr_eq(&package.freshness, &used) => {}
            Ok(_) | Err(LoadError::Upstream(UpstreamError::Absent { .. })) => used.supersede(),
            Err(error) => {
                tracing::warn!(error = %error, "could not refresh the index of {name2}: {error}");
            }
        }
        result
    });
}

pub(super) async fn refresh(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    held: Option<Arc<Package>>,
) -> Result<Arc<Package>, LoadError> {
    let (door2, repository2, name2) = (door.clone(), repository.clone(), name.clone());
    let key = (Arc::clone(&repository.name), name.clone());
    door.flights
        .packages
        .run(key, move || async move { ask_upstreams(&door2, &repository2, &name2, held).await })
        .await
        .unwrap_or_else(|| {
            Err(LoadError::Storage("reading the index failed in an unforeseen way; see the log".into()))
        })
}

/// Asks the upstreams of a name in order; the first that has it is the one. A failure ends the search: to go on would
/// let the next upstream answer for a name that belongs to this one.
async fn ask_upstreams(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    held: Option<Arc<Package>>,
) -> Result<Arc<Package>, LoadError> {
    let mut absent = None;
    for upstream in repository.upstreams_for(name) {
        let now = door.clock.now();
        let base = upstream.base.url.to_string();
        let (repo, key_name) = (repository.name.to_string(), name.to_string());
        let known_absent =
            door.catalogue(move |c| c.absent(&repo, &base, &key_name, now)).await.map_err(storage)?;
        if known_absent.is_some() {
            absent = Some(UpstreamError::Absent { upstream: upstream.name.clone(), status: 404 });
            continue;
        }
        let held = held.clone().filter(|p| Arc::ptr_eq(&p.upstream, &upstream));
        match ask_one(door, repository, &upstream, name, held).await {
            Ok(package) => {
                let key = (Arc::clone(&repository.name), name.clone());
                if let Some(old) = door.caches.packages.get(&key).filter(|old| !Arc::ptr_eq(old, &package)) {
                    old.freshness.supersede();
                }
                door.caches.packages.insert(key, Arc::clone(&package));
                return Ok(package);
            }
            Err(LoadError::Upstream(error @ UpstreamError::Absent { .. })) => {
                forget(door, repository, &upstream, name).await?;
                absent = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    if let Some((_, old)) = door.caches.packages.remove(&(Arc::clone(&repository.name), name.clone())) {
        old.freshness.supersede();
    }
    Err(absent.map_or_else(|| LoadError::Private(name.clone()), LoadError::Upstream))
}

async fn forget(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    name: &PackageName,
) -> Result<(), LoadError> {
    let until = door.clock.now().plus_seconds(door.config.cache.absent_seconds as i64);
    let (repo, base, name) = (repository.name.to_string(), upstream.base.url.to_string(), name.to_string());
    door.catalogue(move |c| {
        c.forget_document(&DocumentKey { repository: &repo, upstream: &base, package: &name, kind: INDEX })?;
        c.put_absent(&repo, &base, &name, until)
    })
    .await
    .map_err(storage)
}

/// Notes, in memory and on disk, that upstream says the held document is current.
async fn still_current(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    package: Arc<Package>,
    now: Timestamp,
) -> Result<Arc<Package>, LoadError> {
    package.freshness.set_checked_at(now);
    let (repo, base, name) =
        (repository.name.to_string(), upstream.base.url.to_string(), package.name.to_string());
    door.catalogue(move |c| {
        c.touch_document(
            &DocumentKey { repository: &repo, upstream: &base, package: &name, kind: INDEX },
            now,
        )
    })
    .await
    .map_err(storage)?;
    Ok(package)
}

async fn ask_one(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    name: &PackageName,
    held: Option<Arc<Package>>,
) -> Result<Arc<Package>, LoadError> {
    let prelude = prelude_of(door, repository, upstream).await?;
    let request = repository.protocol.index_request(name, &upstream.base);
    let stored = match &held {
        // Validators without the parsed package would leave us with "not modified" and nothing to show.
        Some(package) => stored(door, repository, upstream, name.as_str(), INDEX)
            .await?
            // "Not modified" is said of the document that the validators came with, and that is not ours where another
            // was kept meanwhile.
            .filter(|kept| kept.head.digest == package.document),
        None => None,
    };
    let validators = stored
        .as_ref()
        .map(|d| Validators { etag: d.head.etag.clone(), last_modified: d.head.last_modified.clone() })
        .unwrap_or_default();
    let fetched = door.client.document(upstream, &request, None, &validators).await?;
    let now = door.clock.now();
    let (document, validators) = match (fetched, held) {
        (Fetched::NotModified, Some(package)) => {
            return still_current(door, repository, upstream, package, now).await;
        }
        (Fetched::NotModified, None) => {
            let why = "it says \"not modified\" to a request that was not conditional".to_owned();
            return Err(UpstreamError::Broken { upstream: upstream.name.clone(), why }.into());
        }
        (Fetched::Document { document, validators, .. }, held) => {
            let digest = digest_of(&document);
            if let Some(package) = held.filter(|p| p.document == digest) {
                return still_current(door, repository, upstream, package, now).await;
            }
            (document, validators)
        }
    };
    let supplement = supplement(door, repository, upstream, name, &document, prelude.as_ref()).await;
    let index = document.clone();
    let documents = Documents {
        index,
        prelude,
        supplement,
        fetched_at: now,
        checked_at: now,
        source: None,
        freshness: None,
    };
    let package = build(door, repository, upstream, name, documents).await?;
    // Only what can be read takes the place of what could be read.
    keep(door, repository, upstream, name.as_str(), INDEX, &document, &validators, now).await?;
    Ok(package)
}
