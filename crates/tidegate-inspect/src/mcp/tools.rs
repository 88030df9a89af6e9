//! Lists of tools: what a server tells a model that it can do, each tool with a digest by which it is pinned.
//!
//! The digest is that of the tool's canonical JSON (RFC 8785) with every member but `_meta`, so an approved tool stays approved
//! exactly as long as nothing that a model or a person may see of it changes. It refuses to judge a tool.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::canonical::canonical;

/// Tools of one list that are kept.
pub const TOOLS: usize = 1_000;

/// Bytes of all definitions of one list that are kept for a readable difference.
pub const DEFINITION_BYTES: usize = 256 << 10;

/// Bytes of a name that are kept.
const NAME_BYTES: usize = 256;

/// A tool as a server lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// `sha256:` and the digest of its canonical form.
    pub digest: String,
    /// Its definition without `_meta`, for a readable difference; none where the list is larger than is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Value>,
}

impl Tool {
    /// Reads one entry of `tools`; none where it is no object with a name.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        let members = value.as_object()?;
        let name = members.get("name")?.as_str()?;
        let definition = without_meta(members);
        let name = name[..name.floor_char_boundary(NAME_BYTES)].to_owned();
        Some(Self { name, digest: digest(&definition), definition: Some(definition) })
    }
}

/// A list of tools, in the order in which the server gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ToolList {
    /// The tools.
    pub tools: Vec<Tool>,
    /// What the server tells the model about itself, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Tools beyond [`TOOLS`], and entries that are no tools.
    pub left_out: u64,
}

impl ToolList {
    /// Reads a document that holds a list: the result of `tools/list`, the whole JSON-RPC answer, `{"tools": […]}` with anything
    /// beside it, or the bare list. None where it is none.
    #[must_use]
    pub fn of(document: &Value) -> Option<Self> {
        let (tools, beside) = list_in(document)?;
        let mut list = Self { instructions: instructions_in(beside), ..Self::default() };
        let mut bytes = 0;
        for value in tools {
            match Tool::of(value).filter(|_| list.tools.len() < TOOLS) {
                Some(mut tool) => {
                    bytes += tool.definition.as_ref().map_or(0, size);
                    if bytes > DEFINITION_BYTES {
                        tool.definition = None;
                    }
                    list.tools.push(tool);
                }
                None => list.left_out += 1,
            }
        }
        Some(list)
    }

    /// Digest of the whole: of the digests of all tools in the order of their names, and of the instructions. The order in which a
    /// server lists its tools says nothing.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut tools: Vec<(&str, &str)> =
            self.tools.iter().map(|tool| (tool.name.as_str(), tool.digest.as_str())).collect();
        tools.sort_unstable();
        digest(&serde_json::json!({ "instructions": self.instructions, "tools": tools }))
    }

    /// A tool by its name.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }
}

/// `sha256:` and the digest of the canonical form of a value.
#[must_use]
pub fn digest(value: &Value) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(canonical(value).as_bytes())))
}

fn without_meta(members: &Map<String, Value>) -> Value {
    members
        .iter()
        .filter(|(key, _)| *key != "_meta")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}

fn size(value: &Value) -> usize {
    canonical(value).len()
}

/// A list of tools, and the object that it stands in.
type Held<'a> = (&'a Vec<Value>, Option<&'a Map<String, Value>>);

/// The list, and the object that it stands in.
fn list_in(document: &Value) -> Option<Held<'_>> {
    if let Value::Array(list) = document {
        return list.first().is_some_and(is_tool).then_some((list, None));
    }
    let whole = document.as_object()?;
    for holder in [Some(document), whole.get("result")].into_iter().flatten() {
        if let Some(Value::Array(list)) = holder.get("tools")
            && (list.first().is_some_and(is_tool) || list.is_empty() && whole.contains_key("jsonrpc"))
        {
            return Some((list, holder.as_object()));
        }
    }
    None
}

/// Whether an object is what MCP calls a tool; other things are called tools as well.
fn is_tool(value: &Value) -> bool {
    let has_text = |key: &str| value.get(key).is_some_and(Value::is_string);
    has_text("name")
        && (value.get("inputSchema").is_some_and(Value::is_object)
            || value.get("input_schema").is_some_and(Value::is_object)
            || has_text("description"))
}

fn instructions_in(holder: Option<&Map<String, Value>>) -> Option<String> {
    let text = holder?.get("instructions")?.as_str()?;
    Some(text[..text.floor_char_boundary(DEFINITION_BYTES)].to_owned())
}
