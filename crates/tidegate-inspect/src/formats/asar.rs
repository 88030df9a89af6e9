//! The archive of Electron applications: a JSON index, then the files.

use super::names::Names;
use super::{Outcome, Read, Reader};
use crate::bytes::{slice, u32_le};
use crate::format::Format;
use crate::json::{Scanner, Step, Token, unescape};
use crate::path;
use crate::report::OddityKind;
use crate::walk::{Node, Walk};

pub(super) struct Asar;

/// The index, and where the files begin.
fn index(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let header = u32_le(bytes, 4)?;
    let text = slice(bytes, 16, u64::from(u32_le(bytes, 12)?))?;
    let is = u32_le(bytes, 0)? == 4 && u32_le(bytes, 8)? <= header && text.starts_with(b"{\"files\"");
    is.then_some((text, 8 + u64::from(header)))
}

/// What the index says of one file, as far as it was read.
#[derive(Default)]
struct File<'a> {
    offset: Option<&'a [u8]>,
    size: Option<&'a [u8]>,
    link: Option<&'a [u8]>,
    lies_outside: bool,
}

impl Reader for Asar {
    fn format(&self) -> Format {
        Format::Asar
    }

    fn is_archive(&self) -> bool {
        true
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        index(bytes).is_some()
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let Some((text, base)) = index(node.bytes) else { return Read::Continue(Outcome::Part) };
        let mut scanner = Scanner::new(text);
        let mut open: Vec<File<'_>> = Vec::new();
        let mut names = Names::default();
        while let Some(token) = scanner.next() {
            walk.step()?;
            let key = match scanner.path().last() {
                Some(Step::Key(key)) => *key,
                _ => b"",
            };
            match (token, open.last_mut()) {
                (Token::Open, _) => open.push(File::default()),
                (Token::Text(value, _), Some(file)) if key == b"offset" => file.offset = Some(value),
                (Token::Text(value, _), Some(file)) if key == b"link" => file.link = Some(value),
                (Token::Word(value), Some(file)) if key == b"size" => file.size = Some(value),
                (Token::Word(value), Some(file)) if key == b"unpacked" => {
                    file.lies_outside = value == b"true"
                }
                (Token::Close, _) => {
                    let Some(file) = open.pop() else { continue };
                    if file.size.is_none() && file.link.is_none() {
                        continue;
                    }
                    if !walk.entry(&node.path) {
                        return Read::Continue(Outcome::Part);
                    }
                    self::file(node, walk, &mut names, &file, &name(scanner.path()), base)?;
                }
                _ => {}
            }
        }
        if scanner.passed_over() {
            walk.unsupported(&node.path, "folders nested deeper than any application's");
        }
        // The index may say more than names.
        Read::Continue(Outcome::Part)
    }
}

fn file(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    names: &mut Names,
    file: &File<'_>,
    name: &[u8],
    base: u64,
) -> crate::Flow {
    let path = path::join(&node.path, name);
    if let Some(target) = file.link {
        names.link(walk, &path, name, target, 0, false);
        return crate::Flow::Continue(());
    }
    names.member(walk, &path, name, 0, false);
    if file.lies_outside {
        walk.unsupported(&path, "its content lies outside the archive");
        return crate::Flow::Continue(());
    }
    let number = |text: Option<&[u8]>| -> Option<u64> { std::str::from_utf8(text?).ok()?.parse().ok() };
    let (Some(offset), Some(size)) = (number(file.offset), number(file.size)) else {
        walk.oddity(OddityKind::InvalidNumber, &path, 0, "a place or size that is no number");
        walk.damaged(&path, "its content cannot be found");
        return crate::Flow::Continue(());
    };
    let at = base.saturating_add(offset);
    match slice(node.bytes, at, size) {
        Some(data) => walk.content(&node.member(Format::Asar, name, data, at)),
        None => {
            walk.damaged(&path, format!("{size} bytes at {at} lie outside the archive"));
            crate::Flow::Continue(())
        }
    }
}

/// `files`, name, `files`, name… without the words between.
fn name(path: &[Step<'_>]) -> Vec<u8> {
    let mut name = Vec::new();
    for (n, step) in path.iter().enumerate() {
        if let (1, Step::Key(key)) = (n % 2, step) {
            if !name.is_empty() {
                name.push(b'/');
            }
            unescape(key, &mut name);
        }
    }
    name
}
