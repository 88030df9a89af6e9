//! The block YAML that pnpm and Yarn write: `key: value` on lines of their own, nested by indentation. Not YAML as such:
//! what those two writers never write (anchors, tags, flow over several lines, tabs) is refused or passed over.

use std::borrow::Cow;
use std::ops::Range;

use super::{LockError, line_of};

/// One `key: value`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// How many blanks stand before it.
    pub(super) indent: usize,
    /// The key, without quotes.
    pub(super) key: Cow<'a, str>,
    /// Where the line's content begins, in bytes.
    pub(super) at: usize,
    /// What stands behind the colon, as written; empty where nested lines follow.
    pub(super) value: &'a str,
    /// Where that begins.
    pub(super) value_at: usize,
}

impl Line<'_> {
    /// The value without quotes.
    pub(super) fn text(&self) -> Cow<'_, str> {
        unquoted(self.value)
    }
}

/// Every line that is a `key: value`. Items of lists, comments and the lines of a literal text are passed over.
pub(super) fn lines(text: &str) -> Result<Vec<Line<'_>>, LockError> {
    let mut found = Vec::new();
    let mut start = 0;
    // Lines deeper than this belong to a text (`key: |`) or to a list.
    let mut passed: Option<usize> = None;
    for whole in text.split_inclusive('\n') {
        let at = start;
        start += whole.len();
        let line = whole.trim_end_matches(['\n', '\r']);
        let mut content = line.trim_start_matches(' ');
        let mut indent = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') || matches!(content, "---" | "...") {
            continue;
        }
        if passed.is_some_and(|above| indent > above) {
            continue;
        }
        passed = None;
        if content.starts_with("- ") || content == "-" {
            passed = Some(indent);
            continue;
        }
        let malformed = |why: &str| LockError::MalformedAt { line: line_of(text, at), why: why.to_owned() };
        if content.starts_with('\t') {
            return Err(malformed("a tab: expected blanks"));
        }
        // A key beyond 1,024 characters is written `? key`, and what belongs to it behind `: `.
        let explicit = content.strip_prefix("? ");
        if let Some(rest) = explicit.or_else(|| content.strip_prefix(": ")) {
            content = rest.trim_start_matches(' ');
            indent += if explicit.is_some() { 0 } else { 2 };
        }
        let begins = at + line.len() - content.len();
        let Some((key, value)) = split(content).or(explicit.map(|_| (content, ""))) else {
            return Err(malformed("expected `key: value`"));
        };
        if value.starts_with(['|', '>']) {
            passed = Some(indent);
        }
        found.push(Line {
            indent,
            key: unquoted(key),
            at: begins,
            value,
            value_at: begins + content.len() - value.len() - trailing(content),
        });
    }
    Ok(found)
}

/// How many blanks a line ends with.
fn trailing(content: &str) -> usize {
    content.len() - content.trim_end_matches(' ').len()
}

/// Splits at the colon behind the key.
fn split(content: &str) -> Option<(&str, &str)> {
    let end = match content.chars().next()? {
        quote @ ('"' | '\'') => 1 + closing(&content[1..], quote)? + 1,
        _ => content.find(": ").or_else(|| content.trim_end_matches(' ').strip_suffix(':').map(str::len))?,
    };
    let rest = content[end..].strip_prefix(':')?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| (&content[..end], rest.trim_matches(' ')))
}

/// Where a quoted text ends: the offset of its closing quote.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' if quote == '"' => {
                characters.next();
            }
            // A quote within single quotes is written twice.
            '\'' if quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                characters.next();
            }
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// A scalar without its quotes. What cannot be unquoted stays as it is written.
pub(super) fn unquoted(text: &str) -> Cow<'_, str> {
    if let Some(inner) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return if inner.contains("''") { inner.replace("''", "'").into() } else { inner.into() };
    }
    if text.len() >= 2 && text.starts_with('"') {
        return serde_json::from_str::<String>(text).map_or(Cow::Borrowed(text), Cow::Owned);
    }
    Cow::Borrowed(text)
}

/// A member of `{a: b, c: d}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) key: &'a str,
    /// As written.
    pub(super) value: &'a str,
    /// Where that begins.
    pub(super) value_at: usize,
    /// The member and, where there is one, the comma before it (behind it, for the first).
    pub(super) range: Range<usize>,
}

/// The members of a flow mapping that begins at byte `at` of the file; none where it is not one.
pub(super) fn flow(value: &str, at: usize) -> Vec<Member<'_>> {
    let Some(inner) = value.strip_prefix('{').and_then(|v| v.strip_suffix('}')) else { return Vec::new() };
    let mut parts: Vec<Range<usize>> = Vec::new();
    let (mut begins, mut depth, mut quote) = (0, 0_usize, None);
    for (offset, c) in inner.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(begins..offset);
                begins = offset + 1;
            }
            _ => {}
        }
    }
    parts.push(begins..inner.len());
    let offset = at + 1;
    let members = parts.iter().enumerate().filter_map(|(n, part)| {
        let (key, value) = inner[part.clone()].split_once(':')?;
        // With the comma before it; the first one with the comma and blanks behind it.
        let range = match (n, parts.get(1)) {
            (0, None) => part.clone(),
            (0, Some(next)) => {
                let blanks = inner[next.clone()].len() - inner[next.clone()].trim_start().len();
                part.start..next.start + blanks
            }
            _ => part.start - 1..part.end,
        };
        let range = range.start + offset..range.end + offset;
        let value_at = offset + part.end - value.trim_start().len();
        Some(Member { key: key.trim(), value: value.trim(), value_at, range })
    });
    members.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_values_and_places_are_found() {
        let text = "a: 1\n'@s/x@1.0.0':\n  r: {i: x}  \n  \"k: \\\"\": '''v'\n# no\nhttp://x.test/y:\n  d: |-\n      no: no\n  l:\n    - no: no\n  z: ''\n";
        let found = lines(text).unwrap();
        let shown: Vec<_> = found.iter().map(|l| (l.indent, &*l.key, l.text().into_owned())).collect();
        let expected = [
            (0, "a", "1"),
            (0, "@s/x@1.0.0", ""),
            (2, "r", "{i: x}"),
            (2, "k: \"", "'v"),
            (0, "http://x.test/y", ""),
            (2, "d", "|-"),
            (2, "l", ""),
            (2, "z", ""),
        ];
        assert_eq!(shown, expected.map(|(i, k, v)| (i, k, v.to_owned())));
        for line in found {
            assert!(text[line.value_at..].starts_with(line.value), "{line:?}");
        }
    }

    #[test]
    fn long_keys_have_a_form_of_their_own() {
        let found =
            lines("packages:\n  ? /a@1.0.0(b)\n  : resolution: {integrity: x}\n    dev: true\n").unwrap();
        let shown: Vec<_> = found.iter().map(|l| (l.indent, &*l.key)).collect();
        assert_eq!(shown, [(0, "packages"), (2, "/a@1.0.0(b)"), (4, "resolution"), (4, "dev")]);
    }

    #[test]
    fn what_is_no_line_is_refused_with_its_number() {
        assert!(lines("a: 1\nnonsense\n").unwrap_err().to_string().starts_with("line 2"));
        assert!(lines("a:\n\tb: 1\n").unwrap_err().to_string().contains("tab"));
    }

    #[test]
    fn members_of_a_flow_mapping_can_be_taken_out() {
        let value = "{integrity: sha512-x==, tarball: 'https://x.test/a,b.tgz', e: {f: g}}";
        let found = flow(value, 0);
        let shown: Vec<_> = found.iter().map(|m| (m.key, m.value)).collect();
        assert_eq!(
            shown,
            [("integrity", "sha512-x=="), ("tarball", "'https://x.test/a,b.tgz'"), ("e", "{f: g}")]
        );
        assert!(found.iter().all(|m| value[m.value_at..].starts_with(m.value)), "{found:?}");
        assert_eq!(&value[found[0].range.clone()], "integrity: sha512-x==, ");
        assert_eq!(&value[found[1].range.clone()], ", tarball: 'https://x.test/a,b.tgz'");
        assert!(flow("x", 0).is_empty());
    }
}
