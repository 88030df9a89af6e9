//! Go's `go.mod` (<https://go.dev/ref/mod#go-mod-file>) and `go.sum` (<https://go.dev/ref/mod#go-sum-files>).
//!
//! Since Go 1.17 `go.mod` names every module that a build uses; what it replaces is read as what it is replaced by.
//! `go.sum` names every module whose content was ever needed to settle that, so it may hold versions that no build uses.

use std::collections::HashMap;

use super::{Component, Inventory, InventoryError, InventoryFormat, Place, Purl, Scope, numbered};

/// The standard library, which advisories treat as a module of this name.
const STANDARD_LIBRARY: &str = "stdlib";

/// What a module is replaced by.
enum Replacement {
    Module { path: String, version: String },
    Folder,
}

/// A `require`.
struct Required {
    path: String,
    version: String,
    line: u32,
}

/// The statements of a `go.mod` that are read.
#[derive(Default)]
struct Statements {
    module: Option<(String, u32)>,
    go: Option<(String, u32)>,
    toolchain: Option<(String, u32)>,
    required: Vec<Required>,
    /// By path and, where only that one is replaced, version.
    replaced: HashMap<(String, Option<String>), Replacement>,
}

pub(super) fn parse_mod(text: &str) -> Result<Inventory, InventoryError> {
    let mut statements = Statements::default();
    // The verb of the block that is open.
    let mut block: Option<String> = None;
    for (number, line) in numbered(text) {
        let mut words = words(line).map_err(|why| InventoryError::MalformedAt { line: number, why })?;
        if words.is_empty() {
            continue;
        }
        if block.is_some() && words[0] == ")" {
            block = None;
            continue;
        }
        let verb = match &block {
            Some(verb) => verb.clone(),
            None => words.remove(0),
        };
        if block.is_none() && words.first().is_some_and(|w| w == "(") {
            block = Some(verb);
            continue;
        }
        statements.statement(&verb, &words, number)?;
    }
    let Some((module, line)) = statements.module.take() else {
        let why = "no `module` line: expected a go.mod file".into();
        return Err(InventoryError::MalformedAt { line: 1, why });
    };
    let mut inventory = Inventory::new(InventoryFormat::GoMod);
    inventory.subject = Some(component(&module, "", line));
    statements.standard_library(&mut inventory)?;
    for required in std::mem::take(&mut statements.required) {
        statements.settle(&required, &mut inventory)?;
    }
    Ok(inventory)
}

impl Statements {
    fn statement(&mut self, verb: &str, words: &[String], line: u32) -> Result<(), InventoryError> {
        let malformed = |expected: &str| InventoryError::MalformedAt {
            line,
            why: format!("`{verb} {}`: expected {expected}", super::shown(&words.join(" "))),
        };
        match (verb, words) {
            ("module", [path]) if is_path(path) => self.module = Some((path.clone(), line)),
            ("module", _) => return Err(malformed("one module path")),
            ("go", [version]) => self.go = Some((version.clone(), line)),
            ("toolchain", [version]) => self.toolchain = Some((version.clone(), line)),
            ("require", [path, version]) if is_path(path) => {
                if self.required.len() == super::MAX_COMPONENTS {
                    return Err(InventoryError::TooMuch { limit: "200,000 components" });
                }
                self.required.push(Required { path: path.clone(), version: version.clone(), line });
            }
            ("require", _) => return Err(malformed("a module path and a version")),
            ("replace", words) => {
                let arrow = words.iter().position(|w| w == "=>");
                let (old, new) = arrow
                    .map(|at| (&words[..at], &words[at + 1..]))
                    .ok_or_else(|| malformed("`old => new`"))?;
                let replacement = match new {
                    [path, version] if is_path(path) => {
                        Replacement::Module { path: path.clone(), version: version.clone() }
                    }
                    [_] => Replacement::Folder,
                    _ => return Err(malformed("a module and its version, or a folder, behind `=>`")),
                };
                let (path, version) = match old {
                    [path] => (path.clone(), None),
                    [path, version] => (path.clone(), Some(version.clone())),
                    _ => return Err(malformed("a module path before `=>`")),
                };
                self.replaced.insert((path, version), replacement);
            }
            // exclude, retract, godebug, tool, ignore and whatever comes name nothing that is built from.
            _ => {}
        }
        Ok(())
    }

    /// The toolchain that is asked for brings the standard library.
    fn standard_library(&self, inventory: &mut Inventory) -> Result<(), InventoryError> {
        let named = self.toolchain.as_ref().or(self.go.as_ref());
        let Some((version, line)) = named.map(|(v, line)| (v.strip_prefix("go").unwrap_or(v), *line)) else {
            return Ok(());
        };
        if !version.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(());
        }
        let standard = component(STANDARD_LIBRARY, version, line);
        inventory.push(Component { scope: Some(Scope::Runtime), ..standard })?;
        let why = "is the oldest Go that may build this module; a newer one has another standard library";
        inventory.remark(line, format!("{STANDARD_LIBRARY} {version}"), why);
        Ok(())
    }

    fn settle(&self, required: &Required, inventory: &mut Inventory) -> Result<(), InventoryError> {
        let Required { path, version, line } = required;
        let exact = self.replaced.get(&(path.clone(), Some(version.clone())));
        match exact.or_else(|| self.replaced.get(&(path.clone(), None))) {
            None => inventory.push(component(path, version, *line)),
            Some(Replacement::Module { path: new, version }) => {
                if new != path {
                    inventory.remark(
                        *line,
                        path,
                        format!("is replaced by `{}`, which is looked up", super::shown(new)),
                    );
                }
                inventory.push(component(new, version, *line))
            }
            Some(Replacement::Folder) => {
                inventory.remark(*line, path, "is replaced by a folder of this machine; it is not looked up");
                Ok(())
            }
        }
    }
}

pub(super) fn parse_sum(text: &str) -> Result<Inventory, InventoryError> {
    let mut inventory = Inventory::new(InventoryFormat::GoSum);
    for (number, line) in numbered(text) {
        let fields: Vec<&str> = line.split_whitespace().take(4).collect();
        let (path, version) = match fields[..] {
            [] => continue,
            [path, version, digest] if digest.contains(':') && is_path(path) => (path, version),
            _ => {
                let why = format!("`{}`: expected module, version and digest", super::shown(line));
                return Err(InventoryError::MalformedAt { line: number, why });
            }
        };
        // Of these only the go.mod file was needed, no code.
        if !version.ends_with("/go.mod") {
            inventory.push(component(path, version, number))?;
        }
    }
    if !inventory.components.is_empty() {
        let why = "may name versions that no build uses any more; go.mod names those that builds use";
        inventory.remark(1, "go.sum", why);
    }
    Ok(inventory)
}

/// Whether text can be a module path: none of its elements is empty.
fn is_path(text: &str) -> bool {
    text.split('/').all(|element| !element.is_empty())
}

fn component(path: &str, version: &str, line: u32) -> Component {
    let (namespace, name) = match path.rsplit_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, path),
    };
    Component::of(Purl::new("golang", namespace, name, Some(version)), Place { line, pointer: None })
}

/// The words of a line without its comment. Paths may be quoted in either of Go's ways.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with("//") {
        let (word, after) = match rest.as_bytes()[0] {
            quote @ (b'"' | b'`') => {
                let end = rest[1..].find(char::from(quote)).ok_or("a quote without an end")?;
                (&rest[1..=end], &rest[end + 2..])
            }
            b'(' | b')' => rest.split_at(1),
            _ => {
                // A comment ends a word only behind a space: paths hold `//` in no form that Go accepts.
                let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
                rest.split_at(end.unwrap_or(rest.len()))
            }
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}
