//! The zip family, read both ways: through the central directory, as most readers do, and along the local headers, as
//! streaming readers do. Where the two disagree, both readings are handed on.

mod cover;
mod method;
mod records;

use std::collections::HashMap;

use cover::Cover;
use method::Method;
use records::{Entry, FLAG_DESCRIPTOR, FLAG_ENCRYPTED, FLAG_MASKED, FLAG_PATCH};

use super::names::Names;
use super::streams::{PackedRead, trailing};
use super::{Outcome, Read, Reader, tar};
use crate::bytes::{crc32, is_zero, slice, u32_le, u64_le};
use crate::format::Format;
use crate::path;
use crate::report::{Flow, GapKind, OddityKind, Role};
use crate::walk::{Node, Walk};

/// The file type of a symbolic link in a Unix mode.
const MODE_TYPE: u32 = 0o170_000;
const MODE_LINK: u32 = 0o120_000;

pub(super) struct Zip;

impl Reader for Zip {
    fn format(&self) -> Format {
        Format::Zip
    }

    fn is_archive(&self) -> bool {
        true
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(records::LOCAL) || find_end(bytes).is_some()
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let mut pass = Pass {
            node,
            names: Names::default(),
            contents: HashMap::new(),
            compared: 0,
            cover: Cover::default(),
            outcome: Outcome::Whole,
            is_full: false,
        };
        let end = find_end(node.bytes);
        match &end {
            Some(end) => pass.listed(end, walk)?,
            None => {
                let detail = "there is no central directory; the members were found by their own headers";
                walk.oddity(OddityKind::Missing, &node.path, 0, detail);
                pass.outcome = Outcome::Part;
            }
        }
        if !pass.is_full {
            pass.between(end.as_ref(), walk)?;
        }
        Read::Continue(pass.outcome)
    }
}

fn find_end(bytes: &[u8]) -> Option<records::End<'_>> {
    // The last member of a tar may be a zip, which would make the tar one with trailing bytes.
    let strict = !bytes.starts_with(records::LOCAL) && tar::Tar.matches(bytes);
    records::end(bytes, strict)
}

/// One pass through an archive.
struct Pass<'n, 'a> {
    node: &'n Node<'a>,
    names: Names,
    /// Where the packed content of each name lies, and how it is packed.
    contents: HashMap<&'a [u8], (u64, u64, u16)>,
    /// Bytes that were compared with members of the same name.
    compared: u64,
    cover: Cover,
    outcome: Outcome,
    /// No more members are taken.
    is_full: bool,
}

impl<'a> Pass<'_, 'a> {
    /// The members that the central directory lists, and the directory itself.
    fn listed(&mut self, end: &records::End<'a>, walk: &mut Walk<'_>) -> Flow {
        let (bytes, path) = (self.node.bytes, &self.node.path);
        let mut at = end.directory;
        let mut count = 0;
        while at < end.at {
            walk.step()?;
            let Some(central) = records::central(bytes, at) else { break };
            if !walk.entry(path) {
                self.outcome = Outcome::Part;
                self.is_full = true;
                return Flow::Continue(());
            }
            count += 1;
            at = central.end;
            self.member(&central, end.prefix, walk)?;
            if !central.comment.is_empty() {
                let name = format!("comment-{}", central.at);
                walk.content(&self.node.aside(
                    Format::Zip,
                    Role::Metadata,
                    &name,
                    central.comment,
                    central.at,
                ))?;
            }
        }
        // Within a member it is the end of an archive that is stored there.
        let other = records::another_end(bytes, end.at).filter(|at| !self.cover.overlaps(*at, *at + 4));
        if let Some(other) = other {
            walk.oddity(OddityKind::HiddenBytes, path, other, "a second end of a central directory");
        }
        self.cover.add(end.directory, at);
        self.cover.add(end.at, end.end);
        // The 64-bit end record and its locator stand between.
        if slice(bytes, end.at, 4) == Some(b"PK\x06\x06") {
            let record = u64_le(bytes, usize::try_from(end.at).unwrap_or(usize::MAX) + 4).unwrap_or(0);
            self.cover.add(end.at, end.at.saturating_add(record.saturating_add(12)));
        }
        if count != end.entries && count & 0xffff != end.entries {
            let detail = format!("{} members are counted, {count} are listed", end.entries);
            walk.oddity(OddityKind::HeaderMismatch, path, end.at, detail);
        }
        if at < end.directory.saturating_add(end.directory_bytes) {
            walk.damaged(path, format!("the central directory breaks off after {count} members"));
            self.outcome = Outcome::Part;
        }
        if !end.comment.is_empty() {
            let offset = end.end - end.comment.len() as u64;
            walk.content(&self.node.aside(Format::Zip, Role::Metadata, "comment", end.comment, offset))?;
        }
        trailing(self.node, walk, Format::Zip, usize::try_from(end.end).unwrap_or(usize::MAX))?;
        self.cover.add(end.end, bytes.len() as u64);
        Flow::Continue(())
    }

    /// One member of the central directory, compared with its local header.
    fn member(&mut self, central: &Entry<'a>, prefix: u64, walk: &mut Walk<'_>) -> Flow {
        let bytes = self.node.bytes;
        let path = path::join(&self.node.path, central.name);
        let at = central.target.saturating_add(prefix);
        let Some(local) = records::local(bytes, at) else {
            self.names.member(walk, &path, central.name, central.at, false);
            walk.oddity(OddityKind::Missing, &path, central.at, format!("no local header at {at}"));
            walk.damaged(&path, "listed, but its content cannot be found");
            self.outcome = Outcome::Part;
            return Flow::Continue(());
        };
        let is_link = central.mode & MODE_TYPE == MODE_LINK;
        let is_folder = central.name.ends_with(b"/") && central.packed == 0;
        let is_same = self.is_same_again(central, local.target);
        if !is_link {
            self.names.member(walk, &path, central.name, central.at, is_folder || is_same);
        }
        let other = differences(central, &local, &path, walk);
        let data_end = local.target.saturating_add(central.packed);
        let whole_end = self.descriptor(central, &local, data_end, &path, walk);
        if self.cover.overlaps(at, whole_end) {
            walk.oddity(OddityKind::Overlap, &path, at, "shares bytes with another member");
        }
        self.cover.add(at, whole_end);
        if is_folder {
            return Flow::Continue(());
        }
        let listed = Entry { target: local.target, mode: central.mode, ..*central };
        if is_link {
            if let Some(target) = slice(bytes, local.target, central.packed).filter(|_| central.method == 0) {
                self.names.link(walk, &path, central.name, target, at, false);
            } else {
                self.names.member(walk, &path, central.name, central.at, false);
                walk.oddity(OddityKind::Link, &path, at, "symbolic link with a compressed target");
            }
        }
        self.unpack(&listed, Role::Member, central.name, walk)?;
        if other {
            self.other_reading(&listed, &local, walk)?;
        }
        Flow::Continue(())
    }

    /// What a reader that believes the local header would see.
    fn other_reading(&mut self, listed: &Entry<'a>, local: &Entry<'a>, walk: &mut Walk<'_>) -> Flow {
        let mut reading = Entry { mode: listed.mode, ..*local };
        if local.flags & FLAG_DESCRIPTOR != 0 && local.packed == 0 {
            (reading.packed, reading.size, reading.crc) = (listed.packed, listed.size, listed.crc);
        }
        let same = reading.method == listed.method && reading.packed == listed.packed;
        if same && reading.name == listed.name {
            return Flow::Continue(());
        }
        self.cover.add(local.at, local.target.saturating_add(reading.packed));
        let name = if same { reading.name.to_vec() } else { [reading.name, b"#local"].concat() };
        self.unpack(&reading, Role::OtherReading, &name, walk)
    }

    /// Whether a member of that name came before with the same content: a tool that was run twice packs it twice, and whichever is
    /// taken, it is the same. All that is compared is bounded by the size of the archive.
    fn is_same_again(&mut self, central: &Entry<'a>, start: u64) -> bool {
        let bytes = self.node.bytes;
        let before = self.contents.insert(central.name, (start, central.packed, central.method));
        let Some((first, length, method)) = before else { return false };
        self.compared = self.compared.saturating_add(length);
        if method != central.method || length != central.packed || self.compared > bytes.len() as u64 {
            return false;
        }
        let content = slice(bytes, first, length);
        content.is_some() && content == slice(bytes, start, length)
    }

    /// Where a member ends, with the descriptor that may follow it.
    fn descriptor(
        &self,
        central: &Entry<'_>,
        local: &Entry<'_>,
        at: u64,
        path: &str,
        walk: &mut Walk<'_>,
    ) -> u64 {
        if (central.flags | local.flags) & FLAG_DESCRIPTOR == 0 {
            return at;
        }
        let rest = slice(self.node.bytes, at, 24)
            .or_else(|| slice(self.node.bytes, at, 16))
            .or_else(|| slice(self.node.bytes, at, 12))
            .unwrap_or_default();
        let signed = if rest.starts_with(records::DESCRIPTOR) { 4 } else { 0 };
        let crc = u32_le(rest, signed);
        let narrow = u32_le(rest, signed + 4).map(u64::from) == Some(central.packed);
        let wide = !narrow && u64_le(rest, signed + 4) == Some(central.packed);
        if crc == Some(central.crc) && (narrow || wide) {
            return at + signed as u64 + if wide { 20 } else { 12 };
        }
        if signed > 0 {
            let detail = "the descriptor behind the content states other values";
            walk.oddity(OddityKind::HeaderMismatch, path, at, detail);
            return at + 16;
        }
        at
    }

    /// Unpacks a member and walks through it.
    fn unpack(&mut self, entry: &Entry<'a>, role: Role, name: &[u8], walk: &mut Walk<'_>) -> Flow {
        let bytes = self.node.bytes;
        let mut part =
            self.node.part(Format::Zip, role, name, &[], entry.target).with_mode(entry.mode & 0o7777);
        let left = (bytes.len() as u64).saturating_sub(entry.target);
        if entry.packed > left {
            walk.damaged(&part.path, format!("{} bytes are stated, {left} are left", entry.packed));
            self.outcome = Outcome::Part;
        }
        let packed = slice(bytes, entry.target, entry.packed.min(left)).unwrap_or_default();
        if !self.cover.spend(packed.len() as u64, bytes.len() as u64) {
            let (limit, found) = (bytes.len() as u64, self.cover.spent());
            let detail = "members that overlap hold more bytes than the archive has";
            walk.gap(GapKind::OverlapBytes, &part.path, limit, found, detail);
            self.outcome = Outcome::Part;
            return Flow::Continue(());
        }
        if entry.flags & (FLAG_PATCH | FLAG_MASKED) != 0 {
            walk.unsupported(&part.path, "patched data or masked headers");
        }
        part.bytes = packed;
        part.place.packed_bytes = packed.len() as u64;
        match Method::of(entry, packed, walk.budgets.window_bytes) {
            Method::Stored => {
                let fits = check(entry, &part, packed, walk);
                if entry.flags & FLAG_ENCRYPTED != 0 && !encryption(fits, &part.path, entry, walk) {
                    return Flow::Continue(());
                }
                walk.content(&part)
            }
            Method::Packed(mut decoder) => self.decode(entry, part, &mut *decoder, walk),
            Method::Unknown => {
                if entry.flags & FLAG_ENCRYPTED != 0 {
                    encryption(false, &part.path, entry, walk);
                } else {
                    walk.unsupported(&part.path, format!("compression method {}", entry.method));
                    walk.leaf(&part, Format::Binary)?;
                }
                Flow::Continue(())
            }
        }
    }

    fn decode(
        &mut self,
        entry: &Entry<'_>,
        part: Node<'a>,
        decoder: &mut dyn PackedRead,
        walk: &mut Walk<'_>,
    ) -> Flow {
        let is_encrypted = entry.flags & FLAG_ENCRYPTED != 0;
        if is_encrypted {
            // Noise would be told as damage; what decodes is not encrypted.
            let mut probe = [0; 1];
            let Method::Packed(mut trial) = Method::of(entry, part.bytes, walk.budgets.window_bytes) else {
                return Flow::Continue(());
            };
            if entry.size > 0 && !matches!(trial.as_read().read(&mut probe), Ok(1)) {
                encryption(false, &part.path, entry, walk);
                return Flow::Continue(());
            }
        }
        let unpacking = walk.unpack(&part.path, part.bytes.len() as u64, decoder.as_read())?;
        let inner = Node { bytes: &unpacking.content, path: part.path, place: part.place };
        let fits = !unpacking.whole || check(entry, &inner, &unpacking.content, walk);
        if is_encrypted && !encryption(fits && unpacking.whole, &inner.path, entry, walk) {
            walk.release(unpacking);
            return Flow::Continue(());
        }
        walk.content(&inner)?;
        let (path, whole) = (inner.path, unpacking.whole);
        walk.release(unpacking);
        let rest = &part.bytes[decoder.consumed().min(part.bytes.len())..];
        if whole && !rest.is_empty() {
            let offset = entry.target + (part.bytes.len() - rest.len()) as u64;
            walk.oddity(
                OddityKind::HiddenBytes,
                &path,
                offset,
                format!("{} bytes behind its stream", rest.len()),
            );
            let name = format!("hidden-{offset}");
            walk.content(&self.node.aside(Format::Zip, Role::Outside, &name, rest, offset))?;
        }
        Flow::Continue(())
    }

    /// What no listed member covers: members by their own header, and bytes that nothing describes.
    fn between(&mut self, end: Option<&records::End<'_>>, walk: &mut Walk<'_>) -> Flow {
        let total = self.node.bytes.len() as u64;
        for (start, stop) in self.cover.holes(total) {
            let mut at = start;
            while at < stop {
                walk.step()?;
                match records::local(self.node.bytes, at) {
                    Some(local) => {
                        if !walk.entry(&self.node.path) {
                            self.outcome = Outcome::Part;
                            return Flow::Continue(());
                        }
                        at = self.unlisted(&local, stop, end.is_some(), walk)?.max(at + 30);
                    }
                    None => {
                        let rest = slice(self.node.bytes, at, stop - at).unwrap_or_default();
                        // Up to the next local header, if one is near.
                        let length = memchr::memmem::find(rest, records::LOCAL).unwrap_or(rest.len());
                        walk.work(length)?;
                        self.outside(at, &rest[..length], end, walk)?;
                        at += length.max(1) as u64;
                    }
                }
            }
        }
        Flow::Continue(())
    }

    /// A member with a local header only. Returns where it ends.
    fn unlisted(
        &mut self,
        local: &Entry<'a>,
        stop: u64,
        is_odd: bool,
        walk: &mut Walk<'_>,
    ) -> std::ops::ControlFlow<(), u64> {
        let bytes = self.node.bytes;
        let path = path::join(&self.node.path, local.name);
        let is_folder = local.name.ends_with(b"/") && local.packed == 0;
        self.names.member(walk, &path, local.name, local.at, is_folder);
        if is_odd {
            walk.oddity(OddityKind::Unlisted, &path, local.at, "the central directory does not list it");
        }
        if is_folder {
            return std::ops::ControlFlow::Continue(local.target);
        }
        let mut entry = *local;
        let mut after = local.target.saturating_add(local.packed);
        if local.flags & FLAG_DESCRIPTOR != 0 && local.packed == 0 {
            // The size stands behind the content, whose end must be found.
            let rest = slice(bytes, local.target, stop.saturating_sub(local.target)).unwrap_or_default();
            let length = memchr::memmem::find(rest, records::DESCRIPTOR);
            walk.work(length.unwrap_or(rest.len()))?;
            let length = length.unwrap_or(rest.len());
            entry.packed = length as u64;
            if let Some(crc) = u32_le(rest, length + 4) {
                entry.crc = crc;
                entry.size = u32_le(rest, length + 12).map_or(0, u64::from);
            }
            after = local.target + entry.packed + 16;
        }
        self.unpack(&entry, Role::Member, local.name, walk)?;
        std::ops::ControlFlow::Continue(after.min(stop))
    }

    /// Bytes that nothing describes.
    fn outside(&mut self, at: u64, rest: &[u8], end: Option<&records::End<'_>>, walk: &mut Walk<'_>) -> Flow {
        if is_zero(rest) {
            return Flow::Continue(());
        }
        let is_prefix = at == 0 && end.is_some();
        let (kind, name) = match is_prefix {
            true => (OddityKind::PrefixBytes, "prefix".to_owned()),
            false => (OddityKind::HiddenBytes, format!("hidden-{at}")),
        };
        walk.oddity(kind, &self.node.path, at, format!("{} bytes", rest.len()));
        let part = self.node.aside(Format::Zip, Role::Outside, &name, rest, at);
        // What was put before an archive is often a program; it must not be taken for the archive again.
        if is_prefix { walk.leaf(&part, Format::of_leaf(rest)) } else { walk.content(&part) }
    }
}

/// Tells where two headers of one member disagree. True if a reader might see something else by the local one.
fn differences(central: &Entry<'_>, local: &Entry<'_>, path: &str, walk: &mut Walk<'_>) -> bool {
    let late = local.flags & FLAG_DESCRIPTOR != 0;
    let mut differ = |is: bool, what: String| {
        if is {
            walk.oddity(OddityKind::HeaderMismatch, path, central.at, what);
        }
        is
    };
    let name = differ(
        central.name != local.name,
        format!("the local header calls it `{}`", path::printable(local.name)),
    );
    let method = differ(
        central.method != local.method,
        format!("method {} is listed, {} stands in the local header", central.method, local.method),
    );
    let is_late = |value: u64| late && value == 0;
    let packed = differ(
        central.packed != local.packed && !is_late(local.packed),
        format!("{} packed bytes are listed, {} stand in the local header", central.packed, local.packed),
    );
    differ(
        central.size != local.size && !is_late(local.size),
        format!("{} bytes are listed, {} stand in the local header", central.size, local.size),
    );
    differ(
        central.crc != local.crc && !is_late(u64::from(local.crc)),
        format!("CRC {:08x} is listed, {:08x} stands in the local header", central.crc, local.crc),
    );
    differ(
        (central.flags ^ local.flags) & (FLAG_ENCRYPTED | FLAG_PATCH | FLAG_MASKED) != 0,
        format!("flags {:#06x} are listed, {:#06x} stand in the local header", central.flags, local.flags),
    );
    name || method || packed
}

/// Compares content with what its header states. False if the CRC does not fit.
fn check(entry: &Entry<'_>, part: &Node<'_>, content: &[u8], walk: &mut Walk<'_>) -> bool {
    // An encrypted member states what it is unpacked to; whether it fits is told by `encryption`.
    let is_encrypted = entry.flags & FLAG_ENCRYPTED != 0;
    if entry.size != content.len() as u64 && !is_encrypted {
        let detail = format!("{} bytes are stated, {} are there", entry.size, content.len());
        walk.oddity(OddityKind::SizeMismatch, &part.path, entry.at, detail);
    }
    let crc = crc32(content);
    if crc != entry.crc && !is_encrypted {
        let detail = format!("CRC {:08x} is stated, {crc:08x} is right", entry.crc);
        walk.oddity(OddityKind::Checksum, &part.path, entry.at, detail);
    }
    crc == entry.crc
}

/// A member that is marked as encrypted. True if it is not.
fn encryption(fits: bool, path: &str, entry: &Entry<'_>, walk: &mut Walk<'_>) -> bool {
    if fits {
        walk.oddity(
            OddityKind::FalseEncryption,
            path,
            entry.at,
            "marked as encrypted, but its content is plain",
        );
    } else {
        walk.gap(GapKind::Encrypted, path, 0, 0, "encrypted member");
    }
    fits
}
