//! The operands of operations: what stands behind them in the bytes. Long texts and arrays are passed over by their length.

use super::machine::{Machine, Step};
use super::value::Value;
use crate::bytes::{u32_le, u64_le};

/// Bytes of a module or a name.
const NAME_BYTES: usize = 1 << 10;

impl<'b> Machine<'b> {
    pub(super) fn take(&mut self, count: usize) -> Step<&'b [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub(super) fn number(&mut self, width: usize) -> Step<usize> {
        let bytes = self.take(width)?;
        match width {
            1 => bytes.first().map(|byte| usize::from(*byte)),
            4 => u32_le(bytes, 0).map(|number| number as usize),
            _ => usize::try_from(u64_le(bytes, 0)?).ok(),
        }
    }

    /// What is left of the line, which may not be missing its end.
    pub(super) fn line(&mut self) -> Step<&'b [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let length = memchr::memchr(b'\n', rest)?;
        self.at += length + 1;
        rest.get(..length)
    }

    pub(super) fn line_number(&mut self) -> Step<u64> {
        std::str::from_utf8(self.line()?).ok()?.trim().parse().ok()
    }

    pub(super) fn name_line(&mut self) -> Step<String> {
        let rest = self.bytes.get(self.at..)?;
        let length = memchr::memchr(b'\n', rest.get(..NAME_BYTES).unwrap_or(rest))?;
        self.at += length + 1;
        let name = std::str::from_utf8(&rest[..length]).ok()?;
        let name = name.strip_suffix('\r').unwrap_or(name);
        is_name(name).then(|| name.to_owned())
    }

    #[inline]
    pub(super) fn sized_text(&mut self, width: usize) -> Step {
        let length = self.number(width)?;
        self.take(length)?;
        self.push(Value::Str(self.begin as u64))
    }

    pub(super) fn sized_bytes(&mut self, width: usize) -> Step {
        let length = self.number(width)?;
        self.take(length)?;
        self.push(Value::Bytes(self.begin as u64))
    }

    pub(super) fn long(&mut self) -> Step {
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
}

/// Whether a text can name a module or what is in one.
pub(super) fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>' | '-');
    !text.is_empty() && text.len() <= NAME_BYTES && text.chars().all(is_letter)
}
