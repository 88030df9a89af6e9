//! `tidegate config`: the configuration file, checked and shown.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::show::{GOOD, print_json, styled};
use super::{Failure, Outcome, default_data, print};
use crate::config::{self, Config};

/// Check and show the configuration.
#[derive(Debug, Args)]
pub struct ConfigCommand {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object a line.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a configuration file. Ends with status 1 where it cannot be used.
    Check {
        /// The file; the one of the data directory where left out.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Show every value and where it came from.
    Show {
        /// The file; the one of the data directory where left out.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print a commented file that shows every key with its default.
    Template,
}

impl ConfigCommand {
    /// Runs it.
    ///
    /// # Errors
    /// A file that cannot be used, with its place and a remedy.
    pub fn run(self) -> Outcome {
        match &self.command {
            Command::Check { file } => {
                let path = named(file.as_ref());
                let config = config::load(&path)?;
                if let Some(policy) = &config.policy.file {
                    let source = std::fs::read_to_string(policy).map_err(|e| {
                        Failure(format!(
                            "{}: [policy] file `{}` cannot be read: {e}",
                            path.display(),
                            policy.display()
                        ))
                    })?;
                    tidegate_policy::Policy::compile(&source, &policy.display().to_string())?;
                }
                if self.json {
                    print_json([&json!({ "file": path, "usable": true })])?;
                } else {
                    print(&format!("{}: {}\n", path.display(), styled(GOOD, "can be used")))?;
                }
            }
            Command::Show { file } => self.show(&named(file.as_ref()), file.is_some())?,
            Command::Template => print(config::TEMPLATE)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show(&self, path: &std::path::Path, must_exist: bool) -> Result<(), Failure> {
        let written = must_exist || path.exists();
        let config = if written { config::load(path)? } else { Config::default() };
        let own: Value = if written {
            let text = std::fs::read_to_string(path)?;
            serde_json::to_value(toml::from_str::<toml::Table>(&text)?)?
        } else {
            json!({})
        };
        let mut rows = Vec::new();
        flatten("", &serde_json::to_value(&config)?, &own, &mut rows);
        for (key, value, from_file) in &rows {
            let source = if *from_file { path.display().to_string() } else { "default".to_owned() };
            if self.json {
                print_json([&json!({ "key": key, "value": value, "source": source })])?;
            } else if !value.is_null() {
                print(&format!("{key} = {value}  {}\n", styled(super::show::FAINT, &format!("({source})"))))?;
            }
        }
        Ok(())
    }
}

fn named(file: Option<&PathBuf>) -> PathBuf {
    file.cloned()
        .or_else(|| std::env::var_os("TIDEGATE_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from))
        .unwrap_or_else(|| default_data().join("tidegate.toml"))
}

/// Every key with its value and whether the file says it.
fn flatten(prefix: &str, value: &Value, own: &Value, out: &mut Vec<(String, Value, bool)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&path, value, &own[key.as_str()], out);
            }
        }
        other => out.push((prefix.to_owned(), other.clone(), !own.is_null())),
    }
}
