//! Telling what changed for admitted versions: entry, alarm, note of what was told, in this order, so that a stop between two of them leads
//! to a repetition and never to silence.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tidegate_ledger::entry::{Effect, Touching};
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::coordinate::PackageRef;
use tidegate_model::{Action, Principal};
use tidegate_store::access_index::{Taken, TakersOf};
use tidegate_store::catalogue::{
    DecisionFilter, DecisionRecord, HoldState, NewAlarm, Page, People, VersionExposure,
};

use super::look::{self, GraveFinding, Touched};
use super::{ALARM, FOLLOWED, Pending, held};
use crate::door::{Door, TENANT};
use crate::intel::sync::chain;
use crate::pipeline::decide::Ruleset;
use crate::pipeline::{documents, views};

/// More alarms than this in one change are summed up in one line of the log: a first delivery may touch much.
const MAX_ALARMS: usize = 1000;
/// Versions whose entries are made durable together.
const AT_A_TIME: usize = 200;

/// What is told of one version.
pub(super) struct News {
    pub purl: String,
    pub package: PackageRef,
    pub new: Vec<GraveFinding>,
    pub gone: Vec<String>,
}

/// Tells everything of a scope.
pub(super) async fn all(door: &Arc<Door>, pending: &Pending) -> Result<(), String> {
    let generation = pending.generation;
    let (door2, scope) = (Arc::clone(door), pending.scope.clone());
    let touched = door
        .blocking(move || {
            let advisories = door2.rules().advisories.clone();
            let now = door2.clock.now();
            look::look(&*door2.store.catalogue, &advisories, &scope, now).map_err(|e| chain(&e))
        })
        .await?;
    let mut alarms = 0;
    for some in touched.chunks(AT_A_TIME) {
        let news = some.iter().filter(|one| one.is_news());
        let news: Vec<News> = news
            .map(|one| News {
                purl: one.purl.clone(),
                package: one.package.clone(),
                new: one.new.clone(),
                gone: one.gone.clone(),
            })
            .collect();
        entries(door, &news, generation, pending.before.as_ref()).await?;
        for one in some.iter().filter(|one| one.is_news()) {
            alarms += 1;
            if alarms <= MAX_ALARMS {
                alarm(door, one).await?;
            }
        }
        note(door, some).await?;
    }
    if alarms > MAX_ALARMS {
        let more = alarms - MAX_ALARMS;
        tracing::warn!(
            advisories.more = more,
            "{more} more admitted versions are touched: `tidegate check` and `tidegate why` tell"
        );
    }
    held::end_what_is_over(door, &touched).await?;
    let door2 = Arc::clone(door);
    door.blocking(move || door2.store.catalogue.set_setting(FOLLOWED, &generation.to_string()))
        .await
        .map_err(|e| chain(&e))
}

/// Writes an entry for each version and waits until all are durable. Where `rules` are not given that decided before, the
/// last decision on a version says what was in force.
pub(super) async fn entries(
    door: &Arc<Door>,
    news: &[News],
    generation: u64,
    rules: Option<&Arc<Ruleset>>,
) -> Result<(), String> {
    if news.is_empty() {
        return Ok(());
    }
    let purls: Vec<String> = news.iter().map(|one| one.purl.clone()).collect();
    let mut taken = takers(door, purls.clone()).await?;
    let last_decided = last_decisions(door, purls).await?;
    let mut before = match rules {
        Some(rules) => actions(door, news, &last_decided, rules).await,
        None => HashMap::new(),
    };
    let mut after = actions(door, news, &last_decided, &door.rules()).await;
    let holds = door.rules().advisories.holds.clone();
    let mut last = None;
    for one in news {
        let taken = taken.remove(&one.purl);
        let waits = |g: &GraveFinding| {
            holds.state(g.finding.ids.iter().map(String::as_str)) == Some(HoldState::Waiting)
        };
        let effect = Effect {
            ecosystem: Some(one.package.name.ecosystem()),
            purl: one.purl.as_str().into(),
            before: before.remove(&one.purl).or_else(|| last_decided.get(&one.purl).map(|r| r.action)),
            after: after.remove(&one.purl),
            held: one.new.iter().any(waits),
            takers: taken.as_ref().map_or(0, |t| t.people),
            accesses: taken.as_ref().map_or(0, |t| t.accesses),
            last_taken_at: taken.as_ref().map(|t| t.last_at),
            generation,
            new: one.new.iter().map(|g| Touching { id: g.finding.id.as_str().into(), why: g.why }).collect(),
            new_omitted: 0,
            gone: one.gone.iter().map(|id| id.as_str().into()).collect(),
            gone_omitted: 0,
        };
        let entry = EntryDraft {
            time: door.clock.now(),
            tenant: TENANT.into(),
            body: Body::Effect(Box::new(effect)),
        };
        last = Some(door.recorder.append(&entry).map_err(|e| chain(&e))?);
    }
    match last {
        // Entries become durable in their order.
        Some(last) => last.durable.wait().await.map_err(|e| chain(&e)),
        None => Ok(()),
    }
}

/// How often each was taken, by how many.
async fn takers(door: &Arc<Door>, purls: Vec<String>) -> Result<HashMap<String, Taken>, String> {
    let door2 = Arc::clone(door);
    door.blocking(move || {
        door2.project()?;
        let people: &dyn People = &*door2.store.catalogue;
        let of = TakersOf { purls: &purls, ..TakersOf::default() };
        let takers = door2.store.access.takers(of, people).map_err(|e| chain(&e))?;
        Ok(takers.versions.into_iter().map(|taken| (taken.purl.clone(), taken)).collect())
    })
    .await
}

/// What was last decided on each.
async fn last_decisions(
    door: &Arc<Door>,
    purls: Vec<String>,
) -> Result<HashMap<String, DecisionRecord>, String> {
    let door2 = Arc::clone(door);
    door.blocking(move || {
        let mut all = HashMap::new();
        for purl in purls {
            let filter = DecisionFilter { purl: Some(purl.clone()), ..DecisionFilter::default() };
            let last = door2.store.catalogue.decisions(&filter, Page::first(1)).map_err(|e| chain(&e))?.pop();
            all.extend(last.map(|record| (purl, record)));
        }
        Ok(all)
    })
    .await
}

/// What some rules decide on each, for nobody in particular, as far as it can be told from what is stored: the document of
/// the repository through which it was decided on last.
async fn actions(
    door: &Arc<Door>,
    news: &[News],
    last_decided: &HashMap<String, DecisionRecord>,
    rules: &Arc<Ruleset>,
) -> HashMap<String, Action> {
    let mut packages: BTreeMap<(String, String), Vec<&News>> = BTreeMap::new();
    for one in news {
        let Some(record) = last_decided.get(&one.purl) else { continue };
        packages
            .entry((record.repository.clone(), one.package.name.as_str().to_owned()))
            .or_default()
            .push(one);
    }
    let mut actions = HashMap::new();
    for ((repository, _), versions) in packages {
        let Some(repository) = door.repositories.get(&repository) else { continue };
        let Some(name) = versions.first().map(|one| one.package.name.clone()) else { continue };
        if name.ecosystem() != repository.ecosystem {
            continue;
        }
        let Ok(Some(known)) = documents::known(door, repository, &name).await else { continue };
        let (door2, repository2, package, rules) =
            (Arc::clone(door), Arc::clone(repository), Arc::clone(&known.package), Arc::clone(rules));
        let decided = door
            .blocking(move || {
                let asker = (&Principal::anonymous(), None);
                let now = door2.clock.now();
                views::decisions_for(&door2, &repository2, &package, &rules, asker, now)
            })
            .await;
        let Ok(decided) = decided else { continue };
        for one in versions {
            let files = known.package.index.files().iter().zip(&decided);
            let of_it = files.filter(|(file, _)| Some(&file.version) == one.package.version.as_ref());
            let action = of_it.map(|(_, decision)| decision.action).max();
            actions.extend(action.map(|action| (one.purl.clone(), action)));
        }
    }
    actions
}

async fn note(door: &Arc<Door>, some: &[Touched]) -> Result<(), String> {
    let told: Vec<VersionExposure> = some
        .iter()
        .map(|one| VersionExposure { purl: one.purl.clone(), advisories: one.told.clone() })
        .collect();
    let door2 = Arc::clone(door);
    door.blocking(move || door2.store.catalogue.set_exposures(&told)).await.map_err(|e| chain(&e))
}

/// Raises the alarm of a version, or ends it where nothing touches it any more.
async fn alarm(door: &Arc<Door>, one: &Touched) -> Result<(), String> {
    let now = door.clock.now();
    let (door2, purl) = (Arc::clone(door), one.purl.clone());
    if one.told.is_empty() {
        tracing::info!(artifact.purl = %one.purl, "{} no longer touches {}", one.gone.join(", "), one.purl);
        return door
            .blocking(move || door2.store.catalogue.lift_alarm(ALARM, &purl, now, "tidegate"))
            .await
            .map(drop)
            .map_err(|e| chain(&e));
    }
    if one.new.is_empty() {
        return Ok(());
    }
    let named = |g: &GraveFinding| match &g.through {
        Some(component) => format!("{} ({}, in {component} which it holds)", g.finding.id, g.why.as_str()),
        None => format!("{} ({})", g.finding.id, g.why.as_str()),
    };
    let what: Vec<String> = one.new.iter().map(named).collect();
    let message = format!(
        "{} touches {purl}, admitted here since {}; `tidegate who {purl}` lists who took it",
        what.join(", "),
        one.admitted_at.to_minute(),
    );
    tracing::warn!(artifact.purl = %purl, "{message}");
    let ids: Vec<&str> = one.new.iter().map(|g| g.finding.id.as_str()).collect();
    let json = serde_json::json!({ "purl": purl, "advisories": ids }).to_string();
    let alarm = NewAlarm { kind: ALARM.into(), subject: purl, message, json, at: now };
    door.metrics.alarms.inc();
    door.blocking(move || door2.store.catalogue.raise_alarm(&alarm)).await.map(drop).map_err(|e| chain(&e))
}
