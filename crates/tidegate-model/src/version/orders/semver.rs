//! Semantic Versioning 2.0.0, §11 (precedence), for npm, cargo, Go, Hex, Swift and those who follow them.
//!
//! Numbers compare as numbers; a version with a pre-release sorts before the one without; pre-release identifiers compare
//! one by one, numbers below words, fewer below more; build metadata does not count. npm's rule that a range admits
//! pre-releases of its own bounds only is a rule about ranges in manifests: advisories mean plain precedence.
//!
//! Read leniently, because advisories and tags are written by hand: a leading `v` or `=`, missing numbers (zero), leading
//! zeros, more than three numbers, a pre-release after a dot or after nothing (`1.0.0.beta`, `1.0.0rc1`).

use crate::version::key::{ABOVE_NUMBERS, END, KeyWriter, VersionKey, leading_digits};

/// An identifier that is a word: above the numbers.
const WORD: u8 = ABOVE_NUMBERS;
/// No pre-release: above every identifier.
const RELEASE: u8 = 0xFF;
/// Numbers that a version should have; after these a dot may begin a pre-release, but `1.x` is no version.
const NUMBERS: usize = 3;

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    let (key, build) = precedence(text, usize::MAX, KeyWriter::text)?;
    // It does not count, but what cannot be build metadata makes the whole no version.
    identifiers(build.unwrap_or("0")).all(|part| part.is_some()).then(|| key.finish())
}

/// Writes everything that has precedence, and gives the build metadata. There may be up to `most_numbers`; `word` writes
/// an identifier that is no number.
pub(super) fn precedence(
    text: &str,
    most_numbers: usize,
    word: fn(&mut KeyWriter, &str),
) -> Option<(KeyWriter, Option<&str>)> {
    let text = text.trim_start_matches(['v', 'V', '=', ' ']);
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let mut key = KeyWriter::for_length(text.len());
    let rest = write_numbers(text, most_numbers, &mut key)?;
    if rest.is_empty() {
        key.mark(RELEASE);
    } else {
        write_identifiers(rest.strip_prefix(['-', '.']).unwrap_or(rest), word, &mut key)?;
    }
    Some((key, build))
}

/// Writes the numbers as if zeros followed without end: trailing zeros are left out. Gives what stands behind them.
fn write_numbers<'a>(text: &'a str, most: usize, key: &mut KeyWriter) -> Option<&'a str> {
    let (mut digits, mut rest) = leading_digits(text);
    let mut zeros = 0;
    for count in 1..=most {
        if digits.is_empty() {
            return None;
        }
        if digits.bytes().all(|b| b == b'0') {
            zeros += 1;
        } else {
            (0..zeros).for_each(|_| key.number(0));
            zeros = 0;
            key.digits(digits);
        }
        let next = rest.strip_prefix('.');
        match next {
            Some(next) if count < NUMBERS || !next.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                (digits, rest) = leading_digits(next);
            }
            _ => {
                key.mark(END);
                return Some(rest);
            }
        }
    }
    None
}

/// Writes dot-separated identifiers and their end.
pub(super) fn write_identifiers(
    text: &str,
    word: fn(&mut KeyWriter, &str),
    key: &mut KeyWriter,
) -> Option<()> {
    for part in identifiers(text) {
        let part = part?;
        if part.bytes().all(|b| b.is_ascii_digit()) {
            key.digits(part);
        } else {
            key.mark(WORD);
            word(key, part);
        }
    }
    key.mark(END);
    Some(())
}

/// The identifiers of a pre-release or of build metadata, `None` for one that is none.
fn identifiers(text: &str) -> impl Iterator<Item = Option<&str>> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    text.split('.').map(move |part| (!part.is_empty() && part.bytes().all(allowed)).then_some(part))
}
