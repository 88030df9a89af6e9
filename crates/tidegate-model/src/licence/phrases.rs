//! Statements taken apart: names with operators and brackets between them.
//!
//! Names hold words that are also operators (`or later`, `and`), so the longest name that the table knows is taken at each
//! place. A comma between two licences says neither "and" nor "or"; both readings are told.

use super::Reading;
use super::names::{self, LONGEST_NAME_WORDS, Meaning};

/// Brackets within brackets that are followed.
const MAX_DEPTH: usize = 16;

/// What stands at one place of a statement.
#[derive(Clone, Debug, PartialEq)]
enum Token<'a> {
    Open,
    Close,
    Slash,
    Comma,
    Word(&'a str),
}

/// Why a statement has no expression.
enum Obstacle {
    Ambiguous(Vec<String>),
    Proprietary,
    Unknown,
}

pub(super) fn parse(text: &str) -> Reading {
    let tokens = tokens(text);
    if let Some(meaning) = names::find(&names::key(text)).filter(|_| is_balanced(&tokens)) {
        return whole(text, meaning);
    }
    let mut joined = None;
    let mut readings = Vec::new();
    for comma in [" AND ", " OR "] {
        let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, comma, commas: 0 };
        match parser.expression() {
            Ok(expression) if parser.at == tokens.len() => {
                if parser.commas == 0 {
                    joined = Some(expression);
                    break;
                }
                readings.push(expression);
            }
            Ok(_) | Err(Obstacle::Unknown) => return Reading::Unknown,
            Err(Obstacle::Ambiguous(among)) => return Reading::Ambiguous { among },
            Err(Obstacle::Proprietary) => return Reading::Proprietary,
        }
    }
    match joined {
        Some(expression) if super::is_valid(&expression) => {
            Reading::Expression { corrected: !is_same(&expression, text), expression }
        }
        Some(_) => Reading::Unknown,
        None => Reading::Ambiguous { among: readings },
    }
}

fn whole(text: &str, meaning: &Meaning) -> Reading {
    match meaning {
        Meaning::Is(expression) => {
            Reading::Expression { corrected: expression != text, expression: expression.clone() }
        }
        Meaning::OneOf(among) => Reading::Ambiguous { among: among.clone() },
        Meaning::Proprietary => Reading::Proprietary,
    }
}

/// Whether two valid spellings differ in nothing but brackets around the whole, white space and the case of operators.
fn is_same(expression: &str, text: &str) -> bool {
    let plain = |text: &str| {
        let words: Vec<String> = text
            .replace(['(', ')'], " ")
            .split_ascii_whitespace()
            .map(|w| if is_operator(w) { w.to_ascii_uppercase() } else { w.to_owned() })
            .collect();
        words.join(" ")
    };
    plain(expression) == plain(text) && super::is_valid(text)
}

fn is_operator(word: &str) -> bool {
    ["and", "or", "with"].iter().any(|operator| word.eq_ignore_ascii_case(operator))
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut end = first.len_utf8();
        match first {
            '(' | '[' => tokens.push(Token::Open),
            ')' | ']' => tokens.push(Token::Close),
            '/' | '|' => {
                if tokens.last() != Some(&Token::Slash) {
                    tokens.push(Token::Slash);
                }
            }
            ',' | ';' | '&' => tokens.push(Token::Comma),
            c if c.is_whitespace() => {}
            _ => {
                let ends = |c: char| c.is_whitespace() || "()[]/|,;&".contains(c);
                end = rest.find(ends).unwrap_or(rest.len());
                tokens.push(Token::Word(&rest[..end]));
            }
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    tokens
}

struct Parser<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    depth: usize,
    /// What a comma is taken for.
    comma: &'static str,
    /// Commas that were taken for something.
    commas: usize,
}

impl Parser<'_, '_> {
    fn expression(&mut self) -> Result<String, Obstacle> {
        let mut text = self.unit()?;
        loop {
            let operator = match self.tokens.get(self.at) {
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("and") => " AND ",
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("or") => " OR ",
                Some(Token::Slash) => " OR ",
                Some(Token::Comma) => {
                    self.commas += 1;
                    self.comma
                }
                _ => return Ok(text),
            };
            self.at += 1;
            // `MIT, or Apache-2.0`: the comma adds nothing.
            if matches!((operator, self.tokens.get(self.at)), (_, Some(Token::Word(word))) if is_operator(word))
            {
                self.commas = self.commas.saturating_sub(1);
                continue;
            }
            text.push_str(operator);
            text.push_str(&self.unit()?);
        }
    }

    fn unit(&mut self) -> Result<String, Obstacle> {
        if self.tokens.get(self.at) == Some(&Token::Open) {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(Obstacle::Unknown);
            }
            self.at += 1;
            let inner = self.expression()?;
            if self.tokens.get(self.at) != Some(&Token::Close) {
                return Err(Obstacle::Unknown);
            }
            self.at += 1;
            self.depth -= 1;
            return Ok(if inner.contains(' ') { format!("({inner})") } else { inner });
        }
        let name = self.name()?;
        let is_with =
            matches!(self.tokens.get(self.at), Some(Token::Word(w)) if w.eq_ignore_ascii_case("with"));
        match self.tokens.get(self.at + 1) {
            Some(Token::Word(exception)) if is_with => {
                let exception = listed_exception(exception).ok_or(Obstacle::Unknown)?;
                self.at += 2;
                Ok(format!("{name} WITH {exception}"))
            }
            _ => Ok(name),
        }
    }

    /// The longest known name from here on.
    fn name(&mut self) -> Result<String, Obstacle> {
        // Words that do not matter lengthen a name by as much again.
        let most = (2 * *LONGEST_NAME_WORDS).min(self.tokens.len() - self.at);
        for count in (1..=most).rev() {
            let phrase = self.tokens.get(self.at..self.at + count).unwrap_or_default();
            let ends_well = !matches!(phrase.last(), Some(Token::Slash | Token::Comma));
            if !is_balanced(phrase) || !ends_well {
                continue;
            }
            let words: Vec<&str> =
                phrase.iter().map(|t| if let Token::Word(w) = t { w } else { " " }).collect();
            let key = names::key(&words.join(" "));
            // Idle words alone are no name, and one at the end may belong to what follows.
            if key.is_empty() {
                continue;
            }
            if let Some(meaning) = names::find(&key).cloned().or_else(|| reference(&words)) {
                self.at += count;
                return match meaning {
                    Meaning::Is(name) if name.contains(" OR ") => Ok(format!("({name})")),
                    Meaning::Is(name) => Ok(name),
                    Meaning::OneOf(among) => Err(Obstacle::Ambiguous(among)),
                    Meaning::Proprietary => Err(Obstacle::Proprietary),
                };
            }
        }
        Err(Obstacle::Unknown)
    }
}

/// Whether every bracket that opens also closes.
fn is_balanced(tokens: &[Token<'_>]) -> bool {
    let open = tokens.iter().try_fold(0_u32, |open, token| match token {
        Token::Open => Some(open + 1),
        Token::Close => open.checked_sub(1),
        _ => Some(open),
    });
    open == Some(0)
}

/// A reference to a licence outside of the list, or an identifier with a `+`.
fn reference(words: &[&str]) -> Option<Meaning> {
    let [word] = words else { return None };
    let is_reference =
        (word.starts_with("LicenseRef-") || word.starts_with("DocumentRef-")) && super::is_valid(word);
    let later = word.strip_suffix('+').and_then(spdx::license_id).map(|id| format!("{}+", id.name));
    is_reference.then(|| (*word).to_owned()).or(later).map(Meaning::Is)
}

fn listed_exception(word: &str) -> Option<&'static str> {
    let all = spdx::identifiers::EXCEPTIONS.iter().map(|exception| exception.name);
    all.into_iter().find(|name| name.eq_ignore_ascii_case(word))
}
