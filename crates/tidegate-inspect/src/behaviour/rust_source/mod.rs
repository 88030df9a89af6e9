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

use super::facts::{FileFacts, Language, Looks, Reading, What};

/// Bytes of a source that is parsed; larger ones are read by tokens.
pub const PARSED_BYTES: usize = 4 << 20;

/// Lines of which the ends are kept.
const LINES: usize = 4 << 20;

/// Reads one Rust source. `path` is the path within the package; what a `build.rs` holds as text
/// may become code.
///
/// Never fails: a source that cannot be parsed gives what its tokens tell.
#[must_use]
pub fn read(text: &[u8], path: &str) -> FileFacts {
    let text = without_mark(text);
    let ends = ends(text);
    let line = |offset: u64| line(&ends, offset);
    if text.len() <= PARSED_BYTES
        && depth::is_small(text)
        && let Ok(source) = std::str::from_utf8(text)
    {
        // A panic of the parser would be its fault, but our failure: the tokens are still there to be read.
        // A stack of its own, on the caller's thread: a confined worker starts no others.
        let parsed =
            stacker::grow(super::STACK_BYTES, || std::panic::catch_unwind(|| parsed(source, path, line)));
        if let Ok(Some(parsed)) = parsed {
            return parsed;
        }
    }
    tokens::read(text, look(text), line)
}

/// Reads one Rust source by its tokens.
#[must_use]
pub fn skim(text: &[u8]) -> FileFacts {
    let text = without_mark(text);
    let ends = ends(text);
    tokens::read(text, look(text), |offset| line(&ends, offset))
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)
}

/// Where lines end.
fn ends(text: &[u8]) -> Vec<u32> {
    memchr::memchr_iter(b'\n', text).take(LINES).filter_map(|at| u32::try_from(at).ok()).collect()
}

/// The line of an offset, from 1 on.
fn line(ends: &[u32], offset: u64) -> u32 {
    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
    u32::try_from(ends.partition_point(|end| *end < offset)).map_or(u32::MAX, |before| before + 1)
}

/// Parses and follows a source, if it can be.
fn parsed(source: &str, path: &str, line: impl Fn(u64) -> u32) -> Option<FileFacts> {
    // The places of all sources that a thread ever read are kept unless somebody says that they are not needed.
    proc_macro2::extra::invalidate_current_thread_spans();
    let stream: proc_macro2::TokenStream = source.parse().ok()?;
    if !depth::is_bearable(&stream) {
        return None;
    }
    let file: syn::File = syn::parse2(stream).ok()?;
    let mut follow = follow::Follow::new();
    follow.makes_code = path.rsplit('/').next() == Some("build.rs");
    follow.file(&file);
    let layers = std::mem::take(&mut follow.layers);
    let mut facts = follow.rec.finish(Reading::Parsed, look(source.as_bytes()), &line);
    for (text, offset) in layers {
        if let Some(made) = layer(&text) {
            let line = line(offset);
            super::languages::absorb(&mut facts, made, |fact| {
                (fact.line, fact.offset, fact.scope) = (line, offset, super::facts::Scope::Load);
            });
        }
    }
    Some(facts)
}

/// Reads code that a macro or a build script makes. What it does with names that others fill in is theirs; what remains is
/// what nobody asked for: where it sends, what it starts, what it takes.
fn layer(text: &str) -> Option<FileFacts> {
    let stream: proc_macro2::TokenStream = format!("fn main() {{ {text} }}").parse().ok()?;
    if !depth::is_bearable(&stream) {
        return None;
    }
    let file: syn::File = syn::parse2(stream).ok()?;
    let mut follow = follow::Follow::new();
    follow.file(&file);
    let all = follow.rec.finish(Reading::Parsed, Looks::default(), |_| 0);
    let mut kept = FileFacts::default();
    let mut places = std::collections::HashMap::new();
    for (at, fact) in (0_u32..).zip(all.facts) {
        if is_its_own(&fact)
            && let Some(place) = kept.add(fact)
        {
            places.insert(at, place);
        }
    }
    for flow in all.flows {
        if let (Some(from), Some(to)) = (places.get(&flow.from), places.get(&flow.to)) {
            kept.join(super::facts::Flow { from: *from, to: *to, ..flow });
        }
    }
    let acts = |fact: &super::facts::Fact| {
        matches!(
            fact.what,
            What::NetSend
                | What::Exec
                | What::ExecDetached
                | What::SocketToProcess
                | What::DnsQuery
                | What::FileDelete
        )
    };
    kept.facts.iter().any(acts).then_some(kept)
}

/// Whether made code does this with a constant of its own.
fn is_its_own(fact: &super::facts::Fact) -> bool {
    match fact.what {
        What::NetSend | What::NetReceive | What::ChannelReceive | What::DnsQuery => {
            let host = fact.detail.split("://").last().unwrap_or_default();
            let host = host.split(['/', ':']).next().unwrap_or_default();
            host.contains('.') && !host.ends_with('*') && !matches!(host, "127.0.0.1" | "0.0.0.0")
        }
        What::Exec | What::ExecDetached => fact.detail.contains(' ') && !fact.detail.starts_with('*'),
        What::FileDelete | What::FileWrite => fact.detail.starts_with(['~', '/']),
        What::Text => false,
        _ => true,
    }
}

/// How a source looks.
fn look(text: &[u8]) -> Looks {
    super::looks::look(text, Language::Rust)
}
