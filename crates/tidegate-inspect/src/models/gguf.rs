//! Reads GGUF: a head, keys and values, the list of tensors, and the tensors. The values are numbers and texts; one of them is a
//! program, the chat template.

use tidegate_model::finding::FindingSeverity::High;

use super::remark::{Told, What};
use super::template;
use crate::bytes::{u32_le, u64_le};

/// Keys of one file.
const KEYS: u64 = 1 << 20;

/// Tensors of one file.
const TENSORS: u64 = 1 << 20;

/// Bytes of a key; the format allows no longer ones.
const KEY_BYTES: u64 = 64 << 10;

/// Bytes of one template.
const TEMPLATE_BYTES: usize = 1 << 20;

/// Lists within lists.
const DEPTH: u32 = 4;

/// Bytes behind the last tensor that are told.
const SAMPLE_BYTES: usize = 8;

/// Dimensions of one tensor; readers take four.
const DIMENSIONS: u32 = 8;

/// Reads a file.
pub(super) fn read(bytes: &[u8], told: &mut Told) {
    told.is_of("gguf");
    let mut reader = Reader { bytes, at: 4, swapped: false, narrow: false };
    if let Err(what) = reader.file(told) {
        told.at(reader.at, What::Form(what.to_owned(), High), None);
    }
}

type Result<T = ()> = std::result::Result<T, &'static str>;

const SHORT: &str = "its head leads outside the file";

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Numbers are big-endian.
    swapped: bool,
    /// The first version has lengths of 32 bits.
    narrow: bool,
}

impl<'b> Reader<'b> {
    fn file(&mut self, told: &mut Told) -> Result {
        let version = self.u32()?;
        self.swapped = version > 0xffff;
        let version = if self.swapped { version.swap_bytes() } else { version };
        if !(1..=3).contains(&version) {
            told.gap("a GGUF file of a version that is not known");
            return Ok(());
        }
        self.narrow = version == 1;
        let (tensors, keys) = (self.length()?, self.length()?);
        if keys > KEYS || tensors > TENSORS {
            return Err("it counts more tensors or keys than a file can hold");
        }
        let mut alignment = 32;
        for _ in 0..keys {
            let key = self.text(KEY_BYTES)?;
            let kind = self.u32()?;
            if let Some(number) = self.value(key, kind, told, 0)?.filter(|_| key == b"general.alignment") {
                alignment = number;
            }
        }
        if alignment == 0 || !alignment.is_power_of_two() {
            return Err("its tensors are aligned to no power of two");
        }
        self.tensors(tensors, alignment, told)
    }

    fn tensors(&mut self, count: u64, alignment: u64, told: &mut Told) -> Result {
        let (mut furthest, mut all_known) = (0, true);
        for _ in 0..count {
            self.text(KEY_BYTES)?;
            let dimensions = self.u32()?;
            if dimensions > DIMENSIONS {
                return Err("a tensor has more dimensions than any reader takes");
            }
            let mut items = 1_u64;
            for _ in 0..dimensions {
                items = items
                    .checked_mul(self.length()?)
                    .ok_or("the sides of a tensor multiply to more than a number holds")?;
            }
            let kind = self.u32()?;
            let place = self.u64()?;
            let Some((block, bytes)) = block(kind) else {
                all_known = false;
                continue;
            };
            let length =
                items.div_ceil(block).checked_mul(bytes).ok_or("a tensor is larger than any file")?;
            let end = place.checked_add(length).ok_or("a tensor lies outside the file")?;
            furthest = furthest.max(end);
        }
        let data = (self.at as u64).next_multiple_of(alignment);
        // A file may be cut off, but then it does not load either.
        if count > 0 && data.saturating_add(furthest) > self.bytes.len() as u64 {
            return Err("a tensor lies outside the file");
        }
        if count > 0 && all_known {
            let end = data.saturating_add(furthest.next_multiple_of(alignment)).min(self.bytes.len() as u64);
            let numbers = usize::try_from(data).ok().zip(usize::try_from(end).ok());
            told.numbers = numbers.map(|(begin, end)| begin..end);
            self.behind(end, told);
        }
        Ok(())
    }

    /// What stands behind the last tensor, unless it is padding.
    fn behind(&self, end: u64, told: &mut Told) {
        let rest = crate::bytes::from(self.bytes, end);
        if !crate::bytes::is_zero(rest) {
            let what = format!("{} bytes stand behind its last tensor", rest.len());
            let sample = hex::encode(&rest[..rest.len().min(SAMPLE_BYTES)]);
            let at = usize::try_from(end).unwrap_or(usize::MAX);
            told.at(at, What::Form(what, High), Some(sample));
        }
    }

    fn value(&mut self, key: &[u8], kind: u32, told: &mut Told, depth: u32) -> Result<Option<u64>> {
        match kind {
            0 | 1 | 7 => self.skip(1).map(|()| None),
            2 | 3 => self.skip(2).map(|()| None),
            4 | 5 => self.u32().map(|number| Some(number.into())),
            6 => self.skip(4).map(|()| None),
            10..=12 => self.skip(8).map(|()| None),
            8 => {
                let at = self.at;
                let text = self.text(u64::MAX)?;
                if is_template(key) {
                    let text = &text[..text.len().min(TEMPLATE_BYTES)];
                    template::read(&String::from_utf8_lossy(text), at, told);
                }
                Ok(None)
            }
            9 if depth < DEPTH => {
                let inner = self.u32()?;
                let count = self.length()?;
                if let Some(width) = width(inner) {
                    let bytes =
                        count.checked_mul(width).and_then(|all| usize::try_from(all).ok()).ok_or(SHORT)?;
                    self.skip(bytes)?;
                    return Ok(None);
                }
                if count > self.bytes.len() as u64 {
                    return Err(SHORT);
                }
                for _ in 0..count {
                    self.value(key, inner, told, depth + 1)?;
                }
                Ok(None)
            }
            _ => Err("a value has a type that does not exist"),
        }
    }

    fn skip(&mut self, count: usize) -> Result {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len()).ok_or(SHORT)?;
        self.at = end;
        Ok(())
    }

    fn u32(&mut self) -> Result<u32> {
        let number = u32_le(self.bytes, self.at).ok_or(SHORT)?;
        self.at += 4;
        Ok(if self.swapped { number.swap_bytes() } else { number })
    }

    fn u64(&mut self) -> Result<u64> {
        let number = u64_le(self.bytes, self.at).ok_or(SHORT)?;
        self.at += 8;
        Ok(if self.swapped { number.swap_bytes() } else { number })
    }

    fn length(&mut self) -> Result<u64> {
        if self.narrow { self.u32().map(u64::from) } else { self.u64() }
    }

    fn text(&mut self, most: u64) -> Result<&'b [u8]> {
        let length = self.length()?;
        if length > most {
            return Err("a name is longer than names can be");
        }
        let begin = self.at;
        self.skip(usize::try_from(length).map_err(|_| SHORT)?)?;
        Ok(&self.bytes[begin..self.at])
    }
}

/// Whether a key names a template: `tokenizer.chat_template`, and those with a name behind it.
fn is_template(key: &[u8]) -> bool {
    memchr::memmem::find(key, b"chat_template").is_some() || memchr::memmem::find(key, b"template").is_some()
}

/// Bytes of one value of a fixed width.
fn width(kind: u32) -> Option<u64> {
    Some(match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        10..=12 => 8,
        _ => return None,
    })
}

/// Numbers in a block of a type of tensors, and bytes of the block; none of types that are not known here.
fn block(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 | 26 => (1, 4),
        1 | 25 | 30 => (1, 2),
        24 => (1, 1),
        27 | 28 => (1, 8),
        2 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        10 => (256, 84),
        11 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        15 => (256, 292),
        16 | 35 => (256, 66),
        17 => (256, 74),
        18 => (256, 98),
        19 => (256, 50),
        20 => (32, 18),
        21 => (256, 110),
        22 => (256, 82),
        23 => (256, 136),
        29 => (256, 56),
        34 => (256, 54),
        39 => (32, 17),
        _ => return None,
    })
}
