//! Texts and bytes of a pickle, read from where their operation stands. They are read only when something asks for them.

use crate::bytes::{u32_le, u64_le};

/// Bytes of a text that is read.
const TEXT_BYTES: usize = 4 << 10;

/// The text of the operation at a place.
pub(super) fn at(bytes: &[u8], place: usize) -> Option<String> {
    let rest = bytes.get(place..)?;
    match rest.first()? {
        b'S' => Some(quoted(line(rest)?)),
        b'V' => Some(raw_unicode(line(rest)?)),
        _ => {
            let content = content(bytes, place)?;
            let content = content.get(..TEXT_BYTES).unwrap_or(content);
            Some(String::from_utf8_lossy(content).into_owned())
        }
    }
}

/// The bytes of the operation at a place.
pub(super) fn content(bytes: &[u8], place: usize) -> Option<&[u8]> {
    let rest = bytes.get(place..)?;
    let (start, length): (usize, usize) = match rest.first()? {
        0x8c | b'U' | b'C' => (2, usize::from(*rest.get(1)?)),
        b'X' | b'T' | b'B' => (5, u32_le(rest, 1)? as usize),
        0x8d | 0x8e | 0x96 => (9, usize::try_from(u64_le(rest, 1)?).ok()?),
        _ => return None,
    };
    rest.get(start..start.checked_add(length)?)
}

fn line(rest: &[u8]) -> Option<&[u8]> {
    let line = rest.get(1..)?;
    let line = line.get(..TEXT_BYTES).unwrap_or(line);
    line.get(..memchr::memchr(b'\n', line)?)
}

/// A text as Python writes it: in quotes, with escapes.
fn quoted(line: &[u8]) -> String {
    let line = line.trim_ascii();
    let inner = match line {
        [first @ (b'\'' | b'"'), inner @ .., last] if first == last => inner,
        other => other,
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let [escape, after @ ..] = rest else { break };
        rest = after;
        match escape {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'x' => {
                let value = rest.get(..2).and_then(|digits| number(digits, 16));
                out.extend(value.map(|value| value as u8));
                rest = rest.get(2..).unwrap_or_default();
            }
            b'0'..=b'7' => {
                let digits = 1 + rest.iter().take(2).take_while(|b| matches!(b, b'0'..=b'7')).count();
                let start = inner.len() - rest.len() - 1;
                out.extend(
                    inner.get(start..start + digits).and_then(|d| number(d, 8)).map(|value| value as u8),
                );
                rest = rest.get(digits - 1..).unwrap_or_default();
            }
            other => out.push(*other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

/// A text in which only `\u` and `\U` are escapes, and every byte a character.
fn raw_unicode(line: &[u8]) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let [byte, after @ ..] = rest {
        let width = match after.first() {
            Some(b'u') if *byte == b'\\' => 4,
            Some(b'U') if *byte == b'\\' => 8,
            _ => 0,
        };
        let escaped = after.get(1..=width).filter(|_| width > 0).and_then(|digits| number(digits, 16));
        match escaped.and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = after.get(1 + width..).unwrap_or_default();
            }
            None => {
                out.push(char::from(*byte));
                rest = after;
            }
        }
    }
    out
}
