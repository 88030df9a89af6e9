//! UTF-16 in the midst of anything: every other byte is zero and those between are text.

use super::map::Builder;
use super::{Source, View, ViewKind};

/// Characters that make a run.
const RUN: usize = 16;

pub(super) fn make(source: &Source<'_>, visit: &mut dyn FnMut(&View<'_>)) {
    let bytes = source.bytes;
    let mut builder = Builder::new(ViewKind::Utf16, source, visit);
    let mut at = 0;
    while let Some(zero) = memchr::memchr(0, bytes.get(at..).unwrap_or_default()).map(|found| at + found) {
        // Text before a zero is little-endian, text behind it big-endian. The longer run is meant; of equal ones both may be.
        let little = zero.checked_sub(1).filter(|start| *start >= at);
        let runs = [(little, 0), (Some(zero), 1)]
            .map(|(start, low)| (start.map_or(0, |s| length(bytes, s, low)), start, low));
        let longest = runs.iter().map(|run| run.0).max().unwrap_or(0);
        if longest < RUN {
            at = zero + 1;
            continue;
        }
        for (_, start, low) in runs.into_iter().filter(|run| run.0 == longest) {
            let start = start.unwrap_or(zero);
            for unit in (start..start + 2 * longest).step_by(2) {
                push(&mut builder, bytes[unit + low], unit);
            }
            at = start + 2 * longest;
            builder.end_run(at);
        }
    }
    builder.finish();
}

/// Characters from `start` on, with the significant byte at `low` of each two.
fn length(bytes: &[u8], start: usize, low: usize) -> usize {
    bytes[start..].chunks_exact(2).take_while(|unit| unit[1 - low] == 0 && is_text(unit[low])).count()
}

/// Printable ASCII and Latin-1.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0xa0..)
}

fn push(builder: &mut Builder<'_, '_>, byte: u8, leaf: usize) {
    if byte.is_ascii() {
        builder.push_byte(byte, leaf, 2);
    } else {
        let mut utf8 = [0; 2];
        let text = char::from(byte).encode_utf8(&mut utf8);
        builder.push(text.as_bytes(), leaf, 2, 2);
    }
}
