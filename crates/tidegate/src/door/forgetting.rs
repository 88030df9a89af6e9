//! Forgetting a person while the door runs, and what memory and log files still say.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use tidegate_ledger::pseudonym::{PersonKey, Pseudonym};
use tidegate_store::catalogue::Forgotten;

use super::{Door, TENANT};
use crate::run::door::LOG_FILE;

/// Files of the data directory that are looked through; a larger one is told as not looked through.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Below these no name of a person stands: bytes of packages, entries of the ledger, and databases that were written anew.
const NAMELESS: [&str; 5] = ["blobs", "ledger", "access", "intel", "inspection"];
/// A name shorter than this is found in too much that has nothing to do with a person.
const MIN_NAME_BYTES: usize = 4;

/// How often a reader is waited for, and how long.
const SCRUB_TRIES: usize = 20;
const SCRUB_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// What was forgotten, and where the name still stands.
#[derive(Debug)]
pub struct Erased {
    /// What was deleted.
    pub forgotten: Forgotten,
    /// Files that people wrote, in which the name still stands: theirs to change.
    pub still_named_in: Vec<PathBuf>,
}

impl Door {
    /// Deletes everything by which a person could be told, from the catalogue, from memory and from the log that the door keeps in
    /// its data directory. `None` where nothing names that person. Requests under way end under the old pseudonym, which speaks
    /// of nobody; the next one of that person is somebody new's. Blocks.
    ///
    /// # Errors
    /// What failed, as text.
    pub fn forget(&self, name: &str) -> Result<Option<Erased>, String> {
        Ok(self.forget_all(&[name.to_owned()])?.pop())
    }

    /// Forgets several people, and writes the files anew once.
    pub(super) fn forget_all(&self, names: &[String]) -> Result<Vec<Erased>, String> {
        let told = |e: tidegate_store::catalogue::CatalogueError| format!("{e}: {}", e.cause);
        let mut all = Vec::new();
        {
            // Nobody is found out about meanwhile: whoever was half known would be written down again.
            let _alone = self.forgetting.write().unwrap_or_else(PoisonError::into_inner);
            for name in names {
                let key = PersonKey::generate().map_err(|e| e.to_string())?;
                let unknown = Pseudonym::of(&key, TENANT, name);
                let forgotten = self.store.catalogue.forget_person(name, &unknown).map_err(told)?;
                all.extend(forgotten.map(|forgotten| (name, forgotten)));
            }
            self.revocations.fetch_add(1, Ordering::SeqCst);
            self.caches.identities.clear();
        }
        if all.is_empty() {
            return Ok(Vec::new());
        }
        self.unscrubbed.store(true, Ordering::SeqCst);
        self.scrub();
        if let Err(error) = self.reload_rules() {
            tracing::warn!(error = %error, "rules could not be read again after a person was forgotten: {error}");
        }
        let erased = all.into_iter().map(|(name, forgotten)| {
            let mut still_named_in = Vec::new();
            if name.len() >= MIN_NAME_BYTES {
                self.look_through(name, &mut still_named_in);
            }
            Erased { forgotten, still_named_in }
        });
        Ok(erased.collect())
    }

    /// Sees to it that nothing of a deleted row stays in the catalogue's files. Where a reader is in the way it is tried again
    /// later. Blocks.
    pub fn scrub(&self) {
        if !self.unscrubbed.load(Ordering::SeqCst) {
            return;
        }
        for _ in 0..SCRUB_TRIES {
            match self.store.catalogue.scrub() {
                Ok(true) => {
                    self.unscrubbed.store(false, Ordering::SeqCst);
                    return;
                }
                Ok(false) => std::thread::sleep(SCRUB_PAUSE),
                Err(error) => {
                    tracing::error!(error = %error, "the files cannot be rid of somebody forgotten: {error}: {}", error.cause);
                    return;
                }
            }
        }
        tracing::warn!(
            "a reader keeps pages of somebody forgotten in the catalogue's log; it is tried again"
        );
    }

    fn look_through(&self, name: &str, found: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(&self.data) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if NAMELESS.contains(&file.as_str()) || file.starts_with("catalogue.sqlite") {
                continue;
            }
            if file == LOG_FILE {
                if let Err(error) = cover(&path, name.as_bytes()) {
                    tracing::warn!(error = %error, "`{}` could not be gone through: {error}", path.display());
                    found.push(path);
                }
            } else {
                search(&path, name.as_bytes(), found, 0);
            }
        }
        found.sort();
    }
}

/// Notes the files at and below a path that hold a text, or are too large to be looked through.
fn search(path: &Path, text: &[u8], found: &mut Vec<PathBuf>, depth: usize) {
    const MAX_DEPTH: usize = 4;
    let Ok(metadata) = path.symlink_metadata() else { return };
    if metadata.is_dir() && depth < MAX_DEPTH {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            search(&entry.path(), text, found, depth + 1);
        }
    } else if metadata.is_file() {
        let holds = metadata.len() > MAX_FILE_BYTES
            || std::fs::read(path).is_ok_and(|bytes| places(&bytes, text).next().is_some());
        if holds {
            found.push(path.to_owned());
        }
    }
}

/// Writes over a text in a file, letter for letter, so that whoever appends to it meanwhile is not in the way.
fn cover(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut bytes = Vec::new();
    std::io::Read::by_ref(&mut file).take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    let covered = vec![b'*'; text.len()];
    for at in places(&bytes, text) {
        file.seek(SeekFrom::Start(at as u64))?;
        file.write_all(&covered)?;
    }
    file.sync_data()
}

fn places<'a>(bytes: &'a [u8], text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    memchr::memmem::find_iter(bytes, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_covered_and_found() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("up.log");
        std::fs::write(&log, "one annabel two\nannabel\n").unwrap();
        cover(&log, b"annabel").unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "one ******* two\n*******\n");
        let deep = dir.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("policy.toml"), "# for annabel").unwrap();
        std::fs::write(deep.join("other.toml"), "# for bob").unwrap();
        let mut found = Vec::new();
        search(dir.path(), b"annabel", &mut found, 0);
        assert_eq!(found, [deep.join("policy.toml")]);
    }
}
