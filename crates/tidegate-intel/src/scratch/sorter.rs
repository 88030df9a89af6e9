//! Records in order of their ids, each once, however many there are: runs that fit into memory are sorted and set aside
//! on disk, then read side by side.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};

use super::Scratch;
use super::codec::{Head, StoredEntry, encode};
use crate::advisory::Advisory;
use crate::segment::RecordDigest;

/// What runs are packed with: the fastest, since they are read twice and thrown away.
const LEVEL: i32 = 1;

/// How far back packing looks, as a power of two: what each run costs in memory while it is read.
const WINDOW_LOG: u32 = 17;

/// Bytes read from a run at once.
const READ_BYTES: usize = 64 << 10;

/// Collects records.
#[derive(Debug, Default)]
pub(crate) struct Sorter {
    /// Entries, each behind its length.
    buffer: Vec<u8>,
    /// Where they begin.
    starts: Vec<usize>,
    runs: Vec<Run>,
    given: u64,
    newest: Option<i64>,
}

/// Records of one feed, to be read in order as often as needed.
#[derive(Debug)]
pub(crate) struct Records {
    runs: Vec<Run>,
    given: u64,
    newest: Option<i64>,
}

/// Entries sorted by id, then by what decides between copies.
#[derive(Debug)]
enum Run {
    Memory { buffer: Vec<u8>, starts: Vec<usize> },
    File(File),
}

impl Sorter {
    pub(crate) fn push(&mut self, advisory: &Advisory, digest: &RecordDigest, json: &[u8]) {
        self.starts.push(self.buffer.len());
        let at = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 4]);
        encode(&mut self.buffer, advisory, digest, json);
        let len = u32::try_from(self.buffer.len() - at - 4).expect("INVARIANT: records are bounded");
        self.buffer[at..at + 4].copy_from_slice(&len.to_le_bytes());
        self.given += 1;
        self.newest = self.newest.max(Some(advisory.modified));
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        self.buffer.len() + self.starts.len() * size_of::<usize>()
    }

    /// Puts what is in memory on disk.
    pub(crate) fn spill(&mut self, scratch: &Scratch) -> io::Result<()> {
        let (buffer, starts) = (std::mem::take(&mut self.buffer), std::mem::take(&mut self.starts));
        if starts.is_empty() {
            return Ok(());
        }
        let starts = sorted(&buffer, starts);
        let mut packer = zstd::Encoder::new(scratch.file()?, LEVEL)?;
        packer.window_log(WINDOW_LOG)?;
        for start in starts {
            packer.write_all(with_length(&buffer, start))?;
        }
        self.runs.push(Run::File(packer.finish()?));
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Records {
        if !self.starts.is_empty() {
            let (mut buffer, starts) = (self.buffer, self.starts);
            buffer.shrink_to_fit();
            let starts = sorted(&buffer, starts);
            self.runs.push(Run::Memory { buffer, starts });
        }
        Records { runs: self.runs, given: self.given, newest: self.newest }
    }
}

fn with_length(buffer: &[u8], start: usize) -> &[u8] {
    let len = buffer[start..start + 4].try_into().map(u32::from_le_bytes).expect("four bytes") as usize;
    &buffer[start..start + 4 + len]
}

fn sorted(buffer: &[u8], mut starts: Vec<usize>) -> Vec<usize> {
    let place = |start: &usize| {
        let head = StoredEntry(&with_length(buffer, *start)[4..]).head();
        (head.id, head.modified, head.digest)
    };
    starts.sort_unstable_by(|a, b| place(a).cmp(&place(b)));
    starts
}

impl Records {
    /// How many there are, those that stand in a delivery more than once counted each time.
    pub(crate) const fn given(&self) -> u64 {
        self.given
    }

    /// When the newest of them was changed, in milliseconds.
    pub(crate) const fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Reads all of them from the first on. One reading at a time.
    pub(crate) fn merge(&self) -> io::Result<Merge<'_>> {
        let runs = self.runs.iter().map(RunReader::open).collect::<io::Result<Vec<_>>>()?;
        Ok(Merge { runs, entry: Vec::new(), duplicates: 0 })
    }
}

struct RunReader<'r> {
    source: Source<'r>,
    entry: Vec<u8>,
    ended: bool,
}

enum Source<'r> {
    Memory { buffer: &'r [u8], starts: std::slice::Iter<'r, usize> },
    File(Box<zstd::Decoder<'r, BufReader<&'r File>>>),
}

impl<'r> RunReader<'r> {
    fn open(run: &'r Run) -> io::Result<Self> {
        let source = match run {
            Run::Memory { buffer, starts } => Source::Memory { buffer, starts: starts.iter() },
            Run::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(0))?;
                let reader = BufReader::with_capacity(READ_BYTES, file);
                Source::File(Box::new(zstd::Decoder::with_buffer(reader)?))
            }
        };
        let mut reader = Self { source, entry: Vec::new(), ended: false };
        reader.advance()?;
        Ok(reader)
    }

    fn advance(&mut self) -> io::Result<()> {
        self.entry.clear();
        match &mut self.source {
            Source::Memory { buffer, starts } => match starts.next() {
                Some(start) => self.entry.extend_from_slice(&with_length(buffer, *start)[4..]),
                None => self.ended = true,
            },
            Source::File(reader) => {
                let mut len = [0; 4];
                match reader.read(&mut len[..1])? {
                    0 => self.ended = true,
                    _ => {
                        reader.read_exact(&mut len[1..])?;
                        self.entry.resize(u32::from_le_bytes(len) as usize, 0);
                        reader.read_exact(&mut self.entry)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A reading of records in order.
pub(crate) struct Merge<'r> {
    runs: Vec<RunReader<'r>>,
    /// The entry that was given last.
    entry: Vec<u8>,
    duplicates: u64,
}

impl Merge<'_> {
    /// The next record: of copies of one id the newer one; of two of one time, always the same one, in whatever order
    /// they came.
    pub(crate) fn next(&mut self) -> io::Result<Option<StoredEntry<'_>>> {
        let Some(first) = self.lowest() else { return Ok(None) };
        self.take(first)?;
        // Copies follow each other in the order of what decides between them; the last one stays.
        while let Some(next) = self.lowest().filter(|next| self.head(*next).id == self.given().head().id) {
            self.duplicates += 1;
            self.take(next)?;
        }
        Ok(Some(self.given()))
    }

    /// How many copies were passed over so far.
    pub(crate) const fn duplicates(&self) -> u64 {
        self.duplicates
    }

    fn given(&self) -> StoredEntry<'_> {
        StoredEntry(&self.entry)
    }

    fn head(&self, run: usize) -> Head<'_> {
        StoredEntry(&self.runs[run].entry).head()
    }

    /// The run whose next entry comes first. Runs are few, so looking at each is as quick as a heap.
    fn lowest(&self) -> Option<usize> {
        let open = (0..self.runs.len()).filter(|run| !self.runs[*run].ended);
        let place = |run: &usize| {
            let head = self.head(*run);
            (head.id, head.modified, head.digest)
        };
        open.min_by(|a, b| place(a).cmp(&place(b)))
    }

    fn take(&mut self, run: usize) -> io::Result<()> {
        std::mem::swap(&mut self.entry, &mut self.runs[run].entry);
        self.runs[run].advance()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(sorter: &mut Sorter, id: &str, modified: i64, digest: u8) {
        let advisory = Advisory { id: id.to_owned(), modified, ..Advisory::default() };
        sorter.push(&advisory, &[digest; 16], id.as_bytes());
    }

    #[test]
    fn records_come_sorted_and_once_from_memory_and_disk() {
        for spill_after in [1, 3, 1000] {
            let mut sorter = Sorter::default();
            for n in 0..100_i64 {
                // 0, 37, 74, 11, …: every number below 50 twice, the later copy newer for odd ones.
                let number = n * 37 % 50;
                let newer = if number % 2 == 1 { n } else { -n };
                push(&mut sorter, &format!("A-{number:02}"), newer, 1);
                if n % spill_after == 0 {
                    sorter.spill(&Scratch::default()).unwrap();
                }
            }
            push(&mut sorter, "A-00", 0, 9);
            let records = sorter.finish();
            assert_eq!((records.given(), records.newest()), (101, Some(99)));
            for _ in 0..2 {
                let mut merge = records.merge().unwrap();
                let mut seen = Vec::new();
                while let Some(entry) = merge.next().unwrap() {
                    let head = entry.head();
                    seen.push((head.id.to_owned(), head.modified, head.digest[0]));
                }
                assert_eq!(merge.duplicates(), 51);
                let ids: Vec<String> = (0..50).map(|n| format!("A-{n:02}")).collect();
                assert_eq!(seen.iter().map(|(id, ..)| id.clone()).collect::<Vec<_>>(), ids);
                // Of copies of one time the higher digest, of others the newest.
                assert_eq!(seen[0], ("A-00".to_owned(), 0, 9));
                assert!(seen.iter().skip(1).all(|(_, modified, _)| *modified >= 50 || *modified > -50));
            }
        }
    }
}
