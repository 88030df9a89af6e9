//! Properties of every decision.

use proptest::prelude::*;
use tidegate_model::facts::*;
use tidegate_model::waiver::{Waiver, WaiverState};
use tidegate_model::{Facts, Timestamp};
use tidegate_policy::{Policy, WaiverSet, decide};

use crate::support::{clean, now, policy};

fn any_state() -> impl Strategy<Value = FactState> {
    proptest::sample::select(FactState::ALL.to_vec())
}

prop_compose! {
    fn any_advisory()(
        id in 0..4u8,
        severity in proptest::option::of(proptest::sample::select(vec![Severity::Low, Severity::High, Severity::Critical])),
        kev in proptest::option::of(any::<bool>()),
        fix in proptest::option::of(any::<bool>()),
        withdrawn in any::<bool>(),
        known in proptest::option::of(0..40i64),
        held in any::<bool>(),
    ) -> Vulnerability {
        Vulnerability {
            id: format!("GHSA-{id}"),
            effective_severity: severity,
            kev,
            fix_available: fix,
            withdrawn,
            known_since: known.map(|d| now().plus_seconds(-d * 86_400)),
            held: held.then(|| "dismissed".into()),
            ..Default::default()
        }
    }
}

prop_compose! {
    fn any_facts()(
        states in proptest::collection::vec(any_state(), 6),
        items in proptest::collection::vec(any_advisory(), 0..4),
        age in proptest::option::of(-5..200i64),
        install in proptest::option::of(any::<bool>()),
        newly in proptest::option::of(any::<bool>()),
        verdict in proptest::sample::select(vec!["clean", "suspicious", "malicious", "odd"]),
        provenance in proptest::sample::select(vec!["verified", "offered", "absent", "invalid"]),
        licence in proptest::sample::select(vec!["MIT", "GPL-3.0-only", "nonsense text", "MIT OR NOASSERTION"]),
        flags in any::<[bool; 5]>(),
        held in any::<bool>(),
    ) -> Facts {
        let mut facts = clean();
        facts.artifact.published_at = age.map(|d| now().plus_seconds(-d * 86_400));
        facts.artifact.bootstrap = flags[0];
        facts.artifact.admitted_before = flags[1];
        facts.artifact.security_fix_for = if flags[2] { vec!["GHSA-9".into()] } else { vec![] };
        facts.request.operation = if flags[3] { "index".into() } else { "artifact".into() };
        facts.name.value = Some(NameFacts { resembles: flags[4].then(|| "lodash".into()), difference: None });
        facts.vulnerabilities = Group { state: states[0], value: Some(VulnerabilityFacts { items }), ..Group::default() };
        facts.malware = Group { state: states[1], value: Some(MalwareFacts { verdict: verdict.into(), held: held.then(|| "waiting".into()), ..Default::default() }), ..Group::default() };
        facts.scripts = Group { state: states[2], value: Some(ScriptFacts { install, new_in_version: newly }), ..Group::default() };
        facts.provenance = Group { state: states[3], value: Some(ProvenanceFacts { status: provenance.into(), ..Default::default() }), ..Group::default() };
        facts.licence = Group { state: states[4], value: Some(LicenceFacts { expression: Some(licence.into()), ..Default::default() }), ..Group::default() };
        facts.name.state = states[5];
        facts
    }
}

prop_compose! {
    fn any_waiver()(
        rules in proptest::sample::subsequence(vec!["high", "critical-fixed", "exploited", "cooldown", "gaps", "malware", "licence"], 0..5),
        advisories in proptest::sample::subsequence(vec!["GHSA-0", "GHSA-1", "GHSA-2", "GHSA-3"], 0..4),
        approved_by in proptest::sample::subsequence(vec!["ann", "bob", "cy"], 0..3),
        covers_unknown in any::<bool>(),
        digest in any::<bool>(),
        created in 0..40i64,
        days in 0..40i64,
    ) -> Waiver {
        let created_at = now().plus_seconds(-created * 86_400);
        Waiver {
            id: format!("W-{created}-{days}"),
            rules: rules.into_iter().map(str::to_owned).collect(),
            advisories: advisories.into_iter().map(str::to_owned).collect(),
            purl: "pkg:npm/left-pad".into(),
            digest: digest.then(|| tidegate_model::Sha256::new([7; 32])),
            requested_by: "ann".into(),
            approved_by: approved_by.into_iter().map(str::to_owned).collect(),
            state: WaiverState::Approved,
            created_at: Some(created_at),
            expires_at: Some(created_at.plus_seconds(days * 86_400)),
            covers_unknown,
            ..Waiver::default()
        }
    }
}

fn bytes(policy: &Policy, facts: &Facts, waivers: &WaiverSet, at: Timestamp) -> String {
    serde_json::to_string(&decide(policy, facts, waivers, at)).unwrap()
}

/// A pack with its rules in another order.
fn shuffled(pack: &str, seed: usize) -> Policy {
    let source = tidegate_policy::packs::source(pack).unwrap();
    let mut blocks: Vec<&str> = source.split("\n[[rule]]\n").collect();
    let header = blocks.remove(0);
    let n = blocks.len();
    blocks.rotate_left(seed % n);
    blocks.swap(0, seed * 7 % n);
    let text = std::iter::once(header).chain(blocks).collect::<Vec<_>>().join("\n[[rule]]\n");
    Policy::compile(&text, "shuffled").unwrap_or_else(|e| panic!("{e}")).policy
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn same_inputs_same_bytes_whatever_the_order_of_waivers(
        facts in any_facts(), waivers in proptest::collection::vec(any_waiver(), 0..4)
    ) {
        for pack in ["baseline", "strict"] {
            let policy = Policy::pack(pack).unwrap();
            let forth = WaiverSet::new(waivers.clone());
            let back = WaiverSet::new(waivers.iter().rev().cloned().collect());
            prop_assert_eq!(bytes(&policy, &facts, &forth, now()), bytes(&policy, &facts, &back, now()));
        }
    }

    #[test]
    fn adding_a_waiver_never_denies_more(
        facts in any_facts(), waivers in proptest::collection::vec(any_waiver(), 0..3), one in any_waiver()
    ) {
        for pack in ["baseline", "strict"] {
            let policy = Policy::pack(pack).unwrap();
            let before = decide(&policy, &facts, &WaiverSet::new(waivers.clone()), now());
            let mut more = waivers.clone();
            more.push(one.clone());
            let after = decide(&policy, &facts, &WaiverSet::new(more), now());
            prop_assert!(after.action <= before.action, "{:?} after {:?}", after, before);
            for reason in &after.reasons {
                prop_assert!(before.reasons.iter().any(|r| r.rule == reason.rule));
            }
        }
    }

    #[test]
    fn rule_order_never_changes_a_decision(facts in any_facts(), seed in 1..200usize) {
        let (a, b) = (Policy::pack("baseline").unwrap(), shuffled("baseline", seed));
        prop_assert_eq!(a.digest(), b.digest());
        let none = WaiverSet::empty();
        prop_assert_eq!(bytes(&a, &facts, &none, now()), bytes(&b, &facts, &none, now()));
    }

    #[test]
    fn nothing_changes_before_valid_until(
        facts in any_facts(), waivers in proptest::collection::vec(any_waiver(), 0..3), part in 0.0..1.0f64
    ) {
        let policy = Policy::pack("baseline").unwrap();
        let waivers = WaiverSet::new(waivers);
        let first = decide(&policy, &facts, &waivers, now());
        let span = first.valid_until.map_or(400 * 86_400, |u| u.seconds_since(now()) - 1);
        let later = decide(&policy, &facts, &waivers, now().plus_seconds((span.max(0) as f64 * part) as i64));
        let rules = |d: &tidegate_model::Decision| d.reasons.iter().map(|r| (r.rule.clone(), r.action)).collect::<Vec<_>>();
        prop_assert_eq!(rules(&first), rules(&later));
        prop_assert_eq!(first.valid_until, later.valid_until);
    }

    #[test]
    fn what_time_alone_ends_is_servable_then(facts in any_facts()) {
        let policy = Policy::pack("baseline").unwrap();
        let none = WaiverSet::empty();
        let decision = decide(&policy, &facts, &none, now());
        if let Some(at) = decision.selectable_from {
            prop_assert!(!decision.action.serves());
            prop_assert!(decide(&policy, &facts, &none, at).action.serves());
            prop_assert!(!decide(&policy, &facts, &none, at.plus_seconds(-1)).action.serves());
        }
    }

    #[test]
    fn a_gap_never_reads_as_cleaner_than_the_fact(facts in any_facts()) {
        // Knowing less can never turn a rule from live to silent, when unknown acts like the rule itself.
        let policy = policy(
            "[[rule]]\nid = \"a\"\naction = \"block\"\nunknown = \"block\"\nwhen.\"scripts.install\" = true\n\
             [[rule]]\nid = \"b\"\naction = \"block\"\nunknown = \"block\"\nwhen.not.\"provenance.status\" = \"verified\"\n\
             [[rule]]\nid = \"c\"\naction = \"block\"\nunknown = \"block\"\nwhen.vulnerabilities.some.kev = true\n",
        );
        let mut facts = facts;
        facts.request.operation = "artifact".into();
        for group in [&mut facts.scripts.state, &mut facts.provenance.state, &mut facts.vulnerabilities.state] {
            *group = FactState::Known;
        }
        let none = WaiverSet::empty();
        let known = decide(&policy, &facts, &none, now());
        for state in [FactState::NotScanned, FactState::Stale, FactState::Error, FactState::Pending] {
            let mut less = facts.clone();
            (less.scripts.state, less.provenance.state, less.vulnerabilities.state) = (state, state, state);
            prop_assert!(decide(&policy, &less, &none, now()).action >= known.action);
        }
    }
}

#[test]
fn the_digest_of_the_facts_covers_what_is_read_and_nothing_else() {
    let pack = Policy::pack("baseline").unwrap();
    let none = WaiverSet::empty();
    let digest = |facts: &Facts| decide(&pack, facts, &none, now()).facts_digest;
    let base = digest(&clean());
    let other = |change: fn(&mut Facts)| {
        let mut facts = clean();
        change(&mut facts);
        digest(&facts)
    };
    assert_ne!(other(|f| f.artifact.version = "1.3.1".into()), base);
    assert_ne!(other(|f| f.malware.state = FactState::Stale), base);
    assert_ne!(other(|f| f.request.operation = "index".into()), base);
    assert_eq!(other(|f| f.principal.id = "ann".into()), base);
    assert_eq!(other(|f| f.application = Group::gap(FactState::Error, "x")), base);
    assert_eq!(decide(&pack, &clean(), &none, now().plus_seconds(5)).facts_digest, base);
}
