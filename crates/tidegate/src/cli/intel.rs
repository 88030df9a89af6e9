//! `tidegate intel`: which advisories are known, how old they are, loading more.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::show::{Ask, BAD, CARE, FAINT, list, minute, print_json, print_table, safe, styled, text};
use super::{Failure, Outcome, print, segment};

/// Show, fetch and load advisories and signals.
#[derive(Debug, Args)]
pub struct Intel {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the feeds that are loaded, their age, and what became of the last attempt to get them.
    Status,
    /// Get what is new from every feed now.
    Sync,
    /// Load files: bundles of other doors, JSON, JSON lines, CSV, zip, tar, gz, zst, or folders of them. `-` reads standard input.
    Import(Import),
    /// Write everything that is in force to a file for another door, signed with this door's key.
    Export {
        /// The file; one that is there is replaced.
        #[arg(value_name = "FILE")]
        path: PathBuf,
    },
    /// Print the public half of the key that signs this door's bundles.
    Key,
    /// Show what is recorded under an id.
    Show {
        /// An id such as CVE-2021-44228, GHSA-jfh8-c2jp-5v3q or MAL-2024-1.
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Show advisories that wait for a person before they take their full effect on what was admitted before.
    Held,
    /// Let an advisory that waits take its full effect.
    Confirm {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Let what was admitted before stay, with a warning, although an advisory that waits touches it.
    Dismiss {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
struct Import {
    /// Files and folders.
    #[arg(value_name = "FILE", required = true)]
    paths: Vec<PathBuf>,
    /// The feed they belong to, where files do not say by their names.
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,
    /// What they are, where they do not say: osv, ghsa, rustsec, pypa, go, malicious, kev, epss, ssvc, openvex, csaf.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// They are all of the feed: what is not in them is gone.
    #[arg(long)]
    whole: bool,
    /// Load in spite of an alarm: shrunk, mass-retraction, rolled-back, unreadable; or a bundle that nobody known signed:
    /// unsigned.
    #[arg(long, value_name = "ALARM", value_delimiter = ',')]
    accept: Vec<String>,
}

impl Intel {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let door = self.ask.door()?;
        match &self.command {
            Command::Status => {
                let told = door.get("intel", &[])?;
                if self.ask.json {
                    print_json([&told])?
                } else {
                    print_status(&told)?
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Sync => {
                let watched = self.ask.door()?;
                let told = super::show::watching(
                    "getting feeds",
                    move |bar| show_under_way(&watched, bar),
                    || door.post("intel/sync", &json!({})),
                );
                self.synced(&told?)
            }
            Command::Import(import) => {
                let (body, _kept) = import.body()?;
                let waiting = super::show::spinner("reading");
                let told = door.post("intel/import", &body);
                waiting.finish_and_clear();
                self.imported(&told?)
            }
            Command::Export { path } => {
                // The door runs in another folder.
                let body = json!({ "path": std::path::absolute(path)? });
                let waiting = super::show::spinner("writing");
                let told = door.post("intel/export", &body);
                waiting.finish_and_clear();
                self.exported(&told?)
            }
            Command::Key => {
                let told = door.get("intel/key", &[])?;
                if self.ask.json {
                    print_json([&told])?
                } else {
                    print(&format!("{}\n", safe(text(&told, "key"))))?
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Held => self.held(&door),
            Command::Confirm { id } => self.decide(&door, id, "confirm"),
            Command::Dismiss { id } => self.decide(&door, id, "dismiss"),
            Command::Show { id } => {
                let told = door.get(&format!("intel/advisories/{}", segment(id)), &[])?;
                if self.ask.json {
                    print_json([&told])?
                } else {
                    print(&advisory(&told))?
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    fn held(&self, door: &super::remote::Remote) -> Outcome {
        let told = door.get("intel/held", &[])?;
        let held = list(&told, "held");
        if self.ask.json {
            print_json(held)?;
        } else if held.is_empty() {
            print("no advisory waits for a person\n")?;
        } else {
            let row = |hold: &Value| {
                let state = match text(hold, "decided_by") {
                    "" => safe(text(hold, "state")),
                    by => format!("{} by {}", safe(text(hold, "state")), safe(by)),
                };
                let packages: Vec<&str> = list(hold, "packages").iter().filter_map(Value::as_str).collect();
                vec![
                    safe(text(hold, "advisory")),
                    minute(hold, "since"),
                    state,
                    text(hold, "reason").replace('_', " "),
                    format!("{} of {}", hold["downloads"], hold["downloads_in_all"]),
                    hold["sources"].to_string(),
                    safe(&packages.join(" ")),
                ]
            };
            let rows: Vec<_> = held.iter().map(row).collect();
            let head = ["ADVISORY", "SINCE", "STATE", "WHY", "LAST WEEK'S DOWNLOADS", "SOURCES", "PACKAGES"];
            print_table(&head, &rows)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn decide(&self, door: &super::remote::Remote, id: &str, step: &str) -> Outcome {
        let told = door.post(&format!("intel/held/{}/{step}", segment(id)), &json!({}))?;
        if self.ask.json {
            print_json([&told])?;
        } else {
            print(&format!("{} is {}\n", safe(text(&told, "advisory")), safe(text(&told, "state"))))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn synced(&self, told: &Value) -> Outcome {
        let feeds = told["feeds"].as_object().cloned().unwrap_or_default();
        let failed = feeds.values().any(|f| matches!(text(f, "outcome"), "failed" | "refused"));
        if self.ask.json {
            print_json([told])?;
        } else {
            let rows: Vec<_> = feeds.iter().map(|(name, f)| vec![safe(name), outcome(f)]).collect();
            print_table(&["FEED", "OUTCOME"], &rows)?;
        }
        Ok(ExitCode::from(u8::from(failed)))
    }

    fn exported(&self, told: &Value) -> Outcome {
        if self.ask.json {
            print_json([told])?;
            return Ok(ExitCode::SUCCESS);
        }
        let row = |feed: &Value| {
            let (name, kind) = (safe(text(feed, "feed")), safe(text(feed, "kind")));
            vec![name, kind, feed["records"].to_string(), minute(feed, "as_of")]
        };
        let rows: Vec<_> = list(told, "feeds").iter().map(row).collect();
        print_table(&["FEED", "KIND", "RECORDS", "AS OF"], &rows)?;
        let (path, key) = (safe(text(told, "path")), safe(text(told, "key")));
        print(&format!("written to {path}, signed with {key}\n"))?;
        Ok(ExitCode::SUCCESS)
    }

    fn imported(&self, told: &Value) -> Outcome {
        let feeds = list(told, "feeds");
        let refused = feeds.iter().any(|feed| feed["refused"] == true);
        if self.ask.json {
            print_json([told])?;
            return Ok(ExitCode::from(u8::from(refused)));
        }
        let count = |feed: &Value, key: &str| list(feed, key).len().to_string();
        let row = |feed: &Value| {
            let mut row = vec![safe(text(feed, "feed"))];
            row.extend(["added", "changed", "withdrawn", "restored", "removed"].map(|key| count(feed, key)));
            row.push(feed["unchanged"].to_string());
            row.push(feed["rejected"].to_string());
            row
        };
        let rows: Vec<_> = feeds.iter().map(row).collect();
        let head =
            ["FEED", "ADDED", "CHANGED", "WITHDRAWN", "RESTORED", "REMOVED", "UNCHANGED", "UNREADABLE"];
        print_table(&head, &rows)?;
        let mut told = String::new();
        for feed in feeds {
            for alarm in list(feed, "alarms") {
                told += &format!("{}: {}\n", safe(text(feed, "feed")), styled(CARE, &safe(&words(alarm))));
            }
            for rejection in list(feed, "rejections") {
                let (at, why) = (safe(text(rejection, "at")), safe(text(rejection, "why")));
                told += &format!("  unreadable: {at}: {why}\n");
            }
        }
        if refused {
            told += &styled(BAD, "not loaded: see the alarm; what was loaded before stays in force");
            told.push('\n');
        }
        print(&told)?;
        Ok(ExitCode::from(u8::from(refused)))
    }
}

/// An alarm as JSON, in words.
fn words(alarm: &Value) -> String {
    let Some(members) = alarm.as_object() else { return String::new() };
    let rest = members.iter().filter(|(key, _)| *key != "alarm");
    let rest: Vec<String> = rest
        .map(|(key, value)| {
            format!("{key} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    format!("{} ({})", text(alarm, "alarm").replace('_', " "), rest.join(", "))
}

impl Import {
    /// The request, and the file that standard input was kept in for as long as the door reads it.
    fn body(&self) -> Result<(Value, Option<tempfile::NamedTempFile>), Failure> {
        let mut kept = None;
        let mut paths = Vec::new();
        for path in &self.paths {
            if path.as_os_str() == "-" {
                let mut file = tempfile::NamedTempFile::with_prefix("tidegate-import-")?;
                std::io::copy(&mut std::io::stdin().lock().take(MAX_STANDARD_INPUT), file.as_file_mut())?;
                paths.push(file.path().to_owned());
                kept = Some(file);
            } else {
                // The door runs in another folder.
                paths.push(std::path::absolute(path)?);
            }
        }
        let body = json!({
            "paths": paths, "feed": self.feed, "kind": self.kind, "whole": self.whole, "accept": self.accept,
        });
        Ok((body, kept))
    }
}

/// The most bytes that are read from standard input.
const MAX_STANDARD_INPUT: u64 = 4 << 30;

fn print_status(told: &Value) -> Result<(), Failure> {
    let row = |feed: &Value| {
        let state = match text(feed, "damaged") {
            "" => outcome(&feed["outcome"]),
            why => format!("damaged: {}", safe(why)),
        };
        vec![
            safe(text(feed, "name")),
            safe(text(feed, "kind")),
            feed["records"].to_string(),
            minute(feed, "as_of"),
            state,
        ]
    };
    let feeds = list(told, "feeds");
    if feeds.is_empty() {
        return print("no feed is loaded\n");
    }
    print_table(
        &["FEED", "KIND", "RECORDS", "AS OF", "LAST ATTEMPT"],
        &feeds.iter().map(row).collect::<Vec<_>>(),
    )?;
    if told["sync"] == false {
        print(&format!("{}\n", styled(FAINT, "feeds are not fetched: [intel] sync is off")))?;
    }
    Ok(())
}

fn outcome(outcome: &Value) -> String {
    match text(outcome, "outcome") {
        "current" => "current".into(),
        "changed" => format!("{} changes", outcome["count"]),
        "refused" => format!("not put in force: {}", safe(text(outcome, "why"))),
        "failed" => format!("failed: {}", safe(text(outcome, "why"))),
        _ => "none yet".into(),
    }
}

fn advisory(told: &Value) -> String {
    let mut out = String::new();
    for found in list(told, "records") {
        let record = &found["record"];
        let withdrawn = if found["withdrawn"] == true { styled(CARE, " (withdrawn)") } else { String::new() };
        out += &format!("{}{withdrawn}, by feed {}\n", safe(text(found, "id")), safe(text(found, "feed")));
        out += &format!("  {}\n", safe(text(record, "summary")));
        let aliases = list(record, "aliases").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        for (label, value) in [
            ("also", safe(&aliases)),
            ("published", minute(record, "published")),
            ("changed", minute(record, "modified")),
        ] {
            if !value.is_empty() {
                out += &format!("  {label:<10}{value}\n");
            }
        }
        for affected in list(record, "affected") {
            let package = &affected["package"];
            let name = format!("{} {}", safe(text(package, "ecosystem")), safe(text(package, "name")));
            out += &format!("  {:<10}{name} {}\n", "touches", ranges(affected));
        }
    }
    out
}

/// Shows which feed is being had, and how much of it arrived.
fn show_under_way(door: &super::remote::Remote, bar: &indicatif::ProgressBar) {
    let Ok(told) = door.get("intel", &[]) else { return };
    let doing = &told["under_way"];
    let (feed, step) = (safe(text(doing, "feed")), text(doing, "step"));
    if feed.is_empty() {
        return;
    }
    let template = match doing["of"].as_u64() {
        Some(of) if step == "fetching" => {
            bar.set_length(of);
            "{spinner} {msg} {wide_bar} {bytes}/{total_bytes}"
        }
        None if step == "fetching" => "{spinner} {msg} {bytes}",
        _ => "{spinner} {msg}",
    };
    bar.set_style(indicatif::ProgressStyle::with_template(template).expect("the templates are valid"));
    bar.set_position(doing["bytes"].as_u64().unwrap_or_default());
    bar.set_message(format!("{feed}: {step}"));
}

/// The ranges of a package in short.
fn ranges(affected: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    for event in list(affected, "ranges").iter().flat_map(|range| list(range, "events")) {
        for (kind, version) in event.as_object().into_iter().flatten() {
            let sign = match kind.as_str() {
                "introduced" => ">=",
                "fixed" => "<",
                "last_affected" => "<=",
                _ => continue,
            };
            parts.push(format!("{sign}{}", safe(version.as_str().unwrap_or_default())));
        }
    }
    let listed = list(affected, "versions").len();
    if listed > 0 {
        parts.push(format!("{listed} versions by name"));
    }
    parts.join(" ")
}
