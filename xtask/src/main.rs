//! Commands for people who work on tidegate. `cargo xtask --help` lists them.

mod bench;
mod deny;
mod popular_names;
mod readme;
mod real_install;
mod test;
mod tidy;
mod tools;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser as _;

/// Commands for people who work on tidegate.
#[derive(Debug, clap::Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Test(test::Arguments),
    /// Look for what a stranger should never find: registry hosts, paths of this machine, broken links, huge files.
    Tidy,
    /// Run the commands of README.md.
    Readme,
    /// Check licences, sources and advisories of the dependencies with cargo-deny.
    Deny,
    Bench(bench::Arguments),
    /// Derive the lists of popular names from lock files of real applications.
    PopularNames(popular_names::Arguments),
    RealInstall(real_install::Arguments),
}

fn main() -> ExitCode {
    let result: Result<(), Box<dyn Error>> = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments).map_err(Into::into),
        Command::Tidy => tidy::run().map_err(Into::into),
        Command::Readme => readme::run().map_err(Into::into),
        Command::Deny => deny::run().map_err(Into::into),
        Command::Bench(arguments) => bench::run(&arguments).map_err(Into::into),
        Command::RealInstall(arguments) => real_install::run(&arguments).map_err(Into::into),
        Command::PopularNames(arguments) => popular_names::run(&arguments).map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("xtask: {error}");
            let mut cause = error.source();
            while let Some(source) = cause {
                eprint!(": {source}");
                cause = source.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}
