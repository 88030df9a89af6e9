//! A file of events, one CloudEvent a line, for whatever reads files.
//!
//! Each line is synced before the next event is taken, so no power cut loses one that counts as delivered. When the door
//! begins again, the last whole line says where to go on, and a line that was cut is removed: each event stands there once.
//! A file that has grown full is renamed to `NAME.1`, the one before to `NAME.2`, and so on; the oldest is deleted.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_ledger::NodeId;
use tidegate_model::Timestamp;

use super::{Delivering, Delivery, Sink, SinkError};
use crate::config::FileSink;
use crate::events::Event;
use crate::events::event::EventId;

/// How much of the end of a file is searched for the last event. Longer than many events: an entry is 64 KiB at most.
const TAIL_BYTES: u64 = 1 << 20;

/// A file of events.
#[derive(Debug)]
pub struct EventFile {
    writer: Arc<Mutex<Writer>>,
}

#[derive(Debug)]
struct Writer {
    path: PathBuf,
    file: File,
    /// Bytes in it.
    len: u64,
    max_bytes: u64,
    /// Full files that are kept.
    keep: u32,
}

impl EventFile {
    /// Opens it, making it where it is missing, and removes a line that was cut. Blocks.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn open(name: &str, section: &FileSink, data: &Path) -> Result<Self, SinkError> {
        let path = data.join(&section.path);
        let max_bytes = section.max_mib.saturating_mul(1 << 20);
        let writer = Writer::open(path.clone(), max_bytes, section.keep).map_err(|e| {
            let why = format!("`{}` cannot be written: {e}", path.display());
            SinkError::new(name, why, "make its folder, writable by the user that runs the door")
        })?;
        Ok(Self { writer: Arc::new(Mutex::new(writer)) })
    }

    /// Its path.
    pub fn target(&self) -> String {
        self.lock().path.display().to_string()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Writer> {
        // A write that was cut by a panic is mended by the next.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for EventFile {
    fn deliver<'a>(&'a mut self, event: &'a Event, _: Timestamp) -> Delivering<'a> {
        let writer = Arc::clone(&self.writer);
        let line = format!("{}\n", event.to_json());
        Box::pin(async move {
            let write = move || writer.lock().unwrap_or_else(PoisonError::into_inner).append(line.as_bytes());
            match tokio::task::spawn_blocking(write).await {
                Ok(Ok(())) => Delivery::Taken("written".into()),
                Ok(Err(error)) => Delivery::Again { why: error.to_string(), after: None },
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        })
    }

    fn holds_up_to(&self, node: &NodeId) -> Option<(u64, u32)> {
        let path = self.lock().path.clone();
        last_event(&path, node).or_else(|| last_event(&numbered(&path, 1), node))
    }
}

impl Writer {
    fn open(path: PathBuf, max_bytes: u64, keep: u32) -> io::Result<Self> {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        let len = whole_lines(&mut file)?;
        file.set_len(len)?;
        file.sync_all()?;
        if is_new {
            sync_folder(&path)?;
        }
        Ok(Self { path, file, len, max_bytes, keep })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.len > 0 && self.len + line.len() as u64 > self.max_bytes {
            self.rotate()?;
        }
        let written = self.file.write_all(line).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.len += line.len() as u64,
            // Half a line must not stand before the next whole one.
            Err(_) => self.file.set_len(self.len)?,
        }
        written
    }

    fn rotate(&mut self) -> io::Result<()> {
        for n in (1..self.keep).rev() {
            rename(&numbered(&self.path, n), &numbered(&self.path, n + 1))?;
        }
        if self.keep == 0 {
            std::fs::remove_file(&self.path)?;
        } else {
            rename(&self.path, &numbered(&self.path, 1))?;
        }
        self.file = OpenOptions::new().create(true).read(true).append(true).open(&self.path)?;
        self.len = 0;
        sync_folder(&self.path)
    }
}

/// Renames what is there.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn numbered(path: &Path, n: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The end of a file, and where it begins.
fn tail(file: &mut File) -> io::Result<(Vec<u8>, u64)> {
    let len = file.metadata()?.len();
    let begin = len.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(begin))?;
    let mut end = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut end)?;
    Ok((end, begin))
}

/// What every line begins with.
const LINE_BEGIN: &[u8] = br#"{"specversion":"1.0","id":""#;

/// How many bytes of a file are whole lines. What follows them must be the beginning of an event: nothing is cut off a file
/// of another program.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let (end, begin) = tail(file)?;
    let whole = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let rest = &end[whole..];
    let shared = rest.len().min(LINE_BEGIN.len());
    if (whole == 0 && begin > 0) || rest[..shared] != LINE_BEGIN[..shared] {
        let why = "its end is no event: it is another program's file";
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(begin + whole as u64)
}

/// The last event of a node in a file.
fn last_event(path: &Path, node: &NodeId) -> Option<(u64, u32)> {
    #[derive(serde::Deserialize)]
    struct Line {
        id: String,
    }
    let (end, _) = tail(&mut File::open(path).ok()?).ok()?;
    let lines = end.rsplit(|byte| *byte == b'\n');
    let ids = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok());
    let id = ids.filter_map(|line| EventId::parse(&line.id, node)).next()?;
    Some((id.record.seq, id.number))
}

#[cfg(test)]
mod tests;
