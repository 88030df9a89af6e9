//! The ledger's tree, for commands that ask over the socket.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_ledger::RecordId;
use tidegate_ledger::tree::{TreeView, ViewError};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use crate::ledger::Rotation;

fn view(call: &Call) -> Result<TreeView, Problem> {
    call.door.tree.view().ok_or_else(|| {
        let why = call.door.tree.degradations().first().map_or_else(String::new, |d| d.why.clone());
        Problem::failed(format!("there is no tree: {why}"))
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn told(error: ViewError) -> Problem {
    match error {
        ViewError::Unknown(_) | ViewError::Empty => {
            Problem::not_found(error.to_string(), "entries are published within a second or so")
        }
        ViewError::Sizes { .. } => Problem::bad(error.to_string(), ""),
        _ => Problem::failed(error.to_string()),
    }
}

/// `GET ledger/checkpoint`: the newest checkpoint and the keys that sign. Publishes first, so that what was answered before
/// the question is in it.
pub(super) async fn checkpoint(call: &Call) -> Handled {
    let door = Arc::clone(&call.door);
    door.blocking({
        let door = Arc::clone(&door);
        move || door.tree.publish()
    })
    .await;
    let view = view(call)?;
    let tree = &door.tree;
    let earlier: Vec<String> = tree.earlier_keys().iter().map(ToString::to_string).collect();
    let (handovers, unread) = match tree.handovers() {
        Ok(handovers) => (handovers, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let handovers: Vec<Value> = handovers
        .iter()
        .map(|handover| serde_json::from_str(&handover.to_json()).expect("a receipt is JSON"))
        .collect();
    let degraded: Vec<String> = tree.degradations().into_iter().map(|d| d.why).chain(unread).collect();
    Ok(json!({
        "checkpoint": view.checkpoint(), "cosigned": view.cosigned(), "key": tree.key().to_string(),
        "earlier_keys": earlier, "handovers": handovers, "degraded": degraded,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only make and announce the key that is to follow.
    #[serde(default)]
    prepare: bool,
}

/// `POST ledger/keys`: another key signs checkpoints from now on; with `prepare` it is announced only.
pub(super) async fn rotate(call: &Call) -> Handled {
    let Wanted { prepare } = call.document()?;
    let actor = call.pseudonym().await?;
    let (door, now) = (Arc::clone(&call.door), call.now);
    let rotated = door.blocking({
        let door = Arc::clone(&door);
        move || {
            let rotation = Rotation {
                data: &door.data,
                settings: &*door.store.catalogue,
                recorder: &door.recorder,
                now,
                actor: Some(actor),
            };
            door.tree.rotate(&rotation, prepare)
        }
    });
    let rotated = rotated.await.map_err(|e| Problem::failed(crate::intel::sync::chain(&e)))?;
    if rotated.in_force {
        tracing::warn!("the ledger's checkpoints are signed by {} from now on", rotated.key);
    }
    Ok(json!({
        "before": rotated.before.to_string(), "key": rotated.key.to_string(),
        "record": rotated.record.to_string(), "in_force": rotated.in_force,
    }))
}

/// `GET ledger/receipts/<record>`: everything that proves one entry.
pub(super) async fn receipt(call: &Call, record: &str) -> Handled {
    let record: RecordId = record.parse().map_err(|e: tidegate_ledger::InvalidRecordId| {
        Problem::bad(e.to_string(), "as in the header X-Tidegate-Record")
    })?;
    let view = view(call)?;
    let receipt = call.door.blocking(move || view.receipt(&record)).await.map_err(told)?;
    Ok(serde_json::from_str::<Value>(&receipt.to_json()).expect("a receipt is JSON"))
}

/// `GET ledger/consistency?old=&new=`: proves that one size continues another.
pub(super) async fn consistency(call: &Call) -> Handled {
    let number = |name: &str| {
        call.query
            .get(name)
            .and_then(|text| text.parse::<u64>().ok())
            .ok_or_else(|| Problem::bad(format!("`{name}` must be a number of entries"), ""))
    };
    let (old, new) = (number("old")?, number("new")?);
    let view = view(call)?;
    let proof = call.door.blocking(move || view.prove_consistency(old, new)).await.map_err(told)?;
    Ok(serde_json::from_str::<Value>(&proof.to_json()).expect("a proof is JSON"))
}
