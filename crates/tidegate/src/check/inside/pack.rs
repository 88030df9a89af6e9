//! A folder as one tar stream, so that what lies in it is looked into together, as the package that it is.
//!
//! Files in the order of their names, read one after the other and never twice. No link is followed: what it names is in the
//! folder and packed itself, or outside and told as left out. Everything that is not packed is told, so that a folder never
//! reads as clean because of what was not in the stream.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use tidegate_inspect::inspection::NotSeen;

/// Files of one folder that are packed.
const FILES: u64 = 200_000;

/// Entries of folders that are listed.
const ENTRIES: u64 = 1_000_000;

/// Folders within folders.
const DEPTH: usize = 64;

/// Bytes of a stream.
const STREAM_BYTES: u64 = 2 << 30;

/// Things left out that are told one by one.
const TOLD: usize = 40;

/// The folder of the stream in which everything lies, as packages of npm have it. Paths in findings go without.
pub(super) const ROOT: &str = "package";

/// What came of packing.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// Files in the stream.
    pub(super) files: u64,
    /// What is not in the stream.
    pub(super) left_out: Vec<NotSeen>,
}

impl Packed {
    fn leave_out(&mut self, kind: &str, path: &Path, detail: &str) {
        let alike = self.left_out.iter_mut().filter(|gap| gap.kind == kind);
        let (alike, count) = alike.fold((None, 0), |(_, count), gap| (Some(gap), count + 1));
        match alike {
            Some(last) if count >= TOLD => last.count += 1,
            _ => self.left_out.push(NotSeen {
                kind: kind.to_owned(),
                path: path.to_string_lossy().into_owned(),
                detail: detail.to_owned(),
                count: 1,
            }),
        }
    }
}

/// Writes everything in a folder to a stream.
///
/// # Errors
/// The folder itself cannot be listed, or the stream cannot be written. What cannot be read within is left out.
pub(super) fn pack(folder: &Path, stream: &mut impl Write) -> io::Result<Packed> {
    let mut packed = Packed::default();
    let whole = folder.canonicalize()?;
    let top = list(&whole)?;
    // What an unpacked wheel is told by lies at the top.
    let is_wheel = top.iter().any(|name| name.as_bytes().ends_with(b".dist-info"));
    let root = if is_wheel { PathBuf::new() } else { PathBuf::from(ROOT) };
    let mut tar = tar::Builder::new(stream);
    let (mut bytes, mut entries) = (0_u64, 0_u64);
    let mut waiting: Vec<PathBuf> = top.into_iter().rev().map(PathBuf::from).collect();
    while let Some(path) = waiting.pop() {
        entries += 1;
        if entries > ENTRIES || packed.files >= FILES {
            packed.leave_out("entries", &path, "the folder has more files than are looked into");
            break;
        }
        let full = whole.join(&path);
        let metadata = match fs::symlink_metadata(&full) {
            Ok(metadata) => metadata,
            Err(error) => {
                packed.leave_out("unreadable", &path, &format!("cannot be read: {error}"));
                continue;
            }
        };
        if metadata.is_dir() {
            if path.components().count() >= DEPTH {
                packed.leave_out("depth", &path, "lies in more folders than are opened");
                continue;
            }
            match list(&full) {
                Ok(names) => waiting.extend(names.into_iter().rev().map(|name| path.join(name))),
                Err(error) => {
                    packed.leave_out("unreadable", &path, &format!("cannot be listed: {error}"));
                }
            }
        } else if metadata.is_symlink() {
            // A link within the folder names what is packed by itself.
            let is_within = full.canonicalize().is_ok_and(|target| target.starts_with(&whole));
            if !is_within {
                packed.leave_out("link_outside", &path, "is a link that leads out of the folder or nowhere");
            }
        } else if metadata.is_file() {
            if bytes.saturating_add(metadata.len()) > STREAM_BYTES {
                packed.leave_out("bytes", &path, "the folder holds more bytes than are looked into");
                continue;
            }
            match add(&mut tar, &full, &root.join(&path))? {
                Ok(size) => {
                    bytes += size;
                    packed.files += 1;
                }
                Err(error) => packed.leave_out("unreadable", &path, &format!("cannot be read: {error}")),
            }
        } else {
            packed.leave_out("special_file", &path, "is a device, a pipe or a socket");
        }
    }
    tar.finish()?;
    Ok(packed)
}

/// Names in a folder, sorted.
fn list(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)?.take(ENTRIES as usize) {
        names.push(entry?.file_name());
    }
    names.sort_unstable();
    Ok(names)
}

/// Adds a file. Inside: its size, or why it cannot be read; the stream is whole in both cases.
fn add<W: Write>(tar: &mut tar::Builder<W>, path: &Path, name: &Path) -> io::Result<Result<u64, io::Error>> {
    let file = match open(path) {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    let metadata = match file.metadata() {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Ok(Err(io::Error::other("it is no file any more"))),
        Err(error) => return Ok(Err(error)),
    };
    let size = metadata.len();
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(metadata.mode() & 0o777);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::Regular);
    let mut content = Content { file: file.take(size), failed: None };
    // A file that became shorter meanwhile, or breaks off, ends in zeros: the header is written already.
    tar.append_data(&mut header, name, (&mut content).chain(io::repeat(0)).take(size))?;
    Ok(content.failed.map_or(Ok(size), Err))
}

/// Opens what is a file, and nothing that a link leads to by now.
fn open(path: &Path) -> io::Result<File> {
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

/// A file of which a failure to read is kept for later and reads as its end.
struct Content {
    file: io::Take<File>,
    failed: Option<io::Error>,
}

impl io::Read for Content {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.file.read(bytes) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failed = Some(error);
                Ok(0)
            }
            read => read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(folder: &Path) -> (Vec<(String, Vec<u8>)>, Packed) {
        let mut stream = Vec::new();
        let packed = pack(folder, &mut stream).unwrap();
        let mut archive = tar::Archive::new(&stream[..]);
        let all = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (path, bytes)
        });
        (all.collect(), packed)
    }

    #[test]
    fn files_come_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let long = format!("b/{}/z.js", "long".repeat(60));
        for (path, text) in [("z.txt", "z"), ("b/two.js", "2"), ("b/one.js", "1"), ("a.js", ""), (&long, "l")]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (files, packed) = packed(folder.path());
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let long = format!("package/{long}");
        assert_eq!(paths, ["package/a.js", &long, "package/b/one.js", "package/b/two.js", "package/z.txt"]);
        assert_eq!(files[2].1, b"1");
        assert_eq!((packed.files, packed.left_out.len()), (5, 0));
    }

    #[test]
    fn links_are_not_followed_and_pipes_not_opened() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.txt"), "outside").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("own.txt"), "own").unwrap();
        std::os::unix::fs::symlink(outside.path(), at("away")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.txt"), at("away.txt")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("dead")).unwrap();
        std::os::unix::fs::symlink("own.txt", at("within.txt")).unwrap();
        std::os::unix::fs::symlink(".", at("round")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let (files, packed) = packed(folder.path());
        assert_eq!(files, [("package/own.txt".to_owned(), b"own".to_vec())]);
        let told: Vec<(&str, &str)> =
            packed.left_out.iter().map(|gap| (gap.kind.as_str(), gap.path.as_str())).collect();
        assert_eq!(
            told,
            [
                ("link_outside", "away"),
                ("link_outside", "away.txt"),
                ("link_outside", "dead"),
                ("special_file", "pipe")
            ]
        );
    }

    #[test]
    fn an_unpacked_wheel_keeps_its_top() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("x-1.0.dist-info")).unwrap();
        fs::write(folder.path().join("x-1.0.dist-info/METADATA"), "Name: x\n").unwrap();
        assert_eq!(packed(folder.path()).0[0].0, "x-1.0.dist-info/METADATA");
    }

    #[test]
    fn what_is_deeper_than_anything_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let deep: PathBuf = std::iter::repeat_n("d", DEPTH + 2).collect();
        fs::create_dir_all(folder.path().join(&deep)).unwrap();
        fs::write(folder.path().join(deep).join("x"), "x").unwrap();
        let (files, packed) = packed(folder.path());
        assert_eq!((files.len(), packed.left_out[0].kind.as_str()), (0, "depth"));
    }
}
