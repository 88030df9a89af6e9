//! What changed between two lists of tools, in words that a person can read.
//!
//! Each difference has a weight: words alone weigh little, what a tool takes or is allowed weighs more. Whether a change is let
//! through is not decided here.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::canonical::canonical;
use super::tools::{Tool, ToolList};

/// Changes of one comparison.
const CHANGES: usize = 200;

/// Parts of one tool that are compared.
const PARTS: usize = 200;

/// Depth to which schemas are compared part by part.
const DEPTH: usize = 24;

/// Characters of a text that are shown of each side.
const SHOWN_CHARS: usize = 240;

/// Name of the change that is about the server's own instructions.
pub const INSTRUCTIONS: &str = "(instructions of the server)";

/// How much a change weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Words for people: a title, an icon, an example.
    Wording,
    /// Words that a model acts on.
    Told,
    /// What the tool takes, gives or says that it does to the world.
    Form,
}

/// One part of a tool that differs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Part {
    /// Where: `description`, `inputSchema/properties/path/description`.
    pub path: String,
    /// As it was, none where it is new.
    pub before: Option<String>,
    /// As it is, none where it is gone.
    pub after: Option<String>,
    /// How much it weighs.
    pub weight: Weight,
}

/// What happened to a tool.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed(Vec<Part>),
}

/// A tool that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ToolChange {
    /// The tool, or [`INSTRUCTIONS`].
    pub tool: String,
    /// What happened.
    pub kind: Kind,
}

impl ToolChange {
    /// The heaviest of its parts.
    #[must_use]
    pub fn weight(&self) -> Weight {
        match &self.kind {
            Kind::Added => Weight::Form,
            Kind::Removed => Weight::Wording,
            Kind::Changed(parts) => parts.iter().map(|part| part.weight).max().unwrap_or(Weight::Form),
        }
    }
}

/// Some lines: the tool, then each part as `-` and `+`.
impl fmt::Display for ToolChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = shown(&self.tool);
        match &self.kind {
            Kind::Added => write!(f, "{name}: new"),
            Kind::Removed => write!(f, "{name}: gone"),
            Kind::Changed(parts) => {
                write!(f, "{name}: changed")?;
                for part in parts {
                    write!(f, "\n  {}", shown(&part.path))?;
                    if let Some(before) = &part.before {
                        write!(f, "\n  - {}", shown(before))?;
                    }
                    if let Some(after) = &part.after {
                        write!(f, "\n  + {}", shown(after))?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// What changed, in the order of the names.
#[must_use]
pub fn compare(previous: &ToolList, current: &ToolList) -> Vec<ToolChange> {
    let names: BTreeSet<&str> =
        previous.tools.iter().chain(&current.tools).map(|tool| tool.name.as_str()).collect();
    let mut changes = Vec::new();
    if previous.instructions != current.instructions {
        let part = Part {
            path: "instructions".to_owned(),
            before: previous.instructions.clone(),
            after: current.instructions.clone(),
            weight: Weight::Told,
        };
        changes.push(ToolChange { tool: INSTRUCTIONS.to_owned(), kind: Kind::Changed(vec![part]) });
    }
    for name in names {
        if changes.len() >= CHANGES {
            break;
        }
        let kind = match (previous.tool(name), current.tool(name)) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            (Some(before), Some(after)) if before.digest != after.digest => {
                Kind::Changed(parts(before, after))
            }
            _ => continue,
        };
        changes.push(ToolChange { tool: name.to_owned(), kind });
    }
    changes
}

/// The parts of a tool that differ; none where a definition was too large to be kept.
fn parts(before: &Tool, after: &Tool) -> Vec<Part> {
    let mut parts = Vec::new();
    if let (Some(before), Some(after)) = (&before.definition, &after.definition) {
        differ("", before, after, 0, &mut parts);
    }
    parts
}

fn differ(path: &str, before: &Value, after: &Value, depth: usize, parts: &mut Vec<Part>) {
    if before == after || parts.len() >= PARTS {
        return;
    }
    if let (Value::Object(old), Value::Object(new)) = (before, after)
        && depth < DEPTH
    {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}/{key}") };
            match (old.get(key), new.get(key)) {
                (Some(old), Some(new)) => differ(&path, old, new, depth + 1, parts),
                (old, new) => push(path, old, new, parts),
            }
        }
        return;
    }
    push(path.to_owned(), Some(before), Some(after), parts);
}

fn push(path: String, before: Option<&Value>, after: Option<&Value>, parts: &mut Vec<Part>) {
    let before = before.map(plain);
    let after = after.map(plain);
    // `1` and `1.0` are the same number.
    if parts.len() < PARTS && before != after {
        let weight = weight(&path);
        parts.push(Part { path, before, after, weight });
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| canonical(value), str::to_owned)
}

fn weight(path: &str) -> Weight {
    let last = path.rsplit('/').next().unwrap_or_default();
    // A parameter may have any of these names.
    let is_parameter = path.rsplit('/').nth(1) == Some("properties");
    match last {
        _ if is_parameter => Weight::Form,
        "description" => Weight::Told,
        "title" | "$comment" | "examples" | "icons" => Weight::Wording,
        _ => Weight::Form,
    }
}

/// A text on one line, with what nobody sees written out.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at >= SHOWN_CHARS {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            c if c.is_control() || super::hidden::is_hidden(c) => {
                out.push_str(&format!("\\u{{{:x}}}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "values are written where they are used")]
mod tests {
    use serde_json::json;

    use super::*;

    fn list(tools: Value) -> ToolList {
        ToolList::of(&json!({ "tools": tools })).unwrap()
    }

    fn tool(description: &str, properties: Value) -> Value {
        json!({ "name": "add", "description": description, "inputSchema": { "type": "object", "properties": properties } })
    }

    #[test]
    fn what_changed_is_told_part_by_part() {
        let before = list(
            json!([tool("Adds.", json!({ "a": { "type": "number" } })), { "name": "old", "description": "x" }]),
        );
        let after = list(
            json!([tool("Adds two.", json!({ "a": { "type": "number", "title": "A" }, "note": { "type": "string" } })), { "name": "new", "description": "x" }]),
        );
        let changes = compare(&before, &after);
        let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "add: changed\n  description\n  - Adds.\n  + Adds two.\n  inputSchema/properties/a/title\n  + A\n  inputSchema/properties/note\n  + {\"type\":\"string\"}",
                "new: new",
                "old: gone"
            ]
        );
        assert_eq!(changes[0].weight(), Weight::Form);
        assert_eq!(changes[2].weight(), Weight::Wording);
    }

    #[test]
    fn order_meta_and_ways_to_write_a_number_change_nothing() {
        let before = list(
            json!([{ "name": "a", "description": "d", "inputSchema": { "default": 1 } }, { "name": "b", "description": "d" }]),
        );
        let after = list(
            json!([{ "description": "d", "name": "b", "_meta": { "n": 1 } }, { "inputSchema": { "default": 1.0 }, "name": "a", "description": "d" }]),
        );
        assert_eq!(compare(&before, &after), []);
        assert_eq!(before.digest(), after.digest());
        let other = list(
            json!([{ "name": "a", "description": "d\u{200b}", "inputSchema": { "default": 1 } }, { "name": "b", "description": "d" }]),
        );
        assert_ne!(before.digest(), other.digest());
        assert!(compare(&before, &other)[0].to_string().contains("+ d\\u{200b}"));
    }

    #[test]
    fn instructions_are_part_of_the_list() {
        let with = |text: &str| {
            ToolList::of(&json!({ "tools": [{ "name": "a", "description": "d" }], "instructions": text }))
                .unwrap()
        };
        let changes = compare(&with("one"), &with("two"));
        assert_eq!(
            changes[0].to_string(),
            format!("{INSTRUCTIONS}: changed\n  instructions\n  - one\n  + two")
        );
        assert_eq!(changes[0].weight(), Weight::Told);
    }
}
