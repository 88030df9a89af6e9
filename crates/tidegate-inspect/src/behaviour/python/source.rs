//! Turns the bytes of a Python source into text as Python would: marks, cookies, other encodings.

use std::borrow::Cow;

use super::fold;

/// A source as text.
pub(super) struct Source<'t> {
    pub(super) text: Cow<'t, str>,
    /// Bytes before the text: a mark of the encoding.
    pub(super) skipped: u64,
    /// Bytes that one character of the text had in the file, where it is not UTF-8.
    pub(super) width: Option<u64>,
    /// Named where the encoding itself hides what the file says.
    pub(super) hidden_by: Option<&'static str>,
}

/// Reads a source. Bytes that no encoding explains are taken for Latin-1.
pub(super) fn decode(bytes: &[u8]) -> Source<'_> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return Source { skipped: 3, ..plain(rest) };
    }
    for (mark, little) in [(b"\xFF\xFE", true), (b"\xFE\xFF", false)] {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return Source { text: utf16(rest, little).into(), skipped: 2, width: Some(2), hidden_by: None };
        }
    }
    let cookie = cookie(bytes).unwrap_or_default();
    let hidden =
        |text: String, by| Source { text: text.into(), skipped: 0, width: Some(1), hidden_by: Some(by) };
    match cookie.as_str() {
        "rot13" | "rot_13" => hidden(fold::rot13(&latin(bytes)), "rot"),
        "utf_7" | "utf7" | "u7" | "unicode_1_1_utf_7" => hidden(utf7(bytes), "charcode"),
        "unicode_escape" | "raw_unicode_escape" => hidden(escapes(bytes), "charcode"),
        "latin_1" | "latin1" | "iso_8859_1" | "iso8859_1" | "iso_8859_15" | "cp1252" | "windows_1252"
        | "l1" | "ascii"
            if std::str::from_utf8(bytes).is_err() =>
        {
            Source { text: latin(bytes).into(), skipped: 0, width: Some(1), hidden_by: None }
        }
        _ => plain(bytes),
    }
}

fn plain(bytes: &[u8]) -> Source<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Source { text: text.into(), skipped: 0, width: None, hidden_by: None },
        Err(_) => Source { text: latin(bytes).into(), skipped: 0, width: Some(1), hidden_by: None },
    }
}

/// The encoding that one of the first two lines names (PEP 263), in small letters with `_`.
fn cookie(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|byte| *byte == b'\n').take(2) {
        let line = line.get(..line.len().min(256)).unwrap_or_default();
        let text = line.trim_ascii_start();
        if !text.starts_with(b"#") {
            if !text.is_empty() {
                return None;
            }
            continue;
        }
        let text = String::from_utf8_lossy(text);
        let Some((_, rest)) = text.split_once("coding") else { continue };
        let Some(rest) = rest.strip_prefix([':', '=']) else { continue };
        let name: String = rest
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            .collect();
        return Some(name.to_ascii_lowercase().replace('-', "_"));
    }
    None
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn utf16(bytes: &[u8], little: bool) -> String {
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [a, b] if little => u16::from_le_bytes([*a, *b]),
        [a, b] => u16::from_be_bytes([*a, *b]),
        _ => 0xFFFD,
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{FFFD}')).collect()
}

/// UTF-7: base64 of UTF-16 between `+` and `-`.
fn utf7(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'+' {
            out.push(char::from(*byte));
            continue;
        }
        let coded = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).count();
        if coded == 0 {
            out.push('+');
        } else {
            let units = fold::base64(rest.get(..coded).unwrap_or_default()).unwrap_or_default();
            out.push_str(&utf16(&units, false));
        }
        rest = rest.get(coded..).unwrap_or_default();
        rest = rest.strip_prefix(b"-").unwrap_or(rest);
    }
    out
}

/// Escapes in the whole source: a comment may hold a line break.
fn escapes(bytes: &[u8]) -> String {
    let text = latin(bytes);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push('\\');
        match rest.clone().next() {
            Some('n') => {
                out.pop();
                out.push('\n');
                rest.next();
            }
            Some('r') => {
                out.pop();
                out.push('\r');
                rest.next();
            }
            Some(kind @ ('x' | 'u' | 'U')) => {
                out.pop();
                rest.next();
                let digits = match kind {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let text: String = rest.by_ref().take(digits).collect();
                out.push(u32::from_str_radix(&text, 16).ok().and_then(char::from_u32).unwrap_or('\u{FFFD}'));
            }
            _ => {}
        }
    }
    out
}
