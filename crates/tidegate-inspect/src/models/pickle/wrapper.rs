//! Arrays of joblib: a wrapper object says type and shape, and the numbers follow behind it as they are, between operations.

use super::machine::{Machine, Step};
use super::value::Value;

/// What a wrapper says of the array behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrapper {
    /// Bytes of all numbers; none for objects, which follow as a pickle of their own.
    bytes: Option<u64>,
    /// Whether the numbers are aligned, with a byte that says by how much.
    aligned: bool,
}

impl Wrapper {
    /// Reads the dictionary of a wrapper; none where it does not say enough.
    pub(super) fn of(machine: &Machine<'_>, items: &[Value]) -> Option<Self> {
        let get = |wanted: &str| {
            items
                .chunks_exact(2)
                .find(|pair| machine.word(pair[0]).is_some_and(|key| key == wanted))
                .map(|pair| pair[1])
        };
        let aligned = matches!(get("numpy_array_alignment_bytes"), Some(Value::Int(_)));
        let Value::Dtype(width) = get("dtype")? else { return None };
        if width == 0 {
            return Some(Self { bytes: None, aligned: false });
        }
        let shape = machine.tuples.get(get("shape")?).filter(|shape| shape.whole)?;
        let bytes = shape.items().iter().try_fold(u64::from(width), |all, side| match side {
            Value::Int(side) => all.checked_mul(u64::try_from(*side).ok()?),
            _ => None,
        })?;
        Some(Self { bytes: Some(bytes), aligned })
    }
}

impl Machine<'_> {
    /// Passes over the array of a wrapper that was just filled.
    pub(super) fn pass_array(&mut self) -> Step {
        let Some(wrapper) = self.wrapper.take() else { return Some(()) };
        match wrapper.bytes {
            Some(bytes) => {
                if wrapper.aligned {
                    let padding = usize::from(*self.take(1)?.first()?);
                    self.take(padding)?;
                }
                self.take(usize::try_from(bytes).ok()?).map(|_| ())
            }
            None => {
                let rest = self.bytes.get(self.at..)?;
                let length = super::read_one(rest, self.told, self.depth + 1)?;
                self.take(length).map(|_| ())
            }
        }
    }
}

/// Bytes of one item of a NumPy type: `f8`, `<i4`, `U10`; 0 for objects.
pub(in crate::models) fn width(name: &str) -> Option<u32> {
    let name = name.trim_start_matches(['<', '>', '|', '=']);
    let mut letters = name.chars();
    let kind = letters.next()?;
    let digits: String = letters.take_while(char::is_ascii_digit).collect();
    let size = digits.parse::<u32>().ok();
    match (kind, size) {
        ('O', _) => Some(0),
        ('U', Some(size)) => size.checked_mul(4),
        ('M' | 'm', _) => Some(8),
        ('?', None) => Some(1),
        ('b' | 'i' | 'u' | 'f' | 'c' | 'S' | 'a' | 'V', Some(size)) if size > 0 => Some(size),
        _ => None,
    }
}
