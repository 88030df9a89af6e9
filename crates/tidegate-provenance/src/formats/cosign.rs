//! Cosign over OCI images. Version 3 pushes bundles as referrers; version 2 a tag `sha256-<digest>.sig` whose layers are
//! simple-signing payloads, with signature, certificate and log entry in the layers' annotations.
//!
//! In both, what is signed names the digest of a manifest. An index and the manifests in it have digests of their own: a
//! signature of one says nothing of the other.

use base64::Engine as _;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tidegate_model::{Algorithm, Digest};

use crate::keys::KeyUsage;
use crate::requirement::Requirement;
use crate::roots::Trust;
use crate::sigstore;
use crate::subject::Subject;
use crate::verification::{Evidence, Failure, Format, Reason, State, Verification, bounded};

use super::{fill_key, miss_predicate, signed_by};

/// The `artifactType` of a referrer that holds a bundle begins with this.
pub const BUNDLE_ARTIFACT_TYPE: &str = "application/vnd.dev.sigstore.bundle";

/// The most bytes of a simple-signing payload. Real ones have some hundreds.
const MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// The type that a simple-signing payload states.
const SIMPLE_SIGNING: &str = "cosign container image signature";

/// Checks a bundle that a referrer of a manifest holds. `manifest` is the digest of the manifest it is said to be about.
pub fn verify_bundle(
    bundle: &[u8],
    manifest: &Digest,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Verification {
    // A bundle's subject has the digest of the manifest; cosign leaves its name to the registry's own naming.
    let subject = Subject::new([manifest.clone()]);
    sigstore::verify_text(Format::Cosign, bundle, KeyUsage::Any, &subject, requirement, trust)
}

/// One layer of a `.sig` manifest.
#[derive(Clone, Copy, Debug)]
pub struct SimpleSigning<'a> {
    /// The layer's bytes.
    pub payload: &'a [u8],
    /// Annotation `dev.cosignproject.cosign/signature`: base64.
    pub signature: &'a str,
    /// Annotation `dev.sigstore.cosign/certificate`: PEM, if it was signed with one.
    pub certificate: Option<&'a str>,
    /// Annotation `dev.sigstore.cosign/bundle`: the log's promise, as JSON.
    pub bundle: Option<&'a str>,
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference", default)]
    reference: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// The log's promise as cosign 2 keeps it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Promise {
    signed_entry_timestamp: String,
    payload: PromisePayload,
}

#[derive(Deserialize)]
struct PromisePayload {
    body: String,
    #[serde(rename = "integratedTime")]
    integrated_time: i64,
    #[serde(rename = "logIndex")]
    log_index: i64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// Checks one layer of a `.sig` manifest. With a certificate, the log's promise is needed too (and what was signed from
/// 2023-09 on is `promise_only`, unless the requirement sets another date); without one, a trusted key.
pub fn verify_simple(
    layer: SimpleSigning<'_>,
    manifest: &Digest,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Verification {
    check_simple(layer, manifest, requirement, trust).unwrap_or_else(|f| f.into_verification(Format::Cosign))
}

fn check_simple(
    layer: SimpleSigning<'_>,
    manifest: &Digest,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Result<Verification, Failure> {
    if layer.payload.len() > MAX_PAYLOAD_BYTES {
        return Err(Failure::malformed("the payload is larger than any real one"));
    }
    let signature = base64::engine::general_purpose::STANDARD
        .decode(layer.signature)
        .map_err(|_| Failure::malformed("the signature is not base64"))?;
    let mut found = match (layer.certificate, layer.bundle) {
        (Some(certificate), Some(promise)) => {
            by_certificate(layer, certificate, promise, requirement, trust)?
        }
        (Some(_), None) => {
            return Err(Failure::invalid(
                Reason::NoLogEvidence,
                "a certificate, and nothing of the log that saw it",
            ));
        }
        (None, _) => {
            let key = signed_by(layer.payload, &signature, requirement, trust)?;
            let kind = Verification::of(Format::Cosign, State::Verified);
            let mut found = Verification { evidence: Evidence::SignatureOnly, ..kind };
            fill_key(&mut found, key, requirement)?;
            miss_predicate(&mut found, requirement);
            found
        }
    };
    let payload: Payload = serde_json::from_slice(layer.payload)
        .map_err(|e| Failure::malformed(format!("the payload is no simple signing: {e}")))?;
    if payload.critical.kind != SIMPLE_SIGNING {
        return Err(Failure::malformed("the payload states another type than cosign's"));
    }
    let signed: Digest =
        payload.critical.image.digest.parse().map_err(|_| Failure::malformed("no manifest digest"))?;
    if signed != *manifest {
        return Err(Failure::invalid(
            Reason::ArtifactDigest,
            format!("the signature is of the manifest {signed}"),
        ));
    }
    found.subject_digest = Some(signed);
    found.subject_name = Some(bounded(&payload.critical.identity.reference)?).filter(|name| !name.is_empty());
    found.not_proven(
        "that it was signed under this name: the reference in the payload is what the signer typed",
    );
    Ok(found)
}

/// The layer as the bundle (0.1) that it is a rearrangement of: a signature over the payload's bytes, with a promise.
fn by_certificate(
    layer: SimpleSigning<'_>,
    certificate: &str,
    promise: &str,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Result<Verification, Failure> {
    let promise: Promise = serde_json::from_str(promise)
        .map_err(|e| Failure::malformed(format!("the log's promise cannot be read: {e}")))?;
    let der = sigstore_verify::types::DerCertificate::from_pem(certificate)
        .map_err(|_| Failure::malformed("the certificate is no PEM"))?;
    let log_id = hex::decode(&promise.payload.log_id)
        .map_err(|_| Failure::malformed("the log's id is not hexadecimal"))?;
    let engine = base64::engine::general_purpose::STANDARD;
    let digest = Sha256::digest(layer.payload);
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "verificationMaterial": {
            "x509CertificateChain": { "certificates": [{ "rawBytes": engine.encode(der.as_bytes()) }] },
            "tlogEntries": [{
                "logIndex": promise.payload.log_index.to_string(),
                "logId": { "keyId": engine.encode(log_id) },
                "kindVersion": { "kind": "hashedrekord", "version": "0.0.1" },
                "integratedTime": promise.payload.integrated_time.to_string(),
                "inclusionPromise": { "signedEntryTimestamp": promise.signed_entry_timestamp },
                "canonicalizedBody": promise.payload.body,
            }],
        },
        "messageSignature": {
            "messageDigest": { "algorithm": "SHA2_256", "digest": engine.encode(digest) },
            "signature": layer.signature,
        },
    })
    .to_string();
    let payload =
        Digest::from_bytes(Algorithm::Sha256, &digest).ok_or_else(|| Failure::malformed("no digest"))?;
    let bundle = sigstore::parse(bundle.as_bytes())?;
    // The payload is the bundle's artifact; the manifest in it is compared by the caller.
    let subject = Subject::new([payload]);
    let mut found = sigstore::verify(Format::Cosign, &bundle, KeyUsage::Any, &subject, requirement, trust)?;
    found.not_proven.retain(|sentence| !sentence.contains("under this name"));
    Ok(found)
}
