//! The header of a 7z archive. Every list is read number by number, so that none can be longer than the header has bytes.

use crate::bytes::{u32_le, u64_le};

/// A part of the archive that is packed as one.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    pub(super) coders: Vec<Coder>,
    /// Which coder's input takes which coder's output.
    pub(super) bindings: Vec<(usize, usize)>,
    /// Sizes of the coders' outputs.
    pub(super) sizes: Vec<u64>,
    pub(super) crc: Option<u32>,
    /// Sizes and CRCs of the files in it.
    pub(super) files: Vec<(u64, Option<u32>)>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Coder {
    pub(super) id: Vec<u8>,
    pub(super) props: Vec<u8>,
    /// One input and one output.
    pub(super) is_simple: bool,
}

/// Where packed streams lie, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams {
    pub(super) start: u64,
    pub(super) packed: Vec<u64>,
    pub(super) folders: Vec<Folder>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) name: Vec<u8>,
    pub(super) has_content: bool,
}

pub(super) enum Header {
    /// The header is itself packed.
    Packed(Streams),
    Plain(Streams, Vec<File>),
}

/// Coders, and folders' streams, that anybody uses.
const FEW: u64 = 32;

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number whose first byte says by its leading ones how many follow.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let extra = first.leading_ones();
        let mut value = 0;
        for n in 0..extra {
            value |= u64::from(self.byte()?) << (8 * n);
        }
        let high = if extra >= 7 { 0 } else { u64::from(first & (0x7f >> extra)) };
        Some(value | high.checked_shl(8 * extra).unwrap_or(0))
    }

    /// How many of something that takes at least a bit each.
    fn count(&mut self) -> Option<usize> {
        let count = self.number()?;
        usize::try_from(count).ok().filter(|count| count / 8 <= self.0.len())
    }

    fn bits(&mut self, count: usize) -> Option<Vec<bool>> {
        let bytes = self.take(count.div_ceil(8) as u64)?;
        Some((0..count).map(|n| bytes[n / 8] & (0x80 >> (n % 8)) != 0).collect())
    }

    fn digests(&mut self, count: usize) -> Option<Vec<Option<u32>>> {
        let defined = if self.byte()? != 0 { vec![true; count] } else { self.bits(count)? };
        defined
            .into_iter()
            .map(|is| if is { Some(Some(u32_le(self.take(4)?, 0)?)) } else { Some(None) })
            .collect()
    }
}

/// Where the header lies: offset and size, from the archive's first bytes.
pub(super) fn place(bytes: &[u8]) -> Option<(u64, u64)> {
    Some((u64_le(bytes, 12)?.checked_add(32)?, u64_le(bytes, 20)?))
}

pub(super) fn parse(bytes: &[u8]) -> Option<Header> {
    let mut cursor = Cursor(bytes);
    match cursor.byte()? {
        0x17 => Some(Header::Packed(streams(&mut cursor)?)),
        0x01 => {
            let (mut found, mut files) = (Streams::default(), Vec::new());
            loop {
                match cursor.byte()? {
                    0x00 => return Some(Header::Plain(found, files)),
                    0x04 => found = streams(&mut cursor)?,
                    0x05 => files = self::files(&mut cursor)?,
                    _ => return None,
                }
            }
        }
        _ => None,
    }
}

fn streams(cursor: &mut Cursor<'_>) -> Option<Streams> {
    let mut streams = Streams::default();
    loop {
        match cursor.byte()? {
            0x00 => break,
            0x06 => packed(cursor, &mut streams)?,
            0x07 => folders(cursor, &mut streams)?,
            0x08 => {
                files_of_folders(cursor, &mut streams)?;
                return (cursor.byte()? == 0).then_some(streams);
            }
            _ => return None,
        }
    }
    for folder in &mut streams.folders {
        folder.files = vec![(unpacked_size(folder)?, folder.crc)];
    }
    Some(streams)
}

fn packed(cursor: &mut Cursor<'_>, streams: &mut Streams) -> Option<()> {
    streams.start = cursor.number()?.checked_add(32)?;
    let count = cursor.count()?;
    loop {
        match cursor.byte()? {
            0x00 => return Some(()),
            0x09 => streams.packed = (0..count).map(|_| cursor.number()).collect::<Option<_>>()?,
            0x0a => {
                cursor.digests(count)?;
            }
            _ => return None,
        }
    }
}

fn folders(cursor: &mut Cursor<'_>, streams: &mut Streams) -> Option<()> {
    if cursor.byte()? != 0x0b {
        return None;
    }
    let count = cursor.count()?;
    if cursor.byte()? != 0 {
        return None;
    }
    streams.folders = (0..count).map(|_| folder(cursor)).collect::<Option<_>>()?;
    if cursor.byte()? != 0x0c {
        return None;
    }
    for folder in &mut streams.folders {
        folder.sizes = (0..folder.coders.len()).map(|_| cursor.number()).collect::<Option<_>>()?;
    }
    loop {
        match cursor.byte()? {
            0x00 => return Some(()),
            0x0a => {
                let digests = cursor.digests(count)?;
                for (folder, crc) in streams.folders.iter_mut().zip(digests) {
                    folder.crc = crc;
                }
            }
            _ => return None,
        }
    }
}

fn folder(cursor: &mut Cursor<'_>) -> Option<Folder> {
    let mut folder = Folder::default();
    let coders = cursor.number().filter(|count| (1..=FEW).contains(count))?;
    let (mut inputs, mut outputs) = (0, 0);
    for _ in 0..coders {
        let flags = cursor.byte()?;
        let mut coder = Coder { id: cursor.take(u64::from(flags & 0x0f))?.to_vec(), ..Coder::default() };
        let (own_in, own_out) = if flags & 0x10 != 0 { (cursor.number()?, cursor.number()?) } else { (1, 1) };
        if own_in > FEW || own_out > FEW {
            return None;
        }
        coder.is_simple = (own_in, own_out) == (1, 1);
        (inputs, outputs) = (inputs + own_in, outputs + own_out);
        if flags & 0x20 != 0 {
            let length = cursor.number()?;
            coder.props = cursor.take(length)?.to_vec();
        }
        folder.coders.push(coder);
    }
    let bindings = outputs.checked_sub(1)?;
    for _ in 0..bindings {
        let input = usize::try_from(cursor.number()?).ok()?;
        folder.bindings.push((input, usize::try_from(cursor.number()?).ok()?));
    }
    let packed = inputs.checked_sub(bindings)?;
    if packed > 1 {
        for _ in 0..packed {
            cursor.number()?;
        }
    }
    Some(folder)
}

/// The size of what comes out in the end: of the output that nothing takes.
pub(super) fn unpacked_size(folder: &Folder) -> Option<u64> {
    let last = (0..folder.sizes.len()).find(|n| folder.bindings.iter().all(|(_, output)| output != n))?;
    folder.sizes.get(last).copied()
}

fn files_of_folders(cursor: &mut Cursor<'_>, streams: &mut Streams) -> Option<()> {
    let mut counts = vec![1usize; streams.folders.len()];
    let mut kind = cursor.byte()?;
    if kind == 0x0d {
        for count in &mut counts {
            *count = cursor.count()?;
        }
        kind = cursor.byte()?;
    }
    let has_sizes = kind == 0x09;
    for (folder, &count) in streams.folders.iter_mut().zip(&counts) {
        let mut left = unpacked_size(folder)?;
        for n in 0..count {
            let size = match n + 1 < count {
                true if has_sizes => cursor.number()?,
                true => return None,
                false => left,
            };
            left = left.checked_sub(size)?;
            let crc = if count == 1 { folder.crc } else { None };
            folder.files.push((size, crc));
        }
    }
    if has_sizes {
        kind = cursor.byte()?;
    }
    if kind == 0x0a {
        let unknown = || streams.folders.iter().flat_map(|f| &f.files).filter(|file| file.1.is_none());
        let mut digests = cursor.digests(unknown().count())?.into_iter();
        for file in streams.folders.iter_mut().flat_map(|f| &mut f.files).filter(|file| file.1.is_none()) {
            file.1 = digests.next()?;
        }
        kind = cursor.byte()?;
    }
    (kind == 0).then_some(())
}

fn files(cursor: &mut Cursor<'_>) -> Option<Vec<File>> {
    let count = cursor.count().filter(|count| *count <= cursor.0.len())?;
    let mut files = vec![File { name: Vec::new(), has_content: true }; count];
    loop {
        let kind = cursor.byte()?;
        if kind == 0 {
            return Some(files);
        }
        let length = cursor.number()?;
        let mut own = Cursor(cursor.take(length)?);
        match kind {
            0x0e => {
                for (file, is_empty) in files.iter_mut().zip(own.bits(count)?) {
                    file.has_content = !is_empty;
                }
            }
            0x11 => {
                if own.byte()? != 0 {
                    return None;
                }
                for file in &mut files {
                    file.name = name(&mut own)?;
                }
            }
            _ => {}
        }
    }
}

/// UTF-16 up to a zero, as UTF-8; halves of a pair stay as they are in three bytes.
fn name(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let mut units = Vec::new();
    loop {
        let pair = cursor.take(2)?;
        match u16::from_le_bytes([pair[0], pair[1]]) {
            0 => break,
            unit => units.push(unit),
        }
    }
    Some(String::from_utf16_lossy(&units).into_bytes())
}
