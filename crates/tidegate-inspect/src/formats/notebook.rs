//! Jupyter notebooks: the sources of cells and what they printed, images and other data without their base64.

use super::source_map::text_part;
use super::{Outcome, Read, Reader};
use crate::format::Format;
use crate::json::{Scanner, Step, Token, is_object_with};
use crate::report::Role;
use crate::views::base64;
use crate::walk::{Node, Walk};

/// Bytes from which a text of a MIME type that is no text is data.
const DATA_BYTES: usize = 24;

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
        while let Some(token) = scanner.next() {
            let Token::Text(text, at) = token else { continue };
            let [Step::Key(b"cells"), Step::Item(cell), rest @ ..] = scanner.path() else { continue };
            let Some(what) = what(rest) else { continue };
            if !walk.entry(&node.path) {
                break;
            }
            match what {
                What::Text(label) => {
                    let name = format!("#cell-{cell}-{label}-{at}");
                    text_part(node, walk, Format::Notebook, name.as_bytes(), text, at)?;
                }
                What::Data if text.len() >= DATA_BYTES => {
                    let name = format!("#cell-{cell}-data-{at}");
                    let part = node.part(Format::Notebook, Role::Embedded, name.as_bytes(), text, at as u64);
                    walk.unpack_part(part, &mut base64::Decoder::new(text))?;
                }
                What::Data => {}
            }
        }
        walk.work(scanner.at())?;
        Read::Continue(Outcome::Part)
    }
}

enum What {
    Text(&'static str),
    Data,
}

/// What a text within a cell is. Its lines, which notebooks keep one by one, have few secrets across them: they are read
/// together in the notebook itself.
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
