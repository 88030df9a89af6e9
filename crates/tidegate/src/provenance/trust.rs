//! The roots and keys that this door believes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use sha2::Digest as _;
use tidegate_model::{Sha256, Timestamp};
use tidegate_provenance::{
    Instance, InvalidKeys, InvalidRoot, KeyRing, Origin, Root, Roots, Trust, TrustedKey,
};

use super::updates::Updates;
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
    /// A repository without the root file that its updates are checked from.
    #[error(
        "[provenance.instance.{instance}] has a mirror and no root file to begin with\n  name the repository's root.json with `mirror_root`"
    )]
    NoRootFile {
        /// Whose.
        instance: String,
    },
    /// A root file without a repository.
    #[error(
        "[provenance.instance.{instance}] has a mirror_root and no mirror\n  say with `mirror` where the instance's TUF repository is"
    )]
    NoMirror {
        /// Whose.
        instance: String,
    },
    /// An instance without a root to begin with.
    #[error(
        "[provenance.instance.{instance}] names no root\n  give the instance's trusted_root.json with `root`; a `mirror` renews it"
    )]
    NoRoot {
        /// Whose.
        instance: String,
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
    /// The compiled-in roots, those of the configuration, and what newer ones were accepted in this data directory.
    ///
    /// # Errors
    /// [`TrustError`] names the file.
    pub fn open(config: &Provenance, data: &Path, now: Timestamp) -> Result<(Self, Updates), TrustError> {
        let mut roots = Roots::embedded();
        for (name, section) in &config.instance {
            let Some(path) = &section.root else {
                // The staging instance counts where somebody names it, and only there.
                let root = Root::embedded(Instance::named(name));
                roots = roots.with(root.ok_or_else(|| TrustError::NoRoot { instance: name.clone() })?);
                continue;
            };
            let read = |source| TrustError::Read { instance: name.clone(), path: path.clone(), source };
            let json = std::fs::read_to_string(path).map_err(read)?;
            let root = Root::from_json(Instance::named(name), &json, Origin::Configured, None, now);
            roots = roots.with(root.map_err(|source| TrustError::Invalid {
                instance: name.clone(),
                path: path.clone(),
                source,
            })?);
        }
        let (updates, accepted) = Updates::open(config, data)?;
        for root in accepted {
            // Another release may bring a root that is newer than what was accepted under the one before.
            if roots.get(root.instance()).is_none_or(|known| is_newer(&root, known)) {
                roots = roots.with(root);
            }
        }
        Ok((Self { roots: RwLock::new(Arc::new(roots)), embedded: KeyRing::npm_embedded() }, updates))
    }

    /// The roots in force.
    pub fn roots(&self) -> Arc<Roots> {
        Arc::clone(&self.roots.read().expect("no panic while holding it"))
    }

    /// Digest of the roots in force.
    pub fn digest(&self) -> Sha256 {
        digest_of(&self.roots())
    }

    /// Puts another root of its instance in force. True where it is not the one that was.
    pub fn put_in_force(&self, root: Root) -> bool {
        let mut roots = self.roots.write().expect("no panic while holding it");
        let changed = roots.get(root.instance()).is_none_or(|known| known.digest() != root.digest());
        *roots = Arc::new(Roots::clone(&roots).with(root));
        changed
    }

    /// Keys that are believed of a registry that lists `listed`: those compiled in, and of its own those that do not go by
    /// the name of one compiled in. So nobody's list can put another key in the place of a known one.
    pub fn keys(&self, listed: &KeyRing) -> KeyRing {
        let own = listed.iter().filter(|key| self.embedded.iter().all(|known| known.id != key.id));
        own.cloned().fold(self.embedded.clone(), KeyRing::with)
    }
}

/// A root of the configuration has no date: what was accepted of its instance's repository came after it.
fn is_newer(root: &Root, known: &Root) -> bool {
    known.origin() == Origin::Configured || root.as_of() > known.as_of()
}

/// A digest over everything that is believed: while it stays, so do verifications.
pub(super) fn digest(trust: Trust<'_>) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    hasher.update(digest_of(trust.roots).as_bytes());
    hasher.update(trust.keys.digest().as_bytes());
    Sha256::new(hasher.finalize().into())
}

/// A digest over the roots alone.
pub(super) fn digest_of(roots: &Roots) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    for root in roots.iter() {
        hasher.update(root.instance().as_str().as_bytes());
        hasher.update([0]);
        hasher.update(root.digest().as_bytes());
    }
    Sha256::new(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_provenance::KeyUsage;

    #[test]
    fn a_registrys_list_adds_keys_and_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_unix_seconds(0);
        let (trusted, _) = Trusted::open(&Provenance::default(), folder.path(), now).unwrap();
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
        let section =
            |root| crate::config::SigstoreInstance { root, ..crate::config::SigstoreInstance::default() };
        config.instance.insert("acme".into(), section(Some(path.clone())));
        let refused = |config: &Provenance| {
            let now = Timestamp::from_unix_seconds(0);
            Trusted::open(config, folder.path(), now).err().unwrap().to_string()
        };
        assert!(refused(&config).contains("cannot be read"), "{}", refused(&config));
        std::fs::write(&path, "{}").unwrap();
        assert!(refused(&config).contains("trusted_root.json"), "{}", refused(&config));
        config.instance.insert("acme".into(), section(None));
        assert!(refused(&config).contains("names no root"), "{}", refused(&config));
        std::fs::write(&path, tidegate_provenance::testing::Sigstore::new().trusted_root()).unwrap();
        let mirror = Some("https://tuf.acme.example/trust".parse().unwrap());
        let followed = crate::config::SigstoreInstance { mirror, ..section(Some(path.clone())) };
        config.instance.insert("acme".into(), followed.clone());
        assert!(refused(&config).contains("`mirror_root`"), "{}", refused(&config));
        let bare = crate::config::SigstoreInstance { mirror: None, mirror_root: Some(path), ..followed };
        config.instance.insert("acme".into(), bare);
        assert!(refused(&config).contains("`mirror`"), "{}", refused(&config));
    }
}
