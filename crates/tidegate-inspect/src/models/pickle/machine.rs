//! The machine: every operation of protocols 0 to 5, over values that stand for what a loader would build.
//!
//! Memory is bounded by the constants named here whatever the pickle is. Long texts and arrays are passed over by their length.

use std::collections::HashMap;

use super::globals::{Standing, Table, Tool};
use super::value::{Tuples, Value};
use super::wrapper::Wrapper;
use crate::bytes::{u16_le, u32_le, u64_le};
use crate::models::remark::Told;

/// Items of one list or tuple under way that are kept one by one: its first and its last.
const FRAME_ITEMS: usize = 64 << 10;

/// Of a longer one, so many of the last are kept.
const FRAME_LAST: usize = 1 << 10;

/// Values on the stack in all.
const STACK_ITEMS: usize = 512 << 10;

/// Lists and tuples under way within one another.
const MARKS: usize = 64 << 10;

/// Values that are remembered by number.
const MEMO_ITEMS: usize = 1 << 20;

/// Of those beyond, so many that are names.
const MEMO_BEYOND: usize = 16 << 10;

/// Names that are told apart.
pub(super) const NAMES: usize = 16 << 10;

/// Bytes of a module or a name.
const NAME_BYTES: usize = 1 << 10;

/// Bytes of all texts that were put together.
const TEXT_BYTES: usize = 256 << 10;

/// Pickles within pickles.
const DEPTH: u32 = 4;

/// How one pickle ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With its last operation.
    Stop,
    /// With bytes that are no operation, or with one that cannot be carried out. A loader fails here.
    Broken,
}

/// A name that was loaded.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) standing: Standing,
    /// Where it was loaded first.
    pub(super) at: usize,
    /// Whether it is called, and with what the first time.
    pub(super) called: bool,
    pub(super) with: Option<String>,
}

pub(super) struct Machine<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) at: usize,
    /// Where the operation at work begins.
    pub(super) begin: usize,
    pub(super) stack: Vec<Value>,
    marks: Vec<u32>,
    memo: Vec<Value>,
    beyond: HashMap<u64, Value>,
    memo_next: u64,
    /// The last texts that were remembered beyond the bound, with their numbers.
    recent: [(u64, Value); 4],
    pub(super) names: Vec<Name>,
    by_name: HashMap<(String, String), u32>,
    /// The last names by where their operands stand: most are loaded again and again from the same.
    pub(super) tuples: Tuples,
    pub(super) texts: Vec<String>,
    text_bytes: usize,
    pub(super) told: &'b mut Told,
    pub(super) table: &'static Table,
    pub(super) wrapper: Option<Wrapper>,
    pub(super) depth: u32,
    /// Operations that were carried out.
    pub(super) operations: u64,
}

/// None where a loader would fail.
pub(super) type Step<T = ()> = Option<T>;

impl<'b> Machine<'b> {
    pub(super) fn new(bytes: &'b [u8], told: &'b mut Told, depth: u32) -> Self {
        Self {
            bytes,
            at: 0,
            begin: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            beyond: HashMap::new(),
            memo_next: 0,
            recent: [(u64::MAX, Value::Opaque); 4],
            names: Vec::new(),
            by_name: HashMap::new(),
            tuples: Tuples::new(),
            texts: Vec::new(),
            text_bytes: 0,
            told,
            table: Table::builtin(),
            wrapper: None,
            depth,
            operations: 0,
        }
    }

    /// Carries out one pickle from where it stands, at most so many operations.
    pub(super) fn run(&mut self, most: u64) -> End {
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        self.beyond.clear();
        self.memo_next = 0;
        let limit = self.operations.saturating_add(most);
        while self.operations < limit {
            self.begin = self.at;
            let Some(&operation) = self.bytes.get(self.at) else { return End::Broken };
            self.at += 1;
            if operation == b'.' {
                self.operations += 1;
                return if self.pop().is_some() { End::Stop } else { End::Broken };
            }
            if self.step(operation).is_none() {
                self.at = self.begin;
                return End::Broken;
            }
            self.operations += 1;
        }
        End::Broken
    }

    #[inline]
    fn step(&mut self, operation: u8) -> Step {
        match operation {
            // Texts and bytes.
            0x8c => self.sized_text(1),
            b'X' => self.sized_text(4),
            0x8d => self.sized_text(8),
            b'U' => self.sized_text(1),
            b'T' => self.sized_text(4),
            b'C' => self.sized_bytes(1),
            b'B' => self.sized_bytes(4),
            0x8e | 0x96 => self.sized_bytes(8),
            b'S' | b'V' => {
                self.line()?;
                self.push(Value::Str(self.begin as u64))
            }
            // Numbers and other values.
            b'K' => {
                let value = *self.take(1)?.first()?;
                self.push(Value::Int(value.into()))
            }
            b'M' => {
                let value = u16_le(self.take(2)?, 0)?;
                self.push(Value::Int(value.into()))
            }
            b'J' => {
                let value = u32_le(self.take(4)?, 0)?.cast_signed();
                self.push(Value::Int(value.into()))
            }
            b'G' => {
                self.take(8)?;
                self.push(Value::Opaque)
            }
            0x8a => self.long(),
            0x8b => {
                let length = self.number(4)?;
                self.take(length)?;
                self.push(Value::Opaque)
            }
            b'I' | b'L' | b'F' | b'P' => {
                let line = self.line()?;
                let value =
                    std::str::from_utf8(line).ok().and_then(|text| text.trim_end_matches('L').parse().ok());
                self.push(value.map_or(Value::Opaque, Value::Int))
            }
            b'N' | 0x88 | 0x89 | b']' | b'}' | 0x8f => self.push(Value::Opaque),
            0x97 => self.push(Value::Opaque),
            0x98 => self.top().map(|_| ()),
            // The memo.
            0x94 => {
                let value = self.top()?;
                let number = self.memo_next;
                self.remember(number, value)
            }
            b'q' => {
                let number = u64::from(*self.take(1)?.first()?);
                let value = self.top()?;
                self.remember(number, value)
            }
            b'r' => {
                let number = self.number(4)? as u64;
                let value = self.top()?;
                self.remember(number, value)
            }
            b'p' => {
                let number = self.line_number()?;
                let value = self.top()?;
                self.remember(number, value)
            }
            b'h' => {
                let number = u64::from(*self.take(1)?.first()?);
                self.recall(number)
            }
            b'j' => {
                let number = self.number(4)? as u64;
                self.recall(number)
            }
            b'g' => {
                let number = self.line_number()?;
                self.recall(number)
            }
            // The stack, lists and tuples.
            b'(' => self.mark(),
            b')' => self.push_tuple(0),
            0x85 => self.push_tuple(1),
            0x86 => self.push_tuple(2),
            0x87 => self.push_tuple(3),
            b't' => {
                let start = self.unmark()?;
                let value = self.tuples.keep(&self.stack[start..]);
                self.stack.truncate(start);
                self.push(value)
            }
            b'l' | b'd' | 0x91 => {
                let start = self.unmark()?;
                self.stack.truncate(start);
                self.push(Value::Opaque)
            }
            b'a' => {
                self.pop()?;
                self.top().map(|_| ())
            }
            b'e' | 0x90 => {
                let start = self.unmark()?;
                self.stack.truncate(start);
                self.top().map(|_| ())
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.top()?;
                self.items(&[key, value]);
                Some(())
            }
            b'u' => self.set_items(),
            b'0' => {
                // It takes a mark away, where that is what is on top.
                if self.marks.last().is_some_and(|mark| *mark as usize == self.stack.len()) {
                    self.marks.pop();
                    return Some(());
                }
                self.pop().map(|_| ())
            }
            b'1' => {
                let start = self.unmark()?;
                self.stack.truncate(start);
                Some(())
            }
            b'2' => {
                let value = self.top()?;
                self.push(value)
            }
            // Names and calls.
            b'c' => {
                let (module, name) = (self.name_line()?, self.name_line()?);
                let value = self.global(module, name)?;
                self.push(value)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let value = self.stack_global(module, name)?;
                self.push(value)
            }
            b'i' => {
                let (module, name) = (self.name_line()?, self.name_line()?);
                let start = self.unmark()?;
                let arguments = self.tuples.keep(&self.stack[start..]);
                self.stack.truncate(start);
                let callable = self.global(module, name)?;
                let value = self.call(callable, arguments)?;
                self.push(value)
            }
            b'o' => {
                let start = self.unmark()?;
                let callable = *self.stack.get(start)?;
                let arguments = self.tuples.keep(&self.stack[start + 1..]);
                self.stack.truncate(start);
                let value = self.call(callable, arguments)?;
                self.push(value)
            }
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                let value = self.call(callable, arguments)?;
                self.push(value)
            }
            0x92 => {
                let (_, arguments, callable) = (self.pop()?, self.pop()?, self.pop()?);
                let value = self.call(callable, arguments)?;
                self.push(value)
            }
            b'b' => self.build(),
            0x82 => self.extension(1),
            0x83 => self.extension(2),
            0x84 => self.extension(4),
            b'Q' => {
                let id = self.pop()?;
                self.persistent(id);
                self.push(Value::Opaque)
            }
            // The protocol and its frames.
            0x80 => (*self.take(1)?.first()? <= 5).then_some(()),
            0x95 => self.take(8).map(|_| ()),
            _ => None,
        }
    }

    pub(super) fn take(&mut self, count: usize) -> Step<&'b [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn number(&mut self, width: usize) -> Step<usize> {
        let bytes = self.take(width)?;
        match width {
            1 => bytes.first().map(|byte| usize::from(*byte)),
            4 => u32_le(bytes, 0).map(|number| number as usize),
            _ => usize::try_from(u64_le(bytes, 0)?).ok(),
        }
    }

    /// What is left of the line, which may not be missing its end.
    fn line(&mut self) -> Step<&'b [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let length = memchr::memchr(b'\n', rest)?;
        self.at += length + 1;
        rest.get(..length)
    }

    fn line_number(&mut self) -> Step<u64> {
        std::str::from_utf8(self.line()?).ok()?.trim().parse().ok()
    }

    fn name_line(&mut self) -> Step<String> {
        let rest = self.bytes.get(self.at..)?;
        let length = memchr::memchr(b'\n', rest.get(..NAME_BYTES).unwrap_or(rest))?;
        self.at += length + 1;
        let name = std::str::from_utf8(&rest[..length]).ok()?;
        let name = name.strip_suffix('\r').unwrap_or(name);
        is_name(name).then(|| name.to_owned())
    }

    #[inline]
    fn sized_text(&mut self, width: usize) -> Step {
        let length = self.number(width)?;
        self.take(length)?;
        self.push(Value::Str(self.begin as u64))
    }

    fn sized_bytes(&mut self, width: usize) -> Step {
        let length = self.number(width)?;
        self.take(length)?;
        self.push(Value::Bytes(self.begin as u64))
    }

    fn long(&mut self) -> Step {
        let length = self.number(1)?;
        let bytes = self.take(length)?;
        let value = match bytes {
            [] => Value::Int(0),
            [.., last] if bytes.len() <= 8 => {
                let fill = if last & 0x80 == 0 { 0 } else { 0xff };
                let mut all = [fill; 8];
                all[..bytes.len()].copy_from_slice(bytes);
                Value::Int(i64::from_le_bytes(all))
            }
            _ => Value::Opaque,
        };
        self.push(value)
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) -> Step {
        if self.stack.len() >= FRAME_ITEMS {
            self.make_room()?;
        }
        self.stack.push(value);
        Some(())
    }

    /// Forgets the middle of a long list that is under way.
    #[cold]
    fn make_room(&mut self) -> Step {
        let start = self.marks.last().map_or(0, |mark| *mark as usize);
        let first = start + 64;
        let length = self.stack.len() - start;
        if length >= FRAME_ITEMS {
            let last = self.stack.len() - FRAME_LAST;
            let count = self.stack[first..last]
                .iter()
                .map(|value| if let Value::Elided(count) = value { *count } else { 1 })
                .fold(0_u64, u64::saturating_add);
            self.stack.splice(first..last, [Value::Elided(count)]);
        } else if self.stack.len() >= STACK_ITEMS {
            self.told.gap("a pickle has more lists within lists under way than are followed");
            return None;
        }
        Some(())
    }

    /// The floor below which this list or tuple may not take.
    fn floor(&self) -> usize {
        self.marks.last().map_or(0, |mark| *mark as usize)
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Step<Value> {
        if self.stack.len() <= self.floor() {
            return None;
        }
        match self.stack.last_mut()? {
            Value::Elided(count) if *count > 1 => {
                *count -= 1;
                Some(Value::Lost)
            }
            Value::Elided(_) => {
                self.stack.pop();
                Some(Value::Lost)
            }
            value => {
                let value = *value;
                self.stack.pop();
                Some(value)
            }
        }
    }

    #[inline]
    pub(super) fn top(&self) -> Step<Value> {
        if self.stack.len() <= self.floor() {
            return None;
        }
        self.stack.last().map(|value| if let Value::Elided(_) = value { Value::Lost } else { *value })
    }

    fn mark(&mut self) -> Step {
        if self.marks.len() >= MARKS {
            self.told.gap("a pickle has more lists within lists under way than are followed");
            return None;
        }
        self.marks.push(u32::try_from(self.stack.len()).ok()?);
        Some(())
    }

    fn unmark(&mut self) -> Step<usize> {
        self.marks.pop().map(|mark| mark as usize)
    }

    fn push_tuple(&mut self, count: usize) -> Step {
        let mut items = [Value::Opaque; 3];
        for item in items[..count].iter_mut().rev() {
            *item = self.pop()?;
        }
        let value = self.tuples.keep(&items[..count]);
        self.push(value)
    }

    #[inline]
    fn remember(&mut self, number: u64, value: Value) -> Step {
        self.memo_next = self.memo_next.max(number.saturating_add(1));
        if number < MEMO_ITEMS as u64 {
            let number = number as usize;
            if number == self.memo.len() {
                self.memo.push(value);
            } else {
                if number > self.memo.len() {
                    self.memo.resize(number + 1, Value::Lost);
                }
                self.memo[number] = value;
            }
        } else if matches!(value, Value::Global(_) | Value::Partial(_)) && self.beyond.len() < MEMO_BEYOND {
            self.beyond.insert(number, value);
        } else if let Value::Str(_) = value {
            self.recent.rotate_right(1);
            self.recent[0] = (number, value);
        }
        Some(())
    }

    #[inline]
    fn recall(&mut self, number: u64) -> Step {
        let value = match usize::try_from(number).ok().and_then(|number| self.memo.get(number)) {
            Some(value) => *value,
            None if number >= MEMO_ITEMS as u64 && number < self.memo_next => {
                self.beyond.get(&number).copied().unwrap_or(Value::Lost)
            }
            None => return None,
        };
        self.push(value)
    }

    /// The words of a name that was just loaded may be needed again.
    fn keep_recent(&mut self, value: Value) {
        let found = self.recent.iter().find(|(_, recent)| *recent == value).copied();
        if let Some((number, value)) = found.filter(|_| self.beyond.len() < MEMO_BEYOND) {
            self.beyond.insert(number, value);
        }
    }

    fn set_items(&mut self) -> Step {
        let start = self.unmark()?;
        if self.stack.len() - start <= FRAME_LAST {
            let items: Vec<Value> = self.stack[start..].to_vec();
            self.stack.truncate(start);
            self.top()?;
            self.items(&items);
        } else {
            self.stack.truncate(start);
            self.top()?;
        }
        Some(())
    }

    /// Keys and values of a dictionary that is on top.
    fn items(&mut self, items: &[Value]) {
        let below = self.stack.len().checked_sub(2).and_then(|at| self.stack.get(at));
        if let Some(Value::Made(number)) = below
            && self.names.get(*number as usize).is_some_and(Name::is_wrapper)
        {
            self.wrapper = Wrapper::of(self, items);
        }
    }

    fn extension(&mut self, width: usize) -> Step {
        self.take(width)?;
        self.push(Value::Extension)
    }

    fn stack_global(&mut self, module: Value, name: Value) -> Step<Value> {
        self.keep_recent(module);
        self.keep_recent(name);
        let is_built = [module, name].iter().any(|value| matches!(value, Value::Text(_)));
        match (self.word(module), self.word(name)) {
            (Some(module), Some(name)) if is_name(&module) && is_name(&name) => {
                if is_built {
                    self.hides("puts the name of what it loads together out of parts", true);
                }
                self.global(module, name)
            }
            (Some(_), Some(_)) => None,
            _ => {
                let grave = module == Value::Computed || name == Value::Computed;
                self.hides("loads what it names by a computation", grave);
                Some(Value::Attribute)
            }
        }
    }

    /// The text of a value, as far as it is known.
    pub(super) fn word(&self, value: Value) -> Option<String> {
        match value {
            Value::Str(at) => super::text::at(self.bytes, usize::try_from(at).ok()?),
            Value::Text(number) => self.texts.get(number as usize).cloned(),
            _ => None,
        }
    }

    /// Keeps a text that was put together.
    pub(super) fn text(&mut self, text: String) -> Value {
        self.text_bytes += text.len();
        if self.text_bytes > TEXT_BYTES {
            return Value::Computed;
        }
        self.texts.push(text);
        Value::Text((self.texts.len() - 1) as u32)
    }

    /// Loads a name.
    pub(super) fn global(&mut self, module: String, name: String) -> Step<Value> {
        let key = (module, name);
        if let Some(number) = self.by_name.get(&key) {
            return Some(Value::Global(*number));
        }
        if self.names.len() >= NAMES {
            self.told.gap("a pickle loads more names than are told apart");
            return Some(Value::Attribute);
        }
        let standing = self.table.standing(&key.0, &key.1);
        let number = self.names.len() as u32;
        let (module, name) = key.clone();
        self.names.push(Name { module, name, standing, at: self.begin, called: false, with: None });
        self.by_name.insert(key, number);
        Some(Value::Global(number))
    }

    /// Tells that it hides something.
    pub(super) fn hides(&mut self, how: &'static str, grave: bool) {
        let what = crate::models::remark::What::PickleHides(how, grave);
        self.told.at(self.begin, what, None);
    }

    /// Reads a pickle that lies in this one.
    pub(super) fn within(&mut self, bytes: &[u8]) -> bool {
        if self.depth >= DEPTH {
            self.told.gap("pickles within pickles are too deep to be read");
            return false;
        }
        let offset = self.begin;
        let mut inner = Told::default();
        let read = super::read_within(bytes, &mut inner, self.depth + 1);
        for mut remark in inner.remarks {
            remark.offset = Some(offset as u64);
            self.told.at(offset, remark.what, remark.evidence);
        }
        inner.gaps.into_iter().for_each(|gap| self.told.gap(gap));
        read
    }
}

impl Name {
    /// Whether it stands for an array whose numbers follow behind it.
    fn is_wrapper(&self) -> bool {
        self.name == "NumpyArrayWrapper"
    }

    /// `module.name`.
    pub(super) fn whole(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }

    pub(super) fn tool(&self) -> Option<Tool> {
        match self.standing {
            Standing::Tool(tool) => Some(tool),
            _ => None,
        }
    }
}

/// Whether a text can name a module or what is in one.
pub(super) fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>' | '-');
    !text.is_empty() && text.len() <= NAME_BYTES && text.chars().all(is_letter)
}
