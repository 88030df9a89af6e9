//! Semantic Versioning 2.0.0, §11 (precedence), for npm, cargo, Go, Hex, Swift and those who follow them.
//!
//! Numbers compare as numbers; a version with a pre-release sorts before the one without; pre-release identifiers compare
//! one by one, numbers below words, fewer below more; build metadata does not count. npm's rule that a range admits
//! pre-releases of its own bounds only is a rule about ranges in manifests: advisories mean plain precedence.
//!
//! Read leniently, because advisories and tags are written by hand: a leading `v` or `=`, missing numbers (zero), leading
//! zeros, more than three numbers, a pre-release without its hyphen (`1.0.0rc1`, as npm's loose mode has it).

use crate::version::key::{ABOVE_NUMBERS, END, KeyWriter, VersionKey, leading_digits};

/// An identifier that is a word: above the numbers.
const WORD: u8 = ABOVE_NUMBERS;
/// No pre-release: above every identifier.
const RELEASE: u8 = 0xFF;

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    let text = text.trim_start_matches(['v', 'V', '=', ' ']);
    let mut key = KeyWriter::for_length(text.len());
    let rest = numbers(text, usize::MAX, &mut key)?;
    let (before_build, build) = cut_build(rest);
    prerelease(before_build, KeyWriter::text, &mut key)?;
    // It does not count, but what is not even build metadata is no version.
    build.is_none_or(|build| identifiers(build).all(|part| part.is_some())).then(|| key.finish())
}

/// Writes the numbers, up to `most` of them, as if zeros followed without end: trailing zeros are left out. Gives what
/// stands behind them.
pub(super) fn numbers<'a>(text: &'a str, most: usize, key: &mut KeyWriter) -> Option<&'a str> {
    let mut rest = text;
    let mut zeros = 0;
    for count in 1.. {
        let (digits, behind) = leading_digits(rest);
        if digits.is_empty() || count > most {
            return None;
        }
        if digits.bytes().all(|b| b == b'0') {
            zeros += 1;
        } else {
            (0..zeros).for_each(|_| key.number(0));
            zeros = 0;
            key.digits(digits);
        }
        match behind.strip_prefix('.') {
            Some(next) => rest = next,
            None => {
                rest = behind;
                break;
            }
        }
    }
    key.mark(END);
    Some(rest)
}

/// Cuts off the build metadata.
pub(super) fn cut_build(text: &str) -> (&str, Option<&str>) {
    text.split_once('+').map_or((text, None), |(before, build)| (before, Some(build)))
}

/// Writes what stands between the numbers and the build metadata; `word` writes an identifier that is no number.
pub(super) fn prerelease(text: &str, word: fn(&mut KeyWriter, &str), key: &mut KeyWriter) -> Option<()> {
    if text.is_empty() {
        key.mark(RELEASE);
        return Some(());
    }
    write_identifiers(text.strip_prefix('-').unwrap_or(text), word, key)
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
