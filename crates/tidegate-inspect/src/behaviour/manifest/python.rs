//! `PKG-INFO`, `METADATA`, `entry_points.txt`, `top_level.txt`, `setup.cfg`, `pyproject.toml`.

use super::{Dependency, ENTRIES, Manifest, Program, bounded};

/// Reads core metadata: headers up to the first empty line.
pub fn metadata(text: &[u8], path: &str, manifest: &mut Manifest) {
    let text = String::from_utf8_lossy(text);
    path.clone_into(&mut manifest.path);
    for line in text.lines().take_while(|line| !line.is_empty()).take(ENTRIES * 4) {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = bounded(value.trim());
        match key.to_ascii_lowercase().as_str() {
            "name" => manifest.name = Some(value),
            "version" => manifest.version = Some(value),
            "requires-dist" if manifest.dependencies.len() < ENTRIES => {
                manifest.dependencies.push(requirement(&value))
            }
            _ => {}
        }
    }
}

/// Reads one requirement: name, then what is asked of it.
#[must_use]
pub fn requirement(text: &str) -> Dependency {
    let (text, marker) = text.split_once(';').unwrap_or((text, ""));
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim();
    // Extras of the dependency itself say nothing of where it comes from.
    let rest = rest.strip_prefix('[').and_then(|r| r.split_once(']')).map_or(rest, |(_, r)| r.trim());
    Dependency { name: name.to_owned(), requirement: rest.to_owned(), kind: marker.trim().to_owned() }
}

/// Reads the programs of an `entry_points.txt`. Other groups name what plug-ins offer, and no command.
pub fn entry_points(text: &[u8], manifest: &mut Manifest) {
    let text = String::from_utf8_lossy(text);
    let mut is_of_programs = false;
    for line in text.lines().take(ENTRIES) {
        if let Some(group) = line.trim().strip_prefix('[') {
            is_of_programs = matches!(group.trim_end_matches(']').trim(), "console_scripts" | "gui_scripts");
        }
        if !is_of_programs {
            continue;
        }
        let Some((name, target)) = line.split_once('=') else { continue };
        let target = target.split('[').next().unwrap_or_default();
        manifest.programs.push(Program { name: bounded(name.trim()), target: bounded(target.trim()) });
    }
}

/// Reads a `pyproject.toml`.
pub fn pyproject(text: &[u8], manifest: &mut Manifest) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(table) = text.parse::<toml::Table>() else { return };
    let system = table.get("build-system").and_then(toml::Value::as_table);
    let backend = system.and_then(|system| system.get("build-backend")).and_then(toml::Value::as_str);
    let paths = system.and_then(|system| system.get("backend-path")).and_then(toml::Value::as_array);
    if let (Some(backend), Some(paths)) = (backend, paths) {
        let module = backend.split(':').next().unwrap_or_default().trim();
        manifest.own_backend = Some(bounded(module));
        for path in paths.iter().filter_map(toml::Value::as_str).take(16) {
            let folder = path.trim_matches('/').trim_start_matches("./");
            let folder = if matches!(folder, "" | ".") { String::new() } else { format!("{folder}/") };
            let file = module.replace('.', "/");
            manifest.builds.push(bounded(&format!("{folder}{file}.py")));
            manifest.builds.push(bounded(&format!("{folder}{file}/__init__.py")));
        }
    }
    if let Some(requires) = system.and_then(|system| system.get("requires")).and_then(toml::Value::as_array) {
        let requires = requires.iter().filter_map(toml::Value::as_str).take(ENTRIES);
        manifest
            .dependencies
            .extend(requires.map(|text| Dependency { kind: "build-system".to_owned(), ..requirement(text) }));
    }
    let project = table.get("project").and_then(toml::Value::as_table);
    let text =
        |key: &str| project.and_then(|project| project.get(key)).and_then(toml::Value::as_str).map(bounded);
    if manifest.name.is_none() {
        manifest.name = text("name");
        manifest.version = text("version");
    }
    if let Some(list) = project.and_then(|p| p.get("dependencies")).and_then(toml::Value::as_array)
        && manifest.dependencies.iter().all(|d| d.kind == "build-system")
    {
        manifest
            .dependencies
            .extend(list.iter().filter_map(toml::Value::as_str).take(ENTRIES).map(requirement));
    }
    if let Some(list) = project.and_then(|p| p.get("scripts")).and_then(toml::Value::as_table) {
        for (name, target) in list.iter().take(ENTRIES) {
            let target = target.as_str().unwrap_or_default().split('[').next().unwrap_or_default();
            manifest.programs.push(Program { name: bounded(name), target: bounded(target.trim()) });
        }
    }
}

/// The top-level modules that a `top_level.txt` names.
#[must_use]
pub fn top_level(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(ENTRIES)
        .map(bounded)
        .collect()
}

/// The lines of a `.pth` file that Python runs.
#[must_use]
pub fn pth(text: &[u8]) -> String {
    // Every line keeps its place, so that a finding points at it.
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text
        .lines()
        .map(|line| if line.starts_with("import ") || line.starts_with("import\t") { line } else { "" })
        .collect();
    lines.join("\n")
}
