//! Explanations show every rule, its truth and the facts behind it.

use tidegate_model::facts::*;
use tidegate_policy::{Policy, WaiverSet, explain};

use crate::support::{now, policy, with};

#[test]
fn an_explanation_shows_truths_facts_and_actions() {
    let facts = with(|f| {
        f.artifact.published_at = Some("2026-11-20T11:00:00Z".parse().unwrap());
        f.binary = Group::gap(FactState::Error, "inspection ended early");
    });
    let policy = policy(
        "[[rule]]\nid = \"cool\"\naction = \"quarantine\"\nmessage = \"too young\"\nwhen = { \"artifact.published_at\" = { age_lt = \"3d\" } }\n\
         [[rule]]\nid = \"native\"\naction = \"block\"\nunknown = \"warn\"\nwhen = { all = [{ \"binary.native\" = true }, { not = { \"scripts.install\" = true } }] }\n\
         [[rule]]\nid = \"off\"\naction = \"block\"\nmode = \"off\"\nwhen = { \"scripts.install\" = false }\n\
         [[rule]]\nid = \"vuln\"\naction = \"block\"\nunknown = \"warn\"\nwhen = { vulnerabilities = { some = { kev = true, effective_severity = { ge = \"high\" } } } }\n",
    );
    let found = explain(&policy, &facts, &WaiverSet::empty(), now());
    let expected = "\
quarantine by test 1 at 2026-11-21T09:00:00Z
  quarantine [cool] too young
  warn [native] `native` cannot be told: binary.native error
true    cool -> quarantine
  true    artifact.published_at age_lt 3d (it is \"2026-11-20T11:00:00Z\")
unknown native -> warn
  unknown all of
    unknown binary.native = true (it is error)
    true    not
      false   scripts.install = true (it is false)
false   off (off)
false   vuln
";
    assert_eq!(found.to_text(), expected);
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["rules"][0]["condition"]["value"], "2026-11-20T11:00:00Z");
    assert_eq!(json["rules"][1]["condition"]["parts"][0]["state"], "error");
    assert_eq!(json["decision"]["action"], "quarantine");
    assert_eq!(
        json["rules"][3]["condition"]["what"],
        "vulnerabilities some (kev = true and effective_severity ge high)"
    );
}

#[test]
fn reasons_name_the_facts_and_advisories_behind_them() {
    let facts = with(|f| {
        let item = |id: &str, kev| Vulnerability { id: id.into(), kev: Some(kev), ..Default::default() };
        f.vulnerabilities = Group::known(VulnerabilityFacts {
            items: vec![item("B", true), item("A", true), item("C", false)],
        });
    });
    let decision = explain(&Policy::pack("baseline").unwrap(), &facts, &WaiverSet::empty(), now()).decision;
    let reason = decision.leading_reason().unwrap();
    assert_eq!(
        (&*reason.rule, &reason.because.advisories[..]),
        ("exploited", &["A".to_owned(), "B".to_owned()][..])
    );
    assert_eq!(reason.because.facts[0].path, "vulnerabilities");
    assert_eq!(reason.message, "has vulnerabilities that are being exploited: B, A");
}
