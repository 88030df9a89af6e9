//! `tidegate lock`: find and mend entries of lock files that would go around the door, or work through one door only.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use tidegate_ecosystems::lockfile::{self, MAX_LOCKFILE_BYTES};

use super::{Failure, Outcome, default_data, print};
use crate::check::AnyDoor;
use crate::clients::locks::write_whole;
use crate::run::relocate::{Towards, foreign_indexes};
use crate::run::relocation;

/// Find and mend entries of a lock file that would go around the door.
#[derive(Debug, Args)]
pub struct Lock {
    #[command(subcommand)]
    action: Action,
    /// Data directory of the door.
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List entries that go around the door, or that install through one door only. Ends with 3 where there are any.
    Lint {
        /// package-lock.json, npm-shrinkwrap.json, pnpm-lock.yaml, yarn.lock, requirements, uv.lock, poetry.lock,
        /// Pipfile.lock or Cargo.lock.
        file: PathBuf,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Rewrite the addresses, and nothing else.
    Rewrite {
        /// package-lock.json, npm-shrinkwrap.json, pnpm-lock.yaml, yarn.lock, requirements, uv.lock, poetry.lock,
        /// Pipfile.lock or Cargo.lock.
        file: PathBuf,
        /// `upstream`: works without the door. `door`: goes through it.
        #[arg(long, value_enum, default_value_t = To::Upstream)]
        to: To,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum To {
    /// Through the door.
    Door,
    /// Past no door: as it would be without one.
    Upstream,
}

/// What `lint` ends with where it found something: the same as a check that holds.
const FOUND: u8 = 3;

impl Lock {
    /// Runs it.
    ///
    /// # Errors
    /// The file cannot be read, understood or written.
    pub fn run(self) -> Outcome {
        let data = self.data.unwrap_or_else(default_data);
        match self.action {
            Action::Lint { file, json } => lint(&data, &file, json),
            Action::Rewrite { file, to } => rewrite(&data, &file, to),
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |why: String| Failure(format!("`{}` cannot be read: {why}", file.display()));
    let size = std::fs::metadata(file).map_err(|e| failed(e.to_string()))?.len();
    if size > MAX_LOCKFILE_BYTES as u64 {
        return Err(failed(format!("it is larger than {} MiB", MAX_LOCKFILE_BYTES >> 20)));
    }
    std::fs::read(file).map_err(|e| failed(e.to_string()))
}

fn lint(data: &Path, file: &Path, as_json: bool) -> Outcome {
    let bytes = read(file)?;
    let shown = file.display();
    let door = AnyDoor::of(data, false)?;
    let context = relocation(door.remote(), door.address()?, data)?.lint_context();
    let findings = lockfile::lint(&file.to_string_lossy(), &bytes, &context)
        .map_err(|e| Failure(format!("`{shown}`: {e}")))?;
    let mut text = String::new();
    for finding in &findings {
        let line = finding.line.unwrap_or(0);
        text.push_str(&if as_json {
            let object = json!({
                "file": shown.to_string(), "line": finding.line, "what": finding.what, "problem": finding.problem,
                "remedy": finding.remedy, "fixable": finding.fixable,
            });
            format!("{object}\n")
        } else {
            format!("{shown}:{line}: {}: {}\n  {}\n", finding.what, finding.problem, finding.remedy)
        });
    }
    if findings.is_empty() && !as_json {
        text = format!("{shown}: nothing goes around the door\n");
    }
    print(&text)?;
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

fn rewrite(data: &Path, file: &Path, to: To) -> Outcome {
    let bytes = read(file)?;
    let shown = file.display();
    let door = AnyDoor::of(data, false)?;
    let relocation = relocation(door.remote(), door.address()?, data)?;
    let towards = match to {
        To::Door => Towards::Door,
        To::Upstream => Towards::Upstream,
    };
    let foreign = foreign_indexes(file);
    let rewritten = relocation
        .rewrite(&file.to_string_lossy(), &bytes, towards, None, &foreign)
        .map_err(|why| Failure(format!("`{shown}` is left as it is: {why}")))?;
    if rewritten == bytes {
        print(&format!("{shown}: nothing to rewrite\n"))?;
    } else {
        write_whole(file, &rewritten, None)
            .map_err(|e| Failure(format!("`{shown}` cannot be written: {e}")))?;
        print(&format!("{shown}: rewritten\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
