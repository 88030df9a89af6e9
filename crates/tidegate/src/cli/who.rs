//! `tidegate who`: everyone who took something.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use tidegate_model::Timestamp;

use super::show::{Ask, minute, print_json, print_table, text};
use super::{Failure, Outcome, print};

/// List who took a package: when, from where, with what, under which decision.
#[derive(Debug, Args)]
pub struct Who {
    /// A package URL with or without version, or `sha256:` and a digest.
    #[arg(value_name = "PURL|sha256:DIGEST", required_unless_present = "person")]
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
        let (rows, more) = self.rows()?;
        if self.ask.json {
            print_json(&rows)?;
            return Ok(ExitCode::SUCCESS);
        }
        if rows.is_empty() {
            print("nobody took it through this door\n")?;
            return Ok(ExitCode::SUCCESS);
        }
        let table: Vec<Vec<String>> = rows.iter().map(row).collect();
        let head = ["WHEN", "PERSON", "HOST", "CLIENT", "ADDRESS", "WHAT", "DECISION", "RECORD"];
        print_table(&head, &table)?;
        if more {
            print(&format!("there are more; --limit {} shows them\n", self.limit * 10))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn rows(&self) -> Result<(Vec<Value>, bool), Failure> {
        let door = self.ask.door()?;
        let mut query: Vec<(&str, String)> = Vec::new();
        match (&self.subject, &self.person) {
            (Some(subject), _) if subject.starts_with("sha256:") => query.push(("sha256", subject.clone())),
            (Some(subject), _) => query.push(("purl", subject.clone())),
            (None, Some(person)) => query.push(("person", person.clone())),
            (None, None) => {}
        }
        query.extend(self.since.map(|t| ("since", t.to_string())));
        query.extend(self.until.map(|t| ("until", t.to_string())));
        if self.all {
            query.push(("all", "true".into()));
        }
        let mut rows = Vec::new();
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
            if after.is_none() || rows.len() >= self.limit {
                return Ok((rows, after.is_some()));
            }
        }
    }
}

fn row(access: &Value) -> Vec<String> {
    let or = |key: &str, otherwise: &str| match text(access, key) {
        "" => otherwise.to_owned(),
        known => known.to_owned(),
    };
    let what = match text(access, "file") {
        "" => text(access, "purl"),
        file => file,
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
