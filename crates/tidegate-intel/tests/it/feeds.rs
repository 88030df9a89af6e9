//! Small deliveries of every feed, as their publishers shape them, recognised without being told what they are.

use tidegate_intel::import::{Delivery, ReadOptions, read_bytes};
use tidegate_intel::signals::{CveId, Exploitation, Signal};
use tidegate_intel::vex::Product;
use tidegate_intel::{AdvisoryKind, FeedKind};

use crate::support::{NOW, apply, ask, at, empty, only};

fn delivered(name: &str, text: &str) -> Delivery {
    let mut deliveries = read_bytes(name, text, &ReadOptions::default()).unwrap();
    assert_eq!(deliveries.len(), 1);
    deliveries.remove(0)
}

const OSV: &str = r#"{"id":"DLA-1-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"zlib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:1.2.13-1"}]}]}]}"#;
const GHSA: &str = r#"{"schema_version":"1.4.0","id":"GHSA-xxxx-yyyy-zzzz","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-1000"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0.0"}]}]}],"database_specific":{"cwe_ids":["CWE-79"],"severity":"HIGH","github_reviewed":true}}"#;
const RUSTSEC: &str = r#"{"id":"RUSTSEC-2026-0001","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"cargo","name":"p"},"database_specific":{"informational":"unsound"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"},{"fixed":"1.0.0"}]}]}]}"#;
const PYPA: &str = r#"{"id":"PYSEC-2026-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"p"},"versions":["1.0"]}]}"#;
const GO: &str = r#"{"id":"GO-2026-0001","modified":"0001-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Go","name":"stdlib"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.20.1"},{"introduced":"1.21.0-0"},{"fixed":"1.21.3"}]}],"ecosystem_specific":{"imports":[{"path":"net/http","symbols":["Get"]}]}}],"database_specific":{"review_status":"REVIEWED"}}"#;
const MAL: &str = r#"{"id":"MAL-2026-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"evil"},"versions":["1.0.0"]}],"database_specific":{"malicious-packages-origins":[{"source":"one"},{"source":"two"}]}}"#;

#[test]
fn advisory_feeds_are_known_by_their_ids() {
    for (text, kind) in [
        (OSV, FeedKind::Osv),
        (GHSA, FeedKind::Ghsa),
        (RUSTSEC, FeedKind::Rustsec),
        (PYPA, FeedKind::Pypa),
        (GO, FeedKind::Go),
        (MAL, FeedKind::Malicious),
    ] {
        let delivery = delivered("x.json", text);
        assert_eq!((delivery.kind(), delivery.feed(), delivery.len()), (kind, kind.as_str(), 1), "{text}");
    }
}

#[test]
fn each_feed_answers_in_its_ecosystem() {
    let intel = empty();
    for text in [OSV, GHSA, RUSTSEC, PYPA, GO, MAL] {
        apply(&intel, vec![delivered("x.json", text)]);
    }
    for (ecosystem, name, version, id) in [
        ("Debian:12", "zlib", "1:1.2.12-9", "DLA-1-1"),
        ("npm", "p", "0.9.0", "CVE-2026-1000"),
        ("cargo", "p", "0.9.0", "RUSTSEC-2026-0001"),
        ("pypi", "P", "1.0.0", "PYSEC-2026-1"),
        ("go", "stdlib", "1.21.0", "GO-2026-0001"),
        ("npm", "evil", "1.0.0", "MAL-2026-1"),
    ] {
        assert_eq!(only(ask(&intel, ecosystem, name, version)).id, id);
    }
    assert!(ask(&intel, "Debian:12", "zlib", "1:1.2.13-1").items.is_empty());
    assert!(ask(&intel, "go", "stdlib", "1.20.9").items.is_empty());
    let malware = only(ask(&intel, "npm", "evil", "1.0.0"));
    assert_eq!((malware.kind, malware.all_versions), (AdvisoryKind::Malware, false));
    assert_eq!(malware.reporters, ["one", "two"]);
    // The whole record is kept, symbols and all.
    let record = intel.snapshot().records("GO-2026-0001", at(NOW)).unwrap().remove(0);
    assert_eq!(record.json, GO.as_bytes());
    let by_alias = intel.snapshot().records("CVE-2026-1000", at(NOW)).unwrap().remove(0);
    assert_eq!(by_alias.id, "GHSA-xxxx-yyyy-zzzz");
}

#[test]
fn signals_are_found_by_cve() {
    let intel = empty();
    let kev = r#"{"title":"t","catalogVersion":"2026.11.20","dateReleased":"2026-11-20T15:00:00Z","count":1,"vulnerabilities":[{"cveID":"CVE-2026-1000","dateAdded":"2026-11-19","dueDate":"2026-12-10","knownRansomwareCampaignUse":"Unknown"}]}"#;
    let delivery = delivered("known_exploited_vulnerabilities.json", kev);
    assert_eq!((delivery.kind(), delivery.as_of()), (FeedKind::Kev, Some(at("2026-11-20T15:00:00Z"))));
    apply(&intel, vec![delivery]);
    apply(
        &intel,
        vec![delivered(
            "ssvc.jsonl",
            r#"{"cve":"CVE-2026-1000","exploitation":"Active","automatable":"no","technical_impact":"Partial"}"#,
        )],
    );
    let scores = "#model_version:v2025.03.14,score_date:2026-11-20T12:55:00Z\ncve,epss,percentile\nCVE-2026-1000,5e-05,0.5\n";
    apply(&intel, vec![delivered("epss_scores-current.csv", scores)]);
    let snapshot = intel.snapshot();
    let signals = snapshot.signals(CveId::parse("CVE-2026-1000").unwrap());
    assert_eq!(signals.len(), 3);
    for (_, signal) in signals {
        match signal {
            Signal::Kev(kev) => assert_eq!(kev.added, at("2026-11-19")),
            Signal::Epss(epss) => assert!((epss.score - 0.00005).abs() < 1e-12),
            Signal::Ssvc(ssvc) => assert_eq!(ssvc.exploitation, Some(Exploitation::Active)),
        }
    }
    assert!(snapshot.signals(CveId::parse("CVE-2026-1001").unwrap()).is_empty());
    assert!(snapshot.has(FeedKind::Epss) && !snapshot.has(FeedKind::Csaf));
}

#[test]
fn vex_of_both_forms_is_found_by_product() {
    let intel = empty();
    let openvex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc","author":"A","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-1000"},"products":[{"@id":"pkg:npm/p@1.0.0"}],"status":"not_affected","justification":"vulnerable_code_not_present"}]}"#;
    let csaf = r#"{"document":{"category":"csaf_vex","publisher":{"name":"V"},"tracking":{"id":"V-1","current_release_date":"2026-03-01T00:00:00Z"}},"product_tree":{"full_product_names":[{"product_id":"P","product_identification_helper":{"purl":"pkg:npm/p"}}]},"vulnerabilities":[{"cve":"CVE-2026-1000","product_status":{"fixed":["P"]}}]}"#;
    apply(&intel, vec![delivered("a.json", openvex)]);
    apply(&intel, vec![delivered("b.json", csaf)]);
    let snapshot = intel.snapshot();
    let product = Product { ecosystem: "npm", name: "p", version: "1.0.0" };
    let statements = snapshot.vex(&["CVE-2026-1000".to_owned()], &product);
    let authors: Vec<&str> = statements.iter().map(|s| s.author.as_str()).collect();
    assert_eq!(authors, ["V", "A"], "newest first");
    let other = Product { version: "2.0.0", ..product };
    assert_eq!(snapshot.vex(&["CVE-2026-1000".to_owned()], &other).len(), 1);
    // The document again, later and with other words: it replaces what it said of the product.
    let later = openvex.replace("not_affected", "affected").replace("2026-01-01", "2026-05-01");
    apply(&intel, vec![delivered("a.json", &later)]);
    apply(&intel, vec![delivered("a.json", openvex)]);
    let snapshot = intel.snapshot();
    let statements = snapshot.vex(&["CVE-2026-1000".to_owned()], &product);
    assert_eq!(statements.len(), 2);
    assert_eq!(statements[0].status.as_str(), "affected", "an older delivery brings nothing back");
}
