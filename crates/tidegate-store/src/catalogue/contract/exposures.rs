//! What was told of admitted versions, and advisories that wait.

use tidegate_ledger::entry::{Grave, HoldReason};
use tidegate_model::{Action, DecisionId};

use super::{Check, at, sha};
use crate::catalogue::{
    AdvisoryHold, Catalogue, DecisionRecord, Exposure, HoldState, NewAlarm, Page, VersionExposure,
};

pub(super) const CHECKS: &[Check] = &[
    ("crates are found under any spelling", spellings),
    ("what was told of a version takes the place of what was told before", told),
    ("advisories wait until they are forgotten", holds),
    ("an alarm is lifted by its subject", lifted),
];

fn admit(c: &dyn Catalogue, n: u8, purl: &str) {
    let record = DecisionRecord {
        id: DecisionId::from_random([n; 10]),
        at: at(i64::from(n)),
        purl: purl.into(),
        file: Some("f".into()),
        sha256: Some(sha(n)),
        repository: "r".into(),
        action: Action::Allow,
        served: true,
        seek: 0,
        json: "{}".into(),
    };
    c.put_decision(&record).unwrap();
}

fn spellings(c: &dyn Catalogue) {
    for (n, purl) in (1..).zip([
        "pkg:cargo/a_b-c@1.0.0",
        "pkg:cargo/a-b-c@2.0.0",
        "pkg:cargo/a-b@1.0.0",
        "pkg:npm/a_b-c@1.0.0",
        "pkg:pypi/a-b-c@1.0.0",
    ]) {
        admit(c, n, purl);
    }
    let found = |package: &str| -> Vec<String> {
        c.admissions_as_spelled(package).unwrap().into_iter().map(|a| a.purl).collect()
    };
    let both = ["pkg:cargo/a-b-c@2.0.0", "pkg:cargo/a_b-c@1.0.0"];
    for spelling in ["pkg:cargo/a-b-c", "pkg:cargo/a_b_c", "pkg:cargo/a-b_c", "pkg:cargo/A_B-C"] {
        assert_eq!(found(spelling), both, "{spelling}");
    }
    assert_eq!(found("pkg:npm/a_b-c"), ["pkg:npm/a_b-c@1.0.0"]);
    assert!(found("pkg:npm/a-b-c").is_empty());
    let mut packages: Vec<String> = Vec::new();
    loop {
        let more = c.admitted_packages(packages.last().map_or("", String::as_str), 2).unwrap();
        if more.is_empty() {
            break;
        }
        packages.extend(more);
    }
    assert_eq!(
        packages,
        ["pkg:cargo/a-b", "pkg:cargo/a-b-c", "pkg:cargo/a_b-c", "pkg:npm/a_b-c", "pkg:pypi/a-b-c"]
    );
}

fn told(c: &dyn Catalogue) {
    let exposure = |advisory: &str, why| Exposure { advisory: advisory.into(), why, since: at(1) };
    let first = VersionExposure {
        purl: "pkg:npm/x@1.0.0".into(),
        advisories: vec![exposure("A-1", Grave::High), exposure("MAL-1", Grave::Malware)],
    };
    let second =
        VersionExposure { purl: "pkg:npm/x@2.0.0".into(), advisories: vec![exposure("A-1", Grave::High)] };
    c.set_exposures(&[first.clone(), second.clone()]).unwrap();
    assert_eq!(c.exposures("pkg:npm/x").unwrap(), [first.clone(), second.clone()]);
    assert_eq!(c.exposed_to("A-1").unwrap(), ["pkg:npm/x@1.0.0", "pkg:npm/x@2.0.0"]);
    let less = VersionExposure { advisories: vec![exposure("A-1", Grave::Critical)], ..first };
    let none = VersionExposure { advisories: Vec::new(), ..second };
    c.set_exposures(&[less.clone(), none]).unwrap();
    assert_eq!(c.exposures("pkg:npm/x").unwrap(), [less]);
    assert!(c.exposed_to("MAL-1").unwrap().is_empty());
    assert!(c.exposures("pkg:npm/y").unwrap().is_empty());
}

fn holds(c: &dyn Catalogue) {
    let hold = AdvisoryHold {
        advisory: "MAL-1".into(),
        reason: HoldReason::AllVersions,
        state: HoldState::Waiting,
        since: at(5),
        generation: 7,
        downloads: 30,
        downloads_in_all: 400,
        sources: 2,
        packages: vec!["pkg:npm/x".into(), "pkg:npm/y".into()],
        decided: None,
    };
    c.put_advisory_holds(std::slice::from_ref(&hold)).unwrap();
    assert_eq!(c.advisory_holds().unwrap(), std::slice::from_ref(&hold));
    let decided = AdvisoryHold { state: HoldState::Dismissed, decided: Some((at(9), "lead".into())), ..hold };
    c.put_advisory_holds(std::slice::from_ref(&decided)).unwrap();
    assert_eq!(c.advisory_holds().unwrap(), [decided]);
    assert!(c.end_advisory_hold("MAL-1").unwrap() && !c.end_advisory_hold("MAL-1").unwrap());
    assert!(c.advisory_holds().unwrap().is_empty());
}

fn lifted(c: &dyn Catalogue) {
    let alarm = |subject: &str| NewAlarm {
        kind: "advisory".into(),
        subject: subject.into(),
        message: "m".into(),
        json: "{}".into(),
        at: at(1),
    };
    c.raise_alarm(&alarm("pkg:npm/x@1.0.0")).unwrap();
    c.raise_alarm(&alarm("pkg:npm/y@1.0.0")).unwrap();
    assert!(c.lift_alarm("advisory", "pkg:npm/x@1.0.0", at(2), "tidegate").unwrap());
    assert!(!c.lift_alarm("advisory", "pkg:npm/x@1.0.0", at(2), "tidegate").unwrap());
    let open = c.alarms(false, Page::default()).unwrap();
    assert_eq!(open.iter().map(|a| a.alarm.subject.as_str()).collect::<Vec<_>>(), ["pkg:npm/y@1.0.0"]);
}
