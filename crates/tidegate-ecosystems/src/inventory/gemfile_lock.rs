//! Bundler's `Gemfile.lock`.
//!
//! Sections begin at the margin; in `GEM` each gem stands four spaces deep as `name (version)` or `name
//! (version-platform)`, and what it depends on six spaces deep. Gems from git and from folders are no gems of a registry:
//! they are remarked on, not looked up, because the code at a commit need not be that of the version beside it.

use std::collections::HashMap;

use tidegate_model::{Algorithm, Digest};

use super::{Component, Inventory, InventoryError, InventoryFormat, Place, Purl, numbered};

/// Which section a line stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Gem,
    Git,
    Path,
    Checksums,
    Other,
}

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    let mut inventory = Inventory::new(InventoryFormat::GemfileLock);
    let mut digests: HashMap<String, Vec<Digest>> = HashMap::new();
    let mut section = None;
    for (number, line) in numbered(text) {
        let content = line.trim_start_matches(' ');
        let depth = line.len() - content.len();
        let content = content.trim_end();
        if content.is_empty() {
            continue;
        }
        if content.starts_with("<<<<<<<") || content.starts_with(">>>>>>>") || content.starts_with("=======")
        {
            let why = "a merge conflict: resolve it and lock again".into();
            return Err(InventoryError::MalformedAt { line: number, why });
        }
        if depth == 0 {
            section = Some(Section::of(content));
            continue;
        }
        match section {
            None => {
                let why = format!("`{}`: expected a section such as `GEM`", super::shown(content));
                return Err(InventoryError::MalformedAt { line: number, why });
            }
            Some(Section::Gem) if depth == 4 => inventory.push(gem(number, content)?)?,
            Some(Section::Git) if depth == 4 => {
                let why = "comes from a git repository, which no registry answers; it is not looked up";
                inventory.remark(number, content, why);
            }
            Some(Section::Path) if depth == 4 => {
                inventory.remark(number, content, "comes from a folder of the project; it is not looked up");
            }
            Some(Section::Checksums) if depth == 2 => {
                if let Some((gem, values)) = content.split_once(") ") {
                    let read = values.split(',').filter_map(|value| {
                        let digits = value.trim().strip_prefix("sha256=")?;
                        Digest::from_hex(Algorithm::Sha256, digits)
                    });
                    digests.insert(format!("{gem})"), read.collect());
                }
            }
            Some(_) => {}
        }
    }
    for component in &mut inventory.components {
        let Some(purl) = &component.purl else { continue };
        let version = component.version.as_deref().unwrap_or_default();
        let key = match purl.qualifier("platform") {
            Some(platform) => format!("{} ({version}-{platform})", component.name),
            None => format!("{} ({version})", component.name),
        };
        component.digests = digests.remove(&key).unwrap_or_default();
    }
    Ok(inventory)
}

impl Section {
    fn of(word: &str) -> Self {
        match word {
            "GEM" => Self::Gem,
            "GIT" => Self::Git,
            "PATH" | "PLUGIN SOURCE" => Self::Path,
            "CHECKSUMS" => Self::Checksums,
            _ => Self::Other,
        }
    }
}

/// `name (version-platform)`. A gem's version has no dash, so what follows one is the platform.
fn gem(line: u32, text: &str) -> Result<Component, InventoryError> {
    let malformed = || {
        let why = format!("`{}`: expected `name (version)`", super::shown(text));
        InventoryError::MalformedAt { line, why }
    };
    let (name, rest) = text.split_once(" (").ok_or_else(malformed)?;
    let rest = rest.strip_suffix(')').ok_or_else(malformed)?;
    let (version, platform) = rest.split_once('-').unwrap_or((rest, ""));
    if name.is_empty() || version.is_empty() {
        return Err(malformed());
    }
    let purl = Purl::new("gem", None, name, Some(version)).with("platform", platform);
    Ok(Component::of(purl, Place { line, pointer: None }))
}
