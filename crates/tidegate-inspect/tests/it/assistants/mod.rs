//! Every detector of extensions and of what assistants load, over files that were written for it and clean ones that look alike: the
//! whole way, through the unfolder.
#![expect(clippy::needless_pass_by_value, reason = "values are written where they are used")]

mod extensions;
mod mcp;
mod popular;

use serde_json::{Value, json};
use tidegate_inspect::behaviour::diff::{Between, compare};
use tidegate_inspect::{Budgets, Inspection, Request, TemporaryFiles, inspect};
use tidegate_model::Finding;

use crate::support::{gzip, tar, zip};

/// A file as somebody hands it over.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Something that a detector tells of, or leaves alone; with an earlier release where it compares.
enum Case {
    One(File),
    Update(File, File),
}

struct Cases {
    detector: &'static str,
    bad: Vec<Case>,
    clean: Vec<Case>,
}

fn look(file: &File) -> Inspection {
    let request = Request { name: file.name.clone(), ..Request::default() };
    inspect(&request, &file.bytes, &Budgets::default(), &TemporaryFiles::default())
}

fn told(case: &Case) -> Vec<Finding> {
    match case {
        Case::One(file) => look(file).findings,
        Case::Update(before, now) => {
            let (before, now) = (look(before), look(now));
            [now.findings, compare(&before.summary, &now.summary, Between::default())].concat()
        }
    }
}

fn one(file: File) -> Case {
    Case::One(file)
}

/// A document under the name by which clients know it.
fn document(name: &str, value: &Value) -> File {
    File { name: name.to_owned(), bytes: value.to_string().into_bytes() }
}

fn text(name: &str, text: &str) -> File {
    File { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// A folder, as `check` packs it.
fn folder(files: &[(&str, &str)]) -> File {
    let members: Vec<Vec<u8>> =
        files.iter().map(|(path, text)| tar::file(&format!("package/{path}"), text.as_bytes())).collect();
    File { name: "folder".to_owned(), bytes: tar::archive(&members) }
}

/// A package of npm.
fn npm(files: &[(&str, &str)]) -> File {
    let members: Vec<Vec<u8>> =
        files.iter().map(|(path, text)| tar::file(&format!("package/{path}"), text.as_bytes())).collect();
    File { name: "x-1.0.0.tgz".to_owned(), bytes: gzip(&tar::archive(&members)) }
}

/// A VSIX with the identity that its manifest says, and files of the extension.
fn vsix(manifest: &Value, files: &[(&str, &str)]) -> File {
    let text = |key: &str| manifest[key].as_str().unwrap_or_default();
    let identity = identity(text("publisher"), text("name"), text("version"), "");
    vsix_as(&identity, manifest, files)
}

fn identity(publisher: &str, name: &str, version: &str, platform: &str) -> String {
    let platform =
        if platform.is_empty() { String::new() } else { format!(" TargetPlatform=\"{platform}\"") };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<PackageManifest Version=\"2.0.0\" xmlns=\"urn:x\"><Metadata><Identity Language=\"en-US\" Id=\"{name}\" Version=\"{version}\" Publisher=\"{publisher}\"{platform}/><DisplayName>x</DisplayName></Metadata></PackageManifest>"
    )
}

fn vsix_as(identity: &str, manifest: &Value, files: &[(&str, &str)]) -> File {
    let mut members = vec![
        zip::Member::deflated("extension.vsixmanifest", identity.as_bytes()),
        zip::Member::deflated("[Content_Types].xml", b"<?xml version=\"1.0\"?><Types/>"),
        zip::Member::deflated("extension/package.json", manifest.to_string().as_bytes()),
    ];
    members.extend(files.iter().map(|(path, text)| zip::Member::deflated(path, text.as_bytes())));
    File { name: "x.vsix".to_owned(), bytes: zip::archive(&members) }
}

/// The manifest of an extension with code, and whatever else it says.
fn manifest(more: Value) -> Value {
    let mut manifest = json!({
        "name": "helper", "publisher": "acme", "version": "1.2.3", "engines": { "vscode": "^1.90.0" },
        "categories": ["Other"], "main": "./out/extension.js", "activationEvents": ["onStartupFinished"],
        "contributes": { "commands": [{ "command": "helper.go", "title": "Go" }] },
    });
    for (key, value) in more.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    manifest
}

/// Code of an extension with this in `activate`.
fn activate(body: &str) -> String {
    format!(
        "'use strict';\nconst vscode = require('vscode');\nfunction activate(context) {{\n{body}\n}}\nexports.activate = activate;\n"
    )
}

/// A list of tools with one tool.
fn tools(description: &str) -> File {
    document(
        "tools.json",
        &json!({ "tools": [{ "name": "add", "description": description, "inputSchema": { "type": "object", "properties": { "a": { "type": "number" }, "b": { "type": "number" } } } }] }),
    )
}

fn all() -> Vec<Cases> {
    extensions::cases().into_iter().chain(mcp::cases()).collect()
}

/// Detectors that are shown by something that they find and something that they leave alone.
pub(crate) fn covered_both_ways() -> Vec<&'static str> {
    all().iter().filter(|c| !c.bad.is_empty() && !c.clean.is_empty()).map(|c| c.detector).collect()
}

#[test]
fn every_detector_finds_what_it_is_for_and_leaves_the_like_alone() {
    let mut failures = Vec::new();
    for Cases { detector, bad, clean } in all() {
        let lines = |findings: &[Finding]| -> String {
            findings.iter().map(|f| format!("\n    {} {} {}", f.detector, f.severity, f.message)).collect()
        };
        for (number, case) in bad.iter().enumerate() {
            let findings = told(case);
            if !findings.iter().any(|f| f.detector == detector) {
                failures.push(format!("{detector} misses bad {number}:{}", lines(&findings)));
            }
        }
        for (number, case) in clean.iter().enumerate() {
            let findings = told(case);
            if findings.iter().any(|f| f.detector == detector) {
                failures.push(format!("{detector} tells of clean {number}:{}", lines(&findings)));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
