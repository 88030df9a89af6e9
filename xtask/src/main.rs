//! Commands for people who work on tidegate. `cargo xtask --help` lists them.

mod bench;
mod deny;
mod match_labels;
mod popular_names;
mod readme;
mod real_install;
mod test;
mod tidy;
mod tools;
mod verify_inspection;
mod verify_matching;

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
    VerifyInspection(verify_inspection::Arguments),
    VerifyMatching(verify_matching::Arguments),
    MatchLabels(match_labels::Arguments),
}

fn main() -> ExitCode {
    let result: Result<(), Box<dyn Error>> = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments).map_err(Into::into),
        Command::Tidy => tidy::run().map_err(Into::into),
        Command::Readme => readme::run().map_err(Into::into),
        Command::Deny => deny::run().map_err(Into::into),
        Command::Bench(arguments) => bench::run(&arguments).map_err(Into::into),
        Command::RealInstall(arguments) => real_install::run(&arguments).map_err(Into::into),
        Command::VerifyInspection(arguments) => verify_inspection::run(&arguments).map_err(Into::into),
        Command::VerifyMatching(arguments) => verify_matching::run(&arguments).map_err(Into::into),
        Command::MatchLabels(arguments) => match_labels::run(&arguments).map_err(Into::into),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What pages, comments and CI call `cargo xtask …` is a command of this program.
    #[test]
    fn every_command_that_is_named_parses() {
        let mut named = Vec::new();
        for file in tidy::tracked(&tools::root()).unwrap() {
            let Ok(text) = std::fs::read_to_string(tools::root().join(&file)) else { continue };
            if file.ends_with("main.rs") && file.starts_with("xtask") {
                continue;
            }
            let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
            let lines = text.lines().map(str::trim);
            let commands = spans.chain(lines).filter_map(|text| text.strip_prefix("cargo xtask "));
            named.extend(commands.map(|command| (file.clone(), command.to_owned())));
        }
        assert!(named.len() > 10, "{named:?}");
        for (file, command) in named {
            let words = std::iter::once("xtask").chain(command.split_whitespace().take_while(|w| *w != "#"));
            if let Err(error) = Arguments::try_parse_from(words) {
                use clap::error::ErrorKind;
                let asks = error.kind() == ErrorKind::DisplayHelp;
                // A command that is only named.
                let bare = error.kind() == ErrorKind::MissingRequiredArgument && !command.contains(' ');
                assert!(asks || bare, "{}: `cargo xtask {command}`: {error}", file.display());
            }
        }
    }
}
