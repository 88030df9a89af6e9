//! Feeds that are cut off, shuffled, rolled back, emptied, or out to harm: what was in force stays in force, nothing else
//! comes into force, and what happened has a name.

use std::io::Write as _;

use serde_json::{Value, json};
use tidegate::config::Config;
use tidegate::intel::sync::Outcome;
use tidegate_intel::FeedKind;
use tidegate_testkit::{FakeUpstream, Fault};

use crate::advisories::{
    FEED, advisory, days_ago, deliver, exploited, feed, following, others, status, synced, upstream, versions,
};
use crate::support::{Setup, TestDoor};

/// A door that knows `lib` below 2.0.0 to be bad.
fn door(upstream: &FakeUpstream) -> TestDoor {
    exploited(upstream, &["CVE-2026-1000"]);
    deliver(upstream, &[advisory(5)]);
    let door = Setup::new(upstream).with(following(upstream)).open();
    assert!(synced(&door).iter().all(|(_, o)| matches!(o, Outcome::Changed { .. })));
    stands(&door, "at first");
    door
}

/// What was refused is refused on every path, and what was served is served.
#[track_caller]
fn stands(door: &TestDoor, what: &str) {
    assert_eq!(versions(door), ["2.0.0"], "{what}");
    assert_eq!(status(door, "1.0.0"), 403, "{what}");
    assert_eq!(status(door, "1.1.0"), 403, "{what}");
    assert_eq!(status(door, "2.0.0"), 200, "{what}");
    assert_eq!(door.get("/npm/fine/-/fine-1.0.0.tgz").status, 200, "{what}");
}

fn lines(records: &[Value]) -> Vec<String> {
    others().iter().chain(records).map(Value::to_string).collect()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

/// How a delivery ended, in a word and with what is told of it.
fn outcome(door: &TestDoor, name: &str) -> (&'static str, String) {
    let outcomes = synced(door);
    match &outcomes.iter().find(|(feed, _)| feed == name).unwrap().1 {
        Outcome::Current => ("current", String::new()),
        Outcome::Changed { count } => ("changed", count.to_string()),
        Outcome::Refused { why } => ("refused", why.clone()),
        Outcome::Failed { why } => ("failed", why.clone()),
    }
}

#[test]
fn what_is_delivered_broken_changes_nothing_and_is_named() {
    let upstream = upstream();
    let door = door(&upstream);
    let all = lines(&[advisory(5)]).join("\n") + "\n";
    let withdrawn: Vec<Value> = others()
        .into_iter()
        .chain([advisory(1)])
        .map(|mut record| {
            record["withdrawn"] = days_ago(1).into();
            record["modified"] = days_ago(1).into();
            record
        })
        .collect();
    let withdrawn: Vec<String> = withdrawn.iter().map(Value::to_string).collect();
    let garbled: Vec<String> =
        (0..30).map(|n| json!({ "id": n, "modified": 7, "affected": "all" }).to_string()).collect();
    let mut tail_first: Vec<String> = lines(&[advisory(5)]);
    tail_first.reverse();
    let older = lines(&[]).into_iter().chain([older(&advisory(90))]).collect::<Vec<_>>();
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let long = format!("{{\"id\": \"{}\", \"modified\": \"{}\"}}\n", "A".repeat(5_000_000), days_ago(1));
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        ("cut off in a record", all.as_bytes()[..all.len() - 20].to_vec(), "failed", "cut off"),
        ("cut off while packed", packed(all.as_bytes())[..200].to_vec(), "failed", "cut off"),
        ("empty", Vec::new(), "failed", "nothing"),
        ("another page", b"<html>sign in</html>".to_vec(), "failed", ""),
        ("halved", (lines(&[])[..12].join("\n") + "\n").into_bytes(), "refused", "shrunk"),
        ("all taken back", withdrawn.join("\n").into_bytes(), "refused", "mass retraction"),
        ("nothing readable", garbled.join("\n").into_bytes(), "refused", "unreadable"),
        ("a bomb", packed(&vec![b' '; 200 << 20]), "failed", "unpacks to more"),
        ("a bomb in a bomb", packed(&packed(&vec![b'['; 150 << 20])), "failed", ""),
        ("very deep", deep.into_bytes(), "refused", "unreadable"),
        ("one endless name", long.into_bytes(), "refused", "shrunk"),
        ("another order", tail_first.join("\n").into_bytes(), "current", ""),
        ("everything twice", (all.clone() + &all).into_bytes(), "current", ""),
        ("an older state", older.join("\n").into_bytes(), "current", ""),
    ];
    for (what, bytes, expected, told) in cases {
        upstream.catalog().put_feed(FEED, bytes);
        let (word, why) = outcome(&door, "osv");
        assert_eq!(word, expected, "{what}: {why}");
        assert!(why.contains(told), "{what}: {why}");
        stands(&door, what);
    }
    // Nothing of it stays behind: what is right again is taken.
    let mut lifted = advisory(0);
    lifted["withdrawn"] = days_ago(0).into();
    deliver(&upstream, &[lifted]);
    assert_eq!(outcome(&door, "osv"), ("changed", "1".into()));
    assert_eq!(versions(&door), ["1.0.0", "1.1.0", "2.0.0"]);
}

/// The record as it was before anybody knew which versions are touched.
fn older(record: &Value) -> String {
    let mut record = record.clone();
    record["affected"][0]["ranges"][0]["events"] = json!([{ "introduced": "9.0.0" }]);
    record.to_string()
}

#[test]
fn what_breaks_on_its_way_changes_nothing_and_is_named() {
    for fault in [
        Fault::Truncate(300),
        Fault::ResetMidBody,
        Fault::Drop,
        Fault::Status { code: 500, retry_after: None },
        Fault::Status { code: 404, retry_after: None },
        Fault::Redirect("http://elsewhere.invalid/all.jsonl".into()),
    ] {
        let upstream = upstream();
        let door = door(&upstream);
        let what = format!("{fault:?}");
        // A change that would lift the refusal never arrives whole.
        let mut lifted = advisory(1);
        lifted["withdrawn"] = days_ago(1).into();
        deliver(&upstream, &[lifted]);
        upstream.fault("/feeds/osv/", fault);
        let (word, why) = outcome(&door, "osv");
        assert_eq!(word, "failed", "{what}: {why}");
        assert!(!why.is_empty());
        stands(&door, &what);
    }
}

#[test]
fn times_from_the_future_neither_lift_a_refusal_nor_keep_later_truth_out() {
    let upstream = upstream();
    let door = door(&upstream);
    let mut announced = advisory(-400);
    announced["withdrawn"] = days_ago(-300).into();
    deliver(&upstream, &[announced]);
    let (word, why) = outcome(&door, "osv");
    assert_eq!(word, "changed", "{why}");
    stands(&door, "a retraction that is announced for next year");
    // What comes tomorrow is not older than what claims to be from next year.
    door.clock().advance(86_400);
    let mut lifted = advisory(-1);
    lifted["withdrawn"] = days_ago(-1).into();
    deliver(&upstream, &[lifted]);
    let (word, why) = outcome(&door, "osv");
    assert_eq!(word, "changed", "{why}");
    assert_eq!(versions(&door), ["1.0.0", "1.1.0", "2.0.0"]);
}

#[test]
fn a_week_without_feeds_is_named_on_every_answer_and_ends_when_they_are_back() {
    let upstream = upstream();
    let door = door(&upstream);
    upstream.fault("/feeds/", Fault::Drop);
    for _ in 0..8 {
        door.clock().advance(86_400);
        assert!(synced(&door).iter().all(|(_, outcome)| matches!(outcome, Outcome::Failed { .. })));
        stands(&door, "a stale finding is a finding");
    }
    let degraded =
        |door: &TestDoor| door.get("/npm/fine").header("x-tidegate-degraded").unwrap_or("").to_owned();
    assert!(degraded(&door).contains("feed osv was last current"), "{}", degraded(&door));
    let warned = door.get("/npm/fine/-/fine-1.0.0.tgz");
    assert!(warned.header("x-tidegate-warning").unwrap().contains("vulnerabilities stale"), "{warned:?}");
    upstream.clear_faults();
    synced(&door);
    assert!(!degraded(&door).contains("osv"), "{}", degraded(&door));
    stands(&door, "afterwards");
}

#[test]
fn a_list_of_exploited_flaws_that_comes_empty_lets_nothing_through() {
    let upstream = upstream();
    let mut harmless = advisory(5);
    harmless["severity"] =
        json!([{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N" }]);
    deliver(&upstream, &[harmless]);
    exploited(&upstream, &["CVE-2026-1000"]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    synced(&door);
    let empty = json!({ "title": "t", "catalogVersion": "2026.11.02", "dateReleased": days_ago(0), "count": 0, "vulnerabilities": [] });
    for (what, text) in
        [("empty", empty.to_string()), ("no list", "{}".to_owned()), ("advisories", lines(&[]).join("\n"))]
    {
        upstream.catalog().put_feed("kev.json", text);
        let (word, why) = outcome(&door, "kev");
        assert!(matches!(word, "failed" | "refused"), "{what}: {word} {why}");
        assert!(!why.is_empty());
        stands(&door, what);
        assert!(door.get("/npm/lib/-/lib-1.1.0.tgz").reason.contains("exploited"), "{what}");
    }
}

#[test]
fn a_damaged_feed_is_a_gap_however_many_others_are_whole() {
    let upstream = upstream();
    deliver(&upstream, &[advisory(5)]);
    let more = json!({
        "id": "MORE-1", "modified": days_ago(3),
        "affected": [{ "package": { "ecosystem": "npm", "name": "another" }, "versions": ["1.0.0"] }],
    });
    upstream.catalog().put_feed("more.jsonl", format!("{more}\n"));
    let feeds = vec![
        feed(&upstream, "osv", FeedKind::Osv, FEED),
        feed(&upstream, "more", FeedKind::Osv, "more.jsonl"),
    ];
    let strict = |config: &mut Config| config.intel.feed = Some(feeds);
    let rule = r#"
        [[rule]]
        id = "no-gaps"
        action = "quarantine"
        remediation = "Wait"
        message = "is not known: {gaps}"
        [rule.when]
        vulnerabilities = { state = ["error", "not_scanned"] }
    "#;
    let door = Setup::new(&upstream).policy(rule).with(strict).open();
    synced(&door);
    assert_eq!(status(&door, "2.0.0"), 200);
    let data = door.data();
    let closed = door.close();
    // Of two feeds the one with more records has the larger file.
    let segments =
        std::fs::read_dir(data.join("intel/segments")).unwrap().flatten().map(|entry| entry.path());
    let of_osv = segments.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&of_osv).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&of_osv, bytes).unwrap();
    let door = closed.open();
    assert!(door.get("/npm/fine").header("x-tidegate-degraded").unwrap().contains("osv is damaged"));
    assert_eq!(status(&door, "2.0.0"), 403, "another feed that is whole makes no gap clean");
}

#[test]
fn what_is_not_what_its_server_says_is_not_read() {
    let upstream = upstream();
    deliver(&upstream, &[advisory(5)]);
    exploited(&upstream, &[]);
    let door = Setup::new(&upstream).with(following(&upstream)).open();
    // Of nine other bytes.
    upstream.catalog().state_feed_hash(FEED, "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==");
    let (word, why) = outcome(&door, "osv");
    assert!(word == "failed" && why.contains("MD5 differs"), "{word} {why}");
    assert_eq!(status(&door, "1.1.0"), 200, "nothing of it is in force");
    upstream.catalog().put_feed("kev.json", "123456789");
    upstream.catalog().state_feed_hash("kev.json", "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==");
    let (_, why) = outcome(&door, "kev");
    assert!(!why.contains("differs"), "what fits is read: {why}");
}
