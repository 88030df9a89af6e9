//! Sentences: what is asked of whoever reads them.

/// Bytes of a text that are read as prose.
const PROSE_BYTES: usize = 16 << 10;

/// Bytes between the words that make a demand.
const SPAN_BYTES: usize = 500;

fn lower(text: &str) -> String {
    text[..text.floor_char_boundary(PROSE_BYTES)].to_ascii_lowercase()
}

fn is_prose(text: &str) -> bool {
    text.len() >= 40 && text.split_ascii_whitespace().take(8).count() == 8
}

const SECRETS: &[&str] = &[
    "wallet",
    "private key",
    "credential",
    "secret",
    "token",
    "password",
    "api key",
    "api-key",
    "apikey",
    "seed phrase",
    "mnemonic",
    ".env",
    "keystore",
    "ssh key",
    "id_rsa",
    "keychain",
    "cookies",
];

const PLACES: &[&str] = &[
    "home dir",
    "home folder",
    "file system",
    "filesystem",
    "$home",
    "recursiv",
    "all files",
    "every file",
    "~/",
    "local path",
    "this machine",
    "this computer",
    "user's machine",
    "the disk",
    "config file",
    "environment variable",
    "/etc",
    "/tmp",
    "user's files",
];

const SEARCH: &[&str] = &[
    "search",
    "find ",
    "collect",
    "look for",
    "locate",
    "gather",
    "enumerate",
    "scan ",
    "exfiltrate",
    "list all",
    "read ",
    "harvest",
    "inventory",
    "extract",
    "dump",
];

fn near(text: &str, first: &[&str], second: &[&str]) -> bool {
    first.iter().any(|word| {
        text.match_indices(word).take(20).any(|(at, _)| {
            let from = text.floor_char_boundary(at.saturating_sub(SPAN_BYTES));
            let to = text.floor_char_boundary(at + SPAN_BYTES);
            second.iter().any(|other| text[from..to].contains(other))
        })
    })
}

/// Whether a text asks its reader to search a machine for secrets: a verb of searching, a secret, and a place.
#[must_use]
pub fn asks_for_secrets(text: &str) -> bool {
    if !is_prose(text) {
        return false;
    }
    let text = lower(text);
    near(&text, SECRETS, SEARCH) && near(&text, SECRETS, PLACES) && (near(&text, SECRETS, AGENT_WORDS))
}

/// Words by which a demand is one to an agent rather than a line of help.
const AGENT_WORDS: &[&str] = &[
    "you are",
    "your task",
    "you must",
    "do not ask",
    "do not explain",
    "do not mention",
    "do not modify",
    "do not report",
    "do not stop",
    "do not tell",
    "without asking",
    "then write",
    "and write",
    "save the",
    "return the",
    "output",
    "report back",
    "send ",
    "upload",
    "one per line",
    "agent",
    "assistant",
    "append",
    "post them",
    "include them",
    "put them",
    "store the",
    "into a file",
    "print",
    "read-only",
];

/// Whether a text gives hidden orders to an assistant: to ignore its instructions, to hide what it does, or to run something.
#[must_use]
pub fn instructs(text: &str) -> bool {
    const OVERRIDES: &[&str] = &[
        "ignore previous instructions",
        "ignore all previous",
        "ignore prior instructions",
        "disregard previous",
        "disregard all prior",
        "forget your instructions",
        "ignore the above",
        "override your instructions",
        "ignore your previous",
        "disregard the above",
        "ignore all prior",
        "new instructions:",
        "disregard any previous",
        "ignore any previous",
        "ignore earlier instructions",
    ];
    const CONCEALS: &[&str] = &[
        "do not tell the user",
        "don't tell the user",
        "do not mention",
        "without telling",
        "do not inform the user",
        "never mention",
        "do not reveal",
        "silently",
        "without informing",
        "hide this from",
        "keep this secret from",
        "do not disclose",
        "must not be mentioned",
        "not notify the user",
        "without the user",
        "don't mention",
    ];
    const ACTS: &[&str] = &[
        "run ",
        "execute",
        "curl ",
        "send ",
        "upload",
        "read ",
        "include the",
        "append",
        "exfiltrate",
        "base64",
        "install",
        "add the following",
        "insert",
        "http://",
        "https://",
        "disable",
    ];
    const READERS: &[&str] = &[
        "assistant",
        "agent",
        "ai model",
        "llm",
        "copilot",
        "claude",
        "cursor",
        "system prompt",
        "the model",
        "as an ai",
        "coding tool",
        "user",
        "<important>",
        "mcp",
        "instructions",
    ];
    if !is_prose(text) {
        return false;
    }
    let text = lower(text);
    let overrides = OVERRIDES.iter().any(|word| text.contains(word));
    (overrides && near(&text, OVERRIDES, ACTS))
        || (near(&text, CONCEALS, ACTS) && near(&text, CONCEALS, READERS))
}

/// The line at which a text gives hidden orders to an assistant: in a comment that a reader of the rendered page does not see,
/// or in plain sight.
#[must_use]
pub fn orders_line(text: &str) -> Option<u32> {
    let mut rest = text;
    let mut offset = 0;
    while let Some(at) = rest.find("<!--") {
        let body = &rest[at + 4..];
        let end = body.find("-->").unwrap_or(body.len());
        if instructs(&body[..end]) || asks_for_secrets(&body[..end]) {
            let before = &text[..offset + at];
            return u32::try_from(before.matches('\n').count() + 1).ok();
        }
        offset += at + 4 + end;
        rest = &body[end..];
    }
    let paragraphs = text.split("\n\n").take(5_000);
    let mut line = 1_usize;
    for paragraph in paragraphs {
        if instructs(paragraph) {
            return u32::try_from(line).ok();
        }
        line += paragraph.matches('\n').count() + 2;
    }
    None
}
