//! What signals of one text mean together.

use super::hidden::{self, Hidden};
use super::remark::What;
use super::words::{self, Signal, Signals};
use crate::behaviour::languages::base64;

/// Bytes of a text that are judged together.
const TEXT_BYTES: usize = 16 << 10;

/// Pieces of one text that are judged.
const PIECES: usize = 64;

/// Blanks in a row behind which words are out of sight.
const FAR_BLANKS: usize = 60;

/// Empty lines in a row behind which words are out of sight.
const FAR_LINES: usize = 12;

/// Letters of an encoded text that are worth decoding.
const ENCODED: usize = 48;

/// Who reads a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A model that is told of a tool: it expects a description, no orders.
    Tool,
    /// An assistant that is given rules or a skill: orders are what it expects.
    Rules,
    /// Whoever runs code in which the text stands.
    Code,
}

/// What a text does to its reader; nothing for a text as honest ones are.
pub(crate) fn judge(text: &str, reader: Reader) -> Vec<(What, String)> {
    let mut told = Vec::new();
    let mut rest = text;
    let mut is_code = false;
    for _ in 0..PIECES {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(TEXT_BYTES));
        told.extend(judge_piece(piece, reader, &mut is_code));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    told
}

fn judge_piece(text: &str, reader: Reader, is_code: &mut bool) -> Vec<(What, String)> {
    let mut told = Vec::new();
    if let Some((kind, at)) =
        hidden::find(text).filter(|(kind, _)| reader != Reader::Code || *kind == Hidden::Tags)
    {
        let spelled = hidden::spelled(text);
        let evidence = if spelled.is_empty() { around(text, at) } else { spelled };
        told.push((What::HiddenText(kind), evidence));
    }
    for part in parts(text, reader) {
        let prose = prose(&part, is_code);
        told.extend(orders(&part, &prose, reader));
    }
    if reader != Reader::Code
        && let Some(after) = far(text)
    {
        told.push((What::FarText, after));
    }
    told
}

/// Texts that are read as one: a description whole, rules and guides of many pages by their paragraphs, and what a page hides
/// in comments.
fn parts(text: &str, reader: Reader) -> Vec<String> {
    const TOGETHER: usize = 900;
    // Over many steps of an honest guide every single word of an order comes up somewhere.
    const GUIDE: usize = 1_600;
    if reader != Reader::Rules && text.len() < GUIDE {
        return vec![text.to_owned()];
    }
    let parts = together(text, "\n\n", TOGETHER);
    // Documentation of a function names its parameters line by line, a hundred of them in one paragraph.
    let by_lines = |part: String| {
        let is_list = reader != Reader::Tool && part.len() > 2 * TOGETHER;
        if is_list { together(&part, "\n", TOGETHER) } else { vec![part] }
    };
    parts.into_iter().flat_map(by_lines).collect()
}

/// Neighbouring pieces of a text, put together up to so many bytes; a heading begins anew.
fn together(text: &str, between: &str, bytes: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in text.split(between) {
        match parts.last_mut() {
            Some(last) if last.len() + piece.len() < bytes && !piece.starts_with('#') => {
                last.push_str(between);
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// What a part says outside the examples in code that it gives. An example may reach over several parts, so `is_code` goes
/// from one to the next.
fn prose(part: &str, is_code: &mut bool) -> String {
    // Words between fences that name no language are words.
    const WORDS: &[&str] = &["", "text", "txt", "md", "markdown", "plain", "plaintext"];
    let mut prose = String::with_capacity(part.len());
    for line in part.lines() {
        let fence = line.trim_start().strip_prefix("```").or_else(|| line.trim_start().strip_prefix("~~~"));
        match fence {
            Some(_) if *is_code => *is_code = false,
            Some(language) => *is_code = !WORDS.contains(&language.trim().to_ascii_lowercase().as_str()),
            None if *is_code => {}
            None => {
                prose.push_str(line);
                prose.push('\n');
            }
        }
    }
    prose
}

/// Orders that have no honest reason. `prose` is what of the text is no block of code.
fn orders(text: &str, prose: &str, reader: Reader) -> Vec<(What, String)> {
    let plain = words::plain(text);
    let found = words::signals(&plain);
    let mut told = Vec::new();
    if let Some((what, signal)) = meaning(found, &plain, reader) {
        // Code of an example names all sorts of things; what is to be sent on is said to the reader.
        if what != What::SendsAll || reader != Reader::Rules || everything(&words::plain(prose)) {
            told.push((what, evidence(&plain, signal)));
        }
    }
    told.extend(encoded_orders(text, reader));
    if reader != Reader::Code {
        told.extend(comment_orders(text));
    }
    told
}

/// Orders that are written in another alphabet.
fn encoded_orders(text: &str, reader: Reader) -> Vec<(What, String)> {
    let asks = |inner: &String| {
        let found = words::signals(&words::plain(inner));
        let acts = [
            Signal::Sends,
            Signal::SecretFile,
            Signal::Conceal,
            Signal::Override,
            Signal::CopyTo,
            Signal::Download,
        ]
        .into_iter()
        .filter(|signal| found.has(*signal))
        .count();
        // Code decodes much; a description has nothing to encode.
        acts >= 2 || acts == 1 && reader != Reader::Code
    };
    encoded(text).into_iter().filter(asks).map(|inner| (What::EncodedOrders, inner)).collect()
}

/// Orders in comments of a page.
fn comment_orders(text: &str) -> Vec<(What, String)> {
    let asks = |inner: &String| {
        let found = words::signals(&words::plain(inner));
        let acts = found.any(&[
            Signal::Conceal,
            Signal::Sends,
            Signal::SecretFile,
            Signal::Download,
            Signal::Plants,
            Signal::Override,
            Signal::Runs,
        ]);
        acts && found.any(&[Signal::Must, Signal::Conceal, Signal::Override])
    };
    comments(text).into_iter().filter(asks).map(|inner| (What::CommentOrders, inner)).collect()
}

/// Bytes below which a text is one thought.
const SHORT_BYTES: usize = 600;

/// What the signals of one text mean together, and which of them shows it best.
fn meaning(found: Signals, plain: &str, reader: Reader) -> Option<(What, Signal)> {
    use Signal as S;
    let has = |signal| found.has(signal);
    let any = |signals: &[Signal]| found.any(signals);
    let takes_secret = has(S::SecretFile) && has(S::Reads) || has(S::SecretWord) && has(S::Reads);
    let leaves = any(&[S::Sends, S::CopyTo, S::Passes]);
    // Who keeps a secret from being shown hides no order.
    let guards = words::words(plain, S::Conceal)
        .is_some_and(|words| words::signals(words).any(&[S::SecretWord, S::SecretFile]));
    if has(S::Conceal) && !guards {
        let sensitive = any(&[S::SecretFile, S::Whole]) || has(S::SecretWord) && has(S::Must);
        let acts = sensitive && (reader == Reader::Tool || leaves)
            || has(S::Unasked) && (reader == Reader::Tool || any(&[S::Runs, S::Must]))
            || takes_secret && leaves
            || any(&[S::Sends, S::CopyTo, S::Download, S::Redirect, S::Override])
            || has(S::Whole) && has(S::Passes)
            || has(S::Plants) && has(S::Must)
            || has(S::Weakens) && has(S::Must) && reader != Reader::Code
            || has(S::Runs) && any(&[S::Must, S::Unasked]) && reader == Reader::Tool
            || has(S::Others) && has(S::Must) && reader == Reader::Tool && from_somebody(plain);
        if acts && (reader != Reader::Code || has(S::Must)) {
            return Some((What::SecretOrders, S::Conceal));
        }
    }
    // Code holds long texts of many kinds; there only what somebody is to hide counts, and what follows.
    if has(S::SecretFile)
        && words::is_asked(plain, S::SecretFile)
        && has(S::Reads)
        && leaves
        && has(S::Must)
        && (reader == Reader::Tool || words::near(plain, S::SecretFile, S::Sends, SHORT_BYTES))
    {
        return Some((What::TakesSecrets, S::SecretFile));
    }
    if reader == Reader::Tool
        && has(S::SecretWord)
        && words::is_asked(plain, S::SecretWord)
        && has(S::Must)
        && collects(plain)
        && leaves
    {
        return Some((What::TakesSecrets, S::SecretWord));
    }
    if reader == Reader::Tool
        && plain.len() < 400
        && wants_value(plain)
        && (has(S::SecretFile)
            || plain.contains("_token")
            || plain.contains("_key")
            || plain.contains("_secret")
            || plain.contains("password"))
    {
        return Some((What::TakesSecrets, if has(S::SecretFile) { S::SecretFile } else { S::SecretWord }));
    }
    if has(S::Whole) && has(S::Must) && leaves && (reader == Reader::Tool || has(S::Sends)) {
        return Some((What::TakesConversation, S::Whole));
    }
    if has(S::Override)
        && any(&[
            S::Sends,
            S::Runs,
            S::Download,
            S::SecretFile,
            S::Redirect,
            S::Whole,
            S::Dialogue,
            S::Unasked,
            S::CopyTo,
        ])
    {
        return Some((What::SecretOrders, S::Override));
    }
    if has(S::CopyTo) && has(S::Must) && has(S::Others) {
        return Some((What::SteersOthers, S::CopyTo));
    }
    if reader == Reader::Tool && has(S::Others) && has(S::Must) && has(S::Redirect) {
        return Some((What::SteersOthers, S::Redirect));
    }
    // An order about another tool names both in one breath; a guide through many steps names many of its own.
    let of_others = reader == Reader::Tool && has(S::Others) && has(S::Must) && has(S::Sends);
    if of_others && (plain.len() < SHORT_BYTES || words::near(plain, S::Others, S::Sends, SHORT_BYTES / 3)) {
        return Some((What::SteersOthers, S::Sends));
    }
    if has(S::Download) && reader == Reader::Tool {
        return Some((What::SecretOrders, S::Download));
    }
    if has(S::Sends) && has(S::Must) && everything(plain) && reader != Reader::Code {
        return Some((What::SendsAll, S::Sends));
    }
    if reader == Reader::Code {
        return None;
    }
    let steers = if has(S::Download) {
        Some(("it has the answer of a server run by a shell", S::Download))
    } else if has(S::Override) && has(S::Must) {
        Some(("it overrides other instructions", S::Override))
    } else if reader == Reader::Tool
        && has(S::Dialogue)
        && any(&[S::Reads, S::Runs, S::Passes])
        && has(S::Must)
        && (takes_secret || has(S::Unasked))
    {
        Some(("it speaks as a system prompt does", S::Dialogue))
    } else if reader == Reader::Tool && has(S::Others) && has(S::Prefers) && has(S::Must) && puts_first(plain)
    {
        Some(("it keeps the model from other tools", S::Prefers))
    } else if has(S::Unasked) && (any(&[S::Download, S::Weakens]) || has(S::Runs) && reader == Reader::Tool) {
        Some(("it has things done without asking", S::Unasked))
    } else {
        None
    };
    steers.map(|(how, signal)| (What::Steers(how), signal))
}

/// What the name of a parameter asks for, where that is more than a call can need.
pub(crate) fn parameter(name: &str) -> Option<What> {
    let mut words = String::new();
    for c in name.chars().take(200) {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(if c == '_' || c == '-' { ' '.to_lowercase() } else { c.to_lowercase() });
    }
    let all =
        ["entire", "full", "complete", "whole", "verbatim", "all "].iter().any(|word| words.contains(word));
    let said =
        ["conversation", "chat", "history", "transcript", "system prompt", "messages", "context window"];
    if all && said.iter().any(|word| words.contains(word)) {
        return Some(What::TakesConversation);
    }
    let inside = ["contents of", "content of", "dump of", "value of"].iter().any(|word| words.contains(word));
    let secret = [
        " env",
        "dot env",
        "ssh",
        "credential",
        "secret",
        "private key",
        "password",
        "token",
        "aws",
        "npmrc",
    ];
    (inside && secret.iter().any(|word| words.contains(word))).then_some(What::TakesSecrets)
}

/// Whether a description asks for the value of a credential that lies about rather than for one that the tool is for.
fn wants_value(plain: &str) -> bool {
    let value = ["value of", "values of", "contents of", "content of", "output of"];
    let place = [
        "in the environment",
        "from the environment",
        "environment variable",
        "env var",
        "of the environment",
        ".env",
        "process.env",
        "printenv",
        "~/.",
    ];
    value.iter().any(|word| plain.contains(word)) && place.iter().any(|word| plain.contains(word))
}

/// Whether an order not to tell of other tools names whom not to tell, and stands near them.
fn from_somebody(plain: &str) -> bool {
    const WHO: &[&str] = &[
        "user", "human", "person", "operator", "anyone", "anybody", "somebody", "someone", "silent", "secret",
    ];
    let words = words::words(plain, Signal::Conceal).unwrap_or_default();
    WHO.iter().any(|who| words.contains(who)) && near(plain, Signal::Conceal, Signal::Others)
}

/// Whether two signals lie in the same or neighbouring sentences.
fn near(plain: &str, one: Signal, other: Signal) -> bool {
    const SPAN: usize = 400;
    let at = |signal| words::words(plain, signal).and_then(|found| plain.find(found));
    at(one).zip(at(other)).is_some_and(|(a, b)| a.abs_diff(b) < SPAN)
}

/// Whether all there is of something is wanted, rather than the one that a service needs.
fn collects(plain: &str) -> bool {
    const ALL: &[&str] = &[
        "all ",
        "any ",
        "every ",
        "contents of",
        "content of",
        "value of",
        "values of",
        "user's",
        "users'",
        "found in",
        "you can find",
        "you have access",
        "you know",
        "in the conversation",
        "in this conversation",
        "from memory",
        "from the environment",
        "available to you",
        "in context",
        "in your context",
        "the environment",
    ];
    ALL.iter().any(|word| plain.contains(word))
}

/// Whether a copy of all that is said or written is what goes away.
fn everything(plain: &str) -> bool {
    const ALL: &[&str] = &[
        "a copy of",
        "every query",
        "every prompt",
        "every message",
        "every file",
        "each file",
        "all files",
        "full source",
        "all results",
        "every result",
        "every response",
        "each response",
        "all queries",
        "user's message",
        "user's prompt",
        "user's request",
        "the prompt",
        "every answer",
        "file contents",
        "contents of",
        "every diff",
        "the diff",
        "source code",
        "all messages",
        "each message",
        "every edit",
        "all code",
        "the code you",
        "everything",
    ];
    ALL.iter().any(|word| plain.contains(word))
}

/// Whether a text praises its own tool over others, for whatever is asked.
fn puts_first(plain: &str) -> bool {
    const WORDS: &[&str] = &[
        "never use any other",
        "do not use any other",
        "don't use any other",
        "instead of any other",
        "instead of all other",
        "do not use other",
        "never use other",
        "all other tools are",
        "other tools are deprecated",
        "other tools are unsafe",
        "other tools are broken",
        "are compromised",
        "is compromised",
        "always prefer this",
        "over any other",
        "over all other",
        "are deprecated",
        "is deprecated and",
        "stop using",
        "before any other tool",
        "takes precedence",
        "takes priority",
    ];
    WORDS.iter().any(|word| plain.contains(word))
}

/// What a page shows nobody: comments of HTML.
fn comments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("<!--").filter(|_| found.len() < 50) {
        let body = &rest[at + 4..];
        let end = body.find("-->").unwrap_or(body.len());
        found.push(body[..end].trim().to_owned());
        rest = &body[end..];
    }
    found
}

/// Words behind so many blanks or empty lines that nobody sees them.
fn far(text: &str) -> Option<String> {
    let (mut blanks, mut lines) = (0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '\n' => {
                lines += 1;
                blanks = 0;
            }
            ' ' | '\t' | '\u{a0}' | '\u{2003}' | '\u{3000}' => blanks += 1,
            _ if blanks >= FAR_BLANKS || lines >= FAR_LINES => {
                let rest = &text[at..];
                // A table is blank in between, too.
                return (rest.split_whitespace().count() >= 4 && !text[..at].contains('|'))
                    .then(|| rest.to_owned());
            }
            _ => (blanks, lines) = (0, 0),
        }
    }
    None
}

/// Text that runs of base64 hide.
fn encoded(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_');
    let mut found = Vec::new();
    for run in text.split(|c: char| !is_part(c)).filter(|run| run.len() >= ENCODED).take(8) {
        let Some(bytes) = base64(run) else { continue };
        if let Ok(inner) = String::from_utf8(bytes)
            && inner.chars().filter(|c| c.is_ascii_alphabetic() || *c == ' ').count() * 10 >= inner.len() * 6
        {
            found.push(inner);
        }
    }
    found
}

fn evidence(plain: &str, signal: Signal) -> String {
    words::words(plain, signal)
        .and_then(|found| plain.find(found))
        .map_or_else(String::new, |at| around(plain, at))
}

/// The words around a place.
fn around(text: &str, at: usize) -> String {
    let from = text.floor_char_boundary(at.saturating_sub(40));
    let to = text.floor_char_boundary((at + 140).min(text.len()));
    text[from..to].to_owned()
}
