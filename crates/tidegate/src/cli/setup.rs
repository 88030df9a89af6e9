//! `tidegate setup`: a client's lasting configuration, shown or written.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tidegate_model::Secret;
use url::Url;

use super::{Failure, Outcome, default_data, discover, print};
use crate::clients::{self, Client};
use crate::discover::{Surroundings, remember};

/// Print what a client needs in order to use the door from now on, or write it into the user's configuration.
#[derive(Debug, Args)]
pub struct Setup {
    /// npm, pnpm, yarn, pip, uv, poetry, cargo, huggingface, docker, podman, skopeo or containerd.
    pub client: Client,
    /// Merge it into the user's own configuration, keeping the old file beside the new one.
    #[arg(long)]
    pub write: bool,
    /// Address of the door; that of the data directory where left out.
    #[arg(long, value_name = "URL", env = "TIDEGATE_DOOR")]
    pub door: Option<Url>,
    /// Token for the door, where it demands one.
    #[arg(long, value_name = "TOKEN", env = "TIDEGATE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Setup {
    /// Runs it.
    ///
    /// # Errors
    /// A file that cannot be written; it is then as it was.
    pub fn run(self) -> Outcome {
        let data = self.data.unwrap_or_else(default_data);
        let own = discover::own_addresses(&data)?;
        let door = match self.door {
            Some(door) => door,
            // The address noted by a running door comes last and is the best known one.
            None => own.last().cloned().ok_or_else(|| Failure("the door has no address".into()))?,
        };
        let token = self.token.map(Secret::new);
        let setup = clients::setup(self.client, &door, token.as_ref());
        let around = Surroundings::of_process(std::env::current_dir()?, own).explicit_from_vars();
        let mut text = String::new();
        if self.write {
            // Once the client names the door, it no longer says what lies behind it.
            remember::discover_and_keep(&around, &data)?;
            for file in &setup.files {
                let written = file.write(&around)?;
                let path = written.path.display();
                text.push_str(&match (written.changed, written.undo()) {
                    (true, Some(undo)) => format!("wrote {path}\n  take it back: {undo}\n"),
                    _ => format!("{path} holds it already\n"),
                });
            }
        } else {
            for file in &setup.files {
                text.push_str(&format!("# {}\n{}\n", file.shown_as, file.content().expose()));
            }
        }
        for command in &setup.commands {
            text.push_str(&format!("run: {command}\n"));
        }
        for note in &setup.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
