//! `POST /checks`: what would be decided on many packages, at the stage of their indexes.
//!
//! Packages load concurrently within a bound, each once, however many of its versions are asked about. Nothing is
//! fetched but indexes and nothing is recorded: no byte leaves. What has no index here (an ecosystem without a door, an
//! upstream that does not list it, nobody asked) is judged by what advisories say of it.

mod advised;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_model::coordinate::PackageRef;
use tidegate_model::facts::FactState;
use tidegate_model::{PackageName, Sha256};
use tidegate_policy::Policy;
use tokio::task::JoinSet;

use self::advised::{Alone, Component};
use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::subject::{self, Asker, Subject};
use crate::door::Repository;
use crate::inspection::Seen;
use crate::pipeline::decide::Ruleset;

/// The most items of one request; callers with more ask again.
const MAX_ITEMS: usize = 5_000;
/// How many packages load at a time.
const LOADS_AT_A_TIME: usize = 16;
/// Why nothing but its contents and advisories is known of bytes at hand.
const BYTES_ALONE: &str = "bytes at hand were looked at, not what an index says of them";
/// Why little is known of a package where no upstream was to be asked.
const NOT_ASKED: &str = "nothing is known of it here, and no upstream was asked";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Package URLs, with or without versions.
    #[serde(default)]
    purls: Vec<String>,
    /// Entries of a lock file or an inventory.
    #[serde(default)]
    locked: Vec<Locked>,
    /// Through this repository; else the one of the ecosystem.
    repository: Option<String>,
    /// As the principal of this token; administrators only.
    run: Option<String>,
    /// Ask nothing of upstreams: decide on what is known here, and on nothing but gaps where nothing is.
    #[serde(default)]
    offline: bool,
    /// Decide by this policy instead of the one in force.
    policy: Option<OwnPolicy>,
    /// Tell the long texts of advisories, too.
    #[serde(default)]
    details: bool,
}

/// A policy for one request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnPolicy {
    /// What messages call it: a pack's name, or the path of the file.
    name: String,
    /// The text of the file; none for a pack.
    text: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locked {
    /// Package URL; empty where a component has none.
    #[serde(default)]
    purl: String,
    /// The file that is pinned.
    file: Option<String>,
    /// The files that are pinned, where they are several: the worst of them counts.
    #[serde(default)]
    files: Vec<String>,
    /// Whether it is a component of something: without a version it is then not the newest that is meant.
    #[serde(default)]
    component: bool,
    /// Its name, where it has no package URL.
    #[serde(default)]
    name: String,
    /// Its version, where it has no package URL.
    version: Option<String>,
    /// Why it has no package URL.
    #[serde(default)]
    why: String,
    /// What the caller saw inside the bytes that it has at hand. It is decided on those then, whatever an index lists; nothing is
    /// recorded, so whoever asks deceives only themselves.
    seen: Option<Box<Seen>>,
    /// Digest of these bytes.
    sha256: Option<Sha256>,
}

/// One item on its way through a package that loads.
type Wanted = Vec<(usize, PackageRef, Component, Locked)>;

/// What all items are judged with.
struct Judge {
    rules: Arc<Ruleset>,
    asker: Asker,
    offline: bool,
    details: bool,
    now: tidegate_model::Timestamp,
}

pub(crate) async fn check(call: &Call) -> Handled {
    let asked: Asked = call.document()?;
    let mut items = asked.locked;
    items.extend(asked.purls.into_iter().map(|purl| Locked { purl, ..Locked::default() }));
    if items.len() > MAX_ITEMS {
        return Err(Problem::bad(
            format!("{} items are too many for one request", items.len()),
            format!("ask about at most {MAX_ITEMS} at a time"),
        ));
    }
    let asker = asker(call, asked.run.as_deref()).await?;
    let rules = match asked.policy {
        Some(policy) => {
            Arc::new(Ruleset { policy: compiled(&policy)?, ..Ruleset::clone(&call.door.rules()) })
        }
        None => call.door.rules(),
    };
    let judge = Arc::new(Judge {
        rules: Arc::clone(&rules),
        asker,
        offline: asked.offline,
        details: asked.details,
        now: call.now,
    });
    let mut results: Vec<Value> = vec![Value::Null; items.len()];
    let mut alone = Vec::new();
    let mut packages: BTreeMap<(String, String), (Arc<Repository>, PackageName, Wanted)> = BTreeMap::new();
    for (n, item) in items.into_iter().enumerate() {
        match place(call, asked.repository.as_deref(), &item) {
            Ok(Place::Listed(repository, purl, component)) => {
                let key = (repository.name.to_string(), purl.name.to_string());
                let name = purl.name.clone();
                packages
                    .entry(key)
                    .or_insert((repository, name, Vec::new()))
                    .2
                    .push((n, purl, component, item));
            }
            Ok(Place::Alone(component, state, why)) => alone.push((n, component, item, state, why)),
            Err(problem) => results[n] = failed(&item, &problem),
        }
    }
    let judged_alone = {
        let judge = Arc::clone(&judge);
        call.door.blocking(move || {
            alone
                .into_iter()
                .map(|(n, component, item, state, why)| {
                    (n, judge.alone(None, &component, &item, (state, &why), false))
                })
                .collect::<Vec<_>>()
        })
    };
    judged_alone.await.into_iter().for_each(|(n, result)| results[n] = result);
    let mut running = JoinSet::new();
    let mut waiting = packages.into_values();
    loop {
        while running.len() < LOADS_AT_A_TIME
            && let Some((repository, name, wanted)) = waiting.next()
        {
            let (door, judge) = (Arc::clone(&call.door), Arc::clone(&judge));
            running.spawn(async move {
                let (rules, asker) = (&judge.rules, &judge.asker);
                let found = if judge.offline {
                    Box::pin(subject::load_known_under(&door, &repository, &name, asker, rules)).await
                } else {
                    Box::pin(subject::load_under(&door, &repository, &name, asker, rules)).await.map(Some)
                };
                let judging = Arc::clone(&judge);
                door.blocking(move || {
                    let judge = |(n, purl, component, item): (usize, PackageRef, Component, Locked)| {
                        (n, judging.one(&repository, found.as_ref(), &purl, &component, &item))
                    };
                    wanted.into_iter().map(judge).collect::<Vec<_>>()
                })
                .await
            });
        }
        match running.join_next().await {
            Some(Ok(done)) => done.into_iter().for_each(|(n, result)| results[n] = result),
            Some(Err(_)) => return Err(Problem::failed("a check ended in an unforeseen way")),
            None => break,
        }
    }
    Ok(json!({
        "items": results,
        "policy": { "id": rules.policy.id(), "version": rules.policy.version(), "digest": rules.policy.digest() },
        "degraded": rules.advisories.degradations(call.now).iter().map(ToString::to_string).collect::<Vec<_>>(),
        "decided_at": call.now,
    }))
}

/// A policy that was given with the request.
fn compiled(given: &OwnPolicy) -> Result<Policy, Problem> {
    match &given.text {
        None => Policy::pack(&given.name).ok_or_else(|| {
            Problem::bad(
                format!("there is no policy pack `{}`", given.name.escape_debug()),
                format!("the packs are {}", tidegate_policy::packs::NAMES.join(", ")),
            )
        }),
        Some(text) => Policy::compile(text, &given.name)
            .map(|compiled| compiled.policy)
            .map_err(|e| Problem::bad(e.to_string(), "")),
    }
}

/// How an item is judged.
enum Place {
    /// By the index of its package.
    Listed(Arc<Repository>, PackageRef, Component),
    /// By what advisories say alone; everything else is not known in this way, for this reason.
    Alone(Component, FactState, String),
}

fn place(call: &Call, named: Option<&str>, item: &Locked) -> Result<Place, Problem> {
    if item.purl.is_empty() {
        if !item.component || item.name.is_empty() {
            return Err(Problem::bad("an item has no package URL", "give `purl`"));
        }
        let why = "nothing here knows what has no package URL".to_owned();
        let component = Component::nameless(item.name.clone(), item.version.clone(), item.why.clone());
        if item.seen.is_some() {
            return Ok(Place::Alone(component, FactState::NotOffered, BYTES_ALONE.to_owned()));
        }
        return Ok(Place::Alone(component, FactState::Unsupported, why));
    }
    let component = Component::of_purl(&item.purl);
    let Some(ecosystem) = component.as_ref().ok().and_then(|component| component.ecosystem) else {
        let component = component.map_err(|_| match subject::read_purl(&item.purl) {
            Err(problem) => problem,
            Ok(_) => Problem::bad("an item has a package URL that cannot be read", "give another"),
        })?;
        let ty = item.purl.trim_start_matches("pkg:").split('/').next().unwrap_or_default();
        let why = format!("there is no door for package URLs of type `{}`", ty.escape_debug());
        return Ok(Place::Alone(component, FactState::Unsupported, why));
    };
    if item.seen.is_some() {
        let component = component.expect("its ecosystem was read out of it");
        return Ok(Place::Alone(component, FactState::NotOffered, BYTES_ALONE.to_owned()));
    }
    let purl = subject::read_purl(&item.purl)?;
    let component = component.expect("its ecosystem was read out of it");
    if item.component && purl.version.is_none() {
        let why = "it has no version, so nothing can be looked up".to_owned();
        return Ok(Place::Alone(component, FactState::Error, why));
    }
    let repository = match subject::repository_of(call, ecosystem, named) {
        Err(problem) if problem.code == "not_found" && named.is_none() => {
            return Ok(Place::Alone(component, FactState::Unsupported, problem.title));
        }
        found => found?,
    };
    if repository.upstreams.is_empty() {
        return Ok(Place::Alone(component, FactState::Error, repository.not_configured.clone()));
    }
    Ok(Place::Listed(repository, purl, component))
}

impl Judge {
    /// What an item comes to whose package was looked for.
    fn one(
        &self,
        repository: &Repository,
        found: Result<&Option<Subject>, &Problem>,
        purl: &PackageRef,
        component: &Component,
        item: &Locked,
    ) -> Value {
        let listed =
            |subject: &Subject| purl.version.as_ref().is_none_or(|v| !subject.files_of(v).is_empty());
        match found {
            // A version that the index of another day does not list is not known here, which is no answer.
            Ok(Some(subject)) if !self.offline || listed(subject) => self
                .listed(subject, purl, component, item)
                .unwrap_or_else(|problem| self.in_spite_of(&problem, repository, component, item)),
            Ok(_) => self.alone(Some(repository), component, item, (FactState::Error, NOT_ASKED), true),
            Err(problem) => self.in_spite_of(problem, repository, component, item),
        }
    }

    /// What a package, a version or its files come to.
    fn listed(
        &self,
        subject: &Subject,
        purl: &PackageRef,
        component: &Component,
        item: &Locked,
    ) -> Result<Value, Problem> {
        let files = subject.package.index.files();
        let positions = match &purl.version {
            Some(version) => subject.files_of(version),
            // Without a version: what a client that asks for the newest would look at first.
            None => newest(subject),
        };
        let pinned = || item.file.iter().chain(&item.files);
        let at = |file: &str| positions.iter().copied().find(|i| files[*i].file.as_str() == file);
        let rank = |i: &usize| {
            let decision = &subject.decisions[*i];
            (!decision.serves(), decision.action)
        };
        let missing = pinned().find(|file| at(file).is_none());
        let chosen = if pinned().next().is_some() {
            // Any of them may be what a client takes.
            pinned().filter_map(|file| at(file)).max_by_key(rank).filter(|_| missing.is_none())
        } else {
            // A client takes whichever file of a version it may have.
            positions.iter().copied().min_by_key(rank)
        };
        let Some(position) = chosen else {
            let version = purl.version.as_ref().map_or("", |v| v.as_str());
            let what = missing.map(String::as_str).filter(|_| !positions.is_empty()).unwrap_or(version);
            return Err(subject::no_such_version(subject, what));
        };
        let version = files[position].version.as_str();
        let component = &match &purl.version {
            Some(_) => component.clone(),
            None => component.at(version),
        };
        let findings = component.own_findings(&self.rules, self.now);
        let decision = &subject.decisions[position];
        let leading = decision.leading_reason();
        let file = match (&item.file, item.files.as_slice()) {
            (Some(file), _) => Some(file.as_str()),
            (None, []) => Some(files[position].file.as_str()),
            (None, [file]) => Some(file.as_str()),
            // None of several files is what was asked about.
            (None, _) => None,
        };
        Ok(json!({
            "purl": item.purl,
            "file": file,
            "status": "decided",
            "repository": &*subject.repository.name,
            "version": version,
            "served": decision.serves(),
            "action": decision.action,
            "rule": leading.map(|r| &r.rule),
            "message": leading.map(|r| &r.message),
            "selectable_from": decision.selectable_from,
            "newest_compliant": subject.newest_compliant(),
            "nearest_compliant":
                advised::nearest_listed(subject, component, position, findings.as_ref(), self.now),
            "stale": subject.stale.as_deref(),
            "decision": decision,
            "findings": advised::told(&self.rules, component, findings.as_ref(), self.details, self.now),
            "withheld_files": positions.iter().filter(|i| !subject.decisions[**i].serves())
                .map(|i| subject.withheld_json(*i)).collect::<Vec<_>>(),
        }))
    }

    /// What policy says where only advisories are known; `stale` where an index would have told more.
    fn alone(
        &self,
        repository: Option<&Repository>,
        component: &Component,
        item: &Locked,
        gap: (FactState, &str),
        stale: bool,
    ) -> Value {
        let seen = item.seen.as_deref().map(|seen| (seen, item.sha256));
        let alone = Alone { rules: &self.rules, asker: &self.asker, repository, gap, seen, now: self.now };
        let findings = component.own_findings(&self.rules, self.now);
        let decision = alone.decide(component, None, findings.as_ref());
        let leading = decision.leading_reason();
        json!({
            "purl": item.purl, "file": item.file, "status": "decided", "repository": repository.map(|r| &*r.name),
            "version": component.version, "served": decision.serves(), "action": decision.action,
            "rule": leading.map(|r| &r.rule), "message": leading.map(|r| &r.message),
            "selectable_from": decision.selectable_from, "newest_compliant": null,
            "nearest_compliant": alone.nearest(component, findings.as_ref()),
            "stale": stale.then_some(gap.1), "decision": decision,
            "findings": advised::told(&self.rules, component, findings.as_ref(), self.details, self.now),
            "withheld_files": [],
        })
    }

    /// What is known of an item that could not be decided on: what advisories say, and a decision only where that refuses
    /// it already. Anything better would be an admission of what nobody could look at.
    fn in_spite_of(
        &self,
        problem: &Problem,
        repository: &Repository,
        component: &Component,
        item: &Locked,
    ) -> Value {
        let mut told = failed(item, problem);
        let gap = (FactState::Error, problem.title.as_str());
        let known = self.alone(Some(repository), component, item, gap, false);
        let carried: &[&str] = if known["served"] == true {
            &["findings"]
        } else {
            &[
                "findings",
                "decision",
                "served",
                "action",
                "rule",
                "message",
                "nearest_compliant",
                "selectable_from",
            ]
        };
        for key in carried {
            told[*key] = known[*key].clone();
        }
        told
    }
}

/// For whom is asked: the caller, or the principal of a run's token.
pub(crate) async fn asker(call: &Call, run: Option<&str>) -> Result<Asker, Problem> {
    let Some(id) = run.filter(|id| call.actor.token_id.as_deref() != Some(*id)) else {
        return Ok(Asker::from(&call.actor));
    };
    if !call.actor.admin {
        return Err(Problem::forbidden("only an administrator may ask for somebody else", ""));
    }
    let now = call.now;
    let tokens = call.door.catalogue(move |c| c.tokens(false, now)).await?;
    let token = tokens
        .into_iter()
        .find(|t| t.id == id)
        .ok_or_else(|| Problem::not_found(format!("there is no valid token `{}`", id.escape_debug()), ""))?;
    Ok(Asker { principal: token.principal, client: None })
}

fn failed(item: &Locked, problem: &Problem) -> Value {
    json!({
        "purl": item.purl, "file": item.file, "status": if problem.code == "not_found" { "not_found" } else { "failed" },
        "code": problem.code, "error": problem.title, "detail": problem.detail,
    })
}

/// The files of the highest version, stable ones first, yanked ones last.
fn newest(subject: &Subject) -> Vec<usize> {
    let files = subject.package.index.files();
    let rank = |i: &usize| (files[*i].yanked.is_none(), !files[*i].version.is_prerelease());
    let best = (0..files.len())
        .max_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| files[*a].version.cmp(&files[*b].version)));
    best.map_or_else(Vec::new, |i| subject.files_of(&files[i].version))
}
