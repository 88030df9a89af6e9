//! Where things lie in an HDF5 file: addresses and lengths in the widths that its first block states, headers of objects, groups, heaps.

use std::cell::Cell;

use crate::bytes::{from, slice, u16_le, u32_le};

/// What a file begins with, at the start or behind a block of the user: at 512 bytes, and each time twice as far.
const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Messages, entries of groups and objects of heaps that are looked at in one file.
const STEPS: u32 = 1_000_000;

/// Levels of the tree of a group.
const LEVELS: u32 = 16;

/// Message: the header goes on elsewhere.
const CONTINUATION: u16 = 0x10;

/// Where a file begins in some bytes.
pub(super) fn begin(bytes: &[u8]) -> Option<usize> {
    let places = std::iter::once(0).chain((9..40).map(|power| 1_usize << power));
    let mut places = places.take_while(|at| *at < bytes.len());
    places.find(|at| bytes[*at..].starts_with(MAGIC))
}

/// A file, by its first block.
pub(super) struct File<'b> {
    pub(super) bytes: &'b [u8],
    /// Bytes of an address.
    wide: usize,
    /// Bytes of a length.
    long: usize,
    pub(super) root: u64,
    /// What is left of the work that it may cause.
    steps: Cell<u32>,
}

/// Bytes that are read one after another.
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn of(rest: &'b [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn number(&mut self, width: usize) -> Option<u64> {
        let bytes = self.take(width)?;
        Some(bytes.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte)))
    }

    pub(super) fn rest(&self) -> &'b [u8] {
        self.rest
    }
}

impl<'b> File<'b> {
    /// Reads the first block.
    pub(super) fn of(bytes: &'b [u8]) -> Option<Self> {
        let is_width = |width: usize| matches!(width, 2 | 4 | 8);
        let version = *bytes.get(8)?;
        let (wide, long, places) = match version {
            0 | 1 => (13, 14, 24 + 4 * usize::from(version)),
            2 | 3 => (9, 10, 12),
            _ => return None,
        };
        let (wide, long) = (usize::from(*bytes.get(wide)?), usize::from(*bytes.get(long)?));
        if !is_width(wide) || !is_width(long) {
            return None;
        }
        let mut places = Reader::of(bytes.get(places..)?);
        // Where the file begins, free space or its extension, its end, its driver.
        let skipped = if version < 2 { 4 * wide } else { 3 * wide };
        places.take(skipped)?;
        let mut file = Self { bytes, wide, long, root: 0, steps: Cell::new(STEPS) };
        if version < 2 {
            // The entry of the root: its name comes first.
            places.take(wide)?;
        }
        file.root = file.address(&mut places)?;
        Some(file)
    }

    /// One step of work; none where there is none left.
    fn step(&self) -> Option<()> {
        self.steps.set(self.steps.get().checked_sub(1)?);
        Some(())
    }

    /// An address; none where it says that there is nothing.
    pub(super) fn address(&self, reader: &mut Reader<'b>) -> Option<u64> {
        let nothing = u64::MAX >> (64 - 8 * self.wide);
        reader.number(self.wide).filter(|address| *address != nothing)
    }

    /// A length.
    pub(super) fn length(&self, reader: &mut Reader<'b>) -> Option<u64> {
        reader.number(self.long)
    }

    /// Whether bytes begin with an address that says that there is nothing.
    pub(super) fn is_nothing(&self, bytes: &[u8]) -> Option<bool> {
        Some(bytes.get(..self.wide)?.iter().all(|byte| *byte == 0xff))
    }

    /// How far some of the file's bytes lie from its beginning.
    pub(super) fn offset_of(&self, part: &[u8]) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.bytes.as_ptr() as usize)
    }

    /// The messages in the header of an object, each with its kind. None where the header breaks off.
    pub(super) fn messages(&self, address: u64) -> Option<Vec<(u16, &'b [u8])>> {
        let head = from(self.bytes, address);
        let mut found = Vec::new();
        let is_new = head.starts_with(b"OHDR");
        let (first, ordered) = if is_new { self.new_header(head)? } else { (self.old_header(head)?, false) };
        let mut blocks = vec![first];
        let mut at = 0;
        while let Some(block) = blocks.get(at).copied() {
            at += 1;
            let mut reader = Reader::of(block);
            while let Some((kind, body)) = message(&mut reader, is_new, ordered) {
                self.step()?;
                if kind == CONTINUATION {
                    let mut place = Reader::of(body);
                    let (address, length) = (self.address(&mut place)?, self.length(&mut place)?);
                    let next = slice(self.bytes, address, length)?;
                    let next =
                        if is_new { next.strip_prefix(b"OCHK")?.split_last_chunk::<4>()?.0 } else { next };
                    blocks.push(next);
                } else if kind != 0 {
                    found.push((kind, body));
                }
            }
        }
        Some(found)
    }

    fn old_header(&self, head: &'b [u8]) -> Option<&'b [u8]> {
        (*head.first()? == 1).then_some(())?;
        let length = u32_le(head, 8)? as usize;
        // It is aligned to eight bytes.
        head.get(16..16_usize.checked_add(length)?)
    }

    /// The first block of a header of the second version, and whether its messages are numbered.
    fn new_header(&self, head: &'b [u8]) -> Option<(&'b [u8], bool)> {
        let flags = *head.get(5)?;
        let times = if flags & 0x20 != 0 { 16 } else { 0 };
        let phases = if flags & 0x10 != 0 { 4 } else { 0 };
        let mut reader = Reader::of(head.get(6 + times + phases..)?);
        let length = usize::try_from(reader.number(1 << (flags & 3))?).ok()?;
        Some((reader.take(length)?, flags & 4 != 0))
    }

    /// The objects of a group of the old form, by its tree. None where it breaks off.
    pub(super) fn group(&self, tree: u64, children: &mut Vec<u64>) -> Option<()> {
        let mut waiting = vec![(tree, LEVELS)];
        while let Some((address, left)) = waiting.pop() {
            self.step()?;
            let node = from(self.bytes, address);
            if node.starts_with(b"SNOD") {
                self.symbols(node, children)?;
                continue;
            }
            if !node.starts_with(b"TREE") || *node.get(4)? != 0 || left == 0 {
                return None;
            }
            let entries = usize::from(u16_le(node, 6)?);
            let mut reader = Reader::of(node.get(8 + 2 * self.wide..)?);
            for _ in 0..entries {
                self.step()?;
                self.length(&mut reader)?;
                waiting.push((self.address(&mut reader)?, left - 1));
            }
        }
        Some(())
    }

    /// The entries of one leaf of a group's tree.
    fn symbols(&self, node: &'b [u8], children: &mut Vec<u64>) -> Option<()> {
        let entries = u16_le(node, 6)?;
        let mut reader = Reader::of(node.get(8..)?);
        for _ in 0..entries {
            self.step()?;
            reader.take(self.wide)?;
            let address = reader.number(self.wide)?;
            let kind = reader.number(4)?;
            reader.take(4 + 16)?;
            // A link by name leads to what is followed anyway.
            if kind != 2 {
                children.push(address);
            }
        }
        Some(())
    }

    /// An object of the global heap: where it is kept, and its number there.
    pub(super) fn kept(&self, address: u64, number: u64) -> Option<&'b [u8]> {
        let heap = from(self.bytes, address);
        if !heap.starts_with(b"GCOL") {
            return None;
        }
        let mut head = Reader::of(heap.get(8..)?);
        let length = self.length(&mut head)?;
        let mut objects = Reader::of(slice(self.bytes, address, length)?.get(8 + self.long..)?);
        loop {
            self.step()?;
            let index = objects.number(2)?;
            objects.take(6)?;
            let length = usize::try_from(self.length(&mut objects)?).ok()?;
            if index == 0 {
                return None;
            }
            let content = objects.take(length)?;
            if index == number {
                return Some(content);
            }
            objects.take(length.next_multiple_of(8) - length)?;
        }
    }

    /// A text in a local heap, up to its zero.
    pub(super) fn local(&self, heap: u64, place: u64) -> Option<&'b [u8]> {
        let head = from(self.bytes, heap);
        if !head.starts_with(b"HEAP") {
            return None;
        }
        let mut reader = Reader::of(head.get(8..)?);
        let length = self.length(&mut reader)?;
        self.length(&mut reader)?;
        let data = slice(self.bytes, self.address(&mut reader)?, length)?;
        let text = from(data, place);
        text.get(..memchr::memchr(0, text)?)
    }
}

/// The next message of a block.
fn message<'b>(reader: &mut Reader<'b>, is_new: bool, ordered: bool) -> Option<(u16, &'b [u8])> {
    let kind = reader.number(if is_new { 1 } else { 2 })?;
    let length = usize::try_from(reader.number(2)?).ok()?;
    let flags = reader.number(1)?;
    if is_new {
        reader.take(if ordered { 2 } else { 0 })?;
    } else {
        reader.take(3)?;
    }
    let body = reader.take(length)?;
    // What is shared lies in another object.
    let kind = u16::try_from(kind).ok()?;
    Some((if flags & 2 != 0 { kind | super::messages::SHARED } else { kind }, body))
}
