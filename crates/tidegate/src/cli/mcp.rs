//! `tidegate mcp`: servers at run time, and what they offer.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::show::{Ask, duration, list, minute, print_json, print_table, safe, text};
use super::{Outcome, default_data, print};
use crate::mcp::stdio::McpRun;

/// Govern MCP servers at run time; see and approve what they offer.
#[derive(Debug, Args)]
pub struct Mcp {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server behind the door: a client starts this in the server's place.
    ///
    /// Lists of tools lose what is held, each call is decided on and recorded before its answer is passed on. Uses the running
    /// door of the data directory, or starts one. Ends with the server's own status; with 4 (block) or 3 (quarantine) where the
    /// server is refused.
    Run(Run),
    /// List the servers that were seen.
    List {
        #[command(flatten)]
        ask: Ask,
    },
    /// Show what a server offers, and how each of it stands.
    Show {
        /// The server's name.
        server: String,
        #[command(flatten)]
        ask: Ask,
    },
    /// Show how what a server offers differs from what is pinned.
    Diff {
        /// The server's name.
        server: String,
        /// Only this entry.
        item: Option<String>,
        #[command(flatten)]
        ask: Ask,
    },
    /// Approve what a server offers, as it was last seen.
    Approve(Word),
    /// Take an approval back, or refuse what was first seen.
    Revoke(Word),
}

#[derive(Debug, Args)]
struct Run {
    /// The server's name; that of its package or program where left out.
    #[arg(long, value_name = "SERVER")]
    name: Option<String>,
    /// A method that passes although no revision of the protocol has it.
    #[arg(long = "method", value_name = "METHOD")]
    methods: Vec<String>,
    /// Data directory of the door.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The command that starts the server: `npx -y PACKAGE@VERSION`, `uvx …`, `node server.js`, …
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Debug, Args)]
struct Word {
    /// The server's name.
    server: String,
    /// Entries; all of them where none is named.
    items: Vec<String>,
    /// Only if this is the text: the digest that `show` and `diff` print.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// Why, for whoever looks later.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// How long an approval stands, for example 90d; for good where left out.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires: Option<u32>,
    #[command(flatten)]
    ask: Ask,
}

impl Mcp {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        match self.command {
            Command::Run(run) => {
                let data = run.data.unwrap_or_else(default_data);
                let run = McpRun { data, name: run.name, methods: run.methods, command: run.command };
                run.run().map(ExitCode::from)
            }
            Command::List { ask } => {
                let told = ask.door()?.get("mcp/servers", &[])?;
                if ask.json {
                    print_json(list(&told, "servers"))?
                } else {
                    print_servers(list(&told, "servers"))?
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Show { server, ask } => {
                let told = ask.door()?.get("mcp/entries", &[("server", server.as_str())])?;
                if ask.json {
                    print_json(list(&told, "entries"))?
                } else {
                    print_entries(list(&told, "entries"))?
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Diff { server, item, ask } => {
                let mut query = vec![("server", server.as_str())];
                query.extend(item.as_deref().map(|item| ("item", item)));
                let told = ask.door()?.get("mcp/diff", &query)?;
                if ask.json {
                    print_json(list(&told, "changes"))?
                } else {
                    print_changes(&server, list(&told, "changes"))?
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Approve(word) => word.say("mcp/approve"),
            Command::Revoke(word) => word.say("mcp/revoke"),
        }
    }
}

impl Word {
    fn say(&self, path: &str) -> Outcome {
        let body = json!({
            "server": self.server, "items": self.items, "digest": self.digest, "reason": self.reason,
            "expires_in_seconds": self.expires,
        });
        let told = self.ask.door()?.post(path, &body)?;
        if self.ask.json {
            print_json([&told])?;
        } else {
            let items = list(&told, "items").iter().filter_map(Value::as_str).map(safe).collect::<Vec<_>>();
            let end = minute(&told, "expires_at");
            let end = if end.is_empty() { String::new() } else { format!(", until {end}") };
            print(&format!(
                "{} of {}: {}{end}\n",
                items.join(", "),
                safe(&self.server),
                text(&told, "state")
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_servers(servers: &[Value]) -> Result<(), super::Failure> {
    if servers.is_empty() {
        return print("no server was seen: start one with `tidegate mcp run -- COMMAND`\n");
    }
    let count = |server: &Value, key: &str| server[key].as_u64().unwrap_or(0);
    let row = |server: &Value| {
        let held = count(server, "changed") + count(server, "new") + count(server, "expired");
        vec![
            text(server, "server").to_owned(),
            count(server, "entries").to_string(),
            count(server, "approved").to_string(),
            count(server, "first_seen").to_string(),
            held.to_string(),
            minute(server, "last_seen_at"),
        ]
    };
    let rows: Vec<_> = servers.iter().map(row).collect();
    print_table(&["SERVER", "ENTRIES", "APPROVED", "FIRST SEEN", "WAITING", "LAST SEEN"], &rows)
}

fn print_entries(entries: &[Value]) -> Result<(), super::Failure> {
    let row = |entry: &Value| {
        vec![
            text(entry, "kind").to_owned(),
            text(entry, "item").to_owned(),
            text(entry, "pin").to_owned(),
            text(entry, "by").to_owned(),
            minute(entry, "expires_at"),
            text(entry, "reason").to_owned(),
        ]
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    print_table(&["KIND", "NAME", "STANDS", "BY", "UNTIL", "WHY"], &rows)
}

fn print_changes(server: &str, changes: &[Value]) -> Result<(), super::Failure> {
    if changes.is_empty() {
        return print("nothing waits: what it offers is what is pinned\n");
    }
    for change in changes {
        for line in text(change, "difference").lines() {
            print(&format!("{}\n", safe(line)))?;
        }
        print(&format!(
            "  approve it: tidegate mcp approve {} {} --digest {} --reason \"...\"\n\n",
            safe(server),
            safe(text(change, "item")),
            text(change, "digest")
        ))?;
    }
    Ok(())
}
