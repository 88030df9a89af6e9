//! Globs over names and package URLs: `*` is any run of characters, `?` one character, all else itself.
//!
//! No regular expression stands behind it: the cost is bounded by pattern length × text length.

use std::borrow::Cow;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(Box<str>);

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        Self(decoded(pattern).into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern matches every text.
    pub(crate) fn matches_all(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|b| b == b'*')
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let text = decoded(text);
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut p, mut t) = (0, 0);
        // Where to resume after the last `*`: the byte after it, and the text it has swallowed so far.
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some((p + 1, t));
                    p += 1;
                }
                Some(b'?') => {
                    p += 1;
                    t += 1;
                    while t < text.len() && text[t] & 0xC0 == 0x80 {
                        t += 1;
                    }
                }
                Some(byte) if *byte == text[t] => {
                    p += 1;
                    t += 1;
                }
                _ => match star {
                    Some((after, swallowed)) => {
                        star = Some((after, swallowed + 1));
                        p = after;
                        t = swallowed + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|b| *b == b'*')
    }
}

/// Package URLs percent-encode `@` in a scope; people write it plainly. Both sides are compared decoded.
fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains("%40") { Cow::Owned(text.replace("%40", "@")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_what_they_say() {
        for (pattern, text, expected) in [
            ("left-pad", "left-pad", true),
            ("left-*", "left-pad", true),
            ("*-pad", "left-pad", true),
            ("l?ft-pad", "left-pad", true),
            ("l?ft-pad", "lft-pad", false),
            ("caf?", "café", true),
            ("*a*b*c*", "xaybzc", true),
            ("*a*b*c", "xaybz", false),
            ("", "", true),
            ("", "x", false),
            ("pkg:npm/@acme/*", "pkg:npm/%40acme/x@1.0.0", true),
            ("pkg:npm/%40acme/*", "pkg:npm/%40acme/x@1.0.0", true),
            ("pkg:npm/@acme/*", "pkg:npm/acme/x@1.0.0", false),
            ("a.c", "abc", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = "*a".repeat(200);
        assert!(!Glob::new(&pattern).matches(&"b".repeat(2000)));
    }
}
