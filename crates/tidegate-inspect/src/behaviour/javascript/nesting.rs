//! How deep a text is nested, before a parser that recurses sees it.
//!
//! Not a parser: an upper bound by brackets and by what nests without them (prefixes, arrows, conditionals, `else if`), taken
//! twice. Once strings and comments are passed over, once nothing is, so that what confuses one count does not lower the
//! other.

/// How much more the count without strings passed over may be: brackets within strings need not close.
const DRIFT: (usize, usize) = (2, 5);

/// The greater of both counts.
pub(super) fn depth(text: &[u8]) -> usize {
    count::<true>(text).max(count::<false>(text) * DRIFT.0 / DRIFT.1)
}

/// The deepest place; with `SKIP`, strings, comments and regular expressions are passed over.
fn count<const SKIP: bool>(text: &[u8]) -> usize {
    let (mut brackets, mut deepest) = (0_usize, 0_usize);
    // What nests without brackets, since the last end of a statement.
    let mut prefixes = 0_usize;
    let mut held: Vec<usize> = Vec::new();
    let mut at = 0;
    let mut regex_may_follow = true;
    let mut word_before = false;
    while let Some(&byte) = text.get(at) {
        let next = text.get(at + 1).copied().unwrap_or(0);
        match byte {
            // Most of what is no word; it changes nothing.
            b' ' | b'\n' | b'\t' | b'\r' => {
                at += 1;
                continue;
            }
            b'"' | b'\'' | b'`' if SKIP => {
                at = string_end(text, at, byte);
                regex_may_follow = false;
                word_before = false;
                continue;
            }
            b'/' if SKIP && next == b'/' => {
                at += memchr::memchr(b'\n', &text[at..]).unwrap_or(text.len() - at);
                continue;
            }
            b'/' if SKIP && next == b'*' => {
                at += memchr::memmem::find(&text[at..], b"*/").map_or(text.len() - at, |end| end + 2);
                continue;
            }
            b'/' if SKIP && regex_may_follow => {
                at = regex_end(text, at);
                regex_may_follow = false;
                continue;
            }
            b'(' | b'[' | b'{' => {
                brackets += 1;
                if held.len() < 100_000 {
                    held.push(prefixes);
                }
            }
            b')' | b']' => {
                brackets = brackets.saturating_sub(1);
                prefixes = held.pop().unwrap_or(0);
            }
            b'}' => {
                brackets = brackets.saturating_sub(1);
                let before = held.pop().unwrap_or(0);
                // `} else` continues what nests; anything else ends it.
                let rest = text[at + 1..].trim_ascii_start();
                prefixes = if rest.starts_with(b"else") { before } else { 0 };
            }
            b';' | b',' => {
                let rest = text[at + 1..].trim_ascii_start();
                if !rest.starts_with(b"else") {
                    prefixes = 0;
                }
            }
            b'!' | b'~' | b'?' | b':' | b'=' | b'<' | b'@' => prefixes += 1,
            b'*' if next == b'*' => prefixes += 1,
            // A chain of sums is read in a loop; only a sign nests.
            b'+' | b'-' if regex_may_follow => prefixes += 1,
            _ if byte.is_ascii_alphabetic() => {
                let length = text[at..]
                    .iter()
                    .position(|byte| !byte.is_ascii_alphanumeric())
                    .unwrap_or(text.len() - at);
                if word_before {
                    prefixes += 1;
                }
                at += length;
                regex_may_follow = false;
                word_before = true;
                deepest = deepest.max(brackets + prefixes);
                continue;
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            regex_may_follow = !matches!(byte, b')' | b']' | b'}' | b'0'..=b'9' | b'_' | b'$');
            word_before = false;
        }
        deepest = deepest.max(brackets + prefixes);
        at += 1;
    }
    deepest
}

/// Where a string ends; one that does not end on its line ends there.
fn string_end(text: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' if quote != b'`' => return at,
            // What stands in a template is nested code.
            b'$' if quote == b'`' && text.get(at + 1) == Some(&b'{') => return at + 1,
            byte if byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Where a regular expression ends; a slash that begins none is one byte.
fn regex_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    let mut class = false;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return start + 1,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => return at + 1,
            _ => {}
        }
        at += 1;
    }
    start + 1
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn everything_that_nests_is_counted() {
        for (piece, per) in [
            ("(", 1),
            ("[", 1),
            ("{", 1),
            ("!", 1),
            ("- ", 1),
            ("typeof ", 1),
            ("a?b:", 2),
            ("a=>", 1),
            ("a=", 1),
            ("if(a){}else ", 1),
            ("if(a)b;else ", 1),
            ("<a>", 1),
            ("a**", 1),
            ("new ", 1),
            ("l:", 1),
            ("`${", 1),
            ("A<", 1),
            ("await ", 1),
            ("(\")\"+", 1),
            ("(/*)*/", 1),
        ] {
            let deep = depth(piece.repeat(3000).as_bytes());
            assert!(deep + 1 >= 3000 * per * 2 / 5, "{piece}: {deep}");
        }
    }

    #[test]
    fn ordinary_code_is_flat() {
        let line = "if (a) { b(c[1], {d: '('}); } else { e = f ? /[(]/g : `x${y}`; }\n";
        assert!(depth(line.repeat(500).as_bytes()) < 450);
        let sum = format!("x = {}1;", "a + ".repeat(50));
        assert!(depth(sum.as_bytes()) < 120);
        assert!(depth("a.b().c+".repeat(5000).as_bytes()) < 8);
    }
}
