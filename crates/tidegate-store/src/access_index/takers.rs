//! Counting who took something: how many people, machines, addresses and repositories, and when. Rows are read one at a time, so
//! the memory that it takes goes by what is distinct, not by how often it was taken.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, Row};
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_model::{Sha256, Timestamp};

use super::picked::Picked;
use super::{AccessIndex, AccessIndexError, WhoError, WhoQuery, WhoSubject, month, query, rows};
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

/// An answer in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many accesses.
    pub accesses: u64,
    /// Distinct people; those forgotten since count as well.
    pub people: u64,
    /// Distinct machines, by name; one whose name was forgotten counts for each person who used it.
    pub hosts: u64,
    /// Distinct network addresses, counted likewise.
    pub addresses: u64,
    /// Distinct package URLs.
    pub purls: u64,
    /// Repositories through which they went.
    pub repositories: BTreeSet<String>,
    /// The first of them.
    pub first_at: Option<Timestamp>,
    /// The last of them.
    pub last_at: Option<Timestamp>,
}

/// What is distinct, over months.
#[derive(Default)]
struct Distinct {
    people: HashSet<Pseudonym>,
    hosts: HashSet<Commitment>,
    addresses: HashSet<Commitment>,
    repositories: BTreeSet<String>,
}

/// More sources of one month than this are read in the order in which they lie, with all others.
const MANY: usize = 2000;

/// Who stands behind some sources of one month.
fn people_of(
    c: &Connection,
    sources: &HashSet<i64>,
    all: &mut Distinct,
) -> rusqlite::Result<HashMap<i64, Pseudonym>> {
    let mut people = HashMap::with_capacity(sources.len());
    let mut note = |row: &Row<'_>| -> rusqlite::Result<()> {
        let id: i64 = row.get(0)?;
        if !sources.contains(&id) {
            return Ok(());
        }
        let commitment = |column| -> rusqlite::Result<Option<Commitment>> {
            let bytes = row.get_ref(column)?.as_blob()?;
            Ok(<[u8; 32]>::try_from(bytes).ok().map(Commitment::new))
        };
        let person = Pseudonym::new(row.get(1)?);
        all.people.insert(person);
        all.hosts.extend(commitment(2)?);
        all.addresses.extend(commitment(3)?);
        people.insert(id, person);
        Ok(())
    };
    if sources.len() > MANY {
        let mut every = c.prepare("select id, actor, host, address from source")?;
        let mut rows = every.query([])?;
        while let Some(row) = rows.next()? {
            note(row)?;
        }
    } else {
        let mut find = c.prepare("select id, actor, host, address from source where id = ?1")?;
        for id in sources {
            find.query_row([id], &mut note)?;
        }
    }
    Ok(people)
}

#[derive(Clone, Copy)]
struct Tally {
    accesses: u64,
    first: Timestamp,
    last: Timestamp,
}

impl Tally {
    const fn at(at: Timestamp) -> Self {
        Self { accesses: 0, first: at, last: at }
    }

    fn add(&mut self, at: Timestamp) {
        self.accesses += 1;
        self.first = self.first.min(at);
        self.last = self.last.max(at);
    }
}

impl AccessIndex {
    /// Counts who took these versions: answers that carried bytes of an artifact. Reads each such access once, by its
    /// subject, and no other.
    ///
    /// # Errors
    /// [`WhoError`].
    pub fn takers(&self, of: TakersOf<'_>, people: &dyn People) -> Result<Takers, WhoError> {
        let subject = WhoSubject::Purls { purls: of.purls.to_vec(), sha256: of.sha256 };
        let query = WhoQuery { since: of.since, until: of.until, ..WhoQuery::taken(subject) };
        let mut all = Distinct::default();
        let mut versions: BTreeMap<String, (Tally, HashSet<Pseudonym>)> = BTreeMap::new();
        self.months(&query, |c, began, picked| {
            let (mut sources, mut purls, mut ways) = (HashSet::new(), HashMap::new(), HashSet::new());
            let mut by: HashMap<i64, (Tally, HashSet<i64>)> = HashMap::new();
            picked.each(c, |hit| {
                let at = rows::at(began, hit.id);
                let (tally, seen) = by.entry(hit.subject).or_insert_with(|| (Tally::at(at), HashSet::new()));
                tally.add(at);
                ways.insert(hit.outcome);
                seen.insert(hit.source);
                sources.insert(hit.source);
                Ok(())
            })?;
            let by_source = people_of(c, &sources, &mut all)?;
            for (subject, (tally, seen)) in by {
                let purl = purl(c, subject, &mut purls)?;
                let (known, people) =
                    versions.entry(purl).or_insert_with(|| (Tally { accesses: 0, ..tally }, HashSet::new()));
                known.accesses += tally.accesses;
                known.first = known.first.min(tally.first);
                known.last = known.last.max(tally.last);
                people.extend(seen.iter().filter_map(|source| by_source.get(source)));
            }
            repositories(c, &ways, &mut all)
        })?;
        let versions = versions.into_iter().map(|(purl, (tally, people))| Taken {
            purl,
            accesses: tally.accesses,
            people: people.len() as u64,
            first_at: tally.first,
            last_at: tally.last,
        });
        Ok(Takers {
            versions: versions.collect(),
            people: all.people.len() as u64,
            hosts: distinct(&all.hosts, people)?,
            repositories: all.repositories,
        })
    }

    /// Counts everything that a question asks for, whatever its limit and where its page begins.
    ///
    /// # Errors
    /// [`WhoError`].
    pub fn summary(&self, query: &WhoQuery, people: &dyn People) -> Result<Summary, WhoError> {
        let query = WhoQuery { after: None, ..query.clone() };
        let (mut all, mut all_purls) = (Distinct::default(), HashSet::new());
        let mut tally: Option<Tally> = None;
        self.months(&query, |c, began, picked| {
            let (mut sources, mut subjects, mut ways) = (HashSet::new(), HashSet::new(), HashSet::new());
            let (mut first, mut last, mut accesses) = (i64::MAX, i64::MIN, 0);
            picked.each(c, |hit| {
                (first, last, accesses) = (first.min(hit.id), last.max(hit.id), accesses + 1);
                subjects.insert(hit.subject);
                ways.insert(hit.outcome);
                sources.insert(hit.source);
                Ok(())
            })?;
            if accesses == 0 {
                return Ok(());
            }
            people_of(c, &sources, &mut all)?;
            let (first, last) = (rows::at(began, first), rows::at(began, last));
            let all_of = tally.get_or_insert(Tally { accesses: 0, first, last });
            all_of.accesses += accesses;
            all_of.first = all_of.first.min(first);
            all_of.last = all_of.last.max(last);
            let mut known = HashMap::new();
            for subject in subjects {
                all_purls.insert(purl(c, subject, &mut known)?);
            }
            repositories(c, &ways, &mut all)
        })?;
        Ok(Summary {
            accesses: tally.map_or(0, |t| t.accesses),
            people: all.people.len() as u64,
            hosts: distinct(&all.hosts, people)?,
            addresses: distinct(&all.addresses, people)?,
            purls: all_purls.len() as u64,
            repositories: all.repositories,
            first_at: tally.map(|t| t.first),
            last_at: tally.map(|t| t.last),
        })
    }

    /// Does something with each month that a question reaches, oldest first.
    fn months(
        &self,
        query: &WhoQuery,
        mut each: impl FnMut(&Connection, i64, &Picked) -> rusqlite::Result<()>,
    ) -> Result<(), AccessIndexError> {
        for path in self.files()?.iter().filter(|path| query::may_hold(path, query)) {
            let began = month::began(path);
            month::open_read_only(path)
                .and_then(|c| each(&c, began, &Picked::of(&c, began, query)?))
                .map_err(AccessIndexError::at("counting in the access index", path))?;
        }
        Ok(())
    }
}

fn purl(c: &Connection, subject: i64, known: &mut HashMap<i64, String>) -> rusqlite::Result<String> {
    if let Some(purl) = known.get(&subject) {
        return Ok(purl.clone());
    }
    let mut find = c.prepare_cached("select purl from subject where id = ?1")?;
    let purl: String = find.query_row([subject], |row| row.get(0))?;
    known.insert(subject, purl.clone());
    Ok(purl)
}

fn repositories(c: &Connection, outcomes: &HashSet<i64>, all: &mut Distinct) -> rusqlite::Result<()> {
    let mut find = c.prepare_cached("select repository from outcome where id = ?1")?;
    for outcome in outcomes {
        all.repositories.extend(find.query_row([outcome], |row| row.get::<_, String>(0)).optional()?);
    }
    Ok(())
}

/// A machine has one commitment for each person who used it: names tell which of them are one machine.
fn distinct(commitments: &HashSet<Commitment>, people: &dyn People) -> Result<u64, CatalogueError> {
    let all: Vec<Commitment> = commitments.iter().copied().collect();
    let known = people.values_of(&all)?;
    let unnamed = commitments.len() - known.len();
    let names: HashSet<String> = known.into_values().collect();
    Ok((names.len() + unnamed) as u64)
}
