//! Chain of custody at the door: what was decided on each artifact, signed, behind the answers.
//!
//! [`mod@follow`] leads along the ledger and writes statements for what its decisions change; [`keys`] opens what signs them;
//! [`announce`] says in the ledger which key does;
//! [`event`] makes of an entry what is to be stated; [`oci`] shows statements to whoever asks a registry of images.
//!
//! No answer waits for a signature: a key that is away stops the statements and nothing else.

mod announce;
pub mod event;
pub mod follow;
pub mod keys;
pub mod oci;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::{Entry, RecordId, Recorder};
use tidegate_model::Timestamp;
use tidegate_provenance::custody::statement::PublicUri;
use tidegate_provenance::signing::{KeyId, PublicKey};
use tidegate_store::catalogue::Catalogue;

use crate::config::{Config, CustodySection};
use crate::door::Door;

pub use follow::follow;
pub use keys::{CustodyKeyError, Signer};

/// What signs, and how far along the ledger everything is stated.
pub struct Custody {
    section: CustodySection,
    data: PathBuf,
    /// Who states it, where no key ring says so yet.
    deployment: PublicUri,
    /// The last entry before this door opened: a door that never stated anything begins after it.
    begin: u64,
    signer: RwLock<Option<Arc<Signer>>>,
    /// Held by whoever makes statements.
    turn: Mutex<follow::Turn>,
    reached: AtomicU64,
}

/// A key that was replaced.
#[derive(Clone, Debug)]
pub struct RotatedKey {
    /// The key before.
    pub before: KeyId,
    /// The key that follows it.
    pub key: PublicKey,
    /// When it begins to sign.
    pub from: Option<Timestamp>,
    /// The entry that announces it.
    pub record: RecordId,
}

impl Custody {
    /// Opens it; none where the configuration wants no statements. A key in a file is made at the first start. Another kind of
    /// key is looked for later, by the job: it may be away, and the door opens all the same. Blocks.
    ///
    /// # Errors
    /// A key file or a key ring that cannot be used.
    pub fn open(
        config: &Config,
        data: &Path,
        catalogue: &dyn Catalogue,
        recorder: &Recorder,
        begin: u64,
        now: Timestamp,
    ) -> Result<Option<Self>, CustodyKeyError> {
        if !config.custody.enabled {
            return Ok(None);
        }
        let public = config.server.public_url.as_ref().and_then(|url| url.as_str().parse().ok());
        let named = config.custody.deployment.clone().or(public);
        let deployment = match named {
            Some(named) => named,
            None => {
                format!("urn:tidegate:{}", recorder.node()).parse().map_err(CustodyKeyError::Deployment)?
            }
        };
        let custody = Self {
            section: config.custody.clone(),
            data: data.to_owned(),
            deployment,
            begin,
            signer: RwLock::default(),
            turn: Mutex::default(),
            reached: AtomicU64::new(0),
        };
        if custody.section.pkcs11.is_none() && custody.section.program.is_empty() {
            let cursor = catalogue.custody_cursor(recorder.node().as_str());
            let cursor =
                cursor.map_err(|e| CustodyKeyError::Catalogue(format!("{e}: {}", e.cause)))?.unwrap_or(begin);
            custody.signer_now(recorder, catalogue, cursor, now)?;
        }
        Ok(Some(custody))
    }

    /// What signs; none while the key has not been reached.
    pub fn signer(&self) -> Option<Arc<Signer>> {
        self.signer.read().expect("no panic while holding it").clone()
    }

    /// What signs, looked for where it was not found yet. A first key counts from the oldest entry on that it is to state, which
    /// a key that was away is younger than. Blocks, as long as the key does.
    fn signer_now(
        &self,
        recorder: &Recorder,
        catalogue: &dyn Catalogue,
        cursor: u64,
        now: Timestamp,
    ) -> Result<Arc<Signer>, CustodyKeyError> {
        if let Some(signer) = self.signer() {
            return Ok(signer);
        }
        let oldest = recorder.reader(cursor + 1).next().and_then(Result::ok);
        let oldest = oldest.and_then(|frame| Entry::parse(&frame.json).ok()).map_or(now, |entry| entry.time);
        let moment = keys::Moment { now, since: oldest.min(now) };
        let signer = Arc::new(keys::open(&self.section, &self.data, &self.deployment, moment)?);
        announce::at_open(recorder, catalogue, &**signer.newest(), now)?;
        self.put(Arc::clone(&signer));
        Ok(signer)
    }

    fn put(&self, signer: Arc<Signer>) {
        *self.signer.write().expect("no panic while holding it") = Some(signer);
    }

    /// Has another key sign what happens from a moment on that is about to come. It is announced in the ledger first, and listed by an
    /// edition of the key ring that both sign. The key before is kept for an hour, for what was decided before. Blocks.
    ///
    /// # Errors
    /// [`CustodyKeyError`]. The key that was in force stays so.
    pub fn rotate(&self, door: &Door, actor: Option<Pseudonym>) -> Result<RotatedKey, CustodyKeyError> {
        // Nothing is stated meanwhile.
        let turn = self.turn.lock().expect("no panic while holding it");
        let catalogue = &*door.store.catalogue;
        let cursor = self.reached().max(self.begin);
        let signer = self.signer_now(&door.recorder, catalogue, cursor, door.clock.now())?;
        if signer.is_between() {
            return Err(CustodyKeyError::Replacing);
        }
        let following = keys::following(&self.section, &self.data)?;
        let before = signer.first().public_key().key_id();
        let record = announce::next(door, &*following, before, actor)?;
        let key = following.public_key().clone();
        let rotated = Arc::new(keys::announced(&signer, following, &self.data, door.clock.now())?);
        announce::keep(catalogue, key.key_id())?;
        let from = rotated.ring.key(key.key_id()).map(|listed| listed.from);
        self.put(rotated);
        drop(turn);
        Ok(RotatedKey { before, key, from, record })
    }

    /// Lets go of a key that was replaced, where nothing is to be stated with it any more.
    fn let_go(&self, now: Timestamp) -> Result<(), CustodyKeyError> {
        let Some(signer) = self.signer().filter(|signer| signer.is_between()) else { return Ok(()) };
        if let Some(alone) = keys::let_go(&signer, &self.section, &self.data, now)? {
            tracing::info!(
                "the replaced key {} for statements of custody is gone",
                signer.first().public_key().key_id()
            );
            self.put(Arc::new(alone));
        }
        Ok(())
    }

    /// Editions of the key ring before the one in force, oldest first.
    pub fn earlier_editions(&self, signer: &Signer) -> Vec<Vec<u8>> {
        keys::editions(&self.data, signer.ring.edition())
    }

    /// Everything up to this entry of the ledger is stated.
    pub fn reached(&self) -> u64 {
        self.reached.load(Ordering::Acquire)
    }
}
