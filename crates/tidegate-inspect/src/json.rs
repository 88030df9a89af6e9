//! A scanner of JSON text: every key, text and number with the place it stands at, nothing built and nothing recursive.
//!
//! It is lenient: it finds texts in what is nearly JSON, and ends where it cannot go on.

/// Containers within containers that are followed; deeper ones are passed over by their brackets.
const DEPTH: usize = 64;

/// One step of the path to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// Under a key, as it is written.
    Key(&'a [u8]),
    /// In a list, at this place.
    Item(usize),
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A text, as it is written between the quotes, and where.
    Text(&'a [u8], usize),
    /// A number or a word.
    Word(&'a [u8]),
    /// An object begins.
    Open,
    /// An object ends.
    Close,
}

/// Whether some bytes begin like an object, and hold all of these.
pub(crate) fn is_object_with(bytes: &[u8], needles: &[&str]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    start.first() == Some(&b'{')
        && needles.iter().all(|n| memchr::memmem::find(bytes, n.as_bytes()).is_some())
}

/// The next token.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    path: Vec<Step<'a>>,
    /// Whether each container is an object.
    kinds: Vec<bool>,
    /// Containers beyond what is followed.
    beyond: usize,
    passed_over: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { bytes, at, path: Vec::new(), kinds: Vec::new(), beyond: 0, passed_over: false }
    }

    /// The path to the last token.
    pub(crate) fn path(&self) -> &[Step<'a>] {
        &self.path
    }

    /// Whether anything was too deep to be followed.
    pub(crate) fn passed_over(&self) -> bool {
        self.passed_over
    }

    /// Bytes read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            match byte {
                b'{' | b'[' => {
                    self.at += 1;
                    if self.beyond > 0 || self.kinds.len() == DEPTH {
                        self.beyond += 1;
                        self.passed_over = true;
                        continue;
                    }
                    self.kinds.push(byte == b'{');
                    self.path.push(if byte == b'{' { Step::Key(b"") } else { Step::Item(0) });
                    if byte == b'{' {
                        return Some(Token::Open);
                    }
                }
                b'}' | b']' => {
                    self.at += 1;
                    if self.beyond > 0 {
                        self.beyond -= 1;
                        continue;
                    }
                    self.path.pop();
                    if self.kinds.pop()? && byte == b'}' {
                        return Some(Token::Close);
                    }
                }
                b'"' => {
                    let (text, start) = self.text()?;
                    if self.beyond > 0 {
                        continue;
                    }
                    if self.kinds.last() == Some(&true) && self.colon() {
                        *self.path.last_mut()? = Step::Key(text);
                        continue;
                    }
                    return Some(Token::Text(text, start));
                }
                b',' => {
                    self.at += 1;
                    if let (0, Some(Step::Item(n))) = (self.beyond, self.path.last_mut()) {
                        *n += 1;
                    }
                }
                b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                    let rest = &self.bytes[self.at..];
                    let is_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
                    let length = rest.iter().position(|b| !is_word(b)).unwrap_or(rest.len());
                    self.at += length;
                    if self.beyond == 0 {
                        return Some(Token::Word(&rest[..length]));
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// A text from its opening quote on.
    fn text(&mut self) -> Option<(&'a [u8], usize)> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.bytes.get(at..)?)?;
            if self.bytes[at] == b'"' {
                self.at = at + 1;
                return Some((&self.bytes[start..at], start));
            }
            at += 2;
        }
    }

    /// Whether a colon follows, which makes a text a key.
    fn colon(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let spaces = rest.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
        let is = rest.get(spaces) == Some(&b':');
        if is {
            self.at += spaces + 1;
        }
        is
    }
}

/// Takes the escapes out of a text. What is no escape stays as it is.
pub(crate) fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let (length, c) = escape(rest);
        match c {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out.extend_from_slice(rest);
}

/// The escape at the beginning of `text`: its length, and what it stands for.
fn escape(text: &[u8]) -> (usize, Option<char>) {
    let simple = |c| (2, Some(c));
    match text.get(1) {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(c @ (b'"' | b'\\' | b'/')) => simple(char::from(*c)),
        Some(b'u') => match hex4(text, 2) {
            Some(high @ 0xd800..=0xdbff) => match hex4(text, 8) {
                Some(low @ 0xdc00..=0xdfff) if text.get(6..8) == Some(b"\\u") => {
                    (12, char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)))
                }
                _ => (6, None),
            },
            Some(unit) => (6, char::from_u32(unit)),
            None => (2, None),
        },
        Some(_) => (2, None),
        None => (1, None),
    }
}

fn hex4(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_with_their_paths() {
        let json = br#"{"a": [1, "x", {"b": "y"}], "c" : true}"#;
        let mut scanner = Scanner::new(json);
        let mut found = Vec::new();
        while let Some(token) = scanner.next() {
            found.push((format!("{:?}", scanner.path().len()), token));
        }
        let tokens: Vec<Token<'_>> = found.into_iter().map(|(_, token)| token).collect();
        assert_eq!(
            tokens,
            [
                Token::Open,
                Token::Word(b"1"),
                Token::Text(b"x", 11),
                Token::Open,
                Token::Text(b"y", 22),
                Token::Close,
                Token::Word(b"true"),
                Token::Close
            ]
        );
    }

    #[test]
    fn depth_is_no_recursion() {
        let deep = [&b"[".repeat(1_000_000)[..], b"\"x\"", &b"]".repeat(1_000_000)].concat();
        assert_eq!(Scanner::new(&deep).next(), None);
    }

    #[test]
    fn escapes_stand_for_characters() {
        let check = |text: &str, expected: &str| {
            let mut out = Vec::new();
            unescape(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check(r#"a\n\"\\\/b"#, "a\n\"\\/b");
        check(r"\u0041\ud83d\ude00", "A\u{1f600}");
        check(r"\ud83d x \q \u12", r"\ud83d x \q \u12");
        check("end\\", "end\\");
    }
}
