//! Haskell's package versioning policy (`Data.Version`, Cabal): numbers separated by dots, compared one by one; a version
//! that is a prefix of another sorts before it, so `1.0` < `1.0.0`.

use crate::version::key::{END, KeyWriter, VersionKey};

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    numbers(text, |separator| separator == '.')
}

/// The key of numbers with one separator between any two.
pub(super) fn numbers(text: &str, is_separator: fn(char) -> bool) -> Option<VersionKey> {
    let mut key = KeyWriter::for_length(text.len());
    for part in text.split(is_separator) {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        key.digits(part);
    }
    key.mark(END);
    Some(key.finish())
}
