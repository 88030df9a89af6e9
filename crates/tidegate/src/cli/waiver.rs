//! `tidegate waiver`: approved exceptions.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::show::{Ask, duration, list, minute, print_json, print_table, safe, text, words};
use super::{Failure, Outcome, print};

/// Ask for, approve, reject, take back and list exceptions.
#[derive(Debug, Args)]
pub struct Waiver {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask for an exception. Where the policy demands no approval it holds at once.
    Request(Request),
    /// Approve one that somebody else asked for.
    Approve(Step),
    /// Reject one.
    Reject(Step),
    /// Take one back, at once.
    Revoke(Step),
    /// List waivers that have not ended.
    List {
        /// Only in this state: requested, approved, rejected or revoked.
        #[arg(long)]
        state: Option<String>,
        /// Only for this package.
        #[arg(long, value_name = "PURL")]
        purl: Option<String>,
        /// Those that ended too.
        #[arg(long)]
        ended: bool,
    },
    /// Take waivers from a file, one JSON object a line, as `export` writes it. Known ids are left as they are.
    Import {
        /// The file; `-` reads standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Write every waiver, one JSON object a line.
    Export,
}

#[derive(Debug, Args)]
struct Request {
    /// Package URL, with or without version.
    #[arg(value_name = "PURL")]
    purl: String,
    /// Rule to silence; may be given more than once. Left out: the rules that refuse the package now.
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,
    /// Advisory it covers; may be given more than once.
    #[arg(long = "advisory", value_name = "ID")]
    advisories: Vec<String>,
    /// Only for these bytes.
    #[arg(long, value_name = "sha256:DIGEST")]
    digest: Option<String>,
    /// Only in this repository; may be given more than once.
    #[arg(long = "repository", value_name = "NAME")]
    repositories: Vec<String>,
    /// Only for this principal; may be given more than once.
    #[arg(long = "principal", value_name = "NAME")]
    principals: Vec<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Ticket that tracks it.
    #[arg(long)]
    ticket: Option<String>,
    /// How long, for example 7d; the policy's longest where left out.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires: Option<u32>,
    /// Also silence a rule that could not be told.
    #[arg(long)]
    covers_unknown: bool,
}

#[derive(Debug, Args)]
struct Step {
    /// The waiver's id.
    #[arg(value_name = "ID")]
    id: String,
    /// Why, for its history.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Waiver {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let door = self.ask.door()?;
        match &self.command {
            Command::Request(r) => {
                let told = door.post(
                    "waivers",
                    &json!({
                        "purl": r.purl, "rules": r.rules, "advisories": r.advisories, "digest": r.digest,
                        "repositories": r.repositories, "principals": r.principals, "reason": r.reason,
                        "ticket": r.ticket, "expires_in_seconds": r.expires,
                        "covers_unknown": r.covers_unknown.then_some(true),
                    }),
                )?;
                self.tell(&told)?;
            }
            Command::Approve(step) => self.step(&door, step, "approve")?,
            Command::Reject(step) => self.step(&door, step, "reject")?,
            Command::Revoke(step) => self.step(&door, step, "revoke")?,
            Command::List { state, purl, ended } => {
                let mut query: Vec<(&str, &str)> = Vec::new();
                query.extend(state.as_deref().map(|s| ("state", s)));
                query.extend(purl.as_deref().map(|p| ("purl", p)));
                if *ended {
                    query.push(("ended", "true"));
                }
                let waivers = door.all("waivers", &query, "waivers")?;
                if self.ask.json {
                    print_json(&waivers)?;
                } else if waivers.is_empty() {
                    print("there are no waivers\n")?;
                } else {
                    let rows: Vec<_> = waivers.iter().map(row).collect();
                    print_table(&["ID", "STATE", "PACKAGE", "RULES", "ASKED BY", "ENDS", "WHY"], &rows)?;
                }
            }
            Command::Import { file } => {
                let told = door.post("waivers/import", &json!({ "waivers": lines_of::<tidegate_model::waiver::Waiver>(file, "waiver", "tidegate waiver export")? }))?;
                if self.ask.json {
                    print_json([&told])?;
                } else {
                    let count = |key: &str| list(&told, key).len();
                    print(&format!(
                        "{} waivers imported, {} known already\n",
                        count("added"),
                        count("known")
                    ))?;
                }
            }
            Command::Export => {
                let mut waivers = door.all("waivers", &[("ended", "true")], "waivers")?;
                for waiver in waivers.iter_mut().filter_map(Value::as_object_mut) {
                    // What the door adds for people is no part of the record.
                    waiver.remove("history");
                    waiver.remove("expired");
                }
                print_json(&waivers)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn step(&self, door: &super::remote::Remote, step: &Step, what: &str) -> Result<(), Failure> {
        let path = format!("waivers/{}/{what}", super::segment(&step.id));
        self.tell(&door.post(&path, &json!({ "note": step.note }))?)
    }

    fn tell(&self, waiver: &Value) -> Result<(), Failure> {
        if self.ask.json {
            return print_json([waiver]);
        }
        let id = text(waiver, "id");
        let mut out = format!("waiver {id} is {}\n", text(waiver, "state"));
        if waiver["missing_approvals"].as_u64().unwrap_or(0) > 0 {
            let missing = &waiver["missing_approvals"];
            out.push_str(&format!("  {missing} more must approve: `tidegate waiver approve {id}`\n"));
        }
        out.push_str(&format!(
            "  for {}, rules {}, until {}\n",
            safe(text(waiver, "purl")),
            words(waiver, "rules"),
            minute(waiver, "expires_at")
        ));
        print(&out)
    }
}

fn row(waiver: &Value) -> Vec<String> {
    let state = if waiver["expired"] == true { "expired" } else { text(waiver, "state") };
    vec![
        text(waiver, "id").to_owned(),
        state.to_owned(),
        text(waiver, "purl").to_owned(),
        words(waiver, "rules"),
        text(waiver, "requested_by").to_owned(),
        minute(waiver, "expires_at"),
        text(waiver, "reason").to_owned(),
    ]
}

/// The most bytes of a file of records.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Records of a file, one JSON object a line. `what` is one of them in words, `by` the command that writes such files.
///
/// # Errors
/// The file cannot be read, or a line of it is none.
pub(super) fn lines_of<T: serde::Serialize + serde::de::DeserializeOwned>(
    path: &Path,
    what: &str,
    by: &str,
) -> Result<Vec<Value>, Failure> {
    let shown = path.display();
    let failed = |e: std::io::Error| Failure(format!("`{shown}` cannot be read: {e}"));
    let mut content = String::new();
    if path == Path::new("-") {
        std::io::stdin().take(MAX_FILE_BYTES).read_to_string(&mut content).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_FILE_BYTES).read_to_string(&mut content).map_err(failed)?;
    }
    content
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| {
            serde_json::from_str::<T>(line)
                .map_err(|e| {
                    Failure(format!(
                        "{shown}: line {}: this is no {what}: {e}\n  one JSON object a line, as `{by}` writes it",
                        n + 1
                    ))
                })
                .map(|record| serde_json::to_value(record).expect("a record is plain data"))
        })
        .collect()
}
