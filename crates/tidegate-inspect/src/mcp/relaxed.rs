//! JSON as editors take it: with comments, and with commas before the end.

use std::borrow::Cow;

use serde_json::Value;

/// Bytes of a document that is read.
pub(crate) const DOCUMENT_BYTES: usize = 4 << 20;

/// Reads a document; none where it is no object or list.
pub(crate) fn read(bytes: &[u8]) -> Option<Value> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.trim_ascii_start().first()?;
    if bytes.len() > DOCUMENT_BYTES || !matches!(first, b'{' | b'[' | b'/') {
        return None;
    }
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(_) => serde_json::from_slice(&strict(bytes)).ok()?,
    };
    (value.is_object() || value.is_array()).then_some(value)
}

/// The document without comments and without commas that nothing follows.
fn strict(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(bytes.len());
    // Where a comma stands in `out` behind which nothing has come yet.
    let mut comma = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let start = at;
                at += 1;
                while let Some(&inner) = bytes.get(at) {
                    at += if inner == b'\\' { 2 } else { 1 };
                    if inner == b'"' {
                        break;
                    }
                }
                out.extend_from_slice(&bytes[start..at.min(bytes.len())]);
                comma = None;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len() - at, |end| end + 4);
                continue;
            }
            b',' => comma = Some(out.len()),
            b'}' | b']' => {
                if let Some(place) = comma.take() {
                    out[place] = b' ';
                }
            }
            byte if !byte.is_ascii_whitespace() => comma = None,
            _ => {}
        }
        out.push(byte);
        at += 1;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn comments_and_last_commas_are_passed_over() {
        let text = "// a\n{ /* b */ \"a\": \"// no \\\" comment\", \"b\": [1, 2,], }\n";
        assert_eq!(read(text.as_bytes()), Some(json!({ "a": "// no \" comment", "b": [1, 2] })));
        assert_eq!(read(b"plain text"), None);
        assert_eq!(read(b"{\"a\": \"open"), None);
        assert_eq!(read(b"/*"), None);
        assert_eq!(read(b"{ \"a\": \"\\"), None);
    }
}
