//! From text to tree: which dialect it is, by trying.

use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_span::SourceType;

use super::nesting;

/// Nesting that the parser is given.
pub(super) const NESTING: usize = 1_000;

/// What a parse came to.
pub(super) enum Parsed<'a> {
    /// A tree without a complaint.
    Clean(&'a Program<'a>),
    /// A whole tree, although something in it is not as it should be.
    Odd(&'a Program<'a>),
    Failed,
}

/// Dialects in the order in which they are tried. The name only says which is first.
pub(super) fn dialects(path: &str) -> [SourceType; 5] {
    let script = SourceType::unambiguous().with_jsx(true);
    let common = SourceType::cjs().with_jsx(true);
    let (ts, tsx) = (SourceType::ts(), SourceType::tsx());
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.ends_with(".d.ts") || name.ends_with(".d.mts") || name.ends_with(".d.cts") {
        [SourceType::d_ts(), ts, tsx, script, common]
    } else if name.ends_with(".tsx") {
        [tsx, ts, script, common, SourceType::d_ts()]
    } else if name.ends_with(".ts") || name.ends_with(".mts") || name.ends_with(".cts") {
        [ts, tsx, script, common, SourceType::d_ts()]
    } else {
        [script, common, ts, tsx, SourceType::script()]
    }
}

/// Parses a text as one dialect.
pub(super) fn parse<'a>(allocator: &'a Allocator, text: &'a str, dialect: SourceType) -> Parsed<'a> {
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let ParserReturn { program, diagnostics, panicked, .. } =
        Parser::new(allocator, text, dialect).with_options(options).parse();
    if panicked {
        return Parsed::Failed;
    }
    let program = &*allocator.alloc(program);
    if diagnostics.is_empty() { Parsed::Clean(program) } else { Parsed::Odd(program) }
}

/// Parses a text that a file would run.
pub(super) fn text<'a>(allocator: &'a Allocator, text: &'a str) -> Option<&'a Program<'a>> {
    if nesting::depth(text.as_bytes()) > NESTING / 4 {
        return None;
    }
    match parse(allocator, text, SourceType::cjs().with_jsx(true)) {
        Parsed::Clean(program) => Some(program),
        Parsed::Odd(_) | Parsed::Failed => None,
    }
}

/// Parses a module that stands in a text.
pub(super) fn module<'a>(allocator: &'a Allocator, text: &'a str) -> Option<&'a Program<'a>> {
    if nesting::depth(text.as_bytes()) > NESTING / 4 {
        return None;
    }
    match parse(allocator, text, SourceType::unambiguous()) {
        Parsed::Clean(program) => Some(program),
        Parsed::Odd(_) | Parsed::Failed => None,
    }
}
