//! The labelled set of extensions, servers, tools, configurations and rules that was written without looking at the detectors.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use tidegate_inspect::behaviour::diff::{Between, compare};
use tidegate_inspect::{Budgets, Inspection, Request, TemporaryFiles, Verdict, inspect};
use tidegate_model::Ecosystem;
use tidegate_model::finding::{Confidence, FindingSeverity};

use crate::support::tar;

/// Share of the bad items that must come out as they are labelled, in percent. The README of the set says what the first run gave.
const FOUND_PERCENT: usize = 93;

/// Good items that are held.
const HELD: usize = 0;

#[derive(Deserialize)]
struct Label {
    name: String,
    kind: String,
    label: String,
    what: String,
    expect: String,
    file: Option<String>,
    folder: Option<String>,
    old: Option<String>,
    new: Option<String>,
}

/// What came out, as the product derives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Out {
    Clean,
    Told,
    Held,
}

struct Outcome {
    label: Label,
    out: Out,
    because: Vec<String>,
}

impl Outcome {
    /// More than was asked for is found too, where something bad was to be told.
    fn is_found(&self) -> bool {
        match self.label.expect.as_str() {
            "held" => self.out == Out::Held,
            _ => self.out >= Out::Told,
        }
    }

    fn line(&self) -> String {
        let Label { name, kind, what, expect, .. } = &self.label;
        format!("{name} ({kind}, {expect}, came out {:?}): {what} {}", self.out, self.because.join(" "))
    }
}

fn look(root: &Path, path: &str, kind: &str) -> Inspection {
    let full = root.join(path);
    let (name, bytes) = if full.is_dir() {
        // As `check` packs a folder.
        let mut members = Vec::new();
        pack(&full, "package", &mut members);
        ("folder".to_owned(), tar::archive(&members))
    } else {
        (path.rsplit('/').next().unwrap().to_owned(), std::fs::read(&full).unwrap())
    };
    let ecosystem = match kind {
        "mcp-npm" => Some(Ecosystem::Npm),
        "mcp-pypi" => Some(Ecosystem::Pypi),
        _ => None,
    };
    let request = Request { name, ecosystem, hash_key: [7; 32], ..Request::default() };
    inspect(&request, &bytes, &Budgets::default(), &TemporaryFiles::default())
}

fn pack(folder: &Path, within: &str, members: &mut Vec<Vec<u8>>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{within}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            pack(&path, &name, members);
        } else {
            members.push(tar::file(&name, &std::fs::read(&path).unwrap()));
        }
    }
}

fn outcome(root: &Path, label: Label) -> Outcome {
    let path = label.new.as_ref().or(label.file.as_ref()).or(label.folder.as_ref()).unwrap();
    let now = look(root, path, &label.kind);
    let mut findings = now.findings.clone();
    let mut held = now.verdict > Verdict::Clean;
    if let Some(old) = &label.old {
        let before = look(root, old, &label.kind);
        let compared = compare(&before.summary, &now.summary, Between::default());
        held |= compared
            .iter()
            .any(|f| f.severity >= FindingSeverity::High && f.confidence >= Confidence::Medium);
        findings.extend(compared);
    }
    let told = findings.iter().filter(|f| f.severity >= FindingSeverity::Medium);
    let mut because: Vec<String> = told.map(|f| format!("{}:{}", f.detector, f.severity)).collect();
    because.sort_unstable();
    because.dedup();
    let out = if held {
        Out::Held
    } else if because.is_empty() {
        Out::Clean
    } else {
        Out::Told
    };
    Outcome { label, out, because }
}

#[test]
fn extensions_and_servers_that_no_detector_was_made_for_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{}/tests/extensions_independent/generate.py", env!("CARGO_MANIFEST_DIR"));
    let written = Command::new("python3").arg(script).arg(folder.path()).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let labels = std::fs::read_to_string(folder.path().join("labels.json")).unwrap();
    let labels: Vec<Label> = serde_json::from_str(&labels).unwrap();
    let outcomes: Vec<Outcome> = labels.into_iter().map(|label| outcome(folder.path(), label)).collect();
    let of = |label: &str| outcomes.iter().filter(|o| o.label.label == label).collect::<Vec<_>>();
    let (bad, good) = (of("bad"), of("good"));
    let found = bad.iter().filter(|o| o.is_found()).count();
    println!("{found} of {} bad ones came out as labelled", bad.len());
    bad.iter().filter(|o| !o.is_found()).for_each(|o| println!("  missed {}", o.line()));
    let held: Vec<_> = good.iter().filter(|o| o.out == Out::Held).collect();
    println!("{} of {} good ones held", held.len(), good.len());
    held.iter().for_each(|o| println!("  held {}", o.line()));
    let told: Vec<_> = good.iter().filter(|o| o.out == Out::Told && o.label.expect == "clean").collect();
    println!("{} good ones told of", told.len());
    told.iter().for_each(|o| println!("  told {}", o.line()));
    assert_eq!(held.len(), HELD, "good ones are held");
    assert!(found * 100 >= bad.len() * FOUND_PERCENT, "{found} of {} found", bad.len());
}
