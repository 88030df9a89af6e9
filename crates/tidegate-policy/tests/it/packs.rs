//! The packs do what their table says.

use tidegate_model::ArtifactKind;
use tidegate_model::decision::Action;
use tidegate_model::facts::*;
use tidegate_policy::{Policy, WaiverSet, decide, packs};

use crate::support::{clean, now, with};

/// The clean package as this build sees it on an empty store: no feeds, nothing inspected.
fn day_one() -> Facts {
    let mut facts = clean();
    facts.vulnerabilities = Group::default();
    facts.malware = Group::default();
    facts.secrets = Group::default();
    facts.licence = Group::gap(FactState::NotOffered, "crate indexes state no licence");
    facts.provenance = Group::gap(FactState::NotOffered, "upstream carries no attestations");
    facts.scripts = Group::gap(FactState::NotOffered, "the index does not say");
    facts
}

fn seen(facts: &mut Facts, change: impl FnOnce(&mut ContentFacts)) {
    change(facts.contents.value.as_mut().unwrap());
}

fn action(pack: &str, facts: &Facts) -> (Action, Vec<String>) {
    let decision = decide(&Policy::pack(pack).unwrap(), facts, &WaiverSet::empty(), now());
    (decision.action, decision.reasons.into_iter().map(|r| r.rule).collect())
}

#[test]
fn every_pack_compiles_without_a_warning() {
    for name in packs::NAMES {
        let compiled = Policy::compile(packs::source(name).unwrap(), name).unwrap_or_else(|e| panic!("{e}"));
        let warnings: Vec<_> =
            compiled.warnings.iter().filter(|w| w.level == tidegate_policy::Level::Warning).collect();
        assert!(warnings.is_empty(), "{name}: {warnings:#?}");
    }
    assert!(Policy::pack("none").is_none());
}

#[test]
fn a_clean_package_is_allowed_by_each_pack() {
    for name in packs::NAMES {
        assert_eq!(action(name, &clean()), (Action::Allow, vec![]), "{name}");
    }
}

#[test]
fn day_one_lets_a_clean_package_in_and_says_what_nobody_looked_at() {
    for name in packs::NAMES {
        let decision = decide(&Policy::pack(name).unwrap(), &day_one(), &WaiverSet::empty(), now());
        assert!(decision.serves(), "{name}: {:?}", decision.reasons);
        assert_eq!(decision.reasons.len(), 1, "{name}: {:?}", decision.reasons);
        assert!(decision.reasons[0].message.contains("vulnerabilities not scanned, malware not scanned"));
        let mut listing = day_one();
        listing.request.operation = "index".into();
        listing.artifact.sha256 = None;
        listing.scripts = Group::gap(FactState::Pending, "needs the bytes");
        listing.malware = Group::gap(FactState::Pending, "needs the bytes");
        assert!(
            decide(&Policy::pack(name).unwrap(), &listing, &WaiverSet::empty(), now()).serves(),
            "{name}"
        );
    }
}

#[test]
fn facts_that_nobody_has_do_not_read_as_clean() {
    for (name, expected) in [("baseline", Action::Warn), ("strict", Action::Warn)] {
        assert!(action(name, &Facts::default()).0 >= expected, "{name}");
    }
}

fn advisory(change: impl Fn(&mut Vulnerability)) -> Facts {
    with(|f| {
        let mut item = Vulnerability {
            id: "GHSA-1".into(),
            effective_severity: Some(Severity::Low),
            kev: Some(false),
            fix_available: Some(false),
            ..Default::default()
        };
        change(&mut item);
        f.vulnerabilities = Group::known(VulnerabilityFacts { items: vec![item] });
    })
}

/// A tool whose text stands like this to what was approved.
fn pinned(pin: &str) -> Facts {
    with(|f| {
        f.mcp =
            Group::known(McpFacts { pin: Some(pin.into()), item: Some("add".into()), ..Default::default() })
    })
}

#[test]
fn baseline_and_strict_hold_what_their_table_says() {
    use Action::{Allow, Block, Quarantine, Warn};
    let young = |f: &mut Facts| f.artifact.published_at = Some("2026-11-20T11:00:00Z".parse().unwrap());
    let resembling = |f: &mut Facts| f.name.value.as_mut().unwrap().resembles = Some("lodash".into());
    let cases: Vec<(&str, Facts, Action, Action)> = vec![
        ("malware", with(|f| f.malware.value.as_mut().unwrap().verdict = "malicious".into()), Block, Block),
        (
            "suspicious",
            with(|f| f.malware.value.as_mut().unwrap().verdict = "suspicious".into()),
            Quarantine,
            Quarantine,
        ),
        ("report", advisory(|a| a.malicious = true), Block, Block),
        ("kev", advisory(|a| a.kev = Some(true)), Block, Block),
        (
            "critical with a fix",
            advisory(|a| {
                a.effective_severity = Some(Severity::Critical);
                a.fix_available = Some(true);
            }),
            Block,
            Block,
        ),
        ("critical without", advisory(|a| a.effective_severity = Some(Severity::Critical)), Warn, Quarantine),
        ("high", advisory(|a| a.effective_severity = Some(Severity::High)), Warn, Quarantine),
        ("medium", advisory(|a| a.effective_severity = Some(Severity::Medium)), Allow, Allow),
        ("unrated", advisory(|a| a.effective_severity = None), Warn, Quarantine),
        ("young", with(young), Quarantine, Quarantine),
        (
            "young security fix",
            with(|f| {
                young(f);
                f.artifact.security_fix_for = vec!["GHSA-2".into()];
            }),
            Allow,
            Allow,
        ),
        (
            "no publish time, seen yesterday",
            with(|f| {
                f.artifact.published_at = None;
                f.artifact.first_seen_at = Some("2026-11-20T11:00:00Z".parse().unwrap());
            }),
            Quarantine,
            Quarantine,
        ),
        (
            "no publish time, in the first list",
            with(|f| {
                f.artifact.published_at = None;
                f.artifact.bootstrap = true;
            }),
            Warn,
            Warn,
        ),
        (
            "new script",
            with(|f| {
                f.scripts = Group::known(ScriptFacts { install: Some(true), new_in_version: Some(true) })
            }),
            Quarantine,
            Quarantine,
        ),
        (
            "old script",
            with(|f| {
                f.scripts = Group::known(ScriptFacts { install: Some(true), new_in_version: Some(false) })
            }),
            Allow,
            Allow,
        ),
        (
            "first version with a script",
            with(|f| f.scripts = Group::known(ScriptFacts { install: Some(true), new_in_version: None })),
            Warn,
            Quarantine,
        ),
        (
            "dropped",
            with(|f| f.provenance.value.as_mut().unwrap().dropped = Some(true)),
            Quarantine,
            Quarantine,
        ),
        (
            "other source",
            with(|f| f.provenance.value.as_mut().unwrap().source_changed = Some(true)),
            Quarantine,
            Quarantine,
        ),
        (
            "other builder",
            with(|f| f.provenance.value.as_mut().unwrap().builder_changed = Some(true)),
            Warn,
            Quarantine,
        ),
        ("invalid", with(|f| f.provenance.value.as_mut().unwrap().status = "invalid".into()), Block, Block),
        (
            "absent",
            with(|f| f.provenance.value.as_mut().unwrap().status = "absent".into()),
            Allow,
            Quarantine,
        ),
        ("likeness, old project", with(resembling), Warn, Quarantine),
        (
            "likeness, young project",
            with(|f| {
                resembling(f);
                f.artifact.project_published_at = Some("2026-10-01T00:00:00Z".parse().unwrap());
            }),
            Quarantine,
            Quarantine,
        ),
        ("secrets", with(|f| f.secrets.value.as_mut().unwrap().count = Some(2)), Warn, Quarantine),
        ("yanked", with(|f| f.lifecycle.value.as_mut().unwrap().yanked = true), Warn, Warn),
        ("deprecated", with(|f| f.lifecycle.value.as_mut().unwrap().deprecated = true), Allow, Allow),
        (
            "licence",
            with(|f| f.licence.value.as_mut().unwrap().expression = Some("AGPL-3.0-only".into())),
            Allow,
            Quarantine,
        ),
        ("no licence", with(|f| f.licence.value.as_mut().unwrap().expression = None), Allow, Quarantine),
        (
            "new publisher",
            with(|f| f.publisher.value.as_mut().unwrap().changed_days_ago = Some(4)),
            Warn,
            Warn,
        ),
        ("stale advisories", with(|f| f.vulnerabilities.state = FactState::Stale), Warn, Quarantine),
        (
            "reports of malice pending",
            with(|f| f.malware = Group::gap(FactState::Pending, "")),
            Quarantine,
            Quarantine,
        ),
        (
            "reports of malice failed",
            with(|f| f.malware = Group::gap(FactState::Error, "")),
            Warn,
            Quarantine,
        ),
        ("malicious contents", with(|f| seen(f, |c| c.verdict = "malicious".into())), Block, Block),
        (
            "suspicious contents",
            with(|f| seen(f, |c| c.verdict = "suspicious".into())),
            Quarantine,
            Quarantine,
        ),
        (
            "contents not seen in full",
            with(|f| {
                seen(f, |c| {
                    c.complete = Some(false);
                    c.not_seen = vec!["encrypted".into()];
                });
            }),
            Warn,
            Quarantine,
        ),
        (
            "inspection pending",
            with(|f| f.contents = Group::gap(FactState::Pending, "")),
            Quarantine,
            Quarantine,
        ),
        ("inspection failed", with(|f| f.contents = Group::gap(FactState::Error, "")), Warn, Quarantine),
        ("inspection off", with(|f| f.contents = Group::gap(FactState::NotScanned, "")), Warn, Warn),
        (
            "unsafe model",
            with(|f| {
                f.artifact.kind = Some(ArtifactKind::Model);
                f.model = Group::known(ModelFacts {
                    unsafe_code: Some(true),
                    formats: vec!["gguf".into()],
                    ..Default::default()
                });
            }),
            Block,
            Block,
        ),
        (
            "pickle model",
            with(|f| {
                f.artifact.kind = Some(ArtifactKind::Model);
                f.model = Group::known(ModelFacts {
                    unsafe_code: Some(false),
                    formats: vec!["gguf".into(), "pickle".into()],
                    ..Default::default()
                });
            }),
            Allow,
            Block,
        ),
        ("text of a tool, first seen", pinned("first_seen"), Warn, Quarantine),
        ("approved", pinned("approved"), Allow, Allow),
        ("changed", pinned("changed"), Quarantine, Quarantine),
        ("new", pinned("new"), Quarantine, Quarantine),
        ("its approval ended", pinned("expired"), Quarantine, Quarantine),
        ("taken back", pinned("revoked"), Block, Block),
    ];
    for (what, facts, baseline, strict) in cases {
        let found = action("baseline", &facts);
        assert_eq!(found.0, baseline, "baseline, {what}: {:?}", found.1);
        let found = action("strict", &facts);
        assert_eq!(found.0, strict, "strict, {what}: {:?}", found.1);
        let observed = decide(&Policy::pack("observe").unwrap(), &facts, &WaiverSet::empty(), now());
        assert_eq!((observed.action, observed.serves()), (baseline, true), "observe, {what}");
    }
}

#[test]
fn the_cooldown_speaks_plainly() {
    let mut facts = clean();
    facts.artifact.published_at = Some("2026-11-20T11:00:00Z".parse().unwrap());
    let decision = decide(&Policy::pack("baseline").unwrap(), &facts, &WaiverSet::empty(), now());
    assert_eq!(
        decision.leading_reason().unwrap().message,
        "published 22 h ago, younger than 3 d; selectable from 2026-11-23 11:00 UTC"
    );
    let end = "2026-11-23T11:00:00Z".parse().unwrap();
    assert_eq!(decision.selectable_from, Some(end));
    assert_eq!(decision.valid_until, Some(end));
    let then = decide(&Policy::pack("baseline").unwrap(), &facts, &WaiverSet::empty(), end);
    assert_eq!((then.action, then.valid_until), (Action::Allow, None));
}

#[test]
fn an_extension_is_judged_by_what_it_brings_along() {
    let extension = |refused: &[&str], blocked: &[&str]| {
        let mut facts = clean();
        let list = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        facts.artifact.kind = Some(ArtifactKind::Extension);
        facts.extension = Group::known(ExtensionFacts {
            brings: list(&["acme/a", "acme/b"]),
            refused: list(refused),
            blocked: list(blocked),
            ..ExtensionFacts::default()
        });
        action("baseline", &facts)
    };
    assert_eq!(extension(&[], &[]), (Action::Allow, vec![]));
    assert_eq!(extension(&["acme/a"], &[]), (Action::Warn, vec!["brings-refused".into()]));
    let (both, rules) = extension(&["acme/a"], &["acme/a"]);
    assert_eq!(both, Action::Quarantine);
    assert!(rules.contains(&"brings-blocked".to_owned()), "{rules:?}");
}
