//! What follows from a change of advisories: it is in force at once, and what was admitted before and is touched now raises
//! an alarm that says how to find who took it.

mod record;

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_intel::import::Applied;
use tidegate_intel::inverse::{self, NameChange};
use tidegate_intel::{AdvisoryKind, Snapshot};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_model::facts::Severity;
use tidegate_model::{Ecosystem, PackageName, Timestamp};
use tidegate_store::catalogue::NewAlarm;

use super::Advisories;
use super::facts::{Asked, findings, vulnerability};
use crate::door::Door;

/// The kind of the alarms raised here.
pub const ALARM: &str = "advisory";
/// More alarms than this in one change are summed up in one line of the log: a first delivery may touch much.
const MAX_ALARMS: usize = 1000;

/// An admitted version that a change made worse or better.
#[derive(Debug, PartialEq, Eq)]
struct Touched {
    purl: String,
    admitted_at: Timestamp,
    /// Grave findings that are new, with a word for each.
    new: BTreeMap<String, &'static str>,
    /// Ids of grave findings that are gone.
    gone: Vec<String>,
}

/// Puts what was applied in force for every path, then looks for what was admitted before. Blocks.
pub fn follow(door: &Arc<Door>, applied: &Applied, actor: Option<Pseudonym>) {
    if applied.before.generation() == applied.after.generation() {
        return;
    }
    door.put_advisories_in_force(Arc::clone(&applied.after));
    // A first delivery touches a million names; those that nobody took are counted and forgotten.
    let mut taken = |ecosystem: &str, name: &str| was_taken(door, ecosystem, name);
    let changes = inverse::changes_among(&applied.before, &applied.after, &mut taken);
    let changes = changes.map_err(|e| e.to_string());
    record::in_force(door, applied, changes.as_ref().map_or(0, |changes| changes.names), actor);
    match changes.and_then(|changes| touched(door, applied, changes.wanted)) {
        Ok(touched) => tell(door, &touched),
        Err(why) => tracing::error!("what was admitted before could not be looked through: {why}"),
    }
}

fn touched(door: &Door, applied: &Applied, changes: Vec<NameChange>) -> Result<Vec<Touched>, String> {
    let now = door.clock.now();
    let in_force = door.rules().advisories.clone();
    let with = |snapshot: &Arc<Snapshot>| Advisories { snapshot: Arc::clone(snapshot), ..in_force.clone() };
    let (before, after) = (with(&applied.before), with(&applied.after));
    let mut all = Vec::new();
    for change in changes {
        let Ok(ecosystem) = change.ecosystem.parse::<Ecosystem>() else { continue };
        for name in spellings(ecosystem, &change.name) {
            let admitted =
                door.store.catalogue.admissions(&package_purl(&name)).map_err(|e| e.to_string())?;
            for admission in admitted {
                let Some(version) = PackageRef::parse(&admission.purl).ok().and_then(|p| p.version) else {
                    continue;
                };
                let version = version.as_str();
                if !change.touches(version) {
                    continue;
                }
                let asked = Asked { ecosystem, name: name.as_str(), version, now };
                let (was, is) = (grave(&before, &asked), grave(&after, &asked));
                let gone = was.keys().filter(|id| !is.contains_key(*id)).cloned().collect::<Vec<_>>();
                let new: BTreeMap<_, _> = is.into_iter().filter(|(id, _)| !was.contains_key(id)).collect();
                if !new.is_empty() || !gone.is_empty() {
                    all.push(Touched { purl: admission.purl, admitted_at: admission.first_at, new, gone });
                }
            }
        }
    }
    Ok(all)
}

/// Whether any version of a name was ever admitted; where that cannot be told, it is looked at later, with the reason.
fn was_taken(door: &Door, ecosystem: &str, name: &str) -> bool {
    let Ok(ecosystem) = ecosystem.parse::<Ecosystem>() else { return false };
    spellings(ecosystem, name).iter().any(|name| {
        let admitted = door.store.catalogue.admissions(&package_purl(name));
        admitted.map_or(true, |admitted| !admitted.is_empty())
    })
}

/// The names under which a package may have been admitted: feeds' names are looked up in one form, and of crates that
/// form leaves open where `-` and where `_` stood.
pub(crate) fn spellings(ecosystem: Ecosystem, name: &str) -> Vec<PackageName> {
    let mut names = vec![name.to_owned()];
    if ecosystem == Ecosystem::Cargo && name.contains('-') {
        names.push(name.replace('-', "_"));
    }
    names.iter().filter_map(|name| PackageName::parse(ecosystem, name).ok()).collect()
}

/// Findings that somebody should hear of, by id, with a word for each.
fn grave(advisories: &Advisories, asked: &Asked<'_>) -> BTreeMap<String, &'static str> {
    let word = |finding: &tidegate_intel::Finding| {
        let facts = vulnerability(advisories, asked, finding);
        let answered =
            facts.vex.is_some_and(|vex| vex.trusted && matches!(&*vex.status, "not_affected" | "fixed"));
        match facts.effective_severity {
            _ if answered => None,
            _ if finding.kind == AdvisoryKind::Malware => Some("malware"),
            _ if facts.kev == Some(true) => Some("being exploited"),
            Some(Severity::Critical) => Some("critical"),
            Some(Severity::High) => Some("high"),
            _ => None,
        }
    };
    let found = findings(advisories, asked).items;
    found.iter().filter_map(|finding| Some((finding.id.clone(), word(finding)?))).collect()
}

fn tell(door: &Door, touched: &[Touched]) {
    let now = door.clock.now();
    for one in touched.iter().filter(|t| !t.new.is_empty()).take(MAX_ALARMS) {
        let what: Vec<String> = one.new.iter().map(|(id, word)| format!("{id} ({word})")).collect();
        let message = format!(
            "{} touches {}, admitted here since {}; `tidegate who {}` lists who took it",
            what.join(", "),
            one.purl,
            one.admitted_at.to_minute(),
            one.purl
        );
        tracing::warn!(artifact.purl = %one.purl, "{message}");
        let alarm = NewAlarm {
            kind: ALARM.into(),
            subject: one.purl.clone(),
            message,
            json: serde_json::json!({ "purl": one.purl, "advisories": one.new.keys().collect::<Vec<_>>() })
                .to_string(),
            at: now,
        };
        door.metrics.alarms.inc();
        if let Err(error) = door.store.catalogue.raise_alarm(&alarm) {
            tracing::error!(error = %error, "an alarm could not be kept: {error}");
        }
    }
    for one in touched.iter().filter(|t| !t.gone.is_empty()).take(MAX_ALARMS) {
        tracing::info!(artifact.purl = %one.purl, "{} no longer touches {}", one.gone.join(", "), one.purl);
    }
    if touched.len() > MAX_ALARMS {
        let more = touched.len() - MAX_ALARMS;
        tracing::warn!(
            advisories.more = more,
            "{more} more admitted versions are touched: `tidegate check` and `tidegate why` tell"
        );
    }
}
