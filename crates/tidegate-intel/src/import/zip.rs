//! Zip archives, file by file in the order of their directory. Of the directory one entry at a time is in memory: an
//! archive of a million records has a hundred megabytes of it.
//!
//! Read are archives of one part, stored or deflated, with or without the 64-bit fields (APPNOTE 6.3.10 §4.3). Lengths
//! and checksums are those of the directory, and both must fit.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::container::{ContainerError, MAX_FILES};

const END: &[u8; 4] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const END_64_PLACE: &[u8; 4] = b"PK\x06\x07";
const END_64: &[u8; 4] = b"PK\x06\x06";
const FILE: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";
const MAX_COMMENT_BYTES: u64 = u16::MAX as u64;

/// What can be read from any place.
pub(crate) trait Seekable: Read + Seek {}

impl<T: Read + Seek> Seekable for T {}

/// One file of an archive, as its directory has it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub name: String,
    pub len: u64,
    method: u16,
    encrypted: bool,
    packed: u64,
    sum: u32,
    place: u64,
}

/// The directory of an archive.
pub(crate) struct Directory<R> {
    reader: BufReader<R>,
    left: u64,
}

fn damaged(what: &'static str) -> ContainerError {
    ContainerError::Archive(what)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

impl<R: Seekable> Directory<R> {
    /// Finds the directory by the archive's end.
    pub(crate) fn open(mut reader: R) -> Result<Self, ContainerError> {
        let len = reader.seek(SeekFrom::End(0))?;
        let tail_len = len.min(END_BYTES as u64 + MAX_COMMENT_BYTES);
        reader.seek(SeekFrom::Start(len - tail_len))?;
        let mut tail = Vec::new();
        (&mut reader).take(tail_len).read_to_end(&mut tail)?;
        let ends_here = |at: &usize| {
            tail[*at..].starts_with(END)
                && *at + END_BYTES + usize::from(u16_at(&tail, at + 20)) == tail.len()
        };
        let end = (0..(tail.len() + 1).saturating_sub(END_BYTES)).rev().find(ends_here);
        let end = end.ok_or_else(|| damaged("it has no end: it is cut off"))?;
        let mut count = u64::from(u16_at(&tail, end + 10));
        let mut size = u64::from(u32_at(&tail, end + 12));
        let mut place = u64::from(u32_at(&tail, end + 16));
        let mut before = len - tail_len + end as u64;
        if count == 0xffff || size == 0xffff_ffff || place == 0xffff_ffff {
            let pointer = read_at::<20, _>(&mut reader, before.checked_sub(20))?;
            if pointer.starts_with(END_64_PLACE) {
                let at = u64_at(&pointer, 8);
                let record = read_at::<56, _>(&mut reader, Some(at))?;
                if !record.starts_with(END_64) {
                    return Err(damaged("its 64-bit end is not where it says"));
                }
                [count, size, place] = [32, 40, 48].map(|field| u64_at(&record, field));
                before = at;
            }
        }
        if count > MAX_FILES as u64 {
            return Err(ContainerError::TooManyFiles);
        }
        if place.checked_add(size).is_none_or(|end| end != before) {
            return Err(damaged("its directory does not end where the archive does"));
        }
        reader.seek(SeekFrom::Start(place))?;
        Ok(Self { reader: BufReader::new(reader), left: count })
    }

    /// The next file.
    pub(crate) fn next(&mut self) -> Result<Option<Member>, ContainerError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut head = [0; 46];
        self.reader.read_exact(&mut head)?;
        if !head.starts_with(FILE) {
            return Err(damaged("its directory is cut off"));
        }
        let [name_len, extra_len, comment_len] = [28, 30, 32].map(|at| usize::from(u16_at(&head, at)));
        let mut rest = vec![0; name_len + extra_len + comment_len];
        self.reader.read_exact(&mut rest)?;
        let mut member = Member {
            name: String::from_utf8_lossy(&rest[..name_len]).into_owned(),
            len: u32_at(&head, 24).into(),
            method: u16_at(&head, 10),
            encrypted: u16_at(&head, 8) & 1 == 1,
            packed: u32_at(&head, 20).into(),
            sum: u32_at(&head, 16),
            place: u32_at(&head, 42).into(),
        };
        long_fields(&mut member, &rest[name_len..name_len + extra_len])?;
        Ok(Some(member))
    }
}

/// The 64-bit values of fields that do not fit into 32 bits, in their order (§4.5.3).
fn long_fields(member: &mut Member, mut extra: &[u8]) -> Result<(), ContainerError> {
    while extra.len() >= 4 {
        let (id, len) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let field = extra.get(4..4 + len).ok_or_else(|| damaged("a field of its directory is cut off"))?;
        extra = &extra[4 + len..];
        if id != 1 {
            continue;
        }
        let mut values = field.chunks_exact(8).map(|value| u64_at(value, 0));
        for short in [&mut member.len, &mut member.packed, &mut member.place] {
            if *short == 0xffff_ffff {
                *short = values.next().ok_or_else(|| damaged("a long field of its directory is missing"))?;
            }
        }
    }
    Ok(())
}

fn read_at<const N: usize, R: Seekable>(reader: &mut R, at: Option<u64>) -> Result<[u8; N], ContainerError> {
    let mut bytes = [0; N];
    reader.seek(SeekFrom::Start(at.ok_or_else(|| damaged("its end is cut off"))?))?;
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

impl Member {
    pub(crate) fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    /// The file's bytes. Reading fails at the end where length or checksum do not fit.
    pub(crate) fn open<R: Seekable>(&self, reader: R) -> Result<impl Read + use<R>, ContainerError> {
        if self.encrypted {
            return Err(damaged("a file in it is encrypted"));
        }
        let mut reader = BufReader::new(reader);
        reader.seek(SeekFrom::Start(self.place))?;
        let mut head = [0; 30];
        reader.read_exact(&mut head)?;
        if !head.starts_with(LOCAL) {
            return Err(damaged("a file is not where its directory says"));
        }
        let skip = i64::from(u16_at(&head, 26)) + i64::from(u16_at(&head, 28));
        reader.seek_relative(skip)?;
        let packed = reader.take(self.packed);
        let unpacked: Unpacked<_> = match self.method {
            0 => Unpacked::Stored(packed),
            8 => Unpacked::Deflated(flate2::bufread::DeflateDecoder::new(packed)),
            _ => return Err(damaged("a file in it is packed in a way that is not read here")),
        };
        Ok(Checked { inner: unpacked, crc: flate2::Crc::new(), left: self.len, sum: self.sum })
    }
}

enum Unpacked<R> {
    Stored(R),
    Deflated(flate2::bufread::DeflateDecoder<R>),
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(inner) => inner.read(out),
            Self::Deflated(inner) => inner.read(out),
        }
    }
}

/// Bytes whose number and checksum are known.
struct Checked<R> {
    inner: R,
    crc: flate2::Crc,
    left: u64,
    sum: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let wrong = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let read = self.inner.read(out)?;
        if read == 0 && !out.is_empty() {
            return match (self.left, self.crc.sum() == self.sum) {
                (0, true) => Ok(0),
                (0, false) => Err(wrong("the checksum of a file in the archive does not fit")),
                _ => Err(wrong("a file in the archive is shorter than its directory says")),
            };
        }
        self.left = (self.left.checked_sub(read as u64))
            .ok_or_else(|| wrong("a file in the archive is longer than its directory says"))?;
        self.crc.update(&out[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    fn archive(files: &[(&str, &[u8])], long: bool) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (n, (name, bytes)) in files.iter().enumerate() {
            let method = [zip::CompressionMethod::Deflated, zip::CompressionMethod::Stored][n % 2];
            let options =
                zip::write::SimpleFileOptions::default().compression_method(method).large_file(long);
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn all(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ContainerError> {
        let mut directory = Directory::open(Cursor::new(bytes))?;
        let mut found = Vec::new();
        while let Some(member) = directory.next()? {
            let mut out = Vec::new();
            member.open(Cursor::new(bytes))?.read_to_end(&mut out)?;
            found.push((member.name, out));
        }
        Ok(found)
    }

    const FILES: [(&str, &[u8]); 3] =
        [("a.json", b"{\"a\":1}"), ("b.json", b"{\"b\":2}"), ("c", &[7; 10_000])];

    #[test]
    fn files_are_read_as_they_were_put_in() {
        for long in [false, true] {
            let found = all(&archive(&FILES, long)).unwrap();
            let expected: Vec<_> = FILES.iter().map(|(name, b)| ((*name).to_owned(), b.to_vec())).collect();
            assert_eq!(found, expected);
        }
        assert!(all(&archive(&[], false)).unwrap().is_empty());
    }

    #[test]
    fn cuts_and_flips_are_seen_or_change_nothing() {
        let bytes = archive(&FILES, false);
        let whole = all(&bytes).unwrap();
        for at in 0..bytes.len() {
            assert!(all(&bytes[..at]).is_err(), "cut at {at}");
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x11;
            // Names and times of the directory have no checksum.
            if let Ok(found) = all(&flipped) {
                let contents =
                    |files: &[(String, Vec<u8>)]| files.iter().map(|f| f.1.clone()).collect::<Vec<_>>();
                assert_eq!(contents(&found), contents(&whole), "a flip at {at} went unseen");
            }
        }
    }
}
