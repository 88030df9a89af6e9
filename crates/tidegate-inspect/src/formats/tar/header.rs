//! One block that describes a member.

use crate::bytes::{is_zero, slice};

/// Bytes of a header; content is filled up to a multiple.
pub(super) const BLOCK: u64 = 512;

pub(super) struct Header<'a>(&'a [u8]);

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    HardLink,
    Link,
    Special,
    Folder,
    Sparse,
    LongName,
    LongLink,
    Pax,
    GlobalPax,
}

impl Kind {
    /// Whether content follows by everybody's reading.
    pub(super) fn has_content(self) -> bool {
        !matches!(self, Self::HardLink | Self::Link | Self::Special | Self::Folder)
    }
}

/// A number of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Is(u64),
    Negative,
    Invalid,
}

impl<'a> Header<'a> {
    pub(super) fn at(bytes: &'a [u8], at: u64) -> Option<Self> {
        slice(bytes, at, BLOCK).map(Self)
    }

    pub(super) fn is_zero(&self) -> bool {
        is_zero(self.0)
    }

    /// Whether the checksum fits: the sum of all bytes, its own field as spaces. Some old writers summed signed bytes.
    pub(super) fn is_valid(&self) -> bool {
        let Size::Is(stated) = number(&self.0[148..156]) else { return false };
        let without: i64 = 8 * i64::from(b' ');
        let (mut unsigned, mut signed) = (without, without);
        for (at, &byte) in self.0.iter().enumerate() {
            if !(148..156).contains(&at) {
                unsigned += i64::from(byte);
                signed += i64::from(byte.cast_signed());
            }
        }
        let stated = i64::try_from(stated).unwrap_or(-1);
        (stated == unsigned || stated == signed) && self.0[0] != 0
    }

    pub(super) fn kind(&self) -> Kind {
        match self.0[156] {
            b'1' => Kind::HardLink,
            b'2' => Kind::Link,
            b'3' | b'4' | b'6' => Kind::Special,
            b'5' | b'D' => Kind::Folder,
            b'S' => Kind::Sparse,
            b'L' => Kind::LongName,
            b'K' => Kind::LongLink,
            b'x' | b'X' => Kind::Pax,
            b'g' => Kind::GlobalPax,
            // Also what nobody knows: readers take it for a file.
            _ => Kind::File,
        }
    }

    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        let is_ustar = &self.0[257..263] == b"ustar\0";
        let prefix = text(&self.0[345..500]);
        if is_ustar && !prefix.is_empty() { [prefix, b"/", name].concat() } else { name.to_vec() }
    }

    pub(super) fn link(&self) -> &'a [u8] {
        text(&self.0[157..257])
    }

    pub(super) fn size(&self) -> Size {
        number(&self.0[124..136])
    }

    pub(super) fn mode(&self) -> u32 {
        match number(&self.0[100..108]) {
            Size::Is(mode) => u32::try_from(mode & 0o7777).unwrap_or(0),
            _ => 0,
        }
    }

    /// The size of a GNU sparse file with its holes.
    pub(super) fn real_size(&self) -> u64 {
        match number(&self.0[483..495]) {
            Size::Is(size) => size,
            _ => 0,
        }
    }

    /// Whether the list of holes goes on in the next block.
    pub(super) fn has_more_holes(&self) -> bool {
        self.0[482] != 0
    }
}

fn text(field: &[u8]) -> &[u8] {
    &field[..memchr::memchr(0, field).unwrap_or(field.len())]
}

/// Octal digits, or a big-endian number behind a byte with the highest bit set.
fn number(field: &[u8]) -> Size {
    match field[0] {
        0xff => Size::Negative,
        first if first & 0x80 != 0 => {
            let mut value = u64::from(first & 0x3f);
            if first & 0x40 != 0 {
                return Size::Negative;
            }
            for &byte in &field[1..] {
                let Some(next) = value.checked_mul(256) else { return Size::Invalid };
                value = next + u64::from(byte);
            }
            Size::Is(value)
        }
        _ => octal(text(field).trim_ascii()),
    }
}

fn octal(digits: &[u8]) -> Size {
    if digits.first() == Some(&b'-') {
        return Size::Negative;
    }
    let mut value = 0u64;
    for &digit in digits {
        if !(b'0'..=b'7').contains(&digit) {
            return Size::Invalid;
        }
        value = value * 8 + u64::from(digit - b'0');
    }
    Size::Is(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_two_forms_and_two_ways_to_be_none() {
        for (field, expected) in [
            (&b"0000755\0"[..], Size::Is(0o755)),
            (b"   755 \0", Size::Is(0o755)),
            (b"\0\0\0\0\0\0\0\0", Size::Is(0)),
            (b"-1\0\0\0\0\0\0", Size::Negative),
            (b"9\0\0\0\0\0\0\0", Size::Invalid),
            (b"\x80\0\0\0\0\0\x01\0", Size::Is(256)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", Size::Negative),
            (b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Size::Invalid),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }
}
