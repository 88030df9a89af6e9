//! Base64 (RFC 4648), both alphabets, runs of at least 24 characters.

use std::io;

use super::map::Builder;
use super::{Source, View, ViewKind};

/// Characters that make a run.
const RUN: usize = 24;

/// Characters of a line that goes on in the next one. Encoders break lines at 64 or 76.
const LINE: usize = 48;

/// Stands for "no character of the alphabets".
const NONE: u8 = 0xff;

static VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut n = 0;
    while n < 26 {
        table[b'A' as usize + n] = n as u8;
        table[b'a' as usize + n] = n as u8 + 26;
        n += 1;
    }
    let mut n = 0;
    while n < 10 {
        table[b'0' as usize + n] = n as u8 + 52;
        n += 1;
    }
    table[b'+' as usize] = 62;
    table[b'-' as usize] = 62;
    table[b'/' as usize] = 63;
    table[b'_' as usize] = 63;
    table
}

fn is_in(byte: u8) -> bool {
    VALUES[usize::from(byte)] != NONE
}

pub(super) fn make(source: &Source<'_>, visit: &mut dyn FnMut(&View<'_>)) {
    let bytes = source.bytes;
    let mut builder = Builder::new(ViewKind::Base64, source, visit);
    let mut at = 0;
    // Whoever is inside a run stands at a multiple of its length: looking at every 24th byte finds them all.
    while let Some(&byte) = bytes.get(at + RUN - 1) {
        if !is_in(byte) {
            at += RUN;
            continue;
        }
        let before =
            bytes[at..at + RUN - 1].iter().rposition(|&b| !is_in(b)).map_or(at, |found| at + found + 1);
        let end = line_end(bytes, before);
        if end - before < RUN {
            at = end.max(at + 1);
            continue;
        }
        at = run(bytes, before, end, &mut builder);
    }
    builder.finish();
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|&b| !is_in(b)).map_or(bytes.len(), |found| start + found)
}

/// Decodes a run of one line or several. Returns where it ends.
fn run(bytes: &[u8], start: usize, mut end: usize, builder: &mut Builder<'_, '_>) -> usize {
    // Digests stand everywhere, and are the business of another view.
    if end - start <= 128 && bytes[start..end].iter().all(u8::is_ascii_hexdigit) {
        return end;
    }
    let mut line = start;
    let mut decoded = Vec::new();
    loop {
        for (n, part) in bytes[line..end].chunks(3 << 10).enumerate() {
            decoded.clear();
            decode(part, &mut decoded);
            builder.push(&decoded, line + n * (3 << 10), 3, 4);
        }
        let length = end - line;
        let next = match bytes.get(end..) {
            Some([b'\r', b'\n', ..]) => end + 2,
            Some([b'\n', ..]) => end + 1,
            _ => break,
        };
        let stop = line_end(bytes, next);
        if length < LINE || !length.is_multiple_of(4) || stop == next {
            break;
        }
        (line, end) = (next, stop);
    }
    builder.end_run(end);
    end
}

/// Characters of the alphabets, with whatever is left over at the end.
pub(crate) fn decode(text: &[u8], out: &mut Vec<u8>) {
    for group in text.chunks(4) {
        let value = |n: usize| group.get(n).map_or(0, |b| u32::from(VALUES[usize::from(*b)]));
        let bits = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
        let whole = bits.to_be_bytes();
        // Four characters are three bytes, three are two, two are one.
        out.extend_from_slice(&whole[1..group.len().max(1)]);
    }
}

/// Decodes a text that is base64 as a whole, over line breaks, until something else comes.
pub(crate) struct Decoder<'a> {
    rest: &'a [u8],
    ready: Vec<u8>,
    at: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, ready: Vec::new(), at: 0 }
    }

    /// The next characters of the alphabets, over line breaks and those that JSON writes as `\n`.
    fn group(&mut self) -> Vec<u8> {
        let mut group = Vec::with_capacity(4096);
        while let Some((&byte, rest)) = self.rest.split_first() {
            if is_in(byte) {
                group.push(byte);
            } else if byte == b'\\' && matches!(rest.first(), Some(b'n' | b'r')) {
                self.rest = &rest[1..];
                continue;
            } else if !byte.is_ascii_whitespace() {
                self.rest = &[];
                break;
            }
            self.rest = rest;
            if group.len() == 4096 {
                break;
            }
        }
        group
    }
}

impl io::Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            let group = self.group();
            decode(&group, &mut self.ready);
        }
        let length = buffer.len().min(self.ready.len() - self.at);
        buffer[..length].copy_from_slice(&self.ready[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
