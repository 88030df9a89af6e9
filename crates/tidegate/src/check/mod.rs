//! What would be decided on packages and on whole lock files, one answer per package, in the order given.
//!
//! Nothing is installed and nothing is fetched but indexes. An input that cannot be judged is told as such and is a
//! failure of ours, never an admission.

mod any_door;
mod input;

use std::collections::VecDeque;

use serde_json::{Map, Value, json};
use tidegate_model::Action;

use crate::cli::Failure;
use crate::cli::remote::Remote;
use crate::run::precheck::text;

pub use any_door::AnyDoor;
pub use input::{Input, InputError, Item};

/// How many packages are asked about in one request.
const ITEMS_A_REQUEST: usize = 2_000;

/// What all answers together come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worst {
    action: Action,
    failed: bool,
}

impl Worst {
    /// Adds one answer.
    pub fn add(&mut self, answer: &Answer) {
        match answer.action {
            Some(action) => self.action = self.action.max(action),
            None => self.failed = true,
        }
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

/// One package's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What would happen; `None` where it could not be decided.
    pub action: Option<Action>,
    /// The answer as a line of `--json`.
    pub json: Value,
    /// The answer as a line for people.
    pub line: String,
}

/// Asks about items, in order. `offline` asks nothing of upstreams.
///
/// # Errors
/// The door does not answer.
pub fn ask(remote: &Remote, items: &[Item], offline: bool) -> Result<Vec<Answer>, Failure> {
    let mut answers = Vec::with_capacity(items.len());
    for part in items.chunks(ITEMS_A_REQUEST) {
        let locked: Vec<Value> =
            part.iter().map(|item| json!({ "purl": item.purl, "file": item.file })).collect();
        let mut body = json!({ "locked": locked });
        if offline {
            body["offline"] = Value::Bool(true);
        }
        let told = remote.post("checks", &body)?;
        let mut told: VecDeque<Value> =
            told.get("items").and_then(Value::as_array).cloned().unwrap_or_default().into();
        if told.len() != part.len() {
            return Err(Failure(
                "the door answered about another number of packages than it was asked".into(),
            ));
        }
        answers.extend(part.iter().filter_map(|item| Some(answer(item, &told.pop_front()?))));
    }
    Ok(answers)
}

/// One answer in the shape that every command gives decisions in.
fn answer(item: &Item, told: &Value) -> Answer {
    let mut artifact = Map::new();
    artifact.insert("purl".into(), told.get("purl").cloned().unwrap_or_else(|| item.purl.clone().into()));
    artifact.insert("kind".into(), "package".into());
    if let Some(file) = told.get("file").filter(|file| !file.is_null()) {
        artifact.insert("name".into(), file.clone());
    }
    if let Some(sha256) = &item.sha256 {
        artifact.insert("sha256".into(), sha256.clone().into());
    }
    let mut line = Map::new();
    line.insert("input".into(), item.input.clone().into());
    line.insert("artifact".into(), artifact.into());
    if text(told, "status") != "decided" {
        let error = text(told, "error").to_owned();
        let gap = json!({ "fact": "artifact", "state": "error", "why": error });
        line.insert(
            "error".into(),
            json!({ "code": told.get("code"), "message": error, "detail": told.get("detail") }),
        );
        line.insert("findings".into(), json!([]));
        line.insert("gaps".into(), json!([gap]));
        return Answer {
            action: None,
            json: line.into(),
            line: format!("{:<10} {}: {error}", "failed", item.purl),
        };
    }
    let full = told.get("decision").cloned().unwrap_or(Value::Null);
    // What an observing policy lets through is let through; what it would have done stands beside it.
    let observed = full.get("enforced").and_then(Value::as_bool) == Some(false);
    let would = crate::run::precheck::action(told);
    let action = if observed { would.min(Action::Warn) } else { would };
    let mut gaps = full.get("gaps").cloned().unwrap_or_else(|| json!([]));
    if !text(told, "stale").is_empty()
        && let Some(gaps) = gaps.as_array_mut()
    {
        gaps.push(json!({ "fact": "index", "state": "stale", "why": text(told, "stale") }));
    }
    let mut decision = full;
    if let Some(decision) = decision.as_object_mut() {
        decision.insert("action".into(), json!(action));
        decision.remove("gaps");
    }
    line.insert("decision".into(), decision);
    line.insert("findings".into(), json!([]));
    line.insert("gaps".into(), gaps);
    if !text(told, "newest_compliant").is_empty() {
        line.insert("newest_compliant".into(), told["newest_compliant"].clone());
    }
    let shown = match action {
        Action::Allow => String::new(),
        Action::Warn => format!(" {}: {}", text(told, "rule"), text(told, "message")),
        Action::Quarantine | Action::Block => {
            let why = crate::run::precheck::why(told);
            format!(" {}", why.split_once(" by ").map_or(why.as_str(), |(_, rest)| rest))
        }
    };
    Answer { action: Some(action), json: line.into(), line: format!("{action:<10} {}{shown}", item.purl) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        Item { input: "pkg:npm/x@1.0.0".into(), purl: "pkg:npm/x@1.0.0".into(), file: None, sha256: None }
    }

    #[test]
    fn the_worst_answer_decides_the_status() {
        let code = |actions: &[Option<Action>]| {
            let mut worst = Worst::default();
            for action in actions {
                worst.add(&Answer { action: *action, json: Value::Null, line: String::new() });
            }
            worst.exit_code()
        };
        use Action::{Allow, Block, Quarantine, Warn};
        assert_eq!(code(&[Some(Allow), Some(Warn)]), 0);
        assert_eq!(code(&[Some(Allow), None]), 1);
        assert_eq!(code(&[None, Some(Quarantine)]), 3);
        assert_eq!(code(&[Some(Block), Some(Quarantine), None]), 4);
    }

    #[test]
    fn an_answer_has_the_shape_of_every_decision() {
        let told = json!({
            "purl": "pkg:npm/x@1.0.0", "file": "x-1.0.0.tgz", "status": "decided", "served": false, "action": "quarantine",
            "rule": "fresh", "message": "too new", "newest_compliant": "0.9.0",
            "decision": { "action": "quarantine", "enforced": true, "reasons": [], "gaps": [{ "fact": "secrets", "state": "not_scanned" }] },
        });
        let answer = answer(&item(), &told);
        assert_eq!(answer.action, Some(Action::Quarantine));
        assert_eq!(answer.json["decision"]["action"], "quarantine");
        assert_eq!(answer.json["gaps"][0]["fact"], "secrets");
        assert_eq!(answer.json["artifact"]["name"], "x-1.0.0.tgz");
        assert_eq!(answer.line, "quarantine pkg:npm/x@1.0.0 fresh: too new; newest compliant: 0.9.0");
    }

    #[test]
    fn what_cannot_be_decided_is_no_admission() {
        let told = json!({ "purl": "pkg:npm/x@1.0.0", "status": "failed", "error": "the upstream is down" });
        let answer = answer(&item(), &told);
        assert_eq!(answer.action, None);
        assert_eq!(answer.json["gaps"][0]["state"], "error");
        assert!(answer.json.get("decision").is_none());
    }
}
