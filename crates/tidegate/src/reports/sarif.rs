//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), as code hosts and editors show it.
//!
//! A rule is an advisory, or a rule of the policy that acted for another reason than an advisory; a result is one of them on
//! one component, at the line of the file where the component stands. Fingerprints name advisory, component and file and
//! nothing that changes between runs, so that a result is recognised when lines move. What was seen in bytes is written by
//! `sarif_inside`. Gaps are notifications: a run that
//! could not look at everything says so.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};
use tidegate_model::Action;
use tidegate_model::decision::Reason;
use tidegate_model::facts::Severity;

use super::parts::{band, list, middle, object, uri, word};
use super::sarif_inside::{self, Artifacts};
use super::{Certainty, Component, Finding, Report, ReportGap, ids};

/// Where code hosts look for the severity of a rule that is about security.
const SECURITY_SEVERITY: &str = "security-severity";

pub(super) fn document(report: &Report) -> Value {
    let mut rules = Rules::default();
    let mut results = Results { report, seen: HashMap::new(), list: Vec::new() };
    // What an advisory brought about on a component is a result of that advisory.
    let mut told: HashSet<(usize, &str)> = HashSet::new();
    for (finding, component) in report.standing() {
        told.insert((finding.component, &finding.advisory.id));
        let rule = rules.advisory(finding);
        results.finding(finding, component, &rule);
    }
    for (index, component) in report.components.iter().enumerate() {
        for reason in component.outcome.iter().flat_map(|outcome| &outcome.reasons) {
            let is_told = reason.because.advisories.iter().any(|id| told.contains(&(index, id.as_str())));
            if reason.action != Action::Allow && !is_told {
                let rule = rules.policy(reason);
                results.reason(reason, component, &rule);
            }
        }
    }
    let mut artifacts = Artifacts::of(report);
    for observation in &report.observations {
        rules.detector(&observation.finding.detector);
        let result = sarif_inside::result(report, observation, &mut artifacts);
        results.list.push(result);
    }
    let (descriptors, places) = rules.settle();
    for result in &mut results.list {
        let index = result["ruleId"].as_str().and_then(|id| places.get(id)).copied();
        result["ruleIndex"] = json!(index);
    }
    let notifications: Vec<Value> = report.gaps.iter().map(|gap| notification(report, gap)).collect();
    let run = object([
        (
            "tool",
            json!({ "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "rules": descriptors,
            } }),
        ),
        (
            "invocations",
            json!([object([
                ("executionSuccessful", json!(true)),
                ("endTimeUtc", json!(report.at.to_string())),
                ("toolExecutionNotifications", list(notifications)),
            ])]),
        ),
        // What runs on one subject have in common, so that a later run replaces an earlier one.
        ("automationDetails", json!({ "id": format!("tidegate/{}/", subject_name(report)) })),
        ("artifacts", list(artifacts.list)),
        ("results", Value::Array(results.list)),
        ("columnKind", json!("utf16CodeUnits")),
    ]);
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    })
}

fn subject_name(report: &Report) -> &str {
    report.subject.file.as_deref().unwrap_or(&report.subject.name)
}

/// The rules of the run, by id.
#[derive(Default)]
struct Rules {
    /// The descriptor, and for an advisory the highest score of its findings.
    by_id: BTreeMap<String, (Value, Option<f64>)>,
}

impl Rules {
    /// The rule of an advisory; the finding that makes it worst gives its score.
    fn advisory(&mut self, finding: &Finding) -> String {
        let id = finding.advisory.id.clone();
        let score = score(finding);
        let entry = self.by_id.entry(id.clone()).or_insert_with(|| (advisory_rule(finding), None));
        entry.1 = match (entry.1, score) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        id
    }

    fn policy(&mut self, reason: &Reason) -> String {
        // Advisories have no slash in their ids.
        let id = format!("policy/{}", reason.rule);
        self.by_id.entry(id.clone()).or_insert_with(|| {
            let rule = json!({
                "id": id,
                "shortDescription": { "text": format!("The policy's rule {}", reason.rule) },
                "properties": { "tags": ["policy"] },
            });
            (rule, None)
        });
        id
    }

    fn detector(&mut self, detector: &str) {
        let entry = || (sarif_inside::rule(detector), sarif_inside::score(detector));
        self.by_id.entry(detector.to_owned()).or_insert_with(entry);
    }

    /// The descriptors in the order of their ids, and the place of each.
    fn settle(self) -> (Vec<Value>, HashMap<String, usize>) {
        let places = self.by_id.keys().cloned().zip(0..).collect();
        let descriptors = self.by_id.into_values().map(|(mut rule, score)| {
            if let Some(score) = score {
                rule["properties"][SECURITY_SEVERITY] = json!(format!("{score:.1}"));
            }
            rule
        });
        (descriptors.collect(), places)
    }
}

/// The published score where it lies in the band of the severity that counts, else the middle of that band.
fn score(finding: &Finding) -> Option<f64> {
    let severity = finding.severity();
    match (severity, finding.advisory.cvss_score) {
        (Some(severity), Some(score)) if band(score) != severity => Some(middle(severity)),
        (_, Some(score)) => Some(score),
        (severity, None) => severity.map(middle),
    }
}

fn advisory_rule(finding: &Finding) -> Value {
    let advisory = &finding.advisory;
    let title = finding.summary.clone().unwrap_or_else(|| format!("Advisory {}", advisory.id));
    let mut tags =
        vec![json!("security"), json!(if advisory.malicious { "malware" } else { "vulnerability" })];
    tags.extend(finding.cwes.iter().map(|cwe| json!(format!("external/cwe/cwe-{cwe:03}"))));
    let also = match advisory.aliases.as_slice() {
        [] => String::new(),
        aliases => format!("\n\nAlso known as {}.", aliases.join(", ")),
    };
    object([
        ("id", json!(advisory.id)),
        ("shortDescription", json!({ "text": title })),
        ("fullDescription", json!({ "text": finding.details.as_ref().unwrap_or(&title) })),
        ("helpUri", json!(finding.addresses().next())),
        (
            "help",
            json!({
                "text": format!("{}{also}", finding.details.as_ref().unwrap_or(&title)),
                "markdown": format!("{}{also}", finding.details.as_ref().unwrap_or(&title)),
            }),
        ),
        ("properties", json!({ "tags": tags })),
    ])
}

/// The results of the run.
struct Results<'r> {
    report: &'r Report,
    /// How often each fingerprint was given.
    seen: HashMap<String, u32>,
    list: Vec<Value>,
}

impl Results<'_> {
    fn finding(&mut self, finding: &Finding, component: &Component, rule: &str) {
        let advisory = &finding.advisory;
        let level = match finding.severity() {
            Some(Severity::Critical | Severity::High) => "error",
            Some(Severity::Low | Severity::None) => "note",
            Some(Severity::Medium) | None => "warning",
        };
        let touched = match finding.certainty {
            Certainty::Matched => "is affected by",
            Certainty::Unclear => "may be affected by",
        };
        let what = if advisory.malicious { "is reported as malicious by" } else { touched };
        let summary = finding.summary.as_ref().map(|s| format!(" ({s})")).unwrap_or_default();
        let message =
            format!("{} {what} {}{summary}. {}", shown(component), advisory.id, finding.advice(component));
        // Somebody trusted says that there is nothing to do: told, and not counted.
        let suppression = finding.is_cleared().then(|| {
            let author = advisory.vex.as_ref().and_then(|vex| vex.author.as_deref()).unwrap_or("a VEX statement");
            let said = finding.trusted_vex().unwrap_or_default();
            let why = finding.justification().or(finding.impact.as_deref()).unwrap_or(said);
            json!([{ "kind": "external", "status": "accepted", "justification": format!("{author} states {said}: {why}") }])
        });
        let properties = object([
            ("purl", json!(component.purl)),
            ("aliases", list(advisory.aliases.iter().map(|alias| json!(alias)).collect())),
            ("severity", json!(advisory.severity.map(word))),
            ("effectiveSeverity", json!(finding.severity().map(word))),
            ("cvss", json!(advisory.cvss)),
            ("cvssScore", json!(advisory.cvss_score)),
            ("epss", json!(advisory.epss)),
            ("kev", json!(advisory.kev)),
            ("ssvc", json!(advisory.ssvc)),
            ("fixedIn", list(advisory.fixed_in.iter().map(|version| json!(version)).collect())),
            ("nearestCompliant", json!(component.nearest_compliant)),
            ("decision", decision(component)),
        ]);
        self.push(rule, level, &message, component, properties, json!(suppression));
    }

    fn reason(&mut self, reason: &Reason, component: &Component, rule: &str) {
        let level = if reason.action >= Action::Quarantine { "error" } else { "warning" };
        let remediation = reason.remediation.as_ref().map(|text| format!(" {text}")).unwrap_or_default();
        let message = format!("{}: {}{remediation}", shown(component), reason.message);
        let properties = object([
            ("purl", json!(component.purl)),
            ("action", json!(reason.action.as_str())),
            ("nearestCompliant", json!(component.nearest_compliant)),
            ("decision", decision(component)),
        ]);
        self.push(rule, level, &message, component, properties, Value::Null);
    }

    fn push(
        &mut self,
        rule: &str,
        level: &str,
        message: &str,
        component: &Component,
        properties: Value,
        suppressions: Value,
    ) {
        let name = ids::name(component);
        let print = ids::fingerprint(&[rule, &name, subject_name(self.report)]);
        let count = self.seen.entry(print.clone()).or_default();
        *count += 1;
        let print = format!("{print}:{count}");
        self.list.push(object([
            ("ruleId", json!(rule)),
            // Known when all rules are; the member keeps its place.
            ("ruleIndex", json!(0)),
            ("level", json!(level)),
            ("message", json!({ "text": message })),
            ("locations", json!([location(self.report, component, &name)])),
            // The first name is the one that code hosts compare; the second says how it is made.
            ("partialFingerprints", json!({ "primaryLocationLineHash": print, "tidegate/v1": print })),
            ("suppressions", suppressions),
            ("properties", properties),
        ]));
    }
}

fn shown(component: &Component) -> String {
    match &component.version {
        Some(version) => format!("{} {version}", component.name),
        None => component.name.clone(),
    }
}

fn decision(component: &Component) -> Value {
    json!(component.outcome.as_ref().map(|outcome| outcome.action.as_str()))
}

fn location(report: &Report, component: &Component, name: &str) -> Value {
    let pointer = component.place.as_ref().and_then(|place| place.pointer.as_ref());
    let mut logical = vec![json!({ "fullyQualifiedName": name, "kind": "package" })];
    logical.extend(pointer.map(|pointer| json!({ "fullyQualifiedName": pointer, "kind": "object" })));
    let line = component.place.as_ref().map(|place| place.line);
    object([("physicalLocation", physical(report, line)), ("logicalLocations", Value::Array(logical))])
}

/// A line of the file; its first where none is known, because viewers leave out what has no line.
fn physical(report: &Report, line: Option<u32>) -> Value {
    match &report.subject.file {
        Some(file) => json!({
            "artifactLocation": { "uri": uri(file), "index": 0 },
            "region": { "startLine": line.unwrap_or(1).max(1) },
        }),
        None => Value::Null,
    }
}

fn notification(report: &Report, gap: &ReportGap) -> Value {
    let component = gap.component.and_then(|index| report.components.get(index));
    let of = component.map(|component| format!("{}: ", shown(component))).unwrap_or_default();
    let why = gap.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let line = gap.line.or_else(|| component.and_then(|c| c.place.as_ref()).map(|place| place.line));
    let location = physical(report, line);
    object([
        ("level", json!("warning")),
        ("message", json!({ "text": format!("{of}{} {}{why}", gap.fact, gap.state.as_str()) })),
        ("descriptor", json!({ "id": format!("gap/{}", gap.fact) })),
        (
            "locations",
            if location.is_null() { Value::Null } else { json!([{ "physicalLocation": location }]) },
        ),
    ])
}
