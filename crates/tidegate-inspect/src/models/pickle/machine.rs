//! The machine: every operation of protocols 0 to 5, over values that stand for what a loader would build.
//!
//! Memory is bounded whatever the pickle is, by the constants of each part: the stack, the memo, the names, the tuples.

use std::collections::HashMap;

use super::globals::Table;
use super::names::Name;
use super::stack::FRAME_LAST;
use super::value::{Tuples, Value};
use super::wrapper::Wrapper;
use crate::bytes::{u16_le, u32_le};
use crate::models::remark::Told;

/// How one pickle ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With its last operation.
    Stop,
    /// With bytes that are no operation, or with one that cannot be carried out. A loader fails here.
    Broken,
}

pub(super) struct Machine<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) at: usize,
    /// Where the operation at work begins.
    pub(super) begin: usize,
    pub(super) stack: Vec<Value>,
    pub(super) marks: Vec<u32>,
    pub(super) memo: Vec<Value>,
    pub(super) beyond: HashMap<u64, Value>,
    pub(super) memo_next: u64,
    /// The last texts that were remembered beyond the bound, with their numbers.
    pub(super) recent: [(u64, Value); 4],
    pub(super) names: Vec<Name>,
    pub(super) by_name: HashMap<(String, String), u32>,
    pub(super) tuples: Tuples,
    pub(super) texts: Vec<String>,
    pub(super) text_bytes: usize,
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
}
