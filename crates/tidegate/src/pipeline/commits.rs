//! Commits of repositories of files: which commit a revision is, and what it holds.
//!
//! A revision is asked about as an index is: kept for a while, refreshed behind, used for longer where upstream fails. A
//! commit never changes: what was once read of it is never asked for again.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use tidegate_ecosystems::commits::{MAX_PAGES, Pointer};
use tidegate_ecosystems::upstream::MAX_INDEX_BYTES;
use tidegate_ecosystems::{Commits, FetchedDocument};
use tidegate_model::denial::DenialKind;
use tidegate_model::{Denial, Ecosystem, PackageName, Timestamp, Version};

use super::denials;
use super::documents::{self, Documents, INDEX, LoadError, Loaded, SUPPLEMENT};
use super::package::{Freshness, Package};
use crate::door::{Door, Repository};
use crate::upstream::{Fetched, Upstream, UpstreamError, Validators};

/// The kind under which it is kept which commit a revision is.
const REVISION: &str = "revision";
/// Seconds between two attempts to refresh a revision that is in use.
const RETRY_REFRESH_SECONDS: i64 = 2;

/// Names a revision or a commit of a repository: repository of the door, and `name@revision`.
pub type CommitKey = (Arc<str>, Arc<str>);

/// Which commit a revision is, by what upstream said when it was last asked.
#[derive(Debug)]
pub struct Resolved {
    /// The commit, under the repository's name of today.
    pub pointer: Pointer,
    /// The upstream that said so.
    pub upstream: Arc<Upstream>,
    /// When.
    pub freshness: Freshness,
}

/// Whether a revision is a commit or a digest, and no branch or tag: what it is never changes.
pub fn is_version(name: &PackageName, revision: &str) -> bool {
    Version::parse(name.ecosystem(), revision).is_valid()
}

pub(super) fn key(repository: &Repository, name: &PackageName, revision: &str) -> CommitKey {
    (Arc::clone(&repository.name), format!("{name}@{revision}").into())
}

/// The package that a revision is, with the files of its commit.
///
/// # Errors
/// [`LoadError`].
pub async fn load(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    revision: &str,
) -> Result<Loaded, LoadError> {
    if repository.upstreams.is_empty() {
        return Err(LoadError::NotConfigured(repository.not_configured.clone()));
    }
    if repository.upstreams_for(name).is_empty() {
        return Err(LoadError::Private(name.clone()));
    }
    if is_version(name, revision)
        && let Some(package) = at_hand(door, repository, name, revision).await?
    {
        return Ok(Loaded { package, stale: None, cold: false });
    }
    let (resolved, stale, asked) = resolve(door, repository, name, revision).await?;
    let Pointer { package: name, commit } = &resolved.pointer;
    if let Some(package) = at_hand(door, repository, name, commit.as_str()).await? {
        return Ok(Loaded { package, stale, cold: asked });
    }
    let package = fetch(door, repository, &resolved, revision).await?;
    Ok(Loaded { package, stale, cold: true })
}

/// The package that a revision is by what is known here, without asking upstream; none where that is nothing.
///
/// # Errors
/// [`LoadError`].
pub async fn known(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    revision: &str,
) -> Result<Option<Loaded>, LoadError> {
    let loaded = |package| Loaded { package, stale: None, cold: false };
    if is_version(name, revision) {
        return Ok(at_hand(door, repository, name, revision).await?.map(loaded));
    }
    let Some(resolved) = remembered(door, repository, name, revision).await? else { return Ok(None) };
    let Pointer { package: name, commit } = &resolved.pointer;
    Ok(at_hand(door, repository, name, commit.as_str()).await?.map(loaded))
}

/// The refusal that a failed load becomes. Libraries tell a repository that does not exist from a revision that does not.
pub fn denial(name: &PackageName, revision: &str, error: &LoadError) -> Denial {
    let denial = denials::of_load_error(name.as_str(), error);
    let default = tidegate_ecosystems::protocol(name.ecosystem()).commits().map(Commits::default_revision);
    match error {
        LoadError::Upstream(UpstreamError::Absent { .. }) if default != Some(revision) => {
            Denial { kind: DenialKind::NoSuchVersion, ..denial }
        }
        _ => denial,
    }
}

/// Which commit a revision is; why that may be out of date; and whether upstream was asked for it now.
async fn resolve(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    revision: &str,
) -> Result<(Arc<Resolved>, Option<Arc<str>>, bool), LoadError> {
    let Some(known) = remembered(door, repository, name, revision).await? else {
        return Ok((ask(door, repository, name, revision).await?, None, true));
    };
    let now = door.clock.now();
    let settings = &door.config.cache;
    let age = now.seconds_since(known.freshness.checked_at());
    if age < settings.fresh_seconds as i64 || is_version(name, revision) {
        return Ok((known, None, false));
    }
    if age < (settings.fresh_seconds + settings.stale_while_revalidate_seconds) as i64 {
        if known.freshness.claim_refresh(now, RETRY_REFRESH_SECONDS) {
            begin(door, repository, name, revision);
        }
        return Ok((known, None, false));
    }
    match ask(door, repository, name, revision).await {
        Ok(resolved) => Ok((resolved, None, true)),
        Err(error @ LoadError::Upstream(UpstreamError::Absent { .. })) => Err(error),
        Err(error) if age < settings.stale_if_error_seconds as i64 => {
            tracing::warn!(error = %error, "using what {name}@{revision} was before: {error}");
            Ok((known, Some(error.to_string().into()), false))
        }
        Err(error) => Err(error),
    }
}

/// Which commit a revision was, from memory or disk.
async fn remembered(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    revision: &str,
) -> Result<Option<Arc<Resolved>>, LoadError> {
    let key = key(repository, name, revision);
    if let Some(resolved) = door.caches.revisions.get(&key) {
        return Ok(Some(resolved));
    }
    for upstream in repository.upstreams_for(name) {
        let Some(kept) = documents::stored(door, repository, &upstream, &key.1, REVISION).await? else {
            continue;
        };
        let Some(pointer) = read_kept(name.ecosystem(), &kept.body) else { continue };
        // What was configured since may give the name of today to another upstream, or keep it home.
        if !owns(repository, &upstream, &pointer.package) {
            continue;
        }
        let freshness = Freshness::new(kept.head.checked_at);
        let resolved = Arc::new(Resolved { pointer, upstream, freshness });
        door.caches.revisions.insert(key, Arc::clone(&resolved));
        return Ok(Some(resolved));
    }
    Ok(None)
}

fn owns(repository: &Repository, upstream: &Arc<Upstream>, name: &PackageName) -> bool {
    repository.upstreams_for(name).iter().any(|one| Arc::ptr_eq(one, upstream))
}

fn read_kept(ecosystem: Ecosystem, body: &[u8]) -> Option<Pointer> {
    let kept: serde_json::Value = serde_json::from_slice(body).ok()?;
    let package = PackageName::parse(ecosystem, kept["package"].as_str()?).ok()?;
    let commit = Version::parse(ecosystem, kept["commit"].as_str()?);
    commit.is_valid().then_some(Pointer { package, commit })
}

fn begin(door: &Arc<Door>, repository: &Arc<Repository>, name: &PackageName, revision: &str) {
    let (door2, repository2, name2, revision2) =
        (door.clone(), repository.clone(), name.clone(), revision.to_owned());
    let key = key(repository, name, revision);
    door.flights.revisions.start(key, move || async move {
        let result = ask_upstreams(&door2, &repository2, &name2, &revision2).await;
        if let Err(error) = &result {
            tracing::warn!(error = %error, "could not refresh {name2}@{revision2}: {error}");
        }
        result
    });
}

/// Asks upstream which commit a revision is, once for all who wait.
async fn ask(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    revision: &str,
) -> Result<Arc<Resolved>, LoadError> {
    let (door2, repository2, name2, revision2) =
        (door.clone(), repository.clone(), name.clone(), revision.to_owned());
    let key = key(repository, name, revision);
    let flight = door
        .flights
        .revisions
        .run(key, move || async move { ask_upstreams(&door2, &repository2, &name2, &revision2).await });
    flight.await.unwrap_or_else(|| Err(unforeseen()))
}

pub(super) fn unforeseen() -> LoadError {
    LoadError::Storage("reading a commit failed in an unforeseen way; see the log".into())
}

/// Asks the upstreams of a name in order; the first that has it is the one, and a failure ends the search.
async fn ask_upstreams(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    revision: &str,
) -> Result<Arc<Resolved>, LoadError> {
    let key = key(repository, name, revision);
    let mut absent = None;
    for upstream in repository.upstreams_for(name) {
        let now = door.clock.now();
        let (repo, base, what) =
            (repository.name.to_string(), upstream.base.url.to_string(), key.1.to_string());
        let known_absent = door.catalogue(move |c| c.absent(&repo, &base, &what, now)).await;
        if known_absent.map_err(documents::storage)?.is_some() {
            absent = Some(UpstreamError::Absent { upstream: upstream.name.clone(), status: 404 });
            continue;
        }
        match ask_one(door, repository, &upstream, name, revision).await {
            Ok(resolved) => {
                door.caches.revisions.insert(key, Arc::clone(&resolved));
                return Ok(resolved);
            }
            Err(LoadError::Upstream(error @ UpstreamError::Absent { .. })) => {
                door.caches.revisions.remove(&key);
                let until = now.plus_seconds(door.config.cache.absent_seconds as i64);
                let (repo, base, what) =
                    (repository.name.to_string(), upstream.base.url.to_string(), key.1.to_string());
                let noted = door.catalogue(move |c| {
                    let kind = REVISION;
                    c.forget_document(&documents::document_key(&repo, &base, &what, kind))?;
                    c.put_absent(&repo, &base, &what, until)
                });
                noted.await.map_err(documents::storage)?;
                absent = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(absent.map_or_else(|| LoadError::Private(name.clone()), LoadError::Upstream))
}

async fn ask_one(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    name: &PackageName,
    revision: &str,
) -> Result<Arc<Resolved>, LoadError> {
    let commits = commits_of(repository)?;
    let request = commits.revision_request(name, revision, &upstream.base);
    let (document, head) =
        match door.client.document(upstream, &request, None, &Validators::default()).await? {
            Fetched::Document { document, headers, .. } => (document, headers),
            Fetched::NotModified => return Err(broken(upstream, "\"not modified\" without a condition")),
        };
    if let Some(why) = commits.contradicts(&document, &head) {
        return Err(UpstreamError::Integrity { upstream: upstream.name.clone(), why }.into());
    }
    let pointer =
        commits.read_revision(name, &document).map_err(|e| documents::broken_index(upstream, &e))?;
    if is_version(name, revision) && pointer.commit.as_str() != revision {
        if name.ecosystem() == Ecosystem::Oci {
            // It is the bytes themselves that have this digest, or another.
            let why = format!("{revision} was asked for, and what came is {}", pointer.commit);
            return Err(UpstreamError::Integrity { upstream: upstream.name.clone(), why }.into());
        }
        return Err(broken(upstream, "it answers with another commit than the one that was asked for"));
    }
    if !owns(repository, upstream, &pointer.package) {
        return Err(LoadError::Private(pointer.package));
    }
    let now = door.clock.now();
    let of_commit = key(repository, &pointer.package, pointer.commit.as_str()).1;
    let validators = Validators::default();
    // What upstream says of a commit when it is first seen stays with it.
    if documents::stored(door, repository, upstream, &of_commit, SUPPLEMENT).await?.is_none() {
        documents::keep(door, repository, upstream, &of_commit, SUPPLEMENT, &document, &validators, now)
            .await?;
    }
    let kept = json!({ "package": pointer.package.as_str(), "commit": pointer.commit.as_str() }).to_string();
    let kept = FetchedDocument { body: kept.into(), ..document };
    let of_revision = key(repository, name, revision).1;
    documents::keep(door, repository, upstream, &of_revision, REVISION, &kept, &validators, now).await?;
    Ok(Arc::new(Resolved { pointer, upstream: Arc::clone(upstream), freshness: Freshness::new(now) }))
}

pub(super) fn commits_of(repository: &Repository) -> Result<&'static dyn Commits, LoadError> {
    repository.protocol.commits().ok_or_else(|| LoadError::NotConfigured("it has no commits".into()))
}

pub(super) fn broken(upstream: &Upstream, why: impl Into<String>) -> LoadError {
    UpstreamError::Broken { upstream: upstream.name.clone(), why: why.into() }.into()
}

/// A commit from memory or disk.
async fn at_hand(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
    commit: &str,
) -> Result<Option<Arc<Package>>, LoadError> {
    let key = key(repository, name, commit);
    if let Some(package) = door.caches.commits.get(&key) {
        return Ok(Some(package));
    }
    for upstream in repository.upstreams_for(name) {
        let Some(index) = documents::stored(door, repository, &upstream, &key.1, INDEX).await? else {
            continue;
        };
        let supplement = documents::stored(door, repository, &upstream, &key.1, SUPPLEMENT).await?;
        let (fetched_at, checked_at) = (index.head.fetched_at, index.head.checked_at);
        let documents = Documents {
            index: documents::revive(index),
            prelude: None,
            supplement: supplement.map(documents::revive),
            fetched_at,
            checked_at,
            source: source_of(&upstream, name, commit),
            freshness: None,
        };
        match documents::build(door, repository, &upstream, name, documents).await {
            Ok(package) => {
                door.caches.commits.insert(key, Arc::clone(&package));
                return Ok(Some(package));
            }
            // A list that this version can no longer read is fetched again.
            Err(error) => {
                tracing::warn!(error = %error, "the kept files of {} are not usable: {error}", key.1)
            }
        }
    }
    Ok(None)
}

/// Where a first sighting counts as one's first. Nobody but its author says when an image was made, so its age is how long
/// ago this door saw a tag become it; of what a tag was when it was first asked for, that is not known.
pub(super) fn source_of(upstream: &Upstream, name: &PackageName, revision: &str) -> Option<String> {
    (name.ecosystem() == Ecosystem::Oci).then(|| format!("{}#{revision}", upstream.base.url))
}

/// Fetches a commit's list of files, once for all who wait.
async fn fetch(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    resolved: &Arc<Resolved>,
    revision: &str,
) -> Result<Arc<Package>, LoadError> {
    let key = key(repository, &resolved.pointer.package, resolved.pointer.commit.as_str());
    let (door2, repository2, resolved, key2, revision) =
        (door.clone(), repository.clone(), Arc::clone(resolved), key.clone(), revision.to_owned());
    let flight = door.flights.commits.run(key, move || async move {
        let package = fetch_now(&door2, &repository2, &resolved, &revision).await?;
        door2.caches.commits.insert(key2, Arc::clone(&package));
        Ok(package)
    });
    flight.await.unwrap_or_else(|| Err(unforeseen()))
}

async fn fetch_now(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    resolved: &Resolved,
    revision: &str,
) -> Result<Arc<Package>, LoadError> {
    let Resolved { pointer, upstream, .. } = resolved;
    let commits = commits_of(repository)?;
    let of_commit = key(repository, &pointer.package, pointer.commit.as_str()).1;
    let supplement = documents::stored(door, repository, upstream, &of_commit, SUPPLEMENT).await?;
    let whole = supplement.clone().map(documents::revive);
    let whole = whole.and_then(|d| Some((d.url.clone(), commits.listing_of_revision(pointer, &d)?)));
    let (url, listing) = match whole {
        Some(whole) => whole,
        None => {
            let (url, pages) = pages(door, commits, pointer, upstream).await?;
            let pointer2 = pointer.clone();
            (url, door.heavy(move || commits.listing(&pointer2, &pages)).await)
        }
    };
    let body = listing.map_err(|e| documents::broken_index(upstream, &e))?;
    let index = FetchedDocument { url, content_type: Some("application/json".into()), body };
    let now: Timestamp = door.clock.now();
    let documents = Documents {
        index: index.clone(),
        prelude: None,
        supplement: supplement.map(documents::revive),
        fetched_at: now,
        checked_at: now,
        source: source_of(upstream, &pointer.package, revision),
        freshness: None,
    };
    let package = documents::build(door, repository, upstream, &pointer.package, documents).await?;
    documents::keep(door, repository, upstream, &of_commit, INDEX, &index, &Validators::default(), now)
        .await?;
    Ok(package)
}

/// Every page of a commit's list of files, bounded in number and in bytes together.
async fn pages(
    door: &Arc<Door>,
    commits: &'static dyn Commits,
    pointer: &Pointer,
    upstream: &Arc<Upstream>,
) -> Result<(url::Url, Vec<Bytes>), LoadError> {
    let mut request = commits.page_request(pointer, &upstream.base, None);
    let url = request.url.clone();
    let (mut pages, mut total) = (Vec::new(), 0u64);
    loop {
        let fetched = door.client.document(upstream, &request, None, &Validators::default()).await;
        let (document, link) = match fetched {
            Ok(Fetched::Document { document, link, .. }) => (document, link),
            Ok(Fetched::NotModified) => return Err(broken(upstream, "\"not modified\" without a condition")),
            // It has just named the commit: that its files are not there is a failure of its own.
            Err(UpstreamError::Absent { status, .. }) => {
                return Err(broken(upstream, format!("it has no list of files (HTTP {status})")));
            }
            Err(error) => return Err(error.into()),
        };
        total += document.body.len() as u64;
        pages.push(document.body);
        let Some(cursor) = link.and_then(|link| commits.next_page(&link)) else { return Ok((url, pages)) };
        if pages.len() == MAX_PAGES || total > MAX_INDEX_BYTES {
            return Err(broken(upstream, "its list of files has no end"));
        }
        request = commits.page_request(pointer, &upstream.base, Some(&cursor));
    }
}
