//! The tree of one door: opened with a key of its own, published again and again, and left alone where it is damaged.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_ledger::entry::{KeyChange, KeyPurpose};
use tidegate_ledger::heads::Heads;
use tidegate_ledger::note::{CheckpointSigner, Ed25519Signer, KeyKind, VerifierKey};
use tidegate_ledger::tiles::{DiskTiles, Tiles as _, is_public_path};
use tidegate_ledger::tree::{Entries, Publisher, TreeError, TreeParts, TreeView};
use tidegate_ledger::{Body, EntryDraft, Recorder};
use tidegate_model::Timestamp;
use tidegate_provenance::signing::{CreateKeyError, FileKey, KeyAlgorithm, OpenKeyError};
use tidegate_store::catalogue::{CatalogueError, Settings};
use tidegate_sys::disk::Disk;

use crate::door::TENANT;
use crate::intel::Degradation;

/// The setting that holds every checkpoint key announced so far, the newest last.
const KEYS: &str = "checkpoint_keys";
/// The control that is degraded while nothing is published.
const CONTROL: &str = "ledger";

/// Where the key that signs checkpoints lies.
pub fn key_path(data: &Path) -> PathBuf {
    data.join("keys").join("checkpoint.pem")
}

/// Where the tree lies, in the layout of C2SP tlog-tiles.
pub fn tiles_folder(data: &Path) -> PathBuf {
    data.join("tlog")
}

/// What a tree is opened from.
pub struct TreeSources<'a> {
    /// The data directory.
    pub data: &'a Path,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// Where the signed head stands.
    pub heads: Arc<dyn Heads>,
    /// What was announced before.
    pub settings: &'a dyn Settings,
    /// Whose entries.
    pub recorder: &'a Arc<Recorder>,
    /// The log's name, for example `tidegate-1f0c2a9b3d/default/access`.
    pub origin: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// Why there is no tree.
#[derive(Debug, thiserror::Error)]
pub enum OpenTreeError {
    /// The key cannot be made.
    #[error("the key that signs checkpoints of the ledger cannot be made")]
    Create(#[from] CreateKeyError),
    /// The key cannot be used.
    #[error("the key that signs checkpoints of the ledger cannot be used")]
    Key(#[from] OpenKeyError),
    /// It is a key of another kind.
    #[error("`{}` holds no Ed25519 key, which is what signs checkpoints: put the right one back", .0.display())]
    Kind(PathBuf),
    /// The log's name cannot be one.
    #[error(transparent)]
    Name(#[from] tidegate_ledger::note::InvalidPrivateKey),
    /// Keys announced before cannot be read.
    #[error("the checkpoint keys that were announced before cannot be read: {0}")]
    Announced(String),
    /// The catalogue failed.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The folder cannot be used.
    #[error("the folder `{}` cannot be used", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The announcement of the key could not be recorded.
    #[error("the key that signs checkpoints could not be announced")]
    Record(#[from] tidegate_ledger::RecordError),
}

/// The tree of one door.
pub struct Tree {
    parts: Parts,
    key: VerifierKey,
    earlier: Vec<VerifierKey>,
    state: Mutex<State>,
}

/// What a publisher is opened with, again where it was lost.
struct Parts {
    signer: Arc<dyn CheckpointSigner>,
    tiles: Arc<DiskTiles>,
    heads: Arc<dyn Heads>,
    entries: Arc<dyn Entries>,
}

#[derive(Default)]
struct State {
    publisher: Option<Publisher>,
    view: Option<TreeView>,
    /// Why nothing is published, and whether that is for good.
    trouble: Option<(String, bool)>,
}

impl Tree {
    /// Opens the tree, with a new key where there is none. A damaged tree opens too: it publishes nothing and says why.
    ///
    /// # Errors
    /// [`OpenTreeError`].
    pub fn open(sources: &TreeSources<'_>) -> Result<Self, OpenTreeError> {
        let key_file = open_key(&key_path(sources.data))?;
        let seed = key_file.ed25519_seed().ok_or_else(|| OpenTreeError::Kind(key_path(sources.data)))?;
        let signer = Ed25519Signer::from_seed(sources.origin, KeyKind::Ed25519, seed)?;
        let key = signer.key().clone();
        let earlier = announce(sources, &key)?;
        let folder = tiles_folder(sources.data);
        let tiles = DiskTiles::open(Arc::clone(&sources.disk), &folder)
            .map_err(|source| OpenTreeError::Folder { path: folder, source })?;
        let entries: Arc<dyn Entries> = Arc::<Recorder>::clone(sources.recorder);
        let parts = Parts {
            signer: Arc::new(signer),
            tiles: Arc::new(tiles),
            heads: Arc::clone(&sources.heads),
            entries,
        };
        let tree = Self { parts, key, earlier, state: Mutex::default() };
        tree.open_publisher(&mut tree.state());
        Ok(tree)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_publisher(&self, state: &mut State) {
        let parts = TreeParts {
            signer: Arc::clone(&self.parts.signer),
            earlier_keys: self.earlier.clone(),
            tiles: Arc::<DiskTiles>::clone(&self.parts.tiles),
            heads: Arc::clone(&self.parts.heads),
            entries: Arc::clone(&self.parts.entries),
        };
        match Publisher::open(parts) {
            Ok(publisher) => {
                state.view = Some(publisher.view());
                state.publisher = Some(publisher);
                state.trouble = None;
            }
            Err(error) => state.trouble = Some(trouble(&error)),
        }
    }

    /// Publishes what is durable and not in the tree yet. Blocks. A failure is told by [`Tree::degradations`]; damage is not
    /// published over, whatever comes after it.
    pub fn publish(&self) {
        let mut state = self.state();
        if state.trouble.as_ref().is_some_and(|(_, for_good)| *for_good) {
            return;
        }
        if state.publisher.is_none() {
            self.open_publisher(&mut state);
        }
        let Some(publisher) = &mut state.publisher else { return };
        loop {
            match publisher.publish() {
                Ok(publication) if publication.more => {}
                Ok(_) => return state.trouble = None,
                Err(error) => {
                    tracing::error!(error = %error, "nothing of the ledger was published: {error}");
                    return state.trouble = Some(trouble(&error));
                }
            }
        }
    }

    /// Why nothing is published.
    pub fn degradations(&self) -> Vec<Degradation> {
        let why = self.state().trouble.as_ref().map(|(why, _)| why.clone());
        let told = why.map(|why| Degradation { control: CONTROL, what: "tree".to_owned(), why });
        told.into_iter().collect()
    }

    /// What readers ask; none where the tree could never be opened.
    pub fn view(&self) -> Option<TreeView> {
        self.state().view.clone()
    }

    /// The key that signs checkpoints now.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Keys that signed before, oldest first.
    pub fn earlier_keys(&self) -> &[VerifierKey] {
        &self.earlier
    }

    /// A public file of the tree, by its path below `/ledger/`; none for every other path.
    ///
    /// # Errors
    /// What the disk says.
    pub fn file(&self, path: &str) -> std::io::Result<Option<Vec<u8>>> {
        if is_public_path(path) { self.parts.tiles.get(path) } else { Ok(None) }
    }
}

/// Damage stays until somebody has looked; everything else is tried again.
fn trouble(error: &TreeError) -> (String, bool) {
    let mut text = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        text = format!("{text}: {cause}");
    }
    (text, matches!(error, TreeError::Damaged(_)))
}

fn open_key(path: &Path) -> Result<FileKey, OpenTreeError> {
    if !path.exists() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|source| OpenTreeError::Folder { path: folder.to_owned(), source })?;
        }
        FileKey::create(path, KeyAlgorithm::Ed25519, None)?;
    }
    Ok(FileKey::open(path, None)?)
}

/// Records a key before its first use, so that its beginning stands under the key before it. Returns the keys before it.
fn announce(sources: &TreeSources<'_>, key: &VerifierKey) -> Result<Vec<VerifierKey>, OpenTreeError> {
    let kept = sources.settings.setting(KEYS)?.unwrap_or_default();
    let mut known = kept
        .lines()
        .map(|line| line.parse::<VerifierKey>().map_err(|e| OpenTreeError::Announced(e.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    if known.last() != Some(key) {
        let change = KeyChange {
            purpose: KeyPurpose::Checkpoint,
            key_id: format!("{:08x}", key.key_id()).into(),
            public_key: key.to_string().into(),
            previous: known.last().map(|before| format!("{:08x}", before.key_id()).into()),
            actor: None,
        };
        let entry =
            EntryDraft { time: sources.now, tenant: TENANT.into(), body: Body::Key(Box::new(change)) };
        drop(sources.recorder.append(&entry)?);
        known.push(key.clone());
        let text: Vec<String> = known.iter().map(ToString::to_string).collect();
        // After the entry: lost by a crash between the two, the key is announced twice.
        sources.settings.set_setting(KEYS, &text.join("\n"))?;
    }
    known.retain(|before| before != key);
    Ok(known)
}
