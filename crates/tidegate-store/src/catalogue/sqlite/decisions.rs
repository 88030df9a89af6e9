//! Recorded decisions, what stands now, and what was admitted.

use rusqlite::{OptionalExtension as _, Row, named_params, params};
use tidegate_model::{Action, DecisionId};

use super::super::decisions::package_of;
use super::super::{
    Admission, CatalogueCause, CatalogueError, DecisionFilter, DecisionRecord, Decisions, Page,
};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis, Text, Word, repeats_key};

fn decision(row: &Row<'_>) -> rusqlite::Result<DecisionRecord> {
    Ok(DecisionRecord {
        id: row.get::<_, Text<DecisionId>>(0)?.0,
        at: row.get::<_, Millis>(1)?.0,
        purl: row.get(2)?,
        file: row.get(3)?,
        sha256: row.get::<_, Option<Bytes32>>(4)?.map(Bytes32::sha256),
        repository: row.get(5)?,
        action: row.get::<_, Word<Action>>(6)?.0,
        served: row.get(7)?,
        seek: row.get(8)?,
        json: row.get(9)?,
    })
}

fn admission(row: &Row<'_>) -> rusqlite::Result<Admission> {
    Ok(Admission {
        purl: row.get(0)?,
        first_at: row.get::<_, Millis>(1)?.0,
        last_at: row.get::<_, Millis>(2)?.0,
    })
}

/// The columns of [`decision`], and the conditions of a filter. Written out, because the planner must see which apply.
fn select(from: &str, filter: &DecisionFilter, action: Option<Action>) -> String {
    let mut sql = format!(
        "select d.id, d.at, d.purl, d.file, d.sha256, d.repository, d.action, d.served, d.seek, d.json
         from {from} where d.seek < :after"
    );
    if let Some(purl) = &filter.purl {
        sql.push_str(" and d.package = :package");
        if package_of(purl).1 {
            sql.push_str(" and d.purl = :purl");
        }
    }
    if filter.repository.is_some() {
        sql.push_str(" and d.repository = :repository");
    }
    if action.is_some() {
        sql.push_str(" and d.action = :action");
    }
    if filter.since.is_some() {
        sql.push_str(" and d.at >= :since");
    }
    sql.push_str(" order by d.seek desc limit :limit");
    sql
}

impl SqliteCatalogue {
    fn list_decisions(
        &self,
        doing: &'static str,
        from: &str,
        filter: &DecisionFilter,
        action: Option<Action>,
        page: Page,
    ) -> Result<Vec<DecisionRecord>, CatalogueError> {
        let sql = select(from, filter, action);
        let purl = filter.purl.as_deref();
        let values = named_params! {
            ":after": page.after.unwrap_or(i64::MAX),
            ":package": purl.map(|p| package_of(p).0),
            ":purl": purl,
            ":repository": filter.repository,
            ":action": action.map(Action::as_str),
            ":since": filter.since.map(Millis),
            ":limit": page.bounded_limit(),
        };
        self.read(doing, |c| {
            let mut statement = c.prepare_cached(&sql)?;
            for (name, value) in values {
                if let Some(index) = statement.parameter_index(name)? {
                    statement.raw_bind_parameter(index, value)?;
                }
            }
            Ok(statement.raw_query().mapped(decision).collect::<rusqlite::Result<_>>()?)
        })
    }
}

impl Decisions for SqliteCatalogue {
    fn put_decisions(&self, decisions: &[DecisionRecord]) -> Result<(), CatalogueError> {
        self.write("recording decisions", |c| {
            let mut insert = c.prepare_cached(
                "insert into decision (id, at, package, purl, file, sha256, repository, action, served, json)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) returning seek",
            )?;
            let mut stand = c.prepare_cached(
                "insert into standing values (?1, ?2, ?3, ?4, ?5, ?6)
                 on conflict do update set action = excluded.action, decision = excluded.decision",
            )?;
            let mut admit = c.prepare_cached(
                "insert into admission values (?1, ?2, ?3, ?3)
                 on conflict do update set
                     first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)",
            )?;
            for d in decisions {
                let (package, versioned) = package_of(&d.purl);
                let inserted = insert.query_row(
                    params![
                        d.id.to_string(),
                        Millis(d.at),
                        package,
                        d.purl,
                        d.file,
                        d.sha256.as_ref().map(Bytes32::from),
                        d.repository,
                        d.action.as_str(),
                        d.served,
                        d.json,
                    ],
                    |row| row.get::<_, i64>(0),
                );
                let seek = match inserted {
                    Err(e) if repeats_key(&e) => {
                        return Err(CatalogueCause::Refused(format!(
                            "decision `{}` is recorded already",
                            d.id
                        )));
                    }
                    other => other?,
                };
                if let Some(file) = &d.file {
                    stand.execute(params![d.purl, file, d.repository, package, d.action.as_str(), seek])?;
                }
                if d.served && versioned && d.sha256.is_some() {
                    admit.execute(params![package, d.purl, Millis(d.at)])?;
                }
            }
            Ok(())
        })
    }

    fn decision(&self, id: DecisionId) -> Result<Option<DecisionRecord>, CatalogueError> {
        self.read("reading a decision", |c| {
            Ok(c.prepare_cached(
                "select id, at, purl, file, sha256, repository, action, served, seek, json
                 from decision where id = ?1",
            )?
            .query_row([id.to_string()], decision)
            .optional()?)
        })
    }

    fn decisions(&self, filter: &DecisionFilter, page: Page) -> Result<Vec<DecisionRecord>, CatalogueError> {
        self.list_decisions("listing decisions", "decision d", filter, filter.action, page)
    }

    fn quarantined(
        &self,
        filter: &DecisionFilter,
        page: Page,
    ) -> Result<Vec<DecisionRecord>, CatalogueError> {
        let from = "standing s join decision d on d.seek = s.decision and s.action = 'quarantine'";
        self.list_decisions("listing the quarantine", from, filter, None, page)
    }

    fn admission(&self, purl: &str) -> Result<Option<Admission>, CatalogueError> {
        self.read("reading an admission", |c| {
            Ok(c.prepare_cached(
                "select purl, first_at, last_at from admission where package = ?1 and purl = ?2",
            )?
            .query_row([package_of(purl).0, purl], admission)
            .optional()?)
        })
    }

    fn admissions(&self, package_purl: &str) -> Result<Vec<Admission>, CatalogueError> {
        self.read("listing admissions", |c| {
            Ok(c.prepare_cached(
                "select purl, first_at, last_at from admission where package = ?1 order by purl",
            )?
            .query_map([package_purl], admission)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }
}
