//! Verifications.

use rusqlite::{OptionalExtension as _, params};

use super::super::{CatalogueCause, CatalogueError, StoredVerification, Verifications};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis};

/// Read when somebody verifies offline, and when roots change.
const LEVEL: i32 = 7;

impl Verifications for SqliteCatalogue {
    fn verifications_of(&self, package: &str) -> Result<Vec<StoredVerification>, CatalogueError> {
        self.read("reading the verifications of a package", |c| {
            Ok(c.prepare_cached(
                "select package, purl, file, subject, key, checked_at, result
                 from verification where package = ?1 order by purl, file",
            )?
            .query_map([package], |row| {
                Ok(StoredVerification {
                    package: row.get(0)?,
                    purl: row.get(1)?,
                    file: row.get(2)?,
                    subject: row.get(3)?,
                    key: row.get::<_, Bytes32>(4)?.sha256(),
                    checked_at: row.get::<_, Millis>(5)?.0,
                    result: row.get(6)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn attestations(&self, package: &str, purl: &str, file: &str) -> Result<Option<Vec<u8>>, CatalogueError> {
        self.read("reading attestations", |c| {
            let packed: Option<Option<Vec<u8>>> = c
                .prepare_cached(
                    "select document from verification where package = ?1 and purl = ?2 and file = ?3",
                )?
                .query_row([package, purl, file], |row| row.get(0))
                .optional()?;
            let damaged =
                |why: std::io::Error| CatalogueCause::Damaged(format!("a document of attestations: {why}"));
            packed.flatten().map(|p| zstd::stream::decode_all(&*p).map_err(damaged)).transpose()
        })
    }

    fn put_verification(
        &self,
        verification: &StoredVerification,
        document: Option<&[u8]>,
    ) -> Result<(), CatalogueError> {
        self.write("recording a verification", |c| {
            let packed = document
                .map(|bytes| {
                    zstd::bulk::compress(bytes, LEVEL).map_err(|e| CatalogueCause::Refused(e.to_string()))
                })
                .transpose()?;
            c.prepare_cached("insert or replace into verification values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                .execute(params![
                    verification.package,
                    verification.purl,
                    verification.file,
                    verification.subject,
                    Bytes32::from(&verification.key),
                    Millis(verification.checked_at),
                    verification.result,
                    packed,
                ])?;
            Ok(())
        })
    }
}
