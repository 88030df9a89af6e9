//! The life of a question about several packages: names, each package's own view, one answer.
//!
//! What upstream finds is read for names alone. Each package is then loaded and decided on as if it had been asked for by
//! itself, so that a search offers nothing that asking for it would refuse.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tidegate_ecosystems::{Found, Queries, Query};
use tidegate_ledger::RecordError;
use tidegate_ledger::entry::{CacheState, Text};
use tidegate_model::denial::DenialKind;
use tidegate_model::{Denial, PackageName};
use tokio::task::JoinSet;

use super::admission::{self, Plan};
use super::decide::Ruleset;
use super::documents::{self, LoadError};
use super::views::{Encodings, Shown};
use super::{
    Answered, PackageRequest, Representation, Told, brought, circumstances, denials, index_ask, refuse,
};
use crate::door::Door;
use crate::http::conditional;
use crate::upstream::{Fetched, UpstreamError, Validators};

/// How many packages of one question are asked for at a time.
const AT_A_TIME: usize = 8;

/// The view of one package, and how it was come by.
struct Entry {
    body: Bytes,
    stale: Option<Arc<str>>,
    cold: bool,
    upstream: Text,
}

pub(super) async fn answer(
    door: &Arc<Door>,
    request: &PackageRequest,
    query: &Query,
) -> Result<Answered, RecordError> {
    let Some(queries) = request.repository.protocol.queries() else {
        let denial = denials::plain(DenialKind::NotOffered, "no such questions are answered here", "");
        return refuse(door, request, &Told::new("index"), &denial);
    };
    match collected(door, request, query, queries).await {
        Ok((entries, total)) => serve(door, request, query, queries, &entries, total).await,
        Err(denial) => refuse(door, request, &Told::new("index"), &denial),
    }
}

/// An entry for each package that there is, in the order of the question and then of what upstream found.
async fn collected(
    door: &Arc<Door>,
    request: &PackageRequest,
    query: &Query,
    queries: &'static dyn Queries,
) -> Result<(Vec<Entry>, u64), Denial> {
    let found = match &query.search {
        Some(_) => searched(door, request, query, queries).await?,
        None => Found::default(),
    };
    let mut names = query.packages.clone();
    let named = names.len();
    names.extend(found.packages.into_iter().filter(|name| !query.packages.contains(name)));
    let rules = door.rules();
    let mut entries: Vec<Option<Entry>> = names.iter().map(|_| None).collect();
    let mut waiting = names.into_iter().enumerate();
    let mut running: JoinSet<(usize, Result<Option<Entry>, Denial>)> = JoinSet::new();
    loop {
        while running.len() < AT_A_TIME
            && let Some((at, name)) = waiting.next()
        {
            let (door, request, rules) = (Arc::clone(door), request.clone(), Arc::clone(&rules));
            let view = query.entry.clone();
            running.spawn(async move { (at, entry(&door, &request, &rules, &name, &view).await) });
        }
        let Some(ended) = running.join_next().await else { break };
        let (at, result) = ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        match result {
            Ok(entry) => entries[at] = entry,
            // What was asked for by name must not look as if it were not there.
            Err(denial) if at < named => return Err(denial),
            Err(denial) => {
                tracing::warn!("left out of the answer to a search: {}", denial.reason);
            }
        }
    }
    Ok((entries.into_iter().flatten().collect(), found.total))
}

/// The view of one package; none where there is no such package, or nothing of it may be selected.
async fn entry(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    name: &PackageName,
    view: &tidegate_ecosystems::View,
) -> Result<Option<Entry>, Denial> {
    let loaded = match documents::load(door, &request.repository, name).await {
        Ok(loaded) => loaded,
        Err(LoadError::Private(_) | LoadError::Upstream(UpstreamError::Absent { .. })) => return Ok(None),
        Err(error) => return Err(denials::of_load_error(name.as_str(), &error)),
    };
    brought::load(door, &request.repository, &loaded.package).await;
    let (rendered, _) = index_ask::rendered(door, request, rules, &loaded, view).await.map_err(|why| {
        denials::plain(DenialKind::CannotRecord, format!("tidegate cannot show {name} now: {why}"), "")
    })?;
    Ok(match &rendered.shown {
        Shown::Document(encodings) => Some(Entry {
            body: encodings.identity.clone(),
            stale: loaded.stale.clone(),
            cold: loaded.cold,
            upstream: loaded.package.upstream.name.as_str().into(),
        }),
        Shown::Withheld(_) | Shown::Absent(_) | Shown::Unknown(_) => None,
    })
}

/// What the first upstream that can be searched finds. What names something private is not told to anybody.
async fn searched(
    door: &Arc<Door>,
    request: &PackageRequest,
    query: &Query,
    queries: &'static dyn Queries,
) -> Result<Found, Denial> {
    let repository = &request.repository;
    if repository.upstreams.is_empty() {
        return Err(denials::plain(DenialKind::Unavailable, repository.not_configured.clone(), ""));
    }
    let parameters = query.search.iter().flat_map(|search| &search.parameters);
    if parameters.into_iter().any(|(_, value)| repository.mentions_private(value)) {
        let why = "this search names something private, so it stays here";
        return Err(denials::plain(DenialKind::NotOffered, why, ""));
    }
    let mut last = denials::plain(DenialKind::NotOffered, "no upstream can be searched", "");
    for upstream in &repository.upstreams {
        let Some(asked) = queries.search_request(query, &upstream.base) else { continue };
        match door.client.document(upstream, &asked, None, &Validators::default()).await {
            Ok(Fetched::Document { document, .. }) => {
                let read = queries.read_found(query, &document);
                return read.map_err(|e| denials::plain(DenialKind::UpstreamBroken, e.to_string(), ""));
            }
            Ok(Fetched::NotModified) | Err(UpstreamError::Absent { .. }) => {}
            Err(error) => last = denials::of_upstream_error("a search", &error),
        }
    }
    Err(last)
}

async fn serve(
    door: &Arc<Door>,
    request: &PackageRequest,
    query: &Query,
    queries: &'static dyn Queries,
    entries: &[Entry],
    total: u64,
) -> Result<Answered, RecordError> {
    let bodies: Vec<Bytes> = entries.iter().map(|entry| entry.body.clone()).collect();
    let query = query.clone();
    let accepted = conditional::codings(&request.headers);
    let (encodings, coding, whole) = door
        .blocking(move || {
            let encodings = Encodings::new("application/json", queries.compose(&query, &bodies, total));
            let coding = encodings.choose(accepted.gzip, accepted.zstd);
            let whole = encodings.bytes(coding);
            (encodings, coding, whole)
        })
        .await;
    let etag = encodings.etag(coding);
    // A POST asks a question anew, whatever its headers say of an answer before.
    let wanted = match request.method {
        Method::GET | Method::HEAD => conditional::document(&request.method, &request.headers, &etag),
        _ => conditional::document(&Method::GET, &HeaderMap::new(), &etag),
    };
    let length = whole.len() as u64;
    let body = if wanted.sends_body { whole } else { Bytes::new() };
    let stale = entries.iter().find_map(|entry| entry.stale.as_deref());
    let degraded = door.degraded_with(stale);
    let cache = match stale {
        Some(_) => CacheState::Stale,
        None if entries.iter().any(|entry| entry.cold) => CacheState::Cold,
        None => CacheState::Warm,
    };
    let told = Told {
        cache: Some(cache),
        upstream: entries.first().map(|entry| entry.upstream.clone()),
        degraded: degraded.clone(),
        ..Told::new("index")
    };
    let circumstances = circumstances(door, request, &told, door.clock.now());
    let plan = Plan { status: wanted.status, range: None, bytes: body.len() as u64 };
    let admitted = admission::admit_view(&door.recorder, &circumstances, plan, body)?;
    door.metrics.sent_bytes.inc_by(admitted.plan.bytes);
    let representation = Representation {
        content_type: "application/json",
        etag,
        content_encoding: coding.as_str(),
        vary: "Accept, Accept-Encoding, Authorization",
        cache_control: "private, no-cache",
        length,
        degraded,
        ..Representation::default()
    };
    Ok(Answered::Served(admitted, representation))
}
