//! Fetches the newest versions of packages with the clients of this machine, one at a time, into the target folder.
//!
//! Nothing is installed and nothing of a package runs: `npm pack` and `cargo info` only download, and pip is allowed no source
//! distribution, whose metadata it would run code for. A list of what was fetched stays beside the files, so that the next
//! run can do without the network.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::tools;

/// A package as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) file: PathBuf,
}

/// Failures at the beginning after which a registry counts as out of reach.
const PATIENCE: usize = 3;

/// The newest version of each package that could be fetched; of what an earlier run fetched where `fetched` says so.
pub(super) fn newest(ecosystem: &str, names: &[String], fetched: bool) -> Vec<Fetched> {
    let folder = tools::target().join("inspection-corpus").join(ecosystem);
    let list = folder.join("fetched.tsv");
    let mut known = read(&list, &folder);
    if !fetched {
        if let Err(error) = std::fs::create_dir_all(&folder) {
            eprintln!("SKIPPED: verify-inspection: `{}` cannot be made: {error}", folder.display());
            return Vec::new();
        }
        let mut failures = 0;
        for (asked, name) in names.iter().enumerate() {
            match fetch(ecosystem, name, &folder) {
                Ok(package) => {
                    known.retain(|other| other.name != *name);
                    known.push(package);
                }
                Err(why) => {
                    eprintln!("SKIPPED: verify-inspection: {ecosystem} {name}: {why}");
                    failures += 1;
                    if failures == PATIENCE && asked + 1 == PATIENCE {
                        break;
                    }
                }
            }
        }
        write(&list, &known);
    }
    known.retain(|package| names.contains(&package.name) && package.file.is_file());
    known.sort_by(|a, b| a.name.cmp(&b.name));
    known
}

fn read(list: &Path, folder: &Path) -> Vec<Fetched> {
    let text = std::fs::read_to_string(list).unwrap_or_default();
    let packages = text.lines().filter_map(|line| {
        let mut cells = line.split('\t').map(str::to_owned);
        Some(Fetched { name: cells.next()?, version: cells.next()?, file: folder.join(cells.next()?) })
    });
    packages.collect()
}

fn write(list: &Path, packages: &[Fetched]) {
    let folder = list.parent().unwrap_or(list);
    let line = |package: &Fetched| {
        let file = package.file.strip_prefix(folder).unwrap_or(&package.file).display().to_string();
        format!("{}\t{}\t{file}\n", package.name, package.version)
    };
    if let Err(error) = std::fs::write(list, packages.iter().map(line).collect::<String>()) {
        eprintln!("`{}` cannot be written, so `--fetched` will not know these: {error}", list.display());
    }
}

fn fetch(ecosystem: &str, name: &str, folder: &Path) -> Result<Fetched, String> {
    match ecosystem {
        "npm" => npm(name, folder),
        "pypi" => pypi(name, folder),
        _ => cargo(name, folder),
    }
}

/// What a client printed, or the last line of why it failed.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = complaint.lines().rfind(|line| !line.trim().is_empty());
    Err(last.unwrap_or("its client failed without a word").to_owned())
}

fn npm(name: &str, folder: &Path) -> Result<Fetched, String> {
    let mut npm = Command::new("npm");
    npm.args(["pack", "--json", "--ignore-scripts", "--loglevel=error"]).arg(name).current_dir(folder);
    let told: Value = serde_json::from_str(&said(&mut npm)?).map_err(|error| error.to_string())?;
    let text =
        |key: &str| told[0][key].as_str().map(str::to_owned).ok_or_else(|| format!("npm tells no {key}"));
    // Of a name with a scope older releases of npm told the name as they wanted it, not as they wrote it.
    let file = folder.join(text("filename")?.trim_start_matches('@').replace('/', "-"));
    Ok(Fetched { name: name.to_owned(), version: text("version")?, file })
}

fn pypi(name: &str, folder: &Path) -> Result<Fetched, String> {
    let python = tidegate_testkit::tools::python().ok_or("`python3` is not on PATH")?;
    let place = folder.join(name);
    // Only the newest may lie there.
    let _ = std::fs::remove_dir_all(&place);
    let mut pip = Command::new(python.path());
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-cache-dir",
    ]);
    said(pip.args(["--only-binary", ":all:", "--dest"]).arg(&place).arg(name))?;
    let file = files(&place).into_iter().next().ok_or("pip fetched nothing")?;
    let wheel = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let version = wheel.split('-').nth(1).ok_or("pip fetched no wheel")?.to_owned();
    Ok(Fetched { name: name.to_owned(), version, file })
}

/// cargo has no command that fetches one crate; showing one fetches it, into the home folder that it is given.
fn cargo(name: &str, folder: &Path) -> Result<Fetched, String> {
    let home = folder.join("home");
    let own = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let own = own.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    for file in ["config.toml", "credentials.toml"] {
        // Where the user has none there is none to copy.
        let _ = own.as_ref().map(|own| std::fs::copy(own.join(file), home.join(file)));
    }
    // A project's lock file would choose the version.
    let nowhere = tempfile::tempdir().map_err(|error| error.to_string())?;
    said(
        Command::new("cargo")
            .args(["info", "--quiet"])
            .arg(name)
            .env("CARGO_HOME", &home)
            .current_dir(&nowhere),
    )?;
    let registries = files(&home.join("registry/cache"));
    let crates = registries.iter().flat_map(|registry| files(registry));
    let versions = crates.filter_map(|file| {
        let stem = file.file_name()?.to_str()?.strip_suffix(".crate")?.to_owned();
        let version = semver::Version::parse(stem.strip_prefix(name)?.strip_prefix('-')?).ok()?;
        Some((version, file))
    });
    let (version, file) = versions.max().ok_or("cargo fetched nothing")?;
    Ok(Fetched { name: name.to_owned(), version: version.to_string(), file })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_is_known_to_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let (here, gone) = (folder.path().join("a-1.tgz"), folder.path().join("b-2.tgz"));
        std::fs::write(&here, b"").unwrap();
        let package = |name: &str, file: &Path| Fetched {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            file: file.to_owned(),
        };
        let packages = [package("@a/a", &here), package("b", &gone)];
        let list = folder.path().join("fetched.tsv");
        write(&list, &packages);
        assert_eq!(read(&list, folder.path()), packages);
    }

    #[test]
    fn a_client_that_fails_says_why() {
        let why = said(Command::new("sh").args(["-c", "echo first >&2; echo no such thing >&2; exit 3"]));
        assert_eq!(why, Err("no such thing".to_owned()));
        let why = said(&mut Command::new("no-such-client-anywhere"));
        assert!(why.is_err());
    }
}
