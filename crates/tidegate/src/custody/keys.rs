//! The key that signs statements, and the ring on which others find its public half.

use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidegate_model::Timestamp;
use tidegate_provenance::custody::statement::{InvalidPublicUri, PublicUri};
use tidegate_provenance::signing::{
    CreateKeyError, FileKey, KeyAlgorithm, KeyId, OpenKeyError, OwnKeys, OwnKeysError, PinSource, ProgramKey,
    ProgramKeyError, ProgramSettings, SigningKey, TokenKey, TokenKeyError, TokenSettings, Use,
};

use crate::config::{CustodySection, Pkcs11Key};

/// Where keys are, below the data directory.
const FOLDER: &str = "keys";
/// The file with the key, where the configuration names none.
const KEY: &str = "custody.pem";
/// The newest edition of the key ring.
const RING: &str = "custody-ring.json";

/// What signs.
#[derive(Debug)]
pub struct Signer {
    /// The key.
    pub key: Arc<dyn SigningKey>,
    /// Every key of the deployment.
    pub ring: OwnKeys,
    /// The ring as it is signed: JSON of a DSSE envelope.
    pub ring_file: Vec<u8>,
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
    let ring_path = folder.join(RING);
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
        return Ok(Signer { key, ring, ring_file });
    };
    let ring = OwnKeys::open(&ring_file, id).map_err(wrong)?;
    if ring.in_force(Use::Custody, now).is_none_or(|listed| listed.key.key_id() != id) {
        return Err(wrong(OwnKeysError::UnknownKey(id)));
    }
    if let Some(wanted) = &section.deployment
        && wanted != ring.deployment()
    {
        let found = ring.deployment().clone();
        return Err(CustodyKeyError::Renamed { ring: ring_path, found, wanted: wanted.clone() });
    }
    Ok(Signer { key, ring, ring_file })
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
