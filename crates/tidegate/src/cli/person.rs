//! `tidegate person`: forgetting.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::show::{Ask, minute, print_json, print_table, safe, text, words};
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
    /// Delete whatever names a person: name, key, salts, tokens, and the name in waivers, approvals and alarms. Records stay and
    /// speak of nobody. This cannot be undone.
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
                    print(&forgotten(name, &told))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn forgotten(name: &str, told: &serde_json::Value) -> String {
    let deleted = &told["deleted"];
    let mut out = format!(
        "{} is forgotten: {} values and {} tokens deleted, {} mentions replaced; records go on as {}\n",
        safe(name),
        deleted["values"],
        deleted["tokens"],
        deleted["mentions"],
        text(told, "stand_in"),
    );
    for path in words(told, "still_named_in").split(", ").filter(|path| !path.is_empty()) {
        let _ = writeln!(out, "the name still stands in {}: it is a file of yours to change", safe(path));
    }
    out
}
