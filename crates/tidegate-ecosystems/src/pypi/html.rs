//! Reads simple pages in HTML (PEP 503).
//!
//! The tokenizer follows the WHATWG standard, as the clients' parsers do, so that nothing hides from one and not from
//! the other. Anchors count wherever they stand; nothing is built, nothing nests, so depth costs nothing.

use std::borrow::Cow;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use tidegate_model::PackageName;
use url::Url;

use super::page::{
    Candidate, Files, Link, Page, Status, check_name, fragment_hashes, hash_pair, last_segment, malformed,
};
use crate::{FetchedDocument, IndexError};

/// The most entries that are kept of one repeatable `meta`.
const MAX_REPEATED: usize = 64;

pub(super) fn read(package: &PackageName, document: &FetchedDocument) -> Result<Page, IndexError> {
    let mut reader = Reader {
        package,
        base: document.url.clone(),
        has_base: false,
        in_title: false,
        tags: 0,
        tag: Tag::default(),
        page: Page::default(),
        files: Files::of(package),
    };
    // Events come as borrowed bytes: a page of 11,000 links is read without an allocation per attribute.
    let mut emitter =
        CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| reader.event(&event).err());
    emitter.naively_switch_states(true);
    // The only token is the first error: without one this runs to the end of the page.
    if let Some(Ok(error)) = Tokenizer::new_with_emitter(&document.body[..], emitter).next() {
        return Err(error);
    }
    if reader.tags == 0 {
        return Err(malformed(package, "it is neither an HTML page nor JSON: there is no tag in it"));
    }
    let mut page = reader.page;
    (page.files, page.links) = reader.files.finish();
    Ok(page)
}

/// `Links for <project>` is what every server writes; another project's name there means another project's page.
fn check_title(package: &PackageName, text: &[u8]) -> Result<(), IndexError> {
    let text = String::from_utf8_lossy(text);
    match text.trim().strip_prefix("Links for ") {
        Some(name) => check_name(package, name.trim()),
        None => Ok(()),
    }
}

/// A start tag while it is read, with buffers that are used again for the next.
#[derive(Default)]
struct Tag {
    name: Vec<u8>,
    attributes: Vec<(Vec<u8>, Vec<u8>)>,
    /// How many of `attributes` belong to this tag.
    used: usize,
    /// Whether the value that comes next belongs to an attribute that is kept.
    keeps_value: bool,
}

/// The attributes that are read, of whichever tag; a link has a handful, a hostile page may give it a million.
const ATTRIBUTES: [&[u8]; 10] = [
    b"href",
    b"name",
    b"content",
    b"data-requires-python",
    b"data-dist-info-metadata",
    b"data-core-metadata",
    b"data-gpg-sig",
    b"data-yanked",
    b"data-upload-time",
    b"data-provenance",
];

impl Tag {
    fn open(&mut self, name: &[u8]) {
        self.name.clear();
        self.name.extend_from_slice(name);
        self.used = 0;
        self.keeps_value = false;
    }

    /// Of duplicates the first counts.
    fn attribute_name(&mut self, name: &[u8]) {
        self.keeps_value = ATTRIBUTES.contains(&name) && self.get(name).is_none();
        if !self.keeps_value {
            return;
        }
        if self.used == self.attributes.len() {
            self.attributes.push(Default::default());
        }
        let (key, value) = &mut self.attributes[self.used];
        key.clear();
        key.extend_from_slice(name);
        value.clear();
        self.used += 1;
    }

    fn attribute_value(&mut self, value: &[u8]) {
        if self.keeps_value {
            self.attributes[self.used - 1].1.extend_from_slice(value);
        }
    }

    fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.attributes[..self.used].iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
    }
}

struct Reader<'a> {
    package: &'a PackageName,
    base: Url,
    has_base: bool,
    in_title: bool,
    tags: usize,
    tag: Tag,
    page: Page,
    files: Files<'a>,
}

impl Reader<'_> {
    fn event(&mut self, event: &CallbackEvent<'_>) -> Result<(), IndexError> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag.open(name);
                Ok(())
            }
            CallbackEvent::AttributeName { name } => {
                self.tag.attribute_name(name);
                Ok(())
            }
            CallbackEvent::AttributeValue { value } => {
                self.tag.attribute_value(value);
                Ok(())
            }
            CallbackEvent::CloseStartTag { .. } => self.start(),
            CallbackEvent::EndTag { .. } => {
                self.in_title = false;
                Ok(())
            }
            CallbackEvent::String { value } if self.in_title => check_title(self.package, value),
            _ => Ok(()),
        }
    }

    fn start(&mut self) -> Result<(), IndexError> {
        self.tags += 1;
        match self.tag.name.as_slice() {
            b"a" => {
                if let Some(candidate) = self.anchor() {
                    self.files.add(candidate)?;
                }
            }
            b"base" => self.rebase(),
            b"meta" => self.meta(),
            b"title" => self.in_title = true,
            _ => {}
        }
        Ok(())
    }

    /// An attribute's value, entities resolved.
    fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        self.tag.get(name.as_bytes()).map(String::from_utf8_lossy)
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.attribute(name).map(Cow::into_owned)
    }

    /// The first `base` that has an address counts, and only for what follows, as clients read it.
    fn rebase(&mut self) {
        let Some(href) = self.owned("href").filter(|_| !self.has_base) else { return };
        if let Ok(base) = self.base.join(href.trim()) {
            self.base = base;
            self.has_base = true;
        }
    }

    fn meta(&mut self) {
        let (Some(name), Some(content)) = (self.owned("name"), self.owned("content")) else { return };
        let page = &mut self.page;
        match &*name {
            "pypi:repository-version" => page.api_version = Some(content.trim().to_owned()),
            "pypi:project-status" => {
                let reason = page.status.take().and_then(|status| status.reason);
                page.status = Some(Status { status: content, reason });
            }
            "pypi:project-status-reason" => {
                let status = page.status.take().map_or_else(|| "active".into(), |status| status.status);
                page.status = Some(Status { status, reason: Some(content) });
            }
            "pypi:tracks" if page.tracks.len() < MAX_REPEATED => page.tracks.push(content),
            "pypi:alternate-locations" if page.alternate_locations.len() < MAX_REPEATED => {
                page.alternate_locations.push(content);
            }
            _ => {}
        }
    }

    fn anchor(&self) -> Option<Candidate> {
        let href = self.attribute("href")?;
        let location = self.base.join(href.trim()).ok()?;
        let hashes = location.fragment().map(fragment_hashes).unwrap_or_default();
        let sidecar =
            self.attribute("data-core-metadata").or_else(|| self.attribute("data-dist-info-metadata"));
        Some(Candidate {
            file_name: last_segment(&location)?,
            size: None,
            link: Link {
                hashes,
                requires_python: self.owned("data-requires-python"),
                core_metadata: sidecar
                    .filter(|value| value != "false")
                    .map(|value| hash_pair(&value).into_iter().collect()),
                gpg_sig: self.attribute("data-gpg-sig").map(|value| value == "true"),
                yanked: self.owned("data-yanked"),
                upload_time: self.owned("data-upload-time"),
                provenance: self
                    .attribute("data-provenance")
                    .and_then(|href| self.base.join(href.trim()).ok()),
                extra: serde_json::Map::new(),
            },
            location,
        })
    }
}
