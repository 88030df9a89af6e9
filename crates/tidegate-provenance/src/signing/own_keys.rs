//! The public keys of a deployment: which, for what, and from when to when. A small signed file.
//!
//! A DSSE envelope around JSON. Each edition has a number and is signed by a key that the edition before held to be in
//! force, so whoever knows one edition (or pinned one key) can follow to the next. What was said of the past stays: an
//! edition that moves the beginning of an earlier key, reopens one that has ended, or leaves one out, is refused, and so
//! is an older edition. A new key is announced first and signs from a later moment on, the moment at which the key before
//! it ends; what the earlier key signed in its period stays valid.
//!
//! What it does not do: a thief of the key that signs editions can sign the next one. A [`Use::Ring`] key that is kept
//! apart from the server takes that power from the key that the server holds.

use tidegate_model::Timestamp;

use crate::custody::statement::PublicUri;
use crate::dsse::{Envelope, InvalidEnvelope};

use super::{InvalidPublicKey, KeyId, PublicKey, SignError, SigningKey};

/// The payload type of a key ring's envelope.
const PAYLOAD_TYPE: &str = "application/vnd.tidegate.keyring.v1+json";
/// The most keys that a ring lists, earlier ones included.
const MAX_KEYS: usize = 64;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Signs statements about artifacts.
    Custody,
    /// Signs the ledger's checkpoints.
    Checkpoint,
    /// Signs editions of the ring. Where a ring lists none, the custody key does.
    Ring,
}

/// One key and its period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The key.
    pub key: PublicKey,
    /// What it is for.
    pub used_for: Use,
    /// When it was first listed.
    pub announced: Timestamp,
    /// What it signs counts from here on.
    pub from: Timestamp,
    /// What it signs counts until just before; none where no end is known.
    pub until: Option<Timestamp>,
    /// Somebody else may have had it: nothing that it signed counts.
    pub revoked: bool,
}

impl ListedKey {
    /// Whether what it signed at `time` counts.
    pub fn in_force(&self, time: Timestamp) -> bool {
        !self.revoked && self.from <= time && self.until.is_none_or(|until| time < until)
    }
}

/// A key to be announced.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The key.
    pub key: PublicKey,
    /// What it is for.
    pub used_for: Use,
    /// When it begins to sign, after the moment of the announcement.
    pub from: Timestamp,
}

/// One edition of the public keys of a deployment of tidegate: its key ring, by which what it signed is verified. The keys
/// of others, which a deployment believes, are a [`KeyRing`](crate::KeyRing).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKeys {
    deployment: PublicUri,
    edition: u64,
    issued: Timestamp,
    keys: Vec<ListedKey>,
}

/// A key ring that is not believed, or a change that is not possible.
#[derive(Debug, thiserror::Error)]
pub enum OwnKeysError {
    /// The envelope cannot be read.
    #[error("cannot read the key ring")]
    Envelope(#[source] InvalidEnvelope),
    /// The payload is none of ours.
    #[error("this envelope holds `{}`, not a key ring (`{PAYLOAD_TYPE}`)", .0.escape_debug())]
    OtherPayload(String),
    /// The payload is not the JSON of a key ring.
    #[error("the key ring is not readable")]
    Malformed(#[source] serde_json::Error),
    /// A listed key cannot be used.
    #[error("the key ring lists a key that cannot be used")]
    Key(#[source] InvalidPublicKey),
    /// What is listed contradicts itself.
    #[error("the key ring contradicts itself: {0}")]
    Contradiction(&'static str),
    /// No key that may sign it has.
    #[error(
        "the key ring is not signed by a key that may: pin the key id that the deployment's operator tells, or fetch the editions in between"
    )]
    NotSigned,
    /// Another deployment's.
    #[error("this is the key ring of `{found}`, not of `{expected}`")]
    OtherDeployment {
        /// Whose it is.
        found: PublicUri,
        /// Whose was wanted.
        expected: PublicUri,
    },
    /// Not newer than the one that is known.
    #[error("edition {found} of the key ring is not newer than edition {known}, which is known already")]
    RolledBack {
        /// Its number.
        found: u64,
        /// The number that is known.
        known: u64,
    },
    /// It says something else of the past than the edition before.
    #[error(
        "the key ring changes what was said of key `{0}`: its beginning, its use or its end, or leaves it out"
    )]
    RewritesPast(KeyId),
    /// A key would sign before anybody could know it.
    #[error(
        "key `{0}` would be used from the moment it is announced: announce it first, and use it from later on"
    )]
    NotAnnounced(KeyId),
    /// No such key.
    #[error("the key ring lists no key `{0}`")]
    UnknownKey(KeyId),
    /// It is listed already.
    #[error("the key ring lists key `{0}` already; a key has one period")]
    ListedTwice(KeyId),
    /// A key of the edition cannot sign.
    #[error("cannot sign the key ring")]
    Sign(#[source] SignError),
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Document {
    v: u32,
    deployment: PublicUri,
    edition: u64,
    issued: Timestamp,
    keys: Vec<Listed>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Listed {
    key_id: KeyId,
    #[serde(rename = "use")]
    used_for: Use,
    announced: Timestamp,
    from: Timestamp,
    until: Option<Timestamp>,
    revoked: bool,
    public_key: String,
}

impl OwnKeys {
    /// The first edition. Its keys count from `issued` on: there is nothing before it that could announce them.
    ///
    /// # Errors
    /// A key is listed twice, or none is for custody.
    pub fn first(
        deployment: PublicUri,
        issued: Timestamp,
        keys: Vec<(PublicKey, Use)>,
    ) -> Result<Self, OwnKeysError> {
        let keys = keys
            .into_iter()
            .map(|(key, used_for)| ListedKey {
                key,
                used_for,
                announced: issued,
                from: issued,
                until: None,
                revoked: false,
            })
            .collect();
        Self { deployment, edition: 1, issued, keys }.consistent()
    }

    /// The next edition, with one more key. The key of the same use that has no end yet ends where the new one begins.
    ///
    /// # Errors
    /// The key is listed already, or would be used from `now` or earlier.
    pub fn announcing(&self, new: NewKey, now: Timestamp) -> Result<Self, OwnKeysError> {
        let id = new.key.key_id();
        if new.from <= now {
            return Err(OwnKeysError::NotAnnounced(id));
        }
        let mut next = self.next(now);
        for listed in &mut next.keys {
            let ends = listed.used_for == new.used_for && listed.until.is_none_or(|until| until > new.from);
            if ends && !listed.revoked {
                listed.until = Some(new.from);
            }
        }
        let NewKey { key, used_for, from } = new;
        next.keys.push(ListedKey { key, used_for, announced: now, from, until: None, revoked: false });
        next.consistent()
    }

    /// The next edition, in which nothing that key `id` signed counts any more.
    ///
    /// # Errors
    /// It is not listed.
    pub fn revoking(&self, id: KeyId, now: Timestamp) -> Result<Self, OwnKeysError> {
        let mut next = self.next(now);
        let listed = next.keys.iter_mut().find(|listed| listed.key.key_id() == id);
        listed.ok_or(OwnKeysError::UnknownKey(id))?.revoked = true;
        next.consistent()
    }

    /// The next edition, which says the same: to be signed by the key that is in force now, for those who know no earlier one.
    pub fn reissued(&self, now: Timestamp) -> Self {
        self.next(now)
    }

    fn next(&self, now: Timestamp) -> Self {
        Self { edition: self.edition + 1, issued: now.max(self.issued), ..self.clone() }
    }

    /// The signed file. `keys` holds the key that the edition before lets sign; others (a key just announced, to show that
    /// it is there) may sign as well.
    ///
    /// # Errors
    /// None of `keys` is listed, or one cannot sign.
    pub fn sign(&self, keys: &[&dyn SigningKey]) -> Result<Vec<u8>, OwnKeysError> {
        // One that this edition revokes may sign it too: whether it may is for the edition before to say.
        let listed = |key: &&dyn SigningKey| self.key(key.public_key().key_id()).is_some();
        if !keys.iter().any(listed) {
            return Err(OwnKeysError::NotSigned);
        }
        let envelope = Envelope::sign(PAYLOAD_TYPE, &self.payload(), keys).map_err(OwnKeysError::Sign)?;
        Ok(serde_json::to_vec(&envelope).expect("an envelope is plain JSON"))
    }

    /// Reads an edition that is signed by the key that the reader pinned, and lists it for signing editions.
    ///
    /// # Errors
    /// Malformed, contradictory or not signed by that key.
    pub fn open(file: &[u8], pinned: KeyId) -> Result<Self, OwnKeysError> {
        let (ring, envelope) = Self::read(file)?;
        let believed = ring.signers(ring.issued).filter(|listed| listed.key.key_id() == pinned);
        let keys: Vec<&PublicKey> = believed.map(|listed| &listed.key).collect();
        let signed = envelope.signers(keys.into_iter()).map_err(OwnKeysError::Envelope)?;
        if signed.is_empty() { Err(OwnKeysError::NotSigned) } else { Ok(ring) }
    }

    /// Reads a later edition: signed by a key that this one holds to be in force, and true to what this one says of the
    /// past.
    ///
    /// # Errors
    /// Malformed, of another deployment, not newer, not signed, or rewriting.
    pub fn follow(&self, file: &[u8]) -> Result<Self, OwnKeysError> {
        let (ring, envelope) = Self::read(file)?;
        if ring.deployment != self.deployment {
            return Err(OwnKeysError::OtherDeployment {
                found: ring.deployment,
                expected: self.deployment.clone(),
            });
        }
        if ring.edition <= self.edition || ring.issued < self.issued {
            return Err(OwnKeysError::RolledBack { found: ring.edition, known: self.edition });
        }
        // In force when it was issued, as this edition has it: the new one cannot vouch for its own signer.
        let believed = self.signers(ring.issued).map(|listed| &listed.key);
        if envelope.signers(believed).map_err(OwnKeysError::Envelope)?.is_empty() {
            return Err(OwnKeysError::NotSigned);
        }
        for old in &self.keys {
            let id = old.key.key_id();
            let new = ring.key(id).ok_or(OwnKeysError::RewritesPast(id))?;
            // An end may be set, or come nearer, where nobody has reached it; what is over stays over.
            let end_holds = match (old.until, new.until) {
                (None, None) => true,
                (None, Some(end)) => end >= self.issued,
                (Some(_), None) => false,
                (Some(old), Some(end)) => end == old || (end < old && end >= self.issued),
            };
            let same = old.from == new.from && old.announced == new.announced && old.used_for == new.used_for;
            if !same || !end_holds || (old.revoked && !new.revoked) {
                return Err(OwnKeysError::RewritesPast(id));
            }
        }
        for new in &ring.keys {
            let id = new.key.key_id();
            if self.key(id).is_none() && (new.from <= new.announced || new.announced < self.issued) {
                return Err(OwnKeysError::NotAnnounced(id));
            }
        }
        Ok(ring)
    }

    fn read(file: &[u8]) -> Result<(Self, Envelope), OwnKeysError> {
        let envelope = Envelope::parse(file).map_err(OwnKeysError::Envelope)?;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(OwnKeysError::OtherPayload(envelope.payload_type.chars().take(80).collect()));
        }
        let payload = envelope.payload_bytes().map_err(OwnKeysError::Envelope)?;
        let document: Document = serde_json::from_slice(&payload).map_err(OwnKeysError::Malformed)?;
        if document.v != 1 {
            return Err(OwnKeysError::Contradiction("its version is not 1, the one that this program reads"));
        }
        let keys = document
            .keys
            .into_iter()
            .map(|listed| {
                let key = PublicKey::from_pem(&listed.public_key).map_err(OwnKeysError::Key)?;
                if key.key_id() != listed.key_id {
                    return Err(OwnKeysError::Contradiction("a key has another id than the one beside it"));
                }
                let Listed { used_for, announced, from, until, revoked, .. } = listed;
                Ok(ListedKey { key, used_for, announced, from, until, revoked })
            })
            .collect::<Result<_, _>>()?;
        let Document { deployment, edition, issued, .. } = document;
        Ok((Self { deployment, edition, issued, keys }.consistent()?, envelope))
    }

    fn consistent(self) -> Result<Self, OwnKeysError> {
        let wrong = |what| Err(OwnKeysError::Contradiction(what));
        if self.keys.len() > MAX_KEYS {
            return wrong("it lists more than 64 keys");
        }
        if !self.keys.iter().any(|listed| listed.used_for == Use::Custody) {
            return wrong("it lists no key for custody");
        }
        for (at, listed) in self.keys.iter().enumerate() {
            if self.keys[..at].iter().any(|other| other.key == listed.key) {
                return Err(OwnKeysError::ListedTwice(listed.key.key_id()));
            }
            if listed.until.is_some_and(|until| until < listed.from) {
                return wrong("a key ends before it begins");
            }
            if listed.announced > self.issued || listed.from < listed.announced {
                return wrong("a key begins before it was announced");
            }
            if listed.used_for == Use::Checkpoint && listed.key.algorithm() != super::KeyAlgorithm::Ed25519 {
                return wrong("a key for checkpoints is not Ed25519");
            }
        }
        Ok(self)
    }

    /// Keys that may sign an edition issued at `time`.
    fn signers(&self, time: Timestamp) -> impl Iterator<Item = &ListedKey> {
        let apart = self.keys.iter().any(|listed| listed.used_for == Use::Ring);
        let wanted = if apart { Use::Ring } else { Use::Custody };
        self.keys.iter().filter(move |listed| listed.used_for == wanted && listed.in_force(time))
    }

    fn payload(&self) -> Vec<u8> {
        let keys = self
            .keys
            .iter()
            .map(|listed| Listed {
                key_id: listed.key.key_id(),
                used_for: listed.used_for,
                announced: listed.announced,
                from: listed.from,
                until: listed.until,
                revoked: listed.revoked,
                public_key: listed.key.to_pem(),
            })
            .collect();
        let (deployment, edition, issued) = (self.deployment.clone(), self.edition, self.issued);
        let document = Document { v: 1, deployment, edition, issued, keys };
        serde_json::to_vec(&document).expect("a key ring is plain JSON")
    }

    /// Whose keys they are: the `verifier.id` of every statement that they sign.
    pub const fn deployment(&self) -> &PublicUri {
        &self.deployment
    }

    /// Its number, from 1.
    pub const fn edition(&self) -> u64 {
        self.edition
    }

    /// Every key, in the order in which they were announced.
    pub fn keys(&self) -> &[ListedKey] {
        &self.keys
    }

    /// The key with this id.
    pub fn key(&self, id: KeyId) -> Option<&ListedKey> {
        self.keys.iter().find(|listed| listed.key.key_id() == id)
    }

    /// The key that signs for `used_for` at `time`.
    pub fn in_force(&self, used_for: Use, time: Timestamp) -> Option<&ListedKey> {
        self.keys.iter().find(|listed| listed.used_for == used_for && listed.in_force(time))
    }
}
