//! What each leaf adds.

use std::collections::HashMap;

use tidegate_model::licence;

use super::files::{self, Purpose};
use super::matching::{self, FILE_WORDS, Found};
use super::notices::{Notice, Notices};
use super::words::{self, Word};
use super::{Declared, Detected, How, Licences, Tag, conclude};
use crate::Format;
use crate::manifests::{self, Standing, Statement};
use crate::report::{Leaf, Role};

/// Bytes of one licence file that are read.
const FILE_BYTES: usize = 1 << 20;

/// Bytes of licence files of one package that are compared in all.
const COMPARED_BYTES: usize = 12 << 20;

/// Bytes of a file in which a tag is looked for; it stands at the beginning.
const HEADER_BYTES: usize = 4 << 10;

/// Declarations, texts and tags that are kept, each.
const KEPT: usize = 400;

/// Results that are kept for files of the same words.
const CACHED: usize = 1_000;

/// Bytes of a declaration that are told.
const TOLD_BYTES: usize = 400;

/// Bytes of a tag's expression.
const TAG_BYTES: usize = 200;

const TAG: &[u8] = b"SPDX-License-Identifier:";

/// Collects what the leaves of one package say about licences.
#[derive(Debug)]
pub struct LicenceCollector {
    licences: Licences,
    notices: Notices,
    tags: HashMap<String, usize>,
    /// Results by the words of the file.
    cache: HashMap<u64, Found>,
    compared: usize,
}

impl Default for LicenceCollector {
    fn default() -> Self {
        Self::new()
    }
}

impl LicenceCollector {
    /// For one package.
    #[must_use]
    pub fn new() -> Self {
        Self {
            licences: Licences::default(),
            notices: Notices::new(),
            tags: HashMap::new(),
            cache: HashMap::new(),
            compared: 0,
        }
    }

    /// Looks at a leaf.
    pub fn leaf(&mut self, leaf: &Leaf<'_>) {
        if leaf.place.role != Role::Member
            || !matches!(leaf.format, Format::Text | Format::Json | Format::Binary)
        {
            return;
        }
        if let Some(manifest) = manifests::read(leaf) {
            let own = Standing::of(leaf.path) == Standing::Main;
            for statement in &manifest.statements {
                self.declare(leaf.path, statement, own);
            }
        }
        match files::purpose(leaf.path) {
            Some(purpose) => self.file(leaf, purpose),
            None => self.tag(leaf),
        }
    }

    /// All that was said and found, with what follows from it.
    #[must_use]
    pub fn finish(mut self) -> Licences {
        // The package's own first; what was found first stays first.
        self.licences.declared.sort_by_key(|declared| !declared.own);
        conclude::conclude(&mut self.licences);
        self.licences
    }

    fn declare(&mut self, path: &str, statement: &Statement, own: bool) {
        if statement.text.len() > licence::MAX_STATEMENT_BYTES || statement.text.lines().count() > 4 {
            // Some put the whole text where its name belongs.
            self.text(path, &statement.text, Purpose::Licence, own);
            return;
        }
        if self.licences.declared.len() >= KEPT {
            self.licences.not_kept += 1;
            return;
        }
        self.licences.declared.push(Declared {
            path: path.to_owned(),
            field: statement.field.to_owned(),
            text: cut(&statement.text, TOLD_BYTES).to_owned(),
            reading: licence::read(&statement.text),
            own,
        });
    }

    fn file(&mut self, leaf: &Leaf<'_>, purpose: Purpose) {
        let bytes = leaf.bytes.get(..FILE_BYTES).unwrap_or(leaf.bytes);
        if bytes.len() < leaf.bytes.len() {
            self.licences.not_compared += 1;
        }
        let own = Standing::of(leaf.path) == Standing::Main;
        self.text(leaf.path, &String::from_utf8_lossy(bytes), purpose, own);
    }

    fn text(&mut self, path: &str, text: &str, purpose: Purpose, own: bool) {
        if self.compared + text.len() > COMPARED_BYTES {
            self.licences.not_compared += 1;
            return;
        }
        self.compared += text.len();
        let words = words::words(text, FILE_WORDS);
        let found = self.found(&words);
        let own = own && purpose == Purpose::Licence;
        let notices = self.notices.find(&words);
        // A notice within a licence's text is its own example.
        let stands_alone = |notice: &Notice| {
            !found.matches.iter().any(|m| m.lines.0 <= notice.lines.0 && notice.lines.1 <= m.lines.1)
        };
        let notices: Vec<Notice> = notices.into_iter().filter(stands_alone).collect();
        for one in &found.matches {
            // A notice beside the text says which of its licences is meant.
            let named = notices.iter().find(|notice| one.ids.len() > 1 && one.ids.contains(&notice.id));
            let licences = match named {
                Some(notice) => vec![notice.id.to_owned()],
                None => one.ids.iter().map(|id| (*id).to_owned()).collect(),
            };
            self.keep(Detected {
                path: path.to_owned(),
                line: one.lines.0,
                last_line: one.lines.1,
                licences,
                how: How::Text,
                percent: (one.there * 100.0) as u8,
                foreign_words: one.foreign,
                own,
            });
        }
        for notice in notices {
            self.keep(Detected {
                path: path.to_owned(),
                line: notice.lines.0,
                last_line: notice.lines.1,
                licences: vec![notice.id.to_owned()],
                how: How::Notice,
                percent: 100,
                foreign_words: 0,
                own,
            });
        }
    }

    fn keep(&mut self, detected: Detected) {
        if self.licences.detected.len() < KEPT {
            self.licences.detected.push(detected);
        } else {
            self.licences.not_kept += 1;
        }
    }

    /// What is in a file of these words; files of the same words are compared once. Lines are those of each file.
    fn found(&mut self, words: &[Word]) -> Found {
        let key = words.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, word| {
            let both = u64::from(word.hash) << 32 | u64::from(word.line);
            (hash ^ both).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
        });
        if let Some(found) = self.cache.get(&key) {
            return found.clone();
        }
        let found = matching::find(words);
        if self.cache.len() < CACHED {
            self.cache.insert(key, found.clone());
        }
        found
    }

    fn tag(&mut self, leaf: &Leaf<'_>) {
        let header = leaf.bytes.get(..HEADER_BYTES).unwrap_or(leaf.bytes);
        let Some(at) = memchr::memmem::find(header, TAG) else { return };
        let rest = header.get(at + TAG.len()..).unwrap_or_default();
        let line = rest.split(|&b| b == b'\n').next().unwrap_or_default();
        let line = line.get(..TAG_BYTES).unwrap_or(line);
        let Ok(text) = std::str::from_utf8(line) else { return };
        // What closes a comment.
        let text = text.trim().trim_end_matches("*/").trim_end_matches("-->").trim_end_matches("#}").trim();
        if text.is_empty() {
            return;
        }
        if let Some(tag) = self.tags.get(text).and_then(|&at| self.licences.tags.get_mut(at)) {
            tag.files += 1;
            return;
        }
        if self.licences.tags.len() >= KEPT {
            self.licences.not_kept += 1;
            return;
        }
        self.tags.insert(text.to_owned(), self.licences.tags.len());
        self.licences.tags.push(Tag {
            text: text.to_owned(),
            reading: licence::read(text),
            path: leaf.path.to_owned(),
            files: 1,
            own: Standing::of(leaf.path) != Standing::Foreign,
        });
    }
}

/// As much of a text as so many bytes hold.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
