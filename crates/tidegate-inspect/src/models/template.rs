//! Reads chat templates: Jinja, a language of texts with holes. Only what stands in the holes is looked at as code: which attributes it takes,
//! which names it calls, and which words it adds.

use super::remark::{Told, What};

/// Tokens of one template.
const TOKENS: usize = 200_000;

/// Names that lead from any value to the interpreter, also without underscores.
const INNER: &[&str] = &[
    "mro",
    "func_globals",
    "gi_frame",
    "gi_code",
    "cr_frame",
    "f_globals",
    "f_builtins",
    "f_back",
    "func_code",
    "im_func",
    "tb_frame",
    "ag_frame",
    "_module",
    "os",
    "popen",
    "subprocess",
    "builtins",
    "importlib",
    "eval",
    "exec",
    "sys",
    "getattr",
    "_TemplateReference__context",
    "import_module",
];

/// Names of a template's own surroundings that lead out of it.
const SURROUNDINGS: &[&str] =
    &["self", "cycler", "joiner", "lipsum", "config", "request", "url_for", "get_flashed_messages", "g"];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Sign(char),
    /// The hole ends here.
    End,
}

/// Reads a template that stands at an offset.
pub(super) fn read(template: &str, offset: usize, told: &mut Told) {
    let parts = Parts::of(template);
    if parts.cut {
        told.gap("a chat template is longer than is read");
    }
    escapes(&parts.tokens, offset, told);
    orders(&parts, offset, told);
}

/// A template as its texts and its code.
#[derive(Default)]
struct Parts {
    tokens: Vec<Token>,
    /// Texts outside the holes, each with how many conditions about the conversation stand around it.
    plain: Vec<(String, usize)>,
    cut: bool,
}

impl Parts {
    fn of(template: &str) -> Self {
        let mut parts = Self::default();
        let mut rest = template;
        let mut conditions: Vec<bool> = Vec::new();
        while let Some(open) = rest.find('{') {
            let (text, hole) = rest.split_at(open);
            parts.text(text, &conditions);
            let (close, is_code) = match hole.as_bytes().get(1) {
                Some(b'{') => ("}}", true),
                Some(b'%') => ("%}", true),
                Some(b'#') => ("#}", false),
                _ => {
                    rest = &hole[1..];
                    continue;
                }
            };
            let inner = &hole[2..];
            let length = if is_code { end_of_hole(inner, close) } else { inner.find(close) };
            let length = length.unwrap_or(inner.len());
            if is_code {
                let first = parts.tokens.len();
                parts.tokenize(inner[..length].trim_matches(['-', '+', ' ', '\n']));
                parts.condition(first, &mut conditions);
                parts.tokens.push(Token::End);
            }
            rest = inner.get(length + close.len()..).unwrap_or_default();
        }
        parts.text(rest, &conditions);
        parts
    }

    fn text(&mut self, text: &str, conditions: &[bool]) {
        if !text.trim().is_empty() {
            self.plain.push((text.to_owned(), conditions.iter().filter(|about| **about).count()));
        }
    }

    /// Follows `if … endif`, and whether the condition looks for words in what was said.
    fn condition(&mut self, first: usize, conditions: &mut Vec<bool>) {
        let code = &self.tokens[first.min(self.tokens.len())..];
        let is = |word: &str| matches!(code.first(), Some(Token::Name(name)) if name == word);
        let looks = code.windows(2).any(
            |pair| matches!(pair, [Token::Text(text), Token::Name(word)] if word == "in" && is_words(text)),
        ) || code.iter().any(
            |token| matches!(token, Token::Name(name) if matches!(name.as_str(), "strftime_now" | "now")),
        );
        if is("if") {
            conditions.push(looks && mentions_content(code));
        } else if is("elif") || is("else") {
            conditions.pop();
            conditions.push(is("elif") && looks && mentions_content(code));
        } else if is("endif") {
            conditions.pop();
        }
        // Texts in code are put out under the same conditions.
        let texts: Vec<String> = code
            .iter()
            .filter_map(|token| if let Token::Text(text) = token { Some(text.clone()) } else { None })
            .collect();
        for text in texts {
            self.text(&text, conditions);
        }
    }

    fn tokenize(&mut self, code: &str) {
        let mut letters = code.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            if self.tokens.len() >= TOKENS {
                self.cut = true;
                return;
            }
            if letter.is_alphabetic() || letter == '_' {
                let mut end = at + letter.len_utf8();
                while let Some((next, _)) = letters.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
                    end = next + code[next..].chars().next().map_or(1, char::len_utf8);
                }
                self.tokens.push(Token::Name(code[at..end].to_owned()));
            } else if letter == '\'' || letter == '"' {
                let mut text = String::new();
                while let Some((_, c)) = letters.next() {
                    match c {
                        c if c == letter => break,
                        '\\' => text.extend(escape(&mut letters)),
                        c => text.push(c),
                    }
                }
                self.tokens.push(Token::Text(text));
            } else if !letter.is_whitespace() {
                self.tokens.push(Token::Sign(letter));
            }
        }
    }
}

/// One escape of a text.
fn escape(letters: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> Option<char> {
    let (_, kind) = letters.next()?;
    let width = match kind {
        'n' => return Some('\n'),
        't' => return Some('\t'),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        other => return Some(other),
    };
    let mut value = 0;
    for _ in 0..width {
        let (_, digit) = letters.next_if(|(_, c)| c.is_ascii_hexdigit())?;
        value = value * 16 + digit.to_digit(16)?;
    }
    char::from_u32(value)
}

/// Where a hole ends: its mark outside texts.
fn end_of_hole(inner: &str, close: &str) -> Option<usize> {
    let bytes = inner.as_bytes();
    let (mut at, mut quote) = (0, None);
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (None, byte @ (b'\'' | b'"')) => quote = Some(byte),
            (None, _) if inner.as_bytes()[at..].starts_with(close.as_bytes()) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

fn is_inner(name: &str) -> bool {
    INNER.contains(&name) || name.starts_with("__") || name.ends_with("__") && name.len() > 2
}

/// Attributes and names that lead out.
fn escapes(tokens: &[Token], offset: usize, told: &mut Told) {
    let mut escape = |how: &'static str, evidence: &str| {
        told.at(offset, What::TemplateEscape(how), Some(evidence.to_owned()));
    };
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let after = tokens.get(at + 1);
        match token {
            Token::Name(name) => {
                let is_attribute = before == Some(&Token::Sign('.'));
                let is_dunder = name.starts_with("__") && name.ends_with("__") && name.len() > 4;
                if is_dunder || is_attribute && is_inner(name) {
                    escape("takes an attribute that leads to the interpreter", name);
                } else if name == "attr" && before == Some(&Token::Sign('|')) {
                    let is_plain = matches!((after, tokens.get(at + 2), tokens.get(at + 3)), (Some(Token::Sign('(')), Some(Token::Text(text)), Some(Token::Sign(')'))) if !is_inner(text));
                    if !is_plain {
                        escape("takes an attribute by a computed name", "attr");
                    }
                } else if !is_attribute
                    && SURROUNDINGS.contains(&name.as_str())
                    && after == Some(&Token::Sign('.'))
                {
                    let next = tokens.get(at + 2);
                    if matches!(next, Some(Token::Name(next)) if is_inner(next) || next.starts_with('_')) {
                        escape("walks out of what surrounds a template", name);
                    }
                }
            }
            Token::Text(text) => {
                let is_key = before == Some(&Token::Sign('[')) && after == Some(&Token::Sign(']'));
                let is_dunder = text.starts_with("__") && text.ends_with("__") && text.len() > 4;
                if is_key && is_inner(text) || is_dunder {
                    escape("takes an attribute that leads to the interpreter", text);
                }
            }
            _ => {}
        }
    }
    pieces(tokens, &mut escape);
}

/// Names that are put together: `'__cla' ~ 'ss__'`.
fn pieces(tokens: &[Token], escape: &mut dyn FnMut(&'static str, &str)) {
    for code in tokens.split(|token| *token == Token::End) {
        let mut whole = String::new();
        let mut count = 0;
        for token in code {
            match token {
                Token::Text(text) => {
                    whole.push_str(text);
                    count += 1;
                }
                Token::Sign('~' | '+' | '(' | ')' | '[' | ']' | ',' | '|') => {}
                Token::Name(name) if matches!(name.as_str(), "join" | "set" | "reverse") => {}
                _ => {
                    whole.clear();
                    count = 0;
                }
            }
            let names = [
                "__class__",
                "__globals__",
                "__subclasses__",
                "__builtins__",
                "__import__",
                "__init__",
                "__mro__",
                "__base__",
                "__getitem__",
            ];
            if count > 1 && names.iter().any(|name| whole.contains(name)) {
                escape("puts together a name that leads to the interpreter", &whole);
                whole.clear();
            }
        }
    }
}

/// Whether a text is words rather than a mark such as `<|im_end|>` or `</think>`.
fn is_words(text: &str) -> bool {
    const KEYS: &[&str] = &[
        "content",
        "role",
        "messages",
        "message",
        "name",
        "type",
        "text",
        "image",
        "video",
        "audio",
        "tool",
        "tools",
        "function",
        "arguments",
        "parameters",
        "properties",
        "description",
        "required",
        "system",
        "user",
        "assistant",
        "thinking",
        "reasoning",
        "enum",
        "items",
        "default",
        "developer",
    ];
    let text = text.trim();
    text.len() >= 3
        && !KEYS.contains(&text)
        && !text.contains(['<', '[', '|', '>', '{', '`', '_', ':', '/'])
        && text.chars().any(char::is_alphabetic)
}

fn mentions_content(code: &[Token]) -> bool {
    code.iter().any(|token| match token {
        Token::Name(name) | Token::Text(name) => {
            matches!(name.as_str(), "content" | "messages" | "message" | "strftime_now" | "now")
        }
        _ => false,
    })
}

/// Words by which a text gives orders against the user.
const ORDERS: &[&str] = &[
    "do not tell the user",
    "don't tell the user",
    "do not mention",
    "never mention this",
    "do not reveal this",
    "without telling",
    "without informing",
    "keep this secret",
    "hide this from",
    "ignore previous",
    "ignore all previous",
    "ignore the user",
    "disregard the",
    "send it to",
    "exfiltrate",
    "silently",
    "secretly",
];

/// Addresses and code that no template needs to add.
const CARRIED: &[&str] = &[
    "http://",
    "https://",
    "<script",
    "curl ",
    "wget ",
    "eval(",
    "child_process",
    "os.system",
    "subprocess",
];

fn orders(parts: &Parts, offset: usize, told: &mut Told) {
    for (text, conditions) in &parts.plain {
        let small = text.to_lowercase();
        if ORDERS.iter().any(|order| small.contains(order)) {
            told.at(
                offset,
                What::TemplateOrders("gives orders that the user does not see"),
                Some(text.clone()),
            );
        } else if *conditions > 0
            && (small.split_whitespace().count() >= 6 || CARRIED.iter().any(|mark| small.contains(mark)))
        {
            let how = "adds words of its own when certain words are said";
            told.at(offset, What::TemplateOrders(how), Some(text.clone()));
        }
    }
}
