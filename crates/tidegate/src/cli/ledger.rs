//! `tidegate ledger`: the entries themselves, and what proves that nobody changed them.
//!
//! What reads the data directory needs no door, and a running one does not mind.

mod keys;
mod proofs;
mod verify;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use tidegate_ledger::Reader;
use tidegate_sys::disk::RealDisk;

use super::reindex::Reindex;
use super::{Failure, Outcome, default_data};

/// Read the ledger.
#[derive(Debug, Args)]
pub struct Ledger {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the entries, oldest first, one JSON object a line, each checked against the chain.
    Export {
        /// Begin with the entry of this number.
        #[arg(long, value_name = "SEQ", default_value_t = 1)]
        from: u64,
        /// Data directory.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    Checkpoint(proofs::Checkpoint),
    Prove(proofs::Prove),
    Diff(proofs::Diff),
    Verify(verify::Verify),
    RotateKey(keys::RotateKey),
    Reindex(Reindex),
}

impl Ledger {
    /// Runs it.
    ///
    /// # Errors
    /// There is no ledger, or it is damaged; then with the file and the place.
    pub fn run(self) -> Outcome {
        let (from, data) = match self.command {
            Command::Export { from, data } => (from, data),
            Command::Checkpoint(command) => return command.run(),
            Command::Prove(command) => return command.run(),
            Command::Diff(command) => return command.run(),
            Command::Verify(command) => return command.run(),
            Command::RotateKey(command) => return command.run(),
            Command::Reindex(command) => return command.run(),
        };
        let folder = data.unwrap_or_else(default_data).join("ledger");
        // Reading an empty folder would look like a ledger without entries.
        if !folder.is_dir() {
            return Err(Failure(format!(
                "there is no ledger in `{}`\n  --data names the data directory of the door",
                folder.display()
            )));
        }
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        for entry in Reader::open(Arc::new(RealDisk), &folder, from)? {
            let mut line = entry?.json;
            line.push(b'\n');
            match out.write_all(&line) {
                // A reader that has seen enough (`| head`) is no failure.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                written => written?,
            }
        }
        match out.flush() {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}
