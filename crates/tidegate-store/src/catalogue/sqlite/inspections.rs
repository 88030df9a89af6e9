//! Inspections, comparisons and components.

use rusqlite::{OptionalExtension as _, Row, params};

use super::super::decisions::package_of;
use super::super::{
    AskedSecret, BundledComponent, CatalogueCause, CatalogueError, Comparison, ComparisonKind,
    ComponentHolder, InspectedFacts, Inspections, OutdatedInspection, Page, StoredInspection,
};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis};

/// Reports are read by people and reports, not by decisions: small counts more than fast.
const LEVEL: i32 = 7;

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u32> {
    Ok(u32::try_from(row.get::<_, i64>(column)?).unwrap_or(u32::MAX))
}

fn packed(report: &str) -> Result<Vec<u8>, CatalogueCause> {
    zstd::bulk::compress(report.as_bytes(), LEVEL).map_err(|e| CatalogueCause::Refused(e.to_string()))
}

fn unpacked(report: &[u8]) -> Result<String, CatalogueCause> {
    let damaged = |why: String| CatalogueCause::Damaged(format!("a report of an inspection: {why}"));
    let bytes = zstd::stream::decode_all(report).map_err(|e| damaged(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| damaged(e.to_string()))
}

fn comparison(row: &Row<'_>) -> rusqlite::Result<Comparison> {
    let kind: String = row.get(1)?;
    Ok(Comparison {
        purl: row.get(0)?,
        kind: kind.parse().map_err(|why: String| {
            rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, why.into())
        })?,
        sha256: row.get::<_, Bytes32>(2)?.sha256(),
        against: row.get::<_, Bytes32>(3)?.sha256(),
        inspector: number(row, 4)?,
        at: row.get::<_, Millis>(5)?.0,
        findings: row.get(6)?,
    })
}

fn holder(row: &Row<'_>) -> rusqlite::Result<ComponentHolder> {
    Ok(ComponentHolder {
        purl: row.get(0)?,
        sha256: row.get::<_, Bytes32>(1)?.sha256(),
        path: row.get(2)?,
        ecosystem: row.get(3)?,
        package: row.get(4)?,
        version: row.get(5)?,
    })
}

impl Inspections for SqliteCatalogue {
    fn inspection(
        &self,
        sha256: &tidegate_model::Sha256,
    ) -> Result<Option<StoredInspection>, CatalogueError> {
        self.read("reading an inspection", |c| {
            let row = c
                .prepare_cached(
                    "select inspector, inspected_at, facts, report from inspection where sha256 = ?1",
                )?
                .query_row([Bytes32::from(sha256)], |row| {
                    let at = row.get::<_, Millis>(1)?.0;
                    Ok((number(row, 0)?, at, row.get(2)?, row.get::<_, Vec<u8>>(3)?))
                })
                .optional()?;
            row.map(|(inspector, at, facts, report)| {
                Ok(StoredInspection { sha256: *sha256, inspector, at, facts, report: unpacked(&report)? })
            })
            .transpose()
        })
    }

    fn put_inspection(
        &self,
        inspection: &StoredInspection,
        components: &[BundledComponent],
    ) -> Result<(), CatalogueError> {
        self.write("recording an inspection", |c| {
            let key = Bytes32::from(&inspection.sha256);
            c.prepare_cached("insert or replace into inspection values (?1, ?2, ?3, ?4, ?5)")?.execute(
                params![
                    key,
                    inspection.inspector,
                    Millis(inspection.at),
                    inspection.facts,
                    packed(&inspection.report)?
                ],
            )?;
            c.prepare_cached("delete from component where sha256 = ?1")?.execute([&key])?;
            let mut note = c.prepare_cached("insert or ignore into component values (?1, ?2, ?3, ?4)")?;
            for component in components {
                let package = component.key();
                note.execute(params![package, component.purl, key, component.path])?;
            }
            Ok(())
        })
    }

    fn inspected_of(&self, ecosystem: &str, package: &str) -> Result<Vec<InspectedFacts>, CatalogueError> {
        self.read("reading the inspections of a package", |c| {
            Ok(c.prepare_cached(
                "select distinct i.sha256, i.inspector, i.inspected_at, i.facts
                 from pin p join inspection i on i.sha256 = p.sha256
                 where p.ecosystem = ?1 and p.package = ?2 order by i.sha256",
            )?
            .query_map([ecosystem, package], |row| {
                Ok(InspectedFacts {
                    sha256: row.get::<_, Bytes32>(0)?.sha256(),
                    inspector: number(row, 1)?,
                    at: row.get::<_, Millis>(2)?.0,
                    facts: row.get(3)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn outdated_inspections(
        &self,
        inspector: u32,
        limit: u32,
    ) -> Result<Vec<OutdatedInspection>, CatalogueError> {
        let limit = limit.min(Page::MAX_LIMIT);
        self.read("listing what an older inspector looked at", |c| {
            Ok(c.prepare_cached(
                "select i.sha256, p.ecosystem, p.package, p.version, p.file
                 from inspection i
                 join artifact a on a.sha256 = i.sha256 and a.stored = 1
                 join pin p on p.sha256 = i.sha256
                 where i.inspector < ?1
                 group by i.sha256
                 order by a.last_access_at desc limit ?2",
            )?
            .query_map(params![inspector, limit], |row| {
                Ok(OutdatedInspection {
                    sha256: row.get::<_, Bytes32>(0)?.sha256(),
                    ecosystem: row.get(1)?,
                    package: row.get(2)?,
                    version: row.get(3)?,
                    file: row.get(4)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn put_comparison(&self, new: &Comparison) -> Result<(), CatalogueError> {
        self.write("recording a comparison", |c| {
            if new.kind == ComparisonKind::Manifest {
                c.prepare_cached(
                    "delete from comparison where package = ?1 and purl = ?2 and kind = ?3 and sha256 = ?4",
                )?
                .execute(params![
                    package_of(&new.purl).0,
                    new.purl,
                    new.kind.as_str(),
                    Bytes32::from(&new.sha256)
                ])?;
            }
            c.prepare_cached("insert or replace into comparison values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                .execute(params![
                    package_of(&new.purl).0,
                    new.purl,
                    new.kind.as_str(),
                    Bytes32::from(&new.sha256),
                    Bytes32::from(&new.against),
                    new.inspector,
                    Millis(new.at),
                    new.findings,
                ])?;
            Ok(())
        })
    }

    fn comparisons_of(&self, package_purl: &str) -> Result<Vec<Comparison>, CatalogueError> {
        self.read("reading the comparisons of a package", |c| {
            Ok(c.prepare_cached(
                "select purl, kind, sha256, against, inspector, compared_at, findings
                 from comparison where package = ?1 order by purl, kind, sha256, against",
            )?
            .query_map([package_purl], comparison)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn component_holders(&self, package_purl: &str) -> Result<Vec<ComponentHolder>, CatalogueError> {
        self.read("listing what holds a component", |c| {
            Ok(c.prepare_cached(
                "select distinct c.purl, c.sha256, c.path, p.ecosystem, p.package, p.version
                 from component c join pin p on p.sha256 = c.sha256
                 where c.package = ?1 order by 1, 2, 3, 4, 5, 6",
            )?
            .query_map([package_purl], holder)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn components_in(&self, ecosystem: &str, package: &str) -> Result<Vec<ComponentHolder>, CatalogueError> {
        self.read("listing what a package holds", |c| {
            Ok(c.prepare_cached(
                "select distinct c.purl, c.sha256, c.path, p.ecosystem, p.package, p.version
                 from pin p join component c on c.sha256 = p.sha256
                 where p.ecosystem = ?1 and p.package = ?2 order by 1, 2, 3, 4, 5, 6",
            )?
            .query_map([ecosystem, package], holder)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn components_of(
        &self,
        sha256: &tidegate_model::Sha256,
    ) -> Result<Vec<BundledComponent>, CatalogueError> {
        self.read("listing components", |c| {
            Ok(c.prepare_cached("select purl, path from component where sha256 = ?1 order by purl, path")?
                .query_map([Bytes32::from(sha256)], |row| {
                    Ok(BundledComponent { purl: row.get(0)?, path: row.get(1)? })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn artifacts_with_secrets(
        &self,
        after: Option<&tidegate_model::Sha256>,
        limit: u32,
    ) -> Result<Vec<tidegate_model::Sha256>, CatalogueError> {
        let limit = limit.min(Page::MAX_LIMIT);
        self.read("listing what holds secrets", |c| {
            let after = after.map_or_else(|| [0; 32].to_vec(), |digest| digest.as_bytes().to_vec());
            Ok(c.prepare_cached(
                "select i.sha256 from inspection i join artifact a on a.sha256 = i.sha256 and a.stored = 1
                 where i.sha256 > ?1 and json_extract(i.facts, '$.secrets') > 0 order by i.sha256 limit ?2",
            )?
            .query_map(params![after, limit], |row| Ok(row.get::<_, Bytes32>(0)?.sha256()))?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn asked_secrets(&self, secret_hashes: &[String]) -> Result<Vec<AskedSecret>, CatalogueError> {
        self.read("reading what issuers said", |c| {
            let mut find = c.prepare_cached(
                "select secret_hash, detector, state, asked_at from liveness where secret_hash = ?1
                 order by detector",
            )?;
            let mut all = Vec::new();
            for hash in secret_hashes {
                let rows = find.query_map([hash], |row| {
                    Ok(AskedSecret {
                        secret_hash: row.get(0)?,
                        detector: row.get(1)?,
                        state: row.get(2)?,
                        at: row.get::<_, Millis>(3)?.0,
                    })
                })?;
                all.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            Ok(all)
        })
    }

    fn put_asked_secret(&self, asked: &AskedSecret) -> Result<(), CatalogueError> {
        self.write("recording what an issuer said", |c| {
            c.prepare_cached("insert or replace into liveness values (?1, ?2, ?3, ?4)")?.execute(params![
                asked.secret_hash,
                asked.detector,
                asked.state,
                Millis(asked.at)
            ])?;
            Ok(())
        })
    }
}
