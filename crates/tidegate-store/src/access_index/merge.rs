//! A page of accesses to many subjects: each subject's rows lie sorted by time, so the newest of all are found by merging
//! and no row is read that does not stand on the page.

use std::collections::BinaryHeap;

use rusqlite::{Connection, Rows, params};

use super::query::{After, Found, ROW, found};

/// Time, node and number of an access: places compare as time goes.
type Place = (i64, i64, i64);

/// Subjects that are merged at once; each holds an open statement of some kilobytes.
const MAX_MERGED: usize = 1000;

/// What is asked of each subject.
pub(super) struct Window {
    /// From and up to when, in milliseconds since 1970.
    pub(super) period: (i64, i64),
    /// Where the page before ended.
    pub(super) after: After,
    /// Only answers that carried bytes.
    pub(super) only_taken: bool,
    /// At most this many rows.
    pub(super) limit: usize,
}

/// The newest rows of all subjects together, newest first.
pub(super) fn newest(c: &Connection, subjects: &[i64], window: &Window) -> rusqlite::Result<Vec<Found>> {
    let mut hits: Vec<(Place, i64)> = Vec::new();
    for some in subjects.chunks(MAX_MERGED) {
        hits.extend(places(c, some, window)?);
    }
    hits.sort_unstable_by(|a, b| b.cmp(a));
    hits.truncate(window.limit);
    let sql = format!("{ROW} where (a.subject, a.at, a.node, a.seq) = (?1, ?2, ?3, ?4)");
    let mut row = c.prepare(&sql)?;
    let read = |((at, node, seq), subject)| row.query_row([subject, at, node, seq], found);
    hits.into_iter().map(read).collect()
}

/// The newest places of some subjects, each with its subject.
fn places(c: &Connection, subjects: &[i64], window: &Window) -> rusqlite::Result<Vec<(Place, i64)>> {
    let taken =
        if window.only_taken { "and outcome in (select id from outcome where taken = 1)" } else { "" };
    let sql = format!(
        "select at, node, seq from access
         where subject = ?1 and at >= ?2 and at < ?3 and at <= ?4 {taken}
             and (at < ?4 or (node, seq) < (?5, ?6))
         order by at desc, node desc, seq desc"
    );
    let mut statements = subjects.iter().map(|_| c.prepare(&sql)).collect::<rusqlite::Result<Vec<_>>>()?;
    let ((since, until), After { at, node, seq }) = (window.period, window.after);
    let mut open: Vec<Rows<'_>> = Vec::with_capacity(statements.len());
    for (statement, subject) in statements.iter_mut().zip(subjects) {
        open.push(statement.query(params![subject, since, until, at, node, seq])?);
    }
    let mut heads: BinaryHeap<(Place, usize)> = BinaryHeap::with_capacity(open.len());
    for (n, rows) in open.iter_mut().enumerate() {
        heads.extend(next(rows)?.map(|place| (place, n)));
    }
    let mut newest = Vec::new();
    while newest.len() < window.limit
        && let Some((place, n)) = heads.pop()
    {
        newest.push((place, subjects[n]));
        heads.extend(next(&mut open[n])?.map(|place| (place, n)));
    }
    Ok(newest)
}

fn next(rows: &mut Rows<'_>) -> rusqlite::Result<Option<Place>> {
    rows.next()?.map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).transpose()
}
