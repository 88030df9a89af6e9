//! Bare zlib streams: loose objects of git, and what other programs pack that way (joblib, and with a head of its own its first versions).

use std::io::Read as _;

use super::streams::{Inflate, Packed as _, trailing, unwrap_file};
use super::{Outcome, Read, Reader};
use crate::format::Format;
use crate::report::Role;
use crate::walk::{Node, Walk};

/// Unpacked bytes by which a stream is recognised.
const PROBE_BYTES: usize = 32;

fn probe(bytes: &[u8]) -> Option<([u8; PROBE_BYTES], usize)> {
    let head = u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]);
    // Deflate with a window of up to 32 KiB, no dictionary, and a check that fits (RFC 1950).
    if bytes[0] & 0x0f != 8 || bytes[0] >> 4 > 7 || head % 31 != 0 || bytes[1] & 0x20 != 0 || bytes[0] < 0x58
    {
        return None;
    }
    let mut out = [0; PROBE_BYTES];
    let mut length = 0;
    let mut stream = Inflate::zlib(bytes);
    while length < PROBE_BYTES {
        match stream.read(&mut out[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(_) if length > 0 => break,
            Err(_) => return None,
        }
    }
    Some((out, length))
}

/// The kind of a git object.
fn kind(start: &[u8]) -> Option<&'static str> {
    let kinds = ["blob", "tree", "commit", "tag"];
    kinds.into_iter().find(|kind| {
        let size = start.strip_prefix(kind.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
        size.is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit) && rest.contains(&0))
    })
}

pub(super) struct GitObject;

impl Reader for GitObject {
    fn format(&self) -> Format {
        Format::GitObject
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        probe(bytes).is_some_and(|(start, length)| kind(&start[..length]).is_some())
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let mut stream = Inflate::zlib(node.bytes);
        let unpacking = walk.unpack(&node.path, node.bytes.len() as u64, &mut stream)?;
        let content: &[u8] = &unpacking.content;
        let name = kind(&content[..content.len().min(PROBE_BYTES)]).unwrap_or("object");
        let body = memchr::memchr(0, content).map_or(content, |end| &content[end + 1..]);
        walk.content(&node.part(Format::GitObject, Role::Member, format!("#{name}").as_bytes(), body, 0))?;
        let whole = unpacking.whole;
        walk.release(unpacking);
        if !whole {
            return Read::Continue(Outcome::Part);
        }
        trailing(node, walk, Format::GitObject, stream.consumed())?;
        Read::Continue(Outcome::Whole)
    }
}

pub(super) struct Zlib;

impl Reader for Zlib {
    fn format(&self) -> Format {
        Format::Zlib
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        probe(bytes).is_some_and(|(start, length)| length > 0 && kind(&start[..length]).is_none())
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        unwrap_file(node, walk, Format::Zlib, &[".z", ".zz", ".zlib"], &mut Inflate::zlib(node.bytes))
    }
}

/// What joblib wrote before its version 0.10: two letters, the unpacked length as hexadecimal text, a zlib stream.
pub(super) struct OldJoblib;

/// Bytes of letters and length. Some systems wrote one more.
const HEAD_BYTES: usize = 21;

/// Where the stream begins.
fn stream_of(bytes: &[u8]) -> Option<usize> {
    let length = bytes.strip_prefix(b"ZF0x")?.get(..HEAD_BYTES - 4)?;
    let digits = length.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let is_length = digits > 0 && length[digits..].iter().all(|byte| matches!(byte, b' ' | b'L'));
    let start = HEAD_BYTES + usize::from(bytes.get(HEAD_BYTES) == Some(&b' '));
    (is_length && probe(bytes.get(start..)?).is_some()).then_some(start)
}

/// A stream behind a head.
struct Behind<'a> {
    start: usize,
    stream: Inflate<'a>,
}

impl std::io::Read for Behind<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl super::streams::Packed for Behind<'_> {
    fn consumed(&self) -> usize {
        self.start + self.stream.consumed()
    }
}

impl Reader for OldJoblib {
    fn format(&self) -> Format {
        Format::Zlib
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        stream_of(bytes).is_some()
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let start = stream_of(node.bytes).unwrap_or(HEAD_BYTES).min(node.bytes.len());
        let stream = Inflate::zlib(&node.bytes[start..]);
        unwrap_file(node, walk, Format::Zlib, &[".z"], &mut Behind { start, stream })
    }
}
