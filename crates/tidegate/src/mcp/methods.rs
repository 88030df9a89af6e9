//! What the protocol's methods are, in all of its revisions: which pass, which are recorded, which carry lists that are judged.
//!
//! A method that stands here in no list is refused and not passed on, as a route of a registry is that nothing describes. The
//! configuration can name more.

/// Which list of what a server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What it tells a model about itself.
    Instructions,
    /// Tools.
    Tool,
    /// Prompts.
    Prompt,
}

impl Kind {
    /// The word in the database, in output and in facts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Tool => "tool",
            Self::Prompt => "prompt",
        }
    }

    /// The word of the database, read back.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Instructions, Self::Tool, Self::Prompt].into_iter().find(|kind| kind.as_str() == word)
    }

    /// The member of a result that holds the list.
    pub const fn member(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Tool => "tools",
            Self::Prompt => "prompts",
        }
    }
}

/// How a request of a client is governed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Passes; nothing of it is kept: liveness, levels of logs, capabilities.
    Pass,
    /// Its answer tells what the server is, with instructions for the model.
    Greeting,
    /// Its answer is a list whose entries are judged.
    List(Kind),
    /// Uses one entry of a list, by its name.
    Use(Kind),
    /// Passes and is recorded: data that goes to the server or comes from it.
    Record,
    /// No method of the protocol.
    Unknown,
}

/// How a request of a client is governed.
pub fn of_client(method: &str) -> Rule {
    match method {
        "initialize" | "server/discover" => Rule::Greeting,
        "tools/list" => Rule::List(Kind::Tool),
        "prompts/list" => Rule::List(Kind::Prompt),
        "tools/call" => Rule::Use(Kind::Tool),
        "prompts/get" => Rule::Use(Kind::Prompt),
        "resources/list"
        | "resources/templates/list"
        | "resources/read"
        | "resources/subscribe"
        | "resources/unsubscribe"
        | "completion/complete"
        | "subscriptions/listen"
        | "tasks/get"
        | "tasks/list"
        | "tasks/result"
        | "tasks/update"
        | "tasks/cancel" => Rule::Record,
        "ping" | "logging/setLevel" => Rule::Pass,
        _ => Rule::Unknown,
    }
}

/// Whether a server of an earlier revision may ask this of its client.
pub fn server_may_ask(method: &str) -> Rule {
    match method {
        "ping" => Rule::Pass,
        "sampling/createMessage"
        | "elicitation/create"
        | "roots/list"
        | "tasks/get"
        | "tasks/list"
        | "tasks/result"
        | "tasks/cancel" => Rule::Record,
        _ => Rule::Unknown,
    }
}

/// Whether either side may tell this.
pub fn is_notification(method: &str) -> bool {
    method.starts_with("notifications/")
}

/// Revisions in which every request stands by itself, without a handshake.
pub fn is_stateless(version: &str) -> bool {
    is_date(version) && version >= "2026-07-28"
}

/// Revisions are dates, which sort as text.
fn is_date(version: &str) -> bool {
    version.len() == 10
        && version.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_nothing_describes_are_unknown() {
        assert_eq!(of_client("tools/call"), Rule::Use(Kind::Tool));
        assert_eq!(of_client("server/discover"), Rule::Greeting);
        for unknown in ["Tools/call", "tools/call ", "tools/run", "sampling/createMessage", ""] {
            assert_eq!(of_client(unknown), Rule::Unknown, "{unknown}");
        }
        assert_eq!(server_may_ask("tools/call"), Rule::Unknown);
    }

    #[test]
    fn revisions_are_compared_as_dates() {
        assert!(is_stateless("2026-07-28") && is_stateless("2027-01-01"));
        for earlier in ["2025-11-25", "2024-11-05", "", "latest", "9999", "2026-7-28x"] {
            assert!(!is_stateless(earlier), "{earlier}");
        }
    }
}
