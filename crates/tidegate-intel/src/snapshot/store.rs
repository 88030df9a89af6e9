//! Segments on disk, and the one snapshot in force.
//!
//! ```text
//! DIR/manifest            what is in force; replaced by rename
//! DIR/segments/G-N.seg    immutable, written by generation G
//! ```
//!
//! A change writes its segments, syncs them and their names, then replaces the manifest and syncs that. Whoever stops it
//! anywhere leaves the state before or after it; files that no manifest names are removed when the folder is opened.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tidegate_sys::disk::{Disk, DiskFile, SyncSite};

use super::manifest::{Manifest, ManifestFeed};
use super::{DamagedFeed, FeedContent, FeedState, Layer, Snapshot, layers};
use crate::feeds::FeedKind;
use crate::import::{Applied, FeedChange, Plan};
use crate::scratch::Scratch;
use crate::segment::container::Writer;
use crate::segment::{Build, Entry, Segment, SegmentError, TooBig, WriteError};
use crate::signals::{self, SignalTable};
use crate::vex::{self, VexTable};

/// A feed with more segments than this is merged into one.
const MAX_LAYERS: usize = 8;

/// A feed whose deltas hold more than this share of its base's records is merged into one.
const MERGE_SHARE: f64 = 0.01;

/// Why the folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk said no.
    #[error("cannot read advisories in `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// The list of segments is damaged.
    #[error("the list of segments `{}` cannot be used: {why}: move the folder away and import the feeds again", .path.display())]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// Why a plan was not applied. What was in force stays in force.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Something else was applied since the plan was made.
    #[error("the plan was made for generation {planned}, generation {current} is in force: plan again")]
    Moved {
        /// The plan's.
        planned: u64,
        /// The one in force.
        current: u64,
    },
    /// The disk said no.
    #[error("cannot write advisories to `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// A delivery is too large for a segment.
    #[error(transparent)]
    TooBig(#[from] TooBig),
    /// What is set aside while a segment is written cannot be written or read.
    #[error("cannot set records aside in a temporary file")]
    Scratch(#[from] io::Error),
    /// What was just written does not open, or what is merged is damaged.
    #[error(transparent)]
    Segment(#[from] SegmentError),
}

impl From<WriteError> for ApplyError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::TooBig(error) => error.into(),
            WriteError::Scratch(error) => error.into(),
        }
    }
}

/// The advisories and signals of a door.
pub struct Intel {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Readers hold the lock for as long as it takes to count a reference.
    current: RwLock<Arc<Snapshot>>,
    scratch: Scratch,
    /// One change at a time.
    writing: Mutex<()>,
}

impl std::fmt::Debug for Intel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intel").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Intel {
    /// Opens a folder, which need not exist. Feeds whose segments are damaged are left out and named in
    /// [`Snapshot::damaged`].
    ///
    /// # Errors
    /// [`OpenError`] where the folder cannot be read or its list of segments is damaged.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, OpenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |e| OpenError::Io(path, e)
        };
        let segments = dir.join("segments");
        disk.create_dir_all(&segments).map_err(failed(&segments))?;
        let path = dir.join("manifest");
        let manifest = match disk.read(&path) {
            Ok(bytes) => Manifest::parse(&bytes).map_err(|why| OpenError::Manifest { path, why })?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Manifest::default(),
            Err(e) => return Err(OpenError::Io(path, e)),
        };
        let mut feeds = Vec::new();
        let mut damaged = Vec::new();
        for feed in &manifest.feeds {
            match open_feed(&*disk, &segments, feed) {
                Ok(state) => feeds.push(state),
                Err(why) => damaged.push(DamagedFeed {
                    feed: feed.name.clone(),
                    kind: feed.kind,
                    why,
                    listed: feed.clone(),
                }),
            }
        }
        layers::settle_all(&mut feeds);
        let named = |name: &str| manifest.feeds.iter().any(|feed| feed.files.iter().any(|f| f == name));
        for entry in disk.list(&segments).map_err(failed(&segments))? {
            if !entry.is_dir && !named(&entry.name) {
                // What a change left that was stopped. Room is all it takes, so a failure is no reason not to open.
                let _ = disk.remove(&segments.join(&entry.name));
            }
        }
        let snapshot = Snapshot::new(manifest.generation, feeds, damaged, &Snapshot::default());
        let current = RwLock::new(Arc::new(snapshot));
        let scratch = Scratch::default();
        Ok(Self { disk, dir: dir.to_owned(), current, scratch, writing: Mutex::new(()) })
    }

    /// Makes temporary files in a folder, instead of where the system has them: records are set aside there while feeds
    /// are merged.
    #[must_use]
    pub fn with_scratch(self, folder: &Path) -> Self {
        Self { scratch: Scratch(Some(folder.to_owned())), ..self }
    }

    /// What is in force now. Keep it for as long as one answer needs, not longer.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a plan: all of it, or nothing.
    ///
    /// # Errors
    /// [`ApplyError`]; what was in force stays in force.
    pub fn apply(&self, plan: Plan) -> Result<Applied, ApplyError> {
        let _writing = self.lock();
        let before = self.snapshot();
        if plan.generation != before.generation() {
            return Err(ApplyError::Moved { planned: plan.generation, current: before.generation() });
        }
        let (reports, changes): (Vec<_>, Vec<_>) =
            plan.feeds.into_iter().map(|feed| (feed.report, feed.change)).unzip();
        let changes: Vec<FeedChange> = changes.into_iter().flatten().collect();
        if changes.is_empty() {
            return Ok(Applied {
                generation: before.generation(),
                reports,
                before: before.clone(),
                after: before,
            });
        }
        let mut next = Next::after(&before);
        for change in changes {
            self.add(&mut next, change)?;
        }
        let after = self.put_in_force(next)?;
        Ok(Applied { generation: after.generation(), reports, before, after })
    }

    /// Merges feeds with many or large deltas into one segment each. Says whether there were any. Answers are the same
    /// before and after.
    ///
    /// # Errors
    /// [`ApplyError`]; what was in force stays in force.
    pub fn compact(&self) -> Result<bool, ApplyError> {
        let _writing = self.lock();
        let before = self.snapshot();
        let due: Vec<&FeedState> = before.feeds.iter().filter(|feed| is_due(feed)).collect();
        if due.is_empty() {
            return Ok(false);
        }
        let mut next = Next::after(&before);
        for feed in due {
            let segment = merged(feed, &self.scratch)?;
            let layer = self.new_layer(&mut next, segment)?;
            next.replace(FeedState { content: FeedContent::Advisories(vec![layer]), ..feed.clone() });
        }
        next.all_new = true;
        self.put_in_force(next)?;
        Ok(true)
    }

    /// Forgets a feed.
    ///
    /// # Errors
    /// [`ApplyError`]; what was in force stays in force.
    pub fn forget(&self, feed: &str) -> Result<bool, ApplyError> {
        let _writing = self.lock();
        let before = self.snapshot();
        let mut next = Next::after(&before);
        let known = next.feeds.len() + next.damaged.len();
        next.feeds.retain(|state| &*state.name != feed);
        next.damaged.retain(|damaged| damaged.feed != feed);
        if next.feeds.len() + next.damaged.len() == known {
            return Ok(false);
        }
        next.all_new = true;
        self.put_in_force(next)?;
        Ok(true)
    }

    fn add(&self, next: &mut Next, change: FeedChange) -> Result<(), ApplyError> {
        match change {
            FeedChange::Advisories { records, selection, removed, meta, base, scratch } => {
                let (name, kind, as_of) = (Arc::from(meta.feed.as_str()), meta.kind, meta.as_of);
                let mut build = Build::new(&scratch)?;
                selection.entries(&records, |entry| build.add(&entry).map_err(ApplyError::from))?;
                drop(records);
                let layer = self.new_layer(next, build.finish(removed, &meta)?)?;
                let mut layers = match next.feed(&name) {
                    Some(FeedContent::Advisories(layers)) if !base => layers.clone(),
                    _ => Vec::new(),
                };
                next.all_new |= layers.is_empty();
                next.touched.push(layer.segment().clone());
                layers.push(layer);
                next.replace(FeedState { name, kind, as_of, content: FeedContent::Advisories(layers) });
            }
            FeedChange::Signals { rows, meta } => {
                let (name, kind, as_of) = (Arc::from(meta.feed.as_str()), meta.kind, meta.as_of);
                let rows: Vec<_> = rows.into_iter().collect();
                let (file, bytes) = self.new_file(next, signals::write(&meta, &rows))?;
                let table = Arc::new(SignalTable::open(&bytes)?);
                next.replace(FeedState { name, kind, as_of, content: FeedContent::Signals { table, file } });
            }
            FeedChange::Vex { statements, meta } => {
                let (name, kind, as_of) = (Arc::from(meta.feed.as_str()), meta.kind, meta.as_of);
                let (file, bytes) = self.new_file(next, vex::write(&meta, statements))?;
                let table = Arc::new(VexTable::open(&bytes)?);
                next.replace(FeedState { name, kind, as_of, content: FeedContent::Vex { table, file } });
            }
        }
        Ok(())
    }

    fn new_layer(&self, next: &mut Next, segment: Writer) -> Result<Layer, ApplyError> {
        let (file, bytes) = self.new_file(next, segment)?;
        Ok(Layer::new(Arc::new(Segment::open(&bytes)?), file))
    }

    /// Writes and syncs a segment, and maps it.
    fn new_file(&self, next: &mut Next, segment: Writer) -> Result<(Arc<str>, bytes::Bytes), ApplyError> {
        let name: Arc<str> = format!("{}-{}.seg", next.generation, next.files).into();
        next.files += 1;
        let folder = self.dir.join("segments");
        let path = folder.join(&*name);
        let write = |file: &mut dyn DiskFile| segment.finish_into(|bytes| file.append(bytes));
        self.write_synced(&path, write, SyncSite::IntelSegment)
            .and_then(|()| self.disk.sync_dir(&folder, SyncSite::IntelSegmentName))
            .and_then(|()| self.disk.map(&path))
            .map(|mapped| (name, mapped.into()))
            .map_err(|e| ApplyError::Io(path, e))
    }

    /// Writes a file under another name, syncs it, gives it its name.
    fn write_synced(
        &self,
        path: &Path,
        write: impl FnOnce(&mut dyn DiskFile) -> io::Result<()>,
        site: SyncSite,
    ) -> io::Result<()> {
        let temporary = path.with_extension("tmp");
        match self.disk.remove(&temporary) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = self.disk.create_new(&temporary)?;
        write(&mut *file)?;
        file.sync(site)?;
        drop(file);
        self.disk.rename(&temporary, path)
    }

    /// Replaces the manifest, then the snapshot, then removes what nothing names any more.
    fn put_in_force(&self, mut next: Next) -> Result<Arc<Snapshot>, ApplyError> {
        if next.all_new {
            // Bits of records that lost their rival are set only by looking at everything.
            next.feeds.iter_mut().for_each(reset);
            layers::settle_all(&mut next.feeds);
        } else {
            for segment in &next.touched {
                for record in 0..segment.record_count() {
                    layers::settle(&mut next.feeds, segment.record(record).id());
                }
                segment.removed().for_each(|id| layers::settle(&mut next.feeds, id));
            }
        }
        let snapshot = Arc::new(Snapshot::new(next.generation, next.feeds, next.damaged, &self.snapshot()));
        let damaged = snapshot.damaged.iter().map(|feed| feed.listed.clone());
        let feeds = snapshot.feeds.iter().map(manifest_feed).chain(damaged).collect();
        let path = self.dir.join("manifest");
        let bytes = Manifest::new(snapshot.generation, feeds).to_bytes();
        self.write_synced(&path, |file| file.append(&bytes), SyncSite::IntelManifest)
            .and_then(|()| self.disk.sync_dir(&self.dir, SyncSite::IntelManifestName))
            .map_err(|e| ApplyError::Io(path, e))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = snapshot.clone();
        for file in next.before.iter().filter(|file| !snapshot.files().any(|f| f == *file)) {
            // Readers that still hold the old snapshot keep their maps. A file that stays is removed at the next start.
            let _ = self.disk.remove(&self.dir.join("segments").join(&**file));
        }
        Ok(snapshot)
    }
}

/// The next snapshot in the making.
struct Next {
    generation: u64,
    feeds: Vec<FeedState>,
    damaged: Vec<DamagedFeed>,
    files: usize,
    /// Segments whose ids must be settled.
    touched: Vec<Arc<Segment>>,
    /// Whether a base changed, so that everything must be settled.
    all_new: bool,
    /// Files of the snapshot before.
    before: Vec<Arc<str>>,
}

impl Next {
    fn after(before: &Snapshot) -> Self {
        Self {
            generation: before.generation + 1,
            feeds: before.feeds.clone(),
            damaged: before.damaged.clone(),
            files: 0,
            touched: Vec::new(),
            all_new: false,
            before: before.files().cloned().collect(),
        }
    }

    fn feed(&self, name: &str) -> Option<&FeedContent> {
        self.feeds.iter().find(|feed| &*feed.name == name).map(|feed| &feed.content)
    }

    fn replace(&mut self, feed: FeedState) {
        self.damaged.retain(|damaged| damaged.feed != *feed.name);
        match self.feeds.iter_mut().find(|known| known.name == feed.name) {
            Some(known) => *known = feed,
            None => self.feeds.push(feed),
        }
    }
}

impl Snapshot {
    fn files(&self) -> impl Iterator<Item = &Arc<str>> {
        self.feeds.iter().flat_map(|feed| match &feed.content {
            FeedContent::Advisories(layers) => layers.iter().map(Layer::file).collect(),
            FeedContent::Signals { file, .. } | FeedContent::Vex { file, .. } => vec![file],
        })
    }
}

fn reset(feed: &mut FeedState) {
    if let FeedContent::Advisories(layers) = &mut feed.content {
        for layer in layers {
            *layer = Layer::new(layer.segment().clone(), layer.file().clone());
        }
    }
}

fn manifest_feed(feed: &FeedState) -> ManifestFeed {
    let files = match &feed.content {
        FeedContent::Advisories(layers) => layers.iter().map(|l| l.file().to_string()).collect(),
        FeedContent::Signals { file, .. } | FeedContent::Vex { file, .. } => vec![file.to_string()],
    };
    ManifestFeed { name: feed.name.to_string(), kind: feed.kind, as_of: feed.as_of, files }
}

fn open_feed(disk: &dyn Disk, folder: &Path, feed: &ManifestFeed) -> Result<FeedState, String> {
    let map = |name: &String| -> Result<bytes::Bytes, String> {
        disk.map(&folder.join(name)).map(Into::into).map_err(|e| format!("`{name}`: {e}"))
    };
    let broken = |name: &str| {
        let name = name.to_owned();
        move |e: SegmentError| format!("`{name}`: {e}")
    };
    let content = match feed.kind {
        kind if kind.is_advisories() => {
            let mut layers = Vec::new();
            for name in &feed.files {
                let segment = Segment::open(&map(name)?).map_err(broken(name))?;
                layers.push(Layer::new(Arc::new(segment), name.as_str().into()));
            }
            FeedContent::Advisories(layers)
        }
        FeedKind::Openvex | FeedKind::Csaf => {
            let name = feed.files.first().ok_or("it has no file")?;
            let table = VexTable::open(&map(name)?).map_err(broken(name))?;
            FeedContent::Vex { table: Arc::new(table), file: name.as_str().into() }
        }
        _ => {
            let name = feed.files.first().ok_or("it has no file")?;
            let table = SignalTable::open(&map(name)?).map_err(broken(name))?;
            FeedContent::Signals { table: Arc::new(table), file: name.as_str().into() }
        }
    };
    Ok(FeedState { name: feed.name.as_str().into(), kind: feed.kind, as_of: feed.as_of, content })
}

fn is_due(feed: &FeedState) -> bool {
    let [base, deltas @ ..] = feed.layers() else { return false };
    let delta_records: u64 = deltas.iter().map(|l| u64::from(l.segment().record_count())).sum();
    let base_records = u64::from(base.segment().record_count());
    // Counts are far below 2^52, so nothing is lost.
    #[expect(clippy::cast_precision_loss, reason = "record counts fit a double")]
    let large = delta_records as f64 > base_records as f64 * MERGE_SHARE;
    !deltas.is_empty() && (large || feed.layers().len() > MAX_LAYERS)
}

/// The records of all layers of a feed in one segment.
fn merged(feed: &FeedState, scratch: &Scratch) -> Result<Writer, ApplyError> {
    let mut build = Build::new(scratch)?;
    feed.for_each_top(|row, json| -> Result<(), ApplyError> {
        let mut advisory = crate::advisory::compile(json)
            .map_err(|_| SegmentError::inconsistent("text", "a record cannot be read any more"))?;
        // The import may have corrected it.
        advisory.modified = row.modified();
        let entry =
            Entry { advisory, json: json.to_vec(), digest: row.digest(), known_since: row.known_since() };
        Ok(build.add(&entry)?)
    })?;
    let newest = feed.layers().last().map(|layer| layer.segment().meta());
    let source = newest.map(|meta| meta.source).expect("a feed that is merged has layers");
    Ok(build.finish(Vec::new(), &crate::import::meta(&feed.name, feed.kind, feed.as_of, source))?)
}
