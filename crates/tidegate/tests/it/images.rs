//! Images through the door: tags, indexes, manifests and their layers, and what is found in one of them.

use serde_json::json;
use tidegate_testkit::FakeUpstream;
use tidegate_testkit::client::RawResponse;
use tidegate_testkit::upstream::{
    IMAGE_INDEX, IMAGE_MANIFEST, PushedImage, content_digest, descriptor, index_of, layer,
};

use crate::support::{Setup, TestDoor, json};

/// A registry, and the host of its blobs, which has another name.
pub(crate) struct Registry {
    pub(crate) registry: FakeUpstream,
    pub(crate) content: FakeUpstream,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let content = FakeUpstream::start();
        let files = format!("http://localhost:{}", content.address().port());
        let registry = FakeUpstream::builder().catalog(content.catalog()).files_at(&files).start();
        Self { registry, content }
    }

    pub(crate) fn image(&self, repository: &str, tag: &str, files: &[(&str, &[u8])]) -> PushedImage {
        self.registry.catalog().image(repository, tag, &[layer(&[("etc/base", b"base")]), layer(files)])
    }

    /// An index of an image for each of two architectures.
    pub(crate) fn index(&self, repository: &str, tag: &str, [one, two]: [&[(&str, &[u8])]; 2]) -> Index {
        let catalog = self.registry.catalog();
        let base = layer(&[("etc/base", b"base")]);
        let [one, two] = [("amd64", one), ("arm64", two)].map(|(architecture, files)| {
            catalog.platform_image(repository, None, architecture, &[base.clone(), layer(files)])
        });
        let index = index_of(&[("amd64", &one.manifest), ("arm64", &two.manifest)]).to_string();
        let digest = catalog.manifest(repository, Some(tag), IMAGE_INDEX, index.into());
        Index { digest, one, two }
    }

    pub(crate) fn stop(&self) {
        self.registry.stop();
        self.content.stop();
    }
}

/// An image for two architectures.
pub(crate) struct Index {
    pub(crate) digest: String,
    pub(crate) one: PushedImage,
    pub(crate) two: PushedImage,
}

pub(crate) fn manifest(repository: &str, reference: &str) -> String {
    format!("/v2/oci/{repository}/manifests/{reference}")
}

pub(crate) fn blob(repository: &str, digest: &str) -> String {
    format!("/v2/oci/{repository}/blobs/{digest}")
}

/// Refuses what does harm, and nothing else.
pub(crate) const BAD_CONTENTS: &str = r#"
[[rule]]
id = "bad-contents"
action = "block"
unknown = "allow"
message = "its contents are bad"
[rule.when]
any = [
    { "contents.verdict" = "malicious" },
    { "contents.verdict" = "suspicious" },
    { "model.unsafe_code" = true },
]
"#;

/// A file that does harm when it is loaded; nobody does.
pub(crate) fn malicious() -> Vec<u8> {
    crate::models::bad_pickle(10)
}

fn door(registry: &Registry) -> TestDoor {
    Setup::new(&registry.registry).open()
}

#[track_caller]
pub(crate) fn served(response: &RawResponse) {
    assert_eq!(response.status, 200, "{} {}", response.reason, response.text());
}

#[track_caller]
pub(crate) fn refused(response: &RawResponse, why: &str) {
    assert_eq!(response.status, 403, "{} {}", response.reason, response.text());
    let error = &json(response)["errors"][0];
    assert_eq!(error["code"], "DENIED");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(why), "{message}");
    assert!(response.header("x-tidegate-decision").is_some_and(|id| id != "none"), "it was decided");
}

#[test]
fn an_image_passes_byte_for_byte_and_leads_nowhere_else() {
    let registry = Registry::start();
    let index = registry.index("org/app", "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let door = door(&registry);
    let version = door.get("/v2/");
    assert_eq!(
        (version.status, version.header("docker-distribution-api-version")),
        (200, Some("registry/2.0"))
    );
    for reference in ["v1", &index.digest] {
        for method in ["HEAD", "GET"] {
            let response = door.ask(method, &manifest("org/app", reference), &[]);
            served(&response);
            assert_eq!(response.header("docker-content-digest"), Some(&*index.digest));
            assert_eq!(response.header("content-type"), Some(IMAGE_INDEX));
            assert_eq!(response.header("etag"), Some(&*format!("\"{}\"", index.digest)));
            assert!(response.header("content-length").is_some_and(|length| length != "0"));
            assert_eq!(response.body.is_empty(), method == "HEAD");
        }
    }
    assert_eq!(registry.content.requests().len(), 0, "an index leads to layers, and holds none");
    assert_eq!(registry.registry.count("/manifests/v1"), 1, "what the tag is has come with it");
    let response = door.get(&manifest("org/app", &index.one.digest));
    served(&response);
    assert_eq!(response.body, index.one.manifest);
    assert_eq!(response.header("content-type"), Some(IMAGE_MANIFEST));
    for digest in index.one.layers.iter().chain([&index.one.config]) {
        for method in ["HEAD", "GET"] {
            let response = door.ask(method, &blob("org/app", digest), &[]);
            served(&response);
            assert_eq!(response.header("docker-content-digest"), Some(&**digest));
            assert!(response.header("location").is_none());
            assert!(method == "HEAD" || content_digest(&response.body) == *digest);
        }
    }
    let whole = door.get(&blob("org/app", &index.one.layers[1])).body;
    let part = door.ask("GET", &blob("org/app", &index.one.layers[1]), &["Range: bytes=10-19"]);
    assert_eq!((part.status, &part.body[..]), (206, &whole[10..20]));
    assert_eq!(registry.content.count("/layers/"), 3, "each once, from the other host");
    // What nobody asked for was not fetched, and is had as a part of the same image.
    assert_eq!(door.get(&blob("org/app", &index.two.layers[1])).status, 404);
    served(&door.get(&manifest("org/app", &index.two.digest)));
    served(&door.get(&blob("org/app", &index.two.layers[1])));
}

#[test]
fn what_came_once_is_served_while_the_registry_is_gone() {
    let registry = Registry::start();
    let index = registry.index("org/app", "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let door = door(&registry);
    let targets = [
        manifest("org/app", "v1"),
        manifest("org/app", &index.one.digest),
        blob("org/app", &index.one.config),
        blob("org/app", &index.one.layers[0]),
        blob("org/app", &index.one.layers[1]),
    ];
    let before: Vec<Vec<u8>> = targets.iter().map(|target| door.get(target).body).collect();
    registry.stop();
    let door = door.restart();
    // Layers first: what they belong to is still known.
    for (target, body) in targets.iter().zip(&before).rev() {
        let response = door.get(target);
        served(&response);
        assert_eq!(response.body, *body, "{target}");
    }
    door.clock().advance(86_400);
    let stale = door.get(&targets[0]);
    served(&stale);
    assert!(stale.header("x-tidegate-degraded").is_some(), "that the registry did not answer is said");
    assert_eq!(door.get(&manifest("org/app", "v2")).status, 502, "a failure is no absence");
}

#[test]
fn a_layer_is_had_through_an_image_of_its_own_repository() {
    let registry = Registry::start();
    let app = registry.image("org/app", "v1", &[("bin/app", b"app")]);
    let other = registry.image("org/other", "v1", &[("bin/other", b"other")]);
    // Not even where the registry has it in both.
    registry.registry.catalog().blob("org/other", layer(&[("bin/app", b"app")]));
    let door = door(&registry);
    for image in [&app, &other] {
        assert_eq!(door.get(&blob("org/app", &image.layers[1])).status, 404, "no image came through yet");
    }
    served(&door.get(&manifest("org/app", "v1")));
    served(&door.get(&blob("org/app", &app.layers[1])));
    let elsewhere = door.get(&blob("org/other", &app.layers[1]));
    assert_eq!(
        (elsewhere.status, json(&elsewhere)["errors"][0]["code"].as_str()),
        (404, Some("BLOB_UNKNOWN"))
    );
    assert_eq!(door.ask("HEAD", &blob("org/other", &app.layers[1]), &[]).status, 404);
    assert_eq!(door.get(&manifest("org/other", &app.digest)).status, 404, "nor is a manifest");
    served(&door.get(&manifest("org/other", "v1")));
    assert_eq!(door.get(&blob("org/other", &app.layers[1])).status, 404);
    // A layer that both hold is fetched for both: that one may be had says nothing of the other.
    assert_eq!(app.layers[0], other.layers[0]);
    served(&door.get(&blob("org/other", &app.layers[0])));
}

#[test]
fn a_part_of_a_refused_index_is_refused() {
    let registry = Registry::start();
    let index = registry.index("org/app", "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let purl = format!("pkg:docker/org/app@{}", index.digest);
    let rules = format!(
        "[[rule]]\nid = \"not-this\"\naction = \"block\"\nunknown = \"allow\"\nmessage = \"not this one\"\n\
         [rule.when]\n\"artifact.purl\" = \"{purl}\"\n"
    );
    let door = Setup::new(&registry.registry).policy(&rules).open();
    // Nobody asked for the index yet: the part is an image of its own.
    served(&door.get(&manifest("org/app", &index.two.digest)));
    refused(&door.get(&manifest("org/app", "v1")), "not this one");
    let mut door = door;
    for _ in 0..2 {
        for digest in [&index.digest, &index.one.digest, &index.two.digest] {
            refused(&door.get(&manifest("org/app", digest)), "not this one");
            assert_eq!(door.ask("HEAD", &manifest("org/app", digest), &[]).status, 403);
        }
        for digest in index.two.layers.iter().chain([&index.two.config]) {
            refused(&door.get(&blob("org/app", digest)), "not this one");
            assert_eq!(door.ask("GET", &blob("org/app", digest), &["Range: bytes=0-3"]).status, 403);
        }
        door = door.restart();
    }
    // A tag of its own makes it an image of its own again.
    registry.registry.catalog().manifest("org/app", Some("two"), IMAGE_MANIFEST, index.two.manifest.clone());
    served(&door.get(&manifest("org/app", "two")));
    served(&door.get(&manifest("org/app", &index.two.digest)));
    served(&door.get(&blob("org/app", &index.two.layers[1])));
    refused(&door.get(&manifest("org/app", &index.one.digest)), "not this one");
}

#[test]
fn what_is_found_in_one_layer_counts_for_the_whole_image() {
    let registry = Registry::start();
    let bad = malicious();
    let index = registry.index("org/app", "v1", [&[("bin/one", b"one")], &[("opt/weights.pkl", &bad)]]);
    let mut door = Setup::new(&registry.registry).policy(BAD_CONTENTS).open();
    served(&door.get(&manifest("org/app", "v1")));
    served(&door.get(&manifest("org/app", &index.one.digest)));
    served(&door.get(&blob("org/app", &index.one.layers[1])));
    refused(&door.get(&manifest("org/app", &index.two.digest)), "its contents are bad");
    for _ in 0..2 {
        for target in [
            manifest("org/app", "v1"),
            manifest("org/app", &index.one.digest),
            manifest("org/app", &index.two.digest),
            blob("org/app", &index.one.layers[1]),
            blob("org/app", &index.two.layers[1]),
            blob("org/app", &index.two.config),
        ] {
            refused(&door.get(&target), "its contents are bad");
        }
        door = door.restart();
    }
}

#[test]
fn an_image_whose_layers_lie_elsewhere_never_leaves() {
    let registry = Registry::start();
    let trap = FakeUpstream::start();
    let catalog = registry.registry.catalog();
    let image = registry.image("org/app", "fine", &[("bin/app", b"app")]);
    for (tag, media_type, urls) in [
        ("urls", "application/vnd.oci.image.layer.v1.tar+gzip", true),
        ("foreign", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", false),
    ] {
        let mut manifest: serde_json::Value = serde_json::from_slice(&image.manifest).unwrap();
        manifest["layers"][1]["mediaType"] = json!(media_type);
        if urls {
            manifest["layers"][1]["urls"] = json!([format!("{}/layer", trap.url())]);
        }
        catalog.manifest("org/app", Some(tag), IMAGE_MANIFEST, manifest.to_string().into());
    }
    let door = Setup::new(&registry.registry).open();
    for source in ["observe", "baseline"] {
        door.door.put_in_force(&tidegate::door::PolicySource::Pack(source.into())).unwrap();
        for tag in ["urls", "foreign"] {
            refused(&door.get(&manifest("org/app", tag)), "past this door");
            assert_eq!(door.ask("HEAD", &manifest("org/app", tag), &[]).status, 403);
        }
    }
    served(&door.get(&manifest("org/app", "fine")));
    assert_eq!(trap.requests().len(), 0);
}

#[test]
fn lists_are_named_as_the_client_asked() {
    let registry = Registry::start();
    let image = registry.image("org/app", "a", &[("bin/app", b"app")]);
    for tag in ["b", "c", "d"] {
        registry.image("org/app", tag, &[("bin/app", b"app")]);
    }
    let catalog = registry.registry.catalog();
    let mut signature = descriptor(IMAGE_MANIFEST, b"signature");
    signature["artifactType"] = json!("application/vnd.test.signature");
    signature["urls"] = json!(["https://elsewhere.invalid/signature"]);
    catalog.refer("org/app", &image.digest, vec![signature]);
    let door = door(&registry);
    let first = door.get("/v2/oci/org/app/tags/list?n=3");
    assert_eq!(json(&first), json!({ "name": "oci/org/app", "tags": ["a", "b", "c"] }));
    assert_eq!(first.header("link"), Some("</v2/oci/org/app/tags/list?last=c&n=3>; rel=\"next\""));
    assert_eq!(json(&door.get("/v2/oci/org/app/tags/list?last=c&n=3"))["tags"], json!(["d"]));
    let target = format!("/v2/oci/org/app/referrers/{}", image.digest);
    let all = door.get(&target);
    assert_eq!(json(&all)["manifests"].as_array().unwrap().len(), 1);
    assert!(!all.text().contains("elsewhere"), "{}", all.text());
    let none = door.get(&format!("{target}?artifactType=other"));
    assert_eq!(json(&none)["manifests"], json!([]));
    assert_eq!(none.header("oci-filters-applied"), Some("artifactType"));
    // A registry that knows no referrers keeps them under a tag.
    let other = content_digest(b"other");
    let empty = door.get(&format!("/v2/oci/org/app/referrers/{other}"));
    assert_eq!((empty.status, &json(&empty)["manifests"]), (200, &json!([])));
    let list = index_of(&[("amd64", b"signature")]).to_string();
    let third = content_digest(b"third");
    catalog.manifest("org/app", Some(&third.replace(':', "-")), IMAGE_INDEX, list.into());
    let found = door.get(&format!("/v2/oci/org/app/referrers/{third}"));
    assert_eq!(json(&found)["manifests"][0]["digest"], content_digest(b"signature"));
}

#[test]
fn registries_are_found_by_path_or_by_their_name() {
    let registry = Registry::start();
    registry.image("org/app", "v1", &[("bin/app", b"app")]);
    let second = Registry::start();
    second.image("org/app", "v1", &[("bin/app", b"of the second")]);
    let door = Setup::new(&registry.registry)
        .with(|config| {
            let named = crate::support::named("second", &second.registry, tidegate_model::Ecosystem::Oci);
            let mut repository = crate::support::repository(vec![named]);
            repository.ecosystem = Some(tidegate_model::Ecosystem::Oci);
            repository.registries = vec!["Images.test".into()];
            config.repository.insert("second".into(), repository);
        })
        .open();
    let digest = |target: &str| {
        let response = door.get(target);
        (response.status, response.header("docker-content-digest").map(str::to_owned))
    };
    let first = digest("/v2/oci/org/app/manifests/v1");
    let second_one = digest("/v2/second/org/app/manifests/v1");
    assert!(first.0 == 200 && second_one.0 == 200 && first != second_one);
    assert_eq!(digest("/v2/org/app/manifests/v1?ns=images.test"), second_one);
    let host = format!("127.0.0.1%3A{}", registry.registry.address().port());
    assert_eq!(digest(&format!("/v2/org/app/manifests/v1?ns={host}")), first);
    assert_eq!(digest("/oci/org/app/manifests/v1"), first, "as containerd asks below a path of its own");
    for nowhere in [
        "/v2/org/app/manifests/v1",
        "/v2/org/app/manifests/v1?ns=elsewhere.test",
        "/v2/npm/org/app/manifests/v1",
        "/v2/oci/org/app/manifests/v1?ns=images.test",
        "/v2/oci",
    ] {
        let response = door.get(nowhere);
        assert_eq!(response.status, 404, "{nowhere}");
        assert!(json(&response)["errors"][0]["message"].is_string(), "{nowhere}");
    }
}

#[test]
fn a_client_that_takes_no_indexes_is_told_so() {
    let registry = Registry::start();
    registry.index("org/app", "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let door = door(&registry);
    let accept = format!("Accept: {IMAGE_MANIFEST}");
    let response = door.ask("GET", &manifest("org/app", "v1"), &[&accept]);
    assert_eq!(
        (response.status, json(&response)["errors"][0]["code"].as_str()),
        (404, Some("MANIFEST_UNKNOWN"))
    );
    served(&door.ask("GET", &manifest("org/app", "v1"), &[&format!("{accept}, {IMAGE_INDEX}")]));
}

#[test]
fn tokens_are_had_where_the_registry_says() {
    // Variables of this process cannot be changed safely, so one that every test has is used.
    let variable = "CARGO_PKG_NAME";
    let known = {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(std::env::var(variable).unwrap());
        format!("Basic {encoded}")
    };
    let files = FakeUpstream::builder().handing_out_tokens(&known).start();
    let url = format!("http://localhost:{}", files.address().port());
    let registry =
        FakeUpstream::builder().catalog(files.catalog()).files_at(&url).handing_out_tokens(&known).start();
    let image = registry.catalog().image("org/app", "v1", &[layer(&[("etc/base", b"base")])]);
    let setup = Setup::new(&registry);
    assert_eq!(setup.open().get(&manifest("org/app", "v1")).status, 502, "without credentials there is none");
    let door = Setup::new(&registry)
        .with(|config| {
            let upstream = &mut config.repository.get_mut("oci").unwrap().upstream[0];
            upstream.basic_env = Some(variable.into());
        })
        .open();
    files.forget_requests();
    served(&door.get(&manifest("org/app", "v1")));
    served(&door.get(&blob("org/app", &image.layers[0])));
    assert_eq!(files.count("/token"), 1, "one token for what it is for");
    let sent = |request: &tidegate_testkit::upstream::Recorded, scheme: &str| {
        let value = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.starts_with(scheme))
    };
    let on_content = files.requests();
    let on_content: Vec<_> = on_content.iter().filter(|r| r.path.starts_with("/layers/")).collect();
    assert!(!on_content.is_empty() && on_content.iter().all(|r| r.headers.get("authorization").is_none()));
    assert!(registry.requests().iter().any(|request| sent(request, "Bearer ")));
    assert!(
        files.requests().iter().all(|request| !sent(request, "Bearer ")),
        "a token stays with its registry"
    );
}
