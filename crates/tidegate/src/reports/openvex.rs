//! OpenVEX 0.2.0 (<https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md>).
//!
//! The products of the statements are the components: that a version of a package is affected is what advisories say, and
//! what we can repeat. Whether the application around it is, they do not say, and neither do we. `not_affected` and
//! `fixed` are passed on from an author whom policy trusts, with the reason; without a reason they are not repeated.

use serde_json::{Value, json};
use tidegate_model::Algorithm;

use super::parts::{list, object};
use super::{Certainty, Component, Finding, Report, ids};

/// The document; none where there is nothing to state.
pub(super) fn document(report: &Report) -> Option<Value> {
    let statements: Vec<Value> = report
        .standing()
        .into_iter()
        .filter_map(|(finding, component)| statement(finding, component))
        .collect();
    if statements.is_empty() {
        return None;
    }
    let author = report.author.as_ref().unwrap_or(&report.tool.name);
    let mut document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": null,
        "author": author,
        "timestamp": report.at.to_string(),
        "version": 1,
        "tooling": format!("{} {}", report.tool.name, report.tool.version),
        "statements": statements,
    });
    document["@id"] = Value::from(ids::uuid(document.to_string().as_bytes()));
    Some(document)
}

/// One statement; none for a component without a package URL, which nobody else could recognise.
fn statement(finding: &Finding, component: &Component) -> Option<Value> {
    let purl = component.purl.as_ref()?;
    let status = status(finding);
    let cleared = matches!(status, "not_affected" | "fixed");
    let justification = finding.justification().filter(|_| status == "not_affected");
    // What else is needed to understand the statement: whose it is, or whose was not repeated.
    let author =
        finding.advisory.vex.as_ref().map(|vex| vex.author.as_deref().unwrap_or("an unnamed author"));
    let notes = match (&finding.advisory.vex, author) {
        (Some(_), Some(author)) if cleared => Some(format!("as stated by {author}")),
        (Some(vex), Some(author)) if vex.trusted && vex.status == "not_affected" => {
            Some(format!("{author} states not_affected without a reason, which is not repeated"))
        }
        (Some(vex), Some(author)) if !vex.trusted => {
            Some(format!("{author}, whom the policy does not trust, states {}", vex.status))
        }
        _ if finding.certainty == Certainty::Unclear => Some(
            "the version of the component is not known or has no place in the order of versions".to_owned(),
        ),
        _ => None,
    };
    Some(object([
        (
            "vulnerability",
            object([
                ("@id", json!(finding.addresses().next())),
                ("name", json!(finding.advisory.id)),
                ("description", json!(finding.summary)),
                ("aliases", list(finding.advisory.aliases.iter().map(|alias| json!(alias)).collect())),
            ]),
        ),
        (
            "products",
            json!([object([
                ("@id", json!(purl)),
                ("identifiers", json!({ "purl": purl })),
                ("hashes", hashes(component)),
            ])]),
        ),
        ("status", json!(status)),
        ("status_notes", json!(notes)),
        ("justification", json!(justification)),
        ("impact_statement", json!(finding.impact.as_ref().filter(|_| status == "not_affected"))),
        // `affected` needs one; to somebody who waits for an analysis it is of use, too.
        ("action_statement", if cleared { Value::Null } else { json!(finding.advice(component)) }),
    ]))
}

fn status(finding: &Finding) -> &'static str {
    match finding.trusted_vex() {
        Some("fixed") => "fixed",
        Some("not_affected") if finding.is_cleared() => "not_affected",
        Some("not_affected" | "under_investigation") => "under_investigation",
        _ if finding.certainty == Certainty::Unclear => "under_investigation",
        _ => "affected",
    }
}

/// By OpenVEX's names of algorithms, which are IANA's.
fn hashes(component: &Component) -> Value {
    let named: serde_json::Map<String, Value> = component
        .digests
        .iter()
        .filter_map(|digest| {
            let name = match digest.algorithm() {
                Algorithm::Md5 => "md5",
                Algorithm::Sha1 => "sha1",
                Algorithm::Sha256 => "sha-256",
                Algorithm::Sha384 => "sha-384",
                Algorithm::Sha512 => "sha-512",
                Algorithm::GitBlob => return None,
            };
            Some((name.to_owned(), json!(digest.hex())))
        })
        .collect();
    if named.is_empty() { Value::Null } else { Value::Object(named) }
}
