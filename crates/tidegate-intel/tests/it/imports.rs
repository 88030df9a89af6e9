//! Imports: the delta is exact, order does not matter, and what is broken changes nothing.

use std::io::Write as _;

use tidegate_intel::FeedKind;
use tidegate_intel::import::{
    AlarmKind, DeliveryError, Extent, FeedAlarm, FeedReport, PlanOptions, ReadOptions, read, read_bytes,
};
use tidegate_intel::{Intel, signals};

use crate::support::{NOW, apply, ask, at, delivery, empty, ids, load, record, record_with};

const FIXED_IN_2: &str = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;

fn dated(id: &str, modified: &str, events: &str, members: &str) -> String {
    record_with(id, "npm", "p", events, members).replace("2026-01-01T00:00:00Z", modified)
}

fn lists(report: &FeedReport) -> [Vec<&str>; 5] {
    [&report.added, &report.changed, &report.withdrawn, &report.restored, &report.removed]
        .map(|list| list.iter().map(String::as_str).collect())
}

#[test]
fn a_delta_is_exactly_what_changed() {
    let intel = empty();
    let first =
        ["A-1", "A-2", "A-3", "A-4", "A-5"].map(|id| dated(id, "2026-01-01T00:00:00Z", FIXED_IN_2, ""));
    load(&intel, "feed", &first.each_ref().map(String::as_str));
    let gone = r#""withdrawn":"2026-02-01T00:00:00Z","#;
    let second = [
        first[0].clone(),
        // The same with its members in another order says the same.
        r#"{"modified":"2026-01-01T00:00:00Z","id":"A-2","affected":[{"ranges":[{"events":[{"introduced":"0"},{"fixed":"2.0.0"}],"type":"ECOSYSTEM"}],"package":{"name":"p","ecosystem":"npm"}}]}"#.to_owned(),
        dated("A-3", "2026-02-01T00:00:00Z", r#"{"introduced":"0"},{"fixed":"1.0.0"}"#, ""),
        dated("A-4", "2026-02-01T00:00:00Z", FIXED_IN_2, gone),
        dated("A-5", "2025-12-01T00:00:00Z", r#"{"introduced":"0"}"#, ""),
        dated("A-6", "2026-02-01T00:00:00Z", FIXED_IN_2, ""),
    ];
    let applied = load(&intel, "feed", &second.each_ref().map(String::as_str));
    let report = &applied.reports[0];
    assert_eq!(lists(report), [vec!["A-6"], vec!["A-3"], vec!["A-4"], vec![], vec![]]);
    assert_eq!((report.unchanged, report.older), (2, 1));
    assert_eq!(report.alarms, [FeedAlarm::OlderRecords { count: 1 }]);
    assert_eq!(ids(&intel, "npm", "p", "1.5.0"), ["A-1", "A-2", "A-5", "A-6"]);
    // And back: what was taken back is in force again.
    let third = dated("A-4", "2026-03-01T00:00:00Z", FIXED_IN_2, "");
    assert_eq!(lists(&load(&intel, "feed", &[&third]).reports[0])[3], ["A-4"]);
    assert_eq!(ids(&intel, "npm", "p", "1.5.0"), ["A-1", "A-2", "A-4", "A-5", "A-6"]);
    // Nothing new makes no generation.
    let generation = intel.snapshot().generation();
    assert_eq!(load(&intel, "feed", &[&third]).generation, generation);
}

#[test]
fn a_whole_delivery_drops_what_it_no_longer_has() {
    let intel = empty();
    let a = dated("A-1", "2026-01-01T00:00:00Z", FIXED_IN_2, "");
    let b = dated("A-2", "2026-01-01T00:00:00Z", FIXED_IN_2, "");
    load(&intel, "feed", &[&a, &b]);
    let applied = apply(&intel, delivery("feed", &[&b], Extent::Whole));
    assert_eq!(lists(&applied.reports[0])[4], ["A-1"]);
    assert_eq!(ids(&intel, "npm", "p", "1.0.0"), ["A-2"]);
    // It may come back.
    load(&intel, "feed", &[&a]);
    assert_eq!(ids(&intel, "npm", "p", "1.0.0"), ["A-1", "A-2"]);
    assert!(intel.compact().unwrap());
    assert_eq!(ids(&intel, "npm", "p", "1.0.0"), ["A-1", "A-2"]);
}

#[test]
fn of_copies_in_several_feeds_the_newest_speaks() {
    let live = dated("MAL-1", "2026-01-01T00:00:00Z", r#"{"introduced":"0"}"#, "");
    let taken_back = dated(
        "MAL-1",
        "2026-02-01T00:00:00Z",
        r#"{"introduced":"0"}"#,
        r#""withdrawn":"2026-02-01T00:00:00Z","#,
    );
    for order in [[("stale", &live), ("fresh", &taken_back)], [("fresh", &taken_back), ("stale", &live)]] {
        let intel = empty();
        for (feed, record) in order {
            load(&intel, feed, &[record]);
        }
        let findings = ask(&intel, "npm", "p", "1.0.0");
        assert!(findings.items.is_empty(), "{findings:?}");
        assert_eq!(findings.retracted.len(), 1);
        // The newer copy goes away with its feed; the older one speaks again.
        assert!(intel.forget("fresh").unwrap());
        assert_eq!(ids(&intel, "npm", "p", "1.0.0"), ["MAL-1"]);
    }
}

#[test]
fn a_grace_time_is_not_renewed_by_an_edit_that_touches_nothing_else() {
    let intel = empty();
    let first = dated("A-1", "2026-01-01T00:00:00Z", FIXED_IN_2, "");
    load(&intel, "feed", &[&first]);
    let since = |intel: &Intel| ask(intel, "npm", "p", "1.0.0").items[0].known_since;
    assert_eq!(since(&intel), at(NOW));
    let later = at(NOW).plus_seconds(86_400);
    let edit = |record: &str| {
        let plan = intel
            .snapshot()
            .plan(delivery("feed", &[record], Extent::Part), &PlanOptions::at(later))
            .unwrap();
        intel.apply(plan).unwrap();
    };
    edit(&dated("A-1", "2026-02-01T00:00:00Z", FIXED_IN_2, r#""summary":"better words","#));
    assert_eq!(since(&intel), at(NOW));
    intel.compact().unwrap();
    assert_eq!(since(&intel), at(NOW), "a merge keeps it");
    edit(&dated("A-1", "2026-03-01T00:00:00Z", r#"{"introduced":"0"},{"fixed":"3.0.0"}"#, ""));
    assert_eq!(since(&intel), later);
}

fn many(count: usize, from: usize) -> Vec<String> {
    (from..from + count)
        .map(|n| dated(&format!("A-{n:04}"), "2026-01-01T00:00:00Z", FIXED_IN_2, ""))
        .collect()
}

fn whole(intel: &Intel, records: &[String], accept: &[AlarmKind]) -> FeedReport {
    let lines: Vec<&str> = records.iter().map(String::as_str).collect();
    let options = PlanOptions { now: at(NOW), accept: accept.to_vec() };
    let plan = intel.snapshot().plan(delivery("feed", &lines, Extent::Whole), &options).unwrap();
    intel.apply(plan).unwrap().reports.remove(0)
}

#[test]
fn a_halved_delivery_is_refused_until_a_person_overrules() {
    let intel = empty();
    whole(&intel, &many(100, 0), &[]);
    let report = whole(&intel, &many(50, 0), &[]);
    assert!(report.refused);
    assert!(report.alarms.contains(&FeedAlarm::Shrunk { loaded: 100, delivered: 50 }), "{:?}", report.alarms);
    assert_eq!(ask(&intel, "npm", "p", "1.0.0").items.len(), 100, "nothing of it is applied");
    let report = whole(&intel, &many(50, 0), &[AlarmKind::Shrunk, AlarmKind::MassRetraction]);
    assert!(!report.refused);
    assert_eq!(ask(&intel, "npm", "p", "1.0.0").items.len(), 50);
    // As many as before, but others: the count alone would not tell.
    let report = whole(&intel, &many(50, 500), &[]);
    assert!(report.refused, "{:?}", report.alarms);
}

#[test]
fn a_mass_retraction_is_refused_even_in_part_of_a_feed() {
    let intel = empty();
    whole(&intel, &many(100, 0), &[]);
    let gone: Vec<String> = (0..30)
        .map(|n| {
            let withdrawn = r#""withdrawn":"2026-02-01T00:00:00Z","#;
            dated(&format!("A-{n:04}"), "2026-02-01T00:00:00Z", FIXED_IN_2, withdrawn)
        })
        .collect();
    let lines: Vec<&str> = gone.iter().map(String::as_str).collect();
    let report = load(&intel, "feed", &lines).reports.remove(0);
    assert!(report.refused);
    assert_eq!(report.alarms, [FeedAlarm::MassRetraction { loaded: 100, retracted: 30 }]);
    assert_eq!(ask(&intel, "npm", "p", "1.0.0").items.len(), 100);
    // A few are what every day brings.
    assert!(!load(&intel, "feed", &lines[..4]).reports[0].refused);
    assert_eq!(ask(&intel, "npm", "p", "1.0.0").items.len(), 96);
}

#[test]
fn a_rolled_back_delivery_is_refused() {
    let intel = empty();
    let old = many(30, 0);
    let mut new = old.clone();
    new.push(dated("A-9999", "2026-06-01T00:00:00Z", FIXED_IN_2, ""));
    whole(&intel, &new, &[]);
    let report = whole(&intel, &old, &[]);
    assert!(report.refused);
    let (loaded, delivered) = (at("2026-06-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    assert_eq!(report.alarms, [FeedAlarm::RolledBack { loaded, delivered }]);
    assert_eq!(ask(&intel, "npm", "p", "1.0.0").items.len(), 31);
}

#[test]
fn times_in_the_future_count_as_now() {
    let intel = empty();
    let record = dated("A-1", "2099-01-01T00:00:00Z", FIXED_IN_2, "");
    let report = load(&intel, "feed", &[&record]).reports.remove(0);
    assert_eq!(report.alarms, [FeedAlarm::Future { count: 2, latest: at("2099-01-01T00:00:00Z") }]);
    assert_eq!(report.as_of, Some(at(NOW)));
    // Or no correction would ever be newer.
    let later = at(NOW).plus_seconds(3600).to_string();
    let fixed = dated("A-1", &later, r#"{"introduced":"0"},{"fixed":"1.0.0"}"#, "");
    assert_eq!(load(&intel, "feed", &[&fixed]).reports[0].changed, ["A-1"]);
    assert!(ids(&intel, "npm", "p", "1.5.0").is_empty());
}

#[test]
fn records_that_cannot_be_read_are_counted_and_too_many_refuse_the_delivery() {
    let intel = empty();
    let mut records = many(300, 0);
    records.push(r#"{"id":7,"modified":"2026-01-01T00:00:00Z","affected":[]}"#.to_owned());
    let report = whole(&intel, &records, &[]);
    assert!(!report.refused);
    assert_eq!((report.rejected, report.rejections[0].at.as_str()), (1, "feed: record 301"));
    for _ in 0..10 {
        records.push(r#"{"id":"has space","modified":"2026-01-01T00:00:00Z"}"#.to_owned());
    }
    let report = whole(&intel, &records, &[]);
    assert!(report.refused, "{:?}", report.alarms);
    assert!(report.alarms.contains(&FeedAlarm::Unreadable { rejected: 11, delivered: 311 }));
}

#[test]
fn duplicates_and_order_do_not_matter() {
    let newer = dated("A-1", "2026-02-01T00:00:00Z", r#"{"introduced":"0"},{"fixed":"1.0.0"}"#, "");
    let older = dated("A-1", "2026-01-01T00:00:00Z", FIXED_IN_2, "");
    for records in [[&newer, &older, &older], [&older, &newer, &older], [&older, &older, &newer]] {
        let intel = empty();
        let report = load(&intel, "feed", &records.map(String::as_str)).reports.remove(0);
        assert_eq!((report.added.len(), report.duplicates), (1, 2));
        assert!(ids(&intel, "npm", "p", "1.5.0").is_empty());
        assert_eq!(ids(&intel, "npm", "p", "0.5.0"), ["A-1"]);
    }
}

#[test]
fn what_is_cut_off_is_refused_whole() {
    let records = many(50, 0).join("\n").into_bytes();
    let options = ReadOptions { feed: Some("feed".into()), ..ReadOptions::default() };
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&records).unwrap();
    let zst = zstd::encode_all(records.as_slice(), 1).unwrap();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (n, line) in many(50, 0).iter().enumerate() {
        zip.start_file(format!("A-{n}.json"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(line.as_bytes()).unwrap();
    }
    for (name, packed) in [
        ("a.jsonl", records),
        ("a.jsonl.gz", gz.finish().unwrap()),
        ("a.jsonl.zst", zst),
        ("all.zip", zip.finish().unwrap().into_inner()),
    ] {
        assert_eq!(read_bytes(name, packed.clone(), &options).unwrap()[0].len(), 50, "{name}");
        for cut in [packed.len() - 1, packed.len() / 3] {
            let error = read_bytes(name, &packed[..cut], &options).map(|read| read.len()).unwrap_err();
            let text = format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string));
            assert!(text.contains("cut off"), "{name} cut at {cut}: {text}");
        }
    }
}

#[test]
fn a_bomb_is_refused() {
    let options = ReadOptions { feed: Some("feed".into()), ..ReadOptions::default() };
    let zeros = vec![b' '; 100 << 20];
    let bomb = zstd::encode_all(zeros.as_slice(), 1).unwrap();
    assert!(bomb.len() < 1 << 20);
    let error = read_bytes("a.jsonl.zst", bomb, &options).unwrap_err();
    assert!(matches!(error, DeliveryError::Container { .. }), "{error}");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("a.json", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&zeros).unwrap();
    let error = read_bytes("all.zip", zip.finish().unwrap().into_inner(), &options).unwrap_err();
    assert!(matches!(error, DeliveryError::Container { .. }), "{error}");
}

#[test]
fn forms_of_delivery_agree() {
    let records = many(5, 0);
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    };
    for (n, record) in records.iter().enumerate() {
        put(&format!("dir/2026/{n}/A-{n}.json"), record.as_bytes());
    }
    put("dir/README.md", b"words");
    put("dir/.git/config", b"hidden");
    let array = put("array.json", format!("[{}]", records.join(",")).as_bytes());
    let lines = put("lines.jsonl", (records.join("\n") + "\n").as_bytes());
    for path in [folder.path().join("dir"), array, lines] {
        let intel = empty();
        let deliveries = read(std::slice::from_ref(&path), &ReadOptions::default()).unwrap();
        assert_eq!(deliveries.len(), 1, "{}", path.display());
        apply(&intel, deliveries);
        assert_eq!(ask(&intel, "npm", "p", "1.0.0").items.len(), 5, "{}", path.display());
    }
    let readme = folder.path().join("dir/README.md");
    let error = read(&[readme], &ReadOptions::default()).unwrap_err();
    assert!(
        matches!(error, DeliveryError::Unknown { .. }),
        "a file that is named must be of a feed: {error}"
    );
}

#[test]
fn a_plan_for_another_generation_is_not_applied() {
    let intel = empty();
    let record = record("A-1", "npm", "p", FIXED_IN_2);
    let stale =
        intel.snapshot().plan(delivery("feed", &[&record], Extent::Part), &PlanOptions::at(at(NOW))).unwrap();
    assert!(stale.changes_anything() && stale.reports().count() == 1);
    load(&intel, "other", &[&record]);
    let error = intel.apply(stale).unwrap_err().to_string();
    assert!(error.contains("plan again"), "{error}");
}

#[test]
fn signals_are_merged_in_part_and_replaced_whole() {
    let kev = |cve: &str| format!(r#"{{"cveID":"{cve}","dateAdded":"2026-01-01"}}"#);
    let intel = empty();
    load(&intel, "kev", &[&kev("CVE-2026-0001"), &kev("CVE-2026-0002")]);
    let report = load(&intel, "kev", &[&kev("CVE-2026-0002"), &kev("CVE-2026-0003")]).reports.remove(0);
    assert_eq!((report.added.as_slice(), report.unchanged), (["CVE-2026-0003".to_owned()].as_slice(), 1));
    let snapshot = intel.snapshot();
    let known = |cve| !snapshot.signals(signals::CveId::parse(cve).unwrap()).is_empty();
    assert!(known("CVE-2026-0001") && known("CVE-2026-0003") && !known("CVE-2026-0004"));
    let epss = |day: u32, model: &str| {
        let text = format!(
            "#model_version:{model},score_date:2026-01-{day:02}T00:00:00Z\ncve,epss,percentile\nCVE-2026-0001,0.{day},0.5\n"
        );
        read_bytes("epss.csv", text.into_bytes(), &ReadOptions::default()).unwrap()
    };
    apply(&intel, epss(15, "v4"));
    let report = apply(&intel, epss(14, "v4")).reports.remove(0);
    assert!(report.refused && matches!(report.alarms[0], FeedAlarm::RolledBack { .. }), "{report:?}");
    let report = apply(&intel, epss(16, "v5")).reports.remove(0);
    assert!(!report.refused);
    assert_eq!(report.alarms, [FeedAlarm::ModelChanged { from: "v4".into(), to: "v5".into() }]);
    // A feed of advisories cannot slip in under the name of a feed of signals.
    let report = load(&intel, "kev", &[&record("A-1", "npm", "p", FIXED_IN_2)]).reports.remove(0);
    assert!(report.refused && report.alarms.contains(&FeedAlarm::OtherKind), "{report:?}");
}

#[test]
fn an_empty_delivery_is_refused() {
    let intel = empty();
    load(&intel, "feed", &[&record("A-1", "npm", "p", FIXED_IN_2)]);
    assert!(read_bytes("x.jsonl", b"  \n", &ReadOptions::default()).unwrap().is_empty());
    assert_eq!(ids(&intel, "npm", "p", "1.0.0"), ["A-1"]);
}

#[test]
fn of_a_repository_only_the_records_are_read() {
    let line = |id: &str| record(id, "npm", "p", r#"{"introduced":"0"}"#);
    let archive = |files: &[(&str, String)]| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (path, text) in files {
            zip.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let script = || "#!/bin/sh\nexit 1\n".to_owned();
    let index = || r#"{"modified":"2026-01-01T00:00:00Z"}"#.to_owned();
    let cases = [
        (FeedKind::Ghsa, "db-main/advisories/github-reviewed/2026/01/GHSA-a/GHSA-a.json", "GHSA-a"),
        (FeedKind::Rustsec, "advisory-db-osv/crates/RUSTSEC-2026-0001.json", "RUSTSEC-2026-0001"),
        (FeedKind::Pypa, "PYSEC-2026-1.json", "PYSEC-2026-1"),
        (FeedKind::Go, "ID/GO-2026-0001.json", "GO-2026-0001"),
        (FeedKind::Malicious, "malicious-packages-main/osv/malicious/npm/p/MAL-2026-1.json", "MAL-2026-1"),
        (FeedKind::Osv, "GHSA-a.json", "GHSA-a"),
    ];
    for (kind, path, id) in cases {
        let files = [
            (path, line(id)),
            ("README.md", "# Advisories\n".to_owned()),
            ("scripts/check", script()),
            ("db-main/advisories/unreviewed/2026/01/GHSA-b/GHSA-b.txt", index()),
        ];
        let options = ReadOptions { feed: Some("feed".into()), kind: Some(kind), ..ReadOptions::default() };
        let read = read_bytes("main.zip", archive(&files), &options).unwrap();
        assert_eq!((read.len(), read[0].len()), (1, 1), "{}", kind.as_str());
        // Nothing that is kept is nothing delivered, not an empty database.
        assert!(
            read_bytes("main.zip", archive(&files[1..]), &options).unwrap().is_empty(),
            "{}",
            kind.as_str()
        );
    }
    let drafts = [("db-main/advisories/unreviewed/2026/01/GHSA-b/GHSA-b.json", line("GHSA-b"))];
    let options =
        ReadOptions { feed: Some("feed".into()), kind: Some(FeedKind::Ghsa), ..ReadOptions::default() };
    assert!(read_bytes("main.zip", archive(&drafts), &options).unwrap().is_empty());
}

#[test]
fn a_time_that_is_not_filled_in_is_no_age() {
    let options = ReadOptions { feed: Some("go".into()), kind: Some(FeedKind::Go), ..ReadOptions::default() };
    let line = record("GO-2026-0001", "Go", "example.test/m", r#"{"introduced":"0"}"#);
    let of = |text: &str| read_bytes("go.jsonl", text, &options).unwrap()[0].as_of();
    assert!(of(&line).is_some());
    assert_eq!(of(&line.replace("2026-01-01T", "0001-01-01T")), None);
}
