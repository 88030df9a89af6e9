//! How the text of an entry stands to what was approved. Pure: from what is kept to a word, and to what is kept from now on.

use tidegate_model::{Sha256, Timestamp};
use tidegate_store::catalogue::{McpTool, McpToolState};

use super::methods::Kind;

/// How long after its first entry of a list a server counts as first seen: as long as a client takes to ask for every page of it.
pub const FIRST_SIGHT_SECONDS: i64 = 60;

/// Texts of one entry on which nobody decided that are kept; the oldest are forgotten.
pub const MAX_SEEN: usize = 8;

/// Texts of one server.
pub const MAX_ENTRIES: usize = 4_000;

/// The largest text of an entry, in bytes; a larger one is none.
pub const MAX_DEFINITION_BYTES: usize = 256 << 10;

/// Texts of one server that are kept, in bytes.
pub const MAX_KEPT_BYTES: usize = 16 << 20;

/// How a text stands to what was approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pin {
    /// It was there at first, and nobody decided on it.
    FirstSeen,
    /// A person approved it.
    Approved,
    /// Another text stood in its place.
    Changed,
    /// It came later.
    New,
    /// It was approved until a time that has passed.
    Expired,
    /// A person took it back.
    Revoked,
}

impl Pin {
    /// The word in facts and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstSeen => "first_seen",
            Self::Approved => "approved",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// An entry as it is offered now.
#[derive(Clone, Debug)]
pub struct Offered {
    /// Which list.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Digest of its canonical text.
    pub digest: Sha256,
    /// Its canonical text.
    pub definition: String,
}

/// How a text that is kept stands; `known` is everything that is kept of its server.
pub fn of_kept(tool: &McpTool, known: &[McpTool], now: Timestamp) -> Pin {
    match tool.state {
        McpToolState::FirstSeen => Pin::FirstSeen,
        McpToolState::Revoked => Pin::Revoked,
        McpToolState::Approved => {
            let ended = tool.word.as_ref().and_then(|word| word.expires_at).is_some_and(|end| end <= now);
            if ended { Pin::Expired } else { Pin::Approved }
        }
        McpToolState::Seen => {
            let before = known.iter().any(|other| {
                other.kind == tool.kind
                    && other.name == tool.name
                    && other.digest != tool.digest
                    && other.state != McpToolState::Seen
            });
            if before { Pin::Changed } else { Pin::New }
        }
    }
}

/// Takes note of an entry that is offered, and says how it stands. `known` is everything that is kept of the server, and is
/// brought up to date; none where there are more entries than are kept.
pub fn note(
    known: &mut Vec<McpTool>,
    server: &str,
    offered: &Offered,
    now: Timestamp,
) -> Option<(Pin, McpTool)> {
    let kind = offered.kind.as_str();
    let same =
        |tool: &&mut McpTool| tool.kind == kind && tool.name == offered.name && tool.digest == offered.digest;
    if let Some(tool) = known.iter_mut().find(same) {
        tool.last_seen_at = now;
        let tool = tool.clone();
        return Some((of_kept(&tool, known, now), tool));
    }
    let bytes: usize = known.iter().map(|tool| tool.definition.len()).sum();
    if known.len() >= MAX_ENTRIES || bytes + offered.definition.len() > MAX_KEPT_BYTES {
        return None;
    }
    let state = if is_first_sight(known, kind, &offered.name, now) {
        McpToolState::FirstSeen
    } else {
        McpToolState::Seen
    };
    let tool = McpTool {
        server: server.to_owned(),
        kind: kind.to_owned(),
        name: offered.name.clone(),
        digest: offered.digest,
        definition: offered.definition.clone(),
        state,
        first_seen_at: now,
        last_seen_at: now,
        word: None,
    };
    known.push(tool.clone());
    Some((of_kept(&tool, known, now), tool))
}

/// Whether a list is still being seen for the first time: nobody decided on any of it, its first entry is fresh, and this name
/// stood for no other text.
fn is_first_sight(known: &[McpTool], kind: &str, name: &str, now: Timestamp) -> bool {
    let of_list = || known.iter().filter(|tool| tool.kind == kind);
    of_list().all(|tool| {
        tool.name != name
            && tool.state == McpToolState::FirstSeen
            && now.seconds_since(tool.first_seen_at) < FIRST_SIGHT_SECONDS
    })
}

/// Texts that are kept no longer: of each entry all but the last on which nobody decided.
pub fn forgotten(known: &[McpTool]) -> Vec<McpTool> {
    let mut seen: Vec<&McpTool> = known.iter().filter(|tool| tool.state == McpToolState::Seen).collect();
    seen.sort_by_key(|tool| (tool.kind.as_str(), tool.name.as_str(), std::cmp::Reverse(tool.last_seen_at)));
    let mut out = Vec::new();
    let mut run = 0;
    for (at, tool) in seen.iter().enumerate() {
        let same = at > 0 && (&seen[at - 1].kind, &seen[at - 1].name) == (&tool.kind, &tool.name);
        run = if same { run + 1 } else { 0 };
        if run >= MAX_SEEN {
            out.push((*tool).clone());
        }
    }
    out
}

/// The text under which each entry was last seen.
pub fn current(known: &[McpTool]) -> Vec<&McpTool> {
    let mut last: Vec<&McpTool> = Vec::new();
    for tool in known {
        match last.iter_mut().find(|other| other.kind == tool.kind && other.name == tool.name) {
            Some(other) if tool.last_seen_at >= other.last_seen_at => *other = tool,
            Some(_) => {}
            None => last.push(tool),
        }
    }
    last
}

/// The text with which that of an entry is compared: the approved one, else the one first seen.
pub fn pinned<'a>(known: &'a [McpTool], tool: &McpTool) -> Option<&'a McpTool> {
    let others = || known.iter().filter(|other| other.kind == tool.kind && other.name == tool.name);
    others()
        .find(|other| other.state == McpToolState::Approved)
        .or_else(|| others().find(|other| other.state == McpToolState::FirstSeen))
        .or_else(|| others().find(|other| other.state == McpToolState::Revoked))
}

#[cfg(test)]
mod tests {
    use tidegate_store::catalogue::McpToolWord;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds)
    }

    fn offered(name: &str, text: u8) -> Offered {
        let digest = Sha256::new([text; 32]);
        Offered { kind: Kind::Tool, name: name.into(), digest, definition: format!("{{\"n\":{text}}}") }
    }

    fn pin(known: &mut Vec<McpTool>, name: &str, text: u8, seconds: i64) -> Pin {
        note(known, "files", &offered(name, text), at(seconds)).unwrap().0
    }

    #[test]
    fn the_first_minute_is_taken_as_it_is_and_no_longer() {
        let mut known = Vec::new();
        assert_eq!(pin(&mut known, "read", 1, 0), Pin::FirstSeen);
        assert_eq!(pin(&mut known, "write", 2, FIRST_SIGHT_SECONDS - 1), Pin::FirstSeen, "the next page");
        assert_eq!(pin(&mut known, "read", 3, 1), Pin::Changed, "even then one name has one text");
        assert_eq!(pin(&mut known, "late", 4, 2), Pin::New, "and nothing is first after that");
        let mut known = Vec::new();
        assert_eq!(pin(&mut known, "read", 1, 0), Pin::FirstSeen);
        assert_eq!(pin(&mut known, "late", 4, FIRST_SIGHT_SECONDS), Pin::New);
        assert_eq!(pin(&mut known, "read", 1, 9_999), Pin::FirstSeen, "the same text stays what it was");
        let other = Offered { kind: Kind::Prompt, ..offered("read", 9) };
        assert_eq!(note(&mut known, "files", &other, at(9_999)).unwrap().0, Pin::FirstSeen, "another list");
    }

    #[test]
    fn what_a_person_said_holds_until_it_ends() {
        let mut known = Vec::new();
        pin(&mut known, "read", 1, 0);
        known[0].state = McpToolState::Approved;
        known[0].word =
            Some(McpToolWord { by: "a".into(), at: at(1), reason: "r".into(), expires_at: Some(at(100)) });
        assert_eq!(pin(&mut known, "read", 1, 99), Pin::Approved);
        assert_eq!(pin(&mut known, "read", 1, 100), Pin::Expired);
        assert_eq!(pin(&mut known, "read", 2, 5), Pin::Changed);
        assert_eq!(pin(&mut known, "other", 2, 5), Pin::New, "an approved list is not at first sight");
        known[0].state = McpToolState::Revoked;
        assert_eq!(pin(&mut known, "read", 1, 5), Pin::Revoked);
        assert_eq!(pin(&mut known, "read", 2, 5), Pin::Changed);
    }

    #[test]
    fn a_server_that_changes_all_the_time_fills_nothing() {
        let mut known = Vec::new();
        for text in 0..50 {
            pin(&mut known, "read", text, i64::from(text));
        }
        let gone = forgotten(&known);
        assert_eq!(gone.len(), 49 - MAX_SEEN);
        assert!(
            gone.iter().all(|tool| tool.state == McpToolState::Seen && tool.digest != Sha256::new([49; 32]))
        );
        assert_eq!(current(&known)[0].digest, Sha256::new([49; 32]));
        assert_eq!(pinned(&known, current(&known)[0]).unwrap().digest, Sha256::new([0; 32]));
    }
}
