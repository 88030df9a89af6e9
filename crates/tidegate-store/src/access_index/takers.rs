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

struct Tally {
    accesses: u64,
    bytes: u64,
    first: i64,
    last: i64,
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

/// Counts the rows of one month: they are read as numbers, and each number is looked up once.
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
    let (mut actors, mut origins) = (HashMap::new(), HashSet::new());
    let mut rows = c.prepare(
        "select at, actor, origin, outcome, bytes from access where subject = ?1 and at >= ?2 and at < ?3",
    )?;
    for (subject, purl) in query::subjects(c, query, sha256)? {
        let mut rows = rows.query([subject, since, until])?;
        while let Some(row) = rows.next()? {
            let Some(repository) = taken.get(&row.get(3)?) else { continue };
            let (at, bytes): (i64, i64) = (row.get(0)?, row.get(4)?);
            let actor = match actors.entry(row.get::<_, i64>(1)?) {
                std::collections::hash_map::Entry::Occupied(known) => *known.get(),
                std::collections::hash_map::Entry::Vacant(free) => *free.insert(pseudonym(c, row.get(1)?)?),
            };
            let origin: i64 = row.get(2)?;
            if origins.insert(origin) {
                counted.hosts.extend(host(c, origin)?);
            }
            if !counted.repositories.contains(repository) {
                counted.repositories.insert(repository.clone());
            }
            counted.people.insert(actor);
            if !counted.versions.contains_key(&purl) {
                let tally = Tally { accesses: 0, bytes: 0, first: at, last: at };
                counted.versions.insert(purl.clone(), (tally, HashSet::new()));
            }
            let (tally, people) = counted.versions.get_mut(&purl).expect("inserted above");
            tally.accesses += 1;
            tally.bytes += bytes.cast_unsigned();
            tally.first = tally.first.min(at);
            tally.last = tally.last.max(at);
            people.insert(actor);
        }
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
