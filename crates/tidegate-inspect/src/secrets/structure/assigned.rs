//! Values given to something with a secret name, in sources and configuration. Most are no secrets, so only a value that looks
//! drawn at random is taken, and what has the form of something else is not.

use std::ops::Range;

use super::{Judged, decoded, is_noise};
use crate::secrets::{placeholder, words};
use tidegate_model::finding::Confidence;

/// Changes between small letters, capitals and digits, in hundredths of the neighbours: random text has about 45, names about
/// 20.
const CHANGES: usize = 24;

/// Bits a character.
const ENTROPY: f32 = 3.4;

/// What stands before values that are digests, keys of caches and identifiers.
const DIGEST_MARKS: &[&[u8]] =
    &[b"sha1", b"sha2", b"sha5", b"md5", b"integrity", b"checksum", b"digest", b"h1:", b"etag", b"hash"];

/// Bytes before a value in which such a mark counts.
const MARK_BYTES: usize = 24;

pub(super) fn judge(text: &[u8], place: Range<usize>) -> Option<Judged> {
    let value = &text[place.clone()];
    let before = text[place.start.saturating_sub(MARK_BYTES)..place.start].to_ascii_lowercase();
    let is_marked = DIGEST_MARKS.iter().any(|mark| memchr::memmem::find(&before, mark).is_some());
    if is_marked || placeholder::is_placeholder(value) || words::is_wordy(value) || is_something_else(value) {
        return None;
    }
    let is_hex = value.iter().all(u8::is_ascii_hexdigit);
    let is_random = if is_hex {
        value.len() >= 32 && words::entropy(value) > 3.0
    } else {
        words::entropy(value) > ENTROPY && words::changes(value) * 100 >= CHANGES * (value.len() - 1)
    };
    if !is_random {
        return None;
    }
    // Random digits of both cases are sure to be drawn; hexadecimal ones are as often a digest.
    let confidence = (is_hex || value.len() < 20).then_some(Confidence::Low);
    Some(Judged { secret: place, severity: None, confidence })
}

/// Forms of other things: identifiers with many separators, paths, versions, base64 of text.
fn is_something_else(value: &[u8]) -> bool {
    let separators = value.iter().filter(|b| matches!(b, b'.' | b'/' | b':' | b'-' | b'_')).count();
    let is_uuid = value.len() == 36 && value.iter().filter(|&&b| b == b'-').count() == 4;
    let is_split = separators * 8 > value.len();
    let is_encoded_text = value.len() >= 20 && {
        let bytes = decoded(value);
        !bytes.is_empty()
            && bytes.iter().all(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e))
            && !is_noise(&bytes)
    };
    is_uuid || is_split || is_encoded_text
}
