//! Rows of an answer: read whole for those of a page alone, then named.

use std::collections::HashSet;

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row};
use tidegate_ledger::entry::ByteRange;
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_ledger::{NodeId, RecordId};
use tidegate_model::{Action, DecisionId, PrincipalKind, Sha256, Timestamp};

use super::month::PER_MILLISECOND;
use super::picked::Hit;
use crate::catalogue::{CatalogueError, People};

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

/// A row before names join.
pub(super) struct Found {
    row: AccessRow,
    /// Host, address, client, credential.
    commitments: [Option<Commitment>; 4],
}

/// What a row is made from, in the order in which it is read.
const ROW: &str = "select n.name, a.seq, a.id, s.purl, s.file, s.sha256, o.actor, o.kind,
        o.host, o.address, o.client, o.credential,
        r.repository, r.method, r.operation, r.status, a.range_first, a.range_last, a.bytes,
        r.action, r.enforced, a.decision, r.policy, r.cache
    from access a join subject s on s.id = a.subject join source o on o.id = a.source
        join outcome r on r.id = a.outcome join node n on n.id = a.node
    where a.id = ?1";

/// The rows of a page, in its order; `began` is when the month began.
pub(super) fn read(c: &Connection, began: i64, hits: &[Hit]) -> rusqlite::Result<Vec<Found>> {
    let mut read = c.prepare(ROW)?;
    hits.iter().map(|hit| read.query_row([hit.id], |row| found(row, began))).collect()
}

/// The moment of a row.
pub(super) fn at(began: i64, id: i64) -> Timestamp {
    Timestamp::from_unix_millis(began + id.div_euclid(PER_MILLISECOND))
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

fn found(row: &Row<'_>, began: i64) -> rusqlite::Result<Found> {
    let unsigned = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let node: NodeId = row.get_ref(0)?.as_str()?.parse().map_err(FromSqlError::other)?;
    let action: String = row.get(19)?;
    let decision: Option<[u8; 10]> = row.get(21)?;
    let range: (Option<i64>, Option<i64>) = (row.get(16)?, row.get(17)?);
    let mut commitments = [None; 4];
    for (column, commitment) in (8..).zip(&mut commitments) {
        *commitment = digest(row, column)?.map(Commitment::new);
    }
    let row = AccessRow {
        record: RecordId { node, seq: unsigned(1)? },
        at: at(began, row.get(2)?),
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
        decision: decision.map(DecisionId::from_random),
        policy: digest(row, 22)?.map(Sha256::new),
        cache: non_empty(row.get(23)?),
    };
    Ok(Found { row, commitments })
}

/// Each person and value is looked up once a page, all in one reading.
pub(super) fn name(found: Vec<Found>, people: &dyn People) -> Result<Vec<AccessRow>, CatalogueError> {
    let actors: HashSet<Pseudonym> = found.iter().map(|one| one.row.actor).collect();
    let commitments: HashSet<Commitment> = found.iter().flat_map(|one| one.commitments).flatten().collect();
    let names = people.names_of(&actors.into_iter().collect::<Vec<_>>())?;
    let values = people.values_of(&commitments.into_iter().collect::<Vec<_>>())?;
    let opened = |one: Option<Commitment>| one.and_then(|commitment| values.get(&commitment).cloned());
    Ok(found
        .into_iter()
        .map(|Found { mut row, commitments }| {
            row.principal = names.get(&row.actor).cloned();
            [row.host, row.address, row.client, row.credential] = commitments.map(opened);
            row
        })
        .collect())
}
