//! `cargo xtask verify-inspection`: what inspection says about the newest versions of popular packages.
//!
//! Opt-in, because it needs the network and minutes. The names are data: `xtask/data/inspection/`, one list for each
//! ecosystem, with packages that run code on installation, bring machine code, read credentials or start programs first of
//! all, because these are where a detector errs. Each is fetched by the ecosystem's own client as this machine has it
//! configured, never installed and never run, and looked into by `tidegate check` of an optimised build: by a worker, under the
//! limits that a door's workers have. None may be held, and each must have a result: a package that is, without
//! a written defence, fails the run. What was found is written down by package, detector and number (`--write`), so
//! that a later run shows what a change of the detectors changed; texts and places are left out, and no secret is in it.

mod fetch;
mod record;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fetch::Fetched;
use record::{Look, Record};
use serde_json::Value;

use crate::tools::{self, CommandError};

/// Inspect the newest versions of popular packages; none may be held.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these: npm, pypi, cargo
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only packages whose name holds this
    #[arg(long, default_value = "")]
    name: String,
    /// Inspect what an earlier run fetched, ask no registry
    #[arg(long)]
    fetched: bool,
    /// Write the record of what was found
    #[arg(long)]
    write: bool,
    /// Show every finding of medium severity and above, with its place
    #[arg(long)]
    show: bool,
}

/// Why a run is no success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectionError {
    /// The optimised build of tidegate failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// `tidegate check` gave no result.
    #[error("`tidegate check` says nothing about `{path}`: {why}")]
    Check {
        /// Which.
        path: PathBuf,
        /// What it said instead.
        why: String,
    },
    /// A list, a package or the record could not be read or written.
    #[error("`{path}`")]
    File {
        /// Which.
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// Packages are held and nobody has defended that.
    #[error("{0} popular packages are held without a defence")]
    Held(usize),
    /// Less was inspected than a run must.
    #[error("only {inspected} packages of {ecosystem} could be inspected, at least {least} are needed")]
    TooFew {
        /// Of which ecosystem.
        ecosystem: &'static str,
        /// How many were.
        inspected: usize,
        /// How many must be.
        least: usize,
    },
}

/// An ecosystem, and how many packages of it a whole run inspects at least.
const ECOSYSTEMS: [(&str, usize); 3] = [("npm", 110), ("pypi", 85), ("cargo", 65)];

/// CPU seconds above which a package is named in the report.
const SLOW_SECONDS: f64 = 10.0;

/// Packages that inspection holds and that it is right to hold for a person to look at: ecosystem, name, why.
const DEFENDED: [(&str, &str, &str); 0] = [];

/// Fetches, inspects, compares.
pub(crate) fn run(arguments: &Arguments) -> Result<(), InspectionError> {
    tools::run(
        Command::new("cargo")
            .args(["build", "--release", "--locked", "-p", "tidegate"])
            .current_dir(tools::root()),
    )?;
    let program = tools::target().join("release/tidegate");
    let data = tools::root().join("xtask/data/inspection");
    let before = Record::read(&data.join("found.tsv"))?;
    let mut record = Record::default();
    for (ecosystem, least) in ECOSYSTEMS {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|only| only == ecosystem) {
            continue;
        }
        let names = names(&data.join(ecosystem).with_extension("txt"), &arguments.name)?;
        let fetched = fetch::newest(ecosystem, &names, arguments.fetched);
        if fetched.is_empty() {
            eprintln!("SKIPPED: verify-inspection: no package of {ecosystem} can be fetched from here");
            continue;
        }
        let mut inspected = 0;
        for package in &fetched {
            record.add(look(&program, ecosystem, package, arguments.show)?);
            inspected += 1;
        }
        if arguments.name.is_empty() && inspected < least {
            return Err(InspectionError::TooFew { ecosystem, inspected, least });
        }
    }
    println!("{}", record.report(SLOW_SECONDS));
    for change in record.changes_since(&before) {
        println!("{change}");
    }
    let held = record.held(&DEFENDED);
    if arguments.write {
        record.over(before).write(&data.join("found.tsv"))?;
    }
    held.iter().for_each(|package| println!("not defended: {package}"));
    if held.is_empty() { Ok(()) } else { Err(InspectionError::Held(held.len())) }
}

fn names(list: &Path, part: &str) -> Result<Vec<String>, InspectionError> {
    let text = std::fs::read_to_string(list)
        .map_err(|source| InspectionError::File { path: list.to_owned(), source })?;
    let names = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    Ok(names.filter(|name| name.contains(part)).map(str::to_owned).collect())
}

/// One package, as a worker of the door looks at it.
fn look(
    program: &Path,
    ecosystem: &'static str,
    package: &Fetched,
    show: bool,
) -> Result<Look, InspectionError> {
    let path = &package.file;
    let failed = |why: String| InspectionError::Check { path: path.clone(), why };
    let file = |source| InspectionError::File { path: path.clone(), source };
    let data = tempfile::tempdir().map_err(file)?;
    let before = cpu_seconds();
    let output = Command::new(program)
        .args(["check", "--json", "--offline", "--data"])
        .args([data.path(), path.as_path()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let seconds = cpu_seconds() - before;
    // It ends with another status than 0 where policy withholds something; whether there is an answer its output tells.
    let answer: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))?;
    let look = Look::of(ecosystem, package, &answer, std::fs::metadata(path).map_err(file)?.len(), seconds);
    eprintln!("{look}");
    if show {
        record::findings(&answer).iter().filter_map(record::shown).for_each(|line| eprintln!("    {line}"));
    }
    Ok(look)
}

/// CPU seconds of the programs that this one started and that have ended, as the kernel counts them; 0 where it does not say.
fn cpu_seconds() -> f64 {
    // The kernel tells in hundredths of a second, on every architecture that Linux has today.
    const TICKS: f64 = 100.0;
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name before it may hold blanks and parentheses.
    let numbers = told.rsplit_once(") ").map_or("", |(_, numbers)| numbers);
    let of_children = numbers.split_whitespace().skip(13).take(2);
    of_children.filter_map(|number| number.parse::<f64>().ok()).sum::<f64>() / TICKS
}
