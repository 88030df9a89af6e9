//! What is signed about an image lies beside it in its registry: manifests that refer to it (OCI distribution specification
//! 1.1), or tags that are named after its digest. Here is where to ask and how to read the answers; what a signature proves
//! is for others to say.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidegate_model::version::is_content_digest;
use tidegate_model::{PackageName, Sha256};
use url::Url;

use super::{MAX_MANIFEST_BYTES, Oci, address, lists, strict};
use crate::upstream::MAX_API_BYTES;
use crate::{Commits as _, DocumentRequest, UpstreamBase};

/// The layers of a manifest that holds cosign's signatures: what each signs, with the signature in its annotations.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The type of a referrer whose layers are such.
pub const COSIGN_SIGNATURE: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";

/// The most entries of a list of referrers that are read, and the most annotations of each.
const MAX_ENTRIES: usize = 10_000;
const MAX_ANNOTATIONS: usize = 64;
/// The most bytes of an annotation: chains of certificates and a log's promise are the largest.
const MAX_ANNOTATION_BYTES: usize = 64 * 1024;

/// Something that a manifest or a list of referrers names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Its digest.
    pub digest: Sha256,
    /// How many bytes it has.
    pub size: u64,
    /// What it is.
    pub media_type: String,
    /// What kind of artifact, of a manifest.
    pub artifact_type: Option<String>,
    /// What else is said of it. One that is too long to be honest is left out.
    pub annotations: BTreeMap<String, String>,
}

/// What refers to an image, by the registry's own list.
pub fn referrers_request(package: &PackageName, digest: &Sha256, upstream: &UpstreamBase) -> DocumentRequest {
    let url = address(upstream, package, &["referrers", &digest.to_string()]);
    DocumentRequest::get(url, lists::ACCEPT, MAX_API_BYTES)
}

/// The same list, further on; none where the link leads anywhere but further in it.
pub fn next_referrers(link: &str, before: &DocumentRequest) -> Option<DocumentRequest> {
    let address = link.trim().strip_prefix('<')?.split('>').next()?;
    let url: Url = before.url.join(address).ok()?;
    let is_same = url.origin() == before.url.origin() && url.path() == before.url.path();
    (is_same && url.query().is_some() && url != before.url).then(|| DocumentRequest { url, ..before.clone() })
}

/// The tag under which a registry that knows no referrers keeps their list.
pub fn referrers_tag(digest: &Sha256) -> String {
    digest.to_string().replace(':', "-")
}

/// The tag under which cosign 2 keeps signatures.
pub fn signature_tag(digest: &Sha256) -> String {
    format!("{}.sig", referrers_tag(digest))
}

/// A manifest by tag or digest.
pub fn manifest_request(package: &PackageName, reference: &str, upstream: &UpstreamBase) -> DocumentRequest {
    DocumentRequest { max_bytes: MAX_MANIFEST_BYTES, ..Oci.revision_request(package, reference, upstream) }
}

/// A blob; one that is larger than it is said to be is not read to its end.
pub fn blob_request(package: &PackageName, blob: &Descriptor, upstream: &UpstreamBase) -> DocumentRequest {
    DocumentRequest::get(address(upstream, package, &["blobs", &blob.digest.to_string()]), "*/*", blob.size)
}

/// Reads a list of referrers.
///
/// # Errors
/// Why it is none.
pub fn read_referrers(body: &[u8]) -> Result<Vec<Descriptor>, String> {
    let list = strict::read(body)?;
    descriptors(&list, "manifests")
}

/// The layers of a manifest, and what kind of artifact it says that it is.
///
/// # Errors
/// Why it is no manifest.
pub fn read_layers(body: &[u8]) -> Result<(Option<String>, Vec<Descriptor>), String> {
    let manifest = strict::read(body)?;
    let kind = manifest.get("artifactType").and_then(Value::as_str).map(str::to_owned);
    // Before 1.1 of the image specification the configuration's type was the artifact's.
    let config = || manifest.get("config")?.get("mediaType")?.as_str().map(str::to_owned);
    Ok((kind.or_else(config), descriptors(&manifest, "layers")?))
}

fn descriptors(object: &Map<String, Value>, member: &str) -> Result<Vec<Descriptor>, String> {
    let Some(Value::Array(all)) = object.get(member) else { return Err(format!("it has no `{member}`")) };
    if all.len() > MAX_ENTRIES {
        return Err(format!("it names more than {MAX_ENTRIES}"));
    }
    all.iter()
        .map(|one| descriptor(one).ok_or_else(|| format!("one of its `{member}` is no descriptor")))
        .collect()
}

fn descriptor(value: &Value) -> Option<Descriptor> {
    let object = value.as_object()?;
    strict::one_spelling(object).ok()?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let digest = text("digest").filter(|text| is_content_digest(text))?.parse().ok()?;
    let annotations = object.get("annotations").and_then(Value::as_object);
    let annotations = annotations.into_iter().flatten().take(MAX_ANNOTATIONS).filter_map(|(name, value)| {
        let value = value.as_str().filter(|value| value.len() <= MAX_ANNOTATION_BYTES)?;
        Some((name.clone(), value.to_owned()))
    });
    Some(Descriptor {
        digest,
        size: object.get("size")?.as_u64()?,
        media_type: text("mediaType").unwrap_or_default(),
        artifact_type: text("artifactType"),
        annotations: annotations.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tidegate_model::Ecosystem;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn package() -> PackageName {
        PackageName::parse(Ecosystem::Oci, "org/app").unwrap()
    }

    fn base() -> UpstreamBase {
        UpstreamBase { url: "https://images.example/".parse().unwrap() }
    }

    #[test]
    fn addresses_are_those_of_the_specification_and_of_cosign() {
        let digest: Sha256 = DIGEST.parse().unwrap();
        let hex = DIGEST.strip_prefix("sha256:").unwrap();
        assert_eq!(
            referrers_request(&package(), &digest, &base()).url.as_str(),
            format!("https://images.example/v2/org/app/referrers/{DIGEST}")
        );
        assert_eq!(referrers_tag(&digest), format!("sha256-{hex}"));
        assert_eq!(signature_tag(&digest), format!("sha256-{hex}.sig"));
    }

    #[test]
    fn a_list_goes_on_in_itself_and_nowhere_else() {
        let first = referrers_request(&package(), &DIGEST.parse().unwrap(), &base());
        let path = first.url.path().to_owned();
        for (link, expected) in [
            (format!("<{path}?last=x>; rel=\"next\""), true),
            (format!("<https://images.example{path}?last=x>; rel=\"next\""), true),
            (format!("<https://elsewhere.invalid{path}?last=x>"), false),
            ("</v2/org/other/referrers/x?last=x>".to_owned(), false),
            (format!("<{path}>"), false),
            ("nonsense".to_owned(), false),
        ] {
            assert_eq!(next_referrers(&link, &first).is_some(), expected, "{link}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let list = |manifests: Value| json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
        let one = json!({ "mediaType": "m", "digest": DIGEST, "size": 3, "artifactType": "a", "annotations": { "k": "v", "n": 1 } });
        let read = read_referrers(list(json!([one])).as_bytes()).unwrap();
        assert_eq!((read[0].size, read[0].artifact_type.as_deref()), (3, Some("a")));
        assert_eq!(read[0].annotations.get("k").map(String::as_str), Some("v"));
        assert!(read_referrers(list(json!([])).as_bytes()).unwrap().is_empty());
        let long = json!({ "digest": DIGEST, "size": 1, "annotations": { "k": "x".repeat(MAX_ANNOTATION_BYTES + 1) } });
        assert!(read_referrers(list(json!([long])).as_bytes()).unwrap()[0].annotations.is_empty());
        for bad in [
            json!([{ "digest": "sha256:x", "size": 1 }]),
            json!([{ "digest": DIGEST }]),
            json!([{ "digest": DIGEST, "Digest": DIGEST, "size": 1 }]),
            json!(["x"]),
            json!({}),
        ] {
            assert!(read_referrers(list(bad.clone()).as_bytes()).is_err(), "{bad}");
        }
        assert!(read_referrers(b"<html>").is_err());
        let (kind, layers) =
            read_layers(json!({ "config": { "mediaType": "c" }, "layers": [one] }).to_string().as_bytes())
                .unwrap();
        assert_eq!((kind.as_deref(), layers.len()), (Some("c"), 1));
    }
}
