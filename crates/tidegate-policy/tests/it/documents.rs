//! The published schema, the reader of facts, and the examples of the reference page.

use std::path::PathBuf;

use serde_json::json;
use tidegate_model::facts::FactState;
use tidegate_policy::{CaseFile, Policy, facts_schema, read_facts};

fn reference(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(file)
}

/// Set `UPDATE_SNAPSHOTS=1` to write the schema anew.
#[test]
fn the_published_schema_is_the_schema_of_the_types() {
    let text = format!("{:#}\n", facts_schema());
    let path = reference("facts.schema.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        text,
        "run with UPDATE_SNAPSHOTS=1 and look at the difference"
    );
}

#[test]
fn what_cannot_be_read_becomes_a_gap_and_keeps_its_findings() {
    let document = json!({
        "artifact": { "name": "x" },
        "lifecycle": { "state": "known", "value": { "yanked": "yes" } },
        "malware": { "state": "known", "value": { "verdict": "malicious", "reports": 7 } },
        "scripts": { "state": "fine" },
        "vulnerabilities": { "state": "known", "value": { "items": [
            { "id": "A", "kev": true, "cvss_score": "high" }, "noise"
        ] } },
    });
    let (facts, problems) = read_facts(document).unwrap();
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert_eq!(facts.artifact.name, "x");
    for state in
        [facts.lifecycle.state, facts.malware.state, facts.scripts.state, facts.vulnerabilities.state]
    {
        assert_eq!(state, FactState::Error);
    }
    assert_eq!(facts.malware.value.unwrap().verdict, "malicious");
    let items = facts.vulnerabilities.value.unwrap().items;
    assert_eq!((items.len(), &*items[0].id, items[0].kev, items[0].cvss_score), (1, "A", Some(true), None));
    assert!(read_facts(json!([])).is_err());
    let wrong = read_facts(json!({ "artifact": { "name": 7 } })).unwrap_err().to_string();
    assert!(wrong.starts_with("`artifact` cannot be read"), "{wrong}");
}

#[test]
fn the_examples_of_the_reference_page_work() {
    let page = std::fs::read_to_string(reference("policy.md")).unwrap();
    let (mut policies, mut cases) = (0, 0);
    for block in page.split("```toml ").skip(1).map(|b| {
        let (_kind, block) = b.split("```").next().unwrap().split_once('\n').unwrap();
        block
    }) {
        if block.contains("[[case]]") {
            let file = CaseFile::parse(block, "policy.md").unwrap_or_else(|e| panic!("{e}"));
            let policy = file.own_policy("policy.md").unwrap().unwrap();
            let report = file.run(&policy, "policy.md").unwrap();
            assert!(report.failed.is_empty() && report.passed > 0, "{:?}", report.failed);
            cases += 1;
        } else {
            let source = if block.contains("[policy]") {
                block.to_owned()
            } else {
                format!("[policy]\nid = \"doc\"\nversion = \"1\"\n{block}")
            };
            Policy::compile(&source, "policy.md").unwrap_or_else(|e| panic!("{e}\n{block}"));
            policies += 1;
        }
    }
    assert!(policies == 4 && cases == 1, "{policies} policies, {cases} case files");
    for pack in tidegate_policy::packs::NAMES {
        for rule in Policy::pack(pack).unwrap().rules() {
            assert!(page.contains(&format!("`{}`", rule.id())), "{} of {pack} is not on the page", rule.id());
        }
    }
}
