//! Who finds what: tidegate and its peers over the labelled sets of this repository, in one run on the same files.
//!
//! Recall is the share of bad items of which a tool tells, false are the good ones of which it tells too. Seconds are CPU time,
//! user and system, of the command and all that it starts. Peers come from the Python index that pip is configured for; one
//! that cannot be had is left out loudly. Each is led as its documents say: kingfisher unpacks by itself, detect-secrets is
//! given what can be unpacked, GuardDog is given packages one by one, and because it takes seconds for each, only some.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::super::BenchError;
use crate::tools;

/// The labelled sets.
const SETS: [&str; 3] = ["independent", "unseen", "third"];

/// Measures commands and unpacks archives.
const HELPER: &str = include_str!("peers.py");

/// Seconds after which one command is ended.
const BOUND_SECONDS: u32 = 900;

/// A labelled item.
struct Item {
    set: &'static str,
    path: PathBuf,
    area: String,
    is_bad: bool,
    ecosystem: Option<String>,
}

/// What a tool said of items, and what it cost.
struct Row {
    name: String,
    area: &'static str,
    /// Of each set: bad ones told and all, good ones told and all.
    sets: BTreeMap<&'static str, [usize; 4]>,
    bytes: u64,
    seconds: f64,
}

/// Runs every tool that can be had; the table as Markdown.
pub(super) fn compare(tidegate: &Path, packages: usize) -> Result<String, BenchError> {
    let python = tidegate_testkit::tools::python().ok_or(BenchError::Missing("python3"))?;
    let scratch = tempfile::tempdir().map_err(|source| written(Path::new("a scratch folder"), source))?;
    let bench = Bench { python: python.path().to_owned(), scratch: scratch.path().to_owned() };
    let items = bench.items()?;
    let of = |area: &str| -> Vec<&Item> { items.iter().filter(|item| item.area == area).collect() };
    let (secrets, behaviour) = (of("secret"), of("behaviour"));
    let mut rows = bench.tidegate(tidegate, &secrets, &behaviour)?;
    rows.extend(bench.kingfisher(&secrets)?);
    rows.extend(bench.detect_secrets(&secrets)?);
    rows.extend(bench.guarddog(&behaviour, packages)?);
    Ok(markdown(&rows))
}

pub(super) struct Bench {
    pub(super) python: PathBuf,
    pub(super) scratch: PathBuf,
}

impl Bench {
    /// Writes the sets and reads their labels.
    fn items(&self) -> Result<Vec<Item>, BenchError> {
        let mut items = Vec::new();
        for set in SETS {
            let folder = self.scratch.join(set);
            let script = tools::root().join("crates/tidegate-inspect/tests").join(set).join("generate.py");
            tools::run(Command::new(&self.python).arg(script).arg(&folder).stdout(Stdio::null()))
                .map_err(|error| BenchError::Server(error.to_string()))?;
            let labels = read(&folder.join("labels.jsonl"))?;
            for label in labels.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
                let text = |key: &str| label[key].as_str().map(str::to_owned);
                items.push(Item {
                    set,
                    path: folder.join(text("file").unwrap_or_default()),
                    area: text("area").unwrap_or_default(),
                    is_bad: label["label"] == "bad",
                    ecosystem: text("ecosystem"),
                });
            }
        }
        Ok(items)
    }

    /// CPU seconds of a command, and what it printed.
    pub(super) fn measure(&self, command: &[&std::ffi::OsStr]) -> Result<(f64, String), BenchError> {
        let out = self.scratch.join("printed");
        let done = Command::new(&self.python)
            .args(["-c", HELPER, "measure"])
            .arg(&out)
            .arg(BOUND_SECONDS.to_string())
            .args(command)
            .current_dir(&self.scratch)
            .output()
            .map_err(|error| BenchError::Server(error.to_string()))?;
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        let seconds = told.split_whitespace().next().and_then(|word| word.parse().ok());
        let seconds = seconds.ok_or_else(|| BenchError::Server(format!("cannot be measured: {told}")))?;
        let bytes = std::fs::read(&out).map_err(|source| written(&out, source))?;
        Ok((seconds, String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn tidegate(
        &self,
        program: &Path,
        secrets: &[&Item],
        behaviour: &[&Item],
    ) -> Result<Vec<Row>, BenchError> {
        let mut rows = Vec::new();
        for (area, items) in [("secret", secrets), ("behaviour", behaviour)] {
            let data = self.scratch.join("data");
            let mut command: Vec<&std::ffi::OsStr> = vec![program.as_os_str()];
            command.extend(["check", "--offline", "--json", "--data"].map(std::ffi::OsStr::new));
            command.push(data.as_os_str());
            command.extend(items.iter().map(|item| item.path.as_os_str()));
            let (seconds, printed) = self.measure(&command)?;
            let told: BTreeSet<PathBuf> = printed
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .filter(|one| tells(one, area))
                .filter_map(|one| one["input"].as_str().map(PathBuf::from))
                .collect();
            rows.push(row("tidegate check", area, items, &|item| told.contains(&item.path), seconds));
        }
        Ok(rows)
    }

    fn kingfisher(&self, items: &[&Item]) -> Result<Option<Row>, BenchError> {
        let Some(program) = self.peer("kingfisher-bin==2.14.0", "kingfisher") else { return Ok(None) };
        let folder = self.folder(items, false)?;
        let options =
            "--no-validate --format json --confidence medium --git-history none --no-update-check --jobs 1";
        let mut command: Vec<&std::ffi::OsStr> =
            vec![program.as_os_str(), std::ffi::OsStr::new("scan"), folder.as_os_str()];
        command.extend(options.split(' ').map(std::ffi::OsStr::new));
        let (seconds, printed) = self.measure(&command)?;
        let told = |item: usize| printed.contains(&format!("{}/{item:05}/", folder.display()));
        let numbered = numbered(items, &told);
        Ok(Some(row("kingfisher 2.14.0", "secret", items, &|item| numbered.contains(&item.path), seconds)))
    }

    fn detect_secrets(&self, items: &[&Item]) -> Result<Option<Row>, BenchError> {
        let Some(program) = self.peer("detect-secrets==1.5.0", "detect-secrets") else { return Ok(None) };
        let folder = self.folder(items, true)?;
        let mut command: Vec<&std::ffi::OsStr> = vec![program.as_os_str(), std::ffi::OsStr::new("-C")];
        command.push(folder.as_os_str());
        command.extend(["scan", "--all-files", "--no-verify", "."].map(std::ffi::OsStr::new));
        let (seconds, printed) = self.measure(&command)?;
        let document: Value = serde_json::from_str(&printed).unwrap_or_default();
        let files: BTreeSet<String> = document["results"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(path, _)| path.trim_start_matches("./").split('/').next().map(str::to_owned))
            .collect();
        let told = |item: usize| files.contains(&format!("{item:05}"));
        let numbered = numbered(items, &told);
        let name = "detect-secrets 1.5.0, unpacked for it";
        Ok(Some(row(name, "secret", items, &|item| numbered.contains(&item.path), seconds)))
    }

    fn guarddog(&self, items: &[&Item], packages: usize) -> Result<Option<Row>, BenchError> {
        let Some(program) = self.peer("guarddog==3.2.0", "guarddog") else { return Ok(None) };
        let known: Vec<&&Item> =
            items.iter().filter(|item| matches!(item.ecosystem.as_deref(), Some("npm" | "pypi"))).collect();
        // Every so many, so that each family and each set has its share.
        let step = (known.len() / packages.max(1)).max(1);
        let chosen: Vec<&Item> = known.iter().step_by(step).map(|item| **item).collect();
        let (mut told, mut all) = (BTreeSet::new(), 0.0);
        for item in &chosen {
            let ecosystem = item.ecosystem.as_deref().unwrap_or_default();
            let words = [program.as_os_str(), ecosystem.as_ref(), "scan".as_ref(), item.path.as_os_str()];
            let options = ["--output-format", "json"].map(std::ffi::OsStr::new);
            let (seconds, printed) = self.measure(&[&words[..], &options[..]].concat())?;
            all += seconds;
            let document: Value = serde_json::from_str(&printed).unwrap_or_default();
            if document["issues"].as_u64().unwrap_or_default() > 0 {
                told.insert(item.path.clone());
            }
        }
        let name = format!("GuardDog 3.2.0, {} of {} packages", chosen.len(), items.len());
        Ok(Some(row(&name, "behaviour", &chosen, &|item| told.contains(&item.path), all)))
    }

    /// A program that pip installs into a folder of its own, with whatever else is named.
    pub(super) fn peer(&self, requirement: &str, program: &str) -> Option<PathBuf> {
        let place = tools::target().join("bench-tools").join(program);
        let path = place.join("bin").join(program);
        if !path.is_file() {
            eprintln!("installing {requirement} into {}", place.display());
            let made =
                tools::run(Command::new(&self.python).args(["-m", "venv"]).arg(&place)).and_then(|()| {
                    let mut pip = Command::new(place.join("bin/python"));
                    pip.args(["-m", "pip", "install", "--quiet"]).args(requirement.split(' '));
                    tools::run(&mut pip)
                });
            if made.is_err() || !path.is_file() {
                eprintln!("SKIPPED: {requirement} cannot be installed with pip here: its row is missing");
                return None;
            }
        }
        std::path::absolute(path).ok()
    }

    /// A folder with every item under its number, as it is or unpacked.
    fn folder(&self, items: &[&Item], unpacked: bool) -> Result<PathBuf, BenchError> {
        let folder = self.scratch.join(if unpacked { "unpacked" } else { "packed" });
        let mut orders = String::new();
        for (number, item) in items.iter().enumerate() {
            let place = folder.join(format!("{number:05}"));
            std::fs::create_dir_all(&place).map_err(|source| written(&place, source))?;
            if unpacked {
                let _infallible = writeln!(orders, "{}\t{}", item.path.display(), place.display());
            } else {
                let copy = place.join(item.path.file_name().unwrap_or_default());
                std::fs::copy(&item.path, &copy).map_err(|source| written(&copy, source))?;
            }
        }
        if unpacked {
            let list = self.scratch.join("orders");
            std::fs::write(&list, orders).map_err(|source| written(&list, source))?;
            tools::run(Command::new(&self.python).args(["-c", HELPER, "unpack"]).arg(&list))
                .map_err(|error| BenchError::Server(error.to_string()))?;
        }
        Ok(folder)
    }
}

/// Whether a line of `check --json` tells of an item: a likely secret, or a verdict that holds.
fn tells(one: &Value, area: &str) -> bool {
    if area == "behaviour" {
        return matches!(one["verdict"]["is"].as_str(), Some("suspicious" | "malicious"));
    }
    let likely = |finding: &Value| {
        finding["detector"].as_str().is_some_and(|detector| detector.starts_with("secrets/"))
            && !matches!(finding["severity"].as_str(), Some("info" | "low"))
            && finding["confidence"] != "low"
    };
    one["findings"].as_array().is_some_and(|findings| findings.iter().any(likely))
}

fn numbered(items: &[&Item], told: &dyn Fn(usize) -> bool) -> BTreeSet<PathBuf> {
    items.iter().enumerate().filter(|(at, _)| told(*at)).map(|(_, item)| item.path.clone()).collect()
}

fn row(name: &str, area: &'static str, items: &[&Item], told: &dyn Fn(&Item) -> bool, seconds: f64) -> Row {
    let mut sets: BTreeMap<&'static str, [usize; 4]> = BTreeMap::new();
    let mut bytes = 0;
    for item in items {
        let counts = sets.entry(item.set).or_default();
        let at = if item.is_bad { 0 } else { 2 };
        counts[at] += usize::from(told(item));
        counts[at + 1] += 1;
        bytes += std::fs::metadata(&item.path).map_or(0, |about| about.len());
    }
    Row { name: name.to_owned(), area, sets, bytes, seconds }
}

fn markdown(rows: &[Row]) -> String {
    let mut page = String::from("\n# Who finds what in the labelled sets\n\n");
    let _infallible = write!(page, "| area | tool |");
    for set in SETS {
        let _infallible = write!(page, " {set}: found | false |");
    }
    page.push_str(" MB packed | CPU seconds |\n| --- | --- |");
    page.push_str(&" --: | --: |".repeat(SETS.len() + 1));
    page.push('\n');
    for row in rows {
        let _infallible = write!(page, "| {} | {} |", row.area, row.name);
        for set in SETS {
            let [bad, all_bad, good, all_good] = row.sets.get(set).copied().unwrap_or_default();
            let _infallible = write!(page, " {bad} of {all_bad} | {good} of {all_good} |");
        }
        let _infallible = writeln!(page, " {:.1} | {:.1} |", row.bytes as f64 / 1e6, row.seconds);
    }
    page
}

fn read(path: &Path) -> Result<String, BenchError> {
    std::fs::read_to_string(path).map_err(|source| written(path, source))
}

pub(super) fn written(path: &Path, source: std::io::Error) -> BenchError {
    BenchError::Write { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hints_and_clean_verdicts_tell_of_nothing() {
        let finding = |severity: &str, confidence: &str| json!({ "findings": [{ "detector": "secrets/x", "severity": severity, "confidence": confidence }] });
        assert!(tells(&finding("medium", "medium"), "secret"));
        assert!(!tells(&finding("low", "high"), "secret"));
        assert!(!tells(&finding("high", "low"), "secret"));
        assert!(tells(&json!({ "verdict": { "is": "malicious" } }), "behaviour"));
        assert!(!tells(&json!({ "verdict": { "is": "clean" } }), "behaviour"));
    }

    #[test]
    fn found_and_false_are_counted_by_set() {
        let item = |name: &str, is_bad| Item {
            set: "third",
            path: name.into(),
            area: "secret".into(),
            is_bad,
            ecosystem: None,
        };
        let items = [item("a", true), item("b", true), item("c", false)];
        let items: Vec<&Item> = items.iter().collect();
        let one = row("x", "secret", &items, &|item| item.path != Path::new("b"), 1.5);
        assert_eq!(one.sets["third"], [1, 2, 1, 1]);
        assert!(
            markdown(&[one])
                .contains("| secret | x | 0 of 0 | 0 of 0 | 0 of 0 | 0 of 0 | 1 of 2 | 1 of 1 | 0.0 | 1.5 |")
        );
    }
}
