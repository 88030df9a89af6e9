//! Zstandard (RFC 8878). Frames that decoders skip may hold anything: they are handed on beside the content.

use super::streams::{Packed as _, Unzstd, ZSTD_MAGIC, trailing};
use super::{Outcome, Read, Reader};
use crate::bytes::{slice, u32_le};
use crate::format::Format;
use crate::path;
use crate::report::{OddityKind, Role};
use crate::walk::{Node, Walk};

const SKIPPABLE: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;

pub(super) struct Zstd;

impl Reader for Zstd {
    fn format(&self) -> Format {
        Format::Zstd
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(ZSTD_MAGIC) || skippable(bytes, 0).is_some()
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let bytes = node.bytes;
        let (mut at, mut streams) = (0, 0);
        loop {
            walk.step()?;
            if let Some(frame) = skippable(bytes, at) {
                if !frame.is_empty() {
                    walk.oddity(OddityKind::HiddenBytes, &node.path, at as u64, "a frame that decoders skip");
                    let name = format!("skipped-{at}");
                    walk.content(&node.aside(Format::Zstd, Role::Outside, &name, frame, at as u64 + 8))?;
                }
                at += 8 + frame.len();
            } else if bytes[at..].starts_with(ZSTD_MAGIC) {
                let mut decoder = Unzstd::new(&bytes[at..], walk.budgets.window_bytes);
                let unpacking = walk.unpack(&node.path, (bytes.len() - at) as u64, &mut decoder)?;
                let name = path::without_ending(&node.path, &[".zst", ".zstd"]);
                walk.unwrap(node, Format::Zstd, name.as_bytes(), &unpacking.content)?;
                let whole = unpacking.whole;
                walk.release(unpacking);
                if !whole {
                    return Read::Continue(Outcome::Part);
                }
                at += decoder.consumed();
                streams += decoder.streams();
            } else {
                break;
            }
        }
        if streams > 1 {
            walk.oddity(
                OddityKind::SeveralStreams,
                &node.path,
                0,
                format!("{streams} frames one after another"),
            );
        }
        trailing(node, walk, Format::Zstd, at)?;
        Read::Continue(Outcome::Whole)
    }
}

fn skippable(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let magic = u32_le(bytes, at)?;
    let length = u32_le(bytes, at + 4)?;
    SKIPPABLE.contains(&magic).then(|| slice(bytes, at as u64 + 8, u64::from(length)))?
}
