//! Reads command lines and scripts of POSIX shells, `cmd` and PowerShell: what they start, fetch, send, write and delete.
//!
//! Files of the package that a line runs become its imports: `./scripts/x.js` for a file, `npm:name` for a script of the manifest.
//! Code that stands in the line (`node -e "…"`) goes to the reader of its language. Nothing is expanded but `~` and its other
//! names; what is not constant is `*`.

mod commands;
mod network;
mod split;
#[cfg(test)]
mod tests;
mod windows;

use std::collections::BTreeMap;

use super::facts::{Fact, FileFacts, Flow, Language, Scope, What};
use super::words::{self, Class};
use split::{Simple, Word, split};

/// Levels of code within code that are read.
pub(crate) const NESTED: u32 = 4;

/// Bytes of a script that are read.
const SCRIPT_BYTES: usize = 1 << 20;

/// Reads a shell script or a command line.
#[must_use]
pub fn read(text: &[u8], depth: u32) -> FileFacts {
    let text = &text[..text.len().min(SCRIPT_BYTES)];
    let text = String::from_utf8_lossy(text);
    let mut reader = Reader::new(depth);
    if windows::is_windows(&text) {
        reader.windows(&text);
    } else {
        reader.lines(&text, &[]);
    }
    reader.facts
}

/// Reads a batch file or a PowerShell script.
#[must_use]
pub fn read_windows(text: &[u8], depth: u32) -> FileFacts {
    let text = &text[..text.len().min(SCRIPT_BYTES)];
    let mut reader = Reader::new(depth);
    reader.windows(&String::from_utf8_lossy(text));
    reader.facts
}

/// Sources, by their index.
type Sources = Vec<u32>;

struct Reader {
    facts: FileFacts,
    /// Sources in each variable.
    variables: BTreeMap<String, Sources>,
    /// Sources in each file that was written.
    files: BTreeMap<String, Sources>,
    /// Lines before the text that is read.
    line: u32,
    depth: u32,
}

/// Entries of a map that are kept.
const REMEMBERED: usize = 500;

impl Reader {
    fn new(depth: u32) -> Self {
        Self {
            facts: FileFacts::default(),
            variables: BTreeMap::new(),
            files: BTreeMap::new(),
            line: 0,
            depth,
        }
    }

    fn add(&mut self, what: What, detail: &str, line: u32) -> Sources {
        self.facts
            .add(Fact {
                what,
                detail: detail.to_owned(),
                line: self.line + line,
                offset: 0,
                scope: Scope::Load,
                folded: false,
                gates: std::collections::BTreeSet::new(),
                hops: 0,
            })
            .into_iter()
            .collect()
    }

    /// A sink, and flows into it.
    fn sink(&mut self, what: What, detail: &str, line: u32, sources: &[u32]) -> Sources {
        let sink = self.add(what, detail, line);
        for to in &sink {
            for from in sources {
                let decoded =
                    self.facts.facts.get(*from as usize).is_some_and(|fact| fact.what == What::Decode);
                self.facts.join(Flow { from: *from, to: *to, decoded });
            }
        }
        sink
    }

    /// Reads lines and tells what they print. `input` is what the first command reads.
    fn lines(&mut self, text: &str, input: &[u32]) -> Sources {
        if self.depth >= NESTED {
            return Sources::new();
        }
        self.depth += 1;
        let mut printed = Sources::new();
        let mut before: Sources = input.to_vec();
        for simple in &split(text) {
            let input = if simple.is_piped { before.clone() } else { input.to_vec() };
            before = self.simple(simple, input);
            merge(&mut printed, &before);
        }
        self.depth -= 1;
        printed
    }

    /// Reads code of another language that stands in a line.
    fn code(&mut self, language: Language, code: &str, line: u32, input: &[u32]) {
        if self.depth >= NESTED {
            return;
        }
        let Some(inner) = super::languages::read(language, code.as_bytes(), "inline", self.depth + 1) else {
            return;
        };
        self.absorb(inner, line);
        let _ = input;
    }

    /// Takes the facts of inner code as one's own, at the line where it stands.
    fn absorb(&mut self, inner: FileFacts, line: u32) {
        let line = self.line + line;
        super::languages::absorb(&mut self.facts, inner, |fact| {
            fact.line = line + fact.line.saturating_sub(1)
        });
    }

    fn remember(&mut self, file: &str, sources: &[u32]) {
        if self.files.len() < REMEMBERED && !sources.is_empty() {
            merge(self.files.entry(key_of(file)).or_default(), sources);
        }
    }

    fn remembered(&self, file: &str) -> Sources {
        self.files.get(&key_of(file)).cloned().unwrap_or_default()
    }

    /// A file that is run.
    fn runs(&mut self, file: &str) {
        let name =
            if file.starts_with(['.', '/', '~', '$', '*']) { file.to_owned() } else { format!("./{file}") };
        if self.facts.imports.len() < REMEMBERED && !self.facts.imports.contains(&name) {
            self.facts.imports.push(name);
        }
    }

    /// What goes into a word: output of commands and variables.
    fn sources(&mut self, word: &Word, line: u32) -> Sources {
        let mut sources = Sources::new();
        for command in &word.inner {
            let printed = self.lines(command, &[]);
            merge(&mut sources, &printed);
        }
        for name in &word.variables {
            let name = name.trim_start_matches("env:");
            if let Some(known) = self.variables.get(name) {
                let known = known.clone();
                merge(&mut sources, &known);
            } else if words::is_secret_variable(name) {
                let read = self.add(What::EnvRead, name, line);
                merge(&mut sources, &read);
            }
        }
        sources
    }

    fn simple(&mut self, simple: &Simple, mut input: Sources) -> Sources {
        let line = simple.line;
        for (mark, word) in &simple.redirects {
            match mark {
                '<' => {
                    let read = self.add(What::FileRead, &path_of(&word.text), line);
                    merge(&mut input, &read);
                }
                's' => {
                    let sources = self.sources(word, line);
                    merge(&mut input, &sources);
                }
                _ => {}
            }
        }
        let mut words = simple.words.as_slice();
        while let Some((name, value)) = words.first().and_then(assignment) {
            let mut sources = Sources::new();
            if let Some(word) = words.first() {
                sources = self.sources(word, line);
            }
            if words::is_telling(value) {
                self.add(What::Text, value, line);
            }
            if self.variables.len() < REMEMBERED {
                self.variables.insert(name.to_owned(), sources);
            }
            words = &words[1..];
        }
        let printed = self.command(words, simple, &input);
        for (mark, word) in &simple.redirects {
            if *mark == '>' {
                self.redirected(&word.text, line, &printed);
            }
        }
        printed
    }

    fn redirected(&mut self, target: &str, line: u32, printed: &[u32]) {
        let path = path_of(target);
        if words::has(&path, Class::ReverseShell) {
            self.sink(What::NetSend, &path, line, printed);
            self.add(What::SocketToProcess, &path, line);
        } else if !matches!(path.as_str(), "/dev/null" | "&1" | "&2" | "nul" | "NUL") {
            self.sink(What::FileWrite, &path, line, printed);
            self.remember(target, printed);
        }
    }
}

/// `NAME=value` before a command.
fn assignment(word: &Word) -> Option<(&str, &str)> {
    let (name, value) = word.text.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some((name, value))
}

fn merge(into: &mut Sources, from: &[u32]) {
    for source in from {
        if !into.contains(source) && into.len() < REMEMBERED {
            into.push(*source);
        }
    }
}

/// A path as facts write it.
fn path_of(text: &str) -> String {
    let text = text.trim_matches(['"', '\'']).replace('\\', "/");
    let mut text = text;
    for home in [
        "$HOME",
        "%USERPROFILE%",
        "%HOMEPATH%",
        "$env:USERPROFILE",
        "$env:HOME",
        "%userprofile%",
        "$USERPROFILE",
    ] {
        text = text.replace(home, "~");
    }
    constant(&text)
}

/// Folders that have the same name in facts of all languages.
const KNOWN_FOLDERS: &[&str] = &["TEMP", "TMP", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PACKAGE"];

/// A text in which everything that is not constant is `*`.
fn constant(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '%']) {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if rest[at..].starts_with("$()") {
            out.push('*');
            rest = &rest[at + 3..];
        } else if rest.as_bytes()[at] == b'%' {
            match after.find('%') {
                Some(end) if KNOWN_FOLDERS.contains(&&after[..end]) => {
                    out.push_str(&rest[at..=at + 1 + end]);
                    rest = &after[end + 1..];
                }
                Some(end)
                    if end > 0 && after[..end].chars().all(|c| c.is_ascii_alphanumeric() || c == '_') =>
                {
                    out.push('*');
                    rest = &after[end + 1..];
                }
                _ => {
                    out.push('%');
                    rest = after;
                }
            }
        } else {
            let end = after
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':')))
                .unwrap_or(after.len());
            out.push('*');
            rest = &after[end..];
        }
    }
    out.push_str(rest);
    out
}

/// What files are remembered by: their path, or the variable that names them.
fn key_of(file: &str) -> String {
    let text = file.trim_matches(['"', '\'']);
    if text.contains('$') { text.replace(['{', '}'], "") } else { plain(&path_of(text)) }
}

/// A file's name without what may stand before it.
fn plain(file: &str) -> String {
    file.trim_start_matches("./").to_owned()
}
