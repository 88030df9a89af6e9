use tidegate_testkit::validators::{Standard, Validators};

use super::*;

fn part(purl: Option<&str>, name: &str, version: Option<&str>, how: How) -> Part {
    Part {
        purl: purl.map(str::to_owned),
        name: name.to_owned(),
        version: version.map(str::to_owned),
        licence: (how == How::Manifest).then(|| "MIT OR Apache-2.0".to_owned()),
        path: format!("a-1.0.0.tgz!/package/{name}"),
        how,
        confidence: Confidence::Medium,
        places: 1,
        beneath: None,
    }
}

fn sample() -> (Inventory, Licences) {
    let inventory = Inventory {
        subject: Some(part(Some("pkg:npm/a@1.0.0"), "a", Some("1.0.0"), How::Manifest)),
        components: vec![
            part(Some("pkg:npm/b@2.0.0"), "b", Some("2.0.0"), How::Manifest),
            part(Some("pkg:npm/c"), "c", None, How::SourceMap),
            part(None, "org.acme.d", Some("3"), How::CargoAuditable),
            part(Some("pkg:generic/openssl@3.0.13"), "openssl", Some("3.0.13"), How::KnownText),
            part(Some("pkg:generic/libx"), "libx", None, How::CopiedLibrary),
        ],
        ..Inventory::default()
    };
    let licences = Licences {
        concluded: Some("MIT OR Apache-2.0".into()),
        because: "as declared".into(),
        ..Licences::default()
    };
    (inventory, licences)
}

fn rendered(inventory: &Inventory, licences: &Licences, file: &str, format: SbomFormat) -> String {
    let tool = Tool { name: "tidegate".into(), version: "0.1.0".into() };
    let contents = Contents {
        tool: &tool,
        at: "2026-11-21T10:00:00.123Z".parse().unwrap(),
        file,
        sha256: Sha256::from_hex(&"ab".repeat(32)),
        inventory,
        licences,
        not_seen: &[],
    };
    String::from_utf8(contents.render(format)).unwrap()
}

#[test]
fn the_same_contents_give_the_same_document() {
    let (inventory, licences) = sample();
    for format in [SbomFormat::CycloneDx16, SbomFormat::Spdx23] {
        let one = rendered(&inventory, &licences, "a-1.0.0.tgz", format);
        assert_eq!(one, rendered(&inventory, &licences, "a-1.0.0.tgz", format));
        assert_ne!(one, rendered(&inventory, &licences, "b.tgz", format));
    }
}

#[test]
fn every_component_is_written_with_where_and_how() {
    let (inventory, licences) = sample();
    let cyclonedx: Value =
        serde_json::from_str(&rendered(&inventory, &licences, "a.tgz", SbomFormat::CycloneDx16)).unwrap();
    let components = cyclonedx["components"].as_array().unwrap();
    assert_eq!(components.len(), 5);
    assert_eq!(components[1]["evidence"]["identity"][0]["methods"][0]["value"], "source_map");
    assert_eq!(components[0]["evidence"]["occurrences"][0]["location"], "a-1.0.0.tgz!/package/b");
    assert_eq!(cyclonedx["metadata"]["component"]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    let spdx: Value =
        serde_json::from_str(&rendered(&inventory, &licences, "a.tgz", SbomFormat::Spdx23)).unwrap();
    let packages = spdx["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 6);
    assert_eq!(packages[0]["licenseConcluded"], "MIT OR Apache-2.0");
    assert_eq!(packages[1]["externalRefs"][0]["referenceLocator"], "pkg:npm/b@2.0.0");
    assert!(packages[2]["comment"].as_str().unwrap().contains("source_map"));
    assert_eq!(spdx["relationships"].as_array().unwrap().len(), 6);
}

#[test]
fn other_validators_accept_sboms_of_artifacts() {
    let Some(validators) = Validators::install() else {
        eprintln!("SKIPPED: the validators of CycloneDX and SPDX cannot be installed here (no network?)");
        return;
    };
    let (inventory, licences) = sample();
    let empty = (Inventory::default(), Licences::default());
    for (inventory, licences) in [(&inventory, &licences), (&empty.0, &empty.1)] {
        for (standard, format) in
            [(Standard::CycloneDx("1.6"), SbomFormat::CycloneDx16), (Standard::Spdx23, SbomFormat::Spdx23)]
        {
            let document = rendered(inventory, licences, "a-1.0.0.tgz", format);
            validators.judge(standard, &document).unwrap_or_else(|said| panic!("{said}\n{document}"));
        }
    }
    let broken =
        rendered(&inventory, &licences, "a.tgz", SbomFormat::Spdx23).replace("\"CONTAINS\"", "\"HOLDS\"");
    assert!(validators.judge(Standard::Spdx23, &broken).is_err(), "the validator accepts anything");
}
