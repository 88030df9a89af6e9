//! The life of one index ask: document, decisions on each file, a view without what may not be selected.

use std::sync::Arc;

use tidegate_ecosystems::View;
use tidegate_ledger::RecordError;
use tidegate_ledger::entry::{CacheState, Text};
use tidegate_model::PackageName;
use tidegate_model::denial::DenialKind;

use super::admission::{self, Plan};
use super::ahead;
use super::decide::Ruleset;
use super::documents::{self, Loaded};
use super::views::{Encodings, RenderedView, Shown, ViewKey, Wanted, render};
use super::{
    Answered, PackageRequest, Representation, Told, approved, brought, circumstances, commits, denials,
    file_ask, refuse,
};
use crate::door::Door;
use crate::http::conditional;

pub(super) async fn answer(
    door: &Arc<Door>,
    request: &PackageRequest,
    name: &PackageName,
    view: &View,
) -> Result<Answered, RecordError> {
    let purl: Text = tidegate_model::coordinate::package_purl(name).into();
    let found = match request.repository.protocol.commits() {
        Some(commits) => {
            let revision = commits.revision_of(view);
            let found = approved::load(door, &request.repository, name, revision).await;
            found.map_err(|error| commits::denial(name, revision, &error))
        }
        None => {
            let found = documents::load(door, &request.repository, name).await;
            found.map_err(|error| denials::of_load_error(name.as_str(), &error))
        }
    };
    let loaded = match found {
        Ok(loaded) => loaded,
        Err(denial) => {
            return refuse(door, request, &Told { purl: Some(purl), ..Told::new("index") }, &denial);
        }
    };
    brought::load(door, &request.repository, &loaded.package).await;
    let rules = door.rules();
    let (rendered, is_new) = match rendered(door, request, &rules, &loaded, view).await {
        Ok(rendered) => rendered,
        Err(why) => {
            let denial = denials::plain(
                DenialKind::CannotRecord,
                format!("tidegate cannot show {name} now: {why}"),
                "",
            );
            return refuse(door, request, &Told { purl: Some(purl), ..Told::new("index") }, &denial);
        }
    };
    match &rendered.shown {
        Shown::Document(encodings) => {
            let protocol = request.repository.protocol;
            if is_new && protocol.commits().is_none() && protocol.catalogue().is_none() {
                ahead::begin(door, &request.repository, &loaded.package, &rules);
            }
            let source = Source {
                stale: loaded.stale.clone(),
                cold: loaded.cold,
                upstream: loaded.package.upstream.name.as_str().into(),
            };
            serve(door, request, &source, &rendered, encodings, purl).await
        }
        Shown::Withheld(position) => {
            file_ask::refuse_file(door, request, &rules, &loaded.package, *position).await
        }
        Shown::Absent(why) => {
            let in_commit = request.repository.protocol.commits().is_some();
            let kind = if in_commit { DenialKind::NoSuchFile } else { DenialKind::NotFound };
            let denial = denials::plain(kind, why.clone(), "");
            refuse(door, request, &Told { purl: Some(purl), ..Told::new("index") }, &denial)
        }
        Shown::Unknown(why) => {
            let why = format!("{why}; this is not a clean bill");
            let denial = denials::plain(DenialKind::Unavailable, why, "see `tidegate intel status`");
            refuse(door, request, &Told { purl: Some(purl), ..Told::new("index") }, &denial)
        }
    }
}

/// The view from the cache, or made now, once for all who wait; and whether it was made now.
pub(super) async fn rendered(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    loaded: &Loaded,
    view: &View,
) -> Result<(Arc<RenderedView>, bool), String> {
    let key = ViewKey {
        repository: Arc::clone(&request.repository.name),
        package: loaded.package.name.as_str().into(),
        view: view.clone(),
        links: request.links(door),
        class: door.class_of(rules, &request.identity),
    };
    if let Some(view) =
        door.caches.views.get(&key).filter(|v| v.stands(&loaded.package, rules.epoch, door.clock.now()))
    {
        return Ok((view, false));
    }
    let (door2, request2, rules2, package, key2) =
        (door.clone(), request.clone(), rules.clone(), Arc::clone(&loaded.package), key.clone());
    let flight = (key, rules.epoch, package.document, package.local_epoch());
    door.flights
        .views
        .run(flight, move || async move {
            let door3 = door2.clone();
            door2
                .heavy(move || {
                    let wanted =
                        Wanted { view: &key2.view, links: &key2.links, door_url: &request2.door_url };
                    let made =
                        render(&door3, &request2.repository, &package, &rules2, &request2.identity, &wanted)?;
                    let made = Arc::new(made);
                    door3.caches.views.insert(key2, Arc::clone(&made));
                    Ok(made)
                })
                .await
        })
        .await
        .unwrap_or_else(|| Err("rendering ended in an unforeseen way; see the log".into()))
        .map(|view| (view, true))
}

/// Where a view comes from.
pub(super) struct Source {
    pub(super) stale: Option<Arc<str>>,
    pub(super) cold: bool,
    pub(super) upstream: Text,
}

/// Records and sends a view that shows a document.
pub(super) async fn serve(
    door: &Arc<Door>,
    request: &PackageRequest,
    source: &Source,
    rendered: &Arc<RenderedView>,
    encodings: &Encodings,
    purl: Text,
) -> Result<Answered, RecordError> {
    let accepted = conditional::codings(&request.headers);
    let coding = encodings.choose(accepted.gzip, accepted.zstd);
    let etag = encodings.etag(coding);
    let wanted = conditional::document(&request.method, &request.headers, &etag);
    let whole = if wanted.status == 304 { Some(bytes::Bytes::new()) } else { encodings.ready(coding) };
    let whole = match whole {
        Some(bytes) => bytes,
        None => {
            // Compressing a large document takes tens of milliseconds; the view is in the cache, so this is done once,
            // and those who wait for it do so where waiting holds up nobody else.
            let view = Arc::clone(rendered);
            door.blocking(move || match &view.shown {
                Shown::Document(encodings) => encodings.bytes(coding),
                Shown::Withheld(_) | Shown::Absent(_) | Shown::Unknown(_) => bytes::Bytes::new(),
            })
            .await
        }
    };
    let length = whole.len() as u64;
    let body = if wanted.sends_body { whole } else { bytes::Bytes::new() };
    let degraded = door.degraded_with(source.stale.as_deref());
    let cache = match (&source.stale, source.cold) {
        (Some(_), _) => CacheState::Stale,
        (None, true) => CacheState::Cold,
        (None, false) => CacheState::Warm,
    };
    let told = Told {
        purl: Some(purl),
        cache: Some(cache),
        upstream: Some(source.upstream.clone()),
        degraded: degraded.clone(),
        ..Told::new("index")
    };
    let circumstances = circumstances(door, request, &told, door.clock.now());
    let plan = Plan { status: wanted.status, range: None, bytes: body.len() as u64 };
    let admitted = admission::admit_view(&door.recorder, &circumstances, plan, body)?;
    door.metrics.sent_bytes.inc_by(admitted.plan.bytes);
    let representation = Representation {
        content_type: encodings.content_type,
        etag,
        content_encoding: coding.as_str(),
        vary: "Accept, Accept-Encoding, Authorization",
        cache_control: "private, no-cache",
        ranges: false,
        length,
        degraded,
        warning: None,
        headers: request.repository.protocol.view_headers(),
    };
    Ok(Answered::Served(admitted, representation))
}
