//! The key that signs checkpoints: made at the first start, announced before its first use, handed over to another by command.
//!
//! A rotation goes step by step, and a kill between any two leaves a key in force that everybody can follow:
//!
//! 1. `checkpoint-next.pem` is made (with `prepare` this and the next two are all that is done);
//! 2. a `key` entry announces it;
//! 3. a checkpoint under the old key covers that entry;
//! 4. the new key signs this checkpoint, too;
//! 5. the entry's receipt against it, the handover, is added to the file `handovers` beside the checkpoint;
//! 6. `checkpoint-next.pem` takes the place of `checkpoint.pem`: from here on the new key signs, and the old one is gone;
//! 7. the list of announced keys has it as the newest.
//!
//! Up to 5 the old key stays in force; a start after 5 goes on with 6.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_ledger::entry::{KeyChange, KeyPurpose};
use tidegate_ledger::handover::{self, HANDOVERS_PATH, id_of};
use tidegate_ledger::note::{CheckpointSigner as _, Ed25519Signer, KeyKind, VerifierKey};
use tidegate_ledger::proof::Receipt;
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::tiles::Tiles;
use tidegate_ledger::{Body, EntryDraft, RecordError, RecordId, Recorder};
use tidegate_model::Timestamp;
use tidegate_provenance::signing::{FileKey, KeyAlgorithm};
use tidegate_store::catalogue::Settings;

use super::tree::{OpenTreeError, TreeSources};
use crate::door::TENANT;

/// The setting that holds every checkpoint key announced so far, the newest last.
const KEYS: &str = "checkpoint_keys";
/// The setting that holds a key that was announced and is not in force yet, and the record of the announcement.
const ANNOUNCED: &str = "checkpoint_key_announced";

/// Where the key that signs checkpoints lies.
pub fn key_path(data: &Path) -> PathBuf {
    data.join("keys").join("checkpoint.pem")
}

/// Where the key lies that is to follow it.
pub(super) fn next_key_path(data: &Path) -> PathBuf {
    data.join("keys").join("checkpoint-next.pem")
}

/// What signs, and what signed before.
pub(super) struct Keys {
    pub(super) signer: Arc<Ed25519Signer>,
    /// Oldest first.
    pub(super) earlier: Vec<VerifierKey>,
}

/// Opens the key in force, with a rotation that was cut short brought to its end, and announces it where nobody did.
pub(super) fn open(sources: &TreeSources<'_>, tiles: &dyn Tiles) -> Result<Keys, OpenTreeError> {
    let path = key_path(sources.data);
    // Who asks for them is told; the door opens all the same.
    let handovers = handovers(tiles).unwrap_or_else(|error| {
        tracing::error!("{error}");
        Vec::new()
    });
    let mut signer = signer(&path, sources.origin)?;
    let next = next_key_path(sources.data);
    if next.exists() {
        let following = self::signer(&next, sources.origin)?;
        let last = handovers.last().and_then(|last| handover::check(last, signer.key()).ok());
        if last.as_ref() == Some(following.key()) {
            tracing::info!("the ledger's key {} had handed over to {}", signer.key(), following.key());
            take_over(sources.data)?;
            signer = following;
        }
    }
    let earlier = announce(sources, signer.key(), &handovers)?;
    Ok(Keys { signer: Arc::new(signer), earlier })
}

/// The key in a file, which is made where there is none.
pub(super) fn signer(path: &Path, origin: &str) -> Result<Ed25519Signer, OpenTreeError> {
    if !path.exists() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|source| OpenTreeError::Folder { path: folder.to_owned(), source })?;
        }
        FileKey::create(path, KeyAlgorithm::Ed25519, None)?;
    }
    let key = FileKey::open(path, None)?;
    let seed = key.ed25519_seed().ok_or_else(|| OpenTreeError::Kind(path.to_owned()))?;
    Ok(Ed25519Signer::from_seed(origin, KeyKind::Ed25519, seed)?)
}

/// The handovers of this log so far.
pub(super) fn handovers(tiles: &dyn Tiles) -> Result<Vec<Receipt>, OpenTreeError> {
    let file = tiles.get(HANDOVERS_PATH).map_err(|e| OpenTreeError::Announced(e.to_string()))?;
    handover::read(&file.unwrap_or_default()).map_err(|e| OpenTreeError::Announced(e.to_string()))
}

/// Puts the next key in the place of the one in force: all of it or nothing.
pub(super) fn take_over(data: &Path) -> Result<(), OpenTreeError> {
    let path = key_path(data);
    let folder = path.parent().unwrap_or(data);
    std::fs::rename(next_key_path(data), &path)
        .and_then(|()| std::fs::File::open(folder)?.sync_all())
        .map_err(|source| OpenTreeError::Folder { path: folder.to_owned(), source })
}

fn change(key: &VerifierKey, previous: Option<&VerifierKey>, actor: Option<Pseudonym>) -> Body {
    Body::Key(Box::new(KeyChange {
        purpose: KeyPurpose::Checkpoint,
        key_id: id_of(key).into(),
        public_key: key.to_string().into(),
        previous: previous.map(|before| id_of(before).into()),
        actor,
    }))
}

/// Records a key before its first use, so that its beginning stands under the key before it. Returns the keys before it.
fn announce(
    sources: &TreeSources<'_>,
    key: &VerifierKey,
    handovers: &[Receipt],
) -> Result<Vec<VerifierKey>, OpenTreeError> {
    let mut known = known(sources.settings)?;
    if known.last() != Some(key) {
        // A rotation that was cut short has announced it already.
        let handed_over =
            known.last().is_some_and(|before| handover::follow(before, handovers).last() == Some(key));
        if !handed_over {
            let body = change(key, known.last(), None);
            let entry = EntryDraft { time: sources.now, tenant: TENANT.into(), body };
            drop(sources.recorder.append(&entry)?);
        }
        known.push(key.clone());
        // After the entry: lost by a crash between the two, the key is announced twice.
        keep(sources.settings, &known)?;
    }
    known.retain(|before| before != key);
    Ok(known)
}

fn known(settings: &dyn Settings) -> Result<Vec<VerifierKey>, OpenTreeError> {
    let kept = settings.setting(KEYS)?.unwrap_or_default();
    let parsed = kept
        .lines()
        .map(|line| line.parse::<VerifierKey>().map_err(|e| OpenTreeError::Announced(e.to_string())));
    parsed.collect()
}

fn keep(settings: &dyn Settings, keys: &[VerifierKey]) -> Result<(), OpenTreeError> {
    let text: Vec<String> = keys.iter().map(ToString::to_string).collect();
    Ok(settings.set_setting(KEYS, &text.join("\n"))?)
}

/// Notes that a key is in force now.
pub(super) fn in_force(settings: &dyn Settings, key: &VerifierKey) -> Result<(), OpenTreeError> {
    let mut known = known(settings)?;
    if known.last() != Some(key) {
        known.push(key.clone());
        keep(settings, &known)?;
    }
    Ok(settings.set_setting(ANNOUNCED, "")?)
}

/// What a key is announced with.
pub(super) struct Announcement<'a> {
    pub(super) settings: &'a dyn Settings,
    pub(super) recorder: &'a Recorder,
    pub(super) now: Timestamp,
    pub(super) actor: Option<Pseudonym>,
}

/// Announces the key that is to follow `before`; once, also where it was prepared earlier. Returns the entry.
pub(super) fn announce_next(
    with: &Announcement<'_>,
    next: &VerifierKey,
    before: &VerifierKey,
) -> Result<RecordId, OpenTreeError> {
    let kept = with.settings.setting(ANNOUNCED)?.unwrap_or_default();
    // Announced after another key, it hands nothing over from this one.
    if let Some(record) = kept.strip_prefix(&pair(next, before))
        && let Ok(record) = record.parse()
    {
        return Ok(record);
    }
    let body = change(next, Some(before), with.actor);
    let appended = with.recorder.append(&EntryDraft { time: with.now, tenant: TENANT.into(), body });
    Ok(appended.map_err(|e: RecordError| OpenTreeError::Record(e))?.record)
}

/// Notes that the entry which announces a key is published: a power cut cannot take it any more.
pub(super) fn keep_announced(
    settings: &dyn Settings,
    next: &VerifierKey,
    before: &VerifierKey,
    record: &RecordId,
) -> Result<(), OpenTreeError> {
    // Lost by a crash before, the key is announced twice.
    Ok(settings.set_setting(ANNOUNCED, &format!("{}{record}", pair(next, before)))?)
}

fn pair(next: &VerifierKey, before: &VerifierKey) -> String {
    format!("{next} after {} by ", id_of(before))
}
