//! Facts as a document: the schema, and a reader that turns what it cannot read into gaps.

use serde_json::{Map, Value};
use tidegate_model::facts::{FactState, Facts};

/// The JSON Schema (2020-12) of `tidegate/facts/v1`.
pub fn facts_schema() -> Value {
    serde_json::to_value(schemars::schema_for!(Facts)).expect("a schema is JSON")
}

/// A document that holds no facts at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFacts {
    /// It is not a JSON object.
    #[error("a facts document is a JSON object, not {0}")]
    NotAnObject(&'static str),
    /// A value that identifies the artifact, the principal or the request cannot be read.
    #[error("`{group}` cannot be read: {why}")]
    Group {
        /// Which group.
        group: String,
        /// What is wrong with it.
        why: String,
    },
}

const PLAIN: [&str; 4] = ["artifact", "principal", "repository", "request"];

/// Reads facts from JSON. A group with a value of the wrong type, or one that cannot be parsed, reads as `error` and so
/// as unknown; what else can be read of it is kept, since a recorded finding stays a finding. The texts say what was
/// wrong.
///
/// # Errors
/// [`InvalidFacts`] where the document is none, or says wrongly what it is about.
pub fn read_facts(document: Value) -> Result<(Facts, Vec<String>), InvalidFacts> {
    let mut groups = match document {
        Value::Object(map) => map,
        Value::Array(_) => return Err(InvalidFacts::NotAnObject("a list")),
        _ => return Err(InvalidFacts::NotAnObject("a single value")),
    };
    let mut problems = Vec::new();
    for (name, group) in &mut groups {
        if readable(name, group) {
            continue;
        }
        if PLAIN.contains(&name.as_str()) {
            let why = why(name, group);
            return Err(InvalidFacts::Group { group: name.clone(), why });
        }
        let why = why(name, group);
        problems.push(format!("`{name}`: {why}"));
        *group = salvaged(name, group, &why);
    }
    let whole = Value::Object(groups);
    match serde_json::from_value(whole) {
        Ok(facts) => Ok((facts, problems)),
        Err(e) => Err(InvalidFacts::Group { group: "facts".to_owned(), why: e.to_string() }),
    }
}

fn alone(name: &str, group: &Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), group.clone())]))
}

fn readable(name: &str, group: &Value) -> bool {
    serde_json::from_value::<Facts>(alone(name, group)).is_ok()
}

fn why(name: &str, group: &Value) -> String {
    serde_json::from_value::<Facts>(alone(name, group)).err().map_or_else(String::new, |e| e.to_string())
}

/// The group as `error`, with those parts of its value that can be read.
fn salvaged(name: &str, group: &Value, why: &str) -> Value {
    let envelope = |value: Option<Value>| {
        let mut out = Map::new();
        out.insert("state".to_owned(), FactState::Error.as_str().into());
        out.insert("why".to_owned(), why.into());
        out.extend(value.map(|v| ("value".to_owned(), v)));
        Value::Object(out)
    };
    let Some(Value::Object(value)) = group.get("value") else { return envelope(None) };
    let mut kept = Map::new();
    for (field, content) in value {
        let content = match content {
            Value::Array(items) => {
                let fits = |i: &&Value| {
                    let one = Value::Array(vec![(*i).clone()]);
                    readable(name, &envelope(Some(Value::Object(Map::from_iter([(field.clone(), one)])))))
                };
                let parts = items.iter().filter_map(|i| match i {
                    item if fits(&item) => Some(item.clone()),
                    Value::Object(fields) => Some(fitting(name, field, fields, &envelope)),
                    _ => None,
                });
                Value::Array(parts.collect())
            }
            other => other.clone(),
        };
        let one = envelope(Some(Value::Object(Map::from_iter([(field.clone(), content.clone())]))));
        if readable(name, &one) {
            kept.insert(field.clone(), content);
        }
    }
    envelope(Some(Value::Object(kept)))
}

/// One item of a list without the fields that do not fit.
fn fitting(
    name: &str,
    list: &str,
    fields: &Map<String, Value>,
    envelope: &impl Fn(Option<Value>) -> Value,
) -> Value {
    let keep = fields.iter().filter(|(field, content)| {
        let item = Value::Object(Map::from_iter([((*field).clone(), (*content).clone())]));
        let value = Value::Object(Map::from_iter([(list.to_owned(), Value::Array(vec![item]))]));
        readable(name, &envelope(Some(value)))
    });
    Value::Object(keep.map(|(f, c)| (f.clone(), c.clone())).collect())
}
