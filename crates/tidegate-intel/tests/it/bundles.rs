//! From one door to another without a network.

use tidegate_intel::bundle::{self, BundleError};
use tidegate_intel::signals::CveId;
use tidegate_intel::vex::Product;
use tidegate_intel::{Intel, inverse};

use crate::support::{apply, empty, ids, load, record, record_with};

const FIXED_IN_2: &str = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;

fn door() -> Intel {
    let intel = empty();
    load(&intel, "one", &[&record("A-1", "npm", "p", FIXED_IN_2), &record("A-2", "PyPI", "q", FIXED_IN_2)]);
    let gone = record_with("A-2", "PyPI", "q", FIXED_IN_2, r#""withdrawn":"2026-02-01T00:00:00Z","#);
    load(&intel, "one", &[&gone.replace("2026-01-01", "2026-02-01")]);
    load(&intel, "two", &[&record("B-1", "npm", "p", r#"{"introduced":"5.0.0"}"#).replace(',', ",\n")]);
    load(
        &intel,
        "kev",
        &[
            r#"{"cveID":"CVE-2026-1000","dateAdded":"2026-11-01","dueDate":"2026-12-01","knownRansomwareCampaignUse":"Known"}"#,
        ],
    );
    load(
        &intel,
        "ssvc",
        &[
            r#"{"cve":"CVE-2026-1000","exploitation":"poc","automatable":"yes","technical_impact":"total","ssvc_time":"2026-08-01T18:51:01.909Z"}"#,
        ],
    );
    let scores = "#model_version:v1,score_date:2026-11-10T00:00:00Z\ncve,epss,percentile\nCVE-2026-1000,5e-05,0.123456\n";
    apply(
        &intel,
        tidegate_intel::import::read_bytes("epss.csv", scores.into(), &Default::default()).unwrap(),
    );
    let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc","author":"A","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-1000"},"products":[{"@id":"pkg:npm/p@1.0.0"}],"status":"not_affected"}]}"#;
    load(&intel, "vex", &[vex]);
    intel
}

#[test]
fn a_bundle_carries_everything_and_is_the_same_each_time() {
    let from = door();
    let bytes = bundle::export(&from.snapshot(), None).unwrap();
    assert_eq!(bytes, bundle::export(&from.snapshot(), None).unwrap());
    let opened = bundle::open(&bytes).unwrap();
    assert_eq!((opened.manifest.feeds.len(), opened.signature), (6, None));
    let to = empty();
    let applied = apply(&to, opened.deliveries);
    assert!(
        applied.reports.iter().all(|r| !r.refused && r.rejected == 0 && r.alarms.is_empty()),
        "{:?}",
        applied.reports
    );
    // Nothing differs: neither names, nor signals, nor statements.
    assert!(inverse::changes(&from.snapshot(), &to.snapshot()).unwrap().is_empty());
    assert_eq!(ids(&to, "npm", "p", "1.0.0"), ["A-1"]);
    assert_eq!(ids(&to, "npm", "p", "6.0.0"), ["B-1"]);
    assert!(ids(&to, "PyPI", "q", "1.0.0").is_empty());
    let cve = CveId::parse("CVE-2026-1000").unwrap();
    assert_eq!(to.snapshot().signals(cve), from.snapshot().signals(cve));
    let product = Product { ecosystem: "npm", name: "p", version: "1.0.0" };
    assert_eq!(to.snapshot().vex(&["CVE-2026-1000".to_owned()], &product).len(), 1);
    let times = |intel: &Intel| {
        intel.snapshot().feeds().iter().map(|f| (f.name().to_owned(), f.as_of())).collect::<Vec<_>>()
    };
    assert_eq!(times(&from), times(&to));
    // And exported from there it is the same again, but for the count of the door.
    let again = bundle::open(&bundle::export(&to.snapshot(), None).unwrap()).unwrap();
    assert_eq!(again.manifest.feeds, bundle::open(&bytes).unwrap().manifest.feeds);
}

#[test]
fn a_signature_is_made_over_the_list_of_contents() {
    let sign = |manifest: &[u8]| [b"signed:", manifest].concat();
    let bytes = bundle::export(&door().snapshot(), Some(&sign)).unwrap();
    let opened = bundle::open(&bytes).unwrap();
    assert_eq!(opened.signature.unwrap(), sign(&opened.manifest_bytes));
}

#[test]
fn a_bundle_that_was_changed_is_refused() {
    let bytes = bundle::export(&door().snapshot(), None).unwrap();
    let mut opened = 0;
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x08;
        // Names and times in the archive's own directory are not part of what is meant.
        if let Ok(bundle) = bundle::open(&changed) {
            assert_eq!(bundle.manifest, bundle::open(&bytes).unwrap().manifest);
            opened += 1;
        }
        assert!(bundle::open(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert!(opened * 7 < bytes.len() / 2, "{opened} changes went unseen");
    assert!(matches!(bundle::open(b"PK"), Err(BundleError::Archive(_))));
}
