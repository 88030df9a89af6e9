use serde_json::Value;
use tidegate_model::Algorithm;
use tidegate_model::decision::{Because, Truth};
use tidegate_model::facts::Vex;

use super::*;

mod outside;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn reason(rule: &str, action: Action, message: &str, advisories: &[&str]) -> Reason {
    Reason {
        rule: rule.into(),
        truth: Truth::True,
        action,
        message: message.into(),
        remediation: None,
        because: Because { facts: Vec::new(), advisories: advisories.iter().map(|a| (*a).into()).collect() },
        until: None,
        waivable: true,
    }
}

fn component(purl: &str, line: u32) -> Component {
    let (name, version) = purl.rsplit_once('/').unwrap().1.split_once('@').unwrap();
    Component {
        purl: Some(purl.into()),
        name: name.into(),
        version: Some(version.into()),
        scope: Some(Scope::Runtime),
        place: Some(Place { line, pointer: Some(format!("/packages/{line}")) }),
        outcome: Some(Outcome::default()),
        ..Component::default()
    }
}

fn finding(component: usize, id: &str) -> Finding {
    Finding {
        component,
        advisory: Vulnerability { id: id.into(), ..Vulnerability::default() },
        links: vec![format!("https://advisories.example/{id}")],
        ..Finding::default()
    }
}

/// One of everything: a flaw with all that can be said of it, malice, an uncertain match, VEX of every kind, a component
/// that stands twice, one without a package URL, gaps.
fn sample() -> Report {
    let digest = Digest::from_hex(
        Algorithm::Sha256,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
    let mut full = component("pkg:npm/full@1.0.0", 10);
    full.digests = digest.into_iter().collect();
    full.licence = Some("MIT OR Apache-2.0".into());
    full.nearest_compliant = Some("1.0.2".into());
    full.outcome = Some(Outcome {
        action: Action::Block,
        reasons: vec![
            reason("exploited", Action::Block, "CVE-2026-0001 is exploited", &["CVE-2026-0001"]),
            reason("too-young", Action::Quarantine, "published 1 day ago", &[]),
        ],
    });
    let mut malicious = component("pkg:pypi/malicious@0.1", 20);
    malicious.licence = Some("see LICENSE".into());
    malicious.scope = Some(Scope::Development);
    let mut nameless = component("pkg:x/inner@2", 40);
    nameless.purl = None;
    nameless.scope = None;
    let mut exploited = finding(0, "CVE-2026-0001");
    exploited.advisory = Vulnerability {
        id: "CVE-2026-0001".into(),
        aliases: vec!["GHSA-aaaa-bbbb-cccc".into()],
        severity: Some(Severity::High),
        effective_severity: Some(Severity::Critical),
        cvss: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N".into()),
        cvss_score: Some(7.5),
        epss: Some(0.91),
        kev: Some(true),
        fixed_in: vec!["1.0.1".into()],
        ..Vulnerability::default()
    };
    exploited.summary = Some("Full reads any file".into());
    exploited.details = Some("Every path is *read*.".into());
    exploited.source = Some("Advisories".into());
    exploited.cwes = vec![22];
    exploited.published = Some(at("2026-01-02T03:04:05Z"));
    exploited.modified = Some(at("2026-02-03T04:05:06Z"));
    let mut malware = finding(1, "MAL-2026-1");
    malware.advisory.malicious = true;
    malware.links.insert(0, "not an address".into());
    let mut unclear = finding(2, "GHSA-unclear");
    unclear.certainty = Certainty::Unclear;
    unclear.advisory.severity = Some(Severity::Medium);
    let vexed = |component, id: &str, status: &str, trusted| {
        let mut finding = finding(component, id);
        finding.advisory.severity = Some(Severity::Low);
        let author = Some("vendor@vendor.test".to_owned());
        finding.advisory.vex = Some(Vex { status: status.into(), author, trusted });
        finding
    };
    let mut cleared = vexed(0, "CVE-2026-0002", "not_affected", true);
    cleared.justification = Some("vulnerable_code_not_in_execute_path".into());
    cleared.impact = Some("the parser is not built in".into());
    let mut by_adversary = vexed(2, "CVE-2026-0007", "not_affected", true);
    by_adversary.justification = Some("vulnerable_code_cannot_be_controlled_by_adversary".into());
    let mut withdrawn = finding(0, "CVE-2026-0009");
    withdrawn.advisory.withdrawn = true;
    let gap = |component, fact: &str, why: Option<&str>, line| ReportGap {
        component,
        fact: fact.into(),
        state: FactState::NotScanned,
        why: why.map(str::to_owned),
        line,
    };
    Report {
        tool: Tool { name: "tidegate".into(), version: "1.2.3".into() },
        author: Some("Security of Acme".into()),
        at: at("2026-11-21T12:00:00Z"),
        subject: Subject {
            name: "shop".into(),
            version: Some("7".into()),
            purl: None,
            file: Some("web app/package-lock.json".into()),
            sha256: Some(Sha256::from_hex(&"ab".repeat(32)).unwrap()),
        },
        policy: Some(Sha256::from_hex(&"cd".repeat(32)).unwrap()),
        components: vec![
            full,
            malicious,
            component("pkg:npm/twice@1.0.0", 30),
            component("pkg:npm/twice@1.0.0", 35),
            nameless,
        ],
        findings: vec![
            malware,
            exploited,
            unclear,
            cleared,
            by_adversary,
            withdrawn,
            vexed(0, "CVE-2026-0003", "not_affected", true),
            vexed(0, "CVE-2026-0004", "not_affected", false),
            vexed(0, "CVE-2026-0005", "fixed", true),
            vexed(0, "CVE-2026-0006", "under_investigation", true),
            vexed(2, "CVE-2026-0008", "affected", true),
            finding(3, "GHSA-unclear"),
            finding(4, "CVE-2026-0010"),
            finding(99, "CVE-2026-0011"),
        ],
        observations: Vec::new(),
        gaps: vec![
            gap(None, "vulnerabilities", Some("no feed is loaded for Maven"), None),
            gap(Some(4), "vulnerabilities", None, None),
            gap(None, "components", Some("`x` comes from a git repository"), Some(50)),
        ],
    }
}

fn rendered(report: &Report, format: ReportFormat) -> (String, Value) {
    let text = String::from_utf8(report.render(format).unwrap()).unwrap();
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

#[test]
fn documents_are_as_agreed() {
    let report = sample();
    insta::assert_snapshot!("cyclonedx", rendered(&report, ReportFormat::CycloneDx16).0);
    insta::assert_snapshot!("sarif", rendered(&report, ReportFormat::Sarif).0);
    insta::assert_snapshot!("openvex", rendered(&report, ReportFormat::OpenVex).0);
    // The newer version differs in its name alone, and so in what is derived from the content.
    let newer = rendered(&report, ReportFormat::CycloneDx17).0.replace("1.7", "1.6");
    let older = rendered(&report, ReportFormat::CycloneDx16).0;
    let differing = newer.lines().zip(older.lines()).filter(|(a, b)| a != b).count();
    assert_eq!((newer.lines().count(), differing), (older.lines().count(), 1));
}

#[test]
fn the_same_report_has_the_same_bytes_in_whatever_order_findings_come() {
    let report = sample();
    let mut other = sample();
    other.findings.reverse();
    for format in ReportFormat::ALL {
        assert_eq!(report.render(format).unwrap(), other.render(format).unwrap(), "{format:?}");
    }
    other.at = at("2026-11-22T12:00:00Z");
    let serial = |report: &Report| rendered(report, ReportFormat::CycloneDx16).1["serialNumber"].clone();
    assert_ne!(serial(&report), serial(&other), "another document has another serial number");
}

#[test]
fn fingerprints_stay_when_lines_time_and_tool_change() {
    let prints = |report: &Report| -> Vec<Value> {
        let results = &rendered(report, ReportFormat::Sarif).1["runs"][0]["results"];
        results.as_array().unwrap().iter().map(|r| r["partialFingerprints"].clone()).collect()
    };
    let report = sample();
    let before = prints(&report);
    let mut moved = sample();
    moved.at = at("2027-01-01T00:00:00Z");
    moved.tool.version = "9".into();
    for component in &mut moved.components {
        component.place.as_mut().unwrap().line += 7;
    }
    assert_eq!(prints(&moved), before);
    let distinct: std::collections::BTreeSet<String> = before.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), before.len(), "no two results share one");
}

#[test]
fn sarif_says_what_blocks_and_what_is_not_known() {
    let (_, document) = rendered(&sample(), ReportFormat::Sarif);
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let of = |rule: &str| results.iter().find(|r| r["ruleId"] == rule).unwrap();
    let score = |rule: &str| {
        let rule = rules.iter().find(|r| r["id"] == rule).unwrap();
        rule["properties"]["security-severity"].as_str().map(str::to_owned)
    };
    // Published as high, critical here: the score follows.
    assert_eq!(
        (of("CVE-2026-0001")["level"].as_str(), score("CVE-2026-0001").as_deref()),
        (Some("error"), Some("9.5"))
    );
    assert_eq!(
        (of("MAL-2026-1")["level"].as_str(), score("MAL-2026-1").as_deref()),
        (Some("error"), Some("9.5"))
    );
    assert_eq!(of("CVE-2026-0001")["locations"][0]["physicalLocation"]["region"]["startLine"], 10);
    assert_eq!(of("policy/too-young")["level"], "error");
    assert!(!results.iter().any(|r| r["ruleId"] == "policy/exploited"), "the advisory says it");
    let suppressed: Vec<&str> = results
        .iter()
        .filter(|r| r["suppressions"].is_array())
        .map(|r| r["ruleId"].as_str().unwrap())
        .collect();
    // Not the one without a reason, and not the one whose author nobody trusts.
    assert_eq!(suppressed, ["CVE-2026-0002", "CVE-2026-0005", "CVE-2026-0007"]);
    let told = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(told.len(), 3);
    assert_eq!(told[2]["locations"][0]["physicalLocation"]["region"]["startLine"], 50);
}

#[test]
fn vex_is_passed_on_only_from_whom_policy_trusts() {
    let (_, document) = rendered(&sample(), ReportFormat::OpenVex);
    let statements: Vec<(String, String)> = document["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            let text = |v: &Value| v.as_str().unwrap().to_owned();
            (text(&s["vulnerability"]["name"]), text(&s["status"]))
        })
        .collect();
    let expected = [
        ("CVE-2026-0001", "affected"),
        ("CVE-2026-0002", "not_affected"),
        ("CVE-2026-0003", "under_investigation"),
        ("CVE-2026-0004", "affected"),
        ("CVE-2026-0005", "fixed"),
        ("CVE-2026-0006", "under_investigation"),
        ("MAL-2026-1", "affected"),
        ("CVE-2026-0007", "not_affected"),
        ("CVE-2026-0008", "affected"),
        ("GHSA-unclear", "under_investigation"),
        ("GHSA-unclear", "affected"),
    ];
    assert_eq!(statements, expected.map(|(id, status)| (id.to_owned(), status.to_owned())));
    for statement in document["statements"].as_array().unwrap() {
        let needs_action = statement["status"] == "affected";
        assert!(!needs_action || statement["action_statement"].is_string(), "{statement}");
    }
}

#[test]
fn a_report_without_findings_is_still_one() {
    let mut report = sample();
    report.findings.clear();
    report.components.truncate(3);
    report.gaps.clear();
    report.subject = Subject { name: "pkg:npm/x@1".into(), ..Subject::default() };
    assert_eq!(report.render(ReportFormat::OpenVex), Err(CannotRender::NothingToState));
    let (_, sarif) = rendered(&report, ReportFormat::Sarif);
    // What the policy says of an advisory that is no finding is told as the policy's.
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let rules: Vec<&str> = results.iter().map(|r| r["ruleId"].as_str().unwrap()).collect();
    assert_eq!(rules, ["policy/exploited", "policy/too-young"]);
    assert!(results[0]["locations"][0]["physicalLocation"].is_null(), "there is no file");
    let (_, cyclonedx) = rendered(&report, ReportFormat::CycloneDx16);
    assert_eq!(cyclonedx["vulnerabilities"], serde_json::json!([]));
}

#[test]
fn advice_names_the_version_to_take() {
    let advice = |nearest: Option<&str>, fixed: &[&str]| {
        let mut component = component("pkg:npm/x@1", 1);
        component.nearest_compliant = nearest.map(str::to_owned);
        let mut finding = finding(0, "A");
        finding.advisory.fixed_in = fixed.iter().map(|f| (*f).to_owned()).collect();
        finding.advice(&component)
    };
    assert_eq!(advice(Some("3"), &["2"]), "Use x 3, the nearest version that the policy admits.");
    assert_eq!(advice(None, &["2"]), "Upgrade x to 2 or later.");
    assert_eq!(advice(None, &["1.1", "2"]), "Upgrade x to a fixed version: 1.1, 2.");
    assert_eq!(advice(None, &[]), "No fixed version of x is known: replace it or mitigate.");
}

#[test]
fn paths_become_uris() {
    for (path, uri) in [
        ("package-lock.json", "package-lock.json"),
        ("./a b/c#d.json", "a%20b/c%23d.json"),
        ("/srv/ü", "file:///srv/%C3%BC"),
        ("a\\b.json", "a/b.json"),
        ("C:\\x\\y.json", "file:///C:/x/y.json"),
    ] {
        assert_eq!(parts::uri(path), uri);
    }
}

#[test]
fn uuids_have_the_form_of_one() {
    let uuid = ids::uuid(b"content");
    let digits = uuid.strip_prefix("urn:uuid:").unwrap();
    assert_eq!(digits.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert_eq!(&digits[14..15], "8");
    assert!("89ab".contains(&digits[19..20]));
    assert_ne!(ids::fingerprint(&["a", "bc"]), ids::fingerprint(&["ab", "c"]));
}

#[test]
fn references_inside_a_document_are_unique_whatever_components_are_called() {
    let mut report = sample();
    let named = |name: &str| Component { name: name.into(), ..Component::default() };
    report.components = ["x", "x (2)", "x", "x", "subject"].map(named).into();
    assert_eq!(ids::references(&report), ["x", "x (2)", "x (3)", "x (4)", "subject (2)"]);
}
