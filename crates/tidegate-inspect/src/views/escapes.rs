//! Escapes of JSON, JavaScript, Python and their like, with the text around them.

use super::map::Builder;
use super::{Source, View, ViewKind};

/// Bytes of plain text before, between and behind escapes that belong to them.
const AROUND: usize = 256;

pub(super) fn make(source: &Source<'_>, visit: &mut dyn FnMut(&View<'_>)) {
    around(source, ViewKind::Escapes, b'\\', escape, visit);
}

/// What a mark stands for: how long its encoded form is, and the character.
pub(super) type Decode = fn(&[u8]) -> Option<(usize, char)>;

/// Decodes every mark, with the text around it.
pub(super) fn around(
    source: &Source<'_>,
    kind: ViewKind,
    mark: u8,
    decode: Decode,
    visit: &mut dyn FnMut(&View<'_>),
) {
    let bytes = source.bytes;
    let mut builder = Builder::new(kind, source, visit);
    // Where the text that was not pushed yet begins; none while no run is open.
    let mut open: Option<usize> = None;
    let mut at = 0;
    while let Some(found) = memchr::memchr(mark, &bytes[at..]).map(|found| at + found) {
        let Some((length, c)) = decode(&bytes[found..]) else {
            at = found + 1;
            continue;
        };
        let mut from = open.unwrap_or_else(|| found.saturating_sub(AROUND));
        if found - from > 2 * AROUND {
            builder.push(&bytes[from..from + AROUND], from, 1, 1);
            builder.end_run(from + AROUND);
            from = found - AROUND;
        }
        builder.push(&bytes[from..found], from, 1, 1);
        push(&mut builder, c, found, length);
        at = found + length;
        open = Some(at);
    }
    if let Some(from) = open {
        let end = bytes.len().min(from + AROUND);
        builder.push(&bytes[from..end], from, 1, 1);
        builder.end_run(end);
    }
    builder.finish();
}

fn push(builder: &mut Builder<'_, '_>, c: char, leaf: usize, length: usize) {
    // A byte above ASCII is meant as that byte: `\xNN` and `%NN` are bytes of UTF-8 more often than characters.
    match u8::try_from(c) {
        Ok(byte) if length <= 4 => builder.push_byte(byte, leaf, length),
        _ => {
            let mut utf8 = [0; 4];
            let text = c.encode_utf8(&mut utf8);
            let step = text.len();
            builder.push(text.as_bytes(), leaf, step, length);
        }
    }
}

/// The escape that `text` begins with.
fn escape(text: &[u8]) -> Option<(usize, char)> {
    let simple = |c| Some((2, c));
    match *text.get(1)? {
        b'n' => simple('\n'),
        b't' => simple('\t'),
        b'r' => simple('\r'),
        c @ (b'"' | b'\'' | b'\\' | b'/' | b'`') => simple(char::from(c)),
        b'x' => Some((4, char::from(u8::try_from(number(text.get(2..4)?)?).ok()?))),
        b'u' if text.get(2) == Some(&b'{') => {
            let end = text.iter().take(10).position(|&b| b == b'}')?;
            Some((end + 1, char::from_u32(number(&text[3..end])?)?))
        }
        b'u' => unit(text),
        b'0'..=b'7' => {
            let digits = text[1..].iter().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
            let value = text[1..=digits].iter().fold(0u32, |value, b| value * 8 + u32::from(b - b'0'));
            Some((digits + 1, char::from(u8::try_from(value).ok()?)))
        }
        _ => None,
    }
}

/// `\uNNNN`, or two of them that are one character.
fn unit(text: &[u8]) -> Option<(usize, char)> {
    match number(text.get(2..6)?)? {
        high @ 0xd800..=0xdbff if text.get(6..8) == Some(b"\\u") => {
            let low = number(text.get(8..12)?)?;
            let low = (0xdc00..=0xdfff).contains(&low).then_some(low)?;
            Some((12, char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?))
        }
        unit => Some((6, char::from_u32(unit)?)),
    }
}

/// Hexadecimal digits, at least one.
pub(super) fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits.iter().try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?))
}
