//! Composer's `composer.lock`: `packages` are needed to run, `packages-dev` are not.

use std::borrow::Cow;

use super::json::{Refusal, digest, document, items, members, owned, text};
use super::{Component, Inventory, InventoryError, InventoryFormat, Lines, Place, Purl, Scope};
use crate::npm::spans::Reader;

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    let lines = Lines::of(text);
    let mut inventory = Inventory::new(InventoryFormat::ComposerLock);
    let mut lists = 0;
    document(text, &lines, &["packages", "packages-dev"], |reader, key| {
        lists += 1;
        let scope = if key == "packages" { Scope::Runtime } else { Scope::Development };
        items(reader, |reader, index| {
            let pointer = Some(format!("/{key}/{index}"));
            let place = Place { line: lines.at(reader.position()), pointer };
            package(reader, place, scope, &mut inventory)
        })
    })?;
    if lists == 0 {
        let why = "neither `packages` nor `packages-dev`: expected what `composer update` writes".into();
        return Err(InventoryError::MalformedAt { line: 1, why });
    }
    Ok(inventory)
}

fn package(
    reader: &mut Reader<'_>,
    place: Place,
    scope: Scope,
    inventory: &mut Inventory,
) -> Result<(), Refusal> {
    let (mut name, mut version, mut licences, mut shasum) = (None, None, Vec::new(), None);
    let mut kind: Option<Cow<'_, str>> = None;
    members(reader, &["name", "version", "license", "dist"], |reader, key| {
        match key {
            "name" => name = owned(reader)?,
            "version" => version = owned(reader)?,
            "license" => items(reader, |reader, _| {
                licences.extend(owned(reader)?);
                Ok(())
            })?,
            _ => members(reader, &["type", "shasum"], |reader, key| {
                match key {
                    "type" => kind = text(reader)?,
                    _ => shasum = owned(reader)?,
                }
                Ok(())
            })?,
        }
        Ok(())
    })?;
    let Some(name) = name else {
        inventory.remark(place.line, place.pointer.as_deref().unwrap_or_default(), "has no name");
        return Ok(());
    };
    if kind.as_deref() == Some("path") {
        inventory.remark(place.line, &name, "comes from a folder of the project; it is not looked up");
        return Ok(());
    }
    match version.as_deref() {
        None => {
            inventory.remark(place.line, &name, "has no version, so it is not known whether it is affected")
        }
        Some(branch) if branch.starts_with("dev-") || branch.ends_with("-dev") => {
            let why =
                format!("is at the branch `{}`, which has no place among versions", super::shown(branch));
            inventory.remark(place.line, &name, why);
        }
        Some(_) => {}
    }
    let (namespace, base) = match name.split_once('/') {
        Some((namespace, base)) if !base.is_empty() => (Some(namespace), base),
        _ => (None, name.as_str()),
    };
    let purl = Purl::new("composer", namespace, base, version.as_deref());
    let component = Component::of(purl, place);
    inventory.push(Component {
        scope: Some(scope),
        digests: shasum.and_then(|digits| digest("sha1", &digits)).into_iter().collect(),
        // Several licences of a package are a choice.
        licence: (!licences.is_empty()).then(|| licences.join(" OR ")),
        ..component
    })?;
    Ok(())
}
