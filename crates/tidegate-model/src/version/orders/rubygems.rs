//! RubyGems (`Gem::Version`): runs of digits and runs of letters, compared one by one as if zeros followed without end;
//! letters sort below numbers, so a letter makes a pre-release. Zeros before the first letters and at the end do not
//! count. A hyphen means `.pre.`.
//!
//! The platform of a built gem (`1.15.0-x86_64-linux`, `1.0-java`), which lock files and file names append, is no part of
//! the version and is left out.
//!
//! Padding while comparing has no bytes; so a key says before each part how many zeros precede it. Zeros before letters
//! sort below endless zeros, more of them higher; zeros before a number sort above, more of them lower.

use crate::version::key::{KeyWriter, VersionKey, leading, leading_digits};

/// Letters, after a count of zeros.
const LETTERS: u8 = 0x01;
/// Only zeros follow.
const END: u8 = 0x02;
/// A number that is not zero, after a count of zeros.
const NUMBER: u8 = 0x03;

/// How platforms begin, after the hyphen.
const PLATFORMS: [&str; 13] = [
    "aarch64",
    "arm",
    "java",
    "jruby",
    "mingw",
    "mswin",
    "powerpc",
    "ruby",
    "universal",
    "x64",
    "x86",
    "i386",
    "i686",
];

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    let version = without_platform(text);
    if !version.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut key = KeyWriter::for_length(version.len() + 8);
    let mut zeros = 0_u8;
    let mut letters_seen = false;
    for segment in version.split('.') {
        if segment.is_empty() || !segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return None;
        }
        let mut rest = segment;
        while let Some(first) = rest.bytes().next() {
            let run;
            if let Some(next) = rest.strip_prefix('-') {
                (run, rest) = ("pre", next);
            } else if first.is_ascii_digit() {
                (run, rest) = leading_digits(rest);
            } else {
                (run, rest) = leading(rest, |b| b.is_ascii_alphabetic());
            }
            part(run, &mut zeros, &mut letters_seen, &mut key);
        }
    }
    key.mark(END);
    Some(key.finish())
}

/// Writes a run of digits or of letters, and the zeros before it; counts it if it is zero itself.
fn part(run: &str, zeros: &mut u8, letters_seen: &mut bool, key: &mut KeyWriter) {
    if run.bytes().all(|b| b == b'0') {
        // INVARIANT: a version is short, and each zero takes two of its bytes.
        *zeros += 1;
        return;
    }
    if run.starts_with(|c: char| c.is_ascii_digit()) {
        key.mark(NUMBER);
        key.mark(u8::MAX - *zeros);
        key.digits(run);
    } else {
        key.mark(LETTERS);
        // The zeros that end the numbers before the first letters do not count.
        key.mark(if *letters_seen { *zeros } else { 0 });
        key.text(run);
        *letters_seen = true;
    }
    *zeros = 0;
}

fn without_platform(text: &str) -> &str {
    let is_platform = |suffix: &str| PLATFORMS.iter().any(|platform| suffix.starts_with(platform));
    let platform = text.match_indices('-').find(|(at, _)| is_platform(&text[at + 1..]));
    platform.map_or(text, |(at, _)| &text[..at])
}
