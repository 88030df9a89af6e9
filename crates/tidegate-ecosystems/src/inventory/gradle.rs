//! Gradle's lock files: one line a module, `group:name:version=configuration,configuration`
//! (<https://docs.gradle.org/current/userguide/dependency_locking.html>).

use super::{Component, Inventory, InventoryError, InventoryFormat, Place, Purl, Scope, numbered};

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    let mut inventory = Inventory::new(InventoryFormat::GradleLockfile);
    for (number, line) in numbered(text) {
        let line = line.trim();
        // `empty=` lists configurations that resolve to nothing.
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        let (module, configurations) = line.split_once('=').unwrap_or((line, ""));
        let parts: Vec<&str> = module.splitn(4, ':').collect();
        let [group, name, version] = parts[..] else { return Err(malformed(number, line)) };
        if group.is_empty() || name.is_empty() || version.is_empty() {
            return Err(malformed(number, line));
        }
        let purl = Purl::new("maven", Some(group), name, Some(version));
        let component = Component::of(purl, Place { line: number, pointer: None });
        inventory.push(Component { scope: scope(configurations), ..component })?;
    }
    Ok(inventory)
}

fn malformed(line: u32, text: &str) -> InventoryError {
    let why = format!("`{}`: expected `group:name:version=configurations`", super::shown(text));
    InventoryError::MalformedAt { line, why }
}

/// By the names that Gradle's Java and Android plugins give configurations: what is on the class path at run time outside
/// of tests is run; what only tests have is not. Other names are the build's own and say nothing.
fn scope(configurations: &str) -> Option<Scope> {
    let names = || configurations.split(',').map(str::trim).filter(|name| !name.is_empty());
    let is_test = |name: &str| name.starts_with("test") || name.contains("Test");
    if names().any(|name| !is_test(name) && name.to_ascii_lowercase().ends_with("runtimeclasspath")) {
        return Some(Scope::Runtime);
    }
    (names().next().is_some() && names().all(is_test)).then_some(Scope::Development)
}
