//! What clients are to give up that they took before: packages of which nothing may be had any more.
//!
//! A list of names, made from decisions: those that people blocked whole, and those admitted here of which every version that
//! is known is blocked by now. A package with a version that may be had is not on it, because the list has no word for
//! versions, and whoever is on a good one should stay there.

use std::collections::BTreeSet;
use std::sync::Arc;

use tidegate_ecosystems::queries::Recalled;
use tidegate_ledger::RecordError;
use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_model::denial::DenialKind;
use tidegate_model::{Action, Ecosystem, PackageName, Principal, Timestamp};
use tidegate_store::catalogue::{DecisionFilter, Page};

use super::decide::Ruleset;
use super::{Answered, PackageRequest, Told, denials, documents, refuse, tell, views};
use crate::door::{Door, Repository};

/// The most packages that are looked at for one list.
const MAX_LOOKED_AT: usize = 20_000;
/// Packages that the catalogue lists at a time.
const AT_A_TIME: u32 = 1_000;
/// How long a list is told again under the same rules, in seconds: editors ask every few minutes, each of them.
const KEPT_SECONDS: i64 = 20;

/// A list that was made, and under which rules.
#[derive(Clone, Debug)]
pub struct Kept {
    epoch: u64,
    at: Timestamp,
    list: Arc<[(PackageName, Option<String>)]>,
}

pub(super) async fn answer(door: &Arc<Door>, request: &PackageRequest) -> Result<Answered, RecordError> {
    let told = Told::new("generated");
    let list = match recalled(door, &request.repository).await {
        Ok(list) => list,
        Err(why) => {
            let denial =
                denials::plain(DenialKind::CannotRecord, format!("no list can be made now: {why}"), "");
            return refuse(door, request, &told, &denial);
        }
    };
    let list: Vec<Recalled> = list
        .iter()
        .map(|(package, decision)| Recalled {
            package: package.clone(),
            help: decision.as_ref().map(|id| format!("{}d/{id}", request.door_url)),
        })
        .collect();
    match request.repository.protocol.recall(&list) {
        Some(answer) => tell(door, request, &told, answer),
        None => {
            let denial = denials::plain(DenialKind::NotOffered, "there is no such list", "");
            refuse(door, request, &told, &denial)
        }
    }
}

async fn recalled(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
) -> Result<Arc<[(PackageName, Option<String>)]>, String> {
    let (rules, now) = (door.rules(), door.clock.now());
    if let Some(kept) = door.caches.recalled.get(&repository.name)
        && kept.epoch == rules.epoch
        && now.seconds_since(kept.at) < KEPT_SECONDS
    {
        return Ok(kept.list);
    }
    let mut list = Vec::new();
    for (package, whole) in candidates(door, repository.ecosystem, &rules).await? {
        if whole || all_blocked(door, repository, &rules, &package).await? {
            let decision = decision_on(door, &package).await?;
            list.push((package, decision));
        }
    }
    let kept = Kept { epoch: rules.epoch, at: now, list: list.into() };
    door.caches.recalled.insert(Arc::clone(&repository.name), kept.clone());
    Ok(kept.list)
}

/// Packages that may belong on the list, and whether somebody blocked all of one by hand.
async fn candidates(
    door: &Arc<Door>,
    ecosystem: Ecosystem,
    rules: &Arc<Ruleset>,
) -> Result<Vec<(PackageName, bool)>, String> {
    let of = |purl: &str| PackageRef::parse(purl).ok().filter(|read| read.name.ecosystem() == ecosystem);
    let blocked: Vec<PackageRef> =
        rules.blocks.iter().filter(|b| b.block.sha256.is_none()).filter_map(|b| of(&b.block.purl)).collect();
    let whole: BTreeSet<PackageName> =
        blocked.iter().filter(|b| b.version.is_none()).map(|b| b.name.clone()).collect();
    let mut all: BTreeSet<PackageName> = blocked.into_iter().map(|b| b.name).collect();
    let prefix = format!("pkg:{}/", ecosystem.purl_type());
    let admitted = door
        .catalogue(move |c| {
            let (mut found, mut after) = (Vec::new(), prefix.clone());
            while found.len() < MAX_LOOKED_AT {
                let page = c.admitted_packages(&after, AT_A_TIME)?;
                let ours = page.iter().take_while(|purl| purl.starts_with(&prefix));
                let before = found.len();
                found.extend(ours.cloned());
                let Some(last) = found.last().filter(|_| found.len() > before) else { break };
                after.clone_from(last);
            }
            Ok(found)
        })
        .await
        .map_err(|e| e.to_string())?;
    all.extend(admitted.iter().filter_map(|purl| of(purl)).map(|read| read.name));
    Ok(all
        .into_iter()
        .take(MAX_LOOKED_AT)
        .map(|name| {
            let is_whole = whole.contains(&name);
            (name, is_whole)
        })
        .collect())
}

/// Whether every version that this door knows of a package is blocked. Upstream is not asked.
async fn all_blocked(
    door: &Arc<Door>,
    repository: &Arc<Repository>,
    rules: &Arc<Ruleset>,
    name: &PackageName,
) -> Result<bool, String> {
    let Some(loaded) = documents::known(door, repository, name).await.map_err(|e| e.to_string())? else {
        return Ok(false);
    };
    let (door2, repository, rules, package) =
        (Arc::clone(door), Arc::clone(repository), Arc::clone(rules), loaded.package);
    door.blocking(move || {
        let (nobody, now) = (Principal::anonymous(), door2.clock.now());
        let decisions = views::decisions_for(&door2, &repository, &package, &rules, (&nobody, None), now)?;
        Ok(!decisions.is_empty() && decisions.iter().all(|d| d.action == Action::Block && !d.serves()))
    })
    .await
}

/// The last decision that refused a version of a package, which has a page.
async fn decision_on(door: &Arc<Door>, name: &PackageName) -> Result<Option<String>, String> {
    let purl = package_purl(name);
    let found = door.catalogue(move |c| {
        let filter =
            DecisionFilter { purl: Some(purl), action: Some(Action::Block), ..DecisionFilter::default() };
        c.decisions(&filter, Page::first(1))
    });
    let found = found.await.map_err(|e| e.to_string())?;
    Ok(found.first().map(|decision| decision.id.to_string()))
}
