//! How large and how deep a tree a source would make, found without making it.

use proc_macro2::{TokenStream, TokenTree};

use super::super::chain::Level;

/// Tokens of one file.
const TOKENS: usize = 600_000;

/// Brackets within brackets.
const BRACKETS: usize = 128;

/// Operators in one chain, with everything around it.
const CHAIN: u32 = 10_000;

/// Whether a source has few enough tokens; an estimate from its bytes.
pub(super) fn is_small(text: &[u8]) -> bool {
    let mut tokens = 0_usize;
    let mut in_word = false;
    let mut open = 0_usize;
    let mut deepest = 0_usize;
    for byte in text {
        let word = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | 0x80..);
        if !(byte.is_ascii_whitespace() || word && in_word) {
            tokens += 1;
        }
        in_word = word;
        // Brackets in texts count, too: it takes thousands of them to matter.
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    tokens <= TOKENS && deepest <= 20_000
}

/// Whether the tree of these tokens may be walked.
pub(super) fn is_bearable(stream: &TokenStream) -> bool {
    let mut levels = vec![(Level::default(), stream.clone().into_iter())];
    while let Some((level, tokens)) = levels.last_mut() {
        match tokens.next() {
            Some(TokenTree::Group(group)) => {
                level.chain += 1;
                if levels.len() > BRACKETS {
                    return false;
                }
                levels.push((Level::default(), group.stream().into_iter()));
            }
            Some(TokenTree::Punct(punct)) => match punct.as_char() {
                ',' | ';' => level.end(),
                _ => level.chain += 1,
            },
            Some(TokenTree::Ident(ident)) => {
                if ident == "else" || ident == "return" || ident == "break" || ident == "move" {
                    level.chain += 1;
                }
            }
            Some(TokenTree::Literal(_)) => {}
            None => {
                level.end();
                let ended = *level;
                if ended.deepest > CHAIN {
                    return false;
                }
                levels.pop();
                if let Some((level, _)) = levels.last_mut() {
                    level.closed(ended);
                }
            }
        }
    }
    true
}
