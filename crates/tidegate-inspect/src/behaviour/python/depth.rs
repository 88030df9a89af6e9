//! How deep a tree a source would make, found without making it.
//!
//! Trees are dropped and walked recursively; what is deeper than a stack holds is never parsed. CPython itself refuses
//! more than 200 brackets within each other and 100 levels of indentation.

use super::super::chain::Level;

/// Brackets within brackets.
const BRACKETS: usize = 200;

/// Levels of indentation.
const INDENTS: usize = 100;

/// Operators in one chain, with everything around it.
const CHAIN: u32 = 40_000;

/// Tokens of one file: a tree takes about a hundred times the room of a token's text.
const TOKENS: u32 = 1_000_000;

/// Whether a source may be parsed.
pub(super) fn is_bearable(text: &[u8]) -> bool {
    let mut levels = vec![Level::default()];
    let mut indents: Vec<usize> = Vec::new();
    let mut tokens = 0_u32;
    let mut at = 0;
    let mut line_start = true;
    while let Some(&byte) = text.get(at) {
        if line_start {
            line_start = false;
            if levels.len() == 1 {
                let width = text
                    .get(at..)
                    .unwrap_or_default()
                    .iter()
                    .take_while(|b| matches!(b, b' ' | b'\t'))
                    .count();
                while indents.last().is_some_and(|last| *last > width) {
                    indents.pop();
                }
                if indents.last().copied().unwrap_or(0) < width {
                    indents.push(width);
                }
                if indents.len() > INDENTS {
                    return false;
                }
            }
        }
        let Some(level) = levels.last_mut() else { return false };
        match byte {
            b'\n' => {
                line_start = true;
                if levels.len() == 1 {
                    // A bracketless line is a statement; a backslash before the end only makes this bound looser.
                    if at.checked_sub(1).and_then(|before| text.get(before)) != Some(&b'\\')
                        && let Some(level) = levels.last_mut()
                    {
                        level.end();
                        if level.deepest > CHAIN {
                            return false;
                        }
                        *level = Level::default();
                    }
                }
            }
            b'#' => {
                at = super::tokens::line_end(text, at);
                continue;
            }
            b'"' | b'\'' => {
                tokens += 1;
                let (end, inner) = super::tokens::string_end(text, at);
                if inner.brackets > BRACKETS || inner.operators > CHAIN {
                    return false;
                }
                level.inner = level.inner.max(inner.operators);
                at = end;
                continue;
            }
            b'(' | b'[' | b'{' => {
                tokens += 1;
                level.chain += 1;
                if levels.len() > BRACKETS {
                    return false;
                }
                levels.push(Level::default());
            }
            b')' | b']' | b'}' => {
                tokens += 1;
                if levels.len() > 1
                    && let Some(mut closed) = levels.pop()
                {
                    closed.end();
                    if closed.deepest > CHAIN {
                        return false;
                    }
                    if let Some(level) = levels.last_mut() {
                        level.closed(closed);
                    }
                }
            }
            b',' | b';' => {
                tokens += 1;
                level.end();
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | 0x80.. => {
                tokens += 1;
                let end = super::tokens::word_end(text, at);
                if matches!(
                    text.get(at..end).unwrap_or_default(),
                    b"not"
                        | b"lambda"
                        | b"if"
                        | b"else"
                        | b"and"
                        | b"or"
                        | b"in"
                        | b"is"
                        | b"await"
                        | b"yield"
                        | b"for"
                ) {
                    level.chain += 1;
                }
                at = end;
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\\' => {}
            _ => {
                tokens += 1;
                level.chain += 1;
            }
        }
        if tokens > TOKENS {
            return false;
        }
        at += 1;
    }
    levels.iter_mut().all(|level| {
        level.end();
        level.deepest <= CHAIN
    })
}
