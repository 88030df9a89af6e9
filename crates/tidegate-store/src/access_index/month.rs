//! Writing one month.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, ToSql, Transaction, params};
use sha2::Digest as _;
use tidegate_ledger::entry::Access;
use tidegate_ledger::pseudonym::Commitment;
use tidegate_ledger::{Body, Entry, NodeId};
use tidegate_model::{Action, Sha256, Timestamp};

use super::Reached;

const SCHEMA: &str = include_str!("../../migrations/access_index.sql");
/// Raised with every change of the schema or of what is projected.
const VERSION: i32 = 2;
/// Numbers that one millisecond has for the accesses of its moment.
pub(super) const PER_MILLISECOND: i64 = 1 << 15;
/// Remembered ids of one side table; forgotten all at once when there are more.
const MAX_REMEMBERED: usize = 100_000;

/// The first half of a SHA-256.
type Key = [u8; 16];
type OutcomeKey = (String, String, String, u16, &'static str, bool, &'static str, Vec<u8>);

/// A month open for writing.
pub(super) struct Month {
    connection: Connection,
    /// When it began, in milliseconds since 1970.
    began: i64,
    ids: Ids,
}

#[derive(Default)]
struct Ids {
    nodes: HashMap<String, i64>,
    subjects: HashMap<Key, i64>,
    sources: HashMap<Key, i64>,
    outcomes: HashMap<OutcomeKey, i64>,
}

/// When the month of a file began, in milliseconds since 1970, by the file's name; the beginning of time where that is no
/// month.
pub(super) fn began(path: &Path) -> i64 {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let first = format!("{}-01T00:00:00Z", stem.trim_start_matches("access-"));
    first.parse::<Timestamp>().map_or(0, Timestamp::unix_millis)
}

pub(super) fn open_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "cache_size", -16384)?;
    Ok(connection)
}

/// How far each node is projected in this file; `None` where the file has another version.
pub(super) fn cursors(path: &Path) -> rusqlite::Result<Option<Vec<(NodeId, Reached)>>> {
    let connection = open_read_only(path)?;
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != VERSION {
        return Ok(None);
    }
    let mut statement =
        connection.prepare("select n.name, c.seq, c.at from cursor c join node n on n.id = c.node")?;
    let rows = statement.query_map([], |row| {
        let node = row.get_ref(0)?.as_str()?.parse().map_err(rusqlite::types::FromSqlError::other)?;
        let seq = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        Ok((node, Reached { seq, at: Timestamp::from_unix_millis(row.get(2)?) }))
    })?;
    rows.collect::<rusqlite::Result<_>>().map(Some)
}

impl Month {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(32);
        connection.pragma_update(None, "journal_mode", "wal")?;
        // The cursor must not survive a power cut that rows of another month did not.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "cache_size", -32768)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            let transaction = connection.transaction()?;
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
        }
        Ok(Self { connection, began: began(path), ids: Ids::default() })
    }

    pub(super) fn project(
        &mut self,
        entries: &[&Entry],
        cursors: Option<&HashMap<NodeId, Reached>>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let done = project(&transaction, self.began, &mut self.ids, entries, cursors)
            .and_then(|()| transaction.commit());
        if done.is_err() {
            // Ids that were rolled back must not be used again.
            self.ids = Ids::default();
        }
        done
    }
}

fn project(
    c: &Transaction<'_>,
    began: i64,
    ids: &mut Ids,
    entries: &[&Entry],
    cursors: Option<&HashMap<NodeId, Reached>>,
) -> rusqlite::Result<()> {
    let mut insert = c.prepare_cached(
        "insert into access values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) on conflict do nothing",
    )?;
    let mut standing = c.prepare_cached("select node, seq from access where id = ?1")?;
    for entry in entries {
        let Body::Access(access) = &entry.body else { continue };
        let Some(purl) = &access.purl else { continue };
        let (subject, source) = (ids.subject(c, purl, access)?, ids.source(c, access)?);
        let (outcome, node) = (ids.outcome(c, access)?, ids.node(c, entry.node.as_str())?);
        let seq = entry.seq.cast_signed();
        let mut id = (entry.time.unix_millis() - began) * PER_MILLISECOND + seq % PER_MILLISECOND;
        // The number of a node's entry tells its accesses of one moment apart; those of another node step aside.
        while insert.execute(params![
            id,
            subject,
            source,
            outcome,
            node,
            seq,
            access.bytes.cast_signed(),
            access.range.map(|r| r.first.cast_signed()),
            access.range.map(|r| r.last.cast_signed()),
            access.decision.map(|d| *d.as_bytes()),
        ])? == 0
        {
            let found: (i64, i64) = standing.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if found == (node, seq) {
                break;
            }
            id += 1;
        }
    }
    for (node, reached) in cursors.into_iter().flatten() {
        let node = ids.node(c, node.as_str())?;
        c.prepare_cached(
            "insert into cursor values (?1, ?2, ?3) on conflict do update set seq = excluded.seq, at = excluded.at",
        )?
        .execute([node, reached.seq.cast_signed(), reached.at.unix_millis()])?;
    }
    Ok(())
}

/// A statement with its values.
type Bound<'a> = (&'a str, &'a [&'a dyn ToSql]);

/// The id of a row of a side table, made where it is missing.
fn intern<K: Hash + Eq>(
    c: &Connection,
    known: &mut HashMap<K, i64>,
    key: K,
    (find, by): Bound<'_>,
    (insert, values): Bound<'_>,
) -> rusqlite::Result<i64> {
    if let Some(id) = known.get(&key) {
        return Ok(*id);
    }
    let found = c.prepare_cached(find)?.query_row(by, |row| row.get(0)).optional()?;
    let id = match found {
        Some(id) => id,
        None => c.prepare_cached(insert)?.insert(values)?,
    };
    if known.len() >= MAX_REMEMBERED {
        known.clear();
    }
    known.insert(key, id);
    Ok(id)
}

/// A short name of some parts together; each says how long it is, so that none runs into the next.
fn key_of(parts: &[&[u8]]) -> Key {
    let mut all = sha2::Sha256::new();
    for part in parts {
        all.update((part.len() as u64).to_le_bytes());
        all.update(part);
    }
    let digest: [u8; 32] = all.finalize().into();
    digest[..16].try_into().expect("half of 32")
}

fn bytes(commitment: Option<&Commitment>) -> Vec<u8> {
    commitment.map(|c| c.as_bytes().to_vec()).unwrap_or_default()
}

fn digest(sha256: Option<Sha256>) -> Vec<u8> {
    sha256.map(|d| d.as_bytes().to_vec()).unwrap_or_default()
}

impl Ids {
    fn node(&mut self, c: &Connection, name: &str) -> rusqlite::Result<i64> {
        intern(
            c,
            &mut self.nodes,
            name.to_owned(),
            ("select id from node where name = ?1", &[&name]),
            ("insert into node (name) values (?1)", &[&name]),
        )
    }

    fn subject(&mut self, c: &Connection, purl: &str, access: &Access) -> rusqlite::Result<i64> {
        let file = access.file.as_deref().unwrap_or_default();
        let sha256 = digest(access.sha256);
        let package = crate::catalogue::package_of(purl).0;
        let key = key_of(&[purl.as_bytes(), file.as_bytes(), &sha256]);
        intern(
            c,
            &mut self.subjects,
            key,
            ("select id from subject where key = ?1", &[&key]),
            (
                "insert into subject (key, purl, file, sha256, package) values (?1, ?2, ?3, ?4, ?5)",
                &[&key, &purl, &file, &sha256, &package],
            ),
        )
    }

    fn source(&mut self, c: &Connection, access: &Access) -> rusqlite::Result<i64> {
        let (actor, kind) = (access.actor.as_bytes(), access.actor_kind.as_str());
        let [host, address, client, credential] =
            [access.host.as_ref(), Some(&access.address), access.client.as_ref(), access.credential.as_ref()]
                .map(bytes);
        let key = key_of(&[actor, kind.as_bytes(), &host, &address, &client, &credential]);
        intern(
            c,
            &mut self.sources,
            key,
            ("select id from source where key = ?1", &[&key]),
            (
                "insert into source (key, actor, kind, host, address, client, credential)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &[&key, actor, &kind, &host, &address, &client, &credential],
            ),
        )
    }

    fn outcome(&mut self, c: &Connection, access: &Access) -> rusqlite::Result<i64> {
        let action = access.action.map_or("", Action::as_str);
        let cache = access.cache.map_or("", |cache| cache.as_str());
        let policy = digest(access.policy);
        let (repository, method, operation) = (&*access.repository, &*access.method, &*access.operation);
        let taken = operation == "artifact" && method == "GET" && matches!(access.status, 200 | 206);
        intern(
            c,
            &mut self.outcomes,
            (
                repository.to_owned(),
                method.to_owned(),
                operation.to_owned(),
                access.status,
                action,
                access.enforced,
                cache,
                policy.clone(),
            ),
            (
                "select id from outcome where repository = ?1 and method = ?2 and operation = ?3 and status = ?4
                     and action = ?5 and enforced = ?6 and cache = ?7 and policy = ?8",
                &[&repository, &method, &operation, &access.status, &action, &access.enforced, &cache, &policy],
            ),
            (
                "insert into outcome
                     (repository, method, operation, status, action, enforced, cache, policy, taken)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                &[
                    &repository,
                    &method,
                    &operation,
                    &access.status,
                    &action,
                    &access.enforced,
                    &cache,
                    &policy,
                    &taken,
                ],
            ),
        )
    }
}
