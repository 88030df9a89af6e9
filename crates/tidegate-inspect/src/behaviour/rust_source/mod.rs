//! Reads Rust: what a `build.rs`, a procedural macro or a library does, in the words of [`super::facts`].
//!
//! The source is parsed and followed with abstract values: `use` tells full names, builders (`Command`, requests, sockets,
//! files) are followed from method to method, calls of functions of the file are entered. `main`, procedural macros and
//! constructors run by themselves. Types are not known. What does not parse, or is too large or too deep to be parsed, is
//! read by tokens, without flows. Nothing is compiled or executed.

mod depth;
mod exprs;
mod follow;
mod library;
mod macros;
mod methods;
#[cfg(test)]
mod tests;
mod tokens;
mod value;

use super::facts::{FileFacts, Language, Looks, Reading};

/// Bytes of a source that is parsed; larger ones are read by tokens.
pub const PARSED_BYTES: usize = 4 << 20;

/// Stack on which sources are parsed and followed. Only what is used of it takes memory. Not a thread: a confined worker
/// may not make one.
const STACK_BYTES: usize = 48 << 20;

/// Lines of which the ends are kept.
const LINES: usize = 4 << 20;

/// Reads one Rust source. `path` is the path within the package; it is not needed to tell what runs by itself.
///
/// Never fails: a source that cannot be parsed gives what its tokens tell.
#[must_use]
pub fn read(text: &[u8], path: &str) -> FileFacts {
    let _ = path;
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let ends: Vec<u32> =
        memchr::memchr_iter(b'\n', text).take(LINES).filter_map(|at| u32::try_from(at).ok()).collect();
    let line = |offset: u64| {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        u32::try_from(ends.partition_point(|end| *end < offset)).map_or(u32::MAX, |before| before + 1)
    };
    if text.len() <= PARSED_BYTES
        && depth::is_small(text)
        && let Ok(source) = std::str::from_utf8(text)
    {
        // A panic of the parser would be its fault, but our failure: the tokens are still there to be read.
        let parsed = stacker::grow(STACK_BYTES, || std::panic::catch_unwind(|| parsed(source, line)));
        if let Ok(Some(parsed)) = parsed {
            return parsed;
        }
    }
    tokens::read(text, look(text), line)
}

/// Parses and follows a source, if it can be.
fn parsed(source: &str, line: impl Fn(u64) -> u32) -> Option<FileFacts> {
    // The places of all sources that a thread ever read are kept unless somebody says that they are not needed.
    proc_macro2::extra::invalidate_current_thread_spans();
    let stream: proc_macro2::TokenStream = source.parse().ok()?;
    if !depth::is_bearable(&stream) {
        return None;
    }
    let file: syn::File = syn::parse2(stream).ok()?;
    let mut follow = follow::Follow::new();
    follow.file(&file);
    Some(follow.rec.finish(Reading::Parsed, look(source.as_bytes()), line))
}

/// How a source looks.
fn look(text: &[u8]) -> Looks {
    super::looks::look(text, Language::Rust)
}
