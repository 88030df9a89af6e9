//! A private key in a file: PKCS#8 (RFC 5958) in PEM, optionally under a passphrase (PBES2 with scrypt and AES-256).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use pkcs8::der::pem::LineEnding;
use pkcs8::der::{Decode as _, asn1::OctetStringRef};
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfo, ObjectIdentifier, PrivateKeyInfo, SecretDocument};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use tidegate_model::Secret;
use zeroize::Zeroizing;

use super::private_file::{self, PrivateFileError};
use super::{KeyAlgorithm, KeyId, PublicKey, SignError, SigningKey};

/// The label of a private key's PEM (RFC 7468 §10).
const PLAIN: &str = "PRIVATE KEY";
/// The label of one under a passphrase (RFC 7468 §11).
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
/// id-Ed25519 (RFC 8410).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// id-ecPublicKey (RFC 5480).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// What comes before the seed in PKCS#8 of an Ed25519 key (RFC 8410 §7), the form that every tool reads.
const ED25519_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// scrypt with 2^14 blocks of 1 kB: 16 MB for each guess of a passphrase, the most that OpenSSL reads without being told.
const SCRYPT_LOG_N: u8 = 14;

/// A private key that was read from a file. Its secret is wiped from memory when it is dropped, and never printed.
pub struct FileKey {
    public: PublicKey,
    signer: Signer,
}

enum Signer {
    P256 { pair: Box<EcdsaKeyPair>, random: SystemRandom },
    Ed25519 { pair: Ed25519KeyPair, seed: Zeroizing<[u8; 32]> },
}

/// A key that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// There is a file already.
    #[error("`{}` exists already, and a key is never overwritten: name another file, or move this one away", .0.display())]
    Exists(PathBuf),
    /// The file could not be written.
    #[error("cannot write a new key to `{}`", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The operating system gave no randomness.
    #[error("cannot make a key: the operating system gave no random bytes")]
    NoRandomness,
    /// What was written could not be read again.
    #[error("the key just made cannot be used")]
    Unusable(#[source] OpenKeyError),
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenKeyError {
    /// It cannot be read, or others may read it.
    #[error("cannot use key file")]
    File(#[source] PrivateFileError),
    /// Not PKCS#8 in PEM.
    #[error(
        "`{}` holds no private key in PKCS#8: expected `-----BEGIN PRIVATE KEY-----`; `openssl pkcs8 -topk8` converts other forms", .0.display()
    )]
    NotPkcs8(PathBuf),
    /// Encrypted, and no passphrase is known.
    #[error("`{}` is under a passphrase, and none is configured", .0.display())]
    PassphraseWanted(PathBuf),
    /// The passphrase does not open it.
    #[error("the passphrase does not open `{}`, or it is encrypted in a way that is not supported (PBES2 is)", .0.display())]
    WrongPassphrase(PathBuf),
    /// Another algorithm or curve, or a damaged key.
    #[error(
        "`{}` holds neither an ECDSA P-256 nor an Ed25519 key, or a damaged one; `openssl pkey -text -noout` tells which", .0.display()
    )]
    OtherKey(PathBuf),
}

impl FileKey {
    /// Makes a new key and writes it to `path` with mode 0600: whole, and never over an existing file. With a passphrase
    /// it is encrypted (PBES2: scrypt, AES-256-CBC).
    ///
    /// # Errors
    /// There is a file already, the folder cannot be written to, or there is no randomness.
    pub fn create(
        path: &Path,
        algorithm: KeyAlgorithm,
        passphrase: Option<&Secret<String>>,
    ) -> Result<Self, CreateKeyError> {
        let document = generate(algorithm)?;
        let pem = match passphrase {
            None => document.to_pem(PLAIN, LineEnding::LF),
            Some(passphrase) => encrypt(&document, passphrase)?.to_pem(ENCRYPTED, LineEnding::LF),
        }
        .map_err(|_| CreateKeyError::NoRandomness)?;
        private_file::create(path, &pem).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => CreateKeyError::Exists(path.to_owned()),
            _ => CreateKeyError::Write { path: path.to_owned(), source },
        })?;
        Self::open(path, passphrase).map_err(CreateKeyError::Unusable)
    }

    /// Reads a key. A passphrase is ignored where the file has none.
    ///
    /// # Errors
    /// Others may read the file, it holds no such key, or the passphrase does not open it.
    pub fn open(path: &Path, passphrase: Option<&Secret<String>>) -> Result<Self, OpenKeyError> {
        let text = private_file::read(path).map_err(OpenKeyError::File)?;
        let not_pkcs8 = || OpenKeyError::NotPkcs8(path.to_owned());
        let (label, document) = SecretDocument::from_pem(text.trim()).map_err(|_| not_pkcs8())?;
        let document = match label {
            PLAIN => document,
            ENCRYPTED => {
                let passphrase = passphrase.ok_or_else(|| OpenKeyError::PassphraseWanted(path.to_owned()))?;
                let encrypted =
                    EncryptedPrivateKeyInfo::from_der(document.as_bytes()).map_err(|_| not_pkcs8())?;
                encrypted
                    .decrypt(passphrase.expose().as_bytes())
                    .map_err(|_| OpenKeyError::WrongPassphrase(path.to_owned()))?
            }
            _ => return Err(not_pkcs8()),
        };
        Self::from_pkcs8(document.as_bytes()).ok_or_else(|| OpenKeyError::OtherKey(path.to_owned()))
    }

    /// Reads PKCS#8 in DER; none where it is another kind of key or damaged.
    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let info = PrivateKeyInfo::try_from(der).ok()?;
        if info.algorithm.oid == ED25519 {
            let seed = OctetStringRef::from_der(info.private_key).ok()?;
            let seed = Zeroizing::new(<[u8; 32]>::try_from(seed.as_bytes()).ok()?);
            let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).ok()?;
            let public = PublicKey::from_ed25519(pair.public_key().as_ref())?;
            return Some(Self { public, signer: Signer::Ed25519 { pair, seed } });
        }
        if info.algorithm.oid != EC {
            return None;
        }
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &random).ok()?;
        let public = PublicKey::from_p256_point(pair.public_key().as_ref())?;
        Some(Self { public, signer: Signer::P256 { pair: Box::new(pair), random } })
    }

    /// The seed of an Ed25519 key (RFC 8032), for the ledger's note signer, which takes it so; none for P-256.
    pub fn ed25519_seed(&self) -> Option<&[u8; 32]> {
        match &self.signer {
            Signer::Ed25519 { seed, .. } => Some(seed),
            Signer::P256 { .. } => None,
        }
    }
}

fn generate(algorithm: KeyAlgorithm) -> Result<SecretDocument, CreateKeyError> {
    let der = match algorithm {
        KeyAlgorithm::EcdsaP256 => {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
                .map_err(|_| CreateKeyError::NoRandomness)?;
            Zeroizing::new(pkcs8.as_ref().to_vec())
        }
        KeyAlgorithm::Ed25519 => {
            // Built here, since ring writes version 2 of the format, which older tools do not read.
            let mut der = Zeroizing::new([0u8; 48]);
            der[..16].copy_from_slice(&ED25519_PREFIX);
            getrandom::fill(&mut der[16..]).map_err(|_| CreateKeyError::NoRandomness)?;
            Zeroizing::new(der.to_vec())
        }
    };
    Ok(SecretDocument::try_from(der.as_slice()).expect("INVARIANT: what was generated is one DER sequence"))
}

fn encrypt(document: &SecretDocument, passphrase: &Secret<String>) -> Result<SecretDocument, CreateKeyError> {
    let mut random = [0u8; 32];
    getrandom::fill(&mut random).map_err(|_| CreateKeyError::NoRandomness)?;
    let (salt, iv) = random.split_at(16);
    let iv: &[u8; 16] = iv.try_into().expect("half of 32 bytes");
    let cost = scrypt::Params::new(SCRYPT_LOG_N, 8, 1, 32).expect("constants within scrypt's bounds");
    let parameters =
        pbes2::Parameters::scrypt_aes256cbc(cost, salt, iv).expect("constants within PBES2's bounds");
    let info =
        PrivateKeyInfo::try_from(document.as_bytes()).expect("INVARIANT: what was generated is PKCS#8");
    Ok(info
        .encrypt_with_params(parameters, passphrase.expose().as_bytes())
        .expect("AES takes any plain text"))
}

impl SigningKey for FileKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match &self.signer {
            Signer::Ed25519 { pair, .. } => Ok(pair.sign(message).as_ref().to_vec()),
            Signer::P256 { pair, random } => match pair.sign(random, message) {
                Ok(signature) => Ok(signature.as_ref().to_vec()),
                Err(_) => Err(SignError::NoRandomness(self.key_id())),
            },
        }
    }
}

impl FileKey {
    fn key_id(&self) -> KeyId {
        self.public.key_id()
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKey({:?})", self.public)
    }
}
