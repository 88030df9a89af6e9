//! `tidegate events`: what happened, as sinks are told it; and whether they can be reached.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tidegate_model::Timestamp;

use super::remote::Remote;
use super::show::{Ask, BAD, GOOD, list, minute, print_json, print_table, safe, styled, text};
use super::{Failure, Outcome, print};
use crate::clock::Clock;
use crate::events::kind::PREFIX;

/// Show what happened, as event sinks are told it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Events {
    #[command(subcommand)]
    command: Option<Command>,
    /// Number of an entry or a time after which to begin; the last day where left out, from now on with --follow.
    #[arg(long, value_name = "SEQ|TIME")]
    since: Option<Since>,
    /// Only this type, such as `advisory.matched`, or `artifact.*`.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Go on with what happens from now on, until interrupted.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send a test event to each sink and say what it answers. Ends with status 1 where one does not take it.
    Test {
        /// Only this sink.
        #[arg(value_name = "NAME")]
        sink: Option<String>,
    },
}

/// Where to begin.
#[derive(Clone, Copy, Debug)]
enum Since {
    Entry(u64),
    Time(Timestamp),
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Entry(number));
        }
        let time = text.parse().map(Self::Time);
        time.map_err(|e| format!("write the number of an entry or a time such as 2026-11-24T09:00:00Z: {e}"))
    }
}

/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How far back is shown unless told otherwise: a day.
const SHOWN_SECONDS: i64 = 86_400;

impl Events {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let door = self.ask.door()?;
        match &self.command {
            Some(Command::Test { sink }) => self.test(&door, sink.as_deref()),
            None => self.show(&door),
        }
    }

    fn show(&self, door: &Remote) -> Outcome {
        let since = match self.since {
            None if !self.follow => Some(Since::Time(Clock::system().now().plus_seconds(-SHOWN_SECONDS))),
            given => given,
        };
        let mut place = match since {
            Some(Since::Entry(number)) => Some(("after", number.to_string())),
            Some(Since::Time(time)) => Some(("since", time.to_string())),
            None => None,
        };
        let mut shown = 0;
        loop {
            let mut query: Vec<(&str, &str)> = self.kind.iter().map(|kind| ("type", kind.as_str())).collect();
            query.extend(place.as_ref().map(|(key, value)| (*key, value.as_str())));
            let page = door.get("events", &query)?;
            let events = list(&page, "events");
            shown += events.len();
            self.print(events)?;
            place = Some(("after", text(&page, "next").to_owned()));
            match page["at_end"] == true {
                true if self.follow => std::thread::sleep(LOOK_EVERY),
                true => break,
                false => {}
            }
        }
        if shown == 0 && !self.ask.json {
            print("nothing happened in that time\n")?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, events: &[Value]) -> Result<(), Failure> {
        if self.ask.json {
            return print_json(events);
        }
        let line = |event: &Value| {
            let kind = text(event, "type");
            format!(
                "{}  {:<22}{}  {}\n",
                minute(event, "time"),
                safe(kind.strip_prefix(PREFIX).unwrap_or(kind)),
                safe(&gist(event)),
                safe(text(event, "id"))
            )
        };
        print(&events.iter().map(line).collect::<String>())
    }

    fn test(&self, door: &Remote, sink: Option<&str>) -> Outcome {
        let told = door.post("events/test", &json!({ "sink": sink }))?;
        let sinks = list(&told, "sinks");
        if self.ask.json {
            print_json(sinks)?;
        } else {
            let row = |sink: &Value| {
                let word = if sink["taken"] == true { "taken" } else { "NOT taken" };
                let [name, form, target, answer] =
                    ["name", "form", "target", "answer"].map(|k| text(sink, k).to_owned());
                vec![name, form, target, word.to_owned(), answer]
            };
            let rows: Vec<_> = sinks.iter().map(row).collect();
            print_table(&["SINK", "FORM", "WHERE", "TEST EVENT", "ANSWER"], &rows)?;
        }
        let failed = sinks.iter().filter(|sink| sink["taken"] != true).count();
        if !self.ask.json {
            let all = if failed == 0 {
                styled(GOOD, "every sink took it")
            } else {
                styled(BAD, &format!("{failed} did not take it"))
            };
            print(&format!("{all}\n"))?;
        }
        Ok(ExitCode::from(u8::from(failed > 0)))
    }
}

/// What an event says, in short.
fn gist(event: &Value) -> String {
    let data = &event["data"];
    let mut parts: Vec<String> = Vec::new();
    match text(event, "subject") {
        "" => {}
        subject => parts.push(subject.to_owned()),
    }
    // Advisories stand there by their ids, or with why they are grave.
    let ids = |key: &str| -> Vec<String> {
        let named = list(data, key).iter().map(|v| v.as_str().unwrap_or_else(|| text(v, "id")).to_owned());
        named.collect()
    };
    for (key, word) in [("advisories", "by"), ("cleared", "cleared of")] {
        let ids = ids(key);
        if !ids.is_empty() {
            parts.push(format!("{word} {}", ids.join(", ")));
        }
    }
    if let (Some(people), Some(accesses)) = (data["people"].as_u64(), data["accesses"].as_u64()) {
        parts.push(format!("taken {accesses}× by {people}"));
    }
    for key in ["message", "why", "source", "waiver"] {
        match text(data, key) {
            "" | "decision" | "by_hand" | "advisory" => {}
            told => parts.push(told.to_owned()),
        }
    }
    parts.join("; ")
}
