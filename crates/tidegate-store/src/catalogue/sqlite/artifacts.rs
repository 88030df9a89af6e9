//! Artifacts, holds, pins and what may be evicted.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidegate_model::{Algorithm, ArtifactKind, Digest, Sha256, Timestamp};

use super::super::{Artifact, Artifacts, CatalogueCause, CatalogueError, Pin, PinKey};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis, Word, kind_word, signed, unsigned};

fn artifact(row: &Row<'_>) -> rusqlite::Result<Artifact> {
    Ok(Artifact {
        sha256: row.get::<_, Bytes32>(0)?.sha256(),
        sha512: row
            .get::<_, Option<Vec<u8>>>(1)?
            .and_then(|bytes| Digest::from_bytes(Algorithm::Sha512, &bytes)),
        size: unsigned(row.get(2)?),
        kind: row.get::<_, Word<ArtifactKind>>(3)?.0,
        upstream_url: row.get(4)?,
        first_stored_at: row.get::<_, Millis>(5)?.0,
        last_access_at: row.get::<_, Millis>(6)?.0,
        stored: row.get(7)?,
        pinned: row.get(8)?,
    })
}

fn pinned(c: &Connection, key: &PinKey<'_>) -> rusqlite::Result<Option<Sha256>> {
    c.prepare_cached(
        "select sha256 from pin where ecosystem = ?1 and package = ?2 and version = ?3 and file = ?4",
    )?
    .query_row([key.ecosystem, key.package, key.version, key.file], |row| {
        Ok(row.get::<_, Bytes32>(0)?.sha256())
    })
    .optional()
}

fn set_stored(c: &Connection, sha256: &Sha256, stored: bool) -> rusqlite::Result<usize> {
    c.prepare_cached("update artifact set stored = ?2 where sha256 = ?1 and stored <> ?2")?
        .execute(params![Bytes32::from(sha256), stored])
}

impl Artifacts for SqliteCatalogue {
    fn artifact(&self, sha256: &Sha256) -> Result<Option<Artifact>, CatalogueError> {
        self.read("reading an artifact", |c| {
            Ok(c.prepare_cached(
                "select sha256, sha512, size, kind, upstream_url, first_stored_at, last_access_at, stored, pinned
                 from artifact where sha256 = ?1",
            )?
            .query_row([Bytes32::from(sha256)], artifact)
            .optional()?)
        })
    }

    fn put_artifact(&self, artifact: &Artifact) -> Result<(), CatalogueError> {
        let sha512 = artifact.sha512.as_ref().filter(|d| d.algorithm() == Algorithm::Sha512);
        self.write("recording an artifact", |c| {
            c.prepare_cached(
                "insert into artifact values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 on conflict do update set
                     sha512 = coalesce(excluded.sha512, sha512), size = excluded.size, kind = excluded.kind,
                     upstream_url = coalesce(excluded.upstream_url, upstream_url),
                     last_access_at = max(last_access_at, excluded.last_access_at), stored = excluded.stored",
            )?
            .execute(params![
                Bytes32::from(&artifact.sha256),
                sha512.map(Digest::as_bytes),
                signed(artifact.size),
                kind_word(artifact.kind),
                artifact.upstream_url,
                Millis(artifact.first_stored_at),
                Millis(artifact.last_access_at),
                artifact.stored,
                artifact.pinned,
            ])?;
            Ok(())
        })
    }

    fn touch_artifacts(&self, accesses: &[(Sha256, Timestamp)]) -> Result<(), CatalogueError> {
        if accesses.is_empty() {
            return Ok(());
        }
        self.write("recording last accesses", |c| {
            let mut statement = c.prepare_cached(
                "update artifact set last_access_at = ?2 where sha256 = ?1 and last_access_at < ?2",
            )?;
            for (sha256, at) in accesses {
                statement.execute(params![Bytes32::from(sha256), Millis(*at)])?;
            }
            Ok(())
        })
    }

    fn pin_artifact(&self, sha256: &Sha256, pinned: bool) -> Result<bool, CatalogueError> {
        self.write("pinning an artifact", |c| {
            let changed = c
                .prepare_cached("update artifact set pinned = ?2 where sha256 = ?1")?
                .execute(params![Bytes32::from(sha256), pinned])?;
            Ok(changed > 0)
        })
    }

    fn hold(&self, sha256: &Sha256, reason: &str, at: Timestamp) -> Result<(), CatalogueError> {
        self.write("holding an artifact", |c| {
            c.prepare_cached("insert or ignore into hold values (?1, ?2, ?3)")?.execute(params![
                Bytes32::from(sha256),
                reason,
                Millis(at)
            ])?;
            Ok(())
        })
    }

    fn unhold(&self, sha256: &Sha256, reason: &str) -> Result<bool, CatalogueError> {
        self.write("releasing an artifact", |c| {
            let changed = c
                .prepare_cached("delete from hold where sha256 = ?1 and reason = ?2")?
                .execute(params![Bytes32::from(sha256), reason])?;
            Ok(changed > 0)
        })
    }

    fn holds(&self, sha256: &Sha256) -> Result<Vec<String>, CatalogueError> {
        self.read("reading why an artifact is held", |c| {
            Ok(c.prepare_cached("select reason from hold where sha256 = ?1 order by reason")?
                .query_map([Bytes32::from(sha256)], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn take_for_eviction(&self, bytes: u64, limit: usize) -> Result<Vec<Sha256>, CatalogueError> {
        self.write("choosing artifacts to evict", |c| {
            let mut chosen = Vec::new();
            {
                let mut statement = c.prepare_cached(
                    "select sha256, size from artifact
                     where stored = 1 and pinned = 0
                         and not exists (select 1 from hold where hold.sha256 = artifact.sha256)
                     order by last_access_at limit ?1",
                )?;
                let mut rows = statement.query([signed(limit as u64)])?;
                let mut freed = 0u64;
                while freed < bytes {
                    let Some(row) = rows.next()? else { break };
                    chosen.push(row.get::<_, Bytes32>(0)?.sha256());
                    freed = freed.saturating_add(unsigned(row.get(1)?));
                }
            }
            for sha256 in &chosen {
                set_stored(c, sha256, false)?;
            }
            Ok(chosen)
        })
    }

    fn stored_artifacts(&self) -> Result<Vec<Sha256>, CatalogueError> {
        self.read("listing stored artifacts", |c| {
            Ok(c.prepare_cached("select sha256 from artifact where stored = 1")?
                .query_map([], |row| Ok(row.get::<_, Bytes32>(0)?.sha256()))?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn mark_absent(&self, artifacts: &[Sha256]) -> Result<(), CatalogueError> {
        if artifacts.is_empty() {
            return Ok(());
        }
        self.write("recording that artifacts are not stored", |c| {
            for sha256 in artifacts {
                set_stored(c, sha256, false)?;
            }
            Ok(())
        })
    }

    fn adopt_artifacts(&self, blobs: &[(Sha256, u64)], now: Timestamp) -> Result<(), CatalogueError> {
        if blobs.is_empty() {
            return Ok(());
        }
        self.write("adopting blobs", |c| {
            let mut statement = c.prepare_cached(
                "insert into artifact values (?1, null, ?2, ?3, null, ?4, ?4, 1, 0)
                 on conflict do update set stored = 1, size = excluded.size",
            )?;
            for (sha256, size) in blobs {
                statement.execute(params![
                    Bytes32::from(sha256),
                    signed(*size),
                    kind_word(ArtifactKind::File),
                    Millis(now)
                ])?;
            }
            Ok(())
        })
    }

    fn pin(&self, key: &PinKey<'_>) -> Result<Option<Sha256>, CatalogueError> {
        self.read("reading a pin", |c| Ok(pinned(c, key)?))
    }

    fn pins_of(&self, ecosystem: &str, package: &str) -> Result<Vec<Pin>, CatalogueError> {
        self.read("reading the pins of a package", |c| {
            let mut statement = c.prepare_cached(
                "select version, file, sha256 from pin where ecosystem = ?1 and package = ?2 order by version, file",
            )?;
            let rows = statement.query_map(params![ecosystem, package], |row| {
                Ok(Pin { version: row.get(0)?, file: row.get(1)?, sha256: row.get::<_, Bytes32>(2)?.sha256() })
            })?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })
    }

    fn set_pin(&self, key: &PinKey<'_>, sha256: &Sha256, at: Timestamp) -> Result<Sha256, CatalogueError> {
        if let Some(winner) = self.pin(key)? {
            return Ok(winner);
        }
        self.write("pinning a digest", |c| {
            c.prepare_cached("insert or ignore into pin values (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
                params![key.ecosystem, key.package, key.version, key.file, Bytes32::from(sha256), Millis(at)],
            )?;
            pinned(c, key)?.ok_or_else(|| CatalogueCause::Unreadable {
                what: "pin",
                why: "it is gone right after it was written".to_owned(),
            })
        })
    }
}
