//! The keys that a person gives.

use std::path::Path;

use tidegate_provenance::formats::pgp::PinnedKeys;
use tidegate_provenance::signing::PublicKey;
use tidegate_provenance::{KeyRing, TrustedKey};

use super::super::Failure;
use super::artifact::bounded;

/// The most bytes of a key file.
const MAX_KEY_BYTES: u64 = 8 << 20;

/// Keys by what they are good for.
#[derive(Debug)]
pub(super) struct Keys {
    /// Those that are compiled in, and registries' lists that were given.
    pub(super) ring: KeyRing,
    /// Single public keys that were given.
    pub(super) given: Vec<TrustedKey>,
    /// The same, where a door may sign with such a key.
    pub(super) of_doors: Vec<PublicKey>,
    /// OpenPGP keys.
    pub(super) pgp: PinnedKeys,
    /// Keys of checksum databases.
    pub(super) databases: Vec<String>,
    /// A line about each for people.
    pub(super) shown: Vec<String>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            ring: KeyRing::npm_embedded(),
            given: Vec::new(),
            of_doors: Vec::new(),
            pgp: PinnedKeys::default(),
            databases: Vec::new(),
            shown: Vec::new(),
        }
    }
}

impl Keys {
    /// Adds the keys of a file.
    pub(super) fn read(&mut self, path: &Path) -> Result<(), Failure> {
        let odd = |why: &str| {
            Failure(format!(
                "the key file `{}` cannot be used: {why}\n  give a PEM public key, armoured OpenPGP keys, a registry's list of keys (JSON), or the key of a checksum database (name+hash+base64)",
                path.display()
            ))
        };
        let bytes = bounded(path, MAX_KEY_BYTES)?.ok_or_else(|| odd("it is larger than any real one"))?;
        let text = String::from_utf8(bytes).map_err(|_| odd("it is no text"))?;
        let shown = path.display();
        let begins = |with: &str| text.trim_start().starts_with(with);
        if text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
            let keys = PinnedKeys::every_key_of(&text).map_err(|e| odd(&e.to_string()))?;
            for fingerprint in keys.fingerprints() {
                self.shown.push(format!("{shown}: OpenPGP {}", fingerprint.to_uppercase()));
            }
            self.pgp = std::mem::take(&mut self.pgp).and(keys);
        } else if text.contains("-----BEGIN PUBLIC KEY-----") {
            let key = TrustedKey::from_pem(&text).map_err(|e| odd(&e.to_string()))?;
            self.shown.push(format!("{shown}: SHA-256 of the key {}", key.id));
            self.of_doors.extend(PublicKey::from_pem(&text).ok());
            self.given.push(key);
        } else if begins("{") {
            let listed = KeyRing::from_npm_json(text.as_bytes()).map_err(|e| odd(&e.to_string()))?;
            for key in listed.iter() {
                self.shown.push(format!("{shown}: of a registry, {}", key.id));
            }
            self.ring = listed.iter().cloned().fold(std::mem::take(&mut self.ring), KeyRing::with);
        } else if is_database_key(text.trim()) {
            self.shown.push(format!("{shown}: of a checksum database, {}", text.trim()));
            self.databases.push(text.trim().to_owned());
        } else {
            let private = text.contains("PRIVATE KEY");
            return Err(odd(if private {
                "it is a private key: give the public one"
            } else {
                "it holds no key"
            }));
        }
        Ok(())
    }

    /// All keys that can stand in a ring.
    pub(super) fn all(&self) -> KeyRing {
        self.given.iter().cloned().fold(self.ring.clone(), KeyRing::with)
    }
}

/// `name+hash+base64`, on one line.
fn is_database_key(text: &str) -> bool {
    let mut parts = text.splitn(3, '+');
    let (name, hash, key) = (parts.next(), parts.next(), parts.next());
    let one_line = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    one_line
        && name.is_some_and(|name| !name.is_empty())
        && hash.is_some_and(|hash| hash.len() == 8 && hash.chars().all(|c| c.is_ascii_hexdigit()))
        && key.is_some_and(|key| !key.is_empty())
}
