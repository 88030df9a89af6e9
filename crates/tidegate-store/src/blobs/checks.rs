//! Checksums per block, so that opening a blob costs a CRC-32C instead of a SHA-256.
//!
//! The file is its own proof: it ends with a checksum of itself, and when it is missing or wrong the digest is computed
//! instead. So it need not be durable.

use tidegate_sys::map::FileBytes;

/// Bytes under one checksum.
pub const BLOCK_BYTES: usize = 64 << 10;

/// Also says which layout follows; a later one gets another digit.
const MAGIC: &[u8; 8] = b"tgcrc32\x01";
const HEAD_BYTES: usize = MAGIC.len() + 8;

/// Computes checksums while bytes arrive in pieces of any size.
#[derive(Default)]
pub(super) struct BlockHasher {
    done: Vec<u32>,
    current: u32,
    in_block: usize,
    size: u64,
}

impl BlockHasher {
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.in_block));
            self.current = crc32c::crc32c_append(self.current, now);
            self.in_block += now.len();
            if self.in_block == BLOCK_BYTES {
                self.done.push(std::mem::take(&mut self.current));
                self.in_block = 0;
            }
            bytes = later;
        }
    }

    pub(super) fn finish(mut self) -> BlockChecks {
        if self.in_block > 0 {
            self.done.push(self.current);
        }
        BlockChecks { size: self.size, blocks: self.done }
    }
}

/// The checksums of one blob.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BlockChecks {
    size: u64,
    blocks: Vec<u32>,
}

impl BlockChecks {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut hasher = BlockHasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    pub(super) fn agree(&self, bytes: &FileBytes) -> bool {
        let checksum = |block| {
            let checksum = crc32c::crc32c(block);
            bytes.pass(block.len());
            checksum
        };
        self.size == bytes.len() as u64
            && bytes.chunks(BLOCK_BYTES).map(checksum).eq(self.blocks.iter().copied())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_BYTES + 4 * self.blocks.len() + 4);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.size.to_le_bytes());
        for block in &self.blocks {
            out.extend_from_slice(&block.to_le_bytes());
        }
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    /// `None` for anything that is not a whole and unharmed encoding.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, own) = bytes.split_last_chunk::<4>()?;
        if crc32c::crc32c(content) != u32::from_le_bytes(*own) {
            return None;
        }
        let (size, blocks) = content.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
        let (blocks, rest) = blocks.as_chunks::<4>();
        if !rest.is_empty() {
            return None;
        }
        Some(Self {
            size: u64::from_le_bytes(*size),
            blocks: blocks.iter().map(|b| u32::from_le_bytes(*b)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_give_the_same_checksums() {
        let bytes: Vec<u8> = (0..BLOCK_BYTES * 2 + 17).map(|i| (i % 251) as u8).collect();
        let whole = BlockChecks::of(&bytes);
        assert_eq!(whole.blocks.len(), 3);
        for piece in [1, 1000, BLOCK_BYTES, BLOCK_BYTES + 1] {
            let mut hasher = BlockHasher::default();
            bytes.chunks(piece).for_each(|p| hasher.update(p));
            assert_eq!(hasher.finish(), whole, "pieces of {piece}");
        }
        let file = FileBytes::from(bytes::Bytes::from(bytes));
        assert!(whole.agree(&file) && !whole.agree(&file.slice(1..)));
        assert!(BlockChecks::of(b"").agree(&FileBytes::default()) && BlockChecks::of(b"").blocks.is_empty());
    }

    #[test]
    fn every_flipped_bit_of_the_encoding_is_noticed() {
        let checks = BlockChecks::of(b"hello");
        let encoded = checks.encode();
        assert_eq!(BlockChecks::decode(&encoded), Some(checks));
        for i in 0..encoded.len() * 8 {
            let mut bad = encoded.clone();
            bad[i / 8] ^= 1 << (i % 8);
            assert_eq!(BlockChecks::decode(&bad), None, "bit {i}");
        }
        for cut in 0..encoded.len() {
            assert_eq!(BlockChecks::decode(&encoded[..cut]), None, "cut at {cut}");
        }
    }
}
