//! Index documents: fetched, revalidated, kept, parsed. Nobody waits longer than one upstream request, and nobody is told
//! "not found" because an upstream failed.

use std::sync::Arc;

use sha2::Digest as _;
use tidegate_ecosystems::{Companion, DocumentRequest, FetchedDocument, IndexError};
use tidegate_model::{Ecosystem, PackageName, Sha256, Timestamp};
use tidegate_store::catalogue::{
    CatalogueError, DocumentKey, NewDocument, Sighting, SightingBatch, StoredDocument,
};

use super::package::{Freshness, Package};
use crate::door::{Door, Repository};
use crate::upstream::{Fetched, Upstream, UpstreamError, Validators};

/// The kinds of documents that are kept, part of their keys.
pub(super) const INDEX: &str = "index";
const PRELUDE: &str = "prelude";
pub(super) const SUPPLEMENT: &str = "supplement";
/// Seconds between two refreshes of a package that only its files are asked of.
const KEEP_FRESH_SECONDS: i64 = 60;
/// Seconds between two attempts to refresh a package whose index is asked for: an upstream that fails is not asked once
/// for every request.
const RETRY_REFRESH_SECONDS: i64 = 2;
/// Seconds for which a prelude (cargo's `config.json`) is used without asking again.
const PRELUDE_FRESH_SECONDS: i64 = 3600;

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

/// The package of a name, from memory, from disk or from upstream.
///
/// # Errors
/// [`LoadError`].
pub async fn load(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Loaded, LoadError> {
    if repository.upstreams.is_empty() {
        return Err(LoadError::NotConfigured(repository.not_configured.clone()));
    }
    if repository.upstreams_for(name).is_empty() {
        return Err(LoadError::Private(name.clone()));
    }
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
    if repository.upstreams.is_empty() {
        return Err(LoadError::NotConfigured(repository.not_configured.clone()));
    }
    if repository.upstreams_for(name).is_empty() {
        return Err(LoadError::Private(name.clone()));
    }
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

/// The prelude of the upstream that has a package, from memory or disk.
pub async fn prelude_of(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
) -> Result<Option<FetchedDocument>, LoadError> {
    let Some(request) = repository.protocol.prelude(&upstream.base) else { return Ok(None) };
    Ok(Some(prelude(door, repository, upstream, &request).await?))
}

/// Begins to refresh a package, unless that is under way. What was decided with `used` is decided anew afterwards, where
/// the answer is another document or the package left memory meanwhile.
fn begin_refresh(
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

async fn refresh(
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

/// What an index is parsed from.
pub(super) struct Documents {
    pub(super) index: FetchedDocument,
    pub(super) prelude: Option<FetchedDocument>,
    pub(super) supplement: Option<FetchedDocument>,
    pub(super) fetched_at: Timestamp,
    pub(super) checked_at: Timestamp,
    /// Where its first sightings count as the first of their kind; the upstream itself where that is not said.
    pub(super) source: Option<String>,
    /// How current the package is in whose place this one comes, where it is the same in more detail.
    pub(super) freshness: Option<Arc<Freshness>>,
}

/// Parses, records first sightings and learns hosts, off the executor.
pub(super) async fn build(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    name: &PackageName,
    documents: Documents,
) -> Result<Arc<Package>, LoadError> {
    let (door2, repository, upstream, name) =
        (door.clone(), repository.clone(), upstream.clone(), name.clone());
    door.heavy(move || {
        let package = Arc::new(parsed(&door2, &repository, &upstream, &name, &documents)?);
        super::alarms::raise_for_changed(&door2, &package);
        Ok(package)
    })
    .await
}

/// Parses, records first sightings and learns hosts. Blocks.
pub(super) fn parsed(
    door: &Door,
    repository: &Repository,
    upstream: &Arc<Upstream>,
    name: &PackageName,
    documents: &Documents,
) -> Result<Package, LoadError> {
    let digest = digest_of(&documents.index);
    let index = repository
        .protocol
        .parse_index(
            name,
            &upstream.base,
            &documents.index,
            documents.prelude.as_ref(),
            documents.supplement.as_ref(),
        )
        .map_err(|e| broken_index(upstream, &e))?;
    let mut last_host = String::new();
    for file in index.files() {
        if file.location.host_str() != Some(last_host.as_str()) {
            last_host = file.location.host_str().unwrap_or_default().to_owned();
            upstream.learn_host(&file.location);
            door.client.trust_neighbour(upstream, &file.location);
        }
    }
    if name.ecosystem() == Ecosystem::Vscode {
        let positions = 0..index.files().len();
        let beside =
            positions.flat_map(|at| Companion::ALL.into_iter().map(move |companion| (at, companion)));
        for url in beside.filter_map(|(at, companion)| index.companion(at, companion)) {
            upstream.learn_host(&url);
            door.client.trust_neighbour(upstream, &url);
        }
    }
    let files: Vec<Sighting<'_>> = index
        .files()
        .iter()
        .map(|f| Sighting { version: f.version.as_str(), file: f.file.as_str(), digests: &f.digests })
        .collect();
    let sightings = door
        .store
        .catalogue
        .record_sightings(&SightingBatch {
            ecosystem: name.ecosystem().as_str(),
            package: name.as_str(),
            source: documents.source.as_deref().unwrap_or(upstream.base.url.as_str()),
            document: digest,
            now: documents.fetched_at,
            files: &files,
        })
        .map_err(storage)?;
    let freshness = documents.freshness.clone();
    let freshness = freshness.unwrap_or_else(|| Arc::new(Freshness::new(documents.checked_at)));
    Ok(Package::new(Arc::clone(upstream), index, digest, sightings, freshness))
}

/// A package from what is kept on disk, parsed again.
async fn restore(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Option<Arc<Package>>, LoadError> {
    for upstream in repository.upstreams_for(name) {
        let Some(index) = stored(door, repository, &upstream, name.as_str(), INDEX).await? else { continue };
        let prelude = match repository.protocol.prelude(&upstream.base) {
            Some(_) => match stored(door, repository, &upstream, "", PRELUDE).await? {
                Some(document) => Some(revive(document)),
                None => continue,
            },
            None => None,
        };
        let supplement = stored(door, repository, &upstream, name.as_str(), SUPPLEMENT).await?.map(revive);
        let (fetched_at, checked_at) = (index.head.fetched_at, index.head.checked_at);
        let index = revive(index);
        let (source, freshness) = (None, None);
        let documents = Documents { index, prelude, supplement, fetched_at, checked_at, source, freshness };
        match build(door, repository, &upstream, name, documents).await {
            Ok(package) => {
                door.caches
                    .packages
                    .insert((Arc::clone(&repository.name), name.clone()), Arc::clone(&package));
                return Ok(Some(package));
            }
            // A document that this version can no longer read is fetched again.
            Err(error) => tracing::warn!(error = %error, "the kept index of {name} is not usable: {error}"),
        }
    }
    Ok(None)
}

/// A second document that fills gaps. Best effort: what it would have told stays a gap.
async fn supplement(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    name: &PackageName,
    index: &FetchedDocument,
    prelude: Option<&FetchedDocument>,
) -> Option<FetchedDocument> {
    let (repository2, upstream2, name2, index2, prelude2) =
        (repository.clone(), upstream.clone(), name.clone(), index.clone(), prelude.cloned());
    let request = door
        .heavy(move || {
            let parsed = repository2
                .protocol
                .parse_index(&name2, &upstream2.base, &index2, prelude2.as_ref(), None)
                .ok()?;
            repository2.protocol.supplement_request(&name2, &upstream2.base, &*parsed, prelude2.as_ref())
        })
        .await?;
    upstream.learn_host(&request.url);
    match door.client.document(upstream, &request, None, &Validators::default()).await {
        Ok(Fetched::Document { document, validators, .. }) => {
            let now = door.clock.now();
            if let Err(error) =
                keep(door, repository, upstream, name.as_str(), SUPPLEMENT, &document, &validators, now).await
            {
                tracing::warn!(error = %error, "could not keep the supplement of {name}: {error}");
            }
            Some(document)
        }
        Ok(Fetched::NotModified) => None,
        Err(error) => {
            tracing::debug!(error = %error, "no supplement for {name}: {error}");
            None
        }
    }
}

async fn prelude(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    request: &DocumentRequest,
) -> Result<FetchedDocument, LoadError> {
    let now = door.clock.now();
    let key: Arc<str> = upstream.base.url.as_str().into();
    if let Some((document, checked)) = door.caches.preludes.get(&key)
        && now.seconds_since(checked) < PRELUDE_FRESH_SECONDS
    {
        return Ok(document);
    }
    let kept = stored(door, repository, upstream, "", PRELUDE).await?;
    if let Some(kept) = kept.as_ref().filter(|k| now.seconds_since(k.head.checked_at) < PRELUDE_FRESH_SECONDS)
    {
        let document = revive(kept.clone());
        door.caches.preludes.insert(key, (document.clone(), kept.head.checked_at));
        return Ok(document);
    }
    match door.client.document(upstream, request, None, &Validators::default()).await {
        Ok(Fetched::Document { document, validators, .. }) => {
            if let Err(error) = repository.protocol.check_prelude(&document) {
                return match kept {
                    Some(kept) => Ok(revive(kept)),
                    None => Err(broken_index(upstream, &error)),
                };
            }
            keep(door, repository, upstream, "", PRELUDE, &document, &validators, now).await?;
            door.caches.preludes.insert(key, (document.clone(), now));
            Ok(document)
        }
        Ok(Fetched::NotModified) => Err(UpstreamError::Broken {
            upstream: upstream.name.clone(),
            why: "\"not modified\" without a condition".into(),
        }
        .into()),
        // An upstream without the document it must have is broken, not an upstream without packages.
        Err(UpstreamError::Absent { upstream, status }) => Err(UpstreamError::Broken {
            upstream,
            why: format!("it has no {} (HTTP {status})", request.url.path()),
        }
        .into()),
        Err(error) => match kept {
            Some(kept) => Ok(revive(kept)),
            None => Err(error.into()),
        },
    }
}

pub(super) async fn stored(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    package: &str,
    kind: &'static str,
) -> Result<Option<StoredDocument>, LoadError> {
    let (repo, base, package) =
        (repository.name.to_string(), upstream.base.url.to_string(), package.to_owned());
    door.catalogue(move |c| {
        c.document(&DocumentKey { repository: &repo, upstream: &base, package: &package, kind })
    })
    .await
    .map_err(storage)
}

#[expect(clippy::too_many_arguments, reason = "the parts of one row, used in three places of this file")]
pub(super) async fn keep(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    package: &str,
    kind: &'static str,
    document: &FetchedDocument,
    validators: &Validators,
    now: Timestamp,
) -> Result<(), LoadError> {
    let (repo, base, package) =
        (repository.name.to_string(), upstream.base.url.to_string(), package.to_owned());
    let (document, validators) = (document.clone(), validators.clone());
    door.catalogue(move |c| {
        let digest = digest_of(&document);
        c.put_document(
            &DocumentKey { repository: &repo, upstream: &base, package: &package, kind },
            &NewDocument {
                body: &document.body,
                etag: validators.etag.as_deref(),
                last_modified: validators.last_modified.as_deref(),
                content_type: document.content_type.as_deref(),
                url: document.url.as_str(),
                digest,
                fetched_at: now,
            },
        )
    })
    .await
    .map_err(storage)
}

pub(super) fn revive(stored: StoredDocument) -> FetchedDocument {
    FetchedDocument {
        url: stored.head.url.parse().unwrap_or_else(|_| url::Url::parse("about:blank").expect("a valid URL")),
        content_type: stored.head.content_type,
        body: stored.body,
    }
}

/// The key of a document.
pub(super) const fn document_key<'a>(
    repository: &'a str,
    upstream: &'a str,
    package: &'a str,
    kind: &'static str,
) -> DocumentKey<'a> {
    DocumentKey { repository, upstream, package, kind }
}

/// Digest of a document.
fn digest_of(document: &FetchedDocument) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(&document.body).into())
}

pub(super) fn broken_index(upstream: &Upstream, error: &IndexError) -> LoadError {
    // Where a document, and not a status, says that there is no such package.
    if let IndexError::Absent { .. } = error {
        return UpstreamError::Absent { upstream: upstream.name.clone(), status: 404 }.into();
    }
    UpstreamError::Broken { upstream: upstream.name.clone(), why: error.to_string() }.into()
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(super) fn storage(error: CatalogueError) -> LoadError {
    LoadError::Storage(format!("{error}: {}", error.cause))
}
