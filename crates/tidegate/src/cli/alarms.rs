//! `tidegate alarms`: what a person must look at.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::show::{Ask, list, minute, print_json, print_table, text};
use super::{Outcome, print};

/// List and acknowledge alarms.
#[derive(Debug, Args)]
pub struct Alarms {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List alarms, newest first.
    List {
        /// Those that somebody has seen to too.
        #[arg(long)]
        acknowledged: bool,
    },
    /// Say that you have seen to one.
    Ack {
        /// Its number.
        #[arg(value_name = "NUMBER")]
        number: i64,
    },
}

impl Alarms {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let door = self.ask.door()?;
        match &self.command {
            Command::List { acknowledged } => {
                let query: &[_] = if *acknowledged { &[("acknowledged", "true")] } else { &[] };
                let told = door.get("alarms", query)?;
                let alarms = list(&told, "alarms");
                if self.ask.json {
                    print_json(alarms)?;
                } else if alarms.is_empty() {
                    print("no alarm is open\n")?;
                } else {
                    let row = |a: &serde_json::Value| {
                        let seen = match text(a, "acknowledged_by") {
                            "" => "open".to_owned(),
                            by => format!("seen to by {by}"),
                        };
                        vec![
                            a["number"].to_string(),
                            minute(a, "last_at"),
                            a["count"].to_string(),
                            seen,
                            text(a, "message").to_owned(),
                        ]
                    };
                    let rows: Vec<_> = alarms.iter().map(row).collect();
                    print_table(&["NUMBER", "LAST", "TIMES", "STATE", "WHAT"], &rows)?;
                }
            }
            Command::Ack { number } => {
                let told = door.post(&format!("alarms/{number}/ack"), &serde_json::json!({}))?;
                if self.ask.json {
                    print_json([&told])?;
                } else {
                    print(&format!("alarm {number} is acknowledged\n"))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
