use tidegate_model::finding::{Confidence, Finding, FindingKind, FindingSeverity, Location};

use super::names::NamesCollector;
use super::*;
use crate::inspection::{Inspection, NotSeen, Verdict};
use crate::inventory::{Component, How, Inventory};

fn names(members: &[&str]) -> Names {
    let mut collector = NamesCollector::default();
    for member in members {
        collector.member(member, member.ends_with('/'));
    }
    collector.finish()
}

#[test]
fn a_layer_says_what_it_hides() {
    let layer = names(&[
        "./etc/passwd",
        "etc/.wh.shadow",
        "opt/.wh.app",
        "srv/",
        "srv/.wh..wh..opq",
        "lib",
        "home/a/",
        ".wh..wh.plnk/x",
    ]);
    use Hides::{Removes, Replaces};
    for (path, expected) in [
        ("etc/passwd", Some(Replaces)),
        ("./etc//passwd", Some(Replaces)),
        ("etc/shadow", Some(Removes)),
        ("etc/group", None),
        ("opt/app", Some(Removes)),
        ("opt/app/deep/file", Some(Removes)),
        ("opt/app2", None),
        ("srv/anything", Some(Removes)),
        // The folder itself stays.
        ("srv", Some(Replaces)),
        // A link where there was a folder.
        ("lib/apk/db/installed", Some(Replaces)),
        ("home/a/file", None),
        ("", None),
    ] {
        assert_eq!(layer.hides(path), expected, "{path}");
    }
    assert_eq!(names(&[".wh..wh..opq"]).hides("any/thing"), Some(Removes));
    assert!(Names::default().is_empty() && Names::default().hides("x").is_none());
}

#[test]
fn names_survive_being_stored_and_stay_small() {
    let members: Vec<String> = (0..20_000).map(|n| format!("usr/share/doc/package-{n}/copyright")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let layer = names(&members);
    assert_eq!(layer.len(), 20_000);
    let stored = serde_json::to_string(&layer).unwrap();
    assert!(stored.len() < 150_000, "{}", stored.len());
    assert_eq!(serde_json::from_str::<Names>(&stored).unwrap(), layer);
    for broken in ["\"!\"", "\"////////////\"", "7"] {
        assert!(serde_json::from_str::<Names>(broken).is_err(), "{broken}");
    }
}

#[test]
fn a_million_whiteouts_are_bounded() {
    let mut collector = NamesCollector::default();
    for number in 0..1_000_000 {
        collector.member(&format!("d/.wh.f{number}"), false);
    }
    assert_eq!((collector.members, collector.removes, collector.not_kept), (1_000_000, 300_000, 700_000));
    let layer = collector.finish();
    assert_eq!(layer.hides("d/f299999"), Some(Hides::Removes));
    assert_eq!(layer.hides("d/f300000"), None);
}

fn package(account: &str, name: &str, version: &str) -> Component {
    Component {
        purl: Some(format!("pkg:deb/{name}@{version}?arch=amd64")),
        name: name.to_owned(),
        version: Some(version.to_owned()),
        licence: None,
        path: format!("l.tar!/{account}"),
        how: How::PackageDatabase,
        confidence: Confidence::High,
        places: 1,
        beneath: None,
    }
}

fn secret(path: &str) -> Finding {
    Finding {
        detector: "secrets/x".to_owned(),
        kind: FindingKind::Secret,
        severity: FindingSeverity::High,
        confidence: Confidence::High,
        location: Location { path: path.to_owned(), ..Location::default() },
        message: "holds a secret".to_owned(),
        evidence: None,
        secret_hash: Some("hash".to_owned()),
        count: 1,
    }
}

fn layer(members: &[&str], components: Vec<Component>, findings: Vec<Finding>) -> Inspection {
    Inspection {
        layer: Some(Box::new(Layer {
            names: names(members),
            members: members.len() as u64,
            ..Layer::default()
        })),
        inventory: Inventory { components, ..Inventory::default() },
        findings,
        ..Inspection::default()
    }
}

const STATUS: &str = "var/lib/dpkg/status";

fn parts<'a>(layers: &'a [(&'a str, Inspection)]) -> Parts<'a> {
    let layers = layers.iter().map(|(digest, seen)| Blob { digest, seen: Ok(seen) }).collect();
    Parts { config: None, layers }
}

fn told(image: &Inspection) -> Vec<String> {
    let one = |one: &Component| {
        let beneath = one.beneath.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{} {}{beneath}", one.purl.as_deref().unwrap_or(&one.name), one.path)
    };
    image.inventory.components.iter().map(one).collect()
}

#[test]
fn what_stands_and_what_lies_beneath() {
    let mut base = layer(
        &[STATUS, "etc/os-release", "opt/x.key"],
        vec![package(STATUS, "gone", "1"), package(STATUS, "libc6", "2"), package(STATUS, "openssl", "1")],
        vec![secret("l.tar!/opt/x.key")],
    );
    base.layer.as_mut().unwrap().distro = Some(Distro {
        id: "debian".to_owned(),
        version: Some("12".to_owned()),
        name: None,
        path: "l.tar!/etc/os-release".to_owned(),
    });
    let upper = layer(
        &[STATUS, "opt/.wh.x.key"],
        vec![package(STATUS, "libc6", "2"), package(STATUS, "openssl", "2")],
        vec![],
    );
    let layers = [("sha256:aaaaaaaaaaaaaaaa", base), ("sha256:bbbbbbbbbbbbbbbb", upper)];
    let image = merge("app.tar", &[parts(&layers)]);
    assert_eq!(
        told(&image),
        [
            "pkg:deb/debian/libc6@2?arch=amd64&distro=debian-12 app.tar!/layer 2 (sha256:bbbbbbbbbbbb…)!/var/lib/dpkg/status",
            "pkg:deb/debian/openssl@2?arch=amd64&distro=debian-12 app.tar!/layer 2 (sha256:bbbbbbbbbbbb…)!/var/lib/dpkg/status",
            "pkg:deb/debian/gone@1?arch=amd64&distro=debian-12 app.tar!/layer 1 (sha256:aaaaaaaaaaaa…)!/var/lib/dpkg/status \
             (the file is replaced in layer 2)",
            "pkg:deb/debian/openssl@1?arch=amd64&distro=debian-12 app.tar!/layer 1 (sha256:aaaaaaaaaaaa…)!/var/lib/dpkg/status \
             (the file is replaced in layer 2)",
        ]
    );
    let finding = &image.findings[0];
    assert_eq!(finding.location.path, "app.tar!/layer 1 (sha256:aaaaaaaaaaaa…)!/opt/x.key");
    assert_eq!(finding.message, "holds a secret; the file is deleted in layer 2, and it is still pulled");
    let facts = image.image.unwrap();
    assert_eq!(facts.distro.unwrap().id, "debian");
    let numbers: Vec<(u64, u64, bool)> =
        facts.layers.iter().map(|l| (l.number, l.components, l.seen)).collect();
    assert_eq!(numbers, [(1, 0, true), (2, 2, true)]);
}

#[test]
fn a_layer_that_nobody_looked_into_is_a_gap() {
    let known = layer(&[STATUS], vec![package(STATUS, "a", "1")], vec![]);
    let no_files =
        Inspection { verdict: Verdict::Suspicious, behind: vec!["x/y".to_owned()], ..Inspection::default() };
    let blobs = vec![
        Blob { digest: "sha256:aa", seen: Ok(&known) },
        Blob { digest: "sha256:bb", seen: Err("its type is not served") },
        Blob { digest: "sha256:cc", seen: Ok(&no_files) },
    ];
    let image = merge("x", &[Parts { config: None, layers: blobs }]);
    let gaps: Vec<(&str, &str, &str)> =
        image.not_seen.iter().map(|g| (g.kind.as_str(), g.path.as_str(), g.detail.as_str())).collect();
    assert_eq!(
        gaps,
        [
            ("image", "x!/layer 2 (sha256:bb)", "its type is not served"),
            ("image", "x!/layer 3 (sha256:cc)", "is no file system of files that is read"),
        ]
    );
    assert_eq!((image.verdict, image.behind), (Verdict::Suspicious, vec!["x/y".to_owned()]));
    assert_eq!(image.inventory.components.len(), 1);
}

#[test]
fn platforms_are_put_together_and_shared_layers_told_once() {
    let base = layer(&[STATUS], vec![package(STATUS, "a", "1")], vec![secret("l!/k")]);
    let removes = layer(&["var/lib/dpkg/.wh.status"], vec![], vec![]);
    let digests = ["sha256:aa", "sha256:bb"];
    let one = Parts { config: None, layers: vec![Blob { digest: digests[0], seen: Ok(&base) }] };
    let other = Parts {
        config: None,
        layers: vec![
            Blob { digest: digests[0], seen: Ok(&base) },
            Blob { digest: digests[1], seen: Ok(&removes) },
        ],
    };
    let image = merge("x", &[other, one]);
    // It stands in one of the two, and that is enough.
    assert_eq!(told(&image), ["pkg:deb/a@1?arch=amd64 x!/layer 1 (sha256:aa)!/var/lib/dpkg/status"]);
    assert_eq!((image.findings.len(), image.findings[0].count), (1, 1));
    let facts = image.image.unwrap();
    assert_eq!((facts.platforms, facts.layers.len()), (2, 2));
}

#[test]
fn an_image_of_too_many_layers_is_bounded() {
    let one = layer(&["a"], vec![], vec![]);
    let layers = vec![Blob { digest: "sha256:aa", seen: Ok(&one) }; LAYERS + 7];
    let image = merge("x", &[Parts { config: None, layers }]);
    let gap = NotSeen {
        kind: "image".to_owned(),
        path: "x".to_owned(),
        detail: "has more layers than are put together".to_owned(),
        count: 7,
    };
    assert_eq!(image.not_seen, [gap]);
}

#[test]
fn an_image_survives_being_stored() {
    let base = layer(&[STATUS], vec![package(STATUS, "a", "1")], vec![secret("l!/k")]);
    for inspection in [merge("x", &[parts(&[("sha256:aa", base.clone())])]), base] {
        let stored = serde_json::to_string(&inspection).unwrap();
        assert_eq!(serde_json::from_str::<Inspection>(&stored).unwrap(), inspection);
    }
}

#[test]
fn a_configuration_is_told_without_its_values() {
    let text = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:aa","sha256:bb"]},
        "history":[{"created_by":"RUN a"},{"created_by":"ENV b","empty_layer":true}],
        "config":{"User":"app","Env":["PATH=/bin","TOKEN=value"],"Entrypoint":["/app","--token=value"],"Cmd":null,
        "ExposedPorts":{"8080/tcp":{}},"Labels":{"maintainer":"value"}}}"#;
    let config = Config::read(text).unwrap();
    assert_eq!(config.user.as_deref(), Some("app"));
    assert_eq!(config.starts.as_deref(), Some("/app"));
    assert_eq!(config.environment, ["PATH", "TOKEN"]);
    assert_eq!((config.ports, config.labels), (vec!["8080/tcp".to_owned()], vec!["maintainer".to_owned()]));
    assert_eq!((config.unpacked.len(), config.commands), (2, 2));
    assert!(Config::read(b"{").is_none() && Config::read(b"[]").is_none());
}
