//! A secret that was found: it never prints, and is recognised again by a keyed hash.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroize as _;

/// Characters behind the public prefix that evidence shows.
const SHOWN: usize = 2;

/// Characters that a secret needs behind its prefix for any of them to be shown.
const LONG: usize = 20;

/// The value of a secret. It prints as `****` and is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub(crate) fn new(value: &[u8]) -> Self {
        Self(value.to_vec())
    }

    /// The value itself, for whoever asks the issuer about it. Never to be stored or written anywhere.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// The value of a secret on its way from the process that read it to the one that asks its issuer. It prints as `****`.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Revealed(String);

impl Revealed {
    /// A secret that is text; none where it is not.
    pub(crate) fn of(secret: &Secret) -> Option<Self> {
        std::str::from_utf8(secret.expose()).ok().map(|text| Self(text.to_owned()))
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.as_bytes())
    }
}

impl Drop for Revealed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// The key under which secrets are hashed. It belongs to one installation: a fingerprint says nothing to anyone without it.
#[derive(Clone)]
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    /// A key of random bytes, which the caller keeps.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// HMAC-SHA-256 of a value (RFC 2104).
    pub(crate) fn of(&self, value: &[u8]) -> Fingerprint {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(value);
        Fingerprint(mac.finalize().into_bytes().into())
    }
}

impl Drop for FingerprintKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(****)")
    }
}

/// Recognises equal secrets without keeping them: HMAC-SHA-256 under a [`FingerprintKey`], printed as hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What may be shown of a secret of which the first `public` bytes say only what kind it is.
pub(crate) fn evidence(value: &[u8], public: usize) -> String {
    let length = value.len();
    let shown = match public {
        0 => 0,
        _ if length >= public + LONG => public + SHOWN,
        _ => public.min(length / 2),
    };
    let start: String = value[..shown.min(length)]
        .iter()
        .map(|&b| if b.is_ascii_graphic() { char::from(b) } else { '.' })
        .collect();
    format!("{start}**** ({length} characters)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_secret_prints() {
        let secret = Secret::new(b"hidden value");
        let key = FingerprintKey::new([7; 32]);
        assert_eq!(format!("{secret} {secret:?} {key:?}"), "**** **** FingerprintKey(****)");
        assert_eq!(secret.expose(), b"hidden value");
    }

    #[test]
    fn fingerprints_are_hmac_sha_256() {
        // RFC 4231, test case 2, with its key filled up with zeros as HMAC itself does.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let found = FingerprintKey::new(key).of(b"what do ya want for nothing?");
        assert!(found.to_string().starts_with("5bdcc146bf60754e6a042426089575c7"));
    }

    #[test]
    fn evidence_shows_the_kind_and_little_else() {
        assert_eq!(evidence(b"kind_0123456789012345678901", 5), "kind_01**** (27 characters)");
        assert_eq!(evidence(b"kind_0123", 5), "kind**** (9 characters)");
        assert_eq!(evidence(b"a password", 0), "**** (10 characters)");
    }
}
