//! Manifests of plain lines: Maven's `pom.properties`, the YAML that RubyGems writes.

use super::{Manifest, believable};

/// What Maven puts beside the `pom.xml` in a jar: the exact coordinate.
pub(super) fn pom_properties(text: &str) -> Option<Manifest> {
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| believable(value)).flatten()
        })
    };
    let mut manifest = Manifest::new("maven", "pom.properties");
    manifest.namespace = Some(value("groupId")?);
    manifest.name = Some(value("artifactId")?);
    manifest.version = Some(value("version")?);
    Some(manifest)
}

/// The specification of a gem. RubyGems writes it in one fixed form of YAML, of which the top level is read.
pub(super) fn gem(text: &str) -> Option<Manifest> {
    if !text.contains("!ruby/object:Gem::Specification") {
        return None;
    }
    let mut manifest = Manifest::new("gem", "metadata");
    let mut under = "";
    let mut licences: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(item) = line.strip_prefix("- ") {
            if under == "licenses" {
                licences.push(unquoted(item));
            }
        } else if let Some(rest) = line.strip_prefix("  ") {
            if under == "version" && manifest.version.is_none() {
                manifest.version = rest.strip_prefix("version: ").and_then(|v| believable(unquoted(v)));
            }
        } else if let Some((key, value)) = line.split_once(':') {
            under = key;
            if key == "name" {
                manifest.name = believable(unquoted(value));
            }
        }
    }
    // Each licence of a gem may be chosen (the specification's reference, `licenses=`).
    manifest.state("licenses", &licences.join(" OR "));
    manifest.name.is_some().then_some(manifest)
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}
