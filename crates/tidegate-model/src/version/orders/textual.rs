//! No order: the text itself, so that equal versions have equal keys and others different ones.

use crate::version::key::{KeyWriter, VersionKey};

/// The key of any text.
pub(in crate::version) fn key(text: &str) -> VersionKey {
    let mut key = KeyWriter::for_length(text.len());
    // Not as a text of a grammar: this one may hold any character, and nothing follows it.
    text.bytes().for_each(|byte| key.mark(byte));
    key.finish()
}
