//! From a question to numbers of one month: which subjects, sources and outcomes it is about, and which of their rows to walk.

use std::collections::HashSet;

use rusqlite::{Connection, Rows, params};
use tidegate_ledger::pseudonym::Commitment;
use tidegate_model::Sha256;

use super::month::PER_MILLISECOND;
use super::query::{Narrow, WhoQuery, WhoSubject};
use crate::catalogue::package_of;

/// One row, as far as choosing and counting read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    /// Orders rows of a month by time.
    pub(super) id: i64,
    pub(super) subject: i64,
    pub(super) source: i64,
    pub(super) outcome: i64,
}

/// What rows are walked along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Those of some subjects.
    Subjects(Vec<i64>),
    /// Those of some sources.
    Sources(Vec<i64>),
    /// All, by time.
    Time,
}

/// A question in the numbers of one month.
pub(super) struct Picked {
    pub(super) way: Way,
    /// From this id.
    pub(super) from: i64,
    /// Before this id.
    pub(super) before: i64,
    /// Only of these sources.
    sources: Option<HashSet<i64>>,
    /// Only with these outcomes.
    outcomes: Option<HashSet<i64>>,
}

impl Picked {
    /// Reads what a question means in one month, which began at `began`.
    pub(super) fn of(c: &Connection, began: i64, query: &WhoQuery) -> rusqlite::Result<Self> {
        let subjects = subjects(c, &query.subject)?;
        let sources = sources(c, &query.from)?;
        let way = match (subjects, &sources) {
            (Some(subjects), _) => Way::Subjects(subjects),
            (None, Some(sources)) => {
                let mut sources: Vec<i64> = sources.iter().copied().collect();
                sources.sort_unstable();
                Way::Sources(sources)
            }
            (None, None) => Way::Time,
        };
        let sources = if matches!(way, Way::Sources(_)) { None } else { sources };
        let id = |at: i64| at.saturating_sub(began).saturating_mul(PER_MILLISECOND);
        let millis = |at: Option<tidegate_model::Timestamp>| at.map(tidegate_model::Timestamp::unix_millis);
        Ok(Self {
            way,
            from: millis(query.since).map_or(i64::MIN, id),
            before: millis(query.until).map_or(i64::MAX, id).min(after(c, began, query)?),
            sources,
            outcomes: outcomes(c, query)?,
        })
    }

    /// Whether a row is one that was asked for.
    pub(super) fn holds(&self, hit: Hit) -> bool {
        self.sources.as_ref().is_none_or(|sources| sources.contains(&hit.source))
            && self.outcomes.as_ref().is_none_or(|outcomes| outcomes.contains(&hit.outcome))
    }

    /// The statement that walks one subject, one source or everything, newest first; `?1` is the subject or source, then come
    /// the bounds.
    pub(super) const fn walk(&self) -> &'static str {
        match self.way {
            Way::Subjects(_) => {
                "select id, subject, source, outcome from access indexed by access_subject
                 where subject = ?1 and id >= ?2 and id < ?3 order by id desc"
            }
            Way::Sources(_) => {
                "select id, subject, source, outcome from access indexed by access_source
                 where source = ?1 and id >= ?2 and id < ?3 order by id desc"
            }
            Way::Time => {
                "select id, subject, source, outcome from access
                 where ?1 = 0 and id >= ?2 and id < ?3 order by id desc"
            }
        }
    }

    /// What each walk is of.
    pub(super) fn walks(&self) -> &[i64] {
        match &self.way {
            Way::Subjects(some) | Way::Sources(some) => some,
            Way::Time => &[0],
        }
    }

    /// Calls `each` with every row that was asked for, in no order that counts. Rows are read one at a time.
    pub(super) fn each(
        &self,
        c: &Connection,
        mut each: impl FnMut(Hit) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut walk = c.prepare(self.walk())?;
        for of in self.walks() {
            let mut rows = walk.query(params![of, self.from, self.before])?;
            while let Some(hit) = next(&mut rows)? {
                if self.holds(hit) {
                    each(hit)?;
                }
            }
        }
        Ok(())
    }
}

pub(super) fn next(rows: &mut Rows<'_>) -> rusqlite::Result<Option<Hit>> {
    rows.next()?
        .map(|row| {
            Ok(Hit { id: row.get(0)?, subject: row.get(1)?, source: row.get(2)?, outcome: row.get(3)? })
        })
        .transpose()
}

/// The subjects that are asked about; none for questions that are about no subject.
fn subjects(c: &Connection, subject: &WhoSubject) -> rusqlite::Result<Option<Vec<i64>>> {
    let list = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<Option<Vec<i64>>> {
        c.prepare(sql)?.query_map(values, |row| row.get(0))?.collect::<rusqlite::Result<_>>().map(Some)
    };
    let bytes = |digest: &Sha256| digest.as_bytes().to_vec();
    match subject {
        WhoSubject::Purl(purl) => {
            let package = package_of(purl).0;
            list("select id from subject where package = ?1 and purl = ?2", &[&package, purl])
        }
        WhoSubject::Package(package) => list("select id from subject where package = ?1", &[package]),
        WhoSubject::Sha256(sha256) => list("select id from subject where sha256 = ?1", &[&bytes(sha256)]),
        WhoSubject::Purls { purls, sha256 } => of_purls(c, purls, sha256.as_ref()).map(Some),
        WhoSubject::Everything => Ok(None),
    }
}

/// The subjects of some versions, a package at a time.
fn of_purls(c: &Connection, purls: &[String], sha256: Option<&Sha256>) -> rusqlite::Result<Vec<i64>> {
    let wanted: HashSet<&str> = purls.iter().map(String::as_str).collect();
    let packages: HashSet<&str> = purls.iter().map(|purl| package_of(purl).0).collect();
    let sha256 = sha256.map(|digest| digest.as_bytes().to_vec());
    let mut find =
        c.prepare_cached("select id, purl from subject where package = ?1 and (?2 is null or sha256 = ?2)")?;
    let mut found = Vec::new();
    for package in packages {
        let mut rows = find.query(params![package, sha256])?;
        while let Some(row) = rows.next()? {
            if wanted.contains(row.get_ref(1)?.as_str()?) {
                found.push(row.get(0)?);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The sources that are asked about; none where nothing is said of people and places.
fn sources(c: &Connection, from: &Narrow) -> rusqlite::Result<Option<HashSet<i64>>> {
    let mut all: Option<HashSet<i64>> = None;
    let mut only = |found: HashSet<i64>| {
        all = Some(match all.take() {
            Some(known) => known.intersection(&found).copied().collect(),
            None => found,
        });
    };
    let of = |sql: &str, blob: &[u8]| -> rusqlite::Result<Vec<i64>> {
        c.prepare_cached(sql)?.query_map([blob], |row| row.get(0))?.collect()
    };
    if let Some(actor) = &from.actor {
        only(of("select id from source where actor = ?1", actor.as_bytes())?.into_iter().collect());
    }
    if let Some(credentials) = &from.credentials {
        let mut found = HashSet::new();
        for commitment in credentials {
            let sql = "select id from source where credential = ?1 and length(credential) > 0";
            found.extend(of(sql, commitment.as_bytes())?);
        }
        only(found);
    }
    for (column, places) in [("host", &from.hosts), ("address", &from.addresses)] {
        let Some(places) = places else { continue };
        let mut found = HashSet::new();
        for place in places {
            // A commitment is one person's own, so it is looked for among what that person used.
            let sql = format!("select id from source where actor = ?1 and {column} = ?2");
            let mut find = c.prepare_cached(&sql)?;
            let values = (place.person.as_bytes(), place.commitment.as_bytes());
            let ids = find.query_map(values, |row| row.get::<_, i64>(0))?;
            for id in ids {
                found.insert(id?);
            }
        }
        only(found);
    }
    Ok(all)
}

/// The outcomes that are asked about; none where all are.
fn outcomes(c: &Connection, query: &WhoQuery) -> rusqlite::Result<Option<HashSet<i64>>> {
    let repository = query.from.repository.as_deref();
    if !query.only_taken && repository.is_none() {
        return Ok(None);
    }
    c.prepare("select id from outcome where (taken = 1 or not ?1) and (?2 is null or repository = ?2)")?
        .query_map(params![query.only_taken, repository], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()
        .map(Some)
}

/// The id of the row at which the page before ended. Where that row is not in this month, the moment counts.
fn after(c: &Connection, began: i64, query: &WhoQuery) -> rusqlite::Result<i64> {
    let Some(seek) = &query.after else { return Ok(i64::MAX) };
    let first = seek.at.unix_millis().saturating_sub(began).saturating_mul(PER_MILLISECOND);
    if first < 0 {
        return Ok(first);
    }
    let found: Option<i64> = c.query_row(
        "select max(a.id) from access a join node n on n.id = a.node
         where a.id >= ?1 and a.id < ?2 and a.seq = ?3 and n.name = ?4",
        params![first, first + PER_MILLISECOND, seek.record.seq.cast_signed(), seek.record.node.as_str()],
        |row| row.get(0),
    )?;
    Ok(found.unwrap_or(first))
}

/// A value of one person, as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub person: tidegate_ledger::pseudonym::Pseudonym,
    /// The commitment to it.
    pub commitment: Commitment,
}
