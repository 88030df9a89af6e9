//! What MCP servers offer, text by text: what was seen, what is pinned, who approved it.

use tidegate_model::{Sha256, Timestamp};

use super::CatalogueError;

/// What became of one text of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum McpToolState {
    /// It was there when the server was first seen.
    FirstSeen,
    /// A person approved it.
    Approved,
    /// It came later, or another text took its place; nobody decided on it.
    Seen,
    /// A person took it back.
    Revoked,
}

impl McpToolState {
    /// The word in lists and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstSeen => "first_seen",
            Self::Approved => "approved",
            Self::Seen => "seen",
            Self::Revoked => "revoked",
        }
    }
}

impl std::str::FromStr for McpToolState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::FirstSeen, Self::Approved, Self::Seen, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("`{}` is not first_seen, approved, seen or revoked", word.escape_debug()))
    }
}

/// A person's word on a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpToolWord {
    /// Whose.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Until when an approval stands.
    pub expires_at: Option<Timestamp>,
}

/// One text under which a server offered an entry: a tool, a prompt, its instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpTool {
    /// The server's name.
    pub server: String,
    /// Which list it stands in: `tool`, `prompt`, `instructions`.
    pub kind: String,
    /// The entry's name.
    pub name: String,
    /// Digest of its canonical text.
    pub digest: Sha256,
    /// The text, as JSON; empty where it is too large to be kept.
    pub definition: String,
    /// What became of it.
    pub state: McpToolState,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
    /// A person's word on it, where there is one.
    pub word: Option<McpToolWord>,
}

/// What is known of the texts of MCP servers.
pub trait McpTools: Send + Sync {
    /// Servers of which a text is known, by name.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn mcp_servers(&self) -> Result<Vec<String>, CatalogueError>;

    /// Every known text of a server, by list, name and time.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn mcp_tools(&self, server: &str) -> Result<Vec<McpTool>, CatalogueError>;

    /// Keeps texts, in the place of what was known of the same ones; all or none.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_mcp_tools(&self, tools: &[McpTool]) -> Result<(), CatalogueError>;

    /// Forgets texts on which nobody decided; all or none.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn forget_mcp_tools(&self, tools: &[McpTool]) -> Result<(), CatalogueError>;
}
