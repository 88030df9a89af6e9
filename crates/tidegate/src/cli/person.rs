//! `tidegate person`: forgetting.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::show::{Ask, minute, print_json, print_table, text};
use super::{Outcome, print};

/// List and forget people.
#[derive(Debug, Args)]
pub struct Person {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List who is known by name.
    List,
    /// Delete a person's name, key, salts and tokens. Records stay and speak of nobody. This cannot be undone.
    Forget {
        /// The name, as `list` shows it.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

impl Person {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let door = self.ask.door()?;
        match &self.command {
            Command::List => {
                let people = door.all("people", &[], "people")?;
                if self.ask.json {
                    print_json(&people)?;
                } else {
                    let row = |p: &serde_json::Value| {
                        vec![text(p, "name").into(), text(p, "kind").into(), minute(p, "known_since")]
                    };
                    print_table(
                        &["NAME", "KIND", "KNOWN SINCE"],
                        &people.iter().map(row).collect::<Vec<_>>(),
                    )?;
                }
            }
            Command::Forget { name } => {
                let told = door.delete("people", &[("name", name)])?;
                if self.ask.json {
                    print_json([&told])?;
                } else {
                    let deleted = &told["deleted"];
                    print(&format!(
                        "{name} is forgotten: {} values and {} tokens deleted; records go on as {}\n",
                        deleted["values"],
                        deleted["tokens"],
                        &text(&told, "pseudonym").chars().take(16).collect::<String>()
                    ))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
