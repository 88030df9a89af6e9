//! Lock files of every format: read, checked, and read again after they were mended.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_ecosystems::lockfile::{self, LintContext, Location, LockedPackage, Relocate};

/// Yarn's two formats have one name; the content tells them apart.
const NAMES: [&str; 8] = [
    "package-lock.json",
    "Cargo.lock",
    "uv.lock",
    "requirements.txt",
    "pnpm-lock.yaml",
    "yarn.lock",
    "poetry.lock",
    "Pipfile.lock",
];

/// Sends every file and every registry to another door.
struct Moved;

impl Relocate for Moved {
    fn location(&self, package: &LockedPackage) -> Option<Location> {
        // The path stays: by its shape a registry's file is known.
        let mut moved: url::Url = package.resolved.as_deref()?.parse().ok()?;
        // An address without a path names no file at all, wherever it is moved.
        if moved.path().ends_with('/') {
            return None;
        }
        moved.set_host(Some("other.test")).ok()?;
        Some(Location::Url(moved.to_string()))
    }

    fn registry(&self, current: &str) -> Option<String> {
        // Only the address moves: what kind of source it is stands before it.
        let kind = ["registry+", "sparse+"].into_iter().find(|kind| current.starts_with(kind));
        let kind = kind.unwrap_or_default();
        let address: url::Url = current[kind.len()..].parse().ok()?;
        current.contains("://").then_some(())?;
        // A folder is no registry that could be moved.
        matches!(address.scheme(), "http" | "https").then(|| format!("{kind}http://other.test/index/"))
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(choice) % NAMES.len()];
    let context = LintContext {
        doors: vec!["http://door.test/".parse().expect("a URL")],
        upstreams: vec!["https://registry.example/".parse().expect("a URL")],
    };
    let _ = lockfile::lint(name, bytes, &context);
    let Ok(parsed) = lockfile::parse(name, bytes) else { return };
    let Ok(moved) = lockfile::rewrite(name, bytes, &Moved) else { return };
    let again = lockfile::parse(name, &moved).expect("a rewritten lock file can be read");
    let locked = |l: &lockfile::Lockfile| -> Vec<_> {
        l.packages.iter().map(|p| (p.coordinate.clone(), p.digests.clone())).collect()
    };
    assert_eq!(locked(&parsed), locked(&again), "only addresses change");
});
