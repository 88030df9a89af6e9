//! One rule at one place.

use std::ops::Range;

use super::checksum::{Checksum, ChecksumKind};
use super::edges::{self, Edge};
use super::rule::{Anchor, Rule};
use super::{placeholder, structure, words};
use tidegate_model::finding::{Confidence, FindingSeverity as Severity};

/// Bytes of a secret that are looked at for fillers.
const BODY_BYTES: usize = 512;

/// Characters that a token's own beginning has at least for it to be believed where nothing sets it off.
const DISTINCT_BYTES: usize = 4;

/// What is looked through: a leaf or a view of it.
pub(crate) struct Text<'t> {
    bytes: &'t [u8],
    is_binary: bool,
}

impl<'t> Text<'t> {
    pub(crate) fn new(bytes: &'t [u8]) -> Self {
        Self { bytes, is_binary: edges::is_binary(bytes) }
    }
}

/// A secret that passed every check of its rule.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Where it stands in the text.
    pub(crate) secret: Range<usize>,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) checksum: Checksum,
}

/// Tries a rule where one of its keywords stands. Also says how many bytes that took to read.
pub(crate) fn at(rule: &Rule, text: &Text<'_>, keyword: Range<usize>) -> (Option<Candidate>, usize) {
    let shape = &rule.shape;
    let bytes = text.bytes;
    let start = match shape.anchor {
        Anchor::Name => keyword.end,
        Anchor::Token | Anchor::Text => {
            let from = keyword.start.saturating_sub(shape.back);
            let before = &bytes[from..keyword.start];
            keyword.start - before.iter().rev().take_while(|&&b| shape.back_class.has(b)).count()
        }
    };
    let is_token = shape.anchor == Anchor::Token;
    if is_token && edges::left(bytes, start, true) == Edge::Joined && !text.is_binary {
        // The cheap half of the look at the beginning: most keywords stand within words.
        let to = keyword.end;
        if !edges::is_binary_near(bytes, start, to) && !may_be_sure(rule) {
            return (None, 0);
        }
    }
    let window = &bytes[start..bytes.len().min(start + shape.window)];
    let Some(whole) = rule.pattern().find(window) else { return (None, 0) };
    let read = whole.end();
    (matched(rule, text, start, window), read)
}

fn matched(rule: &Rule, text: &Text<'_>, start: usize, window: &[u8]) -> Option<Candidate> {
    let shape = &rule.shape;
    let (secret, matched_end) = capture(rule, start, window)?;
    let is_binary = text.is_binary || edges::is_binary_near(text.bytes, secret.start, secret.end);
    let (secret, edge) = set_off(rule, text, secret, matched_end, is_binary);
    let value = text.bytes.get(secret.clone())?;
    let checksum = shape.checksum.map_or(Checksum::None, |kind| kind.check(value));
    let is_sure = is_sure(rule, checksum);
    if (edge == Edge::Inside && !is_sure) || (edge == Edge::Joined && !is_sure && !is_distinct(rule)) {
        return None;
    }
    if !passes(rule, text, &secret, checksum) {
        return None;
    }
    let judged = match shape.structure {
        Some(structure) => structure.judge(text.bytes, secret)?,
        None => structure::Judged::plain_of(secret),
    };
    let mut severity = judged.severity.unwrap_or(rule.severity).min(rule.severity);
    let mut confidence = judged.confidence.unwrap_or(rule.confidence).min(rule.confidence);
    if edge == Edge::Joined && !is_sure {
        confidence = confidence.min(Confidence::Medium);
    }
    if checksum == Checksum::Wrong {
        severity = severity.min(Severity::Low);
        confidence = Confidence::Low;
    }
    Some(Candidate { secret: judged.secret, severity, confidence, checksum })
}

/// Where the secret stands, and where the whole match ends.
fn capture(rule: &Rule, start: usize, window: &[u8]) -> Option<(Range<usize>, usize)> {
    let captures = rule.pattern().captures(window)?;
    let whole = captures.get(0)?;
    let secret = captures.get(1).unwrap_or(whole);
    Some((start + secret.start()..start + secret.end(), start + whole.end()))
}

/// How a candidate is set off. In compiled files a length before it may say that it ends earlier than the pattern did.
fn set_off(
    rule: &Rule,
    text: &Text<'_>,
    secret: Range<usize>,
    matched_end: usize,
    is_binary: bool,
) -> (Range<usize>, Edge) {
    let shape = &rule.shape;
    let bytes = text.bytes;
    if shape.anchor == Anchor::Token
        && is_binary
        && let Some(length) = edges::stated_length(bytes, secret.start)
        && (shape.show + 8..=secret.len()).contains(&length)
    {
        let stated = secret.start..secret.start + length;
        let fits = rule.pattern().find(&bytes[stated.clone()]).is_some_and(|found| found.end() == length);
        if fits {
            return (stated, Edge::Clean);
        }
    }
    let left = match shape.anchor {
        Anchor::Token => edges::left(bytes, secret.start, is_binary),
        // A name and what is between set it off.
        Anchor::Name | Anchor::Text => Edge::Clean,
    };
    // What the pattern wants behind the secret sets it off.
    let right = if matched_end > secret.end {
        Edge::Clean
    } else {
        edges::right(bytes, secret.end, &shape.end, is_binary)
    };
    let edge = match (left, right) {
        (Edge::Inside, _) | (_, Edge::Inside) => Edge::Inside,
        (Edge::Joined, _) | (_, Edge::Joined) => Edge::Joined,
        (Edge::Clean, Edge::Clean) => Edge::Clean,
    };
    (secret, edge)
}

/// Whether a token is recognised by its own beginning.
fn is_distinct(rule: &Rule) -> bool {
    rule.shape.anchor == Anchor::Token
        && rule.shape.back == 0
        && rule.keywords.iter().all(|keyword| keyword.len() >= DISTINCT_BYTES)
}

/// The checks that many rules share.
fn passes(rule: &Rule, text: &Text<'_>, secret: &Range<usize>, checksum: Checksum) -> bool {
    let shape = &rule.shape;
    let value = &text.bytes[secret.clone()];
    let body = body(rule, value);
    let is_sure = is_sure(rule, checksum);
    // A checksum that is written in a format of its own cannot be valid by chance, but documentation has some that are.
    let is_filler = shape.placeholders
        && (placeholder::is_documented(value) || (placeholder::is_placeholder(body) && !is_sure));
    !is_filler
        && (shape.entropy == 0.0 || words::entropy(body) >= shape.entropy)
        && words::classes(body) >= shape.classes
        && !(shape.words && words::is_wordy(body))
        && is_near(rule, text.bytes, secret)
        && (is_sure || shape.anchor != Anchor::Token || !edges::in_blob(text.bytes, secret.start, secret.end))
        && !(shape.anchor == Anchor::Token && goes_on(text.bytes, secret.end))
        && (is_sure || !edges::in_symbol(text.bytes, secret.start))
}

/// Whether the rule's checksum is one that nothing else fits by chance.
fn may_be_sure(rule: &Rule) -> bool {
    rule.shape.checksum.is_some_and(|kind| kind != ChecksumKind::Base32Body)
}

fn is_sure(rule: &Rule, checksum: Checksum) -> bool {
    checksum == Checksum::Valid && may_be_sure(rule)
}

/// Whether a sample was cut off here: `kind_abc...`.
fn goes_on(bytes: &[u8], end: usize) -> bool {
    let rest = bytes.get(end..).unwrap_or_default();
    [&b"..."[..], b"***", b"xxx", b"\xe2\x80\xa6", b"<", b"${", b"{{"]
        .iter()
        .any(|mark| rest.starts_with(mark))
        && !rest.starts_with(b"</")
        && !rest.starts_with(b"<b")
}

/// The part of a secret that is random.
fn body<'v>(rule: &Rule, value: &'v [u8]) -> &'v [u8] {
    let prefix = match rule.shape.anchor {
        Anchor::Token if rule.shape.back == 0 => {
            rule.keywords.iter().map(String::as_bytes).filter(|k| value.starts_with(k)).map(<[u8]>::len).max()
        }
        _ => None,
    };
    let body = &value[prefix.unwrap_or(0)..];
    &body[..body.len().min(BODY_BYTES)]
}

/// Whether one of the words that a rule wants around stands there.
fn is_near(rule: &Rule, bytes: &[u8], secret: &Range<usize>) -> bool {
    let shape = &rule.shape;
    if shape.near.is_empty() {
        return true;
    }
    let from = secret.start.saturating_sub(shape.near_bytes);
    let to = bytes.len().min(secret.end + shape.near_bytes);
    let around = bytes[from..to].to_ascii_lowercase();
    shape.near.iter().any(|word| memchr::memmem::find(&around, word.as_bytes()).is_some())
}
