//! One parsed bundle under one root: the cryptography is `sigstore-verify`'s, the rules on top of it are ours.

mod claims;
mod errors;

use sigstore_verify::types::bundle::{SignatureContent, VerificationMaterialContent};
use sigstore_verify::types::{ArtifactDigest, Bundle, HashAlgorithm};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult};
use tidegate_model::{Algorithm, Digest, Timestamp};

use crate::keys::{KeyUsage, TrustedKey};
use crate::requirement::{Requirement, predicate};
use crate::roots::{Instance, Root, Trust};
use crate::statement::{Matched, PAYLOAD_TYPE, Statement};
use crate::subject::Subject;
use crate::verification::{
    Claim, Evidence, Failure, Format, MAX_CLOCK_SKEW_SECONDS, Reason, Signer, State, Verification, bounded,
};

/// The most bytes of a bundle. Provenance of monorepos with thousands of subjects stays below.
pub(crate) const MAX_BUNDLE_BYTES: usize = 8 << 20;

/// The most entries of logs, timestamps, and certificates of a chain. Real bundles have one or two.
const MAX_PARTS: usize = 8;

/// The most hashes of an inclusion proof: a tree of 2^64 entries has 64 levels.
const MAX_PROOF_HASHES: usize = 64;

/// Checks one bundle's text.
pub(crate) fn verify_text(
    format: Format,
    bundle: &[u8],
    usage: KeyUsage,
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Verification {
    let checked =
        parse(bundle).and_then(|bundle| verify(format, &bundle, usage, subject, requirement, trust));
    checked.unwrap_or_else(|failure| failure.into_verification(format))
}

/// Reads a bundle, and tells what is broken from what is only newer than we are.
pub(crate) fn parse(text: &[u8]) -> Result<Bundle, Failure> {
    if text.len() > MAX_BUNDLE_BYTES {
        return Err(Failure::malformed(format!(
            "the bundle has {} bytes, more than any real one",
            text.len()
        )));
    }
    let text = std::str::from_utf8(text).map_err(|_| Failure::malformed("the bundle is not UTF-8"))?;
    let bundle = Bundle::from_json(text).map_err(|e| errors::unreadable(text, &e))?;
    let material = &bundle.verification_material;
    let chain = match &material.content {
        VerificationMaterialContent::X509CertificateChain { certificates } => certificates.len(),
        _ => 1,
    };
    let stamps = material.timestamp_verification_data.rfc3161_timestamps.len();
    let proofs = material.tlog_entries.iter().filter_map(|e| e.inclusion_proof.as_ref());
    if chain > MAX_PARTS || stamps > MAX_PARTS || material.tlog_entries.len() > MAX_PARTS {
        return Err(Failure::malformed(
            "the bundle has more certificates, entries or timestamps than any real one",
        ));
    }
    if proofs.into_iter().any(|proof| proof.hashes.len() > MAX_PROOF_HASHES) {
        return Err(Failure::malformed("an inclusion proof is longer than any tree is high"));
    }
    Ok(bundle)
}

/// Checks a parsed bundle under the root of the instance that the requirement names.
pub(crate) fn verify(
    format: Format,
    bundle: &Bundle,
    usage: KeyUsage,
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Result<Verification, Failure> {
    let Some(root) = trust.roots.get(&requirement.instance) else {
        return Err(Failure {
            state: State::PolicyMismatch { claim: Claim::Instance },
            detail: format!("no trust root of the instance `{}` is configured", requirement.instance),
        });
    };
    let signed = Signed::of(bundle, subject)?;
    let artifact = artifact_digest(signed.digest)?;
    let (proven, key) = match &bundle.verification_material.content {
        VerificationMaterialContent::PublicKey(named) => {
            let (proven, key) = by_key(bundle, &named.hint, usage, &artifact, root, trust)?;
            (proven, Some(key))
        }
        _ => (by_certificate(bundle, artifact, root, trust)?, None),
    };
    let mut verification = Verification {
        evidence: evidence(bundle, &proven, root),
        signed_at: signed_at(&proven),
        instance: Some(root.instance().clone()),
        root: Some(root.digest().into()),
        log_index: bundle.verification_material.tlog_entries.first().map(|e| e.log_index.get()),
        predicate_type: signed.statement.as_ref().map(|s| s.predicate_type.clone()),
        ..Verification::of(format, State::Verified)
    };
    check_time(&verification, key, requirement, trust.now)?;
    let matched = signed.matched(subject)?;
    verification.subject_digest = Some(matched.digest.clone());
    verification.subject_name = Some(matched.name.clone()).filter(|name| !name.is_empty());
    match (key, proven.certificate()) {
        (Some(key), _) => {
            verification.signer = Some(Signer { key_id: Some(bounded(&key.id)?), ..Signer::default() });
        }
        (None, Some(certificate)) => claims::fill(&mut verification, certificate, requirement)?,
        (None, None) => return Err(Failure::malformed("the bundle has neither a certificate nor a key")),
    }
    if let Some((claim, expected)) = matched.mismatch(subject) {
        verification.mismatch(claim, &expected, Some(&matched.name));
    }
    check_demands(&mut verification, requirement);
    say_what_is_not_proven(&mut verification, &proven, subject, requirement, root, trust.now);
    Ok(verification)
}

/// What the bundle signs, before anything of it is believed.
struct Signed<'a> {
    statement: Option<Statement>,
    digest: &'a Digest,
}

impl<'a> Signed<'a> {
    fn of(bundle: &Bundle, subject: &'a Subject) -> Result<Self, Failure> {
        let none = || {
            Failure::unsupported(
                "the statement names no digest of a kind that this artifact was asked for by",
            )
        };
        match &bundle.content {
            SignatureContent::DsseEnvelope(envelope) => {
                if envelope.payload_type != PAYLOAD_TYPE {
                    let kind = &envelope.payload_type;
                    return Err(Failure::malformed(format!(
                        "the envelope holds `{kind}`, not an in-toto statement"
                    )));
                }
                let statement = Statement::parse(envelope.payload.as_bytes())?;
                let digest = statement.common_digest(subject).ok_or_else(none)?;
                Ok(Self { statement: Some(statement), digest })
            }
            SignatureContent::MessageSignature(message) => {
                let algorithm = match message.message_digest.as_ref().map(|d| d.algorithm) {
                    Some(HashAlgorithm::Sha2512) => Algorithm::Sha512,
                    Some(HashAlgorithm::Sha2384) => Algorithm::Sha384,
                    _ => Algorithm::Sha256,
                };
                Ok(Self { statement: None, digest: subject.digest(algorithm).ok_or_else(none)? })
            }
            _ => Err(Failure::unsupported(
                "the bundle signs something that is neither an envelope nor a message",
            )),
        }
    }

    /// The signed subject. A signature over bytes has no name, so none can be wrong.
    fn matched(&self, subject: &Subject) -> Result<Matched, Failure> {
        match &self.statement {
            Some(statement) => statement.find(subject),
            None => Ok(Matched { name: String::new(), digest: self.digest.clone(), name_accepted: true }),
        }
    }
}

fn artifact_digest(digest: &Digest) -> Result<ArtifactDigest, Failure> {
    let algorithm = match digest.algorithm() {
        Algorithm::Sha256 => HashAlgorithm::Sha2256,
        Algorithm::Sha384 => HashAlgorithm::Sha2384,
        _ => HashAlgorithm::Sha2512,
    };
    ArtifactDigest::new(algorithm, digest.as_bytes().to_vec())
        .map_err(|_| Failure::unsupported("the artifact's digest is of a kind that cannot be compared"))
}

fn by_certificate(
    bundle: &Bundle,
    artifact: ArtifactDigest,
    root: &Root,
    trust: Trust<'_>,
) -> Result<VerificationResult, Failure> {
    // Who signed is compared afterwards, exactly and against the claims, by `claims::fill`.
    let mut policy = VerificationPolicy::any_identity();
    if !root.log_required() {
        policy = policy.skip_tlog_unsafe().skip_sct();
    }
    root.verifier().verify(artifact, bundle, &policy).map_err(|e| errors::refused(&e, root, trust.now))
}

fn by_key<'a>(
    bundle: &Bundle,
    hint: &str,
    usage: KeyUsage,
    artifact: &ArtifactDigest,
    root: &Root,
    trust: Trust<'a>,
) -> Result<(VerificationResult, &'a TrustedKey), Failure> {
    let mut last = Failure::invalid(Reason::UnknownKey, format!("no key `{hint}` is trusted to sign this"));
    for key in trust.keys.find(hint, usage) {
        let policy = PublicKeyVerificationPolicy::new(key.der());
        match root.verifier().verify(artifact.clone(), bundle, &policy) {
            Ok(proven) => return Ok((proven, key)),
            Err(error) => last = errors::refused(&error, root, trust.now),
        }
    }
    Err(last)
}

/// How the signed time is proven. The bundle's own media type says nothing: it is not signed.
fn evidence(bundle: &Bundle, proven: &VerificationResult, root: &Root) -> Evidence {
    let material = &bundle.verification_material;
    let stamped = !material.timestamp_verification_data.rfc3161_timestamps.is_empty();
    let entries = &material.tlog_entries;
    if proven.tlog_verified() && entries.iter().any(|e| e.inclusion_proof.is_some()) {
        Evidence::InclusionProof
    } else if stamped && !root.log_required() {
        Evidence::TimestampOnly
    } else if entries.iter().any(|e| e.inclusion_promise.is_some()) {
        Evidence::PromiseOnly
    } else if stamped {
        Evidence::TimestampOnly
    } else {
        Evidence::SignatureOnly
    }
}

fn signed_at(proven: &VerificationResult) -> Option<Timestamp> {
    let times = proven.verified_timestamps().iter().copied().chain(proven.integrated_time());
    times.min().map(Timestamp::from)
}

fn check_time(
    verification: &Verification,
    key: Option<&TrustedKey>,
    requirement: &Requirement,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(at) = verification.signed_at else {
        return Err(Failure::invalid(
            Reason::NoSignedTime,
            "no authenticated time says when this was signed",
        ));
    };
    if at > now.plus_seconds(MAX_CLOCK_SKEW_SECONDS) {
        return Err(Failure::invalid(Reason::FutureTime, format!("signed at {at}, and it is {now}")));
    }
    if verification.evidence == Evidence::PromiseOnly && at >= requirement.proof_required_from {
        let from = requirement.proof_required_from;
        return Err(Failure::invalid(
            Reason::PromiseOnly,
            format!(
                "only the log's promise shows that this was logged; what was signed from {from} on needs a proof"
            ),
        ));
    }
    if verification.evidence == Evidence::SignatureOnly {
        return Err(Failure::invalid(Reason::NoLogEvidence, "nothing shows that the signature was logged"));
    }
    if let Some(key) = key.filter(|key| !key.covers(at)) {
        return Err(Failure::invalid(Reason::KeyWindow, format!("key `{}` was not in use at {at}", key.id)));
    }
    Ok(())
}

fn check_demands(verification: &mut Verification, requirement: &Requirement) {
    let kinds = &requirement.predicate_types;
    let kind = verification.predicate_type.clone();
    if !kinds.is_empty() && !kind.as_ref().is_some_and(|kind| kinds.contains(kind)) {
        verification.mismatch(Claim::PredicateType, &kinds.join("` or `"), kind.as_deref());
    }
    let signer = verification.signer.clone().unwrap_or_default();
    let claims = [
        (Claim::Issuer, &requirement.issuer, signer.issuer),
        (Claim::Identity, &requirement.identity, signer.identity),
        (Claim::Key, &requirement.key, signer.key_id),
        (Claim::SourceRepository, &requirement.source_repository, verification.source_repository.clone()),
        (Claim::Workflow, &requirement.workflow, verification.workflow.clone()),
        (Claim::SourceDigest, &requirement.source_digest, verification.source_digest.clone()),
        (Claim::SourceRef, &requirement.source_ref, verification.source_ref.clone()),
        (Claim::Trigger, &requirement.trigger, verification.trigger.clone()),
    ];
    for (claim, expected, actual) in claims {
        if let Some(expected) = expected
            && actual.as_ref() != Some(expected)
        {
            verification.mismatch(claim, expected, actual.as_deref());
        }
    }
}

/// The sentences about what a reader might take for proven and is not.
fn say_what_is_not_proven(
    verification: &mut Verification,
    proven: &VerificationResult,
    subject: &Subject,
    requirement: &Requirement,
    root: &Root,
    now: Timestamp,
) {
    let by_key = proven.certificate().is_none();
    let kind = verification.predicate_type.clone();
    match kind.as_deref() {
        Some(predicate::NPM_PUBLISH) => verification.not_proven(
            "who built or published it: the registry signed that it accepted this version, and nothing about its origin",
        ),
        Some(predicate::PYPI_PUBLISH) => verification.not_proven(
            "how it was built: the publisher's identity uploaded this file, and may have built it anywhere",
        ),
        Some(kind) if predicate::PROVENANCE.contains(&kind) => verification.not_proven(
            "the build steps and materials that the statement lists: the build says them of itself",
        ),
        _ => {}
    }
    if !by_key && (requirement.issuer.is_none() || requirement.source_repository.is_none()) {
        verification.not_proven(
            "that this is the expected publisher: no exact issuer and source repository were demanded",
        );
    }
    if subject.names.is_empty() {
        verification.not_proven("that it was signed under this name: no name was compared");
    }
    match verification.evidence {
        Evidence::InclusionProof => verification.not_proven(
            "that the log shows everyone the same entries: its own checkpoint was checked, and no witness",
        ),
        Evidence::PromiseOnly => {
            verification.not_proven(
                "that the log kept the entry: it promised to, and no proof of inclusion is there",
            );
        }
        Evidence::TimestampOnly => {
            verification
                .not_proven("that the signature was logged in public: only a timestamp authority saw it");
        }
        Evidence::SignatureOnly | Evidence::None => {}
    }
    if verification.runner_environment.as_deref() == Some("self-hosted") {
        verification
            .not_proven("that the builder is isolated: it ran on a machine of the repository's owner");
    }
    if root.instance() == &Instance::Staging {
        verification.not_proven("anything real: the staging instance is for rehearsals");
    }
    if root.is_stale(now) {
        let days = root.age_days(now);
        verification
            .not_proven(format!("that no key was withdrawn since: the trust root is {days} days old"));
    }
}
