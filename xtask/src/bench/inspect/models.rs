//! `cargo xtask bench inspect --models`: what reading models costs, format by format, and who finds what in the labelled ones.
//!
//! The example `model_pace` of `tidegate-inspect` makes a harmless model of each format in memory and reads it, one process for each and
//! round; the median is shown. Memory is what reading took beside the bytes. Peers read the labelled set of
//! `tests/models_independent` one item after another in one process of theirs, through the library that they are, so that starting
//! Python is paid once; a tool that ends with an error on an item has not told of it. GuardDog reads code, not models: it is given
//! folders, packages and extensions, one by one, and because it takes seconds for each, only some. The labelled set of extensions
//! and servers stands beside that of models for its sake; pairs of an old and a new version are left out there.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::super::BenchError;
use super::peers::{Bench, written};
use super::{Options, build, write};
use crate::tools;

/// The labelled sets, and how the report calls them.
const SETS: [(&str, &str); 2] =
    [("models_independent", "models"), ("extensions_independent", "extensions, servers, rules")];

/// Leads a peer over the items.
const HELPER: &str = include_str!("peers_models.py");

/// Peers: what is shown, what pip installs, the program by which that is known, and the word for the helper.
const PEERS: [(&str, &str, &str, &str); 4] = [
    ("picklescan 1.0.5", "picklescan[7z]==1.0.5", "picklescan", "picklescan"),
    ("picklescan 1.0.5 --strict", "picklescan[7z]==1.0.5", "picklescan", "strict"),
    ("modelscan 0.8.8", "modelscan[h5py]==0.8.8", "modelscan", "modelscan"),
    (
        "fickling 0.1.12, anything but likely safe",
        "fickling==0.1.12 typing_extensions",
        "fickling",
        "fickling",
    ),
];

/// Runs the benchmark and prints its report.
pub(super) fn run(options: &Options) -> Result<(), BenchError> {
    let program = build("model_pace")?;
    let listed = output(&program, &["--list"])?;
    let mut formats = Vec::new();
    for format in listed.lines() {
        let rounds = (0..options.rounds.max(1)).map(|_| {
            let document = output(&program, &[format])?;
            serde_json::from_str(&document).map_err(|error| BenchError::Server(format!("{format}: {error}")))
        });
        formats.push((format.to_owned(), rounds.collect::<Result<Vec<Value>, _>>()?));
    }
    let mut page = pace(&formats);
    if let Some(packages) = options.peers {
        let program = std::path::absolute(&options.tidegate)
            .map_err(|source| BenchError::Write { path: options.tidegate.clone(), source })?;
        for set in SETS {
            page.push_str(&compare(&program, set, packages)?);
        }
    }
    println!("{page}");
    let out = tools::target().join("bench");
    let document = json!(formats.iter().map(|(_, rounds)| rounds).collect::<Vec<_>>());
    write(&out, "models.md", &page)?;
    write(&out, "models.json", &format!("{document:#}\n"))
}

fn output(program: &Path, arguments: &[&str]) -> Result<String, BenchError> {
    let failed =
        |why: String| BenchError::Server(format!("`{} {}`: {why}", program.display(), arguments.join(" ")));
    let done = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !done.status.success() {
        return Err(failed(done.status.to_string()));
    }
    String::from_utf8(done.stdout).map_err(|error| failed(error.to_string()))
}

/// One row a format: the median round.
fn pace(formats: &[(String, Vec<Value>)]) -> String {
    let mut page = String::from(
        "# What reading models costs\n\nMB per second of CPU of one thread; the median round.\n\n",
    );
    page.push_str("| format | MB | readers of models | whole inspection | MB of memory beside the bytes |\n");
    page.push_str("| --- | --: | --: | --: | --: |\n");
    for (format, rounds) in formats {
        let megabytes = median(rounds, "bytes") / 1e6;
        let _infallible = writeln!(
            page,
            "| {format} | {megabytes:.0} | {:.0} | {:.0} | {:.1} |",
            megabytes / median(rounds, "readers_cpu_seconds").max(1e-9),
            megabytes / median(rounds, "whole_cpu_seconds").max(1e-9),
            median(rounds, "memory_beside_bytes") / 1e6,
        );
    }
    page
}

fn median(rounds: &[Value], key: &str) -> f64 {
    let mut all: Vec<f64> = rounds.iter().filter_map(|round| round[key].as_f64()).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// A labelled item.
struct Item {
    path: PathBuf,
    is_bad: bool,
    /// Whether it is enough that something is told of it.
    is_told: bool,
    /// As what GuardDog can read it.
    guarddog: Option<&'static str>,
}

/// Who finds what in one set; the table as Markdown.
fn compare(tidegate: &Path, (set, called): (&str, &str), packages: usize) -> Result<String, BenchError> {
    let python = tidegate_testkit::tools::python().ok_or(BenchError::Missing("python3"))?;
    let scratch = tempfile::tempdir().map_err(|source| written(Path::new("a scratch folder"), source))?;
    let bench = Bench { python: python.path().to_owned(), scratch: scratch.path().to_owned() };
    let items = items(&bench, set)?;
    let all: Vec<&Item> = items.iter().collect();
    let mut page = format!("\n# Who finds what in the labelled set of {called}\n\n");
    page.push_str(
        "| tool | found | false | ended with an error | CPU seconds |\n| --- | --: | --: | --: | --: |\n",
    );
    page.push_str(&row("tidegate check", &all, of_tidegate(&bench, tidegate, &items)?));
    for (name, requirement, program, word) in PEERS.iter().filter(|_| called == "models") {
        if let Some(installed) = bench.peer(requirement, program) {
            page.push_str(&row(name, &all, of_scanner(&bench, &installed, word, &items)?));
        }
    }
    if let Some(program) = bench.peer("guarddog==3.2.0", "guarddog") {
        let readable: Vec<&Item> = items.iter().filter(|item| item.guarddog.is_some()).collect();
        // Every so many, so that each family has its share.
        let step = (readable.len() / packages.max(1)).max(1);
        let chosen: Vec<&Item> = readable.into_iter().step_by(step).collect();
        let name = format!("GuardDog 3.2.0, {} of {} items", chosen.len(), items.len());
        page.push_str(&row(&name, &chosen, of_guarddog(&bench, &program, &chosen)?));
    }
    Ok(page)
}

/// What a tool told of, how often it ended with an error, and its CPU seconds.
type Told = (BTreeSet<PathBuf>, usize, f64);

fn row(name: &str, items: &[&Item], (told, errors, seconds): Told) -> String {
    let count = |is_bad: bool| {
        let of: Vec<&&Item> = items.iter().filter(|item| item.is_bad == is_bad).collect();
        (of.iter().filter(|item| told.contains(&item.path)).count(), of.len())
    };
    let ((found, bad), (wrong, good)) = (count(true), count(false));
    format!("| {name} | {found} of {bad} | {wrong} of {good} | {errors} | {seconds:.1} |\n")
}

/// A scanner of models, led over all items by its own library.
fn of_scanner(bench: &Bench, installed: &Path, word: &str, items: &[Item]) -> Result<Told, BenchError> {
    let python = installed.with_file_name("python");
    let list = bench.scratch.join("list");
    let lines: Vec<String> = items.iter().map(|item| item.path.display().to_string()).collect();
    std::fs::write(&list, lines.join("\n")).map_err(|source| written(&list, source))?;
    let words = [python.as_os_str(), "-c".as_ref(), HELPER.as_ref(), word.as_ref(), list.as_os_str()];
    let (seconds, printed) = bench.measure(&words)?;
    let all: Vec<Value> = printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told = all.iter().filter(|one| one["told"] == true);
    let told = told.filter_map(|one| one["input"].as_str().map(PathBuf::from)).collect();
    let errors = all.iter().filter(|one| !one["error"].is_null()).count() + (items.len() - all.len());
    Ok((told, errors, seconds))
}

fn of_guarddog(bench: &Bench, program: &Path, items: &[&Item]) -> Result<Told, BenchError> {
    let (mut told, mut errors, mut all) = (BTreeSet::new(), 0, 0.0);
    for item in items {
        let ecosystem = item.guarddog.unwrap_or_default();
        let words = [program.as_os_str(), ecosystem.as_ref(), "scan".as_ref(), item.path.as_os_str()];
        let options = ["--output-format", "json"].map(std::ffi::OsStr::new);
        let (seconds, printed) = bench.measure(&[&words[..], &options[..]].concat())?;
        all += seconds;
        match serde_json::from_str::<Value>(&printed) {
            Ok(document) if document["issues"].as_u64().unwrap_or_default() > 0 => {
                told.insert(item.path.clone());
            }
            Ok(_) => {}
            Err(_) => errors += 1,
        }
    }
    Ok((told, errors, all))
}

/// Writes a set and reads its labels.
fn items(bench: &Bench, set: &str) -> Result<Vec<Item>, BenchError> {
    let folder = bench.scratch.join(set);
    let script = tools::root().join("crates/tidegate-inspect/tests").join(set).join("generate.py");
    tools::run(Command::new(&bench.python).arg(script).arg(&folder).stdout(Stdio::null()))
        .map_err(|error| BenchError::Server(error.to_string()))?;
    let path = folder.join("labels.json");
    let labels = std::fs::read(&path).map_err(|source| written(&path, source))?;
    let labels: Vec<Value> =
        serde_json::from_slice(&labels).map_err(|error| BenchError::Server(error.to_string()))?;
    Ok(labels.iter().filter_map(|label| item(label, &folder)).collect())
}

fn item(label: &Value, folder: &Path) -> Option<Item> {
    let place = label["file"].as_str().or_else(|| label["folder"].as_str())?;
    let guarddog = match label["kind"].as_str() {
        Some("vsix") => Some("extension"),
        Some("mcp-npm") => Some("npm"),
        Some("mcp-pypi") => Some("pypi"),
        // A model's folder may hold Python that loads it.
        _ => label["folder"].is_string().then_some("pypi"),
    };
    Some(Item {
        path: folder.join(place),
        is_bad: label["label"] == "bad",
        is_told: label["expect"] == "told",
        guarddog,
    })
}

/// What `check` tells: a verdict above clean, and where that is enough a finding of at least medium severity.
fn of_tidegate(bench: &Bench, program: &Path, items: &[Item]) -> Result<Told, BenchError> {
    let data = bench.scratch.join("data");
    let mut command: Vec<&std::ffi::OsStr> = vec![program.as_os_str()];
    command.extend(["check", "--offline", "--json", "--data"].map(std::ffi::OsStr::new));
    command.push(data.as_os_str());
    command.extend(items.iter().map(|item| item.path.as_os_str()));
    let (seconds, printed) = bench.measure(&command)?;
    let lines: Vec<Value> = printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let mut told = BTreeSet::new();
    for line in &lines {
        let Some(path) = line["input"].as_str().map(PathBuf::from) else { continue };
        let is_told = items.iter().any(|item| item.path == path && item.is_told);
        if tells(line, is_told) {
            told.insert(path);
        }
    }
    let errors =
        items.len() - lines.iter().filter(|line| line["verdict"]["is"].is_string()).count().min(items.len());
    Ok((told, errors, seconds))
}

fn tells(line: &Value, is_told: bool) -> bool {
    let is_held = matches!(line["verdict"]["is"].as_str(), Some("suspicious" | "malicious"));
    let grave =
        |finding: &Value| matches!(finding["severity"].as_str(), Some("medium" | "high" | "critical"));
    is_held || is_told && line["findings"].as_array().is_some_and(|findings| findings.iter().any(grave))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_round_of_each_format_is_told() {
        let round = |seconds: f64| json!({ "bytes": 60_000_000, "readers_cpu_seconds": seconds, "whole_cpu_seconds": 2.0, "memory_beside_bytes": 3_000_000 });
        let page = pace(&[("pickle".to_owned(), vec![round(9.0), round(0.2), round(0.1)])]);
        assert!(page.contains("| pickle | 60 | 300 | 30 | 3.0 |"), "{page}");
    }

    #[test]
    fn a_finding_is_enough_only_where_the_label_says_so() {
        let medium = json!({ "verdict": { "is": "clean" }, "findings": [{ "severity": "medium" }] });
        assert!(tells(&medium, true) && !tells(&medium, false));
        assert!(tells(&json!({ "verdict": { "is": "suspicious" } }), false));
        assert!(!tells(&json!({ "verdict": { "is": "clean" }, "findings": [{ "severity": "low" }] }), true));
    }
}
