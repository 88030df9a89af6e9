//! What is asked about: a file, the folder of a model, or a digest alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256, Sha512};
use tidegate_model::{Algorithm, Digest};

use super::super::Failure;

/// The most files of a folder.
const MAX_FILES: usize = 100_000;
/// How deep a folder may be nested.
const MAX_DEPTH: usize = 64;
/// How much of a file is hashed at a time, in bytes.
const CHUNK_BYTES: usize = 1 << 16;
/// The largest file that is held in memory, for signatures that are over the bytes and not over a digest.
const MAX_WHOLE_BYTES: u64 = 1 << 30;

/// The artifact in question.
#[derive(Debug)]
pub(super) struct Artifact {
    /// As it was given.
    pub(super) shown: String,
    /// Where it lies; none where only a digest was given.
    pub(super) path: Option<PathBuf>,
    /// Its digests; none of a folder.
    pub(super) digests: Vec<Digest>,
    /// The files of a folder by their path in it, with their SHA-256.
    pub(super) files: Option<BTreeMap<String, Digest>>,
}

impl Artifact {
    /// Reads a file, or a folder without the files in `beside`, which hold its signature.
    pub(super) fn read(given: &str, beside: &[PathBuf]) -> Result<Self, Failure> {
        let path = PathBuf::from(given);
        let (mut digests, mut files) = (Vec::new(), None);
        if path.is_dir() {
            files = Some(folder(&path, beside)?);
        } else {
            digests = hashed(&path)?;
        }
        Ok(Self { shown: given.to_owned(), path: Some(path), digests, files })
    }

    /// An artifact of which only digests are known.
    pub(super) fn of_digests(digests: Vec<Digest>) -> Self {
        let shown = digests.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        Self { shown, path: None, digests, files: None }
    }

    /// The digest of one algorithm.
    pub(super) fn digest(&self, algorithm: Algorithm) -> Option<&Digest> {
        self.digests.iter().find(|digest| digest.algorithm() == algorithm)
    }

    /// The name of the file, without its folder.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.path.as_deref().and_then(Path::file_name).and_then(|name| name.to_str())
    }

    /// The bytes themselves, or a sentence on why they cannot be had.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, String> {
        let Some(path) = self.path.as_deref().filter(|_| self.files.is_none()) else {
            return Err(
                "its signature is over the bytes themselves: give the file, not a digest or a folder".into(),
            );
        };
        match bounded(path, MAX_WHOLE_BYTES) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(format!(
                "its signature is over the bytes themselves, and files over {} MiB are not read for that",
                MAX_WHOLE_BYTES >> 20
            )),
            Err(Failure(why)) => Err(why),
        }
    }
}

/// The bytes of a file; none where it has more than `limit`, of which nothing more is read.
pub(super) fn bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|e| unreadable(path, &e))?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

fn open(path: &Path) -> Result<File, Failure> {
    // A pipe or a device would keep us waiting.
    let kind = std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
    if !kind.is_file() {
        return Err(Failure(format!("`{}` is no regular file\n  give a file", path.display())));
    }
    File::open(path).map_err(|e| unreadable(path, &e))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let what_to_do = match error.kind() {
        ErrorKind::NotFound => "\n  check the path; a package URL begins with `pkg:`",
        _ => "",
    };
    Failure(format!("`{}` cannot be read: {error}{what_to_do}", path.display()))
}

/// The SHA-256 and the SHA-512 of a file of any size.
fn hashed(path: &Path) -> Result<Vec<Digest>, Failure> {
    let mut file = open(path)?;
    let (mut short, mut long) = (Sha256::new(), Sha512::new());
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = match file.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(path, &error)),
        };
        if read == 0 {
            break;
        }
        short.update(&chunk[..read]);
        long.update(&chunk[..read]);
    }
    let short = Digest::from_bytes(Algorithm::Sha256, &short.finalize());
    let long = Digest::from_bytes(Algorithm::Sha512, &long.finalize());
    Ok(short.into_iter().chain(long).collect())
}

/// Every file of a folder.
fn folder(root: &Path, beside: &[PathBuf]) -> Result<BTreeMap<String, Digest>, Failure> {
    let signatures: Vec<PathBuf> = beside.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let mut files = BTreeMap::new();
    let mut waiting = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| unreadable(&folder, &e))? {
            let entry = entry.map_err(|e| unreadable(&folder, &e))?;
            let path = entry.path();
            let name = entry.file_name().into_string().map_err(|_| {
                Failure(format!(
                    "`{}` has a name that is not UTF-8, which no signature can list",
                    path.display()
                ))
            })?;
            let kind = entry.file_type().map_err(|e| unreadable(&path, &e))?;
            let within = format!("{prefix}{name}");
            if kind.is_dir() && depth < MAX_DEPTH {
                waiting.push((path, format!("{within}/"), depth + 1));
            } else if kind.is_file() && files.len() < MAX_FILES {
                if path.canonicalize().is_ok_and(|path| signatures.contains(&path)) {
                    continue;
                }
                let digest = hashed(&path)?.swap_remove(0);
                files.insert(within, digest);
            } else {
                return Err(Failure(format!(
                    "`{}` cannot be compared with a signed list of files\n  a model's folder has at most {MAX_FILES} files, {MAX_DEPTH} levels, and no links",
                    path.display()
                )));
            }
        }
    }
    Ok(files)
}
