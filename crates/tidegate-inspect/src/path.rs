//! Nested paths, and what is wrong with the names in them.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::report::OddityKind;

/// Bytes of a name that are shown; file systems take 255 a component and 4,096 in all.
const NAME_BYTES: usize = 4096;

/// `outer!/name`, with the name made printable.
pub(crate) fn join(outer: &str, name: &[u8]) -> String {
    let mut path = String::with_capacity(outer.len() + 2 + name.len().min(NAME_BYTES));
    path.push_str(outer);
    path.push_str("!/");
    path.push_str(&printable(name));
    path
}

/// A name as text: what is not UTF-8, or a control character, or would read as our own separator, is written `\xNN`.
pub(crate) fn printable(name: &[u8]) -> Cow<'_, str> {
    let shown = &name[..name.len().min(NAME_BYTES)];
    match std::str::from_utf8(shown) {
        Ok(text) if shown.len() == name.len() && !text.contains(is_hidden) && !text.contains("!/") => {
            Cow::Borrowed(text)
        }
        _ => Cow::Owned(escape(shown, shown.len() < name.len())),
    }
}

fn escape(name: &[u8], cut: bool) -> String {
    let mut out = String::with_capacity(name.len() + 16);
    let hex = |out: &mut String, bytes: &[u8]| {
        for byte in bytes {
            write!(out, "\\x{byte:02x}").expect("a String takes everything");
        }
    };
    for chunk in name.utf8_chunks() {
        let text = chunk.valid().replace("!/", "!\\x2f");
        for c in text.chars() {
            if is_hidden(c) {
                hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                out.push(c);
            }
        }
        hex(&mut out, chunk.invalid());
    }
    if cut {
        out.push('…');
    }
    out
}

/// Characters that a terminal or a reader's eye does not show as they are.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// What is wrong with a member's name.
pub(crate) fn faults(name: &[u8]) -> impl Iterator<Item = OddityKind> + '_ {
    let text = std::str::from_utf8(name);
    let parts = || name.split(|&b| b == b'/' || b == b'\\');
    [
        (parts().any(|part| part == b".."), OddityKind::Traversal),
        (name.starts_with(b"/"), OddityKind::AbsoluteName),
        (is_drive(name), OddityKind::DriveName),
        (text.is_err(), OddityKind::NonUtf8Name),
        (text.is_ok_and(|t| t.contains(is_hidden) || t.contains("!/")), OddityKind::UnprintableName),
        (name.len() > NAME_BYTES || parts().any(|part| part.len() > 255), OddityKind::LongName),
    ]
    .into_iter()
    .filter_map(|(is, kind)| is.then_some(kind))
}

fn is_drive(name: &[u8]) -> bool {
    matches!(name, [letter, b':', ..] if letter.is_ascii_alphabetic()) || name.starts_with(b"\\")
}

/// Whether a link at `from` to `target` leads out of the archive.
pub(crate) fn leads_out(from: &[u8], target: &[u8]) -> bool {
    if target.starts_with(b"/") || is_drive(target) {
        return true;
    }
    let steps = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|&b| b == b'/' || b == b'\\')
            .filter(|part| !part.is_empty() && part != b".")
            .map(<[u8]>::to_vec)
            .collect()
    };
    // The folder that the link lies in.
    let mut depth = steps(from).len().saturating_sub(1);
    for part in steps(target) {
        if part == b".." {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return true,
            }
        } else {
            depth += 1;
        }
    }
    false
}

/// The name of what a compressed file holds: its own without the ending that compressors add.
pub(crate) fn without_ending(path: &str, endings: &[&str]) -> String {
    let own = path.rsplit('/').next().unwrap_or_default();
    let lower = own.to_ascii_lowercase();
    for ending in endings {
        if lower.len() > ending.len() && lower.ends_with(ending) {
            return own[..own.len() - ending.len()].to_owned();
        }
    }
    "content".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_and_cannot_fake_a_separator() {
        for (name, expected) in [
            (&b"a/b.js"[..], "o!/a/b.js"),
            ("caf\u{e9}".as_bytes(), "o!/caf\u{e9}"),
            (b"caf\xe9", "o!/caf\\xe9"),
            (b"x!/y", "o!/x!\\x2fy"),
            (b"a\n\x1b[2J", "o!/a\\x0a\\x1b[2J"),
            ("a\u{202e}b".as_bytes(), "o!/a\\xe2\\x80\\xaeb"),
        ] {
            assert_eq!(join("o", name), expected);
        }
        assert!(printable(&[b'a'; 5000]).ends_with("a…"));
    }

    #[test]
    fn each_fault_of_a_name_is_told() {
        let check = |name: &[u8], expected: &[OddityKind]| {
            assert_eq!(faults(name).collect::<Vec<_>>(), expected, "{}", printable(name));
        };
        check(b"package/a..b/.../c", &[]);
        check(b"../a", &[OddityKind::Traversal]);
        check(b"a\\..\\b", &[OddityKind::Traversal]);
        check(b"/etc/passwd", &[OddityKind::AbsoluteName]);
        check(b"C:/x", &[OddityKind::DriveName]);
        check(b"\\\\server\\share", &[OddityKind::DriveName]);
        check(b"\xff", &[OddityKind::NonUtf8Name]);
        check(b"a\0b", &[OddityKind::UnprintableName]);
        check(&[b'x'; 256], &[OddityKind::LongName]);
    }

    #[test]
    fn links_are_followed_in_thought() {
        for (from, target, out) in [
            ("a/b", "c", false),
            ("a/b", "../c", false),
            ("a/b", "../../c", true),
            ("a", "..", true),
            ("a/b/c", "x/../../../../y", true),
            ("a/b/c", "x/../../y", false),
            ("a", "/etc", true),
            ("./a/./b", "../x", false),
        ] {
            assert_eq!(leads_out(from.as_bytes(), target.as_bytes()), out, "{from} -> {target}");
        }
    }
}
