//! `GET /events`: the stream that sinks get. `POST /events/test`: tries every sink.

use serde_json::{Value, json};
use tidegate_model::Timestamp;

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use crate::door::Door;
use crate::events::kind::{self, EventKind};
use crate::events::stream::{self, StreamError};
use crate::events::{Delivery, Event, Outlet};

/// How long a sink may take to answer a test.
const TEST_SECONDS: u64 = 30;

/// A page of the stream: events after an entry, or since a time. `next` is where to go on, `at_end` whether there is
/// nothing more yet.
pub(super) async fn list(call: &Call) -> Handled {
    let wanted = match call.param("type") {
        None => None,
        Some(pattern) => {
            let kinds = kind::matching(pattern);
            if kinds.is_empty() {
                let known: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
                return Err(Problem::bad(
                    format!("there is no event of type `{}`", pattern.escape_debug()),
                    format!("the types are {}; `artifact.*` stands for all that begin so", known.join(", ")),
                ));
            }
            Some(kinds)
        }
    };
    let (after, since) = (call.parsed::<u64>("after")?, call.parsed::<Timestamp>("since")?);
    call.blocking(move |door| {
        let from = match (after, since) {
            (Some(_), Some(_)) => return Err(Problem::bad("both after and since are given", "give one")),
            (Some(after), None) => after,
            (None, Some(since)) => stream::before(door, since).map_err(|e| failed(&e))?,
            (None, None) => door.recorder.health().durable,
        };
        let mut reader = door.recorder.reader(from.saturating_add(1));
        let page = match stream::read(&mut reader) {
            // What is gone cannot be told; what is kept can.
            Err(StreamError::TooOld { oldest }) => {
                reader = door.recorder.reader(oldest);
                stream::read(&mut reader).map_err(|e| failed(&e))?
            }
            other => other.map_err(|e| failed(&e))?,
        };
        let events =
            page.events.iter().filter(|e| wanted.as_ref().is_none_or(|kinds| kinds.contains(&e.kind)));
        Ok(json!({
            "events": events.map(Event::to_json).collect::<Vec<_>>(),
            "next": page.reached.to_string(), "at_end": page.at_end,
        }))
    })
    .await
}

fn failed(error: &StreamError) -> Problem {
    Problem::failed(error.to_string())
}

/// Sends a test event to each sink, or to the one that is named, and tells what each answered.
pub(super) async fn test(call: &Call) -> Handled {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        sink: Option<String>,
    }
    let wanted: Wanted = call.document()?;
    let sinks = &call.door.events.sinks;
    let chosen: Vec<_> =
        sinks.iter().filter(|s| wanted.sink.as_ref().is_none_or(|name| *name == s.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = sinks.iter().map(|sink| sink.name.as_str()).collect();
        return Err(match wanted.sink {
            Some(name) if !names.is_empty() => Problem::not_found(
                format!("there is no event sink `{}`", name.escape_debug()),
                format!("there are: {}", names.join(", ")),
            ),
            _ => Problem::not_found(
                "no event sink is configured",
                "name one under [events.webhook.NAME] or [events.file.NAME] in the configuration",
            ),
        });
    }
    let mut told = Vec::new();
    for outlet in chosen {
        told.push(test_one(&call.door, outlet, call.now).await?);
    }
    Ok(json!({ "sinks": told }))
}

async fn test_one(door: &Door, outlet: &Outlet, now: Timestamp) -> Handled {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(|_| Problem::failed("the system gives no random bytes"))?;
    let event = Event::test(door.recorder.node(), now, random);
    let deliver = async { outlet.sink.lock().await.deliver(&event, now).await };
    let delivery = tokio::time::timeout(std::time::Duration::from_secs(TEST_SECONDS), deliver).await;
    let (taken, answer) = match delivery {
        Ok(Delivery::Taken(answer)) => (true, answer),
        Ok(Delivery::Again { why, .. } | Delivery::Refused { why } | Delivery::Gone { why }) => (false, why),
        Err(_) => (false, format!("no answer in {TEST_SECONDS} s")),
    };
    Ok(json!({
        "name": outlet.name, "form": outlet.form, "target": outlet.target, "event": event.id,
        "taken": taken, "answer": answer,
    }))
}

/// Every sink in `status`.
pub(super) fn sinks(door: &Door) -> Vec<Value> {
    let durable = door.recorder.health().durable;
    let one = |outlet: &std::sync::Arc<Outlet>| {
        let state = outlet.state();
        json!({
            "name": outlet.name, "form": outlet.form, "target": outlet.target,
            "cursor": state.kept.cursor, "entries_behind": durable.saturating_sub(state.kept.cursor),
            "delivered": state.delivered, "delivered_at": state.delivered_at,
            "waiting_since": state.waiting_since, "attempts": state.attempts, "last_error": state.last_error,
            "parked": state.kept.parked, "parked_events": state.kept.parked_events, "off": state.off,
        })
    };
    door.events.sinks.iter().map(one).collect()
}
