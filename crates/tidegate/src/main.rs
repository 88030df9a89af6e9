//! The `tidegate` program.

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    tidegate::cli::run(tidegate::cli::Cli::parse())
}
