//! `Cargo.toml`.

use toml::{Table, Value};

use super::{Dependency, ENTRIES, Manifest, Program, bounded};

/// Reads a `Cargo.toml`; `has_build` is whether a `build.rs` lies beside it.
#[must_use]
pub fn read(text: &[u8], path: &str, has_build: bool) -> Option<Manifest> {
    let table = std::str::from_utf8(text).ok()?.parse::<Table>().ok()?;
    let package = table.get("package").and_then(Value::as_table);
    let text = |key: &str| package.and_then(|p| p.get(key)).and_then(Value::as_str).map(bounded);
    let mut manifest = Manifest {
        path: path.to_owned(),
        name: text("name"),
        version: text("version"),
        ..Manifest::default()
    };
    match package.and_then(|p| p.get("build")) {
        Some(Value::String(file)) => manifest.builds.push(bounded(file)),
        Some(Value::Boolean(false)) => {}
        Some(Value::Array(files)) => {
            manifest.builds.extend(files.iter().filter_map(Value::as_str).take(16).map(bounded))
        }
        _ if has_build => manifest.builds.push("build.rs".to_owned()),
        _ => {}
    }
    manifest.is_native = package.is_some_and(|p| p.contains_key("links"));
    let library = table.get("lib").and_then(Value::as_table);
    let is_true = |key: &str| library.and_then(|lib| lib.get(key)) == Some(&Value::Boolean(true));
    manifest.is_macro = is_true("proc-macro") || is_true("proc_macro");
    let file = library.and_then(|lib| lib.get("path")).and_then(Value::as_str).unwrap_or("src/lib.rs");
    if manifest.is_macro {
        manifest.builds.push(bounded(file))
    } else {
        manifest.entries.push(bounded(file))
    }
    if let Some(Value::Array(programs)) = table.get("bin") {
        for program in programs.iter().filter_map(Value::as_table).take(ENTRIES) {
            let text = |key: &str| program.get(key).and_then(Value::as_str).map(bounded).unwrap_or_default();
            manifest.programs.push(Program { name: text("name"), target: text("path") });
        }
    }
    dependencies(&table, &mut manifest);
    if let Some(Value::Table(targets)) = table.get("target") {
        targets
            .values()
            .filter_map(Value::as_table)
            .take(ENTRIES)
            .for_each(|target| dependencies(target, &mut manifest));
    }
    Some(manifest)
}

fn dependencies(table: &Table, manifest: &mut Manifest) {
    for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let Some(Value::Table(list)) = table.get(kind) else { continue };
        for (name, value) in list.iter().take(ENTRIES) {
            let text = |key: &str| value.get(key).and_then(Value::as_str);
            let requirement = match value {
                Value::String(range) => range.as_str(),
                _ => text("git").or_else(|| text("version")).unwrap_or_default(),
            };
            let name = text("package").unwrap_or(name);
            let requirement = bounded(requirement);
            manifest.dependencies.push(Dependency {
                name: bounded(name),
                requirement,
                kind: kind.to_owned(),
            });
        }
    }
}
