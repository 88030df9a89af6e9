//! Statements about an image, as a registry of images shows them: manifests that refer to it, with the bundle as their one
//! layer, merged into the list that the upstream gives.
//!
//! They are documents of the door's own and not artifacts of an upstream: their digests are those of what was generated here,
//! and they are told only to whoever asks in the repository and about the image that they are of.

use std::sync::Arc;

use http::{StatusCode, header};
use serde_json::{Value, json};
use tidegate_ecosystems::oci::{self, CONTENT_DIGEST, REFERRERS};
use tidegate_ecosystems::{Answer, ApiCall, FileSelector};
use tidegate_model::coordinate::package_purl;
use tidegate_model::{Ecosystem, PackageName, Sha256};
use tidegate_provenance::custody::BUNDLE_MEDIA_TYPE;
use tidegate_store::catalogue::{CatalogueError, CustodyDocument, CustodyOf};

use crate::door::Door;
use crate::pipeline::{PackageRequest, images};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The configuration of a manifest that needs none.
const EMPTY_BODY: &[u8] = b"{}";
/// Where Sigstore's tools look for what a bundle says.
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
const CONTENT: &str = "dev.sigstore.bundle.content";
/// The most events of one image that are listed.
const MAX_EVENTS: u32 = 500;

/// An image that statements refer to.
pub(super) struct Image {
    digest: Sha256,
    bytes: u64,
    media_type: String,
}

impl Image {
    /// An image by its manifest; `media_type` as that says, which it need not.
    pub(super) fn of(digest: Sha256, bytes: u64, media_type: Option<String>) -> Self {
        Self { digest, bytes, media_type: media_type.unwrap_or_else(|| MANIFEST.to_owned()) }
    }

    /// The manifest that holds one bundle and refers to the image (OCI image specification 1.1, artifacts).
    pub(super) fn manifest(&self, predicate_type: &str, bundle: &Sha256, bytes: usize) -> Vec<u8> {
        let empty = super::event::digest(EMPTY_BODY);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": BUNDLE_MEDIA_TYPE,
            "config": { "mediaType": EMPTY, "digest": empty.to_string(), "size": EMPTY_BODY.len(), "data": "e30=" },
            "layers": [{ "mediaType": BUNDLE_MEDIA_TYPE, "digest": bundle.to_string(), "size": bytes }],
            "subject": { "mediaType": self.media_type, "digest": self.digest.to_string(), "size": self.bytes },
            "annotations": annotations(predicate_type),
        });
        serde_json::to_vec(&manifest).expect("plain JSON")
    }
}

fn annotations(predicate_type: &str) -> Value {
    json!({ CONTENT: "dsse-envelope", PREDICATE_TYPE: predicate_type })
}

/// Adds our statements to the answer of an upstream about what refers to an image.
///
/// # Errors
/// The catalogue's.
pub(crate) async fn merge(
    door: &Arc<Door>,
    request: &PackageRequest,
    call: &ApiCall,
    mut answer: Answer,
) -> Result<Answer, CatalogueError> {
    let is_list = call.service == REFERRERS
        && request.repository.ecosystem == Ecosystem::Oci
        && answer.status == StatusCode::OK
        && door.custody.is_some();
    let digest = call.version.as_ref().and_then(|version| version.as_str().parse::<Sha256>().ok());
    let (Some(package), Some(digest)) = (call.package.as_ref().filter(|_| is_list), digest) else {
        return Ok(answer);
    };
    let wanted = call.query.is_empty() || call.query.iter().any(|(_, value)| value == BUNDLE_MEDIA_TYPE);
    if !wanted {
        return Ok(answer);
    }
    let (repository, package) = (request.repository.name.to_string(), package_purl(package));
    let events = door.catalogue(move |c| c.custody_events(&digest, MAX_EVENTS)).await?;
    let is_of = |purl: &str| purl.strip_prefix(&*package).is_some_and(|rest| rest.starts_with('@'));
    let events = events.into_iter().filter(|event| event.repository == repository && is_of(&event.purl));
    let ours = events.flat_map(|event| event.statements).filter_map(|statement| {
        let (digest, manifest) = statement.manifest?;
        Some(json!({
            "mediaType": MANIFEST,
            "digest": digest.to_string(),
            "size": manifest.len(),
            "artifactType": BUNDLE_MEDIA_TYPE,
            "annotations": annotations(&statement.predicate_type),
        }))
    });
    let Ok(mut list) = serde_json::from_slice::<Value>(&answer.body) else { return Ok(answer) };
    if let Some(Value::Array(all)) = list.get_mut("manifests") {
        all.extend(ours);
        answer.body = list.to_string().into();
    }
    Ok(answer)
}

/// A statement that is asked for by the digest of its manifest or its bundle; none where it is no such thing.
///
/// # Errors
/// The catalogue's.
pub(crate) async fn document(
    door: &Arc<Door>,
    request: &PackageRequest,
    name: &PackageName,
    selector: &FileSelector,
) -> Result<Option<(Sha256, Answer)>, CatalogueError> {
    if door.custody.is_none() {
        return Ok(None);
    }
    let (digest, is_manifest) = match selector {
        FileSelector::Blob(digest) => (*digest, false),
        FileSelector::Manifest(reference) => match reference.parse::<Sha256>() {
            Ok(digest) => (digest, true),
            Err(_) => return Ok(None),
        },
        FileSelector::Name(_) | FileSelector::Version(_) | FileSelector::Path { .. } => return Ok(None),
    };
    // What an image of the upstream holds is had as part of that.
    if let Ok(known) = images::known(door, &request.repository, name).await
        && !(known.holders_of(&digest).is_empty() && known.leaves_of(&digest).is_empty())
    {
        return Ok(None);
    }
    let (repository, package) = (request.repository.name.to_string(), package_purl(name));
    let is_empty = !is_manifest && digest == super::event::digest(EMPTY_BODY);
    let found = door
        .catalogue(move |c| {
            let of = CustodyOf { repository: &repository, package: &package };
            if is_empty {
                return Ok(c.has_custody(of)?.then(|| CustodyDocument::Bundle(EMPTY_BODY.to_vec())));
            }
            c.custody_document(of, &digest)
        })
        .await?;
    let (media_type, body) = match found {
        Some(CustodyDocument::Manifest(body)) if is_manifest && oci::accepts(&request.headers, MANIFEST) => {
            (MANIFEST, body)
        }
        Some(CustodyDocument::Bundle(body)) if !is_manifest => ("application/octet-stream", body),
        _ => return Ok(None),
    };
    let answer = Answer::new(StatusCode::OK, media_type, body)
        .with_header(CONTENT_DIGEST, &digest.to_string())
        .with_header(header::ETAG, &format!("\"{digest}\""))
        .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .with_header(header::CACHE_CONTROL, "private, no-cache");
    Ok(Some((digest, answer)))
}
