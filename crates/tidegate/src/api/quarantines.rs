//! What is held, and what people do about it: release by a waiver for the very bytes, block by an advisory of our own.
//!
//! Both are inputs of decisions like any other, so they hold on every path at once.

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_ecosystems::Part;
use tidegate_ledger::Body;
use tidegate_ledger::entry::{QuarantineChange, QuarantineOperation};
use tidegate_model::decision::{Decision, Truth};
use tidegate_model::facts::Facts;
use tidegate_model::waiver::{Waiver, WaiverState};
use tidegate_model::{Action, DecisionId, Sha256, Timestamp};
use tidegate_policy::{Waivable, WaiverSet};
use tidegate_store::catalogue::{LocalBlock, NewLocalBlock};

use super::Handled;
use super::call::{Call, append};
use super::problem::Problem;
use super::subject::{self, Asker, Subject};
use super::{accesses, decisions, waivers};
use crate::intel::facts::KnownVersions;
use crate::pipeline::decide::{FIRST_SEEN_RULE, Ruleset, decide_file};
use crate::pipeline::facts::{BytesKnown, LocalState, Question, assemble};
use crate::pipeline::{artifacts, denials, parts};

/// The longest reason, in bytes.
const MAX_REASON_BYTES: usize = 2_000;
/// How many files one release takes: a version of a Python package may have many.
const MAX_FILES: usize = 200;

pub(crate) async fn list(call: &Call) -> Handled {
    let (filter, page) = (decisions::filter(call)?, decisions::page(call)?);
    let found = call.door.catalogue(move |c| c.quarantined(&filter, page)).await?;
    let mut told = decisions::told(&found, page);
    let items = told["decisions"].take();
    Ok(json!({ "quarantines": items, "next": told["next"] }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    /// Package URL with version, or the id of the decision that holds it.
    subject: String,
    file: Option<String>,
    repository: Option<String>,
    reason: String,
    ticket: Option<String>,
    expires_at: Option<Timestamp>,
    expires_in_seconds: Option<u32>,
}

/// `POST /quarantines/release`.
pub(crate) async fn release(call: &Call) -> Handled {
    let mut asked: Release = call.document()?;
    check_reason(&asked.reason)?;
    let mut decision = None;
    if let Ok(id) = asked.subject.parse::<DecisionId>() {
        let record = recorded(call, id).await?;
        decision = Some(id);
        asked.subject = record.purl;
        asked.file = asked.file.or(record.file);
        asked.repository = asked.repository.or(Some(record.repository));
    }
    let purl = subject::read_purl(&asked.subject)?;
    let Some(version) = &purl.version else {
        return Err(Problem::bad(
            format!("`{}` names no version", asked.subject),
            "a release is for given bytes: add @VERSION",
        ));
    };
    let repository = subject::repository_of(call, purl.name.ecosystem(), asked.repository.as_deref())?;
    let subject = subject::load_wanted(&call.door, &repository, &purl, &Asker::from(&call.actor)).await?;
    let files = subject.package.index.files();
    let mut positions = subject.files_of(version);
    if positions.is_empty() {
        return Err(subject::no_such_version(&subject, version.as_str()));
    }
    if let Some(file) = &asked.file {
        positions.retain(|i| files[*i].file.as_str() == file);
    }
    if positions.is_empty() || positions.len() > MAX_FILES {
        return Err(Problem::bad(
            format!("{} files of {} are meant", positions.len(), asked.subject),
            "name one with --file",
        ));
    }
    let mut released = Vec::new();
    for position in positions {
        if let Some(done) = release_file(call, &subject, position, &asked, decision).await? {
            released.push(done);
        }
    }
    if released.is_empty() {
        return Err(Problem::conflict(
            format!("{} is not held", asked.subject),
            format!("`tidegate why {}` says what was decided", asked.subject),
        ));
    }
    Ok(json!({ "released": released }))
}

/// Releases one file. None where nothing holds it.
async fn release_file(
    call: &Call,
    subject: &Subject,
    position: usize,
    asked: &Release,
    decision: Option<DecisionId>,
) -> Result<Option<Value>, Problem> {
    // Only the bytes themselves say what is released.
    let staged = artifacts::stage(&call.door, &subject.repository, &subject.package, position, Part::Whole)
        .await
        .map_err(|e| Problem::from(denials::of_upstream_error(&asked.subject, &e)))?;
    let bytes = staged.known;
    let rules = call.door.rules();
    let held = redecide(call, subject, &rules, position, &bytes).await?;
    if held.serves() {
        return Ok(None);
    }
    let waiver = waiver_for(call, subject, position, asked, &rules, &held, bytes.sha256)?;
    if waiver.state == WaiverState::Approved {
        still_held(call, subject, &rules, position, &bytes, &waiver).await?;
    }
    let file = subject.package.index.files()[position].file.as_str();
    let stored = waivers::put(call, waiver, waivers::RELEASE_REQUESTED, Some(file.to_owned())).await?;
    let waiver = &stored.waiver;
    let in_force = waiver.state == WaiverState::Approved;
    if in_force {
        released(call, waiver, Some(file), decision).await?;
    }
    Ok(Some(json!({
        "purl": waiver.purl, "file": file,
        "sha256": bytes.sha256.hex(), "waiver": waiver.id, "rules": waiver.rules,
        "expires_at": waiver.expires_at, "in_force": in_force,
        "missing_approvals": if in_force { 0 } else { waivers::missing_approvals(&rules, waiver) },
    })))
}

/// Records that a waiver for given bytes has released them, and holds them no longer. Of a release that waits for
/// approvals this is the last one's doing.
pub(crate) async fn released(
    call: &Call,
    waiver: &Waiver,
    file: Option<&str>,
    decision: Option<DecisionId>,
) -> Result<(), Problem> {
    // A release names both; another waiver is none.
    let (Some(sha256), [repository]) = (waiver.digest, &waiver.repositories[..]) else { return Ok(()) };
    let change = QuarantineChange {
        operation: QuarantineOperation::Release,
        actor: call.pseudonym().await?,
        repository: repository.as_str().into(),
        purl: waiver.purl.as_str().into(),
        file: file.map(Into::into),
        sha256: Some(sha256),
        decision,
    };
    append(call, Body::Quarantine(Box::new(change))).await?;
    let repository = repository.clone();
    call.door.catalogue(move |c| c.unhold(&sha256, &repository)).await?;
    Ok(())
}

/// The waiver that covers every rule that holds the bytes.
fn waiver_for(
    call: &Call,
    subject: &Subject,
    position: usize,
    asked: &Release,
    rules: &Ruleset,
    held: &Decision,
    sha256: Sha256,
) -> Result<Waiver, Problem> {
    let holding: Vec<_> = held.reasons.iter().filter(|r| !r.action.serves()).collect();
    let waivable =
        |id: &str| rules.policy.rules().iter().any(|r| r.id() == id && r.waivable() != Waivable::No);
    if let Some(reason) = holding.iter().find(|r| r.rule == FIRST_SEEN_RULE || !waivable(&r.rule)) {
        return Err(Problem::forbidden(
            format!("{} cannot be released: {} ({})", asked.subject, reason.message, reason.rule),
            reason.remediation.clone().unwrap_or_else(|| "this rule cannot be waived".into()),
        ));
    }
    let mut advisories: Vec<String> = holding.iter().flat_map(|r| r.because.advisories.clone()).collect();
    advisories.sort();
    advisories.dedup();
    let waiver = Waiver {
        id: waivers::new_id()?,
        rules: holding.iter().map(|r| r.rule.clone()).collect(),
        advisories,
        purl: crate::pipeline::facts::purl_of(&subject.package, position),
        digest: Some(sha256),
        repositories: vec![subject.repository.name.to_string()],
        requested_by: call.actor.name().to_owned(),
        created_at: Some(call.now),
        expires_at: asked
            .expires_at
            .or(asked.expires_in_seconds.map(|s| call.now.plus_seconds(i64::from(s)))),
        reason: asked.reason.clone(),
        ticket: asked.ticket.clone(),
        covers_unknown: holding.iter().any(|r| r.truth == Truth::Unknown),
        ..Waiver::default()
    };
    waivers::fitted(rules, waiver, call.now)
}

/// Refuses a release that would not release: the person must not believe that it did.
async fn still_held(
    call: &Call,
    subject: &Subject,
    rules: &Ruleset,
    position: usize,
    bytes: &BytesKnown,
    waiver: &Waiver,
) -> Result<(), Problem> {
    let mut all: Vec<Waiver> = rules.waivers.iter().cloned().collect();
    all.push(waiver.clone());
    let with = Ruleset { waivers: WaiverSet::new(all), ..rules.clone() };
    let after = redecide(call, subject, &with, position, bytes).await?;
    match after.leading_reason() {
        Some(reason) if !after.serves() => Err(Problem::conflict(
            format!("a waiver would not release it: {} ({})", reason.message, reason.rule),
            reason.remediation.clone().unwrap_or_default(),
        )),
        _ => Ok(()),
    }
}

/// The decision on bytes that are here.
pub(crate) async fn redecide(
    call: &Call,
    subject: &Subject,
    rules: &Ruleset,
    position: usize,
    bytes: &BytesKnown,
) -> Result<Decision, Problem> {
    let local = local_state(call, subject).await?;
    Ok(decide_file(rules, &question(call, subject, position, &local, rules, Some(bytes)), call.now))
}

/// The facts about a file.
pub(crate) async fn facts(
    call: &Call,
    subject: &Subject,
    position: usize,
    bytes: Option<&BytesKnown>,
) -> Result<Facts, Problem> {
    let local = local_state(call, subject).await?;
    let question = question(call, subject, position, &local, &subject.rules, bytes);
    let known = KnownVersions::new(question.advisories, &subject.package.name, call.now);
    let made_of = parts::decide_all(&subject.rules, &question, call.now);
    Ok(assemble(&question, &known, &made_of, call.now))
}

async fn local_state(call: &Call, subject: &Subject) -> Result<LocalState, Problem> {
    let (door, package) = (std::sync::Arc::clone(&call.door), std::sync::Arc::clone(&subject.package));
    Ok(call.door.blocking(move || LocalState::read(&door, &package)).await?)
}

fn question<'a>(
    call: &'a Call,
    subject: &'a Subject,
    position: usize,
    local: &'a LocalState,
    rules: &'a Ruleset,
    bytes: Option<&'a BytesKnown>,
) -> Question<'a> {
    Question {
        repository: &subject.repository,
        package: &subject.package,
        position,
        local,
        blocks: &rules.blocks,
        approvals: &rules.approvals,
        advisories: &rules.advisories,
        principal: &call.actor.principal,
        client: call.actor.client.as_deref(),
        operation: if bytes.is_some() { "artifact" } else { "index" },
        bytes,
    }
}

async fn recorded(call: &Call, id: DecisionId) -> Result<tidegate_store::catalogue::DecisionRecord, Problem> {
    call.door
        .catalogue(move |c| c.decision(id))
        .await?
        .ok_or_else(|| Problem::not_found(format!("there is no decision {id} here"), ""))
}

fn check_reason(reason: &str) -> Result<(), Problem> {
    if reason.trim().is_empty() || reason.len() > MAX_REASON_BYTES {
        return Err(Problem::bad(
            "a reason is missing",
            format!("say in up to {MAX_REASON_BYTES} characters why"),
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    /// Package URL, with or without a version.
    purl: String,
    /// Only these bytes.
    sha256: Option<String>,
    reason: String,
}

/// `GET /blocks`.
pub(crate) async fn blocks(call: &Call) -> Handled {
    let all = call.flag("withdrawn");
    let blocks = call.door.catalogue(move |c| c.local_blocks(all)).await?;
    Ok(json!({ "blocks": blocks.iter().map(shown).collect::<Vec<_>>() }))
}

/// `POST /blocks`.
pub(crate) async fn block(call: &Call) -> Handled {
    let asked: Block = call.document()?;
    check_reason(&asked.reason)?;
    let sha256 = asked.sha256.as_deref().map(accesses::read_sha256).transpose()?;
    let new = NewLocalBlock {
        purl: decisions::canonical(&asked.purl)?,
        sha256,
        reason: asked.reason,
        actor: call.actor.name().to_owned(),
        at: call.now,
    };
    let block = call.door.catalogue(move |c| c.put_local_block(&new)).await?;
    record(call, QuarantineOperation::Block, &block).await?;
    let mut told = shown(&block);
    let rules = call.door.rules();
    // A policy that reads no such advisories, or that only observes, would let it pass all the same.
    told["enforced"] = (rules.policy.enforces() && blocks_malware(&rules)).into();
    Ok(told)
}

fn blocks_malware(rules: &Ruleset) -> bool {
    rules.policy.reads_group("malware") && rules.policy.rules().iter().any(|r| r.action() == Action::Block)
}

/// `DELETE /blocks/{id}`.
pub(crate) async fn unblock(call: &Call, id: &str) -> Handled {
    let no_such = || {
        Problem::not_found(
            format!("no block `{}` stands", id.escape_debug()),
            "`tidegate quarantine list --blocks` shows them",
        )
    };
    let number = LocalBlock::number_of(id).ok_or_else(no_such)?;
    let blocks = call.door.catalogue(|c| c.local_blocks(false)).await?;
    let block = blocks.into_iter().find(|b| b.number == number).ok_or_else(no_such)?;
    let (now, actor) = (call.now, call.actor.name().to_owned());
    if !call.door.catalogue(move |c| c.withdraw_local_block(number, now, &actor)).await? {
        return Err(no_such());
    }
    record(call, QuarantineOperation::Unblock, &block).await?;
    Ok(shown(&LocalBlock { withdrawn: Some((now, call.actor.name().to_owned())), ..block }))
}

async fn record(call: &Call, operation: QuarantineOperation, block: &LocalBlock) -> Result<(), Problem> {
    let change = QuarantineChange {
        operation,
        actor: call.pseudonym().await?,
        repository: "*".into(),
        purl: block.block.purl.as_str().into(),
        file: None,
        sha256: block.block.sha256,
        decision: None,
    };
    append(call, Body::Quarantine(Box::new(change))).await?;
    waivers::reload(call).await
}

fn shown(block: &LocalBlock) -> Value {
    json!({
        "id": block.id(), "purl": block.block.purl, "sha256": block.block.sha256.map(|s| s.hex()),
        "reason": block.block.reason, "blocked_by": block.block.actor, "blocked_at": block.block.at,
        "withdrawn_at": block.withdrawn.as_ref().map(|(at, _)| at),
        "withdrawn_by": block.withdrawn.as_ref().map(|(_, by)| by),
    })
}
