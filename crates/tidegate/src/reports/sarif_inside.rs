//! What was seen in bytes, as SARIF: a rule for each detector, with its help; a result for each finding, at the nested artifact
//! that it is in (§3.24.3 `parentIndex`), so that viewers lead to the file of a folder and name the member of an archive.

use std::collections::HashMap;

use serde_json::{Value, json};
use tidegate_inspect::catalogue;
use tidegate_model::finding::{Confidence, FindingKind, FindingSeverity};

use super::parts::{object, uri};
use super::{Observation, Report, ids};

/// Which containers may lie in each other in one path; what is deeper stands in the path of the last.
const DEPTH: usize = 16;

/// The rule of a detector.
pub(super) fn rule(detector: &str) -> Value {
    let listed = catalogue::all().into_iter().find(|listed| listed.id == detector);
    let title = listed.as_ref().map_or(detector, |listed| listed.title);
    let family = detector.split('/').next().unwrap_or_default();
    let mut tags = vec![json!("security"), json!(family)];
    tags.extend(listed.as_ref().and_then(|listed| listed.catalogue).map(|id| json!(id)));
    let help = catalogue::help(detector).map(|help| {
        json!({
            "text": format!("{}\n\nWhat to do: {}", help.why, help.remedy),
            "markdown": format!("{}\n\n**What to do:** {}", help.why, help.remedy),
        })
    });
    let why = catalogue::help(detector).map_or_else(|| title.to_owned(), |help| help.why);
    object([
        ("id", json!(detector)),
        ("shortDescription", json!({ "text": title })),
        ("fullDescription", json!({ "text": why })),
        ("help", json!(help)),
        (
            "defaultConfiguration",
            json!(listed.as_ref().map(|listed| json!({ "level": level(listed.severity) }))),
        ),
        ("properties", json!({ "tags": tags })),
    ])
}

/// The worst that a detector gives, on the scale of CVSS; what is of note only has none.
pub(super) fn score(detector: &str) -> Option<f64> {
    let listed = catalogue::all().into_iter().find(|listed| listed.id == detector)?;
    match listed.severity {
        FindingSeverity::Critical => Some(9.5),
        FindingSeverity::High => Some(7.9),
        FindingSeverity::Medium => Some(5.4),
        FindingSeverity::Low => Some(2.0),
        FindingSeverity::Info => None,
    }
}

const fn level(severity: FindingSeverity) -> &'static str {
    match severity {
        FindingSeverity::Critical | FindingSeverity::High => "error",
        FindingSeverity::Medium => "warning",
        FindingSeverity::Low | FindingSeverity::Info => "note",
    }
}

/// One finding.
pub(super) fn result(report: &Report, observation: &Observation, artifacts: &mut Artifacts) -> Value {
    let finding = &observation.finding;
    let (file, within) = (observation.file.as_deref(), observation.within.as_deref());
    let place = [file.or(report.subject.file.as_deref()), within].into_iter().flatten().collect::<Vec<_>>();
    let place = place.join("!/");
    let mut region = json!({ "startLine": finding.location.line.unwrap_or(1).max(1) });
    if let Some(offset) = finding.location.offset {
        region["byteOffset"] = json!(offset);
    }
    // What a finding is named by does not depend on where in its file it stands.
    let named = within.or(file).unwrap_or_default();
    let evidence = finding.evidence.as_deref().unwrap_or_default();
    let print = ids::fingerprint(&[&finding.detector, named, &finding.message, evidence]);
    let print = format!("{print}:{}", artifacts.count(&print));
    let rank = match finding.confidence {
        Confidence::High => 90.0,
        Confidence::Medium => 60.0,
        Confidence::Low => 30.0,
    };
    object([
        ("ruleId", json!(finding.detector)),
        // Known when all rules are; the member keeps its place.
        ("ruleIndex", json!(0)),
        ("kind", json!(if finding.kind == FindingKind::Licence { "review" } else { "fail" })),
        ("level", json!(if finding.kind == FindingKind::Licence { "none" } else { level(finding.severity) })),
        ("rank", json!(rank)),
        ("message", json!({ "text": format!("{place}: {}", finding.message) })),
        (
            "locations",
            json!([{
                "physicalLocation": { "artifactLocation": artifacts.location(file, within), "region": region },
                "logicalLocations": [{ "fullyQualifiedName": place, "kind": "resource" }],
            }]),
        ),
        ("occurrenceCount", json!(finding.count)),
        ("partialFingerprints", json!({ "primaryLocationLineHash": print, "tidegate/v1": print })),
        (
            "properties",
            object([
                ("severity", json!(finding.severity)),
                ("confidence", json!(finding.confidence)),
                ("evidence", json!(finding.evidence)),
                ("offset", json!(finding.location.offset)),
            ]),
        ),
    ])
}

/// The artifacts of the run: what was given first, then what findings are in.
pub(super) struct Artifacts {
    /// As SARIF has them.
    pub(super) list: Vec<Value>,
    /// The place of each, by its container and its name.
    places: HashMap<(Option<usize>, String), usize>,
    /// How often each fingerprint was given.
    prints: HashMap<String, u32>,
    has_subject: bool,
}

impl Artifacts {
    pub(super) fn of(report: &Report) -> Self {
        let subject = report.subject.file.as_ref().map(|file| {
            let hashes = report.subject.sha256.map(|sha256| json!({ "sha-256": sha256.hex() }));
            object([("location", json!({ "uri": uri(file) })), ("hashes", json!(hashes))])
        });
        let has_subject = subject.is_some();
        Self {
            list: subject.into_iter().collect(),
            places: HashMap::new(),
            prints: HashMap::new(),
            has_subject,
        }
    }

    fn count(&mut self, print: &str) -> u32 {
        let count = self.prints.entry(print.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn place(&mut self, parent: Option<usize>, name: &str) -> usize {
        let next = self.list.len();
        let place = *self.places.entry((parent, name.to_owned())).or_insert(next);
        if place == next {
            self.list
                .push(object([("location", json!({ "uri": uri(name) })), ("parentIndex", json!(parent))]));
        }
        place
    }

    /// Where something is: in a file of a folder or in the file that was given, and in what nests in it.
    fn location(&mut self, file: Option<&str>, within: Option<&str>) -> Value {
        let mut at = match file {
            Some(file) => Some(self.place(None, file)),
            None => self.has_subject.then_some(0),
        };
        for part in within.into_iter().flat_map(|within| within.splitn(DEPTH, "!/")) {
            at = Some(self.place(at, part.trim_start_matches('/')));
        }
        match at {
            Some(index) => json!({ "uri": self.list[index]["location"]["uri"], "index": index }),
            None => Value::Null,
        }
    }
}
