//! Where the parts of a JSON document stand, without building a tree of it.
//!
//! A packument is up to 128 MiB of JSON of which we change a few strings. This reader walks it once, checks the whole
//! grammar of RFC 8259 on the way (so that no client's parser can read something else than we did) and gives back the
//! byte ranges of what the caller asks for. It is bounded in depth, and an object whose keys repeat is refused where
//! the caller reads that object: which of the two counts differs between parsers.

use std::borrow::Cow;
use std::ops::Range;

/// The deepest nesting that is read: the limit of `serde_json` too.
pub(crate) const MAX_DEPTH: u32 = 128;

/// A range of bytes in a document. Documents are far below 4 GiB (`MAX_INDEX_BYTES`), so 32 bits do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
}

impl Span {
    /// As a range for slicing.
    pub(crate) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether `inner` lies inside.
    pub(crate) const fn contains(self, inner: Self) -> bool {
        self.start <= inner.start && inner.end <= self.end
    }
}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    /// The key with its quotes.
    pub(crate) key: Span,
    /// The value.
    pub(crate) value: Span,
}

impl Member {
    /// Key, colon and value.
    pub(crate) const fn whole(self) -> Span {
        Span { start: self.key.start, end: self.value.end }
    }
}

/// A document that is not JSON, or deeper than is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why} at byte {at}")]
pub(crate) struct InvalidJson {
    pub(crate) why: &'static str,
    pub(crate) at: usize,
}

/// What kind of value begins with a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// A number, `true`, `false` or `null`.
    Scalar,
}

/// A string with its quotes.
#[derive(Clone, Copy)]
struct StringSpan {
    span: Span,
    /// Whether it has to be decoded.
    escaped: bool,
}

/// A position in a document.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// A reader at the first value of a document.
    ///
    /// # Errors
    /// Bytes that are not UTF-8, or too many to be addressed.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, InvalidJson> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(InvalidJson { why: "a document of 4 GiB or more", at: 0 });
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|e| InvalidJson { why: "text that is not UTF-8", at: e.valid_up_to() })?;
        let mut reader = Self { text, at: 0, depth: 0 };
        reader.skip_space();
        Ok(reader)
    }

    /// Where the reader stands: one past the last byte read.
    pub(crate) const fn position(&self) -> u32 {
        // `Reader::new` refused documents whose positions do not fit.
        self.at as u32
    }

    /// What begins here.
    pub(crate) fn kind(&self) -> Kind {
        match self.peek() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            _ => Kind::Scalar,
        }
    }

    /// Reads an object, handing each key's text to `member` with the reader at its value; `member` must read exactly
    /// that value ([`Reader::skip`] at least). Gives the object's range.
    ///
    /// # Errors
    /// Invalid JSON, or what `member` says.
    pub(crate) fn object<E: From<InvalidJson>>(
        &mut self,
        mut member: impl FnMut(&mut Self, Cow<'a, str>, Span) -> Result<(), E>,
    ) -> Result<Span, E> {
        let start = self.at;
        self.enter(b'{', "expected an object")?;
        if !self.eat(b'}') {
            loop {
                let key = self.string()?;
                let name = self.decode(key).ok_or_else(|| {
                    self.invalid_at("a key with an unpaired surrogate", key.span.start as usize)
                })?;
                self.skip_space();
                self.expect(b':', "expected `:`")?;
                member(self, name, key.span)?;
                self.skip_space();
                if self.eat(b'}') {
                    break;
                }
                self.expect(b',', "expected `,` or `}`")?;
            }
        }
        self.depth -= 1;
        Ok(self.since(start))
    }

    /// Reads an array, calling `item` with the reader at each item.
    ///
    /// # Errors
    /// Invalid JSON, or what `item` says.
    pub(crate) fn array<E: From<InvalidJson>>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<Span, E> {
        let start = self.at;
        self.enter(b'[', "expected an array")?;
        if !self.eat(b']') {
            loop {
                item(self)?;
                self.skip_space();
                if self.eat(b']') {
                    break;
                }
                self.expect(b',', "expected `,` or `]`")?;
            }
        }
        self.depth -= 1;
        Ok(self.since(start))
    }

    /// Passes one value, checking its grammar, and gives its range.
    ///
    /// # Errors
    /// Invalid JSON.
    pub(crate) fn skip(&mut self) -> Result<Span, InvalidJson> {
        let start = self.at;
        match self.peek() {
            Some(b'{') => {
                self.enter(b'{', "expected an object")?;
                if !self.eat(b'}') {
                    loop {
                        self.string()?;
                        self.skip_space();
                        self.expect(b':', "expected `:`")?;
                        self.skip()?;
                        self.skip_space();
                        if self.eat(b'}') {
                            break;
                        }
                        self.expect(b',', "expected `,` or `}`")?;
                    }
                }
                self.depth -= 1;
            }
            Some(b'[') => {
                self.array(|reader| reader.skip().map(drop))?;
            }
            Some(b'"') => {
                self.string()?;
            }
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return Err(self.invalid("expected a value")),
        }
        Ok(self.since(start))
    }

    /// Passes a string and gives its text; `None` where it is another kind of value (passed as well) or holds an
    /// unpaired surrogate.
    ///
    /// # Errors
    /// Invalid JSON.
    pub(crate) fn text(&mut self) -> Result<(Span, Option<Cow<'a, str>>), InvalidJson> {
        if self.kind() != Kind::String {
            return Ok((self.skip()?, None));
        }
        let string = self.string()?;
        Ok((string.span, self.decode(string)))
    }

    /// Passes a value and says whether it is this literal.
    ///
    /// # Errors
    /// Invalid JSON.
    pub(crate) fn is_literal(&mut self, literal: &str) -> Result<(Span, bool), InvalidJson> {
        let span = self.skip()?;
        Ok((span, &self.text[span.range()] == literal))
    }

    /// Nothing but space may follow.
    ///
    /// # Errors
    /// Something follows.
    pub(crate) fn end(&mut self) -> Result<(), InvalidJson> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.invalid("text after the document")) }
    }

    fn since(&self, start: usize) -> Span {
        // `Reader::new` refused documents whose positions do not fit.
        Span { start: start as u32, end: self.at as u32 }
    }

    fn invalid(&self, why: &'static str) -> InvalidJson {
        self.invalid_at(why, self.at)
    }

    const fn invalid_at(&self, why: &'static str, at: usize) -> InvalidJson {
        InvalidJson { why, at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    /// Passes one byte and the space behind it.
    fn expect(&mut self, byte: u8, why: &'static str) -> Result<(), InvalidJson> {
        if !self.eat(byte) {
            return Err(self.invalid(why));
        }
        self.skip_space();
        Ok(())
    }

    fn enter(&mut self, byte: u8, why: &'static str) -> Result<(), InvalidJson> {
        if self.depth == MAX_DEPTH {
            return Err(self.invalid("nesting deeper than 128"));
        }
        self.depth += 1;
        self.expect(byte, why)
    }

    fn word(&mut self, word: &str) -> Result<(), InvalidJson> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.invalid("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn digits(&mut self) -> Result<(), InvalidJson> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.invalid("expected a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), InvalidJson> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<StringSpan, InvalidJson> {
        let start = self.at;
        if !self.eat(b'"') {
            return Err(self.invalid("expected a string"));
        }
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            self.at += plain_run(&bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(StringSpan { span: self.since(start), escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.invalid("a control character in a string")),
                None => return Err(self.invalid("a string without an end")),
            }
        }
    }

    /// The text of a string; `None` where it holds an unpaired surrogate.
    fn decode(&self, string: StringSpan) -> Option<Cow<'a, str>> {
        let quoted = &self.text[string.span.range()];
        if string.escaped {
            return serde_json::from_str::<String>(quoted).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(&quoted[1..quoted.len() - 1]))
    }

    fn escape(&mut self) -> Result<(), InvalidJson> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.invalid("an incomplete escape"));
                }
                self.at += 6;
            }
            _ => return Err(self.invalid("an unknown escape")),
        }
        Ok(())
    }
}

/// How many bytes at the front are neither a quote, a backslash nor a control character. Eight at a time: strings are
/// most of a packument.
fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = has_zero(word ^ (ONES * u64::from(b'"')));
        let backslash = has_zero(word ^ (ONES * u64::from(b'\\')));
        let special = (control | quote | backslash) & HIGH;
        if special != 0 {
            // The lowest set bit is exact; a borrow can only raise false ones above a true one.
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes[at..].iter().take_while(|b| !matches!(b, b'"' | b'\\' | 0..0x20)).count()
}

/// Appends `text` as a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is written to memory");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &[u8]) -> bool {
        Reader::new(text).and_then(|mut r| r.skip().and_then(|_| r.end())).is_ok()
    }

    #[test]
    fn the_grammar_is_serde_jsons() {
        let cases: &[&str] = &[
            "{}",
            "[]",
            " [ 1 , 2 ] ",
            "{\"a\":{\"b\":[true,false,null]}}",
            "\"\\u00e9\\n\\\"\"",
            "-0.5e+3",
            "0",
            "1E5",
            "",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "[1,]",
            "[,1]",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "tru",
            "truex",
            "nul",
            "\"\\x\"",
            "\"\\u12\"",
            "\"a\nb\"",
            "\"a",
            "\"\t\"",
            "{} {}",
            "[1 2]",
            "{\"a\" 1}",
            "\u{feff}{}",
            "'a'",
            "//x\n1",
            "NaN",
            "[\"0123456789abcdef\\\"0123456789abcdef\", \"01234567\u{1}\"]",
            "[\"éééééééééééééééé\"]",
        ];
        for case in cases {
            let serde = serde_json::from_str::<serde::de::IgnoredAny>(case).is_ok();
            assert_eq!(accepts(case.as_bytes()), serde, "{case:?}");
        }
        assert!(!accepts(b"\"\xff\""));
    }

    #[test]
    fn depth_is_bounded() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
            assert!(accepts(nested(128).as_bytes()));
            assert!(!accepts(nested(129).as_bytes()));
            assert!(!accepts(open.repeat(1_000_000).as_bytes()));
        }
    }

    proptest::proptest! {
        #[test]
        fn runs_end_at_the_first_special_byte(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            let expected = bytes.iter().take_while(|b| !matches!(b, b'"' | b'\\' | 0..0x20)).count();
            proptest::prop_assert_eq!(plain_run(&bytes), expected);
        }

        #[test]
        fn arbitrary_text_is_judged_like_serde_json(text in r#"[\[\]{}:," \\u0-9a-eE.truefalsn+-]{0,24}"#) {
            let serde = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            proptest::prop_assert_eq!(accepts(text.as_bytes()), serde, "{}", text);
        }
    }
}
