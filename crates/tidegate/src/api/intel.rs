//! Advisories and signals: what is loaded, how old it is, loading more, looking one up.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_intel::FeedKind;
use tidegate_intel::import::{AlarmKind, Extent, ReadOptions};
use tidegate_store::catalogue::{AdvisoryHold, HoldState};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use crate::intel::bundles::{self, Loading};
use crate::intel::effects::held::DecideError;
use crate::intel::{effects, sync};

/// Feeds as loaded and as last asked for.
pub(super) fn status(call: &Call) -> Value {
    let door = &call.door;
    let rules = door.rules();
    let snapshot = &rules.advisories.snapshot;
    let attempts = door.attempts.all();
    let loaded = snapshot.feeds().iter().map(|feed| {
        let attempt = attempts.get(feed.name());
        json!({
            "name": feed.name(), "kind": feed.kind().as_str(), "as_of": feed.as_of(), "records": feed.len(),
            "segments": feed.layer_count(), "damaged": Value::Null,
            "asked_at": attempt.and_then(|a| a.at), "outcome": attempt.and_then(|a| a.outcome.as_ref()),
            "succeeded_at": attempt.and_then(|a| a.succeeded_at),
        })
    });
    let damaged = snapshot.damaged().iter().map(
        |feed| json!({ "name": feed.feed, "kind": feed.kind.as_str(), "records": 0, "damaged": feed.why }),
    );
    let missing = door
        .feeds
        .iter()
        .filter(|feed| {
            !snapshot.feeds().iter().any(|f| f.name() == feed.name)
                && !snapshot.damaged().iter().any(|f| f.feed == feed.name)
        })
        .map(|feed| {
            let attempt = attempts.get(&feed.name);
            json!({
                "name": feed.name, "kind": feed.kind.as_str(), "records": 0, "damaged": Value::Null,
                "asked_at": attempt.and_then(|a| a.at), "outcome": attempt.and_then(|a| a.outcome.as_ref()),
            })
        });
    json!({
        "generation": snapshot.generation(),
        "sync": door.config.intel.sync,
        "under_way": door.attempts.under_way(),
        "fresh_until": rules.advisories.fresh_until(),
        "feeds": loaded.chain(damaged).chain(missing).collect::<Vec<_>>(),
    })
}

/// Looks at every feed now.
pub(super) async fn sync(call: &Call) -> Handled {
    let outcomes = sync::all(&call.door, |_, _| ()).await;
    Ok(json!({ "feeds": outcomes, "generation": call.door.intel.snapshot().generation() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    paths: Vec<PathBuf>,
    feed: Option<String>,
    kind: Option<FeedKind>,
    #[serde(default)]
    whole: bool,
    #[serde(default)]
    accept: Vec<String>,
}

/// Files are read and written on the machine of the door, by whoever may use its socket there.
pub(super) fn on_this_machine(call: &Call, group: &str, what: &str) -> Result<(), Problem> {
    if call.actor.token_id.is_some() {
        return Err(Problem::forbidden(
            format!("files are {what}ed on the machine of the door"),
            format!("run `tidegate {group} {what}` there, as the user that runs the door"),
        ));
    }
    Ok(())
}

/// Loads files that lie on the door's machine: deliveries of feeds, or bundles of other doors.
pub(super) async fn import(call: &Call) -> Handled {
    on_this_machine(call, "intel", "import")?;
    let wanted: Import = call.document()?;
    let (unsigned, words): (Vec<_>, Vec<_>) =
        wanted.accept.iter().partition(|word| word.as_str() == bundles::UNSIGNED);
    let unsigned = !unsigned.is_empty();
    let accept = words.into_iter().map(|word| accepted(word)).collect::<Result<Vec<_>, _>>()?;
    let options = ReadOptions {
        feed: wanted.feed,
        kind: wanted.kind,
        extent: if wanted.whole { Extent::Whole } else { Extent::Part },
        as_of: None,
        scratch: Some(sync::scratch(&call.door).map_err(Problem::failed)?),
    };
    let actor = call.pseudonym().await?;
    let door = std::sync::Arc::clone(&call.door);
    let loading = Loading { paths: wanted.paths, options, unsigned, accept };
    let applied = call
        .door
        .heavy(move || bundles::load(&door, loading, Some(actor)))
        .await
        .map_err(|why| Problem::bad(why, "nothing was changed"))?;
    effects::settle(&call.door).await;
    Ok(json!({ "generation": applied.generation, "feeds": applied.reports }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    path: PathBuf,
}

/// Writes a signed bundle of everything that is in force to a file on the door's machine.
pub(super) async fn export(call: &Call) -> Handled {
    on_this_machine(call, "intel", "export")?;
    let wanted: Export = call.document()?;
    let (door, path) = (std::sync::Arc::clone(&call.door), wanted.path.clone());
    let (manifest, key) = call
        .door
        .heavy(move || bundles::export(&door, &path))
        .await
        .map_err(|why| Problem::bad(why, "no file was written"))?;
    let feeds = manifest.feeds.iter().map(
        |feed| json!({ "feed": feed.name, "kind": feed.kind.as_str(), "as_of": feed.as_of, "records": feed.records }),
    );
    Ok(json!({
        "path": wanted.path, "generation": manifest.generation, "key": key.to_string(),
        "feeds": feeds.collect::<Vec<_>>(),
    }))
}

/// The public half of the key that signs this door's bundles.
pub(super) async fn key(call: &Call) -> Handled {
    let door = std::sync::Arc::clone(&call.door);
    let key = call.door.blocking(move || bundles::key(&door)).await.map_err(Problem::failed)?;
    Ok(json!({ "key": key.public().to_string(), "id": key.public().id() }))
}

/// An alarm that a person overrules.
fn accepted(word: &str) -> Result<AlarmKind, Problem> {
    Ok(match word {
        "shrunk" => AlarmKind::Shrunk,
        "mass-retraction" => AlarmKind::MassRetraction,
        "rolled-back" => AlarmKind::RolledBack,
        "unreadable" => AlarmKind::Unreadable,
        other => {
            return Err(Problem::bad(
                format!("`{}` is no alarm that can be accepted", other.escape_debug()),
                "they are shrunk, mass-retraction, rolled-back, unreadable and unsigned",
            ));
        }
    })
}

/// What is recorded under an id.
pub(super) async fn advisory(call: &Call, id: &str) -> Handled {
    let snapshot = std::sync::Arc::clone(&call.door.rules().advisories.snapshot);
    let (id, now) = (percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned(), call.now);
    let wanted = id.clone();
    let records = call
        .door
        .blocking(move || snapshot.records(&wanted, now))
        .await
        .map_err(|e| Problem::failed(sync::chain(&e)))?;
    if records.is_empty() {
        return Err(Problem::not_found(
            format!("no advisory `{}` is loaded", id.escape_debug()),
            "`tidegate intel status` shows the feeds that are",
        ));
    }
    let shown = |record: &tidegate_intel::RecordText| {
        json!({
            "feed": &*record.feed, "id": record.id, "withdrawn": record.withdrawn,
            "record": serde_json::from_slice::<Value>(&record.json).unwrap_or_default(),
        })
    };
    Ok(json!({ "id": id, "records": records.iter().map(shown).collect::<Vec<_>>() }))
}

/// Advisories whose effect on what was admitted before waits for a person, or was decided on.
pub(super) async fn held(call: &Call) -> Handled {
    let holds = call.door.catalogue(|c| c.advisory_holds()).await?;
    Ok(json!({ "held": holds.iter().map(hold).collect::<Vec<_>>() }))
}

/// Lets an advisory take its full effect (`confirm`), or lets what was admitted before stay (`dismiss`).
pub(super) async fn decide_held(call: &Call, id: &str, step: &str) -> Handled {
    let state = match step {
        "confirm" => HoldState::Confirmed,
        "dismiss" => HoldState::Dismissed,
        _ => return Err(Problem::no_such_resource(step)),
    };
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned();
    let actor = (call.actor.name().to_owned(), call.pseudonym().await?);
    match effects::held::decide(&call.door, &id, state, actor).await {
        Ok(decided) => Ok(hold(&decided)),
        Err(error @ DecideError::NotHeld(_)) => {
            Err(Problem::not_found(error.to_string(), "`tidegate intel held` shows what is"))
        }
        Err(DecideError::Failed(why)) => Err(Problem::failed(why)),
    }
}

fn hold(hold: &AdvisoryHold) -> Value {
    json!({
        "advisory": hold.advisory, "reason": hold.reason, "state": hold.state.as_str(), "since": hold.since,
        "downloads": hold.downloads, "downloads_in_all": hold.downloads_in_all, "sources": hold.sources,
        "packages": hold.packages, "decided_at": hold.decided.as_ref().map(|(at, _)| at),
        "decided_by": hold.decided.as_ref().map(|(_, by)| by),
    })
}
