//! The catalogue in one SQLite file.
//!
//! WAL mode; one connection writes, a few read. Everything is written with `synchronous = full`, so what a call reports
//! as done survives a power cut; callers that write at the same time share one transaction and its sync (`writer.rs`).
//! `secure_delete` is on, so that a forgotten person's key does not stay behind in free pages.

mod approvals;
mod artifacts;
mod convert;
mod custody;
mod decisions;
mod documents;
mod edges;
mod exposures;
mod forget;
mod heads;
mod inspections;
mod mcp_tools;
mod migrate;
mod people;
mod readers;
mod settings;
mod sightings;
mod tokens;
mod verifications;
mod waivers;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

pub use migrate::OpenCatalogueError;

use super::{CatalogueCause, CatalogueError};
use readers::Readers;
use writer::Writer;

/// How long a call waits for another process that holds the database, before it says so.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements kept per connection: more than there are in this module.
const STATEMENTS: usize = 128;

/// The catalogue in one SQLite file.
pub struct SqliteCatalogue {
    writer: Writer,
    readers: Readers,
}

impl SqliteCatalogue {
    /// Opens the catalogue, making it where it is missing and upgrading it where it is older.
    ///
    /// # Errors
    /// [`OpenCatalogueError`], above all for a file that a newer tidegate wrote.
    pub fn open(path: &Path) -> Result<Self, OpenCatalogueError> {
        let connection = migrate::open(path)?;
        Ok(Self { writer: Writer::new(path, connection), readers: Readers::new(path) })
    }

    fn path(&self) -> &Path {
        self.readers.path()
    }

    fn read<T>(
        &self,
        doing: &'static str,
        f: impl FnOnce(&Connection) -> Result<T, CatalogueCause>,
    ) -> Result<T, CatalogueError> {
        self.readers.read(doing, f)
    }

    fn write<T>(
        &self,
        doing: &'static str,
        f: impl FnOnce(&Connection) -> Result<T, CatalogueCause>,
    ) -> Result<T, CatalogueError> {
        self.writer.write(doing, f)
    }
}

/// Settings that every connection has.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Memory for pages, in KiB when negative.
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(CatalogueCause) -> CatalogueError {
    let path: PathBuf = path.to_owned();
    move |cause| CatalogueError { doing, path, cause }
}

#[cfg(test)]
mod tests;
