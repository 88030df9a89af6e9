//! Messages in the headers of HDF5 objects: those that lead on, those that hold a configuration, those that lead out of the file.

use super::place::{File, Reader};
use crate::bytes::{u16_le, u32_le};

/// Joined to the kind of messages that lie in another object, of which only the place stands here.
pub(super) const SHARED: u16 = 1 << 15;

const LINK_ELSEWHERE: u16 = 0x06 | SHARED;
const ATTRIBUTE_ELSEWHERE: u16 = 0x0c | SHARED;

/// Other files that one set of numbers may lie in.
const FILES: usize = 64;

/// What a message says.
pub(super) enum Message<'b> {
    /// An attribute, its type, and its value.
    Attribute { name: &'b [u8], kind: &'b [u8], value: &'b [u8] },
    /// A group of the old form, and its tree.
    Group { tree: u64 },
    /// A link to an object.
    Link(u64),
    /// What it links to, or its numbers, lie in other files.
    Elsewhere(Vec<&'b [u8]>),
    /// Links are kept in a heap.
    LinkHeap,
    /// Attributes are kept in a heap.
    AttributeHeap,
    /// Nothing that matters here.
    Other,
}

impl<'b> File<'b> {
    /// Reads a message. None where it breaks off.
    pub(super) fn message(&self, kind: u16, body: &'b [u8]) -> Option<Message<'b>> {
        match kind {
            0x02 => Some(if self.is_kept(body, 8)? { Message::LinkHeap } else { Message::Other }),
            0x06 => self.link(body),
            0x07 => self.other_files(body),
            0x08 => self.layout(body),
            0x0c => self.attribute(body),
            0x11 => {
                let tree = self.address(&mut Reader::of(body));
                Some(tree.map_or(Message::Other, |tree| Message::Group { tree }))
            }
            0x15 => Some(if self.is_kept(body, 2)? { Message::AttributeHeap } else { Message::Other }),
            // Links and attributes that lie elsewhere.
            _ if matches!(kind, LINK_ELSEWHERE | ATTRIBUTE_ELSEWHERE) => None,
            _ => Some(Message::Other),
        }
    }

    /// Whether links (or attributes) are kept in a heap rather than beside each other.
    fn is_kept(&self, body: &'b [u8], order_bytes: usize) -> Option<bool> {
        let flags = *body.get(1)?;
        let heap = body.get(2 + if flags & 1 != 0 { order_bytes } else { 0 }..)?;
        self.is_nothing(heap).map(|is| !is)
    }

    fn link(&self, body: &'b [u8]) -> Option<Message<'b>> {
        let mut reader = Reader::of(body);
        reader.take(1)?;
        let flags = reader.number(1)?;
        let kind = if flags & 8 != 0 { reader.number(1)? } else { 0 };
        reader.take(if flags & 4 != 0 { 8 } else { 0 })?;
        reader.take(if flags & 16 != 0 { 1 } else { 0 })?;
        let length = reader.number(1 << (flags & 3))?;
        reader.take(usize::try_from(length).ok()?)?;
        Some(match kind {
            0 => Message::Link(self.address(&mut reader)?),
            64 => {
                let length = usize::try_from(reader.number(2)?).ok()?;
                let target = reader.take(length)?.get(1..)?;
                Message::Elsewhere(vec![up_to_zero(target)])
            }
            _ => Message::Other,
        })
    }

    /// Numbers that lie in files beside this one.
    fn other_files(&self, body: &'b [u8]) -> Option<Message<'b>> {
        let used = usize::from(u16_le(body, 6)?);
        let mut reader = Reader::of(body.get(8..)?);
        let heap = self.address(&mut reader)?;
        let mut names = Vec::new();
        for _ in 0..used.min(FILES) {
            let place = self.length(&mut reader)?;
            self.length(&mut reader)?;
            self.length(&mut reader)?;
            names.push(self.local(heap, place)?);
        }
        Some(Message::Elsewhere(names))
    }

    /// How numbers are laid out: virtual ones are put together of parts of other files, of which the first is told.
    fn layout(&self, body: &'b [u8]) -> Option<Message<'b>> {
        let [4 | 5, 3, place @ ..] = body else { return Some(Message::Other) };
        let mut reader = Reader::of(place);
        let Some(address) = self.address(&mut reader) else { return Some(Message::Other) };
        let parts = self.kept(address, reader.number(4)?)?;
        let mut parts = Reader::of(parts.get(1..)?);
        if self.length(&mut parts)? == 0 {
            return Some(Message::Other);
        }
        let name = up_to_zero(parts.rest());
        // This file itself.
        Some(if name == b"." { Message::Other } else { Message::Elsewhere(vec![name]) })
    }

    fn attribute(&self, body: &'b [u8]) -> Option<Message<'b>> {
        let version = *body.first()?;
        let lengths = [u16_le(body, 2)?, u16_le(body, 4)?, u16_le(body, 6)?].map(usize::from);
        let mut reader = Reader::of(body.get(if version >= 3 { 9 } else { 8 }..)?);
        // Only the first version fills up to eight bytes.
        let mut part = |length: usize| {
            let part = reader.take(length)?;
            let fill = if version == 1 { length.next_multiple_of(8) - length } else { 0 };
            reader.take(fill)?;
            Some(part)
        };
        let (name, kind) = (part(lengths[0])?, part(lengths[1])?);
        part(lengths[2])?;
        let is_shared = version > 1 && body.get(1)? & 1 != 0;
        // A type that lies elsewhere is none that is known.
        let kind = if is_shared { &[] } else { kind };
        Some(Message::Attribute { name: up_to_zero(name), kind, value: reader.rest() })
    }

    /// The first text of a value, and its offset.
    pub(super) fn text(&self, kind: &'b [u8], value: &'b [u8]) -> Option<(&'b [u8], usize)> {
        let content = match kind.first()? & 0x0f {
            3 => value.get(..u32_le(kind, 4)? as usize)?,
            9 if kind.get(1)? & 0x0f == 1 => {
                let mut reader = Reader::of(value);
                let length = usize::try_from(reader.number(4)?).ok()?;
                let address = self.address(&mut reader)?;
                let kept = self.kept(address, reader.number(4)?)?;
                kept.get(..length)?
            }
            _ => return None,
        };
        Some((content, self.offset_of(content)))
    }
}

fn up_to_zero(bytes: &[u8]) -> &[u8] {
    memchr::memchr(0, bytes).and_then(|end| bytes.get(..end)).unwrap_or(bytes)
}
