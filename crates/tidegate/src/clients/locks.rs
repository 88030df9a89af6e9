//! The lock files that a command will use, so that `run` can check them first and keep them free of the door's address.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Client;

/// The largest lock file that is read: 64 MiB.
const MAX_LOCK_BYTES: u64 = 64 << 20;

/// The kinds of lock files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// `package-lock.json` and `npm-shrinkwrap.json`.
    Npm,
    /// `pnpm-lock.yaml`.
    Pnpm,
    /// `yarn.lock`, of either generation.
    Yarn,
    /// A requirements file, with or without hashes.
    Requirements,
    /// `uv.lock`.
    Uv,
    /// `poetry.lock`.
    Poetry,
    /// `Cargo.lock`.
    Cargo,
}

/// A lock file that a command will read or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    /// Which kind it is.
    pub kind: LockKind,
    /// Where it is. It may not exist yet.
    pub path: PathBuf,
}

impl LockFile {
    fn new(kind: LockKind, path: PathBuf) -> Self {
        Self { kind, path }
    }

    /// Its bytes, or `None` where there is no such file yet.
    ///
    /// # Errors
    /// It is there and cannot be read, or is larger than 64 MiB.
    pub fn read(&self) -> Result<Option<Vec<u8>>, LockFileError> {
        let error = |source| LockFileError::Read { path: self.path.clone(), source };
        match std::fs::metadata(&self.path) {
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(other) => Err(error(other)),
            Ok(found) if found.len() > MAX_LOCK_BYTES => {
                Err(error(std::io::Error::other("larger than 64 MiB")))
            }
            Ok(_) => std::fs::read(&self.path).map(Some).map_err(error),
        }
    }

    fn replace(&self, bytes: &[u8]) -> Result<(), LockFileError> {
        write_whole(&self.path, bytes, None)
            .map_err(|source| LockFileError::Write { path: self.path.clone(), source })
    }
}

/// A lock file that could not be handled.
#[derive(Debug, thiserror::Error)]
pub enum LockFileError {
    /// It could not be read.
    #[error("the lock file `{path}` could not be read")]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// It could not be written.
    #[error("the lock file `{path}` could not be written")]
    Write {
        /// Which one.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// It could not be mended.
    #[error("the lock file `{path}` could not be led through the door and back: {why}")]
    Mend {
        /// Which one.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Replaces a file as a whole or not at all, following links and keeping its mode (`new_mode` where it is new).
pub(crate) fn write_whole(path: &Path, bytes: &[u8], new_mode: Option<u32>) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".tidegate-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    let mode = std::fs::metadata(&path).map(|found| found.permissions().mode()).ok();
    let mode = mode.or(new_mode).unwrap_or(0o644);
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode & 0o7777))?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// The lock files of a command. Those that do not exist yet are named where the client is certain to make them there.
pub fn find_locks(client: Client, args: &[OsString], work_dir: &Path) -> Vec<LockFile> {
    match client {
        Client::Npm => npm(args, work_dir),
        Client::Pnpm => up_tree(&option(args, &["-C", "--dir"], work_dir), "pnpm-lock.yaml", LockKind::Pnpm),
        Client::Yarn => up_tree(&option(args, &["--cwd"], work_dir), "yarn.lock", LockKind::Yarn),
        Client::Pip => requirements(args, work_dir),
        Client::Uv => uv(args, work_dir),
        Client::Poetry => up_tree(
            &option(args, &["-C", "--directory", "-P", "--project"], work_dir),
            "poetry.lock",
            LockKind::Poetry,
        ),
        Client::Cargo => cargo(args, work_dir),
        // A program names its models in its own source, an editor its servers in its own settings.
        Client::Huggingface | Client::McpRegistry => Vec::new(),
        // What an image is built from stands in a recipe, by name or by digest.
        Client::Docker | Client::Podman | Client::Skopeo | Client::Containerd => Vec::new(),
        Client::Ovsx | Client::CodeServer | Client::Vscodium | Client::Vscode => Vec::new(),
    }
}

/// The values of an option, written `--name value`, `--name=value` or (short) `-nvalue`, up to a lone `--`.
fn values(args: &[OsString], names: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut args = args.iter().take_while(|arg| *arg != "--");
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        for name in names {
            if text == *name {
                found.extend(args.next().map(PathBuf::from));
                break;
            }
            let short = name.len() == 2 && !name.starts_with("--");
            let rest = text.strip_prefix(name).filter(|rest| short || rest.starts_with('='));
            if let Some(rest) = rest.map(|rest| rest.trim_start_matches('=')).filter(|rest| !rest.is_empty())
            {
                found.push(PathBuf::from(rest));
                break;
            }
        }
    }
    found
}

/// The folder that an option names, else the working folder.
fn option(args: &[OsString], names: &[&str], work_dir: &Path) -> PathBuf {
    values(args, names).last().map_or_else(|| work_dir.to_owned(), |folder| work_dir.join(folder))
}

/// The nearest file of a name in a folder or above it.
fn nearest(folder: &Path, name: &str) -> Option<PathBuf> {
    folder.ancestors().map(|above| above.join(name)).find(|path| path.is_file())
}

fn up_tree(folder: &Path, name: &str, kind: LockKind) -> Vec<LockFile> {
    vec![LockFile::new(kind, nearest(folder, name).unwrap_or_else(|| folder.join(name)))]
}

fn npm(args: &[OsString], work_dir: &Path) -> Vec<LockFile> {
    if args.iter().any(|arg| arg == "-g" || arg == "--global") {
        return Vec::new();
    }
    let folder = match values(args, &["--prefix", "-C"]).last() {
        Some(folder) => work_dir.join(folder),
        // npm works in the nearest folder that has a package or its modules.
        None => work_dir
            .ancestors()
            .find(|above| above.join("package.json").is_file() || above.join("node_modules").is_dir())
            .unwrap_or(work_dir)
            .to_owned(),
    };
    // A workspace's member has no lock file of its own; that of the root above it counts.
    let names = ["npm-shrinkwrap.json", "package-lock.json"];
    let path = names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .or_else(|| nearest(&folder, "package-lock.json"))
        .unwrap_or_else(|| folder.join("package-lock.json"));
    vec![LockFile::new(LockKind::Npm, path)]
}

fn requirements(args: &[OsString], work_dir: &Path) -> Vec<LockFile> {
    let named =
        values(args, &["-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints"]);
    named
        .into_iter()
        .filter(|path| !path.to_string_lossy().contains("://") && path != Path::new("-"))
        .map(|path| LockFile::new(LockKind::Requirements, work_dir.join(path)))
        .collect()
}

fn uv(args: &[OsString], work_dir: &Path) -> Vec<LockFile> {
    let words: Vec<_> =
        args.iter().map(|arg| arg.to_string_lossy()).filter(|arg| !arg.starts_with('-')).collect();
    let folder = option(args, &["--project", "--directory"], work_dir);
    match (words.first().map(AsRef::as_ref), words.get(1).map(AsRef::as_ref)) {
        (Some("pip"), Some("sync")) => {
            let mut locks = requirements(args, work_dir);
            let files =
                words[2..].iter().map(|word| work_dir.join(word.as_ref())).filter(|path| path.is_file());
            locks.extend(files.map(|path| LockFile::new(LockKind::Requirements, path)));
            locks
        }
        (Some("pip"), _) => requirements(args, work_dir),
        (Some("sync" | "lock" | "run" | "add" | "remove" | "export" | "tree" | "audit" | "version"), _)
            if nearest(&folder, "pyproject.toml").is_some() =>
        {
            // A workspace has one lock file, at its root, above its members.
            let beside = nearest(&folder, "pyproject.toml").map(|path| path.with_file_name("uv.lock"));
            let path = nearest(&folder, "uv.lock").or(beside).unwrap_or_else(|| folder.join("uv.lock"));
            vec![LockFile::new(LockKind::Uv, path)]
        }
        _ => Vec::new(),
    }
}

fn cargo(args: &[OsString], work_dir: &Path) -> Vec<LockFile> {
    let work_dir = option(args, &["-C"], work_dir);
    let manifest = values(args, &["--manifest-path"]).last().map(|path| work_dir.join(path));
    let Some(manifest) = manifest.or_else(|| nearest(&work_dir, "Cargo.toml")) else { return Vec::new() };
    let folder = manifest.parent().unwrap_or(&work_dir).to_owned();
    up_tree(&folder, "Cargo.lock", LockKind::Cargo)
}

/// Leads a lock file through the door and back. `Ok(None)` means that nothing need change.
pub trait LockMender {
    /// What the client is to read: addresses of upstreams become the door's.
    ///
    /// # Errors
    /// Why it cannot be done; the run does not begin.
    fn before(&self, lock: &LockFile, bytes: &[u8]) -> Result<Option<Vec<u8>>, String>;

    /// What is to stay: addresses of the door become those that work without it. `original` is what stood there before
    /// the run.
    ///
    /// # Errors
    /// Why it cannot be done; the file stays as the client left it.
    fn after(
        &self,
        lock: &LockFile,
        bytes: &[u8],
        original: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, String>;
}

/// The lock files of one run, between [`begin`](Self::begin) and [`finish`](Self::finish).
///
/// Dropped without `finish` (a panic, a client that did not start), it puts back what it changed.
pub struct LockSession<'a> {
    mender: &'a dyn LockMender,
    held: Vec<Held>,
}

struct Held {
    lock: LockFile,
    original: Option<Vec<u8>>,
    given: Option<Vec<u8>>,
}

impl<'a> LockSession<'a> {
    /// Leads the lock files through the door.
    ///
    /// # Errors
    /// One cannot be read, mended or written; those changed before it are put back.
    pub fn begin(locks: &[LockFile], mender: &'a dyn LockMender) -> Result<Self, LockFileError> {
        let mut session = Self { mender, held: Vec::new() };
        for lock in locks {
            let original = lock.read()?;
            let mend = |why| LockFileError::Mend { path: lock.path.clone(), why };
            let given = match &original {
                Some(bytes) => mender.before(lock, bytes).map_err(mend)?,
                None => None,
            };
            if let Some(given) = &given {
                lock.replace(given)?;
            }
            session.held.push(Held { lock: lock.clone(), original, given });
        }
        Ok(session)
    }

    /// Leads the lock files back. Every one is tried; a file that the client did not touch gets its very bytes back.
    pub fn finish(mut self) -> Vec<LockFileError> {
        let mender = self.mender;
        std::mem::take(&mut self.held).into_iter().filter_map(|held| held.back(mender).err()).collect()
    }
}

impl Held {
    fn back(&self, mender: &dyn LockMender) -> Result<(), LockFileError> {
        let Some(now) = self.lock.read()? else { return Ok(()) };
        if self.given.as_ref() == Some(&now) {
            return self.restore();
        }
        if self.original.as_ref() == Some(&now) {
            return Ok(());
        }
        let mended = mender
            .after(&self.lock, &now, self.original.as_deref())
            .map_err(|why| LockFileError::Mend { path: self.lock.path.clone(), why })?;
        mended.map_or(Ok(()), |bytes| self.lock.replace(&bytes))
    }

    fn restore(&self) -> Result<(), LockFileError> {
        self.original.as_ref().map_or(Ok(()), |bytes| self.lock.replace(bytes))
    }
}

impl Drop for LockSession<'_> {
    fn drop(&mut self) {
        for held in &self.held {
            if held.given.is_some() {
                let _nobody_left_to_tell = held.restore();
            }
        }
    }
}
