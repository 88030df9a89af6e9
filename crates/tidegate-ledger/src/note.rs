//! Signed notes: a text, and who stands by it ([C2SP signed-note](https://c2sp.org/signed-note)).
//!
//! A key has a name and speaks for it: `<name>+<key id>+<base64 of kind and key>`. Two kinds are known: Ed25519 over the
//! text, as logs sign, and `cosignature/v1`, an Ed25519 signature over the text and a time, as witnesses sign
//! ([C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature)). Lines of other kinds are kept and prove nothing here.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use signed_note::{Note, Signature, is_key_name_valid};

/// The longest note that is read, in bytes.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;
/// The most signatures of one note.
pub const MAX_SIGNATURES: usize = 64;
/// The longest name of a key, in bytes.
pub const MAX_KEY_NAME_BYTES: usize = 256;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The text of a note: kind 1.
    Ed25519,
    /// The text of a note and a time, `cosignature/v1`: kind 4.
    Cosignature,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }
}

/// A public key with the name it speaks for. Written `<name>+<key id in hex>+<base64 of kind and key>`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: [u8; 32],
}

/// Text that is not a verifier key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a verifier key: {why}", text.escape_debug())]
pub struct InvalidVerifierKey {
    text: String,
    why: &'static str,
}

impl VerifierKey {
    /// A key of its parts.
    ///
    /// # Errors
    /// A name that is empty, too long, or holds spaces or `+`.
    pub fn new(name: &str, kind: KeyKind, key: [u8; 32]) -> Result<Self, InvalidVerifierKey> {
        if !is_key_name_valid(name) || name.len() > MAX_KEY_NAME_BYTES || name.chars().any(char::is_control) {
            let text = name.chars().take(80).collect();
            return Err(InvalidVerifierKey {
                text,
                why: "a name has no spaces, no `+` and at most 256 bytes",
            });
        }
        Ok(Self { name: name.to_owned(), kind, key })
    }

    /// The name it speaks for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The raw Ed25519 public key.
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The first four bytes of `SHA-256(name ‖ "\n" ‖ kind ‖ key)`, big-endian.
    pub fn key_id(&self) -> u32 {
        let digest = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', self.kind.byte()])
            .chain_update(self.key)
            .finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.key).verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(&self.key);
        write!(f, "{}+{:08x}+{}", self.name, self.key_id(), BASE64.encode(bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidVerifierKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |why| InvalidVerifierKey { text: text.chars().take(80).collect(), why };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(invalid("expected `<name>+<key id>+<base64>`"));
        };
        if id.len() != 8 || key.len() > 64 {
            return Err(invalid("expected a key id of 8 digits and a key of 33 bytes"));
        }
        let id = u32::from_str_radix(id, 16).map_err(|_| invalid("the key id is not hexadecimal"))?;
        let bytes = BASE64.decode(key).map_err(|_| invalid("the key is not base64"))?;
        let (kind, key) = bytes.split_first().ok_or_else(|| invalid("the key is empty"))?;
        let kind = match kind {
            1 => KeyKind::Ed25519,
            4 => KeyKind::Cosignature,
            _ => return Err(invalid("only Ed25519 (1) and cosignature/v1 (4) keys are known")),
        };
        let key = key.try_into().map_err(|_| invalid("an Ed25519 key has 32 bytes"))?;
        let key = Self::new(name, kind, key)?;
        if key.key_id() != id {
            return Err(invalid("the key id is not that of this name and key"));
        }
        Ok(key)
    }
}

impl<'de> serde::Deserialize<'de> for VerifierKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for VerifierKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Signing failed: a file is gone, a device does not answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign with the key `{key}`: {why}")]
pub struct SignError {
    /// Which key.
    pub key: String,
    /// Why.
    pub why: String,
}

/// Whoever holds a private key. Behind a trait, so that keys can live in a device or another process.
pub trait CheckpointSigner: Send + Sync {
    /// The public half and the name it speaks for.
    fn key(&self) -> &VerifierKey;

    /// The Ed25519 signature of `message`.
    ///
    /// # Errors
    /// [`SignError`].
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// A private key in this process's memory.
pub struct Ed25519Signer {
    key: VerifierKey,
    pair: Ed25519KeyPair,
}

/// Bytes that are no private key.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPrivateKey {
    /// The name does not fit.
    #[error(transparent)]
    Name(#[from] InvalidVerifierKey),
    /// The bytes do not fit.
    #[error("the bytes are not an Ed25519 private key ({0}): expected PKCS#8 in DER")]
    Bytes(String),
}

impl Ed25519Signer {
    /// A key from its 32 secret bytes (the seed of RFC 8032).
    ///
    /// # Errors
    /// A name that is none.
    pub fn from_seed(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self, InvalidPrivateKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed);
        Self::of(name, kind, pair.map_err(|e| InvalidPrivateKey::Bytes(e.to_string()))?)
    }

    /// A key from PKCS#8 in DER, with or without its public half (RFC 8410, RFC 5958).
    ///
    /// # Errors
    /// [`InvalidPrivateKey`].
    pub fn from_pkcs8(name: &str, kind: KeyKind, der: &[u8]) -> Result<Self, InvalidPrivateKey> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der);
        Self::of(name, kind, pair.map_err(|e| InvalidPrivateKey::Bytes(e.to_string()))?)
    }

    fn of(name: &str, kind: KeyKind, pair: Ed25519KeyPair) -> Result<Self, InvalidPrivateKey> {
        let public = pair.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes");
        Ok(Self { key: VerifierKey::new(name, kind, public)?, pair })
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519Signer").field("key", &self.key).field("private", &"****").finish()
    }
}

impl CheckpointSigner for Ed25519Signer {
    fn key(&self) -> &VerifierKey {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(self.pair.sign(message).as_ref().try_into().expect("an Ed25519 signature has 64 bytes"))
    }
}

/// Why a note proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is no signed note.
    #[error("the bytes are not a signed note: {0}")]
    Malformed(&'static str),
    /// The key did not sign it.
    #[error("the note has no signature by `{0}`")]
    NotSigned(String),
    /// A signature by the key does not fit.
    #[error("the signature by `{0}` does not fit the note")]
    BadSignature(String),
}

/// A text and its signature lines, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<Signature>,
}

impl SignedNote {
    /// Reads a note. Nothing of it is verified.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Malformed("it is longer than 64 KiB"));
        }
        Note::from_bytes(bytes)
            .map_err(|_| NoteError::Malformed("no text, blank line and signature lines"))?;
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("it is not UTF-8"))?;
        let (text, lines) = whole
            .rsplit_once("\n\n")
            .ok_or(NoteError::Malformed("it has no blank line before signatures"))?;
        let mut signatures = Vec::new();
        for line in lines.lines() {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::Malformed("it has more than 64 signatures"));
            }
            signatures.push(signature_line(line)?);
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// Signs a text.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(text: String, signer: &dyn CheckpointSigner) -> Result<Self, SignError> {
        debug_assert!(text.ends_with('\n'), "INVARIANT: the text of a note ends its last line");
        let signature = signer.sign(text.as_bytes())?;
        let signatures = vec![line_of(signer.key(), signature.to_vec())];
        Ok(Self { text, signatures })
    }

    /// What was signed, with its last line end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The note as it is sent and stored.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.text);
        for signature in &self.signatures {
            text.push_str(&String::from_utf8_lossy(&signature.to_bytes()));
        }
        text
    }

    /// The signature line, with its line end, by `key`, where there is one.
    pub fn line(&self, key: &VerifierKey) -> Option<String> {
        let found = self.of(key).next()?;
        Some(String::from_utf8_lossy(&found.to_bytes()).into_owned())
    }

    /// Adds a signature line; one of the same key takes the place of the one before.
    ///
    /// # Errors
    /// A line that is none, or one too many.
    pub fn add_line(&mut self, line: &str) -> Result<(), NoteError> {
        let new = signature_line(line.strip_suffix('\n').unwrap_or(line))?;
        self.signatures.retain(|old| (old.name(), old.id()) != (new.name(), new.id()));
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::Malformed("it has more than 64 signatures"));
        }
        self.signatures.push(new);
        Ok(())
    }

    /// Checks that `key` signed it. Returns the time of a cosignature in Unix seconds, 0 for the key of a log.
    ///
    /// # Errors
    /// [`NoteError`]. Every signature that names the key must fit.
    pub fn verify(&self, key: &VerifierKey) -> Result<u64, NoteError> {
        let mut newest = None;
        for signature in self.of(key) {
            let time = match key.kind() {
                KeyKind::Ed25519 => key.verify(self.text.as_bytes(), signature.signature()).then_some(0),
                KeyKind::Cosignature => cosigned_at(&self.text, signature.signature(), key),
            };
            let time = time.ok_or_else(|| NoteError::BadSignature(key.to_string()))?;
            newest = newest.max(Some(time));
        }
        newest.ok_or_else(|| NoteError::NotSigned(key.to_string()))
    }

    /// Checks that one of `keys` signed it; every signature by one of them must fit.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn verify_any<'a>(&self, keys: &'a [VerifierKey]) -> Result<&'a VerifierKey, NoteError> {
        let mut signed = None;
        for key in keys {
            match self.verify(key) {
                Ok(_) => signed = Some(key),
                Err(NoteError::NotSigned(_)) => {}
                Err(bad) => return Err(bad),
            }
        }
        let names = || keys.iter().map(ToString::to_string).collect::<Vec<_>>().join("`, `");
        signed.ok_or_else(|| NoteError::NotSigned(names()))
    }

    fn of<'a>(&'a self, key: &'a VerifierKey) -> impl Iterator<Item = &'a Signature> {
        let id = key.key_id();
        self.signatures.iter().filter(move |s| s.id() == id && s.name() == key.name())
    }
}

/// Cosigns the text of a checkpoint as of `unix_seconds`; returns the signature line with its line end.
///
/// # Errors
/// [`SignError`], also for a key that is none of a witness.
pub fn cosign(text: &str, signer: &dyn CheckpointSigner, unix_seconds: u64) -> Result<String, SignError> {
    let key = signer.key();
    if key.kind() != KeyKind::Cosignature {
        let why = "it is not a key for cosignature/v1".to_owned();
        return Err(SignError { key: key.to_string(), why });
    }
    let signature = signer.sign(&cosigned_message(text, unix_seconds))?;
    let mut bytes = unix_seconds.to_be_bytes().to_vec();
    bytes.extend_from_slice(&signature);
    Ok(String::from_utf8_lossy(&line_of(key, bytes).to_bytes()).into_owned())
}

fn cosigned_message(text: &str, unix_seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {unix_seconds}\n{text}").into_bytes()
}

fn cosigned_at(text: &str, signature: &[u8], key: &VerifierKey) -> Option<u64> {
    let (time, signature) = signature.split_at_checked(8)?;
    let time = u64::from_be_bytes(time.try_into().ok()?);
    key.verify(&cosigned_message(text, time), signature).then_some(time)
}

fn signature_line(line: &str) -> Result<Signature, NoteError> {
    Signature::from_bytes(line.as_bytes()).map_err(|_| NoteError::Malformed("a line is no signature"))
}

fn line_of(key: &VerifierKey, bytes: Vec<u8>) -> Signature {
    Signature::new(key.name().to_owned(), key.key_id(), bytes).expect("INVARIANT: a key's name is valid")
}
