//! gzip (RFC 1952): members one after another are one content, and what stands behind them is told.

use std::io;

use super::streams::{Inflate, Packed as _, trailing};
use super::{Outcome, Read, Reader};
use crate::bytes::{u16_le, u32_le};
use crate::format::Format;
use crate::path;
use crate::report::{OddityKind, Role};
use crate::walk::{Node, Walk};

const FLAG_HEADER_CRC: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;

/// Endings that compressors add to names.
const ENDINGS: &[&str] = &[".gz", ".gzip"];

pub(super) struct Gzip;

impl Reader for Gzip {
    fn format(&self) -> Format {
        Format::Gzip
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(b"\x1f\x8b\x08")
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let mut members =
            Members { bytes: node.bytes, at: 0, state: State::Header, count: 0, odd: Vec::new() };
        let first = header(node.bytes).unwrap_or_default();
        let unpacking = walk.unpack(&node.path, node.bytes.len() as u64, &mut members)?;
        for (kind, at, detail) in members.odd.drain(..) {
            walk.oddity(kind, &node.path, at as u64, detail);
        }
        if members.count > 1 {
            let detail = format!("{} members one after another", members.count);
            walk.oddity(OddityKind::SeveralStreams, &node.path, 0, detail);
        }
        let name = match first.name {
            [] => path::without_ending(&node.path, ENDINGS).into_bytes(),
            name => {
                walk.name(&node.path, name, 10);
                name.to_vec()
            }
        };
        walk.unwrap(node, Format::Gzip, &name, &unpacking.content)?;
        let whole = unpacking.whole;
        walk.release(unpacking);
        for (label, bytes) in [("comment", first.comment), ("extra", first.extra)] {
            if !bytes.is_empty() {
                let offset = (bytes.as_ptr() as usize - node.bytes.as_ptr() as usize) as u64;
                walk.content(&node.aside(Format::Gzip, Role::Metadata, label, bytes, offset))?;
            }
        }
        if !whole {
            return Read::Continue(Outcome::Part);
        }
        trailing(node, walk, Format::Gzip, members.at)?;
        Read::Continue(Outcome::Whole)
    }
}

/// The parts of a header.
#[derive(Clone, Copy, Default)]
struct Header<'a> {
    length: usize,
    name: &'a [u8],
    comment: &'a [u8],
    extra: &'a [u8],
}

fn header(bytes: &[u8]) -> Option<Header<'_>> {
    let (magic, flags) = (bytes.get(..3)?, *bytes.get(3)?);
    if magic != b"\x1f\x8b\x08" {
        return None;
    }
    let mut header = Header { length: 10, ..Header::default() };
    if flags & FLAG_EXTRA != 0 {
        let length = usize::from(u16_le(bytes, 10)?);
        header.extra = bytes.get(12..12 + length)?;
        header.length = 12 + length;
    }
    let text = |flag: u8, length: &mut usize| -> Option<&[u8]> {
        if flags & flag == 0 {
            return Some(&[]);
        }
        let rest = bytes.get(*length..)?;
        let end = memchr::memchr(0, rest)?;
        *length += end + 1;
        Some(&rest[..end])
    };
    header.name = text(FLAG_NAME, &mut header.length)?;
    header.comment = text(FLAG_COMMENT, &mut header.length)?;
    if flags & FLAG_HEADER_CRC != 0 {
        header.length += 2;
    }
    (header.length <= bytes.len()).then_some(header)
}

enum State<'a> {
    Header,
    Deflate(Box<Inflate<'a>>, flate2::Crc),
    End,
}

/// The content of all members.
struct Members<'a> {
    bytes: &'a [u8],
    /// Where the next member begins, or what is behind the last one.
    at: usize,
    state: State<'a>,
    count: u64,
    /// The first few checksums that do not fit.
    odd: Vec<(OddityKind, usize, String)>,
}

impl io::Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.state {
                State::End => return Ok(0),
                State::Header => {
                    let bytes = self.bytes;
                    match header(&bytes[self.at..]) {
                        Some(header) => {
                            self.at += header.length;
                            let decoder = Inflate::bare(&bytes[self.at..]);
                            self.state = State::Deflate(Box::new(decoder), flate2::Crc::new());
                        }
                        None if self.count == 0 => return Err(io::Error::other("the header breaks off")),
                        None => self.state = State::End,
                    }
                }
                State::Deflate(decoder, crc) => {
                    let read = decoder.read(buffer)?;
                    if read > 0 {
                        crc.update(&buffer[..read]);
                        return Ok(read);
                    }
                    self.at += decoder.consumed();
                    let (sum, amount) = (crc.sum(), crc.amount());
                    self.member_ends(sum, amount)?;
                    // Lets the walk count empty members as work.
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
        }
    }
}

impl Members<'_> {
    fn member_ends(&mut self, sum: u32, amount: u32) -> io::Result<()> {
        let (Some(stated), Some(length)) = (u32_le(self.bytes, self.at), u32_le(self.bytes, self.at + 4))
        else {
            self.at = self.bytes.len();
            return Err(io::Error::other("the checksum breaks off"));
        };
        if stated != sum {
            self.remark(OddityKind::Checksum, format!("CRC {stated:08x} is stated, {sum:08x} is right"));
        }
        if length != amount {
            self.remark(OddityKind::SizeMismatch, format!("{length} bytes are stated, {amount} are there"));
        }
        self.at += 8;
        self.count += 1;
        self.state = State::Header;
        Ok(())
    }

    fn remark(&mut self, kind: OddityKind, detail: String) {
        if self.odd.len() < 8 {
            self.odd.push((kind, self.at, detail));
        }
    }
}
