//! Reads pickles: programs of a small machine that a loader runs.
//!
//! The machine is followed with a real stack and memo; what is called is judged by name, three ways (`globals`). Reading goes on behind
//! the end of a pickle, because several stand in a row in many files, and what ran before a break counts: a broken tail does not
//! undo a call. Nothing is built, nothing is called, and memory does not grow with the file.

mod call;
pub(crate) mod globals;
mod machine;
mod memo;
mod names;
mod operands;
mod stack;
mod storage;
mod text;
mod value;
mod wrapper;

#[cfg(test)]
mod tests;

use globals::{Standing, Tool};
use machine::{End, Machine};
pub(super) use wrapper::width;

use super::remark::{Told, Unlisted, What};

/// Pickles in a row that are read.
const IN_A_ROW: usize = 100_000;

/// Places behind a break that are tried.
const TRIES: usize = 100_000;

/// Operations that a try behind a break may take, all tries together.
const TRY_OPERATIONS: u64 = 20_000_000;

/// What bytes are as a pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// Whether they are one: at least one came to its end, or began as only pickles do and loaded something.
    pub(crate) is_pickle: bool,
    /// Bytes up to the end of the last whole pickle.
    pub(crate) end: usize,
}

/// Reads a leaf that may be a pickle.
pub(crate) fn read(bytes: &[u8], told: &mut Told) -> Read {
    let before = told.mark();
    let read = read_at_depth(bytes, told, 0);
    if !read.is_pickle {
        // Numbers may look like a few operations; what they would do is nobody's doing.
        told.back_to(before);
    }
    read
}

/// Whether bytes begin like a pickle. Nearly all that do and are none fail after a few operations.
pub(crate) fn may_be(bytes: &[u8]) -> bool {
    match bytes {
        [0x80, 0..=5, ..] => true,
        [first, second, ..] => {
            is_start(*first)
                && !(first.is_ascii_alphabetic() && second.is_ascii_whitespace() && *second != b'\n')
        }
        _ => false,
    }
}

/// First operations of pickles without a protocol.
fn is_start(byte: u8) -> bool {
    matches!(
        byte,
        b'c' | b'(' | b']' | b'}' | b')' | b'I' | b'L' | b'F' | b'S' | b'V' | b'U' | b'T' | b'X' | b'C' | b'B' | b'K' | b'M' | b'J' | b'G' | b'N' | b'P'
            | 0x82..=0x84 | 0x8a..=0x8f | 0x95 | 0x96
    )
}

fn read_within(bytes: &[u8], told: &mut Told, depth: u32) -> bool {
    read_at_depth(bytes, told, depth).is_pickle
}

fn read_at_depth(bytes: &[u8], told: &mut Told, depth: u32) -> Read {
    let mut machine = Machine::new(bytes, told, depth);
    let mut read = Read { is_pickle: false, end: 0 };
    let mut last = End::Stop;
    for _ in 0..IN_A_ROW {
        let begin = machine.at;
        if begin > 0 && !bytes.get(begin..).is_some_and(may_be) {
            break;
        }
        let (names, before) = (machine.names.len(), machine.told.mark());
        last = machine.run(u64::MAX);
        let has_protocol = bytes.get(begin) == Some(&0x80);
        if last == End::Stop {
            read.end = machine.at;
            read.is_pickle |= has_protocol || !machine.names.is_empty();
            continue;
        }
        if begin > 0 && !has_protocol && machine.names.len() == names {
            machine.told.back_to(before);
        }
        read.is_pickle |= has_protocol && machine.operations > 1 && !machine.names.is_empty();
        read.is_pickle |= machine.names.iter().any(|name| name.called);
        break;
    }
    if read.is_pickle {
        machine.tell();
        let behind = machine.at;
        if last == End::Broken || behind < bytes.len() {
            tries(bytes, behind, told, depth);
        }
    }
    read
}

/// Reads one pickle at the start of bytes; its length.
fn read_one(bytes: &[u8], told: &mut Told, depth: u32) -> Option<usize> {
    if depth > 4 {
        return None;
    }
    let mut machine = Machine::new(bytes, told, depth);
    let end = machine.run(u64::MAX);
    machine.tell();
    (end == End::Stop).then_some(machine.at)
}

/// Looks for pickles behind the last one that could be read: behind arrays, storages and breaks.
fn tries(bytes: &[u8], from: usize, told: &mut Told, depth: u32) {
    let mut operations = 0;
    let mut at = from;
    for _ in 0..TRIES {
        let Some(next) = bytes.get(at..).and_then(next_start) else { return };
        at += next;
        let mut unheard = Told::default();
        let rest = bytes.get(at..).unwrap_or_default();
        let mut machine = Machine::new(rest, &mut unheard, depth);
        let end = machine.run(TRY_OPERATIONS.saturating_sub(operations));
        operations += machine.operations + 16;
        let loads =
            machine.names.iter().any(|name| name.called || matches!(name.standing, Standing::Denied(_)));
        let length = machine.at.max(1);
        if loads && (end == End::Stop || machine.operations > 4) {
            machine.tell();
            for mut remark in unheard.remarks {
                remark.offset = remark.offset.map(|offset| offset + at as u64);
                told.at(
                    usize::try_from(remark.offset.unwrap_or_default()).unwrap_or(at),
                    remark.what,
                    remark.evidence,
                );
            }
        }
        at += if end == End::Stop { length } else { 1 };
        if operations >= TRY_OPERATIONS {
            told.gap("behind the end of a pickle stands more that may be pickles than is read");
            return;
        }
    }
    told.gap("behind the end of a pickle stands more that may be pickles than is read");
}

/// The next place where a pickle of protocol 2 or later may begin, with an operation behind it that begins ordinary ones.
fn next_start(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr(0x80, bytes.get(at..)?)?;
        if let [2..=5, next, ..] = bytes.get(at + 1..)? {
            let is_likely = match next {
                b'c' => bytes.get(at + 3).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_'),
                0x95 => bytes.get(at + 8..at + 12).is_some_and(|high| high == [0, 0, 0, 0]),
                0x8c | b'(' | b'}' | b']' | b'X' => true,
                _ => false,
            };
            if is_likely {
                return Some(at);
            }
        }
        at += 1;
    }
}

impl Machine<'_> {
    /// Tells of every name that is not safe, in the order of the pickle.
    fn tell(&mut self) {
        for name in std::mem::take(&mut self.names) {
            let (whole, called) = (name.whole(), name.called);
            let unlisted = |unlisted| What::PickleUnknown { name: whole.clone(), called, unlisted };
            let what = match name.standing {
                Standing::Safe => continue,
                Standing::Denied(does) => What::PickleDenied { name: whole.clone(), does, called },
                Standing::Part if called => unlisted(Unlisted::Unknown),
                Standing::Part => unlisted(Unlisted::Part),
                Standing::Own => unlisted(Unlisted::Own),
                Standing::Unknown => unlisted(Unlisted::Unknown),
                Standing::Tool(Tool::Code) => What::PickleCode(whole.clone(), called),
                Standing::Tool(Tool::Applies) if called => unlisted(Unlisted::Unknown),
                Standing::Tool(_) => continue,
            };
            self.told.at(name.at, what, name.with);
        }
    }
}
