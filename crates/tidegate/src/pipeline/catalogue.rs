//! Registries that list all of their packages: followed page by page, kept as one document, which is the index of each of them.
//!
//! It is asked about as an index is: used for a while, refreshed behind, used for longer where upstream fails. Between two full
//! readings only what changed is asked for. A list that shows something and the answer about that one thing come from the same
//! document, so they cannot disagree.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use sha2::Digest as _;
use tidegate_ecosystems::catalogue::MAX_PAGES;
use tidegate_ecosystems::{Catalogue, FetchedDocument};
use tidegate_model::{PackageName, Sha256, Timestamp};

use super::documents::{self, Documents, LoadError, Loaded};
use super::package::{Freshness, Package};
use super::parts;
use crate::door::{Door, Repository};
use crate::inspection::Seen;
use crate::upstream::{Fetched, Upstream, UpstreamError, Validators};

/// The kind under which a list is kept.
const LIST: &str = "list";
/// Seconds between two full readings; between them only changes are asked for, and what upstream took away silently shows.
const FULL_EVERY_SECONDS: i64 = 3_600;
/// Seconds by which changes are asked for again: clocks of upstreams that are several machines differ.
const OVERLAP_SECONDS: i64 = 300;
/// Seconds between two attempts to refresh a list that is in use.
const RETRY_REFRESH_SECONDS: i64 = 2;
/// A list younger than this is not asked for again because of a package that it does not hold, in seconds.
const RECHECK_SECONDS: i64 = 5;
/// The most bytes of all pages of one list.
const MAX_LIST_BYTES: usize = 256 << 20;

/// What a repository's upstreams list.
#[derive(Debug)]
pub struct Catalogued {
    /// Its packages by name.
    pub packages: BTreeMap<PackageName, Arc<Package>>,
    /// Digest of what they were read from.
    pub document: Sha256,
    /// How current it is.
    pub freshness: Freshness,
    /// When all of it was last read, in milliseconds; 0 where that was before this process began.
    full_at: AtomicI64,
    /// The latest change that each upstream spoke of.
    newest: Vec<Option<Timestamp>>,
    /// When the packages that its packages are made of were last asked for, in milliseconds.
    pub(super) followed_at: AtomicI64,
}

impl Catalogued {
    /// What changed here about its packages and what they are made of, as one number.
    pub fn local_epoch(&self) -> u64 {
        let packages = self.packages.values().map(|package| package.local_epoch());
        packages.fold(0u64, |all, one| all.rotate_left(7).wrapping_add(one))
    }
}

/// A repository's list, and how current it is.
#[derive(Clone, Debug)]
pub struct LoadedList {
    /// The list.
    pub list: Arc<Catalogued>,
    /// Set where upstream failed and this is what it said before.
    pub stale: Option<Arc<str>>,
    /// Whether upstream was asked for this answer.
    pub cold: bool,
}

/// The list of a repository, from memory, from disk or from upstream.
///
/// # Errors
/// [`LoadError`].
pub async fn load(door: &Arc<Door>, repository: &Arc<Repository>) -> Result<LoadedList, LoadError> {
    if repository.upstreams.is_empty() {
        return Err(LoadError::NotConfigured(repository.not_configured.clone()));
    }
    let Some(list) = at_hand(door, repository).await? else {
        let list = refresh(door, repository).await?;
        return Ok(LoadedList { list, stale: None, cold: true });
    };
    let settings = &door.config.cache;
    let age = door.clock.now().seconds_since(list.freshness.checked_at());
    if age < settings.fresh_seconds as i64 {
        return Ok(LoadedList { list, stale: None, cold: false });
    }
    if age < (settings.fresh_seconds + settings.stale_while_revalidate_seconds) as i64 {
        begin_refresh(door, repository, &list);
        return Ok(LoadedList { list, stale: None, cold: false });
    }
    match refresh(door, repository).await {
        Ok(list) => Ok(LoadedList { list, stale: None, cold: true }),
        Err(error) if age < settings.stale_if_error_seconds as i64 => {
            tracing::warn!(error = %error, "serving the last known list of {}: {error}", repository.name);
            Ok(LoadedList { list, stale: Some(error.to_string().into()), cold: false })
        }
        Err(error) => Err(error),
    }
}

/// One package of the list, with what is known of what it is made of.
///
/// # Errors
/// [`LoadError`].
pub async fn load_one(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Loaded, LoadError> {
    let mut loaded = load(door, repository).await?;
    let age = door.clock.now().seconds_since(loaded.list.freshness.checked_at());
    if !loaded.list.packages.contains_key(name) && age > RECHECK_SECONDS && loaded.stale.is_none() {
        // It may be new.
        loaded = LoadedList { list: refresh(door, repository).await?, stale: None, cold: true };
    }
    let LoadedList { list, stale, cold } = loaded;
    match list.packages.get(name) {
        Some(package) => {
            parts::gather(door, package).await;
            Ok(Loaded { package: Arc::clone(package), stale, cold })
        }
        None if repository.upstreams_for(name).is_empty() => Err(LoadError::Private(name.clone())),
        // A list that could not be refreshed cannot say that something does not exist.
        None => match stale {
            Some(why) => Err(broken(&repository.upstreams[0], format!("it does not answer ({why})"))),
            None => {
                Err(UpstreamError::Absent { upstream: repository.upstreams[0].name.clone(), status: 404 }
                    .into())
            }
        },
    }
}

/// One package of the list as it is known here, without asking anybody; none where nothing is known.
///
/// # Errors
/// [`LoadError`].
pub async fn known_one(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Option<Loaded>, LoadError> {
    let Some(list) = at_hand(door, repository).await? else { return Ok(None) };
    let Some(package) = list.packages.get(name) else { return Ok(None) };
    let age = door.clock.now().seconds_since(list.freshness.checked_at());
    let settings = &door.config.cache;
    let stale = (age >= (settings.fresh_seconds + settings.stale_while_revalidate_seconds) as i64)
        .then(|| format!("last checked {}", list.freshness.checked_at().to_minute()).into());
    Ok(Some(Loaded { package: Arc::clone(package), stale, cold: false }))
}

/// Asks upstream now for what changed, whatever the age of what is held, for one package.
///
/// # Errors
/// [`LoadError`].
pub async fn reload_one(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    name: &PackageName,
) -> Result<Loaded, LoadError> {
    refresh(door, repository).await?;
    load_one(door, repository, name).await
}

/// Begins to refresh a list of which only files are asked for.
pub fn keep_fresh(door: &Arc<Door>, repository: &Arc<Repository>) {
    let Some(list) = door.caches.lists.get(&repository.name) else { return };
    let age = door.clock.now().seconds_since(list.freshness.checked_at());
    if age >= door.config.cache.fresh_seconds as i64 {
        begin_refresh(door, repository, &list);
    }
}

fn begin_refresh(door: &Arc<Door>, repository: &Arc<Repository>, list: &Arc<Catalogued>) {
    if !list.freshness.claim_refresh(door.clock.now(), RETRY_REFRESH_SECONDS) {
        return;
    }
    let (door2, repository2) = (Arc::clone(door), Arc::clone(repository));
    door.flights.lists.start(Arc::clone(&repository.name), move || async move {
        let result = ask(&door2, &repository2).await;
        if let Err(error) = &result {
            tracing::warn!(error = %error, "could not refresh the list of {}: {error}", repository2.name);
        }
        result
    });
}

async fn refresh(door: &Arc<Door>, repository: &Arc<Repository>) -> Result<Arc<Catalogued>, LoadError> {
    let (door2, repository2) = (Arc::clone(door), Arc::clone(repository));
    let flight = door
        .flights
        .lists
        .run(Arc::clone(&repository.name), move || async move { ask(&door2, &repository2).await });
    let unforeseen =
        || LoadError::Storage("reading the list failed in an unforeseen way; see the log".into());
    flight.await.unwrap_or_else(|| Err(unforeseen()))
}

/// The list from memory or disk.
async fn at_hand(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
) -> Result<Option<Arc<Catalogued>>, LoadError> {
    if let Some(list) = door.caches.lists.get(&repository.name) {
        return Ok(Some(list));
    }
    let mut sources = Vec::new();
    for upstream in &repository.upstreams {
        let Some(kept) = documents::stored(door, repository, upstream, "", LIST).await? else {
            return Ok(None);
        };
        let (fetched_at, checked_at) = (kept.head.fetched_at, kept.head.checked_at);
        let document = kept.body.clone();
        sources.push(Source {
            upstream: Arc::clone(upstream),
            document,
            fetched_at,
            checked_at,
            newest: None,
        });
    }
    match build(door, repository, sources, None).await {
        Ok(list) => {
            door.caches.lists.insert(Arc::clone(&repository.name), Arc::clone(&list));
            Ok(Some(list))
        }
        // A list that this version can no longer read is fetched again.
        Err(error) => {
            tracing::warn!(error = %error, "the kept list of {} is not usable: {error}", repository.name);
            Ok(None)
        }
    }
}

/// What one upstream lists.
struct Source {
    upstream: Arc<Upstream>,
    document: Bytes,
    fetched_at: Timestamp,
    checked_at: Timestamp,
    newest: Option<Timestamp>,
}

fn broken(upstream: &Upstream, why: impl Into<String>) -> LoadError {
    UpstreamError::Broken { upstream: upstream.name.clone(), why: why.into() }.into()
}

/// Asks every upstream. One that fails fails all: a list without its names would let another answer for them.
async fn ask(door: &Arc<Door>, repository: &Arc<Repository>) -> Result<Arc<Catalogued>, LoadError> {
    let held = door.caches.lists.get(&repository.name);
    let now = door.clock.now();
    let full_at = held.as_ref().map_or(0, |held| held.full_at.load(Ordering::Relaxed));
    let is_full = now.unix_millis() - full_at >= FULL_EVERY_SECONDS * 1000;
    let mut sources = Vec::new();
    for (n, upstream) in repository.upstreams.iter().enumerate() {
        let newest = held.as_ref().and_then(|held| *held.newest.get(n)?);
        let since = newest.filter(|_| !is_full).map(|newest| newest.plus_seconds(-OVERLAP_SECONDS));
        sources.push(follow(door, repository, upstream, since).await?);
    }
    let list = build(door, repository, sources, held.as_deref()).await?;
    list.full_at.store(if is_full { now.unix_millis() } else { full_at }, Ordering::Relaxed);
    if let Some(held) = &held {
        for (name, before) in &held.packages {
            if list.packages.get(name).is_none_or(|package| !Arc::ptr_eq(package, before)) {
                before.freshness.supersede();
            }
        }
    }
    door.caches.lists.insert(Arc::clone(&repository.name), Arc::clone(&list));
    Ok(list)
}

/// Reads the pages of one upstream's list, and keeps what they come to with what was known before.
async fn follow(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    upstream: &Arc<Upstream>,
    since: Option<Timestamp>,
) -> Result<Source, LoadError> {
    let catalogue = catalogue_of(repository)?;
    let before = match since {
        Some(_) => documents::stored(door, repository, upstream, "", LIST).await?.map(|kept| kept.body),
        None => None,
    };
    let since = since.filter(|_| before.is_some());
    let (mut pages, mut bytes, mut cursor) = (Vec::new(), 0, None::<String>);
    let mut seen = HashSet::new();
    let mut first = None;
    loop {
        let request = catalogue.page_request(&upstream.base, cursor.as_deref(), since);
        let document = match door.client.document(upstream, &request, None, &Validators::default()).await {
            Ok(Fetched::Document { document, .. }) => document,
            Ok(Fetched::NotModified) => return Err(broken(upstream, "\"not modified\" without a condition")),
            // Without its list it is no such registry, and says nothing of what exists.
            Err(UpstreamError::Absent { status, .. }) => {
                return Err(broken(upstream, format!("it has no {} (HTTP {status})", request.url.path())));
            }
            Err(error) => return Err(error.into()),
        };
        bytes += document.body.len();
        cursor = catalogue.next_page(&document.body).map_err(|e| documents::broken_index(upstream, &e))?;
        pages.push(document.body.clone());
        first.get_or_insert(document);
        let Some(next) = &cursor else { break };
        if pages.len() == MAX_PAGES || bytes > MAX_LIST_BYTES {
            return Err(broken(upstream, "its list has more than 2,000 pages or 256 MiB"));
        }
        if !seen.insert(next.clone()) {
            return Err(broken(upstream, "its list goes round in a circle"));
        }
    }
    let merged = door.heavy(move || catalogue.merge(before.as_deref(), &pages)).await;
    let merged = merged.map_err(|e| documents::broken_index(upstream, &e))?;
    if merged.skipped > 0 {
        tracing::warn!("{} entries of {} cannot be used and are left out", merged.skipped, upstream.name);
    }
    let now = door.clock.now();
    if let Some(page) = first {
        let kept = FetchedDocument { body: merged.document.clone(), ..page };
        documents::keep(door, repository, upstream, "", LIST, &kept, &Validators::default(), now).await?;
    }
    Ok(Source {
        upstream: Arc::clone(upstream),
        document: merged.document,
        fetched_at: now,
        checked_at: now,
        newest: merged.newest,
    })
}

fn catalogue_of(repository: &Repository) -> Result<&'static dyn Catalogue, LoadError> {
    repository.protocol.catalogue().ok_or_else(|| LoadError::NotConfigured("it has no list".into()))
}

/// Parses what changed, off the executor; packages whose part of the list is the same stay as they are.
async fn build(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    sources: Vec<Source>,
    held: Option<&Catalogued>,
) -> Result<Arc<Catalogued>, LoadError> {
    let catalogue = catalogue_of(repository)?;
    let (door2, repository2) = (Arc::clone(door), Arc::clone(repository));
    let before = held.map(|held| held.packages.clone()).unwrap_or_default();
    door.heavy(move || {
        let mut packages: BTreeMap<PackageName, Arc<Package>> = BTreeMap::new();
        let mut digest = sha2::Sha256::new();
        let mut checked_at = door2.clock.now();
        for source in &sources {
            checked_at = checked_at.min(source.checked_at);
            digest.update(sha2::Sha256::digest(&source.document));
            let split = catalogue.split(&source.document);
            for (name, body) in split.map_err(|e| documents::broken_index(&source.upstream, &e))? {
                let owns =
                    repository2.upstreams_for(&name).iter().any(|one| Arc::ptr_eq(one, &source.upstream));
                if !owns || packages.contains_key(&name) {
                    continue;
                }
                let same = before.get(&name).filter(|package| {
                    package.document == Sha256::new(sha2::Sha256::digest(&body).into())
                        && Arc::ptr_eq(&package.upstream, &source.upstream)
                });
                let package = match same {
                    Some(package) => Ok(Arc::clone(package)),
                    None => one(&door2, &repository2, source, &name, body),
                };
                match package {
                    Ok(package) => {
                        package.freshness.set_checked_at(source.checked_at);
                        packages.insert(name, package);
                    }
                    Err(LoadError::Storage(why)) => return Err(LoadError::Storage(why)),
                    Err(error) => tracing::warn!(error = %error, "{name} is left out: {error}"),
                }
            }
        }
        Ok(Arc::new(Catalogued {
            packages,
            document: Sha256::new(digest.finalize().into()),
            freshness: Freshness::new(checked_at),
            full_at: AtomicI64::new(0),
            newest: sources.iter().map(|source| source.newest).collect(),
            followed_at: AtomicI64::new(0),
        }))
    })
    .await
}

/// One package of a list. Its listings are judged here: they are texts, and texts are all there is of them.
fn one(
    door: &Door,
    repository: &Repository,
    source: &Source,
    name: &PackageName,
    body: Bytes,
) -> Result<Arc<Package>, LoadError> {
    let url = source.upstream.base.url.clone();
    let documents = Documents {
        index: FetchedDocument { url, content_type: None, body },
        prelude: None,
        supplement: None,
        fetched_at: source.fetched_at,
        checked_at: source.checked_at,
        source: None,
        freshness: None,
    };
    let mut package = documents::parsed(door, repository, &source.upstream, name, &documents)?;
    package.listings = listings(&package);
    super::alarms::raise_for_changed(door, &package);
    Ok(Arc::new(package))
}

/// What was seen in each listing, by the digest under which it counts as a file of its version.
fn listings(package: &Package) -> BTreeMap<usize, (Sha256, Seen)> {
    let mut seen = BTreeMap::new();
    let mut last = None;
    for (position, file) in package.index.files().iter().enumerate() {
        let Some(digest) = super::group::promised(file).filter(|_| last != Some(file.version.as_str()))
        else {
            continue;
        };
        let Some(object) = package.index.version_object(position) else { continue };
        last = Some(file.version.as_str());
        let read = serde_json::from_slice(object).map(|listing| tidegate_inspect::mcp::listing(&listing));
        let of_it = match read {
            Ok((verdict, findings)) => Seen { verdict, ..Seen::of_findings(findings) },
            Err(error) => Seen::failed(error.to_string()),
        };
        seen.insert(position, (digest, of_it));
    }
    seen
}
