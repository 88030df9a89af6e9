//! The configuration of a container image: the commands that made its layers, and its environment, as text.
//!
//! An image itself needs no reader: a layout is a folder or tar of blobs, a layer is a tar, and each is unfolded by what it
//! holds. So files that a later layer removes are leaves like any others.

use std::io::{self, Read as _};

use super::{Outcome, Read, Reader};
use crate::format::Format;
use crate::json::{Scanner, Step, Token, is_object_with, unescape};
use crate::report::Role;
use crate::walk::{Node, Walk};

/// Registries take no larger configuration.
const CONFIG_BYTES: usize = 8 << 20;

pub(super) struct ImageConfig;

impl Reader for ImageConfig {
    fn format(&self) -> Format {
        Format::ImageConfig
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.len() <= CONFIG_BYTES
            && is_object_with(bytes, &["\"rootfs\"", "\"history\"", "\"architecture\""])
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        walk.work(node.bytes.len())?;
        for (name, wanted) in [("history", is_history as fn(&[Step<'_>]) -> bool), ("config", is_config)] {
            let mut lines = Lines { scanner: Scanner::new(node.bytes), wanted, line: Vec::new(), at: 0 };
            // As many bytes as the document at most: no stream of its own to be held against a ratio.
            let mut text = Vec::new();
            lines.read_to_end(&mut text).expect("the source is memory");
            if !text.is_empty() {
                walk.content(&node.part(
                    Format::ImageConfig,
                    Role::Embedded,
                    format!("#{name}").as_bytes(),
                    &text,
                    0,
                ))?;
            }
        }
        Read::Continue(Outcome::Part)
    }
}

fn is_history(path: &[Step<'_>]) -> bool {
    matches!(path, [Step::Key(b"history"), Step::Item(_), Step::Key(b"created_by" | b"comment" | b"author")])
}

fn is_config(path: &[Step<'_>]) -> bool {
    matches!(path, [Step::Key(b"config" | b"container_config"), ..])
}

/// The wanted texts, one a line, with the key before it where it matters.
struct Lines<'a> {
    scanner: Scanner<'a>,
    wanted: fn(&[Step<'_>]) -> bool,
    line: Vec<u8>,
    at: usize,
}

impl io::Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.line.len() {
            let Some(token) = self.scanner.next() else { return Ok(0) };
            let Token::Text(text, _) = token else { continue };
            if (self.wanted)(self.scanner.path()) {
                self.line.clear();
                self.at = 0;
                unescape(text, &mut self.line);
                self.line.push(b'\n');
            }
        }
        let length = buffer.len().min(self.line.len() - self.at);
        buffer[..length].copy_from_slice(&self.line[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
