//! One file per format in which signatures come.

pub mod bundle;
pub mod cosign;
pub mod go_sumdb;
pub mod model;
pub mod npm;
pub mod open_vsx;
pub mod pgp;
pub mod pypi;

use crate::keys::{KeyUsage, TrustedKey};
use crate::requirement::Requirement;
use crate::roots::Trust;
use crate::verification::{Claim, Failure, Reason, Signer, Verification, bounded};

/// The trusted key that made a signature which names none, or names one only perhaps.
fn signed_by<'a>(
    message: &[u8],
    signature: &[u8],
    requirement: &Requirement,
    trust: Trust<'a>,
) -> Result<&'a TrustedKey, Failure> {
    let candidates = trust.keys.iter().filter(|key| key.usage == KeyUsage::Any);
    let mut wanted =
        candidates.filter(|key| requirement.key.as_ref().is_none_or(|id| *id == key.id)).peekable();
    if wanted.peek().is_none() {
        return Err(Failure::invalid(Reason::UnknownKey, "no key is trusted to sign this"));
    }
    let Some(key) = wanted.find(|key| key.verifies(message, signature)) else {
        return Err(Failure::invalid(
            Reason::Signature,
            "the signature is by none of the trusted keys, or over other bytes",
        ));
    };
    if !key.covers(trust.now) {
        let now = trust.now;
        return Err(Failure::invalid(Reason::KeyWindow, format!("key `{}` is not in use at {now}", key.id)));
    }
    Ok(key)
}

/// Writes who signed where only a key says so, and holds it against the demands. Demands that only a certificate can meet
/// are missed.
fn fill_key(found: &mut Verification, key: &TrustedKey, requirement: &Requirement) -> Result<(), Failure> {
    found.signer = Some(Signer { key_id: Some(bounded(&key.id)?), ..Signer::default() });
    found.not_proven(
        "when it was signed: a signature by a bare key carries no time that anyone else vouches for",
    );
    miss_certificate_demands(found, requirement);
    Ok(())
}

/// What a signature without a certificate cannot show.
fn miss_certificate_demands(found: &mut Verification, requirement: &Requirement) {
    for (claim, expected) in [
        (Claim::Issuer, &requirement.issuer),
        (Claim::Identity, &requirement.identity),
        (Claim::SourceRepository, &requirement.source_repository),
        (Claim::Workflow, &requirement.workflow),
        (Claim::SourceDigest, &requirement.source_digest),
        (Claim::SourceRef, &requirement.source_ref),
        (Claim::Trigger, &requirement.trigger),
    ] {
        if let Some(expected) = expected {
            found.mismatch(claim, expected, None);
        }
    }
}

/// What a signature over bytes, which states nothing of them, cannot show.
fn miss_predicate(found: &mut Verification, requirement: &Requirement) {
    if !requirement.predicate_types.is_empty() {
        found.mismatch(Claim::PredicateType, &requirement.predicate_types.join("` or `"), None);
    }
}
