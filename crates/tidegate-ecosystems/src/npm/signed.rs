//! What is signed about a version: `dist.attestations` names a document, `dist.signatures` are the registry's own.

use serde::Deserialize;
use tidegate_model::PackageName;
use url::Url;

use super::JSON;
use crate::DocumentRequest;
use crate::signed::{AttestationDocument, AttestationForm, MAX_REGISTRY_SIGNATURES, RegistrySignature};
use crate::upstream::MAX_API_BYTES;

#[derive(Deserialize)]
struct Version {
    version: Option<String>,
    dist: Option<Dist>,
}

#[derive(Deserialize)]
struct Dist {
    integrity: Option<String>,
    attestations: Option<Attestations>,
    signatures: Option<Vec<Signature>>,
}

#[derive(Deserialize)]
struct Attestations {
    url: Option<String>,
}

#[derive(Deserialize)]
struct Signature {
    keyid: String,
    sig: String,
}

/// What stands in one version's object. Members of another form than npm's are as if they were not there: the packument was
/// read before, and what is missing then reads as not offered, never as verified.
fn read(object: &[u8]) -> Option<(Option<String>, Dist)> {
    let version: Version = serde_json::from_slice(object).ok()?;
    Some((version.version, version.dist?))
}

/// The document that `dist.attestations.url` names, relative to the packument's own address.
pub(super) fn attestations(object: &[u8], packument: &Url) -> Option<AttestationDocument> {
    let address = read(object)?.1.attestations?.url?;
    let url = super::packument::resolve(packument, &address)?;
    Some(AttestationDocument {
        form: AttestationForm::Npm,
        request: DocumentRequest::get(url, JSON, MAX_API_BYTES),
    })
}

/// The registry's signatures over `name@version:integrity`.
pub(super) fn signatures(object: &[u8], package: &PackageName) -> Vec<RegistrySignature> {
    let Some((Some(version), dist)) = read(object) else { return Vec::new() };
    let Some(integrity) = dist.integrity else { return Vec::new() };
    let message = format!("{package}@{version}:{integrity}");
    let signatures = dist.signatures.unwrap_or_default().into_iter().take(MAX_REGISTRY_SIGNATURES);
    signatures
        .map(|s| RegistrySignature { key_id: s.keyid, signature: s.sig, message: message.clone() })
        .collect()
}
