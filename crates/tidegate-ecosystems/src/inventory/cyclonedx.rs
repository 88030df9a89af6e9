//! CycloneDX as JSON, versions 1.2 to 1.7 (<https://cyclonedx.org/docs/1.7/json/>).
//!
//! The versions differ in what is not read here, so one reader does for all. Components may lie in components, and in
//! `metadata.component`, which is the subject of the inventory. Services, dependencies, compositions and the
//! vulnerabilities that an SBOM may carry are passed: what is vulnerable is decided from advisories.

use std::collections::HashSet;

use super::json::{Refusal, Stated, digest, document, items, members, owned, text};
use super::{
    Component, Inventory, InventoryError, InventoryFormat, Lines, MAX_COMPONENT_DEPTH, Place, Scope,
};
use crate::npm::spans::Reader;

/// The newest minor version of the format that is known.
const NEWEST_MINOR: u32 = 7;

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    let lines = Lines::of(text);
    let mut file =
        File { inventory: Inventory::new(InventoryFormat::CycloneDx), lines: &lines, refs: HashSet::new() };
    document(text, &lines, &["specVersion", "metadata", "components"], |reader, key| match key {
        "specVersion" => file.version(reader),
        "metadata" => members(reader, &["component"], |reader, _| {
            file.inventory.subject = file.component(reader, "/metadata/component", 0)?;
            Ok(())
        }),
        _ => file.list(reader, "", 0),
    })?;
    if file.inventory.format_version.is_none() {
        let why = "no `specVersion`: expected a CycloneDX document of version 1.4 to 1.7".into();
        return Err(InventoryError::MalformedAt { line: 1, why });
    }
    Ok(file.inventory)
}

struct File<'l> {
    inventory: Inventory,
    lines: &'l Lines,
    /// Every `bom-ref` so far.
    refs: HashSet<String>,
}

impl File<'_> {
    fn version(&mut self, reader: &mut Reader<'_>) -> Result<(), Refusal> {
        let at = reader.position();
        let version = owned(reader)?.unwrap_or_default();
        let minor: Option<u32> = version.strip_prefix("1.").and_then(|minor| minor.parse().ok());
        match minor {
            Some(minor) if minor > NEWEST_MINOR => {
                let why = "is newer than 1.7: what it has beyond that is not read";
                self.inventory.remark(self.lines.at(at), format!("CycloneDX {version}"), why);
            }
            Some(_) => {}
            None => {
                let why = format!("specVersion `{}`: expected 1.4 to 1.7", super::shown(&version));
                return Err(Refusal::At(at, why));
            }
        }
        self.inventory.format_version = Some(version);
        Ok(())
    }

    fn list(&mut self, reader: &mut Reader<'_>, above: &str, depth: usize) -> Result<(), Refusal> {
        if depth == MAX_COMPONENT_DEPTH {
            let why = format!("components nested deeper than {MAX_COMPONENT_DEPTH}");
            return Err(Refusal::At(reader.position(), why));
        }
        items(reader, |reader, index| {
            let pointer = format!("{above}/components/{index}");
            // Its place in the order is before the components in it, which are read first.
            let slot = self.inventory.components.len();
            if let Some(component) = self.component(reader, &pointer, depth + 1)? {
                self.inventory.push(component)?;
                self.inventory.components[slot..].rotate_right(1);
            }
            Ok(())
        })
    }

    fn component(
        &mut self,
        reader: &mut Reader<'_>,
        pointer: &str,
        depth: usize,
    ) -> Result<Option<Component>, Refusal> {
        const KEYS: &[&str] = &[
            "bom-ref",
            "group",
            "name",
            "version",
            "purl",
            "cpe",
            "scope",
            "hashes",
            "licenses",
            "components",
        ];
        let line = self.lines.at(reader.position());
        let mut stated = Stated::default();
        let (mut group, mut scope) = (None, None);
        members(reader, KEYS, |reader, key| {
            match key {
                "bom-ref" => self.bom_ref(reader, line)?,
                "group" => group = owned(reader)?,
                "name" => stated.name = owned(reader)?,
                "version" => stated.version = owned(reader)?,
                "purl" => stated.purl = owned(reader)?,
                "cpe" => stated.cpe = owned(reader)?,
                "scope" => scope = text(reader)?.and_then(|word| scope_of(&word)),
                "hashes" => items(reader, |reader, _| {
                    stated.digests.extend(hash(reader)?);
                    Ok(())
                })?,
                "licenses" => stated.licence = licences(reader)?,
                _ => self.list(reader, pointer, depth)?,
            }
            Ok(())
        })?;
        stated.name = match (group, stated.name.take()) {
            (Some(group), Some(name)) => Some(format!("{group}/{name}")),
            (_, name) => name,
        };
        let place = Place { line, pointer: Some(pointer.to_owned()) };
        let component = stated.into_component(place, &mut self.inventory);
        Ok(component.map(|component| Component { scope, ..component }))
    }

    fn bom_ref(&mut self, reader: &mut Reader<'_>, line: u32) -> Result<(), Refusal> {
        let Some(reference) = owned(reader)? else { return Ok(()) };
        if self.refs.contains(&reference) {
            let why = "is the `bom-ref` of two components, which must differ; both are read";
            self.inventory.remark(line, &reference, why);
        } else {
            self.refs.insert(reference);
        }
        Ok(())
    }
}

/// `excluded` are components "for test and other non-runtime purposes".
fn scope_of(word: &str) -> Option<Scope> {
    match word {
        "required" => Some(Scope::Runtime),
        "optional" => Some(Scope::Optional),
        "excluded" => Some(Scope::Development),
        _ => None,
    }
}

fn hash(reader: &mut Reader<'_>) -> Result<Option<tidegate_model::Digest>, Refusal> {
    let (mut algorithm, mut content) = (None, None);
    members(reader, &["alg", "content"], |reader, key| {
        match key {
            "alg" => algorithm = text(reader)?,
            _ => content = text(reader)?,
        }
        Ok(())
    })?;
    Ok(algorithm.zip(content).and_then(|(algorithm, content)| digest(&algorithm, &content)))
}

/// An expression, or several licences, which hold together.
fn licences(reader: &mut Reader<'_>) -> Result<Option<String>, Refusal> {
    let mut all: Vec<String> = Vec::new();
    items(reader, |reader, _| {
        members(reader, &["expression", "license"], |reader, key| {
            match key {
                "expression" => all.extend(owned(reader)?),
                _ => {
                    let (mut id, mut name) = (None, None);
                    members(reader, &["id", "name"], |reader, key| {
                        match key {
                            "id" => id = owned(reader)?,
                            _ => name = owned(reader)?,
                        }
                        Ok(())
                    })?;
                    all.extend(id.or(name));
                }
            }
            Ok(())
        })
    })?;
    Ok((!all.is_empty()).then(|| all.join(" AND ")))
}
