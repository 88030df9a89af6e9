//! The configuration of a container image: the commands that made its layers, and its environment, as text.
//!
//! Each line of the history and each value of the environment is a part of its own, by its number from 0.
//!
//! An image itself needs no reader: a layout is a folder or tar of blobs, a layer is a tar, and each is unfolded by what it
//! holds. So files that a later layer removes are leaves like any others.

use super::{Outcome, Read, Reader};
use crate::format::Format;
use crate::json::{Scanner, Step, Token, is_object_with, unescape};
use crate::report::{Flow, Role};
use crate::walk::{Node, Walk};

/// Lines and values that are parts of their own. Builders write some hundred; what is beyond is told together.
const PARTS: usize = 1_000;

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
        let mut scanner = Scanner::new(node.bytes);
        // As many bytes as the document at most: no stream of its own to be held against a ratio.
        let (mut config, mut last, mut line, mut parts) = (Vec::new(), None, Vec::new(), 0);
        while let Some(token) = scanner.next() {
            let Token::Text(text, _) = token else { continue };
            let path = scanner.path();
            if let Some(number) = history(path) {
                if let Some(last) = last.filter(|last| *last != number && parts < PARTS) {
                    part(node, walk, &format!("#history-{last}"), &line)?;
                    line.clear();
                    parts += 1;
                }
                if line.is_empty() {
                    last = Some(number);
                }
                unescape(text, &mut line);
                line.push(b'\n');
            } else if let Some(number) = environment(path).filter(|_| parts < PARTS) {
                let mut value = Vec::new();
                unescape(text, &mut value);
                value.push(b'\n');
                part(node, walk, &format!("#env-{number}"), &value)?;
                parts += 1;
            } else if is_config(path) {
                unescape(text, &mut config);
                config.push(b'\n');
            }
        }
        if let Some(number) = last {
            part(node, walk, &format!("#history-{number}"), &line)?;
        }
        part(node, walk, "#config", &config)?;
        Read::Continue(Outcome::Part)
    }
}

/// A part of the configuration under a name of its own, so that findings say which line of the history they are in.
fn part(node: &Node<'_>, walk: &mut Walk<'_>, name: &str, text: &[u8]) -> Flow {
    if text.is_empty() {
        return Flow::Continue(());
    }
    walk.content(&node.part(Format::ImageConfig, Role::Embedded, name.as_bytes(), text, 0))
}

/// The number of the history's line that a text belongs to, from 0.
fn history(path: &[Step<'_>]) -> Option<usize> {
    match path {
        [Step::Key(b"history"), Step::Item(number), Step::Key(b"created_by" | b"comment" | b"author")] => {
            Some(*number)
        }
        _ => None,
    }
}

/// The number of the environment's value that a text is, from 0.
fn environment(path: &[Step<'_>]) -> Option<usize> {
    match path {
        [Step::Key(b"config" | b"container_config"), Step::Key(b"Env"), Step::Item(number)] => Some(*number),
        _ => None,
    }
}

fn is_config(path: &[Step<'_>]) -> bool {
    matches!(path, [Step::Key(b"config" | b"container_config"), ..])
}
