//! Inspections, comparisons and components.

use tidegate_model::ArtifactKind;

use super::{Check, at, sha};
use crate::catalogue::{
    Artifact, AskedSecret, BundledComponent, Catalogue, Comparison, ComparisonKind, ComponentHolder, Edge,
    EdgeKind, PinKey, StoredInspection,
};

pub(super) const CHECKS: &[Check] = &[
    ("an inspection takes the place of the one before", replaced),
    ("a package's inspections are found through its pins", through_pins),
    ("what an older inspector looked at comes back by last access", outdated),
    ("comparisons stand under the package", compared),
    ("components are found by package and by artifact", bundled),
    ("what issuers say of secrets is kept by their hashes", asked),
    ("edges keep their first word", edges),
];

fn inspection(n: u8, inspector: u32) -> StoredInspection {
    StoredInspection {
        sha256: sha(n),
        inspector,
        at: at(i64::from(n)),
        facts: format!("{{\"n\":{n}}}"),
        report: format!("{{\"n\":{n},\"by\":{inspector}}}"),
    }
}

fn component(purl: &str, path: &str) -> BundledComponent {
    BundledComponent { purl: purl.into(), path: path.into() }
}

fn replaced(c: &dyn Catalogue) {
    assert_eq!(c.inspection(&sha(1)).unwrap(), None);
    c.put_inspection(&inspection(1, 1), &[component("pkg:npm/a@1.0.0", "x")]).unwrap();
    assert_eq!(c.inspection(&sha(1)).unwrap(), Some(inspection(1, 1)));
    c.put_inspection(&inspection(1, 2), &[]).unwrap();
    assert_eq!(c.inspection(&sha(1)).unwrap(), Some(inspection(1, 2)));
    assert!(c.components_of(&sha(1)).unwrap().is_empty(), "what is no longer found is gone");
}

fn pin(c: &dyn Catalogue, package: &str, version: &str, n: u8) {
    let key = PinKey { ecosystem: "npm", package, version, file: "f.tgz" };
    c.set_pin(&key, &sha(n), at(0)).unwrap();
}

fn through_pins(c: &dyn Catalogue) {
    pin(c, "a", "1.0.0", 1);
    pin(c, "a", "1.0.1", 1);
    pin(c, "a", "2.0.0", 2);
    pin(c, "b", "1.0.0", 3);
    for n in [1, 3, 4] {
        c.put_inspection(&inspection(n, 7), &[]).unwrap();
    }
    let found = c.inspected_of("npm", "a").unwrap();
    assert_eq!(found.len(), 1, "two versions of the same bytes are one, and what was not inspected is none");
    assert_eq!((found[0].sha256, found[0].inspector, found[0].facts.as_str()), (sha(1), 7, "{\"n\":1}"));
    assert!(c.inspected_of("pypi", "a").unwrap().is_empty());
}

/// An artifact whose bytes are here.
fn artifact(n: u8) -> Artifact {
    Artifact {
        sha256: sha(n),
        sha512: None,
        size: 1,
        kind: ArtifactKind::Package,
        upstream_url: None,
        first_stored_at: at(0),
        last_access_at: at(0),
        stored: true,
        pinned: false,
    }
}

fn outdated(c: &dyn Catalogue) {
    for (n, stored) in [(1, true), (2, true), (3, false), (4, true)] {
        c.put_artifact(&Artifact { last_access_at: at(i64::from(n)), stored, ..artifact(n) }).unwrap();
        pin(c, "a", &format!("{n}.0.0"), n);
    }
    for (n, inspector) in [(1, 1), (2, 1), (3, 1), (4, 2)] {
        c.put_inspection(&inspection(n, inspector), &[]).unwrap();
    }
    let found: Vec<String> = c.outdated_inspections(2, 10).unwrap().into_iter().map(|o| o.version).collect();
    assert_eq!(found, ["2.0.0", "1.0.0"]);
    assert_eq!(c.outdated_inspections(2, 1).unwrap().len(), 1);
    assert!(c.outdated_inspections(1, 10).unwrap().is_empty());
}

fn compared(c: &dyn Catalogue) {
    let one = Comparison {
        purl: "pkg:npm/a@1.0.1".into(),
        kind: ComparisonKind::Release,
        sha256: sha(2),
        against: sha(1),
        inspector: 1,
        at: at(1),
        findings: "[]".into(),
    };
    let index = Comparison { kind: ComparisonKind::Manifest, against: sha(9), ..one.clone() };
    c.put_comparison(&one).unwrap();
    c.put_comparison(&index).unwrap();
    let newer = Comparison { inspector: 2, findings: "[1]".into(), ..one };
    c.put_comparison(&newer).unwrap();
    assert_eq!(c.comparisons_of("pkg:npm/a").unwrap(), [index.clone(), newer.clone()]);
    // An index says one thing at a time, a release has many neighbours.
    let changed = Comparison { against: sha(3), ..index };
    let other = Comparison { against: sha(4), ..newer.clone() };
    c.put_comparison(&changed).unwrap();
    c.put_comparison(&other).unwrap();
    assert_eq!(c.comparisons_of("pkg:npm/a").unwrap(), [changed, newer, other]);
    assert!(c.comparisons_of("pkg:npm/b").unwrap().is_empty());
}

fn bundled(c: &dyn Catalogue) {
    let inside = [component("pkg:npm/lodash@4.17.20", "x!/a"), component("pkg:npm/lodash@4.17.21", "x!/b")];
    c.put_inspection(&inspection(1, 1), &inside).unwrap();
    c.put_inspection(&inspection(2, 1), &inside[..1]).unwrap();
    // What nobody calls by a name is in nobody's version.
    assert!(c.component_holders("pkg:npm/lodash").unwrap().is_empty());
    pin(c, "fat", "1.0.0", 1);
    pin(c, "fat", "1.0.1", 2);
    pin(c, "other", "1.0.0", 2);
    let told = |found: Vec<ComponentHolder>| -> Vec<(String, String, String)> {
        found.into_iter().map(|h| (h.purl, h.package, h.version)).collect()
    };
    let row = |version: &str, package: &str, of: &str| {
        (format!("pkg:npm/lodash@{version}"), package.to_owned(), of.to_owned())
    };
    assert_eq!(
        told(c.component_holders("pkg:npm/lodash").unwrap()),
        [
            row("4.17.20", "fat", "1.0.0"),
            row("4.17.20", "fat", "1.0.1"),
            row("4.17.20", "other", "1.0.0"),
            row("4.17.21", "fat", "1.0.0"),
        ]
    );
    assert_eq!(told(c.components_in("npm", "other").unwrap()), [row("4.17.20", "other", "1.0.0")]);
    assert_eq!(c.components_in("npm", "fat").unwrap().len(), 3);
    assert!(c.components_in("pypi", "fat").unwrap().is_empty());
    assert_eq!(c.components_of(&sha(1)).unwrap(), inside);
    assert!(c.component_holders("pkg:npm/lodas").unwrap().is_empty());
    // Packages of a distribution are found by their source, which is what advisories name.
    let of_system = [
        component(
            "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl",
            "x!/status",
        ),
        component("pkg:deb/debian/x@1-1%2Bb1?upstream=lib%2B%2B%401-1", "x!/status"),
        component("pkg:rpm/rocky/openssl-libs@3.0.7-1.el9?upstream=openssl-3.0.7-1.el9.src.rpm", "x!/rpmdb"),
        component("pkg:nuget/Newtonsoft.Json@13.0.1", "x!/a.deps.json"),
    ];
    c.put_inspection(&inspection(1, 1), &of_system).unwrap();
    for (key, purl) in [
        ("pkg:deb/debian/openssl", &of_system[0].purl),
        ("pkg:deb/debian/lib%2B%2B", &of_system[1].purl),
        ("pkg:rpm/rocky/openssl-libs", &of_system[2].purl),
        ("pkg:nuget/newtonsoft.json", &of_system[3].purl),
    ] {
        let holders = c.component_holders(key).unwrap();
        assert_eq!(holders.iter().map(|h| &h.purl).collect::<Vec<_>>(), [purl], "{key}");
    }
    assert!(c.component_holders("pkg:deb/debian/libssl3").unwrap().is_empty());
}

fn asked(c: &dyn Catalogue) {
    let with = |n: u8, secrets: u32| StoredInspection {
        facts: format!("{{\"secrets\":{secrets}}}"),
        ..inspection(n, 1)
    };
    for (n, secrets) in [(1, 1), (2, 0), (3, 2), (4, 1)] {
        c.put_inspection(&with(n, secrets), &[]).unwrap();
        if n != 4 {
            c.put_artifact(&artifact(n)).unwrap();
        }
    }
    assert_eq!(c.artifacts_with_secrets(None, 10).unwrap(), [sha(1), sha(3)], "the bytes of 4 are not here");
    assert_eq!(c.artifacts_with_secrets(Some(&sha(1)), 10).unwrap(), [sha(3)]);
    assert_eq!(c.artifacts_with_secrets(None, 1).unwrap(), [sha(1)]);
    let said = |state: &str, n: i64| AskedSecret {
        secret_hash: "ab".into(),
        detector: "secrets/x".into(),
        state: state.into(),
        at: at(n),
    };
    c.put_asked_secret(&said("live", 1)).unwrap();
    c.put_asked_secret(&said("dead", 2)).unwrap();
    assert_eq!(c.asked_secrets(&["ab".into(), "cd".into()]).unwrap(), [said("dead", 2)]);
    assert!(c.asked_secrets(&["cd".into()]).unwrap().is_empty());
}

fn edges(c: &dyn Catalogue) {
    let edge = |child: &str, seconds, record: Option<&str>| Edge {
        parent: "pkg:npm/x@1".to_owned(),
        child: child.to_owned(),
        kind: EdgeKind::BuiltFrom,
        at: at(seconds),
        record: record.map(str::to_owned),
    };
    let (a, b) = (edge("pkg:mcp/a@1", 1, Some("n1-7")), edge("pkg:mcp/b@1", 2, None));
    c.put_edges(&[b.clone(), a.clone()]).unwrap();
    c.put_edges(&[edge("pkg:mcp/a@1", 9, Some("n1-9"))]).unwrap();
    let other = Edge { kind: EdgeKind::BroughtAlong, ..a.clone() };
    c.put_edges(std::slice::from_ref(&other)).unwrap();
    assert_eq!(c.edges_from("pkg:npm/x@1").unwrap(), [other, a, b]);
    assert_eq!(c.edges_from("pkg:npm/x").unwrap(), []);
    c.put_edges(&[]).unwrap();
    let key = PinKey { ecosystem: "npm", package: "x", version: "1", file: "x.tgz" };
    c.set_pin(&key, &sha(5), at(0)).unwrap();
    let names = c.names_of_bytes(&sha(5)).unwrap();
    assert_eq!((names.len(), names[0].package.as_str(), names[0].file.as_str()), (1, "x", "x.tgz"));
    assert_eq!(c.names_of_bytes(&sha(6)).unwrap(), []);
}
