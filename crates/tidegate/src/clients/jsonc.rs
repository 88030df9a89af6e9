//! JSON as editors keep it, with comments and commas at the end of lists, read for where each value stands.
//!
//! What is edited is a piece of the text: everything else stays byte for byte, comments, order, spelling of numbers and all. It
//! refuses what two readers could read differently only where it is asked for (a member that stands twice).

use std::ops::Range;

/// How deep values may nest.
const MAX_DEPTH: usize = 64;

/// A value, and where it stands in the text.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it stands.
    pub(crate) span: Range<usize>,
    /// What it is.
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Members in their order.
    Object(Vec<Member>),
    /// Items in their order.
    Array(Vec<Node>),
    /// A text, unescaped.
    String(String),
    /// A number, `true`, `false` or `null`.
    Other,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Its name, unescaped.
    pub(crate) key: String,
    /// Where the name begins, with its quotation mark.
    pub(crate) start: usize,
    /// Its value.
    pub(crate) node: Node,
    /// Where the comma behind it stands, if one does.
    pub(crate) comma: Option<usize>,
}

impl Node {
    /// Its members; none where it is no object.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The text that it is.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A member by its name.
    ///
    /// # Errors
    /// It stands there twice: readers differ in which of them counts.
    pub(crate) fn get(&self, key: &str) -> Result<Option<&Member>, String> {
        let mut found = self.members().iter().filter(|member| member.key == key);
        let first = found.next();
        match found.next() {
            None => Ok(first),
            Some(_) => Err(format!("`{}` stands twice in one place of it", key.escape_debug())),
        }
    }
}

/// Reads a document.
///
/// # Errors
/// What is wrong, with its line and column.
pub(crate) fn parse(text: &str) -> Result<Node, String> {
    let mut reader = Reader { text, at: 0 };
    // Programs of Windows begin files with this mark.
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let node = reader.skip().and_then(|()| reader.value(0)).and_then(|node| {
        reader.skip()?;
        if reader.at < text.len() { Err("something stands behind its end") } else { Ok(node) }
    });
    node.map_err(|why| {
        let before = &text.as_bytes()[..reader.at.min(text.len())];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        format!("it is not readable as JSON: {why} (line {line}, column {column})")
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

type Read<T> = Result<T, &'static str>;

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    /// Passes blanks and comments.
    fn skip(&mut self) -> Read<()> {
        loop {
            let rest = &self.text[self.at..];
            if let Some(comment) = rest.strip_prefix("//") {
                self.at += 2 + comment.find('\n').unwrap_or(comment.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                self.at += 4 + comment.find("*/").ok_or("a comment has no end")?;
            } else if matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
                self.at += 1;
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Read<Node> {
        if depth > MAX_DEPTH {
            return Err("it nests too deep");
        }
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?),
            Some(_) => self.word()?,
            None => return Err("it ends where a value should stand"),
        };
        Ok(Node { span: start..self.at, value })
    }

    fn string(&mut self) -> Read<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(b'\n') | None => return Err("a text has no end"),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let text = self.text.get(start..self.at).ok_or("a text has no end")?;
        serde_json::from_str(text).map_err(|_| "a text is not spelt as JSON wants it")
    }

    fn word(&mut self) -> Read<Value> {
        let rest = &self.text[self.at..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let word = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        // Its spelling alone counts: a number may be larger than any that is calculated with here.
        match serde_json::from_str::<&serde_json::value::RawValue>(word) {
            Ok(_) => {
                self.at += word.len();
                Ok(Value::Other)
            }
            Err(_) => Err("a value is expected here"),
        }
    }

    fn object(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        loop {
            self.skip()?;
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if members.last().is_some_and(|last| last.comma.is_none()) {
                return Err("a comma or a brace is expected here");
            }
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err("the name of a member is expected here");
            }
            let key = self.string()?;
            self.skip()?;
            if !self.take(b':') {
                return Err("a colon is expected here");
            }
            self.skip()?;
            let node = self.value(depth + 1)?;
            self.skip()?;
            let comma = self.take(b',').then(|| self.at - 1);
            members.push(Member { key, start, node, comma });
        }
    }

    fn array(&mut self, depth: usize) -> Read<Value> {
        self.at += 1;
        let (mut items, mut goes_on) = (Vec::new(), true);
        loop {
            self.skip()?;
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !goes_on {
                return Err("a comma or a bracket is expected here");
            }
            items.push(self.value(depth + 1)?);
            self.skip()?;
            goes_on = self.take(b',');
        }
    }
}

/// Pieces of a text that take the place of others.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Puts a text in the place of a piece.
    pub(crate) fn replace(&mut self, piece: Range<usize>, with: impl Into<String>) {
        self.0.push((piece, with.into()));
    }

    /// Puts a text somewhere.
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// Takes a member out of an object, with one comma and, where no comment stands there, the blanks before it.
    pub(crate) fn remove(&mut self, text: &str, object: &Node, key: &str) {
        let members = object.members();
        let Some(at) = members.iter().position(|member| member.key == key) else { return };
        let (member, before) = (&members[at], members[..at].last());
        let blanks = member.start - blanks_before(text, member.start).len();
        let last_token =
            before.map_or(object.span.start + 1, |before| before.comma.map_or(0, |comma| comma + 1));
        // A comment ends with its line.
        let start = if blanks == last_token { blanks } else { member.start };
        self.replace(start..member.node.span.end, "");
        // Without a comma of its own it is the last, and the one before it must not go on.
        if let Some(comma) = member.comma.or_else(|| before.and_then(|before| before.comma)) {
            self.replace(comma..comma + 1, "");
        }
    }

    /// The text with all of them. Pieces do not overlap.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(piece, _)| (piece.start, piece.end));
        let (mut out, mut at) = (String::with_capacity(text.len() + 1_024), 0);
        for (piece, with) in self.0 {
            out.push_str(&text[at..piece.start]);
            out.push_str(&with);
            at = piece.end;
        }
        out.push_str(&text[at..]);
        out
    }
}

/// The blanks right before a place: what stands between two members of the same object.
pub(crate) fn blanks_before(text: &str, at: usize) -> &str {
    &text[text[..at].trim_end_matches([' ', '\t', '\r', '\n']).len()..at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_write_is_read() {
        let text = "\u{feff}// first\n{ \"a\": 1e400, /* \"b\": 2 */ \"c\\n\": [\"x\", true,], // end\n}\n";
        let node = parse(text).unwrap();
        let keys: Vec<&str> = node.members().iter().map(|member| member.key.as_str()).collect();
        assert_eq!(keys, ["a", "c\n"]);
        assert!(matches!(&node.members()[1].node.value, Value::Array(items) if items.len() == 2));
        assert_eq!(parse(r#" "a\"b" "#).unwrap().text(), Some("a\"b"));
        assert!(parse(r#"{"a":1,"a":2}"#).unwrap().get("a").unwrap_err().contains("twice"));
        assert!(parse(r#"{"a":1}"#).unwrap().get("b").unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, place) in [
            ("", "line 1, column 1"),
            ("{\n  \"a\" 1 }", "line 2, column 7"),
            ("{\n  \"a\": 1\n  \"b\": 2 }", "line 3, column 3"),
            ("{ \"a\": nope }", "line 1, column 8"),
            ("{ \"a\": 01 }", "column 8"),
            ("{} {}", "line 1, column 4"),
            ("[1 2]", "column 4"),
            ("{ a: 1 }", "column 3"),
            ("[,]", "column 2"),
            ("{ /* }", "column 3"),
            ("{\"a\": \"b\n\"}", "column"),
            ("{\"a\": \"\\q\"}", "column"),
            ("\"\\", "column"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(place), "{text}: {why}");
        }
        assert!(parse(&"[".repeat(100_000)).unwrap_err().contains("too deep"));
    }

    #[test]
    fn a_member_goes_with_one_comma_and_nothing_else() {
        for (text, expected) in [
            ("{ \"a\": 1, \"x\": 2, \"b\": 3 }", "{ \"a\": 1, \"b\": 3 }"),
            ("{ \"x\": 2 }", "{ }"),
            ("{ \"a\": 1, \"x\": 2 }", "{ \"a\": 1 }"),
            ("{\n  \"a\": 1,\n  \"x\": {\n    \"y\": 2\n  }\n}", "{\n  \"a\": 1\n}"),
            ("{\n  \"a\": 1, // one\n  \"x\": 2, // two\n}", "{\n  \"a\": 1, // one\n   // two\n}"),
            ("{\n  \"a\": 1, // one\n  \"x\": 2 // two\n}", "{\n  \"a\": 1 // one\n   // two\n}"),
            ("{ \"a\": 1, // one\n\"x\": 2, \"b\": 3 }", "{ \"a\": 1, // one\n \"b\": 3 }"),
            ("{ /* x */ \"x\": 2 /* y */ , \"b\": 3 }", "{ /* x */  /* y */  \"b\": 3 }"),
        ] {
            let node = parse(text).unwrap();
            let mut edits = Edits::default();
            edits.remove(text, &node, "x");
            let after = edits.apply(text);
            assert_eq!(after, expected);
            parse(&after).unwrap();
        }
    }
}
