//! What Go writes into its programs: the modules of the build (`debug/buildinfo` of Go's standard library describes the place
//! and both forms).

use super::objects::Section;
use super::{Found, How};
use crate::bytes;

/// Bytes of the list of modules that are read.
const LIST_BYTES: u64 = 8 << 20;

/// Modules of one program.
const MODULES: usize = 10_000;

/// Sections that are searched. A table may name the whole file again and again.
const SECTIONS: usize = 8;

/// Places of one file that are tried: the mark also stands in programs that look for it.
const TRIES: usize = 16;

/// Before both texts; the header is aligned to 16 bytes.
const MARK: &[u8] = b"\xff Go buildinf:";
const ALIGNMENT: usize = 16;
const HEADER_BYTES: u64 = 32;

/// What a program says of its build.
struct Build<'a> {
    version: &'a [u8],
    list: &'a [u8],
}

/// The modules of a program: its own first.
pub(super) fn modules(sections: &[Section<'_>]) -> Vec<Found> {
    const NAMES: [&[u8]; 4] = [b".go.buildinfo", b"__go_buildinfo", b".data", b"__data"];
    let mut likely = sections.iter().filter(|section| NAMES.contains(&section.name)).take(SECTIONS);
    let Some(build) = likely.find_map(|section| build(section, sections)) else { return Vec::new() };
    let mut found = Vec::new();
    let version = String::from_utf8_lossy(build.version);
    // Experiments and the like stand behind a space.
    let version = version.split(' ').next().unwrap_or_default();
    if let Some(version) =
        version.strip_prefix("go").filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    {
        found.push(Found::exact("golang", None, "stdlib", Some(version), How::GoBuildInfo));
    }
    found.extend(list(&String::from_utf8_lossy(build.list)));
    found
}

fn build<'a>(section: &Section<'a>, sections: &[Section<'a>]) -> Option<Build<'a>> {
    memchr::memmem::find_iter(section.data, MARK)
        .filter(|at| (section.address as usize).wrapping_add(*at) % ALIGNMENT == 0)
        .take(TRIES)
        .find_map(|at| header(bytes::from(section.data, at as u64), sections))
}

fn header<'a>(at: &'a [u8], sections: &[Section<'a>]) -> Option<Build<'a>> {
    let width = usize::from(*at.get(14)?);
    let flags = *at.get(15)?;
    let (version, list) = if flags & 2 != 0 {
        // Since Go 1.18 both texts stand behind the header, each with its length before it.
        let rest = bytes::from(at, HEADER_BYTES);
        let (version, rest) = prefixed(rest)?;
        (version, prefixed(rest).map_or(&[][..], |(list, _)| list))
    } else {
        let big = flags & 1 != 0;
        let pointer = |place: usize| number(at.get(place..place.checked_add(width)?)?, big);
        let text = |address: u64| {
            let header = loaded(sections, address, 2 * width as u64)?;
            let (start, length) = (number(header.get(..width)?, big)?, number(header.get(width..)?, big)?);
            loaded(sections, start, length.min(LIST_BYTES))
        };
        if width != 4 && width != 8 {
            return None;
        }
        (text(pointer(16)?)?, pointer(16 + width).and_then(text).unwrap_or_default())
    };
    let is_version = version.starts_with(b"go") || version.starts_with(b"devel");
    (is_version && version.len() < 256).then(|| Build { version, list: inside(list) })
}

/// The list stands between two marks of 16 bytes.
fn inside(list: &[u8]) -> &[u8] {
    match list.len().checked_sub(17).and_then(|at| list.get(at)) {
        Some(b'\n') if list.len() >= 33 => list.get(16..list.len() - 16).unwrap_or_default(),
        _ => &[],
    }
}

/// A text with its length before it, seven bits a byte, and what follows it.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_u64;
    for (number, byte) in bytes.iter().take(9).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * number);
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).ok()?;
            return bytes.get(number + 1..)?.split_at_checked(length);
        }
    }
    None
}

fn number(bytes: &[u8], big: bool) -> Option<u64> {
    let add = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
    (bytes.len() <= 8).then(|| if big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
}

/// Bytes at an address of the running program.
fn loaded<'a>(sections: &[Section<'a>], address: u64, length: u64) -> Option<&'a [u8]> {
    sections
        .iter()
        .filter(|section| section.address > 0)
        .find_map(|section| bytes::slice(section.data, address.checked_sub(section.address)?, length))
}

/// The list of modules: lines of words with tabs between them; `=>` replaces the module before it.
fn list(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let (path, version, is_replacement, is_own) = match parts.as_slice() {
            ["mod", path, version, ..] => (path, version, false, true),
            ["dep", path, version, ..] => (path, version, false, false),
            ["=>", path, version, ..] => (path, version, true, false),
            _ => continue,
        };
        let is_own = is_own || is_replacement && found.last().is_some_and(|last| last.is_own);
        if is_replacement {
            found.pop();
        }
        // A folder replaces it: nobody else knows it.
        let is_module = !path.starts_with('.') && !path.starts_with('/') && !path.is_empty();
        if !is_module || found.len() >= MODULES {
            continue;
        }
        let version = Some(*version).filter(|version| version.starts_with('v'));
        let (namespace, name) =
            path.rsplit_once('/').map_or((None, *path), |(space, name)| (Some(space), name));
        let mut module = Found::exact("golang", namespace, name, version, How::GoBuildInfo);
        module.is_own = is_own;
        found.push(module);
    }
    found
}
