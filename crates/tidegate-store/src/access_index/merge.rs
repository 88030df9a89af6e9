//! A page of the rows of many subjects or sources: those of each lie sorted by time, so the newest of all are found by merging
//! and no row is looked up that does not stand on the page.

use std::collections::BinaryHeap;

use rusqlite::{Connection, Rows, params};

use super::picked::{Hit, Picked, next};

/// Walks that are merged at once; each holds an open statement of some kilobytes.
const MAX_MERGED: usize = 1000;

/// The newest rows that a question asks for, newest first, at most `limit`.
pub(super) fn newest(c: &Connection, picked: &Picked, limit: usize) -> rusqlite::Result<Vec<Hit>> {
    let mut hits: Vec<Hit> = Vec::new();
    for some in picked.walks().chunks(MAX_MERGED) {
        hits.extend(of_some(c, some, picked, limit)?);
        hits.sort_unstable_by(|a, b| b.cmp(a));
        hits.truncate(limit);
    }
    Ok(hits)
}

fn of_some(c: &Connection, some: &[i64], picked: &Picked, limit: usize) -> rusqlite::Result<Vec<Hit>> {
    let sql = picked.walk();
    let mut statements = some.iter().map(|_| c.prepare(sql)).collect::<rusqlite::Result<Vec<_>>>()?;
    let mut open: Vec<Rows<'_>> = Vec::with_capacity(statements.len());
    for (statement, of) in statements.iter_mut().zip(some) {
        open.push(statement.query(params![of, picked.from, picked.before])?);
    }
    let mut heads: BinaryHeap<(Hit, usize)> = BinaryHeap::with_capacity(open.len());
    for (n, rows) in open.iter_mut().enumerate() {
        heads.extend(wanted(rows, picked)?.map(|hit| (hit, n)));
    }
    let mut newest = Vec::new();
    while newest.len() < limit
        && let Some((hit, n)) = heads.pop()
    {
        newest.push(hit);
        heads.extend(wanted(&mut open[n], picked)?.map(|hit| (hit, n)));
    }
    Ok(newest)
}

/// The next row that was asked for.
fn wanted(rows: &mut Rows<'_>, picked: &Picked) -> rusqlite::Result<Option<Hit>> {
    while let Some(hit) = next(rows)? {
        if picked.holds(hit) {
            return Ok(Some(hit));
        }
    }
    Ok(None)
}
