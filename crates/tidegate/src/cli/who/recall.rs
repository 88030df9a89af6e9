//! The head of an answer to "who has this?": what the advisory is, what it touches here, and how many took it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::show::{
    BAD, CARE, FAINT, GOOD, STRONG, list, minute, print_table, safe, styled, text, words,
};
use crate::cli::{Failure, print};

/// Takes the head out of a page.
pub(super) fn head_of(page: &mut Value) -> Value {
    let [advisory, takers, versions, untouched] =
        ["advisory", "takers", "versions", "untouched"].map(|key| page[key].take());
    json!({
        "advisory": advisory, "takers": takers, "versions": versions, "untouched": untouched,
        "indexed_up_to": page["indexed_up_to"],
    })
}

/// Prints it for people.
pub(super) fn print_head(head: &Value) -> Result<(), Failure> {
    print(&summary(head))?;
    let versions = list(head, "versions");
    if !versions.is_empty() {
        let rows: Vec<Vec<String>> = versions.iter().map(version).collect();
        print_table(&["VERSION", "NOW", "TAKEN", "PEOPLE", "FIRST", "LAST", "FIXED IN"], &rows)?;
    }
    let mut told = String::new();
    let untouched: Vec<String> = list(head, "untouched")
        .iter()
        .map(|v| format!("{} ({}×)", safe(text(v, "purl")), v["accesses"]))
        .collect();
    if !untouched.is_empty() {
        let _ = writeln!(told, "taken and not touched: {}", untouched.join(", "));
    }
    if head["takers"]["accesses"] == 0 {
        told += &styled(GOOD, "nobody took what it touches through this door");
        told.push('\n');
    } else {
        told.push('\n');
    }
    print(&told)
}

fn summary(head: &Value) -> String {
    let (advisory, takers) = (&head["advisory"], &head["takers"]);
    let id = text(advisory, "id");
    let others: Vec<&str> =
        list(advisory, "ids").iter().filter_map(Value::as_str).filter(|other| *other != id).collect();
    let also = if others.is_empty() { String::new() } else { format!(" ({})", safe(&others.join(", "))) };
    let mut out = format!("{}{also}: {}\n", styled(STRONG, &safe(id)), safe(text(advisory, "summary")));
    let source = match words(advisory, "feeds") {
        feeds if feeds.is_empty() => "blocked by hand".to_owned(),
        feeds => format!("by feed {}", safe(&feeds)),
    };
    let state = if text(advisory, "state") == "in_force" {
        styled(BAD, "in force")
    } else {
        styled(CARE, "withdrawn: it was taken back, and nothing follows from it any more")
    };
    let _ = writeln!(out, "{}, {state}, {source}", text(advisory, "kind"));
    let packages = list(advisory, "packages");
    let shown: Vec<&str> = packages.iter().filter_map(Value::as_str).take(10).collect();
    let more = packages.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let elsewhere = advisory["packages_elsewhere"].as_u64().unwrap_or(0);
    let elsewhere = match elsewhere {
        0 => String::new(),
        n => styled(FAINT, &format!(" ({n} more in ecosystems that this door does not speak)")),
    };
    let _ = writeln!(out, "speaks of {}{more}{elsewhere}", safe(&shown.join(", ")));
    let _ = writeln!(out, "{} of {} admitted versions touched", advisory["touched"], advisory["admitted"]);
    if takers["accesses"] != 0 {
        let counted = |key: &str, one: &str, many: &str| match takers[key].as_u64() {
            Some(1) => format!("1 {one}"),
            Some(n) => format!("{n} {many}"),
            None => String::new(),
        };
        let _ = writeln!(
            out,
            "taken {} by {} on {} through {}; first {}, last {}",
            counted("accesses", "time", "times"),
            styled(BAD, &counted("people", "person", "people")),
            counted("hosts", "known host", "known hosts"),
            safe(&words(takers, "repositories")),
            minute(takers, "first_at"),
            minute(takers, "last_at"),
        );
    }
    out
}

fn version(version: &Value) -> Vec<String> {
    let purl = match text(version, "touch") {
        "affected" => text(version, "purl").to_owned(),
        other => format!("{} ({})", text(version, "purl"), other.replace('_', " ")),
    };
    let purl = match version["holds"]["purl"].as_str() {
        Some(component) => format!("{purl} holds {}", safe(component)),
        None => purl,
    };
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    vec![
        purl,
        or_dash(text(version, "action").to_owned()),
        version["accesses"].to_string(),
        version["people"].to_string(),
        or_dash(minute(version, "first_at")),
        or_dash(minute(version, "last_at")),
        or_dash(safe(text(version, "fixed_in"))),
    ]
}
