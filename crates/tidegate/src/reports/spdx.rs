//! SPDX 2.3 as JSON (<https://spdx.github.io/spdx-spec/v2.3/>): one artifact, and the packages it contains.

use serde_json::{Value, json};
use tidegate_inspect::inventory::Component;
use tidegate_model::licence;

use super::contents::Contents;
use super::ids;
use super::parts::{list, object};

/// What is not known, or not looked for, in SPDX's word.
const UNSAID: &str = "NOASSERTION";

pub(super) fn document(contents: &Contents<'_>) -> Value {
    let parts = &contents.inventory.components;
    let mut packages = vec![artifact(contents)];
    packages.extend(parts.iter().enumerate().map(|(number, part)| package(part, &reference(number))));
    let mut relationships = vec![relationship("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-artifact")];
    let contained =
        (0..parts.len()).map(|number| relationship("SPDXRef-artifact", "CONTAINS", &reference(number)));
    relationships.extend(contained);
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": contents.file,
        "documentNamespace": null,
        "creationInfo": {
            "created": seconds(&contents.at.to_string()),
            "creators": [format!("Tool: {}-{}", contents.tool.name, contents.tool.version)],
        },
        "packages": packages,
        "relationships": relationships,
    });
    document["documentNamespace"] = Value::from(ids::uuid(document.to_string().as_bytes()));
    document
}

fn reference(number: usize) -> String {
    format!("SPDXRef-component-{}", number + 1)
}

/// The time in whole seconds, which is all that SPDX takes.
fn seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => time.to_owned(),
    }
}

fn artifact(contents: &Contents<'_>) -> Value {
    let own = contents.inventory.subject.as_ref();
    object([
        ("SPDXID", json!("SPDXRef-artifact")),
        ("name", json!(contents.name())),
        ("versionInfo", json!(own.and_then(|own| own.version.as_deref()))),
        ("packageFileName", json!(contents.file)),
        ("downloadLocation", json!(UNSAID)),
        ("filesAnalyzed", json!(false)),
        (
            "checksums",
            json!(
                contents
                    .sha256
                    .map(|sha256| json!([{ "algorithm": "SHA256", "checksumValue": sha256.hex() }]))
            ),
        ),
        ("licenseConcluded", json!(expression(contents.licences.concluded.as_deref()))),
        ("licenseDeclared", json!(expression(own.and_then(|own| own.licence.as_deref())))),
        ("licenseComments", comment(&contents.licences.because)),
        ("copyrightText", json!(UNSAID)),
        ("externalRefs", purl(own)),
        ("comment", json!(not_looked_at(contents))),
    ])
}

/// What was not looked at, so that nobody takes the document for whole.
fn not_looked_at(contents: &Contents<'_>) -> Option<String> {
    let gaps = contents.not_seen.iter().map(|gap| format!("{}: {}", gap.path, gap.detail));
    let gaps: Vec<String> = gaps.collect();
    (!gaps.is_empty()).then(|| format!("not looked at: {}", gaps.join("; ")))
}

fn package(part: &Component, reference: &str) -> Value {
    let mut how =
        format!("known by {} with {} confidence, from {}", part.how.as_str(), part.confidence, part.path);
    if let Some(why) = &part.beneath {
        how.push_str("; no container sees it: ");
        how.push_str(why);
    }
    object([
        ("SPDXID", json!(reference)),
        ("name", json!(part.name)),
        ("versionInfo", json!(part.version)),
        ("downloadLocation", json!(UNSAID)),
        ("filesAnalyzed", json!(false)),
        ("licenseConcluded", json!(UNSAID)),
        ("licenseDeclared", json!(expression(part.licence.as_deref()))),
        ("copyrightText", json!(UNSAID)),
        ("externalRefs", purl(Some(part))),
        ("comment", json!(how)),
    ])
}

fn comment(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn purl(part: Option<&Component>) -> Value {
    let purl = part.and_then(|part| part.purl.as_deref()).map(|purl| {
        json!({
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl,
        })
    });
    list(purl.into_iter().collect())
}

/// An expression of the list; what else is said has no place in this field.
fn expression(text: Option<&str>) -> &str {
    text.filter(|text| licence::is_valid(text)).unwrap_or(UNSAID)
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}
