//! Reads NumPy arrays: a head that says type and shape, then the numbers; an array of objects is a pickle instead.
//!
//! Several arrays may stand in one file. What stands behind the last one is told, because a reader of arrays never sees it.

use tidegate_model::finding::FindingSeverity::{Low, Medium};

use super::pickle;
use super::remark::{Told, What};
use crate::bytes::{is_zero, u16_le, u32_le};

/// What an array begins with.
const MAGIC: &[u8] = b"\x93NUMPY";

/// Arrays of one file.
const ARRAYS: usize = 10_000;

/// Bytes of a head of which the type is read.
const HEAD_BYTES: usize = 64 << 10;

/// Reads a file of arrays.
pub(super) fn read(bytes: &[u8], told: &mut Told) {
    let mut at = 0;
    for _ in 0..ARRAYS {
        match array(bytes, at, told) {
            Some(end) => at = end,
            None => return,
        }
        if !bytes.get(at..).is_some_and(|rest| rest.starts_with(MAGIC)) {
            return behind(bytes, at, told);
        }
    }
    told.gap("a file holds more arrays than are read");
}

/// Reads one array; where it ends, as far as that can be told.
fn array(bytes: &[u8], at: usize, told: &mut Told) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let (start, length) = match rest.get(6) {
        Some(1) => (10, u16_le(rest, 8).map_or(0, usize::from)),
        _ => (12, u32_le(rest, 8).map_or(0, |length| length as usize)),
    };
    let end = length.saturating_add(start);
    let (Some(head), Some(data)) = (rest.get(start..end), rest.get(end..)) else {
        told.gap("the head of an array leads outside the file");
        return None;
    };
    if has_objects(head) {
        told.is_of("numpy");
        pickle::read(data, told);
        return None;
    }
    let size = usize::try_from(head::bytes(head.get(..HEAD_BYTES).unwrap_or(head))?).ok()?;
    if size > data.len() {
        told.at(
            at,
            What::Form("its head says that it has more numbers than are there".to_owned(), Low),
            None,
        );
        return None;
    }
    if at == 0 {
        told.numbers = Some(end..end + size);
    }
    Some(at + end + size)
}

/// What stands behind the arrays, unless it is padding.
fn behind(bytes: &[u8], at: usize, told: &mut Told) {
    let rest = bytes.get(at..).unwrap_or_default();
    if is_zero(rest) {
        return;
    }
    told.at(at, What::Form(format!("{} bytes stand behind its numbers", rest.len()), Medium), None);
    if pickle::may_be(rest) && pickle::read(rest, told).is_pickle {
        told.is_of("numpy");
    }
}

/// Whether the type has objects in it: `'|O'`, also as a part of a record.
fn has_objects(head: &[u8]) -> bool {
    head.windows(2).any(|pair| matches!(pair, [b'\'' | b'"' | b'|' | b'<' | b'>' | b'=', b'O']))
        || memchr::memmem::find(head, b"object").is_some()
        || head.contains(&b'\\')
}

/// The head: a dictionary as Python writes it.
mod head {
    use crate::models::pickle::width;

    /// Bytes of all numbers; none where the head says too little.
    pub(super) fn bytes(head: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(head).ok()?;
        let item = item(after(text, "descr")?)?;
        let shape = after(text, "shape")?.strip_prefix('(')?.split_once(')')?.0;
        numbers(shape).try_fold(item, |all, side| all.checked_mul(side?))
    }

    /// What stands behind a key.
    fn after<'t>(text: &'t str, key: &str) -> Option<&'t str> {
        let at = text.find(&format!("'{key}'")).or_else(|| text.find(&format!("\"{key}\"")))?;
        Some(text[at + key.len() + 2..].trim_start().strip_prefix(':')?.trim_start())
    }

    /// Bytes of one item: of a plain type, or of a record with all its fields.
    fn item(text: &str) -> Option<u64> {
        match text.as_bytes().first()? {
            b'\'' | b'"' => word(text).and_then(|(word, _)| width(word)).map(u64::from),
            b'[' => {
                let (mut all, mut rest) = (0_u64, text[1..].trim_start());
                while let Some(field) = rest.strip_prefix('(') {
                    let (_, behind) = word(field.trim_start())?;
                    let (kind, behind) = word(behind.trim_start().strip_prefix(',')?.trim_start())?;
                    let mut size = u64::from(width(kind)?);
                    let mut behind = behind.trim_start();
                    if let Some(sides) = behind.strip_prefix(',').map(str::trim_start)
                        && let Some(sides) = sides.strip_prefix('(')
                    {
                        let (sides, after) = sides.split_once(')')?;
                        size = numbers(sides).try_fold(size, |all, side| all.checked_mul(side?))?;
                        behind = after.trim_start();
                    }
                    rest = behind.trim_start_matches(',').trim_start().strip_prefix(')')?;
                    rest = rest.trim_start_matches([',', ' ']);
                    all = all.checked_add(size)?;
                }
                rest.starts_with(']').then_some(all)
            }
            _ => None,
        }
    }

    /// A text in quotes, and what stands behind it.
    fn word(text: &str) -> Option<(&str, &str)> {
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        text[1..].split_once(quote)
    }

    fn numbers(text: &str) -> impl Iterator<Item = Option<u64>> + '_ {
        let sides = text.split(',').map(str::trim).filter(|side| !side.is_empty());
        sides.map(|side| side.trim_end_matches('L').parse().ok())
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn sizes_of_plain_types_and_of_records_are_known() {
            for (head, expected) in [
                ("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", Some(48)),
                ("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", Some(1)),
                (
                    "{'descr': [('id', '<i4'), ('x', '<f4', (2,))], 'fortran_order': False, 'shape': (4,), }",
                    Some(48),
                ),
                ("{'descr': '<f8', 'shape': (18446744073709551615, 2), }", None),
                ("{'descr': [('a', [('b', '<i4')])], 'shape': (1,), }", None),
                ("{'shape': (1,), }", None),
            ] {
                assert_eq!(super::bytes(head.as_bytes()), expected, "{head}");
            }
        }
    }
}
