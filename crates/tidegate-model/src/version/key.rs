//! Keys: versions as bytes, so that their order is the order of the bytes.

use std::borrow::Borrow;
use std::fmt;

/// A version's place in the order of its scheme, as bytes: comparing keys of one scheme byte by byte (`memcmp`) orders
/// their versions, and versions that differ in spelling only have equal keys.
///
/// Keys of different schemes have nothing to say to each other. Keys may be stored; what stores them must be built anew
/// when [`VersionKey::FORMAT`] changes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionKey(Box<[u8]>);

impl VersionKey {
    /// Counts up whenever any scheme's keys change, so that stored keys are never compared with keys of another make.
    pub const FORMAT: u32 = 1;

    /// Sorts before the key of every version: what OSV means by `introduced: "0"`.
    pub fn lowest() -> Self {
        // INVARIANT: no order makes an empty key.
        Self(Box::default())
    }

    /// The bytes to compare or to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As [`VersionKey::as_bytes`], owned.
    pub fn into_bytes(self) -> Box<[u8]> {
        self.0
    }
}

impl Borrow<[u8]> for VersionKey {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for VersionKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for VersionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionKey({})", hex::encode(&self.0))
    }
}

/// The first byte of numbers lies in this range. Marks that sort below numbers are smaller, those that sort above are
/// larger.
const NUMBER: u8 = 0x40;
/// Numbers below this are that byte alone; most parts of most versions are.
const SMALL_NUMBERS: u64 = 0x50;
/// Above them are numbers of one to eight bytes, which are counted here, then those of more, kept in decimal.
const WIDE_NUMBER: u8 = NUMBER + SMALL_NUMBERS as u8;
const HUGE_NUMBER: u8 = WIDE_NUMBER + 9;
/// The smallest mark that sorts above every number.
pub(super) const ABOVE_NUMBERS: u8 = HUGE_NUMBER + 1;
/// The largest mark that sorts below every number.
pub(super) const BELOW_NUMBERS: u8 = NUMBER - 1;
/// Ends a text or a list: sorts below everything that can stand in its place.
pub(super) const END: u8 = 0;

/// Writes the parts of a version in their order. No part's bytes begin another's, so that the first difference between
/// two keys is a difference of the same part.
pub(super) struct KeyWriter(Vec<u8>);

impl KeyWriter {
    /// A writer for the key of a text of `length` bytes.
    pub(super) fn for_length(length: usize) -> Self {
        Self(Vec::with_capacity(length + 8))
    }

    /// Writes a mark: which kind of part follows, or that nothing does.
    pub(super) fn mark(&mut self, mark: u8) {
        self.0.push(mark);
    }

    /// Writes a number of any size by its decimal digits; leading zeros do not count, no digits are zero.
    pub(super) fn digits(&mut self, digits: &str) {
        debug_assert!(digits.bytes().all(|b| b.is_ascii_digit()), "INVARIANT: only digits are numbers");
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() {
            return self.number(0);
        }
        if let Ok(value) = significant.parse() {
            return self.number(value);
        }
        self.0.push(HUGE_NUMBER);
        // INVARIANT: a version is at most MAX_VERSION_BYTES long.
        let length = u16::try_from(significant.len()).expect("a version is short");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(significant.as_bytes());
    }

    /// Writes a number.
    pub(super) fn number(&mut self, value: u64) {
        if value < SMALL_NUMBERS {
            return self.0.push(NUMBER + value as u8);
        }
        let bytes = value.to_be_bytes();
        let used = 8 - value.leading_zeros() as usize / 8;
        self.0.push(WIDE_NUMBER + used as u8);
        self.0.extend_from_slice(&bytes[8 - used..]);
    }

    /// Writes text, compared byte by byte, a prefix first. The text must not hold NUL.
    pub(super) fn text(&mut self, text: &str) {
        debug_assert!(!text.as_bytes().contains(&END), "INVARIANT: grammars admit no NUL");
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(END);
    }

    /// As [`KeyWriter::text`], with ASCII capitals taken as small letters.
    pub(super) fn text_folded(&mut self, text: &str) {
        let start = self.0.len();
        self.text(text);
        self.0[start..].make_ascii_lowercase();
    }

    /// The key of what was written.
    pub(super) fn finish(self) -> VersionKey {
        debug_assert!(!self.0.is_empty(), "INVARIANT: no order makes an empty key");
        VersionKey(self.0.into_boxed_slice())
    }
}

/// The digits that `text` begins with, and the rest.
pub(super) fn leading_digits(text: &str) -> (&str, &str) {
    leading(text, |b| b.is_ascii_digit())
}

/// The longest beginning of `text` whose bytes, all ASCII, satisfy `belongs`, and the rest.
pub(super) fn leading(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|b| !b.is_ascii() || !belongs(b)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digits: &str) -> VersionKey {
        let mut writer = KeyWriter::for_length(digits.len());
        writer.digits(digits);
        writer.finish()
    }

    #[test]
    fn numbers_keep_their_order_at_every_width() {
        let ascending = [
            "0",
            "1",
            "79",
            "80",
            "255",
            "256",
            "65535",
            "65536",
            "4294967296",
            "9999999999999999999",
            "10000000000000000000",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999",
            "100000000000000000000",
        ];
        for pair in ascending.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{} < {}", pair[0], pair[1]);
        }
        assert_eq!(key("007"), key("7"));
        assert_eq!(key(""), key("000"));
        assert!(VersionKey::lowest() < key("0"));
        for digits in ascending {
            let first = key(digits).as_bytes()[0];
            assert!((BELOW_NUMBERS + 1..ABOVE_NUMBERS).contains(&first), "{digits}");
        }
    }
}
