//! Which reader reads which file, and what command lines within code do.

use super::facts::{DETAIL_BYTES, Fact, FileFacts, Flow, Language, Scope, What};
use super::{javascript, python, rust_source, shell};

/// Command lines of one file that are read.
const COMMANDS: usize = 60;

/// Reads code of a language. `depth` counts code within code.
#[must_use]
pub fn read(language: Language, text: &[u8], path: &str, depth: u32) -> Option<FileFacts> {
    if depth > shell::NESTED {
        return None;
    }
    let mut facts = match language {
        Language::JavaScript => javascript::read(text, path),
        Language::Python => python::read(text, path),
        Language::Rust => rust_source::read(text, path),
        Language::Shell => return Some(shell::read(text, depth)),
        Language::Windows => return Some(shell::read_windows(text, depth)),
    };
    commands(&mut facts, depth);
    Some(facts)
}

/// Reads code by its words alone, which takes little memory and time whatever it holds.
#[must_use]
pub fn skim(language: Language, text: &[u8], path: &str) -> FileFacts {
    match language {
        Language::JavaScript => javascript::skim(text, path),
        Language::Python => python::skim(text, path),
        Language::Rust => rust_source::skim(text),
        Language::Shell => shell::read(text, 0),
        Language::Windows => shell::read_windows(text, 0),
    }
}

/// Reads the command lines that code starts, and joins what flows into them with what they do.
pub fn commands(facts: &mut FileFacts, depth: u32) {
    let lines: Vec<(u32, Fact)> = (0_u32..)
        .zip(&facts.facts)
        .filter(|(_, fact)| matches!(fact.what, What::Exec | What::ExecDetached) && fact.detail.len() > 3)
        .map(|(index, fact)| (index, fact.clone()))
        .take(COMMANDS)
        .collect();
    for (index, fact) in lines {
        let inner = shell::read(fact.detail.as_bytes(), depth + 1);
        let into: Vec<u32> =
            facts.flows.iter().filter(|flow| flow.to == index).map(|flow| flow.from).collect();
        let out: Vec<u32> =
            facts.flows.iter().filter(|flow| flow.from == index).map(|flow| flow.to).collect();
        let first = u32::try_from(facts.facts.len()).unwrap_or(u32::MAX);
        let before = facts.imports.len();
        absorb(facts, inner, |inner| {
            inner.line = fact.line;
            inner.offset = fact.offset;
            inner.scope = fact.scope;
            inner.gates.clone_from(&fact.gates);
            inner.folded |= fact.folded;
        });
        if fact.scope == Scope::Call {
            // What a function runs is not run by loading the file.
            let late = facts.imports.split_off(before);
            facts.late_imports.extend(late);
        }
        join(facts, first, &into, &out);
        started(facts, first, fact.offset);
    }
}

/// What a command writes to a file flows into code that loads or starts that file.
fn started(facts: &mut FileFacts, first: u32, offset: u64) {
    let written: Vec<(u32, String)> = (0_u32..)
        .zip(&facts.facts)
        .skip(first as usize)
        .filter(|(_, fact)| fact.what == What::FileWrite && names_a_file(&fact.detail))
        .map(|(at, fact)| (at, fact.detail.clone()))
        .collect();
    for (at, path) in written {
        let from: Vec<u32> = facts.flows.iter().filter(|flow| flow.to == at).map(|flow| flow.from).collect();
        let to: Vec<u32> = (0_u32..)
            .zip(&facts.facts)
            .filter(|(_, fact)| {
                let runs = matches!(
                    fact.what,
                    What::Exec | What::ExecDetached | What::LibraryLoad | What::Eval | What::DynamicImport
                );
                runs && fact.offset != offset && fact.detail.contains(&path)
            })
            .map(|(at, _)| at)
            .collect();
        for (from, to) in from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))) {
            facts.join(Flow { from, to, decoded: false });
        }
    }
}

/// Whether a path is constant enough to be compared.
fn names_a_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.len() >= 3 && !name.contains('*')
}

/// What flows into a command flows into what it sends, writes and runs; what it fetches flows on.
fn join(facts: &mut FileFacts, first: u32, into: &[u32], out: &[u32]) {
    let inner: Vec<(u32, What)> =
        (0_u32..).zip(&facts.facts).skip(first as usize).map(|(at, fact)| (at, fact.what)).collect();
    for (at, what) in inner {
        if matches!(what, What::NetSend | What::DnsQuery | What::FileWrite | What::Eval) {
            for from in into {
                facts.join(Flow { from: *from, to: at, decoded: false });
            }
        }
        if matches!(
            what,
            What::NetReceive
                | What::EnvAll
                | What::FileRead
                | What::HostIdentity
                | What::KeychainRead
                | What::ClipboardRead
        ) {
            for to in out {
                facts.join(Flow { from: at, to: *to, decoded: false });
            }
        }
    }
}

/// Takes the facts, flows and imports of inner code into outer ones.
pub(crate) fn absorb(outer: &mut FileFacts, inner: FileFacts, mut adapt: impl FnMut(&mut Fact)) {
    let first = outer.facts.len();
    for mut fact in inner.facts {
        adapt(&mut fact);
        fact.detail.truncate(fact.detail.floor_char_boundary(DETAIL_BYTES));
        outer.add(fact);
    }
    for flow in inner.flows {
        let moved = |index: u32| {
            u32::try_from(first + index as usize).ok().filter(|at| (*at as usize) < outer.facts.len())
        };
        if let (Some(from), Some(to)) = (moved(flow.from), moved(flow.to)) {
            outer.join(Flow { from, to, decoded: flow.decoded });
        }
    }
    for name in inner.imports {
        if !outer.imports.contains(&name) {
            outer.imports.push(name);
        }
    }
    outer.dropped += inner.dropped;
}

/// Bytes of base64 text, of any alphabet, with and without padding.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len().min(1 << 16) / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes().take(1 << 16) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' | b'\n' | b'\r' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).unwrap_or_default());
        }
        bits &= (1 << held) - 1;
    }
    Some(out)
}
