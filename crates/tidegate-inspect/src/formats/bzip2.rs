//! bzip2: streams one after another are one content.

use super::streams::{Bunzip, unwrap_file};
use super::{Read, Reader};
use crate::format::Format;
use crate::walk::{Node, Walk};

/// What the first block begins with, and what stands there if there is none.
const BLOCKS: [&[u8]; 2] = [b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90"];

pub(super) struct Bzip2;

impl Reader for Bzip2 {
    fn format(&self) -> Format {
        Format::Bzip2
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(b"BZh")
            && bytes.get(4..).is_some_and(|rest| BLOCKS.iter().any(|block| rest.starts_with(block)))
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        unwrap_file(node, walk, Format::Bzip2, &[".bz2", ".bz"], &mut Bunzip::new(node.bytes))
    }
}
