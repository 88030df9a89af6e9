//! `tidegate run`: one client command through the door.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Outcome, default_data};
use crate::run;

/// Run one client command through the door, then say what was admitted, steered, held and why.
///
/// Uses the running door of the data directory, or starts one that ends by itself. Ends with the client's own status; with
/// 4 (block) or 3 (quarantine) where the lock file holds refused entries and the client was not started.
#[derive(Debug, Args)]
pub struct Run {
    /// Start the client although its lock file holds refused entries.
    #[arg(long)]
    pub keep_going: bool,
    /// Data directory of the door.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The command: `npm ci`, `pip install …`, `uv sync`, `cargo build`, …
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl Run {
    /// Runs it.
    ///
    /// # Errors
    /// The door cannot be used; the client did not start.
    pub fn run(self) -> Outcome {
        let data = self.data.unwrap_or_else(default_data);
        let run = run::Run { data, keep_going: self.keep_going, command: self.command };
        run.run().map(ExitCode::from)
    }
}
