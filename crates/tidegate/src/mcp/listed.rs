//! What the view of the registry says of a server that runs: the decision on its listing, with everything that it is made of.
//!
//! A server may run where a listing of it may be had. Which listing somebody followed is not known here, and anybody can name
//! somebody else's package in a listing of their own; so of several the one that lets most pass counts, as it does for whoever
//! reads the registry. What is listed nowhere, or while no list was ever read, is decided on by its command or address alone.
//! Once a list is in memory no call waits for the registry.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tidegate_model::coordinate::PackageRef;
use tidegate_model::decision::{Because, Decision, Reason, Truth};
use tidegate_model::facts::{FactState, PartFacts};
use tidegate_model::{Action, Ecosystem, Timestamp};
use url::Url;

use super::facts::REPOSITORY;
use super::gate::{Server, Unavailable};
use crate::door::{Door, Identity, Repository};
use crate::pipeline::catalogue::{self, Catalogued};
use crate::pipeline::decide::{Ruleset, past_tense};
use crate::pipeline::package::Package;
use crate::pipeline::{facts, parts, views};

/// The id of the reason that names the listing by which a server is withheld.
pub const LISTING_RULE: &str = "tidegate/listing";

/// Servers whose listings are remembered.
const MAX_REMEMBERED: usize = 1_024;
/// Names of the registry whose listings of one server are decided on.
const MAX_NAMES: usize = 256;
/// How long the first who asks about a server waits for the list, and for what is known of what its listing names.
const FIRST_PATIENCE: Duration = Duration::from_secs(8);
/// How long later ones wait: as long as reading it from disk takes.
const PATIENCE: Duration = Duration::from_millis(500);
/// Milliseconds for which nobody waits again after that was not enough.
const RETRY_MILLIS: i64 = 30_000;

/// A listing, with what is decided on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// The listing: a package URL with version.
    pub purl: String,
    /// What is decided on it and all that it is made of.
    pub decision: Decision,
}

/// A server, and the class of principal for which its listings were decided on.
type Key = (Server, u64);

/// What is remembered of listings.
#[derive(Debug, Default)]
pub(super) struct Listings {
    kept: Mutex<HashMap<Key, Arc<Kept>>>,
    /// When waiting was last not enough, in milliseconds.
    slow_at: AtomicI64,
}

impl Listings {
    fn kept(&self) -> MutexGuard<'_, HashMap<Key, Arc<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_slow(&self, now: Timestamp) -> bool {
        let since = now.unix_millis() - self.slow_at.load(Ordering::Relaxed);
        (0..RETRY_MILLIS).contains(&since)
    }
}

/// The listings of a server in one list, and what was decided on them.
#[derive(Debug)]
struct Kept {
    /// Its place stays taken while this refers to it, so no later list is mistaken for it.
    list: Weak<Catalogued>,
    found: Arc<[Found]>,
    epoch: u64,
    local_epoch: u64,
    valid_until: Option<Timestamp>,
    unit: Option<Arc<Unit>>,
}

impl Kept {
    fn is_of(&self, list: &Arc<Catalogued>) -> bool {
        std::ptr::eq(self.list.as_ptr(), Arc::as_ptr(list))
    }

    fn stands(&self, epoch: u64, local_epoch: u64, now: Timestamp) -> bool {
        self.epoch == epoch
            && self.local_epoch == local_epoch
            && self.valid_until.is_none_or(|until| now < until)
    }
}

/// Listings under one name of the registry.
#[derive(Debug)]
struct Found {
    package: Arc<Package>,
    /// Positions of the files of each version, the lowest version first.
    versions: Vec<Vec<usize>>,
}

/// What is decided on the listing of a server under these rules; none where it is in no list that is known here.
///
/// # Errors
/// It could not be decided on.
pub(super) async fn unit(
    door: &Arc<Door>,
    server: &Server,
    identity: &Arc<Identity>,
    rules: &Arc<Ruleset>,
) -> Result<Option<Arc<Unit>>, Unavailable> {
    let repository = door.repositories.get(REPOSITORY).filter(|one| one.ecosystem == Ecosystem::Mcp);
    let Some(repository) = repository.filter(|one| !one.upstreams.is_empty()) else { return Ok(None) };
    let Some(list) = list(door, repository).await else { return Ok(None) };
    let key = (server.clone(), door.class_of(rules, identity));
    let before = door.mcp.listings.kept().get(&key).cloned();
    let is_first = before.is_none();
    let before = before.filter(|kept| kept.is_of(&list));
    let found = match &before {
        Some(kept) => Arc::clone(&kept.found),
        None => {
            let address = address_of(door, server).cloned();
            let (list, server) = (Arc::clone(&list), server.clone());
            door.blocking(move || find(&list, &server, address.as_ref())).await
        }
    };
    learn(door, &found, is_first).await;
    let local_epoch = local_epoch(&found);
    if let Some(kept) = before.filter(|kept| kept.stands(rules.epoch, local_epoch, door.clock.now())) {
        return Ok(kept.unit.clone());
    }
    let unit = {
        let (door2, repository, identity) = (Arc::clone(door), Arc::clone(repository), Arc::clone(identity));
        let (rules, found) = (Arc::clone(rules), Arc::clone(&found));
        door.blocking(move || decide(&door2, &repository, &rules, &identity, &found)).await
    };
    let unit = unit.map_err(Unavailable)?.map(Arc::new);
    let kept = Kept {
        list: Arc::downgrade(&list),
        found,
        epoch: rules.epoch,
        local_epoch,
        valid_until: unit.as_ref().and_then(|unit| unit.decision.valid_until),
        unit: unit.clone(),
    };
    let mut all = door.mcp.listings.kept();
    if all.len() >= MAX_REMEMBERED {
        all.clear();
    }
    all.insert(key, Arc::new(kept));
    Ok(unit)
}

/// The registry's list as it is known here; the first who needs it waits a while for it.
async fn list(door: &Arc<Door>, repository: &Arc<Repository>) -> Option<Arc<Catalogued>> {
    if let Some(list) = door.caches.lists.get(&repository.name) {
        catalogue::keep_fresh(door, repository);
        return Some(list);
    }
    let now = door.clock.now();
    if door.mcp.listings.is_slow(now) {
        return None;
    }
    // Whoever comes later does not wait as long for what did not answer before: it is asked for behind.
    let waited = door.mcp.listings.slow_at.load(Ordering::Relaxed) != 0;
    let patience = if waited { PATIENCE } else { FIRST_PATIENCE };
    let why = match tokio::time::timeout(patience, catalogue::load(door, repository)).await {
        Ok(Ok(loaded)) => return Some(loaded.list),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it did not come within {} ms", patience.as_millis()),
    };
    door.mcp.listings.slow_at.store(now.unix_millis(), Ordering::Relaxed);
    tracing::warn!("servers are decided on without the list of {}: {why}", repository.name);
    None
}

/// Sees to it that what the listings name is known as well as it can be now.
async fn learn(door: &Arc<Door>, found: &[Found], is_first: bool) {
    let now = door.clock.now();
    if found.is_empty() || door.mcp.listings.is_slow(now) {
        return;
    }
    let gathered = async {
        for one in found {
            parts::gather(door, &one.package).await;
        }
    };
    let patience = if is_first { FIRST_PATIENCE } else { PATIENCE };
    if tokio::time::timeout(patience, gathered).await.is_err() {
        door.mcp.listings.slow_at.store(now.unix_millis(), Ordering::Relaxed);
    }
}

fn local_epoch(found: &[Found]) -> u64 {
    found.iter().fold(0u64, |all, one| all.rotate_left(7).wrapping_add(one.package.local_epoch()))
}

/// Where a server elsewhere is: the address by which a view of the registry leads to it through this door.
fn address_of<'a>(door: &'a Door, server: &Server) -> Option<&'a Url> {
    let configured = door.config.mcp.server.get(&server.name);
    configured.filter(|_| server.transport == "http").map(|one| &one.url)
}

/// The listings that speak of a server: those that its package URL or its address names; else those that name its package,
/// under its own name where that is one of theirs; else, of a server of which only a name can be compared, those of the name.
fn find(list: &Catalogued, server: &Server, address: Option<&Url>) -> Arc<[Found]> {
    let wanted = server.purl.as_deref().and_then(|purl| PackageRef::parse(purl).ok());
    let is_version = |package: &Package, at: usize, wanted: &PackageRef| {
        wanted.version.as_ref().is_none_or(|version| *version == package.index.files()[at].version)
    };
    if let Some(listing) = wanted.as_ref().filter(|wanted| wanted.name.ecosystem() == Ecosystem::Mcp) {
        let of_it = list.packages.get(&listing.name).into_iter();
        return collect(of_it, |package, at| is_version(package, at, listing));
    }
    if let Some(address) = address {
        let found =
            collect(list.packages.values(), |package, at| package.index.remotes(at).contains(address));
        if !found.is_empty() {
            return found;
        }
    }
    let own = list.packages.values().find(|package| package.name.as_str() == server.name);
    let Some(wanted) = wanted.filter(|wanted| wanted.name.ecosystem() != Ecosystem::Oci) else {
        // A command that names no package, or one that listings are not decided on with: its name alone can tell.
        return collect(own.into_iter(), |_, _| true);
    };
    let names = |package: &Package, at: usize| {
        package.index.parts(at).iter().any(|part| {
            part.name == wanted.name && wanted.version.as_ref().is_none_or(|version| *version == part.version)
        })
    };
    let of_own = collect(own.into_iter(), names);
    if of_own.is_empty() { collect(list.packages.values(), names) } else { of_own }
}

/// The versions of which any file is taken; what upstream deleted counts where nothing else is left.
fn collect<'a>(
    packages: impl Iterator<Item = &'a Arc<Package>>,
    takes: impl Fn(&Package, usize) -> bool,
) -> Arc<[Found]> {
    let (mut found, mut has_live) = (Vec::new(), false);
    for package in packages {
        let files = package.index.files();
        let mut versions: Vec<Vec<usize>> = Vec::new();
        for at in (0..files.len()).filter(|at| takes(package, *at)) {
            match versions.last_mut() {
                Some(last) if files[last[0]].version.as_str() == files[at].version.as_str() => last.push(at),
                _ => versions.push(vec![at]),
            }
        }
        if versions.is_empty() {
            continue;
        }
        has_live |= versions.iter().any(|positions| is_live(package, positions));
        found.push(Found { package: Arc::clone(package), versions });
        if found.len() == MAX_NAMES {
            break;
        }
    }
    if has_live {
        for Found { package, versions } in &mut found {
            versions.retain(|positions| is_live(package, positions));
        }
        found.retain(|one| !one.versions.is_empty());
    }
    found.into()
}

fn is_live(package: &Package, positions: &[usize]) -> bool {
    positions.iter().all(|at| package.index.files()[*at].yanked.is_none())
}

/// Decides on the listings; of several the highest version of those that let most pass. Blocks.
fn decide(
    door: &Door,
    repository: &Repository,
    rules: &Ruleset,
    identity: &Identity,
    found: &[Found],
) -> Result<Option<Unit>, String> {
    let now = door.clock.now();
    let (mut best, mut valid_until) = (None::<Unit>, None::<Timestamp>);
    for Found { package, versions } in found {
        let decisions = views::decisions(door, repository, package, rules, identity, now)?;
        for positions in versions {
            let Some((at, decision)) = strictest(&decisions, positions) else { continue };
            valid_until = valid_until
                .into_iter()
                .chain(positions.iter().filter_map(|at| decisions[*at].valid_until))
                .min();
            let rank = |decision: &Decision| (!decision.serves(), decision.action);
            if best.as_ref().is_none_or(|best| rank(decision) <= rank(&best.decision)) {
                best = Some(Unit { purl: facts::purl_of(package, at), decision: decision.clone() });
            }
        }
    }
    // Whichever of them changes first may be the one that counts then.
    Ok(best.map(|mut unit| {
        unit.decision.valid_until = valid_until;
        unit
    }))
}

/// What counts for a version: as in the view of the registry, the first of its files that is withheld.
fn strictest<'a>(decisions: &'a [Decision], positions: &[usize]) -> Option<(usize, &'a Decision)> {
    let all = || positions.iter().filter_map(|at| Some((*at, decisions.get(*at)?)));
    let most = || all().reduce(|one, other| if other.1.action > one.1.action { other } else { one });
    all().find(|(_, decision)| !decision.serves()).or_else(most)
}

impl Unit {
    /// For the facts of the server, so that its decision can be made again from them.
    pub(super) fn facts(&self) -> PartFacts {
        let leading = self.decision.leading_reason().filter(|_| self.decision.action > Action::Allow);
        PartFacts {
            purl: self.purl.clone(),
            state: FactState::Known,
            action: self.decision.action,
            withheld: !self.decision.serves(),
            rule: leading.map(|reason| reason.rule.clone()),
            message: leading.map(|reason| reason.message.clone()),
            until: self.decision.selectable_from,
        }
    }

    /// Holds the decision on a server that runs to that on its listing: the stricter of both, by the rules that made it so.
    pub(super) fn hold(&self, decision: &mut Decision) {
        let of_it = &self.decision;
        decision.valid_until = decision.valid_until.into_iter().chain(of_it.valid_until).min();
        if of_it.action == Action::Allow || (decision.enforced && !of_it.enforced) {
            return;
        }
        let withheld = !of_it.serves();
        let mut reasons: Vec<Reason> =
            of_it.reasons.iter().filter(|one| one.action > Action::Allow).cloned().collect();
        // What lifts them is an exception for the listing or a part of it, not for what runs.
        reasons.iter_mut().for_each(|one| one.waivable = false);
        decision
            .reasons
            .retain(|own| !reasons.iter().any(|one| own.rule == one.rule && own.message == one.message));
        if withheld {
            let rule = of_it.leading_reason().map_or("policy", |reason| reason.rule.as_str());
            reasons.push(Reason {
                rule: LISTING_RULE.into(),
                truth: Truth::True,
                action: of_it.action,
                message: format!(
                    "{}, by which it is listed, is {} by {rule}",
                    self.purl,
                    past_tense(of_it.action)
                ),
                remediation: Some(format!("see `tidegate why {}`", self.purl)),
                because: Because::default(),
                until: of_it.selectable_from,
                waivable: false,
            });
            decision.selectable_from = match decision.serves() {
                true => of_it.selectable_from,
                false => {
                    decision.selectable_from.zip(of_it.selectable_from).map(|(one, other)| one.max(other))
                }
            };
            decision.enforced = true;
        }
        reasons.append(&mut decision.reasons);
        // The most restrictive first, as everywhere; what withholds the listing before what the server is itself held for.
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.action));
        decision.reasons = reasons;
        decision.action = decision.action.max(of_it.action);
    }
}
