//! SPDX 3.0 as JSON-LD (<https://spdx.github.io/spdx-spec/v3.0.1/>).
//!
//! A document is a graph of elements. Read are packages (software, AI models, data sets), the relationships between them
//! and licence expressions; the context is not fetched, so names are taken as the published one spells them, and as full
//! IRIs. Elements of other kinds are passed.

use std::collections::HashMap;

use super::json::{Refusal, Stated, digest, document, items, members, owned, text};
use super::spdx::{Package, Packages, Use};
use super::{Inventory, InventoryError, InventoryFormat, Lines, Place};
use crate::npm::spans::Reader;

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    let lines = Lines::of(text);
    let mut graph = Graph {
        inventory: Inventory::new(InventoryFormat::Spdx3),
        packages: Packages::default(),
        expressions: HashMap::new(),
        concluded: HashMap::new(),
        declared: HashMap::new(),
    };
    let mut graphs = 0;
    document(text, &lines, &["@graph"], |reader, _| {
        graphs += 1;
        items(reader, |reader, index| {
            let pointer = Some(format!("/@graph/{index}"));
            let place = Place { line: lines.at(reader.position()), pointer };
            graph.element(reader, place)
        })
    })?;
    if graphs == 0 {
        let why = "no `@graph`: expected an SPDX 3 document with its elements in one graph".into();
        return Err(InventoryError::MalformedAt { line: 1, why });
    }
    let Graph { mut inventory, packages, expressions, concluded, declared } = graph;
    packages.settle(&mut inventory, |id| {
        let licence = concluded.get(id).or_else(|| declared.get(id))?;
        expressions.get(licence).cloned().or_else(|| listed_licence(licence))
    })?;
    Ok(inventory)
}

struct Graph {
    inventory: Inventory,
    packages: Packages,
    /// Licence expressions by their element.
    expressions: HashMap<String, String>,
    /// The licence element of a package, as somebody concluded or its author declared.
    concluded: HashMap<String, String>,
    declared: HashMap<String, String>,
}

/// The members of all kinds of elements that are read, gathered before the kind is known: members come in any order.
#[derive(Default)]
struct Element {
    id: Option<String>,
    kind: Option<String>,
    stated: Stated,
    more_purls: Vec<String>,
    roots: Vec<String>,
    from: Option<String>,
    to: Vec<String>,
    relationship: Option<String>,
    scope: Option<String>,
    expression: Option<String>,
    spec_version: Option<String>,
}

impl Graph {
    fn element(&mut self, reader: &mut Reader<'_>, place: Place) -> Result<(), Refusal> {
        let element = Element::read(reader)?;
        match element.kind.as_deref().map(local).unwrap_or_default() {
            "Package" | "AIPackage" | "DatasetPackage" => {
                let Element { id, stated, more_purls, .. } = element;
                self.packages.push(Package { id, stated, more_purls, place }, &mut self.inventory)?;
            }
            "Relationship" | "LifecycleScopedRelationship" => self.relationship(element),
            "SpdxDocument" | "Sbom" | "Bom" => {
                element.roots.into_iter().for_each(|root| self.packages.root(root));
            }
            "LicenseExpression" => {
                if let Some((id, expression)) = element.id.zip(element.expression) {
                    self.expressions.insert(id, expression);
                }
            }
            "CreationInfo" => {
                if let Some(version) = element.spec_version {
                    if !version.starts_with("3.") {
                        let why = format!("specVersion `{}`: expected 3.0", super::shown(&version));
                        return Err(InventoryError::MalformedAt { line: place.line, why }.into());
                    }
                    self.inventory.format_version.get_or_insert(version);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn relationship(&mut self, element: Element) {
        let Some(kind) = element.relationship.as_deref().map(local) else { return };
        let used = match (kind, element.scope.as_deref().map(local)) {
            ("dependsOn", Some("runtime")) => Use::Runtime,
            ("dependsOn", Some("build" | "development" | "test" | "design")) => Use::Development,
            ("dependsOn" | "contains" | "hasStaticLink" | "hasDynamicLink" | "hasPrerequisite", _) => {
                Use::Plain
            }
            ("hasProvidedDependency", _) => Use::Runtime,
            ("hasOptionalDependency" | "hasOptionalComponent", _) => Use::Optional,
            ("usesTool" | "hasTest", _) => Use::Development,
            ("hasConcludedLicense" | "hasDeclaredLicense", _) => {
                if let Some((from, licence)) = element.from.zip(element.to.into_iter().next()) {
                    let licences =
                        if kind == "hasConcludedLicense" { &mut self.concluded } else { &mut self.declared };
                    licences.insert(from, licence);
                }
                return;
            }
            _ => return,
        };
        element.to.iter().for_each(|to| self.packages.used(to, used));
    }
}

impl Element {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        const KEYS: &[&str] = &[
            "type",
            "@type",
            "spdxId",
            "@id",
            "name",
            "specVersion",
            "software_packageVersion",
            "software_packageUrl",
            "externalIdentifier",
            "verifiedUsing",
            "rootElement",
            "from",
            "to",
            "relationshipType",
            "scope",
            "simplelicensing_licenseExpression",
        ];
        let mut element = Self::default();
        members(reader, KEYS, |reader, key| {
            match key {
                "type" | "@type" => element.kind = owned(reader)?,
                "spdxId" | "@id" => element.id = owned(reader)?,
                "name" => element.stated.name = owned(reader)?,
                "specVersion" => element.spec_version = owned(reader)?,
                "software_packageVersion" => element.stated.version = owned(reader)?,
                "software_packageUrl" => {
                    if let Some(purl) = owned(reader)? {
                        // This one goes before what external identifiers said.
                        element.more_purls.extend(element.stated.purl.replace(purl));
                    }
                }
                "externalIdentifier" => items(reader, |reader, _| element.identifier(reader))?,
                "verifiedUsing" => items(reader, |reader, _| element.hash(reader))?,
                "rootElement" => items(reader, |reader, _| push(reader, &mut element.roots))?,
                "from" => element.from = owned(reader)?,
                "to" => items(reader, |reader, _| push(reader, &mut element.to))?,
                "relationshipType" => element.relationship = owned(reader)?,
                "scope" => element.scope = owned(reader)?,
                _ => element.expression = owned(reader)?,
            }
            Ok(())
        })?;
        Ok(element)
    }

    fn identifier(&mut self, reader: &mut Reader<'_>) -> Result<(), Refusal> {
        let (mut kind, mut identifier) = (None, None);
        members(reader, &["externalIdentifierType", "identifier"], |reader, key| {
            match key {
                "externalIdentifierType" => kind = text(reader)?,
                _ => identifier = owned(reader)?,
            }
            Ok(())
        })?;
        let Some((kind, identifier)) = kind.zip(identifier) else { return Ok(()) };
        match local(&kind) {
            "packageUrl" | "packageURL" | "purl" if self.stated.purl.is_none() => {
                self.stated.purl = Some(identifier);
            }
            "packageUrl" | "packageURL" | "purl" => self.more_purls.push(identifier),
            "cpe23" | "cpe22" => {
                self.stated.cpe.get_or_insert(identifier);
            }
            _ => {}
        }
        Ok(())
    }

    fn hash(&mut self, reader: &mut Reader<'_>) -> Result<(), Refusal> {
        let (mut algorithm, mut value) = (None, None);
        members(reader, &["algorithm", "hashValue"], |reader, key| {
            match key {
                "algorithm" => algorithm = text(reader)?,
                _ => value = text(reader)?,
            }
            Ok(())
        })?;
        self.stated.digests.extend(algorithm.zip(value).and_then(|(a, v)| digest(local(&a), &v)));
        Ok(())
    }
}

fn push(reader: &mut Reader<'_>, texts: &mut Vec<String>) -> Result<(), Refusal> {
    texts.extend(owned(reader)?);
    Ok(())
}

/// The last part of a name, whether it is spelled with its profile (`software_Package`) or as an IRI.
fn local(name: &str) -> &str {
    name.rsplit(['/', '_', '#', ':']).next().unwrap_or(name)
}

/// The identifier of a licence of SPDX's list, by its address there; "no assertion" is none.
fn listed_licence(iri: &str) -> Option<String> {
    let (_, id) = iri.split_once("spdx.org/licenses/")?;
    Some(id.trim_end_matches('/').to_owned()).filter(|id| !id.is_empty())
}
