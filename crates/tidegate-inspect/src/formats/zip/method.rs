//! How a member is packed.

use std::io;

use lzma_rust2::LzmaReader;

use super::super::streams::{Bunzip, Inflate, Packed, PackedRead, Unxz, Unzstd};
use super::records::Entry;
use crate::bytes::{u16_le, u32_le};

/// Flag of LZMA: an end marker, so that the size is not needed.
const FLAG_LZMA_END: u16 = 1 << 1;

pub(super) enum Method<'a> {
    Stored,
    Packed(Box<dyn PackedRead + 'a>),
    Unknown,
}

impl<'a> Method<'a> {
    /// A decoder for `packed`.
    pub(super) fn of(entry: &Entry<'_>, packed: &'a [u8], window_bytes: u64) -> Self {
        match entry.method {
            0 => Self::Stored,
            8 => Self::Packed(Box::new(Inflate::bare(packed))),
            12 => Self::Packed(Box::new(Bunzip::new(packed))),
            14 => Self::Packed(Box::new(Lzma::new(entry, packed, window_bytes))),
            93 => Self::Packed(Box::new(Unzstd::new(packed, window_bytes))),
            95 => Self::Packed(Box::new(Unxz::new(packed, window_bytes))),
            _ => Self::Unknown,
        }
    }
}

/// LZMA as zip has it: version, length of the properties, properties.
struct Lzma<'a> {
    state: Result<LzmaReader<&'a [u8]>, Option<io::Error>>,
    length: usize,
}

impl<'a> Lzma<'a> {
    fn new(entry: &Entry<'_>, packed: &'a [u8], window_bytes: u64) -> Self {
        let size = if entry.flags & FLAG_LZMA_END != 0 { u64::MAX } else { entry.size };
        let state = match (u16_le(packed, 2), packed.get(4), u32_le(packed, 5), packed.get(9..)) {
            (Some(5), _, Some(window), _) if u64::from(window) > window_bytes => {
                Err(Some(super::super::streams::window_too_large()))
            }
            (Some(5), Some(&props), Some(window), Some(rest)) => {
                LzmaReader::new_with_props(rest, size, props, window, None).map_err(Some)
            }
            _ => Err(Some(io::Error::other("no LZMA properties"))),
        };
        Self { state, length: packed.len() }
    }
}

impl io::Read for Lzma<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.state {
            Ok(reader) => reader.read(buffer),
            Err(error) => Err(error.take().unwrap_or_else(|| io::Error::other("no LZMA stream"))),
        }
    }
}

impl Packed for Lzma<'_> {
    /// The range coder reads ahead, so that the end cannot be told exactly.
    fn consumed(&self) -> usize {
        self.length
    }
}
