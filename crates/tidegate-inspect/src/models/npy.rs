//! Reads NumPy arrays: a head that says type and shape, then the numbers; an array of objects is a pickle instead.

use super::pickle;
use super::remark::Told;
use crate::bytes::{u16_le, u32_le};

/// Reads an array.
pub(super) fn read(bytes: &[u8], told: &mut Told) {
    let (start, length) = match bytes.get(6) {
        Some(1) => (10, u16_le(bytes, 8).map_or(0, usize::from)),
        _ => (12, u32_le(bytes, 8).map_or(0, |length| length as usize)),
    };
    let end = length.saturating_add(start);
    let (Some(head), Some(data)) = (bytes.get(start..end), bytes.get(end..)) else {
        return told.gap("the head of an array leads outside the file");
    };
    if has_objects(head) {
        told.is_of("numpy");
        pickle::read(data, told);
    }
}

/// Whether the type has objects in it: `'|O'`, also as a part of a record.
fn has_objects(head: &[u8]) -> bool {
    head.windows(2).any(|pair| matches!(pair, [b'\'' | b'"' | b'|' | b'<' | b'>' | b'=', b'O']))
        || memchr::memmem::find(head, b"object").is_some()
        || head.contains(&b'\\')
}
