//! Commands that look after a door: what is on, what was decided and why, exceptions, tokens, people.

use std::process::ExitCode;

use clap::Subcommand;

use super::{Outcome, manual};

/// Every command that looks after a door.
#[derive(Debug, Subcommand)]
pub enum Operate {
    /// Print a script that completes commands in a shell.
    Completions(manual::Completions),
    /// Write the manual pages into a folder.
    Manual(manual::Manual),
}

impl Operate {
    /// Runs it.
    ///
    /// # Errors
    /// Whatever the person at the terminal must know.
    pub fn run(self) -> Outcome {
        match self {
            Self::Completions(command) => command.run(),
            Self::Manual(command) => command.run(),
        }
        .map(|()| ExitCode::SUCCESS)
    }
}
