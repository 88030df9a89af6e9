//! Waivers with their history, blocks by hand, alarms.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidegate_model::Timestamp;
use tidegate_model::waiver::{Waiver, WaiverState};

use super::super::{
    Alarm, Alarms, CatalogueCause, CatalogueError, LocalBlock, NewAlarm, NewLocalBlock, Page, StoredWaiver,
    WaiverEvent, WaiverFilter, Waivers,
};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis, repeats_key, signed, unsigned};

pub(super) const fn state_word(state: WaiverState) -> &'static str {
    match state {
        WaiverState::Requested => "requested",
        WaiverState::Approved => "approved",
        WaiverState::Rejected => "rejected",
        WaiverState::Revoked => "revoked",
    }
}

fn encode(waiver: &Waiver) -> Result<String, CatalogueCause> {
    serde_json::to_string(waiver)
        .map_err(|e| CatalogueCause::Refused(format!("the waiver has no JSON form: {e}")))
}

fn add_event(c: &Connection, waiver: &str, revision: u64, event: &WaiverEvent) -> rusqlite::Result<()> {
    c.prepare_cached("insert into waiver_event values (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        waiver,
        signed(revision),
        Millis(event.at),
        event.actor,
        event.what,
        event.note
    ])?;
    Ok(())
}

pub(super) fn next_epoch(c: &Connection) -> rusqlite::Result<()> {
    c.prepare_cached(
        "insert into setting values ('waiver_epoch', '1')
         on conflict do update set value = cast(cast(value as integer) + 1 as text)",
    )?
    .execute([])?;
    Ok(())
}

fn history(c: &Connection, waiver: &str) -> rusqlite::Result<Vec<WaiverEvent>> {
    c.prepare_cached("select at, actor, what, note from waiver_event where waiver = ?1 order by revision")?
        .query_map([waiver], |row| {
            Ok(WaiverEvent {
                at: row.get::<_, Millis>(0)?.0,
                actor: row.get(1)?,
                what: row.get(2)?,
                note: row.get(3)?,
            })
        })?
        .collect()
}

fn stored(c: &Connection, json: &str, revision: i64) -> Result<StoredWaiver, CatalogueCause> {
    let waiver: Waiver = serde_json::from_str(json)
        .map_err(|e| CatalogueCause::Unreadable { what: "waiver", why: e.to_string() })?;
    let history = history(c, &waiver.id)?;
    Ok(StoredWaiver { waiver, revision: unsigned(revision), history })
}

fn local_block(row: &Row<'_>) -> rusqlite::Result<LocalBlock> {
    let withdrawn_at: Option<Millis> = row.get(6)?;
    let withdrawn_by: Option<String> = row.get(7)?;
    Ok(LocalBlock {
        number: unsigned(row.get(0)?),
        block: NewLocalBlock {
            purl: row.get(1)?,
            sha256: row.get::<_, Option<Bytes32>>(2)?.map(Bytes32::sha256),
            reason: row.get(3)?,
            actor: row.get(4)?,
            at: row.get::<_, Millis>(5)?.0,
        },
        withdrawn: withdrawn_at.map(|at| at.0).zip(withdrawn_by),
    })
}

impl Waivers for SqliteCatalogue {
    fn put_waiver(&self, waiver: &Waiver, event: &WaiverEvent) -> Result<bool, CatalogueError> {
        self.write("recording a waiver", |c| {
            let inserted =
                c.prepare_cached("insert into waiver values (?1, ?2, ?3, ?4, 1, ?5)")?.execute(params![
                    waiver.id,
                    waiver.purl,
                    state_word(waiver.state),
                    waiver.expires_at.map(Millis),
                    encode(waiver)?
                ]);
            match inserted {
                Err(e) if repeats_key(&e) => return Ok(false),
                other => other?,
            };
            add_event(c, &waiver.id, 1, event)?;
            next_epoch(c)?;
            Ok(true)
        })
    }

    fn replace_waiver(
        &self,
        waiver: &Waiver,
        revision: u64,
        event: &WaiverEvent,
    ) -> Result<bool, CatalogueError> {
        self.write("changing a waiver", |c| {
            let changed = c
                .prepare_cached(
                    "update waiver set purl = ?3, state = ?4, expires_at = ?5, json = ?6, revision = revision + 1
                     where id = ?1 and revision = ?2",
                )?
                .execute(params![
                    waiver.id,
                    signed(revision),
                    waiver.purl,
                    state_word(waiver.state),
                    waiver.expires_at.map(Millis),
                    encode(waiver)?
                ])?;
            if changed == 0 {
                return Ok(false);
            }
            add_event(c, &waiver.id, revision + 1, event)?;
            next_epoch(c)?;
            Ok(true)
        })
    }

    fn waiver(&self, id: &str) -> Result<Option<StoredWaiver>, CatalogueError> {
        self.read("reading a waiver", |c| {
            let row: Option<(String, i64)> = c
                .prepare_cached("select json, revision from waiver where id = ?1")?
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            row.map(|(json, revision)| stored(c, &json, revision)).transpose()
        })
    }

    fn waivers(&self, filter: &WaiverFilter) -> Result<Vec<StoredWaiver>, CatalogueError> {
        self.read("listing waivers", |c| {
            let rows: Vec<(String, i64)> = c
                .prepare_cached(
                    "select json, revision from waiver
                     where (?1 is null or state = ?1) and (?2 is null or purl = ?2)
                         and (?3 is null or expires_at is null or expires_at > ?3)
                     order by id",
                )?
                .query_map(
                    params![filter.state.map(state_word), filter.purl, filter.unexpired_at.map(Millis)],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?
                .collect::<rusqlite::Result<_>>()?;
            rows.iter().map(|(json, revision)| stored(c, json, *revision)).collect()
        })
    }

    fn waiver_epoch(&self) -> Result<u64, CatalogueError> {
        self.read("reading the waiver epoch", |c| {
            let epoch: Option<i64> = c
                .prepare_cached("select cast(value as integer) from setting where name = 'waiver_epoch'")?
                .query_row([], |row| row.get(0))
                .optional()?;
            Ok(epoch.map_or(0, unsigned))
        })
    }

    fn put_local_block(&self, block: &NewLocalBlock) -> Result<LocalBlock, CatalogueError> {
        self.write("recording a block", |c| {
            let number: i64 = c
                .prepare_cached(
                    "insert into local_block (purl, sha256, reason, actor, at) values (?1, ?2, ?3, ?4, ?5)
                     returning number",
                )?
                .query_row(
                    params![
                        block.purl,
                        block.sha256.as_ref().map(Bytes32::from),
                        block.reason,
                        block.actor,
                        Millis(block.at)
                    ],
                    |row| row.get(0),
                )?;
            next_epoch(c)?;
            Ok(LocalBlock { number: unsigned(number), block: block.clone(), withdrawn: None })
        })
    }

    fn withdraw_local_block(&self, number: u64, at: Timestamp, actor: &str) -> Result<bool, CatalogueError> {
        self.write("withdrawing a block", |c| {
            let changed = c
                .prepare_cached(
                    "update local_block set withdrawn_at = ?2, withdrawn_by = ?3
                     where number = ?1 and withdrawn_at is null",
                )?
                .execute(params![signed(number), Millis(at), actor])?;
            if changed > 0 {
                next_epoch(c)?;
            }
            Ok(changed > 0)
        })
    }

    fn local_blocks(&self, withdrawn: bool) -> Result<Vec<LocalBlock>, CatalogueError> {
        self.read("listing blocks", |c| {
            Ok(c.prepare_cached(
                "select number, purl, sha256, reason, actor, at, withdrawn_at, withdrawn_by from local_block
                 where ?1 or withdrawn_at is null order by number",
            )?
            .query_map([withdrawn], local_block)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn alarm(row: &Row<'_>) -> rusqlite::Result<Alarm> {
    let acknowledged_at: Option<Millis> = row.get(8)?;
    let acknowledged_by: Option<String> = row.get(9)?;
    Ok(Alarm {
        number: row.get(0)?,
        alarm: NewAlarm {
            kind: row.get(1)?,
            subject: row.get(2)?,
            message: row.get(3)?,
            json: row.get(4)?,
            at: row.get::<_, Millis>(6)?.0,
        },
        first_at: row.get::<_, Millis>(5)?.0,
        count: unsigned(row.get(7)?),
        acknowledged: acknowledged_at.map(|at| at.0).zip(acknowledged_by),
    })
}

impl Alarms for SqliteCatalogue {
    fn raise_alarm(&self, alarm: &NewAlarm) -> Result<bool, CatalogueError> {
        self.write("raising an alarm", |c| {
            let count: i64 = c
                .prepare_cached(
                    "insert into alarm (kind, subject, message, json, first_at, at, count)
                     values (?1, ?2, ?3, ?4, ?5, ?5, 1)
                     on conflict (kind, subject) where acknowledged_at is null do update set
                         message = excluded.message, json = excluded.json, at = excluded.at, count = count + 1
                     returning count",
                )?
                .query_row(
                    params![alarm.kind, alarm.subject, alarm.message, alarm.json, Millis(alarm.at)],
                    |row| row.get(0),
                )?;
            Ok(count == 1)
        })
    }

    fn alarms(&self, acknowledged: bool, page: Page) -> Result<Vec<Alarm>, CatalogueError> {
        self.read("listing alarms", |c| {
            Ok(c.prepare_cached(
                "select number, kind, subject, message, json, first_at, at, count, acknowledged_at, acknowledged_by
                 from alarm where (?1 or acknowledged_at is null) and number < ?2
                 order by number desc limit ?3",
            )?
            .query_map(params![acknowledged, page.after.unwrap_or(i64::MAX), page.bounded_limit()], alarm)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn acknowledge_alarm(&self, number: i64, at: Timestamp, actor: &str) -> Result<bool, CatalogueError> {
        self.write("acknowledging an alarm", |c| {
            let changed = c
                .prepare_cached(
                    "update alarm set acknowledged_at = ?2, acknowledged_by = ?3
                     where number = ?1 and acknowledged_at is null",
                )?
                .execute(params![number, Millis(at), actor])?;
            Ok(changed > 0)
        })
    }

    fn lift_alarm(
        &self,
        kind: &str,
        subject: &str,
        at: Timestamp,
        actor: &str,
    ) -> Result<bool, CatalogueError> {
        self.write("lifting an alarm", |c| {
            let changed = c
                .prepare_cached(
                    "update alarm set acknowledged_at = ?3, acknowledged_by = ?4
                     where kind = ?1 and subject = ?2 and acknowledged_at is null",
                )?
                .execute(params![kind, subject, Millis(at), actor])?;
            Ok(changed > 0)
        })
    }
}
