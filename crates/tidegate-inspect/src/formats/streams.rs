//! Decoders that know where their stream ends and say so when it breaks off, which the usual adapters do not.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use lzma_rust2::XzReader;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::Outcome;
use crate::bytes::is_zero;
use crate::format::Format;
use crate::path;
use crate::report::{OddityKind, Role};
use crate::walk::{Node, Walk};

/// A decoder over a slice.
pub(super) trait Packed: Read {
    /// Packed bytes read so far.
    fn consumed(&self) -> usize;

    /// Streams that ended so far.
    fn streams(&self) -> u64 {
        1
    }
}

fn breaks_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the compressed data breaks off")
}

fn corrupt(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("corrupt data: {error}"))
}

/// More memory is asked for than decoders get.
pub(super) fn window_too_large() -> io::Error {
    io::Error::new(io::ErrorKind::OutOfMemory, "the window is too large")
}

/// Deflate, bare or in its zlib form.
pub(super) struct Inflate<'a> {
    input: &'a [u8],
    at: usize,
    state: Decompress,
    ended: bool,
    /// What failed behind bytes that were still handed out.
    failed: Option<io::Error>,
}

impl<'a> Inflate<'a> {
    /// Bare deflate (RFC 1951).
    pub(super) fn bare(input: &'a [u8]) -> Self {
        Self { input, at: 0, state: Decompress::new(false), ended: false, failed: None }
    }

    /// Deflate with header and checksum (RFC 1950).
    pub(super) fn zlib(input: &'a [u8]) -> Self {
        Self { input, at: 0, state: Decompress::new(true), ended: false, failed: None }
    }
}

impl Read for Inflate<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        while !self.ended && !buffer.is_empty() {
            let (before_in, before_out) = (self.state.total_in(), self.state.total_out());
            let result = self.state.decompress(&self.input[self.at..], buffer, FlushDecompress::None);
            let consumed = (self.state.total_in() - before_in) as usize;
            let produced = (self.state.total_out() - before_out) as usize;
            self.at += consumed;
            match result {
                Ok(status) => self.ended = status == Status::StreamEnd,
                Err(error) if produced > 0 => self.failed = Some(corrupt(error)),
                Err(error) => return Err(corrupt(error)),
            }
            if produced > 0 {
                return Ok(produced);
            }
            if !self.ended && consumed == 0 {
                return Err(breaks_off());
            }
        }
        Ok(0)
    }
}

impl Packed for Inflate<'_> {
    fn consumed(&self) -> usize {
        self.at
    }
}

/// bzip2, streams one after another.
pub(super) struct Bunzip<'a> {
    input: &'a [u8],
    at: usize,
    state: Option<::bzip2::Decompress>,
    streams: u64,
    /// What failed behind bytes that were still handed out.
    failed: Option<io::Error>,
}

impl<'a> Bunzip<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0, state: Some(::bzip2::Decompress::new(false)), streams: 0, failed: None }
    }
}

impl Read for Bunzip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        while let Some(state) = &mut self.state {
            let (before_in, before_out) = (state.total_in(), state.total_out());
            let result = state.decompress(&self.input[self.at..], buffer);
            let consumed = (state.total_in() - before_in) as usize;
            let produced = (state.total_out() - before_out) as usize;
            self.at += consumed;
            let status = match result {
                Ok(status) => status,
                Err(error) if produced > 0 => {
                    self.failed = Some(corrupt(error));
                    return Ok(produced);
                }
                Err(error) => return Err(corrupt(error)),
            };
            if status == ::bzip2::Status::StreamEnd {
                self.streams += 1;
                let more = self.input[self.at..].starts_with(b"BZh");
                self.state = more.then(|| ::bzip2::Decompress::new(false));
            } else if produced == 0 && consumed == 0 {
                return Err(breaks_off());
            }
            if produced > 0 {
                return Ok(produced);
            }
            if status == ::bzip2::Status::StreamEnd {
                // Lets the walk count empty streams as work.
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        Ok(0)
    }
}

impl Packed for Bunzip<'_> {
    fn consumed(&self) -> usize {
        self.at
    }

    fn streams(&self) -> u64 {
        self.streams
    }
}

/// Zstandard, frames one after another. Frames that are to be skipped are the caller's.
pub(super) struct Unzstd<'a> {
    input: &'a [u8],
    at: usize,
    state: Option<Decoder<'static>>,
    window_log: u32,
    streams: u64,
}

/// What a frame begins with.
pub(super) const ZSTD_MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";

impl<'a> Unzstd<'a> {
    pub(super) fn new(input: &'a [u8], window_bytes: u64) -> Self {
        Self { input, at: 0, state: None, window_log: window_bytes.max(1 << 10).ilog2().min(31), streams: 0 }
    }

    fn decoder(&mut self) -> io::Result<Option<&mut Decoder<'static>>> {
        if self.state.is_none() {
            let first = self.streams == 0 && self.at == 0;
            if !first && !self.input[self.at..].starts_with(ZSTD_MAGIC) {
                return Ok(None);
            }
            let mut decoder = Decoder::new()?;
            decoder.set_parameter(DParameter::WindowLogMax(self.window_log))?;
            self.state = Some(decoder);
        }
        Ok(self.state.as_mut())
    }
}

impl Read for Unzstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let (input, at) = (self.input, self.at);
            let Some(decoder) = self.decoder()? else { return Ok(0) };
            let mut from = InBuffer::around(&input[at..]);
            let mut to = OutBuffer::around(buffer);
            let left = decoder.run(&mut from, &mut to).map_err(|error| {
                if error.to_string().contains("memory") { window_too_large() } else { corrupt(error) }
            })?;
            let (consumed, produced) = (from.pos(), to.pos());
            self.at += consumed;
            if left == 0 {
                self.state = None;
                self.streams += 1;
            } else if consumed == 0 && produced == 0 {
                return Err(breaks_off());
            }
            if produced > 0 {
                return Ok(produced);
            }
            if left == 0 {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
    }
}

impl Packed for Unzstd<'_> {
    fn consumed(&self) -> usize {
        self.at
    }

    fn streams(&self) -> u64 {
        self.streams
    }
}

/// xz, streams one after another.
pub(super) struct Unxz<'a> {
    input: &'a [u8],
    at: usize,
    state: Option<XzReader<&'a [u8]>>,
    window_kib: u32,
    streams: u64,
}

/// Bytes asked of it at a time: what it had decoded before it failed is lost.
const XZ_READ_BYTES: usize = 512;

/// What a stream begins with.
pub(super) const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";

impl<'a> Unxz<'a> {
    pub(super) fn new(input: &'a [u8], window_bytes: u64) -> Self {
        // The limit is of all that the decoder needs, not of its window alone.
        let window_kib = u32::try_from((window_bytes >> 10) + 1024).unwrap_or(u32::MAX - 1);
        let state = Some(XzReader::new_mem_limit(input, false, window_kib));
        Self { input, at: 0, state, window_kib, streams: 0 }
    }
}

impl Read for Unxz<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(XZ_READ_BYTES);
        let buffer = &mut buffer[..length];
        while let Some(mut state) = self.state.take() {
            let read = state.read(buffer).map_err(|error| match error.kind() {
                io::ErrorKind::OutOfMemory => window_too_large(),
                io::ErrorKind::Interrupted => corrupt("interrupted"),
                _ => error,
            })?;
            if read > 0 {
                self.state = Some(state);
                return Ok(read);
            }
            self.streams += 1;
            let rest = state.into_inner();
            self.at = self.input.len() - rest.len();
            // Padding between streams is zeros, a multiple of four.
            let padding = rest.iter().take_while(|&&b| b == 0).count();
            let next = rest[padding..].starts_with(XZ_MAGIC) && padding % 4 == 0;
            if next {
                self.at += padding;
                self.state = Some(XzReader::new_mem_limit(&self.input[self.at..], false, self.window_kib));
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        Ok(0)
    }
}

impl Packed for Unxz<'_> {
    fn consumed(&self) -> usize {
        self.at
    }

    fn streams(&self) -> u64 {
        self.streams
    }
}

/// Walks through a compressed file that is nothing but its streams.
pub(super) fn unwrap_file(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    format: Format,
    endings: &[&str],
    decoder: &mut dyn PackedRead,
) -> super::Read {
    let unpacking = walk.unpack(&node.path, node.bytes.len() as u64, decoder.as_read())?;
    let (consumed, streams) = (decoder.consumed(), decoder.streams());
    if streams > 1 {
        walk.oddity(
            OddityKind::SeveralStreams,
            &node.path,
            0,
            format!("{streams} streams one after another"),
        );
    }
    walk.unwrap(node, format, path::without_ending(&node.path, endings).as_bytes(), &unpacking.content)?;
    let whole = unpacking.whole;
    walk.release(unpacking);
    if !whole {
        return super::Read::Continue(Outcome::Part);
    }
    trailing(node, walk, format, consumed)?;
    super::Read::Continue(Outcome::Whole)
}

/// Hands on what stands behind a structure, unless it is padding.
pub(super) fn trailing(node: &Node<'_>, walk: &mut Walk<'_>, format: Format, end: usize) -> crate::Flow {
    let rest = node.bytes.get(end..).unwrap_or_default();
    if is_zero(rest) {
        return crate::Flow::Continue(());
    }
    walk.oddity(OddityKind::TrailingBytes, &node.path, end as u64, format!("{} bytes", rest.len()));
    walk.content(&node.aside(format, Role::Outside, "trailing", rest, end as u64))
}

/// [`Packed`] as an object that is a reader too.
pub(super) trait PackedRead: Packed {
    fn as_read(&mut self) -> &mut dyn Read;
}

impl<T: Packed> PackedRead for T {
    fn as_read(&mut self) -> &mut dyn Read {
        self
    }
}
