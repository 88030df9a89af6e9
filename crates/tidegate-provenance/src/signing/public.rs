//! Public keys: SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of the two algorithms that we sign with.

use std::fmt;
use std::str::FromStr;

use pkcs8::Document;
use pkcs8::der::pem::LineEnding;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

/// What comes before the point in the SPKI of an uncompressed P-256 key (RFC 5480).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Bytes of an uncompressed P-256 point: the octet 4 and two coordinates.
const P256_POINT_BYTES: usize = 65;
/// What comes before the key in the SPKI of an Ed25519 key (RFC 8410).
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The most bytes of a public key's PEM that are read.
const MAX_PEM_BYTES: usize = 4096;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum KeyAlgorithm {
    /// ECDSA over P-256 with SHA-256 (FIPS 186-5), signatures in ASN.1 DER: for statements, since every tool, HSM and KMS
    /// knows it.
    #[serde(rename = "ecdsa-p256-sha256")]
    EcdsaP256,
    /// Ed25519 (RFC 8032): for the ledger's checkpoints, whose format wants it.
    #[serde(rename = "ed25519")]
    Ed25519,
}

impl KeyAlgorithm {
    /// The word in files, settings and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256-sha256",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names a public key: the SHA-256 of its SPKI in DER, as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 32]);

/// Text that is not a key id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a key id: expected 64 lower-case hexadecimal digits", .0.escape_debug())]
pub struct InvalidKeyId(String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidKeyId(text.chars().take(80).collect());
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| invalid())?;
        Ok(Self(bytes))
    }
}

impl serde::Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for KeyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A public key that verifies what one of our keys signed.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    /// SPKI in DER: one of the two prefixes and the key.
    spki: Vec<u8>,
    id: KeyId,
}

/// Bytes that are not a public key we can verify with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicKey {
    /// Not PEM with the label `PUBLIC KEY`.
    #[error("this is not a public key in PEM: expected a text that begins with `-----BEGIN PUBLIC KEY-----`")]
    NotPem,
    /// Longer than any key we know.
    #[error("a public key of {0} bytes is longer than any that we verify with")]
    TooLong(usize),
    /// Not the SPKI of an uncompressed P-256 or an Ed25519 key.
    #[error("this public key is neither ECDSA P-256 (uncompressed) nor Ed25519, the two that we verify with")]
    OtherAlgorithm,
}

impl PublicKey {
    /// Reads SPKI in DER.
    ///
    /// # Errors
    /// Any other algorithm, curve or form of point.
    pub fn from_der(spki: &[u8]) -> Result<Self, InvalidPublicKey> {
        let p256 = spki.strip_prefix(&P256_PREFIX);
        let ed25519 = spki.strip_prefix(&ED25519_PREFIX);
        let algorithm = if p256.is_some_and(|point| point.len() == P256_POINT_BYTES && point[0] == 4) {
            Some(KeyAlgorithm::EcdsaP256)
        } else if ed25519.is_some_and(|key| key.len() == 32) {
            Some(KeyAlgorithm::Ed25519)
        } else {
            None
        };
        let algorithm = algorithm.ok_or(InvalidPublicKey::OtherAlgorithm)?;
        Ok(Self { algorithm, spki: spki.to_vec(), id: KeyId(Sha256::digest(spki).into()) })
    }

    /// Reads PEM with the label `PUBLIC KEY` (RFC 7468 §13).
    ///
    /// # Errors
    /// No such PEM, or a key of another kind.
    pub fn from_pem(text: &str) -> Result<Self, InvalidPublicKey> {
        if text.len() > MAX_PEM_BYTES {
            return Err(InvalidPublicKey::TooLong(text.len()));
        }
        let (label, der) = Document::from_pem(text.trim()).map_err(|_| InvalidPublicKey::NotPem)?;
        if label != "PUBLIC KEY" {
            return Err(InvalidPublicKey::NotPem);
        }
        Self::from_der(der.as_bytes())
    }

    /// A P-256 key from its uncompressed point of 65 bytes; none where it is no such point.
    pub(super) fn from_p256_point(point: &[u8]) -> Option<Self> {
        Self::from_der(&[&P256_PREFIX, point].concat()).ok()
    }

    /// An Ed25519 key from its 32 bytes; none where there are more or fewer.
    pub(super) fn from_ed25519(key: &[u8]) -> Option<Self> {
        Self::from_der(&[&ED25519_PREFIX, key].concat()).ok()
    }

    /// How it signs.
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// SPKI in DER.
    pub fn der(&self) -> &[u8] {
        &self.spki
    }

    /// SPKI in PEM, ending in a line feed: what `openssl` and `cosign` read.
    pub fn to_pem(&self) -> String {
        let document = Document::try_from(self.spki.as_slice()).expect("INVARIANT: SPKI is one DER sequence");
        document.to_pem("PUBLIC KEY", LineEnding::LF).expect("DER of this length fits PEM")
    }

    /// Its name, the SHA-256 of [`Self::der`].
    pub const fn key_id(&self) -> KeyId {
        self.id
    }

    /// The bare key: the uncompressed point of P-256, the 32 bytes of Ed25519.
    pub fn raw(&self) -> &[u8] {
        match self.algorithm {
            KeyAlgorithm::EcdsaP256 => &self.spki[P256_PREFIX.len()..],
            KeyAlgorithm::Ed25519 => &self.spki[ED25519_PREFIX.len()..],
        }
    }

    /// Whether `signature` is one of `message` by this key. A point that is not on the curve verifies nothing.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let raw = self.raw();
        match self.algorithm {
            KeyAlgorithm::EcdsaP256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, raw).verify(message, signature).is_ok()
            }
            KeyAlgorithm::Ed25519 => UnparsedPublicKey::new(&ED25519, raw).verify(message, signature).is_ok(),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, self.id)
    }
}

/// ASN.1 DER of an ECDSA signature from the 64 bytes `r ‖ s` that tokens return; none where there are more or fewer.
pub(super) fn ecdsa_der(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.len() != 64 {
        return None;
    }
    let mut integers = Vec::with_capacity(70);
    for number in raw.chunks_exact(32) {
        let leading = number.iter().take_while(|byte| **byte == 0).count().min(31);
        let digits = &number[leading..];
        // DER integers are signed: a set first bit wants a zero in front.
        let padded = digits[0] & 0x80 != 0;
        integers.push(0x02);
        integers.push(digits.len() as u8 + u8::from(padded));
        if padded {
            integers.push(0);
        }
        integers.extend_from_slice(digits);
    }
    let mut der = vec![0x30, integers.len() as u8];
    der.append(&mut integers);
    Some(der)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_algorithms_are_read() {
        let p256 = [&P256_PREFIX[..], &[4; 65]].concat();
        assert_eq!(PublicKey::from_der(&p256).unwrap().algorithm(), KeyAlgorithm::EcdsaP256);
        let compressed = [&P256_PREFIX[..], &[2; 33]].concat();
        let off_form = [&P256_PREFIX[..], &[5; 65]].concat();
        for other in [&compressed[..], &off_form[..], &p256[..90], b"", &[0x30, 0x2a]] {
            assert_eq!(PublicKey::from_der(other), Err(InvalidPublicKey::OtherAlgorithm));
        }
        let longer = [&ED25519_PREFIX[..], &[7; 33]].concat();
        assert_eq!(PublicKey::from_der(&longer), Err(InvalidPublicKey::OtherAlgorithm));
    }

    #[test]
    fn pem_round_trips() {
        let key = PublicKey::from_ed25519(&[7; 32]).unwrap();
        assert_eq!(PublicKey::from_pem(&key.to_pem()).unwrap(), key);
        assert_eq!(key.key_id().to_string().parse::<KeyId>().unwrap(), key.key_id());
        let private = key.to_pem().replace("PUBLIC KEY", "PRIVATE KEY");
        assert_eq!(PublicKey::from_pem(&private), Err(InvalidPublicKey::NotPem));
        assert!(matches!(PublicKey::from_pem(&"x".repeat(5000)), Err(InvalidPublicKey::TooLong(5000))));
    }

    #[test]
    fn key_ids_have_one_spelling() {
        let upper = "A".repeat(64);
        assert!(upper.parse::<KeyId>().is_err());
        assert!("ab".parse::<KeyId>().is_err());
    }

    #[test]
    fn signatures_of_tokens_become_der() {
        let mut raw = [0u8; 64];
        raw[31] = 1;
        raw[32] = 0x80;
        let der = ecdsa_der(&raw).unwrap();
        assert_eq!(&der[..7], [0x30, 0x26, 0x02, 0x01, 0x01, 0x02, 0x21]);
        assert_eq!((der[7], der[8], der.len()), (0, 0x80, 40));
        // Zero is no value of a signature; it must still not panic.
        assert!(ecdsa_der(&[0; 64]).is_some());
        assert!(ecdsa_der(&[1; 63]).is_none());
    }
}
