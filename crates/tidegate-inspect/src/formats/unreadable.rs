//! Containers that are recognised and have no reader: a gap, never silence.

use super::{Outcome, Read, Reader};
use crate::format::Format;
use crate::walk::{Node, Walk};

/// What they begin with, and their names.
const MAGIC: &[(&[u8], &str)] = &[
    (b"Rar!\x1a\x07", "RAR"),
    (b"\x02\x21\x4c\x18", "LZ4 of the first form"),
    (b"LZIP", "lzip"),
    (b"MSCF\0\0\0\0", "cabinet"),
    (b"xar!", "xar"),
    (b"hsqs", "squashfs"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "compound file"),
    (b"\x1f\x9d", "compress"),
];

pub(super) struct Unreadable;

fn name(bytes: &[u8]) -> Option<&'static str> {
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name)
}

impl Reader for Unreadable {
    fn format(&self) -> Format {
        Format::OtherContainer
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        name(bytes).is_some()
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let name = name(node.bytes).unwrap_or_default();
        walk.unsupported(&node.path, format!("there is no reader for {name}"));
        Read::Continue(Outcome::Part)
    }
}
