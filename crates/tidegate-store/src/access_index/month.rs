//! Writing one month.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Params, Transaction, params};
use tidegate_ledger::entry::Access;
use tidegate_ledger::pseudonym::Commitment;
use tidegate_ledger::{Body, Entry, NodeId};
use tidegate_model::{Action, Sha256};

const SCHEMA: &str = include_str!("../../migrations/access_index.sql");
/// Raised with every change of the schema or of what is projected.
const VERSION: i32 = 1;
/// Remembered ids of one side table; forgotten all at once when there are more.
const MAX_REMEMBERED: usize = 100_000;

type Digest = [u8; 32];
type SubjectKey = (String, String, Vec<u8>);
type OriginKey = [Vec<u8>; 4];
type OutcomeKey = (String, String, String, u16, &'static str, bool, &'static str, Vec<u8>);

/// A month open for writing.
pub(super) struct Month {
    connection: Connection,
    ids: Ids,
}

#[derive(Default)]
struct Ids {
    nodes: HashMap<String, i64>,
    subjects: HashMap<SubjectKey, i64>,
    actors: HashMap<(Digest, &'static str), i64>,
    origins: HashMap<OriginKey, i64>,
    outcomes: HashMap<OutcomeKey, i64>,
}

pub(super) fn open_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "cache_size", -16384)?;
    Ok(connection)
}

/// How far each node is projected in this file; `None` where the file has another version.
pub(super) fn cursors(path: &Path) -> rusqlite::Result<Option<Vec<(NodeId, u64)>>> {
    let connection = open_read_only(path)?;
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != VERSION {
        return Ok(None);
    }
    let mut statement =
        connection.prepare("select n.name, c.seq from cursor c join node n on n.id = c.node")?;
    let rows = statement.query_map([], |row| {
        let node = row.get_ref(0)?.as_str()?.parse().map_err(rusqlite::types::FromSqlError::other)?;
        Ok((node, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
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
        Ok(Self { connection, ids: Ids::default() })
    }

    pub(super) fn project(
        &mut self,
        entries: &[&Entry],
        cursors: Option<&HashMap<NodeId, u64>>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let done = project(&transaction, &mut self.ids, entries, cursors).and_then(|()| transaction.commit());
        if done.is_err() {
            // Ids that were rolled back must not be used again.
            self.ids = Ids::default();
        }
        done
    }
}

fn project(
    c: &Transaction<'_>,
    ids: &mut Ids,
    entries: &[&Entry],
    cursors: Option<&HashMap<NodeId, u64>>,
) -> rusqlite::Result<()> {
    let mut insert = c.prepare_cached(
        "insert or ignore into access values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for entry in entries {
        let Body::Access(access) = &entry.body else { continue };
        let Some(purl) = &access.purl else { continue };
        insert.execute(params![
            ids.subject(c, purl, access)?,
            entry.time.unix_millis(),
            ids.node(c, entry.node.as_str())?,
            entry.seq.cast_signed(),
            ids.actor(c, access)?,
            ids.origin(c, access)?,
            ids.outcome(c, access)?,
            access.bytes.cast_signed(),
            access.range.map(|r| r.first.cast_signed()),
            access.range.map(|r| r.last.cast_signed()),
            access.decision.map(|d| d.to_string()),
        ])?;
    }
    for (node, seq) in cursors.into_iter().flatten() {
        let node = ids.node(c, node.as_str())?;
        c.prepare_cached("insert into cursor values (?1, ?2) on conflict do update set seq = excluded.seq")?
            .execute([node, seq.cast_signed()])?;
    }
    Ok(())
}

/// The id of a row of a side table, made where it is missing.
fn intern<K: Hash + Eq>(
    c: &Connection,
    known: &mut HashMap<K, i64>,
    key: K,
    find: &str,
    insert: &str,
    values: impl Params + Copy,
) -> rusqlite::Result<i64> {
    if let Some(id) = known.get(&key) {
        return Ok(*id);
    }
    let found = c.prepare_cached(find)?.query_row(values, |row| row.get(0)).optional()?;
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
            "select id from node where name = ?1",
            "insert into node (name) values (?1)",
            [name],
        )
    }

    fn subject(&mut self, c: &Connection, purl: &str, access: &Access) -> rusqlite::Result<i64> {
        let file = access.file.as_deref().unwrap_or_default();
        let sha256 = digest(access.sha256);
        let package = crate::catalogue::package_of(purl).0;
        intern(
            c,
            &mut self.subjects,
            (purl.to_owned(), file.to_owned(), sha256.clone()),
            "select id from subject where purl = ?1 and file = ?2 and sha256 = ?3 and package = ?4",
            "insert into subject (purl, file, sha256, package) values (?1, ?2, ?3, ?4)",
            (purl, file, &sha256, package),
        )
    }

    fn actor(&mut self, c: &Connection, access: &Access) -> rusqlite::Result<i64> {
        let (pseudonym, kind) = (*access.actor.as_bytes(), access.actor_kind.as_str());
        intern(
            c,
            &mut self.actors,
            (pseudonym, kind),
            "select id from actor where pseudonym = ?1 and kind = ?2",
            "insert into actor (pseudonym, kind) values (?1, ?2)",
            (&pseudonym, kind),
        )
    }

    fn origin(&mut self, c: &Connection, access: &Access) -> rusqlite::Result<i64> {
        let key = [
            bytes(access.host.as_ref()),
            bytes(Some(&access.address)),
            bytes(access.client.as_ref()),
            bytes(access.credential.as_ref()),
        ];
        let [host, address, client, credential] = &key.clone();
        intern(
            c,
            &mut self.origins,
            key,
            "select id from origin where host = ?1 and address = ?2 and client = ?3 and credential = ?4",
            "insert into origin (host, address, client, credential) values (?1, ?2, ?3, ?4)",
            (host, address, client, credential),
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
            "select id from outcome where repository = ?1 and method = ?2 and operation = ?3 and status = ?4
                 and action = ?5 and enforced = ?6 and cache = ?7 and policy = ?8 and taken = ?9",
            "insert into outcome (repository, method, operation, status, action, enforced, cache, policy, taken)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            (repository, method, operation, access.status, action, access.enforced, cache, &policy, taken),
        )
    }
}
