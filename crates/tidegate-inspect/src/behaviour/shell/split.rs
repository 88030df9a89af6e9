//! Splits shell text into commands, words, redirections and what is substituted into them.

use std::iter::Peekable;
use std::str::CharIndices;

/// Commands of one text that are read.
const COMMANDS: usize = 5_000;

/// Words of one command that are read.
const WORDS: usize = 2_000;

/// A word after its quotes were taken off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// The text, with variables and substitutions as they stand.
    pub(super) text: String,
    /// Command lines whose output becomes part of it.
    pub(super) inner: Vec<String>,
    /// Variables that become part of it.
    pub(super) variables: Vec<String>,
}

/// One command with its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Simple {
    pub(super) words: Vec<Word>,
    /// `>` or `<` and the file.
    pub(super) redirects: Vec<(char, Word)>,
    /// Whether the command before writes into it.
    pub(super) is_piped: bool,
    /// Whether nobody waits for it.
    pub(super) is_background: bool,
    /// The text behind `<<`.
    pub(super) here: Option<String>,
    /// Line, from 1.
    pub(super) line: u32,
}

/// Splits a text.
pub(super) fn split(text: &str) -> Vec<Simple> {
    let mut splitter = Splitter {
        text,
        chars: text.char_indices().peekable(),
        line: 1,
        done: Vec::new(),
        simple: Simple { line: 1, ..Simple::default() },
        word: None,
        redirect: None,
        here: None,
    };
    splitter.run();
    splitter.done
}

struct Splitter<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
    line: u32,
    done: Vec<Simple>,
    simple: Simple,
    word: Option<Word>,
    /// The redirection whose file comes next.
    redirect: Option<char>,
    /// The end mark of a text that begins on the next line.
    here: Option<String>,
}

impl Splitter<'_> {
    fn run(&mut self) {
        while self.done.len() < COMMANDS {
            let Some((at, c)) = self.chars.next() else { break };
            match c {
                '\n' => self.newline(),
                ' ' | '\t' | '\r' => self.end_word(),
                ';' | '(' | ')' => self.end_command(false),
                '&' => self.ampersand(),
                '|' => {
                    let is_or = self.take('|');
                    self.take('&');
                    self.end_command(!is_or);
                }
                '#' if self.word.is_none() => self.skip_line(),
                '>' | '<' => self.angle(c),
                '\'' => {
                    let rest = &self.text[at + 1..];
                    let end = rest.find('\'').unwrap_or(rest.len());
                    let quoted = rest[..end].to_owned();
                    self.advance_to(at + 1 + end + 1);
                    self.word().text.push_str(&quoted);
                }
                '"' => self.quoted(),
                '\\' => match self.chars.next() {
                    Some((_, '\n')) => self.line += 1,
                    Some((_, c)) => self.word().text.push(c),
                    None => {}
                },
                '$' => self.dollar(at),
                '`' => self.backtick(at),
                _ => self.word().text.push(c),
            }
        }
        self.end_command(false);
    }

    fn take(&mut self, wanted: char) -> bool {
        self.chars.next_if(|(_, c)| *c == wanted).is_some()
    }

    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    fn advance_to(&mut self, offset: usize) {
        while let Some((_, c)) = self.chars.next_if(|(at, _)| *at < offset) {
            self.line += u32::from(c == '\n');
        }
    }

    fn skip_line(&mut self) {
        while self.chars.next_if(|(_, c)| *c != '\n').is_some() {}
    }

    fn newline(&mut self) {
        self.end_word();
        if let Some(mark) = self.here.take() {
            self.here_text(&mark);
        }
        self.end_command(false);
        self.line += 1;
        self.simple.line = self.line;
    }

    fn here_text(&mut self, mark: &str) {
        let start = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        let mut end = start;
        for line in self.text[start..].split_inclusive('\n') {
            if line.trim() == mark {
                break;
            }
            end += line.len();
        }
        self.simple.here = Some(self.text[start..end].to_owned());
        let after = self.text[end..].find('\n').map_or(self.text.len(), |at| end + at);
        self.line += 1;
        self.advance_to(after);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        match self.redirect.take() {
            Some('h') => self.here = Some(word.text),
            Some(mark) if self.simple.redirects.len() < WORDS => self.simple.redirects.push((mark, word)),
            None if self.simple.words.len() < WORDS => self.simple.words.push(word),
            _ => {}
        }
    }

    fn end_command(&mut self, pipes: bool) {
        self.end_word();
        let next = Simple { line: self.line, is_piped: pipes, ..Simple::default() };
        if self.simple.words.is_empty() && self.simple.redirects.is_empty() {
            // `| \n next`: the pipe goes on behind the end of the line.
            let is_piped = pipes || self.simple.is_piped;
            self.simple = Simple { is_piped, ..next };
            return;
        }
        self.done.push(std::mem::replace(&mut self.simple, next));
    }

    fn ampersand(&mut self) {
        if self.take('&') {
            self.end_command(false);
        } else if self.chars.peek().is_some_and(|(_, c)| *c == '>') {
            self.end_word();
        } else if self.redirect.is_some() {
            // `>&1` names a stream, `>& file` a file.
            if self.chars.peek().is_some_and(|(_, c)| c.is_ascii_digit() || *c == '-') {
                self.word().text.push('&');
            }
        } else {
            self.simple.is_background = true;
            self.end_command(false);
        }
    }

    fn angle(&mut self, c: char) {
        // `2>` belongs to the redirection.
        if self
            .word
            .as_ref()
            .is_some_and(|w| w.text.len() == 1 && w.text.starts_with(|c: char| c.is_ascii_digit()))
        {
            self.word = None;
        }
        self.end_word();
        if c == '<' && self.chars.peek().is_some_and(|(_, c)| *c == '(') {
            let at = self.chars.next().map_or(0, |(at, _)| at);
            self.substitution(at);
            return;
        }
        let doubled = self.take(c);
        if c == '<' && doubled {
            if self.take('<') {
                self.redirect = Some('s');
            } else {
                self.take('-');
                self.redirect = Some('h');
            }
        } else {
            self.redirect = Some(c);
        }
    }

    fn quoted(&mut self) {
        self.word();
        while let Some((at, c)) = self.chars.next() {
            match c {
                '"' => return,
                '\\' => {
                    if let Some((_, next)) = self.chars.next() {
                        if !matches!(next, '"' | '\\' | '$' | '`' | '\n') {
                            self.word().text.push('\\');
                        }
                        self.line += u32::from(next == '\n');
                        self.word().text.push(next);
                    }
                }
                '$' => self.dollar(at),
                '`' => self.backtick(at),
                _ => {
                    self.line += u32::from(c == '\n');
                    self.word().text.push(c);
                }
            }
        }
    }

    fn dollar(&mut self, at: usize) {
        match self.chars.peek().map(|(_, c)| *c) {
            Some('(') => {
                let at = self.chars.next().map_or(at, |(at, _)| at);
                self.substitution(at);
            }
            Some('\'') => {}
            Some(c) => {
                let braced = c == '{';
                if braced {
                    self.chars.next();
                }
                let mut name = String::new();
                while let Some((_, c)) =
                    self.chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
                {
                    name.push(c);
                }
                if braced {
                    while self.chars.next_if(|(_, c)| *c != '}' && *c != '\n').is_some() {}
                    self.take('}');
                }
                let word = self.word();
                word.text.push('$');
                word.text.push_str(&name);
                if !name.is_empty() {
                    word.variables.push(name);
                }
            }
            None => self.word().text.push('$'),
        }
    }

    /// What stands between `(` at `open` and its end.
    fn substitution(&mut self, open: usize) {
        let mut depth = 0_u32;
        let mut quote = None;
        let inner = &self.text[open..];
        let end = inner.char_indices().find(|(_, c)| {
            match (quote, c) {
                (Some(q), c) if q == *c => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(*c),
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = end.map_or(self.text.len(), |(at, _)| open + at);
        let command = self.text[(open + 1).min(end)..end].to_owned();
        self.advance_to(end + 1);
        let word = self.word();
        word.text.push_str("$()");
        word.inner.push(command);
    }

    fn backtick(&mut self, at: usize) {
        let rest = &self.text[at + 1..];
        let length = rest.find('`').unwrap_or(rest.len());
        let command = rest[..length].to_owned();
        self.advance_to(at + 1 + length + 1);
        let word = self.word();
        word.text.push_str("$()");
        word.inner.push(command);
    }
}
