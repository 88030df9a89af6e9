//! The command line. One definition drives parser, help, manual and completions.

mod alarms;
mod approval;
pub mod check;
mod config;
mod custody;
mod detectors;
pub mod discover;
mod events;
mod inspection_worker;
mod intel;
mod ledger;
pub mod lock;
mod manual;
mod mcp;
pub mod operate;
mod person;
mod policy;
mod quarantine;
pub mod reference;
mod reindex;
pub mod remote;
pub mod run;
pub mod sbom;
pub mod setup;
pub mod show;
mod status;
mod token;
mod trust;
pub mod up;
mod verify;
mod waiver;
mod who;
mod why;
mod witness;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// One door through which every package enters an organisation.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the door; nothing to configure.
    Up(up::Up),
    /// Run one client command through the door, then say what was admitted, steered, held and why.
    Run(run::Run),
    /// Look into files and folders, and decide on packages and lock files, without installing anything.
    Check(check::Check),
    /// Find and mend entries of a lock file that would go around the door.
    Lock(lock::Lock),
    /// Show the upstreams that this machine's clients use, and where each answer came from.
    Discover(discover::Discover),
    /// Print what a client needs in order to use the door from now on, or write it.
    Setup(setup::Setup),
    /// Write what a package holds, as CycloneDX or SPDX.
    Sbom(sbom::Sbom),
    /// List what is looked for inside packages.
    Detectors(detectors::Detectors),
    /// Look inside the artifacts that a running door hands over.
    #[command(hide = true)]
    InspectionWorker(inspection_worker::InspectionWorker),
    /// Commands that look after a door.
    #[command(flatten)]
    Operate(Box<operate::Operate>),
}

/// Runs a command.
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Up(up) => up.run(),
        Command::Run(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Lock(command) => command.run(),
        Command::Discover(command) => command.run(),
        Command::Setup(command) => command.run(),
        Command::Sbom(command) => command.run(),
        Command::Detectors(command) => command.run(),
        Command::InspectionWorker(command) => command.run(),
        Command::Operate(command) => command.run(),
    };
    match result {
        Ok(code) => code,
        Err(Failure(message)) => {
            anstream::eprintln!("tidegate: {message}");
            ExitCode::from(1)
        }
    }
}

/// A message for the person at the terminal: what, where, what to do.
#[derive(Debug)]
pub struct Failure(pub String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            let next = source.to_string();
            if !text.contains(&next) {
                text.push_str(": ");
                text.push_str(&next);
            }
            cause = source.source();
        }
        Self(text)
    }
}

/// Prints to standard output. A reader that went away (`| head`) is no failure.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| Failure(format!("standard output cannot be written: {e}"))),
    }
}

/// Text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
}

/// What a command comes to.
pub type Outcome = Result<ExitCode, Failure>;

/// Where data lives unless told otherwise: `$TIDEGATE_DATA`, else `tidegate` in the user's data directory.
pub fn default_data() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    variable("TIDEGATE_DATA")
        .or_else(|| variable("XDG_DATA_HOME").map(|d| d.join("tidegate")))
        .or_else(|| variable("HOME").map(|d| d.join(".local/share/tidegate")))
        .unwrap_or_else(|| PathBuf::from("tidegate-data"))
}
