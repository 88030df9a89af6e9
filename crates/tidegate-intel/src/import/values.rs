//! JSON values one after another out of a stream: lines, documents that follow each other, or the elements of an array.
//! One value at a time is in memory.

use std::io::{self, Read};

use serde_json::value::RawValue;

/// The most bytes that one value may have: whole catalogues and VEX documents are single values.
pub(super) const MAX_VALUE_BYTES: usize = 128 << 20;

/// Bytes asked of the stream at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Why a stream of values ends early.
#[derive(Debug)]
pub(super) enum ValueError {
    /// The stream failed.
    Io(io::Error),
    /// It ends within a value.
    Truncated,
    /// It is no JSON.
    NotJson(String),
    /// A value is larger than is read.
    TooLarge,
}

impl From<io::Error> for ValueError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// A value, or the beginning of an array.
    Top,
    /// The first element of an array, or its end.
    First,
    /// A comma, or the end.
    Behind,
    /// An element.
    Element,
}

/// A value, as a place in the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    len: usize,
    /// Whether the stream holds more than this one value.
    pub many: bool,
}

/// Reads values.
pub(super) struct Values<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where what was not looked at yet begins.
    start: usize,
    ended: bool,
    at: At,
    given: u64,
}

impl<R: Read> Values<R> {
    /// Begins to read; a byte order mark is passed over.
    pub(super) fn new(reader: R) -> io::Result<Self> {
        let mut values = Self { reader, buffer: Vec::new(), start: 0, ended: false, at: At::Top, given: 0 };
        values.fill()?;
        if values.buffer.starts_with(b"\xef\xbb\xbf") {
            values.start = 3;
        }
        Ok(values)
    }

    /// What is in memory of the rest.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// How many values were given.
    pub(super) const fn given(&self) -> u64 {
        self.given
    }

    /// All of the rest, where it is not too large.
    pub(super) fn rest(&mut self) -> Result<&[u8], ValueError> {
        while !self.ended {
            if self.ahead().len() > MAX_VALUE_BYTES {
                return Err(ValueError::TooLarge);
            }
            self.fill()?;
        }
        Ok(self.ahead())
    }

    /// The bytes of a value that was just given.
    pub(super) fn bytes(&self, piece: Piece) -> &[u8] {
        &self.buffer[self.start..self.start + piece.len]
    }

    /// Goes behind a value.
    pub(super) fn pass(&mut self, piece: Piece) {
        self.start += piece.len;
        self.given += 1;
    }

    /// Reads as much again as is in memory and not used, or a chunk.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let more = CHUNK_BYTES.max(self.buffer.len()) as u64;
        let read = self.reader.by_ref().take(more).read_to_end(&mut self.buffer)? as u64;
        self.ended = read < more;
        Ok(())
    }

    /// The next byte that is no space, `offset` bytes on.
    fn peek(&mut self, offset: usize) -> Result<Option<(usize, u8)>, ValueError> {
        let mut looked_at = offset;
        loop {
            let ahead = &self.buffer[self.start..];
            let found = ahead.iter().enumerate().skip(looked_at).find(|(_, b)| !b.is_ascii_whitespace());
            if let Some((at, byte)) = found {
                return Ok(Some((at, *byte)));
            }
            if self.ended {
                return Ok(None);
            }
            if ahead.len() > MAX_VALUE_BYTES {
                return Err(ValueError::TooLarge);
            }
            if offset == 0 {
                // Spaces between values are nobody's.
                self.start = self.buffer.len();
            } else {
                looked_at = ahead.len();
            }
            self.fill()?;
        }
    }

    /// The next value; whoever has read it calls [`Self::pass`].
    pub(super) fn next(&mut self) -> Result<Option<Piece>, ValueError> {
        loop {
            let Some((at, byte)) = self.peek(0)? else {
                return if self.at == At::Top { Ok(None) } else { Err(ValueError::Truncated) };
            };
            self.start += at;
            self.at = match (self.at, byte) {
                (At::Top, b'[') => At::First,
                (At::First | At::Behind, b']') => At::Top,
                (At::Behind, b',') => At::Element,
                (At::Behind, _) => {
                    return Err(ValueError::NotJson("an array goes on without a comma".into()));
                }
                (At::Top, _) => {
                    let len = self.value()?;
                    let many = self.given > 0 || self.peek(len)?.is_some();
                    return Ok(Some(Piece { len, many }));
                }
                (At::First | At::Element, _) => {
                    let len = self.value()?;
                    self.at = At::Behind;
                    return Ok(Some(Piece { len, many: true }));
                }
            };
            self.start += 1;
        }
    }

    /// The length of the value that begins here.
    fn value(&mut self) -> Result<usize, ValueError> {
        loop {
            let ahead = &self.buffer[self.start..];
            let mut values = serde_json::Deserializer::from_slice(ahead).into_iter::<&RawValue>();
            match values.next() {
                // A number may go on behind what was read.
                Some(Ok(_)) if self.ended || values.byte_offset() < ahead.len() => {
                    return Ok(values.byte_offset());
                }
                Some(Err(e)) if !e.is_eof() => return Err(ValueError::NotJson(e.to_string())),
                _ if self.ended => return Err(ValueError::Truncated),
                _ if ahead.len() > MAX_VALUE_BYTES => return Err(ValueError::TooLarge),
                _ => self.fill()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(out.len()).min(self.0.len());
            out[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn all(text: &[u8]) -> Result<Vec<(String, bool)>, String> {
        let mut values = Values::new(Slow(text, 7)).unwrap();
        let mut found = Vec::new();
        loop {
            match values.next() {
                Ok(Some(piece)) => {
                    found.push((String::from_utf8(values.bytes(piece).to_vec()).unwrap(), piece.many));
                    values.pass(piece);
                }
                Ok(None) => return Ok(found),
                Err(ValueError::Truncated) => return Err(format!("truncated after {}", values.given())),
                Err(error) => return Err(format!("{error:?}")),
            }
        }
    }

    #[test]
    fn values_come_one_by_one_in_every_form() {
        let text = |found: Vec<(String, bool)>| found.into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        let records = [r#"{"a":"]},{"}"#, r#"{"b":[1,{"c":"\"["}]}"#, "17"];
        let forms =
            [records.join("\n"), records.join("\n\n") + "\n", format!(" [ {} ]\n", records.join(" , "))];
        for form in forms {
            assert_eq!(text(all(form.as_bytes()).unwrap()), records, "{form}");
        }
        assert_eq!(text(all(b"\xef\xbb\xbf{}").unwrap()), ["{}"]);
        assert_eq!(all(b" [ ] \n [] ").unwrap(), []);
        assert_eq!(all(b"").unwrap(), []);
    }

    #[test]
    fn one_value_alone_is_told_from_the_first_of_many() {
        assert_eq!(all(b"{} \n ").unwrap(), [("{}".to_owned(), false)]);
        assert!(all(b"{}\n{}").unwrap()[0].1 && all(b"[{}]").unwrap()[0].1);
    }

    #[test]
    fn cut_and_broken_streams_say_so() {
        for (text, why) in [
            (&b"{}\n{\"a\":"[..], "truncated after 1"),
            (b"[{},{}", "truncated after 2"),
            (b"[{},", "truncated after 1"),
            (b"[{} {}]", "without a comma"),
            (b"[,{}]", "NotJson"),
            (b"{}]", "NotJson"),
            (b"{\"a\" 1}", "NotJson"),
            (b"{\"a\":\"\xff\"}", "NotJson"),
        ] {
            let error = all(text).unwrap_err();
            assert!(error.contains(why), "{}: {error}", text.escape_ascii());
        }
    }

    #[test]
    fn values_larger_than_a_chunk_are_whole() {
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(3 * CHUNK_BYTES));
        let text = format!("{large}\n{{}}\n{large}");
        let mut values = Values::new(text.as_bytes()).unwrap();
        let mut lens = Vec::new();
        while let Some(piece) = values.next().unwrap() {
            lens.push(values.bytes(piece).len());
            values.pass(piece);
        }
        assert_eq!(lens, [large.len(), 2, large.len()]);
    }
}
