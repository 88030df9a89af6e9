//! Signed heads of logs: one row each, moved only from where it is.

use rusqlite::{OptionalExtension as _, Row, params};
use tidegate_ledger::checkpoint::Root;
use tidegate_ledger::heads::{Head, Heads, HeadsError, Runs};

use super::super::CatalogueCause;
use super::SqliteCatalogue;
use super::convert::Bytes32;

struct Stored {
    size: i64,
    root: Root,
    note: String,
    runs: String,
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let root = Root(row.get::<_, Bytes32>(1)?.0);
    Ok(Stored { size: row.get(0)?, root, note: row.get(2)?, runs: row.get(3)? })
}

impl TryFrom<Stored> for Head {
    type Error = CatalogueCause;

    fn try_from(row: Stored) -> Result<Self, CatalogueCause> {
        let unreadable = |why| CatalogueCause::Unreadable { what: "head of a ledger", why };
        let size = u64::try_from(row.size).map_err(|e| unreadable(e.to_string()))?;
        let runs = Runs::parse(&row.runs).map_err(unreadable)?;
        Ok(Self { size, root: row.root, note: row.note, runs })
    }
}

fn integer(size: u64) -> Result<i64, CatalogueCause> {
    i64::try_from(size).map_err(|_| CatalogueCause::Refused(format!("no ledger has {size} entries")))
}

impl Heads for SqliteCatalogue {
    fn head(&self, log: &str) -> Result<Option<Head>, HeadsError> {
        self.read("reading the head of the ledger", |c| {
            c.prepare_cached("select size, root, note, runs from ledger_head where log = ?1")?
                .query_row([log], stored)
                .optional()?
                .map(Head::try_from)
                .transpose()
        })
        .map_err(|e| HeadsError(Box::new(e)))
    }

    fn advance(&self, log: &str, from: Option<(u64, Root)>, next: &Head) -> Result<bool, HeadsError> {
        self.write("moving the head of the ledger", |c| {
            let (size, runs) = (integer(next.size)?, next.runs.to_text());
            let changed = match from {
                None => c
                    .prepare_cached(
                        "insert into ledger_head (log, size, root, note, runs) values (?1, ?2, ?3, ?4, ?5)
                         on conflict do nothing",
                    )?
                    .execute(params![log, size, Bytes32(next.root.0), next.note, runs])?,
                Some((old_size, old_root)) => c
                    .prepare_cached(
                        "update ledger_head set size = ?2, root = ?3, note = ?4, runs = ?5
                         where log = ?1 and size = ?6 and root = ?7",
                    )?
                    .execute(params![
                        log,
                        size,
                        Bytes32(next.root.0),
                        next.note,
                        runs,
                        integer(old_size)?,
                        Bytes32(old_root.0)
                    ])?,
            };
            Ok(changed == 1)
        })
        .map_err(|e| HeadsError(Box::new(e)))
    }
}
