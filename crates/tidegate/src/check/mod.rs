//! What would be decided on packages, lock files and inventories, one answer per component, in the order given.
//!
//! And what is [inside] files and folders. Nothing is installed and nothing is fetched but indexes. An input that cannot be judged is told as such and is a
//! failure of ours, never an admission.

mod answer;
mod any_door;
mod document;
mod input;
pub mod inside;
mod readable;

use serde_json::{Value, json};
use tidegate_model::{Action, Sha256, Timestamp};

use crate::cli::Failure;
use crate::cli::remote::Remote;
use crate::run::precheck::text;

pub use answer::{Answer, Told};
pub use any_door::AnyDoor;
pub use document::report;
pub use input::{Given, Input, InputError, Item, Note, is_binary};
pub use readable::readable;

/// The version of the lines of `--json`. It is counted up where a member goes or changes its meaning; members are added without.
pub const SCHEMA: u32 = 1;
/// How many packages are asked about in one request.
const ITEMS_A_REQUEST: usize = 2_000;
/// How many bytes of items one request has: a door reads no longer body than it is configured to, 16 MiB by default.
const BYTES_A_REQUEST: usize = 1 << 20;

/// What all answers together come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worst {
    action: Action,
    failed: bool,
}

impl Worst {
    /// Adds one answer.
    pub fn add(&mut self, answer: &Answer) {
        if let Some(action) = answer.action {
            self.action = self.action.max(action);
        }
        self.failed |= answer.action.is_none() || answer.error.is_some();
    }

    /// Adds an input that could not be read.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// The status to exit with, worst first: 4 block, 3 quarantine, 1 a failure of our own, 0 allow or warn.
    pub fn exit_code(self) -> u8 {
        match (self.action, self.failed) {
            (Action::Block, _) => 4,
            (Action::Quarantine, _) => 3,
            (_, true) => 1,
            _ => 0,
        }
    }
}

/// How to ask.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Ask nothing of upstreams.
    pub offline: bool,
    /// Get the long texts of advisories, too.
    pub details: bool,
    /// Decide by another policy than that in force.
    pub policy: Option<OwnPolicy>,
}

/// A policy that a person gave.
#[derive(Clone, Debug, serde::Serialize)]
pub struct OwnPolicy {
    /// A pack's name, or the path of a file.
    pub name: String,
    /// The text of the file; none for a pack.
    pub text: Option<String>,
}

/// All answers, and what they were made with.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// One per item, in their order.
    pub list: Vec<Answer>,
    /// What is wrong with the feeds of advisories.
    pub degraded: Vec<String>,
    /// When it was decided.
    pub at: Option<Timestamp>,
    /// Digest of the policy that decided.
    pub policy: Option<Sha256>,
}

/// Asks about items, in order.
///
/// # Errors
/// The door does not answer.
pub fn ask(remote: &Remote, items: &[Item], how: &How) -> Result<Answers, Failure> {
    let mut answers = Answers::default();
    let mut rest = items;
    while !rest.is_empty() {
        let (mut locked, mut bytes) = (Vec::new(), 0);
        for item in rest.iter().take(ITEMS_A_REQUEST) {
            let asked = asked(item);
            bytes += asked.to_string().len();
            locked.push(asked);
            if bytes >= BYTES_A_REQUEST {
                break;
            }
        }
        let (part, later) = rest.split_at(locked.len());
        rest = later;
        let mut body = json!({ "locked": locked, "offline": how.offline, "details": how.details });
        if let Some(policy) = &how.policy {
            body["policy"] = json!(policy);
        }
        let told = remote.post("checks", &body)?;
        let said = told.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if said.len() != part.len() {
            return Err(Failure(
                "the door answered about another number of packages than it was asked".into(),
            ));
        }
        answers.list.extend(part.iter().zip(said).map(|(item, said)| Answer::of(item, said)));
        answers.at = text(&told, "decided_at").parse().ok();
        answers.policy =
            told.get("policy").and_then(|policy| serde_json::from_value(policy.get("digest")?.clone()).ok());
        answers.degraded =
            told.get("degraded").and_then(|d| serde_json::from_value(d.clone()).ok()).unwrap_or_default();
    }
    Ok(answers)
}

/// An item in the words of the API.
fn asked(item: &Item) -> Value {
    let mut asked = match &item.purl {
        Some(purl) => json!({ "purl": purl }),
        None => json!({ "name": item.name, "version": item.version, "why": item.why_nameless }),
    };
    if item.is_component {
        asked["component"] = Value::Bool(true);
    }
    if let Some(seen) = &item.seen {
        asked["seen"] = json!(seen);
        asked["sha256"] = json!(input::sha256(item).map(|hex| format!("sha256:{hex}")));
    }
    if !item.files.is_empty() {
        asked["files"] = json!(item.files);
    }
    asked
}

/// What in a file could not be read as components, as one line of `--json`: it was not looked at, and must not read as
/// clean.
pub fn notes_json(input: &Input) -> Option<Value> {
    if input.notes.is_empty() {
        return None;
    }
    let gap = |note: &Note| json!({ "fact": "components", "state": "unsupported", "why": format!("{} {}", note.what, note.why), "line": note.line });
    let mut gaps: Vec<Value> = input.notes.iter().map(gap).collect();
    if input.notes_left_out > 0 {
        let why = format!("{} more entries could not be read as components", input.notes_left_out);
        gaps.push(json!({ "fact": "components", "state": "unsupported", "why": why }));
    }
    Some(json!({
        "schema": SCHEMA, "input": input.given, "artifact": { "name": input.subject.name, "kind": "file" }, "findings": [], "gaps": gaps,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_answer_decides_the_status() {
        let answer = |action: Option<Action>| {
            let status = if action.is_some() { "decided" } else { "failed" };
            Answer::of(&Item::default(), &json!({ "status": status, "action": action }))
        };
        let code = |actions: &[Option<Action>]| {
            let mut worst = Worst::default();
            for action in actions {
                worst.add(&answer(*action));
            }
            worst.exit_code()
        };
        use Action::{Allow, Block, Quarantine, Warn};
        assert_eq!(code(&[Some(Allow), Some(Warn)]), 0);
        assert_eq!(code(&[Some(Allow), None]), 1);
        assert_eq!(code(&[None, Some(Quarantine)]), 3);
        assert_eq!(code(&[Some(Block), Some(Quarantine), None]), 4);
    }
}
