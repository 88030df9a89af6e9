//! A dependency comes from an address instead of a registry.
//!
//! What lies there can change without a new version, and passes every rule about registries by.
//!
//! **What to do:** take the dependency from a registry, or pin what the address gives. **Limits:** dependencies that only developers need are not told.
//! **Example:** `"x": "https://files.invalid/x.tgz"`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/dep-url",
    catalogue: "DEP-URL",
    title: "a dependency from an address",
    severity: Medium,
    ecosystems: &[Ecosystem::Npm, Ecosystem::Pypi],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let Some(manifest) = &package.manifest else { return };
    for dependency in manifest
        .by_address()
        .filter(|d| !matches!(d.kind.as_str(), "devDependencies" | "dev-dependencies" | "peerDependencies"))
    {
        let is_plain = dependency.requirement.contains("http://");
        let grade = if is_plain { (Medium, Sure) } else { (Medium, Likely) };
        let message =
            format!("the dependency `{}` comes from an address instead of a registry", dependency.name);
        findings.tell_at(&manifest.path, None, Stage::Install, grade, &message, &dependency.requirement);
    }
}
