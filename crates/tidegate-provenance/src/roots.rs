//! Trust roots: one per Sigstore instance, each saying where it comes from and how old it is.
//!
//! INVARIANT: what one instance relaxes, it relaxes for itself. A bundle is checked under the root of the instance that the
//! requirement names, and under no other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sha2::Digest as _;
use sigstore_trust_root::{SigstoreInstance, TrustedRoot};
use sigstore_verify::Verifier;
use tidegate_model::{Sha256, Timestamp};

use crate::keys::KeyRing;

/// The most bytes of a `trusted_root.json`; the largest in use has 32 KiB.
pub(crate) const MAX_ROOT_BYTES: usize = 1 << 20;

/// When the embedded roots were taken from their repositories: 2026-10-23.
const EMBEDDED_AS_OF_UNIX_SECONDS: i64 = 1_792_713_600;

/// A root older than this many days can no longer say that a log or an authority is unknown.
pub(crate) const FRESH_FOR_DAYS: i64 = 90;

/// A Sigstore instance. Reads and prints as its name: `public-good`, `github`, `staging`, or the name of an own one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Instance {
    /// The public instance that npm, PyPI and public repositories sign with.
    #[default]
    PublicGood,
    /// GitHub's own, for private repositories: timestamps instead of a public log.
    GitHub,
    /// The public instance's rehearsal. Nothing real is signed there; for tests and explicit policies.
    Staging,
    /// One of our own or of a customer's.
    Own(String),
}

impl Instance {
    /// The name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::PublicGood => "public-good",
            Self::GitHub => "github",
            Self::Staging => "staging",
            Self::Own(name) => name,
        }
    }

    /// The instance of that name; every unknown name is an own instance.
    pub fn named(name: &str) -> Self {
        match name {
            "public-good" => Self::PublicGood,
            "github" => Self::GitHub,
            "staging" => Self::Staging,
            other => Self::Own(other.to_owned()),
        }
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Instance {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Instance {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::named(&name))
    }
}

/// Where a root comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Compiled in.
    Embedded,
    /// Given by whoever runs this deployment.
    Configured,
    /// Refreshed from the instance's own repository (TUF), its chain of signatures checked.
    Refreshed,
    /// Brought in by hand, its chain of signatures checked at its own time.
    Imported,
}

impl Origin {
    /// The word in entries and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Configured => "configured",
            Self::Refreshed => "refreshed",
            Self::Imported => "imported",
        }
    }
}

/// Text that is no usable trust root.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRoot {
    /// More than one mebibyte.
    #[error("the trust root has {0} bytes, more than any real one")]
    TooLarge(usize),
    /// Not a `trusted_root.json`.
    #[error("the trust root cannot be read as a trusted_root.json")]
    Unreadable(#[source] sigstore_trust_root::Error),
    /// Its keys or certificates cannot be used.
    #[error("the trust root holds a key or certificate that cannot be used")]
    Unusable(#[source] Box<sigstore_verify::Error>),
}

/// The keys and authorities of one instance, ready to verify with.
pub struct Root {
    instance: Instance,
    origin: Origin,
    version: Option<u64>,
    as_of: Timestamp,
    digest: Sha256,
    log_required: bool,
    verifier: Verifier,
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({}, {:?}, as of {}, {})", self.instance, self.origin, self.as_of, self.digest.hex())
    }
}

impl Root {
    /// Reads a `trusted_root.json`. `version` is that of the TUF root it came under, where there was one; `as_of` is when
    /// its source said so.
    ///
    /// # Errors
    /// If it is too large, no trust root, or holds a key or certificate that cannot be used.
    pub fn from_json(
        instance: Instance,
        json: &str,
        origin: Origin,
        version: Option<u64>,
        as_of: Timestamp,
    ) -> Result<Self, InvalidRoot> {
        if json.len() > MAX_ROOT_BYTES {
            return Err(InvalidRoot::TooLarge(json.len()));
        }
        let parsed = TrustedRoot::from_json(json).map_err(InvalidRoot::Unreadable)?;
        let verifier = Verifier::new(&parsed).map_err(|e| InvalidRoot::Unusable(Box::new(e)))?;
        Ok(Self {
            // GitHub's instance signs for private repositories and therefore has no public log. Everyone else has one.
            log_required: instance != Instance::GitHub,
            instance,
            origin,
            version,
            as_of,
            digest: Sha256::new(sha2::Sha256::digest(json).into()),
            verifier,
        })
    }

    /// The root of `instance` that is compiled in; `None` for an own instance.
    pub fn embedded(instance: Instance) -> Option<Self> {
        let (source, version) = match &instance {
            Instance::PublicGood => (SigstoreInstance::PublicGood, Some(16)),
            Instance::GitHub => (SigstoreInstance::GitHub, None),
            Instance::Staging => (SigstoreInstance::Staging, None),
            Instance::Own(_) => return None,
        };
        let as_of = Timestamp::from_unix_seconds(EMBEDDED_AS_OF_UNIX_SECONDS);
        let json = source.embedded_trusted_root_json();
        // INVARIANT: the embedded files are part of the build, and a test reads each of them.
        Some(
            Self::from_json(instance, json, Origin::Embedded, version, as_of)
                .expect("embedded root is whole"),
        )
    }

    /// Whose root this is.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Version of the TUF root it came under.
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// When its source said so.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// SHA-256 of its text.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// Whole days since [`Self::as_of`]; 0 where that lies in the future.
    pub fn age_days(&self, now: Timestamp) -> i64 {
        (now.seconds_since(self.as_of) / 86_400).max(0)
    }

    /// Whether it is too old to say that a log or an authority is unknown.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.age_days(now) > FRESH_FOR_DAYS
    }

    pub(crate) fn log_required(&self) -> bool {
        self.log_required
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}

/// The roots in force, at most one per instance.
#[derive(Clone, Debug, Default)]
pub struct Roots(BTreeMap<Instance, Arc<Root>>);

impl Roots {
    /// The compiled-in roots of the public-good instance and of GitHub's. The staging instance is never among them; a
    /// policy that wants it adds it.
    pub fn embedded() -> Self {
        [Instance::PublicGood, Instance::GitHub].into_iter().filter_map(Root::embedded).collect()
    }

    /// The same roots, with `root` in force for its instance.
    #[must_use]
    pub fn with(mut self, root: Root) -> Self {
        self.0.insert(root.instance.clone(), Arc::new(root));
        self
    }

    /// The root of an instance.
    pub fn get(&self, instance: &Instance) -> Option<&Arc<Root>> {
        self.0.get(instance)
    }

    /// Every root, by instance.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Root>> {
        self.0.values()
    }
}

impl FromIterator<Root> for Roots {
    fn from_iter<I: IntoIterator<Item = Root>>(roots: I) -> Self {
        roots.into_iter().fold(Self::default(), Self::with)
    }
}

/// All that a verification believes: roots, keys, and the time it is.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// Roots of instances.
    pub roots: &'a Roots,
    /// Keys that need no certificate.
    pub keys: &'a KeyRing,
    /// What time it is.
    pub now: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_root_is_whole() {
        for instance in [Instance::PublicGood, Instance::GitHub, Instance::Staging] {
            let root = Root::embedded(instance.clone()).unwrap();
            assert_eq!(root.instance(), &instance);
            assert_eq!(root.as_of().to_string(), "2026-10-23T00:00:00Z");
        }
        assert!(Root::embedded(Instance::named("ours")).is_none());
        assert!(Roots::embedded().get(&Instance::Staging).is_none(), "staging is never believed unasked");
    }

    #[test]
    fn age_is_told_in_days() {
        let root = Root::embedded(Instance::PublicGood).unwrap();
        assert_eq!(root.age_days("2026-10-30T12:00:00Z".parse().unwrap()), 7);
        assert_eq!(root.age_days("2020-01-01".parse().unwrap()), 0);
        assert!(!root.is_stale("2027-01-20".parse().unwrap()));
        assert!(root.is_stale("2027-01-23".parse().unwrap()));
    }

    #[test]
    fn what_is_no_root_is_refused() {
        let at = Timestamp::from_unix_seconds(0);
        let read = |json: &str| Root::from_json(Instance::PublicGood, json, Origin::Configured, None, at);
        assert!(matches!(read("{}"), Err(InvalidRoot::Unreadable(_))));
        assert!(matches!(read(&" ".repeat(MAX_ROOT_BYTES + 1)), Err(InvalidRoot::TooLarge(_))));
    }
}
