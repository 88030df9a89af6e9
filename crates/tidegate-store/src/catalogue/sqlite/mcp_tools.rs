//! Texts of MCP servers.

use rusqlite::{Row, params};

use super::super::{CatalogueError, McpTool, McpToolState, McpToolWord, McpTools};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis};

fn tool(row: &Row<'_>) -> rusqlite::Result<McpTool> {
    let state: String = row.get(5)?;
    let by: Option<String> = row.get(8)?;
    let at = row.get::<_, Option<Millis>>(9)?;
    let reason: Option<String> = row.get(10)?;
    let expires_at = row.get::<_, Option<Millis>>(11)?.map(|at| at.0);
    let word = by.zip(at).map(|(by, at)| McpToolWord {
        by,
        at: at.0,
        reason: reason.unwrap_or_default(),
        expires_at,
    });
    Ok(McpTool {
        server: row.get(0)?,
        kind: row.get(1)?,
        name: row.get(2)?,
        digest: row.get::<_, Bytes32>(3)?.sha256(),
        definition: row.get(4)?,
        state: state.parse::<McpToolState>().map_err(|why| {
            rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, why.into())
        })?,
        first_seen_at: row.get::<_, Millis>(6)?.0,
        last_seen_at: row.get::<_, Millis>(7)?.0,
        word,
    })
}

impl McpTools for SqliteCatalogue {
    fn mcp_servers(&self) -> Result<Vec<String>, CatalogueError> {
        self.read("listing MCP servers", |c| {
            Ok(c.prepare_cached("select distinct server from mcp_tool order by server")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn mcp_tools(&self, server: &str) -> Result<Vec<McpTool>, CatalogueError> {
        self.read("listing what an MCP server offers", |c| {
            Ok(c.prepare_cached(
                "select server, kind, name, digest, definition, state, first_seen_at, last_seen_at, decided_by,
                     decided_at, reason, expires_at
                 from mcp_tool where server = ?1 order by kind, name, first_seen_at, digest",
            )?
            .query_map([server], tool)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn put_mcp_tools(&self, tools: &[McpTool]) -> Result<(), CatalogueError> {
        if tools.is_empty() {
            return Ok(());
        }
        self.write("keeping what an MCP server offers", |c| {
            let mut put = c.prepare_cached(
                "insert or replace into mcp_tool values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?;
            for tool in tools {
                let word = tool.word.as_ref();
                put.execute(params![
                    tool.server,
                    tool.kind,
                    tool.name,
                    Bytes32::from(&tool.digest),
                    tool.definition,
                    tool.state.as_str(),
                    Millis(tool.first_seen_at),
                    Millis(tool.last_seen_at),
                    word.map(|word| &word.by),
                    word.map(|word| Millis(word.at)),
                    word.map(|word| &word.reason),
                    word.and_then(|word| word.expires_at).map(Millis),
                ])?;
            }
            Ok(())
        })
    }

    fn forget_mcp_tools(&self, tools: &[McpTool]) -> Result<(), CatalogueError> {
        if tools.is_empty() {
            return Ok(());
        }
        self.write("forgetting what an MCP server offered", |c| {
            let mut forget = c.prepare_cached(
                "delete from mcp_tool
                 where server = ?1 and kind = ?2 and name = ?3 and digest = ?4 and state = 'seen'",
            )?;
            for tool in tools {
                forget.execute(params![tool.server, tool.kind, tool.name, Bytes32::from(&tool.digest)])?;
            }
            Ok(())
        })
    }
}
