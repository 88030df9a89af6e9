//! The npm registry: attestations (who built, and that the registry published) and signatures over
//! `name@version:integrity`.

use base64::Engine as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidegate_model::{Algorithm, Digest, Timestamp};

use crate::keys::{KeyUsage, TrustedKey};
use crate::requirement::Requirement;
use crate::roots::Trust;
use crate::sigstore::{self, MAX_BUNDLE_BYTES};
use crate::subject::Subject;
use crate::verification::{Claim, Evidence, Failure, Format, Reason, Signer, State, Verification, bounded};

/// The most attestations of one version. The registry serves two.
const MAX_ATTESTATIONS: usize = 32;

/// The most signatures of one version. The registry serves one or two.
const MAX_SIGNATURES: usize = 16;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    attestations: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    predicate_type: String,
    #[serde(borrow)]
    bundle: &'a RawValue,
}

/// Checks the registry's answer about one version: `{"attestations": [{"predicateType": …, "bundle": …}]}`. An answer
/// with an empty list is `absent`.
pub fn verify(
    answer: &[u8],
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Vec<Verification> {
    let entries = match entries(answer) {
        Ok(entries) => entries,
        Err(failure) => return vec![failure.into_verification(Format::Npm)],
    };
    if entries.is_empty() {
        return vec![Verification::of(Format::Npm, State::Absent)];
    }
    entries.into_iter().map(|e| verify_entry(e.get().as_bytes(), subject, requirement, trust)).collect()
}

fn entries(answer: &[u8]) -> Result<Vec<&RawValue>, Failure> {
    if answer.len() > 2 * MAX_BUNDLE_BYTES {
        return Err(Failure::malformed(format!(
            "the attestations have {} bytes, more than any real ones",
            answer.len()
        )));
    }
    let answer: Answer<'_> = serde_json::from_slice(answer)
        .map_err(|e| Failure::malformed(format!("the attestations cannot be read: {e}")))?;
    if answer.attestations.len() > MAX_ATTESTATIONS {
        return Err(Failure::malformed(format!(
            "{} attestations, more than {MAX_ATTESTATIONS}",
            answer.attestations.len()
        )));
    }
    Ok(answer.attestations)
}

/// Checks one entry of the answer: `{"predicateType": …, "bundle": …}`.
pub fn verify_entry(
    entry: &[u8],
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Verification {
    let checked = serde_json::from_slice::<Entry<'_>>(entry)
        .map_err(|e| Failure::malformed(format!("the attestation cannot be read: {e}")))
        .and_then(|entry| {
            let bundle = sigstore::parse(entry.bundle.get().as_bytes())?;
            let usage = KeyUsage::NpmAttestations;
            let found = sigstore::verify(Format::Npm, &bundle, usage, subject, requirement, trust)?;
            // The registry's label is not signed. Where it differs, somebody changed one of the two.
            if found.predicate_type.as_deref() != Some(entry.predicate_type.as_str()) {
                return Err(Failure::malformed(
                    "the entry is labelled with another predicate type than it holds",
                ));
            }
            Ok(found)
        });
    checked.unwrap_or_else(|failure| failure.into_verification(Format::Npm))
}

/// A version as its registry's packument describes it, for [`verify_signatures`].
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// Name of the package, with its scope.
    pub name: &'a str,
    /// Version.
    pub version: &'a str,
    /// `dist.integrity`, as it stands.
    pub integrity: &'a str,
    /// `dist.signatures`: key id and base64 of the signature.
    pub signatures: &'a [(String, String)],
    /// When the packument says it was published.
    pub published: Option<Timestamp>,
}

/// Checks the registry's signatures over `name@version:integrity`, and that the integrity is the artifact's. One that holds
/// is enough; no signature at all is `absent`.
pub fn verify_signatures(
    published: Published<'_>,
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Verification {
    if published.signatures.is_empty() {
        return Verification::of(Format::NpmSignature, State::Absent);
    }
    signatures(published, subject, requirement, trust)
        .unwrap_or_else(|f| f.into_verification(Format::NpmSignature))
}

fn signatures(
    published: Published<'_>,
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Result<Verification, Failure> {
    if published.signatures.len() > MAX_SIGNATURES {
        return Err(Failure::malformed(format!(
            "{} signatures, more than {MAX_SIGNATURES}",
            published.signatures.len()
        )));
    }
    let digest = agreed_integrity(published.integrity, subject)?;
    let message = format!("{}@{}:{}", published.name, published.version, published.integrity);
    let mut refused = Failure::invalid(Reason::UnknownKey, "no trusted key of the registry signed this");
    for (id, encoded) in published.signatures {
        let Ok(signature) = base64::engine::general_purpose::STANDARD.decode(encoded) else {
            refused = Failure::malformed("a signature is not base64");
            continue;
        };
        for key in trust.keys.find(id, KeyUsage::NpmSignatures) {
            match by_key(key, message.as_bytes(), &signature, published.published, trust.now) {
                Ok(()) => return verified(published, digest, key, requirement),
                Err(failure) => refused = failure,
            }
        }
    }
    Err(refused)
}

/// The strong digest of `integrity` that is also the artifact's; all that both know have to agree.
fn agreed_integrity(integrity: &str, subject: &Subject) -> Result<Digest, Failure> {
    let listed = Digest::from_sri(integrity);
    let known = |d: &&Digest| subject.digest(d.algorithm()).is_some();
    let strong: Vec<&Digest> = listed.iter().filter(|d| d.algorithm().is_strong()).collect();
    if strong.is_empty() {
        let weak = listed.iter().any(|d| d.algorithm() == Algorithm::Sha1);
        let reason = if weak { Reason::Weak } else { Reason::Payload };
        return Err(Failure::invalid(reason, "the signed integrity names no digest that proves anything"));
    }
    if strong.iter().copied().filter(known).any(|d| subject.digest(d.algorithm()) != Some(d)) {
        return Err(Failure::invalid(Reason::ArtifactDigest, "the signed integrity is not this artifact's"));
    }
    let agreed = strong.into_iter().find(known);
    agreed.cloned().ok_or_else(|| {
        Failure::unsupported("the signed integrity is of a kind this artifact was not read by")
    })
}

fn by_key(
    key: &TrustedKey,
    message: &[u8],
    signature: &[u8],
    published: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Failure> {
    if !key.verifies(message, signature) {
        return Err(Failure::invalid(
            Reason::Signature,
            format!("the signature of key `{}` does not verify", key.id),
        ));
    }
    let at = published.unwrap_or(now);
    if !key.covers(at) {
        return Err(Failure::invalid(Reason::KeyWindow, format!("key `{}` was not in use at {at}", key.id)));
    }
    Ok(())
}

fn verified(
    published: Published<'_>,
    digest: Digest,
    key: &TrustedKey,
    requirement: &Requirement,
) -> Result<Verification, Failure> {
    let mut verification = Verification {
        evidence: Evidence::SignatureOnly,
        subject_name: Some(bounded(&format!("{}@{}", published.name, published.version))?),
        subject_digest: Some(digest),
        signer: Some(Signer { key_id: Some(bounded(&key.id)?), ..Signer::default() }),
        ..Verification::of(Format::NpmSignature, State::Verified)
    };
    verification
        .not_proven("who built or published it: the registry says that these are the bytes of this version");
    verification.not_proven("when it was signed: the registry's own date decided which of its keys may sign");
    if let Some(expected) = &requirement.key
        && *expected != key.id
    {
        verification.mismatch(Claim::Key, expected, Some(&key.id));
    }
    if !requirement.predicate_types.is_empty() {
        verification.mismatch(Claim::PredicateType, &requirement.predicate_types.join("` or `"), None);
    }
    Ok(verification)
}
