//! RPM: a lead, two headers with tags and scripts, and a compressed cpio.

use super::{Outcome, Read, Reader};
use crate::bytes::{from, slice, u32_be};
use crate::format::Format;
use crate::report::Role;
use crate::walk::{Node, Walk};

const MAGIC: &[u8] = b"\xed\xab\xee\xdb";
const LEAD_BYTES: u64 = 96;
const HEADER_MAGIC: &[u8] = b"\x8e\xad\xe8\x01";

pub(super) struct Rpm;

impl Reader for Rpm {
    fn format(&self) -> Format {
        Format::Rpm
    }

    fn is_archive(&self) -> bool {
        true
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC) && bytes.len() as u64 > LEAD_BYTES
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let mut at = LEAD_BYTES;
        // The scripts stand in the second header's texts.
        for (name, align) in [("signature", 8), ("header", 1)] {
            walk.step()?;
            let Some(length) = header_bytes(node.bytes, at) else {
                walk.damaged(&node.path, format!("the {name} cannot be read"));
                return Read::Continue(Outcome::Part);
            };
            let bytes = slice(node.bytes, at, length).unwrap_or_default();
            let part = node.aside(Format::Rpm, Role::Metadata, name, bytes, at);
            walk.leaf(&part, Format::Binary)?;
            at = (at + length).next_multiple_of(align);
        }
        let payload = from(node.bytes, at);
        // Its members take the package's own path, as those of a compressed archive do.
        let mut inner = node.aside(Format::Rpm, Role::Member, "payload", payload, at);
        inner.path.clone_from(&node.path);
        walk.content(&inner)?;
        Read::Continue(Outcome::Whole)
    }
}

/// Bytes of a header: its own, those of its index and those of its store.
fn header_bytes(bytes: &[u8], at: u64) -> Option<u64> {
    let head = slice(bytes, at, 16)?;
    if !head.starts_with(HEADER_MAGIC) {
        return None;
    }
    let length = 16 + 16 * u64::from(u32_be(head, 8)?) + u64::from(u32_be(head, 12)?);
    slice(bytes, at, length).map(|_| length)
}
