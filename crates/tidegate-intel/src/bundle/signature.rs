//! Signatures of bundles: Ed25519 over the list of contents, in a DSSE envelope.
//!
//! What is signed is the envelope's pre-authentication encoding (DSSE 1.0.2, "PAE"), so that a signature made for another
//! purpose with the same key is none here. The envelope carries the list a second time, as the standard has it; it must
//! be the list to the byte.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

/// What the envelope says that its payload is.
pub const PAYLOAD_TYPE: &str = "application/vnd.tidegate.bundle-manifest+json";

/// What the text of a public key begins with.
const SCHEME: &str = "ed25519:";

/// Bytes of a public key.
const KEY_BYTES: usize = 32;

/// The most signatures of one envelope that are looked at.
const MAX_SIGNATURES: usize = 16;

/// A public key, as `ed25519:` and 32 bytes in Base64.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; KEY_BYTES]);

/// Text that is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no public key: one is `{SCHEME}` and 32 bytes in Base64, as `tidegate intel key` prints it"
)]
pub struct InvalidKey(String);

impl PublicKey {
    /// What the key is called in envelopes: the SHA-256 of its bytes.
    pub fn id(&self) -> String {
        hex::encode(Sha256::digest(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.strip_prefix(SCHEME).and_then(|text| BASE64.decode(text).ok());
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| InvalidKey(text.chars().take(80).flat_map(char::escape_debug).collect()))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", BASE64.encode(self.0))
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as serde::Deserialize>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A key that signs.
pub struct SigningKey(Ed25519KeyPair);

/// A key cannot be made or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The system gives no randomness.
    #[error("the system gives no random bytes for a key")]
    NoRandomness,
    /// The bytes are no key.
    #[error("it holds no Ed25519 key in PKCS #8 form")]
    NoKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(**** of {})", self.public())
    }
}

impl SigningKey {
    /// Makes a key: the bytes to keep (PKCS #8), readable by nobody else.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Vec<u8>, KeyError> {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::NoRandomness)?;
        Ok(key.as_ref().to_vec())
    }

    /// Reads what [`Self::generate`] made.
    ///
    /// # Errors
    /// [`KeyError::NoKey`].
    pub fn parse(pkcs8: &[u8]) -> Result<Self, KeyError> {
        Ed25519KeyPair::from_pkcs8(pkcs8).map(Self).map_err(|_| KeyError::NoKey)
    }

    /// The other half, for whoever is to believe this one.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().expect("an Ed25519 key has 32 bytes"))
    }

    /// An envelope over a list of contents.
    pub(super) fn sign(&self, manifest: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(&pre_authentication(PAYLOAD_TYPE, manifest));
        let envelope = Envelope {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: BASE64.encode(manifest),
            signatures: vec![Signed { keyid: self.public().id(), sig: BASE64.encode(signature) }],
        };
        serde_json::to_vec(&envelope).expect("an envelope is plain JSON")
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<Signed>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Signed {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// Why a signature is not believed. The first two say that nobody known vouches for the bundle; whoever trusts the way
/// on which it came may use it all the same. The others say that it was altered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error("the bundle is not signed")]
    Unsigned,
    /// It is by another key.
    #[error("the bundle is signed by a key that is not trusted here ({0})")]
    UnknownKey(String),
    /// It is no envelope.
    #[error("the bundle's signature cannot be read: {0}")]
    Malformed(String),
    /// It is over something else.
    #[error("the bundle was altered: its signature is of another list of contents")]
    OtherContent,
    /// A trusted key is named and did not make it.
    #[error("the bundle was altered, or its signature forged: it does not verify with key {0}")]
    Wrong(String),
}

impl SignatureError {
    /// Whether a person may use the bundle in spite of it.
    pub const fn may_be_overruled(&self) -> bool {
        matches!(self, Self::Unsigned | Self::UnknownKey(_))
    }
}

/// The bytes that are signed.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// The trusted key that made an envelope over a list of contents.
pub(super) fn verify<'k>(
    envelope: &[u8],
    manifest: &[u8],
    trusted: &'k [PublicKey],
) -> Result<&'k PublicKey, SignatureError> {
    let malformed = |why: String| SignatureError::Malformed(why);
    let envelope: Envelope = serde_json::from_slice(envelope).map_err(|e| malformed(e.to_string()))?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(malformed("it was made for something else".to_owned()));
    }
    let payload = BASE64.decode(&envelope.payload).map_err(|e| malformed(e.to_string()))?;
    if payload != manifest {
        return Err(SignatureError::OtherContent);
    }
    if envelope.signatures.is_empty() || envelope.signatures.len() > MAX_SIGNATURES {
        return Err(malformed("it has no signature, or too many".to_owned()));
    }
    let signed = pre_authentication(PAYLOAD_TYPE, manifest);
    // A key's name is a hint by the standard: every trusted key is tried on every signature.
    for one in &envelope.signatures {
        let bytes = BASE64.decode(&one.sig).map_err(|e| malformed(e.to_string()))?;
        let made_it =
            |key: &&PublicKey| UnparsedPublicKey::new(&ED25519, key.0).verify(&signed, &bytes).is_ok();
        if let Some(key) = trusted.iter().find(made_it) {
            return Ok(key);
        }
    }
    let named = |key: &PublicKey| envelope.signatures.iter().any(|one| one.keyid == key.id());
    Err(match trusted.iter().find(|key| named(key)) {
        Some(key) => SignatureError::Wrong(key.to_string()),
        None => {
            let id = &envelope.signatures[0].keyid;
            SignatureError::UnknownKey(id.chars().take(64).flat_map(char::escape_debug).collect())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::parse(&SigningKey::generate().unwrap()).unwrap()
    }

    #[test]
    fn a_signature_holds_for_its_content_and_its_key_only() {
        let (ours, other) = (key(), key());
        let envelope = ours.sign(b"list");
        let trusted = [other.public(), ours.public()];
        assert_eq!(verify(&envelope, b"list", &trusted), Ok(&trusted[1]));
        assert_eq!(verify(&envelope, b"lisT", &trusted), Err(SignatureError::OtherContent));
        let stranger = verify(&envelope, b"list", &trusted[..1]).unwrap_err();
        assert_eq!(stranger, SignatureError::UnknownKey(ours.public().id()));
        assert!(stranger.may_be_overruled());
        // Content and payload agree, the signature is of something else.
        let mut moved: Envelope = serde_json::from_slice(&envelope).unwrap();
        moved.payload = BASE64.encode(b"lisT");
        let error = verify(&serde_json::to_vec(&moved).unwrap(), b"lisT", &trusted).unwrap_err();
        assert!(matches!(error, SignatureError::Wrong(_)) && !error.may_be_overruled(), "{error}");
        for damaged in [&b"{}"[..], b"", br#"{"payloadType":"x","payload":"","signatures":[]}"#] {
            let error = verify(damaged, b"list", &trusted).unwrap_err();
            assert!(matches!(error, SignatureError::Malformed(_)), "{error}");
        }
    }

    #[test]
    fn what_is_signed_is_the_encoding_of_the_standard() {
        // The example of the DSSE specification.
        assert_eq!(
            pre_authentication("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn keys_have_a_text_and_no_secret_in_it() {
        let pkcs8 = SigningKey::generate().unwrap();
        let key = SigningKey::parse(&pkcs8).unwrap();
        let text = key.public().to_string();
        assert_eq!(text.parse::<PublicKey>().unwrap(), key.public());
        assert!(format!("{key:?}").contains("****"));
        for wrong in ["", "ed25519:", "ed25519:AAAA", &text[8..], &text.replace("ed25519", "rsa")] {
            assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
        }
        assert_eq!(SigningKey::parse(&pkcs8[1..]).unwrap_err(), KeyError::NoKey);
    }
}
