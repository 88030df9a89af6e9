//! The labelled set of models that was written without looking at the readers: what is found of it, and what is held wrongly.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use tidegate_inspect::{Budgets, Inspection, Request, TemporaryFiles, Verdict, inspect};
use tidegate_model::finding::FindingSeverity;

use crate::support::tar;

/// Share of the bad models that must be found, in percent.
const FOUND_PERCENT: usize = 98;

/// Good models that are held.
const HELD: usize = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    /// A verdict above clean.
    Held,
    /// At least a finding of medium severity.
    Told,
    Clean,
}

#[derive(Deserialize)]
struct Label {
    name: String,
    file: Option<PathBuf>,
    folder: Option<PathBuf>,
    kind: String,
    expect: Expected,
    what: String,
}

/// One model as it came out: a folder both as one archive, as `check` packs it, and file by file, as a door takes it.
struct Outcome {
    label: Label,
    looks: Vec<Look>,
}

struct Look {
    verdict: Verdict,
    worst: Option<FindingSeverity>,
    findings: Vec<String>,
    not_seen: Vec<String>,
}

impl Look {
    fn of(inspections: &[Inspection]) -> Self {
        let findings = || inspections.iter().flat_map(|inspection| &inspection.findings);
        let not_seen = inspections.iter().flat_map(|inspection| &inspection.not_seen);
        Self {
            verdict: inspections.iter().map(|inspection| inspection.verdict).max().unwrap(),
            worst: findings().map(|finding| finding.severity).max(),
            findings: findings()
                .filter(|f| f.severity >= FindingSeverity::Low)
                .map(|f| format!("{} ({:?}: {})", f.detector, f.severity, f.message))
                .collect(),
            not_seen: not_seen.map(|gap| format!("{}: {}", gap.path, gap.detail)).collect(),
        }
    }

    fn is(&self, expected: Expected) -> bool {
        match expected {
            Expected::Held => self.verdict > Verdict::Clean,
            Expected::Told => self.verdict > Verdict::Clean || self.worst >= Some(FindingSeverity::Medium),
            Expected::Clean => self.verdict == Verdict::Clean,
        }
    }
}

impl Outcome {
    /// Whether it came out as its label says, whichever way it came.
    fn fits(&self) -> bool {
        self.looks.iter().all(|look| look.is(self.label.expect))
    }

    fn line(&self) -> String {
        let looks: Vec<String> = self
            .looks
            .iter()
            .map(|look| format!("{}: {:?} {:?}", look.verdict.as_str(), look.findings, look.not_seen))
            .collect();
        format!("{} ({}): {}", self.label.name, self.label.what, looks.join(" | "))
    }
}

fn look(name: &str, bytes: &[u8]) -> Inspection {
    let request = Request { name: name.to_owned(), ..Request::default() };
    inspect(&request, bytes, &Budgets::default(), &TemporaryFiles::default())
}

/// Every file below a folder, by its path there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut all, mut waiting) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                all.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

fn outcome(root: &Path, label: Label) -> Outcome {
    let looks = match (&label.file, &label.folder) {
        (Some(file), _) => {
            let name = file.file_name().unwrap().to_str().unwrap();
            vec![Look::of(&[look(name, &std::fs::read(root.join(file)).unwrap())])]
        }
        (None, Some(folder)) => {
            let files = files(&root.join(folder));
            let members: Vec<Vec<u8>> =
                files.iter().map(|(name, bytes)| tar::file(&format!("package/{name}"), bytes)).collect();
            let name = folder.file_name().unwrap().to_str().unwrap();
            let single: Vec<Inspection> = files.iter().map(|(name, bytes)| look(name, bytes)).collect();
            vec![Look::of(&[look(name, &tar::archive(&members))]), Look::of(&single)]
        }
        (None, None) => panic!("{} has no bytes", label.name),
    };
    Outcome { label, looks }
}

#[test]
fn the_independent_models_are_found_and_no_good_one_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{}/tests/models_independent/generate.py", env!("CARGO_MANIFEST_DIR"));
    let written = Command::new("python3").arg(script).arg(folder.path()).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let labels = std::fs::read(folder.path().join("labels.json")).unwrap();
    let labels: Vec<Label> = serde_json::from_slice(&labels).unwrap();
    assert!(labels.len() > 300, "only {} items", labels.len());
    let outcomes: Vec<Outcome> = labels.into_iter().map(|label| outcome(folder.path(), label)).collect();
    let (good, bad): (Vec<_>, Vec<_>) =
        outcomes.iter().partition(|outcome| outcome.label.expect == Expected::Clean);
    let mut families: BTreeMap<(&str, bool), (usize, usize)> = BTreeMap::new();
    for outcome in &outcomes {
        let is_good = outcome.label.expect == Expected::Clean;
        let (fit, all) = families.entry((&outcome.label.kind, is_good)).or_default();
        *all += 1;
        *fit += usize::from(outcome.fits());
    }
    for ((kind, is_good), (fit, all)) in &families {
        println!("{kind}, {}: {fit} of {all} as labelled", if *is_good { "good" } else { "bad" });
    }
    let found = bad.iter().filter(|outcome| outcome.fits()).count();
    println!("{found} of {} bad ones found", bad.len());
    bad.iter().filter(|outcome| !outcome.fits()).for_each(|outcome| println!("  missed {}", outcome.line()));
    let held: Vec<_> = good.iter().filter(|outcome| !outcome.fits()).collect();
    println!("{} of {} good ones held", held.len(), good.len());
    held.iter().for_each(|outcome| println!("  held {}", outcome.line()));
    let lacking = |o: &&&Outcome| o.looks.iter().any(|look| !look.not_seen.is_empty());
    good.iter().filter(lacking).for_each(|o| println!("  not seen in full: {}", o.line()));
    assert!(found * 100 >= bad.len() * FOUND_PERCENT, "{found} of {} found", bad.len());
    assert_eq!(held.len(), HELD, "good ones are held");
}
