//! Code of servers: what it tells a model, and what it does with what a model gives it.
//!
//! Two readers, one for each language, walk the tree of a file and tell the same things. Only files that speak of MCP are read.

mod javascript;
mod python;

use super::judge::{Reader, judge};
use super::remark::{Told, What};
use crate::behaviour::facts::cut;

/// Bytes of a file that is read.
const SOURCE_BYTES: usize = 2 << 20;

/// Texts of one file that are judged.
const TEXTS: usize = 4_000;

/// Bytes of all texts of one file that are judged.
const SEEN_BYTES: usize = 4 << 20;

/// Bytes of evidence of one remark.
const EVIDENCE_BYTES: usize = 400;

/// Bytes below which a text cannot ask for anything.
const TEXT_BYTES: usize = 24;

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// Where a model reads it: a description, instructions, a result.
    Told,
    /// Anywhere else.
    Elsewhere,
}

/// What a reader tells of one file.
#[derive(Debug, Default)]
struct Seen {
    texts: Vec<(Stands, String, u32)>,
    remarks: Vec<(What, String, u32)>,
    /// Bytes of all of it.
    bytes: usize,
}

impl Seen {
    fn text(&mut self, stands: Stands, text: &str, offset: u32) {
        if text.len() >= TEXT_BYTES && self.texts.len() < TEXTS && self.bytes < SEEN_BYTES {
            self.bytes += text.len();
            self.texts.push((stands, text.to_owned(), offset));
        }
    }

    fn remark(&mut self, what: What, evidence: impl Into<String>, offset: u32) {
        let mut evidence = evidence.into();
        cut(&mut evidence, EVIDENCE_BYTES);
        if self.remarks.len() < TEXTS {
            self.remarks.push((what, evidence, offset));
        }
    }
}

/// Reads a file with code, if it is one that speaks of MCP.
pub(crate) fn read(path: &str, bytes: &[u8], told: &mut Told) {
    if bytes.len() > SOURCE_BYTES || !speaks_of_mcp(bytes) {
        return;
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let seen = match ending {
        "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "jsx" | "tsx" if !name.contains(".d.") => {
            javascript::read(bytes, path)
        }
        "py" => python::read(bytes),
        _ => None,
    };
    let Some(seen) = seen else { return };
    let line = |offset: u32| {
        let before = &bytes[..bytes.len().min(offset as usize)];
        Some(u32::try_from(memchr::memchr_iter(b'\n', before).count() + 1).unwrap_or(u32::MAX))
    };
    for (stands, text, offset) in &seen.texts {
        let reader = if *stands == Stands::Told { Reader::Tool } else { Reader::Code };
        judge(text, reader)
            .into_iter()
            .for_each(|(what, evidence)| told.on_line(what, "", line(*offset), evidence));
    }
    if let Some(at) = loose_path(bytes) {
        told.on_line(What::LoosePath, "", line(at), "startsWith");
    }
    let asks = asks_who(bytes);
    for (what, evidence, offset) in seen.remarks {
        if !(asks && matches!(what, What::OpenServer(_))) {
            told.on_line(what, "", line(offset), evidence);
        }
    }
}

/// Whether a file is part of a server, by the words that it cannot do without.
pub(crate) fn speaks_of_mcp(bytes: &[u8]) -> bool {
    const WORDS: &[&str] = &["mcp", "MCP", "Mcp", "inputSchema", "registerTool", "tools/list"];
    WORDS.iter().any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
}

/// Whether a file asks its callers who they are, by the words that it cannot do without.
fn asks_who(bytes: &[u8]) -> bool {
    const WORDS: &[&str] = &[
        "uthoriz",
        "earer",
        "requireAuth",
        "authenticate",
        "auth_provider",
        "TokenVerifier",
        "x-api-key",
        "allowedOrigins",
        "timingSafeEqual",
        "compare_digest",
        "auth=",
    ];
    WORDS.iter().any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
}

/// Where a server asks whether a path begins like a folder before it opens it, and nothing makes the path plain before.
fn loose_path(bytes: &[u8]) -> Option<u32> {
    let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    const PLAIN: &[&str] = &[
        "relative(",
        "realpath",
        ".sep",
        "is_relative_to",
        "commonpath",
        "relative_to",
        "/\")",
        "/')",
        "'/'",
        "\"/\"",
    ];
    const OPENS: &[&str] =
        &["readFile", "writeFile", "createReadStream", "open(", "read_text", "unlink", "readdir"];
    if PLAIN.iter().any(|word| has(word)) || !OPENS.iter().any(|word| has(word)) {
        return None;
    }
    for call in [
        "ath.startsWith(",
        "ile.startsWith(",
        "arget.startsWith(",
        "resolved.startsWith(",
        "ath.startswith(",
        "ath).startswith(",
        "arget.startswith(",
    ] {
        if let Some(at) = memchr::memmem::find(bytes, call.as_bytes()) {
            // What is compared with is a folder that has a name, not a letter.
            let argument = bytes.get(at + call.len()).copied().unwrap_or(b')');
            if argument.is_ascii_alphabetic() {
                return u32::try_from(at).ok();
            }
        }
    }
    None
}

/// Keys under which a text is read by a model.
fn is_told(key: &str) -> bool {
    matches!(
        key,
        "description"
            | "instructions"
            | "title"
            | "text"
            | "prompt"
            | "content"
            | "describe"
            | "annotations"
            | "name"
            | "enum"
            | "default"
            | "doc"
    )
}

/// Keys under which everything gets one more recipient.
fn is_copy(key: &str) -> bool {
    matches!(
        key.to_ascii_lowercase().as_str(),
        "bcc" | "cc" | "blind_copy" | "bccaddresses" | "bcc_addresses" | "bccrecipients" | "bcc_recipients"
    )
}

/// Keys of who something goes to.
fn is_recipients(key: &str) -> bool {
    matches!(
        key.to_ascii_lowercase().as_str(),
        "to" | "recipients"
            | "to_addrs"
            | "destinations"
            | "toaddresses"
            | "to_addresses"
            | "to_emails"
            | "rcpt"
            | "envelope"
            | "forward_to"
    )
}

/// Whether a text holds an address of mail that is written out.
fn is_mail(text: &str) -> bool {
    text.split([' ', ',', ';', '<', '>', '"', '\'']).any(|word| {
        word.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && !user.contains('*')
                && host.contains('.')
                && !host.contains('*')
                && !host.starts_with('.')
        })
    })
}

/// Whether a text that code puts together is a command line for a shell, rather than some other text.
fn is_line(text: &str) -> bool {
    text.contains('*') && !text.contains('\n')
}
