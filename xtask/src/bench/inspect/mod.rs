//! `cargo xtask bench inspect`: what looking inside packages costs, part by part, over real packages.
//!
//! The packages are those of a folder, or popular ones that the package managers at hand fetch as they are configured. The
//! example `parts` of `tidegate-inspect` is built optimised and led over them several times; it counts the CPU time of its one
//! thread, and the median of the rounds is shown. The figures are ratios for a reader, never assertions: another machine, or
//! a busy one, gives others. With `--models` it is models: see `models`.

mod models;
mod packages;
mod peers;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::BenchError;
use crate::tools;

/// What is measured and how often.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A folder of packages (`.tgz`, `.whl`, `.tar.gz`, `.crate`); without it, popular ones are fetched once
    #[arg(long)]
    packages: Option<PathBuf>,
    /// Rounds over all packages
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Also compare with kingfisher, detect-secrets and GuardDog on the labelled sets: GuardDog on about so many packages
    #[arg(long)]
    peers: Option<usize>,
    /// The product that is compared with them
    #[arg(long, default_value_os_t = tools::target().join("release/tidegate"))]
    tidegate: PathBuf,
    /// Models instead of packages: what each format costs, and with `--peers` who finds what in the labelled ones
    #[arg(long)]
    models: bool,
    /// Files of which the cost is told one by one, the dearest first
    #[arg(long, default_value_t = 10)]
    slowest: usize,
}

/// Parts of an inspection in the order in which they are told, and what each reads.
const PARTS: &[(&str, &str)] = &[
    ("unfold", "unpacking, of unpacked bytes"),
    ("secrets", "every leaf"),
    ("javascript", "files by their ending"),
    ("python", "files by their ending"),
    ("rust", "files by their ending"),
    ("shell", "files by their ending"),
    ("behaviour", "every leaf: all readers of languages, texts, digests, and the detectors"),
    ("licences", "every leaf"),
    ("inventory", "every leaf"),
    ("whole", "everything from the packed file on, of unpacked bytes"),
];

/// Runs the benchmark and prints its report.
pub(super) fn run(options: &Options) -> Result<(), BenchError> {
    if options.models {
        return models::run(options);
    }
    let folder = match &options.packages {
        Some(folder) => folder.clone(),
        None => packages::fetch(&tools::target().join("bench/packages")),
    };
    let files = packages::list(&folder);
    if files.is_empty() {
        return Err(BenchError::Server(format!("`{}` holds no packages", folder.display())));
    }
    let program = build("parts")?;
    let mut rounds = Vec::new();
    for round in 1..=options.rounds.max(1) {
        eprintln!("round {round} of {}: {} packages", options.rounds.max(1), files.len());
        rounds.push(measure(&program, &files, options.slowest)?);
    }
    let mut page = markdown(&rounds, files.len());
    if let Some(packages) = options.peers {
        let program = std::path::absolute(&options.tidegate)
            .map_err(|source| BenchError::Write { path: options.tidegate.clone(), source })?;
        page.push_str(&peers::compare(&program, packages)?);
    }
    println!("{page}");
    let out = tools::target().join("bench");
    let document = json!({ "packages": files.len(), "rounds": rounds });
    write(&out, "inspect.md", &page)?;
    write(&out, "inspect.json", &format!("{document:#}\n"))
}

/// A program that measures, built as the product is.
fn build(example: &str) -> Result<PathBuf, BenchError> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(tools::root());
    cargo.args(["build", "--release", "-p", "tidegate-inspect", "--example", example]);
    tools::run(&mut cargo).map_err(|error| BenchError::Server(error.to_string()))?;
    Ok(tools::target().join("release/examples").join(example))
}

fn measure(program: &Path, files: &[PathBuf], slowest: usize) -> Result<Value, BenchError> {
    let failed = |why: String| BenchError::Server(format!("`{}`: {why}", program.display()));
    let output = Command::new(program)
        .args(["--slowest", &slowest.to_string()])
        .args(files)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

/// One row a part: the median round.
fn markdown(rounds: &[Value], packages: usize) -> String {
    let mut page = format!(
        "# What looking inside {packages} packages costs\n\nMedian of {} rounds; MB per second of CPU of one thread.\n\n",
        rounds.len()
    );
    page.push_str(
        "| part | files or packages | MB | CPU seconds | MB per CPU second | of the whole | reads |\n",
    );
    page.push_str("| --- | --: | --: | --: | --: | --: | --- |\n");
    let whole = seconds(rounds, "whole");
    for (part, reads) in PARTS {
        let Some(one) = rounds.iter().map(|round| &round["parts"][part]).find(|one| one.is_object()) else {
            continue;
        };
        let megabytes = one["bytes"].as_f64().unwrap_or_default() / 1e6;
        let cost = seconds(rounds, part);
        let _infallible = writeln!(
            page,
            "| {part} | {} | {megabytes:.1} | {cost:.2} | {:.1} | {:.0} % | {reads} |",
            one["files"],
            megabytes / cost.max(1e-9),
            100.0 * cost / whole.max(1e-9)
        );
    }
    page.push_str("\n| CPU ms | part | kB | dearest of the last round |\n| --: | --- | --: | --- |\n");
    let dearest = rounds.last().and_then(|round| round["slowest"].as_array());
    for one in dearest.into_iter().flatten() {
        let _infallible = writeln!(
            page,
            "| {:.0} | {} | {} | {} |",
            one[0].as_f64().unwrap_or_default() * 1e3,
            one[1].as_str().unwrap_or_default(),
            one[2].as_u64().unwrap_or_default() / 1000,
            one[3].as_str().unwrap_or_default()
        );
    }
    page
}

/// CPU seconds of a part in the median round.
fn seconds(rounds: &[Value], part: &str) -> f64 {
    let mut all: Vec<f64> =
        rounds.iter().filter_map(|round| round["parts"][part]["cpu_seconds"].as_f64()).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), BenchError> {
    let path = folder.join(name);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|source| BenchError::Write { path, source })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{markdown, seconds};

    #[test]
    fn the_median_round_is_told() {
        let round = |cost: f64| {
            let part = json!({ "bytes": 40_000_000, "files": 7, "cpu_seconds": cost });
            json!({ "parts": { "secrets": part, "whole": { "bytes": 1, "files": 1, "cpu_seconds": 8.0 } }, "slowest": [] })
        };
        let rounds = [round(9.0), round(2.0), round(1.0)];
        assert!((seconds(&rounds, "secrets") - 2.0).abs() < 1e-9);
        assert!(seconds(&rounds, "python").abs() < 1e-9);
        let page = markdown(&rounds, 3);
        assert!(page.contains("| secrets | 7 | 40.0 | 2.00 | 20.0 | 25 % |"), "{page}");
        assert!(!page.contains("python"), "{page}");
    }
}
