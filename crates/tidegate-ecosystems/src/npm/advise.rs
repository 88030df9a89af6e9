//! Answers audits out of what the door knows itself, in the forms that npm, pnpm and Yarn print.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tidegate_model::PackageName;
use tidegate_model::facts::Severity;

use super::audit::{MAX_DEPTH, members, object, parse_name};
use crate::advice::{Advice, Advise, Affected, End};

/// The most places of one version in a tree that an answer names.
const MAX_PATHS: usize = 50;

/// Answers `{"name": ["1.0.0", …]}` with the advisories of each name. Clients test the ranges again, on the versions
/// they have and on those they might go to.
pub(super) fn bulk(body: &[u8], advise: Advise<'_>) -> Result<Value, String> {
    let mut answer = Map::new();
    for (name, versions) in object(body)? {
        let package = parse_name(&name)?;
        let versions = versions
            .as_array()
            .and_then(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>())
            .ok_or_else(|| format!("`{package}`: expected a list of versions"))?;
        let mut found: BTreeMap<String, Advice> = BTreeMap::new();
        for version in versions {
            found.extend(advise(&package, version)?.into_iter().map(|advice| (advice.id.clone(), advice)));
        }
        if !found.is_empty() {
            answer.insert(name, found.values().map(bulk_item).collect());
        }
    }
    Ok(answer.into())
}

fn bulk_item(advice: &Advice) -> Value {
    let (score, vector) = cvss(advice);
    json!({
        "id": advice.number(),
        "url": advice.url,
        "title": title(advice),
        "severity": severity(advice),
        "vulnerable_versions": vulnerable(&advice.affected),
        "cwe": advice.weaknesses,
        "cvss": { "score": score, "vectorString": vector },
    })
}

/// Answers a tree of dependencies, as npm 6, Yarn 1 and pnpm send it.
pub(super) fn tree(body: &[u8], advise: Advise<'_>) -> Result<Value, String> {
    let mut tree = object(body)?;
    if !tree.contains_key("dependencies") {
        return Err("expected `dependencies`".into());
    }
    let mut places = Places::default();
    places.walk(tree.remove("dependencies"), &mut Vec::new())?;
    let mut advisories = Map::new();
    let mut counts: BTreeMap<&str, usize> =
        ["info", "low", "moderate", "high", "critical"].map(|word| (word, 0)).into();
    for ((name, version), paths) in &places.found {
        let Ok(package) = parse_name(name) else { continue };
        for advice in advise(&package, version)? {
            *counts.entry(severity(&advice)).or_default() += 1;
            let finding = json!({ "version": version, "paths": paths });
            // An advisory may touch several packages; each has an entry of its own.
            let key = number_in(&advice, &package).to_string();
            let entry = advisories.entry(key).or_insert_with(|| tree_item(&advice, &package));
            if let Some(Value::Array(findings)) = entry.get_mut("findings") {
                findings.push(finding);
            }
        }
    }
    let total = places.found.len();
    Ok(json!({
        "actions": [],
        "advisories": advisories,
        "muted": [],
        "metadata": {
            "vulnerabilities": counts,
            "dependencies": total,
            "devDependencies": 0,
            "optionalDependencies": 0,
            "totalDependencies": total,
        },
    }))
}

fn number_in(advice: &Advice, package: &PackageName) -> u32 {
    Advice { id: format!("{} {package}", advice.id), ..Advice::default() }.number()
}

fn tree_item(advice: &Advice, package: &PackageName) -> Value {
    let (score, vector) = cvss(advice);
    let patched =
        advice.fixed_in.iter().map(|version| format!(">={version}")).collect::<Vec<_>>().join(" || ");
    json!({
        "findings": [],
        "id": number_in(advice, package),
        "title": title(advice),
        "module_name": package.as_str(),
        "cves": advice.ids_of("CVE-").collect::<Vec<_>>(),
        "github_advisory_id": advice.ids_of("GHSA-").next().unwrap_or(&advice.id),
        "vulnerable_versions": vulnerable(&advice.affected),
        // What npm itself writes where nothing mends it.
        "patched_versions": if patched.is_empty() { "<0.0.0".to_owned() } else { patched },
        "overview": advice.details,
        "recommendation": recommendation(advice),
        "references": advice.url,
        "access": "public",
        "severity": severity(advice),
        "cwe": advice.weaknesses,
        "cvss": { "score": score, "vectorString": vector },
        "metadata": {},
        "url": advice.url,
    })
}

fn recommendation(advice: &Advice) -> String {
    match advice.fixed_in.last() {
        _ if advice.malicious => "Remove it, and treat machines that ran it as compromised".into(),
        Some(_) => format!("Upgrade to version {} or later", advice.fixed_in.join(" or ")),
        None => "No version mends it yet".into(),
    }
}

fn title(advice: &Advice) -> String {
    let summary = if advice.summary.is_empty() { "no summary is published" } else { &advice.summary };
    let unrated = if advice.severity.is_none() && !advice.malicious { " (not rated)" } else { "" };
    format!("{}: {summary}{unrated}", advice.id)
}

/// npm's words. What nobody rated is shown as npm itself shows it: high, until somebody says otherwise.
const fn severity(advice: &Advice) -> &'static str {
    match advice.severity {
        _ if advice.malicious => "critical",
        Some(Severity::Critical) => "critical",
        Some(Severity::High) | None => "high",
        Some(Severity::Medium) => "moderate",
        Some(Severity::Low) => "low",
        Some(Severity::None) => "info",
    }
}

fn cvss(advice: &Advice) -> (f64, Option<&str>) {
    advice.cvss.as_ref().map_or((0.0, None), |(score, vector)| (*score, Some(vector)))
}

/// A range in npm's syntax. Clients read it with pre-releases included.
fn vulnerable(affected: &[Affected]) -> String {
    let one = |affected: &Affected| match affected {
        Affected::Version(version) => format!("={version}"),
        Affected::Range { from: None, to: None } => "*".into(),
        Affected::Range { from, to } => {
            let from = from.as_ref().map(|version| format!(">={version}"));
            let to = to.as_ref().map(|end| match end {
                End::Before(version) => format!("<{version}"),
                End::With(version) => format!("<={version}"),
            });
            from.into_iter().chain(to).collect::<Vec<_>>().join(" ")
        }
    };
    let parts: BTreeSet<String> = affected.iter().map(one).collect();
    if parts.is_empty() || parts.contains("*") {
        return "*".into();
    }
    parts.into_iter().collect::<Vec<_>>().join(" || ")
}

/// Where each version stands in a tree.
#[derive(Default)]
struct Places {
    found: BTreeMap<(String, String), Vec<String>>,
}

impl Places {
    fn walk(&mut self, dependencies: Option<Value>, above: &mut Vec<String>) -> Result<(), String> {
        if above.len() >= MAX_DEPTH {
            return Err(format!("the tree of dependencies is deeper than {MAX_DEPTH}"));
        }
        for (name, entry) in members(dependencies, "dependencies")? {
            let Value::Object(mut entry) = entry else {
                return Err(format!("dependency `{}`: expected an object", name.escape_debug()));
            };
            let (place, version) = identity(&name, entry.get("version").and_then(Value::as_str));
            above.push(name);
            if let Some(version) = version {
                let paths = self.found.entry((place, version)).or_default();
                if paths.len() < MAX_PATHS {
                    paths.push(above.join(">"));
                }
            }
            self.walk(entry.remove("dependencies"), above)?;
            above.pop();
        }
        Ok(())
    }
}

/// The package behind a place: `npm:other@1.0.0` is an alias. A version that is no version (a path, an address) is
/// none that an advisory could name.
fn identity(name: &str, version: Option<&str>) -> (String, Option<String>) {
    let Some(version) = version else { return (name.into(), None) };
    match version.strip_prefix("npm:").and_then(|aliased| aliased.rsplit_once('@')) {
        Some((real, version)) => (real.into(), Some(version.into())),
        None => (name.into(), Some(version.to_owned())),
    }
}
