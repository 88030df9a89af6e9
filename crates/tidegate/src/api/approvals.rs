//! Approvals: proposed, given, rejected, taken back. Each step is an entry, and in force at once.
//!
//! A list of what is approved says beside each entry what is decided on it now: what nobody looks at any more is a list of
//! names.

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Digest as _;
use tidegate_ledger::Body;
use tidegate_ledger::entry::{ApprovalChange, Text};
use tidegate_model::approval::Approval;
use tidegate_model::waiver::WaiverState;
use tidegate_model::{Sha256, Timestamp};
use tidegate_store::catalogue::{ApprovalFilter, StoredApproval, WaiverEvent};

use super::Handled;
use super::call::{Call, append};
use super::decisions::{canonical, seek};
use super::problem::Problem;
use super::subject::{self, Asker};
use super::waivers::{random_id, reload};
use crate::pipeline::decide::Ruleset;

/// The longest reason, in bytes.
const MAX_REASON_BYTES: usize = 2_000;
/// How long an approval lasts where nobody says, and at most, in days.
const USUAL_DAYS: i64 = 90;
const LONGEST_DAYS: i64 = 366;
const DAY_SECONDS: i64 = 86_400;
/// How many approvals one import takes.
const MAX_IMPORT: usize = 10_000;
/// How often a step is tried again because somebody else changed the approval meanwhile.
const STEP_TRIES: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    purl: String,
    digest: Option<Sha256>,
    #[serde(default)]
    repositories: Vec<String>,
    #[serde(default)]
    reason: String,
    ticket: Option<String>,
    expires_at: Option<Timestamp>,
    expires_in_seconds: Option<u32>,
}

/// `GET /approvals`: with `decide`, what is decided on each of them now.
pub(crate) async fn list(call: &Call) -> Handled {
    let purl = call.param("purl").map(canonical).transpose()?;
    let filter = ApprovalFilter { purl, unexpired_at: (!call.flag("ended")).then_some(call.now) };
    let found = call.door.catalogue(move |c| c.approvals(&filter)).await?;
    let (found, next) = seek(call, found, |stored| &stored.approval.id)?;
    let mut told = Vec::with_capacity(found.len());
    for stored in &found {
        let mut one = shown(stored, call.now);
        if call.flag("decide") && stored.approval.is_valid(call.now) {
            one["decided"] = Box::pin(decided(call, &stored.approval)).await;
        }
        told.push(one);
    }
    Ok(json!({ "approvals": told, "next": next }))
}

/// What is decided now on what an approval covers; `error` where that cannot be told.
async fn decided(call: &Call, approval: &Approval) -> Value {
    match decide(call, approval).await {
        Ok(told) => told,
        Err(problem) => json!({ "error": problem.title }),
    }
}

async fn decide(call: &Call, approval: &Approval) -> Result<Value, Problem> {
    let wanted = subject::read_purl(&approval.purl)?;
    let named = approval.repositories.first().map(String::as_str);
    let repository = subject::repository_of(call, wanted.name.ecosystem(), named)?;
    let subject = subject::load_wanted(&call.door, &repository, &wanted, &Asker::from(&call.actor)).await?;
    let all = || (0..subject.decisions.len()).collect();
    let positions = wanted.version.as_ref().map_or_else(all, |version| subject.files_of(version));
    let worst = positions.iter().map(|i| &subject.decisions[*i]).max_by_key(|decision| decision.action);
    let decision = worst.ok_or_else(|| subject::no_such_version(&subject, &approval.purl))?;
    let leading = decision.leading_reason();
    Ok(json!({
        "action": decision.action, "rule": leading.map(|r| &r.rule), "message": leading.map(|r| &r.message),
    }))
}

/// `POST /approvals`.
pub(crate) async fn request(call: &Call) -> Handled {
    let new: New = call.document()?;
    if new.reason.trim().is_empty() || new.reason.len() > MAX_REASON_BYTES {
        return Err(Problem::bad(
            "an approval needs a reason",
            format!("say in up to {MAX_REASON_BYTES} characters why this may be used"),
        ));
    }
    let purl = canonical(&new.purl)?;
    if subject::read_purl(&purl)?.version.is_none() && new.digest.is_none() {
        return Err(Problem::bad(
            "an approval is of one version, one commit or given bytes",
            "write the version or commit behind an @, or add --digest sha256:…",
        ));
    }
    let rules = call.door.rules();
    let longest = call.now.plus_seconds(LONGEST_DAYS * DAY_SECONDS);
    let usual = call.now.plus_seconds(USUAL_DAYS * DAY_SECONDS);
    let asked = new.expires_at.or(new.expires_in_seconds.map(|s| call.now.plus_seconds(i64::from(s))));
    let expires_at = asked.unwrap_or(usual);
    if expires_at <= call.now || expires_at > longest {
        return Err(Problem::bad(
            format!("an approval ends after now and by {} at the latest", longest.to_minute()),
            "choose another end, and ask again when it comes",
        ));
    }
    let mut approval = Approval {
        id: random_id('A')?,
        purl,
        digest: new.digest,
        repositories: new.repositories,
        requested_by: call.actor.name().to_owned(),
        approved_by: Vec::new(),
        state: WaiverState::Requested,
        created_at: Some(call.now),
        expires_at: Some(expires_at),
        reason: new.reason,
        ticket: new.ticket,
    };
    settle(&rules, &mut approval);
    let event =
        event(call, if approval.state == WaiverState::Approved { "approved" } else { "requested" }, None);
    let kept = approval.clone();
    let first = event.clone();
    if !call.door.catalogue(move |c| c.put_approval(&kept, &first)).await? {
        return Err(Problem::conflict(
            format!("there is an approval `{}` already", approval.id),
            "ask again",
        ));
    }
    record(call, &approval).await?;
    Ok(with_missing(&rules, &StoredApproval { approval, revision: 1, history: vec![event] }, call.now))
}

/// How many more people must approve: as many as the policy wants for an exception. Where it wants none, whoever may ask
/// approves.
fn missing_approvals(rules: &Ruleset, approval: &Approval) -> u32 {
    let have = approval.approved_by.iter().filter(|a| **a != approval.requested_by).count();
    rules.policy.approvers().saturating_sub(u32::try_from(have).unwrap_or(u32::MAX))
}

fn settle(rules: &Ruleset, approval: &mut Approval) {
    if approval.state != WaiverState::Requested || missing_approvals(rules, approval) > 0 {
        return;
    }
    approval.state = WaiverState::Approved;
    if approval.approved_by.is_empty() {
        approval.approved_by.push(approval.requested_by.clone());
    }
}

async fn record(call: &Call, approval: &Approval) -> Result<(), Problem> {
    let actor = call.pseudonym().await?;
    let document = serde_json::to_vec(approval).expect("an approval is plain data");
    let change = ApprovalChange {
        id: approval.id.as_str().into(),
        state: approval.state,
        actor,
        purl: approval.purl.as_str().into(),
        sha256: approval.digest,
        repositories: approval.repositories.iter().map(|name| Text::from(name.as_str())).collect(),
        expires_at: approval.expires_at,
        document: Sha256::new(sha2::Sha256::digest(&document).into()),
    };
    append(call, Body::Approval(Box::new(change))).await?;
    reload(call).await
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Step {
    note: Option<String>,
}

/// `POST /approvals/{id}/{approve,reject,revoke}`.
pub(crate) async fn step(call: &Call, id: &str, step: &str) -> Handled {
    let note = if call.body.is_empty() { None } else { call.document::<Step>()?.note };
    for _ in 0..STEP_TRIES {
        let wanted = id.to_owned();
        let stored = call.door.catalogue(move |c| c.approval(&wanted)).await?.ok_or_else(|| {
            Problem::not_found(
                format!("there is no approval `{}`", id.escape_debug()),
                "`tidegate approval list` shows their ids",
            )
        })?;
        let rules = call.door.rules();
        let (approval, what) = stepped(call, &rules, &stored.approval, step)?;
        let (kept, event, revision) = (approval.clone(), event(call, what, note.clone()), stored.revision);
        if call.door.catalogue(move |c| c.replace_approval(&kept, revision, &event)).await? {
            record(call, &approval).await?;
            return Ok(with_missing(&rules, &StoredApproval { approval, ..stored }, call.now));
        }
    }
    Err(Problem::conflict(format!("the approval {id} is being changed by others"), "ask again"))
}

fn stepped(
    call: &Call,
    rules: &Ruleset,
    approval: &Approval,
    step: &str,
) -> Result<(Approval, &'static str), Problem> {
    let mut approval = approval.clone();
    match (step, approval.state) {
        ("approve", WaiverState::Requested) => {
            let actor = call.actor.name();
            if actor == approval.requested_by {
                return Err(Problem::forbidden(
                    format!("{actor} asked for this approval and cannot give it"),
                    "somebody else must",
                ));
            }
            if approval.approved_by.iter().any(|a| a == actor) {
                return Err(Problem::conflict(format!("{actor} has approved this already"), ""));
            }
            approval.approved_by.push(actor.to_owned());
            settle(rules, &mut approval);
            Ok((approval, "approved"))
        }
        ("reject", WaiverState::Requested) => {
            approval.state = WaiverState::Rejected;
            Ok((approval, "rejected"))
        }
        ("revoke", WaiverState::Requested | WaiverState::Approved) => {
            approval.state = WaiverState::Revoked;
            Ok((approval, "revoked"))
        }
        ("approve" | "reject" | "revoke", state) => {
            let state = serde_json::to_value(state).ok();
            let state = state.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
            Err(Problem::conflict(
                format!("the approval {} is {state}", approval.id),
                "only an open approval can change so",
            ))
        }
        (other, _) => Err(Problem::no_such_resource(&format!("approvals/{}/{other}", approval.id))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    approvals: Vec<Approval>,
}

/// Takes approvals from a file. They keep their ids and states; one whose id is known is left as it is.
pub(crate) async fn import(call: &Call) -> Handled {
    let Import { approvals } = call.document()?;
    if approvals.len() > MAX_IMPORT {
        return Err(Problem::bad(format!("{} approvals are too many at once", approvals.len()), ""));
    }
    for (n, approval) in approvals.iter().enumerate() {
        let names_one = subject::read_purl(&canonical(&approval.purl)?)?.version.is_some();
        let is_whole = !approval.id.trim().is_empty() && approval.expires_at.is_some();
        if !is_whole || !(names_one || approval.digest.is_some()) {
            return Err(Problem::bad(
                format!(
                    "approval {} of the file has no id, no expires_at, or neither version nor digest",
                    n + 1
                ),
                "add what is missing; nothing was imported",
            ));
        }
    }
    let (mut added, mut known) = (Vec::new(), Vec::new());
    for mut approval in approvals {
        approval.purl = canonical(&approval.purl)?;
        let event = event(call, "imported", None);
        let kept = approval.clone();
        if call.door.catalogue(move |c| c.put_approval(&kept, &event)).await? {
            record(call, &approval).await?;
            added.push(approval.id);
        } else {
            known.push(approval.id);
        }
    }
    Ok(json!({ "added": added, "known": known }))
}

fn event(call: &Call, what: &str, note: Option<String>) -> WaiverEvent {
    WaiverEvent { at: call.now, actor: call.actor.name().to_owned(), what: what.to_owned(), note }
}

fn with_missing(rules: &Ruleset, stored: &StoredApproval, now: Timestamp) -> Value {
    let mut told = shown(stored, now);
    let is_open = stored.approval.state == WaiverState::Requested;
    told["missing_approvals"] = if is_open { missing_approvals(rules, &stored.approval) } else { 0 }.into();
    told
}

fn shown(stored: &StoredApproval, now: Timestamp) -> Value {
    let mut told = serde_json::to_value(&stored.approval).expect("an approval is plain data");
    told["expired"] = stored.approval.expires_at.is_some_and(|end| end <= now).into();
    told["history"] = stored
        .history
        .iter()
        .map(|e| json!({ "at": e.at, "actor": e.actor, "what": e.what, "note": e.note }))
        .collect();
    told
}
