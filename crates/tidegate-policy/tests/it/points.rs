//! A case file for each point of the semantics.

use std::collections::BTreeSet;
use std::path::Path;

use tidegate_policy::{CaseFile, Policy, run_cases};

#[test]
fn every_point_holds_and_is_covered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut points = BTreeSet::new();
    let mut uncovered = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        let file = CaseFile::parse(&source, &name).unwrap_or_else(|e| panic!("{e}"));
        let policy =
            file.own_policy(&name).expect("each point brings its policy").unwrap_or_else(|e| panic!("{e}"));
        let report = file.run(&policy, &name).unwrap();
        assert!(report.failed.is_empty(), "{name}: {:#?}", report.failed);
        assert!(report.passed >= 3, "{name} has too few cases");
        let coverage = report.coverage;
        if !coverage.never_true.is_empty() || !coverage.never_false.is_empty() {
            uncovered.push(format!(
                "{name}: never true {:?}, never false {:?}",
                coverage.never_true, coverage.never_false
            ));
        }
        points.insert(name[6..8].parse::<u32>().unwrap());
    }
    assert!(uncovered.is_empty(), "{uncovered:#?}");
    // 14 (layers) and 22 (principal classes) are properties of policies, not of one decision; they have tests of
    // their own in this crate.
    let expected: BTreeSet<u32> = (1..=24).filter(|p| ![14, 22].contains(p)).collect();
    assert_eq!(points, expected);
}

#[test]
fn a_report_tells_what_differs_and_what_was_never_seen() {
    let source = r#"
        now = "2026-11-21T09:00:00Z"
        [[case]]
        name = "wrong on purpose"
        expect = { action = "block", rules = ["nothing"], message = "x", until = true, valid_until = "2026-11-22T00:00:00Z" }
    "#;
    let report = run_cases(&Policy::pack("baseline").unwrap(), source, "wrong.toml").unwrap();
    assert_eq!((report.passed, report.failed.len()), (0, 1));
    let differences = report.failed[0].differences.join("\n");
    for part in [
        "action: expected block, found",
        "rules: expected",
        "message: expected",
        "until: expected true, found false",
    ] {
        assert!(differences.contains(part), "{part}: {differences}");
    }
    assert!(report.coverage.never_true.contains(&"malware".to_owned()));
    assert!(report.coverage.never_unknown.contains(&"gaps".to_owned()));
}

#[test]
fn bad_case_files_say_what_is_wrong() {
    let pack = Policy::pack("baseline").unwrap();
    let message = |source| run_cases(&pack, source, "c.toml").unwrap_err().to_string();
    assert!(
        message("[[case]]\nname = \"x\"\nexpect = { action = \"deny\" }\n")
            .contains("unknown variant `deny`")
    );
    assert!(
        message("[[case]]\nname = \"x\"\nexpect = { action = \"warn\" }\n")
            .contains("case `x`: there is no `now`")
    );
    assert!(message("{\"cases\": []}").contains("unknown field `cases`"));
}
