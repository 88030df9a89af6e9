//! What the tests share.

use tidegate_model::Timestamp;
use tidegate_model::decision::Decision;
use tidegate_model::facts::*;
use tidegate_model::{ArtifactKind, Ecosystem, Sha256};
use tidegate_policy::{Policy, WaiverSet, decide};

pub(crate) fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// A package with nothing wrong, all of whose facts are known.
pub(crate) fn clean() -> Facts {
    let mut facts = Facts::default();
    facts.artifact.kind = Some(ArtifactKind::Package);
    facts.artifact.ecosystem = Some(Ecosystem::Npm);
    facts.artifact.name = "left-pad".into();
    facts.artifact.version = "1.3.0".into();
    facts.artifact.file = "left-pad-1.3.0.tgz".into();
    facts.artifact.purl = "pkg:npm/left-pad@1.3.0".into();
    facts.artifact.published_at = Some("2024-01-01T00:00:00Z".parse().unwrap());
    facts.artifact.project_published_at = Some("2016-01-01T00:00:00Z".parse().unwrap());
    facts.artifact.sha256 = Some(Sha256::new([7; 32]));
    facts.artifact.size = Some(1000);
    facts.vulnerabilities = Group::known(VulnerabilityFacts::default());
    facts.malware = Group::known(MalwareFacts { verdict: "clean".into(), ..Default::default() });
    facts.contents =
        Group::known(ContentFacts { verdict: "clean".into(), complete: Some(true), ..Default::default() });
    facts.licence = Group::known(LicenceFacts { expression: Some("MIT".into()), ..Default::default() });
    facts.provenance = Group::known(ProvenanceFacts {
        status: "verified".into(),
        slsa_level: Some(3),
        dropped: Some(false),
        ..Default::default()
    });
    facts.scripts = Group::known(ScriptFacts { install: Some(false), new_in_version: Some(false) });
    facts.secrets = Group::known(SecretFacts { count: Some(0), detectors: vec![] });
    facts.publisher = Group::known(PublisherFacts {
        account: Some("someone".into()),
        changed: Some(false),
        changed_days_ago: None,
    });
    facts.lifecycle = Group::known(LifecycleFacts::default());
    facts.name = Group::known(NameFacts::default());
    facts.repository.name = "npm".into();
    facts.request.operation = "artifact".into();
    facts
}

pub(crate) fn with(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = clean();
    change(&mut facts);
    facts
}

/// A policy of the given rules.
pub(crate) fn policy(rules: &str) -> Policy {
    let source = format!("[policy]\nid = \"test\"\nversion = \"1\"\n{rules}");
    Policy::compile(&source, "test.toml").unwrap_or_else(|e| panic!("{e}\n{source}")).policy
}

/// What is wrong with a policy of the given rules; lines count from the rules' first.
pub(crate) fn errors(rules: &str) -> String {
    let source = format!("[policy]\nid = \"test\"\nversion = \"1\"\n{rules}");
    Policy::compile(&source, "test.toml").expect_err("an error was expected").to_string()
}

pub(crate) fn run(policy: &Policy, facts: &Facts) -> Decision {
    decide(policy, facts, &WaiverSet::empty(), now())
}
