//! `tidegate who`: everyone who took something.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use tidegate_model::Timestamp;

use super::show::{Ask, CARE, list, minute, print_json, print_table, safe, styled, text, words};
use super::{Failure, Outcome, print};

mod csv;
mod ocsf;
mod recall;

/// List who took a package, or what an advisory touches: when, from where, with what, under which decision. Whatever is given has
/// to hold together.
#[derive(Debug, Args)]
pub struct Who {
    /// A package URL with or without version or with a range of versions (`pkg:npm/left-pad@>=1.0.0,<1.3.0`), `sha256:` and a
    /// digest, or any id of an advisory: CVE, GHSA, MAL, RUSTSEC, PYSEC, TIDEGATE-LOCAL.
    #[arg(
        value_name = "PURL|sha256:DIGEST|ADVISORY",
        required_unless_present_any = ["by", "run", "address", "host", "repository", "since", "until"]
    )]
    pub subject: Option<String>,
    /// Versions of the package, in the order of its ecosystem: `>=1.0.0,<1.3.0`.
    #[arg(long, value_name = "RANGE", requires = "subject")]
    pub range: Option<String>,
    /// Only what this person took.
    #[arg(long, value_name = "NAME", alias = "person")]
    pub by: Option<String>,
    /// Only what this CI run took, or what was taken with the token of this id.
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Only from this network address.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// Only on this machine, as tokens name it.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Only through this repository.
    #[arg(long, value_name = "NAME")]
    pub repository: Option<String>,
    /// At or after this time or date.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Before this time or date.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// Those too who took anything that contains it, is made of it or brings it along; each says by which way.
    #[arg(long)]
    pub follow: bool,
    /// Refusals, indexes and questions too, not only answers that carried bytes.
    #[arg(long)]
    pub all: bool,
    /// At most this many, newest first.
    #[arg(long, default_value_t = 1000)]
    pub limit: usize,
    /// Only count: people, hosts, addresses, repositories, the first time and the last.
    #[arg(long, conflicts_with_all = ["csv", "ocsf"])]
    pub summary: bool,
    /// With each access what proves that it stands in the ledger.
    #[arg(long)]
    pub proofs: bool,
    /// Print the accesses as comma-separated values (RFC 4180), for a spreadsheet.
    #[arg(long, conflicts_with_all = ["json", "ocsf"])]
    pub csv: bool,
    /// Print the accesses as events of OCSF 1.3.0, class File Hosting Activity (6006), one a line.
    #[arg(long, conflicts_with = "json")]
    pub ocsf: bool,
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
        told.warn();
        if self.summary && told.head.is_none() {
            return told.print_summary(self.ask.json).map(|()| ExitCode::SUCCESS);
        }
        let rows: &[Value] = if self.summary { &[] } else { &told.rows };
        if self.ask.json {
            print_json(told.head.iter().chain(rows))?;
        } else if self.csv {
            print(&csv::of(rows))?;
        } else if self.ocsf {
            print_json(&rows.iter().map(ocsf::event).collect::<Vec<_>>())?;
        } else {
            self.print(&told, rows)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// For people.
    fn print(&self, told: &Told, rows: &[Value]) -> Result<(), Failure> {
        if let Some(head) = &told.head {
            recall::print_head(head)?;
        } else if rows.is_empty() {
            print("nobody took it through this door\n")?;
        } else {
            print(&format!("{}\n\n", counted(&told.summary)))?;
        }
        if rows.is_empty() {
            return Ok(());
        }
        let mut head = vec!["WHEN", "PERSON", "HOST", "CLIENT", "ADDRESS", "WHAT", "DECISION", "RECORD"];
        let mut table: Vec<Vec<String>> = rows.iter().map(|one| row(one, told.head.is_some())).collect();
        if self.follow {
            head.push("BY WAY OF");
            table.iter_mut().zip(rows).for_each(|(cells, one)| cells.push(way(one)));
        }
        print_table(&head, &table)?;
        if told.more {
            print(&format!("there are more; --limit {} shows them\n", self.limit.saturating_mul(10)))?;
        }
        Ok(())
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query: Vec<(&str, String)> = Vec::new();
        match &self.subject {
            Some(subject) if subject.starts_with("sha256:") => query.push(("sha256", subject.clone())),
            Some(subject) if subject.starts_with("pkg:") => query.push(("purl", subject.clone())),
            Some(subject) => query.push(("advisory", subject.clone())),
            None => {}
        }
        for (name, value) in [
            ("range", &self.range),
            ("person", &self.by),
            ("run", &self.run),
            ("address", &self.address),
            ("host", &self.host),
            ("repository", &self.repository),
        ] {
            query.extend(value.clone().map(|value| (name, value)));
        }
        query.extend(self.since.map(|t| ("since", t.to_string())));
        query.extend(self.until.map(|t| ("until", t.to_string())));
        for (name, set) in [("all", self.all), ("follow", self.follow), ("proofs", self.proofs)] {
            if set {
                query.push((name, "true".into()));
            }
        }
        query
    }

    fn told(&self) -> Result<Told, Failure> {
        let door = self.ask.door()?;
        let query = self.query();
        let mut told = Told::default();
        let wanted = if self.summary { 1 } else { self.limit };
        let mut after: Option<String> = None;
        loop {
            let limit = (wanted - told.rows.len()).min(PAGE).to_string();
            let mut asked: Vec<(&str, &str)> = query.iter().map(|(k, v)| (*k, v.as_str())).collect();
            asked.push(("limit", &limit));
            asked.extend(after.as_deref().map(|a| ("after", a)));
            let mut page = door.get("accesses", &asked)?;
            if let Value::Array(more) = page["accesses"].take() {
                told.rows.extend(more);
            }
            after = page["next"].as_str().map(str::to_owned);
            if page.get("advisory").is_some() {
                told.head = Some(recall::head_of(&mut page));
            }
            for (kept, key) in [
                (&mut told.summary, "summary"),
                (&mut told.range, "range"),
                (&mut told.followed, "followed"),
                (&mut told.proofs, "proofs"),
                (&mut told.indexed_up_to, "indexed_up_to"),
            ] {
                if page.get(key).is_some_and(|value| !value.is_null()) {
                    *kept = page[key].take();
                }
            }
            if after.is_none() || told.rows.len() >= wanted {
                told.rows.truncate(wanted);
                told.more = after.is_some();
                return Ok(told);
            }
        }
    }
}

/// What the door answered.
#[derive(Default)]
struct Told {
    /// Of an advisory: what it touches, and counts.
    head: Option<Value>,
    /// Accesses, newest first.
    rows: Vec<Value>,
    /// Whether there are more than were asked for.
    more: bool,
    /// Counts of all of them.
    summary: Value,
    /// The versions that a range holds.
    range: Value,
    /// What was found by following.
    followed: Value,
    /// Whether there are proofs.
    proofs: Value,
    /// Up to where the answer is complete.
    indexed_up_to: Value,
}

impl Told {
    /// Says on standard error what keeps the answer from being whole.
    fn warn(&self) {
        let say = |what: String| anstream::eprintln!("{}", styled(CARE, &what));
        let behind = self.indexed_up_to["behind"].as_u64().unwrap_or(0);
        if behind > 0 {
            say(format!(
                "this answer ends at {}, {behind} entries before the end of the ledger: {}",
                safe(text(&self.indexed_up_to, "record")),
                safe(text(&self.indexed_up_to, "why")),
            ));
        }
        let undecided: Vec<&str> = list(&self.range, "undecided").iter().filter_map(Value::as_str).collect();
        if !undecided.is_empty() {
            say(format!("versions that do not compare are left out: {}", safe(&undecided.join(", "))));
        }
        if self.followed["cut"] == true {
            say("there is more that contains it than was followed".to_owned());
        }
        if self.proofs == "not available" {
            say("this door has no proofs to give; the column RECORD names each entry".to_owned());
        }
    }

    fn print_summary(mut self, json: bool) -> Result<(), Failure> {
        if !json {
            return print(&format!("{}\n", counted(&self.summary)));
        }
        self.summary["indexed_up_to"] = self.indexed_up_to;
        for (key, value) in [("range", self.range), ("followed", self.followed)] {
            if !value.is_null() {
                self.summary[key] = value;
            }
        }
        print_json([&self.summary])
    }
}

/// A summary as a sentence.
fn counted(summary: &Value) -> String {
    if summary["accesses"] == 0 {
        return "nobody took it through this door".to_owned();
    }
    let some = |key: &str, one: &str, many: &str| match summary[key].as_u64() {
        Some(1) => format!("1 {one}"),
        n => format!("{} {many}", n.unwrap_or(0)),
    };
    format!(
        "{} of {} by {} on {} from {} through {}; first {}, last {}",
        some("accesses", "access", "accesses"),
        some("purls", "package URL", "package URLs"),
        some("people", "person", "people"),
        some("hosts", "known host", "known hosts"),
        some("addresses", "address", "addresses"),
        safe(&words(summary, "repositories")),
        minute(summary, "first_at"),
        minute(summary, "last_at"),
    )
}

/// The way from what was asked about to what was taken.
fn way(access: &Value) -> String {
    let steps: Vec<String> = list(access, "path")
        .iter()
        .map(|step| format!("{} {}", text(step, "of"), text(step, "kind").replace('_', " ")))
        .collect();
    if steps.is_empty() { "-".to_owned() } else { steps.join(" > ") }
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
