//! New trust roots through The Update Framework: refreshed from an instance's repository, or brought in by hand.
//!
//! Either way the chain of signatures is walked from a root file that is already believed, and no version may be lower
//! than the last one seen. A refresh also wants everything to be current. An import is judged at its own time, since a
//! site without a network gets it late by nature; how old it is then shows in the age of the root that comes of it.
//!
//! Fetching is the caller's: a [`Source`] answers by name, from a folder, a [`Files`] or the network. It is asked on the
//! calling thread, so a background job with a slow source brings a thread of its own.

mod bootstrap;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Component, Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Repository, Updater, UpdaterConfig};
use tidegate_model::Timestamp;

use crate::roots::{Instance, InvalidRoot, MAX_ROOT_BYTES, Origin, Root};

pub use bootstrap::Bootstrap;

/// The target that holds an instance's root.
pub const TRUSTED_ROOT: &str = "trusted_root.json";

/// The most bytes of one target.
const MAX_TARGET_BYTES: u64 = 4 << 20;

/// The most bytes of a file that brings everything at once.
const MAX_FILE_BYTES: usize = 64 << 20;

/// The most files that are read of a folder.
const MAX_FILES: usize = 2_000;

/// Where metadata and targets come from.
pub trait Source: Send + Sync {
    /// The metadata file `name`, of at most `max_bytes`; `None` where there is none of that name.
    ///
    /// # Errors
    /// If it cannot be had, in words for people.
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String>;

    /// The target at `path`, of at most `max_bytes`; `None` where there is none.
    ///
    /// # Errors
    /// If it cannot be had, in words for people.
    fn target(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String>;
}

/// A repository in a folder: metadata in it, targets in its `targets/`.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The repository in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }
}

impl Source for Folder {
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
        read_within(&self.0, name, max_bytes)
    }

    fn target(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
        read_within(&self.0.join("targets"), path, max_bytes)
    }
}

fn read_within(folder: &Path, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
    use std::io::Read as _;
    if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(format!("`{name}` is no name within the repository"));
    }
    let path = folder.join(name);
    let told = |e: std::io::Error| format!("reading `{}`: {e}", path.display());
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(told(e)),
    };
    let mut bytes = Vec::new();
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > max_bytes {
        return Err(format!("`{}` has more than {max_bytes} bytes", path.display()));
    }
    Ok(Some(bytes))
}

/// All that one refresh fetched, as one file: what a site with a network exports and one without imports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    metadata: BTreeMap<String, Vec<u8>>,
    targets: BTreeMap<String, Vec<u8>>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    metadata: BTreeMap<String, String>,
    targets: BTreeMap<String, String>,
}

const WRITTEN_FORMAT: &str = "tidegate/trust-update/v1";

impl Files {
    /// Files by name: metadata, and targets by path.
    pub fn new(metadata: BTreeMap<String, Vec<u8>>, targets: BTreeMap<String, Vec<u8>>) -> Self {
        Self { metadata, targets }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn parts(&self) -> [&BTreeMap<String, Vec<u8>>; 2] {
        [&self.metadata, &self.targets]
    }

    /// Reads a file as [`Self::to_json`] writes it, or the copy of a repository in a folder: metadata in it, targets in its
    /// `targets/`.
    ///
    /// # Errors
    /// If it cannot be read, is too large, or is no such file.
    pub fn read(path: &Path) -> Result<Self, TufError> {
        let failed = |e: std::io::Error| TufError::Unreadable(format!("`{}`: {e}", path.display()));
        if !std::fs::metadata(path).map_err(failed)?.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let folder = path.parent().unwrap_or_else(|| Path::new(""));
            let text = read_within(folder, &name, MAX_FILE_BYTES as u64).map_err(TufError::Unreadable)?;
            return Self::from_json(&text.unwrap_or_default());
        }
        let mut files = Self::default();
        let mut left = (MAX_FILES, MAX_FILE_BYTES);
        gather(path, "", &mut left, &mut files.metadata)?;
        gather(&path.join("targets"), "", &mut left, &mut files.targets)?;
        Ok(files)
    }

    /// The one file.
    pub fn to_json(&self) -> String {
        let encode = |files: &BTreeMap<String, Vec<u8>>| {
            let engine = base64::engine::general_purpose::STANDARD;
            files.iter().map(|(name, bytes)| (name.clone(), engine.encode(bytes))).collect()
        };
        let written = Written {
            format: WRITTEN_FORMAT.to_owned(),
            metadata: encode(&self.metadata),
            targets: encode(&self.targets),
        };
        serde_json::to_string(&written).expect("names and text are JSON")
    }

    /// Reads the one file.
    ///
    /// # Errors
    /// If it is too large or no such file.
    pub fn from_json(text: &[u8]) -> Result<Self, TufError> {
        let odd = |why: String| TufError::Unreadable(why);
        if text.len() > MAX_FILE_BYTES {
            return Err(odd(format!("it has {} bytes, more than any real one", text.len())));
        }
        let written: Written = serde_json::from_slice(text).map_err(|e| odd(e.to_string()))?;
        if written.format != WRITTEN_FORMAT {
            return Err(odd(format!("it is no `{WRITTEN_FORMAT}`")));
        }
        let decode = |files: BTreeMap<String, String>| {
            let engine = base64::engine::general_purpose::STANDARD;
            let decoded = files.into_iter().map(|(name, text)| Some((name, engine.decode(text).ok()?)));
            decoded
                .collect::<Option<BTreeMap<_, _>>>()
                .ok_or_else(|| odd("a file in it is not base64".to_owned()))
        };
        Ok(Self { metadata: decode(written.metadata)?, targets: decode(written.targets)? })
    }
}

/// Reads the `.json` files of a folder, and of `targets/` those below it too; bounded by `left`, in files and bytes.
fn gather(
    folder: &Path,
    below: &str,
    left: &mut (usize, usize),
    into: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), TufError> {
    let odd = |why: String| TufError::Unreadable(format!("`{}`: {why}", folder.display()));
    let is_targets = folder.ends_with("targets") || !below.is_empty();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(odd(e.to_string())),
    };
    for entry in entries {
        let entry = entry.map_err(|e| odd(e.to_string()))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let (kind, path) = (entry.file_type().map_err(|e| odd(e.to_string()))?, format!("{below}{name}"));
        if kind.is_dir() && is_targets && path.matches('/').count() < 4 {
            gather(&entry.path(), &format!("{path}/"), left, into)?;
        } else if kind.is_file() && name.ends_with(".json") {
            let bytes = read_within(folder, &name, MAX_TARGET_BYTES).map_err(TufError::Unreadable)?;
            let bytes = bytes.unwrap_or_default();
            let after = (left.0.checked_sub(1), left.1.checked_sub(bytes.len()));
            let (Some(files), Some(size)) = after else {
                return Err(odd("it holds more than any real repository".to_owned()));
            };
            *left = (files, size);
            into.insert(path, bytes);
        }
    }
    Ok(())
}

impl Source for Files {
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
        bounded(self.metadata.get(name), name, max_bytes)
    }

    fn target(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
        bounded(self.targets.get(path), path, max_bytes)
    }
}

fn bounded(bytes: Option<&Vec<u8>>, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
    match bytes {
        Some(bytes) if bytes.len() as u64 > max_bytes => {
            Err(format!("`{name}` has more than {max_bytes} bytes"))
        }
        other => Ok(other.cloned()),
    }
}

/// The versions that were last believed. Keep them: they are what refuses a rollback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Versions {
    /// Of `root.json`.
    pub root: u64,
    /// Of `timestamp.json`.
    pub timestamp: u64,
    /// Of `snapshot.json`.
    pub snapshot: u64,
    /// Of `targets.json`.
    pub targets: u64,
}

/// What came of a refresh or an import.
#[derive(Debug)]
pub struct Update {
    /// The instance's root.
    pub root: Root,
    /// The other targets that were asked for, by path.
    pub targets: BTreeMap<String, Vec<u8>>,
    /// The `root.json` to begin with next time.
    pub pinned: Vec<u8>,
    /// The versions to begin with next time.
    pub versions: Versions,
    /// When the repository's own word on what is current ends.
    pub expires: Timestamp,
    /// All that was read, to be carried elsewhere.
    pub files: Files,
}

/// A refresh or an import that failed. The roots in force stay.
#[derive(Debug, thiserror::Error)]
pub enum TufError {
    /// The file that brings everything cannot be read.
    #[error("the trust update cannot be read: {0}")]
    Unreadable(String),
    /// Signatures, expiry, or a file that is missing.
    #[error("the update of the trust root was refused")]
    Refused(#[source] Box<sigstore_tuf::Error>),
    /// A version that is lower than the last one seen.
    #[error("the update goes back: {role} has version {offered}, and {known} was seen before")]
    Rollback {
        /// Which file.
        role: &'static str,
        /// The version it has.
        offered: u64,
        /// The version seen before.
        known: u64,
    },
    /// The root in it is none.
    #[error("the update brings a trust root that cannot be used")]
    Root(#[source] InvalidRoot),
}

/// Walks the chain from `pinned` (a `root.json` that is believed) and fetches the instance's root and the targets `also`.
/// Everything has to be current at `now`.
///
/// # Errors
/// If a signature is missing or wrong, something has expired, a version goes back, or a file is not there.
pub fn refresh(
    source: Arc<dyn Source>,
    instance: Instance,
    pinned: &[u8],
    known: Versions,
    also: &[&str],
    now: Timestamp,
) -> Result<Update, TufError> {
    walk(source, instance, pinned, known, also, now, Origin::Refreshed)
}

/// The same from files that were brought in by hand, judged at their own time: that is the last moment at which their
/// repository said they were current, and the root is as of then (or as of `now`, if that is earlier).
///
/// # Errors
/// As [`refresh`]; but that the files have expired since is no error.
pub fn import(
    files: Files,
    instance: Instance,
    pinned: &[u8],
    known: Versions,
    also: &[&str],
    now: Timestamp,
) -> Result<Update, TufError> {
    let then = own_time(&files)?;
    let at = if then < now { then } else { now };
    walk(Arc::new(files), instance, pinned, known, also, at, Origin::Imported)
}

/// The same from files that were accepted before at a time: what is kept is not believed for lying there.
///
/// # Errors
/// As [`refresh`], as of that time.
pub fn restore(
    files: Files,
    instance: Instance,
    pinned: &[u8],
    accepted_at: Timestamp,
    origin: Origin,
) -> Result<Update, TufError> {
    walk(Arc::new(files), instance, pinned, Versions::default(), &[], accepted_at, origin)
}

/// A second before the timestamp expires. It is read before its signature is checked, which is checked right after.
fn own_time(files: &Files) -> Result<Timestamp, TufError> {
    #[derive(serde::Deserialize)]
    struct Envelope {
        signed: Signed,
    }
    #[derive(serde::Deserialize)]
    struct Signed {
        expires: Timestamp,
    }
    let odd =
        || TufError::Unreadable("it holds no `timestamp.json` that says until when it holds".to_owned());
    let timestamp = files.metadata.get("timestamp.json").ok_or_else(odd)?;
    let envelope: Envelope = serde_json::from_slice(timestamp).map_err(|_| odd())?;
    Ok(envelope.signed.expires.plus_seconds(-1))
}

fn walk(
    source: Arc<dyn Source>,
    instance: Instance,
    pinned: &[u8],
    known: Versions,
    also: &[&str],
    at: Timestamp,
    origin: Origin,
) -> Result<Update, TufError> {
    let refused = |e| TufError::Refused(Box::new(e));
    let read = Arc::new(Mutex::new(Files::default()));
    let recorder = Recorder { source, read: Arc::clone(&read) };
    let mut limits = UpdaterConfig::default();
    limits.target_max_length = MAX_TARGET_BYTES;
    let mut updater = Updater::new(recorder, pinned).map_err(refused)?.with_config(limits);
    let time = at.as_jiff();
    now_or_never(updater.refresh(time)).map_err(refused)?;
    let trusted = updater.trusted();
    let versions = Versions {
        root: trusted.root().version,
        timestamp: trusted.timestamp().map_or(0, |t| t.version),
        snapshot: trusted.snapshot().map_or(0, |s| s.version),
        targets: trusted.targets_role("targets").map_or(0, |t| t.version),
    };
    versions.not_before(known)?;
    let expires = trusted.timestamp().map_or(at, |t| t.expires.into());
    let pinned = trusted.root_bytes().to_vec();
    let text = now_or_never(updater.get_target(TRUSTED_ROOT, time)).map_err(refused)?;
    let mut targets = BTreeMap::new();
    for path in also {
        targets.insert((*path).to_owned(), now_or_never(updater.get_target(path, time)).map_err(refused)?);
    }
    if text.len() > MAX_ROOT_BYTES {
        return Err(TufError::Root(InvalidRoot::TooLarge(text.len())));
    }
    let text = String::from_utf8_lossy(&text);
    let root = Root::from_json(instance, &text, origin, Some(versions.root), at).map_err(TufError::Root)?;
    drop(updater);
    let files = read.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Update { root, targets, pinned, versions, expires, files })
}

impl Versions {
    fn not_before(self, known: Self) -> Result<(), TufError> {
        for (role, offered, known) in [
            ("root.json", self.root, known.root),
            ("timestamp.json", self.timestamp, known.timestamp),
            ("snapshot.json", self.snapshot, known.snapshot),
            ("targets.json", self.targets, known.targets),
        ] {
            if offered < known {
                return Err(TufError::Rollback { role, offered, known });
            }
        }
        Ok(())
    }
}

/// Hands on what the source answers, and remembers it.
struct Recorder {
    source: Arc<dyn Source>,
    read: Arc<Mutex<Files>>,
}

impl Repository for Recorder {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        let answer = self.source.metadata(name, max_length);
        if let Ok(Some(bytes)) = &answer {
            self.read
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .metadata
                .insert(name.to_owned(), bytes.clone());
        }
        Box::pin(std::future::ready(answer.map_err(sigstore_tuf::Error::transport)))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        let answer = self.source.target(path, max_length);
        if let Ok(Some(bytes)) = &answer {
            self.read
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .targets
                .insert(path.to_owned(), bytes.clone());
        }
        Box::pin(std::future::ready(answer.map_err(sigstore_tuf::Error::transport)))
    }
}

/// Runs a future that only ever waits for a [`Recorder`], whose answers are there at once.
fn now_or_never<T>(
    future: impl Future<Output = Result<T, sigstore_tuf::Error>>,
) -> Result<T, sigstore_tuf::Error> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(sigstore_tuf::Error::Malformed("the source did not answer at once".to_owned())),
    }
}
