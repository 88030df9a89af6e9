//! `tidegate quarantine`: what is held, releasing and blocking by hand.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::show::{Ask, duration, list, minute, print_json, print_table, safe, text, words};
use super::{Outcome, print};

/// List what is held; release or block by hand.
#[derive(Debug, Args)]
pub struct Quarantine {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what is held.
    List {
        /// Only this package.
        #[arg(long, value_name = "PURL")]
        purl: Option<String>,
        /// Blocks by hand instead.
        #[arg(long)]
        blocks: bool,
    },
    /// Release a version: a waiver for its very bytes, for the rules that hold it.
    Release(Release),
    /// Block a package or a version, at once, on every path.
    Block {
        /// Package URL, with or without version.
        #[arg(value_name = "PURL")]
        purl: String,
        /// Only these bytes.
        #[arg(long, value_name = "DIGEST")]
        sha256: Option<String>,
        /// Why, for whoever is refused.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take a block back.
    Unblock {
        /// Its id, TIDEGATE-LOCAL-n.
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
struct Release {
    /// Package URL with version, or the id of the decision that holds it.
    #[arg(value_name = "PURL|DECISION-ID")]
    subject: String,
    /// Only this file of the version.
    #[arg(long, value_name = "NAME")]
    file: Option<String>,
    /// In this repository; else the one of the ecosystem.
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// Why it may pass.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Ticket that tracks it.
    #[arg(long)]
    ticket: Option<String>,
    /// How long, for example 7d; the policy's longest where left out.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires: Option<u32>,
}

impl Quarantine {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let door = self.ask.door()?;
        let told = match &self.command {
            Command::List { blocks: true, .. } => door.get("blocks", &[])?,
            Command::List { purl, .. } => {
                let query: Vec<(&str, &str)> = purl.iter().map(|p| ("purl", p.as_str())).collect();
                door.get("quarantines", &query)?
            }
            Command::Release(r) => door.post(
                "quarantines/release",
                &json!({
                    "subject": r.subject, "file": r.file, "repository": r.repository, "reason": r.reason,
                    "ticket": r.ticket, "expires_in_seconds": r.expires,
                }),
            )?,
            Command::Block { purl, sha256, reason } => {
                door.post("blocks", &json!({ "purl": purl, "sha256": sha256, "reason": reason }))?
            }
            Command::Unblock { id } => door.delete(&format!("blocks/{}", super::segment(id)), &[])?,
        };
        if self.ask.json {
            match &self.command {
                Command::List { blocks: true, .. } => print_json(list(&told, "blocks"))?,
                Command::List { .. } => print_json(list(&told, "quarantines"))?,
                Command::Release(_) => print_json(list(&told, "released"))?,
                _ => print_json([&told])?,
            }
            return Ok(ExitCode::SUCCESS);
        }
        match &self.command {
            Command::List { blocks: true, .. } => print_blocks(list(&told, "blocks"))?,
            Command::List { .. } => print_held(list(&told, "quarantines"))?,
            Command::Release(_) => {
                for one in list(&told, "released") {
                    print(&released(one))?;
                }
            }
            Command::Block { .. } => {
                print(&format!("{} blocks {}\n", text(&told, "id"), safe(text(&told, "purl"))))?;
                if told["enforced"] != true {
                    print("  the policy in force does not act on it: `tidegate policy show`\n")?;
                }
            }
            Command::Unblock { .. } => {
                print(&format!("{} no longer blocks {}\n", text(&told, "id"), safe(text(&told, "purl"))))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn released(one: &Value) -> String {
    let what = format!("{} ({})", safe(text(one, "purl")), safe(text(one, "file")));
    let waiver = text(one, "waiver");
    if one["in_force"] == true {
        format!(
            "released {what}\n  waiver {waiver} silences {} for sha256:{} until {}\n",
            words(one, "rules"),
            text(one, "sha256"),
            minute(one, "expires_at")
        )
    } else {
        format!(
            "{what} stays held until {} more approve: `tidegate waiver approve {waiver}`\n",
            one["missing_approvals"]
        )
    }
}

fn print_held(held: &[Value]) -> Result<(), super::Failure> {
    if held.is_empty() {
        return print("nothing is held\n");
    }
    let row = |d: &Value| {
        let leading = list(&d["decision"], "reasons").first();
        let from = minute(&d["decision"], "selectable_from");
        vec![
            minute(d, "decided_at"),
            text(d, "purl").to_owned(),
            text(d, "file").to_owned(),
            leading.map_or_else(String::new, |r| text(r, "rule").to_owned()),
            if from.is_empty() { "until released".to_owned() } else { from },
            text(d, "id").to_owned(),
        ]
    };
    let rows: Vec<_> = held.iter().map(row).collect();
    print_table(&["SINCE", "PACKAGE", "FILE", "RULE", "SELECTABLE FROM", "DECISION"], &rows)
}

fn print_blocks(blocks: &[Value]) -> Result<(), super::Failure> {
    if blocks.is_empty() {
        return print("nothing is blocked by hand\n");
    }
    let row = |b: &Value| {
        vec![
            text(b, "id").to_owned(),
            text(b, "purl").to_owned(),
            minute(b, "blocked_at"),
            text(b, "blocked_by").to_owned(),
            text(b, "reason").to_owned(),
        ]
    };
    let rows: Vec<_> = blocks.iter().map(row).collect();
    print_table(&["ID", "PACKAGE", "SINCE", "BY", "WHY"], &rows)
}
