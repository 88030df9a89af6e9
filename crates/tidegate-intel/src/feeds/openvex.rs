//! OpenVEX: statements of an author on whether a product is affected by a vulnerability.
//!
//! A document names products and, within them, subcomponents. A statement about a product *with* a subcomponent speaks
//! of that component inside that product, not of the component wherever it is.

use serde::Deserialize;
use tidegate_model::Timestamp;

use super::{Feed, FeedKind, Item, Unreadable};

/// The most statements (products times subcomponents) of one document.
pub const MAX_STATEMENTS: usize = 1_000_000;

/// OpenVEX documents.
#[derive(Clone, Copy, Debug)]
pub struct OpenVex;

/// What a statement says (OpenVEX 0.2.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    /// Not affected; the justification says why.
    NotAffected,
    /// Affected.
    Affected,
    /// The product contains the fix.
    Fixed,
    /// Not known yet.
    UnderInvestigation,
}

impl VexStatus {
    /// Every status; the place in this list is the code in segments.
    pub const ALL: [Self; 4] = [Self::NotAffected, Self::Affected, Self::Fixed, Self::UnderInvestigation];

    /// The word of the standard.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }
}

/// One statement about one product (and subcomponent).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Statement {
    /// Ids of the vulnerability: name and aliases.
    pub ids: Vec<String>,
    /// Package URL of the product; another identifier where it has none.
    pub product: String,
    /// Package URL of the component within it.
    pub subcomponent: Option<String>,
    /// What is said.
    pub status: VexStatus,
    /// Why it is not affected.
    pub justification: Option<String>,
    /// Who says so.
    pub author: String,
    /// When it was said.
    pub at: Option<Timestamp>,
    /// Which document.
    pub document: String,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@context")]
    context: String,
    #[serde(rename = "@id")]
    id: String,
    author: String,
    timestamp: Option<String>,
    last_updated: Option<String>,
    statements: Vec<RawStatement>,
}

#[derive(Deserialize)]
struct RawStatement {
    vulnerability: Vulnerability,
    #[serde(default)]
    products: Vec<Product>,
    status: VexStatus,
    #[serde(default)]
    justification: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
}

/// An object in 0.2.0, text before.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vulnerability {
    Name(String),
    Object {
        name: String,
        #[serde(default)]
        aliases: Vec<String>,
    },
}

/// An object in 0.2.0, text before.
#[derive(Deserialize)]
#[serde(untagged)]
enum Product {
    Id(String),
    Object(Component),
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "@id", default)]
    id: Option<String>,
    #[serde(default)]
    identifiers: Option<Identifiers>,
    #[serde(default)]
    subcomponents: Vec<Product>,
}

#[derive(Deserialize)]
struct Identifiers {
    #[serde(default)]
    purl: Option<String>,
}

impl Product {
    fn id(&self) -> Option<&str> {
        match self {
            Self::Id(id) => Some(id),
            Self::Object(component) => {
                component.identifiers.as_ref().and_then(|i| i.purl.as_deref()).or(component.id.as_deref())
            }
        }
    }

    fn subcomponents(&self) -> &[Self] {
        match self {
            Self::Id(_) => &[],
            Self::Object(component) => &component.subcomponents,
        }
    }
}

impl Feed for OpenVex {
    fn kind(&self) -> FeedKind {
        FeedKind::Openvex
    }

    fn read(&self, document: &[u8]) -> Result<Item, Unreadable> {
        parse(document).map(Item::Vex)
    }

    fn stated_time(&self, document: &[u8]) -> Option<String> {
        let document: Document = serde_json::from_slice(document).ok()?;
        document.last_updated.or(document.timestamp)
    }
}

/// Reads one document.
///
/// # Errors
/// [`Unreadable`] where it is not OpenVEX, a statement names no product, or there are more than [`MAX_STATEMENTS`].
pub fn parse(document: &[u8]) -> Result<Vec<Statement>, Unreadable> {
    let document: Document = serde_json::from_slice(document).map_err(Unreadable::because)?;
    if !document.context.contains("openvex") {
        return Err(Unreadable("`@context` is not that of OpenVEX".to_owned()));
    }
    let document_time = document.last_updated.as_deref().or(document.timestamp.as_deref());
    let mut statements = Vec::new();
    for raw in &document.statements {
        let ids = match &raw.vulnerability {
            Vulnerability::Name(name) => vec![name.clone()],
            Vulnerability::Object { name, aliases } => {
                std::iter::once(name).chain(aliases).cloned().collect()
            }
        };
        let at = raw.last_updated.as_deref().or(raw.timestamp.as_deref()).or(document_time);
        let at = at.and_then(|t| t.parse().ok());
        for product in &raw.products {
            let Some(id) = product.id() else {
                return Err(Unreadable(format!("a statement about `{}` names no product", ids[0])));
            };
            let mut add = |subcomponent: Option<&str>| {
                statements.push(Statement {
                    ids: ids.clone(),
                    product: id.to_owned(),
                    subcomponent: subcomponent.map(str::to_owned),
                    status: raw.status,
                    justification: raw.justification.clone(),
                    author: document.author.clone(),
                    at,
                    document: document.id.clone(),
                });
            };
            if product.subcomponents().is_empty() {
                add(None);
            }
            product.subcomponents().iter().for_each(|part| add(part.id()));
            if statements.len() > MAX_STATEMENTS {
                return Err(Unreadable(format!("more than {MAX_STATEMENTS} statements")));
            }
        }
    }
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_subcomponents_are_told_apart() {
        let text = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc-1","author":"A. Uthor","timestamp":"2026-01-01T00:00:00Z","version":1,
            "statements":[
              {"vulnerability":{"name":"CVE-2024-0001","aliases":["GHSA-xxxx-yyyy-zzzz"]},"products":[{"@id":"pkg:npm/app@1.0.0","subcomponents":[{"@id":"pkg:npm/lib"}]},{"@id":"x","identifiers":{"purl":"pkg:npm/other"}}],"status":"not_affected","justification":"vulnerable_code_not_present"},
              {"vulnerability":"CVE-2024-0002","products":["pkg:npm/app"],"status":"fixed","timestamp":"2026-02-01T00:00:00Z"}]}"#;
        let statements = parse(text.as_bytes()).unwrap();
        let seen: Vec<(&str, Option<&str>, VexStatus)> =
            statements.iter().map(|s| (s.product.as_str(), s.subcomponent.as_deref(), s.status)).collect();
        assert_eq!(
            seen,
            [
                ("pkg:npm/app@1.0.0", Some("pkg:npm/lib"), VexStatus::NotAffected),
                ("pkg:npm/other", None, VexStatus::NotAffected),
                ("pkg:npm/app", None, VexStatus::Fixed),
            ]
        );
        assert_eq!(statements[0].ids, ["CVE-2024-0001", "GHSA-xxxx-yyyy-zzzz"]);
        assert_eq!(statements[2].at.unwrap().to_string(), "2026-02-01T00:00:00Z");
    }

    #[test]
    fn what_is_not_openvex_is_refused() {
        for text in [
            "{}",
            r#"{"@context":"x","@id":"d","author":"a","statements":[]}"#,
            r#"{"@context":"https://openvex.dev/ns","@id":"d","author":"a","statements":[{"vulnerability":"CVE-2024-0001","products":[{}],"status":"fixed"}]}"#,
            r#"{"@context":"https://openvex.dev/ns","@id":"d","author":"a","statements":[{"vulnerability":"CVE-2024-0001","products":[],"status":"fine"}]}"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
