//! PNG: what stands beside the picture, and behind it.

use super::streams::{Inflate, trailing};
use super::{Outcome, Read, Reader};
use crate::bytes::{crc32, slice, u32_be};
use crate::format::Format;
use crate::report::{OddityKind, Role};
use crate::walk::{Node, Walk};

const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Chunks that hold the picture and nothing else.
const PICTURE: &[&[u8]] = &[
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"sBIT", b"sRGB", b"hIST", b"pHYs",
    b"tIME", b"bKGD", b"acTL", b"fcTL", b"fdAT", b"cICP", b"mDCV", b"cLLI", b"sTER", b"oFFs",
];

pub(super) struct Png;

impl Reader for Png {
    fn format(&self) -> Format {
        Format::Png
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let mut at = MAGIC.len();
        loop {
            walk.step()?;
            let length = u32_be(node.bytes, at).map(u64::from);
            let chunk = length.and_then(|length| slice(node.bytes, at as u64 + 4, length + 4));
            let (Some(chunk), Some(end)) = (chunk, length.map(|length| at as u64 + 8 + length)) else {
                walk.damaged(&node.path, format!("the chunk at {at} breaks off"));
                break;
            };
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            let (kind, data) = chunk.split_at(4);
            walk.work(chunk.len())?;
            if u32_be(node.bytes, end) != Some(crc32(chunk)) {
                walk.oddity(OddityKind::Checksum, &node.path, at as u64, "a chunk whose CRC does not fit");
            }
            if !PICTURE.contains(&kind) {
                if !walk.entry(&node.path) {
                    break;
                }
                aside(node, walk, kind, data, at)?;
            }
            at = end + 4;
            if kind == b"IEND" {
                trailing(node, walk, Format::Png, at)?;
                break;
            }
        }
        Read::Continue(Outcome::Part)
    }
}

fn aside(node: &Node<'_>, walk: &mut Walk<'_>, kind: &[u8], data: &[u8], at: usize) -> crate::Flow {
    let name = format!("#{}-{at}", crate::path::printable(kind));
    let place = |skip: usize| {
        let data = data.get(skip..).unwrap_or_default();
        node.part(Format::Png, Role::Metadata, name.as_bytes(), data, (at + 8 + skip) as u64)
    };
    let keyword = memchr::memchr(0, data).unwrap_or(data.len());
    let packed = match kind {
        // Keyword, method, stream.
        b"zTXt" | b"iCCP" => Some(keyword + 2),
        // Keyword, flag, method, language, translated keyword, text.
        b"iTXt" if data.get(keyword + 1) == Some(&1) => {
            let rest = data.get(keyword + 3..).unwrap_or_default();
            let mut ends = memchr::memchr_iter(0, rest);
            ends.nth(1).map(|end| keyword + 3 + end + 1)
        }
        _ => None,
    };
    match packed {
        Some(skip) if skip < data.len() => {
            let part = place(skip);
            let stream = part.bytes;
            walk.unpack_part(part, &mut Inflate::zlib(stream)).map_continue(|_| ())
        }
        _ => walk.content(&place(0)),
    }
}
