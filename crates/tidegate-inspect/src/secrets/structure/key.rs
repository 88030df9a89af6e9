//! Private keys: PEM, OpenSSH, PGP, PuTTY.

use std::ops::Range;

use super::{Judged, decoded, is_noise};
use tidegate_model::finding::{Confidence, FindingSeverity as Severity};

/// Bytes from the first line of a key to its last, at most.
const KEY_BYTES: usize = 16 << 10;

/// Bytes that any private key has, decoded.
const LEAST_BYTES: usize = 40;

/// A key that was read out of its armour.
struct Armoured {
    /// Where it ends.
    end: usize,
    /// The decoded bytes.
    bytes: Vec<u8>,
    /// A header of it says that a passphrase is needed.
    encrypted: bool,
}

/// Reads what stands between the first line, which ends at `from`, and the last line. The text may be a source file: line
/// breaks may be escapes, and lines may be strings that are joined.
fn armoured(text: &[u8], from: usize) -> Option<Armoured> {
    let area = text.get(from..text.len().min(from + KEY_BYTES))?;
    let end = memchr::memmem::find(area, b"-----")?;
    if !area[end..].starts_with(b"-----END") {
        return None;
    }
    let body = &area[..end];
    let mut encoded = Vec::with_capacity(body.len());
    let mut encrypted = false;
    for line in lines(body) {
        if line.contains(&b':') {
            encrypted |= memchr::memmem::find(line, b"ENCRYPTED").is_some();
            continue;
        }
        // The checksum of PGP is not part of the key.
        if line.first() == Some(&b'=') {
            continue;
        }
        let line = trimmed(line);
        if !line.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')) {
            return None;
        }
        encoded.extend_from_slice(line);
    }
    Some(Armoured { end: from + end, bytes: decoded(&encoded), encrypted })
}

/// Lines, whichever way their breaks are written.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let text = rest?;
        let found = text.iter().enumerate().find_map(|(at, &b)| match (b, text.get(at + 1)) {
            (b'\n', _) => Some((at, 1)),
            (b'\\', Some(b'n' | b'r')) => Some((at, 2)),
            (b'\\', Some(b'\\')) if matches!(text.get(at + 2), Some(b'n' | b'r')) => Some((at, 3)),
            _ => None,
        });
        let Some((at, length)) = found else {
            rest = None;
            return Some(text);
        };
        rest = Some(&text[at + length..]);
        Some(&text[..at])
    })
}

/// A line without what a source file puts around it: quotes, commas, signs that join, marks of comments.
fn trimmed(line: &[u8]) -> &[u8] {
    let is_text = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'=');
    let is_space = |b: &u8| {
        matches!(
            b,
            b' ' | b'\t'
                | b'\r'
                | b'"'
                | b'\''
                | b'`'
                | b','
                | b'\\'
                | b';'
                | b'#'
                | b'*'
                | b'>'
                | b'('
                | b')'
                | b'.'
        )
    };
    let mut line = line;
    loop {
        let before = line.len();
        while let [first, rest @ ..] = line
            && (is_space(first) || (*first == b'+' && rest.first().is_some_and(is_space)))
        {
            line = rest;
        }
        while let [rest @ .., last] = line
            && (is_space(last) || (*last == b'+' && !rest.last().is_some_and(is_text)))
        {
            line = rest;
        }
        if line.len() == before {
            return line;
        }
    }
}

/// `begin` is the first line of a PEM text.
pub(super) fn pem(text: &[u8], begin: Range<usize>) -> Option<Judged> {
    let key = armoured(text, begin.end)?;
    let place = begin.start..key.end;
    let label = &text[begin];
    let is_encrypted = key.encrypted || memchr::memmem::find(label, b"ENCRYPTED").is_some();
    if key.bytes.len() < LEAST_BYTES || !is_mixed(&key.bytes) {
        return None;
    }
    if is_encrypted {
        return Judged::as_bad_as(place, Severity::Info, Confidence::High);
    }
    if memchr::memmem::find(label, b"OPENSSH").is_some() {
        return openssh(&key.bytes, place);
    }
    match der_length(&key.bytes) {
        // A version number follows in every form of private key.
        Some(length) if length.abs_diff(key.bytes.len()) <= 3 && has_version(&key.bytes) => {
            Judged::plain(place)
        }
        Some(_) => Judged::as_bad_as(place, Severity::Medium, Confidence::Medium),
        None if is_noise(&key.bytes) && key.bytes.len() >= 100 => {
            Judged::as_bad_as(place, Severity::Medium, Confidence::Low)
        }
        None => None,
    }
}

/// Bytes of the sequence that the bytes begin with (X.690), header and content.
fn der_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x30, short @ 0..=0x7f, ..] => Some(2 + usize::from(*short)),
        [0x30, 0x81, length, ..] => Some(3 + usize::from(*length)),
        [0x30, 0x82, high, low, ..] => Some(4 + (usize::from(*high) << 8 | usize::from(*low))),
        _ => None,
    }
}

/// `version` is the version number with which a PKCS #8 key begins, inside its sequence.
pub(super) fn der(text: &[u8], version: Range<usize>) -> Option<Judged> {
    [4, 3, 2].into_iter().find_map(|header| {
        let start = version.start.checked_sub(header)?;
        let bytes = text.get(start..text.len().min(start + KEY_BYTES))?;
        let length = der_length(bytes)?;
        // The sequence begins where the header says, goes no further than the text does, and is no filler.
        let key = bytes.get(..length)?;
        let is_key =
            header == der_header(length) && length >= LEAST_BYTES && is_mixed(key) && is_filled_in(key);
        if is_key { Judged::plain(start..start + length) } else { None }
    })
}

/// Whether an elliptic key has its number. Libraries carry such keys without it, to fill it in.
fn is_filled_in(key: &[u8]) -> bool {
    let start = &key[..key.len().min(48)];
    let Some(version) = memchr::memmem::find(start, b"\x02\x01\x01\x04") else { return true };
    let Some(&length) = key.get(version + 4) else { return false };
    let next = version + 5 + usize::from(length);
    // Parameters or the public half may follow (RFC 5915).
    next == key.len() || key.get(next).is_some_and(|tag| matches!(tag, 0xa0 | 0xa1))
}

/// Bytes of the header of a sequence of so many bytes, header and content.
fn der_header(length: usize) -> usize {
    match length {
        0..=129 => 2,
        130..=258 => 3,
        _ => 4,
    }
}

fn has_version(bytes: &[u8]) -> bool {
    bytes.windows(3).take(5).any(|w| w[..2] == [2, 1] && w[2] <= 1)
}

/// Whether bytes are more than a pattern that somebody typed.
fn is_mixed(bytes: &[u8]) -> bool {
    super::words::entropy(bytes) > 3.8
}

fn openssh(bytes: &[u8], place: Range<usize>) -> Option<Judged> {
    let Some(rest) = bytes.strip_prefix(b"openssh-key-v1\0") else {
        return if is_noise(bytes) {
            Judged::as_bad_as(place, Severity::Medium, Confidence::Low)
        } else {
            None
        };
    };
    if rest.starts_with(b"\0\0\0\x04none") {
        return Judged::plain(place);
    }
    Judged::as_bad_as(place, Severity::Info, Confidence::High)
}

/// `begin` is the first line of a PGP private key.
pub(super) fn pgp(text: &[u8], begin: Range<usize>) -> Option<Judged> {
    let key = armoured(text, begin.end)?;
    let place = begin.start..key.end;
    // The first packet is a secret key (tag 5), in the old or the new form.
    let is_secret = key.bytes.first().is_some_and(|tag| matches!(tag, 0x94..=0x97 | 0xc5));
    (is_secret && is_mixed(&key.bytes)).then_some(())?;
    Judged::plain(place)
}

/// `begin` is the first line of a PuTTY key.
pub(super) fn putty(text: &[u8], begin: Range<usize>) -> Option<Judged> {
    let area = text.get(begin.start..text.len().min(begin.start + KEY_BYTES))?;
    let find = |what: &[u8]| memchr::memmem::find(area, what);
    let (encryption, private) = (find(b"Encryption: ")?, find(b"Private-Lines: ")?);
    let end = find(b"Private-MAC: ")?;
    let place = begin.start..begin.start + end;
    let is_open = area[encryption + 12..].starts_with(b"none");
    if end < private || end - private < LEAST_BYTES {
        return None;
    }
    if is_open { Judged::plain(place) } else { Judged::as_bad_as(place, Severity::Info, Confidence::High) }
}

/// Whether base64 holds a PEM private key.
pub(super) fn is_base64_pem(value: &[u8]) -> bool {
    let text = decoded(value);
    text.starts_with(b"-----BEGIN ") && memchr::memmem::find(&text, b"PRIVATE KEY-----").is_some()
}
