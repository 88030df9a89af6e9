//! PEP 440 (Python): epoch, release padded with zeros, development release < pre-release < final < post-release, local
//! versions last. Parsed by `pep440_rs`.
//!
//! Text that PEP 440 does not admit has the order that Python's tools gave it until `packaging` 22 (`LegacyVersion`):
//! below every PEP 440 version, word by word. The index still holds such versions, and advisories name them.

use pep440_rs::{LocalSegment, PrereleaseKind, Version};

use crate::version::key::{ABOVE_NUMBERS, END, KeyWriter, VersionKey, leading};

/// What the local part of a version means to its key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::version) enum Local {
    /// It sorts above the public version.
    Counts,
    /// The key is that of the public version.
    IsLeftOut,
}

/// Below the PEP 440 versions.
const LEGACY: u8 = 0x01;
const PEP440: u8 = 0x02;

/// Places of the parts, where a part may be absent and its absence sorts below or above its presence.
const BELOW: u8 = 0x01;
const ALPHA: u8 = 0x02;
const BETA: u8 = 0x03;
const CANDIDATE: u8 = 0x04;
const PRESENT: u8 = 0x05;
const ABOVE: u8 = ABOVE_NUMBERS;
/// A local segment that is a word: below the numbers.
const WORD: u8 = 0x01;

/// The key of a version.
pub(in crate::version) fn key(text: &str, local: Local) -> Option<VersionKey> {
    match text.parse::<Version>() {
        Ok(version) => Some(pep440(&version, local, text.len())),
        Err(_) if local == Local::Counts => Some(legacy(text)),
        Err(_) => None,
    }
}

fn pep440(version: &Version, local: Local, length: usize) -> VersionKey {
    let mut key = KeyWriter::for_length(length);
    key.mark(PEP440);
    key.number(version.epoch());
    let release = version.release();
    let significant = release.iter().rposition(|&part| part != 0).map_or(0, |last| last + 1);
    release[..significant].iter().for_each(|&part| key.number(part));
    key.mark(END);
    match version.pre() {
        Some(pre) => {
            key.mark(match pre.kind {
                PrereleaseKind::Alpha => ALPHA,
                PrereleaseKind::Beta => BETA,
                PrereleaseKind::Rc => CANDIDATE,
            });
            key.number(pre.number);
        }
        // `1.0.dev1` comes before `1.0a1`, but `1.0.post1.dev1` after it.
        None if version.post().is_none() && version.dev().is_some() => key.mark(BELOW),
        None => key.mark(ABOVE),
    }
    part(version.post(), BELOW, &mut key);
    part(version.dev(), ABOVE, &mut key);
    let segments = if local == Local::Counts { version.local() } else { &[] };
    for segment in segments {
        match segment {
            LocalSegment::String(word) => {
                key.mark(WORD);
                key.text(word);
            }
            LocalSegment::Number(number) => key.number(*number),
        }
    }
    key.mark(END);
    key.finish()
}

fn part(number: Option<u64>, absent: u8, key: &mut KeyWriter) {
    match number {
        Some(number) => {
            key.mark(PRESENT);
            key.number(number);
        }
        None => key.mark(absent),
    }
}

/// Digits are padded to this length and then compared as text.
const LEGACY_DIGITS: usize = 8;

/// The old order: a list of words, each either digits padded with zeros or a `*` and letters.
fn legacy(text: &str) -> VersionKey {
    let lower = text.to_lowercase();
    let mut words: Vec<String> = Vec::new();
    for word in legacy_words(&lower) {
        if word.starts_with('*') {
            if *word < *"*final" {
                // A hyphen before a pre-release says nothing.
                while words.last().is_some_and(|last| last == "*final-") {
                    words.pop();
                }
            }
            while words.last().is_some_and(|last| last == "00000000") {
                words.pop();
            }
        }
        words.push(word);
    }
    let mut key = KeyWriter::for_length(lower.len() + 8);
    key.mark(LEGACY);
    words.iter().for_each(|word| key.text(word));
    key.mark(END);
    key.finish()
}

/// Cuts text into runs of digits, runs of letters, hyphens, dots (dropped) and what is between.
fn legacy_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word;
        if first.is_ascii_digit() {
            (word, rest) = leading(rest, |b| b.is_ascii_digit());
            words.push(format!("{word:0>LEGACY_DIGITS$}"));
            continue;
        }
        if first.is_ascii_lowercase() {
            (word, rest) = leading(rest, |b| b.is_ascii_lowercase());
        } else if first == '.' || first == '-' {
            (word, rest) = rest.split_at(1);
        } else {
            let is_other = |c: char| !(c.is_ascii_digit() || c.is_ascii_lowercase() || c == '.' || c == '-');
            let end = rest.find(|c| !is_other(c)).unwrap_or(rest.len());
            (word, rest) = rest.split_at(end);
        }
        match word {
            "." => {}
            "pre" | "preview" | "rc" => words.push("*c".to_owned()),
            "-" => words.push("*final-".to_owned()),
            "dev" => words.push("*@".to_owned()),
            other => words.push(format!("*{other}")),
        }
    }
    words.push("*final".to_owned());
    words
}
