//! 7z: stored, LZMA, LZMA2, deflate, bzip2 and Zstandard, with the filters for x86 and delta. Others are a gap.

mod header;

use std::io::Read as Source;

use header::{Coder, File, Folder, Header, Streams};
use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::delta::DeltaReader;
use lzma_rust2::{Lzma2Reader, LzmaReader};

use super::names::Names;
use super::streams::{Bunzip, Inflate, Unzstd, trailing};
use super::{Outcome, Read, Reader};
use crate::bytes::{crc32, slice, u32_le};
use crate::format::Format;
use crate::path;
use crate::report::{Flow, GapKind, OddityKind};
use crate::walk::{Node, Unpacking, Walk};

const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";

/// Headers packed within headers; writers make one.
const HEADERS: usize = 4;

pub(super) struct SevenZip;

impl Reader for SevenZip {
    fn format(&self) -> Format {
        Format::SevenZip
    }

    fn is_archive(&self) -> bool {
        true
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let Some((at, length)) = header::place(node.bytes) else {
            walk.damaged(&node.path, "the archive breaks off");
            return Read::Continue(Outcome::Part);
        };
        let Some(bytes) = slice(node.bytes, at, length) else {
            walk.damaged(&node.path, "the header lies outside the archive");
            return Read::Continue(Outcome::Part);
        };
        if u32_le(node.bytes, 28) != Some(crc32(bytes)) {
            walk.oddity(OddityKind::Checksum, &node.path, at, "a header whose CRC does not fit");
        }
        if length > 0 {
            walk.work(bytes.len())?;
            let Some((streams, files)) = whole_header(node, walk, header::parse(bytes))? else {
                return Read::Continue(Outcome::Part);
            };
            members(node, walk, &streams, &files)?;
        }
        trailing(node, walk, Format::SevenZip, usize::try_from(at + length).unwrap_or(usize::MAX))?;
        // What lies between the packed streams is not looked at one by one.
        Read::Continue(Outcome::Part)
    }
}

type Found = Option<(Streams, Vec<File>)>;

/// Unpacks headers until one is plain.
fn whole_header(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    mut parsed: Option<Header>,
) -> std::ops::ControlFlow<(), Found> {
    use std::ops::ControlFlow::Continue;
    for _ in 0..HEADERS {
        match parsed {
            Some(Header::Plain(streams, files)) => return Continue(Some((streams, files))),
            Some(Header::Packed(streams)) => {
                let Some(unpacking) = unpack(node, walk, &streams, 0, &node.path)? else {
                    return Continue(None);
                };
                walk.work(unpacking.content.len())?;
                parsed = header::parse(&unpacking.content);
                walk.release(unpacking);
            }
            None => break,
        }
    }
    walk.damaged(&node.path, "the header cannot be read");
    Continue(None)
}

fn members(node: &Node<'_>, walk: &mut Walk<'_>, streams: &Streams, files: &[File]) -> Flow {
    let mut names = Names::default();
    let mut with_content = files.iter().filter(|file| file.has_content);
    for file in files.iter().filter(|file| !file.has_content) {
        if !walk.entry(&node.path) {
            return Flow::Continue(());
        }
        names.member(walk, &path::join(&node.path, &file.name), &file.name, 0, true);
    }
    for (n, folder) in streams.folders.iter().enumerate() {
        walk.step()?;
        let unpacking = unpack(node, walk, streams, n, &node.path)?;
        let mut at = 0u64;
        for (size, crc) in &folder.files {
            if !walk.entry(&node.path) {
                return Flow::Continue(());
            }
            let name = with_content.next().map_or(&b"#unnamed"[..], |file| &file.name);
            let path = path::join(&node.path, name);
            names.member(walk, &path, name, 0, false);
            let content = unpacking.as_ref().and_then(|unpacking| slice(&unpacking.content, at, *size));
            at = at.saturating_add(*size);
            match content {
                Some(content) => {
                    if crc.is_some_and(|crc| crc != crc32(content)) {
                        walk.oddity(OddityKind::Checksum, &path, 0, "a CRC that does not fit");
                    }
                    walk.content(&node.part(Format::SevenZip, crate::Role::Member, name, content, 0))?;
                }
                None => walk.damaged(&path, "its content could not be unpacked"),
            }
        }
        if let Some(unpacking) = unpacking {
            walk.release(unpacking);
        }
    }
    Flow::Continue(())
}

/// Unpacks one folder whole. None where there is no way to; the gap is told.
fn unpack(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    streams: &Streams,
    number: usize,
    path: &str,
) -> std::ops::ControlFlow<(), Option<Unpacking>> {
    use std::ops::ControlFlow::Continue;
    let at = streams.packed.iter().take(number).fold(streams.start, |at, size| at.saturating_add(*size));
    let packed = streams.packed.get(number).and_then(|size| slice(node.bytes, at, *size));
    let (Some(folder), Some(packed)) = (streams.folders.get(number), packed) else {
        walk.damaged(path, "packed bytes lie outside the archive");
        return Continue(None);
    };
    if folder.coders.iter().any(|coder| coder.id.starts_with(b"\x06\xf1\x07")) {
        walk.gap(GapKind::Encrypted, path, 0, 0, "encrypted members");
        return Continue(None);
    }
    match chain(folder, packed, walk.budgets.window_bytes) {
        Ok(mut reader) => {
            let size = header::unpacked_size(folder).unwrap_or(0);
            let mut limited = (&mut reader).take(size);
            Continue(Some(walk.unpack(path, packed.len() as u64, &mut limited)?))
        }
        Err(Refusal::Window(found)) => {
            walk.gap(GapKind::WindowBytes, path, walk.budgets.window_bytes, found, "the window is too large");
            Continue(None)
        }
        Err(Refusal::Unsupported(what)) => {
            walk.unsupported(path, what);
            Continue(None)
        }
    }
}

enum Refusal {
    Window(u64),
    Unsupported(String),
}

/// The coders of a folder, one upon the other.
fn chain<'a>(folder: &Folder, packed: &'a [u8], window: u64) -> Result<Box<dyn Source + 'a>, Refusal> {
    if !folder.coders.iter().all(|coder| coder.is_simple) {
        return Err(Refusal::Unsupported("coders with several streams".to_owned()));
    }
    let mut at = (0..folder.coders.len())
        .find(|n| folder.bindings.iter().all(|(input, _)| input != n))
        .ok_or_else(|| Refusal::Unsupported("coders in a circle".to_owned()))?;
    let mut reader: Option<Box<dyn Source + 'a>> = None;
    for _ in 0..folder.coders.len() {
        let size = folder.sizes.get(at).copied().unwrap_or(0);
        let Some(coder) = folder.coders.get(at) else { break };
        reader = Some(match reader {
            None => first(coder, packed, size, window)?,
            Some(inner) => next(coder, inner, size, window)?,
        });
        match folder.bindings.iter().find(|(_, output)| *output == at) {
            Some((input, _)) => at = *input,
            None => break,
        }
    }
    reader.ok_or_else(|| Refusal::Unsupported("no coders".to_owned()))
}

/// The coder that reads the archive's own bytes.
fn first<'a>(
    coder: &Coder,
    packed: &'a [u8],
    size: u64,
    window: u64,
) -> Result<Box<dyn Source + 'a>, Refusal> {
    Ok(match coder.id.as_slice() {
        b"\x04\x01\x08" => Box::new(Inflate::bare(packed)),
        b"\x04\x02\x02" => Box::new(Bunzip::new(packed)),
        b"\x04\xf7\x11\x01" => Box::new(Unzstd::new(packed, window)),
        _ => next(coder, Box::new(packed), size, window)?,
    })
}

/// A coder that can read another's output.
fn next<'a>(
    coder: &Coder,
    inner: Box<dyn Source + 'a>,
    size: u64,
    window: u64,
) -> Result<Box<dyn Source + 'a>, Refusal> {
    let within =
        |dictionary: u64| if dictionary > window { Err(Refusal::Window(dictionary)) } else { Ok(()) };
    let unsupported = |what: &str| Refusal::Unsupported(format!("{what} {:02x?}", coder.id));
    Ok(match (coder.id.as_slice(), coder.props.as_slice()) {
        (b"\0", _) => inner,
        (b"\x03\x01\x01", [props, dictionary @ ..]) if dictionary.len() == 4 => {
            let dictionary = u32_le(dictionary, 0).unwrap_or(0);
            within(u64::from(dictionary))?;
            let reader = LzmaReader::new_with_props(inner, size, *props, dictionary, None);
            Box::new(reader.map_err(|_| unsupported("an LZMA stream that does not begin, coder"))?)
        }
        (b"\x21", [bits @ 0..=40]) => {
            let dictionary = match bits {
                40 => u64::from(u32::MAX),
                _ => (2 | u64::from(bits & 1)) << (bits / 2 + 11),
            };
            within(dictionary)?;
            Box::new(Lzma2Reader::new(inner, u32::try_from(dictionary).unwrap_or(u32::MAX), None))
        }
        (b"\x03", [distance]) => Box::new(DeltaReader::new(inner, usize::from(*distance) + 1)),
        (b"\x03\x03\x01\x03", _) => Box::new(BcjReader::new_x86(inner, 0)),
        _ => return Err(unsupported("the coder")),
    })
}
