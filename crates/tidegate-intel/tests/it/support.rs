//! What the tests share: a door's advisories in memory, made from a few records.

use std::path::Path;
use std::sync::Arc;

use tidegate_intel::import::{Applied, Delivery, Extent, PlanOptions, ReadOptions, read_bytes};
use tidegate_intel::{Finding, Findings, Intel, Query};
use tidegate_model::Timestamp;
use tidegate_testkit::ForgetfulDisk;

/// The time it is in these tests.
pub(crate) const NOW: &str = "2026-11-21T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn empty() -> Intel {
    Intel::open(Arc::new(ForgetfulDisk::new()), Path::new("intel")).unwrap()
}

/// Reads records as one delivery of a feed.
pub(crate) fn delivery(feed: &str, records: &[&str], extent: Extent) -> Vec<Delivery> {
    let options = ReadOptions { feed: Some(feed.to_owned()), extent, ..ReadOptions::default() };
    read_bytes(feed, records.join("\n").into_bytes(), &options).unwrap()
}

pub(crate) fn apply(intel: &Intel, deliveries: Vec<Delivery>) -> Applied {
    let plan = intel.snapshot().plan(deliveries, &PlanOptions::at(at(NOW))).unwrap();
    intel.apply(plan).unwrap()
}

pub(crate) fn load(intel: &Intel, feed: &str, records: &[&str]) -> Applied {
    apply(intel, delivery(feed, records, Extent::Part))
}

/// A door that knows these records by one feed.
pub(crate) fn intel(records: &[&str]) -> Intel {
    let intel = empty();
    let applied = load(&intel, "feed", records);
    assert_eq!(applied.reports[0].rejected, 0, "{:?}", applied.reports[0].rejections);
    intel
}

pub(crate) fn ask(intel: &Intel, ecosystem: &str, name: &str, version: &str) -> Findings {
    intel.snapshot().matches(&Query { ecosystem, name, version, now: at(NOW) })
}

/// Shown ids of what touches a version.
pub(crate) fn ids(intel: &Intel, ecosystem: &str, name: &str, version: &str) -> Vec<String> {
    ask(intel, ecosystem, name, version).items.iter().map(|finding| finding.id.clone()).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "asked in the argument")]
pub(crate) fn only(findings: Findings) -> Finding {
    assert_eq!(findings.items.len(), 1, "{findings:?}");
    (*findings.items[0]).clone()
}

/// A record of one range in one package.
pub(crate) fn record(id: &str, ecosystem: &str, name: &str, events: &str) -> String {
    record_with(id, ecosystem, name, events, "")
}

/// The same with more members, each ending in a comma.
pub(crate) fn record_with(id: &str, ecosystem: &str, name: &str, events: &str, members: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z",{members}"affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]}}]}}"#
    )
}
