//! What is signed about a version: `dist.attestations` names a document, `dist.signatures` are the registry's own.

use serde::Deserialize;
use url::Url;

use super::JSON;
use crate::DocumentRequest;
use crate::signed::{AttestationDocument, AttestationForm, MAX_REGISTRY_SIGNATURES, RegistrySignatures};
use crate::upstream::MAX_API_BYTES;

#[derive(Deserialize)]
struct Version {
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
fn read(object: &[u8]) -> Option<Dist> {
    serde_json::from_slice::<Version>(object).ok()?.dist
}

/// The document that `dist.attestations.url` names, relative to the packument's own address.
pub(super) fn attestations(object: &[u8], packument: &Url) -> Option<AttestationDocument> {
    let address = read(object)?.attestations?.url?;
    let url = super::packument::resolve(packument, &address)?;
    Some(AttestationDocument {
        form: AttestationForm::Npm,
        request: DocumentRequest::get(url, JSON, MAX_API_BYTES),
        key: None,
    })
}

/// The registry's signatures over `name@version:integrity`; none without an integrity, which is what they would be over.
pub(super) fn signatures(object: &[u8]) -> Option<RegistrySignatures> {
    let dist = read(object)?;
    let signatures = dist.signatures.unwrap_or_default().into_iter().take(MAX_REGISTRY_SIGNATURES);
    let signatures: Vec<_> = signatures.map(|s| (s.keyid, s.sig)).collect();
    let integrity = dist.integrity.filter(|_| !signatures.is_empty())?;
    Some(RegistrySignatures { integrity, signatures })
}
