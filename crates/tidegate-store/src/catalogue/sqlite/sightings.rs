//! First sightings: one read of the package's rows, one transaction for what is new.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidegate_model::{Digest, Sha256};

use super::super::{CatalogueCause, CatalogueError, Sighting, SightingBatch, SightingState, Sightings};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Digests, Millis};

type Known = HashMap<(String, String), SightingState>;

fn state(row: &Row<'_>) -> rusqlite::Result<SightingState> {
    let first_seen_at = row.get::<_, Option<Millis>>(0)?.map(|at| at.0);
    Ok(SightingState {
        first_seen_at,
        bootstrap: first_seen_at.is_none(),
        promised_digests_first: row.get::<_, Digests>(1)?.0,
        changed: row.get(2)?,
    })
}

fn package_id(c: &Connection, ecosystem: &str, package: &str) -> rusqlite::Result<Option<i64>> {
    c.prepare_cached("select id from package where ecosystem = ?1 and name = ?2")?
        .query_row([ecosystem, package], |row| row.get(0))
        .optional()
}

fn last_document(c: &Connection, package: i64, source: &str) -> rusqlite::Result<Option<Sha256>> {
    c.prepare_cached("select document from package_source where package = ?1 and source = ?2")?
        .query_row(params![package, source], |row| Ok(row.get::<_, Bytes32>(0)?.sha256()))
        .optional()
}

fn known(c: &Connection, package: i64) -> rusqlite::Result<Known> {
    c.prepare_cached(
        "select first_seen_at, digests, changed_at is not null, version, file from sighting where package = ?1",
    )?
    .query_map([package], |row| Ok(((row.get(3)?, row.get(4)?), state(row)?)))?
    .collect()
}

fn find(known: &Known, file: &Sighting<'_>) -> Option<SightingState> {
    known.get(&(file.version.to_owned(), file.file.to_owned())).cloned()
}

/// What a promise does to what was promised first.
fn compare(first: &mut Vec<Digest>, promised: &[Digest]) -> Comparison {
    let of = |list: &[Digest], digest: &Digest| {
        list.iter().find(|d| d.algorithm() == digest.algorithm()).map(|d| d == digest)
    };
    if promised.iter().any(|d| of(first, d) == Some(false)) {
        return Comparison::Changed;
    }
    // A new algorithm is only believed beside one that agrees, or where nothing was promised before.
    let agrees = first.is_empty() || promised.iter().any(|d| of(first, d) == Some(true));
    let before = first.len();
    for digest in promised {
        if agrees && of(first, digest).is_none() {
            first.push(digest.clone());
        }
    }
    first.sort_unstable_by_key(Digest::algorithm);
    if first.len() > before { Comparison::Extended } else { Comparison::Same }
}

#[derive(PartialEq)]
enum Comparison {
    Same,
    Extended,
    Changed,
}

fn record(c: &Connection, batch: &SightingBatch<'_>) -> Result<Vec<SightingState>, CatalogueCause> {
    c.prepare_cached("insert or ignore into package (ecosystem, name) values (?1, ?2)")?
        .execute([batch.ecosystem, batch.package])?;
    let package = package_id(c, batch.ecosystem, batch.package)?.expect("inserted above");
    let bootstrap = last_document(c, package, batch.source)?.is_none();
    let mut known = known(c, package)?;
    let mut insert = c.prepare_cached("insert into sighting values (?1, ?2, ?3, ?4, ?5, null)")?;
    let mut update = c.prepare_cached(
        "update sighting set digests = ?4, changed_at = coalesce(changed_at, ?5)
         where package = ?1 and version = ?2 and file = ?3",
    )?;
    let mut states = Vec::with_capacity(batch.files.len());
    for file in batch.files {
        let key = (file.version.to_owned(), file.file.to_owned());
        let state = match known.get_mut(&key) {
            Some(state) => {
                let outcome = compare(&mut state.promised_digests_first, file.digests);
                if outcome == Comparison::Extended || (outcome == Comparison::Changed && !state.changed) {
                    let changed = outcome == Comparison::Changed;
                    state.changed |= changed;
                    update.execute(params![
                        package,
                        file.version,
                        file.file,
                        Digests(state.promised_digests_first.clone()).text(),
                        changed.then_some(Millis(batch.now)),
                    ])?;
                }
                state.clone()
            }
            None => {
                let first_seen_at = (!bootstrap).then_some(batch.now);
                let mut first = Vec::new();
                let changed = compare(&mut first, file.digests) == Comparison::Changed;
                insert.execute(params![
                    package,
                    file.version,
                    file.file,
                    first_seen_at.map(Millis),
                    Digests(first.clone()).text(),
                ])?;
                let state =
                    SightingState { first_seen_at, bootstrap, promised_digests_first: first, changed };
                known.insert(key, state.clone());
                state
            }
        };
        states.push(state);
    }
    c.prepare_cached(
        "insert into package_source values (?1, ?2, ?3, ?4)
         on conflict do update set document = excluded.document",
    )?
    .execute(params![package, batch.source, Bytes32::from(&batch.document), Millis(batch.now)])?;
    Ok(states)
}

impl Sightings for SqliteCatalogue {
    fn record_sightings(&self, batch: &SightingBatch<'_>) -> Result<Vec<SightingState>, CatalogueError> {
        const DOING: &str = "recording first sightings";
        let recorded = self.read(DOING, |c| {
            let Some(package) = package_id(c, batch.ecosystem, batch.package)? else { return Ok(None) };
            if last_document(c, package, batch.source)? != Some(batch.document) {
                return Ok(None);
            }
            let known = known(c, package)?;
            // One that is missing was read out of the same document by another version of ours: record it.
            Ok(batch.files.iter().map(|file| find(&known, file)).collect())
        })?;
        match recorded {
            Some(states) => Ok(states),
            None => self.write(DOING, |c| record(c, batch)),
        }
    }

    fn sighting(
        &self,
        ecosystem: &str,
        package: &str,
        version: &str,
        file: &str,
    ) -> Result<Option<SightingState>, CatalogueError> {
        self.read("reading a first sighting", |c| {
            Ok(c.prepare_cached(
                "select first_seen_at, digests, changed_at is not null from sighting
                 where package = (select id from package where ecosystem = ?1 and name = ?2)
                     and version = ?3 and file = ?4",
            )?
            .query_row([ecosystem, package, version, file], state)
            .optional()?)
        })
    }
}
