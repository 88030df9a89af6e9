//! What waits for a person before it takes its full effect on what was admitted before.
//!
//! Two kinds. *Bulk*: an advisory, not of malice, that would hold a large share of what was downloaded in the last week; a
//! mistake in it would stop everybody. *All versions*: a report of malice in every version of a name that has long been
//! here and is much used; such reports are wrong at times, and the versions that were vetted long ago are not the ones
//! that an attacker has just published. Until somebody decides, what was admitted before is served with a warning; what
//! is new is decided as always.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tidegate_intel::{AdvisoryKind, Finding};
use tidegate_ledger::Body;
use tidegate_ledger::entry::{Grave, HoldChange, HoldOperation, HoldReason};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_model::facts::{
    ArtifactFacts, FactState, Facts, Group, MalwareFacts, RepositoryFacts, RequestFacts,
};
use tidegate_model::{ArtifactKind, Timestamp};
use tidegate_store::access_index::{Takers, TakersOf};
use tidegate_store::catalogue::{AdvisoryHold, HoldState, NewAlarm, People};

use super::look::{self, GraveFinding, Scope, Touched};
use super::{HELD_ALARM, record, tell};
use crate::door::Door;
use crate::intel::Advisories;
use crate::intel::facts::KnownVersions;
use crate::intel::sync::chain;
use crate::pipeline::decide::Ruleset;

/// An advisory that would hold more than this share of the last week's distinct downloads waits: one in twenty, 5 %.
const BULK_SHARE: u64 = 20;
/// Below so many distinct downloads in the week a share says nothing.
const MIN_WEEKLY_DOWNLOADS: u64 = 20;
/// Over how long downloads are counted, in seconds: a week.
const WEEK_SECONDS: i64 = 7 * 86_400;
/// How long a count of all downloads of the week is used, in seconds: an hour.
const WEEK_COUNT_SECONDS: i64 = 3600;
/// A name that was first admitted longer ago than this has long been here, in seconds: 30 days.
const LONG_STORED_SECONDS: i64 = 30 * 86_400;
/// A name that more people than this took is much used.
const MUCH_USED_PEOPLE: u64 = 5;
/// A name that was taken more often than this is much used, by however few.
const MUCH_USED_ACCESSES: u64 = 500;

/// One advisory and the admitted versions that it touches anew.
struct Candidate<'t> {
    finding: &'t Finding,
    versions: Vec<&'t Touched>,
}

/// Finds which advisories of a change must wait, and keeps that. Blocks. To be called before the change is in force.
pub(super) fn hold_what_must_wait(door: &Arc<Door>, next: &Advisories, scope: &Scope) -> Result<(), String> {
    let now = door.clock.now();
    let catalogue = &*door.store.catalogue;
    let touched = look::look(catalogue, next, scope, now).map_err(|e| chain(&e))?;
    let mut candidates: BTreeMap<&str, Candidate<'_>> = BTreeMap::new();
    for version in &touched {
        // An advisory on a component holds nothing that brings it along.
        for GraveFinding { finding, .. } in version.new.iter().filter(|grave| grave.through.is_none()) {
            if !next.holds.knows(finding.ids.iter().map(String::as_str)) {
                let candidate = candidates
                    .entry(&finding.id)
                    .or_insert_with(|| Candidate { finding, versions: Vec::new() });
                candidate.versions.push(version);
            }
        }
    }
    if candidates.is_empty() {
        return Ok(());
    }
    let rules = door.rules();
    let mut holds = Vec::new();
    for candidate in candidates.values() {
        let hold = match candidate.finding.kind {
            AdvisoryKind::Malware => all_versions(door, candidate, now)?,
            _ => bulk(door, &rules, next, candidate, now)?,
        };
        holds.extend(hold.map(|hold| AdvisoryHold { generation: next.snapshot.generation(), ..hold }));
    }
    for hold in &holds {
        tell_of(door, hold, HoldOperation::Held, None);
        raise(door, hold, now)?;
    }
    catalogue.put_advisory_holds(&holds).map_err(|e| chain(&e))
}

fn hold(candidate: &Candidate<'_>, reason: HoldReason, counts: (u64, u64), now: Timestamp) -> AdvisoryHold {
    let packages: BTreeSet<String> =
        candidate.versions.iter().map(|version| package_purl(&version.package.name)).collect();
    AdvisoryHold {
        advisory: candidate.finding.id.clone(),
        reason,
        state: HoldState::Waiting,
        since: now,
        generation: 0,
        downloads: counts.0,
        downloads_in_all: counts.1,
        sources: sources(candidate.finding),
        packages: packages.into_iter().collect(),
        decided: None,
    }
}

/// How many independent sources say so: those that are named as reporters, or the records with ids of their own.
fn sources(finding: &Finding) -> u64 {
    let reporters: BTreeSet<&str> = finding.reporters.iter().map(String::as_str).collect();
    let affected = finding
        .sources
        .iter()
        .filter(|source| matches!(source.says, tidegate_intel::matching::Says::Affected(_)));
    let records: BTreeSet<&str> = affected.map(|source| source.id.as_str()).collect();
    reporters.len().max(records.len()) as u64
}

/// A report of malice in all versions of a name that has long been here and is much used.
fn all_versions(
    door: &Door,
    candidate: &Candidate<'_>,
    now: Timestamp,
) -> Result<Option<AdvisoryHold>, String> {
    if !candidate.finding.all_versions {
        return Ok(None);
    }
    let first = candidate.versions.iter().map(|version| version.admitted_at).min();
    let long_here = first.is_some_and(|first| now.seconds_since(first) > LONG_STORED_SECONDS);
    if !long_here {
        return Ok(None);
    }
    let ever = takers(door, candidate, None)?;
    let much_used = ever.people > MUCH_USED_PEOPLE || ever.accesses() > MUCH_USED_ACCESSES;
    if !much_used {
        return Ok(None);
    }
    let counts = (downloads(door, candidate, now)?, week(door, now)?);
    Ok(Some(hold(candidate, HoldReason::AllVersions, counts, now)))
}

/// An advisory that would hold a large share of the last week's downloads.
fn bulk(
    door: &Door,
    rules: &Ruleset,
    next: &Advisories,
    candidate: &Candidate<'_>,
    now: Timestamp,
) -> Result<Option<AdvisoryHold>, String> {
    let would_hold = candidate
        .versions
        .iter()
        .copied()
        .filter(|version| would_hold(rules, next, &version.package, candidate.finding, now));
    let versions: Vec<&Touched> = would_hold.collect();
    if versions.is_empty() {
        return Ok(None);
    }
    let candidate = Candidate { finding: candidate.finding, versions };
    let downloads = downloads(door, &candidate, now)?;
    // The smallest that can be more than the share, so that the whole week is counted only where it matters.
    if downloads * BULK_SHARE <= MIN_WEEKLY_DOWNLOADS {
        return Ok(None);
    }
    let in_all = week(door, now)?;
    let large = in_all >= MIN_WEEKLY_DOWNLOADS && downloads * BULK_SHARE > in_all;
    Ok(large.then(|| hold(&candidate, HoldReason::Bulk, (downloads, in_all), now)))
}

/// Whether policy would hold a version for an advisory, were it not admitted before: judged on what is known of
/// advisories alone.
fn would_hold(
    rules: &Ruleset,
    next: &Advisories,
    package: &PackageRef,
    finding: &Finding,
    now: Timestamp,
) -> bool {
    let Some(version) = package.version.as_ref() else { return false };
    let known = KnownVersions::new(next, &package.name, now).of(version.as_str());
    fn beside<T>() -> Group<T> {
        Group { state: FactState::NotApplicable, ..Group::default() }
    }
    let facts = Facts {
        artifact: ArtifactFacts {
            kind: Some(ArtifactKind::Package),
            ecosystem: Some(package.name.ecosystem()),
            name: package.name.as_str().to_owned(),
            version: version.as_str().to_owned(),
            purl: package_purl(&package.name),
            ..ArtifactFacts::default()
        },
        vulnerabilities: known.0.clone(),
        malware: Group::known(MalwareFacts { verdict: "clean".into(), ..MalwareFacts::default() }),
        contents: beside(),
        licence: beside(),
        provenance: beside(),
        scripts: beside(),
        binary: beside(),
        secrets: beside(),
        model: beside(),
        extension: beside(),
        mcp: beside(),
        publisher: beside(),
        lifecycle: beside(),
        name: beside(),
        approval: beside(),
        application: beside(),
        repository: RepositoryFacts { kind: "remote".into(), ..RepositoryFacts::default() },
        request: RequestFacts { operation: "artifact".into(), client: None },
        ..Facts::default()
    };
    let decision = tidegate_policy::decide(&rules.policy, &facts, &rules.waivers, now);
    let because = |reason: &tidegate_model::decision::Reason| reason.because.advisories.contains(&finding.id);
    decision.enforced && decision.reasons.iter().any(|reason| !reason.action.serves() && because(reason))
}

/// Who took the versions, counted. Only what needs a count brings the index up to date: a change that waits for nobody is
/// in force the sooner.
fn takers(door: &Door, candidate: &Candidate<'_>, since: Option<Timestamp>) -> Result<Takers, String> {
    door.project()?;
    let purls: Vec<String> = candidate.versions.iter().map(|version| version.purl.clone()).collect();
    let people: &dyn People = &*door.store.catalogue;
    let of = TakersOf { purls: &purls, since, ..TakersOf::default() };
    door.store.access.takers(of, people).map_err(|e| chain(&e))
}

/// Distinct downloads in the last week: pairs of a person and a version.
fn downloads(door: &Door, candidate: &Candidate<'_>, now: Timestamp) -> Result<u64, String> {
    let takers = takers(door, candidate, Some(now.plus_seconds(-WEEK_SECONDS)))?;
    Ok(takers.versions.iter().map(|version| version.people).sum())
}

/// Distinct downloads of everything in the last week. Counted anew where the last count is older than an hour.
fn week(door: &Door, now: Timestamp) -> Result<u64, String> {
    let counted = *door.effects.week.lock().expect("no panic while holding it");
    if let Some((at, count)) = counted
        && (0..WEEK_COUNT_SECONDS).contains(&now.seconds_since(at))
    {
        return Ok(count);
    }
    count_week(door)
}

/// Counts the distinct downloads of the last week, for whoever asks within the next hour. Blocks.
///
/// # Errors
/// The access index's, as text.
pub(crate) fn count_week(door: &Door) -> Result<u64, String> {
    let now = door.clock.now();
    let since = now.plus_seconds(-WEEK_SECONDS);
    let count = door.store.access.distinct_downloads(since).map_err(|e| chain(&e))?;
    *door.effects.week.lock().expect("no panic while holding it") = Some((now, count));
    Ok(count)
}

/// Forgets holds of advisories that touch nothing any more.
pub(super) async fn end_what_is_over(door: &Arc<Door>, touched: &[Touched]) -> Result<(), String> {
    let gone: BTreeSet<String> = touched.iter().flat_map(|one| one.gone.iter().cloned()).collect();
    let holds = door.catalogue(|c| c.advisory_holds()).await.map_err(|e| chain(&e))?;
    let mut ended = false;
    for hold in holds.into_iter().filter(|hold| gone.contains(&hold.advisory)) {
        let advisory = hold.advisory.clone();
        let left = door.catalogue(move |c| c.exposed_to(&advisory)).await.map_err(|e| chain(&e))?;
        if left.is_empty() {
            ended |= end(door, hold).await?;
        }
    }
    if ended {
        reload(door).await?;
    }
    Ok(())
}

async fn end(door: &Arc<Door>, hold: AdvisoryHold) -> Result<bool, String> {
    let door2 = Arc::clone(door);
    let now = door.clock.now();
    door.blocking(move || {
        tell_of(&door2, &hold, HoldOperation::Ended, None);
        let catalogue = &door2.store.catalogue;
        catalogue.lift_alarm(HELD_ALARM, &hold.advisory, now, "tidegate").map_err(|e| chain(&e))?;
        catalogue.end_advisory_hold(&hold.advisory).map_err(|e| chain(&e))
    })
    .await
}

/// Why a hold was not decided on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecideError {
    /// Nothing of the sort waits.
    #[error("`{}` is not held back", .0.escape_debug())]
    NotHeld(String),
    /// What is kept could not be read or written.
    #[error("{0}")]
    Failed(String),
}

/// Lets an advisory take its full effect, or lets what was admitted before stay, in the name of whoever decides.
///
/// # Errors
/// [`DecideError`].
pub(crate) async fn decide(
    door: &Arc<Door>,
    advisory: &str,
    state: HoldState,
    actor: (String, Pseudonym),
) -> Result<AdvisoryHold, DecideError> {
    let holds = door.catalogue(|c| c.advisory_holds()).await.map_err(|e| DecideError::Failed(chain(&e)))?;
    let same = |hold: &AdvisoryHold| hold.advisory.eq_ignore_ascii_case(advisory);
    let Some(known) = holds.into_iter().find(same) else {
        return Err(DecideError::NotHeld(advisory.chars().take(100).collect()));
    };
    let now = door.clock.now();
    let decided = AdvisoryHold { state, decided: Some((now, actor.0)), ..known };
    let (door2, hold) = (Arc::clone(door), decided.clone());
    let done = door
        .blocking(move || {
            let operation = match hold.state {
                HoldState::Confirmed => HoldOperation::Confirmed,
                HoldState::Dismissed => HoldOperation::Dismissed,
                HoldState::Waiting => HoldOperation::Held,
            };
            tell_of(&door2, &hold, operation, Some(actor.1));
            let catalogue = &door2.store.catalogue;
            catalogue.put_advisory_holds(std::slice::from_ref(&hold)).map_err(|e| chain(&e))?;
            catalogue.lift_alarm(HELD_ALARM, &hold.advisory, now, "tidegate").map_err(|e| chain(&e))
        })
        .await;
    done.map_err(DecideError::Failed)?;
    reload(door).await.map_err(DecideError::Failed)?;
    tell_versions(door, &decided).await.map_err(DecideError::Failed)?;
    Ok(decided)
}

/// Puts the holds that are kept in force.
async fn reload(door: &Arc<Door>) -> Result<(), String> {
    let door2 = Arc::clone(door);
    door.blocking(move || door2.put_holds_in_force()).await.map_err(|e| chain(&e))
}

/// An entry for each version that a decision of a person was about.
async fn tell_versions(door: &Arc<Door>, hold: &AdvisoryHold) -> Result<(), String> {
    let advisory = hold.advisory.clone();
    let (door2, generation) = (Arc::clone(door), door.rules().advisories.snapshot.generation());
    let news = door
        .blocking(move || {
            let (advisories, now) = (door2.rules().advisories.clone(), door2.clock.now());
            let exposed = door2.store.catalogue.exposed_to(&advisory).map_err(|e| chain(&e))?;
            let read: Vec<(String, PackageRef)> = exposed
                .into_iter()
                .filter_map(|purl| PackageRef::parse(&purl).ok().map(|read| (purl, read)))
                .collect();
            let finding = |read: &PackageRef| {
                let version = read.version.as_ref()?.as_str();
                let name = &read.name;
                let known = advisories.snapshot.package(name.ecosystem().as_str(), name.as_str(), now);
                known.matches(version).items.into_iter().find(|finding| finding.ids.contains(&advisory))
            };
            let asked_word = |read: &PackageRef, finding: &Finding| {
                let asked = crate::intel::facts::Asked {
                    ecosystem: read.name.ecosystem(),
                    name: read.name.as_str(),
                    version: read.version.as_ref().map_or("", |version| version.as_str()),
                    now,
                };
                look::word(&advisories, &asked.query(), finding).unwrap_or(Grave::High)
            };
            let news = read.into_iter().filter_map(|(purl, package)| {
                let finding = finding(&package)?;
                let why = asked_word(&package, &finding);
                let new = vec![GraveFinding { why, finding, through: None }];
                Some(tell::News { purl, package, new, gone: Vec::new() })
            });
            Ok::<_, String>(news.collect::<Vec<_>>())
        })
        .await?;
    tell::entries(door, &news, generation, None).await
}

fn tell_of(door: &Door, hold: &AdvisoryHold, operation: HoldOperation, actor: Option<Pseudonym>) {
    let change = HoldChange {
        operation,
        advisory: hold.advisory.as_str().into(),
        reason: hold.reason,
        downloads: hold.downloads,
        downloads_in_all: hold.downloads_in_all,
        sources: hold.sources,
        generation: hold.generation,
        actor,
    };
    record::append(door, Body::Hold(Box::new(change)));
}

fn raise(door: &Door, hold: &AdvisoryHold, now: Timestamp) -> Result<(), String> {
    let why = match hold.reason {
        HoldReason::Bulk => format!(
            "it would hold {} of last week's {} distinct downloads",
            hold.downloads, hold.downloads_in_all
        ),
        HoldReason::AllVersions => format!(
            "it reports malice in all versions of {}, long here and much used; sources that say so: {}",
            hold.packages.join(", "),
            hold.sources
        ),
    };
    let id = &hold.advisory;
    let message = format!(
        "{id} waits for a person: {why}. What was admitted before is served with a warning until then: `tidegate intel \
         confirm {id}` or `tidegate intel dismiss {id}`"
    );
    tracing::error!(advisory.id = %id, "{message}");
    let json =
        serde_json::json!({ "advisory": id, "reason": hold.reason, "packages": hold.packages }).to_string();
    let alarm = NewAlarm { kind: HELD_ALARM.into(), subject: id.clone(), message, json, at: now };
    door.metrics.alarms.inc();
    door.store.catalogue.raise_alarm(&alarm).map(drop).map_err(|e| chain(&e))
}
