//! LZ4 frames, one after another: what joblib and others pack that way. Frames that decoders skip are those of Zstandard, and read there.

use std::io::{self, Read};

use super::Reader;
use super::streams::{Packed, unwrap_file};
use crate::bytes::u32_le;
use crate::format::Format;
use crate::walk::{Node, Walk};

/// What a frame begins with.
const MAGIC: &[u8] = b"\x04\x22\x4d\x18";

/// Bytes that a block may refer back to.
const WINDOW_BYTES: usize = 64 << 10;

/// The mark of a block that is stored as it is.
const STORED: u32 = 1 << 31;

pub(super) struct Lz4;

impl Reader for Lz4 {
    fn format(&self) -> Format {
        Format::Lz4
    }

    fn matches(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC) && Frame::of(bytes, MAGIC.len()).is_some()
    }

    fn read(&self, node: &Node<'_>, walk: &mut Walk<'_>) -> super::Read {
        unwrap_file(node, walk, Format::Lz4, &[".lz4"], &mut Unlz4::new(node.bytes))
    }
}

/// The head of a frame.
#[derive(Clone, Copy)]
struct Frame {
    /// Bytes of one unpacked block, at most.
    block_bytes: usize,
    has_block_sum: bool,
    has_sum: bool,
    /// Where its first block begins.
    start: usize,
}

impl Frame {
    /// Reads the head behind the magic bytes.
    fn of(bytes: &[u8], at: usize) -> Option<Self> {
        let (flags, sizes) = (*bytes.get(at)?, *bytes.get(at + 1)?);
        // One version exists; bits that are kept for later ones are zero.
        if flags >> 6 != 1 || flags & 2 != 0 || sizes & 0x8f != 0 {
            return None;
        }
        let block_bytes = match sizes >> 4 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return None,
        };
        let size = if flags & 8 != 0 { 8 } else { 0 };
        let dictionary = if flags & 1 != 0 { 4 } else { 0 };
        let start = at + 2 + size + dictionary + 1;
        Some(Self { block_bytes, has_block_sum: flags & 16 != 0, has_sum: flags & 4 != 0, start })
    }
}

/// A decoder over a slice. Check sums are passed over: what decodes is looked at, whatever they say.
struct Unlz4<'a> {
    input: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    /// What may be referred back to, and the last block.
    unpacked: Vec<u8>,
    given: usize,
    streams: u64,
    /// What failed behind bytes that are still handed out.
    failed: Option<io::Error>,
}

fn corrupt(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("corrupt data: {what}"))
}

fn breaks_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the compressed data breaks off")
}

impl<'a> Unlz4<'a> {
    fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0, frame: None, unpacked: Vec::new(), given: 0, streams: 0, failed: None }
    }

    /// Unpacks the next block. False where the last frame ended.
    fn block(&mut self) -> io::Result<bool> {
        let Some(frame) = self.frame else {
            if !self.input.get(self.at..).is_some_and(|rest| rest.starts_with(MAGIC)) {
                return Ok(false);
            }
            let frame = Frame::of(self.input, self.at + MAGIC.len()).ok_or_else(|| corrupt("no frame"))?;
            self.at = frame.start;
            self.frame = Some(frame);
            self.unpacked.clear();
            self.given = 0;
            return Err(io::ErrorKind::Interrupted.into());
        };
        let length = u32_le(self.input, self.at).ok_or_else(breaks_off)?;
        self.at += 4;
        if length == 0 {
            self.at += if frame.has_sum { 4 } else { 0 };
            self.frame = None;
            self.streams += 1;
            return Err(io::ErrorKind::Interrupted.into());
        }
        let packed_bytes = (length & !STORED) as usize;
        let rest = self.input.get(self.at..).unwrap_or_default();
        let packed = rest.get(..packed_bytes).unwrap_or(rest);
        let kept = self.unpacked.len().saturating_sub(WINDOW_BYTES);
        self.unpacked.drain(..kept);
        self.given = self.unpacked.len();
        let most = self.given + frame.block_bytes;
        let unpacked = if length & STORED != 0 {
            self.unpacked.extend_from_slice(packed.get(..frame.block_bytes).unwrap_or(packed));
            Ok(())
        } else {
            unpack(packed, &mut self.unpacked, most)
        };
        self.at += packed.len();
        self.failed = match unpacked {
            Err(error) => Some(error),
            Ok(()) if packed.len() < packed_bytes => Some(breaks_off()),
            Ok(()) => None,
        };
        if frame.has_block_sum {
            self.at += 4;
        }
        Ok(true)
    }
}

impl Read for Unlz4<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.unpacked.get(self.given..).unwrap_or_default();
            if !left.is_empty() {
                let count = left.len().min(buffer.len());
                buffer[..count].copy_from_slice(&left[..count]);
                self.given += count;
                return Ok(count);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if !self.block()? {
                return Ok(0);
            }
            if self.unpacked.len() == self.given && self.failed.is_none() {
                // Lets the walk count empty blocks as work.
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
    }
}

impl Packed for Unlz4<'_> {
    fn consumed(&self) -> usize {
        self.at.min(self.input.len())
    }

    fn streams(&self) -> u64 {
        self.streams
    }
}

/// Unpacks one block behind what is there already, up to so many bytes in all.
fn unpack(packed: &[u8], out: &mut Vec<u8>, most: usize) -> io::Result<()> {
    let mut at = 0;
    while let Some(&token) = packed.get(at) {
        at += 1;
        let literals = length(packed, &mut at, token >> 4)?;
        let end = at.checked_add(literals).filter(|end| *end <= packed.len());
        let end = end.ok_or_else(|| corrupt("a block ends within its bytes"))?;
        if literals > most - out.len() {
            return Err(corrupt("a block is larger than its frame says"));
        }
        out.extend_from_slice(&packed[at..end]);
        at = end;
        if at == packed.len() {
            return Ok(());
        }
        let offset = crate::bytes::u16_le(packed, at).map(usize::from);
        let offset = offset.ok_or_else(|| corrupt("a block ends within a reference"))?;
        at += 2;
        let count = length(packed, &mut at, token & 15)? + 4;
        if offset == 0 || offset > out.len() {
            return Err(corrupt("a reference leads outside"));
        }
        if count > most - out.len() {
            return Err(corrupt("a block is larger than its frame says"));
        }
        // It may reach into what it writes itself.
        let from = out.len() - offset;
        if offset >= count {
            out.extend_from_within(from..from + count);
        } else {
            for byte in from..from + count {
                out.push(out[byte]);
            }
        }
    }
    Ok(())
}

/// A length: four bits, and bytes behind them while they are full.
fn length(packed: &[u8], at: &mut usize, first: u8) -> io::Result<usize> {
    let mut all = usize::from(first);
    if first < 15 {
        return Ok(all);
    }
    loop {
        let byte = *packed.get(*at).ok_or_else(|| corrupt("a block ends within a length"))?;
        *at += 1;
        all += usize::from(byte);
        if byte < 255 {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8]) -> (Vec<u8>, Option<io::ErrorKind>, usize) {
        let mut decoder = Unlz4::new(input);
        let (mut out, mut chunk) = (Vec::new(), [0; 7]);
        for _ in 0..100_000 {
            match decoder.read(&mut chunk) {
                Ok(0) => return (out, None, decoder.consumed()),
                Ok(read) => out.extend(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (out, Some(error.kind()), decoder.consumed()),
            }
        }
        panic!("it does not end");
    }

    fn frame(flags: u8, blocks: &[&[u8]]) -> Vec<u8> {
        let mut out = [MAGIC, &[0x40 | flags, 0x40, 0]].concat();
        for block in blocks {
            out.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
            out.extend(*block);
        }
        out.extend([0; 4]);
        out
    }

    #[test]
    fn blocks_refer_back_into_the_blocks_before() {
        // Four letters, then the same four and five more by reference; then a block that refers into the first.
        let first = b"\x45abcd\x04\x00\x10e";
        let second = b"\x02\x0e\x00\x10f";
        let whole = frame(0, &[first, second]);
        assert_eq!(all(&whole), (b"abcdabcdabcdaeabcdabf".to_vec(), None, whole.len()));
        let two = [whole, frame(4, &[b"\x10x"]), vec![0; 4]].concat();
        assert_eq!(all(&two), (b"abcdabcdabcdaeabcdabfx".to_vec(), None, two.len()));
        let stored = [MAGIC, &[0x40, 0x40, 0], &(3 | STORED).to_le_bytes(), b"xyz", &[0; 4]].concat();
        assert_eq!(all(&stored).0, b"xyz");
    }

    #[test]
    fn hostile_blocks_end_in_errors() {
        for block in [
            &b"\xf0"[..],
            b"\xf0\xff\xff",
            b"\x40ab",
            b"\x10a\x00\x00",
            b"\x10a\x02\x00",
            b"\x1fa\x01\x00\xff",
        ] {
            assert_eq!(all(&frame(0, &[block])).1, Some(io::ErrorKind::InvalidData), "{block:?}");
        }
        // A run that is longer than a block may be.
        let run = [&b"\x1fa\x01\x00"[..], &[0xff; 300], &[0]].concat();
        assert_eq!(all(&frame(0, &[&run])).1, Some(io::ErrorKind::InvalidData));
        let mut cut = frame(0, &[b"\x30abc"]);
        cut.truncate(cut.len() - 5);
        assert_eq!(all(&cut), (b"".to_vec(), Some(io::ErrorKind::InvalidData), cut.len()));
    }
}
