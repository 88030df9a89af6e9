//! The life of an ask for a manifest or a blob of an image: which image holds it, what that is made of, then the bytes;
//! decided with what is known of the whole image.

use std::sync::Arc;

use tidegate_ecosystems::{FileSelector, Part, oci};
use tidegate_ledger::RecordError;
use tidegate_ledger::entry::CacheState;
use tidegate_model::denial::DenialKind;
use tidegate_model::{Decision, Denial, PackageName, Sha256};

use super::admission::{self, Plan};
use super::artifacts::{RECHECK_BLOB_AFTER, Staged, at_hand, stage_bytes};
use super::contents::NotInspected;
use super::decide::{Decided, Ruleset, refuse_elsewhere};
use super::documents::{LoadError, Loaded};
use super::facts::BytesKnown;
use super::file_ask::{
    Circumstance, Hot, HotKey, MAX_DECISIONS, cannot, circumstance, decide_blocking, hold, hot, pending,
    record_decision, refused, respond, wait_for,
};
use super::package::Package;
use super::{
    Answered, PackageRequest, Representation, Told, approved, circumstances, commits, denials, group, images,
    refuse, tell,
};
use crate::door::Door;
use crate::provenance;

/// What a request came to.
enum Found {
    /// A decision and, where it serves, the bytes.
    File(Box<Hot>),
    /// HEAD of what is not here or was not looked into: decided on, and what the image says of it.
    Unfetched(Box<Decided>),
}

/// An image that holds what was asked for.
struct Held {
    loaded: Loaded,
    /// Where it stands in the image.
    position: usize,
    /// The manifest whose parts are to be looked into first, where it is one or a part of one.
    leaf: Option<usize>,
}

/// A way to what was asked for.
enum Way {
    /// An image that is at hand.
    Found(Held),
    /// An image by its digest, and the manifest in it that was asked for or names what was.
    Through { root: Sha256, manifest: Sha256 },
}

/// Through so many images a part of them is tried to be had. One that is a part of more refused images than that is refused.
const MAX_WAYS: usize = 64;

impl Held {
    fn image(&self) -> &oci::Image {
        self.loaded.package.index.image().expect("only images are held")
    }

    /// What it is served as.
    fn content_type(&self) -> &'static str {
        self.image().body(self.position).map_or("application/octet-stream", |(_, media_type)| media_type)
    }
}

pub(super) async fn answer(
    door: &Arc<Door>,
    request: &PackageRequest,
    name: &PackageName,
    selector: &FileSelector,
) -> Result<Answered, RecordError> {
    let what = match selector {
        FileSelector::Blob(digest) => format!("blobs/{digest}"),
        FileSelector::Manifest(reference) => format!("manifests/{reference}"),
        FileSelector::Name(_) | FileSelector::Version(_) | FileSelector::Path { .. } => String::new(),
    };
    let told = || Told {
        purl: Some(tidegate_model::coordinate::package_purl(name).into()),
        file: Some(what.as_str().into()),
        ..Told::new("artifact")
    };
    match crate::custody::oci::document(door, request, name, selector).await {
        Ok(None) => {}
        Ok(Some((sha256, answer))) => {
            let purl = Some(tidegate_model::coordinate::package_purl(name).into());
            let file = Some(what.as_str().into());
            let told = Told { purl, file, sha256: Some(sha256), ..Told::new("generated") };
            return tell(door, request, &told, answer);
        }
        Err(error) => return refuse(door, request, &told(), &cannot(&error.to_string())),
    }
    let ways = match selector {
        FileSelector::Manifest(reference) => manifest(door, request, name, reference).await,
        FileSelector::Blob(digest) => blob(door, request, name, digest).await,
        FileSelector::Name(_) | FileSelector::Version(_) | FileSelector::Path { .. } => Ok(Vec::new()),
    };
    let ways = match ways {
        Ok(ways) => ways,
        Err(denial) => return refuse(door, request, &told(), &denial),
    };
    let mut reason = None;
    // The first image through which it may be had; where there is none, the newest one's reason.
    for way in ways.into_iter().take(MAX_WAYS) {
        let held = match way {
            Way::Found(held) => held,
            Way::Through { root, manifest } => {
                match within(door, request, name, &root, &manifest, selector).await {
                    Ok(Some(held)) => held,
                    Ok(None) => continue,
                    Err(error) => {
                        let denial = denials::of_load_error(name.as_str(), &error);
                        reason.get_or_insert(Err(denial));
                        continue;
                    }
                }
            }
        };
        match ask(door, request, name, held).await {
            Asked::Answer(answered) => return answered,
            Asked::Refusal(hot, circumstance) => {
                reason.get_or_insert(Ok((hot, circumstance)));
            }
            Asked::Failure(denial) if matches!(denial.kind, DenialKind::Pending { .. }) => {
                return refuse(door, request, &told(), &denial);
            }
            Asked::Failure(denial) => {
                reason.get_or_insert(Err(denial));
            }
        }
    }
    match reason {
        Some(Ok((hot, circumstance))) => respond(door, request, &hot, Part::Whole, circumstance),
        Some(Err(denial)) => refuse(door, request, &told(), &denial),
        None => refuse(door, request, &told(), &nowhere(name, &what)),
    }
}

fn nowhere(name: &PackageName, what: &str) -> Denial {
    let why =
        format!("no image of {name} that came through this door holds {what}: ask for its manifest first");
    denials::plain(DenialKind::NoSuchFile, why, "A layer is had as part of an image, and in no other way.")
}

/// What one image that holds what was asked for comes to.
enum Asked {
    Answer(Result<Answered, RecordError>),
    Refusal(Arc<Hot>, Circumstance),
    Failure(Denial),
}

async fn ask(door: &Arc<Door>, request: &PackageRequest, name: &PackageName, held: Held) -> Asked {
    let (content_type, file) =
        (held.content_type(), held.loaded.package.index.files()[held.position].clone());
    if file.file.as_str().starts_with("manifests/") && !oci::accepts(&request.headers, content_type) {
        let why = format!("{name} {} is a `{content_type}`, which this client does not take", file.file);
        return Asked::Failure(denials::plain(DenialKind::NoSuchVersion, why, ""));
    }
    let rules = door.rules();
    let selector = FileSelector::Path { revision: file.version.as_str().to_owned(), path: file.file.clone() };
    let class = door.class_of(&rules, &request.identity);
    let key = HotKey::new(&request.repository, name, &selector, class);
    let known = door.caches.hot.get(&key).filter(|hot| stands(door, request, &rules, hot));
    let (hot, circumstance) = match known {
        Some(hot) => {
            provenance::images::resume(door, &request.repository, &held.loaded.package);
            (hot, circumstance(door, &held.loaded, false))
        }
        None => match resolve(door, request, &rules, &held).await {
            Ok((Found::File(hot), circumstance)) => {
                let hot = Arc::new(*hot);
                door.caches.hot.insert(key, Arc::clone(&hot));
                (hot, circumstance)
            }
            Ok((Found::Unfetched(decided), circumstance)) => {
                return Asked::Answer(respond_unfetched(door, request, &held, &decided, circumstance));
            }
            Err(denial) => return Asked::Failure(denial),
        },
    };
    if hot.refused.is_some() {
        return Asked::Refusal(hot, circumstance);
    }
    Asked::Answer(respond(door, request, &hot, Part::Whole, circumstance))
}

fn stands(door: &Door, request: &PackageRequest, rules: &Ruleset, hot: &Hot) -> bool {
    hot.decided.stands(rules.epoch, door.clock.now())
        // What was found meanwhile in any part of the image counts for this one.
        && hot.changes == hot.freshness.changes()
        && hot.refused.as_ref().is_none_or(|(_, door_url)| *door_url == request.door_url)
        && hot.served.as_ref().is_none_or(|(staged, _)| {
            hot.opened_at.elapsed() < RECHECK_BLOB_AFTER && door.store.blobs.is_unharmed(&staged.blob)
        })
}

/// The images through which a manifest may be had.
async fn manifest(
    door: &Arc<Door>,
    request: &PackageRequest,
    name: &PackageName,
    reference: &str,
) -> Result<Vec<Way>, Denial> {
    let repository = &request.repository;
    let denied = |error: LoadError| commits::denial(name, reference, &error);
    let by_digest: Option<Sha256> =
        if commits::is_version(name, reference) { reference.parse().ok() } else { None };
    let holders = match by_digest {
        Some(digest) => images::known(door, repository, name).await.map_err(denied)?.holders_of(&digest),
        None => Vec::new(),
    };
    if let Some(manifest) = by_digest.filter(|_| !holders.is_empty()) {
        return Ok(holders.into_iter().map(|root| Way::Through { root, manifest }).collect());
    }
    let loaded = approved::load(door, repository, name, reference).await.map_err(denied)?;
    images::remember(door, repository, &loaded.package, by_digest.is_none()).await.map_err(denied)?;
    let leaf = leaf_at(&loaded.package, 0);
    Ok(vec![Way::Found(Held { loaded, position: 0, leaf })])
}

/// The images through which a blob may be had.
async fn blob(
    door: &Arc<Door>,
    request: &PackageRequest,
    name: &PackageName,
    digest: &Sha256,
) -> Result<Vec<Way>, Denial> {
    let known = images::known(door, &request.repository, name).await;
    let known = known.map_err(|error: LoadError| denials::of_load_error(name.as_str(), &error))?;
    let mut ways = Vec::new();
    for manifest in known.leaves_of(digest) {
        let holders = known.holders_of(&manifest).into_iter();
        ways.extend(holders.map(|root| Way::Through { root, manifest }));
    }
    Ok(ways)
}

/// What was asked for, in an image that is at hand; none where it no longer is.
async fn within(
    door: &Arc<Door>,
    request: &PackageRequest,
    name: &PackageName,
    root: &Sha256,
    manifest: &Sha256,
    selector: &FileSelector,
) -> Result<Option<Held>, LoadError> {
    let repository = &request.repository;
    let Some(loaded) = commits::known(door, repository, name, &root.to_string()).await? else {
        return Ok(None);
    };
    // A name may have become private, or another upstream's, since.
    if !repository.upstreams_for(name).iter().any(|one| Arc::ptr_eq(one, &loaded.package.upstream)) {
        return Ok(None);
    }
    let image = |package: &Package| package.index.image().and_then(|image| image.manifest(manifest));
    if image(&loaded.package).is_none() {
        return Ok(None);
    }
    let package = images::with_manifest(door, repository, &loaded.package, manifest).await?;
    let Some(at) = image(&package) else { return Ok(None) };
    let (position, leaf) = match selector {
        FileSelector::Blob(digest) => (package.index.image().and_then(|image| image.blob(digest)), Some(at)),
        _ => (Some(at), leaf_at(&package, at)),
    };
    Ok(position.map(|position| Held { loaded: Loaded { package, ..loaded }, position, leaf }))
}

/// The manifest at a position, where it names parts that are to be looked into.
fn leaf_at(package: &Package, position: usize) -> Option<usize> {
    let image = package.index.image()?;
    (!image.blobs_of(position).is_empty()).then_some(position)
}

/// Decides on the image: whatever was asked for of it, the decision is about all.
async fn decide(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    held: &Held,
    bytes: Option<BytesKnown>,
) -> Result<Decision, Denial> {
    let mut decision = decide_blocking(door, request, rules, &held.loaded.package, 0, bytes).await?;
    if let Some(why) = held.image().elsewhere(held.leaf.unwrap_or(held.position)) {
        refuse_elsewhere(&mut decision, why);
    }
    Ok(decision)
}

async fn resolve(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    held: &Held,
) -> Result<(Found, Circumstance), Denial> {
    let package = &held.loaded.package;
    let changes = package.freshness.changes();
    // What coordinate facts and earlier findings refuse is not fetched at all.
    let early = decide(door, request, rules, held, None).await?;
    if !early.serves() {
        provenance::images::resume(door, &request.repository, package);
        let refused = refused(door, request, rules, package, 0, early, None).await?;
        let circumstance = circumstance(door, &held.loaded, held.loaded.cold);
        return Ok((Found::File(Box::new(refused.since(changes, Vec::new()))), circumstance));
    }
    let until = tokio::time::Instant::now() + hold(door, request);
    if request.method == http::Method::HEAD && !is_here(door, request, held).await? {
        return unfetched(door, request, rules, held).await;
    }
    // Side by side: one waits for layers and workers, the other for what is signed.
    let (looked, checked) = tokio::join!(
        async {
            match held.leaf {
                Some(leaf) => looked_into(door, request, package, leaf, until).await,
                None => Ok(()),
            }
        },
        checked(door, request, package, until),
    );
    looked.and(checked)?;
    let staged = match held.image().body(held.position) {
        Some((body, _)) => stage(door, request, package, held.position, body.clone()).await?,
        None => wait_for(door, request, package, held.position, Part::Whole, until).await?,
    };
    with_bytes(door, request, rules, held, staged).await
}

/// Decides with what was seen in what the image is made of.
async fn with_bytes(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    held: &Held,
    staged: Staged,
) -> Result<(Found, Circumstance), Denial> {
    let package = &held.loaded.package;
    let mut rules = Arc::clone(rules);
    let circumstance = circumstance(door, &held.loaded, held.loaded.cold || staged.cold);
    // A decision on an index is made before anything it leads to is here; on a manifest, with all that it names.
    let root = match held.leaf {
        Some(_) => {
            let (body, _) = held.image().body(0).ok_or_else(|| cannot("an image without a manifest"))?;
            Some(stage(door, request, package, 0, body.clone()).await?.known)
        }
        None => None,
    };
    for _ in 0..MAX_DECISIONS {
        let changes = package.freshness.changes();
        let decision = decide(door, request, &rules, held, root.clone()).await?;
        if !decision.serves() {
            let refused = refused(door, request, &rules, package, 0, decision, root).await?;
            return Ok((Found::File(Box::new(refused.since(changes, Vec::new()))), circumstance));
        }
        let decided = record_decision(door, request, &rules, package, 0, decision, root.clone()).await?;
        if let Some(decided) = decided {
            if let Some(root) = &root {
                let (sha256, held_by) = (root.sha256, request.repository.name.to_string());
                let unheld = door.catalogue(move |c| c.unhold(&sha256, &held_by)).await;
                unheld.map_err(|e| cannot(&e.to_string()))?;
            }
            let subject = group::subject_of(package, held.position, staged.known.sha256);
            let (etag, headers) = said_of(request, held);
            let served = Some((staged, subject));
            let mut hot = hot(package, held.position, decided, served, None, etag, Part::Whole);
            hot.content_type = held.content_type();
            return Ok((Found::File(Box::new(hot.since(changes, headers))), circumstance));
        }
        rules = door.rules();
    }
    Err(cannot("rules change faster than they can be applied"))
}

async fn stage(
    door: &Arc<Door>,
    request: &PackageRequest,
    package: &Arc<Package>,
    position: usize,
    bytes: bytes::Bytes,
) -> Result<Staged, Denial> {
    let staged = stage_bytes(door, &request.repository, package, position, bytes).await;
    staged.map_err(|error| denials::of_upstream_error(package.name.as_str(), &error))
}

/// Waits until what a manifest names was looked into, as long as clients bear it; the work goes on behind.
async fn looked_into(
    door: &Arc<Door>,
    request: &PackageRequest,
    package: &Arc<Package>,
    leaf: usize,
    until: tokio::time::Instant,
) -> Result<(), Denial> {
    let looking = images::ready(door, &request.repository, package, leaf);
    match tokio::time::timeout_at(until, looking).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.denial()),
        Err(_) => {
            let image = package.index.image().map(|image| image.digest(leaf).to_string()).unwrap_or_default();
            let image = image.get(.."sha256:".len() + 12).unwrap_or_default().to_owned();
            Err(pending(format!(
                "{}@{image} is still being fetched and looked into; ask again",
                package.name
            )))
        }
    }
}

/// Waits until what is signed about the image was checked.
async fn checked(
    door: &Arc<Door>,
    request: &PackageRequest,
    package: &Arc<Package>,
    until: tokio::time::Instant,
) -> Result<(), Denial> {
    let checking = provenance::images::check_image(door, &request.repository, package);
    match tokio::time::timeout_at(until, checking).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(NotInspected::Storage(why))) => Err(cannot(&why)),
        Ok(Err(NotInspected::Unavailable(why))) => Err(pending(format!(
            "what is signed about {} could not be checked: {why}; ask again",
            package.name
        ))),
        Err(_) => {
            Err(pending(format!("what is signed about {} is still being asked for; ask again", package.name)))
        }
    }
}

/// Whether nothing needs to be fetched or looked into in order to serve it.
async fn is_here(door: &Arc<Door>, request: &PackageRequest, held: &Held) -> Result<bool, Denial> {
    let package = &held.loaded.package;
    let ready = held.leaf.is_none_or(|leaf| images::is_ready(door, &request.repository, package, leaf));
    if !ready || held.image().body(held.position).is_some() {
        return Ok(ready);
    }
    at_hand(door, package, held.position).await
}

/// The entity tag and the further headers of what was asked for.
fn said_of(request: &PackageRequest, held: &Held) -> (String, Vec<(http::HeaderName, http::HeaderValue)>) {
    let file = &held.loaded.package.index.files()[held.position];
    let commits = request.repository.protocol.commits();
    commits.map(|commits| (commits.etag(file), commits.file_headers(file))).unwrap_or_default()
}

/// A HEAD of what was not looked into yet: clients ask for the digest behind a tag before they fetch anything, and some ask for
/// nothing else. Nothing is fetched for that; what it leads to is decided on when it is asked for.
async fn unfetched(
    door: &Arc<Door>,
    request: &PackageRequest,
    rules: &Arc<Ruleset>,
    held: &Held,
) -> Result<(Found, Circumstance), Denial> {
    let package = &held.loaded.package;
    let circumstance = circumstance(door, &held.loaded, held.loaded.cold);
    let mut rules = Arc::clone(rules);
    for _ in 0..MAX_DECISIONS {
        let changes = package.freshness.changes();
        let decision = decide(door, request, &rules, held, None).await?;
        if !decision.serves() {
            let refused = refused(door, request, &rules, package, 0, decision, None).await?;
            return Ok((Found::File(Box::new(refused.since(changes, Vec::new()))), circumstance));
        }
        if let Some(decided) = record_decision(door, request, &rules, package, 0, decision, None).await? {
            return Ok((Found::Unfetched(Box::new(decided)), circumstance));
        }
        rules = door.rules();
    }
    Err(cannot("rules change faster than they can be applied"))
}

/// Answers a HEAD from what the image says of its part. No byte of it leaves.
fn respond_unfetched(
    door: &Arc<Door>,
    request: &PackageRequest,
    held: &Held,
    decided: &Decided,
    circumstance: Circumstance,
) -> Result<Answered, RecordError> {
    let package = &held.loaded.package;
    let file = &package.index.files()[held.position];
    let (etag, headers) = said_of(request, held);
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
        content_type: held.content_type(),
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
