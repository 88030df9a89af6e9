//! What a policy demands of an attestation. Everything is compared exactly; nothing is a prefix or a pattern.

use sha2::{Digest as _, Sha256};
use tidegate_model::{Sha256 as Sha256Digest, Timestamp};

use crate::keys::KeyRing;
use crate::roots::{Instance, Root};
use crate::subject::Subject;

/// Predicate types, by the address that a statement names them with.
pub mod predicate {
    /// SLSA provenance, version 1.
    pub const SLSA_V1: &str = "https://slsa.dev/provenance/v1";
    /// SLSA provenance, version 0.2.
    pub const SLSA_V0_2: &str = "https://slsa.dev/provenance/v0.2";
    /// How the build went: what counts as build provenance.
    pub const PROVENANCE: [&str; 2] = [SLSA_V1, SLSA_V0_2];
    /// The npm registry's own statement that it published a version.
    pub const NPM_PUBLISH: &str = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1";
    /// PEP 740: who uploaded a file.
    pub const PYPI_PUBLISH: &str = "https://docs.pypi.org/attestations/publish/v1";
    /// OpenSSF model signing.
    pub const MODEL_SIGNATURE: &str = "https://model_signing/signature/v1.0";
    /// Cosign's claim over an image's manifest, in its newer form.
    pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
}

/// Signed times from here on need an inclusion proof: 2023-09-01. Bundles of before it carry the log's promise alone.
const PROOF_REQUIRED_FROM_UNIX_SECONDS: i64 = 1_693_526_400;

/// What is demanded. A field that is `None` or empty demands nothing, and what was not demanded is listed among the things
/// that were not proven.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Requirement {
    /// The instance whose root has to vouch.
    pub instance: Instance,
    /// Exact OIDC issuer of the signing certificate.
    pub issuer: Option<String>,
    /// Exact subject alternative name of the signing certificate.
    pub identity: Option<String>,
    /// Exact URL of the source repository, `https://github.com/owner/name`.
    pub source_repository: Option<String>,
    /// Path of the workflow within the source repository, `.github/workflows/release.yml`.
    pub workflow: Option<String>,
    /// Exact commit.
    pub source_digest: Option<String>,
    /// Exact ref, `refs/tags/v1.0.0`.
    pub source_ref: Option<String>,
    /// Exact event that started the build, such as `release`.
    pub trigger: Option<String>,
    /// One of these predicate types; see [`predicate`]. Empty: any.
    pub predicate_types: Vec<String>,
    /// Exact key id, for signatures by a known key.
    pub key: Option<String>,
    /// Signed times from here on need an inclusion proof, and certificates from here on need the current claims.
    pub proof_required_from: Timestamp,
}

impl Default for Requirement {
    fn default() -> Self {
        Self {
            instance: Instance::PublicGood,
            issuer: None,
            identity: None,
            source_repository: None,
            workflow: None,
            source_digest: None,
            source_ref: None,
            trigger: None,
            predicate_types: Vec::new(),
            key: None,
            proof_required_from: Timestamp::from_unix_seconds(PROOF_REQUIRED_FROM_UNIX_SECONDS),
        }
    }
}

impl Requirement {
    /// Build provenance from exactly this repository, as `issuer` certified it.
    pub fn provenance(issuer: impl Into<String>, source_repository: impl Into<String>) -> Self {
        Self {
            issuer: Some(issuer.into()),
            source_repository: Some(source_repository.into()),
            predicate_types: predicate::PROVENANCE.map(str::to_owned).to_vec(),
            ..Self::default()
        }
    }

    /// The digest of all that is demanded; equal requirements have equal digests.
    pub fn digest(&self) -> Sha256Digest {
        let text = serde_json::to_vec(self).expect("a requirement is plain data");
        Sha256Digest::new(Sha256::digest(text).into())
    }
}

/// Names one verdict: two verifications with the same key have the same outcome, as long as neither the freshness limit
/// of the root nor the window of a key has been crossed in between. Keep such verdicts for hours, not for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// The key of verifying `bytes` (an attestation in its format) for `subject`.
    pub fn new(
        bytes: &[u8],
        subject: &Subject,
        requirement: &Requirement,
        root: Option<&Root>,
        keys: &KeyRing,
    ) -> Self {
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        part(b"tidegate/verification/v1");
        part(&Sha256::digest(bytes));
        part(&subject.names.len().to_be_bytes());
        subject.names.iter().for_each(|name| part(name.as_bytes()));
        subject.digests.iter().for_each(|digest| part(digest.to_string().as_bytes()));
        part(requirement.digest().as_bytes());
        part(root.map_or([0; 32], |root| *root.digest().as_bytes()).as_slice());
        part(keys.digest().as_bytes());
        Self(hasher.finalize().into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_model::{Algorithm, Digest};

    #[test]
    fn a_cache_key_changes_with_every_part() {
        let digest = |n| Digest::from_bytes(Algorithm::Sha256, &[n; 32]).unwrap();
        let subject = Subject::new([digest(1)]).named("a");
        let none = KeyRing::default();
        let key = |bytes: &[u8], subject: &Subject, requirement: &Requirement| {
            CacheKey::new(bytes, subject, requirement, None, &none)
        };
        let plain = Requirement::default();
        let base = key(b"bundle", &subject, &plain);
        assert_eq!(base, key(b"bundle", &subject, &Requirement::default()));
        assert_ne!(base, key(b"bundlf", &subject, &plain));
        assert_ne!(base, key(b"bundle", &Subject::new([digest(2)]).named("a"), &plain));
        assert_ne!(base, key(b"bundle", &Subject::new([digest(1)]).named("b"), &plain));
        assert_ne!(base, key(b"bundle", &subject, &Requirement::provenance("i", "r")));
        let root = Root::embedded(Instance::PublicGood).unwrap();
        assert_ne!(base, CacheKey::new(b"bundle", &subject, &plain, Some(&root), &none));
    }

    #[test]
    fn a_requirement_survives_its_serialisation() {
        let requirement = Requirement::provenance("https://issuer.example", "https://git.example/o/r");
        let text = serde_json::to_string(&requirement).unwrap();
        assert_eq!(serde_json::from_str::<Requirement>(&text).unwrap(), requirement);
        assert!(serde_json::from_str::<Requirement>(r#"{"isuer":"x"}"#).is_err(), "unknown keys are refused");
    }
}
