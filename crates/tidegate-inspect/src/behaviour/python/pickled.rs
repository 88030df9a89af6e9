//! Reads pickles: which functions loading one calls, and with which texts.
//!
//! A pickle is a program of a small machine. Its operations are passed once, with the memo of texts that it needs to name what
//! it calls; nothing is built. Names that only build values give nothing.

use std::collections::{BTreeSet, HashMap};

use super::super::facts::{Fact, FileFacts, Language, Scope, What};
use super::super::languages;

/// Operations of one pickle that are passed.
const OPERATIONS: usize = 2_000_000;

/// Bytes of one text.
const TEXT_BYTES: usize = 1 << 20;

/// Texts that the machine may name again.
const MEMO: usize = 65_536;

/// Reads a pickle; none where it calls nothing but what builds values.
#[must_use]
pub fn read_pickle(bytes: &[u8]) -> Option<FileFacts> {
    let mut machine = Machine {
        rest: bytes,
        facts: FileFacts::default(),
        memo: HashMap::new(),
        last: Vec::new(),
        open: None,
        stored: 0,
    };
    for _ in 0..OPERATIONS {
        if machine.step().is_none() {
            break;
        }
    }
    machine.close();
    let mut facts = machine.facts;
    if facts.facts.is_empty() {
        return None;
    }
    languages::commands(&mut facts, 0);
    Some(facts)
}

/// Whether bytes may be a pickle of the first protocols, which are text: a callable by its module and name, each on a line.
#[must_use]
pub fn may_be_text_pickle(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"c").or_else(|| bytes.strip_prefix(b"(i")) else { return false };
    let name = |line: &[u8]| {
        !line.is_empty()
            && line.len() < 64
            && line.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
    };
    let mut lines = rest.split(|byte| *byte == b'\n');
    lines.next().is_some_and(name) && lines.next().is_some_and(name) && bytes.trim_ascii_end().ends_with(b".")
}

struct Machine<'b> {
    rest: &'b [u8],
    facts: FileFacts,
    memo: HashMap<u32, String>,
    /// The texts on top.
    last: Vec<String>,
    /// What is about to be called.
    open: Option<(What, String)>,
    stored: u32,
}

impl Machine<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self, width: usize) -> Option<usize> {
        let bytes = self.take(width)?;
        let all = bytes.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        usize::try_from(all).ok()
    }

    fn line(&mut self) -> Option<String> {
        let end = memchr::memchr(b'\n', self.rest)?;
        let line = String::from_utf8_lossy(&self.rest[..end.min(TEXT_BYTES)]).into_owned();
        self.rest = self.rest.get(end + 1..)?;
        Some(line)
    }

    fn text(&mut self, width: usize) -> Option<()> {
        let length = self.number(width)?;
        let bytes = self.take(length)?;
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_BYTES)]).into_owned();
        self.push(text);
        Some(())
    }

    fn push(&mut self, text: String) {
        if let Some((what, name)) = self.open.take() {
            self.call(what, &name, &text);
            // A program and its words come as several texts.
            self.open = None;
        }
        self.last.push(text);
        if self.last.len() > 4 {
            self.last.remove(0);
        }
    }

    fn keep(&mut self, at: u32) {
        if let Some(text) = self.last.last().filter(|_| self.memo.len() < MEMO) {
            self.memo.insert(at, text.clone());
        }
    }

    fn recall(&mut self, at: u32) {
        if let Some(text) = self.memo.get(&at).cloned() {
            self.last.push(text);
            if self.last.len() > 4 {
                self.last.remove(0);
            }
        }
    }

    fn global(&mut self, module: &str, name: &str) {
        self.close();
        self.open = meaning(module, name).map(|what| (what, format!("{module}.{name}")));
    }

    fn close(&mut self) {
        if let Some((what, name)) = self.open.take() {
            self.call(what, &name, "*");
        }
    }

    fn call(&mut self, what: What, name: &str, text: &str) {
        let fact = |what, detail: &str| Fact {
            what,
            detail: detail.to_owned(),
            line: 1,
            offset: 0,
            scope: Scope::Load,
            folded: false,
            gates: BTreeSet::new(),
            hops: 0,
        };
        if what == What::Exec {
            self.facts.add(fact(what, text));
            return;
        }
        self.facts.add(fact(what, &format!("pickle {name}")));
        if what == What::Eval
            && let Some(inner) = languages::read(Language::Python, text.as_bytes(), "inline", 1)
        {
            languages::absorb(&mut self.facts, inner, |inner| inner.line = 1);
        }
    }

    /// One operation; none at the end or where it is no pickle any more.
    fn step(&mut self) -> Option<()> {
        let operation = *self.take(1)?.first()?;
        match operation {
            b'.' => {
                // Readers go on behind the end: several pickles may stand in a row.
                if self.rest.len() < 2 {
                    return None;
                }
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(&module, &name);
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                let text = self.last.last().cloned();
                self.global(&module, &name);
                if let (Some((what, name)), Some(text)) = (self.open.take(), text) {
                    self.call(what, &name, &text);
                }
            }
            0x93 => {
                let name = self.last.pop()?;
                let module = self.last.pop()?;
                self.global(&module, &name);
            }
            b'S' | b'V' => {
                let line = self.line()?;
                let plain = line.trim_matches(['\'', '"']).replace("\\n", "\n").replace("\\'", "'");
                self.push(plain);
            }
            b'X' | b'T' | b'B' => self.text(4)?,
            b'U' | 0x8c | b'C' => self.text(1)?,
            0x8d | 0x8e | 0x96 => self.text(8)?,
            b'p' => {
                let at = self.line()?.trim().parse().ok()?;
                self.keep(at);
            }
            b'q' => {
                let at = u32::try_from(self.number(1)?).ok()?;
                self.keep(at);
            }
            b'r' => {
                let at = u32::try_from(self.number(4)?).ok()?;
                self.keep(at);
            }
            0x94 => {
                let at = self.stored;
                self.stored = self.stored.saturating_add(1);
                self.keep(at);
            }
            b'g' => {
                let at = self.line()?.trim().parse().ok()?;
                self.recall(at);
            }
            b'h' => {
                let at = u32::try_from(self.number(1)?).ok()?;
                self.recall(at);
            }
            b'j' => {
                let at = u32::try_from(self.number(4)?).ok()?;
                self.recall(at);
            }
            b'I' | b'L' | b'F' | b'P' => {
                self.line()?;
            }
            b'K' | 0x80 | 0x82 => {
                self.take(1)?;
            }
            b'M' | 0x83 => {
                self.take(2)?;
            }
            b'J' | 0x84 => {
                self.take(4)?;
            }
            b'G' | 0x95 => {
                self.take(8)?;
            }
            0x8a => {
                let length = self.number(1)?;
                self.take(length)?;
            }
            0x8b => {
                let length = self.number(4)?;
                self.take(length)?;
            }
            b'('
            | b')'
            | b']'
            | b'}'
            | b'l'
            | b'd'
            | b't'
            | b'a'
            | b'e'
            | b's'
            | b'u'
            | b'0'
            | b'1'
            | b'2'
            | b'N'
            | b'R'
            | b'b'
            | b'o'
            | b'Q'
            | 0x81
            | 0x85..=0x92
            | 0x97
            | 0x98 => {}
            _ => return None,
        }
        Some(())
    }
}

/// What calling this while loading does; none where it builds a value.
fn meaning(module: &str, name: &str) -> Option<What> {
    // A name may walk: `serialization.os.system`.
    let whole = format!("{module}.{name}");
    let mut parts = whole.rsplit('.');
    let (last, owner) = (parts.next()?, parts.next().unwrap_or_default());
    Some(match (owner, last) {
        (
            "os" | "posix" | "nt",
            "system" | "popen" | "startfile" | "execv" | "execve" | "execvp" | "execl" | "spawnv" | "spawnl"
            | "spawnvp" | "posix_spawn",
        )
        | (
            "subprocess",
            "Popen" | "run" | "call" | "check_call" | "check_output" | "getoutput" | "getstatusoutput",
        )
        | ("pty", "spawn")
        | ("commands", "getoutput") => What::Exec,
        ("builtins" | "__builtin__", "exec" | "eval" | "execfile" | "compile" | "__import__")
        | ("runpy", "run_path" | "run_module" | "_run_code")
        | ("code", "interact")
        | ("importlib", "import_module")
        | ("imp", "load_source")
        | ("marshal", "loads")
        | ("types", "FunctionType" | "CodeType")
        | ("timeit", "timeit")
        | ("pip" | "_internal" | "main", "main")
        | ("pdb" | "bdb" | "cProfile" | "profile", "run" | "runctx")
        | ("pkgutil", "resolve_name")
        | ("shell", "exec_command") => What::Eval,
        ("request", "urlopen" | "urlretrieve") | ("webbrowser", "open") | ("socket", "create_connection") => {
            What::NetSend
        }
        ("ctypes", "CDLL" | "WinDLL") => What::LibraryLoad,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::What;
    use super::{may_be_text_pickle, read_pickle};

    fn first(bytes: &[u8]) -> Option<(What, String)> {
        read_pickle(bytes).map(|facts| (facts.facts[0].what, facts.facts[0].detail.clone()))
    }

    #[test]
    fn calls_are_told_in_every_protocol() {
        let exec = |text: &str| Some((What::Exec, text.to_owned()));
        assert_eq!(first(b"cposix\nsystem\n(S'id -u'\ntR."), exec("id -u"));
        assert_eq!(first(b"(S'id -u'\nios\nsystem\n."), exec("id -u"));
        assert_eq!(
            first(b"\x80\x02cos\nsystem\nq\x00X\x05\x00\x00\x00id -uq\x01\x85q\x02Rq\x03."),
            exec("id -u")
        );
        assert_eq!(
            first(b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x05id -u\x94\x85\x94R\x94."),
            exec("id -u")
        );
        let eval = first(b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93\x8c\x09import os\x85R.");
        assert_eq!(eval, Some((What::Eval, "pickle builtins.exec".to_owned())));
        assert_eq!(
            first(b"\x80\x04\x8c\x0bnumpy.f2py_\x8c\x09os.system\x93\x8c\x05id -u\x85R."),
            exec("id -u")
        );
    }

    #[test]
    fn values_are_nothing() {
        assert_eq!(first(b"\x80\x04\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R."), None);
        assert_eq!(first(b"\x80\x04\x8c\x02os\x8c\x06system\x86."), None, "two words are no call");
        assert_eq!(first(b""), None);
        assert_eq!(first(&[0x80, 4, 0x8d, 255, 255, 255, 255, 255, 255, 255, 255]), None);
    }

    #[test]
    fn text_is_told_from_pickles_of_text() {
        assert!(may_be_text_pickle(b"cposix\nsystem\n(S'id'\ntR."));
        assert!(!may_be_text_pickle(b"class A:\n  pass\n"));
        assert!(!may_be_text_pickle(b"changes\nof the year\n."));
    }
}
