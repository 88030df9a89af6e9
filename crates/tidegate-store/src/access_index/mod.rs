//! Who took what, when and from where: a projection of the ledger that answers in milliseconds.
//!
//! One SQLite file per month (`access-2026-11.sqlite`), so that old months are deleted by deleting files. Nothing here
//! is a record: the ledger is, and [`AccessIndex::reset`] followed by projecting it again gives the same answers. The
//! files hold pseudonyms and commitments like the ledger; names join only when a question is answered, from the
//! private table, so a forgotten person is forgotten here too.

mod downloads;
mod merge;
mod month;
mod picked;
mod query;
mod rows;
mod takers;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::{Entry, NodeId};
use tidegate_model::Timestamp;

use month::Month;
pub use picked::Place;
pub use query::{Narrow, Seek, WhoError, WhoPage, WhoQuery, WhoSubject};
pub use rows::AccessRow;
pub use takers::{Summary, Taken, Takers, TakersOf};

/// The most entries that [`AccessIndex::project`] commits at once; more are projected in several steps.
pub const MAX_BATCH: usize = 10_000;

/// The access index of one data directory.
pub struct AccessIndex {
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The months written lately.
    months: BTreeMap<String, Month>,
    /// The last entry of each node that is projected.
    cursors: HashMap<NodeId, Reached>,
    /// Entries of earlier months are passed over.
    floor: Option<String>,
}

/// How far the ledger of one node is projected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reached {
    /// Number of the last entry.
    pub seq: u64,
    /// When that happened.
    pub at: Timestamp,
}

/// The index could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[error(
    "{doing} failed at `{}`: make room or mend the permissions; a damaged file may be deleted and projected again from the ledger",
    path.display()
)]
pub struct AccessIndexError {
    /// What was being done.
    pub doing: &'static str,
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub source: AccessIndexCause,
}

/// Why the index failed.
#[derive(Debug, thiserror::Error)]
pub enum AccessIndexCause {
    /// What the operating system says.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// What the database says.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl AccessIndexError {
    fn at<E: Into<AccessIndexCause>>(doing: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |source| Self { doing, path, source: source.into() }
    }
}

impl AccessIndex {
    /// Opens the index in `dir`, making the directory where it is missing. Files of another version are removed, and
    /// [`AccessIndex::cursor`] then says to project everything again.
    ///
    /// # Errors
    /// [`AccessIndexError`].
    pub fn open(dir: &Path) -> Result<Self, AccessIndexError> {
        std::fs::create_dir_all(dir).map_err(AccessIndexError::at("making the access index", dir))?;
        let index = Self { dir: dir.to_owned(), state: Mutex::default() };
        let mut cursors: HashMap<NodeId, Reached> = HashMap::new();
        for path in index.files()? {
            let found =
                month::cursors(&path).map_err(AccessIndexError::at("reading the access index", &path))?;
            let Some(found) = found else {
                tracing::warn!(file.path = %path.display(), "the access index has another version; it is projected again");
                index.reset()?;
                return Ok(index);
            };
            for (node, reached) in found {
                let last = cursors.entry(node).or_insert(reached);
                *last = reached.max(*last);
            }
        }
        index.state().cursors = cursors;
        Ok(index)
    }

    /// Number of the last entry of `node` that is projected; 0 for none. Reading the ledger goes on after it.
    pub fn cursor(&self, node: &NodeId) -> u64 {
        self.state().cursors.get(node).map_or(0, |reached| reached.seq)
    }

    /// Projects entries, in the order of their numbers. Those projected before are passed over, so a batch may be given
    /// again after a failure.
    ///
    /// # Errors
    /// [`AccessIndexError`]; the cursor then stands where it stood before the failed step.
    pub fn project(&self, entries: &[Entry]) -> Result<(), AccessIndexError> {
        let mut state = self.state();
        for step in entries.chunks(MAX_BATCH) {
            self.project_step(&mut state, step)?;
        }
        Ok(())
    }

    fn project_step(&self, state: &mut State, entries: &[Entry]) -> Result<(), AccessIndexError> {
        let mut by_month: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
        let mut reached: HashMap<NodeId, Reached> = HashMap::new();
        for entry in entries {
            if entry.seq > state.cursors.get(&entry.node).map_or(0, |reached| reached.seq) {
                let month = entry.time.month();
                if state.floor.as_ref().is_none_or(|floor| month >= *floor) {
                    by_month.entry(month).or_default().push(entry);
                }
                let this = Reached { seq: entry.seq, at: entry.time };
                let last = reached.entry(entry.node.clone()).or_insert(this);
                *last = this.max(*last);
            }
        }
        let last_month = by_month.len();
        for (n, (name, entries)) in (1..).zip(&by_month) {
            let path = self.dir.join(format!("access-{name}.sqlite"));
            let failed = || AccessIndexError::at("projecting the ledger", &path);
            if !state.months.contains_key(name) {
                // Two are enough: accesses come in the order of time but for skewed clocks and a month's end.
                while state.months.len() >= 2 {
                    state.months.pop_first();
                }
                state.months.insert(name.clone(), Month::open(&path).map_err(failed())?);
            }
            let month = state.months.get_mut(name).expect("opened above");
            // The cursor moves with the last file of the step: a crash before it means that all of it comes again.
            let cursors = if n == last_month { Some(&reached) } else { None };
            if let Err(e) = month.project(entries, cursors) {
                state.months.remove(name);
                return Err(failed()(e));
            }
        }
        state.cursors.extend(reached);
        Ok(())
    }

    /// How far each node's ledger is projected.
    pub fn reached(&self) -> BTreeMap<NodeId, Reached> {
        self.state().cursors.iter().map(|(node, reached)| (node.clone(), *reached)).collect()
    }

    /// Everyone of whom an access at or after `since` is projected.
    ///
    /// # Errors
    /// [`AccessIndexError`].
    pub fn actors_since(&self, since: Timestamp) -> Result<HashSet<Pseudonym>, AccessIndexError> {
        let mut actors = HashSet::new();
        for path in self.files()?.iter().filter(|path| month_of(path) >= since.month()) {
            let first = (since.unix_millis() - month::began(path)).saturating_mul(month::PER_MILLISECOND);
            month::open_read_only(path)
                .and_then(|c| {
                    let mut find = c.prepare(
                        "select distinct actor from source o
                         where exists (select 1 from access where source = o.id and id >= ?1)",
                    )?;
                    for actor in find.query_map([first], |row| row.get::<_, [u8; 32]>(0))? {
                        actors.insert(Pseudonym::new(actor?));
                    }
                    Ok(())
                })
                .map_err(AccessIndexError::at("asking the access index", path))?;
        }
        Ok(actors)
    }

    /// Deletes the months before the one of `before`, and from now on passes their entries over; returns their names. Their
    /// entries stay in the ledger. The newest month stays as well: it says how far the ledger was projected.
    ///
    /// # Errors
    /// [`AccessIndexError`].
    pub fn drop_months(&self, before: Timestamp) -> Result<Vec<String>, AccessIndexError> {
        let mut state = self.state();
        state.floor = Some(before.month());
        let files = self.files()?;
        let mut dropped = Vec::new();
        // The newest file holds the cursor.
        for path in files.iter().rev().skip(1).rev() {
            let month = month_of(path);
            if month < before.month() {
                state.months.remove(&month);
                delete(path)?;
                dropped.push(month);
            }
        }
        Ok(dropped)
    }

    /// Deletes everything, so that it is projected again from the first entry kept.
    ///
    /// # Errors
    /// [`AccessIndexError`].
    pub fn reset(&self) -> Result<(), AccessIndexError> {
        let mut state = self.state();
        state.months.clear();
        state.cursors.clear();
        for path in self.files()? {
            delete(&path)?;
        }
        Ok(())
    }

    /// The month files, oldest first.
    fn files(&self) -> Result<Vec<PathBuf>, AccessIndexError> {
        let failed = || AccessIndexError::at("listing the access index", &self.dir);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("access-") && name.ends_with(".sqlite") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic leaves the cursor where it was, and what was half written rolls back.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The month of a file: `2026-11`.
fn month_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    stem.trim_start_matches("access-").to_owned()
}

/// Deletes a month with what the database keeps beside it.
fn delete(path: &Path) -> Result<(), AccessIndexError> {
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.to_owned().into_os_string();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(AccessIndexError::at("deleting the access index", path)(e));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
