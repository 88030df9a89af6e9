//! Finds nginx, wrk and verdaccio, or fetches them into `target/bench-tools` without installing anything.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::BenchError;
use crate::tools::{self, run};

/// Debian packages that hold nginx, wrk and the library that wrk needs beyond the base system.
const DEBIAN_PACKAGES: [&str; 3] = ["nginx", "wrk", "libluajit-5.1-2"];

/// The programs a run needs.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) nginx: PathBuf,
    pub(super) wrk: PathBuf,
    /// Where the libraries of fetched programs are.
    pub(super) libraries: OsString,
    /// Absent where npm is: then there is no such row.
    pub(super) verdaccio: Option<PathBuf>,
}

impl Programs {
    pub(super) fn find() -> Result<Self, BenchError> {
        let folder = tools::target().join("bench-tools");
        let debian = folder.join("debian");
        let fetched = [("nginx", debian.join("usr/sbin/nginx")), ("wrk", debian.join("usr/bin/wrk"))];
        let have = |name: &str, path: &Path| path.is_file() || installed(name).is_some();
        if !fetched.iter().all(|(name, path)| have(name, path)) {
            fetch_debian(&folder, &debian);
        }
        let pick = |(name, path): &(&'static str, PathBuf)| {
            installed(name).or_else(|| path.is_file().then(|| path.clone())).ok_or(BenchError::Missing(name))
        };
        Ok(Self {
            nginx: pick(&fetched[0])?,
            wrk: pick(&fetched[1])?,
            libraries: library_path(&debian),
            verdaccio: verdaccio(&folder),
        })
    }
}

/// A program of the system; nginx stands where only root looks.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Fetches and unpacks the packages. What fails shows as a missing program.
fn fetch_debian(folder: &Path, debian: &Path) {
    let packages = folder.join("packages");
    if std::fs::create_dir_all(&packages).is_err() {
        return;
    }
    eprintln!("fetching {} into {}", DEBIAN_PACKAGES.join(", "), folder.display());
    let fetched = run(Command::new("apt-get").arg("download").args(DEBIAN_PACKAGES).current_dir(&packages));
    if let Err(error) = fetched {
        eprintln!("{error}");
    }
    for package in std::fs::read_dir(&packages).into_iter().flatten().flatten() {
        if let Err(error) = run(Command::new("dpkg-deb").arg("-x").arg(package.path()).arg(debian)) {
            eprintln!("{error}");
        }
    }
}

/// Debian's folder of libraries for this architecture, below where the packages were unpacked.
fn library_path(debian: &Path) -> OsString {
    let folders = std::fs::read_dir(debian.join("usr/lib")).into_iter().flatten().flatten();
    let with_gnu = folders.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with("-gnu"));
    std::env::join_paths(with_gnu).unwrap_or_default()
}

fn verdaccio(folder: &Path) -> Option<PathBuf> {
    let place = folder.join("verdaccio");
    let program = place.join("node_modules/verdaccio/bin/verdaccio");
    if program.is_file() {
        return Some(program);
    }
    eprintln!("installing verdaccio into {}", place.display());
    // A dependency names a dist-tag, which mirrors without tags cannot resolve: name the version it stands for.
    let manifest = r#"{"private":true,"dependencies":{"verdaccio":"6"},"overrides":{"node-fetch":"2.7.0"}}"#;
    let made = std::fs::create_dir_all(&place)
        .and_then(|()| std::fs::write(place.join("package.json"), manifest))
        .is_ok()
        && run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--silent"])
            .current_dir(&place))
        .is_ok();
    if made && program.is_file() {
        return Some(program);
    }
    eprintln!("SKIPPED: verdaccio cannot be installed with npm here: its rows are missing");
    None
}
