//! `tidegate approval`: lists of what is approved by name.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::show::{Ask, duration, list, minute, print_json, print_table, safe, text};
use super::waiver::lines_of;
use super::{Failure, Outcome, print};

/// Propose, approve, reject, take back and list what is approved by name: models, extensions, servers.
#[derive(Debug, Args)]
pub struct Approval {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Propose something for the list. Where the policy demands no second person it is approved at once.
    Request(Request),
    /// Approve what somebody else proposed.
    Approve(Step),
    /// Reject it.
    Reject(Step),
    /// Take it off the list, at once.
    Revoke(Step),
    /// List approvals that have not ended, and what is decided on each of them now.
    List {
        /// Only of this.
        #[arg(long, value_name = "PURL")]
        purl: Option<String>,
        /// Those that ended too.
        #[arg(long)]
        ended: bool,
        /// Without what is decided on them now, which may ask upstreams.
        #[arg(long)]
        quick: bool,
    },
    /// Take approvals from a file, one JSON object a line, as `export` writes it. Known ids are left as they are.
    Import {
        /// The file; `-` reads standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Write every approval, one JSON object a line.
    Export,
}

#[derive(Debug, Args)]
struct Request {
    /// Package URL with its version or commit; without one only with --digest.
    #[arg(value_name = "PURL")]
    purl: String,
    /// Only these bytes.
    #[arg(long, value_name = "sha256:DIGEST")]
    digest: Option<String>,
    /// Only in this repository; may be given more than once.
    #[arg(long = "repository", value_name = "NAME")]
    repositories: Vec<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Ticket that tracks it.
    #[arg(long)]
    ticket: Option<String>,
    /// How long, for example 30d; 90 days where left out, a year at most.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires: Option<u32>,
}

#[derive(Debug, Args)]
struct Step {
    /// The approval's id.
    #[arg(value_name = "ID")]
    id: String,
    /// Why, for its history.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Approval {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let door = self.ask.door()?;
        match &self.command {
            Command::Request(r) => self.tell(&door.post(
                "approvals",
                &json!({
                    "purl": r.purl, "digest": r.digest, "repositories": r.repositories, "reason": r.reason,
                    "ticket": r.ticket, "expires_in_seconds": r.expires,
                }),
            )?)?,
            Command::Approve(step) => self.step(&door, step, "approve")?,
            Command::Reject(step) => self.step(&door, step, "reject")?,
            Command::Revoke(step) => self.step(&door, step, "revoke")?,
            Command::List { purl, ended, quick } => {
                let mut query: Vec<(&str, &str)> = Vec::new();
                query.extend(purl.as_deref().map(|p| ("purl", p)));
                query.extend(ended.then_some(("ended", "true")));
                query.extend((!quick).then_some(("decide", "true")));
                self.list(&door.all("approvals", &query, "approvals")?)?;
            }
            Command::Import { file } => {
                let approvals = lines_of::<tidegate_model::approval::Approval>(
                    file,
                    "approval",
                    "tidegate approval export",
                )?;
                let told = door.post("approvals/import", &json!({ "approvals": approvals }))?;
                if self.ask.json {
                    print_json([&told])?;
                } else {
                    let count = |key: &str| list(&told, key).len();
                    print(&format!(
                        "{} approvals imported, {} known already\n",
                        count("added"),
                        count("known")
                    ))?;
                }
            }
            Command::Export => {
                let mut approvals = door.all("approvals", &[("ended", "true")], "approvals")?;
                for approval in approvals.iter_mut().filter_map(Value::as_object_mut) {
                    // What the door adds for people is no part of the record.
                    approval.remove("history");
                    approval.remove("expired");
                }
                print_json(&approvals)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn list(&self, approvals: &[Value]) -> Result<(), Failure> {
        if self.ask.json {
            return print_json(approvals);
        }
        if approvals.is_empty() {
            return print("nothing is approved by name\n");
        }
        let rows: Vec<_> = approvals.iter().map(row).collect();
        print_table(&["ID", "STATE", "WHAT", "ASKED BY", "ENDS", "NOW", "WHY"], &rows)
    }

    fn step(&self, door: &super::remote::Remote, step: &Step, what: &str) -> Result<(), Failure> {
        let path = format!("approvals/{}/{what}", super::segment(&step.id));
        self.tell(&door.post(&path, &json!({ "note": step.note }))?)
    }

    fn tell(&self, approval: &Value) -> Result<(), Failure> {
        if self.ask.json {
            return print_json([approval]);
        }
        let id = text(approval, "id");
        let mut out = format!("approval {id} is {}\n", text(approval, "state"));
        if approval["missing_approvals"].as_u64().unwrap_or(0) > 0 {
            let missing = &approval["missing_approvals"];
            out.push_str(&format!("  {missing} more must approve: `tidegate approval approve {id}`\n"));
        }
        out.push_str(&format!(
            "  of {}, until {}\n",
            safe(text(approval, "purl")),
            minute(approval, "expires_at")
        ));
        print(&out)
    }
}

fn row(approval: &Value) -> Vec<String> {
    let state = if approval["expired"] == true { "expired" } else { text(approval, "state") };
    vec![
        text(approval, "id").to_owned(),
        state.to_owned(),
        text(approval, "purl").to_owned(),
        text(approval, "requested_by").to_owned(),
        minute(approval, "expires_at"),
        now_of(&approval["decided"]),
        text(approval, "reason").to_owned(),
    ]
}

/// What is decided now: the action, and the rule where it is refused.
fn now_of(decided: &Value) -> String {
    match (text(decided, "action"), text(decided, "rule"), text(decided, "error")) {
        ("", _, "") => String::new(),
        ("", _, error) => format!("not known: {error}"),
        (action @ ("quarantine" | "block"), rule, _) => {
            format!("{action} by {rule}")
        }
        (action, ..) => action.to_owned(),
    }
}
