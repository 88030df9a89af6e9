//! Reads what does not parse, or is too large or too deep to be parsed: paths, texts and brackets only.
//!
//! Calls of known paths with constant arguments give the same facts as in a tree. There are no values between statements,
//! and so no flows.

use super::super::facts::{FileFacts, Looks, Reading, Scope};
use super::follow::Follow;
use super::value::Value;

/// Bytes after an opening bracket that are searched for arguments.
const ARGUMENT_BYTES: usize = 1_024;

/// Calls that are looked at.
const CALLS: usize = 500_000;

/// Reads a source by its tokens.
pub(super) fn read(text: &[u8], looks: Looks, line: impl Fn(u64) -> u32) -> FileFacts {
    let mut follow = Follow::new();
    follow.scope = Scope::Call;
    let mut calls = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'/' if text.get(at + 1) == Some(&b'/') => {
                at = memchr::memchr(b'\n', text.get(at..).unwrap_or_default())
                    .map_or(text.len(), |more| at + more);
            }
            b'"' => {
                let (end, literal) = string(text, at);
                follow.telling_at(&literal, at as u64);
                at = end;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let end = path_end(text, at);
                if text.get(end) == Some(&b'(') && calls < CALLS {
                    calls += 1;
                    let path = String::from_utf8_lossy(text.get(at..end.min(at + 256)).unwrap_or_default())
                        .into_owned();
                    let args = arguments(text, end + 1);
                    let site = follow.site_at(at as u64);
                    follow.known_call(&path, &args, &site);
                }
                at = end.max(at + 1);
            }
            _ => at += 1,
        }
    }
    let mut file = follow.rec.finish(Reading::Tokens, looks, line);
    file.flows.clear();
    file
}

/// The end of names joined by `::`.
fn path_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    loop {
        let word = text
            .get(end..)
            .unwrap_or_default()
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_' || **b >= 0x80)
            .count();
        end += word;
        let next = text.get(end + 2).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
        if word == 0 || text.get(end..end + 2) != Some(b"::") || !next {
            return end;
        }
        end += 2;
    }
}

/// The end of a plain text, and its content.
fn string(text: &[u8], at: usize) -> (usize, String) {
    let mut end = at + 1;
    while let Some(&byte) = text.get(end) {
        match byte {
            b'\\' => end += 1,
            b'"' => break,
            _ => {}
        }
        end += 1;
    }
    let body = text.get(at + 1..end.min(at + 1 + ARGUMENT_BYTES)).unwrap_or_default();
    (end + 1, String::from_utf8_lossy(body).into_owned())
}

/// Constant arguments up to the closing bracket.
fn arguments(text: &[u8], open: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut current = None;
    let mut at = open;
    let mut depth = 0_usize;
    while at < text.len().min(open + ARGUMENT_BYTES) {
        match text.get(at).copied().unwrap_or(b')') {
            b'"' if depth == 0 => {
                let (end, literal) = string(text, at);
                current = Some(Value::text(&literal));
                at = end;
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => break,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => all.push(current.take().unwrap_or_default()),
            _ => {}
        }
        at += 1;
    }
    all.push(current.unwrap_or_default());
    all
}
