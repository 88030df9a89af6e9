//! Alarms: what a person must look at.

use serde_json::{Value, json};
use tidegate_store::catalogue::Alarm;

use super::Handled;
use super::call::Call;
use super::decisions::page;
use super::problem::Problem;

pub(crate) async fn list(call: &Call) -> Handled {
    let (all, page) = (call.flag("acknowledged"), page(call)?);
    let found = call.door.catalogue(move |c| c.alarms(all, page)).await?;
    let next = found.last().filter(|_| found.len() >= page.limit as usize).map(|a| a.number.to_string());
    Ok(json!({ "alarms": found.iter().map(shown).collect::<Vec<_>>(), "next": next }))
}

pub(crate) async fn acknowledge(call: &Call, number: &str) -> Handled {
    let wanted: i64 = number.parse().map_err(|_| {
        Problem::bad(
            format!("`{}` is no alarm's number", number.escape_debug()),
            "`tidegate alarms list` shows them",
        )
    })?;
    let (now, actor) = (call.now, call.actor.name().to_owned());
    let found = call.door.catalogue(move |c| c.acknowledge_alarm(wanted, now, &actor)).await?;
    if !found {
        return Err(Problem::not_found(
            format!("there is no open alarm {wanted}"),
            "`tidegate alarms list` shows them",
        ));
    }
    Ok(json!({ "number": wanted, "acknowledged_at": now, "acknowledged_by": call.actor.name() }))
}

fn shown(alarm: &Alarm) -> Value {
    json!({
        "number": alarm.number, "kind": alarm.alarm.kind, "subject": alarm.alarm.subject,
        "message": alarm.alarm.message, "first_at": alarm.first_at, "last_at": alarm.alarm.at,
        "count": alarm.count,
        "acknowledged_at": alarm.acknowledged.as_ref().map(|(at, _)| at),
        "acknowledged_by": alarm.acknowledged.as_ref().map(|(_, by)| by),
    })
}
