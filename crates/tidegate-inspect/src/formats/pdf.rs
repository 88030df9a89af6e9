//! PDF: the streams that are deflated, and what stands behind the end.

use super::streams::{Inflate, Packed as _};
use super::{Outcome, Read, Reader};
use crate::format::Format;
use crate::report::{GapKind, OddityKind, Role};
use crate::walk::{Node, Walk};

/// Bytes from the beginning within which readers accept the mark.
const MARK_BYTES: usize = 1024;
/// Bytes before a stream in which its dictionary stands.
const DICTIONARY_BYTES: usize = 1024;
const END: &[u8] = b"%%EOF";

/// Filters that hide text and have no reader here.
const FILTERS: &[&str] = &["/LZWDecode", "/ASCII85Decode", "/ASCIIHexDecode", "/RunLengthDecode", "/Crypt"];

pub(super) struct Pdf;

impl Reader for Pdf {
    fn format(&self) -> Format {
        Format::Pdf
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        let head = &bytes[..bytes.len().min(MARK_BYTES)];
        let at = memchr::memmem::find(head, b"%PDF-");
        // A text that speaks of the mark is no document: a version follows, and there are objects.
        at.is_some_and(|at| head.get(at + 5).is_some_and(u8::is_ascii_digit))
            && memchr::memmem::find(bytes, b" obj").is_some()
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let bytes = node.bytes;
        walk.work(bytes.len())?;
        if memchr::memmem::find(bytes, b"/Encrypt ").is_some() {
            walk.gap(GapKind::Encrypted, &node.path, 0, 0, "an encrypted document");
            return Read::Continue(Outcome::Part);
        }
        let mut at = 0;
        while let Some(found) = memchr::memmem::find(&bytes[at..], b"stream") {
            let keyword = at + found;
            at = keyword + 6;
            let Some(start) = begins(bytes, keyword) else { continue };
            let dictionary = dictionary(&bytes[..keyword]);
            let has = |filter: &str| memchr::memmem::find(dictionary, filter.as_bytes()).is_some();
            if let Some(filter) = FILTERS.iter().find(|filter| has(filter)) {
                walk.unsupported(&node.path, format!("a stream with the filter {filter} at {start}"));
                continue;
            }
            if !has("/FlateDecode") || has("/DCTDecode") || has("/JPXDecode") {
                continue;
            }
            if !walk.entry(&node.path) {
                break;
            }
            let rest = &bytes[start..];
            let mut stream = Inflate::zlib(rest);
            let packed = memchr::memmem::find(rest, b"endstream").unwrap_or(rest.len());
            let name = format!("#stream-{start}");
            let part = node.part(Format::Pdf, Role::Embedded, name.as_bytes(), &rest[..packed], start as u64);
            walk.unpack_part(part, &mut stream)?;
            at = start + stream.consumed();
        }
        let end = memchr::memmem::rfind(bytes, END).map(|at| at + END.len());
        if let Some(end) = end.filter(|end| !bytes[*end..].trim_ascii().is_empty()) {
            let rest = &bytes[end..];
            walk.oddity(OddityKind::TrailingBytes, &node.path, end as u64, format!("{} bytes", rest.len()));
            walk.content(&node.aside(Format::Pdf, Role::Outside, "trailing", rest, end as u64))?;
        }
        Read::Continue(Outcome::Part)
    }
}

/// Where the bytes of a stream begin, if `keyword` begins one.
fn begins(bytes: &[u8], keyword: usize) -> Option<usize> {
    if bytes[..keyword].ends_with(b"end") {
        return None;
    }
    match bytes.get(keyword + 6..)? {
        [b'\r', b'\n', ..] => Some(keyword + 8),
        [b'\n' | b'\r', ..] => Some(keyword + 7),
        _ => None,
    }
}

/// The dictionary that ends before a stream.
fn dictionary(before: &[u8]) -> &[u8] {
    let near = &before[before.len().saturating_sub(DICTIONARY_BYTES)..];
    memchr::memmem::rfind(near, b" obj").map_or(near, |at| &near[at..])
}
