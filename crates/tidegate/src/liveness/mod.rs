//! Whether secrets that were found are still good, as their issuers say.
//!
//! Off unless the configuration names issuers. Nothing here stands in the way of a package: what was found and stored is gone
//! through behind, each secret is read once more out of its artifact by a worker, its issuer is asked a question that changes
//! nothing, and what it says is kept under the secret's keyed hash. The value is written nowhere, and sent to nobody but the
//! address that the configuration gives for its issuer.

mod issuer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tidegate_inspect::secrets::liveness::{Issuer as _, Liveness};
use tidegate_inspect::secrets::{Rule, Rules};
use tidegate_inspect::{Inspection, Request};
use tidegate_ledger::entry::AlarmKind;
use tidegate_model::finding::FindingKind;
use tidegate_model::{Finding, Sha256, Timestamp};
use tidegate_store::catalogue::{AskedSecret, NewAlarm};

use crate::door::Door;
use crate::pipeline::contents;
use issuer::HttpIssuer;

/// How many artifacts are looked up at a time.
const BATCH: u32 = 64;

/// Issuers that can be asked, by the names that the configuration uses: small letters, digits and `-`.
pub fn askable() -> BTreeMap<String, &'static str> {
    let rules = Rules::builtin().all().iter().filter(|rule| rule.liveness.is_some());
    rules.map(|rule| (key_of(&rule.issuer), rule.issuer.as_str())).collect()
}

/// An issuer's name as the configuration writes it.
fn key_of(issuer: &str) -> String {
    issuer.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// Asks about every secret of which no issuer was asked lately. Ends when all were.
pub async fn ask_all(door: &Arc<Door>) {
    if door.config.inspection.issuers.is_empty() {
        return;
    }
    let mut after: Option<Sha256> = None;
    loop {
        let from = after;
        let batch = door.catalogue(move |c| c.artifacts_with_secrets(from.as_ref(), BATCH)).await;
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!(error = %error, "artifacts with secrets could not be listed: {error}");
                return;
            }
        };
        let Some(last) = batch.last() else { return };
        after = Some(*last);
        for sha256 in batch {
            if door.draining.load(Ordering::Acquire) {
                return;
            }
            if let Err(why) = ask_of(door, sha256).await {
                tracing::warn!("secrets of sha256:{} could not be asked about: {why}", sha256.hex());
            }
        }
    }
}

/// Asks about the secrets of one artifact.
async fn ask_of(door: &Arc<Door>, sha256: Sha256) -> Result<(), String> {
    let stored = door.catalogue(move |c| c.inspection(&sha256)).await.map_err(|e| e.to_string())?;
    let report = stored.and_then(|stored| serde_json::from_str::<Inspection>(&stored.report).ok());
    let wanted: BTreeMap<(String, String), Finding> = report
        .into_iter()
        .flat_map(|report| report.findings)
        .filter(|finding| finding.kind == FindingKind::Secret && issuer_of(door, &finding.detector).is_some())
        .filter_map(|finding| Some(((finding.secret_hash.clone()?, finding.detector.clone()), finding)))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let hashes: Vec<String> = wanted.keys().map(|(hash, _)| hash.clone()).collect();
    let known = door.catalogue(move |c| c.asked_secrets(&hashes)).await.map_err(|e| e.to_string())?;
    let is_fresh = |asked: &AskedSecret| {
        let age = door.clock.now().seconds_since(asked.at);
        age < i64::from(door.config.inspection.ask_hours) * 3600
    };
    for ((hash, detector), finding) in wanted {
        let asked = known.iter().find(|asked| (&asked.secret_hash, &asked.detector) == (&hash, &detector));
        if asked.is_none_or(|asked| !is_fresh(asked)) {
            ask(door, sha256, hash, &finding).await?;
        }
    }
    Ok(())
}

/// The rule of a detector, where its issuer may be asked.
fn issuer_of<'d>(door: &'d Door, detector: &str) -> Option<(&'static Rule, &'d url::Url)> {
    let rule = Rules::builtin().rule(detector).filter(|rule| rule.liveness.is_some())?;
    Some((rule, door.config.inspection.issuers.get(&key_of(&rule.issuer))?))
}

/// Asks about one secret, keeps what is said, and tells people where it is still good.
async fn ask(door: &Arc<Door>, sha256: Sha256, secret_hash: String, finding: &Finding) -> Result<(), String> {
    let artifact = door.catalogue(move |c| c.artifact(&sha256)).await.map_err(|e| e.to_string())?;
    let size = artifact.ok_or("the catalogue does not know it")?.size;
    let request = Request {
        name: finding.location.path.split("!/").next().unwrap_or_default().to_owned(),
        reveal: Some(secret_hash.clone()),
        hash_key: door.inspection.hash_key(),
        ..Request::default()
    };
    let looked = contents::looked_into(door, sha256, size, &request).await.map_err(|e| e.to_string())?;
    let revealed = looked?.revealed;
    let (door2, detector) = (Arc::clone(door), finding.detector.clone());
    let said = match revealed {
        None => Liveness::Unknown,
        Some(revealed) => {
            let runtime = tokio::runtime::Handle::current();
            let asking = move || {
                let Some((rule, address)) = issuer_of(&door2, &detector) else { return Liveness::Unknown };
                let issuer = HttpIssuer::new(&door2.client, rule, address, runtime);
                issuer.map_or(Liveness::Unknown, |issuer| issuer.check(&revealed.secret()))
            };
            // Waiting for an issuer must not keep the door's own work waiting.
            tokio::task::spawn_blocking(asking).await.map_err(|e| e.to_string())?
        }
    };
    let now = door.clock.now();
    let asked = AskedSecret {
        secret_hash,
        detector: finding.detector.clone(),
        state: word(said).to_owned(),
        at: now,
    };
    door.catalogue(move |c| c.put_asked_secret(&asked)).await.map_err(|e| e.to_string())?;
    if said == Liveness::Live {
        tell(door, sha256, finding, now).await?;
    }
    Ok(())
}

/// The word for it in the catalogue and in answers.
const fn word(said: Liveness) -> &'static str {
    match said {
        Liveness::Live => "live",
        Liveness::Dead => "dead",
        Liveness::Unknown => "unknown",
    }
}

/// A secret that opens something is news, whoever published it.
async fn tell(door: &Arc<Door>, sha256: Sha256, finding: &Finding, now: Timestamp) -> Result<(), String> {
    let (title, place) =
        (Rules::builtin().rule(&finding.detector).map(|rule| &rule.title), &finding.location.path);
    let what = title.map_or(finding.detector.as_str(), String::as_str);
    let message = format!("the {what} in {place} is still accepted by its issuer (sha256:{})", sha256.hex());
    tracing::warn!("{message}");
    let alarm = NewAlarm {
        kind: AlarmKind::Contents.as_str().into(),
        subject: format!("{} sha256:{}", finding.detector, sha256.hex()),
        message,
        json: serde_json::json!({ "sha256": sha256.hex(), "detector": finding.detector }).to_string(),
        at: now,
    };
    door.metrics.alarms.inc();
    door.catalogue(move |c| c.raise_alarm(&alarm)).await.map(drop).map_err(|e| e.to_string())
}
