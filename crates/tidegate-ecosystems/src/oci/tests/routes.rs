//! What a path asks for, and what no path may.

use http::{HeaderMap, Method};
use tidegate_model::Denial;
use tidegate_model::denial::DenialKind;
use url::Url;

use super::app;
use crate::oci::challenge::{Challenge, bearer};
use crate::oci::{Oci, accepts};
use crate::upstream::UpstreamBase;
use crate::{ApiCall, Ask, ClientRequest, Commits, FileSelector, Part, Protocol};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn read(method: &Method, target: &str) -> Result<Ask, String> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let headers = HeaderMap::new();
    let request = ClientRequest { method, path, query, headers: &headers, body: b"" };
    Oci.route(&request).map_err(|error| error.to_string())
}

fn get(target: &str) -> Result<Ask, String> {
    read(&Method::GET, target)
}

fn file(ask: Result<Ask, String>) -> (String, FileSelector) {
    match ask {
        Ok(Ask::Artifact { package, file, part: Part::Whole }) => (package.to_string(), file),
        other => panic!("{other:?}"),
    }
}

fn service(ask: Result<Ask, String>) -> ApiCall {
    match ask {
        Ok(Ask::Api(call)) => call,
        other => panic!("{other:?}"),
    }
}

#[test]
fn manifests_and_blobs_are_read_from_the_end_of_the_path() {
    for (path, name, expected) in [
        ("org/app/manifests/v1.0", "org/app", FileSelector::Manifest("v1.0".into())),
        ("app/manifests/_", "app", FileSelector::Manifest("_".into())),
        ("a/b/c/manifests/latest", "a/b/c", FileSelector::Manifest("latest".into())),
        ("manifests/blobs/manifests/x", "manifests/blobs", FileSelector::Manifest("x".into())),
        (&format!("org/app/manifests/{DIGEST}"), "org/app", FileSelector::Manifest(DIGEST.into())),
        (&format!("org/app/blobs/{DIGEST}"), "org/app", FileSelector::Blob(DIGEST.parse().unwrap())),
    ] {
        assert_eq!(file(get(path)), (name.into(), expected.clone()), "{path}");
        assert_eq!(file(read(&Method::HEAD, path)), (name.into(), expected), "{path}");
    }
}

#[test]
fn what_is_no_name_tag_or_digest_is_refused() {
    for path in [
        "manifests/latest",
        "org/app/manifests",
        "org/app/manifests/",
        "org//app/manifests/latest",
        "/org/app/manifests/latest",
        "Org/app/manifests/latest",
        "org/app/manifests/.x",
        "org/app/manifests/-x",
        "org/app/manifests/a%3ab",
        "org%2fapp/manifests/latest",
        "org/../app/manifests/latest",
        "org/app/manifests/latest/x",
        "org/app/tags",
        "org/app/tags/list/x",
        "org/app",
        "org/app/blobs/latest",
        "org/app/blobs/sha256:00",
        "org/app/blobs/SHA256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "org/app/blobs/sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
        "org/app/manifests/sha256:0123",
        &format!("org/app/manifests/{}", "t".repeat(129)),
        &format!("{}/manifests/x", "a/".repeat(300)),
    ] {
        assert!(get(path).is_err(), "{path}: {:?}", get(path));
    }
    let other = format!("sha512:{}", "0".repeat(128));
    for path in [format!("org/app/blobs/{other}"), format!("org/app/manifests/{other}")] {
        assert!(matches!(get(&path), Ok(Ask::NotOffered { what }) if what.contains("SHA-256")), "{path}");
    }
}

#[test]
fn pushing_and_browsing_are_named_and_not_offered() {
    for (method, path) in [
        (Method::POST, "org/app/blobs/uploads/"),
        (Method::POST, "org/app/blobs/uploads"),
        (Method::PATCH, "org/app/blobs/uploads/some-id"),
        (Method::PUT, "org/app/manifests/latest"),
        (Method::DELETE, "org/app/manifests/latest"),
        (Method::GET, "_catalog"),
    ] {
        assert!(matches!(read(&method, path), Ok(Ask::NotOffered { .. })), "{method} {path}");
    }
    assert!(matches!(get(""), Ok(Ask::Generated { document: "api-version" })));
    assert!(read(&Method::POST, "org/app/tags/list").is_err());
}

#[test]
fn services_take_what_they_know() {
    let tags = service(get("org/app/tags/list?n=5&last=v1&n=9&x=y"));
    assert_eq!(tags.query, [("n".into(), "5".into()), ("last".into(), "v1".into())]);
    assert!(service(get("org/app/tags/list?n=many&last=../x")).query.is_empty());
    let referrers = service(get(&format!("org/app/referrers/{DIGEST}?artifactType=a%2Fb")));
    assert_eq!(referrers.version.unwrap().as_str(), DIGEST);
    assert_eq!(referrers.query, [("artifactType".into(), "a/b".into())]);
}

#[test]
fn addresses_keep_the_beginning_of_a_registry() {
    for (base, expected) in [
        ("https://registry.example/", "https://registry.example/v2/org/app/manifests/v1"),
        ("https://registry.example/v2/", "https://registry.example/v2/org/app/manifests/v1"),
        ("https://mirror.example/hub/cache/", "https://mirror.example/v2/hub/cache/org/app/manifests/v1"),
        ("http://127.0.0.1:8484/v2/oci/", "http://127.0.0.1:8484/v2/oci/org/app/manifests/v1"),
    ] {
        let upstream = UpstreamBase { url: Url::parse(base).unwrap() };
        assert_eq!(Oci.revision_request(&app(), "v1", &upstream).url.as_str(), expected);
    }
    let call = service(get(&format!("org/app/referrers/{DIGEST}")));
    let upstream = UpstreamBase { url: Url::parse("https://registry.example/").unwrap() };
    let (fallback, empty) = Oci.api_fallback(&call, &upstream).unwrap();
    assert!(fallback.url.path().ends_with(&format!("/manifests/{}", DIGEST.replace(':', "-"))));
    assert!(serde_json::from_slice::<serde_json::Value>(&empty).unwrap()["manifests"].is_array());
}

#[test]
fn a_client_gets_what_it_takes() {
    let index = "application/vnd.oci.image.index.v1+json";
    for (lines, expected) in [
        (&[][..], true),
        (&[index], true),
        (&["*/*"], true),
        (&["application/vnd.docker.distribution.manifest.v2+json"], false),
        (&["text/plain", "application/vnd.oci.image.index.v1+json;q=0.5, x/y"], true),
    ] {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(http::header::ACCEPT, line.parse().unwrap());
        }
        assert_eq!(accepts(&headers, index), expected, "{lines:?}");
    }
}

#[test]
fn challenges_are_read() {
    let read = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.append("www-authenticate", "Basic realm=\"x\"".parse().unwrap());
        headers.append("www-authenticate", value.parse().unwrap());
        bearer(&headers)
    };
    let whole = Challenge {
        realm: "https://auth.example/token".into(),
        service: Some("registry.example".into()),
        scope: Some("repository:org/app:pull,push".into()),
    };
    for text in [
        "Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:org/app:pull,push\"",
        "bearer Scope=\"repository:org/app:pull,push\", service=registry.example, realm=\"https://auth.example/token\"",
    ] {
        assert_eq!(read(text), Some(whole.clone()), "{text}");
    }
    assert_eq!(read("Bearer realm=\"a\\\"b\"").unwrap().realm, "a\"b");
    for none in
        ["Bearer", "Bearer ", "Bearer service=\"x\"", "Bearer realm=\"x", "Digest realm=\"x\"", "B\u{e9}"]
    {
        assert_eq!(read(none), None, "{none}");
    }
}

#[test]
fn refusals_are_shown_by_clients() {
    let told = |kind| {
        let denial = Denial {
            kind,
            reason: "org/app refused by x: why".into(),
            detail: "more".into(),
            decision: None,
            help: None,
        };
        let headers = HeaderMap::new();
        let method = Method::GET;
        let request = ClientRequest { method: &method, path: "", query: None, headers: &headers, body: b"" };
        let answer = Oci.deny(&denial, &request);
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let error = &body["errors"][0];
        assert_eq!(error["message"], "org/app refused by x: why");
        let retry = answer.headers.get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        (answer.status.as_u16(), error["code"].as_str().unwrap().to_owned(), retry)
    };
    assert_eq!(told(DenialKind::Integrity), (403, "DENIED".into(), None));
    assert_eq!(told(DenialKind::NoSuchFile), (404, "BLOB_UNKNOWN".into(), None));
    assert_eq!(told(DenialKind::Unauthenticated), (401, "UNAUTHORIZED".into(), None));
    let pending = DenialKind::Pending { retry_after_seconds: 5 };
    assert_eq!(told(pending), (429, "TOOMANYREQUESTS".into(), Some("15".into())));
}
