//! What is pinned of each server, how what it offers now differs, and a person's word on it.

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_inspect::mcp::change;
use tidegate_inspect::mcp::tools::{Tool, ToolList};
use tidegate_ledger::Body;
use tidegate_ledger::entry::{QuarantineChange, QuarantineOperation};
use tidegate_model::Timestamp;
use tidegate_store::catalogue::{McpTool, McpToolState, McpToolWord};

use super::super::Handled;
use super::super::call::{Call, append};
use super::super::problem::Problem;
use super::{server_of, words};
use crate::mcp::facts::{REPOSITORY, purl_of};
use crate::mcp::gate::Server;
use crate::mcp::pins::{self, Pin};

/// The longest reason, in bytes.
const MAX_REASON_BYTES: usize = 2_000;

/// Servers, with how many of their entries stand how.
pub(crate) async fn list(call: &Call) -> Handled {
    let now = call.now;
    call.blocking(move |door| {
        let catalogue = &*door.store.catalogue;
        let mut servers = Vec::new();
        for server in catalogue.mcp_servers()? {
            let known = catalogue.mcp_tools(&server)?;
            let current = pins::current(&known);
            let count =
                |pin: Pin| current.iter().filter(|tool| pins::of_kept(tool, &known, now) == pin).count();
            servers.push(json!({
                "server": server, "entries": current.len(),
                "approved": count(Pin::Approved), "first_seen": count(Pin::FirstSeen),
                "changed": count(Pin::Changed), "new": count(Pin::New), "expired": count(Pin::Expired),
                "revoked": count(Pin::Revoked),
                "last_seen_at": current.iter().map(|tool| tool.last_seen_at).max(),
            }));
        }
        Ok(json!({ "servers": servers }))
    })
    .await
}

/// Every entry of a server, under the text that it was last seen with.
pub(crate) async fn show(call: &Call) -> Handled {
    let (server, now) = (server_of(call)?, call.now);
    let known = known(call, &server).await?;
    let entries: Vec<Value> =
        pins::current(&known).into_iter().map(|tool| shown(tool, &known, now)).collect();
    Ok(json!({ "server": server, "entries": entries }))
}

/// What differs between what is pinned and what is offered, for people.
pub(crate) async fn diff(call: &Call) -> Handled {
    let server = server_of(call)?;
    let item = call.param("item").map(str::to_owned);
    let now = call.now;
    let known = known(call, &server).await?;
    let mut changes = Vec::new();
    for tool in pins::current(&known) {
        let pin = pins::of_kept(tool, &known, now);
        if !matches!(pin, Pin::Changed | Pin::New) || item.as_ref().is_some_and(|item| *item != tool.name) {
            continue;
        }
        let before = pins::pinned(&known, tool);
        // Of a new entry everything is told: compared with one that has a name and nothing else.
        let nothing = list_from(&tool.name, "", json!({ "name": tool.name }));
        let before_list = before.map_or(nothing, list_of);
        let text = change::compare(&before_list, &list_of(tool));
        let text: Vec<String> = text.iter().map(ToString::to_string).collect();
        changes.push(json!({
            "kind": tool.kind, "item": tool.name, "pin": pin.as_str(), "digest": tool.digest.to_string(),
            "pinned_digest": before.map(|before| before.digest.to_string()), "difference": text.join("\n"),
            "definition": definition(tool),
        }));
    }
    Ok(json!({ "server": server, "changes": changes }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    server: String,
    /// Entries; all of them where it names none.
    #[serde(default)]
    items: Vec<String>,
    /// The text that was read, where one is meant: another is not approved by it.
    digest: Option<String>,
    reason: String,
    expires_in_seconds: Option<u32>,
}

/// Approves the text under which entries were last seen.
pub(crate) async fn approve(call: &Call) -> Handled {
    say(call, true).await
}

/// Takes an approval back, or refuses what was first seen.
pub(crate) async fn revoke(call: &Call) -> Handled {
    say(call, false).await
}

async fn say(call: &Call, approves: bool) -> Handled {
    let said: Said = call.document()?;
    if said.reason.trim().is_empty() || said.reason.len() > MAX_REASON_BYTES {
        return Err(Problem::bad("the reason is empty or too long", "say why, for whoever looks later"));
    }
    let known = known(call, &said.server).await?;
    let chosen: Vec<&McpTool> = pins::current(&known)
        .into_iter()
        .filter(|tool| said.items.is_empty() || said.items.contains(&tool.name))
        .filter(|tool| said.digest.as_ref().is_none_or(|digest| *digest == tool.digest.to_string()))
        .collect();
    let missing: Vec<String> =
        said.items.iter().filter(|item| chosen.iter().all(|tool| tool.name != **item)).cloned().collect();
    if !missing.is_empty() || chosen.is_empty() {
        return Err(Problem::not_found(
            format!(
                "{} offers no such entry under that text: {}",
                said.server.escape_debug(),
                missing.join(", ")
            ),
            "`tidegate mcp show` lists what it offers; it may have changed again",
        ));
    }
    let expires_at = said.expires_in_seconds.map(|seconds| call.now.plus_seconds(i64::from(seconds)));
    let word = McpToolWord {
        by: call.actor.name().to_owned(),
        at: call.now,
        reason: said.reason.clone(),
        expires_at: expires_at.filter(|_| approves),
    };
    let state = if approves { McpToolState::Approved } else { McpToolState::Revoked };
    let mut kept: Vec<McpTool> = Vec::new();
    for tool in &chosen {
        kept.push(McpTool { state, word: Some(word.clone()), ..(*tool).clone() });
        // Only one text of an entry is the approved one.
        let others = known.iter().filter(|other| {
            other.kind == tool.kind
                && other.name == tool.name
                && other.digest != tool.digest
                && matches!(other.state, McpToolState::Approved | McpToolState::FirstSeen)
        });
        if approves {
            kept.extend(others.map(|other| McpTool { state: McpToolState::Seen, ..other.clone() }));
        }
    }
    let names: Vec<String> = chosen.iter().map(|tool| tool.name.clone()).collect();
    record(call, &said.server, &chosen, approves).await?;
    call.blocking(move |door| Ok(door.store.catalogue.put_mcp_tools(&kept)?)).await?;
    Ok(json!({
        "server": said.server, "items": words(&names), "state": state.as_str(), "expires_at": word.expires_at,
    }))
}

/// Each text stands in the ledger as released or blocked by whoever said so, before it counts.
async fn record(call: &Call, server: &str, chosen: &[&McpTool], approves: bool) -> Result<(), Problem> {
    let actor = call.pseudonym().await?;
    let purl = purl_of(&Server { name: server.to_owned(), ..Server::default() });
    for tool in chosen {
        let change = QuarantineChange {
            operation: if approves { QuarantineOperation::Release } else { QuarantineOperation::Block },
            actor,
            repository: REPOSITORY.into(),
            purl: purl.as_str().into(),
            file: Some(format!("{}:{}", tool.kind, tool.name).into()),
            sha256: Some(tool.digest),
            decision: None,
        };
        append(call, Body::Quarantine(Box::new(change))).await?;
    }
    Ok(())
}

async fn known(call: &Call, server: &str) -> Result<Vec<McpTool>, Problem> {
    let name = server.to_owned();
    let known = call.blocking(move |door| Ok(door.store.catalogue.mcp_tools(&name)?)).await?;
    if known.is_empty() {
        return Err(Problem::not_found(
            format!("no server `{}` was seen here", server.escape_debug()),
            "`tidegate mcp list` shows those that were",
        ));
    }
    Ok(known)
}

fn definition(tool: &McpTool) -> Value {
    serde_json::from_str(&tool.definition).unwrap_or_default()
}

fn list_of(tool: &McpTool) -> ToolList {
    list_from(&tool.name, &tool.digest.to_string(), definition(tool))
}

fn list_from(name: &str, digest: &str, definition: Value) -> ToolList {
    let tool = Tool { name: name.to_owned(), digest: digest.to_owned(), definition: Some(definition) };
    ToolList { tools: vec![tool], ..ToolList::default() }
}

fn shown(tool: &McpTool, known: &[McpTool], now: Timestamp) -> Value {
    let word = tool.word.as_ref();
    json!({
        "kind": tool.kind, "item": tool.name, "pin": pins::of_kept(tool, known, now).as_str(),
        "digest": tool.digest.to_string(), "first_seen_at": tool.first_seen_at, "last_seen_at": tool.last_seen_at,
        "by": word.map(|word| &word.by), "at": word.map(|word| word.at), "reason": word.map(|word| &word.reason),
        "expires_at": word.and_then(|word| word.expires_at), "definition": definition(tool),
    })
}
