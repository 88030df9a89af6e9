//! Maven's version order (`ComparableVersion`, "Version Order Specification" in the POM reference).
//!
//! A version is cut at dots, hyphens and between digits and letters. Zeros and words that say "released" are dropped where
//! they end the version or stand before a hyphen. Then part by part: words before numbers, `-1` before `.1`; among words
//! alpha < beta < milestone < rc < snapshot < the release itself < sp < any other word. A word is the same after a dot as
//! after a hyphen.
//!
//! Maven compares lists within lists, and forms that nobody writes (`1--2`, `1.alpha.2`) fall between its releases; here
//! they follow the specification's flat reading, which is an order.

use crate::version::key::{BELOW_NUMBERS, KeyWriter, VersionKey, leading};

/// The words that have a place of their own, in its order; [`RELEASE`] is also where a version ends.
const ALPHA: u8 = 0x01;
const BETA: u8 = 0x02;
const MILESTONE: u8 = 0x03;
const CANDIDATE: u8 = 0x04;
const SNAPSHOT: u8 = 0x05;
const RELEASE: u8 = 0x06;
const SERVICE_PACK: u8 = 0x07;
const OTHER_WORD: u8 = 0x08;
/// A number after a hyphen: below the numbers after a dot.
const HYPHENATED: u8 = BELOW_NUMBERS;

/// What stands between two cuts.
#[derive(Clone, Copy)]
enum Part<'a> {
    Number { digits: &'a str, hyphenated: bool },
    Word { mark: u8, word: &'a str },
}

impl Part<'_> {
    /// Whether it is left out where nothing, or a hyphen, follows.
    fn is_null(self) -> bool {
        match self {
            Part::Number { digits, .. } => digits.bytes().all(|b| b == b'0'),
            Part::Word { mark, .. } => mark == RELEASE,
        }
    }

    fn begins_list(self) -> bool {
        !matches!(self, Part::Number { hyphenated: false, .. })
    }
}

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> VersionKey {
    let lower = text.to_lowercase();
    let mut key = KeyWriter::for_length(lower.len());
    for part in normal_form(&lower) {
        match part {
            Part::Number { digits, hyphenated } => {
                if hyphenated {
                    key.mark(HYPHENATED);
                }
                key.digits(digits);
            }
            Part::Word { mark, word } => {
                key.mark(mark);
                if mark == OTHER_WORD {
                    key.text(word);
                }
            }
        }
    }
    key.mark(RELEASE);
    key.finish()
}

/// The parts that count.
fn normal_form(lower: &str) -> Vec<Part<'_>> {
    let mut parts = cut(lower);
    let mut list_follows = true;
    let mut counts: Vec<bool> = parts
        .iter()
        .rev()
        .map(|part| {
            let counts = !(list_follows && part.is_null());
            if counts {
                list_follows = part.begins_list();
            }
            counts
        })
        .collect();
    parts.retain(|_| counts.pop().unwrap_or(true));
    parts
}

/// Cuts a version into its parts.
fn cut(lower: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = lower;
    let mut hyphenated = false;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let digits;
            (digits, rest) = leading(rest, |b| b.is_ascii_digit());
            parts.push(Part::Number { digits, hyphenated });
        } else if first != '.' && first != '-' {
            let end = rest.find(|c: char| c.is_ascii_digit() || c == '.' || c == '-').unwrap_or(rest.len());
            let word;
            (word, rest) = rest.split_at(end);
            let digit_follows = rest.starts_with(|c: char| c.is_ascii_digit());
            parts.push(Part::Word { mark: place(word, digit_follows), word });
        } else {
            // Nothing between two separators is zero.
            parts.push(Part::Number { digits: "0", hyphenated });
        }
        // A separator, or the change between digits and letters, which is as good as a hyphen.
        let separator = rest.chars().next();
        hyphenated = separator != Some('.');
        if matches!(separator, Some('.' | '-')) {
            rest = &rest[1..];
        }
    }
    parts
}

/// Where a word stands. Single letters are short for words only right before a digit.
fn place(word: &str, digit_follows: bool) -> u8 {
    match word {
        "alpha" => ALPHA,
        "beta" => BETA,
        "milestone" => MILESTONE,
        "a" if digit_follows => ALPHA,
        "b" if digit_follows => BETA,
        "m" if digit_follows => MILESTONE,
        "rc" | "cr" => CANDIDATE,
        "snapshot" => SNAPSHOT,
        "ga" | "final" | "release" => RELEASE,
        "sp" => SERVICE_PACK,
        _ => OTHER_WORD,
    }
}
