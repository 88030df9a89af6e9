//! The tree of one door: opened with a key of its own, published again and again, and left alone where it is damaged.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tidegate_ledger::handover::{self, HANDOVERS_PATH, MAX_HANDOVERS};
use tidegate_ledger::heads::Heads;
use tidegate_ledger::note::{CheckpointSigner as _, Ed25519Signer, VerifierKey};
use tidegate_ledger::proof::Receipt;
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::tiles::{DiskTiles, Tiles as _, is_public_path};
use tidegate_ledger::tree::{Entries, Publisher, TreeError, TreeParts, TreeView};
use tidegate_ledger::{RecordId, Recorder};
use tidegate_model::Timestamp;
use tidegate_provenance::signing::{CreateKeyError, OpenKeyError};
use tidegate_store::catalogue::{CatalogueError, Settings};
use tidegate_sys::disk::Disk;

use super::keys::{self, Keys};
use crate::intel::Degradation;

/// How long an announcement may take to be durable and published.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(20);

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

/// What a key is replaced with.
pub struct Rotation<'a> {
    /// The data directory.
    pub data: &'a Path,
    /// Where it is noted what was announced.
    pub settings: &'a dyn Settings,
    /// Where it is announced.
    pub recorder: &'a Recorder,
    /// Now.
    pub now: Timestamp,
    /// Who wants it.
    pub actor: Option<Pseudonym>,
}

/// A key that was replaced, or is about to be.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The key that signed until now.
    pub before: VerifierKey,
    /// The key that follows it.
    pub key: VerifierKey,
    /// The entry that announces it.
    pub record: RecordId,
    /// Whether it signs from now on.
    pub in_force: bool,
}

/// Why a key was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// A key must not change while nothing is published.
    #[error("the ledger is not published, and its key stays: {0}")]
    NotPublished(String),
    /// A key or what is noted of keys cannot be used.
    #[error(transparent)]
    Keys(#[from] OpenTreeError),
    /// The handover could not be made.
    #[error("the key could not hand over and stays in force: {0}")]
    HandOver(String),
}

/// The tree of one door.
pub struct Tree {
    parts: Parts,
    keys: RwLock<Arc<Keys>>,
    state: Mutex<State>,
}

/// What a publisher is opened with, again where it was lost.
struct Parts {
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
        let folder = tiles_folder(sources.data);
        let tiles = DiskTiles::open(Arc::clone(&sources.disk), &folder)
            .map_err(|source| OpenTreeError::Folder { path: folder, source })?;
        let keys = keys::open(sources, &tiles)?;
        let entries: Arc<dyn Entries> = Arc::<Recorder>::clone(sources.recorder);
        let parts = Parts { tiles: Arc::new(tiles), heads: Arc::clone(&sources.heads), entries };
        let tree = Self { parts, keys: RwLock::new(Arc::new(keys)), state: Mutex::default() };
        tree.open_publisher(&mut tree.state());
        Ok(tree)
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_publisher(&self, state: &mut State) {
        let keys = self.keys();
        let parts = TreeParts {
            signer: Arc::<Ed25519Signer>::clone(&keys.signer),
            earlier_keys: keys.earlier.clone(),
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
        self.publish_in(&mut self.state());
    }

    fn publish_in(&self, state: &mut State) {
        if state.trouble.as_ref().is_some_and(|(_, for_good)| *for_good) {
            return;
        }
        if state.publisher.is_none() {
            self.open_publisher(state);
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

    /// Has another key sign checkpoints from now on, as [`super::keys`] describes; with `prepare` it is made and announced, and
    /// not used yet. Nothing is published meanwhile. Blocks.
    ///
    /// # Errors
    /// [`RotateError`]. The key that was in force stays so, or the new one is.
    pub fn rotate(&self, with: &Rotation<'_>, prepare: bool) -> Result<Rotated, RotateError> {
        let mut guard = self.state();
        let state = &mut *guard;
        self.publish_in(state);
        if let Some((why, _)) = &state.trouble {
            return Err(RotateError::NotPublished(why.clone()));
        }
        let mut handovers = keys::handovers(&*self.parts.tiles)?;
        if handovers.len() >= MAX_HANDOVERS {
            return Err(RotateError::HandOver(format!(
                "{MAX_HANDOVERS} keys were replaced already, and no more are followed"
            )));
        }
        let before = self.keys().signer.key().clone();
        let next = keys::signer(&keys::next_key_path(with.data), before.name())?;
        let announcement = keys::Announcement {
            settings: with.settings,
            recorder: with.recorder,
            now: with.now,
            actor: with.actor,
        };
        let record = keys::announce_next(&announcement, next.key(), &before)?;
        self.publish_entry(state, &record)?;
        keys::keep_announced(with.settings, next.key(), &before, &record)?;
        let rotated = Rotated { before: before.clone(), key: next.key().clone(), record, in_force: !prepare };
        if prepare {
            return Ok(rotated);
        }
        let failed = |why: &dyn std::fmt::Display| RotateError::HandOver(why.to_string());
        let publisher = state.publisher.as_mut().ok_or_else(|| failed(&"there is no tree"))?;
        publisher.add_signature(&next).map_err(|e| failed(&e))?;
        let receipt = publisher.view().newest_receipt(&rotated.record).map_err(|e| failed(&e))?;
        let to = handover::check(&receipt, &before).map_err(|e| failed(&e))?;
        if to != *next.key() {
            return Err(failed(&format!("the entry {} announces another key", rotated.record)));
        }
        // What an attempt before left stands there once.
        handovers.retain(|known| known.record != receipt.record);
        handovers.push(receipt);
        let text = handover::to_text(&handovers);
        self.parts.tiles.put_checkpoint(HANDOVERS_PATH, &text).map_err(|e| failed(&e))?;
        keys::take_over(with.data)?;
        let mut earlier = self.keys().earlier.clone();
        earlier.push(before);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Keys { signer: Arc::new(next), earlier });
        state.publisher = None;
        self.open_publisher(state);
        keys::in_force(with.settings, &rotated.key)?;
        Ok(rotated)
    }

    /// Publishes until an entry is in the tree.
    fn publish_entry(&self, state: &mut State, record: &RecordId) -> Result<(), RotateError> {
        let until = Instant::now() + ANNOUNCED_WITHIN;
        loop {
            self.publish_in(state);
            if let Some((why, _)) = &state.trouble {
                return Err(RotateError::NotPublished(why.clone()));
            }
            if state.publisher.as_ref().is_some_and(|publisher| publisher.last_seq() >= record.seq) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(RotateError::NotPublished(format!("{record} is not durable yet")));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Why nothing is published.
    pub fn degradations(&self) -> Vec<Degradation> {
        let why = self.state().trouble.as_ref().map(|(why, _)| why.clone());
        let told = why.map(|why| Degradation { control: super::CONTROL, what: "tree".to_owned(), why });
        told.into_iter().collect()
    }

    /// What readers ask; none where the tree could never be opened.
    pub fn view(&self) -> Option<TreeView> {
        self.state().view.clone()
    }

    /// The key that signs checkpoints now.
    pub fn key(&self) -> VerifierKey {
        self.keys().signer.key().clone()
    }

    /// Keys that signed before, oldest first.
    pub fn earlier_keys(&self) -> Vec<VerifierKey> {
        self.keys().earlier.clone()
    }

    /// What proves that each of them handed over to the next, oldest first.
    ///
    /// # Errors
    /// The file cannot be read, as text.
    pub fn handovers(&self) -> Result<Vec<Receipt>, String> {
        keys::handovers(&*self.parts.tiles).map_err(|e| e.to_string())
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
