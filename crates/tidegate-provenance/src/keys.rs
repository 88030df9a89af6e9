//! Keys that need no certificate: a registry's, a team's. Each has an id, a use, and the time in which it was in use.

use base64::Engine as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use sigstore_verify::crypto::{KeyAlgorithm, verify_signature};
use sigstore_verify::types::{DerPublicKey, SignatureBytes};
use tidegate_model::{Sha256 as Sha256Digest, Timestamp};

/// The most bytes of a key document.
const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// The most keys of a document.
const MAX_KEYS: usize = 256;

/// The npm registry's key of 2022 to January 2025 and the one in use since.
const NPM_2022: (&str, &str) = (
    "SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Olb3zMAFFxXKHiIkQO5cJ3Yhl5i6UPp+IhuteBJbuHcA5UogKo0EWtlWwW6KSaKoTNEYL7JlCQiVnkhBktUgg==",
);
const NPM_2025: (&str, &str) = (
    "SHA256:DhQ8wR5APBvFHLF/+Tc+AYvPOdTpcIDqOhxsBHRwC7U",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEY6Ya7W++7aUPzvMTrezH6Ycx3c+HOKYCcNGybJZSCJq/fd7Qa8uuAKtdIkUQtQiEKERhAmE5lMMJhP8OkDOa2g==",
);

/// What a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUsage {
    /// The npm registry's signatures over `name@version:integrity`.
    NpmSignatures,
    /// The npm registry's publish attestations.
    NpmAttestations,
    /// Both of these: a registry's list of keys that does not tell them apart.
    NpmRegistry,
    /// Anything else too. Only for keys that whoever runs this deployment configured: a list that an upstream gives must
    /// never reach further than that upstream's own signatures.
    Any,
}

impl KeyUsage {
    /// Whether a key of this use may make a signature of that one.
    fn covers(self, wanted: Self) -> bool {
        self == wanted
            || self == Self::Any
            || (self == Self::NpmRegistry && matches!(wanted, Self::NpmSignatures | Self::NpmAttestations))
    }
}

/// A public key that is believed, and when it was in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// How a signature names it: `SHA256:<base64>` at the npm registry.
    pub id: String,
    /// What it may sign.
    pub usage: KeyUsage,
    /// SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// In use from then on.
    pub valid_from: Option<Timestamp>,
    /// In use until then.
    pub valid_until: Option<Timestamp>,
}

impl TrustedKey {
    /// A key that may sign anything, at any time. Its id is the SHA-256 of its SubjectPublicKeyInfo, in hexadecimal.
    pub fn from_spki(spki: impl Into<Vec<u8>>) -> Self {
        let spki = spki.into();
        let id = hex::encode(Sha256::digest(&spki));
        Self { id, usage: KeyUsage::Any, spki, valid_from: None, valid_until: None }
    }

    /// The first `PUBLIC KEY` block of a PEM text.
    ///
    /// # Errors
    /// If there is none, or it is no key of a kind that can be verified with.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKeys> {
        let key = DerPublicKey::from_pem(pem).map_err(|_| InvalidKeys::NoKey)?;
        KeyAlgorithm::from_spki(&key).map_err(|_| InvalidKeys::NoKey)?;
        Ok(Self::from_spki(key.as_bytes()))
    }

    /// Whether the key was in use at `time`.
    pub fn covers(&self, time: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| time >= from) && self.valid_until.is_none_or(|until| time <= until)
    }

    /// Whether `signature` is this key's over `message`: ECDSA in DER form with the key's own digest, Ed25519, or RSA
    /// PKCS #1 with SHA-256.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = self.der();
        let Ok(algorithm) = KeyAlgorithm::from_spki(&key) else { return false };
        let signature = SignatureBytes::from_bytes(signature);
        verify_signature(&key, message, &signature, algorithm.default_signing_scheme()).is_ok()
    }

    pub(crate) fn der(&self) -> DerPublicKey {
        DerPublicKey::new(self.spki.clone())
    }
}

/// A document that holds no usable keys.
#[derive(Debug, thiserror::Error)]
pub enum InvalidKeys {
    /// More than a megabyte.
    #[error("the key document has {0} bytes, more than any real one")]
    TooLarge(usize),
    /// Not a key document.
    #[error("the key document cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// More than 256 keys.
    #[error("the key document lists {0} keys, more than any real one")]
    TooMany(usize),
    /// The key is not base64 of a SubjectPublicKeyInfo.
    #[error("key `{0}` is not a public key of a known kind")]
    NotAKey(String),
    /// No public key in the text.
    #[error("the text holds no public key of a known kind")]
    NoKey,
}

/// The keys of others that are believed: of registries, of teams. The keys of a deployment of tidegate itself, with their
/// periods, are [`signing::OwnKeys`](crate::signing::OwnKeys).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRing(Vec<TrustedKey>);

impl KeyRing {
    /// A ring of these keys.
    pub fn new(keys: impl IntoIterator<Item = TrustedKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The npm registry's two keys, as its key document of August 2026 lists them.
    pub fn npm_embedded() -> Self {
        let time = |text: &str| text.parse::<Timestamp>().expect("a date of this file");
        let key = |(id, spki): (&str, &str), usage, from: &str, until: Option<&str>| TrustedKey {
            id: id.to_owned(),
            usage,
            spki: base64::engine::general_purpose::STANDARD.decode(spki).expect("a key of this file"),
            valid_from: Some(time(from)),
            valid_until: until.map(time),
        };
        Self(vec![
            key(NPM_2022, KeyUsage::NpmSignatures, "1999-01-01", Some("2025-01-29")),
            key(NPM_2022, KeyUsage::NpmAttestations, "2022-12-01", Some("2025-01-29")),
            key(NPM_2025, KeyUsage::NpmSignatures, "2025-01-13", None),
            key(NPM_2025, KeyUsage::NpmAttestations, "2025-01-13", None),
        ])
    }

    /// Reads the npm registry's key document, in either of its two forms: that of its key endpoint (`keyid`, `key`,
    /// `expires`) or that of its TUF target (`keyId`, `publicKey`, `validFor`).
    ///
    /// # Errors
    /// If it is too large, no key document, or one of its keys cannot be used.
    pub fn from_npm_json(json: &[u8]) -> Result<Self, InvalidKeys> {
        if json.len() > MAX_DOCUMENT_BYTES {
            return Err(InvalidKeys::TooLarge(json.len()));
        }
        let document: Document = serde_json::from_slice(json).map_err(InvalidKeys::Unreadable)?;
        if document.keys.len() > MAX_KEYS {
            return Err(InvalidKeys::TooMany(document.keys.len()));
        }
        let keys = document.keys.into_iter().map(Listed::into_key);
        keys.collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// The same keys, and one more.
    #[must_use]
    pub fn with(mut self, key: TrustedKey) -> Self {
        self.0.push(key);
        self
    }

    /// Every key.
    pub fn iter(&self) -> impl Iterator<Item = &TrustedKey> {
        self.0.iter()
    }

    /// The keys of that id that may sign this. An empty id names none.
    pub fn find<'a>(&'a self, id: &str, usage: KeyUsage) -> impl Iterator<Item = &'a TrustedKey> + use<'a> {
        let id = id.to_owned();
        self.0.iter().filter(move |k| !id.is_empty() && k.id == id && k.usage.covers(usage))
    }

    /// The digest of all keys in their order.
    pub fn digest(&self) -> Sha256Digest {
        let mut hasher = Sha256::new();
        for key in &self.0 {
            let window =
                [key.valid_from, key.valid_until].map(|t| t.map_or(i64::MIN, Timestamp::unix_seconds));
            for part in [key.id.as_bytes(), &[key.usage as u8], &key.spki] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
            window.iter().for_each(|t| hasher.update(t.to_be_bytes()));
        }
        Sha256Digest::new(hasher.finalize().into())
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Listed>,
}

/// One key in either form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(alias = "keyid")]
    key_id: String,
    key_usage: Option<String>,
    public_key: Option<ListedKey>,
    key: Option<String>,
    expires: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedKey {
    raw_bytes: String,
    valid_for: Option<Window>,
}

#[derive(Deserialize)]
struct Window {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Listed {
    fn into_key(self) -> Result<TrustedKey, InvalidKeys> {
        let refuse = || InvalidKeys::NotAKey(crate::verification::printable(&self.key_id));
        let (encoded, window) = match (&self.public_key, &self.key) {
            (Some(key), _) => (&key.raw_bytes, key.valid_for.as_ref()),
            (None, Some(key)) => (key, None),
            (None, None) => return Err(refuse()),
        };
        let spki = base64::engine::general_purpose::STANDARD.decode(encoded).map_err(|_| refuse())?;
        KeyAlgorithm::from_spki(&DerPublicKey::new(spki.clone())).map_err(|_| refuse())?;
        Ok(TrustedKey {
            usage: match self.key_usage.as_deref() {
                Some("npm:attestations") => KeyUsage::NpmAttestations,
                Some("npm:signatures") => KeyUsage::NpmSignatures,
                // The endpoint's form does not say; the registry signs both kinds with it.
                None => KeyUsage::NpmRegistry,
                Some(_) => return Err(refuse()),
            },
            valid_from: window.and_then(|w| w.start),
            valid_until: window.and_then(|w| w.end).or(self.expires),
            id: self.key_id,
            spki,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_keys_can_be_used() {
        for key in KeyRing::npm_embedded().iter() {
            assert!(KeyAlgorithm::from_spki(&key.der()).is_ok(), "{}", key.id);
            assert!(!key.verifies(b"", b""));
        }
    }

    #[test]
    fn windows_hold_at_their_ends() {
        let ring = KeyRing::npm_embedded();
        let old = ring.find(NPM_2022.0, KeyUsage::NpmAttestations).next().unwrap();
        assert!(old.covers("2022-12-01".parse().unwrap()) && old.covers("2025-01-29".parse().unwrap()));
        assert!(
            !old.covers("2022-11-30".parse().unwrap())
                && !old.covers("2025-01-29T00:00:01Z".parse().unwrap())
        );
        assert_eq!(ring.find("", KeyUsage::NpmSignatures).count(), 0);
    }

    #[test]
    fn both_forms_of_the_key_document_read_alike() {
        let endpoint = format!(
            r#"{{"keys":[{{"expires":"2025-01-29T00:00:00.000Z","keyid":"{}","keytype":"ecdsa-sha2-nistp256","scheme":"ecdsa-sha2-nistp256","key":"{}"}}]}}"#,
            NPM_2022.0, NPM_2022.1
        );
        let ring = KeyRing::from_npm_json(endpoint.as_bytes()).unwrap();
        let key = ring.iter().next().unwrap();
        assert_eq!(key.spki, KeyRing::npm_embedded().iter().next().unwrap().spki);
        assert_eq!(key.valid_until.unwrap().to_string(), "2025-01-29T00:00:00Z");
        assert_eq!(ring.find(NPM_2022.0, KeyUsage::NpmAttestations).count(), 1);
        assert_eq!(
            ring.find(NPM_2022.0, KeyUsage::Any).count(),
            0,
            "an upstream's list reaches no further than its own"
        );
        assert!(matches!(
            KeyRing::from_npm_json(br#"{"keys":[{"keyid":"x","key":"AAAA"}]}"#),
            Err(InvalidKeys::NotAKey(_))
        ));
        assert!(matches!(KeyRing::from_npm_json(b"[]"), Err(InvalidKeys::Unreadable(_))));
    }
}
