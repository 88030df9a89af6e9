//! Where a token begins and ends. In text other characters set it off. In compiled files a length stands before it, or nothing
//! at all: linkers put strings side by side.

use super::rule::ByteClass;

/// Bytes at the beginning of a text in which a control character makes it binary.
const SAMPLE_BYTES: usize = 1024;

/// Bytes around a place in which control characters make it binary.
const NEAR_BYTES: usize = 32;

/// Characters of base64 before or behind a candidate that make it a piece of something larger.
const BLOB_BYTES: usize = 200;

/// How one end of a candidate is set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// As it should be.
    Clean,
    /// Not at all, as happens between the strings of compiled files.
    Joined,
    /// It is the middle of a word.
    Inside,
}

/// Whether a text is that of a compiled file.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(SAMPLE_BYTES).any(|&b| is_control(b))
}

/// Whether the place is in a compiled file or a page of a database.
pub(super) fn is_binary_near(bytes: &[u8], from: usize, to: usize) -> bool {
    let before = &bytes[from.saturating_sub(NEAR_BYTES)..from];
    let behind = &bytes[to..bytes.len().min(to + NEAR_BYTES)];
    before.iter().chain(behind).any(|&b| is_control(b))
}

/// Control characters that no text has: colours of terminals begin with an escape.
fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0e..=0x1a | 0x1c..=0x1f)
}

/// How the beginning of a candidate is set off.
pub(super) fn left(bytes: &[u8], start: usize, is_binary: bool) -> Edge {
    let Some(&before) = start.checked_sub(1).and_then(|at| bytes.get(at)) else { return Edge::Clean };
    if !(before.is_ascii_alphanumeric() || before == b'_') || is_escape(&bytes[..start]) {
        return Edge::Clean;
    }
    if is_binary { Edge::Joined } else { Edge::Inside }
}

/// How the end of a candidate is set off.
pub(super) fn right(bytes: &[u8], end: usize, class: &ByteClass, is_binary: bool) -> Edge {
    match bytes.get(end) {
        Some(&behind) if class.has(behind) => {
            if is_binary {
                Edge::Joined
            } else {
                Edge::Inside
            }
        }
        _ => Edge::Clean,
    }
}

/// The length that stands before a string in compiled Python, Java classes and protocol buffers.
pub(super) fn stated_length(bytes: &[u8], start: usize) -> Option<usize> {
    start.checked_sub(1).and_then(|at| bytes.get(at)).map(|&b| usize::from(b))
}

/// Whether a text ends with what stands for another character: `\n`, `\x3d`, `\u003d`, `%3D`, `\033[1m`.
fn is_escape(before: &[u8]) -> bool {
    let tail = &before[before.len().saturating_sub(8)..];
    let digits = |n: usize| tail.len() >= n && tail[tail.len() - n..].iter().all(u8::is_ascii_hexdigit);
    match tail {
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f' | b'v'] => true,
        [.., b'\\', b'x', _, _] | [.., b'%', _, _] => digits(2),
        [.., b'\\', b'u', _, _, _, _] => digits(4),
        [.., b'm'] => {
            let start = tail.iter().rposition(|&b| b == b'[');
            start.is_some_and(|at| {
                tail[at + 1..tail.len() - 1].iter().all(|b| b.is_ascii_digit() || *b == b';')
                    && at > 0
                    && matches!(tail[at - 1], 0x1b | b'3' | b'b' | b'e')
            })
        }
        _ => false,
    }
}

/// Whether a candidate is a piece of a long run of base64: an image, a font, a compiled module.
pub(super) fn in_blob(bytes: &[u8], from: usize, to: usize) -> bool {
    let is_base64 = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let before = bytes[..from].iter().rev().take(BLOB_BYTES).take_while(is_base64).count();
    let behind = bytes[to..].iter().take(BLOB_BYTES).take_while(is_base64).count();
    before + behind >= BLOB_BYTES
}

/// Characters before a candidate in which the beginning of a symbol is looked for.
const SYMBOL_BYTES: usize = 4096;

/// Whether a candidate is a part of a C++ or Rust symbol as compilers write it (Itanium ABI: `_ZN3foo3barE`): words run together there,
/// and lengths stand between them.
pub(super) fn in_symbol(bytes: &[u8], start: usize) -> bool {
    let first = start.saturating_sub(SYMBOL_BYTES);
    let is_name = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$');
    let length = bytes[first..start].iter().rev().take_while(is_name).count();
    let symbol = &bytes[start - length..];
    let symbol = symbol.strip_prefix(b"_").unwrap_or(symbol);
    let symbol = symbol.strip_prefix(b"_").unwrap_or(symbol);
    length > 2
        && symbol.first() == Some(&b'Z')
        && symbol.get(1).is_some_and(|b| {
            b.is_ascii_digit() || matches!(b, b'Z' | b'N' | b'S' | b'T' | b'L' | b'K' | b'G')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_known_by_their_beginning() {
        let at = |text: &str| in_symbol(text.as_bytes(), text.find("ghs_").unwrap());
        assert!(at(" _Z17highs_setCallbackP5HighsSt8function"));
        assert!(at("\0_ZZN5highs_2abEvE1x"));
        assert!(at("Z17highs_setCallbackP5Highs"));
        assert!(!at("token: ghs_abc"));
        assert!(!at("Zghs_abc"));
        assert!(!at("_ghs_abc"));
    }

    #[test]
    fn escapes_are_no_letters() {
        for before in [
            "\"\\n",
            "x\\t",
            "a%3D",
            "a%3d",
            "\\u003d",
            "\\x3D",
            "\u{1b}[32m",
            "\\033[1;32m",
            "=",
            "",
            "\u{e9}",
        ] {
            assert_eq!(left(before.as_bytes(), before.len(), false), Edge::Clean, "{before:?}");
        }
        for before in ["n", "xD", "term", "_", "3", "[m", "u003d"] {
            assert_eq!(left(before.as_bytes(), before.len(), false), Edge::Inside, "{before:?}");
        }
    }

    #[test]
    fn blobs_are_long() {
        let blob = [b'A'; 300];
        assert!(in_blob(&blob, 100, 140));
        assert!(!in_blob(&blob[..150], 100, 140));
    }
}
