//! Source maps: the sources that they carry, and maps that a script carries in its last line.

use super::{Outcome, Read, Reader};
use crate::format::Format;
use crate::json::{Scanner, Step, Token, is_object_with, unescape};
use crate::report::{GapKind, Role};
use crate::views::base64;
use crate::walk::{Node, Walk};

pub(super) struct SourceMap;

impl Reader for SourceMap {
    fn format(&self) -> Format {
        Format::SourceMap
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        is_object_with(bytes, &["\"mappings\"", "\"sourcesContent\""])
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        // The names may stand behind the contents; they are few bytes, and bounded like members.
        let mut names: Vec<&[u8]> = Vec::new();
        let mut scanner = Scanner::new(node.bytes);
        while let Some(token) = scanner.next() {
            let (Token::Text(name, _), [Step::Key(b"sources"), Step::Item(n)]) =
                (token, last_two(scanner.path()))
            else {
                continue;
            };
            if *n == names.len() && (names.len() as u64) < walk.budgets.entries {
                names.push(name);
            }
        }
        walk.work(scanner.at())?;
        let mut scanner = Scanner::new(node.bytes);
        while let Some(token) = scanner.next() {
            let Token::Text(source, at) = token else { continue };
            let [Step::Key(b"sourcesContent"), Step::Item(n)] = last_two(scanner.path()) else { continue };
            if !walk.entry(&node.path) {
                break;
            }
            let name = names.get(*n).map_or_else(|| format!("source-{n}").into_bytes(), |name| name.to_vec());
            text_part(node, walk, Format::SourceMap, &name, source, at)?;
        }
        Read::Continue(Outcome::Part)
    }
}

fn last_two<'s, 'a>(path: &'s [Step<'a>]) -> &'s [Step<'a>] {
    &path[path.len().saturating_sub(2)..]
}

/// Hands on a text of a document without its escapes.
fn text_part(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    format: Format,
    name: &[u8],
    text: &[u8],
    at: usize,
) -> crate::Flow {
    walk.work(text.len())?;
    if memchr::memchr(b'\\', text).is_none() {
        return walk.content(&node.part(format, Role::Embedded, name, text, at as u64));
    }
    let mut part = node.part(format, Role::Embedded, name, &[], at as u64);
    if text.len() > walk.budgets.memory_bytes {
        let limit = walk.budgets.memory_bytes as u64;
        walk.gap(
            GapKind::LeafBytes,
            &part.path,
            limit,
            text.len() as u64,
            "a text with escapes that is too long",
        );
        part.bytes = text;
        return walk.content(&part);
    }
    let mut plain = Vec::with_capacity(text.len());
    unescape(text, &mut plain);
    let mut inner = node.part(format, Role::Embedded, name, &plain, at as u64);
    inner.place.packed_bytes = text.len() as u64;
    walk.content(&inner)
}

/// What a script says before its map.
const MARK: &[u8] = b"sourceMappingURL=data:";

pub(super) struct InlineSourceMap;

impl Reader for InlineSourceMap {
    fn format(&self) -> Format {
        Format::InlineSourceMap
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        // Text only: a program that has the mark among its texts is none.
        !bytes.is_empty()
            && memchr::memchr(0, &bytes[..bytes.len().min(1024)]).is_none()
            && memchr::memmem::find(bytes, MARK).is_some()
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        walk.work(node.bytes.len())?;
        for at in memchr::memmem::find_iter(node.bytes, MARK) {
            let rest = &node.bytes[at + MARK.len()..];
            let line = &rest[..memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())];
            let Some(comma) = memchr::memchr(b',', &line[..line.len().min(256)]) else { continue };
            if !line[..comma].ends_with(b";base64") {
                continue;
            }
            if !walk.entry(&node.path) {
                break;
            }
            let start = at + MARK.len() + comma + 1;
            let packed = &line[comma + 1..];
            let name = format!("#source-map-{at}");
            let mut part =
                node.part(Format::InlineSourceMap, Role::Embedded, name.as_bytes(), packed, start as u64);
            part.place.packed_bytes = packed.len() as u64;
            walk.unpack_part(part, &mut base64::Decoder::new(packed))?;
        }
        Read::Continue(Outcome::Part)
    }
}
