//! The folder of a witness: `witness.pem`, `name`, `logs`, `witness.sqlite`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_ledger::note::{CheckpointSigner as _, Ed25519Signer, KeyKind, VerifierKey};
use tidegate_ledger::witness::{Witness, WitnessRefusal};
use tidegate_provenance::signing::{CreateKeyError, FileKey, KeyAlgorithm, OpenKeyError};
use tidegate_store::catalogue::sqlite::SqliteCatalogue;

/// The longest list of logs that is read, in bytes: some thousands of keys.
const MAX_LOGS_BYTES: u64 = 1 << 20;
/// What stands at the top of a new list.
const LOGS_HEAD: &str = "\
# The logs that this witness cosigns: their verifier keys, one a line. `tidegate ledger checkpoint --key` prints that of a door.
# A log whose key is being replaced has two lines. Read anew for each request.
";

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFolderError {
    /// A file cannot be read or written.
    #[error("`{}` cannot be used: {source}\n  give the user that runs the witness access to it", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The witness has another name already.
    #[error("the witness in `{}` is called `{kept}`, not `{wanted}`\n  its name is part of its key: leave out --name, or take another folder", path.display())]
    OtherName {
        /// The folder.
        path: PathBuf,
        /// What it is called.
        kept: String,
        /// What was asked for.
        wanted: String,
    },
    /// The key cannot be made.
    #[error("the key of the witness cannot be made")]
    Create(#[from] CreateKeyError),
    /// The key cannot be used.
    #[error("the key of the witness cannot be used")]
    Key(#[from] OpenKeyError),
    /// It is a key of another kind.
    #[error("`{}` holds no Ed25519 key, which is what cosigns: put the right one back", .0.display())]
    Kind(PathBuf),
    /// The name cannot be one.
    #[error("the witness cannot have this name")]
    Name(#[from] tidegate_ledger::note::InvalidPrivateKey),
    /// What is remembered cannot be opened.
    #[error("what the witness remembers cannot be opened: {0}")]
    Remembered(String),
    /// A line of the list of logs is no key.
    #[error("`{}`, line {line}: {why}\n  write verifier keys of logs, one a line, as `tidegate ledger checkpoint --key` prints them", path.display())]
    Logs {
        /// The list.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// No randomness.
    #[error("the system gives no random bytes")]
    Randomness,
}

/// An open folder.
pub struct WitnessFolder {
    path: PathBuf,
    signer: Ed25519Signer,
    remembered: SqliteCatalogue,
}

impl WitnessFolder {
    /// Opens a folder; makes it, its name and its key where they are not there yet. Blocks. The caller holds its lock.
    ///
    /// # Errors
    /// [`WitnessFolderError`].
    pub fn open(path: &Path, name: Option<&str>) -> Result<Arc<Self>, WitnessFolderError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| WitnessFolderError::File { path, source }
        };
        std::fs::create_dir_all(path).map_err(failed(path))?;
        let name = self::name(path, name)?;
        let key_path = path.join("witness.pem");
        if !key_path.exists() {
            FileKey::create(&key_path, KeyAlgorithm::Ed25519, None)?;
        }
        let key = FileKey::open(&key_path, None)?;
        let seed = key.ed25519_seed().ok_or_else(|| WitnessFolderError::Kind(key_path.clone()))?;
        let signer = Ed25519Signer::from_seed(&name, KeyKind::Cosignature, seed)?;
        let logs = path.join("logs");
        if !logs.exists() {
            write(&logs, LOGS_HEAD).map_err(failed(&logs))?;
        }
        let remembered = SqliteCatalogue::open(&path.join("witness.sqlite"))
            .map_err(|e| WitnessFolderError::Remembered(e.to_string()))?;
        Ok(Arc::new(Self { path: path.to_owned(), signer, remembered }))
    }

    /// Its verifier key, which doors and auditors know it by.
    pub fn key(&self) -> &VerifierKey {
        self.signer.key()
    }

    /// The logs that it knows now.
    ///
    /// # Errors
    /// The list cannot be read; nothing is cosigned then.
    pub fn logs(&self) -> Result<Vec<VerifierKey>, WitnessFolderError> {
        let path = self.path.join("logs");
        let text = read(&path).map_err(|source| WitnessFolderError::File { path: path.clone(), source })?;
        let mut logs = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: String| WitnessFolderError::Logs { path: path.clone(), line: at + 1, why };
            let key: VerifierKey =
                line.parse().map_err(|e: tidegate_ledger::note::InvalidVerifierKey| wrong(e.to_string()))?;
            if key.kind() != KeyKind::Ed25519 {
                return Err(wrong("it is the key of a witness, not of a log".to_owned()));
            }
            logs.push(key);
        }
        Ok(logs)
    }

    /// Adds logs to the list, where they are not on it.
    ///
    /// # Errors
    /// As [`WitnessFolder::logs`], and keys that are none of a log.
    pub fn add(&self, keys: &[VerifierKey]) -> Result<(), WitnessFolderError> {
        let known = self.logs()?;
        let path = self.path.join("logs");
        let failed = |source| WitnessFolderError::File { path: path.clone(), source };
        let mut text = read(&path).map_err(failed)?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let before = text.len();
        for key in keys.iter().filter(|key| !known.contains(key)) {
            if key.kind() != KeyKind::Ed25519 {
                let why = format!("`{key}` is the key of a witness, not of a log");
                return Err(WitnessFolderError::Logs { path: path.clone(), line: known.len() + 1, why });
            }
            text.push_str(&format!("{key}\n"));
        }
        if text.len() > before { write(&path, &text).map_err(failed) } else { Ok(()) }
    }

    /// Answers one request for a cosignature as of `unix_seconds`. Blocks.
    ///
    /// # Errors
    /// [`WitnessRefusal`], or the list of logs cannot be read.
    pub fn add_checkpoint(
        &self,
        body: &[u8],
        unix_seconds: u64,
    ) -> Result<Result<String, WitnessRefusal>, WitnessFolderError> {
        let logs = self.logs()?;
        let witness = Witness { signer: &self.signer, logs: &logs, heads: &self.remembered };
        Ok(witness.add_checkpoint(body, unix_seconds))
    }
}

/// What the witness is called: as it was called first.
fn name(folder: &Path, wanted: Option<&str>) -> Result<String, WitnessFolderError> {
    let path = folder.join("name");
    let failed = |source| WitnessFolderError::File { path: path.clone(), source };
    match read(&path) {
        Ok(kept) => {
            let kept = kept.trim().to_owned();
            match wanted.filter(|wanted| *wanted != kept) {
                Some(wanted) => {
                    let (path, wanted) = (folder.to_owned(), wanted.to_owned());
                    Err(WitnessFolderError::OtherName { path, kept, wanted })
                }
                None => Ok(kept),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = match wanted {
                Some(wanted) => wanted.to_owned(),
                None => {
                    let mut random = [0u8; 5];
                    getrandom::fill(&mut random).map_err(|_| WitnessFolderError::Randomness)?;
                    format!("tidegate-witness-{}", hex::encode(random))
                }
            };
            // Before it is kept: a name that cannot be one would stay.
            VerifierKey::new(&name, KeyKind::Cosignature, [0; 32])
                .map_err(tidegate_ledger::note::InvalidPrivateKey::from)?;
            write(&path, &format!("{name}\n")).map_err(failed)?;
            Ok(name)
        }
        Err(error) => Err(failed(error)),
    }
}

fn read(path: &Path) -> io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(MAX_LOGS_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_LOGS_BYTES {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(text)
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|e| e.error)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_name_its_key_and_its_logs() {
        let folder = tempfile::tempdir().unwrap();
        let key = {
            let witness = WitnessFolder::open(folder.path(), Some("w.example/1")).unwrap();
            assert!(witness.logs().unwrap().is_empty());
            let log = VerifierKey::new("door.example/log", KeyKind::Ed25519, [7; 32]).unwrap();
            witness.add(&[log.clone(), log.clone()]).unwrap();
            witness.add(std::slice::from_ref(&log)).unwrap();
            assert_eq!(witness.logs().unwrap().first(), Some(&log));
            let wrong = VerifierKey::new("w.example/2", KeyKind::Cosignature, [7; 32]).unwrap();
            assert!(witness.add(&[wrong]).unwrap_err().to_string().contains("not of a log"));
            witness.key().clone()
        };
        let again = WitnessFolder::open(folder.path(), None).unwrap();
        assert_eq!((again.key(), again.key().name()), (&key, "w.example/1"));
        assert!(WitnessFolder::open(folder.path(), Some("w.example/2")).is_err());
        std::fs::write(folder.path().join("logs"), "# a comment\n\nno key\n").unwrap();
        let told = again.logs().unwrap_err().to_string();
        assert!(told.contains("line 3"), "{told}");
    }

    #[test]
    fn a_name_that_cannot_be_one_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert!(WitnessFolder::open(folder.path(), Some("two words")).is_err());
        assert!(WitnessFolder::open(folder.path(), None).is_ok());
    }
}
