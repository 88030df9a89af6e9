//! The packages that are looked into: small and large ones that nearly everybody has, as the package managers at hand fetch
//! them. What cannot be fetched is left out loudly.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tools::skip;

/// Files of packages end like this.
const ENDINGS: &[&str] = &[".tgz", ".whl", ".tar.gz", ".crate"];

/// Crates that are measured, out of those that building this workspace fetched: the largest.
const CRATES: usize = 40;

/// Packages of npm: small files, and large bundles.
const NPM: &[&str] = &[
    "webpack",
    "next",
    "typescript@5",
    "prettier",
    "three",
    "core-js",
    "lodash",
    "react",
    "react-dom",
    "express",
    "axios",
    "chalk",
    "commander",
    "debug",
    "moment",
    "rxjs",
    "eslint",
    "@babel/core",
    "rollup",
    "terser",
    "jquery",
    "vue",
    "yargs",
    "glob",
    "semver",
    "uuid",
    "ws",
    "undici",
    "mocha",
    "zod",
    "immer",
    "redux",
    "mongoose",
    "socket.io",
    "jsonwebtoken",
    "playwright-core",
    "postcss",
    "svelte",
    "esbuild",
    "pdfjs-dist",
];

/// Packages of Python.
const PYTHON: &[&str] = &[
    "requests",
    "numpy",
    "django",
    "flask",
    "sqlalchemy",
    "boto3",
    "botocore",
    "pandas",
    "setuptools",
    "pip",
    "pytest",
    "rich",
    "click",
    "pydantic",
    "aiohttp",
    "cryptography",
    "jinja2",
    "werkzeug",
    "pyyaml",
    "sympy",
    "networkx",
];

/// Fetches packages into a folder once and gives the folder.
pub(super) fn fetch(folder: &Path) -> PathBuf {
    let done = folder.join(".fetched");
    if done.is_file() {
        return folder.to_owned();
    }
    if let Err(error) = std::fs::create_dir_all(folder) {
        skip("all packages", &error.to_string());
        return folder.to_owned();
    }
    for name in NPM {
        let mut npm = Command::new("npm");
        ran(name, npm.args(["pack", "--silent", name]).current_dir(folder));
    }
    for name in PYTHON {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", name]);
        ran(name, pip.current_dir(folder));
    }
    crates(folder);
    if let Err(error) = std::fs::write(&done, "") {
        skip("the mark that all was fetched", &error.to_string());
    }
    folder.to_owned()
}

fn ran(name: &str, command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => skip(name, &status.to_string()),
        Err(error) => skip(name, &error.to_string()),
    }
}

/// Crates that cargo keeps already, because this workspace is built of them.
fn crates(folder: &Path) {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let Some(cache) = home.map(|home| home.join("registry/cache")) else {
        return skip("crates", "cargo has no home");
    };
    let mut files: Vec<(u64, PathBuf)> = entries(&cache)
        .iter()
        .flat_map(|registry| entries(registry))
        .filter_map(|path| Some((path.metadata().ok()?.len(), path)))
        .collect();
    files.sort_by(|a, b| b.cmp(a));
    for (_, path) in files.iter().take(CRATES) {
        let Some(name) = path.file_name() else { continue };
        if let Err(error) = std::fs::copy(path, folder.join(name)) {
            skip(&name.to_string_lossy(), &error.to_string());
        }
    }
}

/// The packages of a folder, in the order of their names.
pub(super) fn list(folder: &Path) -> Vec<PathBuf> {
    let is_package = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        path.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending))
    };
    let mut files: Vec<PathBuf> = entries(folder).into_iter().filter(is_package).collect();
    files.sort();
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn packages_are_told_by_their_ending() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.tgz", "a-1.0.whl", "c.crate", "d.tar.gz", "notes.txt", ".fetched"] {
            std::fs::write(folder.path().join(name), "").expect("a file");
        }
        std::fs::create_dir(folder.path().join("e.tgz")).expect("a folder");
        let names: Vec<_> =
            list(folder.path()).iter().filter_map(|path| path.file_name().map(ToOwned::to_owned)).collect();
        assert_eq!(names, ["a-1.0.whl", "b.tgz", "c.crate", "d.tar.gz"]);
    }
}
