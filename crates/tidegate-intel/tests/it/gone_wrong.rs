//! Deliveries gone wrong, one after another against the same door: whatever comes, what was known stays known, and what
//! happened has a name.

use std::io::{Cursor, Write as _};

use tidegate_intel::Intel;
use tidegate_intel::import::{Extent, PlanOptions, ReadOptions, read_bytes};

use crate::support::{NOW, at, empty, ids, load, record};

const ALL: &str = r#"{"introduced":"0"}"#;

fn records(count: usize) -> Vec<String> {
    (0..count).map(|n| record(&format!("A-{n:04}"), "npm", &format!("p{n}"), ALL)).collect()
}

fn lines(records: &[String]) -> Vec<u8> {
    (records.join("\n") + "\n").into_bytes()
}

fn zipped(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// What becomes of a whole delivery: the name of an error or of the alarms, and whether it is in force.
fn deliver(intel: &Intel, bytes: &[u8]) -> (String, bool) {
    let options = ReadOptions { feed: Some("feed".into()), extent: Extent::Whole, ..ReadOptions::default() };
    let deliveries = match read_bytes("all.zip", bytes, &options) {
        Ok(deliveries) => deliveries,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|c| format!(": {c}")).unwrap_or_default();
            return (format!("{error}{cause}"), false);
        }
    };
    if deliveries.is_empty() {
        return ("nothing".into(), false);
    }
    let plan = intel.snapshot().plan(deliveries, &PlanOptions::at(at(NOW))).unwrap();
    let changes = plan.changes_anything();
    let applied = intel.apply(plan).unwrap();
    let said = |report: &tidegate_intel::import::FeedReport| {
        let alarms = report.alarms.iter().map(ToString::to_string);
        let rejected = report.rejections.iter().map(|r| r.why.clone());
        alarms.chain(rejected).collect::<Vec<_>>().join("; ")
    };
    (applied.reports.iter().map(said).collect(), changes)
}

/// All of what was known at first is known.
fn stands(intel: &Intel, what: &str) {
    for n in [0, 1, 50, 99] {
        assert_eq!(ids(intel, "npm", &format!("p{n}"), "1.0.0"), [format!("A-{n:04}")], "{what}");
    }
}

#[test]
fn whatever_is_delivered_what_was_known_stays_known_and_the_fault_has_a_name() {
    let intel = empty();
    let whole = records(100);
    let text = lines(&whole);
    load(&intel, "feed", &whole.iter().map(String::as_str).collect::<Vec<_>>());
    let generation = intel.snapshot().generation();
    let packed = zstd::encode_all(text.as_slice(), 3).unwrap();
    let files: Vec<(String, Vec<u8>)> =
        whole.iter().enumerate().map(|(n, r)| (format!("A-{n}.json"), r.clone().into_bytes())).collect();
    let archive = zipped(&files);
    let spaces = vec![b' '; 80 << 20];
    let deep = format!(r#"{{"id":"X-1","affected":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let giant =
        format!(r#"{{"id":"X-1","modified":"2026-01-01T00:00:00Z","details":"{}"}}"#, "x".repeat(17 << 20));
    let half = lines(&whole[..50]);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("cut text", text[..text.len() - 40].to_vec(), "cut off in the middle"),
        ("cut zstd", packed[..packed.len() / 2].to_vec(), "cut off"),
        ("cut gzip", gzipped(&text)[..200].to_vec(), "cut off"),
        ("cut zip", archive[..archive.len() - 30].to_vec(), "cut off"),
        ("empty", Vec::new(), "nothing"),
        ("empty zip", zipped(&[]), "nothing"),
        ("another page", b"<html>sign in</html>".to_vec(), "no feed that is known"),
        ("no JSON", b"{\"id\": nothing}".to_vec(), "is not JSON"),
        ("halved", half, "shrunk"),
        ("zip bomb", zipped(&[("a.json".into(), spaces.clone())]), "unpacks to more than"),
        ("gzip bomb", gzipped(&spaces), "unpacks to more than"),
        ("zstd bomb", zstd::encode_all(spaces.as_slice(), 1).unwrap(), "unpacks to more than"),
        (
            "a bomb in many files",
            zipped(&(0..6).map(|n| (format!("{n}.json"), spaces[..16 << 20].to_vec())).collect::<Vec<_>>()),
            "unpacks to more than",
        ),
        ("deep", deep.into_bytes(), "unreadable"),
        ("giant text", giant.into_bytes(), "unreadable"),
        (
            "bundle in place of a feed",
            zipped(&[("manifest.json".into(), b"{}".to_vec()), ("feeds/000.zst".into(), packed.clone())]),
            "no feed that is known",
        ),
    ];
    for (what, bytes, name) in cases {
        let (said, changed) = deliver(&intel, &bytes);
        assert!(said.contains(name), "{what}: {said}");
        assert!(!changed, "{what}");
        assert_eq!(intel.snapshot().generation(), generation, "{what}");
        stands(&intel, what);
    }
}

#[test]
fn what_is_reordered_or_doubled_says_the_same() {
    let intel = empty();
    let whole = records(100);
    load(&intel, "feed", &whole.iter().map(String::as_str).collect::<Vec<_>>());
    let mut reversed = whole.clone();
    reversed.reverse();
    let doubled: Vec<String> = whole.iter().chain(&reversed).cloned().collect();
    let archive = |records: &[String]| {
        let file = |(n, r): (usize, &String)| (format!("{n}.json"), r.clone().into_bytes());
        zipped(&records.iter().enumerate().map(file).collect::<Vec<_>>())
    };
    for (what, bytes) in [
        ("reversed", lines(&reversed)),
        ("doubled", lines(&doubled)),
        ("an array", format!("[{}]", reversed.join(",\n")).into_bytes()),
        ("a file each, reversed", archive(&reversed)),
        ("a file each, doubled", archive(&doubled)),
    ] {
        let (said, changed) = deliver(&intel, &bytes);
        assert_eq!((said.as_str(), changed), ("", false), "{what}");
        stands(&intel, what);
    }
}

#[test]
fn rolled_back_and_future_deliveries_are_named() {
    let intel = empty();
    let newer: Vec<String> = records(100).iter().map(|r| r.replace("2026-01-01", "2026-05-01")).collect();
    deliver(&intel, &lines(&newer));
    let (said, changed) = deliver(&intel, &lines(&records(100)));
    assert!(said.contains("rolled back") && !changed, "{said}");
    // From the future: it counts as now, so that tomorrow's truth is newer, and it lifts nothing by its time alone.
    let future: Vec<String> = newer
        .iter()
        .map(|r| {
            r.replace("2026-05-01", "2036-05-01").replacen('{', r#"{"withdrawn":"2036-05-02T00:00:00Z","#, 1)
        })
        .collect();
    let (said, _) = deliver(&intel, &lines(&future));
    assert!(said.contains("from the future"), "{said}");
    stands(&intel, "a retraction that lies in the future is none yet");
}
