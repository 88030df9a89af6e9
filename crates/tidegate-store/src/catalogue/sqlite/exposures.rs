//! What was told of admitted versions, and advisories that wait for a person.

use rusqlite::{Row, params};
use tidegate_ledger::entry::{Grave, HoldReason};

use super::super::decisions::package_of;
use super::super::{
    Admission, AdvisoryHold, CatalogueError, Exposure, Exposures, HoldState, Page, VersionExposure,
};
use super::SqliteCatalogue;
use super::convert::{Lines, Millis, Word, lines, signed, unsigned};

fn admission(row: &Row<'_>) -> rusqlite::Result<Admission> {
    Ok(Admission {
        purl: row.get(0)?,
        first_at: row.get::<_, Millis>(1)?.0,
        last_at: row.get::<_, Millis>(2)?.0,
    })
}

fn hold(row: &Row<'_>) -> rusqlite::Result<AdvisoryHold> {
    let decided_at = row.get::<_, Option<Millis>>(9)?.map(|at| at.0);
    let state: String = row.get(2)?;
    let count = |column| row.get::<_, i64>(column).map(unsigned);
    Ok(AdvisoryHold {
        advisory: row.get(0)?,
        reason: row.get::<_, Word<HoldReason>>(1)?.0,
        state: state.parse::<HoldState>().map_err(|why| {
            rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, why.into())
        })?,
        since: row.get::<_, Millis>(3)?.0,
        generation: count(4)?,
        downloads: count(5)?,
        downloads_in_all: count(6)?,
        sources: count(7)?,
        packages: row.get::<_, Lines>(8)?.0,
        decided: decided_at.zip(row.get(10)?),
    })
}

impl Exposures for SqliteCatalogue {
    fn admissions_as_spelled(&self, package_purl: &str) -> Result<Vec<Admission>, CatalogueError> {
        // Both conditions stand as they do in the index, so that it is used.
        let sql = if package_purl.starts_with("pkg:cargo/") {
            "select purl, first_at, last_at from admission
             where substr(package, 1, 10) = 'pkg:cargo/'
                 and replace(lower(package), '_', '-') = replace(lower(?1), '_', '-') order by purl"
        } else {
            "select purl, first_at, last_at from admission where package = ?1 order by purl"
        };
        self.read("listing admissions", |c| {
            Ok(c.prepare_cached(sql)?
                .query_map([package_purl], admission)?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn admitted_packages(&self, after: &str, limit: u32) -> Result<Vec<String>, CatalogueError> {
        let limit = limit.min(Page::MAX_LIMIT);
        self.read("listing admitted packages", |c| {
            Ok(c.prepare_cached(
                "select distinct package from admission where package > ?1 order by package limit ?2",
            )?
            .query_map(params![after, limit], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn exposures(&self, package_purl: &str) -> Result<Vec<VersionExposure>, CatalogueError> {
        self.read("reading what was told of a package", |c| {
            let mut statement = c.prepare_cached(
                "select purl, advisory, why, since from exposure where package = ?1 order by purl, advisory",
            )?;
            let mut rows = statement.query([package_purl])?;
            let mut all: Vec<VersionExposure> = Vec::new();
            while let Some(row) = rows.next()? {
                let purl: String = row.get(0)?;
                let one = Exposure {
                    advisory: row.get(1)?,
                    why: row.get::<_, Word<Grave>>(2)?.0,
                    since: row.get::<_, Millis>(3)?.0,
                };
                match all.last_mut().filter(|last| last.purl == purl) {
                    Some(last) => last.advisories.push(one),
                    None => all.push(VersionExposure { purl, advisories: vec![one] }),
                }
            }
            Ok(all)
        })
    }

    fn exposed_to(&self, advisory: &str) -> Result<Vec<String>, CatalogueError> {
        self.read("listing what an advisory touches", |c| {
            Ok(c.prepare_cached("select purl from exposure where advisory = ?1 order by purl")?
                .query_map([advisory], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn set_exposures(&self, told: &[VersionExposure]) -> Result<(), CatalogueError> {
        if told.is_empty() {
            return Ok(());
        }
        self.write("noting what was told", |c| {
            let mut forget = c.prepare_cached("delete from exposure where package = ?1 and purl = ?2")?;
            let mut note = c.prepare_cached("insert or replace into exposure values (?1, ?2, ?3, ?4, ?5)")?;
            for version in told {
                let package = package_of(&version.purl).0;
                forget.execute(params![package, version.purl])?;
                for one in &version.advisories {
                    note.execute(params![
                        package,
                        version.purl,
                        one.advisory,
                        one.why.as_str(),
                        Millis(one.since)
                    ])?;
                }
            }
            Ok(())
        })
    }

    fn advisory_holds(&self) -> Result<Vec<AdvisoryHold>, CatalogueError> {
        self.read("listing advisories that wait", |c| {
            Ok(c.prepare_cached(
                "select advisory, reason, state, since, generation, downloads, downloads_in_all, sources, packages,
                     decided_at, decided_by
                 from advisory_hold order by since desc, advisory",
            )?
            .query_map([], hold)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn put_advisory_holds(&self, holds: &[AdvisoryHold]) -> Result<(), CatalogueError> {
        if holds.is_empty() {
            return Ok(());
        }
        self.write("keeping advisories that wait", |c| {
            let mut put = c.prepare_cached(
                "insert or replace into advisory_hold values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?;
            for hold in holds {
                put.execute(params![
                    hold.advisory,
                    hold.reason.as_str(),
                    hold.state.as_str(),
                    Millis(hold.since),
                    signed(hold.generation),
                    signed(hold.downloads),
                    signed(hold.downloads_in_all),
                    signed(hold.sources),
                    lines("package", &hold.packages)?,
                    hold.decided.as_ref().map(|(at, _)| Millis(*at)),
                    hold.decided.as_ref().map(|(_, by)| by),
                ])?;
            }
            Ok(())
        })
    }

    fn end_advisory_hold(&self, advisory: &str) -> Result<bool, CatalogueError> {
        self.write("forgetting an advisory that waited", |c| {
            let changed =
                c.prepare_cached("delete from advisory_hold where advisory = ?1")?.execute([advisory])?;
            Ok(changed > 0)
        })
    }
}
