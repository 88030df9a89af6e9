//! Texts of MCP servers.

use super::super::{Catalogue, McpTool, McpToolState, McpToolWord};
use super::{Check, at, sha};

pub(super) const CHECKS: &[Check] = &[("texts of MCP servers are kept one by one", mcp_tools)];

fn mcp_tools(c: &dyn Catalogue) {
    assert_eq!(c.mcp_servers().unwrap(), Vec::<String>::new());
    let seen = McpTool {
        server: "files".to_owned(),
        kind: "tool".to_owned(),
        name: "read".to_owned(),
        digest: sha(1),
        definition: "{\"name\":\"read\"}".to_owned(),
        state: McpToolState::FirstSeen,
        first_seen_at: at(0),
        last_seen_at: at(0),
        word: None,
    };
    let other = McpTool { digest: sha(2), state: McpToolState::Seen, first_seen_at: at(5), ..seen.clone() };
    let elsewhere = McpTool { server: "time".to_owned(), ..seen.clone() };
    c.put_mcp_tools(&[seen.clone(), other.clone(), elsewhere.clone()]).unwrap();
    assert_eq!(c.mcp_servers().unwrap(), ["files", "time"]);
    assert_eq!(c.mcp_tools("files").unwrap(), [seen.clone(), other.clone()]);
    let word = McpToolWord {
        by: "lead".to_owned(),
        at: at(9),
        reason: "read it".to_owned(),
        expires_at: Some(at(90)),
    };
    let approved = McpTool { state: McpToolState::Approved, word: Some(word), last_seen_at: at(8), ..other };
    c.put_mcp_tools(std::slice::from_ref(&approved)).unwrap();
    assert_eq!(c.mcp_tools("files").unwrap(), [seen.clone(), approved.clone()]);
    // What somebody decided on, and what was there at first, is not forgotten with the rest.
    let third = McpTool { digest: sha(3), state: McpToolState::Seen, ..seen.clone() };
    c.put_mcp_tools(std::slice::from_ref(&third)).unwrap();
    c.forget_mcp_tools(&[seen.clone(), approved.clone(), third]).unwrap();
    assert_eq!(c.mcp_tools("files").unwrap(), [seen, approved]);
    assert_eq!(c.mcp_tools("time").unwrap(), [elsewhere]);
    assert_eq!(c.mcp_tools("none").unwrap(), []);
}
