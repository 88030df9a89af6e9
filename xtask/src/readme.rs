//! `cargo xtask readme`: runs the commands of README.md, so that what it says is true.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::tools;

/// Runs every command in the `sh` blocks of README.md in order, with a data directory of its own. The test command is
/// left out: whoever runs this runs that too.
pub(crate) fn run() -> Result<(), ReadmeError> {
    let readme = std::fs::read_to_string(tools::root().join("README.md")).map_err(ReadmeError::Unreadable)?;
    let data = tools::target().join("readme-data");
    let _ = std::fs::remove_dir_all(&data);
    let program = tools::target().join("release/tidegate");
    let mut failed = Vec::new();
    for line in commands(&readme) {
        if line == TESTS {
            continue;
        }
        eprintln!("\n$ {line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = match words[0] {
            "tidegate" => Command::new(&program),
            other => Command::new(other),
        };
        command.args(&words[1..]).current_dir(tools::root()).env("TIDEGATE_DATA", &data).stdin(Stdio::null());
        // A run of CI need not fetch hundreds of megabytes of advisories.
        command.env("TIDEGATE_NO_SYNC", "true");
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(status) => failed.push(format!("`{line}` ended with {status}")),
            Err(error) => failed.push(format!("`{line}` cannot be started: {error}")),
        }
    }
    stop_door(&data);
    if failed.is_empty() { Ok(()) } else { Err(ReadmeError::Failed(failed.join("; "))) }
}

/// The README's command that runs the tests.
const TESTS: &str = "cargo xtask test";

/// The README's commands could not be run, or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadmeError {
    /// There is no README.
    #[error("README.md cannot be read")]
    Unreadable(#[source] std::io::Error),
    /// Some commands failed.
    #[error("{0}")]
    Failed(String),
}

/// The lines of every `sh` block.
fn commands(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && !line.trim().is_empty() {
            commands.push(line.trim());
        }
    }
    commands
}

/// Ends the door that `tidegate run` left behind for the next run, by the process id that it wrote down.
fn stop_door(data: &std::path::Path) {
    let file: PathBuf = data.join("pid");
    if let Ok(id) = std::fs::read_to_string(file)
        && id.trim().parse::<u32>().is_ok()
    {
        let _ = Command::new("kill").arg(id.trim()).status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_in_sh_blocks() {
        let text = "a\n```sh\none two\n\nthree\n```\n```text\nfour\n```\n";
        assert_eq!(commands(text), ["one two", "three"]);
    }

    #[test]
    fn the_readme_begins_with_its_two_commands() {
        let readme = std::fs::read_to_string(tools::root().join("README.md")).unwrap();
        let commands = commands(&readme);
        assert!(
            commands[0].starts_with("cargo run --release") && commands[0].contains(" -- run -- "),
            "{}",
            commands[0]
        );
        assert_eq!(commands[1], TESTS);
        let screen: Vec<&str> = readme.lines().take(25).collect();
        assert!(screen.contains(&commands[0]) && screen.contains(&TESTS), "both stand on the first screen");
    }
}
