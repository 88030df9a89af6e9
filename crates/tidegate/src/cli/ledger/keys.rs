//! Replacing the key that signs checkpoints.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::super::remote::{Reach, Remote};
use super::super::show::text;
use super::super::{Outcome, print};

/// Replace the key that signs checkpoints.
///
/// The running door makes a new one, announces it in the ledger under the old one, has both sign a checkpoint, and signs with the
/// new one from then on; the old private key is gone. What the old one signed stays signed, and whoever believes it can follow to
/// the new one. Witnesses must be told the new key: with --prepare it is announced and printed, and not used before the command is
/// given again without.
#[derive(Debug, Args)]
pub(super) struct RotateKey {
    /// Make and announce the new key, and go on signing with the old one.
    #[arg(long)]
    prepare: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

impl RotateKey {
    /// Replaces it.
    ///
    /// # Errors
    /// No door, a ledger that is not published, a folder that cannot be written to.
    pub(super) fn run(self) -> Outcome {
        let told = Remote::new(&self.reach)?.post("ledger/keys", &json!({ "prepare": self.prepare }))?;
        if self.json {
            print(&format!("{told}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let (before, key, record) = (text(&told, "before"), text(&told, "key"), text(&told, "record"));
        let what = if self.prepare {
            format!(
                "next     {key}\nit is announced by entry {record} and not used yet: tell it to witnesses and auditors, then run\n  tidegate ledger rotate-key\n"
            )
        } else {
            format!(
                "new      {key}\nit is announced by entry {record}, both keys signed the checkpoint that covers it, and the new one signs from now on\n  the old private key is gone; what it signed stays signed\n"
            )
        };
        print(&format!("signed   {before}\n{what}"))?;
        Ok(ExitCode::SUCCESS)
    }
}
