//! Derives the lists of popular names that `tidegate_ecosystems::likeness` compares with.
//!
//! The input is lock files of real applications: a name that many resolvers reached by themselves is one that people
//! install. Only names are taken; versions, addresses and everything local stay behind.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tidegate_ecosystems::lockfile::{self, LockError};
use tidegate_model::Ecosystem;

/// Arguments of `popular-names`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Lock files, each of one application. The list of every ecosystem they speak for is replaced.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Folder that holds one list per ecosystem.
    #[arg(long, default_value = "crates/tidegate-ecosystems/src/likeness/popular")]
    out: PathBuf,
}

/// Why the lists were not written. Nothing is written unless every lock file was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PopularNamesError {
    #[error("reading `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("reading `{}`", path.display())]
    Lock { path: PathBuf, source: LockError },
    #[error("writing `{}`", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

/// Names of one ecosystem and how many applications they come from.
#[derive(Default)]
struct Harvest {
    applications: usize,
    names: BTreeSet<String>,
}

/// Reads the lock files and writes the lists.
pub(crate) fn run(arguments: &Arguments) -> Result<(), PopularNamesError> {
    let mut harvests: BTreeMap<Ecosystem, Harvest> = BTreeMap::new();
    for path in &arguments.files {
        let bytes =
            std::fs::read(path).map_err(|source| PopularNamesError::Read { path: path.clone(), source })?;
        let found =
            names(path, &bytes).map_err(|source| PopularNamesError::Lock { path: path.clone(), source })?;
        for (ecosystem, names) in found {
            let harvest = harvests.entry(ecosystem).or_default();
            harvest.applications += 1;
            harvest.names.extend(names);
        }
    }
    for (ecosystem, harvest) in harvests {
        let path = arguments.out.join(format!("{ecosystem}.txt"));
        std::fs::write(&path, list(ecosystem, &harvest))
            .map_err(|source| PopularNamesError::Write { path: path.clone(), source })?;
        println!("{}: {} names", path.display(), harvest.names.len());
    }
    Ok(())
}

fn names(path: &Path, bytes: &[u8]) -> Result<BTreeMap<Ecosystem, BTreeSet<String>>, LockError> {
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut names: BTreeMap<Ecosystem, BTreeSet<String>> = BTreeMap::new();
    for package in lockfile::parse(&file_name, bytes)?.packages {
        let name = package.coordinate.name;
        names.entry(name.ecosystem()).or_default().insert(name.as_str().to_owned());
    }
    Ok(names)
}

fn list(ecosystem: Ecosystem, harvest: &Harvest) -> String {
    let mut text = format!(
        "# Every {ecosystem} package in the lock files of {} real applications, sorted.\n\
         # Derived by `cargo xtask popular-names FILE...`; do not edit by hand.\n",
        harvest.applications
    );
    for name in &harvest.names {
        text.push_str(name);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\n\
        [[package]]\nname = \"Zlib\"\nversion = \"1.0.0\"\nsource = \"registry+https://registry.example/index\"\n\n\
        [[package]]\nname = \"abc\"\nversion = \"1.0.0\"\nsource = \"registry+https://registry.example/index\"\n";

    #[test]
    fn a_list_holds_the_normal_names_of_registry_packages() {
        let found = names(Path::new("some/Cargo.lock"), LOCK.as_bytes()).unwrap();
        let names = found[&Ecosystem::Cargo].clone();
        let text = list(Ecosystem::Cargo, &Harvest { applications: 2, names });
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("of 2 real applications"), "{text}");
        assert_eq!(lines[2..], ["abc", "zlib"]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let arguments = Arguments { files: vec!["missing/Cargo.lock".into()], out: PathBuf::from("nowhere") };
        assert_eq!(run(&arguments).unwrap_err().to_string(), "reading `missing/Cargo.lock`");
    }
}
