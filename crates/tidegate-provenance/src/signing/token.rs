//! A key in a token (an HSM, a smart card, SoftHSM) that PKCS#11 reaches.
//!
//! ECDSA P-256 only: statements are signed with it, and every token has it. The private key never leaves the token; the
//! PIN is read from a file or a variable and never printed. The module is a library of the token's vendor that is loaded
//! into this process: whoever names it trusts its code like ours, so it is named by an absolute path.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use sha2::{Digest as _, Sha256};

use super::private_file::{self, PrivateFileError};
use super::{PublicKey, SignError, SigningKey, checked, public};

/// DER of the object identifier prime256v1, by which tokens name the curve.
const P256_PARAMETERS: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Modules that were loaded. They stay until the process ends: a module is initialised once for a process, and unloading
/// one that has threads of its own ends badly.
static LOADED: Mutex<Vec<(PathBuf, Pkcs11)>> = Mutex::new(Vec::new());

/// Where the PIN of a token is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinSource {
    /// A file that only its owner may read; a line feed at its end is no part of the PIN.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
}

/// How to reach a key in a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// The vendor's PKCS#11 library, as an absolute path.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The label that the private and the public key share.
    pub key: String,
    /// Where the PIN is found.
    pub pin: PinSource,
}

/// A token that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// The module is named by a relative path.
    #[error("`{}` is not an absolute path: name the PKCS#11 module in full, since its code runs in this process", .0.display())]
    RelativeModule(PathBuf),
    /// The module cannot be loaded.
    #[error("cannot load PKCS#11 module `{}`", path.display())]
    Module {
        /// Which module.
        path: PathBuf,
        /// Why.
        #[source]
        source: Error,
    },
    /// No token has the label.
    #[error("no token is labelled `{label}`; there are: {}", found.join(", "))]
    NoToken {
        /// The label that was looked for.
        label: String,
        /// The labels that there are.
        found: Vec<String>,
    },
    /// The file with the PIN cannot be used.
    #[error("cannot read the PIN")]
    PinFile(#[source] PrivateFileError),
    /// The variable with the PIN is not set.
    #[error("the variable `{0}` that should hold the PIN is not set")]
    PinVariable(String),
    /// The token refused to log in.
    #[error(
        "token `{token}` does not accept the PIN; it locks itself after a few wrong ones, so check before trying again"
    )]
    Login {
        /// Which token.
        token: String,
        /// What it said.
        #[source]
        source: Error,
    },
    /// There is no such key, or there are several.
    #[error("token `{token}` holds {found} {class} keys labelled `{key}` where one is wanted")]
    KeyCount {
        /// Which token.
        token: String,
        /// The label.
        key: String,
        /// `private` or `public`.
        class: &'static str,
        /// How many there are.
        found: usize,
    },
    /// The key is on another curve or of another kind.
    #[error("key `{key}` in token `{token}` is not ECDSA P-256, the one that statements are signed with")]
    OtherKey {
        /// Which token.
        token: String,
        /// Which key.
        key: String,
    },
    /// A call failed.
    #[error("token `{token}` failed to {what}")]
    Call {
        /// Which token.
        token: String,
        /// What it was to do.
        what: &'static str,
        /// What it said.
        #[source]
        source: Error,
    },
    /// What the token signed has another form.
    #[error("token `{0}` returned something that is no ECDSA P-256 signature")]
    Signature(String),
}

/// A P-256 key in a token.
pub struct TokenKey {
    settings: TokenSettings,
    public: PublicKey,
    /// None after a failure: then the next signature logs in again.
    open: Mutex<Option<Open>>,
}

struct Open {
    session: Session,
    private: ObjectHandle,
}

impl TokenKey {
    /// Loads the module, logs in and finds the key.
    ///
    /// # Errors
    /// Each step can fail; the message names which, and what to check.
    pub fn open(settings: TokenSettings) -> Result<Self, TokenKeyError> {
        let open = log_in(&settings)?;
        let public = public_key(&settings, &open.session)?;
        Ok(Self { settings, public, open: Mutex::new(Some(open)) })
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, TokenKeyError> {
        let digest = Sha256::digest(message);
        // Whoever panicked here left a session that the next failure replaces.
        let mut slot = self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut fresh = false;
        loop {
            let open = match slot.take() {
                Some(open) => open,
                None => {
                    fresh = true;
                    log_in(&self.settings)?
                }
            };
            match open.session.sign(&Mechanism::Ecdsa, open.private, &digest) {
                Ok(raw) => {
                    *slot = Some(open);
                    let token = || TokenKeyError::Signature(self.settings.token.clone());
                    return public::ecdsa_der(&raw).ok_or_else(token);
                }
                // The session may have ended with the token's power or its patience: once more with a new one.
                Err(_) if !fresh => drop(open),
                Err(source) => return Err(self.settings.failed("sign", source)),
            }
        }
    }
}

impl SigningKey for TokenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = self
            .signature(message)
            .map_err(|source| SignError::Token { key: self.public.key_id(), source })?;
        checked(&self.public, message, signature)
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({:?} in `{}`)", self.public, self.settings.token)
    }
}

impl TokenSettings {
    fn failed(&self, what: &'static str, source: Error) -> TokenKeyError {
        TokenKeyError::Call { token: self.token.clone(), what, source }
    }
}

fn module(path: &Path) -> Result<Pkcs11, TokenKeyError> {
    if !path.is_absolute() {
        return Err(TokenKeyError::RelativeModule(path.to_owned()));
    }
    let failed = |source| TokenKeyError::Module { path: path.to_owned(), source };
    let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((_, module)) = loaded.iter().find(|(other, _)| other == path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path).map_err(failed)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // The same library by another path.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(source) => return Err(failed(source)),
    }
    loaded.push((path.to_owned(), module.clone()));
    Ok(module)
}

fn log_in(settings: &TokenSettings) -> Result<Open, TokenKeyError> {
    let module = module(&settings.module)?;
    let slots = module.get_slots_with_token().map_err(|e| settings.failed("list the tokens", e))?;
    let mut found = Vec::new();
    let mut slot = None;
    for candidate in slots {
        // One token that does not answer must not hide the others.
        let Ok(info) = module.get_token_info(candidate) else { continue };
        let label = info.label().trim_end().to_owned();
        if label == settings.token && slot.is_none() {
            slot = Some(candidate);
        }
        found.push(format!("`{label}`"));
    }
    let slot = slot.ok_or_else(|| TokenKeyError::NoToken { label: settings.token.clone(), found })?;
    let session = module.open_ro_session(slot).map_err(|e| settings.failed("open a session", e))?;
    let pin = pin(&settings.pin)?;
    match session.login(UserType::User, Some(&pin)) {
        // Logging in counts for every session of a process.
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
        Err(source) => return Err(TokenKeyError::Login { token: settings.token.clone(), source }),
    }
    let private = one(settings, &session, ObjectClass::PRIVATE_KEY, "private")?;
    Ok(Open { session, private })
}

fn pin(source: &PinSource) -> Result<AuthPin, TokenKeyError> {
    let text = match source {
        PinSource::File(path) => private_file::read(path).map_err(TokenKeyError::PinFile)?,
        PinSource::Variable(name) => zeroize::Zeroizing::new(
            std::env::var(name).map_err(|_| TokenKeyError::PinVariable(name.clone()))?,
        ),
    };
    Ok(AuthPin::new(text.trim_end_matches(['\n', '\r']).into()))
}

fn one(
    settings: &TokenSettings,
    session: &Session,
    class: ObjectClass,
    word: &'static str,
) -> Result<ObjectHandle, TokenKeyError> {
    let wanted = [Attribute::Class(class), Attribute::Label(settings.key.as_bytes().to_vec())];
    let found = session.find_objects(&wanted).map_err(|e| settings.failed("look for the key", e))?;
    match found[..] {
        [one] => Ok(one),
        _ => Err(TokenKeyError::KeyCount {
            token: settings.token.clone(),
            key: settings.key.clone(),
            class: word,
            found: found.len(),
        }),
    }
}

fn public_key(settings: &TokenSettings, session: &Session) -> Result<PublicKey, TokenKeyError> {
    let object = one(settings, session, ObjectClass::PUBLIC_KEY, "public")?;
    let wanted = [AttributeType::KeyType, AttributeType::EcParams, AttributeType::EcPoint];
    let found =
        session.get_attributes(object, &wanted).map_err(|e| settings.failed("tell its public key", e))?;
    let on_curve = found.contains(&Attribute::KeyType(KeyType::EC))
        && found.contains(&Attribute::EcParams(P256_PARAMETERS.to_vec()));
    let point = found.iter().find_map(|attribute| match attribute {
        // The standard wants the point inside an octet string; some tokens leave that out.
        Attribute::EcPoint(bytes) => Some(bytes.strip_prefix(&[0x04, 0x41]).unwrap_or(bytes)),
        _ => None,
    });
    point
        .filter(|_| on_curve)
        .and_then(PublicKey::from_p256_point)
        .ok_or_else(|| TokenKeyError::OtherKey { token: settings.token.clone(), key: settings.key.clone() })
}
