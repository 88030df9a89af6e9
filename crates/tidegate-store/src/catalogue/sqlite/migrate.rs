//! Opening the file and bringing it to the present version.
//!
//! Migrations go forward only, one transaction each, and are never edited once released. `user_version` counts them.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

/// Says that a SQLite file is our catalogue: "tgct".
const APPLICATION_ID: i32 = 0x7467_6374;

struct Migration {
    name: &'static str,
    sql: &'static str,
}

/// In order; the first is version 1.
const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_catalogue", sql: include_str!("../../../migrations/0001_catalogue.sql") },
    Migration { name: "0002_people", sql: include_str!("../../../migrations/0002_people.sql") },
    Migration { name: "0003_exposure", sql: include_str!("../../../migrations/0003_exposure.sql") },
    Migration { name: "0004_inspection", sql: include_str!("../../../migrations/0004_inspection.sql") },
    Migration { name: "0005_liveness", sql: include_str!("../../../migrations/0005_liveness.sql") },
    Migration { name: "0006_approval", sql: include_str!("../../../migrations/0006_approval.sql") },
    Migration { name: "0007_mcp_tools", sql: include_str!("../../../migrations/0007_mcp_tools.sql") },
    Migration { name: "0008_verification", sql: include_str!("../../../migrations/0008_verification.sql") },
    Migration { name: "0009_ledger_head", sql: include_str!("../../../migrations/0009_ledger_head.sql") },
    Migration { name: "0010_names", sql: include_str!("../../../migrations/0010_names.sql") },
    Migration { name: "0011_custody", sql: include_str!("../../../migrations/0011_custody.sql") },
];

/// The version of data that this build writes.
pub(super) const fn known_version() -> u32 {
    MIGRATIONS.len() as u32
}

/// The catalogue could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenCatalogueError {
    /// A newer tidegate wrote the file.
    #[error(
        "`{}` holds data of version {found}, written by tidegate {written_by}; this is tidegate {own} and knows version {known}: start tidegate {written_by} or newer, or choose another data directory",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in it.
        found: u32,
        /// Who wrote it.
        written_by: String,
        /// The version known here.
        known: u32,
        /// Who we are.
        own: &'static str,
    },
    /// The file is some other program's database.
    #[error("`{}` is a database, but not tidegate's catalogue: choose another data directory", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened as a database.
    #[error("opening the catalogue `{}` failed: it must be a file that the user running tidegate may write", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// An upgrade failed; the file is as it was.
    #[error("upgrading the catalogue `{}` by migration {migration} failed; it is unchanged: report this", path.display())]
    Upgrade {
        /// The file.
        path: PathBuf,
        /// Which migration.
        migration: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
}

/// Opens the file for writing at the present version.
pub(super) fn open(path: &Path) -> Result<Connection, OpenCatalogueError> {
    let failed = |source| OpenCatalogueError::Open { path: path.to_owned(), source };
    private(path).map_err(|e| failed(rusqlite::Error::ToSqlConversionFailure(Box::new(e))))?;
    let connection = Connection::open(path).map_err(failed)?;
    super::configure(&connection).map_err(failed)?;
    let found = check(path, &connection)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    connection.pragma_update(None, "secure_delete", true).map_err(failed)?;
    // A burst of large documents must not leave its log behind for good.
    connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(failed)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    upgrade(path, &connection, found, known_version())?;
    let own = env!("CARGO_PKG_VERSION");
    connection
        .execute(
            "insert into setting values ('written_by', ?1)
             on conflict do update set value = ?1 where value is not ?1",
            [own],
        )
        .map_err(failed)?;
    Ok(connection)
}

/// Makes a file that only its owner may read: keys of people stand in it. Its log and index take the same mode.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The version in the file, refused where it is not ours to write. Changes nothing.
fn check(path: &Path, connection: &Connection) -> Result<u32, OpenCatalogueError> {
    let failed = |source| OpenCatalogueError::Open { path: path.to_owned(), source };
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(failed);
    let tables: i64 =
        connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables > 0 && pragma("application_id")? != APPLICATION_ID {
        return Err(OpenCatalogueError::NotOurs { path: path.to_owned() });
    }
    let found = u32::try_from(pragma("user_version")?).unwrap_or(u32::MAX);
    if found > known_version() {
        // The newer layout is unknown, so its word on who wrote it may be missing.
        let written_by = connection
            .query_row("select value from setting where name = 'written_by'", [], |row| row.get(0))
            .optional()
            .ok()
            .flatten()
            .unwrap_or_else(|| "of a later version".to_owned());
        return Err(OpenCatalogueError::Newer {
            path: path.to_owned(),
            found,
            written_by,
            known: known_version(),
            own: env!("CARGO_PKG_VERSION"),
        });
    }
    Ok(found)
}

fn upgrade(path: &Path, connection: &Connection, from: u32, to: u32) -> Result<(), OpenCatalogueError> {
    for (version, migration) in (1..=to).zip(MIGRATIONS).skip(from as usize) {
        let step = || {
            let transaction = connection.unchecked_transaction()?;
            transaction.execute_batch(migration.sql)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()
        };
        step().map_err(|source| OpenCatalogueError::Upgrade {
            path: path.to_owned(),
            migration: migration.name,
            source,
        })?;
        if from > 0 {
            tracing::info!(migration.name, "upgraded the catalogue by {}", migration.name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOT: &str = include_str!("../../../migrations/schema.sql");

    fn schema(connection: &Connection) -> String {
        let mut statement = connection
            .prepare("select sql from sqlite_schema where sql is not null and name not like 'sqlite_%' order by type desc, name")
            .unwrap();
        let rows: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        format!(
            "-- Made by the tests from the migrations; compare, do not edit.\n\n{};\n",
            rows.join(";\n\n")
        )
    }

    #[test]
    fn every_older_version_upgrades_to_the_checked_in_schema() {
        for from in 0..=known_version() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("catalogue.sqlite");
            {
                let old = Connection::open(&path).unwrap();
                old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
                upgrade(&path, &old, 0, from).unwrap();
                if from > 0 {
                    old.execute("insert into setting values ('node', 'n1')", []).unwrap();
                }
            }
            let new = open(&path).unwrap();
            let found = schema(&new);
            if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
                let to = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/schema.sql");
                std::fs::write(to, &found).unwrap();
            } else {
                assert_eq!(found, SNAPSHOT, "from version {from}; UPDATE_SNAPSHOTS=1 writes the new schema");
            }
            if from > 0 {
                let node: String = new
                    .query_row("select value from setting where name = 'node'", [], |row| row.get(0))
                    .unwrap();
                assert_eq!(node, "n1");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let _open = open(&dir.path().join("catalogue.sqlite")).unwrap();
        for file in std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", file.file_name());
        }
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("missing/catalogue.sqlite");
        let message = open(&path).unwrap_err().to_string();
        assert!(message.contains(&path.display().to_string()), "{message}");
    }

    #[test]
    fn every_migration_file_is_listed_in_order() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(|c: char| c.is_ascii_digit()))
            .collect();
        files.sort();
        let listed: Vec<String> = MIGRATIONS.iter().map(|m| format!("{}.sql", m.name)).collect();
        assert_eq!(files, listed);
        for (n, name) in (1..).zip(&files) {
            assert!(name.starts_with(&format!("{n:04}_")), "{name} is number {n}");
        }
    }

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalogue.sqlite");
        {
            let connection = open(&path).unwrap();
            connection.execute("update setting set value = '9.8.7' where name = 'written_by'", []).unwrap();
            connection.pragma_update(None, "user_version", known_version() + 3).unwrap();
        }
        let before = std::fs::read(&path).unwrap();
        let message = open(&path).unwrap_err().to_string();
        for part in [
            format!("version {}", known_version() + 3),
            format!("version {}", known_version()),
            "tidegate 9.8.7".to_owned(),
            format!("tidegate {}", env!("CARGO_PKG_VERSION")),
            path.display().to_string(),
        ] {
            assert!(message.contains(&part), "{message}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn another_programs_database_and_other_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("other.sqlite");
        Connection::open(&path).unwrap().execute_batch("create table theirs (x)").unwrap();
        assert!(matches!(open(&path), Err(OpenCatalogueError::NotOurs { .. })));
        std::fs::write(dir.path().join("text"), "x".repeat(5000)).unwrap();
        assert!(matches!(open(&dir.path().join("text")), Err(OpenCatalogueError::Open { .. })));
    }
}
