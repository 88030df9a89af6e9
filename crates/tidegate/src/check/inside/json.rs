//! The line of `--json` about something that was looked into. Its shape is pinned: see `docs/reference/check.md`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tidegate_inspect::Inspection;
use tidegate_inspect::inventory::Component;
use tidegate_model::{ArtifactKind, Finding};

use crate::inspection::seen::what;

use super::{Answer, Compared, Form, Item, Looked};

/// Reasons that are told why advisories say nothing of components.
const REASONS: usize = 8;

/// The line: that of every decision, with what was seen.
pub(super) fn line(
    looked: &Looked,
    item: &Item,
    answer: &Answer,
    bundled: &[(usize, Item, Answer)],
) -> Value {
    let mut line = answer.json.clone();
    line["artifact"] = artifact(looked, item);
    let mut findings: Vec<Value> = Vec::new();
    if let Ok(inspection) = &looked.inspection {
        findings.extend(inspection.findings.iter().map(finding));
    }
    if let Some(compared) = &looked.compared {
        findings.extend(compared.findings.iter().map(finding));
        line["compared"] = comparison(compared);
    }
    findings.append(&mut taken(&mut line, "findings"));
    for (at, _, answer) in bundled {
        let path = looked.components().get(*at).map(|one| one.path.as_str());
        let told = answer.json["findings"].as_array().into_iter().flatten();
        findings.extend(told.cloned().map(|mut told| {
            told["location"] = json!({ "path": path });
            told["component"] = answer.json["artifact"]["purl"].clone();
            told
        }));
    }
    line["findings"] = findings.into();
    let mut gaps = taken(&mut line, "gaps");
    gaps.extend(not_seen(looked));
    gaps.extend(unjudged(bundled));
    line["gaps"] = gaps.into();
    if let Ok(inspection) = &looked.inspection {
        add_contents(&mut line, inspection);
    }
    line
}

fn taken(line: &mut Value, key: &str) -> Vec<Value> {
    match line[key].take() {
        Value::Array(list) => list,
        _ => Vec::new(),
    }
}

fn artifact(looked: &Looked, item: &Item) -> Value {
    let is_container = looked.inspection.as_ref().is_ok_and(|inspection| inspection.extent.entries > 0);
    let is_model = looked.inspection.as_ref().is_ok_and(|inspection| inspection.models.is_model);
    let what = looked.inspection.as_ref().ok().and_then(what);
    let kind = match () {
        () if what == Some(ArtifactKind::Image) => "image",
        () if what == Some(ArtifactKind::Extension) => "extension",
        () if item.purl.is_some() => "package",
        () if looked.form == Form::Folder => "folder",
        () if is_model => "model",
        () if what == Some(ArtifactKind::McpServer) => "mcp_server",
        () if is_container => "archive",
        () => "file",
    };
    let mut artifact = Map::new();
    artifact.insert("name".into(), looked.name.clone().into());
    if let Some(purl) = &item.purl {
        artifact.insert("purl".into(), purl.clone().into());
    }
    if let Some(sha256) = looked.sha256 {
        artifact.insert("sha256".into(), sha256.hex().into());
        artifact.insert("size".into(), looked.size.into());
    }
    artifact.insert("kind".into(), kind.into());
    artifact.into()
}

/// A finding; the keyed hash of a secret is of no use to anybody but a door.
fn finding(finding: &Finding) -> Value {
    let told = Finding { secret_hash: None, ..finding.clone() };
    serde_json::to_value(told).expect("a finding is plain values")
}

fn comparison(compared: &Compared) -> Value {
    json!({
        "with": compared.with, "sha256": compared.sha256.map(|sha256| sha256.hex()), "version": compared.version,
        "new": compared.findings.len(), "why_not": compared.why_not, "other_package": compared.other_package,
    })
}

/// What was not looked at, each part with its reason.
fn not_seen(looked: &Looked) -> Vec<Value> {
    match &looked.inspection {
        Err(why) => {
            vec![json!({ "fact": "contents", "state": "error", "why": format!("nothing was seen: {why}") })]
        }
        Ok(inspection) => inspection
            .not_seen
            .iter()
            .map(|gap| {
                json!({ "fact": "contents", "state": "not_scanned", "kind": gap.kind, "path": gap.path, "why": gap.detail, "count": gap.count })
            })
            .collect(),
    }
}

/// Of how many bundled components it is not known what advisories say; where others are, for each reason.
fn unjudged(bundled: &[(usize, Item, Answer)]) -> Option<Value> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = 0;
    for (_, _, answer) in bundled.iter().filter(|(_, _, answer)| !answer.is_judged_by_advisories()) {
        count += 1;
        let why =
            answer.gaps.iter().find(|gap| gap.fact == "vulnerabilities").and_then(|gap| gap.why.as_deref());
        if let Some(why) = why {
            *reasons.entry(why).or_default() += 1;
        }
    }
    let why = format!("no advisories are loaded for {count} bundled components, or they are incomplete");
    let mut gap = json!({ "fact": "components", "state": "not_scanned", "why": why, "count": count });
    if reasons.len() > 1 {
        let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
        reasons.sort_by_key(|(why, count)| (std::cmp::Reverse(*count), *why));
        let told = reasons.iter().take(REASONS).map(|(why, count)| json!({ "why": why, "count": count }));
        gap["reasons"] = told.collect();
    }
    (count > 0).then_some(gap)
}

fn add_contents(line: &mut Value, inspection: &Inspection) {
    let licences = &inspection.licences;
    line["verdict"] = json!({ "is": inspection.verdict, "behind": inspection.behind });
    line["install_script"] = json!(inspection.install_script);
    let models = &inspection.models;
    if !models.formats.is_empty() {
        line["model"] = json!({
            "formats": models.formats, "unsafe_code": models.unsafe_code, "remote_code": models.remote_code,
        });
    }
    if let Some(image) = &inspection.image {
        line["image"] = json!(image);
    }
    if let Some(extension) = &inspection.extension {
        line["extension"] = json!(extension);
    }
    if !inspection.mcp.forms.is_empty() {
        let tools = inspection.mcp.tools.as_ref().map(|list| {
            let tools: Vec<Value> =
                list.tools.iter().map(|tool| json!({ "name": tool.name, "digest": tool.digest })).collect();
            json!({ "digest": list.digest(), "list": tools })
        });
        line["mcp"] =
            json!({ "forms": inspection.mcp.forms, "is_server": inspection.mcp.is_server, "tools": tools });
    }
    line["licences"] = json!({
        "concluded": licences.concluded, "because": licences.because,
        "declared": licences.declared.iter().filter(|one| one.own)
            .map(|one| json!({ "text": one.text, "path": one.path })).collect::<Vec<_>>(),
        "detected": licences.detected.iter().filter(|one| one.own)
            .map(|one| json!({ "licences": one.licences, "path": one.path, "line": one.line })).collect::<Vec<_>>(),
        "conflicts": licences.conflicts.len(),
    });
    line["components"] = inspection.inventory.components.iter().map(component).collect();
    let extent = &inspection.extent;
    line["looked_at"] = json!({
        "inspector": inspection.inspector, "parts": extent.leaves, "entries": extent.entries,
        "unpacked_bytes": extent.unpacked_bytes, "native_files": extent.native_files,
    });
}

fn component(one: &Component) -> Value {
    let mut told = json!({
        "purl": one.purl, "name": one.name, "version": one.version, "licence": one.licence, "path": one.path,
        "how": one.how.as_str(), "confidence": one.confidence,
    });
    if let Some(why) = &one.beneath {
        told["beneath"] = json!(why);
    }
    told
}
