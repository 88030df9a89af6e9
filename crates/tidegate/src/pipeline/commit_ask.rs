//! The life of an ask for one file of a commit: commit, what steers loading, then the file; decided with what is known of
//! the whole commit.

use std::sync::Arc;

use tidegate_ecosystems::{FileSelector, Part};
use tidegate_ledger::RecordError;
use tidegate_ledger::entry::CacheState;
use tidegate_model::denial::DenialKind;
use tidegate_model::{Denial, FileName, PackageName};

use super::admission::{self, Plan};
use super::artifacts::{RECHECK_BLOB_AFTER, at_hand};
use super::contents::NotInspected;
use super::decide::{Decided, Ruleset};
use super::documents::Loaded;
use super::file_ask::{
    Circumstance, Hot, HotKey, MAX_DECISIONS, cannot, circumstance, decide_blocking, hold, hot, pending,
    record_decision, refused, respond, wait_for,
};
use super::package::Package;
use super::{
    Answered, PackageRequest, Representation, Told, approved, circumstances, commits, denials, group, refuse,
};
use crate::door::Door;
use crate::provenance;

/// What a request came to.
enum Found {
    /// A decision and, where it serves, the bytes.
    File(Box<Hot>),
    /// HEAD of a file that is not here: decided on, and what its commit lists of it.
    Unfetched(Box<Decided>),
}

pub(super) async fn answer(
    door: &Arc<Door>,
    request: &PackageRequest,
    name: &PackageName,
    revision: &str,
    path: &FileName,
) -> Result<Answered, RecordError> {
    let told = |name: &PackageName| Told {
        purl: Some(tidegate_model::coordinate::package_purl(name).into()),
        file: Some(path.as_str().into()),
        ..Told::new("artifact")
    };
    let loaded = match approved::load(door, &request.repository, name, revision).await {
        Ok(loaded) => loaded,
        Err(error) => return refuse(door, request, &told(name), &commits::denial(name, revision, &error)),
    };
    let package = Arc::clone(&loaded.package);
    let Some(position) = package.position_of_file(path.as_str()) else {
        let why = format!("{} has no {path} in {}", package.name, shown(&package));
        let denial = denials::plain(DenialKind::NoSuchFile, why, "");
        return refuse(door, request, &told(&package.name), &denial);
    };
    let rules = door.rules();
    let commit = package.index.files()[position].version.as_str().to_owned();
    let selector = FileSelector::Path { revision: commit, path: path.clone() };
    let class = door.class_of(&rules, &request.identity);
    let key = HotKey::new(&request.repository, &package.name, &selector, class);
    if let Some(hot) = door.caches.hot.get(&key).filter(|hot| stands(door, request, &rules, hot)) {
        return respond(door, request, &hot, Part::Whole, circumstance(door, &loaded, false));
    }
    match resolve(door, request, &rules, &loaded, position).await {
        Ok((Found::File(hot), circumstance)) => {
            let hot = Arc::new(*hot);
            door.caches.hot.insert(key, Arc::clone(&hot));
            respond(door, request, &hot, Part::Whole, circumstance)
        }
        Ok((Found::Unfetched(decided), circumstance)) => {
            respond_unfetched(door, request, &package, position, &decided, circumstance)
        }
        Err(denial) => refuse(door, request, &told(&package.name), &denial),
    }
}

/// The beginning of a commit's id, which is what people know it by.
fn shown(package: &Package) -> String {
    let commit = package.index.files().first().map(|file| file.version.as_str()).unwrap_or_default();
    commit.chars().take(12).collect()
}

fn stands(door: &Door, request: &PackageRequest, rules: &Ruleset, hot: &Hot) -> bool {
    hot.decided.stands(rules.epoch, door.clock.now())
        // What was found meanwhile in any file of the commit counts for this one.
        && hot.changes == hot.freshness.changes()
        && hot.refused.as_ref().is_none_or(|(_, door_url)| *door_url == request.door_url)
        && hot.served.as_ref().is_none_or(|(staged, _)| {
            hot.opened_at.elapsed() < RECHECK_BLOB_AFTER && door.store.blobs.is_unharmed(&staged.blob)
        })
}

async fn resolve(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    loaded: &Loaded,
    position: usize,
) -> Result<(Found, Circumstance), Denial> {
    let package = Arc::clone(&loaded.package);
    let changes = package.freshness.changes();
    // What coordinate facts and earlier findings refuse is not fetched at all.
    let early = decide_blocking(door, request, rules, &package, position, None).await?;
    if !early.serves() {
        let refused = refused(door, request, rules, &package, position, early, None).await?;
        return Ok((
            Found::File(Box::new(refused.since(changes, Vec::new()))),
            circumstance(door, loaded, loaded.cold),
        ));
    }
    let until = tokio::time::Instant::now() + hold(door, request);
    let looking = group::ready(door, &request.repository, &package);
    match tokio::time::timeout_at(until, looking).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(error.denial()),
        Err(_) => {
            let commit = shown(&package);
            return Err(pending(format!("{} {commit} is still being looked into; ask again", package.name)));
        }
    }
    if request.method == http::Method::HEAD && !at_hand(door, &package, position).await? {
        return unfetched(door, request, rules, loaded, position).await;
    }
    checked(door, request, &package, until).await?;
    let mut rules = Arc::clone(rules);
    // The others of the commit may speak against this one, which may be large.
    let again = decide_blocking(door, request, &rules, &package, position, None).await?;
    let staged = if again.serves() {
        Some(wait_for(door, request, &package, position, Part::Whole, until).await?)
    } else {
        None
    };
    let cold = loaded.cold || staged.as_ref().is_some_and(|staged| staged.cold);
    let circumstance = circumstance(door, loaded, cold);
    let bytes = staged.as_ref().map(|staged| staged.known.clone());
    for _ in 0..MAX_DECISIONS {
        let changes = package.freshness.changes();
        let decision = decide_blocking(door, request, &rules, &package, position, bytes.clone()).await?;
        if !decision.serves() {
            let refused = refused(door, request, &rules, &package, position, decision, bytes).await?;
            return Ok((Found::File(Box::new(refused.since(changes, Vec::new()))), circumstance));
        }
        let Some(staged) = &staged else {
            // Rules changed between two decisions; whoever asks again is decided on anew.
            return Err(pending(format!("{} is being decided on anew; ask again", package.name)));
        };
        let decided =
            record_decision(door, request, &rules, &package, position, decision, bytes.clone()).await?;
        if let Some(decided) = decided {
            let (sha256, held_by) = (staged.known.sha256, request.repository.name.to_string());
            let unheld = door.catalogue(move |c| c.unhold(&sha256, &held_by)).await;
            unheld.map_err(|e| cannot(&e.to_string()))?;
            let subject = group::subject_of(&package, position, sha256);
            let (etag, headers) = said_of(request, &package, position);
            let served = Some((staged.clone(), subject));
            let hot = hot(&package, position, decided, served, None, etag, Part::Whole);
            return Ok((Found::File(Box::new(hot.since(changes, headers))), circumstance));
        }
        rules = door.rules();
    }
    Err(cannot("rules change faster than they can be applied"))
}

/// Waits until what is signed about the model was checked.
async fn checked(
    door: &Arc<Door>,
    request: &PackageRequest,
    package: &Arc<Package>,
    until: tokio::time::Instant,
) -> Result<(), Denial> {
    let checking = provenance::models::check_model(door, &request.repository, package);
    match tokio::time::timeout_at(until, checking).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(NotInspected::Storage(why))) => Err(cannot(&why)),
        Ok(Err(NotInspected::Unavailable(why))) => Err(pending(format!(
            "what is signed about {} could not be checked: {why}; ask again",
            package.name
        ))),
        Err(_) => Err(pending(format!(
            "the files of {} are still being compared with what is signed; ask again",
            package.name
        ))),
    }
}

/// The entity tag and the further headers of a file.
fn said_of(
    request: &PackageRequest,
    package: &Package,
    position: usize,
) -> (String, Vec<(http::HeaderName, http::HeaderValue)>) {
    let file = &package.index.files()[position];
    let commits = request.repository.protocol.commits();
    commits.map(|commits| (commits.etag(file), commits.file_headers(file))).unwrap_or_default()
}

/// A HEAD of a file that is not here: clients ask for the head of every file of a commit, and need not wait for gigabytes to
/// be told what its list says. The bytes are decided on when they are asked for.
async fn unfetched(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    loaded: &Loaded,
    position: usize,
) -> Result<(Found, Circumstance), Denial> {
    let package = &loaded.package;
    let circumstance = circumstance(door, loaded, loaded.cold);
    let mut rules = Arc::clone(rules);
    for _ in 0..MAX_DECISIONS {
        let changes = package.freshness.changes();
        let decision = decide_blocking(door, request, &rules, package, position, None).await?;
        if !decision.serves() {
            let refused = refused(door, request, &rules, package, position, decision, None).await?;
            return Ok((Found::File(Box::new(refused.since(changes, Vec::new()))), circumstance));
        }
        let decided = record_decision(door, request, &rules, package, position, decision, None).await?;
        if let Some(decided) = decided {
            return Ok((Found::Unfetched(Box::new(decided)), circumstance));
        }
        rules = door.rules();
    }
    Err(cannot("rules change faster than they can be applied"))
}

/// Answers a HEAD from what the commit lists. No byte of the file leaves, and none is here.
fn respond_unfetched(
    door: &Arc<Door>,
    request: &PackageRequest,
    package: &Package,
    position: usize,
    decided: &Decided,
    circumstance: Circumstance,
) -> Result<Answered, RecordError> {
    let file = &package.index.files()[position];
    let (etag, headers) = said_of(request, package, position);
    let told = Told {
        purl: Some(decided.purl.clone()),
        file: Some(file.file.as_str().into()),
        sha256: group::promised(file),
        decision: Some(decided),
        cache: Some(CacheState::Cold),
        upstream: Some(package.upstream.name.as_str().into()),
        degraded: circumstance.degraded.clone(),
        ..Told::new("artifact")
    };
    let circumstances = circumstances(door, request, &told, door.clock.now());
    let plan = Plan { status: 200, range: None, bytes: 0 };
    let admitted = admission::admit_view(&door.recorder, &circumstances, plan, bytes::Bytes::new())?;
    let representation = Representation {
        content_type: "application/octet-stream",
        etag,
        cache_control: "private, no-cache",
        vary: "Authorization",
        ranges: true,
        length: file.size.unwrap_or(0),
        degraded: circumstance.degraded,
        headers,
        ..Representation::default()
    };
    Ok(Answered::Served(admitted, representation))
}
