//! tar: ustar, pax, GNU and the forms before them.
//!
//! Readers disagree about tar more than about anything: which size counts, what ends an archive, whether links have
//! content. Where two of them would see different members, both are handed on or the difference is told. Of two members of
//! one name npm keeps the last; both are leaves here.

mod header;
mod pax;

use header::{BLOCK, Header, Kind, Size};
use pax::Pax;

use super::names::Names;
use super::streams::trailing;
use super::{Outcome, Read, Reader};
use crate::bytes::{from, is_zero, slice};
use crate::format::Format;
use crate::path;
use crate::report::{Flow, OddityKind, Role};
use crate::walk::{Node, Walk};

pub(super) struct Tar;

impl Reader for Tar {
    fn format(&self) -> Format {
        Format::Tar
    }

    fn is_archive(&self) -> bool {
        true
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        Header::at(bytes, 0).is_some_and(|header| header.is_valid())
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        Pass {
            node,
            at: 0,
            names: Names::default(),
            local: Pax::default(),
            global: Pax::default(),
            outcome: Outcome::Whole,
        }
        .run(walk)
    }
}

/// One pass through an archive.
struct Pass<'n, 'a> {
    node: &'n Node<'a>,
    at: u64,
    names: Names,
    /// What extended headers said of the next member.
    local: Pax<'a>,
    /// What a global header said of all that follow.
    global: Pax<'a>,
    outcome: Outcome,
}

impl<'a> Pass<'_, 'a> {
    fn run(mut self, walk: &mut Walk<'_>) -> Read {
        while let Some(header) = Header::at(self.node.bytes, self.at) {
            walk.step()?;
            if header.is_zero() {
                if self.ends(walk)? {
                    return Read::Continue(self.outcome);
                }
            } else if !header.is_valid() {
                self.skip_unreadable(walk)?;
            } else if !walk.entry(&self.node.path) || !self.member(&header, walk)? {
                return Read::Continue(Outcome::Part);
            }
        }
        let rest = from(self.node.bytes, self.at);
        if !is_zero(rest) {
            self.aside(walk, Role::Outside, "trailing", rest, self.at)?;
            walk.damaged(&self.node.path, "the archive ends within a header");
        }
        Read::Continue(self.outcome)
    }

    /// At a block of zeros: one is skipped by some readers, two end the archive for all.
    fn ends(&mut self, walk: &mut Walk<'_>) -> std::ops::ControlFlow<(), bool> {
        let next = self.at + BLOCK;
        match Header::at(self.node.bytes, next) {
            Some(header) if !header.is_zero() => {
                let detail = "members behind a block of zeros, which ends the archive for some readers";
                walk.oddity(OddityKind::HiddenBytes, &self.node.path, self.at, detail);
                self.at = next;
                std::ops::ControlFlow::Continue(false)
            }
            _ => {
                let end = usize::try_from((self.at + 2 * BLOCK).min(self.node.bytes.len() as u64))
                    .unwrap_or(usize::MAX);
                trailing(self.node, walk, Format::Tar, end)?;
                std::ops::ControlFlow::Continue(true)
            }
        }
    }

    /// At a block that is no header: npm goes on with the next block, others end here.
    fn skip_unreadable(&mut self, walk: &mut Walk<'_>) -> Flow {
        let start = self.at;
        walk.oddity(OddityKind::Checksum, &self.node.path, start, "a header whose checksum does not fit");
        loop {
            self.at += BLOCK;
            walk.step()?;
            match Header::at(self.node.bytes, self.at) {
                Some(header) if !header.is_zero() && !header.is_valid() => {}
                Some(_) => break,
                None => {
                    self.at = self.node.bytes.len() as u64;
                    self.outcome = Outcome::Part;
                    walk.damaged(&self.node.path, "no header follows");
                    break;
                }
            }
        }
        let bytes = slice(self.node.bytes, start, self.at - start).unwrap_or_default();
        self.aside(walk, Role::Outside, &format!("hidden-{start}"), bytes, start)
    }

    fn aside(&self, walk: &mut Walk<'_>, role: Role, name: &str, bytes: &[u8], offset: u64) -> Flow {
        let mut node = self.node.part(Format::Tar, role, format!("#{name}").as_bytes(), bytes, offset);
        node.place.offset = offset;
        walk.content(&node)
    }

    /// One member. False where the rest cannot be read.
    fn member(&mut self, header: &Header<'a>, walk: &mut Walk<'_>) -> std::ops::ControlFlow<(), bool> {
        let is_extension =
            matches!(header.kind(), Kind::LongName | Kind::LongLink | Kind::Pax | Kind::GlobalPax);
        let extended = if is_extension { Pax::default() } else { self.local.take_over(&self.global) };
        let name = extended.path.map_or_else(|| header.name(), <[u8]>::to_vec);
        let path = path::join(&self.node.path, &name);
        let start = self.at;
        let mut data_at = start + BLOCK;
        if header.kind() == Kind::Sparse {
            data_at = self.sparse(header, &path, walk)?;
        } else if let Some(real) = extended.real_size {
            walk.oddity(OddityKind::Sparse, &path, start, format!("{real} bytes with its holes"));
        }
        let mut size = self.size(header, &extended, &path, walk);
        if !header.kind().has_content() && size > 0 && self.looks_like_header(data_at) {
            walk.oddity(
                OddityKind::SizeMismatch,
                &path,
                start,
                format!("{size} bytes are stated for what has no content"),
            );
            size = 0;
        }
        let left = (self.node.bytes.len() as u64).saturating_sub(data_at);
        let whole = size <= left;
        if !whole {
            walk.damaged(&path, format!("{size} bytes are stated, {left} are left"));
        }
        let data = slice(self.node.bytes, data_at, size.min(left)).unwrap_or_default();
        self.at = data_at + size.min(left);
        let result = self.hand_on(header, &extended, &name, &path, data, data_at, walk);
        self.padding(walk)?;
        result?;
        std::ops::ControlFlow::Continue(whole)
    }

    #[expect(clippy::too_many_arguments, reason = "one member has this many sides")]
    fn hand_on(
        &mut self,
        header: &Header<'a>,
        extended: &Pax<'a>,
        name: &[u8],
        path: &str,
        data: &'a [u8],
        data_at: u64,
        walk: &mut Walk<'_>,
    ) -> Flow {
        let offset = data_at.saturating_sub(BLOCK);
        match header.kind() {
            Kind::LongName => self.local.path = Some(until_zero(data)),
            Kind::LongLink => self.local.link = Some(until_zero(data)),
            Kind::Pax | Kind::GlobalPax => {
                let global = header.kind() == Kind::GlobalPax;
                let target = if global { &mut self.global } else { &mut self.local };
                if !target.read(data) {
                    walk.oddity(
                        OddityKind::InvalidNumber,
                        path,
                        offset,
                        "an extended header that cannot be read",
                    );
                }
                if target.says_more {
                    self.aside(walk, Role::Metadata, &format!("pax-{offset}"), data, data_at)?;
                }
            }
            kind @ (Kind::Link | Kind::HardLink) => {
                walk.member(self.node, name, false);
                let target = extended.link.unwrap_or_else(|| header.link());
                self.names.link(walk, path, name, target, offset, kind == Kind::HardLink);
                if !data.is_empty() {
                    return self.leaf(header, name, data, data_at, walk);
                }
            }
            Kind::Special => {
                walk.member(self.node, name, false);
                self.names.member(walk, path, name, offset, false);
                walk.oddity(OddityKind::SpecialFile, path, offset, "a device or pipe");
                if !data.is_empty() {
                    return self.leaf(header, name, data, data_at, walk);
                }
            }
            Kind::Folder => {
                walk.member(self.node, name, true);
                self.names.member(walk, path, name, offset, true);
                if !data.is_empty() {
                    return self.leaf(header, name, data, data_at, walk);
                }
            }
            // Old tar has no folders, but a slash at the end.
            Kind::File | Kind::Sparse => {
                let is_folder = name.ends_with(b"/") && data.is_empty();
                walk.member(self.node, name, is_folder);
                self.names.member(walk, path, name, offset, is_folder);
                if !is_folder {
                    return self.leaf(header, name, data, data_at, walk);
                }
            }
        }
        Flow::Continue(())
    }

    fn leaf(&self, header: &Header<'_>, name: &[u8], data: &[u8], at: u64, walk: &mut Walk<'_>) -> Flow {
        walk.content(&self.node.part(Format::Tar, Role::Member, name, data, at).with_mode(header.mode()))
    }

    /// The size that counts, of those that the headers state.
    fn size(&self, header: &Header<'_>, extended: &Pax<'_>, path: &str, walk: &mut Walk<'_>) -> u64 {
        let stated = match header.size() {
            Size::Is(size) => size,
            Size::Negative => {
                walk.oddity(OddityKind::InvalidNumber, path, self.at, "a negative size");
                0
            }
            Size::Invalid => {
                walk.oddity(OddityKind::InvalidNumber, path, self.at, "a size that is no number");
                0
            }
        };
        match extended.size {
            Some(size) if size != stated => {
                if stated != 0 {
                    let detail = format!("{stated} bytes in the header, {size} in the extended header");
                    walk.oddity(OddityKind::HeaderMismatch, path, self.at, detail);
                }
                size
            }
            _ => stated,
        }
    }

    fn looks_like_header(&self, at: u64) -> bool {
        match Header::at(self.node.bytes, at) {
            Some(header) => header.is_zero() || header.is_valid(),
            None => true,
        }
    }

    /// A file with holes of the old GNU form. Its content is handed on without them. Returns where that begins.
    fn sparse(
        &mut self,
        header: &Header<'_>,
        path: &str,
        walk: &mut Walk<'_>,
    ) -> std::ops::ControlFlow<(), u64> {
        let real = header.real_size();
        walk.oddity(OddityKind::Sparse, path, self.at, format!("{real} bytes with its holes"));
        let mut data_at = self.at + BLOCK;
        let mut more = header.has_more_holes();
        while more {
            walk.step()?;
            let Some(block) = slice(self.node.bytes, data_at, BLOCK) else { break };
            more = block[504] != 0;
            data_at += BLOCK;
        }
        std::ops::ControlFlow::Continue(data_at)
    }

    /// Up to the next block. It should be zeros.
    fn padding(&mut self, walk: &mut Walk<'_>) -> Flow {
        let padding = (BLOCK - self.at % BLOCK) % BLOCK;
        let start = self.at;
        self.at = (start + padding).min(self.node.bytes.len() as u64);
        let bytes = slice(self.node.bytes, start, self.at - start).unwrap_or_default();
        if is_zero(bytes) {
            return Flow::Continue(());
        }
        walk.oddity(OddityKind::HiddenBytes, &self.node.path, start, "bytes in the padding of a member");
        self.aside(walk, Role::Outside, &format!("padding-{start}"), bytes, start)
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    memchr::memchr(0, bytes).map_or(bytes, |end| &bytes[..end])
}
