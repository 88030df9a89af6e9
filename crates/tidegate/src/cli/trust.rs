//! `tidegate trust`: the roots under which attestations are checked, and how they are renewed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::show::{Ask, CARE, FAINT, list, minute, print_json, print_table, safe, styled, text};
use super::{Failure, Outcome, print};

/// Show and renew the roots under which attestations are checked.
#[derive(Debug, Args)]
pub struct Trust {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the roots in force, where they came from and how old they are.
    Status,
    /// Get newer roots from the repositories of their instances now.
    Refresh,
    /// Bring in a root by hand: a file that another door exported, or a copy of the instance's TUF repository in a folder.
    Import {
        /// The file or folder.
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Whose root it is.
        #[arg(long, value_name = "NAME", default_value = "public-good")]
        instance: String,
    },
    /// Write what is behind a root that was refreshed or imported, for a door without a network.
    Export {
        /// The file; one that is there is replaced.
        #[arg(value_name = "FILE")]
        path: PathBuf,
        /// Whose root.
        #[arg(long, value_name = "NAME", default_value = "public-good")]
        instance: String,
    },
}

impl Trust {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let door = self.ask.door()?;
        // The door runs in another folder.
        let carried = |path: &PathBuf, instance: &str| -> Result<Value, Failure> {
            Ok(json!({ "path": std::path::absolute(path)?, "instance": instance }))
        };
        let told = match &self.command {
            Command::Status => door.get("trust", &[])?,
            Command::Refresh => door.post("trust/refresh", &json!({}))?,
            Command::Import { path, instance } => door.post("trust/import", &carried(path, instance)?)?,
            Command::Export { path, instance } => door.post("trust/export", &carried(path, instance)?)?,
        };
        let outcomes = told["instances"].as_object().into_iter().flatten();
        let failed = outcomes.filter(|(_, outcome)| text(outcome, "outcome") == "failed").count();
        if self.ask.json {
            print_json([&told])?;
        } else {
            match &self.command {
                Command::Status => print_status(&told)?,
                Command::Refresh => print_refreshed(&told)?,
                Command::Import { .. } => print(&format!("in force: {}\n", root(&told).join(", ")))?,
                Command::Export { .. } => print(&format!("written to {}\n", safe(text(&told, "path"))))?,
            }
        }
        Ok(ExitCode::from(u8::from(failed > 0)))
    }
}

/// A root as a row.
fn root(root: &Value) -> Vec<String> {
    let version = root["version"].as_u64().map_or_else(String::new, |version| version.to_string());
    let days = root["age_days"].as_i64().unwrap_or_default();
    let age = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    let digest = text(root, "digest");
    vec![
        safe(text(root, "instance")),
        safe(text(root, "origin")),
        version,
        minute(root, "as_of"),
        if root["stale"] == true { format!("{age}, old") } else { age },
        safe(digest.get(..19).unwrap_or(digest)),
    ]
}

fn print_status(told: &Value) -> Result<(), Failure> {
    let rows: Vec<_> = list(told, "roots").iter().map(root).collect();
    print_table(&["INSTANCE", "ORIGIN", "VERSION", "AS OF", "AGE", "DIGEST"], &rows)?;
    let mut out = String::new();
    for followed in list(told, "followed") {
        let attempt = &followed["attempt"];
        let last = if attempt.is_null() {
            "not asked yet".to_owned()
        } else {
            format!("{}, {}", minute(attempt, "at"), outcome(attempt))
        };
        let (instance, repository) = (safe(text(followed, "instance")), safe(text(followed, "repository")));
        out += &format!("{instance} <- {repository}: {last}\n");
    }
    if told["enabled"] == false {
        out += &styled(CARE, "attestations are not checked: [provenance] enabled is off\n");
    } else if told["refresh"] == false {
        out += &styled(FAINT, "roots are not refreshed: [provenance] refresh is off\n");
    }
    print(&out)
}

fn print_refreshed(told: &Value) -> Result<(), Failure> {
    let outcomes = told["instances"].as_object().cloned().unwrap_or_default();
    let rows: Vec<_> = outcomes.iter().map(|(name, told)| vec![safe(name), outcome(told)]).collect();
    print_table(&["INSTANCE", "OUTCOME"], &rows)
}

fn outcome(told: &Value) -> String {
    match text(told, "outcome") {
        "changed" => "another root is in force".to_owned(),
        "current" => "current".to_owned(),
        _ => format!("failed: {}", safe(text(told, "why"))),
    }
}
