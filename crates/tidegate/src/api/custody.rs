//! `GET /custody/sha256:…` and `GET /custody/keys`: what this door stated and signed of an artifact, and what it takes to
//! verify that elsewhere.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_provenance::signing::OwnKeys;
use tidegate_store::catalogue::{CustodyEvent, CustodyPolicy};

use super::Handled;
use super::accesses::read_sha256;
use super::call::Call;
use super::problem::Problem;
use crate::custody::{Custody, CustodyKeyError, Signer};

/// The most events of one artifact that are told.
const MAX_EVENTS: u32 = 1000;

pub(super) fn keys(call: &Call) -> Handled {
    let custody = custody(call)?;
    Ok(told_keys(custody, &*signer(custody)?))
}

/// `POST custody/keys`: another key signs statements from a moment on.
pub(super) async fn rotate(call: &Call) -> Handled {
    custody(call)?;
    let actor = call.pseudonym().await?;
    let door = Arc::clone(&call.door);
    let rotated = call.door.blocking(move || {
        let custody = door.custody.as_ref().expect("it was there a moment ago");
        custody.rotate(&door, Some(actor))
    });
    let rotated = rotated.await.map_err(|e| match e {
        CustodyKeyError::Replacing | CustodyKeyError::NotAFile => Problem::bad(e.to_string(), ""),
        other => Problem::failed(crate::intel::sync::chain(&other)),
    })?;
    Ok(json!({
        "before": rotated.before.to_string(), "key_id": rotated.key.key_id().to_string(),
        "public_key": rotated.key.to_pem(), "from": rotated.from, "record": rotated.record.to_string(),
    }))
}

pub(super) async fn of(call: &Call, digest: &str) -> Handled {
    let sha256 = read_sha256(digest)?;
    let custody = custody(call)?;
    let signer = signer(custody)?;
    let reached = format!("{}-{}", call.door.recorder.node(), custody.reached());
    let (events, policies) = call
        .door
        .catalogue(move |c| Ok((c.custody_events(&sha256, MAX_EVENTS + 1)?, c.custody_policies()?)))
        .await?;
    let more = events.len() > MAX_EVENTS as usize;
    let allowed = &call.actor.repositories;
    let (purl, kind) = (call.param("purl"), call.param("type"));
    let events: Vec<CustodyEvent> = events
        .into_iter()
        .take(MAX_EVENTS as usize)
        .filter(|event| allowed.is_empty() || allowed.contains(&event.repository))
        .filter(|event| purl.is_none_or(|purl| event.purl == purl))
        .collect();
    let statements: Vec<Value> = events.iter().flat_map(|event| told(event, kind)).collect();
    if statements.is_empty() {
        return Err(Problem::not_found(
            format!("nothing is stated of {sha256}"),
            format!(
                "everything up to record {reached} of the ledger is stated; an artifact is stated once it was decided on with its bytes"
            ),
        ));
    }
    // Every change of policy up to the newest of these is known: both come from the same entries, in their order.
    let until = events.iter().map(|event| event.at).chain(policies.iter().map(|policy| policy.at)).max();
    Ok(json!({
        "sha256": sha256.hex(),
        "stated_up_to": reached,
        "statements": statements,
        "more": more,
        "keys": told_keys(custody, &signer),
        "policies": { "until": until, "entries": policies.iter().map(told_policy).collect::<Vec<_>>() },
    }))
}

fn custody(call: &Call) -> Result<&Custody, Problem> {
    call.door.custody.as_ref().ok_or_else(|| {
        Problem::not_found("this door states nothing", "[custody] in its configuration has enabled = false")
    })
}

fn signer(custody: &Custody) -> Result<Arc<Signer>, Problem> {
    custody.signer().ok_or_else(|| {
        Problem::new(
            http::StatusCode::SERVICE_UNAVAILABLE,
            "key_away",
            "the key that signs statements has not been reached since the door was opened",
            "an alarm of kind `custody` says why; statements are caught up once it is there",
        )
    })
}

fn told<'a>(event: &'a CustodyEvent, kind: Option<&'a str>) -> impl Iterator<Item = Value> + 'a {
    let wanted = event.statements.iter().filter(move |s| kind.is_none_or(|kind| s.predicate_type == kind));
    wanted.map(|statement| {
        json!({
            "purl": event.purl, "file": event.file, "repository": event.repository, "event": event.event,
            "action": event.action, "at": event.at, "record": event.record,
            "predicate_type": statement.predicate_type,
            "payload_sha256": statement.payload.hex(),
            "bundle_sha256": statement.bundle_digest.hex(),
            "bundle": serde_json::from_slice::<Value>(&statement.bundle).unwrap_or(Value::Null),
        })
    })
}

fn told_keys(custody: &Custody, signer: &Signer) -> Value {
    let ring: &OwnKeys = &signer.ring;
    let keys: Vec<Value> = ring
        .keys()
        .iter()
        .map(|listed| {
            json!({
                "key_id": listed.key.key_id().to_string(), "use": listed.used_for,
                "algorithm": listed.key.algorithm().as_str(), "announced": listed.announced,
                "from": listed.from, "until": listed.until, "revoked": listed.revoked,
                "public_key": listed.key.to_pem(),
            })
        })
        .collect();
    json!({
        "deployment": ring.deployment(), "edition": ring.edition(), "keys": keys,
        "ring": serde_json::from_slice::<Value>(&signer.ring_file).unwrap_or(Value::Null),
        "earlier_rings": custody
            .earlier_editions(signer)
            .iter()
            .map(|file| serde_json::from_slice::<Value>(file).unwrap_or(Value::Null))
            .collect::<Vec<_>>(),
    })
}

fn told_policy(policy: &CustodyPolicy) -> Value {
    json!({ "record": policy.record, "at": policy.at, "policy": policy.policy.hex() })
}
