//! A tool is not what it was when somebody approved it.
//!
//! A server may change what it tells the model at any time, long after everybody got used to it. Each tool is compared by the digest of its
//! canonical form, and what differs is shown part by part.
//!
//! **What to do:** read the difference, and approve it or stay with the earlier version.
//!
//! **Limits:** words alone are told as low, unless they steer the model where the words before did not; a new parameter for a credential is told as high. The door holds every change of a pinned tool, whatever it weighs.
//!
//! **Example:** a new parameter `context` beside `a` and `b`.

use super::super::change::{Kind, Part, ToolChange, Weight};
use super::common::*;
use crate::behaviour::words::is_secret_variable;

pub(super) const DETECTOR: McpDetector = McpDetector {
    id: "mcp/tool-changed",
    title: "a tool is not what it was",
    severity: High,
    judge: |_| None,
};

/// What a change means.
pub(super) fn of(change: &ToolChange) -> Option<Judged> {
    let name = shown(&change.tool);
    match &change.kind {
        Kind::Added => judged((Low, Sure), format!("the tool `{name}` is new")),
        Kind::Removed => judged((Info, Sure), format!("the tool `{name}` is gone")),
        Kind::Changed(parts) => {
            let grade = match change.weight() {
                Weight::Wording => (Info, Sure),
                Weight::Told => (Low, Sure),
                Weight::Form => (Medium, Sure),
            };
            let wants = |part: &&Part| part.before.is_none() && asks_for_secret(&part.path);
            let grade = if parts.iter().any(|part| wants(&part)) { (High, Likely) } else { grade };
            let paths: Vec<&str> = parts.iter().map(|part| part.path.as_str()).take(5).collect();
            let what =
                if paths.is_empty() { String::new() } else { format!(": {}", shown(&paths.join(", "))) };
            judged(grade, format!("the tool `{name}` is not what it was{what}"))
        }
    }
}

/// Whether a part is a new parameter that takes a credential.
fn asks_for_secret(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    parts.next() == Some("properties") && is_secret_variable(name)
}
