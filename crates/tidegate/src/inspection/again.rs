//! Looking again, behind: what an older inspector looked at, last asked for first.

use std::collections::HashSet;
use std::sync::Arc;

use tidegate_inspect::inspection::INSPECTOR_VERSION;
use tidegate_inspect::{Request, Verdict};
use tidegate_ledger::entry::{Alarm, AlarmKind};
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::{Coordinate, Ecosystem, PackageName, Sha256, Version};
use tidegate_store::catalogue::{NewAlarm, OutdatedInspection};

use super::Seen;
use crate::door::{Door, TENANT};
use crate::pipeline::contents;

/// How many artifacts are looked up at a time.
const BATCH: u32 = 64;

/// Looks again at everything that an older inspector looked at, one artifact at a time, so that whoever waits for a first
/// download comes first. Ends where nothing is left, or nothing that can be looked at.
pub async fn look_again(door: &Arc<Door>) {
    let mut passed_over: HashSet<Sha256> = HashSet::new();
    loop {
        // What is passed over stays in the list, so the list must be longer than that.
        let limit = BATCH + u32::try_from(passed_over.len()).unwrap_or(u32::MAX - BATCH);
        let found = match door.catalogue(move |c| c.outdated_inspections(INSPECTOR_VERSION, limit)).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(error = %error, "what an older inspector looked at could not be listed: {error}");
                return;
            }
        };
        let mut rest = found.into_iter().filter(|old| !passed_over.contains(&old.sha256)).peekable();
        if rest.peek().is_none() {
            return;
        }
        let batch: Vec<OutdatedInspection> = rest.collect();
        for old in batch {
            if door.draining.load(std::sync::atomic::Ordering::Acquire) {
                return;
            }
            let sha256 = old.sha256;
            if let Err(why) = one(door, &old).await {
                tracing::warn!("{} could not be looked at again: {why}", old.file);
                passed_over.insert(sha256);
            }
        }
    }
}

async fn one(door: &Arc<Door>, old: &OutdatedInspection) -> Result<(), String> {
    let sha256 = old.sha256;
    let artifact = door.catalogue(move |c| c.artifact(&sha256)).await.map_err(|e| e.to_string())?;
    let size = artifact.ok_or("the catalogue does not know it")?.size;
    let before = door.catalogue(move |c| c.inspection(&sha256)).await.map_err(|e| e.to_string())?;
    let before: Option<Seen> = before.and_then(|stored| serde_json::from_str(&stored.facts).ok());
    let request = Request {
        name: old.file.clone(),
        ecosystem: old.ecosystem.parse().ok(),
        package: old.package.clone(),
        version: old.version.clone(),
        hash_key: door.inspection.hash_key(),
        // Its index is compared with it when somebody asks for it again.
        ..Request::default()
    };
    let now = contents::inspect(door, sha256, size, request).await.map_err(|e| e.to_string())?.seen;
    let worse =
        before.as_ref().is_none_or(|before| before.verdict < now.verdict) && now.verdict > Verdict::Clean;
    if before.as_ref() != Some(&now) {
        // What was decided on the old findings is decided anew.
        door.decide_anew();
    }
    if worse {
        let (door2, old) = (Arc::clone(door), old.clone());
        door.blocking(move || tell(&door2, &old, &now)).await;
    }
    Ok(())
}

/// Raises an alarm where what turned out to be grave was admitted here.
fn tell(door: &Door, old: &OutdatedInspection, seen: &Seen) {
    let Some(ecosystem) = old.ecosystem.parse::<Ecosystem>().ok() else { return };
    let Ok(name) = PackageName::parse(ecosystem, &old.package) else { return };
    let purl = Coordinate { name, version: Version::parse(ecosystem, &old.version) }.purl();
    if !matches!(door.store.catalogue.admission(&purl), Ok(Some(_))) {
        return;
    }
    let what = seen.summary.as_deref().unwrap_or("see its findings");
    let message =
        format!("{purl} was admitted, and a newer inspector finds it {}: {what}", seen.verdict.as_str());
    let alarm = NewAlarm {
        kind: AlarmKind::Contents.as_str().into(),
        subject: format!("{purl} {}", old.file),
        message: message.clone(),
        json: serde_json::json!({ "purl": purl, "file": old.file, "detectors": seen.detectors }).to_string(),
        at: door.clock.now(),
    };
    match door.store.catalogue.raise_alarm(&alarm) {
        Ok(false) => return,
        Ok(true) => {}
        Err(error) => tracing::error!(error = %error, "an alarm could not be kept: {error}"),
    }
    tracing::error!(package.purl = %purl, "{message}");
    door.metrics.alarms.inc();
    let entry = Alarm {
        alarm: AlarmKind::Contents,
        repository: old.ecosystem.as_str().into(),
        ecosystem: Some(ecosystem),
        purl: purl.into(),
        file: Some(old.file.as_str().into()),
        expected: old.sha256.into(),
        found: old.sha256.into(),
        upstream: None,
    };
    let entry =
        EntryDraft { time: door.clock.now(), tenant: TENANT.into(), body: Body::Alarm(Box::new(entry)) };
    if let Err(error) = door.recorder.append(&entry) {
        tracing::error!(error = %error, "an alarm could not be recorded: {error}");
    }
}
