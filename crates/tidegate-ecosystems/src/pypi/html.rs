//! Reads simple pages in HTML (PEP 503).
//!
//! The tokenizer follows the WHATWG standard, as the clients' parsers do, so that nothing hides from one and not from
//! the other. Anchors count wherever they stand; nothing is built, nothing nests, so depth costs nothing.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use tidegate_model::PackageName;
use url::Url;

use super::page::{
    Candidate, Files, Link, Page, Status, check_name, fragment_hashes, hash_pair, last_segment, malformed,
};
use crate::{FetchedDocument, IndexError};

/// The most entries that are kept of one repeatable `meta`.
const MAX_REPEATED: usize = 64;

pub(super) fn read(package: &PackageName, document: &FetchedDocument) -> Result<Page, IndexError> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut reader = Reader {
        base: document.url.clone(),
        has_base: false,
        in_title: false,
        page: Page::default(),
        files: Files::of(package),
    };
    let mut tags = 0_usize;
    for token in Tokenizer::new_with_emitter(&document.body[..], emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                tags += 1;
                reader.start(&tag)?;
            }
            Token::EndTag(_) => reader.in_title = false,
            Token::String(text) if reader.in_title => check_title(package, &text)?,
            _ => {}
        }
    }
    if tags == 0 {
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

struct Reader<'a> {
    base: Url,
    has_base: bool,
    in_title: bool,
    page: Page,
    files: Files<'a>,
}

impl Reader<'_> {
    fn start(&mut self, tag: &StartTag<()>) -> Result<(), IndexError> {
        match tag.name.as_slice() {
            b"a" => {
                if let Some(candidate) = self.anchor(tag) {
                    self.files.add(candidate)?;
                }
            }
            b"base" => self.rebase(tag),
            b"meta" => self.meta(tag),
            b"title" => self.in_title = true,
            _ => {}
        }
        Ok(())
    }

    /// The first `base` that has an address counts, and only for what follows, as clients read it.
    fn rebase(&mut self, tag: &StartTag<()>) {
        let Some(href) = attribute(tag, "href").filter(|_| !self.has_base) else { return };
        if let Ok(base) = self.base.join(href.trim()) {
            self.base = base;
            self.has_base = true;
        }
    }

    fn meta(&mut self, tag: &StartTag<()>) {
        let (Some(name), Some(content)) = (attribute(tag, "name"), attribute(tag, "content")) else { return };
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

    fn anchor(&self, tag: &StartTag<()>) -> Option<Candidate> {
        let href = attribute(tag, "href")?;
        let location = self.base.join(href.trim()).ok()?;
        let hashes = location.fragment().map(fragment_hashes).unwrap_or_default();
        let sidecar =
            attribute(tag, "data-core-metadata").or_else(|| attribute(tag, "data-dist-info-metadata"));
        Some(Candidate {
            file_name: last_segment(&location)?,
            size: None,
            link: Link {
                hashes,
                requires_python: attribute(tag, "data-requires-python"),
                core_metadata: sidecar
                    .filter(|value| value != "false")
                    .map(|value| hash_pair(&value).into_iter().collect()),
                gpg_sig: attribute(tag, "data-gpg-sig").map(|value| value == "true"),
                yanked: attribute(tag, "data-yanked"),
                upload_time: attribute(tag, "data-upload-time"),
                provenance: attribute(tag, "data-provenance")
                    .and_then(|href| self.base.join(href.trim()).ok()),
                extra: serde_json::Map::new(),
            },
            location,
        })
    }
}

/// An attribute's value, entities resolved. Names are lower case after tokenizing; of duplicates the first counts.
fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}
