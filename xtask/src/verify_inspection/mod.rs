//! `cargo xtask verify-inspection`: what inspection says about the newest versions of popular packages.
//!
//! Opt-in, because it needs the network and minutes. The names are data: `xtask/data/inspection/`, one list for each
//! ecosystem, with packages that run code on installation, bring machine code, read credentials or start programs first of
//! all, because these are where a detector errs. Each is fetched by the ecosystem's own client as this machine has it
//! configured, never installed and never run, and inspected as the door would. None may be held: a package that is, without
//! a written defence, fails the run. What was found is written down by package, detector and number (`--write`), so
//! that a later run shows what a change of the detectors changed; texts and places are left out, and no secret is in it.

mod fetch;
mod record;

use std::path::{Path, PathBuf};
use std::process::Command;

use fetch::Fetched;
use record::{Look, Record};
use tidegate_inspect::{Budgets, Request, TemporaryFiles, inspect, prepare};

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
    /// The optimised build of this program failed.
    #[error(transparent)]
    Command(#[from] CommandError),
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
    if cfg!(debug_assertions) {
        // Unoptimised the same work takes half an hour.
        return Ok(tools::run(&mut optimised())?);
    }
    prepare();
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
            record.add(look(ecosystem, package, arguments.show)?);
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

/// The same command by an optimised build of this program.
fn optimised() -> Command {
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--locked", "--quiet", "--package", "xtask", "--"]);
    command.args(std::env::args_os().skip(1)).current_dir(tools::root());
    command
}

fn names(list: &Path, part: &str) -> Result<Vec<String>, InspectionError> {
    let text = std::fs::read_to_string(list)
        .map_err(|source| InspectionError::File { path: list.to_owned(), source })?;
    let names = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    Ok(names.filter(|name| name.contains(part)).map(str::to_owned).collect())
}

/// One package, as the door would look at it.
fn look(ecosystem: &'static str, package: &Fetched, show: bool) -> Result<Look, InspectionError> {
    let bytes = std::fs::read(&package.file)
        .map_err(|source| InspectionError::File { path: package.file.clone(), source })?;
    let file = package.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let request = Request {
        name: file,
        ecosystem: ecosystem.parse().ok(),
        package: package.name.clone(),
        version: package.version.clone(),
        // Equal secrets need not be known again.
        hash_key: [7; 32],
        ..Request::default()
    };
    let before = cpu_seconds();
    let inspection = inspect(&request, &bytes, &Budgets::default(), &TemporaryFiles::default());
    let look = Look::of(ecosystem, package, &inspection, bytes.len() as u64, cpu_seconds() - before);
    eprintln!("{look}");
    if show {
        inspection.findings.iter().filter_map(record::shown).for_each(|line| eprintln!("    {line}"));
    }
    Ok(look)
}

/// CPU seconds of this thread so far, as the kernel's scheduler counts them; 0 where it does not say.
fn cpu_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}
