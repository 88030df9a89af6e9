//! PEP 740: the PyPI index's provenance object for a file, and the attestations in it.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::keys::KeyUsage;
use crate::requirement::Requirement;
use crate::roots::Trust;
use crate::sigstore::{self, MAX_BUNDLE_BYTES};
use crate::statement::PAYLOAD_TYPE;
use crate::subject::Subject;
use crate::verification::{Failure, Format, Reason, Signer, State, Verification};

/// The most attestations of one file. The index takes two.
const MAX_ATTESTATIONS: usize = 32;

const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
const GITLAB_ISSUER: &str = "https://gitlab.com";
const GOOGLE_ISSUER: &str = "https://accounts.google.com";

#[derive(Deserialize)]
struct Provenance<'a> {
    version: u32,
    #[serde(borrow)]
    attestation_bundles: Vec<Group<'a>>,
}

#[derive(Deserialize)]
struct Group<'a> {
    publisher: Publisher,
    #[serde(borrow)]
    attestations: Vec<&'a RawValue>,
}

/// What the index says of the publisher. Not signed by anyone, so the certificate has to say the same.
#[derive(Deserialize)]
struct Publisher {
    kind: String,
    repository: Option<String>,
    workflow: Option<String>,
    workflow_filepath: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct Attestation<'a> {
    version: u32,
    #[serde(borrow)]
    verification_material: Material<'a>,
    envelope: Envelope<'a>,
}

#[derive(Deserialize)]
struct Material<'a> {
    certificate: &'a RawValue,
    #[serde(borrow)]
    transparency_entries: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    statement: &'a RawValue,
    #[serde(borrow)]
    signature: &'a RawValue,
}

/// Checks a provenance object: every attestation in it, and that the publisher it names is the certificate's. An object
/// with none is `absent`.
pub fn verify(
    object: &[u8],
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Vec<Verification> {
    let provenance = match read(object) {
        Ok(provenance) => provenance,
        Err(failure) => return vec![failure.into_verification(Format::Pep740)],
    };
    let mut all = Vec::new();
    for group in &provenance.attestation_bundles {
        for attestation in &group.attestations {
            let found = verify_attestation(attestation.get().as_bytes(), subject, requirement, trust);
            all.push(compare_publisher(found, &group.publisher));
        }
    }
    if all.is_empty() {
        all.push(Verification::of(Format::Pep740, State::Absent));
    }
    all
}

fn read(object: &[u8]) -> Result<Provenance<'_>, Failure> {
    if object.len() > 2 * MAX_BUNDLE_BYTES {
        return Err(Failure::malformed(format!(
            "the provenance has {} bytes, more than any real one",
            object.len()
        )));
    }
    let provenance: Provenance<'_> = serde_json::from_slice(object)
        .map_err(|e| Failure::malformed(format!("the provenance object cannot be read: {e}")))?;
    if provenance.version != 1 {
        return Err(Failure::unsupported(format!("version {} of the provenance object", provenance.version)));
    }
    if provenance.attestation_bundles.iter().map(|g| g.attestations.len()).sum::<usize>() > MAX_ATTESTATIONS {
        return Err(Failure::malformed(format!("more than {MAX_ATTESTATIONS} attestations of one file")));
    }
    Ok(provenance)
}

/// Checks one attestation object: `{"version": 1, "verification_material": …, "envelope": …}`.
pub fn verify_attestation(
    attestation: &[u8],
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Verification {
    match to_bundle(attestation) {
        Ok(bundle) => sigstore::verify_text(
            Format::Pep740,
            bundle.as_bytes(),
            KeyUsage::Any,
            subject,
            requirement,
            trust,
        ),
        Err(failure) => failure.into_verification(Format::Pep740),
    }
}

/// The Sigstore bundle that an attestation object is a rearrangement of.
fn to_bundle(attestation: &[u8]) -> Result<String, Failure> {
    let attestation: Attestation<'_> = serde_json::from_slice(attestation)
        .map_err(|e| Failure::malformed(format!("the attestation object cannot be read: {e}")))?;
    if attestation.version != 1 {
        return Err(Failure::unsupported(format!(
            "version {} of the attestation object",
            attestation.version
        )));
    }
    let material = &attestation.verification_material;
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": { "rawBytes": material.certificate },
            "tlogEntries": material.transparency_entries,
        },
        "dsseEnvelope": {
            "payloadType": PAYLOAD_TYPE,
            "payload": attestation.envelope.statement,
            "signatures": [{ "sig": attestation.envelope.signature }],
        },
    });
    Ok(Value::to_string(&bundle))
}

/// What a certificate has to say for the index's publisher to be its.
fn compare_publisher(mut found: Verification, publisher: &Publisher) -> Verification {
    // Only a genuine attestation can disagree with its publisher.
    let Some(signer) = &found.signer else { return found };
    match disagreement(&found, signer, publisher) {
        Ok(None) => found,
        Ok(Some(what)) => Failure::invalid(
            Reason::Publisher,
            format!("the index names another publisher than the certificate: its {what} differs"),
        )
        .into_verification(Format::Pep740),
        Err(kind) => {
            let kind = crate::verification::printable(kind);
            found.not_proven(format!(
                "the publisher that the index names: its kind `{kind}` is not one we compare"
            ));
            found
        }
    }
}

fn disagreement<'a>(
    found: &Verification,
    signer: &Signer,
    publisher: &'a Publisher,
) -> Result<Option<&'static str>, &'a str> {
    let (issuer, host) = match publisher.kind.as_str() {
        "GitHub" => (GITHUB_ISSUER, "https://github.com/"),
        "GitLab" => (GITLAB_ISSUER, "https://gitlab.com/"),
        "Google" => {
            let same = signer.issuer.as_deref() == Some(GOOGLE_ISSUER)
                && publisher.email.is_some()
                && signer.identity == publisher.email;
            return Ok((!same).then_some("e-mail address"));
        }
        other => return Err(other),
    };
    if signer.issuer.as_deref() != Some(issuer) {
        return Ok(Some("issuer"));
    }
    let repository = publisher.repository.as_ref().map(|path| format!("{host}{path}"));
    if repository.is_none() || found.source_repository != repository {
        return Ok(Some("repository"));
    }
    let named = publisher.workflow.as_ref().map(|file| format!(".github/workflows/{file}"));
    match named.as_ref().or(publisher.workflow_filepath.as_ref()) {
        Some(path) if found.workflow.as_ref() != Some(path) => Ok(Some("workflow")),
        _ => Ok(None),
    }
}
