//! `POST /checks`: what would be decided on many packages, at the stage of their indexes.
//!
//! Packages load concurrently within a bound, each once, however many of its versions are asked about. Nothing is
//! fetched but indexes and nothing is recorded: no byte leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_model::coordinate::PackageRef;
use tidegate_model::facts::{
    ArtifactFacts, FactState, Facts, Group, PrincipalFacts, RepositoryFacts, RequestFacts,
};
use tidegate_model::{ArtifactKind, PackageName};
use tokio::task::JoinSet;

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::subject::{self, Asker, Subject};
use crate::door::{Door, Repository};

/// The most items of one request; callers with more ask again.
const MAX_ITEMS: usize = 5_000;
/// How many packages load at a time.
const LOADS_AT_A_TIME: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Package URLs, with or without versions.
    #[serde(default)]
    purls: Vec<String>,
    /// Entries of a lock file.
    #[serde(default)]
    locked: Vec<Locked>,
    /// Through this repository; else the one of the ecosystem.
    repository: Option<String>,
    /// As the principal of this token; administrators only.
    run: Option<String>,
    /// Ask nothing of upstreams: decide on what is known here, and on nothing but gaps where nothing is.
    #[serde(default)]
    offline: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locked {
    purl: String,
    file: Option<String>,
}

type Wanted = Vec<(usize, PackageRef, Locked)>;

pub(crate) async fn check(call: &Call) -> Handled {
    let asked: Asked = call.document()?;
    let mut items = asked.locked;
    items.extend(asked.purls.into_iter().map(|purl| Locked { purl, file: None }));
    if items.len() > MAX_ITEMS {
        return Err(Problem::bad(
            format!("{} items are too many for one request", items.len()),
            format!("ask about at most {MAX_ITEMS} at a time"),
        ));
    }
    let asker = asker(call, asked.run.as_deref()).await?;
    let mut results: Vec<Value> = vec![Value::Null; items.len()];
    let mut packages: BTreeMap<(String, String), (Arc<Repository>, PackageName, Wanted)> = BTreeMap::new();
    for (n, item) in items.into_iter().enumerate() {
        let found = subject::read_purl(&item.purl).and_then(|purl| {
            let named = asked.repository.as_deref();
            subject::repository_of(call, purl.name.ecosystem(), named).map(|r| (r, purl))
        });
        match found {
            Ok((repository, purl)) => {
                let key = (repository.name.to_string(), purl.name.to_string());
                let name = purl.name.clone();
                packages.entry(key).or_insert((repository, name, Vec::new())).2.push((n, purl, item));
            }
            Err(problem) => results[n] = failed(&item, &problem),
        }
    }
    let mut running = JoinSet::new();
    let mut waiting = packages.into_values();
    loop {
        while running.len() < LOADS_AT_A_TIME
            && let Some((repository, name, wanted)) = waiting.next()
        {
            let (door, asker) = (Arc::clone(&call.door), asker.clone());
            running.spawn(async move {
                let offline = asked.offline;
                let found = if offline {
                    Box::pin(subject::load_known(&door, &repository, &name, &asker)).await
                } else {
                    Box::pin(subject::load(&door, &repository, &name, &asker)).await.map(Some)
                };
                let judge = |purl: &PackageRef, item: &Locked| match &found {
                    // A version that the index of another day does not list is not known here, which is no answer.
                    Ok(Some(subject))
                        if !offline
                            || purl.version.as_ref().is_none_or(|v| !subject.files_of(v).is_empty()) =>
                    {
                        judge(subject, purl, item)
                    }
                    Ok(_) => unknown(&door, &repository, &asker, purl, item),
                    Err(problem) => failed(item, problem),
                };
                wanted.iter().map(|(n, purl, item)| (*n, judge(purl, item))).collect::<Vec<_>>()
            });
        }
        match running.join_next().await {
            Some(Ok(done)) => done.into_iter().for_each(|(n, result)| results[n] = result),
            Some(Err(_)) => return Err(Problem::failed("a check ended in an unforeseen way")),
            None => break,
        }
    }
    let rules = call.door.rules();
    Ok(json!({
        "items": results,
        "policy": { "id": rules.policy.id(), "version": rules.policy.version(), "digest": rules.policy.digest() },
        "decided_at": call.now,
    }))
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

/// What a package, a version or a file comes to.
fn judge(subject: &Subject, purl: &PackageRef, item: &Locked) -> Value {
    let files = subject.package.index.files();
    let positions = match &purl.version {
        Some(version) => subject.files_of(version),
        // Without a version: what a client that asks for the newest would look at first.
        None => newest(subject),
    };
    let chosen = match &item.file {
        Some(file) => positions.iter().copied().find(|i| files[*i].file.as_str() == file),
        // A client takes whichever file of a version it may have.
        None => positions.iter().copied().min_by_key(|i| {
            let decision = &subject.decisions[*i];
            (!decision.serves(), decision.action)
        }),
    };
    let Some(position) = chosen else {
        let version = purl.version.as_ref().map_or("", |v| v.as_str());
        let what = item.file.as_deref().filter(|_| !positions.is_empty()).unwrap_or(version);
        return failed(item, &subject::no_such_version(subject, what));
    };
    let decision = &subject.decisions[position];
    let leading = decision.leading_reason();
    json!({
        "purl": item.purl,
        "file": item.file.as_deref().unwrap_or(files[position].file.as_str()),
        "status": "decided",
        "repository": &*subject.repository.name,
        "version": files[position].version.as_str(),
        "served": decision.serves(),
        "action": decision.action,
        "rule": leading.map(|r| &r.rule),
        "message": leading.map(|r| &r.message),
        "selectable_from": decision.selectable_from,
        "newest_compliant": subject.newest_compliant(),
        "stale": subject.stale.as_deref(),
        "decision": decision,
        "withheld_files": positions.iter().filter(|i| !subject.decisions[**i].serves())
            .map(|i| subject.withheld_json(*i)).collect::<Vec<_>>(),
    })
}

/// What policy says of a package of which nothing is known here: every fact that can be missing is.
fn unknown(door: &Door, repository: &Repository, asker: &Asker, purl: &PackageRef, item: &Locked) -> Value {
    const WHY: &str = "nothing is known of it here, and no upstream was asked";
    fn gap<T>() -> Group<T> {
        // The control is not off: its answer could not be had.
        Group::gap(FactState::Error, WHY)
    }
    fn not_applicable<T>() -> Group<T> {
        Group { state: FactState::NotApplicable, ..Group::default() }
    }
    let facts = Facts {
        artifact: ArtifactFacts {
            kind: Some(ArtifactKind::Package),
            ecosystem: Some(purl.name.ecosystem()),
            name: purl.name.as_str().to_owned(),
            version: purl.version.as_ref().map(|v| v.as_str().to_owned()).unwrap_or_default(),
            file: item.file.clone().unwrap_or_default(),
            prerelease: purl.version.as_ref().is_some_and(tidegate_model::Version::is_prerelease),
            purl: item.purl.clone(),
            ..ArtifactFacts::default()
        },
        vulnerabilities: gap(),
        malware: gap(),
        licence: gap(),
        provenance: gap(),
        scripts: gap(),
        binary: gap(),
        secrets: gap(),
        publisher: gap(),
        lifecycle: gap(),
        name: gap(),
        model: not_applicable(),
        extension: not_applicable(),
        mcp: not_applicable(),
        application: not_applicable(),
        principal: PrincipalFacts {
            id: asker.principal.id.clone(),
            kind: Some(asker.principal.kind),
            groups: asker.principal.groups.clone(),
        },
        repository: RepositoryFacts {
            name: repository.name.to_string(),
            kind: "remote".into(),
            upstream: None,
            private: repository.is_private(&purl.name),
        },
        // As if the bytes were asked for: an unknown package must not pass as one whose inspection comes later.
        request: RequestFacts { operation: "artifact".into(), client: asker.client.clone() },
    };
    let rules = door.rules();
    let decision = tidegate_policy::decide(&rules.policy, &facts, &rules.waivers, door.clock.now());
    let leading = decision.leading_reason();
    json!({
        "purl": item.purl, "file": item.file, "status": "decided", "repository": &*repository.name,
        "version": purl.version.as_ref().map(|v| v.as_str()), "served": decision.serves(), "action": decision.action,
        "rule": leading.map(|r| &r.rule), "message": leading.map(|r| &r.message),
        "selectable_from": decision.selectable_from, "newest_compliant": null, "stale": WHY, "decision": decision,
        "withheld_files": [],
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
