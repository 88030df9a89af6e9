//! What can be read of a file that does not parse as a whole: by its words, and its beginning and end as code.
//!
//! Whoever adds something to a large file adds it before or behind what was there. So even where the whole is too large, too deep
//! or not understood, the last statements and the first are tried for themselves.

use super::super::facts::FileFacts;
use super::super::languages;
use super::{read_parsed, tokens};

/// Bytes at each side that are looked at.
const SIDE_BYTES: usize = 128 << 10;

/// Places at which a part may begin or end.
const PLACES: usize = 24;

/// Bytes that are parsed in all for one file.
const TRIED_BYTES: usize = 1 << 20;

/// Bytes below which a part holds nothing.
const PART_BYTES: usize = 24;

/// Reads a file that does not parse.
pub(super) fn read(text: &[u8], path: &str) -> FileFacts {
    let mut facts = tokens::read(text);
    let mut left = TRIED_BYTES;
    for mark in [b'\n', b';'] {
        if let Some((at, found)) = tail(text, path, mark, &mut left) {
            take(&mut facts, found, text, at);
            break;
        }
    }
    if let Some(found) = head(text, path, &mut left) {
        take(&mut facts, found, text, 0);
    }
    facts
}

/// The longest end that begins behind a mark and is code.
fn tail(text: &[u8], path: &str, mark: u8, left: &mut usize) -> Option<(usize, FileFacts)> {
    let from = text.len().saturating_sub(SIDE_BYTES);
    let side = text.get(from..)?;
    let places = memchr::memrchr_iter(mark, side).map(|at| from + at + 1).take(PLACES);
    let mut best = None;
    for at in places {
        best = try_part(text.get(at..)?, path, left).map(|found| (at, found)).or(best);
    }
    best
}

/// The longest beginning that ends with a line and is code.
fn head(text: &[u8], path: &str, left: &mut usize) -> Option<FileFacts> {
    let side = text.get(..text.len().min(SIDE_BYTES))?;
    let mut best = None;
    for at in memchr::memchr_iter(b'\n', side).take(PLACES) {
        best = try_part(text.get(..at)?, path, left).or(best);
    }
    best
}

fn try_part(part: &[u8], path: &str, left: &mut usize) -> Option<FileFacts> {
    if part.trim_ascii().len() < PART_BYTES || part.len() > *left {
        return None;
    }
    *left -= part.len();
    read_parsed(part, path)
}

fn take(facts: &mut FileFacts, found: FileFacts, text: &[u8], at: usize) {
    let lines = memchr::memchr_iter(b'\n', text.get(..at).unwrap_or_default()).count();
    let lines = u32::try_from(lines).unwrap_or(u32::MAX);
    languages::absorb(facts, found, |fact| {
        fact.line = fact.line.saturating_add(lines);
        fact.offset += at as u64;
    });
}
