//! Unix archives: Debian packages and static libraries, with the long names of GNU and of BSD.

use super::names::Names;
use super::streams::trailing;
use super::{Outcome, Read, Reader};
use crate::bytes::slice;
use crate::format::Format;
use crate::path;
use crate::report::{OddityKind, Role};
use crate::walk::{Node, Walk};

const MAGIC: &[u8] = b"!<arch>\n";
const THIN_MAGIC: &[u8] = b"!<thin>\n";
const HEADER_BYTES: u64 = 60;

pub(super) struct Ar;

impl Reader for Ar {
    fn format(&self) -> Format {
        Format::Ar
    }

    fn is_archive(&self) -> bool {
        true
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC) || bytes.starts_with(THIN_MAGIC)
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let bytes = node.bytes;
        let mut names = Names::default();
        let mut long_names: &[u8] = &[];
        let mut at = MAGIC.len() as u64;
        while let Some(head) = slice(bytes, at, HEADER_BYTES).filter(|head| head.ends_with(b"`\n")) {
            walk.step()?;
            if !walk.entry(&node.path) {
                return Read::Continue(Outcome::Part);
            }
            let field = head[..16].trim_ascii_end();
            let mut data_at = at + HEADER_BYTES;
            let Some(size) = decimal(&head[48..58]) else {
                walk.oddity(OddityKind::InvalidNumber, &node.path, at, "a size that is no number");
                walk.damaged(&node.path, "a member has no size");
                return Read::Continue(Outcome::Part);
            };
            // A thin archive names files that lie elsewhere.
            let is_thin = bytes.starts_with(THIN_MAGIC) && !field.starts_with(b"/");
            let size = if is_thin { 0 } else { size };
            let end = data_at.saturating_add(size);
            let left = (bytes.len() as u64).saturating_sub(data_at);
            let mut data = slice(bytes, data_at, size.min(left)).unwrap_or_default();
            if field == b"//" {
                long_names = data;
            } else {
                let name = match member_name(field, long_names, data) {
                    Name::Is(name) => name,
                    Name::InFront(name, rest) => {
                        data_at += (data.len() - rest.len()) as u64;
                        data = rest;
                        name
                    }
                };
                let path = path::join(&node.path, name);
                names.member(walk, &path, name, at, is_index(name));
                if size > left {
                    walk.damaged(&path, format!("{size} bytes are stated, {left} are left"));
                    walk.content(&node.member(Format::Ar, name, data, data_at))?;
                    return Read::Continue(Outcome::Part);
                }
                if is_thin {
                    walk.unsupported(&path, "its content lies outside the archive");
                } else {
                    walk.content(&node.member(Format::Ar, name, data, data_at).with_mode(mode(head)))?;
                }
            }
            at = (end + end % 2).min(bytes.len() as u64);
        }
        let rest = bytes.get(usize::try_from(at).unwrap_or(usize::MAX)..).unwrap_or_default();
        if slice(bytes, at, HEADER_BYTES).is_some() && rest.len() as u64 >= HEADER_BYTES {
            let part = node.aside(Format::Ar, Role::Outside, "trailing", rest, at);
            walk.oddity(OddityKind::TrailingBytes, &node.path, at, format!("{} bytes", rest.len()));
            walk.leaf(&part, Format::of_leaf(rest))?;
        } else {
            trailing(node, walk, Format::Ar, usize::try_from(at).unwrap_or(usize::MAX))?;
        }
        Read::Continue(Outcome::Whole)
    }
}

enum Name<'a> {
    Is(&'a [u8]),
    /// BSD: the name stands before the content.
    InFront(&'a [u8], &'a [u8]),
}

fn member_name<'a>(field: &'a [u8], long_names: &'a [u8], data: &'a [u8]) -> Name<'a> {
    if let Some(length) = field.strip_prefix(b"#1/").and_then(decimal) {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(data.len());
        let (name, rest) = data.split_at(length);
        let end = name.iter().rposition(|&b| b != 0).map_or(0, |at| at + 1);
        return Name::InFront(&name[..end], rest);
    }
    let offset = field.strip_prefix(b"/").and_then(decimal).and_then(|at| usize::try_from(at).ok());
    if let Some(name) = offset.and_then(|at| long_names.get(at..)) {
        let end = name.iter().position(|&b| b == b'\n' || b == 0).unwrap_or(name.len());
        return Name::Is(name[..end].strip_suffix(b"/").unwrap_or(&name[..end]));
    }
    Name::Is(if is_index(field) { field } else { field.strip_suffix(b"/").unwrap_or(field) })
}

/// The symbol tables of static libraries, of which there may be two.
fn is_index(name: &[u8]) -> bool {
    name == b"/" || name == b"/SYM64/" || name == b"__.SYMDEF"
}

fn mode(head: &[u8]) -> u32 {
    let octal = std::str::from_utf8(head[40..48].trim_ascii()).ok();
    octal.and_then(|text| u32::from_str_radix(text, 8).ok()).unwrap_or(0) & 0o7777
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let digits = digits.trim_ascii();
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
