//! Pseudonyms of people and commitments to what could name them.
//!
//! From the first entry on, an entry holds no name, address or client text (design point "people can be forgotten"):
//!
//! * `actor` is `HMAC-SHA-256(k_person, tenant ‖ 0 ‖ principal)` under a random key *per person*. Deleting that one key
//!   makes the person's entries unattributable and leaves everybody else's alone; one key for a whole tenant could not be
//!   deleted for one person, and a bare hash of a user name is a dictionary look-up away.
//! * `address`, `client`, `host`, `credential` are `SHA-256(salt ‖ value)` with a random salt per person and value, kept
//!   next to the person's key. So the request path looks a finished commitment up and hashes nothing. All entries of
//!   one person from one address share a commitment; the pseudonym links them anyway (see
//!   `docs/decisions/0002-salt-per-context.md`).
//!
//! These are pure functions and types; the private table that holds keys and salts belongs to the store.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

/// The random key behind one person's pseudonym. Prints as `****`, wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonKey([u8; 32]);

/// The random salt of one person's commitments to one value. Prints as `****`, wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

/// The operating system gave no random bytes.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot draw 32 random bytes for a key or salt")]
pub struct NoRandomness(#[source] getrandom::Error);

macro_rules! private_bytes {
    ($type:ident) => {
        impl $type {
            /// Draws 32 bytes from the operating system.
            ///
            /// # Errors
            /// The operating system has no randomness to give; nothing may be recorded for this person then.
            pub fn generate() -> Result<Self, NoRandomness> {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).map_err(NoRandomness)?;
                Ok(Self(bytes))
            }

            /// Takes bytes that the private table kept.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes, for the private table and nobody else.
            pub const fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl Drop for $type {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("****")
            }
        }
    };
}
private_bytes!(PersonKey);
private_bytes!(Salt);

/// Who did something, as entries say it: 64 hexadecimal digits that only the person's key ties to a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pseudonym([u8; 32]);

impl Pseudonym {
    /// The pseudonym of `principal` in `tenant`: RFC 2104 HMAC with SHA-256 over `tenant ‖ 0 ‖ principal`.
    ///
    /// A tenant's name must not contain NUL; the tenant type of the caller sees to that.
    pub fn of(key: &PersonKey, tenant: &str, principal: &str) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes keys of any length");
        mac.update(tenant.as_bytes());
        mac.update(&[0]);
        mac.update(principal.as_bytes());
        Self(mac.finalize().into_bytes().into())
    }
}

/// A salted commitment to a value that could name a person: 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// `SHA-256(salt ‖ value)`. The salt has a fixed length, so the two cannot run into each other.
    pub fn to(salt: &Salt, value: &str) -> Self {
        Self(Sha256::new().chain_update(salt.0).chain_update(value.as_bytes()).finalize().into())
    }
}

/// Text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a pseudonym or commitment: expected 64 hexadecimal digits", text.escape_debug())]
pub struct InvalidHex {
    text: String,
}

macro_rules! hex_value {
    ($type:ident) => {
        impl $type {
            /// Wraps 32 bytes that the private table kept.
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $type {
            type Err = InvalidHex;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| InvalidHex { text: text.chars().take(80).collect() })?;
                Ok(Self(bytes))
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
hex_value!(Pseudonym);
hex_value!(Commitment);

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac` and `hashlib`.
    #[test]
    fn pseudonyms_and_commitments_are_what_the_formula_says() {
        let key = PersonKey::from_bytes([7; 32]);
        assert_eq!(
            Pseudonym::of(&key, "default", "ada").to_string(),
            "e12b25036eb6be49dacae6c6bc0866d599b7f81549648fef73d0c0cb34775e19"
        );
        assert_eq!(
            Commitment::to(&Salt::from_bytes([9; 32]), "192.0.2.1").to_string(),
            "85384875b89344447b4a5cae11d935c458a29ee5d1b50a37d22aa4fd5f89606e"
        );
    }

    #[test]
    fn another_key_tenant_or_name_gives_another_pseudonym() {
        let [a, b] = [PersonKey::generate().unwrap(), PersonKey::generate().unwrap()];
        let base = Pseudonym::of(&a, "t", "ada");
        assert_eq!(base, Pseudonym::of(&PersonKey::from_bytes(*a.expose()), "t", "ada"));
        assert_ne!(base, Pseudonym::of(&b, "t", "ada"));
        assert_ne!(base, Pseudonym::of(&a, "u", "ada"));
        assert_ne!(Pseudonym::of(&a, "ta", "b"), Pseudonym::of(&a, "t", "ab"));
        assert_eq!(base.to_string().parse::<Pseudonym>().unwrap(), base);
        assert!("xyz".parse::<Pseudonym>().is_err());
    }

    #[test]
    fn keys_and_salts_never_print() {
        assert_eq!(format!("{:?}", PersonKey::from_bytes([1; 32])), "****");
        assert_eq!(format!("{:?}", Salt::generate().unwrap()), "****");
    }
}
