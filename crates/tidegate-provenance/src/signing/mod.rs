//! Our own keys: what signs custody statements and, as Ed25519, the ledger's checkpoints.
//!
//! A [`SigningKey`] is a file ([`FileKey`]), an object in a token that PKCS#11 reaches ([`TokenKey`]) or whatever a
//! program can reach ([`ProgramKey`]). [`OwnKeys`] is the signed list of the public keys of a deployment, each with its
//! period, by which others verify.
//!
//! What this module refuses to do: it prints no secret, reads no key that others may read, overwrites none, and returns
//! no signature that it has not verified with the public key.

mod file;
mod own_keys;
mod private_file;
mod program;
mod public;
mod token;

use std::fmt;

pub use file::{CreateKeyError, FileKey, OpenKeyError};
pub use own_keys::{ListedKey, NewKey, OwnKeys, OwnKeysError, Use};
pub use private_file::PrivateFileError;
pub use program::{MAX_ANSWER_BYTES, ProgramKey, ProgramKeyError, ProgramSettings};
pub use public::{InvalidKeyId, InvalidPublicKey, KeyAlgorithm, KeyId, PublicKey};
pub use token::{PinSource, TokenKey, TokenKeyError, TokenSettings};

/// A key that signs. Object-safe; one value serves any number of threads.
pub trait SigningKey: Send + Sync + fmt::Debug {
    /// The public half: SPKI, key id, algorithm.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`, which is not digested yet. The signature is in the form that [`PublicKey::verify`] takes: ASN.1
    /// DER for ECDSA, 64 bytes for Ed25519 (RFC 8032).
    ///
    /// May block for as long as the key is away: milliseconds for a file, up to its time limit for a program.
    ///
    /// # Errors
    /// The key is gone or refuses, or what came back is no signature of the message by this key.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A signature that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The operating system gave no randomness, or the library refused.
    #[error("key `{0}` could not sign: the operating system gave no random bytes")]
    NoRandomness(KeyId),
    /// The token failed.
    #[error("key `{key}` could not sign in the token; check that it is there and logged in")]
    Token {
        /// Which key.
        key: KeyId,
        /// What the token said.
        #[source]
        source: TokenKeyError,
    },
    /// The program failed.
    #[error("key `{key}` could not sign through its program")]
    Program {
        /// Which key.
        key: KeyId,
        /// What went wrong.
        #[source]
        source: ProgramKeyError,
    },
    /// What came back is not a signature of the message by this key.
    #[error(
        "what came back is no signature by key `{0}`: the private key behind it is another one; name the key that belongs to its public key"
    )]
    NotByThisKey(KeyId),
}

/// Hands on a signature only where the public key verifies it.
fn checked(public: &PublicKey, message: &[u8], signature: Vec<u8>) -> Result<Vec<u8>, SignError> {
    if public.verify(message, &signature) {
        Ok(signature)
    } else {
        Err(SignError::NotByThisKey(public.key_id()))
    }
}
