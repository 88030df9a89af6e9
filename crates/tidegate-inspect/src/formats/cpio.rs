//! cpio: the "new" form with and without checksums, and the portable form in octal.

use super::names::Names;
use super::streams::trailing;
use super::{Outcome, Read, Reader};
use crate::bytes::slice;
use crate::format::Format;
use crate::path;
use crate::report::OddityKind;
use crate::walk::{Node, Walk};

const NEW: &[u8] = b"070701";
const NEW_WITH_CHECKSUM: &[u8] = b"070702";
const PORTABLE: &[u8] = b"070707";
const END: &[u8] = b"TRAILER!!!";

pub(super) struct Cpio;

struct Header<'a> {
    name: &'a [u8],
    mode: u32,
    data_at: u64,
    size: u64,
    /// The sum of the bytes, where the form has one.
    sum: Option<u32>,
    /// Alignment of what follows.
    align: u64,
}

impl Reader for Cpio {
    fn format(&self) -> Format {
        Format::Cpio
    }

    fn is_archive(&self) -> bool {
        true
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        header(bytes, 0).is_some()
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let bytes = node.bytes;
        let mut names = Names::default();
        let mut at = 0u64;
        loop {
            walk.step()?;
            let Some(header) = header(bytes, at) else {
                walk.damaged(&node.path, format!("no header at {at}"));
                return Read::Continue(Outcome::Part);
            };
            let left = (bytes.len() as u64).saturating_sub(header.data_at);
            let data = slice(bytes, header.data_at, header.size.min(left)).unwrap_or_default();
            let end = header.data_at.saturating_add(header.size);
            if header.name == END {
                trailing(node, walk, Format::Cpio, usize::try_from(end).unwrap_or(usize::MAX))?;
                return Read::Continue(Outcome::Whole);
            }
            if !walk.entry(&node.path) {
                return Read::Continue(Outcome::Part);
            }
            member(node, walk, &mut names, &header, data, at)?;
            if header.size > left {
                let path = path::join(&node.path, header.name);
                walk.damaged(&path, format!("{} bytes are stated, {left} are left", header.size));
                return Read::Continue(Outcome::Part);
            }
            at = end.next_multiple_of(header.align);
        }
    }
}

fn member(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    names: &mut Names,
    header: &Header<'_>,
    data: &[u8],
    at: u64,
) -> crate::Flow {
    let path = path::join(&node.path, header.name);
    match header.mode & 0o170_000 {
        0o120_000 => names.link(walk, &path, header.name, data, at, false),
        0o040_000 => names.member(walk, &path, header.name, at, true),
        0 | 0o100_000 => names.member(walk, &path, header.name, at, false),
        _ => {
            names.member(walk, &path, header.name, at, false);
            walk.oddity(OddityKind::SpecialFile, &path, at, "a device or pipe");
        }
    }
    if let Some(stated) = header.sum {
        let sum = data.iter().fold(0u32, |sum, &b| sum.wrapping_add(u32::from(b)));
        if stated != sum {
            walk.oddity(
                OddityKind::Checksum,
                &path,
                at,
                format!("sum {stated:08x} is stated, {sum:08x} is right"),
            );
        }
    }
    if header.mode & 0o170_000 == 0o040_000 && data.is_empty() {
        return crate::Flow::Continue(());
    }
    let part = node.part(Format::Cpio, crate::Role::Member, header.name, data, header.data_at);
    walk.content(&part.with_mode(header.mode & 0o7777))
}

fn header(bytes: &[u8], at: u64) -> Option<Header<'_>> {
    let magic = slice(bytes, at, 6)?;
    let (fields, digits, radix, align): (&[u64], u64, u32, u64) = match magic {
        // mode, size, length of the name, sum
        NEW | NEW_WITH_CHECKSUM => (&[14, 54, 94, 102], 8, 16, 4),
        PORTABLE => (&[18, 65, 59, 0], 6, 8, 1),
        _ => return None,
    };
    let number = |field: u64, digits: u64| -> Option<u64> {
        let text = std::str::from_utf8(slice(bytes, at + field, digits)?).ok()?;
        u64::from_str_radix(text.trim_start_matches('+'), radix).ok()
    };
    let is_portable = magic == PORTABLE;
    let mode = number(fields[0], digits)?;
    let size = number(fields[1], if is_portable { 11 } else { digits })?;
    let name_bytes = number(fields[2], digits)?;
    let head: u64 = if is_portable { 76 } else { 110 };
    let name = slice(bytes, at + head, name_bytes)?;
    Some(Header {
        name: &name[..memchr::memchr(0, name).unwrap_or(name.len())],
        mode: u32::try_from(mode).ok()?,
        data_at: (at + head + name_bytes).next_multiple_of(align),
        size,
        sum: if magic == NEW_WITH_CHECKSUM { u32::try_from(number(fields[3], digits)?).ok() } else { None },
        align,
    })
}
