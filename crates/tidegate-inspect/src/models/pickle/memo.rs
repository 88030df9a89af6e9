//! The memo: values that are remembered by number.

use super::machine::{Machine, Step};
use super::value::Value;

/// Values that are remembered by number.
const MEMO_ITEMS: usize = 1 << 20;

/// Of those beyond, so many that are names.
const MEMO_BEYOND: usize = 16 << 10;

impl<'b> Machine<'b> {
    #[inline]
    pub(super) fn remember(&mut self, number: u64, value: Value) -> Step {
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
    pub(super) fn recall(&mut self, number: u64) -> Step {
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
    pub(super) fn keep_recent(&mut self, value: Value) {
        let found = self.recent.iter().find(|(_, recent)| *recent == value).copied();
        if let Some((number, value)) = found.filter(|_| self.beyond.len() < MEMO_BEYOND) {
            self.beyond.insert(number, value);
        }
    }
}
