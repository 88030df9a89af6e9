//! The file around every segment: a header, a table of sections, a checksum for each.
//!
//! All numbers are little-endian. A file that is torn, cut, longer than it says or flipped in any bit of a checked section
//! is refused when it is opened, with the section's name. The checksums (CRC-32C) guard against disks, not against
//! people: what comes from elsewhere is compiled here, never mapped.

use std::hash::{BuildHasher as _, RandomState};
use std::io;

use bytes::Bytes;
use hashbrown::HashTable;

use crate::scratch::Spool;

/// The first bytes of every segment.
const MAGIC: &[u8; 8] = b"TIDEINTL";

/// The version of the format. A file of another version is compiled anew from its source.
pub const FORMAT_VERSION: u32 = 1;

/// Bytes of the fixed header.
const HEADER_BYTES: usize = 32;

/// Bytes of an entry in the table of sections.
const ENTRY_BYTES: usize = 24;

/// The most sections a file may have.
const MAX_SECTIONS: usize = 64;

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// Advisories.
    Advisories,
    /// Signals about CVEs.
    Signals,
    /// VEX statements.
    Vex,
}

impl SegmentKind {
    const fn code(self) -> u32 {
        match self {
            Self::Advisories => 1,
            Self::Signals => 2,
            Self::Vex => 3,
        }
    }
}

/// Why a file cannot be used as a segment. Nothing of it is used then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Another kind of file.
    #[error("not a segment: its first bytes are not those of one")]
    NotASegment,
    /// Written by another version.
    #[error(
        "the segment has format {found}, this program reads format {FORMAT_VERSION}: import its source again"
    )]
    OtherVersion {
        /// The version in the file.
        found: u32,
    },
    /// Its version keys are of another make, so they must not be compared with ours.
    #[error(
        "the segment's version keys are of make {found}, this program's are of another: import its source again"
    )]
    OtherKeys {
        /// The make in the file.
        found: u32,
    },
    /// A segment of another kind than expected.
    #[error("the segment holds something else than {expected:?}")]
    OtherKind {
        /// What was asked for.
        expected: SegmentKind,
    },
    /// Shorter or longer than it says.
    #[error("the segment has {found} bytes and says {stated}: it was cut off or written over")]
    Length {
        /// Bytes there are.
        found: u64,
        /// Bytes it says.
        stated: u64,
    },
    /// A checksum does not fit.
    #[error("the segment's {section} is damaged: its checksum does not fit")]
    Damaged {
        /// Which part.
        section: &'static str,
    },
    /// The checksums fit, but the content contradicts itself.
    #[error("the segment's {section} contradicts itself: {what}")]
    Inconsistent {
        /// Which part.
        section: &'static str,
        /// How.
        what: &'static str,
    },
}

impl SegmentError {
    pub(crate) const fn inconsistent(section: &'static str, what: &'static str) -> Self {
        Self::Inconsistent { section, what }
    }
}

/// A section by number and name. Sections that are not checked when the file is opened carry checksums of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SectionId {
    pub number: u32,
    pub name: &'static str,
    pub checked: bool,
}

impl SectionId {
    pub(crate) const fn checked(number: u32, name: &'static str) -> Self {
        Self { number, name, checked: true }
    }
}

/// The bytes of a section on its way into a file.
pub(crate) enum SectionBytes {
    Memory(Vec<u8>),
    Spool(Spool),
}

impl SectionBytes {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spool(spool) => spool.len(),
        }
    }

    fn sum(&self) -> u32 {
        match self {
            Self::Memory(bytes) => crc32c::crc32c(bytes),
            Self::Spool(spool) => spool.sum(),
        }
    }
}

/// Puts sections into a file.
pub(crate) struct Writer {
    kind: SegmentKind,
    sections: Vec<(SectionId, SectionBytes)>,
}

impl Writer {
    pub(crate) const fn new(kind: SegmentKind) -> Self {
        Self { kind, sections: Vec::new() }
    }

    pub(crate) fn section(&mut self, id: SectionId, bytes: Vec<u8>) {
        self.sections.push((id, SectionBytes::Memory(bytes)));
    }

    pub(crate) fn spooled(&mut self, id: SectionId, spool: Spool) {
        self.sections.push((id, SectionBytes::Spool(spool)));
    }

    #[cfg(test)]
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut out = Vec::new();
        let append = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        self.finish_into(append).expect("INVARIANT: sections in memory cannot fail");
        out
    }

    /// Gives the file in pieces, in order.
    pub(crate) fn finish_into(self, mut out: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        const PADDING: [u8; 8] = [0; 8];
        let padding =
            |len: u64| &PADDING[..usize::try_from(len.next_multiple_of(8) - len).expect("below eight")];
        let table_end = (HEADER_BYTES + self.sections.len() * ENTRY_BYTES) as u64;
        let mut table = Vec::new();
        let mut offset = table_end.next_multiple_of(8);
        for (id, bytes) in &self.sections {
            table.extend_from_slice(&id.number.to_le_bytes());
            let sum = if id.checked { bytes.sum() } else { 0 };
            table.extend_from_slice(&sum.to_le_bytes());
            table.extend_from_slice(&offset.to_le_bytes());
            table.extend_from_slice(&bytes.len().to_le_bytes());
            offset = (offset + bytes.len()).next_multiple_of(8);
        }
        let mut head = Vec::new();
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        head.extend_from_slice(&self.kind.code().to_le_bytes());
        head.extend_from_slice(&offset.to_le_bytes());
        head.extend_from_slice(&u32::try_from(self.sections.len()).expect("sections are few").to_le_bytes());
        let sum = crc32c::crc32c_append(crc32c::crc32c(&head), &table);
        head.extend_from_slice(&sum.to_le_bytes());
        head.extend_from_slice(&table);
        head.extend_from_slice(padding(table_end));
        out(&head)?;
        for (_, bytes) in self.sections {
            let len = bytes.len();
            match bytes {
                SectionBytes::Memory(bytes) => out(&bytes)?,
                SectionBytes::Spool(spool) => spool.drain(&mut out)?,
            }
            out(padding(len))?;
        }
        Ok(())
    }
}

/// A file whose header and checked sections fit their checksums.
pub(crate) struct Container {
    bytes: Bytes,
    sections: Vec<(u32, u32, usize, usize)>,
}

impl Container {
    pub(crate) fn open(bytes: &Bytes, kind: SegmentKind) -> Result<Self, SegmentError> {
        if bytes.get(..8) != Some(MAGIC.as_slice()) {
            return Err(SegmentError::NotASegment);
        }
        let cut = || SegmentError::Length { found: bytes.len() as u64, stated: HEADER_BYTES as u64 };
        let header = bytes.get(..HEADER_BYTES).ok_or_else(cut)?;
        let found = u32_at(header, 8);
        if found != FORMAT_VERSION {
            return Err(SegmentError::OtherVersion { found });
        }
        let count = u32_at(header, 24) as usize;
        let table = (count <= MAX_SECTIONS)
            .then(|| bytes.get(HEADER_BYTES..HEADER_BYTES + count * ENTRY_BYTES))
            .flatten()
            .ok_or_else(cut)?;
        if u32_at(header, 28) != crc32c::crc32c_append(crc32c::crc32c(&header[..28]), table) {
            return Err(SegmentError::Damaged { section: "header" });
        }
        if u32_at(header, 12) != kind.code() {
            return Err(SegmentError::OtherKind { expected: kind });
        }
        let stated = u64_at(header, 16);
        if stated != bytes.len() as u64 {
            return Err(SegmentError::Length { found: bytes.len() as u64, stated });
        }
        let mut sections = Vec::with_capacity(count);
        for entry in table.chunks_exact(ENTRY_BYTES) {
            let place = (usize::try_from(u64_at(entry, 8)), usize::try_from(u64_at(entry, 16)));
            let (Ok(offset), Ok(len)) = place else {
                return Err(SegmentError::inconsistent("header", "a section lies beyond any file"));
            };
            if offset.checked_add(len).is_none_or(|end| end > bytes.len()) {
                return Err(SegmentError::inconsistent("header", "a section lies beyond the file"));
            }
            sections.push((u32_at(entry, 0), u32_at(entry, 4), offset, len));
        }
        Ok(Self { bytes: bytes.clone(), sections })
    }

    /// A section's bytes, checked where it is a checked one.
    pub(crate) fn section(&self, id: SectionId) -> Result<Bytes, SegmentError> {
        let &(_, sum, offset, len) = self
            .sections
            .iter()
            .find(|(number, ..)| *number == id.number)
            .ok_or_else(|| SegmentError::inconsistent(id.name, "it is missing"))?;
        let bytes = self.bytes.slice(offset..offset + len);
        if id.checked && crc32c::crc32c(&bytes) != sum {
            return Err(SegmentError::Damaged { section: id.name });
        }
        Ok(bytes)
    }
}

/// Makes the checksums of a damaged or invented file fit, for tests that look at what lies behind them. Does nothing to
/// bytes that have no table of sections.
pub fn mend_checksums(bytes: &mut [u8]) {
    let Some(header) = bytes.get(..HEADER_BYTES) else { return };
    let count = u32_at(header, 24) as usize;
    let table_end = HEADER_BYTES + count.min(MAX_SECTIONS) * ENTRY_BYTES;
    if bytes.len() < table_end {
        return;
    }
    let len = bytes.len() as u64;
    for entry in (HEADER_BYTES..table_end).step_by(ENTRY_BYTES) {
        let place = (usize::try_from(u64_at(bytes, entry + 8)), usize::try_from(u64_at(bytes, entry + 16)));
        if let (Ok(offset), Ok(len)) = place
            && let Some(section) = offset.checked_add(len).and_then(|end| bytes.get(offset..end))
        {
            let sum = crc32c::crc32c(section);
            bytes[entry + 4..entry + 8].copy_from_slice(&sum.to_le_bytes());
        }
    }
    bytes[16..24].copy_from_slice(&len.to_le_bytes());
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..28]), &bytes[HEADER_BYTES..table_end]);
    bytes[28..32].copy_from_slice(&sum.to_le_bytes());
}

/// Four bytes as a number. The caller has checked that they are there.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// Eight bytes as a number. The caller has checked that they are there.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// Rows of one size.
#[derive(Clone, Debug)]
pub(crate) struct Rows<const N: usize>(Bytes);

impl<const N: usize> Rows<N> {
    pub(crate) fn open(bytes: Bytes, name: &'static str) -> Result<Self, SegmentError> {
        if !bytes.len().is_multiple_of(N) || u32::try_from(bytes.len() / N).is_err() {
            return Err(SegmentError::inconsistent(name, "its length is not that of whole rows"));
        }
        Ok(Self(bytes))
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.0.len() / N).expect("INVARIANT: checked when opened")
    }

    /// One row.
    ///
    /// # Panics
    /// Where there is no such row: every number of a row was checked when the segment was opened.
    pub(crate) fn row(&self, index: u32) -> &[u8; N] {
        let at = index as usize * N;
        self.0
            .get(at..at + N)
            .and_then(|row| row.try_into().ok())
            .expect("INVARIANT: row numbers were checked when the segment was opened")
    }

    /// Whether `count` rows from `first` on exist.
    pub(crate) fn holds(&self, first: u32, count: u32) -> bool {
        first.checked_add(count).is_some_and(|end| end <= self.len())
    }
}

/// Byte strings by number.
#[derive(Clone, Debug)]
pub(crate) struct Strings {
    ends: Rows<4>,
    data: Bytes,
}

impl Strings {
    /// Checks that the strings follow each other within the data, and, where they are text, that they are UTF-8.
    pub(crate) fn open(section: &Bytes, name: &'static str, text: bool) -> Result<Self, SegmentError> {
        let wrong = |what| SegmentError::inconsistent(name, what);
        if section.len() < 4 {
            return Err(wrong("it has no count"));
        }
        let count = u32_at(section, 0) as usize;
        let data_at = count.checked_mul(4).and_then(|n| n.checked_add(4)).filter(|at| *at <= section.len());
        let data_at = data_at.ok_or_else(|| wrong("it has more strings than bytes"))?;
        let strings =
            Self { ends: Rows::open(section.slice(4..data_at), name)?, data: section.slice(data_at..) };
        let whole = if text {
            Some(std::str::from_utf8(&strings.data).map_err(|_| wrong("it is not UTF-8"))?)
        } else {
            None
        };
        let mut last = 0;
        for index in 0..strings.ends.len() {
            let end = u32_at(strings.ends.row(index), 0) as usize;
            if end < last || end > strings.data.len() || whole.is_some_and(|t| !t.is_char_boundary(end)) {
                return Err(wrong("its strings do not follow each other"));
            }
            last = end;
        }
        Ok(strings)
    }

    pub(crate) fn len(&self) -> u32 {
        self.ends.len()
    }

    pub(crate) fn get(&self, index: u32) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| u32_at(self.ends.row(before), 0) as usize);
        let end = u32_at(self.ends.row(index), 0) as usize;
        &self.data[start..end]
    }

    pub(crate) fn text(&self, index: u32) -> &str {
        std::str::from_utf8(self.get(index)).expect("INVARIANT: text was checked when the segment was opened")
    }
}

/// Collects byte strings, each once.
#[derive(Default)]
pub(crate) struct StringsBuilder {
    /// Numbers of strings by the hash of their bytes, which stand in `data` and nowhere else.
    known: HashTable<u32>,
    hasher: RandomState,
    ends: Vec<u32>,
    data: Vec<u8>,
}

impl StringsBuilder {
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<u32, TooBig> {
        let hash = self.hasher.hash_one(bytes);
        let (ends, data, hasher) = (&self.ends, &self.data, &self.hasher);
        if let Some(&index) = self.known.find(hash, |index| string(ends, data, *index) == bytes) {
            return Ok(index);
        }
        let index = u32::try_from(self.ends.len()).map_err(|_| TooBig)?;
        let end = u32::try_from(self.data.len() + bytes.len()).map_err(|_| TooBig)?;
        self.known.insert_unique(hash, index, |index| hasher.hash_one(string(ends, data, *index)));
        self.data.extend_from_slice(bytes);
        self.ends.push(end);
        Ok(index)
    }

    /// A string that was added.
    pub(crate) fn get(&self, index: u32) -> &[u8] {
        string(&self.ends, &self.data, index)
    }

    pub(crate) fn finish(self, spool: &mut Spool) -> io::Result<()> {
        drop(self.known);
        let count = u32::try_from(self.ends.len()).expect("counted in add");
        spool.put(&count.to_le_bytes())?;
        self.ends.iter().try_for_each(|end| spool.put(&end.to_le_bytes()))?;
        self.data.chunks(1 << 20).try_for_each(|piece| spool.put(piece))
    }
}

fn string<'d>(ends: &[u32], data: &'d [u8], index: u32) -> &'d [u8] {
    let index = index as usize;
    let start = index.checked_sub(1).map_or(0, |before| ends[before]);
    &data[start as usize..ends[index] as usize]
}

/// More than a segment can number (4 GiB of text, or four thousand million rows).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than a segment can hold: split the delivery by ecosystem")]
pub struct TooBig;
