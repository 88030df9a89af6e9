//! Files of another package are changed.
//!
//! What is changed there acts under the other package's name, and stays when this one is removed.
//!
//! **What to do:** install the other package anew. **Limits:** folders of a package's own scope, generated clients, caches and links to programs are not meant.
//! **Example:** a postinstall that writes `node_modules/other/index.js`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/patch-other",
    catalogue: "PATCH-OTHER",
    title: "changes files of another package",
    severity: Critical,
    ecosystems: &[Ecosystem::Npm, Ecosystem::Pypi],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let own = package.manifest.as_ref().and_then(|m| m.name.clone()).unwrap_or_default();
    for (code, fact) in package.facts(&[What::FileWrite]) {
        let Some(other) = other_package(&fact.detail, &own) else { continue };
        let grade = match code.stage(fact) {
            Stage::Install | Stage::Startup => (Critical, Sure),
            Stage::Import if fact.scope == Scope::Load => (Critical, Likely),
            _ => (Info, Likely),
        };
        findings.tell(
            code,
            fact,
            grade,
            &format!("changes a file of the package `{other}` {}", when(code, fact)),
        );
    }
}

/// The other package that a path lies in.
fn other_package(path: &str, own: &str) -> Option<String> {
    let (_, rest) = ["node_modules/", "site-packages/", "dist-packages/"]
        .iter()
        .find_map(|mark| path.rsplit_once(mark))?;
    let mut parts = rest.split('/');
    let first = parts.next()?;
    let second = parts.next()?;
    let name = if first.starts_with('@') { format!("{first}/{second}") } else { first.to_owned() };
    let normal = |name: &str| name.to_ascii_lowercase().replace(['-', '.'], "_");
    let scope = own.split('/').next().filter(|scope| scope.starts_with('@'));
    let is_own = normal(&name) == normal(own) || normal(own).contains(&normal(first)) || scope == Some(first);
    (!is_own && !first.is_empty() && !first.starts_with('.') && !first.contains('*')).then_some(name)
}
