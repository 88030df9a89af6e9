//! Room on disk for what does not fit into memory while deliveries are read and compiled.
//!
//! Nothing here outlives the process: files have no name, and a crash leaves none behind.

mod codec;
mod sorter;

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

pub(crate) use codec::{Head, StoredEntry};
pub(crate) use sorter::{Records, Sorter};

/// Bytes of one buffer that are kept in memory before they go to a file.
const SPOOL_BYTES: usize = 1 << 20;

/// Where temporary files are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch(pub Option<PathBuf>);

impl Scratch {
    /// A file without a name.
    pub(crate) fn file(&self) -> io::Result<File> {
        match &self.0 {
            Some(dir) => tempfile::tempfile_in(dir),
            None => tempfile::tempfile(),
        }
    }
}

/// Bytes written once at the end and read once from the beginning, in memory while they are few.
#[derive(Debug)]
pub(crate) struct Spool {
    scratch: Scratch,
    memory: Vec<u8>,
    file: Option<File>,
    len: u64,
    sum: u32,
}

impl Spool {
    pub(crate) const fn new(scratch: Scratch) -> Self {
        Self { scratch, memory: Vec::new(), file: None, len: 0, sum: 0 }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.memory.extend_from_slice(bytes);
        self.len += bytes.len() as u64;
        if self.memory.len() >= SPOOL_BYTES { self.flush() } else { Ok(()) }
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sum = crc32c::crc32c_append(self.sum, &self.memory);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(self.scratch.file()?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }

    /// The CRC-32C of everything.
    pub(crate) fn sum(&self) -> u32 {
        crc32c::crc32c_append(self.sum, &self.memory)
    }

    /// Gives everything in pieces, in order.
    pub(crate) fn drain(self, out: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if let Some(mut file) = self.file {
            file.seek(SeekFrom::Start(0))?;
            let mut reader = BufReader::with_capacity(SPOOL_BYTES, file);
            let mut piece = vec![0; SPOOL_BYTES];
            loop {
                match reader.read(&mut piece)? {
                    0 => break,
                    read => out(&piece[..read])?,
                }
            }
        }
        out(&self.memory)
    }
}
