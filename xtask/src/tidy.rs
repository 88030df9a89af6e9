//! `cargo xtask tidy`: what a stranger should never find in the tree. Also run as a test.

mod hosts;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools;

/// A source file above this length does two things.
const FILE_LINES: usize = 900;

/// Something that does not belong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    file: PathBuf,
    line: Option<usize>,
    what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// The tree could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TidyError {
    /// git lists the files of the tree.
    #[error("`git ls-files` failed: {0}")]
    Git(String),
    /// There are problems, all of them printed.
    #[error("{0} problems in the tree")]
    Problems(usize),
}

/// Prints every problem of the tree.
pub(crate) fn run() -> Result<(), TidyError> {
    let problems = check()?;
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() { Ok(()) } else { Err(TidyError::Problems(problems.len())) }
}

/// Every problem of the files that git knows.
pub(crate) fn check() -> Result<Vec<Problem>, TidyError> {
    let root = tools::root();
    let hosts = hosts::ask();
    let paths = machine_paths(&root);
    let mut problems = Vec::new();
    for file in tracked(&root)? {
        // Sample packages and the like are bytes, not text. A file that another process removes is nobody's problem.
        let Ok(text) = fs::read_to_string(root.join(&file)) else { continue };
        if file.file_name().is_none_or(|name| name != "Cargo.lock") {
            mentions(&file, &text, &hosts, &paths, &mut problems);
        }
        match file.extension().and_then(|e| e.to_str()) {
            Some("rs") => too_long(&file, &text, &mut problems),
            Some("md") => links(&root, &file, &text, &mut problems),
            Some("toml") if file.ends_with("Cargo.toml") => lints(&file, &text, &mut problems),
            _ => {}
        }
    }
    Ok(problems)
}

pub(crate) fn tracked(root: &Path) -> Result<Vec<PathBuf>, TidyError> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .map_err(|e| TidyError::Git(e.to_string()))?;
    if !output.status.success() {
        return Err(TidyError::Git(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

/// Paths that only this machine has: the workspace itself and the user's home.
fn machine_paths(root: &Path) -> Vec<String> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let root = root.canonicalize().ok();
    [root, home]
        .into_iter()
        .flatten()
        .filter(|path| path.components().count() > 1)
        .map(|path| format!("{}/", path.display()))
        .collect()
}

/// Whether a line names a folder: `path` stands in it, and not as the middle of a longer name.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric()))
}

fn mentions(file: &Path, text: &str, hosts: &[String], paths: &[String], problems: &mut Vec<Problem>) {
    for (number, line) in text.lines().enumerate() {
        let mut report = |what| {
            problems.push(Problem { file: file.to_owned(), line: Some(number + 1), what });
        };
        if let Some(host) = hosts.iter().find(|host| names_host(line, host)) {
            report(format!(
                "names the registry host `{host}`: ask the client for it, or use `registry.example`"
            ));
        }
        if let Some(path) = paths.iter().find(|path| names_path(line, path)) {
            report(format!("names `{path}`, a folder of this machine: make the path relative"));
        }
    }
}

/// Whether `line` holds `host` as a whole host name, not as a part of a longer one.
fn names_host(line: &str, host: &str) -> bool {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    line.match_indices(host).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let mut after = line[at + host.len()..].chars();
        // A full stop that ends a sentence does not lengthen the name.
        let longer = match after.next() {
            Some('.') => after.next().is_some_and(|c| c.is_ascii_alphanumeric()),
            Some(c) => part_of_name(c),
            None => false,
        };
        !before.is_some_and(part_of_name) && !longer
    })
}

fn too_long(file: &Path, text: &str, problems: &mut Vec<Problem>) {
    let lines = text.lines().count();
    if lines > FILE_LINES {
        let what = format!("{lines} lines: split it along the domain (at most {FILE_LINES})");
        problems.push(Problem { file: file.to_owned(), line: None, what });
    }
}

fn lints(file: &Path, text: &str, problems: &mut Vec<Problem>) {
    let is_workspace_member = text.contains("[package]") && !text.contains("[workspace]");
    let inherits = text
        .split("\n[")
        .find_map(|section| section.strip_prefix("lints]"))
        .is_some_and(|section| section.lines().any(|line| line.trim() == "workspace = true"));
    // tidegate-sys may use `unsafe`, so it states the lints itself.
    if is_workspace_member && !inherits && !text.contains("[lints.rust]") {
        let what = "does not inherit the workspace's lints: add `[lints] workspace = true`".to_owned();
        problems.push(Problem { file: file.to_owned(), line: None, what });
    }
}

/// Relative links of a Markdown page that lead nowhere.
fn links(root: &Path, file: &Path, text: &str, problems: &mut Vec<Problem>) {
    let folder = root.join(file.parent().unwrap_or_else(|| Path::new("")));
    let mut in_code = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for target in line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split(')').next()) {
            let path = target.split(['#', ' ']).next().unwrap_or_default();
            let elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
            if !elsewhere && !folder.join(path).exists() {
                let what = format!("the link `{target}` leads nowhere");
                problems.push(Problem { file: file.to_owned(), line: Some(number + 1), what });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        if !tools::root().join(".git").exists() {
            eprintln!("SKIPPED: the_tree_is_tidy: this is not a git checkout");
            return;
        }
        let problems = check().unwrap();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "\n{}", shown.join("\n"));
    }

    #[test]
    fn a_folder_is_found_and_the_middle_of_another_name_is_not() {
        for (line, expected) in [
            ("cd /home/me/project", true),
            ("file:///home/me/x", true),
            ("`/home/me/`", true),
            ("keys/home/me/key", false),
            ("/home/me", false),
        ] {
            assert_eq!(names_path(line, "/home/me/"), expected, "{line}");
        }
    }

    #[test]
    fn a_host_is_found_as_a_whole_name_only() {
        for (line, expected) in [
            ("see https://registry.big.test/x", true),
            ("(registry.big.test)", true),
            ("It is registry.big.test.", true),
            ("old-registry.big.test", false),
            ("registry.big.testing", false),
            ("registry.big.test.example", false),
            ("registry.big.test-index", false),
        ] {
            assert_eq!(names_host(line, "registry.big.test"), expected, "{line}");
        }
    }

    #[test]
    fn each_check_finds_its_problem() {
        let mut found = Vec::new();
        let hosts = ["registry.big.test".to_owned()];
        mentions(
            Path::new("a.rs"),
            "fine\nregistry.big.test\n/home/me/x\n",
            &hosts,
            &["/home/me/".into()],
            &mut found,
        );
        too_long(Path::new("b.rs"), &"x\n".repeat(FILE_LINES + 1), &mut found);
        too_long(Path::new("c.rs"), &"x\n".repeat(FILE_LINES), &mut found);
        lints(Path::new("d/Cargo.toml"), "[package]\nname = \"d\"\n", &mut found);
        lints(Path::new("e/Cargo.toml"), "[package]\n\n[lints]\nworkspace = true\n", &mut found);
        let page = "[a](missing.md) [b](https://x.example/y) [c](#here)\n```\n[d](in-code.md)\n```\n[e](Cargo.toml#x)\n";
        links(&tools::root(), Path::new("f.md"), page, &mut found);
        let places: Vec<String> =
            found.iter().map(|p| format!("{}:{}", p.file.display(), p.line.unwrap_or(0))).collect();
        assert_eq!(places, ["a.rs:2", "a.rs:3", "b.rs:0", "d/Cargo.toml:0", "f.md:1"]);
    }
}
