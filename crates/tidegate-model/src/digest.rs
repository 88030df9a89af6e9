//! Digests: `algorithm:hex` of content, as the OCI image specification writes them, and the npm SRI form.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;

/// A digest algorithm that some ecosystem promises in its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// FIPS 180-4, 64 bytes; what npm's `integrity` names.
    Sha512,
    /// FIPS 180-4, 48 bytes; allowed in SRI.
    Sha384,
    /// FIPS 180-4, 32 bytes; the name of a blob in our store.
    Sha256,
    /// 20 bytes, broken for collisions: compared where promised, never trusted alone.
    Sha1,
    /// 16 bytes, broken: compared where promised, never trusted alone.
    Md5,
    /// The id that git gives a file: the SHA-1 of `blob <length>`, a NUL and the bytes. As weak as SHA-1.
    GitBlob,
}

impl Algorithm {
    /// The lower-case word before the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha512 => "sha512",
            Self::Sha384 => "sha384",
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::GitBlob => "gitblob",
        }
    }

    /// Length of the digest in bytes.
    pub const fn byte_len(self) -> usize {
        match self {
            Self::Sha512 => 64,
            Self::Sha384 => 48,
            Self::Sha256 => 32,
            Self::Sha1 | Self::GitBlob => 20,
            Self::Md5 => 16,
        }
    }

    /// Whether agreement of this digest alone proves that bytes are the promised ones.
    pub const fn is_strong(self) -> bool {
        matches!(self, Self::Sha512 | Self::Sha384 | Self::Sha256)
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Sha512, Self::Sha384, Self::Sha256, Self::Sha1, Self::Md5, Self::GitBlob]
            .into_iter()
            .find(|a| a.as_str() == word)
    }
}

/// A digest of content: algorithm and bytes. Prints as `sha256:<hex>`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: Box<[u8]>,
}

/// Text that is not a digest tidegate can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDigest {
    /// No `algorithm:` or `algorithm-` prefix.
    #[error("`{0}` has no algorithm: expected `sha256:<hex>`")]
    NoAlgorithm(String),
    /// An algorithm that is not in [`Algorithm`].
    #[error("`{0}` is not a digest algorithm tidegate knows")]
    UnknownAlgorithm(String),
    /// The digits are not hexadecimal or base64, or are of the wrong length.
    #[error("`{0}` does not hold the right number of digits for its algorithm")]
    WrongDigits(String),
}

impl Digest {
    /// A digest from raw bytes; `None` where their number does not fit the algorithm.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == algorithm.byte_len()).then(|| Self { algorithm, bytes: bytes.into() })
    }

    /// A digest from hexadecimal digits of either case; `None` where they do not fit the algorithm.
    pub fn from_hex(algorithm: Algorithm, digits: &str) -> Option<Self> {
        Self::from_bytes(algorithm, &hex::decode(digits).ok()?)
    }

    /// Every digest of a W3C Subresource Integrity string (`sha512-<base64> sha1-<base64>`); unknown algorithms and
    /// malformed parts are left out, options after `?` are ignored.
    pub fn from_sri(text: &str) -> Vec<Self> {
        text.split_ascii_whitespace()
            .filter_map(|part| {
                let (word, rest) = part.split_once('-')?;
                let encoded = rest.split('?').next().unwrap_or(rest);
                let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
                Self::from_bytes(Algorithm::parse(word)?, &bytes)
            })
            .collect()
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw bytes, [`Algorithm::byte_len`] of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Lower-case hexadecimal digits without the algorithm.
    pub fn hex(&self) -> String {
        hex::encode(&self.bytes)
    }

    /// The W3C Subresource Integrity form, `sha512-<base64>`.
    pub fn to_sri(&self) -> String {
        format!(
            "{}-{}",
            self.algorithm.as_str(),
            base64::engine::general_purpose::STANDARD.encode(&self.bytes)
        )
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, digits) =
            text.split_once(':').ok_or_else(|| InvalidDigest::NoAlgorithm(text.to_owned()))?;
        let algorithm =
            Algorithm::parse(word).ok_or_else(|| InvalidDigest::UnknownAlgorithm(word.to_owned()))?;
        Self::from_hex(algorithm, digits).ok_or_else(|| InvalidDigest::WrongDigits(text.to_owned()))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The SHA-256 of content: the name of a blob in the store. Prints as `sha256:<hex>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Wraps the 32 bytes of a SHA-256.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl From<Sha256> for Digest {
    fn from(value: Sha256) -> Self {
        Self { algorithm: Algorithm::Sha256, bytes: Box::new(value.0) }
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Sha256 {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits =
            text.strip_prefix("sha256:").ok_or_else(|| InvalidDigest::NoAlgorithm(text.to_owned()))?;
        Self::from_hex(digits).ok_or_else(|| InvalidDigest::WrongDigits(text.to_owned()))
    }
}

impl serde::Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! digest_schema {
    ($type:ty, $name:literal, $pattern:literal) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}
digest_schema!(Digest, "Digest", "^[a-z0-9]+:[0-9a-f]+$");
digest_schema!(Sha256, "Sha256", "^sha256:[0-9a-f]{64}$");

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn reads_what_it_prints() {
        let digest: Digest = EMPTY.parse().unwrap();
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(EMPTY.parse::<Sha256>().unwrap().to_string(), EMPTY);
        assert_eq!(Digest::from_sri(&digest.to_sri()), vec![digest]);
    }

    #[test]
    fn refuses_what_is_not_a_digest() {
        assert!(matches!("e3b0".parse::<Digest>(), Err(InvalidDigest::NoAlgorithm(_))));
        assert!(matches!("crc:00".parse::<Digest>(), Err(InvalidDigest::UnknownAlgorithm(_))));
        assert!(matches!("sha256:00".parse::<Digest>(), Err(InvalidDigest::WrongDigits(_))));
        assert!(Digest::from_sri("sha512-!!! whirlpool-AAAA").is_empty());
    }
}
