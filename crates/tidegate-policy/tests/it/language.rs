//! Each operator and each field of a rule, flipped by a fact or a setting that makes the decision change.

use tidegate_model::Facts;
use tidegate_model::decision::Action;
use tidegate_model::facts::*;

use crate::support::{clean, errors, policy, run, with};

/// Asserts that `when` holds on the first facts and not on the second.
fn check(when: &str, holds: &Facts, fails: &Facts) {
    let policy = policy(&format!(
        "[[rule]]\nid = \"r\"\naction = \"warn\"\nunknown = \"block\"\n[rule.when]\n{when}\n"
    ));
    assert_eq!(run(&policy, holds).action, Action::Warn, "should hold: {when}");
    assert_eq!(run(&policy, fails).action, Action::Allow, "should not hold: {when}");
}

fn advisory(change: impl Fn(&mut Vulnerability)) -> Facts {
    let mut item = Vulnerability {
        id: "CVE-1".into(),
        aliases: vec!["GHSA-1".into()],
        effective_severity: Some(Severity::Medium),
        cvss_score: Some(5.0),
        epss: Some(0.1),
        kev: Some(false),
        fix_available: Some(false),
        ..Default::default()
    };
    change(&mut item);
    with(|f| f.vulnerabilities = Group::known(VulnerabilityFacts { items: vec![item] }))
}

#[test]
fn every_operator_decides() {
    // Facts are large, and the table below holds hundreds of them at once.
    let table = std::thread::Builder::new().stack_size(16 << 20).spawn(operators).unwrap();
    table.join().unwrap();
}

fn operators() {
    let none = advisory(|_| {});
    let model = |formats: &[&str]| {
        with(|f| {
            let formats = formats.iter().map(|s| (*s).to_owned()).collect();
            f.model = Group::known(ModelFacts { formats, ..Default::default() });
        })
    };
    let version = |v: &str| with(|f| f.artifact.version = v.into());
    let published = |at: &str| with(|f| f.artifact.published_at = Some(at.parse().unwrap()));
    let purl = |p: &str| with(|f| f.artifact.purl = p.into());
    for (when, holds, fails) in [
        (
            "\"scripts.install\" = false",
            clean(),
            with(|f| f.scripts.value.as_mut().unwrap().install = Some(true)),
        ),
        ("\"artifact.name\" = \"left-pad\"", clean(), with(|f| f.artifact.name = "right-pad".into())),
        (
            "\"artifact.name\" = { eq = \"left-pad\" }",
            clean(),
            with(|f| f.artifact.name = "right-pad".into()),
        ),
        ("artifact.name = \"left-pad\"", clean(), with(|f| f.artifact.name = "right-pad".into())),
        (
            "\"artifact.ecosystem\" = [\"npm\", \"pypi\"]",
            clean(),
            with(|f| f.artifact.ecosystem = Some(tidegate_model::Ecosystem::Cargo)),
        ),
        (
            "\"artifact.ecosystem\" = { in = [\"npm\", \"pypi\"] }",
            clean(),
            with(|f| f.artifact.ecosystem = Some(tidegate_model::Ecosystem::Cargo)),
        ),
        (
            "\"artifact.purl\" = { glob = \"pkg:npm/@acme/*\" }",
            purl("pkg:npm/%40acme/x@1.0.0"),
            purl("pkg:npm/%40acme2/x@1.0.0"),
        ),
        (
            "\"artifact.name\" = { glob = [\"a*\", \"l*\"] }",
            clean(),
            with(|f| f.artifact.name = "right-pad".into()),
        ),
        ("\"model.formats\" = \"pickle\"", model(&["gguf", "pickle"]), model(&["gguf"])),
        ("\"model.formats\" = { only = [\"gguf\", \"onnx\"] }", model(&["gguf"]), model(&["gguf", "pickle"])),
        ("\"artifact.size\" = { lt = 1001 }", clean(), with(|f| f.artifact.size = Some(1001))),
        ("\"artifact.size\" = { le = 1000 }", clean(), with(|f| f.artifact.size = Some(1001))),
        ("\"artifact.size\" = { gt = 999 }", clean(), with(|f| f.artifact.size = Some(999))),
        ("\"artifact.size\" = { ge = 1000, lt = 2000 }", clean(), with(|f| f.artifact.size = Some(2000))),
        ("\"artifact.size\" = [5, 1000]", clean(), with(|f| f.artifact.size = Some(6))),
        (
            "\"artifact.published_at\" = { age_lt = \"36h\" }",
            published("2026-11-20T00:00:00Z"),
            published("2026-11-19T21:00:00Z"),
        ),
        (
            "\"artifact.published_at\" = { age_ge = \"36h\" }",
            published("2026-11-19T21:00:00Z"),
            published("2026-11-19T21:00:01Z"),
        ),
        (
            "\"artifact.published_at\" = { after = \"2026-11-01\" }",
            published("2026-11-01T00:00:01Z"),
            published("2026-11-01T00:00:00Z"),
        ),
        (
            "\"artifact.published_at\" = { before = 2026-11-01T00:00:00Z }",
            published("2026-10-31T23:59:59Z"),
            published("2026-11-01T00:00:00Z"),
        ),
        (
            "\"licence.expression\" = { licence_permits = \"MIT\" }",
            clean(),
            with(|f| f.licence.value.as_mut().unwrap().expression = Some("ISC".into())),
        ),
        ("\"artifact.version\" = { version = \">=1.0.0, <1.10.0\" }", version("1.9.0"), version("1.10.0")),
        ("\"artifact.version\" = { semver = \"<1.0.0 || >=2.0.0\" }", version("2.0.0"), version("1.0.0")),
        (
            "\"name.resembles\" = { exists = false }",
            clean(),
            with(|f| f.name.value.as_mut().unwrap().resembles = Some("x".into())),
        ),
        ("\"artifact.admitted_before\" = false", clean(), with(|f| f.artifact.admitted_before = true)),
        (
            "vulnerabilities.some = { cvss_score = { ge = 7 } }",
            advisory(|a| a.cvss_score = Some(7.0)),
            none.clone(),
        ),
        (
            "vulnerabilities.some = { effective_severity = { gt = \"medium\" } }",
            advisory(|a| a.effective_severity = Some(Severity::High)),
            none.clone(),
        ),
        (
            "vulnerabilities.some = { effective_severity = [\"low\", \"critical\"] }",
            advisory(|a| a.effective_severity = Some(Severity::Low)),
            none.clone(),
        ),
        ("vulnerabilities.some = { id = \"CVE-2\" }", advisory(|a| a.id = "CVE-2".into()), none.clone()),
        (
            "vulnerabilities.some = { aliases = \"GHSA-2\" }",
            advisory(|a| a.aliases.push("GHSA-2".into())),
            none.clone(),
        ),
        (
            "vulnerabilities.some = { vex.status = \"affected\" }",
            advisory(|a| a.vex = Some(Vex { status: "affected".into(), ..Default::default() })),
            none.clone(),
        ),
        (
            "vulnerabilities.some = { any = [{ kev = true }, { epss = { gt = 0.5 } }] }",
            advisory(|a| a.epss = Some(0.6)),
            none.clone(),
        ),
        (
            "vulnerabilities.some = { not = { fix_available = false } }",
            advisory(|a| a.fix_available = Some(true)),
            none.clone(),
        ),
        ("vulnerabilities.every = { kev = true }", advisory(|a| a.kev = Some(true)), none.clone()),
        ("vulnerabilities.none = { kev = false }", advisory(|a| a.kev = Some(true)), none),
        ("malware = { state = \"known\" }", clean(), with(|f| f.malware = Group::default())),
        (
            "malware = { state = [\"stale\", \"error\"] }",
            with(|f| f.malware.state = FactState::Stale),
            clean(),
        ),
        (
            "all = [{ \"artifact.prerelease\" = true }, { \"artifact.pinned\" = true }]",
            with(|f| (f.artifact.prerelease, f.artifact.pinned) = (true, Some(true))),
            with(|f| f.artifact.pinned = Some(true)),
        ),
        (
            "any = [{ \"artifact.prerelease\" = true }, { \"artifact.pinned\" = true }]",
            with(|f| f.artifact.pinned = Some(true)),
            with(|f| f.artifact.pinned = Some(false)),
        ),
        ("not = { \"artifact.prerelease\" = true }", clean(), with(|f| f.artifact.prerelease = true)),
    ] {
        check(when, &holds, &fails);
    }
}

/// A rule that holds on the clean package, with more fields.
fn rule(fields: &str) -> String {
    format!("[[rule]]\nid = \"r\"\n{fields}\nwhen.\"scripts.install\" = false\n")
}

#[test]
fn every_field_of_a_rule_matters() {
    let plain = run(&policy(&rule("action = \"warn\"")), &clean());
    let changed = |fields: &str| run(&policy(&rule(fields)), &clean());
    let reason = |fields: &str| changed(fields).reasons[0].clone();
    assert_eq!(plain.action, Action::Warn);
    assert_eq!(changed("action = \"block\"").action, Action::Block);
    assert_eq!(changed("action = \"warn\"\nmode = \"off\"").action, Action::Allow);
    assert!(changed("action = \"warn\"\nmode = \"dry-run\"").dry_run.is_some());
    assert_eq!(changed("action = \"warn\"\nmode = \"dry-run\"\nuntil = \"2026-11-21\"").action, Action::Warn);
    assert_eq!(
        changed("action = \"warn\"\nobligations = [\"notify:security\"]").obligations,
        ["notify:security"]
    );
    assert!(plain.reasons[0].waivable && !reason("action = \"warn\"\nwaivable = false").waivable);
    assert_eq!(
        reason("action = \"warn\"\nmessage = \"{artifact.name} of {publisher.account}\"").message,
        "left-pad of someone"
    );
    assert_eq!(reason("action = \"warn\"\nmessage = \"x[ {name.resembles}]\"").message, "x");
    assert_eq!(plain.reasons[0].message, "scripts.install is false");
    assert_eq!(reason("action = \"warn\"\nremediation = \"stop\"").remediation.as_deref(), Some("stop"));
    assert_eq!(changed("action = \"warn\"\napplies.\"artifact.kind\" = \"image\"").action, Action::Allow);
    let controls = policy(&rule("action = \"warn\"\ncontrols = [\"PCI:6.3.3\"]"));
    assert_eq!(controls.rules()[0].controls(), ["PCI:6.3.3"]);
    assert_ne!(controls.digest(), policy(&rule("action = \"warn\"")).digest());
    let fix = with(|f| f.artifact.security_fix_for = vec!["GHSA-1".into()]);
    assert_eq!(run(&policy(&rule("action = \"warn\"\ncooldown = true")), &fix).action, Action::Allow);
    let sealed = policy(&rule("action = \"warn\"\nsealed = true"));
    assert!(sealed.rules()[0].is_sealed());
    let broken = with(|f| f.scripts.state = FactState::Error);
    assert_eq!(run(&policy(&rule("action = \"warn\"")), &broken).action, Action::Quarantine);
    assert_eq!(run(&policy(&rule("action = \"warn\"\nunknown = \"block\"")), &broken).action, Action::Block);
    assert_eq!(
        run(&policy(&rule("action = \"warn\"\nunknown = { error = \"allow\" }")), &broken).action,
        Action::Allow
    );
    let header = |line: &str| {
        let source = format!("[policy]\nid = \"t\"\nversion = \"1\"\n{line}\n{}", rule("action = \"block\""));
        tidegate_policy::Policy::compile(&source, "t").unwrap().policy
    };
    assert_eq!(run(&header("default_unknown = \"warn\""), &broken).action, Action::Warn);
    assert!(run(&header("enforce = false"), &clean()).serves() && !run(&header(""), &clean()).serves());
    assert_eq!((header("approvers = 2").approvers(), header("max_days = 3").max_waiver_days()), (2, 3));
}

#[test]
fn mistakes_are_told_with_their_place_and_a_remedy() {
    let rule = |when: &str| format!("[[rule]]\nid = \"r\"\naction = \"warn\"\n[rule.when]\n{when}\n");
    for (source, expected) in [
        (rule("\"artifact.publishd_at\" = { age_lt = \"3d\" }"), "test.toml:8:1: there is no fact `artifact.publishd_at`; did you mean `artifact.published_at`?"),
        (rule("\"scripts.install\" = \"yes\""), "test.toml:8:21: `scripts.install` is true or false, which does not go with text; write true or false"),
        (rule("\"artifact.published_at\" = { lt = 3 }"), "does not go with operator `lt`; use age_lt"),
        (rule("\"artifact.published_at\" = { age_lt = \"3 days\" }"), "test.toml:8:38: `3 days` is not a duration; write a whole number with its unit"),
        (rule("\"artifact.published_at\" = { agelt = \"3d\" }"), "unknown key `agelt`; did you mean `age_lt`?"),
        (rule("\"malware.verdict\" = \"evil\""), "`malware.verdict` is never `evil`; expected one of clean, suspicious, malicious"),
        (rule("\"licence.expression\" = { licence_permits = [\"BSD\"] }"), "`BSD` is not a licence of the SPDX list"),
        (rule("\"artifact.version\" = { version = \">=\" }"), "is not a version range"),
        (rule("vulnerabilities = { some = { kve = true } }"), "unknown key `kve`; did you mean `kev`?"),
        (rule("vulnerabilities = { any = {} }"), "unknown key `any`"),
        (rule("expr = \"1 == 1\""), "`expr` is not offered"),
        (rule("malware = { state = \"fine\" }"), "`fine` is not a state"),
        (rule("all = []"), "`all` and `any` are lists of conditions"),
        (rule(""), "an empty condition"),
        (rule("\"artifact.name\" = []"), "an empty list fits nothing"),
        (rule("\"artifact.size\" = { lt = \"{n}\" }"), "there is no parameter `n`"),
        ("[[rule]]\nid = \"r\"\naction = \"deny\"\nwhen.\"scripts.install\" = true\n".into(), "test.toml:6:10: `deny` at `action` is not an action"),
        ("[[rule]]\nid = \"r\"\nwhen.\"scripts.install\" = true\n".into(), "rule `r` has no `action`"),
        ("[[rule]]\nid = \"r\"\naction = \"warn\"\n".into(), "rule `r` has no `when`"),
        ("[[rule]]\nid = \"r r\"\naction = \"warn\"\nwhen.\"scripts.install\" = true\n".into(), "`r r` is not a rule id"),
        (format!("{0}{0}", rule("\"scripts.install\" = true")), "rule `r` stands at test.toml:4:1 already"),
        ("[[rule]]\nid = \"r\"\naction = \"warn\"\nuntil = \"2026-01-01\"\nwhen.\"scripts.install\" = true\n".into(), "`until` without `mode = \"dry-run\"`"),
        ("[[rule]]\nid = \"r\"\naction = \"warn\"\nparams.days = 3\nwhen.\"scripts.install\" = true\n".into(), "nothing reads parameter `days`"),
        ("[[rule]]\nid = \"r\"\naction = \"warn\"\nmessage = \"{agee}\"\nwhen.\"scripts.install\" = true\n".into(), "there is no placeholder `{agee}`; did you mean `{age}`?"),
        ("[[rule]]\nid = \"r\"\naction = \"warn\"\ngrace_days = 3\nwhen.\"scripts.install\" = true\n".into(), "counts from advisories it does not read"),
        ("[[rule]]\nid = \"r\"\naction = \"block\"\nwaivable = true\nwhen.\"malware.verdict\" = \"malicious\"\n".into(), "which is waived by digest only"),
        ("[[rule]]\nid = \"r\"\naction = \"block\"\nwaivable = true\nwhen.\"provenance.status\" = \"invalid\"\n".into(), "which nothing waives"),
        ("[[rule]\n".into(), "test.toml:4:"),
        ("[rules]\n".into(), "unknown key `rules`; did you mean `rule`?"),
    ] {
        let found = errors(&source);
        assert!(found.contains(expected), "expected {expected}\nfound {found}");
    }
    let several =
        errors(&format!("{}\n[[rule]]\nid = \"s\"\naction = \"deny\"\nwhne = 1\n", rule("\"x\" = 1")));
    assert!(several.lines().count() >= 4, "{several}");
    let headless = tidegate_policy::Policy::compile("", "empty.toml").unwrap_err().to_string();
    assert!(headless.starts_with("empty.toml:1:1: there is no `[policy]` table"), "{headless}");
}
