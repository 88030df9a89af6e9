//! From one door to another without a network.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use tidegate_intel::bundle::signature::{PublicKey, SignatureError, SigningKey};
use tidegate_intel::bundle::{self, BundleError, MANIFEST, SIGNATURE};
use tidegate_intel::import::FeedAlarm;
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
    apply(&intel, tidegate_intel::import::read_bytes("epss.csv", scores, &Default::default()).unwrap());
    let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc","author":"A","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-1000"},"products":[{"@id":"pkg:npm/p@1.0.0"}],"status":"not_affected"}]}"#;
    load(&intel, "vex", &[vex]);
    intel
}

fn export(intel: &Intel, key: Option<&SigningKey>) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    bundle::export(&intel.snapshot(), &BTreeMap::new(), key, &mut out).unwrap();
    out.into_inner()
}

#[test]
fn a_bundle_carries_everything_and_is_the_same_each_time() {
    let from = door();
    let bytes = export(&from, None);
    assert_eq!(bytes, export(&from, None));
    let opened = bundle::open_bytes(&bytes).unwrap();
    assert_eq!(opened.manifest.feeds.len(), 6);
    assert_eq!(opened.signer(&[]), Err(SignatureError::Unsigned));
    let to = empty();
    let applied = apply(&to, opened.deliveries(None).unwrap());
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
    let again = export(&to, None);
    let again = bundle::open_bytes(&again).unwrap();
    assert_eq!(again.manifest.feeds, bundle::open_bytes(&bytes).unwrap().manifest.feeds);
}

fn key() -> SigningKey {
    SigningKey::parse(&SigningKey::generate().unwrap()).unwrap()
}

/// All of a bundle as a door would take it in, given whom it trusts.
fn take(bytes: &[u8], trusted: &[PublicKey]) -> Result<usize, String> {
    let opened = bundle::open_bytes(bytes).map_err(|e| e.to_string())?;
    opened.signer(trusted).map_err(|e| e.to_string())?;
    opened.deliveries(None).map(|deliveries| deliveries.len()).map_err(|e| e.to_string())
}

#[test]
fn a_signed_bundle_is_known_by_its_key() {
    let (ours, other) = (key(), key());
    let bytes = export(&door(), Some(&ours));
    assert_eq!(take(&bytes, &[other.public(), ours.public()]), Ok(6));
    let error = take(&bytes, &[other.public()]).unwrap_err();
    assert!(error.contains("not trusted"), "{error}");
    let error = take(&export(&door(), None), &[ours.public()]).unwrap_err();
    assert!(error.contains("not signed"), "{error}");
}

type Files = Vec<(String, Vec<u8>)>;

/// The files of a bundle, and a bundle of files.
fn unpacked(bytes: &[u8]) -> Files {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let read = |n: usize| {
        let mut file = archive.by_index(n).unwrap();
        let mut out = Vec::new();
        file.read_to_end(&mut out).unwrap();
        (file.name().to_owned(), out)
    };
    (0..zip::ZipArchive::new(Cursor::new(bytes)).unwrap().len()).map(read).collect()
}

fn packed(files: &Files) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_bundle_that_was_put_together_anew_is_refused_by_name() {
    let key = key();
    let trusted = [key.public()];
    let files = unpacked(&export(&door(), Some(&key)));
    assert_eq!(take(&packed(&files), &trusted), Ok(6), "packed anew it is the same");
    let change = |what: &dyn Fn(&mut Files)| {
        let mut files = files.clone();
        what(&mut files);
        take(&packed(&files), &trusted).unwrap_err()
    };
    let at = |files: &Files, name: &str| files.iter().position(|f| f.0 == name).unwrap();
    // Another list of contents under the old signature: a withdrawn feed, a false time.
    let error = change(&|files| {
        let manifest = at(files, MANIFEST);
        let text = String::from_utf8(files[manifest].1.clone()).unwrap();
        files[manifest].1 = text.replacen("2026-", "2027-", 1).into_bytes();
    });
    assert!(error.contains("altered"), "{error}");
    // Another file under the signed list.
    let error = change(&|files| {
        let one = at(files, "feeds/000.zst");
        files[one].1 = zstd::encode_all(&b"{}\n"[..], 1).unwrap();
    });
    assert!(error.contains("digest differs"), "{error}");
    // Two files exchanged, one left out, one added, the signature left out or of another bundle.
    let error = change(&|files| {
        let (a, b) = (at(files, "feeds/000.zst"), at(files, "feeds/001.zst"));
        let first = files[a].1.clone();
        files[a].1 = std::mem::replace(&mut files[b].1, first);
    });
    assert!(error.contains("digest differs"), "{error}");
    let error = change(&|files| drop(files.remove(at(files, "feeds/001.zst"))));
    assert!(error.contains("does not hold the files"), "{error}");
    let error = change(&|files| files.push(("feeds/999.zst".to_owned(), Vec::new())));
    assert!(error.contains("does not hold the files"), "{error}");
    let error = change(&|files| drop(files.remove(at(files, SIGNATURE))));
    assert!(error.contains("not signed"), "{error}");
    let other = unpacked(&export(&empty(), Some(&key)));
    let error = change(&|files| {
        let signature = at(files, SIGNATURE);
        files[signature].1 = other[at(&other, SIGNATURE)].1.clone();
    });
    assert!(error.contains("altered"), "{error}");
}

#[test]
fn a_bundle_that_was_changed_is_refused() {
    let key = key();
    let trusted = [key.public()];
    let bytes = export(&door(), Some(&key));
    let whole = bundle::open_bytes(&bytes).unwrap().manifest;
    let mut opened = 0;
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x08;
        // Times in the archive's own directory are not part of what is meant.
        if take(&changed, &trusted).is_ok() {
            assert_eq!(bundle::open_bytes(&changed).unwrap().manifest, whole);
            opened += 1;
        }
        assert!(take(&bytes[..at], &trusted).is_err(), "cut at {at}");
    }
    assert!(opened * 7 < bytes.len() / 2, "{opened} changes went unseen");
    assert!(matches!(bundle::open_bytes(b"PK"), Err(BundleError::NoBundle)));
}

#[test]
fn a_bundle_from_before_is_an_alarm() {
    let from = door();
    let old = export(&from, None);
    let newer = record("A-7", "npm", "p", FIXED_IN_2).replace("2026-01-01", "2026-11-01");
    load(&from, "one", &[&newer]);
    let to = empty();
    apply(&to, bundle::open_bytes(&export(&from, None)).unwrap().deliveries(None).unwrap());
    let applied = apply(&to, bundle::open_bytes(&old).unwrap().deliveries(None).unwrap());
    let refused: Vec<_> = applied.reports.iter().filter(|report| report.refused).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(matches!(refused[0].alarms[0], FeedAlarm::RolledBack { .. }), "{refused:?}");
    assert_eq!(ids(&to, "npm", "p", "1.0.0"), ["A-1", "A-7"]);
}
