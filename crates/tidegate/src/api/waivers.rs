//! Waivers: asked for, approved, rejected, taken back. Each step is an entry, and in force at once.

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Digest as _;
use tidegate_ledger::Body;
use tidegate_ledger::entry::{Text, WaiverChange};
use tidegate_model::waiver::{Waiver, WaiverState};
use tidegate_model::{Sha256, Timestamp};
use tidegate_policy::{MALWARE_APPROVERS, MALWARE_WAIVER_HOURS, Waivable};
use tidegate_store::catalogue::{StoredWaiver, WaiverEvent, WaiverFilter};

use super::Handled;
use super::call::{Call, append};
use super::decisions::{canonical, seek};
use super::problem::Problem;
use super::quarantines;
use super::subject::{self, Asker};
use crate::pipeline::decide::Ruleset;

/// The longest reason, in bytes.
const MAX_REASON_BYTES: usize = 2_000;
/// How many waivers one import takes.
const MAX_IMPORT: usize = 10_000;
/// How often a step is tried again because somebody else changed the waiver meanwhile.
const STEP_TRIES: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    purl: String,
    /// Rules to silence; those that refuse the package now where left out.
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    advisories: Vec<String>,
    digest: Option<Sha256>,
    #[serde(default)]
    repositories: Vec<String>,
    #[serde(default)]
    principals: Vec<String>,
    #[serde(default)]
    reason: String,
    ticket: Option<String>,
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    expires_in_seconds: Option<u32>,
    #[serde(default)]
    covers_unknown: Option<bool>,
}

pub(crate) async fn list(call: &Call) -> Handled {
    let state = match call.param("state") {
        None => None,
        Some(word) => {
            Some(serde_json::from_value::<WaiverState>(Value::String(word.into())).map_err(|_| {
                Problem::bad(
                    format!("`{}` is no state of a waiver", word.escape_debug()),
                    "use requested, approved, rejected or revoked",
                )
            })?)
        }
    };
    let purl = call.param("purl").map(canonical).transpose()?;
    let filter = WaiverFilter { state, purl, unexpired_at: (!call.flag("ended")).then_some(call.now) };
    let found = call.door.catalogue(move |c| c.waivers(&filter)).await?;
    let (found, next) = seek(call, found, |stored| &stored.waiver.id)?;
    Ok(json!({ "waivers": found.iter().map(|w| shown(w, call.now)).collect::<Vec<_>>(), "next": next }))
}

pub(crate) async fn request(call: &Call) -> Handled {
    let new: New = call.document()?;
    if new.reason.trim().is_empty() || new.reason.len() > MAX_REASON_BYTES {
        return Err(Problem::bad(
            "a waiver needs a reason",
            format!("say in up to {MAX_REASON_BYTES} characters why this may pass"),
        ));
    }
    let rules = call.door.rules();
    let purl = canonical(&new.purl)?;
    let (silenced, unknown, advisories) = if new.rules.is_empty() {
        refusing_rules(call, &purl).await?
    } else {
        (new.rules.clone(), false, new.advisories.clone())
    };
    let waiver = Waiver {
        id: new_id()?,
        rules: silenced,
        advisories: if new.advisories.is_empty() { advisories } else { new.advisories },
        purl,
        digest: new.digest,
        repositories: new.repositories,
        principals: new.principals,
        requested_by: call.actor.name().to_owned(),
        approved_by: Vec::new(),
        state: WaiverState::Requested,
        created_at: Some(call.now),
        not_before: new.not_before,
        expires_at: new.expires_at.or(new.expires_in_seconds.map(|s| call.now.plus_seconds(i64::from(s)))),
        reason: new.reason,
        ticket: new.ticket,
        covers_unknown: new.covers_unknown.unwrap_or(unknown),
    };
    let waiver = fitted(&rules, waiver, call.now)?;
    let kept = put(call, waiver, "requested", None).await?;
    Ok(with_missing(&rules, &kept, call.now))
}

/// The rules that refuse a package now, whether one of them could not be told, and the advisories behind them.
async fn refusing_rules(call: &Call, purl: &str) -> Result<(Vec<String>, bool, Vec<String>), Problem> {
    let wanted = subject::read_purl(purl)?;
    let repository = subject::repository_of(call, wanted.name.ecosystem(), None)?;
    let subject = subject::load_wanted(&call.door, &repository, &wanted, &Asker::from(&call.actor)).await?;
    let positions = match &wanted.version {
        Some(version) => subject.files_of(version),
        None => subject.withheld(),
    };
    if positions.is_empty()
        && let Some(version) = &wanted.version
    {
        return Err(subject::no_such_version(&subject, version.as_str()));
    }
    let reasons: Vec<_> = positions
        .iter()
        .flat_map(|i| &subject.decisions[*i].reasons)
        .filter(|r| !r.action.serves())
        .collect();
    if reasons.is_empty() {
        return Err(Problem::conflict(
            format!("no rule refuses {purl} now"),
            "to prepare for one, name it with --rule RULE; `tidegate policy show` lists them",
        ));
    }
    let mut rules: Vec<String> = reasons.iter().map(|r| r.rule.clone()).collect();
    rules.sort();
    rules.dedup();
    let mut advisories: Vec<String> = reasons.iter().flat_map(|r| r.because.advisories.clone()).collect();
    advisories.sort();
    advisories.dedup();
    let unknown = reasons.iter().any(|r| r.truth == tidegate_model::decision::Truth::Unknown);
    Ok((rules, unknown, advisories))
}

/// Checks a waiver against the policy, fills in its end and, where no approval is missing, approves it.
pub(crate) fn fitted(rules: &Ruleset, mut waiver: Waiver, now: Timestamp) -> Result<Waiver, Problem> {
    for id in &waiver.rules {
        let rule = rules.policy.rules().iter().find(|r| r.id() == id);
        match rule.map(|r| r.waivable()) {
            None => {
                return Err(Problem::bad(
                    format!("the policy has no rule `{}`", id.escape_debug()),
                    "`tidegate policy show` lists them",
                ));
            }
            Some(Waivable::No) => {
                return Err(Problem::forbidden(
                    format!("the rule {id} cannot be waived"),
                    "take another version, or change the policy",
                ));
            }
            Some(Waivable::Digest) if waiver.digest.is_none() => {
                return Err(Problem::bad(
                    format!("the rule {id} is waived for given bytes only"),
                    "add --digest sha256:…, or use `tidegate quarantine release`, which finds it",
                ));
            }
            Some(_) => {}
        }
    }
    let longest = now.plus_seconds(longest_seconds(rules, &waiver));
    let expires_at = waiver.expires_at.unwrap_or(longest);
    if expires_at <= waiver.not_before.unwrap_or(now).max(now) {
        return Err(Problem::bad("this waiver would have ended before it begins", "choose a later end"));
    }
    if expires_at > longest {
        return Err(Problem::bad(
            format!("the policy lets such a waiver last until {} at most", longest.to_minute()),
            "choose an earlier end, and ask again when it comes",
        ));
    }
    waiver.expires_at = Some(expires_at);
    settle(rules, &mut waiver);
    Ok(waiver)
}

fn longest_seconds(rules: &Ruleset, waiver: &Waiver) -> i64 {
    let days = i64::from(rules.policy.max_waiver_days()) * 86_400;
    if by_digest(rules, waiver) { days.min(MALWARE_WAIVER_HOURS * 3600) } else { days }
}

fn by_digest(rules: &Ruleset, waiver: &Waiver) -> bool {
    rules
        .policy
        .rules()
        .iter()
        .any(|r| r.waivable() == Waivable::Digest && waiver.rules.iter().any(|id| id == r.id()))
}

/// How many more people must approve.
pub(crate) fn missing_approvals(rules: &Ruleset, waiver: &Waiver) -> u32 {
    let needed = rules.policy.approvers().max(if by_digest(rules, waiver) { MALWARE_APPROVERS } else { 0 });
    let have = waiver.approved_by.iter().filter(|a| **a != waiver.requested_by).count();
    needed.saturating_sub(u32::try_from(have).unwrap_or(u32::MAX))
}

fn settle(rules: &Ruleset, waiver: &mut Waiver) {
    if waiver.state == WaiverState::Requested && missing_approvals(rules, waiver) == 0 {
        waiver.state = WaiverState::Approved;
    }
}

/// What the history of a waiver says that was asked for by a release; the note is the file's name.
pub(crate) const RELEASE_REQUESTED: &str = "release requested";

/// Keeps a new waiver, records it, puts it in force.
pub(crate) async fn put(
    call: &Call,
    waiver: Waiver,
    what: &str,
    note: Option<String>,
) -> Result<StoredWaiver, Problem> {
    let event = event(call, if waiver.state == WaiverState::Approved { "approved" } else { what }, note);
    let stored = StoredWaiver { waiver: waiver.clone(), revision: 0, history: vec![event.clone()] };
    let kept = waiver.clone();
    if !call.door.catalogue(move |c| c.put_waiver(&kept, &event)).await? {
        return Err(Problem::conflict(
            format!("there is a waiver `{}` already", waiver.id),
            "choose another id",
        ));
    }
    record(call, &waiver).await?;
    Ok(stored)
}

async fn record(call: &Call, waiver: &Waiver) -> Result<(), Problem> {
    let actor = call.pseudonym().await?;
    let words = |list: &[String]| list.iter().map(|w| Text::from(w.as_str())).collect();
    let document = serde_json::to_vec(waiver).expect("a waiver is plain data");
    let change = WaiverChange {
        id: waiver.id.as_str().into(),
        state: waiver.state,
        actor,
        rules: words(&waiver.rules),
        advisories: words(&waiver.advisories),
        purl: waiver.purl.as_str().into(),
        sha256: waiver.digest,
        repositories: words(&waiver.repositories),
        expires_at: waiver.expires_at,
        document: Sha256::new(sha2::Sha256::digest(&document).into()),
    };
    append(call, Body::Waiver(Box::new(change))).await?;
    reload(call).await
}

/// Puts what changed in force.
pub(crate) async fn reload(call: &Call) -> Result<(), Problem> {
    call.blocking(|door| door.reload_rules().map(drop).map_err(|e| super::policy::problem(&e))).await
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Step {
    note: Option<String>,
}

/// `POST /waivers/{id}/{approve,reject,revoke}`.
pub(crate) async fn step(call: &Call, id: &str, step: &str) -> Handled {
    let note = if call.body.is_empty() { None } else { call.document::<Step>()?.note };
    for _ in 0..STEP_TRIES {
        let wanted = id.to_owned();
        let stored = call.door.catalogue(move |c| c.waiver(&wanted)).await?.ok_or_else(|| {
            Problem::not_found(
                format!("there is no waiver `{}`", id.escape_debug()),
                "`tidegate waiver list` shows their ids",
            )
        })?;
        let rules = call.door.rules();
        let (waiver, what) = stepped(call, &rules, &stored.waiver, step)?;
        let (kept, event, revision) = (waiver.clone(), event(call, what, note.clone()), stored.revision);
        if call.door.catalogue(move |c| c.replace_waiver(&kept, revision, &event)).await? {
            record(call, &waiver).await?;
            let release = stored.history.iter().find(|event| event.what == RELEASE_REQUESTED);
            if let (WaiverState::Approved, Some(release)) = (waiver.state, release) {
                quarantines::released(call, &waiver, release.note.as_deref(), None).await?;
            }
            return Ok(with_missing(&rules, &StoredWaiver { waiver, ..stored }, call.now));
        }
    }
    Err(Problem::conflict(format!("the waiver {id} is being changed by others"), "ask again"))
}

fn stepped(
    call: &Call,
    rules: &Ruleset,
    waiver: &Waiver,
    step: &str,
) -> Result<(Waiver, &'static str), Problem> {
    let mut waiver = waiver.clone();
    let wrong_state = || {
        let state = serde_json::to_value(waiver.state).ok();
        let state = state.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        Problem::conflict(format!("the waiver {} is {state}", waiver.id), "only an open waiver can change so")
    };
    match step {
        "approve" => {
            if waiver.state != WaiverState::Requested {
                return Err(wrong_state());
            }
            let actor = call.actor.name();
            if actor == waiver.requested_by {
                return Err(Problem::forbidden(
                    format!("{actor} asked for this waiver and cannot approve it"),
                    "somebody else must",
                ));
            }
            if waiver.approved_by.iter().any(|a| a == actor) {
                return Err(Problem::conflict(format!("{actor} has approved this waiver already"), ""));
            }
            waiver.approved_by.push(actor.to_owned());
            settle(rules, &mut waiver);
            Ok((waiver, "approved"))
        }
        "reject" if waiver.state == WaiverState::Requested => {
            waiver.state = WaiverState::Rejected;
            Ok((waiver, "rejected"))
        }
        "revoke" if matches!(waiver.state, WaiverState::Requested | WaiverState::Approved) => {
            waiver.state = WaiverState::Revoked;
            Ok((waiver, "revoked"))
        }
        "reject" | "revoke" => Err(wrong_state()),
        other => Err(Problem::no_such_resource(&format!("waivers/{}/{other}", waiver.id))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    waivers: Vec<Waiver>,
}

/// Takes waivers from a file. They keep their ids and states; one whose id is known is left as it is.
pub(crate) async fn import(call: &Call) -> Handled {
    let Import { waivers } = call.document()?;
    if waivers.len() > MAX_IMPORT {
        return Err(Problem::bad(format!("{} waivers are too many at once", waivers.len()), ""));
    }
    let (mut added, mut known) = (Vec::new(), Vec::new());
    for (n, waiver) in waivers.into_iter().enumerate() {
        if waiver.id.trim().is_empty() || waiver.rules.is_empty() || waiver.expires_at.is_none() {
            return Err(Problem::bad(
                format!("waiver {} of the file has no id, no rules or no expires_at", n + 1),
                "add them; nothing after it was imported",
            ));
        }
        canonical(&waiver.purl)?;
        let event = event(call, "imported", None);
        let kept = waiver.clone();
        if call.door.catalogue(move |c| c.put_waiver(&kept, &event)).await? {
            record(call, &waiver).await?;
            added.push(waiver.id);
        } else {
            known.push(waiver.id);
        }
    }
    Ok(json!({ "added": added, "known": known }))
}

fn event(call: &Call, what: &str, note: Option<String>) -> WaiverEvent {
    WaiverEvent { at: call.now, actor: call.actor.name().to_owned(), what: what.to_owned(), note }
}

/// `W-` and eight random letters and digits.
pub(crate) fn new_id() -> Result<String, Problem> {
    random_id('W')
}

/// A letter for what it names, and eight random letters and digits.
pub(crate) fn random_id(letter: char) -> Result<String, Problem> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|_| Problem::failed("the system gives no random bytes"))?;
    let text: String = bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 32)])).collect();
    Ok(format!("{letter}-{text}"))
}

fn with_missing(rules: &Ruleset, stored: &StoredWaiver, now: Timestamp) -> Value {
    let mut told = shown(stored, now);
    let open = stored.waiver.state == WaiverState::Requested;
    told["missing_approvals"] = if open { missing_approvals(rules, &stored.waiver).into() } else { 0.into() };
    told
}

pub(crate) fn shown(stored: &StoredWaiver, now: Timestamp) -> Value {
    let mut told = serde_json::to_value(&stored.waiver).expect("a waiver is plain data");
    told["expired"] = stored.waiver.expires_at.is_some_and(|end| end <= now).into();
    told["history"] = stored
        .history
        .iter()
        .map(|e| json!({ "at": e.at, "actor": e.actor, "what": e.what, "note": e.note }))
        .collect();
    told
}
