//! `tidegate custody`: the key that signs statements about artifacts.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::remote::{Reach, Remote};
use super::show::text;
use super::{Outcome, print};

/// Look after the key that signs statements about artifacts.
#[derive(Debug, Args)]
pub struct Custody {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    RotateKey(RotateKey),
}

/// Replace the key that signs statements about artifacts.
///
/// The running door makes a new one, announces it in the ledger and in its key ring, which both keys sign, and signs with it what
/// happens from a moment later on. What the old one signed stays signed; it is kept for an hour, for what was decided before, and is
/// gone then. A key in a token or behind a program is made there, and named in the configuration.
#[derive(Debug, Args)]
struct RotateKey {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

impl Custody {
    /// Runs it.
    ///
    /// # Errors
    /// No door, a key that cannot be made here, a folder that cannot be written to.
    pub fn run(self) -> Outcome {
        let Command::RotateKey(RotateKey { json: as_json, reach }) = self.command;
        let told = Remote::new(&reach)?.post("custody/keys", &json!({}))?;
        if as_json {
            print(&format!("{told}\n"))?;
        } else {
            print(&format!(
                "signed   {}\nnew      {} from {}\n{}it is announced by entry {} and in the key ring; tell it to those who verify with keys that they were given\n",
                text(&told, "before"),
                text(&told, "key_id"),
                text(&told, "from"),
                text(&told, "public_key"),
                text(&told, "record"),
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
