//! What is signed about images through the door: bundles that refer to them, cosign's signatures under tags, by builds and by
//! keys; as they are, tampered with, of other images, and gone.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tidegate::config::SigstoreInstance;
use tidegate_provenance::testing::{Build, CosignLayer, Sigstore, Tamper, key, slsa, statement};
use tidegate_testkit::Fault;
use tidegate_testkit::client::RawResponse;
use tidegate_testkit::upstream::{IMAGE_INDEX, IMAGE_MANIFEST, PushedImage, content_digest, descriptor};

use crate::images::{Registry, manifest, refused, served};
use crate::support::{Setup, TestDoor, json};

const REPOSITORY: &str = "org/app";
/// How the page of a decision says that what is signed proves nothing here.
const UNPROVEN: &str = "provenance unsupported";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

fn image(registry: &Registry) -> PushedImage {
    registry.image(REPOSITORY, "v1", &[("bin/app", b"app")])
}

/// A door that believes the instance for images, and these keys.
fn door_with(registry: &Registry, sigstore: &Sigstore, keys: &[String]) -> TestDoor {
    let setup = Setup::new(&registry.registry);
    let folder = setup.data().to_owned();
    let root = folder.join("trusted-root.json");
    std::fs::write(&root, sigstore.trusted_root()).unwrap();
    let mut paths = Vec::new();
    for (number, pem) in keys.iter().enumerate() {
        paths.push(folder.join(format!("key-{number}.pem")));
        std::fs::write(&paths[number], pem).unwrap();
    }
    setup
        .with(|config| {
            config.provenance.instance.insert(
                "acme".to_owned(),
                SigstoreInstance { root: Some(root), ..SigstoreInstance::default() },
            );
            let images = config.repository.get_mut("oci").unwrap();
            images.sigstore = Some("acme".to_owned());
            images.cosign_keys = paths;
        })
        .open()
}

fn door(registry: &Registry, sigstore: &Sigstore) -> TestDoor {
    door_with(registry, sigstore, &[])
}

/// The provenance of a manifest, by a build.
fn provenance(sigstore: &Sigstore, manifest: &[u8], build: &Build) -> Value {
    sigstore.attest(&statement("images.example/org/app", manifest, &slsa(build)), build)
}

/// Puts a manifest of these layers into the registry; its descriptor, as a list of referrers has it.
fn artifact(registry: &Registry, subject: &str, kind: &str, layers: &[Value]) -> Value {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "artifactType": kind, "layers": layers,
        "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"),
        "subject": { "mediaType": IMAGE_MANIFEST, "digest": subject, "size": 1 },
    })
    .to_string();
    registry.registry.catalog().blob(REPOSITORY, Bytes::from_static(b"{}"));
    let mut named = descriptor(IMAGE_MANIFEST, manifest.as_bytes());
    registry.registry.catalog().manifest(REPOSITORY, None, IMAGE_MANIFEST, manifest.into());
    named["artifactType"] = kind.into();
    named
}

/// Puts a bundle into the registry.
fn bundle(registry: &Registry, subject: &str, bundle: &Value) -> Value {
    let bytes = Bytes::from(bundle.to_string());
    let layer = descriptor(BUNDLE, &bytes);
    registry.registry.catalog().blob(REPOSITORY, bytes);
    artifact(registry, subject, BUNDLE, &[layer])
}

/// Lets bundles refer to a manifest.
fn refer(registry: &Registry, subject: &str, bundles: &[Value]) {
    let all = bundles.iter().map(|one| bundle(registry, subject, one)).collect();
    registry.registry.catalog().refer(REPOSITORY, subject, all);
}

/// Puts signatures under the tag where cosign 2 keeps them.
fn sign(registry: &Registry, subject: &str, layers: &[(String, Map<String, Value>)]) {
    let catalog = registry.registry.catalog();
    let layers: Vec<Value> = layers
        .iter()
        .map(|(payload, annotations)| {
            let mut layer = descriptor(SIMPLE_SIGNING, payload.as_bytes());
            layer["annotations"] = Value::Object(annotations.clone());
            catalog.blob(REPOSITORY, payload.clone().into());
            layer
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "layers": layers,
        "config": descriptor("application/vnd.oci.image.config.v1+json", b"{}"),
    })
    .to_string();
    let tag = format!("{}.sig", subject.replace(':', "-"));
    catalog.manifest(REPOSITORY, Some(&tag), IMAGE_MANIFEST, manifest.into());
}

fn layers(all: &[CosignLayer]) -> Vec<(String, Map<String, Value>)> {
    all.iter().map(|layer| (layer.payload.clone(), layer.annotations.clone())).collect()
}

/// What the page of a decision says.
fn decided(door: &TestDoor, answer: &RawResponse) -> String {
    door.get(&format!("/d/{}", answer.header("x-tidegate-decision").unwrap())).text()
}

fn pull(door: &TestDoor) -> RawResponse {
    door.get(&manifest(REPOSITORY, "v1"))
}

/// What is stored of the one image.
fn checked(door: &TestDoor) -> Value {
    let rows = all_rows(door);
    assert_eq!(rows.len(), 1, "{rows:?}");
    serde_json::from_str(&rows[0]).unwrap()
}

fn all_rows(door: &TestDoor) -> Vec<String> {
    let name = tidegate_model::PackageName::parse(tidegate_model::Ecosystem::Oci, REPOSITORY).unwrap();
    let purl = tidegate_model::coordinate::package_purl(&name);
    door.door.store.catalogue.verifications_of(&purl).unwrap().into_iter().map(|row| row.result).collect()
}

fn outcomes(door: &TestDoor) -> Vec<Value> {
    checked(door)["outcomes"].as_array().cloned().unwrap_or_default()
}

fn states(door: &TestDoor) -> Vec<String> {
    outcomes(door).iter().map(|outcome| outcome["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_image_with_provenance_is_verified_and_passes_unchanged() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    let genuine = provenance(&sigstore, &image.manifest, &Build::of("acme/app"));
    refer(&registry, &image.digest, std::slice::from_ref(&genuine));
    let door = door(&registry, &sigstore);
    let pulled = pull(&door);
    served(&pulled);
    assert_eq!(pulled.body, image.manifest);
    let outcome = outcomes(&door).remove(0);
    assert_eq!((outcome["state"].as_str(), outcome["format"].as_str()), (Some("verified"), Some("cosign")));
    assert_eq!(outcome["source_repository"], "https://github.com/acme/app");
    assert_eq!(outcome["evidence"], "inclusion_proof");
    assert_eq!(outcome["subject_digest"], image.digest);
    // The evidence itself leaves as it came.
    let listed = json(&door.get(&format!("/v2/oci/{REPOSITORY}/referrers/{}", image.digest)));
    let referrer = door.get(&manifest(REPOSITORY, listed["manifests"][0]["digest"].as_str().unwrap()));
    served(&referrer);
    let layer = json(&referrer)["layers"][0]["digest"].as_str().unwrap().to_owned();
    assert_eq!(door.get(&crate::images::blob(REPOSITORY, &layer)).body, genuine.to_string().into_bytes());
}

#[test]
fn facts_of_an_image_are_those_of_a_package() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    refer(&registry, &image.digest, &[provenance(&sigstore, &image.manifest, &Build::of("acme/app"))]);
    // Each fact in a rule that speaks where it is as expected.
    let rules: String = [
        ("status", "\"verified\""),
        ("source", "\"https://github.com/acme/app\""),
        ("evidence", "\"inclusion_proof\""),
        ("commit", "\"0123456789abcdef0123456789abcdef01234567\""),
        ("workflow", "\".github/workflows/release.yml\""),
        ("issuer", "\"https://token.actions.githubusercontent.com\""),
        ("builder", "\"https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.0.0\""),
        ("proven", "\"build\""),
        ("source_changed", "{ exists = false }"),
    ]
    .iter()
    .map(|(fact, value)| {
        format!("[[rule]]\nid = \"{fact}\"\naction = \"warn\"\nunknown = \"allow\"\nmessage = \"m\"\n[rule.when]\n\"provenance.{fact}\" = {value}\n")
    })
    .collect();
    let setup = Setup::new(&registry.registry);
    let root = setup.data().join("trusted-root.json");
    std::fs::write(&root, sigstore.trusted_root()).unwrap();
    let door = setup
        .with(|config| {
            config.provenance.instance.insert(
                "acme".to_owned(),
                SigstoreInstance { root: Some(root), ..SigstoreInstance::default() },
            );
            config.repository.get_mut("oci").unwrap().sigstore = Some("acme".to_owned());
        })
        .policy(&rules)
        .open();
    let pulled = pull(&door);
    served(&pulled);
    let warned = decided(&door, &pulled);
    for rule in [
        "status",
        "source",
        "evidence",
        "commit",
        "workflow",
        "issuer",
        "builder",
        "proven",
        "source_changed",
    ] {
        assert!(warned.contains(rule), "{rule}: {warned}");
    }
}

#[test]
fn tampered_provenance_of_an_image_is_refused_or_told_with_the_reason() {
    let sigstore = Sigstore::new();
    for tamper in &Tamper::ALL {
        let registry = Registry::start();
        let image = image(&registry);
        let genuine = provenance(&sigstore, &image.manifest, &Build::of("acme/app"));
        refer(&registry, &image.digest, &[sigstore.tampered(&genuine, *tamper)]);
        let door = door(&registry, &sigstore);
        let answer = pull(&door);
        if matches!(tamper, Tamper::NewerEntry | Tamper::NewerBundle) {
            // May be right, and nobody here can tell: a gap, which is told and which `strict` holds.
            served(&answer);
            let told = decided(&door, &answer);
            assert!(told.contains(UNPROVEN), "{tamper:?} {told}");
            assert_eq!(states(&door), ["unsupported"], "{tamper:?}");
            continue;
        }
        assert_eq!(answer.status, 403, "{tamper:?} {:?}", outcomes(&door));
        refused(&answer, "its provenance does not verify: ");
        // No part of it may be had in another way.
        assert_eq!(door.get(&manifest(REPOSITORY, &image.digest)).status, 403, "{tamper:?}");
        for blob in image.layers.iter().chain([&image.config]) {
            assert_eq!(door.get(&crate::images::blob(REPOSITORY, blob)).status, 403, "{tamper:?}");
        }
    }
}

#[test]
fn what_fails_is_not_hidden_by_what_holds() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    let genuine = provenance(&sigstore, &image.manifest, &Build::of("acme/app"));
    let forged = sigstore.tampered(&genuine, Tamper::SignatureBit);
    refer(&registry, &image.digest, &[genuine, forged]);
    refused(&pull(&door(&registry, &sigstore)), "invalid(signature)");
}

#[test]
fn another_images_evidence_is_refused() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    refer(&registry, &image.digest, &[provenance(&sigstore, b"another manifest", &Build::of("acme/app"))]);
    refused(&pull(&door(&registry, &sigstore)), "invalid(artifact_digest)");
    // The same in cosign's form.
    let registry = Registry::start();
    let image = self::image(&registry);
    let other = CosignLayer::by_build(&sigstore, &Build::of("acme/app"), &content_digest(b"another"));
    sign(&registry, &image.digest, &layers(&[other]));
    refused(&pull(&door(&registry, &sigstore)), "invalid(artifact_digest)");
}

#[test]
fn cosign_signatures_by_builds_are_verified_and_tampered_ones_refused() {
    let sigstore = Sigstore::new();
    let text = |layer: &CosignLayer, name: &str| layer.annotations[name].as_str().unwrap().to_owned();
    let (signature, certificate, promise) = (
        "dev.cosignproject.cosign/signature",
        "dev.sigstore.cosign/certificate",
        "dev.sigstore.cosign/bundle",
    );
    type Change<'a> = (&'a str, Box<dyn Fn(&mut CosignLayer, &CosignLayer) + 'a>, &'a str);
    let changes: Vec<Change<'_>> = vec![
        ("genuine", Box::new(|_, _| {}), ""),
        (
            "signature",
            Box::new(|layer, other| {
                layer.annotations.insert(signature.into(), text(other, signature).into());
            }),
            "invalid(",
        ),
        (
            "certificate",
            Box::new(|layer, other| {
                layer.annotations.insert(certificate.into(), text(other, certificate).into());
            }),
            "invalid(",
        ),
        (
            "promise",
            Box::new(|layer, other| {
                layer.annotations.insert(promise.into(), text(other, promise).into());
            }),
            "invalid(",
        ),
        ("payload", Box::new(|layer, _| layer.payload = layer.payload.replace("thing", "other")), "invalid("),
        (
            "no promise",
            Box::new(|layer, _| drop(layer.annotations.remove(promise))),
            "invalid(no_log_evidence)",
        ),
        (
            "garbage",
            Box::new(|layer, _| {
                layer.annotations.insert(promise.into(), "{".into());
            }),
            "malformed",
        ),
        ("no signature", Box::new(|layer, _| drop(layer.annotations.remove(signature))), "invalid("),
    ];
    for (what, change, why) in changes {
        let registry = Registry::start();
        let image = image(&registry);
        let build = Build::of("acme/app");
        let mut layer = CosignLayer::by_build(&sigstore, &build, &image.digest);
        let other = CosignLayer::by_build(&sigstore, &Build::of("somebody/else"), &image.digest);
        change(&mut layer, &other);
        sign(&registry, &image.digest, &layers(&[layer]));
        let door = door(&registry, &sigstore);
        let answer = pull(&door);
        if why.is_empty() {
            served(&answer);
            let outcome = outcomes(&door).remove(0);
            assert_eq!(
                (&outcome["state"], &outcome["evidence"]),
                (&json!("verified"), &json!("promise_only"))
            );
            assert_eq!(outcome["source_repository"], "https://github.com/acme/app");
        } else {
            assert_eq!(answer.status, 403, "{what}: {:?}", outcomes(&door));
            refused(&answer, why);
        }
    }
}

#[test]
fn a_configured_key_proves_and_another_key_neither_proves_nor_stops() {
    let sigstore = Sigstore::new();
    let ours = key();
    let pem = ours.public_key_pem();
    let by_ours = |image: &PushedImage| layers(&[CosignLayer::by_key(&ours, &image.digest)]);
    let registry = Registry::start();
    let image = image(&registry);
    sign(&registry, &image.digest, &by_ours(&image));
    // Nobody configured the key.
    let stranger = door(&registry, &sigstore);
    let answer = pull(&stranger);
    served(&answer);
    assert_eq!(states(&stranger), ["unsupported"]);
    assert!(
        outcomes(&stranger)[0]["detail"].as_str().unwrap().contains("cosign_keys"),
        "{:?}",
        outcomes(&stranger)
    );
    // Somebody did.
    let door = door_with(&registry, &sigstore, &[key().public_key_pem(), pem.clone()]);
    served(&pull(&door));
    let outcome = outcomes(&door).remove(0);
    assert_eq!((&outcome["state"], &outcome["evidence"]), (&json!("verified"), &json!("signature_only")));
    assert!(outcome["signer"]["key_id"].as_str().is_some_and(|id| id.len() == 64), "{outcome}");
    // Beside a signature that holds, another's takes nothing from it.
    let registry = Registry::start();
    let image = self::image(&registry);
    let mut both = by_ours(&image);
    both.extend(layers(&[CosignLayer::by_key(&key(), &image.digest)]));
    sign(&registry, &image.digest, &both);
    let door = door_with(&registry, &sigstore, std::slice::from_ref(&pem));
    let answer = pull(&door);
    served(&answer);
    let mut found = states(&door);
    found.sort();
    assert_eq!(found, ["unsupported", "verified"]);
    assert!(!decided(&door, &answer).contains(UNPROVEN));
    // Its signature of another image is evidence against this one.
    let registry = Registry::start();
    let image = self::image(&registry);
    let other = CosignLayer::by_key(&ours, &content_digest(b"another"));
    sign(&registry, &image.digest, &layers(&[other]));
    refused(&pull(&door_with(&registry, &sigstore, &[pem])), "invalid(artifact_digest)");
}

#[test]
fn a_bundle_by_a_key_counts_where_the_key_is_configured() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    let ours = key();
    let said = statement("", &image.manifest, &("https://sigstore.dev/cosign/sign/v1", json!({})));
    let at = "2025-06-01T12:00:00Z".parse().unwrap();
    refer(&registry, &image.digest, &[sigstore.attest_by_key(&ours, "a hint of the signer's", &said, at)]);
    let stranger = door(&registry, &sigstore);
    served(&pull(&stranger));
    assert_eq!(states(&stranger), ["unsupported"]);
    let other = door_with(&registry, &sigstore, &[key().public_key_pem()]);
    served(&pull(&other));
    assert_eq!(states(&other), ["unsupported"]);
    let door = door_with(&registry, &sigstore, &[ours.public_key_pem()]);
    served(&pull(&door));
    let outcome = outcomes(&door).remove(0);
    assert_eq!(outcome["state"], "verified", "{outcome}");
    assert_ne!(outcome["signer"]["key_id"], "a hint of the signer's", "the key's own name is told");
}

#[test]
fn absent_not_offered_unavailable_and_invalid_are_four_things() {
    let sigstore = Sigstore::new();
    let with = |prepare: &dyn Fn(&Registry, &PushedImage)| {
        let registry = Registry::start();
        let image = image(&registry);
        prepare(&registry, &image);
        let rules = r#"
[[rule]]
id = "absent"
action = "block"
unknown = "allow"
message = "there is none"
[rule.when]
"provenance.status" = "absent"
[[rule]]
id = "not-offered"
action = "block"
unknown = "allow"
message = "none is offered"
[rule.when]
provenance = { state = ["not_offered"] }
[[rule]]
id = "unavailable"
action = "block"
unknown = "allow"
message = "none could be had"
[rule.when]
provenance = { state = ["error"] }
[[rule]]
id = "invalid"
action = "block"
unknown = "allow"
message = "{provenance.reason}"
[rule.when]
"provenance.status" = "invalid"
"#;
        let setup = Setup::new(&registry.registry).policy(rules);
        let root = setup.data().join("trusted-root.json");
        std::fs::write(&root, sigstore.trusted_root()).unwrap();
        let door = setup
            .with(|config| {
                config.provenance.instance.insert(
                    "acme".to_owned(),
                    SigstoreInstance { root: Some(root), ..SigstoreInstance::default() },
                );
                config.repository.get_mut("oci").unwrap().sigstore = Some("acme".to_owned());
            })
            .open();
        let answer = pull(&door);
        json(&answer)["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
    };
    let fault = |registry: &Registry, path: &str, code| {
        registry.registry.fault(path, Fault::Status { code, retry_after: None });
    };
    type Case<'a> = (&'a str, &'a str, &'a dyn Fn(&Registry, &PushedImage));
    let cases: [Case<'_>; 9] = [
        ("an empty list", "there is none", &|registry, image| refer(registry, &image.digest, &[])),
        ("neither list nor tag", "none is offered", &|_, _| {}),
        ("no such route, by another status", "none is offered", &|registry, _| {
            fault(registry, "/referrers/", 405)
        }),
        ("an empty list under the tag", "there is none", &|registry, image| {
            let list = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [] }).to_string();
            let tag = image.digest.replace(':', "-");
            registry.registry.catalog().manifest(REPOSITORY, Some(&tag), IMAGE_INDEX, list.into());
        }),
        ("a failing list", "none could be had", &|registry, image| {
            refer(registry, &image.digest, &[]);
            fault(registry, "/referrers/", 500);
        }),
        ("a list that is none", "none could be had", &|registry, image| {
            refer(registry, &image.digest, &[]);
            registry.registry.fault("/referrers/", Fault::OtherBytes("<html>".into()));
        }),
        ("a refused list", "none could be had", &|registry, image| {
            refer(registry, &image.digest, &[]);
            fault(registry, "/referrers/", 403);
        }),
        ("a bundle that breaks off", "none could be had", &|registry, image| {
            let one = provenance(&sigstore, &image.manifest, &Build::of("acme/app"));
            refer(registry, &image.digest, std::slice::from_ref(&one));
            let digest = content_digest(one.to_string().as_bytes());
            registry.content.fault(&format!("/layers/{digest}"), Fault::Truncate(100));
        }),
        ("garbage", "malformed", &|registry, image| refer(registry, &image.digest, &[json!({ "x": 1 })])),
    ];
    for (what, why, prepare) in cases {
        let told = with(prepare);
        assert!(told.contains(why), "{what}: {told}");
    }
}

#[test]
fn a_list_under_the_tag_counts_as_one() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    let one = provenance(&sigstore, &image.manifest, &Build::of("acme/app"));
    let listed = bundle(&registry, &image.digest, &one);
    let list = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [listed] }).to_string();
    let tag = image.digest.replace(':', "-");
    registry.registry.catalog().manifest(REPOSITORY, Some(&tag), IMAGE_INDEX, list.into());
    let door = door(&registry, &sigstore);
    served(&pull(&door));
    assert_eq!(states(&door), ["verified"]);
}

#[test]
fn what_is_not_what_it_is_listed_as_is_refused() {
    let sigstore = Sigstore::new();
    type Case<'a> = (&'a str, &'a str, &'a dyn Fn(&Registry, &PushedImage));
    let genuine = |image: &PushedImage| provenance(&sigstore, &image.manifest, &Build::of("acme/app"));
    let cases: [Case<'_>; 5] = [
        ("a layer of another type", "holds none", &|registry, image| {
            let bytes = Bytes::from(genuine(image).to_string());
            registry.registry.catalog().blob(REPOSITORY, bytes.clone());
            let one = artifact(registry, &image.digest, BUNDLE, &[descriptor("text/plain", &bytes)]);
            registry.registry.catalog().refer(REPOSITORY, &image.digest, vec![one]);
        }),
        ("a manifest of other bytes", "the registry's bytes of", &|registry, image| {
            let one = bundle(registry, &image.digest, &genuine(image));
            let digest = one["digest"].as_str().unwrap().to_owned();
            registry.registry.catalog().refer(REPOSITORY, &image.digest, vec![one]);
            registry.registry.fault(&format!("/manifests/{digest}"), Fault::WrongBytes);
        }),
        ("a bundle of other bytes", "the registry's bytes of", &|registry, image| {
            let one = genuine(image);
            refer(registry, &image.digest, std::slice::from_ref(&one));
            let digest = content_digest(one.to_string().as_bytes());
            registry.content.fault(&format!("/layers/{digest}"), Fault::WrongBytes);
        }),
        ("a bundle that is too large", "more than any real one", &|registry, image| {
            let mut layer = descriptor(BUNDLE, b"large");
            layer["size"] = json!(9 << 20);
            let one = artifact(registry, &image.digest, BUNDLE, &[layer]);
            registry.registry.catalog().refer(REPOSITORY, &image.digest, vec![one]);
        }),
        ("a manifest that is none", "is no manifest", &|registry, image| {
            let body = Bytes::from("{}");
            let mut one = descriptor(IMAGE_MANIFEST, &body);
            one["artifactType"] = BUNDLE.into();
            registry.registry.catalog().manifest(REPOSITORY, None, IMAGE_MANIFEST, body);
            registry.registry.catalog().refer(REPOSITORY, &image.digest, vec![one]);
        }),
    ];
    for (what, why, prepare) in cases {
        let registry = Registry::start();
        let image = image(&registry);
        prepare(&registry, &image);
        let door = door(&registry, &sigstore);
        let answer = pull(&door);
        assert_eq!(answer.status, 403, "{what}: {:?}", checked(&door));
        refused(&answer, why);
    }
    // Under the older name of the type it is a bundle; under another type it is nobody's evidence.
    for (kind, expected) in [
        ("application/vnd.dev.sigstore.bundle+json;version=0.3", vec!["verified"]),
        ("application/vnd.test.other", vec![]),
    ] {
        let registry = Registry::start();
        let image = image(&registry);
        let bytes = Bytes::from(genuine(&image).to_string());
        registry.registry.catalog().blob(REPOSITORY, bytes.clone());
        let one = artifact(&registry, &image.digest, kind, &[descriptor(kind, &bytes)]);
        registry.registry.catalog().refer(REPOSITORY, &image.digest, vec![one]);
        let door = door(&registry, &sigstore);
        served(&pull(&door));
        assert_eq!(states(&door), expected, "{kind}");
    }
}

#[test]
fn more_than_any_real_image_has_is_not_fetched_and_is_said() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    let many: Vec<Value> = (0..40)
        .map(|n| provenance(&sigstore, &image.manifest, &Build::of(&format!("acme/app{n}"))))
        .collect();
    refer(&registry, &image.digest, &many);
    let door = door(&registry, &sigstore);
    served(&pull(&door));
    assert!(registry.content.count("/layers/") < 25, "{}", registry.content.count("/layers/"));
    let outcomes = outcomes(&door);
    assert!(
        outcomes.iter().any(|o| o["detail"].as_str().is_some_and(|why| why.contains("24 more"))),
        "{outcomes:?}"
    );
    assert!(outcomes.iter().any(|o| o["state"] == "verified"));
}

#[test]
fn an_index_counts_for_its_platforms_and_a_platform_for_itself() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let index = registry.index(REPOSITORY, "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let door = door(&registry, &sigstore);
    let body = {
        let plain = Setup::new(&registry.registry).with(|c| c.provenance.enabled = false).open();
        plain.get(&manifest(REPOSITORY, "v1")).body
    };
    refer(&registry, &index.digest, &[provenance(&sigstore, &body, &Build::of("acme/app"))]);
    served(&pull(&door));
    served(&door.get(&manifest(REPOSITORY, &index.one.digest)));
    let outcome = outcomes(&door).remove(0);
    assert!(outcome["detail"].as_str().unwrap().contains("names each platform's manifest"), "{outcome}");
    // What is signed of the index is forged: none of its platforms passes.
    let registry = Registry::start();
    let index = registry.index(REPOSITORY, "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let genuine = provenance(&sigstore, &body, &Build::of("acme/app"));
    refer(&registry, &index.digest, &[sigstore.tampered(&genuine, Tamper::SignatureBit)]);
    let door = self::door(&registry, &sigstore);
    refused(&pull(&door), "invalid(signature)");
    refused(&door.get(&manifest(REPOSITORY, &index.one.digest)), "invalid(signature)");
    refused(&door.get(&manifest(REPOSITORY, &index.two.digest)), "invalid(signature)");
    // A platform by itself, of which nobody knows an index, has evidence of its own; the index's is not about it.
    let registry = Registry::start();
    let index = registry.index(REPOSITORY, "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    refer(&registry, &index.one.digest, &[provenance(&sigstore, &body, &Build::of("acme/app"))]);
    let door = self::door(&registry, &sigstore);
    refused(&door.get(&manifest(REPOSITORY, &index.one.digest)), "invalid(artifact_digest)");
}

#[test]
fn another_instance_proves_nothing_and_stops_nobody() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    refer(&registry, &image.digest, &[provenance(&sigstore, &image.manifest, &Build::of("acme/app"))]);
    sign(
        &registry,
        &image.digest,
        &layers(&[CosignLayer::by_build(&sigstore, &Build::of("acme/app"), &image.digest)]),
    );
    // Only the public instance is believed.
    let door = Setup::new(&registry.registry).open();
    let answer = pull(&door);
    served(&answer);
    assert_eq!(states(&door), ["unsupported", "unsupported"], "{:?}", outcomes(&door));
    let told = outcomes(&door)[0]["detail"].as_str().unwrap().to_owned();
    assert!(told.contains("public-good"), "{told}");
    let told = decided(&door, &answer);
    assert!(told.contains(UNPROVEN), "{told}");
}

#[test]
fn githubs_instance_is_named_by_the_setting() {
    // GitHub's attestations of private repositories have no log: only a root without logs vouches for them.
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    let build = Build::of("acme/app");
    let said = statement("images.example/org/app", &image.manifest, &slsa(&build));
    refer(&registry, &image.digest, &[sigstore.attest_unlogged(&said, &build)]);
    let mut root: Value = serde_json::from_str(&sigstore.trusted_root()).unwrap();
    root["tlogs"] = json!([]);
    let open = |instance: &str| {
        let setup = Setup::new(&registry.registry);
        let path = setup.data().join("github.json");
        std::fs::write(&path, root.to_string()).unwrap();
        setup
            .with(|config| {
                config.provenance.instance.insert(
                    "github".to_owned(),
                    SigstoreInstance { root: Some(path), ..SigstoreInstance::default() },
                );
                config.repository.get_mut("oci").unwrap().sigstore = Some(instance.to_owned());
            })
            .open()
    };
    let door = open("github");
    served(&pull(&door));
    assert_eq!(states(&door), ["verified"], "{:?}", outcomes(&door));
    assert_eq!(outcomes(&door)[0]["evidence"], "timestamp_only");
    // Where another instance is believed, it is said which one would vouch.
    let door = open("public-good");
    served(&pull(&door));
    assert_eq!(states(&door), ["unsupported"]);
    let told = outcomes(&door)[0]["detail"].as_str().unwrap().to_owned();
    assert!(told.contains("sigstore = \"github\""), "{told}");
}

#[test]
fn what_was_checked_is_not_asked_for_again_and_nothing_is_where_it_is_off() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    refer(&registry, &image.digest, &[provenance(&sigstore, &image.manifest, &Build::of("acme/app"))]);
    let mut door = door(&registry, &sigstore);
    let first = pull(&door);
    served(&first);
    let asked = (registry.registry.requests().len(), registry.content.requests().len());
    for _ in 0..2 {
        for reference in ["v1", &image.digest] {
            assert_eq!(door.get(&manifest(REPOSITORY, reference)).body, first.body);
        }
        // The next door knows it as well, even where nobody answers any more.
        door = door.restart();
    }
    assert_eq!((registry.registry.requests().len(), registry.content.requests().len()), asked);
    let off = Setup::new(&registry.registry).with(|c| c.provenance.enabled = false).open();
    served(&pull(&off));
    assert!(all_rows(&off).is_empty());
    assert_eq!(registry.registry.count("/referrers/"), 1);
}

#[test]
fn what_is_signed_later_is_noticed_and_what_is_dropped_is_said() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    refer(&registry, &image.digest, &[]);
    let door = door(&registry, &sigstore);
    served(&pull(&door));
    assert_eq!(states(&door), [""; 0]);
    let one = provenance(&sigstore, &image.manifest, &Build::of("acme/app"));
    refer(&registry, &image.digest, std::slice::from_ref(&one));
    door.clock().advance(3_700);
    // Whoever asks is answered by what is known, and the registry is asked behind.
    served(&pull(&door));
    door.until("the signature is noticed", || states(&door) == ["verified"]);
    served(&pull(&door));
    // A registry that fails takes nothing from what was verified.
    registry.registry.fault("/referrers/", Fault::Status { code: 500, retry_after: None });
    let asked = registry.registry.count("/referrers/");
    door.clock().advance(86_500);
    served(&pull(&door));
    door.until("it is asked again", || registry.registry.count("/referrers/") > asked);
    assert_eq!(states(&door), ["verified"]);
    registry.registry.clear_faults();
    // Evidence that is dropped is still true, and that it was dropped is said.
    refer(&registry, &image.digest, &[]);
    let dropped = |door: &TestDoor| {
        outcomes(door).first().is_some_and(|outcome| {
            outcome["not_proven"]
                .as_array()
                .unwrap()
                .iter()
                .any(|s| s.as_str().unwrap().contains("no longer does"))
        })
    };
    // Each round is an hour later, and none of them waits for the registry.
    let later = || {
        door.clock().advance(3_600);
        pull(&door)
    };
    door.until("what was dropped is noticed", || {
        served(&later());
        dropped(&door)
    });
    assert_eq!(states(&door), ["verified"]);
    served(&pull(&door));
    let bearer = format!("Authorization: Bearer {}", door.token("auditor", &[]));
    let told = door.ask("GET", &format!("/api/v1/provenance?purl={}", in_query(&image.digest)), &[&bearer]);
    assert!(told.text().contains("no longer does"), "{}", told.text());
    // What turns up forged is refused from then on.
    refer(&registry, &image.digest, &[sigstore.tampered(&one, Tamper::SignatureBit)]);
    door.until("the forged one is noticed", || later().status == 403);
    // And where that was a mistake that is mended, passes again, at the next door too.
    let door = door.restart();
    assert_eq!(pull(&door).status, 403);
    let later = || {
        door.clock().advance(3_600);
        pull(&door)
    };
    refer(&registry, &image.digest, &[one]);
    door.until("it is mended", || later().status == 200);
}

#[test]
fn what_could_not_be_had_is_asked_for_again() {
    let (registry, sigstore) = (Registry::start(), Sigstore::new());
    let image = image(&registry);
    let genuine = provenance(&sigstore, &image.manifest, &Build::of("acme/app"));
    refer(&registry, &image.digest, &[sigstore.tampered(&genuine, Tamper::SignatureBit)]);
    registry.registry.fault("/referrers/", Fault::Status { code: 500, retry_after: None });
    let door = door(&registry, &sigstore);
    let answer = pull(&door);
    served(&answer);
    assert!(checked(&door)["unavailable"].as_str().unwrap().contains("500"), "{}", checked(&door));
    assert!(decided(&door, &answer).contains("provenance error"));
    registry.registry.clear_faults();
    let asked = registry.registry.count("/referrers/");
    served(&pull(&door));
    assert_eq!(registry.registry.count("/referrers/"), asked, "not at once");
    door.clock().advance(400);
    door.until("it is had", || pull(&door).status == 403);
    // The next door waits for it rather than let by what could not be told.
    let registry = Registry::start();
    let image = self::image(&registry);
    refer(&registry, &image.digest, &[sigstore.tampered(&genuine, Tamper::SignatureBit)]);
    registry.registry.fault("/referrers/", Fault::Status { code: 500, retry_after: None });
    let door = self::door(&registry, &sigstore);
    served(&pull(&door));
    registry.registry.clear_faults();
    door.clock().advance(400);
    let door = door.restart();
    refused(&pull(&door), "invalid(signature)");
}

/// The package URL of an image as a query's value.
fn in_query(digest: &str) -> String {
    let name = tidegate_model::PackageName::parse(tidegate_model::Ecosystem::Oci, REPOSITORY).unwrap();
    let version = tidegate_model::Version::parse(tidegate_model::Ecosystem::Oci, digest);
    let purl = tidegate_model::Coordinate { name, version }.purl();
    url::form_urlencoded::byte_serialize(purl.as_bytes()).collect()
}

#[test]
fn a_key_that_cannot_be_read_keeps_the_door_shut() {
    let registry = Registry::start();
    let setup = Setup::new(&registry.registry);
    let path = setup.data().join("missing.pem");
    let config = setup.with(|c| c.repository.get_mut("oci").unwrap().cosign_keys = vec![path]).config;
    let data = tempfile::tempdir().unwrap();
    let options = tidegate::door::Options::new(config, data.path().join("door"), Vec::new());
    let Err(error) = tidegate::door::Door::open(options) else { panic!("it opened") };
    assert!(
        error.to_string().contains("missing.pem") && error.to_string().contains("cosign_keys"),
        "{error}"
    );
}
