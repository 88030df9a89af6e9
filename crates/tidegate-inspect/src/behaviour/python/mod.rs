//! Reads Python: what a module, a script, a `setup.py` or a `.pth` file does, in the words of [`super::facts`].
//!
//! The source is parsed and then followed as an interpreter would follow it, with abstract values: constants are folded,
//! names are known through aliases, calls of functions of the file are entered, text that is run as code is read in turn.
//! What does not parse is followed as far as it could be parsed; what is too large or too deep is read by tokens. Nothing
//! is executed, and nothing outside the file is looked at.

mod call;
mod code;
mod compiled;
mod decode;
mod definitions;
mod depth;
mod expr;
mod files;
mod fold;
mod host;
mod interp;
mod library;
mod names;
mod net;
mod pickled;
mod process;
mod pth;
mod source;
mod statements;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod value;

use ruff_python_ast::Suite;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};

use super::facts::{FileFacts, Language, Looks, Reading, What};
pub use compiled::read_compiled;
pub(super) use fold::{base64, hex, is_dense, path_text};
pub(super) use names::{folder_of_variable, gates_of_variable};
pub use pickled::{may_be_text_pickle, read_pickle};
pub use pth::{PthIdiom, PthLine, read_pth};

/// Bytes of a source that is parsed; larger ones are read by tokens.
pub const PARSED_BYTES: usize = 8 << 20;

/// Lines of which the beginnings are kept.
const LINES: usize = 4 << 20;

/// Reads one Python source.
///
/// `path` is the path within the package; of it only the last part matters: in `setup.py` the part under
/// `if __name__ == "__main__"` runs on loading, too.
///
/// Never fails: a source that cannot be parsed gives what its tokens tell.
#[must_use]
pub fn read(text: &[u8], path: &str) -> FileFacts {
    let script = is_script(path);
    if text.len() <= PARSED_BYTES && depth::is_bearable(text) {
        // A panic of the parser would be its fault, but our failure: the tokens are still there to be read.
        // A stack of its own, on the caller's thread: a confined worker starts no others.
        let parsed = stacker::grow(super::STACK_BYTES, || std::panic::catch_unwind(|| parsed(text, script)));
        if let Ok(parsed) = parsed {
            return parsed;
        }
    }
    skim(text, path)
}

/// Reads one Python source by its tokens.
#[must_use]
pub fn skim(text: &[u8], path: &str) -> FileFacts {
    let lines = Lines::of(text);
    tokens::read(text, is_script(path), look(text), |offset| lines.line(offset))
}

/// Whether a source runs as a program: `setup.py` does.
fn is_script(path: &str) -> bool {
    path.rsplit(['/', '\\']).next() == Some("setup.py")
}

/// Parses and follows a source; runs where there is room for it.
fn parsed(bytes: &[u8], script: bool) -> FileFacts {
    let source = source::decode(bytes);
    let lines = Lines::of(source.text.as_bytes());
    let (suite, whole) = parse(&source.text);
    let layers = interp::Layers::default();
    let mut interp = interp::Interp::new(&layers, script);
    if let Some(kind) = source.hidden_by {
        let site = interp.site_at(0);
        interp.rec.fact(What::Decode, kind, &site);
    }
    interp.module(&suite);
    let reading = if whole { Reading::Parsed } else { Reading::Tokens };
    let mut file = interp.rec.finish(reading, look(source.text.as_bytes()), |offset| lines.line(offset));
    place(&mut file, &source);
    file
}

/// Turns places in the text into places in the file.
fn place(file: &mut FileFacts, source: &source::Source<'_>) {
    let (mut at, mut chars) = (0_usize, 0_u64);
    for fact in &mut file.facts {
        if let Some(width) = source.width {
            let to = usize::try_from(fact.offset).unwrap_or(usize::MAX).min(source.text.len());
            let more = source.text.get(at..to).map_or(0, |part| part.chars().count());
            chars += u64::try_from(more).unwrap_or(0);
            at = to.max(at);
            fact.offset = chars * width;
        }
        fact.offset += source.skipped;
    }
}

/// How a source looks.
fn look(text: &[u8]) -> Looks {
    super::looks::look(text, Language::Python)
}

/// A tree, and whether it is the whole source without errors.
fn parse(text: &str) -> (Suite, bool) {
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    let whole = parsed.errors().is_empty();
    let suite = match parsed.into_syntax() {
        ruff_python_ast::Mod::Module(module) => module.body,
        ruff_python_ast::Mod::Expression(_) => Suite::new(),
    };
    (suite, whole)
}

/// A text that is run as code, if it is Python at all.
fn parse_layer(text: &str) -> Option<Suite> {
    let text = text.trim_start_matches([' ', '\t', '\u{feff}']);
    if text.trim().is_empty() || !depth::is_bearable(text.as_bytes()) {
        return None;
    }
    let (suite, whole) = parse(text);
    whole.then_some(suite)
}

/// Where lines begin.
struct Lines(Vec<u32>);

impl Lines {
    fn of(text: &[u8]) -> Self {
        Self(memchr::memchr_iter(b'\n', text).take(LINES).filter_map(|at| u32::try_from(at).ok()).collect())
    }

    fn line(&self, offset: u64) -> u32 {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        u32::try_from(self.0.partition_point(|end| *end < offset)).map_or(u32::MAX, |before| before + 1)
    }
}
