//! Answering "who took this".

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::{FromSqlError, Value};
use rusqlite::{Connection, Row, named_params};
use tidegate_ledger::entry::ByteRange;
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_ledger::{NodeId, RecordId};
use tidegate_model::{Action, DecisionId, PrincipalKind, Sha256, Timestamp};

use super::merge::Window;
use super::{AccessIndex, AccessIndexError, merge, month};
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
pub(super) struct Found {
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

/// What a row is made from, in the order in which it is read.
pub(super) const ROW: &str = "select n.name, a.seq, a.at, s.purl, s.file, s.sha256, p.pseudonym, p.kind,
        o.host, o.address, o.client, o.credential,
        r.repository, r.method, r.operation, r.status, a.range_first, a.range_last, a.bytes,
        r.action, r.enforced, a.decision, r.policy, r.cache
    from access a join subject s on s.id = a.subject join actor p on p.id = a.actor
        join origin o on o.id = a.origin join outcome r on r.id = a.outcome join node n on n.id = a.node";

/// Questions that are answered along the order of time. The rows are chosen and sorted by their keys alone; everything else
/// joins only for those of the page.
fn by_time(query: &WhoQuery) -> String {
    let condition = match &query.subject {
        WhoSubject::Actor(_) => "a.actor in (select id from actor where pseudonym = :what)",
        _ => ":what is null",
    };
    let taken =
        if query.only_taken { "and a.outcome in (select id from outcome where taken = 1)" } else { "" };
    format!(
        "with hit as (
             select a.subject, a.at, a.node, a.seq from access a
             where {condition} and a.at >= :since and a.at < :until {taken}
                 and a.at <= :at and (a.at < :at or (a.node, a.seq) < (:node, :seq))
             order by a.at desc, a.node desc, a.seq desc limit :limit)
         {}
         order by a.at desc, a.node desc, a.seq desc",
        ROW.replace(
            "from access a join",
            "from hit h cross join access a on (a.subject, a.at, a.node, a.seq) = (h.subject, h.at, h.node, h.seq) join"
        )
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

/// The subjects of one month that are asked about: their numbers and package URLs. None for questions that are about no
/// subject.
pub(super) fn subjects(
    c: &Connection,
    subject: &WhoSubject,
    sha256: Option<Sha256>,
) -> rusqlite::Result<Option<Vec<(i64, String)>>> {
    let condition = match subject {
        WhoSubject::Purl(_) => "purl = ?1",
        WhoSubject::Purls(_) => "purl in (select value from json_each(?1))",
        WhoSubject::Package(_) => "package = ?1",
        WhoSubject::Sha256(_) => "sha256 = ?1",
        WhoSubject::Actor(_) | WhoSubject::Everything => return Ok(None),
    };
    let sha256 = sha256.map(|digest| digest.as_bytes().to_vec());
    let sql = format!("select id, purl from subject where {condition} and (?2 is null or sha256 = ?2)");
    c.prepare(&sql)?
        .query_map((what(subject), sha256), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()
        .map(Some)
}

/// Where the page before ended, in one month.
#[derive(Clone, Copy)]
pub(super) struct After {
    /// Time of its last row.
    pub(super) at: i64,
    /// Number of that row's node in this file.
    pub(super) node: i64,
    /// Its number there.
    pub(super) seq: i64,
}

/// Node numbers are a file's own. A node that is not in it cannot share a moment with a row of it.
fn after(c: &Connection, query: &WhoQuery) -> rusqlite::Result<After> {
    let Some(seek) = &query.after else { return Ok(After { at: i64::MAX, node: 0, seq: 0 }) };
    let name = seek.record.node.as_str();
    let node =
        c.query_row("select coalesce(max(id), 0) from node where name = ?1", [name], |row| row.get(0))?;
    Ok(After { at: seek.at.unix_millis(), node, seq: seek.record.seq.cast_signed() })
}

fn ask(c: &Connection, query: &WhoQuery, limit: usize) -> rusqlite::Result<Vec<Found>> {
    let (period, after) = (period(query), after(c, query)?);
    if let Some(subjects) = subjects(c, &query.subject, None)? {
        let subjects: Vec<i64> = subjects.into_iter().map(|(id, _)| id).collect();
        let window = Window { period, after, only_taken: query.only_taken, limit };
        return merge::newest(c, &subjects, &window);
    }
    c.prepare(&by_time(query))?
        .query_map(
            named_params! {
                ":what": what(&query.subject),
                ":since": period.0,
                ":until": period.1,
                ":at": after.at,
                ":node": after.node,
                ":seq": after.seq,
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

pub(super) fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
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
