//! Runs of at least 32 hexadecimal digits.

use super::map::Builder;
use super::{Source, View, ViewKind};

/// Digits that make a run.
const RUN: usize = 32;

/// Digits decoded at a time.
const PART: usize = 8 << 10;

pub(super) fn make(source: &Source<'_>, visit: &mut dyn FnMut(&View<'_>)) {
    let bytes = source.bytes;
    let mut builder = Builder::new(ViewKind::Hex, source, visit);
    let mut at = 0;
    // Whoever is inside a run stands at a multiple of its length: looking at every 32nd byte finds them all.
    while let Some(byte) = bytes.get(at + RUN - 1) {
        if !byte.is_ascii_hexdigit() {
            at += RUN;
            continue;
        }
        let before = bytes[at..at + RUN - 1].iter().rposition(|b| !b.is_ascii_hexdigit());
        let start = before.map_or(at, |found| at + found + 1);
        let length = bytes[start..].iter().position(|b| !b.is_ascii_hexdigit());
        let end = length.map_or(bytes.len(), |length| start + length);
        if end - start >= RUN {
            run(&bytes[start..end], start, &mut builder);
            builder.end_run(end);
        }
        at = end.max(at + 1);
    }
    builder.finish();
}

fn run(digits: &[u8], start: usize, builder: &mut Builder<'_, '_>) {
    let mut decoded = Vec::with_capacity(PART / 2);
    for (n, part) in digits.chunks(PART).enumerate() {
        decoded.clear();
        decoded.extend(part.chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])));
        builder.push(&decoded, start + n * PART, 1, 2);
    }
}

fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}
