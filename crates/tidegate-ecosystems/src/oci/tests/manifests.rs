//! What manifests say, what they must not, and images that are put together out of them.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use tidegate_model::Sha256;
use url::Url;

use super::app;
use crate::oci::image::{Image, digest_of, first_listing};
use crate::oci::manifest::Manifest;
use crate::oci::{CONTENT_DIGEST, contradiction, lists};
use crate::upstream::UpstreamBase;
use crate::{Index as _, Links};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn descriptor(bytes: &[u8]) -> Value {
    json!({ "mediaType": "application/octet-stream", "digest": digest_of(bytes).to_string(), "size": bytes.len() })
}

fn image(config: &[u8], layers: &[&[u8]]) -> Value {
    let layers: Vec<Value> = layers.iter().map(|bytes| descriptor(bytes)).collect();
    json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": descriptor(config), "layers": layers })
}

fn index(manifests: &[&[u8]]) -> Value {
    let manifests: Vec<Value> = manifests.iter().map(|bytes| descriptor(bytes)).collect();
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests })
}

fn read(content_type: Option<&str>, body: &str) -> Result<Manifest, String> {
    Manifest::read(&app(), content_type, body.as_bytes()).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(body: &str, why: &str) {
    let error = read(None, body).expect_err(body);
    assert!(error.contains(why), "{error}");
}

#[test]
fn what_a_manifest_is_served_as() {
    let own = image(b"{}", &[b"layer"]).to_string();
    assert_eq!(read(None, &own).unwrap().media_type, IMAGE);
    assert_eq!(read(Some("application/json"), &own).unwrap().media_type, IMAGE);
    assert!(read(Some(DOCKER), &own).unwrap_err().contains("is served as"));
    let mut silent = image(b"{}", &[b"layer"]);
    silent.as_object_mut().unwrap().remove("mediaType");
    assert_eq!(
        read(Some(&format!("{DOCKER}; charset=utf-8")), &silent.to_string()).unwrap().media_type,
        DOCKER
    );
    assert_eq!(read(None, &silent.to_string()).unwrap().media_type, IMAGE);
}

#[test]
fn one_document_is_one_thing_to_everybody() {
    let both = {
        let mut both = image(b"{}", &[b"layer"]);
        both["manifests"] = json!([descriptor(b"other")]);
        both.to_string()
    };
    refused(&both, "`manifests` has no place");
    let own = image(b"{}", &[b"layer"]).to_string();
    refused(&own.replacen("\"layers\":", "\"layers\":[],\"layers\":", 1), "stands twice");
    refused(&own.replacen("\"layers\":", "\"Layers\":[],\"layers\":", 1), "another spelling of `layers`");
    let with =
        |name: &str| own.replacen("\"size\":", &format!("\"{name}\":[\"https://x.invalid\"],\"size\":"), 1);
    refused(&with("URLs"), "another spelling of `urls`");
    refused(&with("url\u{17f}"), "another spelling of `urls`");
    refused("[]", "no object");
    refused("{\"schemaVersion\":1}", "no longer served");
    refused(&own.replace(IMAGE, "text/html"), "no media type of a manifest");
    let digest = digest_of(b"layer").to_string();
    refused(&own.replace(&digest, "sha512:00"), "no SHA-256 digest");
    refused(&own.replace(&digest, &digest.to_uppercase()), "no SHA-256 digest");
    refused(
        &json!({ "schemaVersion": 2, "mediaType": IMAGE, "layers": [] }).to_string(),
        "`config` is missing",
    );
    refused(&format!("{}{}", "[".repeat(400), "]".repeat(400)), "recursion");
}

#[test]
fn parts_that_lie_elsewhere_are_noticed() {
    assert_eq!(read(None, &image(b"{}", &[b"layer"]).to_string()).unwrap().elsewhere, None);
    for (member, value) in [
        ("urls", json!(["https://elsewhere.invalid/layer"])),
        ("urls", json!("https://elsewhere.invalid/layer")),
        ("mediaType", json!("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")),
        ("mediaType", json!("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")),
    ] {
        let mut manifest = image(b"{}", &[b"layer"]);
        manifest["layers"][0][member] = value;
        let elsewhere = read(None, &manifest.to_string()).unwrap().elsewhere.unwrap();
        assert!(elsewhere.contains("past this door"), "{member}: {elsewhere}");
    }
    let mut manifest = image(b"{}", &[b"layer"]);
    manifest["layers"][0]["urls"] = json!([]);
    assert_eq!(read(None, &manifest.to_string()).unwrap().elsewhere, None, "an empty list leads nowhere");
}

#[test]
fn data_in_a_descriptor_is_of_its_digest() {
    let mut manifest = image(b"{}", &[b"layer"]);
    manifest["config"]["data"] = json!("e30=");
    assert!(read(None, &manifest.to_string()).is_ok());
    for wrong in [json!("e31="), json!("?"), json!(7)] {
        manifest["config"]["data"] = wrong;
        refused(&manifest.to_string(), "not of that digest");
    }
}

fn upstream() -> UpstreamBase {
    UpstreamBase { url: Url::parse("https://registry.example/").unwrap() }
}

#[test]
fn an_image_grows_by_what_was_asked_for() {
    let [one, two] =
        [image(b"{}", &[b"base", b"one"]), image(b"{}", &[b"base", b"two"])].map(|m| m.to_string());
    let root = index(&[one.as_bytes(), two.as_bytes()]).to_string();
    let listing = first_listing(&app(), Some(INDEX), root.as_bytes()).unwrap();
    let first = Image::read(&app(), &upstream(), &listing).unwrap();
    assert_eq!(first.root(), digest_of(root.as_bytes()));
    assert_eq!(first.files().len(), 3);
    assert_eq!(first.body(0).unwrap(), (&Bytes::from(root.clone()), INDEX));
    assert!(first.body(1).is_none() && first.blobs_of(0).is_empty() && first.leaves().next().is_none());
    assert_eq!(first.blob(&digest_of(b"base")), None);

    let listing = first.with(Some(IMAGE), one.as_bytes()).unwrap();
    let grown = Image::read(&app(), &upstream(), &listing).unwrap();
    let at = grown.manifest(&digest_of(one.as_bytes())).unwrap();
    assert_eq!(grown.body(at).unwrap().0, one.as_bytes());
    assert_eq!(grown.blobs_of(at).len(), 3);
    assert_eq!(grown.parts_of(at), None, "its configuration is of no image");
    let blob = grown.blob(&digest_of(b"base")).unwrap();
    let file = &grown.files()[blob];
    assert_eq!(file.file.as_str(), format!("blobs/{}", digest_of(b"base")));
    assert_eq!(file.location.path(), format!("/v2/org/app/blobs/{}", digest_of(b"base")));
    assert_eq!(file.version.as_str(), digest_of(root.as_bytes()).to_string());
    let leaves: Vec<Sha256> = grown.leaves().map(|at| grown.digest(at)).collect();
    assert_eq!(leaves, [digest_of(one.as_bytes())]);
    assert!(grown.with(Some(IMAGE), image(b"{}", &[b"foreign"]).to_string().as_bytes()).is_err());

    let other = tidegate_model::PackageName::parse(tidegate_model::Ecosystem::Oci, "org/other").unwrap();
    assert!(Image::read(&other, &upstream(), &listing).is_err(), "kept of another repository");
}

#[test]
fn layers_of_an_image_are_known_as_such() {
    let mut manifest = image(b"{}", &[b"base", b"top", b"base"]);
    manifest["config"]["mediaType"] = json!("application/vnd.oci.image.config.v1+json");
    let listing = first_listing(&app(), None, manifest.to_string().as_bytes()).unwrap();
    let read = Image::read(&app(), &upstream(), &listing).unwrap();
    let at = |bytes: &[u8]| read.blob(&digest_of(bytes)).unwrap();
    let parts = read.parts_of(0).unwrap();
    assert_eq!((parts.config, &parts.layers), (Some(at(b"{}")), &vec![at(b"base"), at(b"top"), at(b"base")]));
    assert!(read.is_layer(at(b"top")) && !read.is_layer(at(b"{}")) && !read.is_layer(0));
    assert_eq!(read.blobs_of(0).len(), 3, "each once");
}

#[test]
fn sizes_that_contradict_each_other_are_refused() {
    let manifest = image(b"{}", &[b"layer"]).to_string();
    let mut root = index(&[manifest.as_bytes()]);
    root["manifests"][0]["size"] = json!(7);
    let listing = first_listing(&app(), None, root.to_string().as_bytes()).unwrap();
    let first = Image::read(&app(), &upstream(), &listing).unwrap();
    let listing = first.with(None, manifest.as_bytes()).unwrap();
    assert!(Image::read(&app(), &upstream(), &listing).unwrap_err().to_string().contains("two sizes"));
}

#[test]
fn a_stated_digest_is_compared() {
    let said = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_DIGEST, text.parse().unwrap());
        contradiction(b"manifest", &headers)
    };
    assert_eq!(said(&digest_of(b"manifest").to_string()), None);
    assert!(said(&digest_of(b"other").to_string()).unwrap().contains("which is"));
    assert!(said("sha256:short").is_some());
    assert_eq!(contradiction(b"manifest", &HeaderMap::new()), None);
}

#[test]
fn lists_lead_nowhere_else() {
    let links = Links::below("http://door.test/v2/oci/");
    let link = "<https://registry.example/v2/org/app/tags/list?n=2&last=b&token=x>; rel=\"next\"";
    let body = br#"{"name":"org/app","tags":["a","b"]}"#;
    let answer = lists::tags(&app(), body, Some(link), &links).unwrap();
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(told, json!({ "name": "oci/org/app", "tags": ["a", "b"] }));
    assert_eq!(answer.headers["link"], "</v2/oci/org/app/tags/list?last=b&n=2>; rel=\"next\"");
    assert!(lists::tags(&app(), br#"{"tags":null}"#, None, &links).is_ok());
    assert!(lists::tags(&app(), b"{}", None, &links).is_err());

    let mut one = descriptor(b"signature");
    one["artifactType"] = json!("a/b");
    one["urls"] = json!(["https://elsewhere.invalid"]);
    one["data"] = json!("AAAA");
    let body = json!({ "schemaVersion": 2, "manifests": [one, descriptor(b"other")] }).to_string();
    let all = lists::referrers(&app(), body.as_bytes(), &[]).unwrap();
    assert!(
        !String::from_utf8_lossy(&all.body).contains("elsewhere")
            && !all.headers.contains_key("oci-filters-applied")
    );
    let some = lists::referrers(&app(), body.as_bytes(), &[("artifactType".into(), "a/b".into())]).unwrap();
    let told: Value = serde_json::from_slice(&some.body).unwrap();
    assert_eq!(told["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(some.headers["oci-filters-applied"], "artifactType");
}
