//! Counting who took some versions: how many people, machines and repositories, and when.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _};
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_model::{Sha256, Timestamp};

use super::{AccessIndex, AccessIndexError, WhoError, WhoQuery, WhoSubject, month, query};
use crate::catalogue::{CatalogueError, People};

/// Which versions are counted, and in which period.
#[derive(Clone, Copy, Debug, Default)]
pub struct TakersOf<'a> {
    /// Package URLs with versions.
    pub purls: &'a [String],
    /// Only these bytes of them.
    pub sha256: Option<Sha256>,
    /// At or after this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// How often one version was taken, and by how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Package URL with version.
    pub purl: String,
    /// Answers that carried bytes.
    pub accesses: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// Distinct people; those forgotten since count as well.
    pub people: u64,
    /// The first time.
    pub first_at: Timestamp,
    /// The last time.
    pub last_at: Timestamp,
}

/// Everyone who took some versions, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takers {
    /// Versions that were taken, by package URL.
    pub versions: Vec<Taken>,
    /// Distinct people over all versions.
    pub people: u64,
    /// Distinct machines, by name; one whose name was forgotten counts for each person who used it.
    pub hosts: u64,
    /// Repositories through which they were taken.
    pub repositories: BTreeSet<String>,
}

impl Takers {
    /// Answers that carried bytes, over all versions.
    pub fn accesses(&self) -> u64 {
        self.versions.iter().map(|v| v.accesses).sum()
    }

    /// The first time that any was taken.
    pub fn first_at(&self) -> Option<Timestamp> {
        self.versions.iter().map(|v| v.first_at).min()
    }

    /// The last time that any was taken.
    pub fn last_at(&self) -> Option<Timestamp> {
        self.versions.iter().map(|v| v.last_at).max()
    }
}

/// What is counted while months are read, one after the other.
#[derive(Default)]
struct Counted {
    versions: BTreeMap<String, (Tally, HashSet<Pseudonym>)>,
    people: HashSet<Pseudonym>,
    hosts: HashSet<Commitment>,
    repositories: BTreeSet<String>,
}

#[derive(Clone, Copy)]
struct Tally {
    accesses: u64,
    bytes: u64,
    first: i64,
    last: i64,
}

impl Tally {
    fn add(&mut self, at: i64, bytes: i64) {
        self.accesses += 1;
        self.bytes += bytes.cast_unsigned();
        self.first = self.first.min(at);
        self.last = self.last.max(at);
    }

    fn join(&mut self, other: &Self) {
        self.accesses += other.accesses;
        self.bytes += other.bytes;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl AccessIndex {
    /// Counts who took these versions: answers that carried bytes of an artifact. Reads each such access once, by its
    /// subject, and no other.
    ///
    /// # Errors
    /// [`WhoError`].
    pub fn takers(&self, of: TakersOf<'_>, people: &dyn People) -> Result<Takers, WhoError> {
        let subject = WhoSubject::Purls(of.purls.to_vec());
        let query = WhoQuery { since: of.since, until: of.until, ..WhoQuery::taken(subject) };
        let mut counted = Counted::default();
        for path in self.files()?.iter().filter(|path| query::may_hold(path, &query)) {
            month::open_read_only(path)
                .and_then(|c| count(&c, &query, of.sha256, &mut counted))
                .map_err(AccessIndexError::at("counting in the access index", path))?;
        }
        let hosts = distinct_hosts(&counted.hosts, people)?;
        let versions = counted.versions.into_iter().map(|(purl, (tally, people))| Taken {
            purl,
            accesses: tally.accesses,
            bytes: tally.bytes,
            people: people.len() as u64,
            first_at: Timestamp::from_unix_millis(tally.first),
            last_at: Timestamp::from_unix_millis(tally.last),
        });
        Ok(Takers {
            versions: versions.collect(),
            people: counted.people.len() as u64,
            hosts,
            repositories: counted.repositories,
        })
    }
}

/// Counts the rows of one month: they are read as numbers, and each number is looked up once. Of a subject that is new
/// nobody is known, so nobody means new.
fn count(
    c: &Connection,
    query: &WhoQuery,
    sha256: Option<Sha256>,
    counted: &mut Counted,
) -> rusqlite::Result<()> {
    let taken: HashMap<i64, String> = c
        .prepare("select id, repository from outcome where taken = 1")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let (since, until) = query::period(query);
    let mut actors: HashMap<i64, Pseudonym> = HashMap::new();
    let mut origins: HashSet<i64> = HashSet::new();
    let mut accesses = c.prepare(
        "select at, actor, origin, outcome, bytes from access where subject = ?1 and at >= ?2 and at < ?3",
    )?;
    for (subject, purl) in query::subjects(c, &query.subject, sha256)?.unwrap_or_default() {
        let (mut by, mut ways) = (HashSet::new(), HashSet::new());
        let mut tally: Option<Tally> = None;
        let mut rows = accesses.query([subject, since, until])?;
        while let Some(row) = rows.next()? {
            let outcome: i64 = row.get(3)?;
            if !taken.contains_key(&outcome) {
                continue;
            }
            ways.insert(outcome);
            by.insert(row.get::<_, i64>(1)?);
            if origins.insert(row.get(2)?) {
                counted.hosts.extend(host(c, row.get(2)?)?);
            }
            let (at, bytes): (i64, i64) = (row.get(0)?, row.get(4)?);
            tally.get_or_insert(Tally { accesses: 0, bytes: 0, first: at, last: at }).add(at, bytes);
        }
        let Some(tally) = tally else { continue };
        let (all, people) = counted.versions.entry(purl).or_insert_with(|| (tally, HashSet::new()));
        if !people.is_empty() {
            all.join(&tally);
        }
        for actor in by {
            let known = match actors.get(&actor) {
                Some(known) => *known,
                None => pseudonym(c, actor)?,
            };
            actors.insert(actor, known);
            people.insert(known);
            counted.people.insert(known);
        }
        counted.repositories.extend(ways.iter().filter_map(|way| taken.get(way)).cloned());
    }
    Ok(())
}

fn pseudonym(c: &Connection, actor: i64) -> rusqlite::Result<Pseudonym> {
    let mut find = c.prepare_cached("select pseudonym from actor where id = ?1")?;
    find.query_row([actor], |row| row.get(0)).map(Pseudonym::new)
}

fn host(c: &Connection, origin: i64) -> rusqlite::Result<Option<Commitment>> {
    let mut find = c.prepare_cached("select host from origin where id = ?1")?;
    let bytes: Option<Vec<u8>> = find.query_row([origin], |row| row.get(0)).optional()?;
    Ok(bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(Commitment::new))
}

/// A machine has one commitment for each person who used it: names tell which of them are one machine.
fn distinct_hosts(commitments: &HashSet<Commitment>, people: &dyn People) -> Result<u64, CatalogueError> {
    let (mut names, mut unnamed) = (HashSet::new(), 0);
    for commitment in commitments {
        match people.context_by_commitment(commitment)? {
            Some(context) => drop(names.insert(context.value)),
            None => unnamed += 1,
        }
    }
    Ok(names.len() as u64 + unnamed)
}
