//! `cargo xtask test`: installs the clients that tests need, then runs every test.

use std::process::Command;

use crate::tools::{self, CommandError};

/// Install what tests need that is missing, then run every test of the workspace.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to `cargo test`: a filter, `-p CRATE`, `-- --nocapture`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs the tests. The examples in documentation come first, so that the runner's own summary of real tests ends the
/// output; a failure of theirs does not keep the others from running.
pub(crate) fn run(arguments: &Arguments) -> Result<(), CommandError> {
    tools::ensure_clients();
    let documentation =
        if arguments.rest.is_empty() { tools::run(&mut cargo(&["--workspace", "--doc"])) } else { Ok(()) };
    let mut everything = cargo(&["--lib", "--bins", "--tests", "--no-fail-fast"]);
    let chosen = ["-p", "--package"];
    if !arguments.rest.iter().any(|word| chosen.iter().any(|option| word.starts_with(option))) {
        everything.arg("--workspace");
    }
    everything.args(&arguments.rest);
    tools::run(&mut everything).and(documentation)
}

fn cargo(targets: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(["test", "--locked"]).args(targets).current_dir(tools::root());
    command
}
