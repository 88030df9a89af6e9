//! A small tree of an XML document: elements, their text and their lines.
//!
//! Nothing is expanded: a document type declaration, with which entities could be defined, is refused, and of references
//! only the five of XML itself and characters are known. Attributes are passed.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{InventoryError, Lines};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;
/// The most elements that are read.
const MAX_ELEMENTS: usize = 1_000_000;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name without a prefix.
    pub(super) name: String,
    /// Its own text, trimmed.
    pub(super) text: String,
    /// The elements in it.
    pub(super) children: Vec<Self>,
    /// Line of its start, from 1.
    pub(super) line: u32,
}

impl Element {
    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of a name, where it has some.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The children called `name` of the first child called `list`.
    pub(super) fn list<'a>(&'a self, list: &str, name: &'a str) -> impl Iterator<Item = &'a Self> {
        let children = self.child(list).map(|list| list.children.as_slice()).unwrap_or_default();
        children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document into its root element.
pub(super) fn read(text: &str) -> Result<Element, InventoryError> {
    let lines = Lines::of(text);
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0;
    loop {
        let at = u32::try_from(reader.buffer_position()).unwrap_or(u32::MAX);
        let malformed = |why: String| InventoryError::MalformedAt { line: lines.at(at), why };
        let event = reader.read_event().map_err(|e| {
            let at = u32::try_from(reader.error_position()).unwrap_or(u32::MAX);
            InventoryError::MalformedAt { line: lines.at(at), why: format!("not well-formed XML: {e}") }
        })?;
        match event {
            Event::Start(start) => {
                count += 1;
                if count > MAX_ELEMENTS {
                    return Err(InventoryError::TooMuch { limit: "1,000,000 elements" });
                }
                if open.len() == MAX_DEPTH {
                    return Err(malformed(format!("elements nested deeper than {MAX_DEPTH}")));
                }
                let name = start.local_name().as_ref().to_owned();
                open.push(Element { name, line: lines.at(at), ..Element::default() });
            }
            Event::End(_) => {
                let Some(mut done) = open.pop() else {
                    return Err(malformed("an end without a start".into()));
                };
                done.text = done.text.trim().to_owned();
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            }
            Event::DocType(_) => {
                return Err(malformed("a document type declaration, which is not read: remove it".into()));
            }
            Event::Eof => return Err(malformed("the document ends inside an element, or has none".into())),
            other => {
                if let Some(element) = open.last_mut() {
                    append(&other, element).map_err(malformed)?;
                }
            }
        }
    }
}

/// Adds what an event says to the text of the element around it.
fn append(event: &Event<'_>, element: &mut Element) -> Result<(), String> {
    match event {
        Event::Text(text) => element.text.push_str(text),
        Event::CData(text) => element.text.push_str(text),
        Event::GeneralRef(reference) => {
            if let Ok(Some(c)) = reference.resolve_char_ref() {
                element.text.push(c);
                return Ok(());
            }
            let text = quick_xml::escape::resolve_xml_entity(reference)
                .ok_or_else(|| format!("the entity `&{};` is not known", super::shown(reference)))?;
            element.text.push_str(text);
        }
        _ => {}
    }
    Ok(())
}
