//! Advisories and signals: what is loaded, how old it is, loading more, looking one up.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_intel::FeedKind;
use tidegate_intel::import::{self, AlarmKind, Extent, ReadOptions};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use crate::intel::sync;

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

/// Loads files that lie on the door's machine.
pub(super) async fn import(call: &Call) -> Handled {
    if call.actor.token_id.is_some() {
        return Err(Problem::forbidden(
            "files are imported on the machine of the door",
            "run `tidegate intel import` there, as the user that runs the door",
        ));
    }
    let wanted: Import = call.document()?;
    let accept = wanted.accept.iter().map(|word| accepted(word)).collect::<Result<Vec<_>, _>>()?;
    let options = ReadOptions {
        feed: wanted.feed,
        kind: wanted.kind,
        extent: if wanted.whole { Extent::Whole } else { Extent::Part },
        as_of: None,
    };
    let actor = call.pseudonym().await?;
    let (door, now) = (std::sync::Arc::clone(&call.door), call.now);
    let applied = call
        .door
        .heavy(move || {
            let deliveries = import::read(&wanted.paths, &options).map_err(|e| sync::chain(&e))?;
            let applied = sync::put_in_force(&door, deliveries, accept, Some(actor))?;
            if options.extent == Extent::Whole {
                for feed in applied.reports.iter().filter(|report| !report.refused) {
                    door.attempts.note_loaded(&feed.feed, feed.as_of.unwrap_or(now));
                }
            }
            door.note_checked(door.attempts.successes());
            Ok::<_, String>(applied)
        })
        .await
        .map_err(|why| Problem::bad(why, "nothing was changed"))?;
    Ok(json!({ "generation": applied.generation, "feeds": applied.reports }))
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
                "they are shrunk, mass-retraction, rolled-back and unreadable",
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
