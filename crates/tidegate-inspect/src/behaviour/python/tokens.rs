//! Reads what does not parse, or is too large or too deep to be parsed: names, strings and brackets only.
//!
//! Calls of known names with their constant arguments give the same facts as in a tree. There are no values between
//! statements, and so no flows.

use std::collections::HashMap;

use super::super::facts::{FileFacts, Looks, Reading, Scope, What};
use super::super::record::Taint;
use super::interp::{Interp, Layers};
use super::value::{Args, Kind, Value};

/// Bytes after an opening bracket that are searched for arguments.
const ARGUMENT_BYTES: usize = 4_096;

/// Names of modules that are remembered.
const ALIASES: usize = 4_096;

/// Calls that are looked at.
const CALLS: usize = 1_000_000;

/// What a string holds that would make a tree deep, if it is a formatted one.
#[derive(Clone, Copy, Default)]
pub(super) struct Inner {
    pub(super) brackets: usize,
    pub(super) operators: u32,
}

/// The end of a line.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', text.get(at..).unwrap_or_default()).map_or(text.len(), |more| at + more)
}

/// The end of a name or number.
pub(super) fn word_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_' || **b >= 0x80).count().max(1)
}

/// The end of the string whose first quote stands at `at`, and what is in it.
pub(super) fn string_end(text: &[u8], at: usize) -> (usize, Inner) {
    let Some(&quote) = text.get(at) else { return (text.len(), Inner::default()) };
    let triple = text.get(at..at + 3) == Some(&[quote; 3]);
    let mut now = at + if triple { 3 } else { 1 };
    let mut inner = Inner::default();
    let (mut open, mut operators) = (0_usize, 0_u32);
    while let Some(&byte) = text.get(now) {
        match byte {
            b'\\' => now += 1,
            b'\n' if !triple => return (now, inner),
            _ if byte == quote => {
                if !triple {
                    return (now + 1, inner);
                }
                if text.get(now..now + 3) == Some(&[quote; 3]) {
                    return (now + 3, inner);
                }
            }
            b'(' | b'[' | b'{' => {
                open += 1;
                inner.brackets = inner.brackets.max(open);
            }
            b')' | b']' | b'}' => {
                open = open.saturating_sub(1);
                if open == 0 {
                    operators = 0;
                }
            }
            b'+' | b'-' | b'*' | b'/' | b'.' | b'~' | b'%' | b'<' | b'>' | b'&' | b'|' | b'^' if open > 0 => {
                operators += 1;
                inner.operators = inner.operators.max(operators);
            }
            _ => {}
        }
        now += 1;
    }
    (text.len(), inner)
}

/// The content of a string token, escapes left as they are but for the plain ones.
fn content(text: &[u8], at: usize, end: usize) -> String {
    let body = text.get(at..end).unwrap_or_default();
    let quote = body.first().copied().unwrap_or(b'"');
    let strip = if body.starts_with(&[quote; 3]) { 3 } else { 1 };
    let inner = body.get(strip..body.len().saturating_sub(strip)).unwrap_or_default();
    let inner = inner.get(..inner.len().min(ARGUMENT_BYTES)).unwrap_or_default();
    let lossy = String::from_utf8_lossy(inner);
    if !lossy.contains("\\x") {
        return lossy.into_owned();
    }
    let mut out = String::with_capacity(lossy.len());
    let mut rest = &*lossy;
    while let Some((before, after)) = rest.split_once("\\x") {
        out.push_str(before);
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                out.push(char::from(code));
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push_str("\\x");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Reads a source by its tokens.
pub(super) fn read(text: &[u8], script: bool, looks: Looks, line: impl Fn(u64) -> u32) -> FileFacts {
    let layers = Layers::default();
    let mut reader = Tokens { text, interp: Interp::new(&layers, script), aliases: HashMap::new(), calls: 0 };
    reader.run();
    let mut file = reader.interp.rec.finish(Reading::Tokens, looks, line);
    file.flows.clear();
    file
}

struct Tokens<'t, 'a> {
    text: &'t [u8],
    interp: Interp<'a>,
    aliases: HashMap<String, String>,
    calls: usize,
}

impl Tokens<'_, '_> {
    fn run(&mut self) {
        let mut at = 0;
        let mut line_start = 0;
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'\n' => {
                    at += 1;
                    line_start = at;
                    let indented = matches!(self.text.get(at), Some(b' ' | b'\t'));
                    self.interp.scope = if indented { Scope::Call } else { Scope::Load };
                }
                b'#' => at = line_end(self.text, at),
                b'"' | b'\'' => {
                    let (end, _) = string_end(self.text, at);
                    let text = content(self.text, at, end);
                    self.interp.telling(&text, at as u64, false);
                    at = end;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => at = self.word(at, line_start),
                _ => at += 1,
            }
        }
    }

    /// A name, a chain of names, or the prefix of a string.
    fn word(&mut self, at: usize, line_start: usize) -> usize {
        let first = word_end(self.text, at);
        if matches!(self.text.get(first), Some(b'"' | b'\'')) && first - at <= 2 {
            return first;
        }
        let word = String::from_utf8_lossy(self.text.get(at..first).unwrap_or_default()).into_owned();
        let begins = self.text.get(line_start..at).unwrap_or_default().iter().all(u8::is_ascii_whitespace);
        if begins && matches!(word.as_str(), "import" | "from") {
            return self.import(at);
        }
        let mut chain = word;
        let mut end = first;
        while self.text.get(end) == Some(&b'.') && chain.len() < 200 {
            let next = word_end(self.text, end + 1);
            if !matches!(self.text.get(end + 1), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_')) {
                break;
            }
            chain.push('.');
            chain.push_str(&String::from_utf8_lossy(self.text.get(end + 1..next).unwrap_or_default()));
            end = next;
        }
        let space = self.text.get(end..).unwrap_or_default().iter().take_while(|b| **b == b' ').count();
        match self.text.get(end + space) {
            Some(b'(') => self.call(&chain, at, end + space + 1),
            Some(b'"' | b'\'' | b'a'..=b'z' | b'A'..=b'Z' | b'_') if chain == "exec" && begins => {
                let site = self.interp.site_at(at as u64);
                self.interp.sink(What::Eval, "exec", &site, &Taint::default());
            }
            _ => {}
        }
        end
    }

    fn import(&mut self, at: usize) -> usize {
        let end = line_end(self.text, at).min(at + ARGUMENT_BYTES);
        let line = String::from_utf8_lossy(self.text.get(at..end).unwrap_or_default()).into_owned();
        let line = line.split(['#', ';']).next().unwrap_or_default();
        let (module, names) = match line.strip_prefix("from ") {
            Some(rest) => match rest.split_once(" import ") {
                Some((module, names)) => (Some(module.trim()), names),
                None => return end,
            },
            None => (None, line.strip_prefix("import ").unwrap_or_default()),
        };
        if let Some(module) = module {
            self.interp.rec.import(module, self.interp.scope);
        }
        for name in names.trim_matches(['(', ')']).split(',') {
            let (name, local) = match name.split_once(" as ") {
                Some((name, local)) => (name.trim(), local.trim()),
                None => (name.trim(), name.trim()),
            };
            if name.is_empty() || self.aliases.len() >= ALIASES {
                continue;
            }
            match module {
                Some(module) => {
                    self.aliases.insert(local.to_owned(), format!("{module}.{name}"));
                }
                None => {
                    self.interp.rec.import(name, self.interp.scope);
                    if local != name {
                        self.aliases.insert(local.to_owned(), name.to_owned());
                    }
                }
            }
        }
        end
    }

    fn call(&mut self, chain: &str, at: usize, open: usize) {
        self.calls += 1;
        if self.calls > CALLS {
            return;
        }
        let (head, tail) = chain.split_once('.').map_or((chain, ""), |(head, tail)| (head, tail));
        let head = match self.aliases.get(head) {
            Some(whole) => whole.clone(),
            None if tail.is_empty() && super::names::is_builtin(head) => format!("builtins.{head}"),
            None => head.to_owned(),
        };
        let whole = if tail.is_empty() { head } else { format!("{head}.{tail}") };
        let name = super::names::canonical(&whole).unwrap_or(whole);
        let args = self.arguments(open);
        let site = self.interp.site_at(at as u64);
        let callee = Value::of(Kind::Name(name.as_str().into(), None));
        self.interp.library(&name, None, &callee, &args, &site);
    }

    /// Constant arguments up to the closing bracket.
    fn arguments<'v>(&self, open: usize) -> Args<'v> {
        let mut args = Args::default();
        let mut current: Option<String> = None;
        let mut plain = true;
        let mut depth = 0_usize;
        let mut at = open;
        let mut key = None;
        let limit = self.text.len().min(open.saturating_add(ARGUMENT_BYTES));
        let mut finish = |current: &mut Option<String>, plain: &mut bool, key: &mut Option<String>| {
            let value = match (current.take(), *plain) {
                (Some(text), true) => Value::text(&text),
                (Some(text), false) => Value::partly(&format!("{text}*")),
                _ => Value::default(),
            };
            *plain = true;
            match key.take() {
                Some(key) => args.kw.push((key.into(), value)),
                None => args.pos.push(value),
            }
        };
        while at < limit {
            match self.text.get(at).copied().unwrap_or(b')') {
                b'"' | b'\'' => {
                    let (end, _) = string_end(self.text, at);
                    current.get_or_insert_default().push_str(&content(self.text, at, end));
                    at = end;
                    continue;
                }
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' if depth == 0 => break,
                b')' | b']' | b'}' => depth -= 1,
                b',' if depth == 0 => finish(&mut current, &mut plain, &mut key),
                b',' => {
                    if let Some(text) = &mut current {
                        text.push(' ');
                    }
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    let end = word_end(self.text, at);
                    if depth == 0
                        && self.text.get(end) == Some(&b'=')
                        && self.text.get(end + 1) != Some(&b'=')
                    {
                        key = Some(
                            String::from_utf8_lossy(self.text.get(at..end).unwrap_or_default()).into_owned(),
                        );
                    } else if !matches!(self.text.get(end), Some(b'"' | b'\'')) {
                        plain = false;
                    }
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        if current.is_some() || !plain {
            finish(&mut current, &mut plain, &mut key);
        }
        args
    }
}
