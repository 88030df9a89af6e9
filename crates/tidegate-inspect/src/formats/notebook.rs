//! Jupyter notebooks: the sources of cells and what they printed, images and other data without their base64.

use super::{Outcome, Read, Reader};
use crate::format::Format;
use crate::json::{Scanner, Step, Token, is_object_with, unescape};
use crate::report::Role;
use crate::views::base64;
use crate::walk::{Node, Walk};

/// Bytes from which a text of a MIME type that is no text is data.
const DATA_BYTES: usize = 24;

/// Bytes of a text from which the next line begins another one.
const TEXT_BYTES: usize = 1 << 20;

pub(super) struct Notebook;

impl Reader for Notebook {
    fn format(&self) -> Format {
        Format::Notebook
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        is_object_with(bytes, &["\"nbformat\"", "\"cells\""])
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let mut scanner = Scanner::new(node.bytes);
        let mut text = Text::default();
        while let Some(token) = scanner.next() {
            let Token::Text(line, at) = token else { continue };
            let [Step::Key(b"cells"), Step::Item(cell), rest @ ..] = scanner.path() else { continue };
            // Texts are lists of lines.
            let owner = match rest {
                [owner @ .., Step::Item(_)] => owner,
                owner => owner,
            };
            let Some(what) = what(owner) else { continue };
            if let What::Text(label) = what {
                let is_same = (text.cell, text.label, text.depth) == (*cell, label, rest.len());
                if !is_same || text.lines.len() > TEXT_BYTES || !matches!(rest.last(), Some(Step::Item(1..)))
                {
                    text.hand_on(node, walk)?;
                    text = Text { cell: *cell, label, depth: rest.len(), at, lines: text.lines };
                    text.lines.clear();
                }
                unescape(line, &mut text.lines);
            } else if line.len() >= DATA_BYTES && walk.entry(&node.path) {
                let name = format!("#cell-{cell}-data-{at}");
                let part = node.part(Format::Notebook, Role::Embedded, name.as_bytes(), line, at as u64);
                walk.unpack_part(part, &mut base64::Decoder::new(line))?;
            }
        }
        text.hand_on(node, walk)?;
        walk.work(scanner.at())?;
        Read::Continue(Outcome::Part)
    }
}

/// Lines of one source or output, so far.
#[derive(Default)]
struct Text {
    cell: usize,
    label: &'static str,
    depth: usize,
    /// Where the first one stands.
    at: usize,
    lines: Vec<u8>,
}

impl Text {
    fn hand_on(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> crate::Flow {
        if self.lines.is_empty() || !walk.entry(&node.path) {
            return crate::Flow::Continue(());
        }
        let name = format!("#cell-{}-{}-{}", self.cell, self.label, self.at);
        walk.content(&node.part(
            Format::Notebook,
            Role::Embedded,
            name.as_bytes(),
            &self.lines,
            self.at as u64,
        ))
    }
}

enum What {
    Text(&'static str),
    Data,
}

/// What a text within a cell is, by the path to it without its line.
fn what(path: &[Step<'_>]) -> Option<What> {
    match path {
        [Step::Key(b"source")] => Some(What::Text("source")),
        [Step::Key(b"outputs"), Step::Item(_), Step::Key(b"text")] => Some(What::Text("output")),
        [Step::Key(b"outputs"), Step::Item(_), Step::Key(b"data"), Step::Key(mime)] => {
            let is_text = mime.starts_with(b"text/") || mime.ends_with(b"json") || mime.ends_with(b"+xml");
            Some(if is_text { What::Text("output") } else { What::Data })
        }
        [Step::Key(b"attachments"), .., Step::Key(_)] => Some(What::Data),
        _ => None,
    }
}
