//! Documents, compressed, and absences.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidegate_model::Timestamp;

use super::super::{
    CatalogueCause, CatalogueError, DocumentHead, DocumentKey, Documents, NewDocument, StoredDocument,
};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis, signed, unsigned};

/// zstd's fastest ordinary level: packuments shrink about sevenfold at some 400 MB/s.
const LEVEL: i32 = 1;
/// The largest body that is unpacked again, in bytes: four times what a document may have when it is fetched.
const MAX_BODY_BYTES: u64 = 512 << 20;

fn head(row: &Row<'_>) -> rusqlite::Result<DocumentHead> {
    Ok(DocumentHead {
        etag: row.get(0)?,
        last_modified: row.get(1)?,
        content_type: row.get(2)?,
        url: row.get(3)?,
        digest: row.get::<_, Bytes32>(4)?.sha256(),
        size: unsigned(row.get(5)?),
        fetched_at: row.get::<_, Millis>(6)?.0,
        checked_at: row.get::<_, Millis>(7)?.0,
    })
}

fn find(
    connection: &Connection,
    key: &DocumentKey<'_>,
) -> Result<Option<(DocumentHead, i64)>, CatalogueCause> {
    const SQL: &str =
        "select etag, last_modified, content_type, url, digest, size, fetched_at, checked_at, id
        from document where repository = ?1 and upstream = ?2 and package = ?3 and kind = ?4";
    Ok(connection
        .prepare_cached(SQL)?
        .query_row([key.repository, key.upstream, key.package, key.kind], |row| Ok((head(row)?, row.get(8)?)))
        .optional()?)
}

fn compress(body: &[u8]) -> Result<Vec<u8>, CatalogueCause> {
    let unreadable =
        |e: std::io::Error| CatalogueCause::Refused(format!("the document cannot be compressed: {e}"));
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(unreadable)?;
    compressor.include_checksum(true).map_err(unreadable)?;
    compressor.compress(body).map_err(unreadable)
}

fn decompress(size: u64, compressed: &[u8]) -> Result<Vec<u8>, CatalogueCause> {
    let unreadable = |why: String| CatalogueCause::Unreadable { what: "document", why };
    if size > MAX_BODY_BYTES {
        return Err(unreadable(format!("it says that it has {size} bytes")));
    }
    let body = zstd::bulk::decompress(compressed, size as usize).map_err(|e| unreadable(e.to_string()))?;
    if body.len() as u64 != size {
        return Err(unreadable(format!("it has {} bytes and says {size}", body.len())));
    }
    Ok(body)
}

impl Documents for SqliteCatalogue {
    fn document(&self, key: &DocumentKey<'_>) -> Result<Option<StoredDocument>, CatalogueError> {
        const DOING: &str = "reading a document";
        let found = self.read(DOING, |c| {
            let Some((head, id)) = find(c, key)? else { return Ok(None) };
            let compressed: Vec<u8> = c
                .prepare_cached("select body from document_body where document = ?1")?
                .query_row([id], |row| row.get(0))?;
            Ok(Some((decompress(head.size, &compressed), head)))
        })?;
        match found {
            None => Ok(None),
            Some((Ok(body), head)) => Ok(Some(StoredDocument { head, body: Bytes::from(body) })),
            Some((Err(cause), _)) => {
                // Kept, it would be revalidated and found current for ever.
                self.forget_document(key)?;
                Err(super::failed(DOING, self.path())(cause))
            }
        }
    }

    fn document_head(&self, key: &DocumentKey<'_>) -> Result<Option<DocumentHead>, CatalogueError> {
        self.read("reading a document's head", |c| Ok(find(c, key)?.map(|(head, _)| head)))
    }

    fn put_document(&self, key: &DocumentKey<'_>, document: &NewDocument<'_>) -> Result<(), CatalogueError> {
        const DOING: &str = "keeping a document";
        let body = compress(document.body).map_err(super::failed(DOING, self.path()))?;
        self.write(DOING, |c| {
            let id: i64 = c
                .prepare_cached(
                    "insert into document (repository, upstream, package, kind,
                         etag, last_modified, content_type, url, digest, size, fetched_at, checked_at)
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)
                     on conflict (repository, upstream, package, kind) do update set
                         etag = excluded.etag, last_modified = excluded.last_modified,
                         content_type = excluded.content_type, url = excluded.url, digest = excluded.digest,
                         size = excluded.size, fetched_at = excluded.fetched_at, checked_at = excluded.checked_at
                     returning id",
                )?
                .query_row(
                    params![
                        key.repository,
                        key.upstream,
                        key.package,
                        key.kind,
                        document.etag,
                        document.last_modified,
                        document.content_type,
                        document.url,
                        Bytes32::from(&document.digest),
                        signed(document.body.len() as u64),
                        Millis(document.fetched_at),
                    ],
                    |row| row.get(0),
                )?;
            c.prepare_cached("insert or replace into document_body values (?1, ?2)")?.execute(params![id, body])?;
            c.prepare_cached("delete from absent where repository = ?1 and upstream = ?2 and package = ?3")?
                .execute([key.repository, key.upstream, key.package])?;
            Ok(())
        })
    }

    fn touch_document(&self, key: &DocumentKey<'_>, checked_at: Timestamp) -> Result<bool, CatalogueError> {
        self.write("touching a document", |c| {
            let changed = c
                .prepare_cached(
                    "update document set checked_at = max(checked_at, ?5)
                     where repository = ?1 and upstream = ?2 and package = ?3 and kind = ?4",
                )?
                .execute(params![key.repository, key.upstream, key.package, key.kind, Millis(checked_at)])?;
            Ok(changed > 0)
        })
    }

    fn forget_document(&self, key: &DocumentKey<'_>) -> Result<bool, CatalogueError> {
        self.write("forgetting a document", |c| {
            let changed = c
                .prepare_cached(
                    "delete from document where repository = ?1 and upstream = ?2 and package = ?3 and kind = ?4",
                )?
                .execute([key.repository, key.upstream, key.package, key.kind])?;
            Ok(changed > 0)
        })
    }

    fn forget_documents(&self, repository: &str, upstream: &str) -> Result<u64, CatalogueError> {
        self.write("forgetting an upstream's documents", |c| {
            c.prepare_cached("delete from absent where repository = ?1 and upstream = ?2")?
                .execute([repository, upstream])?;
            let changed = c
                .prepare_cached("delete from document where repository = ?1 and upstream = ?2")?
                .execute([repository, upstream])?;
            Ok(changed as u64)
        })
    }

    fn prune_documents(&self, before: Timestamp, now: Timestamp) -> Result<u64, CatalogueError> {
        self.write("pruning documents", |c| {
            c.prepare_cached("delete from absent where until <= ?1")?.execute([Millis(now)])?;
            Ok(c.prepare_cached("delete from document where checked_at < ?1")?.execute([Millis(before)])?
                as u64)
        })
    }

    fn absent(
        &self,
        repository: &str,
        upstream: &str,
        package: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, CatalogueError> {
        self.read("asking whether a package is absent", |c| {
            let until = c
                .prepare_cached(
                    "select until from absent
                     where repository = ?1 and upstream = ?2 and package = ?3 and until > ?4",
                )?
                .query_row(params![repository, upstream, package, Millis(now)], |row| row.get::<_, Millis>(0))
                .optional()?;
            Ok(until.map(|until| until.0))
        })
    }

    fn put_absent(
        &self,
        repository: &str,
        upstream: &str,
        package: &str,
        until: Timestamp,
    ) -> Result<(), CatalogueError> {
        self.write("recording that a package is absent", |c| {
            c.prepare_cached(
                "insert into absent values (?1, ?2, ?3, ?4) on conflict do update set until = excluded.until",
            )?
            .execute(params![repository, upstream, package, Millis(until)])?;
            Ok(())
        })
    }
}
