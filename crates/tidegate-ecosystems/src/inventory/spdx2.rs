//! SPDX 2.2 and 2.3 as JSON (<https://spdx.github.io/spdx-spec/v2.3/>).
//!
//! A package's package URL is one of its external references, and what it is there for is said by relationships, which
//! point either way (`A DEPENDS_ON B`, `B DEV_DEPENDENCY_OF A`). Files, snippets and annotations are passed.

use super::json::{Refusal, Stated, digest, document, items, members, owned, text};
use super::spdx::{Package, Packages, Use};
use super::{Inventory, InventoryError, InventoryFormat, Lines, Place};
use crate::npm::spans::Reader;

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    const KEYS: &[&str] = &["spdxVersion", "packages", "relationships", "documentDescribes"];
    let lines = Lines::of(text);
    let mut inventory = Inventory::new(InventoryFormat::Spdx2);
    let mut packages = Packages::default();
    document(text, &lines, KEYS, |reader, key| match key {
        "spdxVersion" => {
            let at = reader.position();
            let version = owned(reader)?.unwrap_or_default();
            let Some(number) = version.strip_prefix("SPDX-2.") else {
                let why = format!("spdxVersion `{}`: expected SPDX-2.3", super::shown(&version));
                return Err(Refusal::At(at, why));
            };
            inventory.format_version = Some(format!("2.{number}"));
            Ok(())
        }
        "packages" => items(reader, |reader, index| {
            let place =
                Place { line: lines.at(reader.position()), pointer: Some(format!("/packages/{index}")) };
            let package = package(reader, place)?;
            packages.push(package, &mut inventory)?;
            Ok(())
        }),
        "relationships" => items(reader, |reader, _| relationship(reader, &mut packages)),
        _ => items(reader, |reader, _| {
            if let Some(id) = owned(reader)? {
                packages.root(id);
            }
            Ok(())
        }),
    })?;
    if inventory.format_version.is_none() {
        let why = "no `spdxVersion`: expected an SPDX document of version 2.3".into();
        return Err(InventoryError::MalformedAt { line: 1, why });
    }
    packages.settle(&mut inventory, |_| None)?;
    Ok(inventory)
}

fn package(reader: &mut Reader<'_>, place: Place) -> Result<Package, Refusal> {
    const KEYS: &[&str] = &[
        "SPDXID",
        "name",
        "versionInfo",
        "externalRefs",
        "checksums",
        "licenseConcluded",
        "licenseDeclared",
    ];
    let mut stated = Stated::default();
    let (mut id, mut more_purls, mut concluded, mut declared) = (None, Vec::new(), None, None);
    members(reader, KEYS, |reader, key| {
        match key {
            "SPDXID" => id = owned(reader)?,
            "name" => stated.name = owned(reader)?,
            "versionInfo" => stated.version = asserted(reader)?,
            "externalRefs" => items(reader, |reader, _| reference(reader, &mut stated, &mut more_purls))?,
            "checksums" => items(reader, |reader, _| {
                let (mut algorithm, mut value) = (None, None);
                members(reader, &["algorithm", "checksumValue"], |reader, key| {
                    match key {
                        "algorithm" => algorithm = text(reader)?,
                        _ => value = text(reader)?,
                    }
                    Ok(())
                })?;
                stated.digests.extend(algorithm.zip(value).and_then(|(a, v)| digest(&a, &v)));
                Ok(())
            })?,
            "licenseConcluded" => concluded = asserted(reader)?,
            _ => declared = asserted(reader)?,
        }
        Ok(())
    })?;
    stated.licence = concluded.or(declared);
    Ok(Package { id, stated, more_purls, place })
}

/// A text; SPDX's words for "nobody said" and "there is none" are none.
fn asserted(reader: &mut Reader<'_>) -> Result<Option<String>, Refusal> {
    Ok(owned(reader)?.filter(|text| !matches!(text.as_str(), "NOASSERTION" | "NONE")))
}

fn reference(reader: &mut Reader<'_>, stated: &mut Stated, more: &mut Vec<String>) -> Result<(), Refusal> {
    let (mut kind, mut locator) = (None, None);
    // The category is spelled in several ways, and the type says enough.
    members(reader, &["referenceType", "referenceLocator"], |reader, key| {
        match key {
            "referenceType" => kind = text(reader)?,
            _ => locator = owned(reader)?,
        }
        Ok(())
    })?;
    let Some((kind, locator)) = kind.zip(locator) else { return Ok(()) };
    let kind = kind.rsplit('/').next().unwrap_or_default();
    match kind {
        "purl" if stated.purl.is_none() => stated.purl = Some(locator),
        "purl" if stated.purl.as_ref() != Some(&locator) => more.push(locator),
        "cpe23Type" | "cpe22Type" => {
            stated.cpe.get_or_insert(locator);
        }
        _ => {}
    }
    Ok(())
}

fn relationship(reader: &mut Reader<'_>, packages: &mut Packages) -> Result<(), Refusal> {
    let (mut from, mut kind, mut to) = (None, None, None);
    members(reader, &["spdxElementId", "relationshipType", "relatedSpdxElement"], |reader, key| {
        match key {
            "spdxElementId" => from = text(reader)?,
            "relationshipType" => kind = text(reader)?,
            _ => to = text(reader)?,
        }
        Ok(())
    })?;
    let (Some(from), Some(kind), Some(to)) = (from, kind, to) else { return Ok(()) };
    match &*kind {
        "DESCRIBES" => packages.root(to.into_owned()),
        "DESCRIBED_BY" => packages.root(from.into_owned()),
        "DEPENDS_ON" | "HAS_PREREQUISITE" => packages.used(&to, Use::Plain),
        "DEPENDENCY_OF" | "PREREQUISITE_FOR" | "STATIC_LINK" | "DYNAMIC_LINK" => {
            packages.used(&from, Use::Plain)
        }
        "RUNTIME_DEPENDENCY_OF" | "PROVIDED_DEPENDENCY_OF" => packages.used(&from, Use::Runtime),
        "OPTIONAL_DEPENDENCY_OF" | "OPTIONAL_COMPONENT_OF" => packages.used(&from, Use::Optional),
        "DEV_DEPENDENCY_OF"
        | "BUILD_DEPENDENCY_OF"
        | "TEST_DEPENDENCY_OF"
        | "DEV_TOOL_OF"
        | "BUILD_TOOL_OF"
        | "TEST_TOOL_OF"
        | "TEST_OF" => packages.used(&from, Use::Development),
        _ => {}
    }
    Ok(())
}
