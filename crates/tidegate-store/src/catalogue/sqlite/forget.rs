//! Forgetting one person: which rows name people, what stands there afterwards, and that nothing stays in the file.
//!
//! `secure_delete` overwrites what is deleted, but a row that the engine once moved to another page may have left a copy in
//! the unused part of the first. So the tables that name people are emptied, which gives their pages back overwritten, and
//! written anew. They are small; the tables that are not (documents, decisions, inspections) name nobody.

use rusqlite::{Connection, params};
use serde_json::Value;
use tidegate_ledger::pseudonym::Pseudonym;

use super::super::{CatalogueCause, Forgotten, stand_in};

pub(super) const DOING: &str = "forgetting a person";

/// The setting that says that somebody was forgotten and the files were not written anew since.
const DUE: &str = "scrub_due";

/// Columns that hold the name of a principal, and nothing else.
const NAMES: [(&str, &str); 7] = [
    ("waiver_event", "actor"),
    ("approval_event", "actor"),
    ("local_block", "actor"),
    ("local_block", "withdrawn_by"),
    ("alarm", "acknowledged_by"),
    ("advisory_hold", "decided_by"),
    ("mcp_tool", "decided_by"),
];
/// Columns that hold what people wrote, in which a name may stand.
const TEXTS: [(&str, &str); 6] = [
    ("waiver_event", "note"),
    ("approval_event", "note"),
    ("local_block", "reason"),
    ("mcp_tool", "reason"),
    ("alarm", "message"),
    ("alarm", "json"),
];
/// Columns that hold a document of ours.
const DOCUMENTS: [(&str, &str); 2] = [("waiver", "json"), ("approval", "json")];
/// Every table that may name people, those that are referred to last.
const TABLES: [&str; 11] = [
    "context",
    "person",
    "token",
    "waiver_event",
    "waiver",
    "approval_event",
    "approval",
    "local_block",
    "alarm",
    "advisory_hold",
    "mcp_tool",
];
/// A decision names people only where a rule that reads who asks was part of it.
const NAMING_FACT: &str = "\"principal.id\"";

/// Decisions whose reasons name this person: where they stand, and what they then say is made when they are changed.
pub(super) fn decisions_that_name(c: &Connection, principal: &str) -> Result<Vec<i64>, CatalogueCause> {
    let quoted = Value::from(principal).to_string();
    let bare = &quoted[1..quoted.len() - 1];
    Ok(c.prepare_cached("select seek from decision where instr(json, ?1) and instr(json, ?2)")?
        .query_map([NAMING_FACT, bare], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// Deletes what is known of a person and replaces the name wherever it stands.
pub(super) fn forget(
    c: &Connection,
    principal: &str,
    known: Option<Pseudonym>,
    unknown: &Pseudonym,
    decisions: &[i64],
) -> Result<Option<Forgotten>, CatalogueCause> {
    let pseudonym = known.unwrap_or(*unknown);
    let new = stand_in(&pseudonym);
    let one =
        |sql: &str| -> rusqlite::Result<u64> { Ok(c.prepare_cached(sql)?.execute([principal])? as u64) };
    let contexts = one("delete from context where person = (select id from person where principal = ?1)")?;
    let tokens = one("delete from token where principal = ?1")?;
    one("delete from person where principal = ?1")?;
    let mut mentions = 0;
    for (table, column) in NAMES {
        let sql = format!("update {table} set {column} = ?2 where {column} = ?1");
        mentions += c.prepare_cached(&sql)?.execute([principal, new.as_str()])? as u64;
    }
    let mut rules_read_it = false;
    for (table, column) in DOCUMENTS {
        let changed = rewrite(c, table, column, principal, |text| in_document(text, principal, &new))?;
        rules_read_it |= changed > 0;
        mentions += changed;
    }
    for (table, column) in TEXTS {
        mentions += rewrite(c, table, column, principal, |text| in_text(text, principal, &new))?;
    }
    for seek in decisions {
        let json: String = c
            .prepare_cached("select json from decision where seek = ?1")?
            .query_row([seek], |row| row.get(0))?;
        let Some(changed) = in_document(&json, principal, &new) else { continue };
        c.prepare_cached("update decision set json = ?2 where seek = ?1")?.execute(params![seek, changed])?;
        mentions += 1;
    }
    if rules_read_it {
        super::waivers::next_epoch(c)?;
    }
    if known.is_none() && mentions + tokens == 0 {
        return Ok(None);
    }
    c.prepare_cached("insert into setting values (?1, '1') on conflict do nothing")?.execute([DUE])?;
    Ok(Some(Forgotten { pseudonym, contexts, tokens, mentions }))
}

/// Whether the files may still hold what was deleted.
pub(super) fn is_due(c: &Connection) -> Result<bool, CatalogueCause> {
    Ok(c.prepare_cached("select 1 from setting where name = ?1")?.exists([DUE])?)
}

/// Notes that they do not.
pub(super) fn is_done(c: &Connection) -> Result<(), CatalogueCause> {
    c.prepare_cached("delete from setting where name = ?1")?.execute([DUE])?;
    Ok(())
}

/// Changes a column wherever it holds the name; says in how many rows.
fn rewrite(
    c: &Connection,
    table: &str,
    column: &str,
    principal: &str,
    change: impl Fn(&str) -> Option<String>,
) -> Result<u64, CatalogueCause> {
    // `distinct` texts: the table's key differs from table to table, and equal texts become equal texts.
    let quoted = Value::from(principal).to_string();
    let bare = &quoted[1..quoted.len() - 1];
    let texts: Vec<String> = c
        .prepare_cached(&format!(
            "select distinct {column} from {table} where instr({column}, ?1) or instr({column}, ?2)"
        ))?
        .query_map([principal, bare], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut rows = 0;
    for text in texts {
        let Some(changed) = change(&text) else { continue };
        let sql = format!("update {table} set {column} = ?2 where {column} = ?1");
        rows += c.prepare_cached(&sql)?.execute([text, changed])? as u64;
    }
    Ok(rows)
}

/// A JSON document with the name replaced in every text of it; none where it does not stand there.
fn in_document(json: &str, principal: &str, new: &str) -> Option<String> {
    let mut document: Value = serde_json::from_str(json).ok()?;
    replace(&mut document, principal, new).then(|| document.to_string())
}

fn replace(value: &mut Value, principal: &str, new: &str) -> bool {
    match value {
        Value::String(text) => match in_text(text, principal, new) {
            Some(changed) => {
                *text = changed;
                true
            }
            None => false,
        },
        Value::Array(all) => all.iter_mut().fold(false, |any, one| replace(one, principal, new) | any),
        Value::Object(all) => all.values_mut().fold(false, |any, one| replace(one, principal, new) | any),
        _ => false,
    }
}

/// Text with the name replaced where it stands as a word of its own; none where it does not.
fn in_text(text: &str, principal: &str, new: &str) -> Option<String> {
    if principal.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut found) = (text, false);
    let continues = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(at) = rest.find(principal) {
        let end = at + principal.len();
        let before = rest[..at].chars().next_back().or_else(|| out.chars().next_back());
        let is_word = !before.is_some_and(continues) && !rest[end..].starts_with(continues);
        out += &rest[..at];
        if is_word {
            found = true;
            out += new;
        } else {
            out += principal;
        }
        rest = &rest[end..];
    }
    out += rest;
    found.then_some(out)
}

/// Writes the tables that name people anew.
pub(super) fn write_anew(c: &Connection) -> Result<(), CatalogueCause> {
    // Off, so that emptying a table gives its pages back whole instead of deleting row by row; it cannot be changed within a
    // transaction. What is written back is what was read.
    c.pragma_update(None, "foreign_keys", false)?;
    c.pragma_update(None, "temp_store", "memory")?;
    let done = (|| {
        let transaction = c.unchecked_transaction()?;
        for table in TABLES {
            transaction.execute_batch(&format!(
                "create temp table anew as select * from main.{table};
                 delete from main.{table};
                 insert into main.{table} select * from anew;
                 drop table anew;"
            ))?;
        }
        transaction.commit()
    })();
    c.pragma_update(None, "foreign_keys", true)?;
    Ok(done?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_where_they_are_words() {
        for (text, expected) in [
            ("ann", Some("X")),
            ("asked by ann.", Some("asked by X.")),
            ("ann and annette: ann", Some("X and annette: X")),
            ("channel", None),
            ("joann", None),
            ("éann", None),
            ("annann ann", Some("annann X")),
            ("", None),
        ] {
            assert_eq!(in_text(text, "ann", "X").as_deref(), expected, "{text}");
        }
        assert_eq!(in_text("mail a.b@c.example now", "a.b@c.example", "X").as_deref(), Some("mail X now"));
        let json = "{\"requested_by\":\"ann\",\"approved_by\":[\"bob\",\"ann\"],\"n\":1}";
        let changed = in_document(json, "ann", "X").unwrap();
        assert_eq!(changed, "{\"requested_by\":\"X\",\"approved_by\":[\"bob\",\"X\"],\"n\":1}");
        assert_eq!(in_document(json, "carol", "X"), None);
    }
}
