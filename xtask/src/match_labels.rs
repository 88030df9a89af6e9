//! `cargo xtask match-labels`: what people said of findings in images, against what this matcher says.
//!
//! The labels name an image, a package, a version and a vulnerability, and say whether the finding is right (TP) or wrong
//! (FP). They name no ecosystem: a label is about each ecosystem in which our data knows a package of that name. Most are
//! about packages of distributions and about matches by CPE, for which no data is loaded; those are counted apart, with
//! the reason, and say nothing about the matcher.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;
use tidegate_intel::{Query, Snapshot};
use tidegate_model::Timestamp;
use tidegate_testkit::data;

use crate::verify_matching::{self, VerifyError};

/// Ecosystems of the data sets.
const ECOSYSTEMS: [&str; 7] = ["npm", "PyPI", "cargo", "Go", "Maven", "RubyGems", "Packagist"];

/// How many labels are printed for each cause.
const SHOWN: usize = 4;

/// Compare findings with what people said of them.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many labels are printed for each cause.
    #[arg(long, default_value_t = SHOWN)]
    shown: usize,
}

/// What people say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Right,
    Wrong,
}

/// One distinct finding that people looked at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Label {
    package: String,
    version: String,
    /// The id that the scanner showed, and the CVE that people found behind it.
    ids: BTreeSet<String>,
}

/// Reads, asks, counts.
pub(crate) fn run(arguments: &Arguments) -> Result<(), VerifyError> {
    let folders = ["advisories", "advisories-update"].map(data::shared_data);
    let folders: Vec<PathBuf> = folders.into_iter().flatten().collect();
    if folders.len() < 2 {
        eprintln!("SKIPPED: match-labels: there are no labels and no advisories");
        return Ok(());
    }
    let now = Timestamp::from_unix_seconds(1_795_000_000);
    let intel = verify_matching::load(&folders, now)?;
    let snapshot = intel.snapshot();
    let (labels, lines) = labels(&folders);
    println!(
        "{lines} labels, {} of them distinct by package, version, vulnerability and judgement",
        labels.len()
    );
    let mut counts: BTreeMap<(Said, Cause), Vec<&Label>> = BTreeMap::new();
    for (said, label) in &labels {
        counts.entry((*said, cause(&snapshot, label, now))).or_default().push(label);
    }
    let count = |said: Said, wanted: &dyn Fn(Cause) -> bool| -> usize {
        let of = counts.iter().filter(|((s, cause), _)| *s == said && wanted(*cause));
        of.map(|(_, labels)| labels.len()).sum()
    };
    let raised = |cause: Cause| cause == Cause::Found;
    let missed = |cause: Cause| cause.is_covered() && cause != Cause::Found;
    let table = [
        ("right, found", count(Said::Right, &raised)),
        ("right, not found", count(Said::Right, &missed)),
        ("wrong, found all the same", count(Said::Wrong, &raised)),
        ("wrong, not found", count(Said::Wrong, &missed)),
    ];
    println!("where our data has the package and the vulnerability:");
    for (title, number) in table {
        println!("  {title:<28}{number:>6}");
    }
    let covered: usize = table.iter().map(|(_, number)| number).sum();
    println!("  agreement {:.1} % of {covered}", percent(table[0].1 + table[3].1, covered),);
    for (said, title) in
        [(Said::Right, "findings that people call right"), (Said::Wrong, "findings that people call wrong")]
    {
        println!("{title}, by what became of them here:");
        for ((_, cause), labels) in counts.iter().filter(|((s, _), _)| *s == said) {
            println!("  {:>6}  {}", labels.len(), cause.words());
            let telling = cause.is_covered() && (said == Said::Right) != (*cause == Cause::Found);
            for label in labels.iter().take(if telling { arguments.shown } else { 0 }) {
                let ids: Vec<&str> = label.ids.iter().map(String::as_str).collect();
                println!("          {} {} {}", label.package, label.version, ids.join(" "));
            }
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// What became of a label here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// The matcher says that the version is affected.
    Found,
    /// It says that it is not: the version lies in no range and is not listed.
    OutOfRange,
    /// The version or the range does not compare.
    Undecided,
    /// The record that speaks of the package was taken back.
    Withdrawn,
    /// Only records of other packages go by the id.
    OtherPackages,
    /// No record goes by the id.
    NoRecord,
    /// No ecosystem that is loaded has a package of the name.
    NoPackage,
    /// The label names no package.
    NoName,
}

impl Cause {
    /// Whether our data speaks of the package and the vulnerability together, so that the answer is the matcher's own.
    const fn is_covered(self) -> bool {
        matches!(self, Self::Found | Self::OutOfRange | Self::Undecided | Self::Withdrawn)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::OutOfRange => "not found: the record for the package does not touch the version",
            Self::Undecided => "undecided: the version and the record's range do not compare",
            Self::Withdrawn => "not found: the record was withdrawn by its publisher",
            Self::OtherPackages => {
                "not covered: the vulnerability is known, but not of a package of that name"
            }
            Self::NoRecord => "not covered: the package is known, no record goes by the id",
            Self::NoPackage => "not covered: no such package in what is loaded (distributions, binaries)",
            Self::NoName => "not covered: the label names no package",
        }
    }
}

/// Asks every ecosystem that has a package of the name.
fn cause(snapshot: &Snapshot, label: &Label, now: Timestamp) -> Cause {
    if label.package.is_empty() || label.version.is_empty() {
        return Cause::NoName;
    }
    let known: Vec<(&str, String)> = ECOSYSTEMS
        .iter()
        .flat_map(|ecosystem| {
            spellings(ecosystem, &label.package).into_iter().map(move |name| (*ecosystem, name))
        })
        .filter(|(ecosystem, name)| snapshot.knows(ecosystem, name))
        .collect();
    if known.is_empty() {
        return Cause::NoPackage;
    }
    // Ids of the records behind the label's ids, so that a finding shown under another alias is the same.
    let mut ids = label.ids.clone();
    let mut withdrawn = BTreeSet::new();
    for id in &label.ids {
        for record in snapshot.records(id, now).unwrap_or_default() {
            if record.withdrawn {
                withdrawn.insert(record.id.clone());
            }
            ids.insert(record.id);
        }
    }
    if ids == label.ids && label.ids.iter().all(|id| snapshot.records(id, now).is_ok_and(|r| r.is_empty())) {
        return Cause::NoRecord;
    }
    let mut best = Cause::OtherPackages;
    for (ecosystem, name) in known {
        let found = snapshot.matches(&Query { ecosystem, name: &name, version: &label.version, now });
        let meant = |found: &[String]| found.iter().any(|id| ids.contains(id));
        let spoken_of = || {
            ids.iter().any(|id| {
                let records = snapshot.records(id, now).unwrap_or_default();
                records.iter().any(|record| names(&record.json, ecosystem, &name))
            })
        };
        let here = if found.items.iter().any(|f| meant(&f.ids) || meant(&f.upstream)) {
            Cause::Found
        } else if meant(&found.undecided) {
            Cause::Undecided
        } else if found.retracted.iter().any(|r| ids.contains(&r.id)) {
            Cause::Withdrawn
        } else if spoken_of() {
            Cause::OutOfRange
        } else {
            Cause::OtherPackages
        };
        best = best.min(here);
    }
    best
}

/// The names under which an ecosystem may have what a scanner calls by one name: of Maven it shows the artifact alone,
/// or with its group behind a colon.
fn spellings(ecosystem: &str, package: &str) -> Vec<String> {
    let mut names = vec![package.to_owned()];
    if ecosystem == "Maven" && !package.contains(':') {
        names.push(format!("{package}:{package}"));
        names.push(format!("org.apache.logging.log4j:{package}"));
    }
    names
}

/// Whether a record names a package.
fn names(json: &[u8], ecosystem: &str, name: &str) -> bool {
    let record: Value = serde_json::from_slice(json).unwrap_or_default();
    let affected = record["affected"].as_array().into_iter().flatten();
    let wanted = tidegate_intel::inverse::lookup_form(ecosystem, name);
    affected.map(|a| &a["package"]).any(|package| {
        let text = |field: &str| package[field].as_str().unwrap_or_default();
        tidegate_intel::inverse::lookup_form(text("ecosystem"), text("name")) == wanted
    })
}

/// Distinct labels with a judgement, and how many lines there were.
fn labels(folders: &[PathBuf]) -> (BTreeSet<(Said, Label)>, usize) {
    let mut labels = BTreeSet::new();
    let mut lines = 0;
    for folder in folders {
        for line in data::read(&folder.join("match-labels.jsonl.zst")).lines() {
            lines += 1;
            let value: Value = serde_json::from_str(line).unwrap_or_default();
            let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
            let said = match value["label"].as_str() {
                Some("TP") => Said::Right,
                Some("FP") => Said::Wrong,
                // People could not tell.
                _ => continue,
            };
            let ids = [text("vuln"), text("effective_cve")].into_iter().filter(|id| !id.is_empty()).collect();
            labels.insert((said, Label { package: text("package"), version: text("version"), ids }));
        }
    }
    (labels, lines)
}
