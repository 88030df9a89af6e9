//! Alpine (`apk version`): `number{.number}{letter}{_suffix{number}}{~hash}{-r#}`.
//!
//! Numbers compare as numbers, but from the second on one that begins with `0` is a fraction, compared as text and below
//! those that do not. The suffixes `_alpha`, `_beta`, `_pre`, `_rc` sort before the version without, `_cvs`, `_svn`,
//! `_git`, `_hg`, `_p` after it. What follows a version makes it greater in this order: revision, hash, suffix, letter,
//! number. Numbers after the letter (`1.8.1p1`), which `apk` accepted until 3, still stand in its indexes.

use crate::version::key::{KeyWriter, VersionKey, leading, leading_digits};

/// What may stand at a place, in its order. The suffixes before the release take the marks from here on.
const PRE_SUFFIX: u8 = 0x01;
const END: u8 = 0x05;
const REVISION: u8 = 0x06;
const HASH: u8 = 0x07;
const SUFFIX_NUMBER: u8 = 0x08;
/// The suffixes after the release take the marks from here on.
const POST_SUFFIX: u8 = 0x09;
const LETTER: u8 = 0x10;
const FRACTION: u8 = 0x11;
const NUMBER: u8 = 0x12;

const PRE_SUFFIXES: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const POST_SUFFIXES: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    let mut key = KeyWriter::for_length(text.len());
    let rest = numbers(text, &mut key)?;
    let rest = suffixes(rest, &mut key)?;
    let rest = hash(rest, &mut key)?;
    revision(rest, &mut key)?;
    key.mark(END);
    Some(key.finish())
}

fn numbers<'a>(text: &'a str, key: &mut KeyWriter) -> Option<&'a str> {
    let (first, mut rest) = leading_digits(text);
    if first.is_empty() {
        return None;
    }
    key.digits(first);
    let mut after_letter = false;
    loop {
        let digits;
        if let Some(next) = rest.strip_prefix('.') {
            (digits, rest) = leading_digits(next);
            if digits.is_empty() {
                return None;
            }
        } else if after_letter && rest.starts_with(|c: char| c.is_ascii_digit()) {
            (digits, rest) = leading_digits(rest);
        } else if !after_letter && rest.starts_with(|c: char| c.is_ascii_lowercase()) {
            let (letter, next) = rest.split_at(1);
            key.mark(LETTER);
            key.text(letter);
            rest = next;
            after_letter = true;
            continue;
        } else {
            return Some(rest);
        }
        after_letter = false;
        if digits.starts_with('0') {
            key.mark(FRACTION);
            key.text(digits);
        } else {
            key.mark(NUMBER);
            key.digits(digits);
        }
    }
}

fn suffixes<'a>(text: &'a str, key: &mut KeyWriter) -> Option<&'a str> {
    let mut rest = text;
    while let Some(next) = rest.strip_prefix('_') {
        let (word, digits);
        (word, rest) = leading(next, |b| b.is_ascii_lowercase());
        key.mark(suffix(word)?);
        (digits, rest) = leading_digits(rest);
        if !digits.is_empty() {
            key.mark(SUFFIX_NUMBER);
            key.digits(digits);
        }
    }
    Some(rest)
}

fn suffix(word: &str) -> Option<u8> {
    let place = |words: &[&str]| words.iter().position(|known| *known == word).map(|at| at as u8);
    place(&PRE_SUFFIXES)
        .map(|at| PRE_SUFFIX + at)
        .or_else(|| place(&POST_SUFFIXES).map(|at| POST_SUFFIX + at))
}

fn hash<'a>(text: &'a str, key: &mut KeyWriter) -> Option<&'a str> {
    let Some(next) = text.strip_prefix('~') else { return Some(text) };
    let (hash, rest) = leading(next, |b| b.is_ascii_hexdigit());
    if hash.is_empty() {
        return None;
    }
    key.mark(HASH);
    key.text(hash);
    Some(rest)
}

/// The package's own revision; without a number it is 0.
fn revision(text: &str, key: &mut KeyWriter) -> Option<()> {
    if text.is_empty() {
        return Some(());
    }
    let (digits, rest) = leading_digits(text.strip_prefix("-r")?);
    key.mark(REVISION);
    key.digits(digits);
    rest.is_empty().then_some(())
}

// The suffixes fit between the marks beside them.
const _: () = assert!(PRE_SUFFIX as usize + PRE_SUFFIXES.len() <= END as usize);
const _: () = assert!(POST_SUFFIX as usize + POST_SUFFIXES.len() <= LETTER as usize);
