//! What a registry answers to whom it does not know: where a token is to be had, and for what.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// A `Bearer` challenge (RFC 6750 §3, with the registries' `service`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Where tokens are to be had.
    pub realm: String,
    /// For which service.
    pub service: Option<String>,
    /// For what.
    pub scope: Option<String>,
}

/// The longest value that is read, in bytes.
const MAX_VALUE_BYTES: usize = 2_048;

/// The first `Bearer` challenge of an answer.
pub fn bearer(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    values.filter_map(read).next()
}

fn read(value: &str) -> Option<Challenge> {
    let scheme = value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "))?;
    let mut rest = &value[scheme.len()..];
    let (mut realm, mut service, mut scope) = (None, None, None);
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches(|c: char| c == ',' || c.is_whitespace()).to_ascii_lowercase();
        let (text, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_text(quoted)?,
            None => {
                let (text, after) = after.split_once(',').unwrap_or((after, ""));
                (text.trim().to_owned(), after)
            }
        };
        if text.len() > MAX_VALUE_BYTES {
            return None;
        }
        match name.as_str() {
            "realm" => realm = realm.or(Some(text)),
            "service" => service = service.or(Some(text)),
            "scope" => scope = scope.or(Some(text)),
            _ => {}
        }
        rest = after;
    }
    Some(Challenge { realm: realm?, service, scope })
}

/// Text up to the closing quotation mark, and what follows.
fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(chars.next()?.1),
            c => out.push(c),
        }
    }
    None
}
