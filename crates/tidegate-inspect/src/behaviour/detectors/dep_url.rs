//! A dependency comes from an address instead of a registry.
//!
//! What lies there can change without a new version, and passes every rule about registries by. Code hosts and files whose name holds a version are what
//! forks and vendors use; anything else (a host of one's own, no version, no encryption) gives whoever owns the host the last word over what is installed, each
//! time anew and for each caller another thing.
//!
//! **What to do:** take the dependency from a registry, or pin what the address gives. **Limits:** dependencies that only developers need are not told.
//! **Example:** `"x": "https://files.invalid/x.tgz"`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/dep-url",
    catalogue: "DEP-URL",
    title: "a dependency from an address",
    severity: High,
    ecosystems: &[Ecosystem::Npm, Ecosystem::Pypi],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let Some(manifest) = &package.manifest else { return };
    for dependency in manifest
        .by_address()
        .filter(|d| !matches!(d.kind.as_str(), "devDependencies" | "dev-dependencies" | "peerDependencies"))
    {
        let grade = grade(&dependency.requirement);
        let message =
            format!("the dependency `{}` comes from an address instead of a registry", dependency.name);
        findings.tell_at(&manifest.path, None, Stage::Install, grade, &message, &dependency.requirement);
    }
}

/// A host of code, or a file with a version, is ordinary; anything else is somebody's own word.
fn grade(requirement: &str) -> Grade {
    let text = requirement.trim().trim_start_matches("@ ").trim_start_matches("git+").to_ascii_lowercase();
    let Some(address) =
        Address::of(text.split('#').next().unwrap_or_default()).filter(|a| !a.scheme.is_empty())
    else {
        return (Medium, Likely);
    };
    if address.is_local() {
        return (Medium, Likely);
    }
    if address.scheme == "http" || address.is_bare() {
        return (High, Likely);
    }
    const HOSTS: &[&str] = &[
        "github",
        "githubusercontent",
        "gitlab",
        "bitbucket",
        "codeberg",
        "sr",
        "gitee",
        "npmjs",
        "yarnpkg",
        "jsr",
        "pythonhosted",
        "pypi",
        "pytorch",
        "huggingface",
        "azure",
        "visualstudio",
        "googleapis",
        "gitea",
        "codeload",
        "pkg",
        "jsdelivr",
    ];
    let is_host = HOSTS.iter().any(|host| address.host.split('.').any(|label| label == *host));
    let is_git = address.scheme == "ssh" || address.scheme == "git" || address.path.ends_with(".git");
    let file = address.path.split('?').next().unwrap_or_default();
    let has_version = file.split(['/', '-', '_', '@']).any(|part| {
        let part = part.trim_start_matches('v');
        part.starts_with(|c: char| c.is_ascii_digit()) && part.contains('.')
    });
    if is_host || is_git || has_version { (Medium, Likely) } else { (High, Likely) }
}
