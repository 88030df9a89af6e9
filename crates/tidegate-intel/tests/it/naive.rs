//! Properties: compiled segments answer as a second, deliberately simple reading of the records does; layers, merges and
//! the order of imports change nothing; damaged bytes neither panic nor answer.
//!
//! The simple reading follows the pseudo-code of the OSV schema on parsed JSON, with versions compared as triples of
//! numbers. It shares no code with the crate.

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_intel::import::Extent;
use tidegate_intel::segment::{Segment, mend_checksums};
use tidegate_intel::{Intel, Query};
use tidegate_testkit::ForgetfulDisk;

use crate::support::{NOW, apply, at, delivery, empty};

/// A version with a place in a total order: an optional pre-release sorts below its release.
type Plain = (u64, u64, u64, u64);

fn plain(text: &str) -> Plain {
    let (core, pre) =
        text.split_once("-rc.").map_or((text, u64::MAX), |(core, n)| (core, n.parse().unwrap()));
    let mut parts = core.split('.').map(|p| p.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap(), pre)
}

/// Whether the schema's algorithm calls a version affected.
fn affected(record: &Value, name: &str, version: &str) -> bool {
    let packages = record["affected"].as_array().unwrap();
    packages.iter().filter(|a| a["package"]["name"] == name).any(|a| {
        let listed = a["versions"].as_array().into_iter().flatten();
        listed.into_iter().any(|v| plain(v.as_str().unwrap()) == plain(version))
            || a["ranges"].as_array().into_iter().flatten().any(|range| in_range(range, version))
    })
}

fn in_range(range: &Value, version: &str) -> bool {
    let version = plain(version);
    let mut events: Vec<(Plain, u8, bool)> = Vec::new();
    for event in range["events"].as_array().unwrap() {
        let (kind, at) = event.as_object().unwrap().iter().next().unwrap();
        let at = at.as_str().unwrap();
        events.push(match kind.as_str() {
            "introduced" if at == "0" => ((0, 0, 0, 0), 0, true),
            "introduced" => (plain(at), 1, true),
            "fixed" => (plain(at), 1, false),
            "last_affected" => (plain(at), 2, false),
            other => panic!("{other}"),
        });
    }
    events.sort();
    let mut vulnerable = false;
    for (at, side, opens) in events {
        let reached = if side == 2 { version > at } else { version >= at };
        if reached {
            vulnerable = opens;
        }
    }
    vulnerable
}

fn naive(records: &[Value], name: &str, version: &str) -> BTreeSet<String> {
    let live = records.iter().filter(|r| r.get("withdrawn").is_none());
    live.filter(|r| affected(r, name, version)).map(|r| r["id"].as_str().unwrap().to_owned()).collect()
}

fn found(intel: &Intel, name: &str, version: &str) -> BTreeSet<String> {
    let query = Query { ecosystem: "npm", name, version, now: at(NOW) };
    let findings = intel.snapshot().matches(&query);
    assert!(findings.undecided.is_empty());
    // Records here have no aliases, so each is a finding of its own.
    findings.items.iter().map(|finding| finding.id.clone()).collect()
}

fn version() -> impl Strategy<Value = String> {
    (0..3_u64, 0..3_u64, 0..2_u64, prop::option::of(0..3_u64)).prop_map(|(a, b, c, pre)| {
        let pre = pre.map(|n| format!("-rc.{n}")).unwrap_or_default();
        format!("{a}.{b}.{c}{pre}")
    })
}

/// Events at distinct versions: what happens at one version in one range is a matter of its own, tested by example.
fn range() -> impl Strategy<Value = Value> {
    let kinds = prop::collection::vec(0..3_u8, 8);
    (any::<bool>(), prop::collection::btree_set(version(), 0..6), kinds).prop_map(
        |(zero, versions, kinds)| {
            let mut events: Vec<Value> = versions
                .iter()
                .zip(kinds)
                .map(|(version, kind)| match kind {
                    0 => json!({"introduced": version}),
                    1 => json!({"fixed": version}),
                    _ => json!({"last_affected": version}),
                })
                .collect();
            if zero || events.is_empty() {
                events.push(json!({"introduced": "0"}));
            }
            json!({"type": "SEMVER", "events": events})
        },
    )
}

fn package() -> impl Strategy<Value = Value> {
    let versions = prop::collection::vec(version(), 0..3);
    (0..3_u8, prop::collection::vec(range(), 0..3), versions).prop_map(|(name, ranges, mut versions)| {
        if ranges.is_empty() && versions.is_empty() {
            versions.push("1.0.0".to_owned());
        }
        json!({"package": {"ecosystem": "npm", "name": format!("p{name}")}, "ranges": ranges, "versions": versions})
    })
}

/// Records with distinct ids.
fn records(max: usize) -> impl Strategy<Value = Vec<Value>> {
    let one = (prop::collection::vec(package(), 0..4), 1..28_u32, prop::bool::weighted(0.2));
    prop::collection::vec(one, 1..max).prop_map(|all| {
        let make = |(n, (affected, day, withdrawn)): (usize, (Vec<Value>, u32, bool))| {
            let modified = format!("2026-01-{day:02}T00:00:00Z");
            let mut record = json!({"id": format!("X-{n:02}"), "modified": modified, "affected": affected});
            if withdrawn {
                record["withdrawn"] = json!(modified);
            }
            record
        };
        all.into_iter().enumerate().map(make).collect()
    })
}

fn load(intel: &Intel, feed: &str, records: &[Value]) {
    if records.is_empty() {
        return;
    }
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    apply(intel, delivery(feed, &lines, Extent::Part));
}

/// Everything a snapshot answers about the names and versions there are.
fn everything(intel: &Intel) -> Vec<(String, BTreeSet<String>)> {
    let mut all = Vec::new();
    for name in 0..3 {
        for version in ["0.0.0", "0.1.0-rc.1", "1.0.0-rc.0", "1.0.0", "1.1.1", "2.0.0-rc.2", "2.2.1", "9.0.0"]
        {
            let name = format!("p{name}");
            all.push((format!("{name}@{version}"), found(intel, &name, version)));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn segments_answer_as_the_records_say(records in records(12), version in version()) {
        let intel = empty();
        load(&intel, "feed", &records);
        for name in ["p0", "p1", "p2"] {
            prop_assert_eq!(found(&intel, name, &version), naive(&records, name, &version));
        }
    }

    #[test]
    fn layers_merges_and_order_change_nothing(
        base in records(10),
        edits in prop::collection::vec((package(), any::<prop::sample::Index>(), prop::bool::weighted(0.3)), 0..6),
        order in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        // A later state of the same feed: some records changed or taken back, each newer than before.
        let mut later = base.clone();
        let mut changed = BTreeSet::new();
        for (package, index, withdrawn) in edits {
            let at = index.index(later.len());
            changed.insert(at);
            later[at]["modified"] = json!("2026-02-01T00:00:00Z");
            later[at]["affected"] = json!([package]);
            if withdrawn {
                later[at]["withdrawn"] = json!("2026-02-01T00:00:00Z");
            }
        }
        let delta: Vec<Value> = changed.iter().map(|at| later[*at].clone()).collect();
        let at_once = empty();
        load(&at_once, "feed", &later);
        // Base then delta, in parts, in either order: older records never take the place of newer ones.
        let layered = empty();
        let (first, second) = base.split_at(cut.index(base.len() + 1));
        let mut parts = [first, second, &delta];
        if order {
            parts.reverse();
        }
        parts.iter().for_each(|part| load(&layered, "feed", part));
        prop_assert_eq!(everything(&layered), everything(&at_once));
        layered.compact().unwrap();
        prop_assert_eq!(layered.snapshot().feeds()[0].layer_count(), 1);
        prop_assert_eq!(everything(&layered), everything(&at_once));
        prop_assert_eq!(layered.snapshot().feeds()[0].len(), at_once.snapshot().feeds()[0].len());
    }

    #[test]
    fn feeds_may_come_in_any_order(base in records(8), other in records(8), reverse in any::<bool>()) {
        let mut feeds = [("one", &base), ("two", &other)];
        let forward = empty();
        feeds.iter().for_each(|(name, records)| load(&forward, name, records));
        feeds.reverse();
        let backward = empty();
        feeds.iter().for_each(|(name, records)| load(&backward, name, records));
        if reverse {
            load(&backward, "one", &base);
        }
        prop_assert_eq!(everything(&forward), everything(&backward));
    }

    #[test]
    fn damaged_bytes_never_open(records in records(6), flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4), cut in prop::option::of(any::<prop::sample::Index>())) {
        let bytes = segment_bytes(&records);
        prop_assert!(Segment::open(&Bytes::from(bytes.clone())).is_ok());
        let mut damaged = bytes.clone();
        for (at, flip) in flips {
            let at = at.index(damaged.len());
            damaged[at] ^= flip;
        }
        if let Some(cut) = cut {
            damaged.truncate(cut.index(bytes.len()));
        }
        prop_assume!(damaged != bytes);
        // Only the text is checked later, when it is asked for, and padding holds nothing. Everything that answers are
        // made from is checked here.
        if let Ok(opened) = Segment::open(&Bytes::from(damaged)) {
            let whole = Segment::open(&Bytes::from(bytes)).unwrap();
            prop_assert_eq!(opened.meta(), whole.meta());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invented_bytes_behind_fitting_checksums_never_panic(records in records(6), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = segment_bytes(&records);
        for (at, byte) in changes {
            // Behind the table of sections, or nearly all of them would lead nowhere.
            let at = 32 + 13 * 24 + at.index(bytes.len() - (32 + 13 * 24));
            bytes[at] = byte;
        }
        mend_checksums(&mut bytes);
        if let Ok(opened) = Segment::open(&Bytes::from(bytes)) {
            opened.look_at_everything();
        }
    }
}

fn segment_bytes(records: &[Value]) -> Vec<u8> {
    use std::sync::Arc;
    use tidegate_sys::disk::Disk as _;
    let disk = ForgetfulDisk::new();
    let intel = Intel::open(Arc::new(disk.clone()), std::path::Path::new("intel")).unwrap();
    load(&intel, "feed", records);
    disk.read(std::path::Path::new("intel/segments/1-0.seg")).unwrap()
}

#[test]
fn each_bit_that_answers_are_made_from_is_guarded() {
    let records = vec![json!({"id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": [
        {"package": {"ecosystem": "npm", "name": "p"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]}]})];
    let bytes = segment_bytes(&records);
    let mut open = 0;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        open += usize::from(Segment::open(&Bytes::from(damaged)).is_ok());
        assert!(Segment::open(&Bytes::copy_from_slice(&bytes[..at])).is_err(), "cut at {at}");
    }
    // Packed text (under 200 bytes here) and padding between sections.
    assert!(open < 200 + 14 * 7, "{open} of {} flips went unseen", bytes.len());
}
