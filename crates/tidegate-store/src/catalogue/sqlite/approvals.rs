//! Approvals with their history.

use rusqlite::{Connection, OptionalExtension as _, params};
use tidegate_model::approval::Approval;

use super::super::{ApprovalFilter, Approvals, CatalogueCause, CatalogueError, StoredApproval, WaiverEvent};
use super::SqliteCatalogue;
use super::convert::{Millis, repeats_key, signed, unsigned};
use super::waivers::state_word;

fn encode(approval: &Approval) -> Result<String, CatalogueCause> {
    serde_json::to_string(approval)
        .map_err(|e| CatalogueCause::Refused(format!("the approval has no JSON form: {e}")))
}

fn add_event(c: &Connection, approval: &str, revision: u64, event: &WaiverEvent) -> rusqlite::Result<()> {
    c.prepare_cached("insert into approval_event values (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        approval,
        signed(revision),
        Millis(event.at),
        event.actor,
        event.what,
        event.note
    ])?;
    Ok(())
}

fn stored(c: &Connection, json: &str, revision: i64) -> Result<StoredApproval, CatalogueCause> {
    let approval: Approval = serde_json::from_str(json)
        .map_err(|e| CatalogueCause::Unreadable { what: "approval", why: e.to_string() })?;
    let history = c
        .prepare_cached(
            "select at, actor, what, note from approval_event where approval = ?1 order by revision",
        )?
        .query_map([&approval.id], |row| {
            Ok(WaiverEvent {
                at: row.get::<_, Millis>(0)?.0,
                actor: row.get(1)?,
                what: row.get(2)?,
                note: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(StoredApproval { approval, revision: unsigned(revision), history })
}

impl Approvals for SqliteCatalogue {
    fn put_approval(&self, approval: &Approval, event: &WaiverEvent) -> Result<bool, CatalogueError> {
        self.write("recording an approval", |c| {
            let inserted =
                c.prepare_cached("insert into approval values (?1, ?2, ?3, ?4, 1, ?5)")?.execute(params![
                    approval.id,
                    approval.purl,
                    state_word(approval.state),
                    approval.expires_at.map(Millis),
                    encode(approval)?
                ]);
            match inserted {
                Err(e) if repeats_key(&e) => return Ok(false),
                other => other?,
            };
            add_event(c, &approval.id, 1, event)?;
            Ok(true)
        })
    }

    fn replace_approval(
        &self,
        approval: &Approval,
        revision: u64,
        event: &WaiverEvent,
    ) -> Result<bool, CatalogueError> {
        self.write("changing an approval", |c| {
            let changed = c
                .prepare_cached(
                    "update approval set purl = ?3, state = ?4, expires_at = ?5, json = ?6, revision = revision + 1
                     where id = ?1 and revision = ?2",
                )?
                .execute(params![
                    approval.id,
                    signed(revision),
                    approval.purl,
                    state_word(approval.state),
                    approval.expires_at.map(Millis),
                    encode(approval)?
                ])?;
            if changed == 0 {
                return Ok(false);
            }
            add_event(c, &approval.id, revision + 1, event)?;
            Ok(true)
        })
    }

    fn approval(&self, id: &str) -> Result<Option<StoredApproval>, CatalogueError> {
        self.read("reading an approval", |c| {
            let row: Option<(String, i64)> = c
                .prepare_cached("select json, revision from approval where id = ?1")?
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            row.map(|(json, revision)| stored(c, &json, revision)).transpose()
        })
    }

    fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<StoredApproval>, CatalogueError> {
        self.read("listing approvals", |c| {
            let rows: Vec<(String, i64)> = c
                .prepare_cached(
                    "select json, revision from approval
                     where (?1 is null or purl = ?1)
                         and (?2 is null or expires_at is null or expires_at > ?2)
                     order by id",
                )?
                .query_map(params![filter.purl, filter.unexpired_at.map(Millis)], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?
                .collect::<rusqlite::Result<_>>()?;
            rows.iter().map(|(json, revision)| stored(c, json, *revision)).collect()
        })
    }
}
