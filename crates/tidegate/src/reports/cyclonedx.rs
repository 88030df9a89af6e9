//! CycloneDX 1.6 and 1.7 as JSON: the components, and what advisories say of them as `vulnerabilities`
//! (<https://cyclonedx.org/docs/1.6/json/>). What is written is the same in both versions.
//!
//! Each finding is a vulnerability of its own, because severity in place and analysis belong to a component. `analysis` is
//! there only where a trusted VEX statement is; what only this product knows are properties `tidegate:…`.

use serde_json::{Value, json};
use tidegate_ecosystems::inventory::Scope;
use tidegate_model::{Algorithm, Digest};

use super::parts::{list, object, word};
use super::{Certainty, Component, Finding, Report, ReportGap, Subject, ids};

pub(super) fn document(report: &Report, version: &str) -> Value {
    let references = ids::references(report);
    let gaps = report.gaps_of_components();
    let components = report
        .components
        .iter()
        .enumerate()
        .map(|(i, one)| component(report, one, &references[i], gaps.get(&i).map_or(&[], Vec::as_slice)))
        .collect();
    let vulnerabilities = report
        .standing()
        .into_iter()
        .map(|(finding, component)| vulnerability(finding, component, &references[finding.component]))
        .collect();
    let mut document = json!({
        "$schema": format!("http://cyclonedx.org/schema/bom-{version}.schema.json"),
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": null,
        "version": 1,
        "metadata": metadata(report),
        "components": Value::Array(components),
        "vulnerabilities": Value::Array(vulnerabilities),
    });
    document["serialNumber"] = Value::from(ids::uuid(document.to_string().as_bytes()));
    document
}

fn metadata(report: &Report) -> Value {
    let whole = |gap: &&ReportGap| gap.component.is_none();
    let mut properties: Vec<Value> = report.gaps.iter().filter(whole).map(gap).collect();
    if let Some(policy) = &report.policy {
        properties.insert(0, property("policy", &policy.to_string()));
    }
    object([
        ("timestamp", json!(report.at.to_string())),
        (
            "tools",
            json!({ "components": [{
                "type": "application", "name": report.tool.name, "version": report.tool.version,
            }] }),
        ),
        ("authors", report.author.as_ref().map_or(Value::Null, |name| json!([{ "name": name }]))),
        ("component", subject(&report.subject)),
        ("properties", list(properties)),
    ])
}

fn subject(subject: &Subject) -> Value {
    let digests: Vec<Digest> = subject
        .sha256
        .iter()
        .filter_map(|sha256| Digest::from_hex(Algorithm::Sha256, &sha256.hex()))
        .collect();
    // A lock file or an SBOM stands for the application whose parts it lists.
    object([
        ("type", json!("application")),
        ("bom-ref", json!(ids::SUBJECT)),
        ("name", json!(subject.name)),
        ("version", json!(subject.version)),
        ("purl", json!(subject.purl)),
        ("properties", list(subject.file.iter().map(|file| property("file", file)).collect())),
        // The digest is that of the file, not of the application.
        (
            "externalReferences",
            match (&subject.file, list(digests.iter().filter_map(hash).collect())) {
                (Some(file), hashes) if !hashes.is_null() => {
                    json!([{ "type": "other", "url": super::parts::uri(file), "comment": "what was looked at", "hashes": hashes }])
                }
                _ => Value::Null,
            },
        ),
    ])
}

fn component(report: &Report, component: &Component, reference: &str, gaps: &[&ReportGap]) -> Value {
    let scope = component.scope.map(|scope| match scope {
        Scope::Runtime => "required",
        Scope::Optional => "optional",
        Scope::Development => "excluded",
    });
    let scope = if component.beneath.is_some() { Some("excluded") } else { scope };
    let mut properties = Vec::new();
    if let Some(why) = &component.beneath {
        properties.push(property("beneath", why));
    }
    if let Some(outcome) = &component.outcome {
        properties.push(property("decision", outcome.action.as_str()));
        for reason in &outcome.reasons {
            properties.push(property("reason", &format!("{}: {}", reason.rule, reason.message)));
        }
    }
    if let Some(version) = &component.nearest_compliant {
        properties.push(property("nearest_compliant", version));
    }
    properties.extend(gaps.iter().copied().map(gap));
    object([
        ("type", json!("library")),
        ("bom-ref", json!(reference)),
        ("name", json!(component.name)),
        ("version", json!(component.version)),
        ("scope", json!(scope)),
        ("hashes", list(component.digests.iter().filter_map(hash).collect())),
        ("licenses", component.licence.as_deref().map_or(Value::Null, licence)),
        ("purl", json!(component.purl)),
        ("evidence", occurrence(report, component)),
        ("properties", list(properties)),
    ])
}

/// Where it stands in the file.
fn occurrence(report: &Report, component: &Component) -> Value {
    let (Some(place), Some(file)) = (&component.place, &report.subject.file) else { return Value::Null };
    let occurrence = object([
        ("location", json!(file)),
        ("line", json!(place.line)),
        ("additionalContext", json!(place.pointer)),
    ]);
    json!({ "occurrences": [occurrence] })
}

fn vulnerability(finding: &Finding, component: &Component, reference: &str) -> Value {
    let advisory = &finding.advisory;
    let aliases = advisory.aliases.iter().map(|alias| {
        let source = alias.split('-').next().unwrap_or(alias);
        json!({ "id": alias, "source": { "name": source } })
    });
    let source = object([("name", json!(finding.source)), ("url", json!(finding.addresses().next()))]);
    let status = if finding.certainty == Certainty::Unclear { "unknown" } else { "affected" };
    let versions =
        component.version.as_ref().map(|version| json!([{ "version": version, "status": status }]));
    object([
        ("id", json!(advisory.id)),
        ("source", if source == json!({}) { Value::Null } else { source }),
        ("references", list(aliases.collect())),
        ("ratings", list(ratings(finding))),
        ("cwes", list(finding.cwes.iter().map(|cwe| json!(cwe)).collect())),
        ("description", json!(finding.summary)),
        ("detail", json!(finding.details)),
        ("recommendation", json!(finding.advice(component))),
        ("advisories", list(finding.addresses().map(|url| json!({ "url": url })).collect())),
        ("published", json!(finding.published.map(|at| at.to_string()))),
        ("updated", json!(finding.modified.map(|at| at.to_string()))),
        ("analysis", analysis(finding)),
        ("affects", json!([object([("ref", json!(reference)), ("versions", json!(versions))])])),
        ("properties", list(properties(finding))),
    ])
}

fn ratings(finding: &Finding) -> Vec<Value> {
    let advisory = &finding.advisory;
    let mut ratings = Vec::new();
    if advisory.cvss.is_some() || advisory.cvss_score.is_some() || advisory.severity.is_some() {
        ratings.push(object([
            ("source", finding.source.as_ref().map_or(Value::Null, |name| json!({ "name": name }))),
            ("score", json!(advisory.cvss_score)),
            ("severity", json!(advisory.severity.map(word))),
            ("method", json!(advisory.cvss.as_deref().map(method))),
            ("vector", json!(advisory.cvss)),
        ]));
    }
    if let Some(effective) = advisory.effective_severity {
        ratings.push(object([
            ("source", json!({ "name": advisory.rated_by.as_deref().unwrap_or("tidegate") })),
            ("severity", json!(word(effective))),
            ("method", json!("other")),
            ("justification", json!("effective severity here, which the decision used")),
        ]));
    }
    ratings
}

fn method(vector: &str) -> &'static str {
    match vector {
        v if v.starts_with("CVSS:4.0/") => "CVSSv4",
        v if v.starts_with("CVSS:3.1/") => "CVSSv31",
        v if v.starts_with("CVSS:3.0/") => "CVSSv3",
        v if v.starts_with("AV:") || v.starts_with("(AV:") => "CVSSv2",
        _ => "other",
    }
}

/// What a trusted VEX statement says, in CycloneDX's words. One of OpenVEX's justifications has no counterpart and is told
/// in the detail.
fn analysis(finding: &Finding) -> Value {
    let Some(status) = finding.trusted_vex() else { return Value::Null };
    let state = match status {
        "not_affected" if finding.is_cleared() => "not_affected",
        "not_affected" | "under_investigation" => "in_triage",
        "fixed" => "resolved",
        "affected" => "exploitable",
        _ => return Value::Null,
    };
    let justification = finding.justification().filter(|_| state == "not_affected");
    let counterpart = justification.and_then(|word| match word {
        "component_not_present" | "vulnerable_code_not_present" => Some("code_not_present"),
        "vulnerable_code_not_in_execute_path" => Some("code_not_reachable"),
        "inline_mitigations_already_exist" => Some("protected_by_mitigating_control"),
        _ => None,
    });
    let author = finding.advisory.vex.as_ref().and_then(|vex| vex.author.as_deref());
    let mut detail: Vec<String> = author.map(|author| format!("stated by {author}")).into_iter().collect();
    detail.extend(justification.filter(|_| counterpart.is_none()).map(str::to_owned));
    detail.extend(finding.impact.clone());
    object([
        ("state", json!(state)),
        ("justification", json!(counterpart)),
        ("detail", if detail.is_empty() { Value::Null } else { json!(detail.join("; ")) }),
    ])
}

/// What CycloneDX has no field for.
fn properties(finding: &Finding) -> Vec<Value> {
    let advisory = &finding.advisory;
    let mut properties = Vec::new();
    if advisory.malicious {
        properties.push(property("malicious", "true"));
    }
    if let Some(kev) = advisory.kev {
        properties.push(property("kev", if kev { "true" } else { "false" }));
    }
    if let Some(epss) = advisory.epss {
        properties.push(property("epss", &epss.to_string()));
    }
    if let Some(ssvc) = &advisory.ssvc {
        let automatable = ssvc.automatable.map(|yes| if yes { "yes" } else { "no" }.to_owned());
        let points = [
            ("ssvc:exploitation", ssvc.exploitation.clone()),
            ("ssvc:automatable", automatable),
            ("ssvc:technical_impact", ssvc.technical_impact.clone()),
        ];
        properties.extend(points.into_iter().filter_map(|(name, said)| Some(property(name, &said?))));
    }
    for version in &advisory.fixed_in {
        properties.push(property("fixed_in", version));
    }
    if let Some(vex) = advisory.vex.as_ref().filter(|vex| !vex.trusted) {
        let author = vex.author.as_deref().unwrap_or("an unnamed author");
        properties.push(property("untrusted_vex", &format!("{} by {author}", vex.status)));
    }
    properties
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": format!("tidegate:{name}"), "value": value })
}

fn gap(gap: &ReportGap) -> Value {
    let why = gap.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    property("gap", &format!("{} {}{why}", gap.fact, gap.state.as_str()))
}

/// None for what CycloneDX has no name for.
fn hash(digest: &Digest) -> Option<Value> {
    let algorithm = match digest.algorithm() {
        Algorithm::Md5 => "MD5",
        Algorithm::Sha1 => "SHA-1",
        Algorithm::Sha256 => "SHA-256",
        Algorithm::Sha384 => "SHA-384",
        Algorithm::Sha512 => "SHA-512",
        Algorithm::GitBlob => return None,
    };
    Some(json!({ "alg": algorithm, "content": digest.hex() }))
}

/// An SPDX expression where it is one, else a name.
fn licence(text: &str) -> Value {
    match spdx::Expression::parse(text) {
        Ok(_) => json!([{ "expression": text }]),
        Err(_) => json!([{ "license": { "name": text } }]),
    }
}
