//! The package ships settings of a package manager.
//!
//! Settings can name another registry, another shell for scripts, or options for every Node that is started. Packing leaves them out, so they
//! were put in on purpose or by a tool of its own.
//!
//! **What to do:** read the file. **Limits:** settings that only change how the package itself is developed are told as low.
//! **Example:** `.npmrc` with `script-shell=./x.sh`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/pkg-npmrc",
    catalogue: "PKG-NPMRC",
    title: "ships settings of a package manager",
    severity: High,
    ecosystems: &[Ecosystem::Npm, Ecosystem::Cargo],
    run,
};

/// Settings that run something.
const RUNS: &[&str] = &[
    "script-shell",
    "node-options",
    "onload-script",
    "shell",
    "git",
    "yarn-path",
    "yarnpath",
    "plugins",
    "init-module",
    "nodeoptions",
    "pnpmfile",
    "global-pnpmfile",
    "yarn-offline-mirror",
];

/// Settings that name where packages come from or who asks.
const SOURCES: &[&str] = &[
    "registry",
    "npmregistryserver",
    "_authtoken",
    "_auth",
    "_password",
    "proxy",
    "https-proxy",
    "npmscopes",
    "cafile",
    "strict-ssl",
];

/// Words of the hosts that everybody uses anyway.
const USUAL: &[&str] = &["npmjs", "yarnpkg", "npmmirror", "taobao", "pkg.github"];

/// Settings of cargo that lie in a crate: they count for whoever builds within its folder.
fn cargo(package: &Package, findings: &mut Findings) {
    for (path, (full, text)) in &package.settings {
        if !path.ends_with(".cargo/config.toml") || path.contains('!') {
            continue;
        }
        for (number, line) in text.lines().enumerate().take(500) {
            let line = line.trim();
            let (key, value) =
                line.split_once('=').map_or((line, ""), |(key, value)| (key.trim(), value.trim()));
            let key = key.rsplit('.').next().unwrap_or_default();
            let runs =
                matches!(key, "rustc-wrapper" | "rustc-workspace-wrapper" | "rustc" | "credential-provider")
                    && !value.contains("sccache");
            let replaces = matches!(key, "replace-with" | "registry" | "index")
                && !value.contains("vendored")
                && !value.contains("crates-io");
            let address = value.contains("://");
            if runs || replaces && address {
                let message = "ships a setting of the package manager that changes where packages come from or what is run";
                let at = u32::try_from(number + 1).ok();
                findings.tell_at(full, at, Stage::Install, (High, Likely), message, key);
            }
        }
    }
}

fn run(package: &Package, findings: &mut Findings) {
    cargo(package, findings);
    for (path, (full, text)) in &package.settings {
        let name = path.rsplit('/').next().unwrap_or_default();
        if !matches!(name, ".npmrc" | ".yarnrc" | ".yarnrc.yml") || path.contains('!') {
            continue;
        }
        // A token that the environment has to bring goes to whom the reader's own settings name, unless these name another.
        let moves = text.lines().any(|line| {
            let line = line.trim().to_ascii_lowercase();
            line.split_once(['=', ' ']).is_some_and(|(key, _)| key.trim().ends_with("registry"))
                && !USUAL.iter().any(|word| line.contains(word))
        });
        for (number, line) in text.lines().enumerate().take(500) {
            let Some((key, value)) = line.trim().split_once(['=', ':', ' ']) else { continue };
            let key = key.trim().trim_matches('"').to_ascii_lowercase();
            let key = key.rsplit(':').next().unwrap_or_default();
            let lower = line.to_ascii_lowercase();
            let is_usual = USUAL.iter().any(|word| lower.contains(word));
            let names_source =
                SOURCES.contains(&key) || lower.contains(":registry") || lower.contains("_authtoken");
            let grade = match (RUNS.contains(&key), names_source) {
                (true, _) if key != "shell" || value.contains('/') => (High, Sure),
                (_, true) if !moves && value.contains("${") && lower.contains("_auth") => (Low, Likely),
                (_, true) if !is_usual => (High, Likely),
                (_, true) => (Low, Likely),
                _ => continue,
            };
            let at = u32::try_from(number + 1).ok();
            let message =
                "ships a setting of the package manager that changes where packages come from or what is run";
            // A value may be a token.
            findings.tell_at(full, at, Stage::Install, grade, message, key);
        }
    }
}
