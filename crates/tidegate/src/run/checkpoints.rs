//! Checkpoints that clients of a door keep: whoever saw one can tell later that nothing before it was changed.
//!
//! `tidegate run` asks for the newest checkpoint after each command, has the door prove that it continues the one kept from
//! last time, and keeps it. A door whose ledger was rolled back or rewritten, even with its own key, cannot prove that to
//! anybody who saw it before.

use std::io::Write as _;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use tidegate_ledger::checkpoint::Checkpoint;
use tidegate_ledger::handover;
use tidegate_ledger::note::{SignedNote, VerifierKey};
use tidegate_ledger::proof::{ConsistencyProof, Receipt};

/// Where one user keeps checkpoints of doors.
#[derive(Clone, Debug)]
pub struct SavedCheckpoints {
    folder: PathBuf,
}

/// What looking at a checkpoint came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The first one of this log.
    First {
        /// How many entries the log has.
        size: u64,
    },
    /// It continues the one kept before.
    Continues {
        /// How many entries the log had.
        before: u64,
        /// How many it has.
        size: u64,
    },
}

/// Why a checkpoint is not believed, or not kept.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The door could not be asked.
    #[error("{0}")]
    Asking(String),
    /// The checkpoint is none, or its signature does not fit.
    #[error("the door's checkpoint cannot be believed: {0}")]
    Checkpoint(String),
    /// Another key than last time, which the old one did not announce.
    #[error(
        "THE LEDGER OF THIS DOOR IS SIGNED BY ANOTHER KEY than when you last saw it, and the old key did not hand over to it: {before} became {now}; ask whoever runs the door whether the key was lost and made anew, and move `{kept}` away once you believe it"
    )]
    Key {
        /// The key kept.
        before: String,
        /// The key told.
        now: String,
        /// The file with the checkpoint kept.
        kept: String,
    },
    /// The log is not a continuation of what was seen.
    #[error(
        "THE LEDGER OF THIS DOOR WAS REWRITTEN: it had {before} entries when you last saw it, and what it shows now ({now} entries) does not continue them: {why}; keep `{kept}` as evidence and tell whoever is responsible for security"
    )]
    Rewritten {
        /// Entries at that time.
        before: u64,
        /// Entries now.
        now: u64,
        /// What does not fit.
        why: String,
        /// The file with the checkpoint kept.
        kept: String,
    },
    /// The file cannot be read or written.
    #[error("the checkpoint cannot be kept in `{}`", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl SavedCheckpoints {
    /// Those of the user: below `XDG_STATE_HOME`, else `~/.local/state`. None where there is no home.
    pub fn of_user(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        let absolute = |path: &PathBuf| path.is_absolute();
        let state = variable("XDG_STATE_HOME").filter(absolute);
        let state = state.or_else(|| Some(variable("HOME").filter(absolute)?.join(".local/state")))?;
        Some(Self { folder: state.join("tidegate/checkpoints") })
    }

    /// The file for a log: its name may hold anything.
    fn file(&self, origin: &str) -> PathBuf {
        self.folder.join(hex::encode(&Sha256::digest(origin)[..16]))
    }

    /// Believes a checkpoint and keeps it in the place of the one before, which it must continue; `prove` asks for the proof
    /// between two sizes. Another key than the one kept is believed where `handovers` lead from that to it.
    ///
    /// # Errors
    /// [`WitnessError`]; then what was kept before stays.
    pub fn see(
        &self,
        note: &str,
        key: &VerifierKey,
        handovers: &[Receipt],
        prove: impl FnOnce(u64, u64) -> Result<ConsistencyProof, String>,
    ) -> Result<Saved, WitnessError> {
        let path = self.file(key.name());
        let file = |source| WitnessError::File { path: path.clone(), source };
        let (now, _) = read(note, key)?;
        let kept = match std::fs::read_to_string(&path) {
            Ok(kept) => Some(kept),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(file(error)),
        };
        let saved = match kept.as_deref().and_then(|kept| kept.split_once('\n')) {
            None => Saved::First { size: now.size },
            Some((trusted, before)) => {
                let trusted: VerifierKey = trusted
                    .parse()
                    .map_err(|e| WitnessError::Checkpoint(format!("the one kept names no key: {e}")))?;
                if trusted != *key && handover::follow(&trusted, handovers).last() != Some(key) {
                    let (before, now) = (trusted.to_string(), key.to_string());
                    return Err(WitnessError::Key { before, now, kept: path.display().to_string() });
                }
                let (before, _) = read(before, &trusted)?;
                let rewritten = |why: String| WitnessError::Rewritten {
                    before: before.size,
                    now: now.size,
                    why,
                    kept: path.display().to_string(),
                };
                if now.size < before.size {
                    return Err(rewritten("it is shorter".to_owned()));
                }
                if now.size == before.size {
                    if now.root != before.root {
                        return Err(rewritten("it has as many entries and another root".to_owned()));
                    }
                } else {
                    let proof = prove(before.size, now.size).map_err(WitnessError::Asking)?;
                    if (proof.old, proof.new) != (before.size, now.size) {
                        return Err(rewritten("the proof is between other sizes".to_owned()));
                    }
                    proof.check(&before.root, &now.root).map_err(|e| rewritten(e.to_string()))?;
                }
                Saved::Continues { before: before.size, size: now.size }
            }
        };
        std::fs::create_dir_all(&self.folder).map_err(file)?;
        let mut new = tempfile::NamedTempFile::new_in(&self.folder).map_err(file)?;
        new.write_all(format!("{key}\n{note}").as_bytes()).map_err(file)?;
        new.persist(&path).map_err(|e| file(e.error))?;
        Ok(saved)
    }
}

fn read(note: &str, key: &VerifierKey) -> Result<(Checkpoint, SignedNote), WitnessError> {
    let refused = |e: &dyn std::fmt::Display| WitnessError::Checkpoint(e.to_string());
    let note = SignedNote::parse(note.as_bytes()).map_err(|e| refused(&e))?;
    let checkpoint =
        Checkpoint::open(&note, key.name(), std::slice::from_ref(key)).map_err(|e| refused(&e))?;
    Ok((checkpoint, note))
}
