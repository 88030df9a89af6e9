//! The connection that writes, shared by group commit.
//!
//! A sync costs milliseconds and a change microseconds. So callers run their changes one after another in one open
//! transaction, each in a savepoint of its own, and whoever opened the transaction commits it for all once nobody is
//! about to join. Each caller returns after that commit: what it reports as done is on the disk.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::super::{CatalogueCause, CatalogueError};

/// How often the one who commits lets others go first.
const MAX_YIELDS: usize = 100;

pub(super) struct Writer {
    path: PathBuf,
    /// Callers that are about to join the open transaction.
    joining: AtomicUsize,
    #[cfg(test)]
    commits: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    connection: Connection,
    open: Option<Arc<Batch>>,
}

/// One transaction: its outcome, for all who took part.
#[derive(Default)]
struct Batch {
    outcome: Mutex<Option<Result<(), String>>>,
    done: Condvar,
    full: AtomicBool,
}

impl Batch {
    fn finish(&self, outcome: rusqlite::Result<()>) {
        let outcome = outcome.map_err(|e| {
            let cause = CatalogueCause::from(e);
            self.full.store(matches!(cause, CatalogueCause::Full), Ordering::Relaxed);
            cause.to_string()
        });
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.done.notify_all();
    }

    fn wait(&self) -> Result<(), CatalogueCause> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match &*outcome {
                Some(Ok(())) => return Ok(()),
                Some(Err(_)) if self.full.load(Ordering::Relaxed) => return Err(CatalogueCause::Full),
                Some(Err(why)) => return Err(CatalogueCause::Engine(why.clone())),
                None => outcome = self.done.wait(outcome).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Writer {
    pub(super) fn new(path: &Path, connection: Connection) -> Self {
        Self {
            path: path.to_owned(),
            joining: AtomicUsize::new(0),
            #[cfg(test)]
            commits: AtomicUsize::new(0),
            state: Mutex::new(State { connection, open: None }),
        }
    }

    /// Runs `f` in a transaction and returns once that is durable. Where `f` fails, nothing of it stays.
    pub(super) fn write<T>(
        &self,
        doing: &'static str,
        f: impl FnOnce(&Connection) -> Result<T, CatalogueCause>,
    ) -> Result<T, CatalogueError> {
        let failed = |cause| super::failed(doing, &self.path)(cause);
        self.joining.fetch_add(1, Ordering::SeqCst);
        let joined = {
            let mut state = self.state();
            let joined = state.join(f);
            self.joining.fetch_sub(1, Ordering::SeqCst);
            joined
        };
        let (value, batch, leads) = joined.map_err(failed)?;
        if leads {
            self.commit(&batch);
        }
        batch.wait().map_err(failed)?;
        Ok(value)
    }

    /// Runs `f` while nobody else writes, outside of any transaction.
    pub(super) fn alone<T>(
        &self,
        doing: &'static str,
        f: impl FnOnce(&Connection) -> Result<T, CatalogueCause>,
    ) -> Result<T, CatalogueError> {
        loop {
            let state = self.state();
            if state.open.is_some() {
                drop(state);
                std::thread::yield_now();
                continue;
            }
            return f(&state.connection).map_err(super::failed(doing, &self.path));
        }
    }

    /// Moves everything into the database file and empties the write-ahead log, so that no old page stays in it.
    pub(super) fn checkpoint(&self, doing: &'static str) -> Result<(), CatalogueError> {
        loop {
            let state = self.state();
            if state.open.is_some() {
                drop(state);
                std::thread::yield_now();
                continue;
            }
            let busy: bool = state
                .connection
                .query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))
                .map_err(CatalogueCause::from)
                .map_err(super::failed(doing, &self.path))?;
            return if busy { Err(super::failed(doing, &self.path)(CatalogueCause::Busy)) } else { Ok(()) };
        }
    }

    /// How many transactions were committed.
    #[cfg(test)]
    pub(super) fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }

    fn commit(&self, batch: &Arc<Batch>) {
        for _ in 0..MAX_YIELDS {
            if self.joining.load(Ordering::SeqCst) == 0 {
                break;
            }
            std::thread::yield_now();
        }
        let mut state = self.state();
        // Where the engine rolled the transaction back under one of its members, it is finished already.
        if state.open.as_ref().is_some_and(|open| Arc::ptr_eq(open, batch)) {
            state.open = None;
            let outcome = state.connection.execute_batch("commit");
            #[cfg(test)]
            self.commits.fetch_add(1, Ordering::Relaxed);
            if outcome.is_err() {
                state.roll_back();
            }
            batch.finish(outcome);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A change that panics is rolled back before its panic goes on, see `State::join`.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn join<T>(
        &mut self,
        f: impl FnOnce(&Connection) -> Result<T, CatalogueCause>,
    ) -> Result<(T, Arc<Batch>, bool), CatalogueCause> {
        let leads = self.open.is_none();
        if leads {
            self.connection.execute_batch("begin immediate")?;
        }
        let batch = Arc::clone(self.open.get_or_insert_default());
        let result = match self.connection.execute_batch("savepoint one") {
            Ok(()) => catch_unwind(AssertUnwindSafe(|| f(&self.connection))),
            Err(e) => Ok(Err(e.into())),
        };
        if let Ok(Ok(value)) = result {
            match self.connection.execute_batch("release one") {
                Ok(()) => return Ok((value, batch, leads)),
                Err(e) => {
                    self.undo(&batch, leads);
                    return Err(e.into());
                }
            }
        }
        self.undo(&batch, leads);
        match result {
            Ok(Err(cause)) => Err(cause),
            Ok(Ok(_)) => unreachable!("returned above"),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Takes back one member's change, or the whole transaction where it was the first or the engine gave it up.
    fn undo(&mut self, batch: &Batch, leads: bool) {
        let undone = !leads && self.connection.execute_batch("rollback to one; release one").is_ok();
        if undone && !self.connection.is_autocommit() {
            return;
        }
        self.roll_back();
        self.open = None;
        batch.finish(Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
            Some("the transaction was rolled back because of another change in it; try again".to_owned()),
        )));
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // What fails here fails again, and is reported, at the next `begin`.
            drop(self.connection.execute_batch("rollback"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> (tempfile::TempDir, Writer) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalogue.sqlite");
        let connection = super::super::migrate::open(&path).unwrap();
        (dir, Writer::new(&path, connection))
    }

    fn put(connection: &Connection, name: &str) -> Result<(), CatalogueCause> {
        connection.execute("insert into setting values (?1, '')", [name])?;
        Ok(())
    }

    fn count(writer: &Writer) -> i64 {
        let state = writer.state();
        state
            .connection
            .query_row("select count(*) from setting where name like 'n%'", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_failed_change_leaves_nothing_and_harms_nobody() {
        let (_dir, writer) = writer();
        std::thread::scope(|scope| {
            for n in 0..40 {
                let writer = &writer;
                scope.spawn(move || {
                    let result = writer.write("testing", |c| {
                        put(c, &format!("n{n}"))?;
                        if n % 4 == 0 { put(c, &format!("n{n}")) } else { Ok(()) }
                    });
                    assert_eq!(result.is_err(), n % 4 == 0, "{n}: {result:?}");
                });
            }
        });
        assert_eq!(count(&writer), 30);
    }

    #[test]
    fn a_panic_in_a_change_does_not_stop_the_next() {
        let (_dir, writer) = writer();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            writer.write("testing", |c| -> Result<(), CatalogueCause> {
                put(c, "n0")?;
                panic!("on purpose")
            })
        }));
        assert!(panicked.is_err());
        writer.write("testing", |c| put(c, "n1")).unwrap();
        assert_eq!(count(&writer), 1);
    }

    #[test]
    fn the_writer_syncs_what_it_commits() {
        let (_dir, writer) = writer();
        let state = writer.state();
        let pragma =
            |name: &str| state.connection.pragma_query_value(None, name, |r| r.get::<_, i64>(0)).unwrap();
        assert_eq!(pragma("synchronous"), 2, "full");
        assert_eq!(pragma("secure_delete"), 1);
        let mode: String = state.connection.pragma_query_value(None, "journal_mode", |r| r.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }
}
