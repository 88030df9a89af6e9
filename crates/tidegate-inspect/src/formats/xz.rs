//! xz: streams one after another are one content.

use super::streams::{Unxz, XZ_MAGIC, unwrap_file};
use super::{Read, Reader};
use crate::format::Format;
use crate::walk::{Node, Walk};

pub(super) struct Xz;

impl Reader for Xz {
    fn format(&self) -> Format {
        Format::Xz
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(XZ_MAGIC)
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let mut decoder = Unxz::new(node.bytes, walk.budgets.window_bytes);
        unwrap_file(node, walk, Format::Xz, &[".xz"], &mut decoder)
    }
}
