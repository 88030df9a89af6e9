//! Debian policy §5.6.12 (`dpkg --compare-versions`): epoch, upstream version, revision. The latter two compare in turns
//! of non-digits and digits; among non-digits `~` sorts before the end, letters before all others.
//!
//! Ubuntu has the same order, and so has opam.

use crate::version::key::{KeyWriter, VersionKey, leading, leading_digits};

/// `~` sorts before the end of the part, and everything else after it.
const TILDE: u8 = 0x01;
const END: u8 = 0x02;
/// Added to what is neither letter nor `~`: after the letters.
const OTHER: u8 = 0x80;

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    let (epoch, version) = text.split_once(':').unwrap_or(("0", text));
    let is_epoch = !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit());
    if !is_epoch || version.is_empty() || !version.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let (upstream, revision) = version.rsplit_once('-').unwrap_or((version, ""));
    let mut key = KeyWriter::for_length(text.len());
    key.digits(epoch);
    part(upstream, &mut key);
    part(revision, &mut key);
    Some(key.finish())
}

/// Writes upstream version or revision. No revision is the same as revision `0`.
fn part(text: &str, key: &mut KeyWriter) {
    let mut rest = text;
    loop {
        let (other, digits);
        (other, rest) = leading(rest, |b| !b.is_ascii_digit());
        for byte in other.bytes() {
            key.mark(match byte {
                b'~' => TILDE,
                letter if letter.is_ascii_alphabetic() => letter,
                other => other | OTHER,
            });
        }
        key.mark(END);
        // Digits that are missing are zero.
        (digits, rest) = leading_digits(rest);
        key.digits(digits);
        if rest.is_empty() {
            // Stands where the next non-digit would.
            return key.mark(END);
        }
    }
}
