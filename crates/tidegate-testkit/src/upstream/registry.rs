//! A registry of images: manifests by tag and digest, blobs that lie on another host, tags in pages, referrers, and tokens for
//! whom it knows.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use sha2::Digest as _;

use super::page::{Ask, Kind, Page};
use super::serve::State;

/// Tags on one page: few, so that lists have pages.
const PAGE_TAGS: usize = 3;
/// The token that it hands out.
const TOKEN: &str = "made-for-tests";

/// The media type of an image's manifest.
pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index of images.
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// One repository of a registry.
#[derive(Debug, Default)]
pub(super) struct Repository {
    /// By digest, with what each is served as.
    pub(super) manifests: BTreeMap<String, (String, Bytes)>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) blobs: BTreeMap<String, Bytes>,
    /// What refers to a digest, as descriptors.
    pub(super) referrers: BTreeMap<String, Vec<Value>>,
    /// Digests of manifests that are given another `Docker-Content-Digest`.
    pub(super) misnamed: BTreeSet<String>,
}

/// An image that was put into a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedImage {
    /// The digest of its manifest.
    pub digest: String,
    /// The manifest.
    pub manifest: Bytes,
    /// The digest of its configuration.
    pub config: String,
    /// The digests of its layers.
    pub layers: Vec<String>,
}

/// `sha256:` and the digits of bytes.
pub fn content_digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes)))
}

/// A descriptor of bytes.
pub fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": content_digest(bytes), "size": bytes.len() })
}

/// The configuration and the manifest of an image of these layers.
pub fn image_of(architecture: &str, layers: &[Bytes]) -> (Bytes, Value) {
    let ids: Vec<String> = layers.iter().map(|layer| content_digest(&unpacked(layer))).collect();
    let config = json!({
        "architecture": architecture, "os": "linux", "config": { "Cmd": ["/bin/true"] },
        "rootfs": { "type": "layers", "diff_ids": ids }, "history": [],
    });
    let config = Bytes::from(config.to_string());
    let layers: Vec<Value> = layers.iter().map(|layer| descriptor(LAYER, layer)).collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "config": descriptor(CONFIG, &config), "layers": layers,
    });
    (config, manifest)
}

/// A layer as it is applied; what is not gzip is taken as it is.
fn unpacked(layer: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut plain = Vec::new();
    match flate2::read::GzDecoder::new(layer).read_to_end(&mut plain) {
        Ok(_) => plain,
        Err(_) => layer.to_vec(),
    }
}

/// An index of manifests, each for an architecture.
pub fn index_of(manifests: &[(&str, &[u8])]) -> Value {
    let entries: Vec<Value> = manifests
        .iter()
        .map(|(architecture, manifest)| {
            let mut entry = descriptor(IMAGE_MANIFEST, manifest);
            entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
            entry
        })
        .collect();
    json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": entries })
}

/// A gzip-compressed layer that holds these files.
pub fn layer(files: &[(&str, &[u8])]) -> Bytes {
    let files: Vec<(String, Bytes)> =
        files.iter().map(|(path, bytes)| ((*path).to_owned(), Bytes::copy_from_slice(bytes))).collect();
    crate::package::archive::layer(&files).into()
}

/// Answers below `/v2/`.
pub(super) fn answer(state: &State, ask: Ask<'_>, headers: &HeaderMap) -> Page {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if state.hands_out_tokens.is_some() && given != Some(&format!("Bearer {TOKEN}")) {
        let name = ask.path.split("/manifests/").next().unwrap_or_default();
        let challenge = format!(
            "Bearer realm=\"{}/token\",service=\"registry.test\",scope=\"repository:{name}:pull\"",
            state.files_base
        );
        return error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED").with("WWW-Authenticate", challenge);
    }
    if ask.path.is_empty() {
        return Page::json(&json!({}));
    }
    let parts: Vec<&str> = ask.path.split('/').collect();
    match parts.as_slice() {
        [name @ .., "manifests", reference] => manifest(state, &name.join("/"), reference, ask.accept),
        [name @ .., "blobs", digest] => blob(state, &name.join("/"), digest),
        [name @ .., "tags", "list"] => tags(state, &name.join("/"), ask.query),
        [name @ .., "referrers", digest] => referrers(state, &name.join("/"), digest),
        _ => error(StatusCode::NOT_FOUND, "UNSUPPORTED"),
    }
}

/// `/token`: for whom it knows.
pub(super) fn token(state: &State, headers: &HeaderMap, query: &str) -> Page {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let known = given.is_some() && given == state.hands_out_tokens.as_deref();
    if !known || !query.contains("scope=repository%3A") {
        return error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    }
    Page::json(&json!({ "token": TOKEN, "expires_in": 300 }))
}

fn error(status: StatusCode, code: &str) -> Page {
    let mut page = Page::json(&json!({ "errors": [{ "code": code, "message": "not here" }] }));
    page.status = status;
    page
}

fn manifest(state: &State, name: &str, reference: &str, accept: &str) -> Page {
    let contents = state.catalog.read();
    let Some(repository) = contents.registry.get(name) else {
        return error(StatusCode::NOT_FOUND, "NAME_UNKNOWN");
    };
    let digest = repository.tags.get(reference).map_or(reference, String::as_str);
    let Some((media_type, body)) =
        repository.manifests.get(digest).filter(|(media_type, _)| accept.contains(&**media_type))
    else {
        return error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN");
    };
    let stated =
        if repository.misnamed.contains(digest) { content_digest(b"another") } else { digest.to_owned() };
    let content_type = if media_type == IMAGE_INDEX { IMAGE_INDEX } else { IMAGE_MANIFEST };
    Page { status: StatusCode::OK, kind: Kind::File, content_type, body: body.clone(), headers: Vec::new() }
        .with("Docker-Content-Digest", stated)
}

fn blob(state: &State, name: &str, digest: &str) -> Page {
    let contents = state.catalog.read();
    let Some(bytes) = contents.registry.get(name).and_then(|repository| repository.blobs.get(digest)) else {
        return error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN");
    };
    if state.files_base == state.url {
        return Page::file(bytes.clone());
    }
    Page::text(StatusCode::TEMPORARY_REDIRECT, "")
        .with("Location", format!("{}/layers/{digest}?signed=yes", state.files_base))
}

/// Blobs, as a content network has them.
pub(super) fn content(state: &State, digest: &str) -> Page {
    let contents = state.catalog.read();
    let found = contents.registry.values().find_map(|repository| repository.blobs.get(digest));
    found.map_or_else(Page::not_found, |bytes| Page::file(bytes.clone()))
}

fn tags(state: &State, name: &str, query: &str) -> Page {
    let contents = state.catalog.read();
    let Some(repository) = contents.registry.get(name) else {
        return error(StatusCode::NOT_FOUND, "NAME_UNKNOWN");
    };
    let last = query.split('&').find_map(|pair| pair.strip_prefix("last=")).unwrap_or_default();
    let all: Vec<&String> = repository.tags.keys().filter(|tag| tag.as_str() > last).collect();
    let page: Vec<&&String> = all.iter().take(PAGE_TAGS).collect();
    let answer = Page::json(&json!({ "name": name, "tags": page }));
    match page.last().filter(|_| all.len() > PAGE_TAGS) {
        Some(last) => {
            let next = format!("<{}/v2/{name}/tags/list?n={PAGE_TAGS}&last={last}>; rel=\"next\"", state.url);
            answer.with("Link", next)
        }
        None => answer,
    }
}

fn referrers(state: &State, name: &str, digest: &str) -> Page {
    let contents = state.catalog.read();
    match contents.registry.get(name).and_then(|repository| repository.referrers.get(digest)) {
        Some(all) => Page::typed_json(
            IMAGE_INDEX,
            &json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": all }),
        ),
        // As older registries answer: they know no such route.
        None => Page::not_found(),
    }
}
