//! The reader of JavaScript, TypeScript and JSX.
//!
//! A file is parsed and then run by a machine that executes nothing: it follows constants, names and origins of values
//! through variables, objects, functions, promises and callbacks, and writes down what known names would do with them. What
//! does not parse, is too large or too deeply nested is read by its words, and the facts say so.
//!
//! It judges nothing: what a constant means is said in [`words`](super::words), what facts mean by the detectors.

mod arrays;
mod builtins;
mod calls;
mod classes;
mod code;
mod constants;
mod construct;
mod drafts;
mod expressions;
mod files;
mod gates;
mod heap;
mod hoist;
mod islands;
mod known;
mod links;
mod machine;
mod members;
mod methods;
mod names;
mod nesting;
mod network;
mod operators;
mod origins;
mod others;
mod parse;
mod replaced;
mod scopes;
mod statements;
mod string_array;
mod strings;
mod table;
mod taps;
#[cfg(test)]
mod tests;
mod tokens;
mod value;

use std::borrow::Cow;

use oxc_allocator::Allocator;

use super::facts::{FileFacts, Language, Reading};
use super::looks;
use machine::Machine;
use parse::Parsed;

/// Bytes of a file that is parsed.
const PARSED_BYTES: usize = 8 << 20;

/// Reads one file. `path` only says which dialect is tried first.
#[must_use]
pub fn read(text: &[u8], path: &str) -> FileFacts {
    let Some(mut facts) = read_parsed(text, path) else { return skim(text, path) };
    let string_array = facts.looks.string_array;
    facts.looks = looks::look(text, Language::JavaScript);
    facts.looks.string_array = string_array;
    facts
}

/// Reads one file by its words, and its beginning and end as code.
#[must_use]
pub fn skim(text: &[u8], path: &str) -> FileFacts {
    let mut facts = islands::read(text, path);
    let string_array = facts.looks.string_array;
    facts.looks = looks::look(text, Language::JavaScript);
    facts.looks.string_array = string_array;
    facts
}

/// Parses and runs a file; none where that is not possible within the bounds.
fn read_parsed(text: &[u8], path: &str) -> Option<FileFacts> {
    if text.len() > PARSED_BYTES {
        return None;
    }
    if nesting::depth(text) > parse::NESTING {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    let text = without_html(&text);
    // A stack of its own, on the caller's thread: a confined worker starts no others. What panics is read by its words.
    stacker::grow(super::STACK_BYTES, || std::panic::catch_unwind(|| run(&text, path)).ok().flatten())
}

/// What a page left around a script is made blank, so that offsets stay.
fn without_html(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim_end();
    match trimmed.strip_suffix("</script>") {
        Some(script) => Cow::Owned(script.to_owned()),
        None => Cow::Borrowed(text),
    }
}

fn run(text: &str, path: &str) -> Option<FileFacts> {
    let dialects = parse::dialects(path);
    let mut fallback = None;
    for dialect in dialects {
        let allocator = Allocator::default();
        match parse::parse(&allocator, text, dialect) {
            Parsed::Clean(program) => return Some(facts(&allocator, text, program)),
            Parsed::Odd(_) => fallback = fallback.or(Some(dialect)),
            Parsed::Failed => {}
        }
    }
    // A tree that was recovered is whole; what is odd about it is no concern of ours.
    let allocator = Allocator::default();
    match parse::parse(&allocator, text, fallback?) {
        Parsed::Clean(program) | Parsed::Odd(program) => Some(facts(&allocator, text, program)),
        Parsed::Failed => None,
    }
}

fn facts<'a>(allocator: &'a Allocator, text: &str, program: &'a oxc_ast::ast::Program<'a>) -> FileFacts {
    let mut machine = Machine::new(allocator, text.len());
    machine.run(program);
    let mut facts = FileFacts { reading: Reading::Parsed, ..FileFacts::default() };
    facts.imports = machine.imports.iter().map(|&module| module.to_owned()).collect();
    facts.late_imports = machine
        .late_imports
        .iter()
        .filter(|module| !machine.imports.contains(module))
        .map(|&module| module.to_owned())
        .collect();
    facts.looks.string_array = string_array::find(&program.body, text);
    facts.links.again = std::mem::take(&mut machine.again);
    let spent = machine.objects.is_spent();
    machine.drafts.finish(text, &mut facts);
    // Flows through what was not asked are among what did not fit.
    facts.dropped = facts.dropped.saturating_add(u32::from(spent));
    facts
}
