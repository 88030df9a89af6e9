//! Images from a registry that breaks, lies, is slow or is asked by a crowd.

use tidegate_testkit::upstream::{IMAGE_INDEX, content_digest, layer};
use tidegate_testkit::{FakeUpstream, Fault, Gate, Style};

use crate::clients_support::Site;
use crate::images::{Registry, blob, manifest, refused, served};
use crate::support::{Setup, TestDoor, json};

fn door(registry: &Registry) -> TestDoor {
    Setup::new(&registry.registry).open()
}

#[test]
fn bytes_that_are_not_of_their_digest_are_refused() {
    let registry = Registry::start();
    let image = registry.image("org/app", "v1", &[("bin/app", b"app")]);
    let door = door(&registry);
    registry.content.fault(&image.layers[1], Fault::OtherBytes(layer(&[("bin/app", b"evi")])));
    for _ in 0..2 {
        let response = door.get(&manifest("org/app", "v1"));
        assert!(matches!(response.status, 403 | 502), "{}", response.text());
        assert_eq!(door.get(&blob("org/app", &image.layers[1])).status, response.status);
    }
    registry.content.clear_faults();
    registry.content.fault(&image.layers[1], Fault::WrongBytes);
    refused_as_integrity(&door, &manifest("org/app", "v1"));
    assert!(door.alarms().contains(&"integrity".to_owned()), "{:?}", door.alarms());
    registry.content.clear_faults();
    served(&door.get(&manifest("org/app", "v1")));
    assert_eq!(content_digest(&door.get(&blob("org/app", &image.layers[1])).body), image.layers[1]);
}

#[track_caller]
fn refused_as_integrity(door: &TestDoor, target: &str) {
    let response = door.get(target);
    assert_eq!(response.status, 403, "{}", response.text());
    let error = &json(&response)["errors"][0];
    assert_eq!(
        (error["code"].as_str(), error["detail"]["code"].as_str()),
        (Some("DENIED"), Some("integrity"))
    );
}

#[test]
fn a_manifest_that_is_not_what_it_is_called_is_refused() {
    let registry = Registry::start();
    let index = registry.index("org/app", "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    let door = door(&registry);
    let catalog = registry.registry.catalog();
    // By the registry's own word.
    catalog.misname("org/app", &index.digest);
    refused_as_integrity(&door, &manifest("org/app", "v1"));
    let honest = registry.image("org/app", "v2", &[("bin/app", b"app")]);
    served(&door.get(&manifest("org/app", "v2")));
    // By its bytes, asked for by digest: as an image, and as a part of one.
    let other = Fault::OtherBytes(honest.manifest);
    registry.registry.fault(&index.one.digest, other);
    refused_as_integrity(&door, &manifest("org/app", &index.one.digest));
    let second = registry.index("org/second", "v1", [&[("bin/one", b"one")], &[("bin/two", b"two")]]);
    served(&door.get(&manifest("org/second", "v1")));
    refused_as_integrity(&door, &manifest("org/second", &second.one.digest));
    registry.registry.clear_faults();
    served(&door.get(&manifest("org/second", &second.one.digest)));
    // And what is no manifest at all.
    for (tag, body, why) in [
        ("none", "[]", "no object"),
        ("old", r#"{"schemaVersion":1,"fsLayers":[]}"#, "no longer served"),
        ("both", r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "has no place"),
    ] {
        catalog.manifest("org/app", Some(tag), IMAGE_INDEX, body.into());
        let response = door.get(&manifest("org/app", tag));
        assert_eq!(response.status, 502, "{tag}");
        assert!(response.text().contains(why), "{tag}: {}", response.text());
    }
}

#[test]
fn a_transfer_that_breaks_off_leaves_nothing() {
    let registry = Registry::start();
    let image = registry.image("org/app", "v1", &[("bin/app", &[7; 60_000])]);
    let door = door(&registry);
    for fault in [Fault::Truncate(20), Fault::ResetMidBody, Fault::Status { code: 500, retry_after: None }] {
        registry.content.fault(&image.layers[1], fault.clone());
        assert_eq!(door.get(&manifest("org/app", "v1")).status, 502, "{fault:?}");
        registry.content.clear_faults();
    }
    registry.image("org/app", "v2", &[("bin/app", b"second")]);
    for fault in [Fault::Truncate(20), Fault::GzipBomb(1 << 30), Fault::DeepJson(100_000)] {
        registry.registry.fault("/manifests/v2", fault.clone());
        assert_eq!(door.get(&manifest("org/app", "v2")).status, 502, "{fault:?}");
        registry.registry.clear_faults();
    }
    served(&door.get(&manifest("org/app", "v1")));
    served(&door.get(&blob("org/app", &image.layers[1])));
    registry.registry.fault("/manifests/v3", Fault::Status { code: 404, retry_after: None });
    assert_eq!(door.get(&manifest("org/app", "v3")).status, 404);
}

#[test]
fn a_redirect_leads_no_further_than_the_registry_says() {
    let registry = Registry::start();
    let image = registry.image("org/app", "v1", &[("bin/app", b"app")]);
    let trap = FakeUpstream::start();
    let door = door(&registry);
    // The content network itself may not send us on, and never is a client sent anywhere.
    let elsewhere = format!("http://127.0.0.2:{}/layers/{}", trap.address().port(), image.layers[1]);
    registry.content.fault(&image.layers[1], Fault::Redirect(elsewhere));
    let response = door.get(&manifest("org/app", "v1"));
    assert_eq!(response.status, 502, "{}", response.text());
    assert!(response.header("location").is_none());
    assert_eq!(trap.requests().len(), 0);
}

#[test]
fn a_first_pull_is_held_and_then_told_to_ask_again() {
    let registry = Registry::start();
    let image = registry.image("org/app", "v1", &[("bin/app", b"app")]);
    let gate = Gate::new();
    registry.content.fault(&image.layers[1], Fault::Wait(gate.clone()));
    let door = Setup::new(&registry.registry).with(|config| config.upstream.hold_seconds = Some(1)).open();
    let response = door.get(&manifest("org/app", "v1"));
    assert_eq!((response.status, response.header("retry-after")), (429, Some("15")), "{}", response.text());
    let error = &json(&response)["errors"][0];
    assert_eq!(error["code"], "TOOMANYREQUESTS");
    assert!(error["message"].as_str().unwrap().contains("still being fetched and looked into"), "{error}");
    assert_eq!(door.get(&blob("org/app", &image.layers[0])).status, 429, "nor does a part of it leave");
    gate.open();
    door.until("the work that went on is done", || {
        door.ask("GET", &manifest("org/app", "v1"), &[]).status == 200
    });
    assert_eq!(registry.content.count(&image.layers[1]), 1, "nothing is fetched twice");
}

/// Many clients, one layer of this many bytes.
fn crowd(clients: usize, bytes: usize) {
    let registry = Registry::start();
    let noise: Vec<u8> =
        (0..bytes as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    let digest = content_digest(&noise);
    let image = registry.registry.catalog().image("org/app", "v1", &[noise.into()]);
    let door = Setup::new(&registry.registry).with(|config| config.upstream.hold_seconds = Some(300)).open();
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                served(&door.get(&manifest("org/app", "v1")));
                assert_eq!(streamed(&door, &blob("org/app", &digest)), (bytes as u64, digest.clone()));
            });
        }
    });
    assert_eq!(registry.content.count(&image.layers[0]), 1, "one fetch for a crowd");
    assert_eq!(registry.registry.count("/manifests/v1"), 1, "and one for what is behind the tag");
}

/// How many bytes an answer has and what their digest is, without keeping them.
fn streamed(door: &TestDoor, target: &str) -> (u64, String) {
    use std::io::{Read as _, Write as _};

    use sha2::Digest as _;
    let mut stream = std::net::TcpStream::connect(door.address).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: door.test\r\nConnection: close\r\n\r\n").unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    let (mut buffer, mut total, mut hasher) = (vec![0; 256 << 10], 0, sha2::Sha256::default());
    loop {
        let read = stream.read(&mut buffer).unwrap();
        if read == 0 {
            return (total, format!("sha256:{}", hex::encode(hasher.finalize())));
        }
        total += read as u64;
        hasher.update(&buffer[..read]);
    }
}

#[test]
fn sixty_four_clients_fetch_a_layer_once() {
    crowd(64, 64 << 20);
}

/// The same at full size: 64 GB of traffic on loopback.
#[test]
#[ignore = "takes minutes"]
fn sixty_four_clients_fetch_a_gigabyte_once() {
    crowd(64, 1 << 30);
}

#[test]
fn what_is_private_stays_home() {
    let registry = Registry::start();
    let image = registry.image("acme/secret", "v1", &[("bin/app", b"app")]);
    registry.image("org/app", "v1", &[("bin/app", b"app")]);
    let door = Setup::new(&registry.registry)
        .with(|config| config.repository.get_mut("oci").unwrap().private = vec!["acme/*".into()])
        .open();
    for target in [
        manifest("acme/secret", "v1"),
        manifest("acme/secret", &image.digest),
        blob("acme/secret", &image.layers[0]),
        "/v2/oci/acme/secret/tags/list".to_owned(),
        format!("/v2/oci/acme/secret/referrers/{}", image.digest),
    ] {
        assert_eq!(door.get(&target).status, 404, "{target}");
    }
    registry.registry.assert_never_asked("acme");
    served(&door.get(&manifest("org/app", "v1")));
}

#[test]
fn a_tag_is_one_image_until_it_is_asked_about_again() {
    let registry = Registry::start();
    let first = registry.image("org/app", "v1", &[("bin/app", b"first")]);
    let door = door(&registry);
    let digest = || {
        let response = door.get(&manifest("org/app", "v1"));
        served(&response);
        response.header("docker-content-digest").unwrap().to_owned()
    };
    assert_eq!(digest(), first.digest);
    let second = registry.image("org/app", "v1", &[("bin/app", b"second")]);
    assert_eq!(digest(), first.digest, "what began with one image ends with it");
    door.clock().advance(3_600);
    // What a tag becomes while it is watched has an age, and it is young.
    refused(&door.get(&manifest("org/app", "v1")), "cooldown-first-seen");
    served(&door.get(&manifest("org/app", &first.digest)));
    door.clock().advance(4 * 86_400);
    assert_eq!(digest(), second.digest);
    // A tag that was never asked for before has no age that anybody could know.
    registry.image("org/app", "v2", &[("bin/app", b"third")]);
    served(&door.get(&manifest("org/app", "v2")));
}

#[test]
fn a_door_that_is_killed_while_a_layer_arrives_has_none_of_it() {
    let mut site = Site::configured(Style::Rich, "");
    let bytes: Vec<u8> = (0..2_000_000u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    let digest = content_digest(&bytes);
    let digits = digest.trim_start_matches("sha256:").to_owned();
    site.upstream.catalog().image("org/app", "v1", &[bytes.into()]);
    site.upstream.fault(&digest, Fault::Trickle(400_000));
    let address = |site: &Site| -> std::net::SocketAddr {
        site.address().trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
    };
    let door = address(&site);
    let asking = std::thread::spawn(move || {
        // It ends with the door.
        let _ = tidegate_testkit::client::get(door, &manifest("org/app", "v1"));
    });
    assert!(site.upstream.wait_for(&digest, 1, std::time::Duration::from_secs(60)));
    std::thread::sleep(std::time::Duration::from_secs(1));
    site.kill_door();
    asking.join().unwrap();
    assert!(!site.holds_digest(&digits), "what is not whole has no name");
    site.upstream.clear_faults();
    site.start_door("127.0.0.1:0");
    let door = address(&site);
    for (target, expected) in [(manifest("org/app", "v1"), None), (blob("org/app", &digest), Some(&digest))] {
        let response = tidegate_testkit::client::get(door, &target).unwrap();
        served(&response);
        assert!(expected.is_none_or(|digest| content_digest(&response.body) == *digest));
    }
    assert!(site.holds_digest(&digits));
    site.close_door();
    site.tidegate(&site.operator, &["ledger", "export"]).run().expect_success();
}
