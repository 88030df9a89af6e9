//! What a client's own audit is told: findings with the words and ranges of their records.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tidegate_ecosystems::advice::{Advice, Affected, End};
use tidegate_intel::ecosystem::{EcosystemName, normal_name};
use tidegate_intel::facts::Rating;
use tidegate_intel::matching::Says;
use tidegate_intel::{AdvisoryKind, Finding};
use tidegate_model::facts::Severity;
use tidegate_model::{PackageName, Timestamp};

use super::Advisories;
use super::facts::{Asked, findings};

/// Versions that a record lists are told one by one up to this many; beyond that, ranges have to do.
const MAX_LISTED: usize = 500;

/// What touches a version, for its client's audit.
///
/// # Errors
/// Why it is not known: no feed is loaded, what is loaded is too old, or a version does not compare.
pub fn advice(
    advisories: &Advisories,
    package: &PackageName,
    version: &str,
    door_url: &str,
    now: Timestamp,
) -> Result<Vec<Advice>, String> {
    current(advisories, package, now)?;
    let asked = Asked { ecosystem: package.ecosystem(), name: package.as_str(), version, now };
    let found = findings(advisories, &asked);
    if !found.undecided.is_empty() {
        return Err(format!(
            "it cannot be told whether {} touch {package} {version}",
            found.undecided.join(", ")
        ));
    }
    let told = |finding: &Arc<Finding>| one(advisories, finding, package, door_url, now);
    Ok(found.items.iter().filter(|finding| is_told(finding.kind)).map(told).collect())
}

/// Whether what is known of a package's ecosystem is there and current.
///
/// # Errors
/// Why it is not.
pub fn current(advisories: &Advisories, package: &PackageName, now: Timestamp) -> Result<(), String> {
    if !advisories.covers(package.ecosystem()) {
        return Err(format!("no advisory feed for {} is loaded", package.ecosystem()));
    }
    match advisories.fresh_until() {
        Some(end) if now >= end => {
            Err(format!("the advisories loaded are of {end} at the latest, too old to trust"))
        }
        _ => Ok(()),
    }
}

/// Audits are about flaws and malice; that nobody maintains a package is told by `tidegate why`.
const fn is_told(kind: AdvisoryKind) -> bool {
    matches!(kind, AdvisoryKind::Vulnerability | AdvisoryKind::Malware)
}

fn one(
    advisories: &Advisories,
    finding: &Finding,
    package: &PackageName,
    door_url: &str,
    now: Timestamp,
) -> Advice {
    let rating = Rating::of(finding);
    let malicious = finding.kind == AdvisoryKind::Malware;
    let mut advice = Advice {
        id: finding.id.clone(),
        ids: finding.ids.clone(),
        url: format!("{door_url}advisories/{}", finding.id),
        severity: rating.as_ref().map(|r| r.severity).or(finding.label),
        cvss: rating.map(|r| (r.score, r.vector)),
        fixed_in: finding.fixed.clone(),
        malicious,
        modified: finding.sources.iter().filter_map(|source| source.modified).max(),
        ..Advice::default()
    };
    if malicious {
        advice.severity = Some(Severity::Critical);
    }
    let affects = |source: &&tidegate_intel::matching::Source| matches!(source.says, Says::Affected(_));
    for source in finding.sources.iter().filter(affects) {
        for text in advisories.snapshot.records(&source.id, now).unwrap_or_default() {
            if text.id == source.id && text.feed == source.feed {
                describe(&mut advice, &text.json, package);
            }
        }
    }
    advice
}

/// The parts of a record that are told.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    summary: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    affected: Vec<Entry>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct Entry {
    package: Option<Package>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    events: Vec<serde_json::Map<String, Value>>,
}

fn describe(advice: &mut Advice, json: &[u8], package: &PackageName) {
    // A record that was loaded was read once already; one that cannot be read now only lacks words.
    let Ok(told) = serde_json::from_slice::<Told>(json) else { return };
    if advice.summary.is_empty() {
        advice.summary = told.summary;
    }
    if advice.details.is_empty() {
        advice.details = told.details;
    }
    let weaknesses = told.database_specific.get("cwe_ids").and_then(Value::as_array);
    for weakness in weaknesses.into_iter().flatten().filter_map(Value::as_str) {
        if !advice.weaknesses.iter().any(|w| w == weakness) {
            advice.weaknesses.push(weakness.to_owned());
        }
    }
    for entry in told.affected.iter().filter(|entry| is_of(entry, package)) {
        for range in entry.ranges.iter().filter(|range| range.kind != "GIT") {
            advice.affected.extend(spans(&range.events));
        }
        let listed = entry.versions.iter().take(MAX_LISTED).cloned();
        advice.affected.extend(listed.map(Affected::Version));
    }
}

fn is_of(entry: &Entry, package: &PackageName) -> bool {
    let word = package.ecosystem().as_str();
    entry.package.as_ref().is_some_and(|p| {
        EcosystemName::parse(&p.ecosystem).word == word
            && normal_name(word, &p.name) == normal_name(word, package.as_str())
    })
}

/// The spans of a range, by its events in the order in which publishers write them.
fn spans(events: &[serde_json::Map<String, Value>]) -> Vec<Affected> {
    let mut spans = Vec::new();
    let mut open: Option<Option<String>> = None;
    for (kind, version) in events.iter().flatten().filter_map(|(k, v)| Some((k.as_str(), v.as_str()?))) {
        let end = match kind {
            "introduced" => {
                spans.extend(open.take().map(|from| Affected::Range { from, to: None }));
                open = Some(Some(version.to_owned()).filter(|version| version != "0"));
                continue;
            }
            "fixed" => End::Before(version.to_owned()),
            "last_affected" => End::With(version.to_owned()),
            _ => continue,
        };
        spans.extend(open.take().map(|from| Affected::Range { from, to: Some(end) }));
    }
    spans.extend(open.map(|from| Affected::Range { from, to: None }));
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_become_spans() {
        let events = |json: &str| spans(&serde_json::from_str::<Vec<_>>(json).unwrap());
        let range = |from: Option<&str>, to| Affected::Range { from: from.map(str::to_owned), to };
        assert_eq!(
            events(
                r#"[{"introduced":"0"},{"fixed":"1.2.0"},{"introduced":"2.0.0"},{"last_affected":"2.1.0"}]"#
            ),
            [
                range(None, Some(End::Before("1.2.0".into()))),
                range(Some("2.0.0"), Some(End::With("2.1.0".into())))
            ]
        );
        assert_eq!(events(r#"[{"introduced":"1.0.0"}]"#), [range(Some("1.0.0"), None)]);
        assert_eq!(
            events(r#"[{"introduced":"0","fixed":"1.0.0"}]"#),
            [range(None, Some(End::Before("1.0.0".into())))]
        );
        assert_eq!(events(r#"[{"limit":"9"}]"#), []);
    }
}
