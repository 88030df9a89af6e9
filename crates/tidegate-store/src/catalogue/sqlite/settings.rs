//! Values of the installation.

use rusqlite::OptionalExtension as _;

use super::super::{CatalogueError, Settings};
use super::SqliteCatalogue;

impl Settings for SqliteCatalogue {
    fn setting(&self, name: &str) -> Result<Option<String>, CatalogueError> {
        self.read("reading a setting", |c| {
            let mut statement = c.prepare_cached("select value from setting where name = ?1")?;
            Ok(statement.query_row([name], |row| row.get(0)).optional()?)
        })
    }

    fn set_setting(&self, name: &str, value: &str) -> Result<(), CatalogueError> {
        self.write("writing a setting", |c| {
            c.prepare_cached(
                "insert into setting values (?1, ?2) on conflict do update set value = excluded.value",
            )?
            .execute([name, value])?;
            Ok(())
        })
    }

    fn setting_or_insert(&self, name: &str, value: &str) -> Result<String, CatalogueError> {
        if let Some(found) = self.setting(name)? {
            return Ok(found);
        }
        self.write("writing a setting", |c| {
            c.prepare_cached("insert or ignore into setting values (?1, ?2)")?.execute([name, value])?;
            let mut statement = c.prepare_cached("select value from setting where name = ?1")?;
            Ok(statement.query_row([name], |row| row.get(0))?)
        })
    }

    fn data_version(&self) -> Result<u32, CatalogueError> {
        self.read("reading the data version", |c| {
            Ok(c.pragma_query_value(None, "user_version", |row| row.get(0))?)
        })
    }
}
