//! Answering "who took this".

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::{FromSqlError, Value};
use rusqlite::{Connection, Row, named_params};
use tidegate_ledger::entry::ByteRange;
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_ledger::{NodeId, RecordId};
use tidegate_model::{Action, DecisionId, PrincipalKind, Sha256, Timestamp};

use super::{AccessIndex, AccessIndexError, month};
use crate::catalogue::{CatalogueError, People};

/// What was taken, or by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhoSubject {
    /// One version: a package URL with its version.
    Purl(String),
    /// Any of these versions: package URLs with their versions.
    Purls(Vec<String>),
    /// Every version: a package URL without one.
    Package(String),
    /// These bytes, under whatever name.
    Sha256(Sha256),
    /// What one person took.
    Actor(Pseudonym),
    /// Everything, by time.
    Everything,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhoQuery {
    /// What was taken, or by whom.
    pub subject: WhoSubject,
    /// At or after this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Only answers that carried bytes of an artifact; else refusals, indexes and HEAD count too.
    pub only_taken: bool,
    /// At most this many; capped at [`WhoQuery::MAX_LIMIT`].
    pub limit: u32,
    /// After this row of an earlier page.
    pub after: Option<Seek>,
}

impl WhoQuery {
    /// The most rows of one page.
    pub const MAX_LIMIT: u32 = 10_000;

    /// Everyone who took it, newest first: the first 1,000.
    pub const fn taken(subject: WhoSubject) -> Self {
        Self { subject, since: None, until: None, only_taken: true, limit: 1000, after: None }
    }
}

/// Where a page ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seek {
    /// Time of the last row.
    pub at: Timestamp,
    /// Its record.
    pub record: RecordId,
}

/// One access, with the names that are still known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRow {
    /// The entry in the ledger.
    pub record: RecordId,
    /// When.
    pub at: Timestamp,
    /// Package URL.
    pub purl: String,
    /// File.
    pub file: Option<String>,
    /// Digest of the bytes.
    pub sha256: Option<Sha256>,
    /// Who, as the ledger says it.
    pub actor: Pseudonym,
    /// What kind of principal.
    pub actor_kind: PrincipalKind,
    /// Who, by name; `None` where the person was forgotten.
    pub principal: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// The network address.
    pub address: Option<String>,
    /// The client.
    pub client: Option<String>,
    /// The credential, by its name.
    pub credential: Option<String>,
    /// Through which repository.
    pub repository: String,
    /// HTTP method.
    pub method: String,
    /// Kind of route.
    pub operation: String,
    /// HTTP status.
    pub status: u16,
    /// The part that was asked for.
    pub range: Option<ByteRange>,
    /// Bytes sent.
    pub bytes: u64,
    /// What was decided.
    pub action: Option<Action>,
    /// False where the policy only observed.
    pub enforced: bool,
    /// The decision.
    pub decision: Option<DecisionId>,
    /// Digest of the policy.
    pub policy: Option<Sha256>,
    /// Whether the answer was `cold`, `warm` or `stale`.
    pub cache: Option<String>,
}

/// One page of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhoPage {
    /// Newest first.
    pub rows: Vec<AccessRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Seek>,
}

/// A question could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum WhoError {
    /// The index failed.
    #[error("asking the access index failed")]
    Index(#[from] AccessIndexError),
    /// The private table failed.
    #[error("looking names up failed")]
    Names(#[from] CatalogueError),
}

/// A row before names join.
struct Found {
    row: AccessRow,
    /// Host, address, client, credential.
    commitments: [Option<Commitment>; 4],
}

impl AccessIndex {
    /// Who took it, newest first, with names from the private table.
    ///
    /// # Errors
    /// [`WhoError`].
    pub fn who(&self, query: &WhoQuery, people: &dyn People) -> Result<WhoPage, WhoError> {
        let limit = query.limit.clamp(1, WhoQuery::MAX_LIMIT) as usize;
        let mut found = Vec::new();
        for path in self.files()?.iter().rev().filter(|path| may_hold(path, query)) {
            let missing = limit + 1 - found.len();
            let rows = month::open_read_only(path)
                .and_then(|c| ask(&c, query, missing))
                .map_err(AccessIndexError::at("asking the access index", path))?;
            found.extend(rows);
            if found.len() > limit {
                break;
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let rows = name(found, people)?;
        let next = rows.last().filter(|_| more).map(|row| Seek { at: row.at, record: row.record.clone() });
        Ok(WhoPage { rows, next })
    }
}

/// Whether the month of a file can hold anything of the period asked about.
pub(super) fn may_hold(path: &Path, query: &WhoQuery) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let month = stem.trim_start_matches("access-");
    let last = [query.until, query.after.as_ref().map(|seek| seek.at)].into_iter().flatten().min();
    query.since.is_none_or(|since| month >= since.month().as_str())
        && last.is_none_or(|last| month <= last.month().as_str())
}

/// The rows are chosen and sorted by their keys alone; everything else joins only for those of the page.
fn sql(query: &WhoQuery) -> String {
    let subject = match &query.subject {
        WhoSubject::Purl(_) => "a.subject in (select id from subject where purl = :what)",
        WhoSubject::Purls(_) => {
            "a.subject in (select id from subject where purl in (select value from json_each(:what)))"
        }
        WhoSubject::Package(_) => "a.subject in (select id from subject where package = :what)",
        WhoSubject::Sha256(_) => "a.subject in (select id from subject where sha256 = :what)",
        WhoSubject::Actor(_) => "a.actor in (select id from actor where pseudonym = :what)",
        WhoSubject::Everything => ":what is null",
    };
    let taken =
        if query.only_taken { "and a.outcome in (select id from outcome where taken = 1)" } else { "" };
    format!(
        "with hit as (
             select a.subject, a.at, a.node, a.seq from access a
             where {subject} and a.at >= :since and a.at < :until {taken}
                 and a.at <= :at and (a.at < :at or (a.at = :at and (a.node, a.seq) < (:node, :seq)))
             order by a.at desc, a.node desc, a.seq desc limit :limit)
         select n.name, a.seq, a.at, s.purl, s.file, s.sha256, p.pseudonym, p.kind,
             o.host, o.address, o.client, o.credential,
             r.repository, r.method, r.operation, r.status, a.range_first, a.range_last, a.bytes,
             r.action, r.enforced, a.decision, r.policy, r.cache
         from hit h cross join access a on (a.subject, a.at, a.node, a.seq) = (h.subject, h.at, h.node, h.seq)
             join subject s on s.id = a.subject join actor p on p.id = a.actor
             join origin o on o.id = a.origin join outcome r on r.id = a.outcome join node n on n.id = a.node
         order by a.at desc, a.node desc, a.seq desc"
    )
}

/// The value that is looked for, as the database has it.
fn what(subject: &WhoSubject) -> Value {
    match subject {
        WhoSubject::Purl(text) | WhoSubject::Package(text) => Value::Text(text.clone()),
        WhoSubject::Purls(purls) => Value::Text(serde_json::Value::from(purls.as_slice()).to_string()),
        WhoSubject::Sha256(sha256) => Value::Blob(sha256.as_bytes().to_vec()),
        WhoSubject::Actor(actor) => Value::Blob(actor.as_bytes().to_vec()),
        WhoSubject::Everything => Value::Null,
    }
}

/// From and up to when, in milliseconds since 1970.
pub(super) fn period(query: &WhoQuery) -> (i64, i64) {
    let millis = |at: Option<Timestamp>| at.map(Timestamp::unix_millis);
    (millis(query.since).unwrap_or(i64::MIN), millis(query.until).unwrap_or(i64::MAX))
}

/// The subjects of one month that are among the versions asked about: their numbers and package URLs.
pub(super) fn subjects(
    c: &Connection,
    query: &WhoQuery,
    sha256: Option<Sha256>,
) -> rusqlite::Result<Vec<(i64, String)>> {
    let sha256 = sha256.map(|digest| digest.as_bytes().to_vec());
    c.prepare(
        "select id, purl from subject
         where purl in (select value from json_each(?1)) and (?2 is null or sha256 = ?2)",
    )?
    .query_map((what(&query.subject), sha256), |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

fn ask(c: &Connection, query: &WhoQuery, limit: usize) -> rusqlite::Result<Vec<Found>> {
    let (since, until) = period(query);
    // Node numbers are this file's own. A node that is not in it cannot share a moment with a row of it.
    let (at, node, seq) = match &query.after {
        None => (i64::MAX, 0, 0),
        Some(seek) => {
            let name = seek.record.node.as_str();
            let node: i64 =
                c.query_row("select coalesce(max(id), 0) from node where name = ?1", [name], |row| {
                    row.get(0)
                })?;
            (seek.at.unix_millis(), node, seek.record.seq.cast_signed())
        }
    };
    let mut statement = c.prepare(&sql(query))?;
    statement
        .query_map(
            named_params! {
                ":what": what(&query.subject),
                ":since": since,
                ":until": until,
                ":at": at,
                ":node": node,
                ":seq": seq,
                ":limit": limit as i64,
            },
            found,
        )?
        .collect()
}

fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<[u8; 32]>> {
    let bytes = row.get_ref(column)?.as_blob()?;
    if bytes.is_empty() {
        return Ok(None);
    }
    Ok(Some(bytes.try_into().map_err(FromSqlError::other)?))
}

fn word<T: serde::de::DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|e| FromSqlError::other(e).into())
}

fn non_empty(text: String) -> Option<String> {
    Some(text).filter(|t| !t.is_empty())
}

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    let unsigned = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let node: NodeId = row.get_ref(0)?.as_str()?.parse().map_err(FromSqlError::other)?;
    let action: String = row.get(19)?;
    let decision: Option<String> = row.get(21)?;
    let range: (Option<i64>, Option<i64>) = (row.get(16)?, row.get(17)?);
    let mut commitments = [None; 4];
    for (column, commitment) in (8..).zip(&mut commitments) {
        *commitment = digest(row, column)?.map(Commitment::new);
    }
    let row = AccessRow {
        record: RecordId { node, seq: unsigned(1)? },
        at: Timestamp::from_unix_millis(row.get(2)?),
        purl: row.get(3)?,
        file: non_empty(row.get(4)?),
        sha256: digest(row, 5)?.map(Sha256::new),
        actor: Pseudonym::new(row.get(6)?),
        actor_kind: word(&row.get::<_, String>(7)?)?,
        principal: None,
        host: None,
        address: None,
        client: None,
        credential: None,
        repository: row.get(12)?,
        method: row.get(13)?,
        operation: row.get(14)?,
        status: row.get(15)?,
        range: range
            .0
            .zip(range.1)
            .map(|(first, last)| ByteRange { first: first.cast_unsigned(), last: last.cast_unsigned() }),
        bytes: unsigned(18)?,
        action: if action.is_empty() { None } else { Some(word(&action)?) },
        enforced: row.get(20)?,
        decision: decision.map(|d| d.parse().map_err(FromSqlError::other)).transpose()?,
        policy: digest(row, 22)?.map(Sha256::new),
        cache: non_empty(row.get(23)?),
    };
    Ok(Found { row, commitments })
}

/// Each person and value is looked up once a page.
fn name(found: Vec<Found>, people: &dyn People) -> Result<Vec<AccessRow>, CatalogueError> {
    let mut names: HashMap<Pseudonym, Option<String>> = HashMap::new();
    let mut values: HashMap<Commitment, Option<String>> = HashMap::new();
    found
        .into_iter()
        .map(|Found { mut row, commitments }| {
            let known = match names.get(&row.actor) {
                Some(known) => known.clone(),
                None => {
                    let known = people.person_by_pseudonym(&row.actor)?.map(|p| p.principal);
                    names.insert(row.actor, known.clone());
                    known
                }
            };
            row.principal = known;
            let mut opened = [None, None, None, None];
            for (commitment, value) in commitments.iter().zip(&mut opened) {
                let Some(commitment) = commitment else { continue };
                *value = match values.get(commitment) {
                    Some(known) => known.clone(),
                    None => {
                        let known = people.context_by_commitment(commitment)?.map(|c| c.value);
                        values.insert(*commitment, known.clone());
                        known
                    }
                };
            }
            [row.host, row.address, row.client, row.credential] = opened;
            Ok(row)
        })
        .collect()
}
