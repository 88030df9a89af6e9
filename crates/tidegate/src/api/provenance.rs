//! `GET /provenance?purl=…`: what checking the attestations and signatures of a package's files came to, as it is stored.
//!
//! Nothing is fetched and nothing is checked anew: the answer is what the door found when somebody asked for the file. With
//! it stand the trust roots in force now, so that a reader sees whether an outcome was reached under another one.

use serde_json::{Value, json};
use tidegate_model::Coordinate;
use tidegate_model::coordinate::package_purl;
use tidegate_store::catalogue::StoredVerification;

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::subject;
use crate::provenance::Checked;

/// How many files are listed, the newest checks first.
const MAX_FILES: usize = 200;

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
    let files: Result<Vec<Value>, Problem> = rows.iter().take(MAX_FILES).map(file).collect();
    Ok(json!({
        "purl": shown, "files": files?, "files_omitted": omitted, "roots": roots(call),
        // This door signs no statements of its own about artifacts.
        "custody": "not_offered",
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

fn roots(call: &Call) -> Vec<Value> {
    let roots = call.door.trusted.roots();
    roots
        .iter()
        .map(|root| {
            json!({
                "instance": root.instance(), "origin": root.origin(), "as_of": root.as_of(),
                "age_days": root.age_days(call.now), "stale": root.is_stale(call.now),
                "digest": tidegate_model::Digest::from(root.digest()),
            })
        })
        .collect()
}
