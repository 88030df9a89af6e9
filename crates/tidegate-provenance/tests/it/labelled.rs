//! The labelled attestations: real ones of npm, PyPI and GitHub, and each way of tampering with them.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use tidegate_model::{Algorithm, Digest, Timestamp};
use tidegate_provenance::{
    Evidence, Format, Instance, KeyRing, Requirement, Root, Roots, State, Subject, Trust, Verification,
    formats,
};

#[derive(Deserialize)]
struct Row {
    id: String,
    file: String,
    label: String,
    tamper: String,
}

#[derive(Deserialize)]
struct Case {
    format: String,
    subject: String,
    artifact: Artifact,
    expect: Expect,
    attestation: Box<RawValue>,
}

#[derive(Deserialize)]
struct Artifact {
    sha256: Option<String>,
    sha512: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    instance: Option<String>,
    issuer: Option<String>,
    source_repository: Option<String>,
    workflow: Option<String>,
    source_digest: Option<String>,
    predicate_type: Option<String>,
    npm_key: Option<String>,
}

impl Expect {
    fn requirement(self) -> Requirement {
        Requirement {
            instance: self.instance.map_or(Instance::PublicGood, |name| Instance::named(&name)),
            issuer: self.issuer,
            source_repository: self.source_repository,
            workflow: self.workflow,
            source_digest: self.source_digest,
            predicate_types: self.predicate_type.into_iter().collect(),
            key: self.npm_key,
            ..Requirement::default()
        }
    }
}

impl Artifact {
    fn digests(&self) -> Vec<Digest> {
        let of = |algorithm, hex: &Option<String>| hex.as_ref().and_then(|h| Digest::from_hex(algorithm, h));
        of(Algorithm::Sha256, &self.sha256).into_iter().chain(of(Algorithm::Sha512, &self.sha512)).collect()
    }
}

/// The words that a row of that kind of tampering may be refused with.
fn family(tamper: &str) -> &'static [&'static str] {
    match tamper {
        "artifact-swapped" | "artifact-one-byte" => &["invalid(artifact_digest)"],
        "payload-subject-rewritten"
        | "payload-builder-rewritten"
        | "signature-bitflip"
        | "signature-from-other" => {
            // A library that compares the envelope with its log entry first is right to say so.
            &["invalid(signature)", "invalid(artifact_digest)", "invalid(log_entry)", "invalid(timestamp)"]
        }
        "payloadtype-changed" | "no-signatures" => &["malformed"],
        "certificate-swapped" => &[
            "invalid(certificate_time)",
            "invalid(integrated_time)",
            "invalid(signature)",
            "invalid(log_entry)",
        ],
        "certificate-bitflip" => &["invalid(certificate_chain)", "invalid(certificate)"],
        "sct-bitflip" => &["invalid(sct)", "invalid(certificate_chain)", "invalid(certificate)"],
        "self-made-certificate" => &["invalid(certificate_chain)", "invalid(certificate_time)"],
        "attacker-key-npm-hint" => &["invalid(signature)", "invalid(log_entry)"],
        "unknown-key-hint" => &["invalid(unknown_key)"],
        "tlog-removed" => &["invalid(no_log_evidence)"],
        "tlog-from-other" => &["invalid(log_entry)", "invalid(certificate_time)", "invalid(integrated_time)"],
        "inclusion-hash-bitflip" => &["invalid(inclusion_proof)"],
        "checkpoint-size-edited" => &["invalid(checkpoint)", "invalid(inclusion_proof)"],
        "integrated-time-moved" => {
            &["invalid(inclusion_promise)", "invalid(integrated_time)", "invalid(certificate_time)"]
        }
        "set-bitflip" => &["invalid(inclusion_promise)"],
        "canonical-body-edited" => {
            &["invalid(inclusion_proof)", "invalid(inclusion_promise)", "invalid(log_entry)"]
        }
        "timestamp-removed" => &["invalid(no_signed_time)"],
        "timestamp-bitflip" => &["invalid(timestamp)"],
        "wrong-instance" => &[
            "invalid(certificate_chain)",
            "invalid(unknown_log)",
            "invalid(no_log_evidence)",
            "invalid(timestamp)",
            "invalid(inclusion_promise)",
        ],
        "mediatype-downgrade" => &["invalid(promise_only)", "invalid(no_log_evidence)"],
        "policy-wrong-repository" | "policy-repository-prefix" => &["policy_mismatch(source_repository)"],
        "policy-wrong-workflow" => &["policy_mismatch(workflow)"],
        "policy-wrong-issuer" => &["policy_mismatch(issuer)"],
        "policy-wrong-commit" => &["policy_mismatch(source_digest)"],
        "policy-publish-where-provenance-required" | "policy-wrong-predicate" => {
            &["policy_mismatch(predicate_type)"]
        }
        "policy-subject-name" => &["policy_mismatch(subject_name)"],
        other => panic!("no family for the tampering `{other}`"),
    }
}

fn verify(case: Case, trust: Trust<'_>) -> Verification {
    let subject = Subject::new(case.artifact.digests()).named(&case.subject);
    let bytes = case.attestation.get().as_bytes().to_vec();
    let requirement = case.expect.requirement();
    match case.format.as_str() {
        "npm" => formats::npm::verify_entry(&bytes, &subject, &requirement, trust),
        "pep740" => formats::pypi::verify_attestation(&bytes, &subject, &requirement, trust),
        "bundle" => formats::bundle::verify(&bytes, &subject, &requirement, trust),
        other => panic!("no format `{other}`"),
    }
}

fn read<T: for<'de> Deserialize<'de>>(file: &Path) -> T {
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("`{}`: {e}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("`{}`: {e}", file.display()))
}

fn rows(folder: &Path) -> Vec<Row> {
    let labels = std::fs::read_to_string(folder.join("labels.jsonl")).unwrap();
    labels.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_labelled_row_is_right_and_refused_for_its_reason() {
    let Some(folder) = tidegate_testkit::data::shared_data("provenance") else { return };
    let roots = Roots::embedded().with(Root::embedded(Instance::Staging).unwrap());
    let keys = KeyRing::from_npm_json(&std::fs::read(folder.join("npm-keys.json")).unwrap()).unwrap();
    let now: Timestamp = "2026-11-22".parse().unwrap();
    let trust = Trust { roots: &roots, keys: &keys, now };
    let rows = rows(&folder);
    assert!(rows.len() >= 82, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let found = verify(read(&folder.join(&row.file)), trust);
        let state = found.state.to_string();
        let right = if row.label == "valid" {
            found.is_verified() && found.signed_at.is_some() && found.subject_name.is_some()
        } else {
            family(&row.tamper).contains(&state.as_str())
        };
        if !right {
            wrong.push(format!("{} ({}, {}): {state}: {:?}", row.id, row.label, row.tamper, found.detail));
        }
        if matches!(found.state, State::Invalid { .. } | State::Malformed) {
            assert_eq!(found.signer, None, "{}: an invalid one names no signer", row.id);
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn the_embedded_keys_are_those_of_the_key_document() {
    let Some(folder) = tidegate_testkit::data::shared_data("provenance") else { return };
    let listed = KeyRing::from_npm_json(&std::fs::read(folder.join("npm-keys.json")).unwrap()).unwrap();
    let mut listed: Vec<_> = listed.iter().cloned().collect();
    let mut embedded: Vec<_> = KeyRing::npm_embedded().iter().cloned().collect();
    for keys in [&mut listed, &mut embedded] {
        keys.sort_by(|a, b| (&a.id, a.usage).cmp(&(&b.id, b.usage)));
    }
    assert_eq!(listed, embedded);
}

#[test]
fn the_evidence_and_the_claims_are_told() {
    let Some(folder) = tidegate_testkit::data::shared_data("provenance") else { return };
    let roots = Roots::embedded().with(Root::embedded(Instance::Staging).unwrap());
    let keys = KeyRing::npm_embedded();
    let trust = Trust { roots: &roots, keys: &keys, now: "2026-11-22".parse().unwrap() };
    let check = |id: &str| verify(read(&folder.join(format!("cases/{id}.json"))), trust);

    let old = check("npm-sigstore-1.0.0-0");
    assert_eq!(old.evidence, Evidence::PromiseOnly, "a bundle of early 2023");
    assert_eq!(old.workflow.as_deref(), Some(".github/workflows/publish.yml"));

    let built = check("npm-sigstore-2.3.1-prov");
    assert_eq!((built.format, built.evidence), (Format::Npm, Evidence::InclusionProof));
    assert_eq!(built.source_ref.as_deref(), Some("refs/heads/main"));
    assert_eq!(built.source_digest.as_deref(), Some("46e7056ff9912ebfee5298d94024895a9fea76c0"));
    assert_eq!(built.trigger.as_deref(), Some("push"));
    assert_eq!(built.instance, Some(Instance::PublicGood));

    let published = check("npm-sigstore-2.3.1-publish");
    assert_eq!(published.source_repository, None, "the registry's own statement has no source");
    assert!(published.not_proven[0].contains("who built"), "{:?}", published.not_proven);

    let reused = check("gh-reusable-workflow-attestation");
    let builder = reused.builder.unwrap();
    assert!(
        !builder.starts_with("https://github.com/malancas/attest-demo/"),
        "the workflow's own repository: {builder}"
    );
    assert_eq!(reused.source_repository.as_deref(), Some("https://github.com/malancas/attest-demo"));

    assert_eq!(check("gh-instance-demo-0.0.12").evidence, Evidence::TimestampOnly);
    let rehearsed = check("rekor2-conda-signed-package");
    assert_eq!((rehearsed.evidence, rehearsed.instance), (Evidence::InclusionProof, Some(Instance::Staging)));
}
