//! Real advisories: the published data sets, the older delivery and the newer one.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use tidegate_intel::import::{Applied, PlanOptions, ReadOptions, read};
use tidegate_intel::{Intel, Query};
use tidegate_testkit::data;

use crate::support::{NOW, at, empty};

/// Versions asked of every name; ranges of real advisories begin and end among them.
const VERSIONS: [&str; 6] = ["0.0.1", "1.0.0", "1.2.3", "2.0.0", "3.4.5", "10.0.0"];

/// One name in so many is asked about.
const SHARE: usize = 7;

fn import(intel: &Intel, folder: &PathBuf) -> Applied {
    let started = Instant::now();
    let deliveries = read(std::slice::from_ref(folder), &ReadOptions::default()).unwrap();
    let plan = intel.snapshot().plan(deliveries, &PlanOptions::at(at(NOW))).unwrap();
    let applied = intel.apply(plan).unwrap();
    eprintln!("imported `{}` in {:.1?}", folder.file_name().unwrap().display(), started.elapsed());
    applied
}

/// Shown ids and all ids of every answer, for every name in the records.
fn answers(intel: &Intel, names: &BTreeSet<(String, String)>) -> Vec<Vec<String>> {
    let snapshot = intel.snapshot();
    let mut answers = Vec::new();
    for (ecosystem, name) in names {
        for version in VERSIONS {
            let findings = snapshot.matches(&Query { ecosystem, name, version, now: at(NOW) });
            let withdrawn = findings.retracted.into_iter().map(|r| r.id);
            answers.push(findings.items.iter().flat_map(|f| f.ids.clone()).chain(withdrawn).collect());
        }
    }
    answers
}

/// Ecosystems and names of all records of the folders, and how many records there are.
fn names(folders: &[&PathBuf]) -> (BTreeSet<(String, String)>, usize) {
    let mut names = BTreeSet::new();
    let mut records = 0;
    for folder in folders {
        for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if !file.to_string_lossy().ends_with(".osv.jsonl.zst") {
                continue;
            }
            for line in data::read(&file).lines() {
                records += 1;
                let record: serde_json::Value = serde_json::from_str(line).unwrap();
                for package in record["affected"].as_array().unwrap().iter().map(|a| &a["package"]) {
                    let text = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
                    names.insert((text("ecosystem"), text("name")));
                }
            }
        }
    }
    // Each answer costs more than it should without optimisation, so a share of the names stands for all.
    let names = names.into_iter().enumerate().filter(|(n, _)| n % SHARE == 0).map(|(_, name)| name);
    (names.collect(), records)
}

#[test]
fn the_base_and_then_the_update_is_what_both_at_once_are() {
    let (Some(base), Some(update)) =
        (data::shared_data("advisories"), data::shared_data("advisories-update"))
    else {
        return;
    };
    let (names, records) = names(&[&base, &update]);
    let in_order = empty();
    let first = import(&in_order, &base);
    let before = answers(&in_order, &names);
    let second = import(&in_order, &update);
    for report in first.reports.iter().chain(&second.reports) {
        assert!(!report.refused, "{}: {:?}", report.feed, report.alarms);
        assert_eq!(report.rejected, 0, "{}: {:?}", report.feed, report.rejections);
        if !report.kind.is_advisories() {
            continue;
        }
        assert_eq!(report.duplicates, 0, "{}", report.feed);
        // The second delivery holds other records than the first, so the delta is all of it and nothing else.
        assert_eq!((report.changed.len(), report.unchanged, report.older), (0, 0, 0), "{}", report.feed);
    }
    let advisories = |applied: &Applied| {
        applied.reports.iter().filter(|r| r.kind.is_advisories()).map(|r| r.added.len()).sum::<usize>()
    };
    assert_eq!(advisories(&first) + advisories(&second), records);
    let after = answers(&in_order, &names);
    assert_ne!(before, after, "the update decides some versions anew");

    let backwards = empty();
    import(&backwards, &update);
    import(&backwards, &base);
    assert!(answers(&backwards, &names) == after, "the order of deliveries shows");
    let at_once = empty();
    let deliveries = read(&[base, update], &ReadOptions::default()).unwrap();
    let plan = at_once.snapshot().plan(deliveries, &PlanOptions::at(at(NOW))).unwrap();
    at_once.apply(plan).unwrap();
    assert!(answers(&at_once, &names) == after, "both at once give other answers");
    assert!(in_order.compact().unwrap());
    assert!(answers(&in_order, &names) == after, "a merge changes answers");
    let shown: usize = after.iter().filter(|ids| !ids.is_empty()).count();
    eprintln!("{} names, {} answers, {shown} with findings", names.len(), after.len());
}
