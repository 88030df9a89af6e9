//! `tidegate who`: everyone who took something.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use tidegate_model::Timestamp;

use super::show::{Ask, minute, print_json, print_table, text};
use super::{Failure, Outcome, print};

mod recall;

/// List who took a package, or what an advisory touches: when, from where, with what, under which decision.
#[derive(Debug, Args)]
pub struct Who {
    /// A package URL with or without version, `sha256:` and a digest, or any id of an advisory: CVE, GHSA, MAL, RUSTSEC,
    /// PYSEC, TIDEGATE-LOCAL.
    #[arg(value_name = "PURL|sha256:DIGEST|ADVISORY", required_unless_present = "person")]
    pub subject: Option<String>,
    /// What this person took, instead.
    #[arg(long, value_name = "NAME", conflicts_with = "subject")]
    pub person: Option<String>,
    /// At or after this time or date.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Before this time or date.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// Refusals, indexes and questions too, not only answers that carried bytes.
    #[arg(long)]
    pub all: bool,
    /// At most this many, newest first.
    #[arg(long, default_value_t = 1000)]
    pub limit: usize,
    /// Print the accesses as comma-separated values (RFC 4180), for a spreadsheet.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    #[command(flatten)]
    ask: Ask,
}

/// How many rows one request asks for.
const PAGE: usize = 1000;

impl Who {
    /// Prints the list.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let told = self.told()?;
        if self.ask.json {
            print_json(told.head.iter().chain(&told.rows))?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.csv {
            print(&csv(&told.rows))?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(head) = &told.head {
            recall::print_head(head)?;
        } else if told.rows.is_empty() {
            print("nobody took it through this door\n")?;
        }
        if told.rows.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let table: Vec<Vec<String>> =
            told.rows.iter().map(|access| row(access, told.head.is_some())).collect();
        let head = ["WHEN", "PERSON", "HOST", "CLIENT", "ADDRESS", "WHAT", "DECISION", "RECORD"];
        print_table(&head, &table)?;
        if told.more {
            print(&format!("there are more; --limit {} shows them\n", self.limit * 10))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn told(&self) -> Result<Told, Failure> {
        let door = self.ask.door()?;
        let mut query: Vec<(&str, String)> = Vec::new();
        match (&self.subject, &self.person) {
            (Some(subject), _) if subject.starts_with("sha256:") => query.push(("sha256", subject.clone())),
            (Some(subject), _) if subject.starts_with("pkg:") => query.push(("purl", subject.clone())),
            (Some(subject), _) => query.push(("advisory", subject.clone())),
            (None, Some(person)) => query.push(("person", person.clone())),
            (None, None) => {}
        }
        query.extend(self.since.map(|t| ("since", t.to_string())));
        query.extend(self.until.map(|t| ("until", t.to_string())));
        if self.all {
            query.push(("all", "true".into()));
        }
        let (mut head, mut rows) = (None, Vec::new());
        let mut after: Option<String> = None;
        loop {
            let limit = (self.limit - rows.len()).min(PAGE).to_string();
            let mut asked: Vec<(&str, &str)> = query.iter().map(|(k, v)| (*k, v.as_str())).collect();
            asked.push(("limit", &limit));
            asked.extend(after.as_deref().map(|a| ("after", a)));
            let mut page = door.get("accesses", &asked)?;
            if let Value::Array(more) = page["accesses"].take() {
                rows.extend(more);
            }
            after = page["next"].as_str().map(str::to_owned);
            if page.get("advisory").is_some() {
                head = Some(recall::head_of(&mut page));
            }
            if after.is_none() || rows.len() >= self.limit {
                rows.truncate(self.limit);
                return Ok(Told { head, rows, more: after.is_some() });
            }
        }
    }
}

/// What the door answered.
struct Told {
    /// Of an advisory: what it touches, and counts.
    head: Option<Value>,
    /// Accesses, newest first.
    rows: Vec<Value>,
    /// Whether there are more than were asked for.
    more: bool,
}

/// Columns of the comma-separated form: members of an access.
const CSV_COLUMNS: [&str; 16] = [
    "at",
    "person",
    "pseudonym",
    "kind",
    "host",
    "address",
    "client",
    "credential",
    "purl",
    "file",
    "sha256",
    "repository",
    "bytes",
    "action",
    "decision",
    "record",
];

fn csv(rows: &[Value]) -> String {
    let mut out = CSV_COLUMNS.join(",") + "\r\n";
    for access in rows {
        let cells = CSV_COLUMNS.map(|column| match &access[column] {
            Value::Null => String::new(),
            Value::String(text) => cell(text),
            other => other.to_string(),
        });
        out += &cells.join(",");
        out += "\r\n";
    }
    out
}

/// One cell: quoted where it must be, and never a formula to a spreadsheet, whatever a client calls itself.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn row(access: &Value, of_advisory: bool) -> Vec<String> {
    let or = |key: &str, otherwise: &str| match text(access, key) {
        "" => otherwise.to_owned(),
        known => known.to_owned(),
    };
    let what = match text(access, "file") {
        // An advisory is about versions, a package about files.
        file if !file.is_empty() && !of_advisory => file,
        _ => text(access, "purl"),
    };
    let decided = format!("{} {}", or("action", "-"), or("decision", ""));
    vec![
        minute(access, "at"),
        or("person", "(forgotten)"),
        or("host", "-"),
        or("client", "-"),
        or("address", "-"),
        what.to_owned(),
        decided.trim().to_owned(),
        text(access, "record").to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        for (text, expected) in [
            ("npm", "npm"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=cmd()", "'=cmd()"),
            ("@acme", "'@acme"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(cell(text), expected);
        }
        let rows = [serde_json::json!({ "at": "2026-11-21T10:00:00Z", "bytes": 5, "host": null })];
        let told = csv(&rows);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0].split(',').count(), CSV_COLUMNS.len());
        assert_eq!(lines[1], "2026-11-21T10:00:00Z,,,,,,,,,,,,5,,,");
    }
}
