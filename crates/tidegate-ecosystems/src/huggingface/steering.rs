//! Which files of a commit run code, or steer what loading the others does.
//!
//! `config.json` names the script that a loader runs, a template runs for every prompt, and a small pickle is a program. Such
//! files are looked into before any file of their commit leaves: else the configuration would be here, and trusted, before
//! anybody saw the script that it names.

use tidegate_model::{ListedFile, PackageName};

use super::is_model;

/// The largest such file that is looked into ahead, in bytes. What is larger is looked into when it is asked for.
pub(super) const MAX_BYTES: u64 = 4 << 20;

/// Endings of scripts, settings and templates that loaders read.
const STEERING: [&str; 14] = [
    ".py", ".pyc", ".ipynb", ".sh", ".jinja", ".jinja2", ".yaml", ".yml", ".toml", ".cfg", ".so", ".dll",
    ".dylib", ".lua",
];

/// Endings of files that are programs for whoever loads them.
const PROGRAMS: [&str; 19] = [
    ".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill", ".dat", ".npy", ".npz", ".h5",
    ".hdf5", ".keras", ".pb", ".mar", ".nemo", ".model", ".t7",
];

/// Whether a file is to be looked into first.
pub(super) fn steers(package: &PackageName, file: &ListedFile) -> bool {
    if file.size.is_none_or(|size| size > MAX_BYTES) {
        return false;
    }
    let path = file.file.as_str().to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    // In a data set most JSON is data; its settings have names that say so.
    let is_settings =
        name.ends_with(".json") && (is_model(package) || name.contains("config") || name.contains("info"));
    let has_no_ending = !name.contains('.');
    is_settings || ends(&STEERING) || (is_model(package) && (ends(&PROGRAMS) || has_no_ending))
}
