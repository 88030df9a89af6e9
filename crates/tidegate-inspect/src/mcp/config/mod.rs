//! Files by which clients, editors and assistants are told what to start: lists of servers in their several forms, hooks, tasks,
//! settings of a folder.
//!
//! What such a file starts, it starts without being asked again. Nothing of it is run or asked for here.

mod command;
mod environment;
mod folder;
mod packages;
mod servers;

use serde_json::Value;

use super::remark::Told;

pub(crate) use folder::weak;
pub(crate) use servers::server;

/// Entries of one list or object that are read.
pub(super) const ENTRIES: usize = 500;

/// Reads a document that is a configuration; tells whether it was one.
pub(crate) fn read(document: &Value, path: &str, told: &mut Told) -> bool {
    let servers = servers::read(document, told);
    let folder = folder::read(document, path, told);
    servers || folder
}

/// Reads a configuration in TOML, as some clients have it.
pub(crate) fn read_toml(text: &str, told: &mut Told) -> bool {
    const MARK: &str = "mcp_servers";
    if !text.contains(MARK) {
        return false;
    }
    let Ok(table) = text.parse::<toml::Table>() else { return false };
    let Ok(document) = serde_json::to_value(table) else { return false };
    servers::read(&document, told)
}
