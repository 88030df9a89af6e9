//! The roots and keys that this door believes.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use sha2::Digest as _;
use tidegate_model::{Sha256, Timestamp};
use tidegate_provenance::{
    Instance, InvalidKeys, InvalidRoot, KeyRing, Origin, Root, Roots, Trust, TrustedKey,
};

use crate::config::Provenance;

/// The roots and keys in force. Roots may be replaced while the door runs.
pub struct Trusted {
    roots: RwLock<Arc<Roots>>,
    /// Keys of registries that are compiled in.
    embedded: KeyRing,
}

/// A configured root that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("[provenance.instance.{instance}] names the trust root `{}`, which cannot be read: {source}", path.display())]
    Read {
        /// Whose.
        instance: String,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no trust root.
    #[error("[provenance.instance.{instance}] names `{}`: {source}\n  it must be a trusted_root.json as the Sigstore instance publishes it", path.display())]
    Invalid {
        /// Whose.
        instance: String,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: InvalidRoot,
    },
    /// The file of a key cannot be read.
    #[error("[repository.{repository}] names the key `{}` in cosign_keys, which cannot be read: {source}", path.display())]
    ReadKey {
        /// Whose.
        repository: String,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds no key.
    #[error("[repository.{repository}] names `{}` in cosign_keys: {source}\n  it must hold a public key as PEM, as `cosign public-key` prints it", path.display())]
    NoKey {
        /// Whose.
        repository: String,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: InvalidKeys,
    },
}

/// Reads the public keys that a repository's configuration names.
///
/// # Errors
/// [`TrustError`] names the file.
pub fn cosign_keys(repository: &str, paths: &[PathBuf]) -> Result<KeyRing, TrustError> {
    let read = |path: &PathBuf| {
        let (repository, path) = (repository.to_owned(), path.clone());
        match std::fs::read_to_string(&path) {
            Ok(pem) => {
                TrustedKey::from_pem(&pem).map_err(|source| TrustError::NoKey { repository, path, source })
            }
            Err(source) => Err(TrustError::ReadKey { repository, path, source }),
        }
    };
    paths.iter().map(read).collect::<Result<Vec<_>, _>>().map(KeyRing::new)
}

impl Trusted {
    /// The compiled-in roots and those of the configuration.
    ///
    /// # Errors
    /// [`TrustError`] names the file.
    pub fn open(config: &Provenance, now: Timestamp) -> Result<Self, TrustError> {
        let mut roots = Roots::embedded();
        for (name, section) in &config.instance {
            let path = &section.root;
            let read = |source| TrustError::Read { instance: name.clone(), path: path.clone(), source };
            let json = std::fs::read_to_string(path).map_err(read)?;
            let root = Root::from_json(Instance::named(name), &json, Origin::Configured, None, now);
            roots = roots.with(root.map_err(|source| TrustError::Invalid {
                instance: name.clone(),
                path: path.clone(),
                source,
            })?);
        }
        Ok(Self { roots: RwLock::new(Arc::new(roots)), embedded: KeyRing::npm_embedded() })
    }

    /// The roots in force.
    pub fn roots(&self) -> Arc<Roots> {
        Arc::clone(&self.roots.read().expect("no panic while holding it"))
    }

    /// Puts other roots in force.
    pub fn replace(&self, roots: Roots) {
        *self.roots.write().expect("no panic while holding it") = Arc::new(roots);
    }

    /// Keys that are believed of a registry that lists `listed`: those compiled in, and of its own those that do not go by
    /// the name of one compiled in. So nobody's list can put another key in the place of a known one.
    pub fn keys(&self, listed: &KeyRing) -> KeyRing {
        let own = listed.iter().filter(|key| self.embedded.iter().all(|known| known.id != key.id));
        own.cloned().fold(self.embedded.clone(), KeyRing::with)
    }
}

/// A digest over everything that is believed: while it stays, so do verifications.
pub(super) fn digest(trust: Trust<'_>) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    for root in trust.roots.iter() {
        hasher.update(root.instance().as_str().as_bytes());
        hasher.update([0]);
        hasher.update(root.digest().as_bytes());
    }
    hasher.update(trust.keys.digest().as_bytes());
    Sha256::new(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_provenance::KeyUsage;

    #[test]
    fn a_registrys_list_adds_keys_and_replaces_none() {
        let trusted = Trusted::open(&Provenance::default(), Timestamp::from_unix_seconds(0)).unwrap();
        let known = trusted.embedded.iter().next().unwrap().clone();
        let stolen = TrustedKey { spki: vec![1], ..known.clone() };
        let own = TrustedKey { id: "own".into(), ..stolen.clone() };
        let keys = trusted.keys(&KeyRing::new([stolen, own]));
        assert!(keys.find(&known.id, KeyUsage::NpmSignatures).all(|key| key.spki != [1]));
        assert_eq!(keys.iter().filter(|key| key.id == "own").count(), 1);
    }

    #[test]
    fn a_configured_key_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let refused = || cosign_keys("oci", std::slice::from_ref(&path)).unwrap_err().to_string();
        assert!(
            refused().contains("cannot be read") && refused().contains("[repository.oci]"),
            "{}",
            refused()
        );
        std::fs::write(&path, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").unwrap();
        assert!(refused().contains("as PEM"), "{}", refused());
    }

    #[test]
    fn a_configured_root_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.json");
        let mut config = Provenance::default();
        config.instance.insert("acme".into(), crate::config::SigstoreInstance { root: path.clone() });
        let refused = |config: &Provenance| {
            Trusted::open(config, Timestamp::from_unix_seconds(0)).err().unwrap().to_string()
        };
        assert!(refused(&config).contains("cannot be read"), "{}", refused(&config));
        std::fs::write(&path, "{}").unwrap();
        assert!(refused(&config).contains("trusted_root.json"), "{}", refused(&config));
    }
}
