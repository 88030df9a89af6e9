//! The key that signs statements, and the ring on which others find its public half.

use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidegate_model::Timestamp;
use tidegate_provenance::custody::statement::{InvalidPublicUri, PublicUri};
use tidegate_provenance::signing::{
    CreateKeyError, FileKey, KeyAlgorithm, KeyId, ListedKey, NewKey, OpenKeyError, OwnKeys, OwnKeysError,
    PinSource, ProgramKey, ProgramKeyError, ProgramSettings, SigningKey, TokenKey, TokenKeyError,
    TokenSettings, Use,
};

use crate::config::{CustodySection, Pkcs11Key};

/// Where keys are, below the data directory.
const FOLDER: &str = "keys";
/// The file with the key, where the configuration names none.
const KEY: &str = "custody.pem";
/// The newest edition of the key ring.
const RING: &str = "custody-ring.json";

/// How long a key that was replaced is kept, in seconds: what was decided before is stated with it, and may come to the ledger
/// late.
const KEEP_REPLACED_SECONDS: i64 = 3600;
/// How long ahead a new key is announced, in seconds.
const ANNOUNCED_AHEAD_SECONDS: i64 = 2;
/// The most earlier editions that are told.
const MAX_EDITIONS: u64 = 256;

/// What signs.
#[derive(Debug)]
pub struct Signer {
    /// The key in force, and the one that follows it where there is one.
    keys: Vec<Arc<dyn SigningKey>>,
    /// Every key of the deployment.
    pub ring: OwnKeys,
    /// The ring as it is signed: JSON of a DSSE envelope.
    pub ring_file: Vec<u8>,
}

impl Signer {
    /// The key that signs what happened at a moment. Where the one that was in force then is gone (a clock was set back across a
    /// rotation), the one at hand: who verifies is told that it signs too early, and nobody waits for ever.
    pub(super) fn key_at(&self, at: Timestamp) -> &dyn SigningKey {
        // Before the first key began there was none: it states that as well.
        let listed = self.ring.in_force(Use::Custody, at).or_else(|| self.ring.keys().first());
        let wanted = listed.map(|listed| listed.key.key_id());
        let found = self.keys.iter().find(|key| Some(key.public_key().key_id()) == wanted);
        &**found.unwrap_or(&self.keys[0])
    }

    /// The key that signs, or will once its time has come.
    pub(super) fn newest(&self) -> &Arc<dyn SigningKey> {
        self.keys.last().expect("INVARIANT: a signer has a key")
    }

    /// Whether a key is being replaced, so that two are at hand.
    pub(super) fn is_between(&self) -> bool {
        self.keys.len() > 1
    }

    /// The key that was opened first: the one in force, or the one before it while that is still needed.
    pub(super) fn first(&self) -> &Arc<dyn SigningKey> {
        &self.keys[0]
    }
}

/// When a key is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Now.
    pub(super) now: Timestamp,
    /// When the oldest thing happened that is not stated yet.
    pub(super) since: Timestamp,
}

/// A key or a ring that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CustodyKeyError {
    /// No name for who states.
    #[error(
        "[custody] has no usable deployment: {0}\n  set deployment to a URI such as https://tidegate.corp.example/"
    )]
    Deployment(#[source] InvalidPublicUri),
    /// The catalogue does not say what is stated.
    #[error("{0}")]
    Catalogue(String),
    /// A file beside the key cannot be read or written.
    #[error("`{}` cannot be used: {source}\n  give the user that runs tidegate access to it", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key does not lie in a file.
    #[error(
        "the key that signs statements of custody lies in a token or behind a program, which makes no key at our word\n  make it there and name it in [custody]; its ring is begun anew then: docs/concepts/custody.md"
    )]
    NotAFile,
    /// A key is being replaced already.
    #[error(
        "the key that signs statements of custody was replaced less than an hour ago: the one before is still needed"
    )]
    Replacing,
    /// The ledger does not take the announcement.
    #[error("the new key could not be announced in the ledger: {0}")]
    Announce(String),
    /// The key could not be made.
    #[error("the key that signs statements of custody cannot be made: {}", crate::intel::sync::chain(.0))]
    Create(#[source] CreateKeyError),
    /// The key file cannot be used.
    #[error("the key that signs statements of custody cannot be used: {}", crate::intel::sync::chain(.0))]
    Open(#[source] OpenKeyError),
    /// The key is gone and its ring is not.
    #[error(
        "the key `{}` is gone, and `{}` still names it\n  put the key back from a backup; or move the ring away to begin anew, after which earlier statements verify with the old ring alone",
        key.display(), ring.display()
    )]
    Gone {
        /// Where the key was.
        key: PathBuf,
        /// The ring.
        ring: PathBuf,
    },
    /// The token cannot be used.
    #[error("the key in the token cannot be used: {}", crate::intel::sync::chain(.0))]
    Token(#[source] TokenKeyError),
    /// The program does not answer.
    #[error("the program that signs does not answer: {}", crate::intel::sync::chain(.0))]
    Program(#[source] ProgramKeyError),
    /// The ring does not let this key sign.
    #[error(
        "the key {key} is not the one that the key ring `{}` lets sign: {}\n  name the key that it lists; or move the ring away to begin anew, after which earlier statements verify with the old ring alone",
        ring.display(), crate::intel::sync::chain(source)
    )]
    Ring {
        /// The ring.
        ring: PathBuf,
        /// The key that was configured.
        key: KeyId,
        /// Why.
        #[source]
        source: OwnKeysError,
    },
    /// The ring is of another deployment.
    #[error(
        "the key ring `{}` is of `{found}`, and [custody] names `{wanted}` as deployment\n  set deployment = \"{found}\", or move ring and key away to begin under the new name",
        ring.display()
    )]
    Renamed {
        /// The ring.
        ring: PathBuf,
        /// Whose it is.
        found: PublicUri,
        /// Who the configuration says this is.
        wanted: PublicUri,
    },
}

/// Opens the key and its ring; makes what is not there yet. Blocks, as long as the key does.
///
/// # Errors
/// [`CustodyKeyError`] says what cannot be used and what to do.
pub(super) fn open(
    section: &CustodySection,
    data: &Path,
    deployment: &PublicUri,
    Moment { now, since }: Moment,
) -> Result<Signer, CustodyKeyError> {
    let folder = data.join(FOLDER);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| CustodyKeyError::File { path, source }
    };
    std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
    // Whoever made it: only keys are in it.
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).map_err(failed(&folder))?;
    let ring_path = ring_path(data);
    let known = match std::fs::read(&ring_path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(&ring_path)(error)),
    };
    let key = key(section, data, known.is_some().then_some(&ring_path))?;
    let id = key.public_key().key_id();
    let wrong = |source| CustodyKeyError::Ring { ring: ring_path.clone(), key: id, source };
    let Some(ring_file) = known else {
        // Whole seconds: entries are of the millisecond, and none may seem older than its key.
        let issued = Timestamp::from_unix_seconds(since.unix_seconds());
        let keys = vec![(key.public_key().clone(), Use::Custody)];
        let ring = OwnKeys::first(deployment.clone(), issued, keys).map_err(wrong)?;
        let ring_file = ring.sign(&[&*key]).map_err(wrong)?;
        write(&ring_path, &ring_file).map_err(failed(&ring_path))?;
        return Ok(Signer { keys: vec![key], ring, ring_file });
    };
    let (ring, keys) = match OwnKeys::open(&ring_file, id) {
        Ok(ring) => {
            let next = next(section, data)?.filter(|next| ring.key(next.public_key().key_id()).is_some());
            (ring, [key].into_iter().chain(next).collect::<Vec<_>>())
        }
        // The last step of a rotation was cut short: the ring is of the next key already.
        Err(error) => {
            let Some(next) = next(section, data)? else { return Err(wrong(error)) };
            let ring = OwnKeys::open(&ring_file, next.public_key().key_id()).map_err(wrong)?;
            put_in_place(section, data)?;
            (ring, vec![next])
        }
    };
    let held = |listed: &ListedKey| keys.iter().any(|key| key.public_key().key_id() == listed.key.key_id());
    if !ring.in_force(Use::Custody, now).is_some_and(held) {
        return Err(wrong(OwnKeysError::UnknownKey(id)));
    }
    if let Some(wanted) = &section.deployment
        && wanted != ring.deployment()
    {
        let found = ring.deployment().clone();
        return Err(CustodyKeyError::Renamed { ring: ring_path, found, wanted: wanted.clone() });
    }
    Ok(Signer { keys, ring, ring_file })
}

/// Where the ring lies.
pub(super) fn ring_path(data: &Path) -> PathBuf {
    data.join(FOLDER).join(RING)
}

/// Where an earlier edition of it lies.
fn edition_path(data: &Path, edition: u64) -> PathBuf {
    data.join(FOLDER).join(format!("custody-ring-{edition}.json"))
}

/// Earlier editions of the ring, oldest first: whoever knows one follows them to the newest.
pub(super) fn editions(data: &Path, newest: u64) -> Vec<Vec<u8>> {
    let first = newest.saturating_sub(MAX_EDITIONS).max(1);
    (first..newest).filter_map(|edition| std::fs::read(edition_path(data, edition)).ok()).collect()
}

/// The file with the key; none where it is in a token or behind a program.
fn key_path(section: &CustodySection, data: &Path) -> Option<PathBuf> {
    if section.pkcs11.is_some() || !section.program.is_empty() {
        return None;
    }
    Some(match &section.key {
        Some(path) => data.join(path),
        None => data.join(FOLDER).join(KEY),
    })
}

/// The file with the key that is to follow it.
fn next_path(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-next.pem"))
}

fn next(section: &CustodySection, data: &Path) -> Result<Option<Arc<dyn SigningKey>>, CustodyKeyError> {
    let Some(next) = key_path(section, data).map(|path| next_path(&path)).filter(|next| next.exists()) else {
        return Ok(None);
    };
    Ok(Some(Arc::new(FileKey::open(&next, None).map_err(CustodyKeyError::Open)?)))
}

/// The next key takes the place of the one before; whole or not at all.
fn put_in_place(section: &CustodySection, data: &Path) -> Result<(), CustodyKeyError> {
    let Some(path) = key_path(section, data) else { return Ok(()) };
    let folder = path.parent().unwrap_or(data).to_owned();
    std::fs::rename(next_path(&path), &path)
        .and_then(|()| std::fs::File::open(&folder)?.sync_all())
        .map_err(|source| CustodyKeyError::File { path, source })
}

/// The key that is to follow, made where there is none.
pub(super) fn following(
    section: &CustodySection,
    data: &Path,
) -> Result<Arc<dyn SigningKey>, CustodyKeyError> {
    let path = key_path(section, data).ok_or(CustodyKeyError::NotAFile)?;
    if next(section, data)?.is_none() {
        FileKey::create(&next_path(&path), KeyAlgorithm::EcdsaP256, None).map_err(CustodyKeyError::Create)?;
    }
    next(section, data)?.ok_or(CustodyKeyError::NotAFile)
}

/// The ring's next edition, in which `following` begins to sign in a moment. Written: from then on it counts.
pub(super) fn announced(
    signer: &Signer,
    following: Arc<dyn SigningKey>,
    data: &Path,
    now: Timestamp,
) -> Result<Signer, CustodyKeyError> {
    let from = Timestamp::from_unix_seconds(now.unix_seconds() + ANNOUNCED_AHEAD_SECONDS);
    let new = NewKey { key: following.public_key().clone(), used_for: Use::Custody, from };
    let (path, before) = (ring_path(data), Arc::clone(signer.first()));
    let wrong =
        |source| CustodyKeyError::Ring { ring: path.clone(), key: following.public_key().key_id(), source };
    let ring = signer.ring.announcing(new, now).map_err(wrong)?;
    let ring_file = ring.sign(&[&*before, &*following]).map_err(wrong)?;
    replace_ring(data, signer, &ring_file)?;
    Ok(Signer { keys: vec![before, following], ring, ring_file })
}

/// Lets go of a key that was replaced, once nothing is to be stated with it any more: the ring's next edition says the same and is
/// signed by the new key. None where it is too early, or nothing was replaced.
pub(super) fn let_go(
    signer: &Signer,
    section: &CustodySection,
    data: &Path,
    now: Timestamp,
) -> Result<Option<Signer>, CustodyKeyError> {
    let [_, following] = &signer.keys[..] else { return Ok(None) };
    let id = following.public_key().key_id();
    let begun = signer.ring.key(id).map(|listed| listed.from.plus_seconds(KEEP_REPLACED_SECONDS));
    if begun.is_none_or(|begun| now < begun) {
        return Ok(None);
    }
    let path = ring_path(data);
    let ring = signer.ring.reissued(now);
    let ring_file =
        ring.sign(&[&**following]).map_err(|source| CustodyKeyError::Ring { ring: path, key: id, source })?;
    replace_ring(data, signer, &ring_file)?;
    put_in_place(section, data)?;
    Ok(Some(Signer { keys: vec![Arc::clone(following)], ring, ring_file }))
}

/// Writes a new edition; the one before stays beside it.
fn replace_ring(data: &Path, signer: &Signer, ring_file: &[u8]) -> Result<(), CustodyKeyError> {
    for (path, bytes) in
        [(edition_path(data, signer.ring.edition()), &signer.ring_file[..]), (ring_path(data), ring_file)]
    {
        write(&path, bytes).map_err(|source| CustodyKeyError::File { path, source })?;
    }
    Ok(())
}

/// The key that the configuration names. A file that is not there is made, unless a ring names it already.
fn key(
    section: &CustodySection,
    data: &Path,
    ring: Option<&PathBuf>,
) -> Result<Arc<dyn SigningKey>, CustodyKeyError> {
    if let Some(token) = &section.pkcs11 {
        return Ok(Arc::new(TokenKey::open(token_settings(token)).map_err(CustodyKeyError::Token)?));
    }
    if let [program, args @ ..] = &section.program[..] {
        let settings = ProgramSettings {
            program: program.into(),
            args: args.iter().map(Into::into).collect(),
            key: section.program_key.clone(),
            limit: Duration::from_secs(section.program_seconds),
        };
        return Ok(Arc::new(ProgramKey::open(settings).map_err(CustodyKeyError::Program)?));
    }
    let path = match &section.key {
        Some(path) => data.join(path),
        None => data.join(FOLDER).join(KEY),
    };
    if path.exists() {
        return Ok(Arc::new(FileKey::open(&path, None).map_err(CustodyKeyError::Open)?));
    }
    if let Some(ring) = ring {
        return Err(CustodyKeyError::Gone { key: path, ring: ring.clone() });
    }
    let made = FileKey::create(&path, KeyAlgorithm::EcdsaP256, None).map_err(CustodyKeyError::Create)?;
    tracing::info!(key.id = %made.public_key().key_id(), "made a key for statements of custody: {}", path.display());
    Ok(Arc::new(made))
}

fn token_settings(token: &Pkcs11Key) -> TokenSettings {
    let pin = match (&token.pin_file, &token.pin_env) {
        (Some(file), _) => PinSource::File(file.clone()),
        (None, name) => PinSource::Variable(name.clone().unwrap_or_default()),
    };
    TokenSettings { module: token.module.clone(), token: token.token.clone(), key: token.label.clone(), pin }
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    let folder = path.parent().expect("a ring is in a folder");
    std::fs::File::open(folder)?.sync_all()
}
