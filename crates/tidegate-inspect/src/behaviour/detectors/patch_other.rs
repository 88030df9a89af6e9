//! Files of another package are changed.
//!
//! What is changed there acts under the other package's name, and stays when this one is removed. Programs that are installed for themselves (wallets, editors) are
//! changed in the same way.
//!
//! **What to do:** install the other package anew. **Limits:** folders of a package's own scope, its own programs for one platform, generated clients, caches and links to programs are not meant.
//! **Example:** a postinstall that writes `node_modules/other/index.js`.

use super::common::*;
use crate::behaviour::manifest::Manifest;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/patch-other",
    catalogue: "PATCH-OTHER",
    title: "changes files of another package",
    severity: Critical,
    ecosystems: &[Ecosystem::Npm, Ecosystem::Pypi, Ecosystem::Cargo],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let own = package.manifest.as_ref().and_then(|m| m.name.clone()).unwrap_or_default();
    let parts: Vec<&str> = package.manifest.iter().flat_map(|m| own_parts(m, &own)).collect();
    deletes(package, &own, findings);
    key_makers(package, &own, findings);
    for (code, fact) in package.facts(&[What::FileWrite]) {
        if is_application(&fact.detail) && early(code, fact) {
            let message = format!("changes an application that is installed {}", when(code, fact));
            findings.tell(code, fact, (Critical, Likely), &message);
            continue;
        }
        let Some(other) = other_package(&fact.detail, &own)
            .or_else(|| neighbour(&fact.detail, &code.path, &own))
            .or_else(|| other_crate(code, fact))
        else {
            continue;
        };
        let is_brought = package.files.iter().any(|file| {
            let path = file.path.strip_prefix("src/").unwrap_or(&file.path);
            path.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/') || rest == ".py")
        });
        if is_brought || parts.contains(&other.as_str()) || is_description(&fact.detail) {
            continue;
        }
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

/// Functions of a wallet's library that make keys, or sign with them, are replaced when the package is loaded.
fn key_makers(package: &Package, own: &str, findings: &mut Findings) {
    const LIBRARIES: &[&str] = &["solders", "solana", "eth_account", "web3", "bip_utils", "mnemonic"];
    for (code, fact) in package.facts(&[What::GlobalHook]) {
        let root = fact.detail.split('.').next().unwrap_or_default();
        let last = fact.detail.rsplit('.').next().unwrap_or_default();
        let makes = ["from_", "create", "generate", "sign", "to_seed", "new", "__init__", "recover"]
            .iter()
            .any(|start| last.starts_with(start));
        let is_own = own.replace('-', "_").contains(root);
        if LIBRARIES.contains(&root) && makes && !is_own && early(code, fact) && fact.scope == Scope::Load {
            let message = format!("replaces a function of `{root}` that handles keys {}", when(code, fact));
            findings.tell(code, fact, (High, Likely), &message);
        }
    }
}

/// Other packages of the project are deleted: on some date or in some country, or several of them.
fn deletes(package: &Package, own: &str, findings: &mut Findings) {
    for code in &package.code {
        let gone: Vec<(&Fact, String)> = of_file(code, What::FileDelete)
            .filter(|fact| early(code, fact))
            .filter_map(|fact| {
                let path = format!("{}/*", fact.detail.trim_end_matches('/'));
                Some((fact, other_package(&path, own)?))
            })
            .collect();
        let names: std::collections::BTreeSet<&str> = gone.iter().map(|(_, name)| name.as_str()).collect();
        for (fact, name) in &gone {
            let is_gated =
                fact.gates.iter().any(|gate| matches!(gate, Gate::Time | Gate::Locale | Gate::Machine));
            let grade = if is_gated || names.len() >= 3 { (High, Likely) } else { (Low, Likely) };
            let message = format!("deletes the package `{name}` {}", when(code, fact));
            findings.tell(code, fact, grade, &message);
        }
    }
}

/// The sources of another crate: below cargo's own folder, or found by listing what lies beside the package.
fn other_crate(code: &Code, fact: &Fact) -> Option<String> {
    let path = fact.detail.as_str();
    let below_cargo = ["/.cargo/registry/", "/.cargo/git/"].iter().any(|folder| path.contains(folder));
    // Crates of one repository lie beside each other too; there a build script knows their names.
    let found = path.starts_with("%PACKAGE%/../*") || path.starts_with("%PACKAGE%/../../*");
    let adds = || {
        code.facts
            .flowing()
            .any(|(from, to, _)| to == fact && matches!(from.what, What::FileRead | What::FolderRead))
    };
    let parts: Vec<&str> = path.split('/').collect();
    let name = parts
        .iter()
        .rev()
        .find(|part| !matches!(**part, "*" | "src" | ".." | "lib.rs" | "%PACKAGE%" | "build.rs"));
    (below_cargo || found && adds()).then(|| name.copied().unwrap_or("*").to_owned())
}

/// Packages that are this one's programs for one platform each: optional dependencies named `<own name>-<platform>`, in
/// whatever scope, as it lists them itself. An installer that finds none of them unpacks its own there.
fn own_parts<'a>(manifest: &'a Manifest, own: &str) -> impl Iterator<Item = &'a str> {
    let bare = |name: &'a str| name.rsplit('/').next().unwrap_or(name);
    let own = own.rsplit('/').next().unwrap_or_default().to_owned();
    let optional =
        manifest.dependencies.iter().filter(|dependency| dependency.kind == "optionalDependencies");
    optional.map(|dependency| dependency.name.as_str()).filter(move |name| {
        !own.is_empty() && bare(name).strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('-'))
    })
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

/// The package beside this one that a path leads to: packages lie side by side, so one step above the own folder is the folder of all.
fn neighbour(path: &str, script: &str, own: &str) -> Option<String> {
    let rest = path.strip_prefix("*/").filter(|rest| rest.starts_with("../"))?;
    let steps = rest.matches("../").count();
    let inside = script.matches('/').count();
    let scoped = usize::from(own.starts_with('@'));
    let rest = rest.trim_start_matches("../");
    let is_beside = steps == inside + 1 + scoped;
    let has_file = rest.split('/').count() >= 2 && !rest.starts_with("node_modules");
    other_package(&format!("node_modules/{rest}"), own).filter(|_| is_beside && has_file)
}

/// Whether a path lies within a program that is installed for itself.
fn is_application(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with("app.asar")
        || path.contains("/resources/app/")
            && (path.starts_with('~') || path.starts_with('/') || path.starts_with("c:"))
        || path.starts_with("/applications/") && path.contains(".app/")
}

/// Whether a path found by looking a package up ends in a description or folder of its own rather than in code.
fn is_description(path: &str) -> bool {
    const CODE: &[&str] = &[".js", ".cjs", ".mjs", ".ts", ".node", ".wasm", ".py", ".so"];
    path.starts_with("*/node_modules/")
        && !CODE.iter().any(|ending| path.ends_with(ending))
        && !path.ends_with('*')
}
