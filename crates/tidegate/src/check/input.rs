//! What a person asks about: a package URL or a lock file.

use std::collections::BTreeSet;
use std::path::Path;

use tidegate_ecosystems::lockfile::{self, LockFormat, MAX_LOCKFILE_BYTES};
use tidegate_model::coordinate::PackageRef;
use tidegate_model::{Algorithm, Digest};

/// One package to ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The input it comes from, as given.
    pub input: String,
    /// Package URL, with a version unless the person left it out.
    pub purl: String,
    /// The file, where a lock file names one.
    pub file: Option<String>,
    /// The digest that a lock file promises, in hexadecimal.
    pub sha256: Option<String>,
}

/// One input, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Packages, in order.
    pub items: Vec<Item>,
    /// Entries of a lock file that no registry answers, with why.
    pub skipped: Vec<String>,
}

/// An input that cannot be asked about.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It looks like a package URL and is none.
    #[error(transparent)]
    Purl(#[from] tidegate_model::coordinate::InvalidPurl),
    /// It is neither.
    #[error(
        "`{0}` is no package URL, and there is no such file: give pkg:npm/left-pad@1.3.0 or the path of a lock file"
    )]
    Unknown(String),
    /// A folder.
    #[error("`{0}` is a folder: this version looks at package URLs and lock files, give the lock file in it")]
    Folder(String),
    /// A file that is no lock file.
    #[error(
        "`{0}` is no lock file: this version looks at package URLs and lock files (package-lock.json, npm-shrinkwrap.json, \
         pnpm-lock.yaml, yarn.lock, requirements, uv.lock, poetry.lock, Pipfile.lock, Cargo.lock) and not into other files"
    )]
    File(String),
    /// A lock file that breaks its format.
    #[error("`{path}`: {why}")]
    Lock {
        /// Which file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A file that cannot be read.
    #[error("`{path}` cannot be read: {why}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        why: String,
    },
}

impl Input {
    /// Reads what was given.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn read(given: &str) -> Result<Self, InputError> {
        if given.starts_with("pkg:") {
            PackageRef::parse(given)?;
            let item = Item { input: given.to_owned(), purl: given.to_owned(), file: None, sha256: None };
            return Ok(Self { items: vec![item], skipped: Vec::new() });
        }
        let path = Path::new(given);
        let failed = |why: String| InputError::Read { path: given.to_owned(), why };
        let found = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(InputError::Unknown(given.to_owned()));
            }
            found => found.map_err(|e| failed(e.to_string()))?,
        };
        if found.is_dir() {
            return Err(InputError::Folder(given.to_owned()));
        }
        if found.len() > MAX_LOCKFILE_BYTES as u64 {
            return Err(InputError::File(given.to_owned()));
        }
        let bytes = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
        Self::of_lock(given, &bytes)
    }

    fn of_lock(given: &str, bytes: &[u8]) -> Result<Self, InputError> {
        if LockFormat::detect(given, bytes).is_none() {
            return Err(InputError::File(given.to_owned()));
        }
        let lock = lockfile::parse(given, bytes)
            .map_err(|e| InputError::Lock { path: given.to_owned(), why: e.to_string() })?;
        let mut seen = BTreeSet::new();
        let items = lock
            .packages
            .into_iter()
            .map(|package| Item {
                input: given.to_owned(),
                purl: package.coordinate.purl(),
                file: package.file.as_ref().map(|file| file.as_str().to_owned()),
                sha256: package.digests.iter().find(|d| d.algorithm() == Algorithm::Sha256).map(Digest::hex),
            })
            // A package that is installed in several places is one package.
            .filter(|item| seen.insert((item.purl.clone(), item.file.clone())))
            .collect();
        let skipped = lock.skipped.into_iter().map(|entry| format!("{} {}", entry.what, entry.why)).collect();
        Ok(Self { items, skipped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_told_apart() {
        assert_eq!(Input::read("pkg:npm/left-pad@1.3.0").unwrap().items[0].purl, "pkg:npm/left-pad@1.3.0");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("image.tar");
        std::fs::write(&file, "x").unwrap();
        let why = |given: &str| Input::read(given).unwrap_err().to_string();
        assert!(why("pkg:npm").contains("is not a package URL"));
        assert!(why("left-pad").contains("no such file"));
        assert!(why(folder.path().to_str().unwrap()).contains("is a folder"));
        assert!(why(file.to_str().unwrap()).contains("is no lock file"));
    }

    #[test]
    fn a_lock_file_gives_each_package_once() {
        let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"registry+https://registry.example/index\"\nchecksum = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n";
        let input = Input::of_lock("Cargo.lock", lock.as_bytes()).unwrap();
        assert_eq!(input.items.len(), 1);
        assert_eq!(input.items[0].purl, "pkg:cargo/x@1.0.0");
        assert!(input.items[0].sha256.as_deref().unwrap().starts_with("e3b0"));
        assert_eq!(input.skipped.len(), 1);
    }
}
