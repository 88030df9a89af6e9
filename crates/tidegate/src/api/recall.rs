//! `GET /accesses?advisory=…`: who took what an advisory touches, with a head that counts and says what the door does now.
//!
//! The head comes with the first page; later pages hold rows alone.

use std::collections::HashMap;

use serde_json::{Value, json};
use tidegate_model::{Action, PackageName};
use tidegate_store::access_index::{Taken, Takers, TakersOf, WhoPage, WhoQuery, WhoSubject};

use super::Handled;
use super::accesses;
use super::call::Call;
use super::problem::Problem;
use super::subject::{self, Asker};
use crate::door::Door;
use crate::intel::recall::{Recall, RecallError, RecalledVersion, Touch};

/// For at most this many packages the head says what the door does now.
const MAX_DECIDED: usize = 64;
/// The most versions that the head lists by name; all of them are counted.
const MAX_LISTED: usize = 1000;

pub(super) async fn accesses(call: &Call, advisory: &str, query: WhoQuery) -> Handled {
    let (id, now, first_page) = (advisory.to_owned(), call.now, query.after.is_none());
    let (found, freshness) = call
        .blocking(move |door| {
            let rules = door.rules();
            let recall = Recall::of(&id, &rules.advisories, &*door.store.catalogue, now).map_err(refused)?;
            // What was answered before the question is part of the answer.
            let freshness = accesses::catch_up(door);
            taken(door, recall, query, first_page).map(|found| (found, freshness))
        })
        .await?;
    let mut told = json!({
        "accesses": accesses::rows(&found.page, |_| None), "next": accesses::next(&found.page),
        "indexed_up_to": freshness.told(),
    });
    if call.flag("proofs") {
        accesses::add_proofs(&call.door, &found.page, &mut told);
    }
    if let Some((takers, others)) = &found.counted {
        let actions = actions(call, &found.recall).await;
        told["advisory"] = head(&found.recall);
        told["takers"] = counts(takers);
        told["versions"] = listed(&found.recall, takers, true, &actions);
        told["untouched"] = listed(&found.recall, others, false, &HashMap::new());
    }
    Ok(told)
}

/// What was found of an advisory.
struct Found {
    recall: Recall,
    page: WhoPage,
    /// Takers of touched versions, and of those that are not touched.
    counted: Option<(Takers, Takers)>,
}

fn taken(door: &Door, recall: Recall, query: WhoQuery, count: bool) -> Result<Found, Problem> {
    let people = &*door.store.catalogue;
    let failed = |e: tidegate_store::access_index::WhoError| accesses::failed(&e);
    let purls = recall.touched();
    let (since, until) = (query.since, query.until);
    let subject = match recall.sha256 {
        Some(sha256) => WhoSubject::Sha256(sha256),
        None => WhoSubject::Purls { purls: purls.clone(), sha256: None },
    };
    let page = door.store.access.who(&WhoQuery { subject, ..query }, people).map_err(failed)?;
    let counted = if count {
        let of = TakersOf { purls: &purls, sha256: recall.sha256, since, until };
        let takers = door.store.access.takers(of, people).map_err(failed)?;
        let untouched = recall.versions.iter().filter(|v| v.touch == Touch::NotAffected);
        let untouched: Vec<String> = untouched.map(|v| v.purl.clone()).collect();
        let of = TakersOf { purls: &untouched, sha256: None, since, until };
        Some((takers, door.store.access.takers(of, people).map_err(failed)?))
    } else {
        None
    };
    Ok(Found { recall, page, counted })
}

fn refused(error: RecallError) -> Problem {
    let told = error.to_string();
    match error {
        RecallError::Unknown(_) => Problem::not_found(
            told,
            "check the id (a package is written pkg:npm/NAME); `tidegate intel status` shows what is loaded, `tidegate intel import FILE` loads a record",
        ),
        RecallError::OnlySignals(_) => Problem::not_found(
            told,
            "look up which package it is in, then ask `tidegate who PURL`; `tidegate intel import FILE` loads a record",
        ),
        RecallError::TooMuch(_) => {
            Problem::bad(told, "ask for one of its packages: `tidegate who PURL` takes one without a version")
        }
        RecallError::Failed(why) => Problem::failed(why),
    }
}

fn head(recall: &Recall) -> Value {
    json!({
        "id": recall.id,
        "ids": recall.ids,
        "summary": recall.summary,
        "kind": recall.kind,
        "state": if recall.in_force { "in_force" } else { "withdrawn" },
        "feeds": recall.feeds,
        "packages": recall.packages,
        "packages_elsewhere": recall.elsewhere,
        "sha256": recall.sha256.map(|digest| digest.hex()),
        "admitted": recall.versions.len(),
        "touched": recall.versions.iter().filter(|v| v.touch != Touch::NotAffected).count(),
    })
}

fn counts(takers: &Takers) -> Value {
    json!({
        "accesses": takers.accesses(), "people": takers.people, "hosts": takers.hosts,
        "repositories": takers.repositories, "versions": takers.versions.len(),
        "first_at": takers.first_at(), "last_at": takers.last_at(),
    })
}

/// The versions that are touched, or those that are not and were taken.
fn listed(recall: &Recall, takers: &Takers, touched: bool, actions: &HashMap<&str, Action>) -> Value {
    let taken: HashMap<&str, &Taken> = takers.versions.iter().map(|t| (t.purl.as_str(), t)).collect();
    let one = |version: &RecalledVersion| {
        let taken = taken.get(version.purl.as_str());
        json!({
            "purl": version.purl, "touch": version.touch, "admitted_at": version.admitted_at,
            "accesses": taken.map_or(0, |t| t.accesses), "people": taken.map_or(0, |t| t.people),
            "first_at": taken.map(|t| t.first_at), "last_at": taken.map(|t| t.last_at),
            "action": actions.get(version.purl.as_str()), "fixed_in": version.fixed_in, "holds": version.holds,
        })
    };
    let wanted = |v: &&RecalledVersion| {
        (v.touch != Touch::NotAffected) == touched && (touched || taken.contains_key(v.purl.as_str()))
    };
    recall.versions.iter().filter(wanted).take(MAX_LISTED).map(one).collect()
}

/// What the door does now with each touched version, by package URL; of packages whose index is here. No upstream is asked.
async fn actions<'r>(call: &Call, recall: &'r Recall) -> HashMap<&'r str, Action> {
    let touched = || recall.versions.iter().filter(|v| v.touch != Touch::NotAffected);
    let mut names: Vec<&PackageName> = touched().map(|v| &v.package.name).collect();
    names.dedup();
    let asker = Asker::from(&call.actor);
    let mut actions = HashMap::new();
    for name in names.into_iter().take(MAX_DECIDED) {
        let Ok(repository) = subject::repository_of(call, name.ecosystem(), None) else { continue };
        let Ok(Some(known)) = subject::load_known(&call.door, &repository, name, &asker).await else {
            continue;
        };
        for version in touched().filter(|v| v.package.name == *name) {
            let Some(wanted) = &version.package.version else { continue };
            let files = known.files_of(wanted);
            if let Some(action) = files.into_iter().map(|i| known.decisions[i].action).max() {
                actions.insert(version.purl.as_str(), action);
            }
        }
    }
    actions
}
