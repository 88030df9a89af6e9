//! Finds large public data sets that tests measure against, and says loudly when they are missing.
//!
//! They are not part of the repository: other people's data, and much of it. A test begins with
//! `let Some(folder) = data::shared_data("version-order") else { return };`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The variable that names the folder of the data sets.
const VARIABLE: &str = "TIDEGATE_TEST_DATA";

/// The most bytes that one file of a data set unpacks to.
const MAX_UNPACKED_BYTES: u64 = 256 << 20;

/// The folder of the data set `name`: in `$TIDEGATE_TEST_DATA`, else in `../shared/data` beside the workspace. Says that
/// the test is skipped where there is none.
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let data = match std::env::var_os(VARIABLE) {
        Some(folder) => PathBuf::from(folder),
        None => workspace()?.join("../shared/data"),
    };
    let folder = data.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    crate::tools::skip_because(&format!("no data set `{name}`; ${VARIABLE} names the folder that holds it"))
}

/// The text of a file, unpacked if its name ends in `.zst`.
///
/// # Panics
/// If it cannot be read as text, or is larger than any file of a data set.
pub fn read(file: &Path) -> String {
    let mut text = String::new();
    let opened = std::fs::File::open(file).unwrap_or_else(|e| panic!("`{}`: {e}", file.display()));
    let reader: Box<dyn std::io::Read> = if file.extension().is_some_and(|e| e == "zst") {
        Box::new(zstd::Decoder::new(opened).unwrap_or_else(|e| panic!("`{}`: {e}", file.display())))
    } else {
        Box::new(opened)
    };
    let read = reader.take(MAX_UNPACKED_BYTES + 1).read_to_string(&mut text);
    read.unwrap_or_else(|e| panic!("`{}`: {e}", file.display()));
    assert!(text.len() as u64 <= MAX_UNPACKED_BYTES, "`{}` is too large", file.display());
    text
}

/// The folder of the workspace that the running test was built from.
fn workspace() -> Option<PathBuf> {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    package.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).map(Path::to_path_buf)
}
