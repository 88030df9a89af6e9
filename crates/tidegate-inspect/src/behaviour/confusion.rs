//! Manifest confusion: what the index says of a version against what the package says of itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidegate_model::Ecosystem;

use super::manifest::{Dependency, Manifest, npm, python};

/// The detector that tells of disagreements.
pub const DETECTOR: &str = "behaviour/meta-manifest-diff";

/// Members of npm's version object that are compared.
const NPM: [&str; 8] = [
    "name",
    "version",
    "scripts",
    "hasInstallScript",
    "bin",
    "dependencies",
    "optionalDependencies",
    "bundleDependencies",
];
/// Members of cargo's index line that are compared.
const CARGO: [&str; 3] = ["name", "vers", "deps"];

/// What is compared of what an index says: so that its digest stays the same where only other things change.
///
/// `index` is npm's version object, `{"metadata": text}` for Python, cargo's index line. None where nothing is left.
#[must_use]
pub fn relevant(ecosystem: Ecosystem, index: &Value) -> Option<Value> {
    let object = index.as_object()?;
    let kept = match ecosystem {
        Ecosystem::Npm => pick(object, &NPM),
        Ecosystem::Cargo => pick(object, &CARGO),
        // A file of a repository has no manifest that an index could disagree with, a listing is its own manifest, and a gallery
        // makes its index from the package.
        Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp | Ecosystem::Vscode => return None,
        Ecosystem::Pypi => {
            let text = object.get("metadata")?.as_str()?.replace("\r\n", "\n");
            // What follows the headers is a description for people.
            let head = text.split("\n\n").next().unwrap_or_default();
            serde_json::Map::from_iter([("metadata".to_owned(), Value::from(head))])
        }
    };
    (!kept.is_empty()).then_some(Value::Object(kept))
}

fn pick(object: &serde_json::Map<String, Value>, names: &[&str]) -> serde_json::Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone()))).collect()
}

/// One disagreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What disagrees, as a sentence.
    pub message: String,
    /// Both sides.
    pub evidence: String,
    /// Whether it changes what is installed or run.
    pub is_grave: bool,
}

/// Names that are told of one difference.
const NAMES: usize = 5;

/// Compares. `index` is npm's version object, `{"metadata": text}` for Python, cargo's index line.
#[must_use]
pub fn compare(ecosystem: Option<Ecosystem>, packaged: &Manifest, index: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    let Some(object) = index.as_object() else { return found };
    let listed = match ecosystem {
        Some(Ecosystem::Npm) => npm::from_value(object, "", false),
        Some(Ecosystem::Pypi) => {
            let mut manifest = Manifest::default();
            let text = object.get("metadata").and_then(Value::as_str).unwrap_or_default();
            python::metadata(text.as_bytes(), "", &mut manifest);
            manifest
        }
        _ => cargo_line(object),
    };
    names(&listed, packaged, &mut found);
    if ecosystem == Some(Ecosystem::Npm) {
        hooks(&listed, packaged, object.contains_key("scripts"), object.get("hasInstallScript"), &mut found);
        programs(&listed, packaged, &mut found);
    }
    dependencies(&listed, packaged, &mut found);
    found
}

fn cargo_line(object: &serde_json::Map<String, Value>) -> Manifest {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let whole = Value::Object(object.clone());
    let mut manifest =
        Manifest { name: text(&whole, "name"), version: text(&whole, "vers"), ..Manifest::default() };
    for dependency in
        object.get("deps").and_then(Value::as_array).into_iter().flatten().take(super::manifest::ENTRIES)
    {
        let name = text(dependency, "package").or_else(|| text(dependency, "name")).unwrap_or_default();
        let kind = match text(dependency, "kind").as_deref() {
            Some("dev") => "dev-dependencies",
            Some("build") => "build-dependencies",
            _ => "dependencies",
        };
        let requirement = text(dependency, "req").unwrap_or_default();
        manifest.dependencies.push(Dependency { name, requirement, kind: kind.to_owned() });
    }
    manifest
}

fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

fn names(listed: &Manifest, packaged: &Manifest, found: &mut Vec<Difference>) {
    if let (Some(listed), Some(packaged)) = (&listed.name, &packaged.name)
        && normal(listed) != normal(packaged)
    {
        found.push(Difference {
            message: "the index and the package disagree on the name".to_owned(),
            evidence: format!("index `{listed}`, package `{packaged}`"),
            is_grave: true,
        });
    }
    let plain = |version: &str| {
        version.trim_start_matches(['v', '=']).split('+').next().unwrap_or_default().to_ascii_lowercase()
    };
    if let (Some(listed), Some(packaged)) = (&listed.version, &packaged.version)
        && plain(listed) != plain(packaged)
    {
        found.push(Difference {
            message: "the index and the package disagree on the version".to_owned(),
            evidence: format!("index `{listed}`, package `{packaged}`"),
            is_grave: true,
        });
    }
}

fn hooks(
    listed: &Manifest,
    packaged: &Manifest,
    has_scripts: bool,
    flag: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    // Abbreviated documents say only whether there are any.
    if !has_scripts && flag != Some(&Value::Bool(false)) {
        return;
    }
    let own: BTreeMap<&str, &str> = written(packaged).collect();
    let said: BTreeMap<&str, &str> = written(listed).collect();
    for (name, command) in &own {
        if said.get(name) != Some(command) {
            found.push(Difference {
                message: format!("the package has a `{name}` script that the index does not show"),
                evidence: (*command).to_owned(),
                is_grave: true,
            });
        }
    }
    for (name, command) in said.iter().filter(|(name, _)| !own.contains_key(*name)) {
        // The registry itself adds this one where there is something to build.
        if *command != "node-gyp rebuild" {
            found.push(Difference {
                message: format!("the index shows a `{name}` script that the package does not have"),
                evidence: (*command).to_owned(),
                is_grave: false,
            });
        }
    }
}

/// Hooks that are written in the manifest; what a build file implies is not.
fn written(manifest: &Manifest) -> impl Iterator<Item = (&str, &str)> {
    let hooks = manifest.hooks.iter().filter(|hook| !hook.name.starts_with("<!") && hook.name != "action");
    hooks
        .filter(|hook| hook.command != "node-gyp rebuild")
        .map(|hook| (hook.name.as_str(), hook.command.as_str()))
}

fn programs(listed: &Manifest, packaged: &Manifest, found: &mut Vec<Difference>) {
    let of = |manifest: &Manifest| -> BTreeSet<String> {
        manifest.programs.iter().map(|p| p.name.clone()).collect()
    };
    let hidden: Vec<String> = of(packaged).difference(&of(listed)).take(NAMES).cloned().collect();
    if !hidden.is_empty() && !listed.programs.is_empty() {
        found.push(Difference {
            message: "the package installs commands that the index does not show".to_owned(),
            evidence: hidden.join(", "),
            is_grave: true,
        });
    }
}

fn dependencies(listed: &Manifest, packaged: &Manifest, found: &mut Vec<Difference>) {
    // A version object names optional ones twice.
    let of = |manifest: &Manifest| -> BTreeMap<String, String> {
        let runs = |kind: &str| {
            !matches!(kind, "devDependencies" | "dev-dependencies" | "peerDependencies" | "build-system")
        };
        manifest
            .dependencies
            .iter()
            .filter(|d| runs(&d.kind))
            .map(|d| (normal(&d.name), d.requirement.replace(' ', "")))
            .collect()
    };
    let (said, own) = (of(listed), of(packaged));
    let hidden: Vec<&str> =
        own.keys().filter(|name| !said.contains_key(*name)).map(String::as_str).take(NAMES).collect();
    let bundled: BTreeSet<String> = packaged.bundled.iter().map(|name| normal(name)).collect();
    let hidden: Vec<&str> = hidden.into_iter().filter(|name| !bundled.contains(*name)).collect();
    if !hidden.is_empty() {
        found.push(Difference {
            message: "the package has dependencies that the index does not show".to_owned(),
            evidence: hidden.join(", "),
            is_grave: true,
        });
    }
    let other: Vec<&str> = own
        .iter()
        .filter(|(name, requirement)| {
            said.get(*name).is_some_and(|said| said != *requirement) && requirement.contains("://")
        })
        .map(|(name, _)| name.as_str())
        .take(NAMES)
        .collect();
    if !other.is_empty() {
        found.push(Difference {
            message: "the package takes dependencies from other places than the index shows".to_owned(),
            evidence: other.join(", "),
            is_grave: true,
        });
    }
    let gone = said
        .keys()
        .filter(|name| !own.contains_key(*name))
        .take(NAMES)
        .map(String::as_str)
        .collect::<Vec<_>>();
    if !gone.is_empty() {
        found.push(Difference {
            message: "the index shows dependencies that the package does not have".to_owned(),
            evidence: gone.join(", "),
            is_grave: false,
        });
    }
}
