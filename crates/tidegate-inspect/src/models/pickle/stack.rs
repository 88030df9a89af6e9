//! The stack and its marks. What is under way grows with the pickle; what is kept of it does not.

use super::machine::{Machine, Step};
use super::value::Value;

/// Items of one list or tuple under way that are kept one by one: its first and its last.
const FRAME_ITEMS: usize = 64 << 10;

/// Of a longer one, so many of the last are kept.
pub(super) const FRAME_LAST: usize = 1 << 10;

/// Values on the stack in all.
const STACK_ITEMS: usize = 512 << 10;

/// Lists and tuples under way within one another.
const MARKS: usize = 64 << 10;

impl<'b> Machine<'b> {
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
    pub(super) fn make_room(&mut self) -> Step {
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
    pub(super) fn floor(&self) -> usize {
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

    pub(super) fn mark(&mut self) -> Step {
        if self.marks.len() >= MARKS {
            self.told.gap("a pickle has more lists within lists under way than are followed");
            return None;
        }
        self.marks.push(u32::try_from(self.stack.len()).ok()?);
        Some(())
    }

    pub(super) fn unmark(&mut self) -> Step<usize> {
        self.marks.pop().map(|mark| mark as usize)
    }

    pub(super) fn push_tuple(&mut self, count: usize) -> Step {
        let mut items = [Value::Opaque; 3];
        for item in items[..count].iter_mut().rev() {
            *item = self.pop()?;
        }
        let value = self.tuples.keep(&items[..count]);
        self.push(value)
    }
}
