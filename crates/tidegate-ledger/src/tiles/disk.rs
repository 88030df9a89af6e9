//! The files of a tree below one folder, named as clients ask for them.
//!
//! Each file is written under a name of its own, synced, and renamed; then the folders that gained names are synced. A
//! group of files is written as a whole before the first sync, and synced by several threads, so that the file system can
//! commit many of them at once: one sync at a time would hold the tree to some hundred files a second.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_sys::disk::{Disk, DiskFile, SyncSite};

use super::{MAX_TILE_FILE_BYTES, TileFile, Tiles};

/// Threads that sync a group of files; they wait for the disk nearly all of their time.
const SYNC_THREADS: usize = 16;
/// Files written before the first of them is synced; each is open until then.
const GROUP: usize = 128;
/// A group smaller than this is synced by one thread.
const ALONE: usize = 8;

/// A folder of tiles.
pub struct DiskTiles {
    disk: Arc<dyn Disk>,
    root: PathBuf,
}

impl DiskTiles {
    /// The tree below `root`, usually the folder `tlog` in the data directory. It is made where it is missing.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(disk: Arc<dyn Disk>, root: &Path) -> io::Result<Self> {
        disk.create_dir_all(root)?;
        Ok(Self { disk, root: root.to_owned() })
    }

    /// The same without making anything, for who only reads.
    pub fn existing(disk: Arc<dyn Disk>, root: &Path) -> Self {
        Self { disk, root: root.to_owned() }
    }

    fn begin(&self, path: &Path, bytes: &[u8]) -> io::Result<(PathBuf, Box<dyn DiskFile>)> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let file = self.disk.create_new(&new);
        let mut file = match file {
            // Left by a process that died in between.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                self.disk.remove(&new)?;
                self.disk.create_new(&new)?
            }
            other => other?,
        };
        file.append(bytes)?;
        Ok((new, file))
    }
}

impl Tiles for DiskTiles {
    fn put(&self, files: Vec<TileFile>) -> io::Result<()> {
        let mut folders = BTreeSet::new();
        for group in files.chunks(GROUP) {
            let mut handles = Vec::with_capacity(group.len());
            let mut names = Vec::with_capacity(group.len());
            for file in group {
                let path = self.root.join(&file.path);
                if let Some(folder) = path.parent()
                    && folders.insert(folder.to_owned())
                {
                    self.disk.create_dir_all(folder)?;
                }
                let (new, handle) = self.begin(&path, &file.bytes)?;
                handles.push(handle);
                names.push((new, path));
            }
            sync_all(handles, SyncSite::TileBytes)?;
            for (new, path) in names {
                self.disk.rename(&new, &path)?;
            }
        }
        for folder in folders {
            self.disk.sync_dir(&folder, SyncSite::TileName)?;
        }
        Ok(())
    }

    fn put_checkpoint(&self, path: &str, note: &str) -> io::Result<()> {
        let path = self.root.join(path);
        let (new, mut file) = self.begin(&path, note.as_bytes())?;
        file.sync(SyncSite::CheckpointBytes)?;
        self.disk.rename(&new, &path)?;
        self.disk.sync_dir(&self.root, SyncSite::CheckpointName)
    }

    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match self.disk.read_range(&self.root.join(path), 0, MAX_TILE_FILE_BYTES + 1) {
            Ok(bytes) if bytes.len() > MAX_TILE_FILE_BYTES => {
                let what = format!("`{path}` is longer than any file of a tree");
                Err(io::Error::new(io::ErrorKind::InvalidData, what))
            }
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn remove_partials(&self, path: &str) {
        let folder = self.root.join(format!("{path}.p"));
        let Ok(files) = self.disk.list(&folder) else { return };
        for file in files {
            // What stays is in nobody's way: a partial tile says nothing that the full one does not.
            let _ = self.disk.remove(&folder.join(file.name));
        }
        let _ = self.disk.remove_dir(&folder);
    }
}

fn sync_all(mut files: Vec<Box<dyn DiskFile>>, site: SyncSite) -> io::Result<()> {
    if files.len() < ALONE {
        return files.iter_mut().try_for_each(|file| file.sync(site));
    }
    let next = AtomicUsize::new(0);
    let files: Vec<Mutex<Box<dyn DiskFile>>> = files.into_iter().map(Mutex::new).collect();
    let work = || -> io::Result<()> {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            file.lock().unwrap_or_else(PoisonError::into_inner).sync(site)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..SYNC_THREADS.min(files.len())).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread that syncs tiles panicked")))
        })
    })
}
