//! Statements about artifacts.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidegate_model::{Action, Sha256};

use super::super::{
    CatalogueCause, CatalogueError, CustodyCursor, CustodyDocument, CustodyEvent, CustodyOf, CustodyPolicy,
    CustodyRecords, CustodyStatement,
};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis, Word};

/// Bundles are read seldom and kept for good.
const LEVEL: i32 = 9;
/// Stands in the first record of a chain for the one before it: null would not be unique.
const NOTHING: [u8; 32] = [0; 32];

fn setting(node: &str) -> String {
    format!("custody.cursor.{node}")
}

fn event(row: &Row<'_>) -> rusqlite::Result<(i64, CustodyEvent)> {
    let previous = row.get::<_, Bytes32>(10)?;
    Ok((
        row.get(0)?,
        CustodyEvent {
            sha256: row.get::<_, Bytes32>(1)?.sha256(),
            purl: row.get(2)?,
            file: row.get(3)?,
            repository: row.get(4)?,
            event: row.get(5)?,
            action: row.get::<_, Word<Action>>(6)?.0,
            at: row.get::<_, Millis>(7)?.0,
            record: row.get(8)?,
            payload: row.get::<_, Bytes32>(9)?.sha256(),
            previous: (previous.0 != NOTHING).then(|| previous.sha256()),
            statements: Vec::new(),
        },
    ))
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, CatalogueCause> {
    zstd::stream::decode_all(packed).map_err(|why| CatalogueCause::Damaged(format!("a statement: {why}")))
}

fn statements(c: &Connection, event: i64) -> Result<Vec<CustodyStatement>, CatalogueCause> {
    let mut select = c.prepare_cached(
        "select predicate_type, payload, bundle_digest, bundle, manifest_digest, manifest
         from custody_statement where event = ?1 order by position",
    )?;
    let mut rows = select.query([event])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let digest = row.get::<_, Option<Bytes32>>(4)?.map(Bytes32::sha256);
        found.push(CustodyStatement {
            predicate_type: row.get(0)?,
            payload: row.get::<_, Bytes32>(1)?.sha256(),
            bundle_digest: row.get::<_, Bytes32>(2)?.sha256(),
            bundle: unpack(&row.get::<_, Vec<u8>>(3)?)?,
            manifest: digest.zip(row.get(5)?),
        });
    }
    Ok(found)
}

fn insert(c: &Connection, event: &CustodyEvent) -> Result<(), CatalogueCause> {
    c.prepare_cached(
        "insert into custody_event
             (sha256, purl, file, repository, event, action, at, record, payload, previous)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        Bytes32::from(&event.sha256),
        event.purl,
        event.file,
        event.repository,
        event.event,
        event.action.as_str(),
        Millis(event.at),
        event.record,
        Bytes32::from(&event.payload),
        event.previous.as_ref().map_or(Bytes32(NOTHING), Bytes32::from),
    ])?;
    let number = c.last_insert_rowid();
    for (position, statement) in (0i64..).zip(&event.statements) {
        let packed = zstd::bulk::compress(&statement.bundle, LEVEL)
            .map_err(|e| CatalogueCause::Refused(e.to_string()))?;
        let (digest, manifest) = statement.manifest.as_ref().map(|(d, m)| (Bytes32::from(d), m)).unzip();
        c.prepare_cached("insert into custody_statement values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(
            params![
                number,
                position,
                statement.predicate_type,
                Bytes32::from(&statement.payload),
                Bytes32::from(&statement.bundle_digest),
                packed,
                digest,
                manifest,
            ],
        )?;
    }
    Ok(())
}

/// The text that follows a package URL in those of its versions, and one beyond all of them.
fn versions_of(package: &str) -> (String, String) {
    // `A` comes after `@`.
    (format!("{package}@"), format!("{package}A"))
}

impl CustodyRecords for SqliteCatalogue {
    fn custody_cursor(&self, node: &str) -> Result<Option<u64>, CatalogueError> {
        self.read("reading how far custody is stated", |c| {
            let text: Option<String> = c
                .prepare_cached("select value from setting where name = ?1")?
                .query_row([setting(node)], |row| row.get(0))
                .optional()?;
            text.map(|text| {
                text.parse().map_err(|_| CatalogueCause::Unreadable { what: "custody cursor", why: text })
            })
            .transpose()
        })
    }

    fn advance_custody(
        &self,
        cursor: CustodyCursor<'_>,
        event: Option<&CustodyEvent>,
        policy: Option<&CustodyPolicy>,
    ) -> Result<(), CatalogueError> {
        self.write("keeping what was stated of an artifact", |c| {
            if let Some(event) = event {
                insert(c, event)?;
            }
            if let Some(policy) = policy {
                c.prepare_cached("insert into custody_policy values (?1, ?2, ?3)")?.execute(params![
                    policy.record,
                    Millis(policy.at),
                    Bytes32::from(&policy.policy)
                ])?;
            }
            c.prepare_cached(
                "insert into setting values (?1, ?2) on conflict do update set value = excluded.value",
            )?
            .execute(params![setting(cursor.node), cursor.seq.to_string()])?;
            Ok(())
        })
    }

    fn custody_head(&self, sha256: &Sha256, purl: &str) -> Result<Option<Sha256>, CatalogueError> {
        self.read("reading the last custody record of an artifact", |c| {
            Ok(c.prepare_cached(
                "select payload from custody_event where sha256 = ?1 and purl = ?2
                 order by number desc limit 1",
            )?
            .query_row(params![Bytes32::from(sha256), purl], |row| Ok(row.get::<_, Bytes32>(0)?.sha256()))
            .optional()?)
        })
    }

    fn custody_action(
        &self,
        sha256: &Sha256,
        purl: &str,
        repository: &str,
    ) -> Result<Option<Action>, CatalogueError> {
        self.read("reading what was last stated of an artifact", |c| {
            Ok(c.prepare_cached(
                "select action from custody_event where sha256 = ?1 and purl = ?2 and repository = ?3
                 order by number desc limit 1",
            )?
            .query_row(params![Bytes32::from(sha256), purl, repository], |row| {
                Ok(row.get::<_, Word<Action>>(0)?.0)
            })
            .optional()?)
        })
    }

    fn custody_of_file(
        &self,
        purl: &str,
        file: &str,
        repository: &str,
    ) -> Result<Option<Sha256>, CatalogueError> {
        self.read("reading which bytes a file is", |c| {
            Ok(c.prepare_cached(
                "select sha256 from custody_event where purl = ?1 and file = ?2 and repository = ?3
                 order by number desc limit 1",
            )?
            .query_row([purl, file, repository], |row| Ok(row.get::<_, Bytes32>(0)?.sha256()))
            .optional()?)
        })
    }

    fn custody_events(&self, sha256: &Sha256, limit: u32) -> Result<Vec<CustodyEvent>, CatalogueError> {
        self.read("reading what was stated of an artifact", |c| {
            let found: Vec<(i64, CustodyEvent)> = c
                .prepare_cached(
                    "select number, sha256, purl, file, repository, event, action, at, record, payload, previous
                     from custody_event where sha256 = ?1 order by number limit ?2",
                )?
                .query_map(params![Bytes32::from(sha256), limit], event)?
                .collect::<rusqlite::Result<_>>()?;
            found
                .into_iter()
                .map(|(number, event)| Ok(CustodyEvent { statements: statements(c, number)?, ..event }))
                .collect()
        })
    }

    fn custody_policies(&self) -> Result<Vec<CustodyPolicy>, CatalogueError> {
        self.read("reading which policies were in force", |c| {
            Ok(c.prepare_cached("select record, at, policy from custody_policy order by at, record")?
                .query_map([], |row| {
                    Ok(CustodyPolicy {
                        record: row.get(0)?,
                        at: row.get::<_, Millis>(1)?.0,
                        policy: row.get::<_, Bytes32>(2)?.sha256(),
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn custody_document(
        &self,
        of: CustodyOf<'_>,
        digest: &Sha256,
    ) -> Result<Option<CustodyDocument>, CatalogueError> {
        let (from, to) = versions_of(of.package);
        self.read("reading a statement about an image", |c| {
            let wanted = params![Bytes32::from(digest), of.repository, from, to];
            let manifest: Option<Vec<u8>> = c
                .prepare_cached(
                    "select s.manifest from custody_statement s join custody_event e on e.number = s.event
                     where s.manifest_digest = ?1 and s.manifest is not null
                         and e.repository = ?2 and e.purl >= ?3 and e.purl < ?4 limit 1",
                )?
                .query_row(wanted, |row| row.get(0))
                .optional()?;
            if let Some(manifest) = manifest {
                return Ok(Some(CustodyDocument::Manifest(manifest)));
            }
            let bundle: Option<Vec<u8>> = c
                .prepare_cached(
                    "select s.bundle from custody_statement s join custody_event e on e.number = s.event
                     where s.bundle_digest = ?1 and s.manifest is not null
                         and e.repository = ?2 and e.purl >= ?3 and e.purl < ?4 limit 1",
                )?
                .query_row(wanted, |row| row.get(0))
                .optional()?;
            bundle.map(|packed| unpack(&packed).map(CustodyDocument::Bundle)).transpose()
        })
    }

    fn has_custody(&self, of: CustodyOf<'_>) -> Result<bool, CatalogueError> {
        let (from, to) = versions_of(of.package);
        self.read("reading whether an image has statements", |c| {
            Ok(c.prepare_cached(
                "select exists (select 1 from custody_event e
                 where e.repository = ?1 and e.purl >= ?2 and e.purl < ?3)",
            )?
            .query_row([of.repository, &from, &to], |row| row.get(0))?)
        })
    }
}
