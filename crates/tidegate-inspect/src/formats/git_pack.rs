//! Packs of git: every object, those that are kept as a difference made whole again.

use std::io;

use super::streams::{Inflate, Packed as _};
use super::{Outcome, Read, Reader};
use crate::bytes::{from, u32_be};
use crate::format::Format;
use crate::report::{OddityKind, Role};
use crate::walk::{Node, Unpacking, Walk};

/// Bytes of the digest at the end, and of one that names an object.
const DIGEST_BYTES: u64 = 20;
/// Differences upon differences; git makes 50, and 250 at most when told to.
const CHAIN: usize = 256;

pub(super) struct GitPack;

impl Reader for GitPack {
    fn format(&self) -> Format {
        Format::GitPack
    }

    fn is_archive(&self) -> bool {
        true
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(b"PACK\0\0\0\x02") || bytes.starts_with(b"PACK\0\0\0\x03")
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let stated = u32_be(node.bytes, 8).unwrap_or(0);
        let mut at = 12;
        for _ in 0..stated {
            walk.step()?;
            if !walk.entry(&node.path) {
                return Read::Continue(Outcome::Part);
            }
            let Some(object) = object(node.bytes, at) else {
                walk.damaged(&node.path, format!("no object at {at}"));
                return Read::Continue(Outcome::Part);
            };
            let mut stream = Inflate::zlib(from(node.bytes, object.data_at));
            let own = unpack(node, walk, &object, &mut stream)?;
            let (whole, consumed) = (own.whole, stream.consumed() as u64);
            hand_on(node, walk, &object, at, own)?;
            if !whole {
                return Read::Continue(Outcome::Part);
            }
            at = object.data_at + consumed;
        }
        let rest = from(node.bytes, at + DIGEST_BYTES);
        if !rest.is_empty() {
            let end = at + DIGEST_BYTES;
            walk.oddity(OddityKind::TrailingBytes, &node.path, end, format!("{} bytes", rest.len()));
            walk.content(&node.aside(Format::GitPack, Role::Outside, "trailing", rest, end))?;
        }
        Read::Continue(Outcome::Whole)
    }
}

/// How an object is kept.
enum Kept {
    Whole(&'static str),
    /// As a difference from the object at this place.
    Upon(u64),
    /// As a difference from an object that is named by its digest, and may lie elsewhere.
    UponNamed,
}

struct Object {
    kept: Kept,
    size: u64,
    data_at: u64,
}

fn object(bytes: &[u8], start: u64) -> Option<Object> {
    let mut at = usize::try_from(start).ok()?;
    let mut byte = *bytes.get(at)?;
    let kind = (byte >> 4) & 7;
    let (mut size, mut shift) = (u64::from(byte & 15), 4);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *bytes.get(at)?;
        size |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 57)?;
        shift += 7;
    }
    at += 1;
    let kept = match kind {
        1 => Kept::Whole("commit"),
        2 => Kept::Whole("tree"),
        3 => Kept::Whole("blob"),
        4 => Kept::Whole("tag"),
        6 => {
            let mut byte = *bytes.get(at)?;
            let mut back = u64::from(byte & 0x7f);
            while byte & 0x80 != 0 {
                at += 1;
                byte = *bytes.get(at)?;
                back = back.checked_add(1)?.checked_mul(128)? + u64::from(byte & 0x7f);
            }
            at += 1;
            Kept::Upon(start.checked_sub(back).filter(|base| *base >= 12 && back > 0)?)
        }
        7 => {
            at += 20;
            Kept::UponNamed
        }
        _ => return None,
    };
    Some(Object { kept, size, data_at: at as u64 })
}

fn unpack(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    object: &Object,
    stream: &mut Inflate<'_>,
) -> std::ops::ControlFlow<(), Unpacking> {
    // The packed length is not stated; the stated size stands in for it, so that the ratio is not held against it twice.
    let left = (node.bytes.len() as u64).saturating_sub(object.data_at);
    walk.unpack(&node.path, left.min(object.size.max(64)), stream)
}

fn hand_on(node: &Node<'_>, walk: &mut Walk<'_>, object: &Object, at: u64, own: Unpacking) -> crate::Flow {
    let part = |name: &str, bytes: &[u8], walk: &mut Walk<'_>| -> crate::Flow {
        let name = format!("{name}-{at}");
        walk.content(&node.part(Format::GitPack, Role::Member, name.as_bytes(), bytes, at))
    };
    match object.kept {
        Kept::Whole(kind) => {
            part(kind, &own.content, walk)?;
            walk.release(own);
        }
        Kept::UponNamed => {
            walk.unsupported(
                &node.path,
                format!("the object at {at} is a difference from one that is named by its digest"),
            );
            part("difference", &own.content, walk)?;
            walk.release(own);
        }
        Kept::Upon(base) => {
            let Some((kind, mut whole)) = whole(node, walk, base)? else {
                walk.damaged(&node.path, format!("the object at {at} has no base"));
                part("difference", &own.content, walk)?;
                walk.release(own);
                return crate::Flow::Continue(());
            };
            whole = apply(node, walk, whole, own)?;
            part(kind, &whole.content, walk)?;
            walk.release(whole);
        }
    }
    crate::Flow::Continue(())
}

/// The content of the object at `start`, through all differences below it.
fn whole(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    start: u64,
) -> std::ops::ControlFlow<(), Option<(&'static str, Unpacking)>> {
    use std::ops::ControlFlow::Continue;
    let mut chain = Vec::new();
    let mut at = start;
    let kind = loop {
        walk.step()?;
        let Some(object) = object(node.bytes, at).filter(|_| chain.len() < CHAIN) else {
            return Continue(None);
        };
        let kept = match object.kept {
            Kept::Whole(kind) => Some(kind),
            Kept::Upon(base) => {
                at = base;
                None
            }
            Kept::UponNamed => return Continue(None),
        };
        chain.push(object);
        if let Some(kind) = kept {
            break kind;
        }
    };
    let mut content: Option<Unpacking> = None;
    while let Some(object) = chain.pop() {
        let own = unpack(node, walk, &object, &mut Inflate::zlib(from(node.bytes, object.data_at)))?;
        content = Some(match content {
            None => own,
            Some(base) => apply(node, walk, base, own)?,
        });
    }
    Continue(content.map(|content| (kind, content)))
}

/// Makes an object whole from its base and its difference.
fn apply(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    base: Unpacking,
    own: Unpacking,
) -> std::ops::ControlFlow<(), Unpacking> {
    let mut difference = Difference::new(&base.content, &own.content);
    let packed = (base.content.len() + own.content.len()) as u64;
    let whole = walk.unpack(&node.path, packed, &mut difference)?;
    walk.release(own);
    walk.release(base);
    std::ops::ControlFlow::Continue(whole)
}

/// Instructions to copy from a base and to insert.
struct Difference<'a> {
    base: &'a [u8],
    rest: &'a [u8],
    run: &'a [u8],
}

impl<'a> Difference<'a> {
    fn new(base: &'a [u8], instructions: &'a [u8]) -> Self {
        // Two sizes that the content states itself.
        let mut rest = instructions;
        for _ in 0..2 {
            let end = rest.iter().position(|b| b & 0x80 == 0).map_or(rest.len(), |at| at + 1);
            rest = &rest[end..];
        }
        Self { base, rest, run: &[] }
    }

    fn instruction(&mut self) -> Option<&'a [u8]> {
        let (&op, mut rest) = self.rest.split_first()?;
        let run = if op & 0x80 == 0 {
            let (run, after) = rest.split_at_checked(usize::from(op)).filter(|_| op != 0)?;
            rest = after;
            run
        } else {
            let offset = number(op & 0x0f, &mut rest)?;
            let size = number((op >> 4) & 0x07, &mut rest)?;
            let size = if size == 0 { 0x1_0000 } else { size };
            self.base.get(offset..offset.checked_add(size)?)?
        };
        self.rest = rest;
        Some(run)
    }
}

impl io::Read for Difference<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.run.is_empty() {
            if self.rest.is_empty() {
                return Ok(0);
            }
            let Some(run) = self.instruction() else {
                return Err(io::Error::other("a difference that does not fit its base"));
            };
            self.run = run;
        }
        let length = buffer.len().min(self.run.len());
        buffer[..length].copy_from_slice(&self.run[..length]);
        self.run = &self.run[length..];
        Ok(length)
    }
}

/// A little-endian number of which only the bytes named by `bits` are there.
fn number(bits: u8, rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for place in 0..4 {
        if bits & (1 << place) != 0 {
            let (&byte, after) = rest.split_first()?;
            *rest = after;
            value |= usize::from(byte) << (8 * place);
        }
    }
    Some(value)
}
