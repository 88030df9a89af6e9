//! `GET /provenance?purl=…`: what checking the attestations and signatures of a package's files came to, as it is stored.
//!
//! Nothing is fetched and nothing is checked anew: the answer is what the door found when somebody asked for the file. With
//! it stand the trust roots in force now, so that a reader sees whether an outcome was reached under another one.

use serde_json::{Value, json};
use tidegate_model::Coordinate;
use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_store::catalogue::{PinKey, StoredVerification};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::subject;
use crate::provenance::Checked;

/// How many files are listed, the newest checks first.
const MAX_FILES: usize = 200;
/// How many events of custody are counted for each.
const MAX_EVENTS: u32 = 100;

pub(crate) async fn provenance(call: &Call) -> Handled {
    let purl = subject::read_purl(call.required("purl")?)?;
    // What is kept of an ecosystem is told only to those who may use a repository of it.
    subject::repository_of(call, purl.name.ecosystem(), call.param("repository"))?;
    let package = package_purl(&purl.name);
    let wanted = purl.version.map(|version| Coordinate { name: purl.name, version }.purl());
    let shown = wanted.clone().unwrap_or_else(|| package.clone());
    let mut rows = call.door.catalogue(move |c| c.verifications_of(&package)).await?;
    rows.retain(|row| wanted.as_ref().is_none_or(|wanted| *wanted == row.purl));
    rows.sort_by(|a, b| b.checked_at.cmp(&a.checked_at).then_with(|| a.file.cmp(&b.file)));
    let omitted = rows.len().saturating_sub(MAX_FILES);
    let mut files = Vec::new();
    for row in rows.into_iter().take(MAX_FILES) {
        let mut told = file(&row)?;
        told["custody"] = custody(call, row).await?;
        files.push(told);
    }
    Ok(json!({
        "purl": shown, "files": files, "files_omitted": omitted, "roots": super::trust::roots(&call.door),
        "custody_enabled": call.door.custody.is_some(),
        "enabled": call.door.config.provenance.enabled,
    }))
}

fn file(row: &StoredVerification) -> Result<Value, Problem> {
    let checked: Checked = serde_json::from_str(&row.result)
        .map_err(|e| Problem::failed(format!("what is stored about `{}` cannot be read: {e}", row.file)))?;
    Ok(json!({
        "purl": row.purl, "file": row.file, "subject": row.subject, "checked_at": row.checked_at,
        "unavailable": checked.unavailable, "outcomes": checked.outcomes,
    }))
}

/// What this door itself stated of the file's bytes, as far as the caller may know; null where that is nothing.
async fn custody(call: &Call, row: StoredVerification) -> Result<Value, Problem> {
    let Ok(PackageRef { name, version: Some(version), .. }) = PackageRef::parse(&row.purl) else {
        return Ok(Value::Null);
    };
    let found = call.door.catalogue(move |c| {
        let key = PinKey {
            ecosystem: name.ecosystem().as_str(),
            package: name.as_str(),
            version: version.as_str(),
            file: &row.file,
        };
        match c.pin(&key)? {
            Some(sha256) => Ok(Some((sha256, c.custody_events(&sha256, MAX_EVENTS)?))),
            None => Ok(None),
        }
    });
    let Some((sha256, mut events)) = found.await? else { return Ok(Value::Null) };
    let allowed = &call.actor.repositories;
    events.retain(|event| allowed.is_empty() || allowed.contains(&event.repository));
    let Some(newest) = events.iter().max_by_key(|event| event.at) else { return Ok(Value::Null) };
    Ok(json!({
        "sha256": sha256, "events": events.len(), "event": newest.event, "at": newest.at,
        "statements": events.iter().map(|event| event.statements.len()).sum::<usize>(),
    }))
}
