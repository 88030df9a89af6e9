//! What a decision costs: `cargo bench -p tidegate-policy`.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use tidegate_model::facts::*;
use tidegate_model::waiver::{Waiver, WaiverState};
use tidegate_model::{ArtifactKind, Ecosystem, Facts, Sha256, Timestamp};
use tidegate_policy::{Policy, WaiverSet, decide, facts_digest};

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_795_251_600)
}

fn clean() -> Facts {
    let mut facts = Facts::default();
    facts.artifact.kind = Some(ArtifactKind::Package);
    facts.artifact.ecosystem = Some(Ecosystem::Npm);
    facts.artifact.name = "left-pad".into();
    facts.artifact.version = "1.3.0".into();
    facts.artifact.file = "left-pad-1.3.0.tgz".into();
    facts.artifact.purl = "pkg:npm/left-pad@1.3.0".into();
    facts.artifact.published_at = Some(now().plus_seconds(-86_400 * 400));
    facts.artifact.project_published_at = Some(now().plus_seconds(-86_400 * 4000));
    facts.artifact.sha256 = Some(Sha256::new([7; 32]));
    facts.vulnerabilities = Group::known(VulnerabilityFacts::default());
    facts.malware = Group::known(MalwareFacts { verdict: "clean".into(), ..Default::default() });
    facts.licence = Group::known(LicenceFacts { expression: Some("MIT".into()), ..Default::default() });
    facts.provenance = Group::known(ProvenanceFacts {
        status: "verified".into(),
        dropped: Some(false),
        ..Default::default()
    });
    facts.scripts = Group::known(ScriptFacts { install: Some(false), new_in_version: Some(false) });
    facts.secrets = Group::known(SecretFacts { count: Some(0), detectors: vec![] });
    facts.publisher = Group::known(PublisherFacts { account: Some("someone".into()), ..Default::default() });
    facts.lifecycle = Group::known(LifecycleFacts::default());
    facts.name = Group::known(NameFacts::default());
    facts.request.operation = "artifact".into();
    facts
}

fn hit() -> Facts {
    let mut facts = clean();
    let items = (0..6).map(|i| Vulnerability {
        id: format!("GHSA-{i}"),
        effective_severity: Some(Severity::Critical),
        kev: Some(i == 0),
        fix_available: Some(true),
        fixed_in: vec!["1.3.1".into()],
        ..Default::default()
    });
    facts.vulnerabilities = Group::known(VulnerabilityFacts { items: items.collect() });
    facts.artifact.published_at = Some(now().plus_seconds(-3600));
    facts.scripts = Group::known(ScriptFacts { install: Some(true), new_in_version: Some(true) });
    facts
}

fn day_one() -> Facts {
    let mut facts = clean();
    facts.vulnerabilities = Group::default();
    facts.malware = Group::default();
    facts.secrets = Group::default();
    facts
}

fn waivers() -> WaiverSet {
    WaiverSet::new(vec![Waiver {
        id: "W-1".into(),
        rules: vec!["new-install-script".into()],
        purl: "pkg:npm/left-pad@1.3.0".into(),
        state: WaiverState::Approved,
        created_at: Some(now().plus_seconds(-86_400)),
        expires_at: Some(now().plus_seconds(86_400)),
        ..Waiver::default()
    }])
}

fn decisions(c: &mut Criterion) {
    let none = WaiverSet::empty();
    let some = waivers();
    for pack in ["baseline", "strict"] {
        let policy = Policy::pack(pack).expect("the pack exists");
        for (name, facts, waivers) in [
            ("clean", clean(), &none),
            ("day one", day_one(), &none),
            ("hit", hit(), &none),
            ("waived", hit(), &some),
        ] {
            c.bench_function(&format!("{pack}/{name}"), |b| {
                b.iter(|| decide(&policy, black_box(&facts), waivers, now()));
            });
        }
        let facts = clean();
        c.bench_function(&format!("{pack}/facts digest alone"), |b| {
            b.iter(|| facts_digest(&policy, black_box(&facts), &none));
        });
    }
    c.bench_function("compile baseline", |b| b.iter(|| Policy::pack(black_box("baseline"))));
}

criterion_group!(benches, decisions);
criterion_main!(benches);
