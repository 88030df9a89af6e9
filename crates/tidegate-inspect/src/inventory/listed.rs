//! Lists that packages carry: SBOMs, .NET's `deps.json`, `vendor.txt` of Python and `modules.txt` of Go, and what Ruby's installer
//! writes of a gem.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tidegate_model::finding::Confidence;
use tidegate_model::licence;

use super::{Found, How};

/// Bytes of a list that is read.
pub(super) const LIST_BYTES: usize = 4 << 20;

/// Components that are taken from one list.
const LISTED: usize = 10_000;

/// What a list is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Sbom,
    DotNet,
    VendorTxt,
    ModulesTxt,
    Gemspec,
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
        _ if lower.ends_with(".gemspec") && is_installed_gem(path) => Some(List::Gemspec),
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
        List::Gemspec => gemspec(bytes).into_iter().collect(),
    }
}

/// Whether a gemspec lies where `gem install` writes it; elsewhere it is that of a source tree.
fn is_installed_gem(path: &str) -> bool {
    let mut folders = path.rsplit('/').skip(1);
    matches!(
        (folders.next(), folders.next()),
        (Some("specifications"), _) | (Some("default"), Some("specifications"))
    )
}

/// The specification of an installed gem. It is Ruby; the installer writes it in one form: `s.name = "rack".freeze`.
fn gemspec(bytes: &[u8]) -> Option<Found> {
    /// Lines before the lists of files and dependencies.
    const LINES: usize = 200;
    let text = std::str::from_utf8(bytes).ok()?;
    let (mut name, mut version, mut licences) = (None, None, Vec::new());
    for line in text.lines().take(LINES) {
        let Some((key, value)) = line.trim().strip_prefix("s.").and_then(|rest| rest.split_once(" = "))
        else {
            continue;
        };
        let mut quoted = value.split('"').skip(1).step_by(2);
        match key.trim() {
            "name" => name = name.or(quoted.next()),
            "version" => version = version.or(quoted.next()),
            "licenses" | "license" => licences.extend(quoted.take(8)),
            _ => {}
        }
    }
    let mut found = Found::exact("gem", None, name?, Some(version?), How::Manifest);
    let read = |text: &str| licence::read(text).expression().map(str::to_owned);
    let read: Option<Vec<String>> = licences.into_iter().map(read).collect();
    // A gem may be had under any of its licences.
    found.licence = read.filter(|all| !all.is_empty()).map(|all| all.join(" OR "));
    Some(found)
}

/// What CycloneDX and SPDX 2 call their parts; of each document one half is there.
#[derive(serde::Deserialize)]
struct Sbom {
    #[serde(default, deserialize_with = "bounded")]
    components: Vec<Part>,
    #[serde(default, deserialize_with = "bounded")]
    packages: Vec<Package>,
}

#[derive(serde::Deserialize)]
struct Part {
    #[serde(default)]
    purl: Option<String>,
    #[serde(default, deserialize_with = "bounded")]
    components: Vec<Part>,
}

#[derive(serde::Deserialize)]
struct Package {
    #[serde(default, rename = "externalRefs", deserialize_with = "bounded")]
    references: Vec<Reference>,
}

#[derive(serde::Deserialize)]
struct Reference {
    #[serde(default, rename = "referenceType")]
    kind: String,
    #[serde(default, rename = "referenceLocator")]
    locator: String,
}

/// The first items of a list; the others are passed over, so that memory stays in bounds.
fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Items<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while items.len() < LISTED {
                match list.next_element()? {
                    Some(item) => items.push(item),
                    None => return Ok(items),
                }
            }
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(items)
        }
    }

    deserializer.deserialize_seq(Items(PhantomData))
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
    libraries: Packages,
    #[serde(rename = "targets")]
    _targets: IgnoredAny,
}

#[derive(serde::Deserialize)]
struct Library {
    #[serde(default, rename = "type")]
    kind: String,
}

/// The names of those libraries that are packages, `name/version`.
struct Packages(Vec<String>);

impl<'de> Deserialize<'de> for Packages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Packages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of libraries")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Packages, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if map.next_value::<Library>()?.kind == "package" && names.len() < LISTED {
                        names.push(name);
                    }
                }
                Ok(Packages(names))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

fn dot_net(bytes: &[u8]) -> Vec<Found> {
    let Ok(document) = serde_json::from_slice::<DotNet>(bytes) else { return Vec::new() };
    let packages = document.libraries.0.iter().filter_map(|name| name.split_once('/'));
    packages
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
