//! CSAF 2.0 documents of the VEX profile, read into the same statements as OpenVEX.

use std::collections::HashMap;

use serde_json::Value;

use super::openvex::{MAX_STATEMENTS, Statement, VexStatus};
use super::{Feed, FeedKind, Item, Unreadable};

/// How deep a product tree may branch.
const MAX_DEPTH: usize = 64;

/// CSAF documents.
#[derive(Clone, Copy, Debug)]
pub struct Csaf;

impl Feed for Csaf {
    fn kind(&self) -> FeedKind {
        FeedKind::Csaf
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        parse(document).map(Item::Vex)
    }

    fn stated_time(&self, document: &[u8]) -> Option<String> {
        let document: Value = serde_json::from_slice(document).ok()?;
        Some(document.pointer("/document/tracking/current_release_date")?.as_str()?.to_owned())
    }
}

/// Reads one document.
///
/// # Errors
/// [`Unreadable`] where it is not CSAF, or there are more than [`MAX_STATEMENTS`].
pub fn parse(document: &[u8]) -> Result<Vec<Statement>, Unreadable> {
    let document: Value = serde_json::from_slice(document).map_err(Unreadable::because)?;
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let id = text("/document/tracking/id").ok_or_else(|| Unreadable("not a CSAF document".to_owned()))?;
    let author = text("/document/publisher/name").unwrap_or_default();
    let at = text("/document/tracking/current_release_date").and_then(|t| t.parse().ok());
    let mut products = HashMap::new();
    if let Some(tree) = document.get("product_tree") {
        collect(tree, 0, &mut products)?;
    }
    let mut statements = Vec::new();
    for vulnerability in document.get("vulnerabilities").and_then(Value::as_array).into_iter().flatten() {
        let ids = ids(vulnerability);
        if ids.is_empty() {
            continue;
        }
        for (group, status) in [
            ("known_not_affected", VexStatus::NotAffected),
            ("known_affected", VexStatus::Affected),
            ("fixed", VexStatus::Fixed),
            ("under_investigation", VexStatus::UnderInvestigation),
        ] {
            let listed = vulnerability.pointer(&format!("/product_status/{group}"));
            for product in strings(listed) {
                let place = products.get(product);
                statements.push(Statement {
                    ids: ids.clone(),
                    product: place.map_or(product, |p| p.0.as_str()).to_owned(),
                    subcomponent: place.and_then(|p| p.1.clone()),
                    status,
                    justification: justification(vulnerability, product).map(str::to_owned),
                    author: author.to_owned(),
                    at,
                    document: id.to_owned(),
                });
                if statements.len() > MAX_STATEMENTS {
                    return Err(Unreadable(format!("more than {MAX_STATEMENTS} statements")));
                }
            }
        }
    }
    Ok(statements)
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn ids(vulnerability: &Value) -> Vec<String> {
    let cve = vulnerability.get("cve").and_then(Value::as_str).into_iter();
    let others = vulnerability
        .get("ids")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|id| id.get("text")?.as_str());
    cve.chain(others).map(str::to_owned).collect()
}

/// The flag of a product, in the words that OpenVEX shares.
fn justification<'v>(vulnerability: &'v Value, product: &str) -> Option<&'v str> {
    vulnerability
        .get("flags")?
        .as_array()?
        .iter()
        .find(|flag| strings(flag.get("product_ids")).any(|id| id == product))?
        .get("label")?
        .as_str()
}

/// Package URLs by product id, through branches and relationships (a component as a part of a product).
fn collect(
    node: &Value,
    depth: usize,
    products: &mut HashMap<String, (String, Option<String>)>,
) -> Result<(), Unreadable> {
    if depth > MAX_DEPTH {
        return Err(Unreadable(format!("a product tree deeper than {MAX_DEPTH}")));
    }
    let list = |name: &str| node.get(name).and_then(Value::as_array).into_iter().flatten();
    for product in node.get("product").into_iter().chain(list("full_product_names")) {
        if let Some(id) = product.get("product_id").and_then(Value::as_str) {
            let purl = product.pointer("/product_identification_helper/purl").and_then(Value::as_str);
            products.insert(id.to_owned(), (purl.unwrap_or(id).to_owned(), None));
        }
    }
    for branch in list("branches") {
        collect(branch, depth + 1, products)?;
    }
    for relationship in list("relationships") {
        let text = |pointer: &str| relationship.pointer(pointer).and_then(Value::as_str);
        let (Some(id), Some(part), Some(whole)) = (
            text("/full_product_name/product_id"),
            text("/product_reference"),
            text("/relates_to_product_reference"),
        ) else {
            continue;
        };
        let place = |reference: &str| products.get(reference).map_or(reference, |p| p.0.as_str()).to_owned();
        let pair = (place(whole), Some(place(part)));
        products.insert(id.to_owned(), pair);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_relationships_and_flags_are_read() {
        let text = r#"{"document":{"category":"csaf_vex","publisher":{"name":"Vendor"},"tracking":{"id":"V-1","current_release_date":"2026-03-01T00:00:00Z"}},
          "product_tree":{"branches":[{"branches":[{"product":{"product_id":"APP","product_identification_helper":{"purl":"pkg:npm/app@1.0.0"}}}]}],
            "full_product_names":[{"product_id":"LIB","product_identification_helper":{"purl":"pkg:npm/lib@2.0.0"}}],
            "relationships":[{"category":"default_component_of","product_reference":"LIB","relates_to_product_reference":"APP","full_product_name":{"product_id":"APP:LIB"}}]},
          "vulnerabilities":[{"cve":"CVE-2024-0001","ids":[{"text":"GHSA-1"}],"product_status":{"known_not_affected":["APP:LIB"],"fixed":["APP"]},
            "flags":[{"label":"component_not_present","product_ids":["APP:LIB"]}]}]}"#;
        let statements = parse(text.as_bytes()).unwrap();
        assert_eq!(statements.len(), 2);
        assert_eq!(statements[0].product, "pkg:npm/app@1.0.0");
        assert_eq!(statements[0].subcomponent.as_deref(), Some("pkg:npm/lib@2.0.0"));
        assert_eq!(statements[0].justification.as_deref(), Some("component_not_present"));
        assert_eq!(statements[1].status, VexStatus::Fixed);
        assert_eq!(statements[1].subcomponent, None);
        assert_eq!(statements[0].ids, ["CVE-2024-0001", "GHSA-1"]);
    }

    #[test]
    fn a_tree_without_end_is_refused() {
        let deep = format!(
            r#"{{"document":{{"tracking":{{"id":"V"}}}},"product_tree":{}{}}}"#,
            r#"{"branches":["#.repeat(50),
            "]}".repeat(50)
        );
        assert!(parse(deep.as_bytes()).is_ok());
        let deeper = deep.replace(r#"{"branches":["#, r#"{"branches":[{"branches":["#).replace("]}", "]}]}");
        assert!(parse(deeper.as_bytes()).is_err());
        assert!(parse(b"{}").is_err());
    }
}
