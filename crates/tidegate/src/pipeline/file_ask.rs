//! The life of one artifact ask: index, stage, decide, record, admit.

use std::sync::Arc;
use std::time::Duration;

use tidegate_ecosystems::{FileSelector, Part};
use tidegate_ledger::RecordError;
use tidegate_ledger::entry::{CacheState, Text};
use tidegate_model::decision::Decision;
use tidegate_model::denial::DenialKind;
use tidegate_model::{Action, Denial, Ecosystem, PackageName, Subject};
use tidegate_sys::map::FileBytes;

use super::admission::{self, Plan};
use super::artifacts::{RECHECK_BLOB_AFTER, Staged, pinned_name, stage, subject_of};
use super::brought;
use super::contents::{self, NotInspected};
use super::decide::{Decided, Ruleset, decide_file, name_decision};
use super::documents::{self, LoadError, Loaded};
use super::facts::{BytesKnown, LocalState, Question};
use super::package::{Freshness, Package};
use super::{Answered, PackageRequest, Representation, Told, circumstances, denials, refuse, views};
use crate::door::{Door, Repository};
use crate::http::conditional;
use crate::provenance;

/// What one request for a file came to, kept so that the next needs no look-up.
#[derive(Debug)]
pub struct Hot {
    /// How current the package is that it was decided with. Not the package itself: thousands of decided files would
    /// keep thousands of indexes in memory, whatever the cache's budget.
    pub freshness: Arc<Freshness>,
    /// The decision.
    pub decided: Decided,
    /// The bytes and their subject, where the decision serves.
    pub served: Option<(Staged, Subject)>,
    /// What is said, where it does not; with the address of the door that stands in it.
    pub refused: Option<(Denial, String)>,
    /// What had changed about the package when it was decided: for those whose files are decided on together, and for what
    /// stands beside a file.
    pub changes: u64,
    /// Headers that clients of the ecosystem need.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
    /// What the bytes are served as.
    pub content_type: &'static str,
    pub(super) opened_at: std::time::Instant,
    etag: String,
    purl: Text,
    file: Text,
    upstream: Text,
}

/// Names what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HotKey {
    repository: Arc<str>,
    package: PackageName,
    file: FileSelector,
    part: Part,
    class: u64,
}

impl Hot {
    /// The same of something that is decided on with others: what had changed about them, and what heads of it need.
    pub(super) fn since(mut self, changes: u64, headers: Vec<(http::HeaderName, http::HeaderValue)>) -> Self {
        (self.changes, self.headers) = (changes, headers);
        self
    }
}

impl HotKey {
    /// The key of a whole file.
    pub(super) fn new(
        repository: &Repository,
        package: &PackageName,
        file: &FileSelector,
        class: u64,
    ) -> Self {
        let (package, file) = (package.clone(), file.clone());
        Self { repository: Arc::clone(&repository.name), package, file, part: Part::Whole, class }
    }
}

/// How often one answer is decided anew because other rules came into force meanwhile.
pub(super) const MAX_DECISIONS: usize = 8;
/// An index younger than this is not asked for again because of a file it does not list, in seconds.
const RECHECK_SECONDS: i64 = 5;

pub(super) async fn answer(
    door: &Arc<Door>,
    request: &PackageRequest,
    name: &PackageName,
    selector: &FileSelector,
    part: Part,
) -> Result<Answered, RecordError> {
    let rules = door.rules();
    let key = HotKey {
        repository: Arc::clone(&request.repository.name),
        package: name.clone(),
        file: selector.clone(),
        part,
        class: door.class_of(&rules, &request.identity),
    };
    if let Some(hot) = door.caches.hot.get(&key)
        && hot.decided.stands(rules.epoch, door.clock.now())
        && !hot.freshness.is_superseded()
        // What was found in the file since counts for what stands beside it too.
        && (part == Part::Whole || hot.changes == hot.freshness.changes())
        && hot.refused.as_ref().is_none_or(|(_, door_url)| *door_url == request.door_url)
        && hot.served.as_ref().is_none_or(|(staged, _)| {
            hot.opened_at.elapsed() < RECHECK_BLOB_AFTER && door.store.blobs.is_unharmed(&staged.blob)
        })
    {
        documents::keep_fresh(door, &request.repository, name, &hot.freshness);
        return respond(door, request, &hot, part, Circumstance::warm(door));
    }
    match resolve(door, request, &rules, name, selector, part).await {
        Ok((hot, circumstance)) => {
            let hot = Arc::new(hot);
            door.caches.hot.insert(key, Arc::clone(&hot));
            respond(door, request, &hot, part, circumstance)
        }
        Err(denial) => {
            let told = Told {
                purl: Some(tidegate_model::coordinate::package_purl(name).into()),
                ..Told::new(operation(part))
            };
            refuse(door, request, &told, &denial)
        }
    }
}

/// How this answer came about, beyond what is kept for the next one.
#[derive(Clone, Debug)]
pub(super) struct Circumstance {
    cache: CacheState,
    pub(super) degraded: Arc<[Text]>,
}

impl Circumstance {
    fn warm(door: &Door) -> Self {
        Self { cache: CacheState::Warm, degraded: door.degraded() }
    }
}

const fn operation(part: Part) -> &'static str {
    match part {
        Part::Whole => "artifact",
        Part::Metadata | Part::Companion(_) => "metadata",
    }
}

/// Whether upstream announces a part of a file.
fn is_announced(package: &Package, position: usize, part: Part) -> bool {
    match part {
        Part::Whole => true,
        Part::Metadata => package.index.files()[position].metadata_sidecar.is_some(),
        Part::Companion(companion) => package.index.companion(position, companion).is_some(),
    }
}

/// Finds the file, decides without its bytes, stages it, decides with them.
async fn resolve(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    name: &PackageName,
    selector: &FileSelector,
    part: Part,
) -> Result<(Hot, Circumstance), Denial> {
    let (loaded, position) = find(door, request, name, selector).await?;
    let package = Arc::clone(&loaded.package);
    brought::load(door, &request.repository, &package).await;
    if !is_announced(&package, position, part) {
        let file = pinned_name(package.index.files()[position].file.as_str(), part);
        return Err(denials::plain(DenialKind::NotFound, format!("the index announces no {file}"), ""));
    }
    let changes = package.freshness.changes();
    // What coordinate facts refuse is not fetched at all.
    let early = decide_blocking(door, request, rules, &package, position, None).await?;
    if !early.serves() {
        return Ok((
            refused(door, request, rules, &package, position, early, None).await?.since(changes, Vec::new()),
            circumstance(door, &loaded, loaded.cold),
        ));
    }
    let until = tokio::time::Instant::now() + hold(door, request);
    let staged = wait_for(door, request, &package, position, part, until).await?;
    let cold = staged.cold || loaded.cold;
    // The sidecar's bytes say nothing of the file's: it is decided on as without bytes.
    let bytes = (part == Part::Whole).then(|| staged.known.clone());
    let circumstance = circumstance(door, &loaded, cold);
    let mut rules = Arc::clone(rules);
    let mut decided = None;
    for _ in 0..MAX_DECISIONS {
        let decision = decide_blocking(door, request, &rules, &package, position, bytes.clone()).await?;
        if !decision.serves() {
            let refused = refused(door, request, &rules, &package, position, decision, bytes).await?;
            return Ok((refused.since(changes, Vec::new()), circumstance));
        }
        decided = record_decision(door, request, &rules, &package, position, decision, bytes.clone()).await?;
        if decided.is_some() {
            break;
        }
        // Fetching may take minutes; what came into force meanwhile counts.
        rules = door.rules();
    }
    let decided = decided.ok_or_else(|| cannot("rules change faster than they can be applied"))?;
    let (sha256, held_by) = (staged.known.sha256, request.repository.name.to_string());
    door.catalogue(move |c| c.unhold(&sha256, &held_by)).await.map_err(|e| cannot(&e.to_string()))?;
    let subject = subject_of(&package, position, staged.known.sha256);
    let etag = format!("\"{}\"", staged.known.sha256.hex());
    let hot = hot(&package, position, decided, Some((staged, subject)), None, etag, part);
    Ok((hot.since(changes, Vec::new()), circumstance))
}

pub(super) fn circumstance(door: &Door, loaded: &Loaded, cold: bool) -> Circumstance {
    let cache = match (&loaded.stale, cold) {
        (Some(_), _) => CacheState::Stale,
        (None, true) => CacheState::Cold,
        (None, false) => CacheState::Warm,
    };
    Circumstance { cache, degraded: door.degraded_with(loaded.stale.as_deref()) }
}

pub(super) fn hot(
    package: &Package,
    position: usize,
    decided: Decided,
    served: Option<(Staged, Subject)>,
    refused: Option<(Denial, String)>,
    etag: String,
    part: Part,
) -> Hot {
    let listed = &package.index.files()[position];
    let file = pinned_name(listed.file.as_str(), part);
    Hot {
        purl: decided.purl.clone(),
        file: file.into(),
        upstream: package.upstream.name.as_str().into(),
        freshness: Arc::clone(&package.freshness),
        decided,
        served,
        refused,
        changes: 0,
        headers: Vec::new(),
        content_type: content_type(part),
        opened_at: std::time::Instant::now(),
        etag,
    }
}

/// The package and the position of the file in it. A file that the index we hold does not list may be new: then the
/// upstream is asked once more.
async fn find(
    door: &Arc<Door>,
    request: &PackageRequest,
    name: &PackageName,
    selector: &FileSelector,
) -> Result<(Loaded, usize), Denial> {
    let position = |package: &Package| match selector {
        FileSelector::Name(file) => package.position_of_file(file.as_str()),
        FileSelector::Version(version) => package.position_of_version(version),
        FileSelector::Path { path, .. } => package.position_of_file(path.as_str()),
        // Images are answered elsewhere.
        FileSelector::Manifest(_) | FileSelector::Blob(_) => None,
    };
    let denied = |error: LoadError| denials::of_load_error(name.as_str(), &error);
    let loaded = documents::load(door, &request.repository, name).await.map_err(denied)?;
    if let Some(at) = position(&loaded.package) {
        return Ok((loaded, at));
    }
    let age = door.clock.now().seconds_since(loaded.package.freshness.checked_at());
    let loaded = if age > RECHECK_SECONDS && loaded.stale.is_none() {
        documents::reload(door, &request.repository, name, &loaded.package).await.map_err(denied)?
    } else {
        loaded
    };
    position(&loaded.package).map(|at| (loaded.clone(), at)).ok_or_else(|| {
        let what = match selector {
            FileSelector::Name(file) => file.to_string(),
            FileSelector::Version(version) => format!("{name} {}", version.escape_debug()),
            FileSelector::Path { path, .. } => path.to_string(),
            FileSelector::Manifest(reference) => reference.clone(),
            FileSelector::Blob(digest) => digest.to_string(),
        };
        match loaded.stale {
            // An index that could not be refreshed cannot say that something does not exist.
            Some(why) => denials::plain(
                DenialKind::UpstreamBroken,
                format!("tidegate does not know {what}: {why}"),
                "",
            ),
            None => denials::plain(
                DenialKind::NotFound,
                format!("{} lists no {what}", loaded.package.upstream.name),
                "",
            ),
        }
    })
}

/// Waits for the bytes as long as this ecosystem's clients bear it; the work goes on behind.
pub(super) async fn wait_for(
    door: &Arc<Door>,
    request: &PackageRequest,
    package: &Arc<Package>,
    position: usize,
    part: Part,
    until: tokio::time::Instant,
) -> Result<Staged, Denial> {
    let file = &package.index.files()[position].file;
    let staged =
        match tokio::time::timeout_at(until, stage(door, &request.repository, package, position, part)).await
        {
            Ok(Ok(staged)) => staged,
            Ok(Err(error)) => return Err(denials::of_upstream_error(file.as_str(), &error)),
            Err(_) => {
                let what = format!("{file} is still on its way from {}; ask again", package.upstream.name);
                return Err(pending(what));
            }
        };
    if part == Part::Whole {
        let looking = async {
            let looked = contents::look(door, &request.repository, package, position, &staged);
            let checked = provenance::check(door, &request.repository, package, position, &staged.known);
            // Side by side: one waits for workers, the other for upstream.
            let (looked, checked) = tokio::join!(looked, checked);
            looked.and(checked)
        };
        match tokio::time::timeout_at(until, looking).await {
            Ok(Ok(())) => {}
            Ok(Err(NotInspected::Storage(why))) => return Err(cannot(&why)),
            Ok(Err(NotInspected::Unavailable(why))) => {
                return Err(pending(format!("{file} could not be looked into: {why}; ask again")));
            }
            Err(_) => return Err(pending(format!("{file} is still being looked into; ask again"))),
        }
    }
    Ok(staged)
}

pub(super) fn pending(what: String) -> Denial {
    denials::plain(
        DenialKind::Pending { retry_after_seconds: 5 },
        what,
        "The first download of a file is held until it is whole, checked and looked into.",
    )
}

/// How long whoever asks is kept waiting.
pub(super) fn hold(door: &Door, request: &PackageRequest) -> Duration {
    let configured = door.config.upstream.hold_seconds;
    configured.map_or_else(|| hold_of(request.repository.ecosystem), Duration::from_secs)
}

/// How long clients wait for a first byte before they give up or ask again: pip gives up a read after 15 s, cargo and uv
/// after 30 s, npm after 5 minutes.
const fn hold_of(ecosystem: Ecosystem) -> Duration {
    match ecosystem {
        Ecosystem::Npm => Duration::from_secs(120),
        Ecosystem::Pypi => Duration::from_secs(12),
        Ecosystem::Cargo => Duration::from_secs(25),
        // Ten seconds for a head and between two reads of a body, unless its variables say otherwise.
        Ecosystem::Huggingface => Duration::from_secs(8),
        // They bear more, and ask again by themselves: the connection is not kept for nothing.
        Ecosystem::Oci => Duration::from_secs(10),
        // Editors wait for as long as a connection lives; the command line for as long as its user does.
        Ecosystem::Vscode => Duration::from_secs(120),
        // Its clients are editors, whose requests end after half a minute.
        Ecosystem::Mcp => Duration::from_secs(20),
    }
}

pub(super) async fn decide_blocking(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    package: &Arc<Package>,
    position: usize,
    bytes: Option<BytesKnown>,
) -> Result<Decision, Denial> {
    let (door2, rules, package, request) = (door.clone(), rules.clone(), package.clone(), request.clone());
    door.blocking(move || {
        let mut local = LocalState::read(&door2, &package).map_err(|e| cannot(&e.to_string()))?;
        let asker = (&request.identity.principal, request.identity.client_name.as_deref());
        let now = door2.clock.now();
        local.brought = brought::judge(&door2, &request.repository, &package, &rules, asker, now)
            .map_err(|why| cannot(&why))?;
        let question = question(&request, &rules, &package, position, &local, bytes.as_ref());
        Ok(decide_file(&rules, &question, door2.clock.now()))
    })
    .await
}

fn question<'a>(
    request: &'a PackageRequest,
    rules: &'a Ruleset,
    package: &'a Package,
    position: usize,
    local: &'a LocalState,
    bytes: Option<&'a BytesKnown>,
) -> Question<'a> {
    Question {
        repository: &request.repository,
        package,
        position,
        local,
        blocks: &rules.blocks,
        approvals: &rules.approvals,
        advisories: &rules.advisories,
        principal: &request.identity.principal,
        client: request.identity.client_name.as_deref(),
        operation: if bytes.is_some() { "artifact" } else { "index" },
        bytes,
    }
}

pub(super) fn cannot(why: &str) -> Denial {
    denials::plain(DenialKind::CannotRecord, format!("tidegate cannot decide now: {why}"), "")
}

/// Names a decision and records it; none where bytes would leave under it and other rules are in force by now.
pub(super) async fn record_decision(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    package: &Arc<Package>,
    position: usize,
    decision: Decision,
    bytes: Option<BytesKnown>,
) -> Result<Option<Decided>, Denial> {
    let (door2, rules, package, request) = (door.clone(), rules.clone(), package.clone(), request.clone());
    door.blocking(move || {
        let local = LocalState::default();
        let question = question(&request, &rules, &package, position, &local, bytes.as_ref());
        let id = door2.new_decision_id().map_err(|e| cannot(&e.to_string()))?;
        let decided = name_decision(&rules, &question, decision, id, door2.clock.now());
        let kept = door2
            .keep_decision(&request.repository, &package, position, &rules, &decided)
            .map_err(|e| cannot(&e))?;
        Ok(kept.then_some(decided))
    })
    .await
}

/// A refusal: recorded, with the version that could be had instead.
pub(super) async fn refused(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    package: &Arc<Package>,
    position: usize,
    decision: Decision,
    bytes: Option<BytesKnown>,
) -> Result<Hot, Denial> {
    let decided = record_decision(door, request, rules, package, position, decision, bytes.clone())
        .await?
        .ok_or_else(|| cannot("a refusal was to be recorded as an admission"))?;
    let (door2, rules2, package2, request2) = (door.clone(), rules.clone(), package.clone(), request.clone());
    // Another version that could be had instead is not among the files of a commit.
    let alone = package.name.ecosystem().is_grouped();
    let all = door
        .blocking(move || {
            if alone {
                return Ok(Vec::new());
            }
            views::decisions(
                &door2,
                &request2.repository,
                &package2,
                &rules2,
                &request2.identity,
                door2.clock.now(),
            )
        })
        .await
        .map_err(|e| cannot(&e))?;
    let denial = denials::of_decision(package, position, &decided, &all, &request.door_url);
    if let (Some(bytes), Action::Quarantine) = (&bytes, decided.decision.action) {
        let (sha256, reason, now) = (bytes.sha256, request.repository.name.to_string(), decided.at);
        door.catalogue(move |c| c.hold(&sha256, &reason, now)).await.map_err(|e| cannot(&e.to_string()))?;
    }
    let door_url = request.door_url.clone();
    Ok(hot(package, position, decided, None, Some((denial, door_url)), String::new(), Part::Whole))
}

/// The refusal of one file, for a view that is about it alone.
pub(super) async fn refuse_file(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    package: &Arc<Package>,
    position: usize,
) -> Result<Answered, RecordError> {
    let decided = async {
        let decision = decide_blocking(door, request, rules, package, position, None).await?;
        refused(door, request, rules, package, position, decision, None).await
    };
    match decided.await {
        Ok(hot) => respond(door, request, &hot, Part::Whole, Circumstance::warm(door)),
        Err(denial) => {
            refuse(door, request, &Told { purl: Some(package.purl.clone()), ..Told::new("index") }, &denial)
        }
    }
}

pub(super) fn respond(
    door: &Arc<Door>,
    request: &PackageRequest,
    hot: &Hot,
    part: Part,
    circumstance: Circumstance,
) -> Result<Answered, RecordError> {
    let told = Told {
        operation: operation(part),
        purl: Some(hot.purl.clone()),
        file: Some(hot.file.clone()),
        sha256: hot.served.as_ref().map(|(s, _)| s.known.sha256).or(hot.decided.sha256),
        decision: Some(&hot.decided),
        cache: Some(circumstance.cache),
        upstream: Some(hot.upstream.clone()),
        degraded: circumstance.degraded.clone(),
    };
    if let (Some(token_id), Some(_)) = (&request.identity.token_id, &request.identity.principal.run) {
        door.runs.note(token_id, &request.repository.name, &hot.decided);
    }
    if let Some((denial, _)) = &hot.refused {
        return refuse(door, request, &told, denial);
    }
    let (staged, subject) = hot.served.as_ref().expect("a decision either serves or refuses");
    let length = staged.blob.size();
    let wanted = conditional::artifact(&request.method, &request.headers, &hot.etag, length);
    let body = match (&wanted.range, wanted.sends_body) {
        (_, false) => FileBytes::default(),
        (None, true) => staged.blob.bytes().clone(),
        (Some(r), true) => {
            let (first, last) = (usize::try_from(r.first), usize::try_from(r.last));
            staged.blob.bytes().slice(first.unwrap_or(0)..=last.unwrap_or(0))
        }
    };
    let plan = Plan { status: wanted.status, range: wanted.range, bytes: body.len() as u64 };
    let at = door.clock.now();
    let circumstances = circumstances(door, request, &told, at);
    let admitted =
        admission::admit_artifact(&door.recorder, &circumstances, subject, &staged.known.sha256, plan, body)?;
    door.note_access(staged.known.sha256, at);
    door.metrics.served.inc();
    door.metrics.sent_bytes.inc_by(admitted.plan.bytes);
    let warning = (hot.decided.decision.action > Action::Allow)
        .then(|| hot.decided.decision.leading_reason().map(|r| format!("{}: {}", r.rule, r.message)))
        .flatten();
    let representation = Representation {
        content_type: hot.content_type,
        etag: hot.etag.clone(),
        // Immutable bytes, but who may have them is for this door to say each time.
        cache_control: "private, no-cache",
        vary: "Authorization",
        ranges: true,
        length,
        degraded: circumstance.degraded,
        warning,
        headers: hot.headers.clone(),
        ..Representation::default()
    };
    Ok(Answered::Served(admitted, representation))
}

pub(super) const fn content_type(part: Part) -> &'static str {
    match part {
        Part::Metadata => "text/plain; charset=utf-8",
        Part::Companion(companion) => companion.content_type(),
        Part::Whole => "application/octet-stream",
    }
}
