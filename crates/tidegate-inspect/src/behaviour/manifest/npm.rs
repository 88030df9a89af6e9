//! `package.json` and `binding.gyp`.

use serde_json::{Map, Value};

use super::{Dependency, ENTRIES, Manifest, Program, Script, bounded, line_of};

/// Scripts that installing from a registry runs. `prepare` runs for git dependencies and in one's own folder only.
const HOOKS: &[&str] = &["preinstall", "install", "postinstall"];

/// Depth to which `exports` is followed.
const EXPORTS_DEPTH: u32 = 8;

/// Reads a `package.json`; `has_gyp` is whether a `binding.gyp` lies beside it.
#[must_use]
pub fn read(text: &[u8], path: &str, has_gyp: bool) -> Option<Manifest> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = serde_json::from_str(text).ok()?;
    let mut manifest = from_value(value.as_object()?, path, has_gyp);
    for script in manifest.hooks.iter_mut().chain(&mut manifest.scripts) {
        script.line = line_of(text, &format!("\"{}\"", script.name));
    }
    Some(manifest)
}

/// Reads what is left of a `package.json`, or of a version in an index document, after it was parsed.
#[must_use]
pub fn from_value(object: &Map<String, Value>, path: &str, has_gyp: bool) -> Manifest {
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(bounded);
    let mut manifest = Manifest {
        path: path.to_owned(),
        name: text("name"),
        version: text("version"),
        ..Manifest::default()
    };
    scripts(object, path, has_gyp, &mut manifest);
    entries(object, &mut manifest);
    programs(object, &mut manifest);
    extension(object, &mut manifest);
    for kind in ["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"] {
        let Some(Value::Object(list)) = object.get(kind) else { continue };
        for (name, requirement) in list.iter().take(ENTRIES) {
            let requirement = bounded(requirement.as_str().unwrap_or_default());
            manifest.dependencies.push(Dependency {
                name: bounded(name),
                requirement,
                kind: kind.to_owned(),
            });
        }
    }
    for key in ["bundledDependencies", "bundleDependencies"] {
        if let Some(Value::Array(list)) = object.get(key) {
            manifest.bundled.extend(list.iter().filter_map(Value::as_str).take(ENTRIES).map(bounded));
        }
    }
    let is_true = |key: &str| object.get(key) == Some(&Value::Bool(true));
    manifest.is_native = has_gyp
        || is_true("gypfile")
        || ["binary", "os", "cpu", "libc", "napi", "prebuild", "electronVersion"]
            .iter()
            .any(|key| object.contains_key(*key))
        || manifest.dependencies.iter().any(|d| {
            d.kind != "devDependencies"
                && matches!(
                    d.name.as_str(),
                    "node-gyp-build"
                        | "bindings"
                        | "prebuild-install"
                        | "node-addon-api"
                        | "nan"
                        | "node-pre-gyp"
                        | "@mapbox/node-pre-gyp"
                        | "cmake-js"
                        | "detect-libc"
                        | "node-gyp-build-optional-packages"
                        | "pkg-prebuilds"
                )
        });
    manifest
}

fn scripts(object: &Map<String, Value>, path: &str, has_gyp: bool, manifest: &mut Manifest) {
    let empty = Map::new();
    let scripts = object.get("scripts").and_then(Value::as_object).unwrap_or(&empty);
    for (name, command) in scripts.iter().take(ENTRIES) {
        let Some(command) = command.as_str() else { continue };
        let script =
            Script { name: bounded(name), command: bounded(command), path: path.to_owned(), line: 1 };
        if HOOKS.contains(&name.as_str()) {
            manifest.hooks.push(script)
        } else {
            manifest.scripts.push(script)
        }
    }
    // npm runs this by itself where there is something to build and nobody says how.
    let is_off = object.get("gypfile") == Some(&Value::Bool(false));
    if has_gyp && !is_off && !scripts.contains_key("install") && !scripts.contains_key("preinstall") {
        manifest.hooks.push(Script {
            name: "install".to_owned(),
            command: "node-gyp rebuild".to_owned(),
            path: path.to_owned(),
            line: 1,
        });
    }
}

fn entries(object: &Map<String, Value>, manifest: &mut Manifest) {
    for key in ["main", "module", "browser", "exports", "unpkg", "jsdelivr", "es2015"] {
        if let Some(value) = object.get(key) {
            targets(value, 0, &mut manifest.entries);
        }
    }
    if !object.contains_key("main") && !object.contains_key("exports") {
        manifest.entries.push("index.js".to_owned());
    }
}

/// What an editor does with an extension: it loads its entries and calls `activate`, and runs a script when it is removed.
fn extension(object: &Map<String, Value>, manifest: &mut Manifest) {
    let engines = object.get("engines").and_then(Value::as_object);
    manifest.is_extension = engines.is_some_and(|engines| engines.contains_key("vscode"));
    if manifest.is_extension
        && let Some(at) = manifest.scripts.iter().position(|script| script.name == "vscode:uninstall")
    {
        let script = manifest.scripts.remove(at);
        manifest.entries.extend(
            script.command.split_whitespace().filter(|word| word.ends_with(".js")).take(4).map(str::to_owned),
        );
        manifest.hooks.push(script);
    }
}

fn targets(value: &Value, depth: u32, found: &mut Vec<String>) {
    if depth > EXPORTS_DEPTH || found.len() >= ENTRIES {
        return;
    }
    match value {
        Value::String(target) => found.push(bounded(target)),
        Value::Array(list) => list.iter().for_each(|value| targets(value, depth + 1, found)),
        Value::Object(map) => {
            map.iter()
                .filter(|(key, _)| *key != "types")
                .for_each(|(_, value)| targets(value, depth + 1, found));
        }
        _ => {}
    }
}

fn programs(object: &Map<String, Value>, manifest: &mut Manifest) {
    match object.get("bin") {
        Some(Value::String(target)) => {
            let name = manifest.name.clone().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            manifest.programs.push(Program { name, target: bounded(target) });
        }
        Some(Value::Object(list)) => {
            for (name, target) in list.iter().take(ENTRIES) {
                let Some(target) = target.as_str() else { continue };
                manifest.programs.push(Program { name: bounded(name), target: bounded(target) });
            }
        }
        _ => {}
    }
}

/// Commands that a `binding.gyp` runs while it is read: what stands in `<!(…)` and `<!@(…)`; and `action` lists.
#[must_use]
pub fn gyp(text: &[u8], path: &str) -> Vec<Script> {
    let text = String::from_utf8_lossy(text);
    let mut found = Vec::new();
    for mark in ["<!(", "<!@("] {
        for (at, _) in text.match_indices(mark).take(ENTRIES) {
            let rest = &text[at + mark.len()..];
            let rest = &rest[..rest.floor_char_boundary(super::VALUE_BYTES)];
            let mut depth = 1_u32;
            let end = rest.char_indices().find(|(_, c)| {
                depth = match c {
                    '(' => depth + 1,
                    ')' => depth - 1,
                    _ => depth,
                };
                depth == 0
            });
            let Some((end, _)) = end else { continue };
            let line = u32::try_from(text[..at].matches('\n').count() + 1).unwrap_or(u32::MAX);
            let command = rest[..end].replace("\\\"", "\"").replace("\\'", "'");
            found.push(Script { name: mark.to_owned(), command, path: path.to_owned(), line });
        }
    }
    found.extend(actions(&text, path));
    found
}

/// `'action': ['node', 'x.js']`, joined.
fn actions<'a>(text: &'a str, path: &'a str) -> impl Iterator<Item = Script> + 'a {
    text.match_indices("action").take(ENTRIES).filter_map(move |(at, _)| {
        let rest = &text[at + "action".len()..];
        let rest =
            rest.strip_prefix(['\'', '"'])?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('[')?;
        let list = rest.split(']').next()?;
        let words: Vec<&str> = list
            .split(',')
            .map(|word| word.trim().trim_matches(['\'', '"']))
            .filter(|word| !word.is_empty())
            .collect();
        let line = u32::try_from(text[..at].matches('\n').count() + 1).unwrap_or(u32::MAX);
        Some(Script {
            name: "action".to_owned(),
            command: bounded(&words.join(" ")),
            path: path.to_owned(),
            line,
        })
    })
}
