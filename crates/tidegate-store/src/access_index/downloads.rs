//! Counting distinct downloads.

use tidegate_model::Timestamp;

use super::{AccessIndex, AccessIndexError, month};

impl AccessIndex {
    /// How many distinct downloads there were since a time: pairs of a person and a version of which bytes went out. One on
    /// both sides of the end of a month counts twice.
    ///
    /// # Errors
    /// [`AccessIndexError`].
    pub fn distinct_downloads(&self, since: Timestamp) -> Result<u64, AccessIndexError> {
        let mut count = 0;
        for path in self.files()? {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if stem.trim_start_matches("access-") < since.month().as_str() {
                continue;
            }
            let counted: i64 = month::open_read_only(&path)
                .and_then(|c| {
                    c.query_row(
                        "select count(*) from (select distinct o.actor, s.purl
                         from access a join subject s on s.id = a.subject join source o on o.id = a.source
                         where a.id >= ?1 and a.outcome in (select id from outcome where taken = 1))",
                        [(since.unix_millis() - month::began(&path)).saturating_mul(month::PER_MILLISECOND)],
                        |row| row.get(0),
                    )
                })
                .map_err(AccessIndexError::at("counting downloads", &path))?;
            count += counted.cast_unsigned();
        }
        Ok(count)
    }
}
