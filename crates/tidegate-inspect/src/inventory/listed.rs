//! Lists that packages carry: SBOMs, .NET's `deps.json`, `vendor.txt` of Python and `modules.txt` of Go.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use tidegate_model::finding::Confidence;

use super::{Found, How};

/// Bytes of a list that is read.
pub(super) const LIST_BYTES: usize = 8 << 20;

/// Components that are taken from one list.
const LISTED: usize = 10_000;

/// What a list is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Sbom,
    DotNet,
    VendorTxt,
    ModulesTxt,
}

/// What a file is, if it is a list.
pub(super) fn list(path: &str, file: &str) -> Option<List> {
    let lower = file.to_ascii_lowercase();
    let is_sbom = [".cdx.json", ".spdx.json", "bom.json", "sbom.json"].iter().any(|end| lower.ends_with(end))
        // PEP 770 gives wheels a folder.
        || path.contains(".dist-info/sboms/") && lower.ends_with(".json");
    match lower.as_str() {
        _ if is_sbom => Some(List::Sbom),
        _ if lower.ends_with(".deps.json") => Some(List::DotNet),
        "vendor.txt" if path.contains("_vendor/") => Some(List::VendorTxt),
        "modules.txt" if path.ends_with("vendor/modules.txt") => Some(List::ModulesTxt),
        _ => None,
    }
}

/// The components that a list names.
pub(super) fn read(list: List, bytes: &[u8]) -> Vec<Found> {
    match list {
        List::Sbom => sbom(bytes),
        List::DotNet => dot_net(bytes),
        List::VendorTxt => lines(bytes, vendored_python),
        List::ModulesTxt => lines(bytes, vendored_go),
    }
}

/// What CycloneDX and SPDX 2 call their parts; of each document one half is there.
#[derive(serde::Deserialize)]
struct Sbom {
    #[serde(default)]
    components: Vec<Part>,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(serde::Deserialize)]
struct Part {
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    components: Vec<Part>,
}

#[derive(serde::Deserialize)]
struct Package {
    #[serde(default, rename = "externalRefs")]
    references: Vec<Reference>,
}

#[derive(serde::Deserialize)]
struct Reference {
    #[serde(default, rename = "referenceType")]
    kind: String,
    #[serde(default, rename = "referenceLocator")]
    locator: String,
}

fn sbom(bytes: &[u8]) -> Vec<Found> {
    let Ok(document) = serde_json::from_slice::<Sbom>(bytes) else { return Vec::new() };
    let mut found = Vec::new();
    // The reader bounds how deep parts may nest.
    let mut waiting: Vec<Part> = document.components.into_iter().rev().collect();
    while let Some(part) = waiting.pop() {
        if found.len() >= LISTED {
            break;
        }
        found.extend(part.purl.as_deref().and_then(|purl| Found::of_purl(purl, How::Sbom)));
        waiting.extend(part.components.into_iter().rev());
    }
    let purls =
        document.packages.iter().flat_map(|package| &package.references).filter(|one| one.kind == "purl");
    found.extend(purls.filter_map(|one| Found::of_purl(&one.locator, How::Sbom)).take(LISTED));
    found
}

#[derive(serde::Deserialize)]
struct DotNet {
    libraries: BTreeMap<String, Library>,
    #[serde(rename = "targets")]
    _targets: IgnoredAny,
}

#[derive(serde::Deserialize)]
struct Library {
    #[serde(default, rename = "type")]
    kind: String,
}

fn dot_net(bytes: &[u8]) -> Vec<Found> {
    let Ok(document) = serde_json::from_slice::<DotNet>(bytes) else { return Vec::new() };
    let packages = document.libraries.iter().filter(|(_, library)| library.kind == "package");
    packages
        .filter_map(|(name, _)| name.split_once('/'))
        .take(LISTED)
        .map(|(name, version)| Found::exact("nuget", None, name, Some(version), How::DotNetDeps))
        .collect()
}

fn lines(bytes: &[u8], one: fn(&str) -> Option<Found>) -> Vec<Found> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter_map(one).take(LISTED).collect()
}

/// `requests==2.31.0`: what pip and others vendor, where the version is pinned.
fn vendored_python(line: &str) -> Option<Found> {
    let line = line.split(['#', ';']).next().unwrap_or_default().trim();
    let (name, version) = line.split_once("==")?;
    let name = name.split('[').next().unwrap_or_default().trim();
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+!".contains(&b))
    };
    let mut found = Found::exact("pypi", None, name, Some(version.trim()), How::VendorList);
    found.confidence = Confidence::Medium;
    (is_word(name) && is_word(version.trim())).then_some(found)
}

/// `# github.com/x/y v1.2.3`, with `=> path version` where it is replaced.
fn vendored_go(line: &str) -> Option<Found> {
    let line = line.strip_prefix("# ")?;
    let effective = line.split_once(" => ").map_or(line, |(_, replacement)| replacement);
    let (path, version) = effective.split_once(' ')?;
    let is_module = !path.starts_with(['.', '/']) && version.starts_with('v') && !version.contains(' ');
    let (namespace, name) = path.rsplit_once('/').map_or((None, path), |(space, name)| (Some(space), name));
    is_module.then(|| Found::exact("golang", namespace, name, Some(version), How::VendorList))
}
