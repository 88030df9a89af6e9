//! LZMA with the short head that came before xz. It has no magic: properties, a window and a size that fit, and a stream that opens.

use std::io::{self, Read as _};

use lzma_rust2::LzmaReader;

use super::streams::{Packed, unwrap_file, window_too_large};
use super::{Read, Reader};
use crate::bytes::{u32_le, u64_le};
use crate::format::Format;
use crate::walk::{Node, Walk};

/// Bytes of the head.
const HEAD_BYTES: usize = 13;

/// Sizes above this are no sizes of files.
const SIZE_BYTES: u64 = 1 << 42;

/// The largest window for which a stream is opened to see whether it is one.
const PROBE_WINDOW: u32 = 64 << 20;

/// Properties, window and size of a stream; none where they do not fit.
fn head(bytes: &[u8]) -> Option<(u8, u32, u64)> {
    let (props, window, size) = (*bytes.first()?, u32_le(bytes, 1)?, u64_le(bytes, 5)?);
    // Windows are a power of two, or the middle between two of them.
    let is_window =
        window >= 4096 && (window.is_power_of_two() || (window / 3).is_power_of_two() && window % 3 == 0);
    let is_size = size == u64::MAX || size < SIZE_BYTES;
    // The first byte of the coder is always 0.
    (props < 225 && is_window && is_size && bytes.get(HEAD_BYTES) == Some(&0))
        .then_some((props, window, size))
}

pub(super) struct Lzma;

impl Reader for Lzma {
    fn format(&self) -> Format {
        Format::Lzma
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        let Some((_, window, size)) = head(bytes) else { return false };
        if window > PROBE_WINDOW || size == 0 {
            return false;
        }
        let mut out = [0; 16];
        Unlzma::new(bytes, u64::from(PROBE_WINDOW)).read(&mut out).is_ok_and(|read| read > 0)
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> Read {
        let mut decoder = Unlzma::new(node.bytes, walk.budgets.window_bytes);
        unwrap_file(node, walk, Format::Lzma, &[".lzma"], &mut decoder)
    }
}

/// The decoder.
struct Unlzma<'a> {
    state: Result<LzmaReader<&'a [u8]>, Option<io::Error>>,
    length: usize,
}

impl<'a> Unlzma<'a> {
    fn new(bytes: &'a [u8], window_bytes: u64) -> Self {
        let state = match (head(bytes), bytes.get(HEAD_BYTES..)) {
            (Some((_, window, _)), _) if u64::from(window) > window_bytes => Err(Some(window_too_large())),
            (Some((props, window, size)), Some(rest)) => {
                LzmaReader::new_with_props(rest, size, props, window, None).map_err(Some)
            }
            _ => Err(Some(io::Error::other("no LZMA properties"))),
        };
        Self { state, length: bytes.len() }
    }
}

impl io::Read for Unlzma<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.state {
            Ok(reader) => reader.read(buffer),
            Err(error) => Err(error.take().unwrap_or_else(|| io::Error::other("no LZMA stream"))),
        }
    }
}

impl Packed for Unlzma<'_> {
    /// The range coder reads ahead, so that the end cannot be told exactly.
    fn consumed(&self) -> usize {
        self.length
    }
}
