//! Where unpacked content goes: memory while it is small, an unnamed file mapped into memory when it is not.
//!
//! So every reader sees a plain slice, and memory stays bounded whatever is unpacked.

use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Deref;
use std::path::PathBuf;

use tidegate_sys::map::FileBytes;

/// Gives files for content that does not fit into memory.
pub trait Scratch {
    /// An empty file, readable and writable, that nobody else opens. Best one without a name.
    ///
    /// # Errors
    /// Where there is none to be had; the content becomes a gap.
    fn file(&self) -> io::Result<File>;

    /// Takes back a file whose content nobody looks at any more. Where an inspection ends early, files are closed without
    /// this.
    fn take_back(&self, file: File) {
        drop(file);
    }
}

/// Unnamed files in a folder; they are gone when they are closed, also after a crash.
#[derive(Clone, Debug)]
pub struct TemporaryFiles {
    folder: PathBuf,
}

impl TemporaryFiles {
    /// Files in this folder, which must exist.
    pub fn within(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

impl Default for TemporaryFiles {
    /// Files in the system's folder for them.
    fn default() -> Self {
        Self::within(std::env::temp_dir())
    }
}

impl Scratch for TemporaryFiles {
    fn file(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.folder)
    }
}

/// No files: content that does not fit into memory is a gap.
#[derive(Clone, Copy, Debug)]
pub struct NoScratch;

impl Scratch for NoScratch {
    fn file(&self) -> io::Result<File> {
        Err(io::Error::other("no scratch files are allowed"))
    }
}

/// Unpacked content.
#[derive(Debug)]
pub(crate) enum Unpacked {
    Memory(Vec<u8>),
    Mapped(FileBytes, File),
}

impl Deref for Unpacked {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Memory(bytes) => bytes,
            Self::Mapped(bytes, _) => bytes,
        }
    }
}

/// Content while it is being unpacked.
pub(crate) struct Sink<'s> {
    scratch: &'s dyn Scratch,
    memory: Vec<u8>,
    /// Bytes that memory may hold before the file takes over.
    room: usize,
    file: Option<File>,
}

impl<'s> Sink<'s> {
    /// `memory` is a buffer to use again.
    pub(crate) fn new(scratch: &'s dyn Scratch, mut memory: Vec<u8>, room: usize) -> Self {
        memory.clear();
        Self { scratch, memory, room, file: None }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            return file.write_all(bytes);
        }
        if self.memory.len() + bytes.len() <= self.room {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        let mut file = self.scratch.file()?;
        file.write_all(&self.memory)?;
        file.write_all(bytes)?;
        self.file = Some(file);
        self.memory.clear();
        Ok(())
    }

    /// What was written, and the buffer if it is free again.
    pub(crate) fn finish(self) -> io::Result<(Unpacked, Option<Vec<u8>>)> {
        match self.file {
            // INVARIANT: nobody else has the file, and nothing is written to it until it is taken back.
            Some(file) => Ok((Unpacked::Mapped(FileBytes::map_immutable(&file)?, file), Some(self.memory))),
            None => Ok((Unpacked::Memory(self.memory), None)),
        }
    }

    /// What was written before writing failed, as far as it is in memory.
    pub(crate) fn into_memory(self) -> Unpacked {
        Unpacked::Memory(self.memory)
    }
}
