//! `GET /why`: what is decided on a package, by which rules, on which facts; what is withheld and until when.
//!
//! Decisions are made anew from the index, and from the bytes where they are here, so the answer is about this moment;
//! what was decided before stands beside it.

use serde_json::{Value, json};
use tidegate_inspect::Inspection;
use tidegate_model::finding::FindingSeverity;
use tidegate_model::{DecisionId, Finding};
use tidegate_store::catalogue::{DecisionFilter, Page};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::subject::{self, Asker, Subject, in_future};
use super::{decisions, quarantines};
use crate::inspection::Seen;
use crate::intel::facts::KnownVersions;
use crate::pipeline::facts::{BytesKnown, purl_of};

/// How many withheld files are listed unless asked otherwise.
const WITHHELD: usize = 20;
/// How many findings of an inspection are listed; `/inspections` lists all.
const FINDINGS: usize = 10;
/// How many recorded decisions are listed.
const RECORDED: u32 = 5;

pub(crate) async fn why(call: &Call) -> Handled {
    match (call.param("decision"), call.param("purl")) {
        (Some(id), None) => of_decision(call, id).await,
        (None, Some(purl)) => of_purl(call, purl).await,
        _ => Err(Problem::bad("give either `purl` or `decision`", "")),
    }
}

async fn of_decision(call: &Call, id: &str) -> Handled {
    let id: DecisionId =
        id.parse().map_err(|e| Problem::bad(format!("{e}"), "ids stand in refusals and in lists"))?;
    let record = call.door.catalogue(move |c| c.decision(id)).await?.ok_or_else(|| {
        Problem::not_found(format!("there is no decision {id} here"), "another door may have made it")
    })?;
    // What is decided today may differ; where the index cannot be had, the record alone must do.
    let now = match of_purl(call, &record.purl).await {
        Ok(now) => now,
        Err(problem) => json!({ "error": problem.title, "detail": problem.detail }),
    };
    Ok(json!({ "recorded": decisions::shown(&record), "now": now }))
}

async fn of_purl(call: &Call, text: &str) -> Handled {
    let purl = subject::read_purl(text)?;
    let repository = subject::repository_of(call, purl.name.ecosystem(), call.param("repository"))?;
    let subject = subject::load_wanted(&call.door, &repository, &purl, &Asker::from(&call.actor)).await?;
    let canonical = decisions::canonical(text)?;
    let mut told = head(call, &subject);
    told["purl"] = Value::String(canonical.clone());
    if let Some(version) = &purl.version {
        let positions = subject.files_of(version);
        if positions.is_empty() {
            return Err(subject::no_such_version(&subject, version.as_str()));
        }
        let mut files = Vec::new();
        for position in positions {
            files.push(file(call, &subject, position).await?);
        }
        told["files"] = files.into();
        if let Some(above) = subject.withheld_above(version) {
            told["newer_withheld"] = subject.withheld_json(above);
        }
    }
    let filter = DecisionFilter { purl: Some(canonical), ..DecisionFilter::default() };
    let recorded = call.door.catalogue(move |c| c.decisions(&filter, Page::first(RECORDED))).await?;
    told["recorded"] = recorded.iter().map(decisions::shown).collect();
    Ok(told)
}

/// What is said of the package as a whole.
fn head(call: &Call, subject: &Subject) -> Value {
    let files = subject.package.index.files();
    let withheld = subject.withheld();
    let shown = if call.flag("all") { withheld.len() } else { WITHHELD };
    let versions: std::collections::HashSet<&str> = files.iter().map(|f| f.version.as_str()).collect();
    json!({
        "repository": &*subject.repository.name, "upstream": subject.package.upstream.name,
        "decided_at": call.now, "stale": subject.stale.as_deref(),
        "policy": {
            "id": subject.rules.policy.id(), "version": subject.rules.policy.version(),
            "digest": subject.rules.policy.digest(), "enforces": subject.rules.policy.enforces(),
            "source": subject.rules.source,
        },
        "versions": versions.len(), "newest_compliant": subject.newest_compliant(),
        "withheld": withheld.iter().take(shown).map(|i| subject.withheld_json(*i)).collect::<Vec<_>>(),
        "withheld_omitted": withheld.len().saturating_sub(shown),
    })
}

/// One file: the decision of now, on the bytes where they are here, and the facts with their dates.
async fn file(call: &Call, subject: &Subject, position: usize) -> Result<Value, Problem> {
    let listed = &subject.package.index.files()[position];
    let sighting = &subject.package.sightings[position];
    let bytes = stored(call, subject, position).await?;
    let decision = match &bytes {
        Some(bytes) => quarantines::redecide(call, subject, &subject.rules, position, bytes).await?,
        None => subject.decisions[position].clone(),
    };
    let word = match (decision.enforced, decision.serves(), decision.action) {
        (_, true, tidegate_model::Action::Allow) => "allowed",
        (_, true, tidegate_model::Action::Warn) => "allowed with a warning",
        (_, true, _) => "allowed, because the policy only observes",
        (_, false, tidegate_model::Action::Quarantine) => "held",
        (_, false, _) => "refused",
    };
    let inside = inside(call, bytes.as_ref()).await?;
    let advisories = &subject.rules.advisories;
    let known = KnownVersions::new(advisories, &subject.package.name, call.now).of(listed.version.as_str());
    let (state, items) = (known.0.state, known.0.value.as_ref().map(|v| &v.items[..]).unwrap_or_default());
    Ok(json!({
        "purl": purl_of(&subject.package, position), "file": listed.file.as_str(), "outcome": word,
        "served": decision.serves(), "action": decision.action,
        "selectable_from": in_future(decision.selectable_from, call.now),
        "stage": if bytes.is_some() { "artifact" } else { "index" },
        "sha256": bytes.as_ref().map(|b| b.sha256.hex()),
        "inside": inside,
        "facts": {
            "published_at": listed.published_at, "first_seen_at": sighting.first_seen_at,
            "first_seen_at_start": sighting.bootstrap,
            "project_published_at": subject.package.project_published_at,
            "publisher": listed.publisher.known(), "licence": listed.licence.known(),
            "install_script": listed.install_script.known(), "yanked": listed.yanked.is_some(),
            "deprecated": listed.deprecated, "bytes_changed": sighting.changed,
            "advisories_state": state, "advisories_as_of": known.0.as_of, "advisories": items,
        },
        "decision": decision,
    }))
}

/// What looking inside found, gravest first; null where nobody looked yet.
async fn inside(call: &Call, bytes: Option<&BytesKnown>) -> Result<Value, Problem> {
    let Some(sha256) = bytes.map(|bytes| bytes.sha256) else { return Ok(Value::Null) };
    let Some(stored) = call.door.catalogue(move |c| c.inspection(&sha256)).await? else {
        return Ok(Value::Null);
    };
    let report: Inspection = serde_json::from_str(&stored.report).unwrap_or_default();
    // What failed has no verdict: a report of nothing reads as a clean one.
    let failed = serde_json::from_str::<Seen>(&stored.facts).ok().and_then(|seen| seen.failed);
    let verdict = failed.is_none().then_some(report.verdict);
    let told = |finding: &Finding| finding.severity > FindingSeverity::Info;
    let findings: Vec<Value> = report
        .findings
        .iter()
        .filter(|finding| told(finding))
        .take(FINDINGS)
        .map(|finding| {
            json!({
                "detector": finding.detector, "severity": finding.severity, "confidence": finding.confidence,
                "message": finding.message, "path": finding.location.path, "line": finding.location.line,
                "count": finding.count,
            })
        })
        .collect();
    let omitted = report.findings.iter().filter(|finding| told(finding)).count() - findings.len();
    Ok(json!({
        "inspected_at": stored.at, "verdict": verdict, "failed": failed, "findings": findings, "findings_omitted": omitted,
        "not_seen": report.not_seen.len(), "components": report.inventory.components.len(),
    }))
}

async fn stored(call: &Call, subject: &Subject, position: usize) -> Result<Option<BytesKnown>, Problem> {
    let package = std::sync::Arc::clone(&subject.package);
    let found = call
        .door
        .catalogue(move |c| {
            let file = &package.index.files()[position];
            let key = tidegate_store::catalogue::PinKey {
                ecosystem: package.name.ecosystem().as_str(),
                package: package.name.as_str(),
                version: file.version.as_str(),
                file: file.file.as_str(),
            };
            match c.pin(&key)? {
                Some(sha256) => c.artifact(&sha256),
                None => Ok(None),
            }
        })
        .await?;
    Ok(found.map(|a| BytesKnown { sha256: a.sha256, sha512: a.sha512, size: a.size }))
}

/// `GET /facts`: the facts that decisions on a version rest on, one document per file.
pub(crate) async fn facts(call: &Call) -> Handled {
    let purl = subject::read_purl(call.required("purl")?)?;
    let Some(version) = &purl.version else {
        return Err(Problem::bad("facts are those of a version", "add @VERSION"));
    };
    let repository = subject::repository_of(call, purl.name.ecosystem(), call.param("repository"))?;
    let subject = subject::load_wanted(&call.door, &repository, &purl, &Asker::from(&call.actor)).await?;
    let positions = subject.files_of(version);
    if positions.is_empty() {
        return Err(subject::no_such_version(&subject, version.as_str()));
    }
    let mut documents = Vec::new();
    for position in positions {
        let bytes = stored(call, &subject, position).await?;
        let facts = quarantines::facts(call, &subject, position, bytes.as_ref()).await?;
        documents.push(serde_json::to_value(facts).map_err(|e| Problem::failed(e.to_string()))?);
    }
    Ok(json!({ "decided_at": call.now, "facts": documents }))
}
