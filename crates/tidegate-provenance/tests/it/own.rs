//! Attestations of an instance of our own: valid ones, and every way to break one.

use serde_json::{Value, json};
use tidegate_model::Timestamp;
use tidegate_provenance::testing::{Build, REGISTRY_KEY_ID, Sigstore, Tamper, digests, slsa, statement};
use tidegate_provenance::{
    Evidence, Instance, KeyRing, Requirement, Roots, State, Subject, Trust, Verification, formats, predicate,
};

const BYTES: &[u8] = b"the bytes of a package";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const REPOSITORY: &str = "https://github.com/example/thing";

/// An instance, and everything that believes in it.
pub(crate) struct World {
    pub(crate) sigstore: Sigstore,
    pub(crate) roots: Roots,
    pub(crate) keys: KeyRing,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn new() -> Self {
        let sigstore = Sigstore::new();
        let roots = Roots::default().with(sigstore.root(Instance::PublicGood));
        let keys = sigstore.keys();
        Self { sigstore, roots, keys, now: "2025-07-01".parse().unwrap() }
    }

    pub(crate) fn trust(&self) -> Trust<'_> {
        Trust { roots: &self.roots, keys: &self.keys, now: self.now }
    }

    pub(crate) fn bundle(&self) -> Value {
        let build = Build::of("example/thing");
        self.sigstore.attest(&statement("thing.bin", BYTES, &slsa(&build)), &build)
    }

    pub(crate) fn check(&self, bundle: &Value, requirement: &Requirement) -> Verification {
        let subject = Subject::new(digests(BYTES)).named("thing.bin");
        formats::bundle::verify(bundle.to_string().as_bytes(), &subject, requirement, self.trust())
    }
}

fn demanded() -> Requirement {
    Requirement {
        workflow: Some(".github/workflows/release.yml".to_owned()),
        ..Requirement::provenance(ISSUER, REPOSITORY)
    }
}

fn word(verification: &Verification) -> String {
    verification.state.to_string()
}

#[test]
fn a_bundle_of_our_own_tells_who_built_what() {
    let world = World::new();
    let found = world.check(&world.bundle(), &demanded());
    assert_eq!(word(&found), "verified", "{:?}", found.detail);
    assert_eq!(found.evidence, Evidence::InclusionProof);
    assert_eq!(found.source_repository.as_deref(), Some(REPOSITORY));
    assert_eq!(found.signed_at.unwrap().to_string(), "2025-06-01T12:00:00Z");
    assert_eq!(found.signer.as_ref().unwrap().issuer.as_deref(), Some(ISSUER));
    assert_eq!(found.log_index, Some(41));
    assert_eq!(found.subject_digest.as_ref(), Some(&digests(BYTES)[0]));
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Verification>(&text).unwrap(), found);
}

#[test]
fn every_way_to_break_a_bundle_is_refused_for_its_reason() {
    let world = World::new();
    for how in Tamper::ALL {
        let found = world.check(&world.sigstore.tampered(&world.bundle(), how), &demanded());
        let expected = match how {
            Tamper::RewrittenSubject | Tamper::SignatureBit => "invalid(signature)",
            Tamper::NoSignatures | Tamper::TwoSignatures | Tamper::PayloadType => "malformed",
            Tamper::OtherCertificate => "invalid(signature)",
            Tamper::SelfMadeCertificate => "invalid(certificate_chain)",
            Tamper::NoLogEntry => "invalid(no_log_evidence)",
            Tamper::OtherLogEntry => "invalid(log_entry)",
            Tamper::ProofBit => "invalid(inclusion_proof)",
            Tamper::CheckpointSize => "invalid(checkpoint)",
            Tamper::MovedTime | Tamper::PromiseBit => "invalid(inclusion_promise)",
            Tamper::Downgraded => "invalid(promise_only)",
            Tamper::NewerEntry | Tamper::NewerBundle => "unsupported",
        };
        assert_eq!(word(&found), expected, "{how:?}: {:?}", found.detail);
        assert_eq!(found.signer, None, "{how:?}");
    }
}

#[test]
fn every_demand_is_compared_exactly() {
    let world = World::new();
    let bundle = world.bundle();
    let mismatched = |change: &dyn Fn(&mut Requirement)| {
        let mut requirement = demanded();
        change(&mut requirement);
        let found = world.check(&bundle, &requirement);
        assert!(found.signer.is_some(), "a genuine one names its signer");
        word(&found)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(mismatched(&|r| r.issuer = some("https://gitlab.com")), "policy_mismatch(issuer)");
    for other in [
        "https://github.com/example/thin",
        "https://github.com/example/thing2",
        "https://github.com/Example/thing",
    ] {
        assert_eq!(
            mismatched(&|r| r.source_repository = some(other)),
            "policy_mismatch(source_repository)",
            "{other}"
        );
    }
    assert_eq!(mismatched(&|r| r.workflow = some("release.yml")), "policy_mismatch(workflow)");
    assert_eq!(mismatched(&|r| r.source_digest = some("00")), "policy_mismatch(source_digest)");
    assert_eq!(mismatched(&|r| r.source_ref = some("refs/tags/v1")), "policy_mismatch(source_ref)");
    assert_eq!(mismatched(&|r| r.trigger = some("push")), "policy_mismatch(trigger)");
    assert_eq!(mismatched(&|r| r.identity = some(REPOSITORY)), "policy_mismatch(identity)");
    assert_eq!(mismatched(&|r| r.key = some("SHA256:x")), "policy_mismatch(key)");
    assert_eq!(
        mismatched(&|r| r.predicate_types = vec![predicate::NPM_PUBLISH.to_owned()]),
        "policy_mismatch(predicate_type)"
    );
}

#[test]
fn an_instance_vouches_for_itself_alone() {
    let world = World::new();
    let bundle = world.bundle();
    let of = |instance| Requirement { instance, ..demanded() };
    assert_eq!(word(&world.check(&bundle, &of(Instance::Staging))), "policy_mismatch(instance)");
    let elsewhere = World { roots: Roots::embedded(), now: "2026-11-01".parse().unwrap(), ..world };
    for instance in [Instance::PublicGood, Instance::GitHub] {
        let state = elsewhere.check(&bundle, &of(instance)).state;
        assert!(matches!(state, State::Invalid { .. }), "{state}");
    }
}

#[test]
fn only_githubs_instance_may_do_without_a_log() {
    let sigstore = Sigstore::new();
    let roots =
        Roots::default().with(sigstore.root(Instance::PublicGood)).with(sigstore.root(Instance::GitHub));
    let world = World { roots, keys: sigstore.keys(), sigstore, now: "2025-07-01".parse().unwrap() };
    let build = Build::of("example/thing");
    let bundle = world.sigstore.attest_unlogged(&statement("thing.bin", BYTES, &slsa(&build)), &build);
    let under = |instance, bundle: &Value| world.check(bundle, &Requirement { instance, ..demanded() });
    let found = under(Instance::GitHub, &bundle);
    assert_eq!(
        (word(&found).as_str(), found.evidence),
        ("verified", Evidence::TimestampOnly),
        "{:?}",
        found.detail
    );
    assert_eq!(found.signed_at.unwrap().to_string(), "2025-06-01T12:00:00Z");
    assert!(found.not_proven.iter().any(|s| s.contains("logged in public")), "{:?}", found.not_proven);
    assert_eq!(word(&under(Instance::PublicGood, &bundle)), "invalid(no_log_evidence)");

    let stamps = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
    let mut without = bundle.clone();
    *without.pointer_mut(stamps).unwrap() = json!([]);
    assert_eq!(word(&under(Instance::GitHub, &without)), "invalid(no_signed_time)");
    let mut of_another = bundle.clone();
    let other = world.sigstore.attest_unlogged(&statement("other", b"other", &slsa(&build)), &build);
    *of_another.pointer_mut(stamps).unwrap() = other.pointer(stamps).unwrap().clone();
    assert_eq!(word(&under(Instance::GitHub, &of_another)), "invalid(timestamp)");
    let mut of_a_stranger = bundle;
    let stranger = Sigstore::new().attest_unlogged(&statement("thing.bin", BYTES, &slsa(&build)), &build);
    *of_a_stranger.pointer_mut(stamps).unwrap() = stranger.pointer(stamps).unwrap().clone();
    assert_eq!(word(&under(Instance::GitHub, &of_a_stranger)), "invalid(timestamp)");
    let swapped = world.sigstore.tampered(&of_a_stranger, Tamper::SignatureBit);
    assert!(!under(Instance::GitHub, &swapped).is_verified());
}

#[test]
fn an_old_root_cannot_say_that_something_is_unknown() {
    let world = World::new();
    let foreign = Sigstore::new();
    let build = Build::of("example/thing");
    let bundle = foreign.attest(&statement("thing.bin", BYTES, &slsa(&build)), &build);
    assert_eq!(word(&world.check(&bundle, &demanded())), "invalid(unknown_log)");
    let later = World { now: "2025-12-01".parse().unwrap(), ..world };
    assert_eq!(word(&later.check(&bundle, &demanded())), "stale_root");
    let known = later.check(&later.bundle(), &demanded());
    assert!(
        known.is_verified() && known.not_proven.iter().any(|s| s.contains("183 days")),
        "{:?}",
        known.not_proven
    );
    let broken = later.sigstore.tampered(&later.bundle(), Tamper::SignatureBit);
    assert_eq!(
        word(&later.check(&broken, &demanded())),
        "invalid(signature)",
        "age excuses no wrong signature"
    );
}

#[test]
fn a_promise_and_old_claims_count_only_for_old_times() {
    let world = World::new();
    let check = |time: &str, how: Option<Tamper>| {
        let build = Build { deprecated_claims: true, ..Build::of("example/thing").at(time) };
        let bundle = world.sigstore.attest(&statement("thing.bin", BYTES, &slsa(&build)), &build);
        let bundle = how.map_or(bundle.clone(), |how| world.sigstore.tampered(&bundle, how));
        world.check(&bundle, &demanded())
    };
    let old = check("2023-03-01T00:00:00Z", Some(Tamper::Downgraded));
    assert_eq!((word(&old).as_str(), old.evidence), ("verified", Evidence::PromiseOnly));
    assert!(old.not_proven.iter().any(|s| s.contains("promised")), "{:?}", old.not_proven);
    assert_eq!(word(&check("2023-09-01T00:00:00Z", Some(Tamper::Downgraded))), "invalid(promise_only)");
    assert_eq!(word(&check("2023-08-31T23:59:59Z", None)), "verified");
    assert_eq!(word(&check("2023-09-01T00:00:00Z", None)), "policy_mismatch(source_repository)");
}

#[test]
fn a_time_of_the_callers_future_is_refused() {
    let world = World { now: "2025-05-31".parse().unwrap(), ..World::new() };
    assert_eq!(word(&world.check(&world.bundle(), &demanded())), "invalid(future_time)");
    let skewed = World { now: "2025-06-01T11:56:00Z".parse().unwrap(), ..world };
    assert_eq!(word(&skewed.check(&skewed.bundle(), &demanded())), "verified");
}

#[test]
fn bytes_signed_without_a_statement_verify() {
    let world = World::new();
    let bundle = world.sigstore.sign_bytes(BYTES, &Build::of("example/thing"));
    let nothing_of_predicates = Requirement { predicate_types: Vec::new(), ..demanded() };
    assert_eq!(word(&world.check(&bundle, &nothing_of_predicates)), "verified");
    assert_eq!(word(&world.check(&bundle, &demanded())), "policy_mismatch(predicate_type)");
    let other = Subject::new(digests(b"other bytes"));
    let found =
        formats::bundle::verify(bundle.to_string().as_bytes(), &other, &nothing_of_predicates, world.trust());
    assert_eq!(word(&found), "invalid(artifact_digest)");
}

#[test]
fn the_npm_registry_answers_with_two_attestations() {
    let world = World::new();
    let build = Build::of("example/thing");
    let answer = world.sigstore.npm_attestations("@example/thing", "1.0.0", BYTES, &build);
    let subject = Subject::npm("@example/thing", "1.0.0", digests(BYTES));
    let check = |answer: &str, subject: &Subject, requirement: &Requirement| {
        formats::npm::verify(answer.as_bytes(), subject, requirement, world.trust())
    };
    let any = check(&answer, &subject, &Requirement::default());
    assert_eq!(any.iter().map(word).collect::<Vec<_>>(), ["verified", "verified"], "{any:?}");
    assert_eq!(any[0].signer.as_ref().unwrap().key_id.as_deref(), Some(REGISTRY_KEY_ID));
    let provenance = check(&answer, &subject, &demanded());
    assert_eq!(word(&provenance[0]), "policy_mismatch(predicate_type)", "publish is no provenance");
    assert_eq!(word(Verification::summary(&provenance).unwrap()), "verified");

    let replayed = Subject::npm("@example/thing", "1.0.1", digests(BYTES));
    assert_eq!(word(&check(&answer, &replayed, &demanded())[1]), "policy_mismatch(subject_name)");
    let swapped = Subject::npm("@example/thing", "1.0.0", digests(b"others"));
    assert_eq!(word(&check(&answer, &swapped, &demanded())[1]), "invalid(artifact_digest)");
    assert_eq!(word(&check(r#"{"attestations":[]}"#, &subject, &demanded())[0]), "absent");
    assert_eq!(word(&check("{}", &subject, &demanded())[0]), "malformed");
    let relabelled = answer.replacen(predicate::SLSA_V1, "https://slsa.dev/provenance/v0.2", 1);
    assert_eq!(word(&check(&relabelled, &subject, &demanded())[1]), "malformed", "the label is not signed");
}

#[test]
fn a_registry_key_counts_in_its_window() {
    let world = World::new();
    let statement = |at: &str| {
        let said = statement("thing.bin", BYTES, &(predicate::NPM_PUBLISH, json!({})));
        let bundle = world.sigstore.attest_by_registry(&said, at.parse().unwrap());
        json!({ "predicateType": predicate::NPM_PUBLISH, "bundle": bundle }).to_string()
    };
    let subject = Subject::new(digests(BYTES)).named("thing.bin");
    let check = |entry: &str, keys: &KeyRing| {
        let trust = Trust { keys, ..world.trust() };
        word(&formats::npm::verify_entry(entry.as_bytes(), &subject, &Requirement::default(), trust))
    };
    let mut key = world.sigstore.registry_key();
    key.valid_until = Some("2025-01-01".parse().unwrap());
    let ring = KeyRing::new([key.clone()]);
    assert_eq!(check(&statement("2024-12-31T00:00:00Z"), &ring), "verified");
    assert_eq!(check(&statement("2025-01-02T00:00:00Z"), &ring), "invalid(key_window)");
    assert_eq!(check(&statement("2024-12-31T00:00:00Z"), &KeyRing::default()), "invalid(unknown_key)");
    // Another's key under the registry's id.
    let other = Sigstore::new();
    key.spki = other.registry_key().spki;
    assert_eq!(check(&statement("2024-12-31T00:00:00Z"), &KeyRing::new([key])), "invalid(signature)");
}

#[test]
fn the_npm_registry_signs_name_version_and_integrity() {
    let world = World::new();
    let integrity = digests(BYTES)[1].to_sri();
    let (id, signature) = world.sigstore.npm_signature("thing", "1.0.0", &integrity);
    let signed = [(id, signature)];
    let published = formats::npm::Published {
        name: "thing",
        version: "1.0.0",
        integrity: &integrity,
        signatures: &signed,
        published: Some("2025-01-01".parse().unwrap()),
    };
    let check = |published, bytes: &[u8]| {
        let subject = Subject::new(digests(bytes));
        formats::npm::verify_signatures(published, &subject, &Requirement::default(), world.trust())
    };
    let found = check(published, BYTES);
    assert_eq!((word(&found).as_str(), found.evidence), ("verified", Evidence::SignatureOnly));
    assert_eq!(word(&check(published, b"others")), "invalid(artifact_digest)");
    assert_eq!(
        word(&check(formats::npm::Published { version: "1.0.1", ..published }, BYTES)),
        "invalid(signature)"
    );
    assert_eq!(
        word(&check(formats::npm::Published { name: "thin", ..published }, BYTES)),
        "invalid(signature)"
    );
    assert_eq!(word(&check(formats::npm::Published { signatures: &[], ..published }, BYTES)), "absent");
    let before = Some("2019-01-01".parse().unwrap());
    assert_eq!(
        word(&check(formats::npm::Published { published: before, ..published }, BYTES)),
        "invalid(key_window)"
    );
    let weak = "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(
        word(&check(formats::npm::Published { integrity: weak, ..published }, BYTES)),
        "invalid(weak)"
    );
}

#[test]
fn pypi_names_a_publisher_and_the_certificate_has_to_agree() {
    let world = World::new();
    let build = Build::of("example/thing");
    let object = world.sigstore.pypi_provenance("thing-1.0.tar.gz", BYTES, &build);
    let subject = Subject::pypi("thing-1.0.tar.gz", digests(BYTES));
    let demanded = Requirement { predicate_types: vec![predicate::PYPI_PUBLISH.to_owned()], ..demanded() };
    let check = |object: &str| formats::pypi::verify(object.as_bytes(), &subject, &demanded, world.trust());
    assert_eq!(word(&check(&object)[0]), "verified", "{:?}", check(&object));
    for (from, to) in [
        (r#""repository":"example/thing""#, r#""repository":"example/other""#),
        (r#""workflow":"release.yml""#, r#""workflow":"other.yml""#),
        (r#""kind":"GitHub""#, r#""kind":"GitLab""#),
        (r#""kind":"GitHub""#, r#""kind":"Google""#),
    ] {
        assert!(object.contains(from), "{object}");
        assert_eq!(word(&check(&object.replacen(from, to, 1))[0]), "invalid(publisher)", "{to}");
    }
    let unknown = check(&object.replacen(r#""kind":"GitHub""#, r#""kind":"Forge""#, 1));
    assert!(unknown[0].is_verified() && unknown[0].not_proven.iter().any(|s| s.contains("`Forge`")));
    assert_eq!(word(&check(r#"{"version":1,"attestation_bundles":[]}"#)[0]), "absent");
    assert_eq!(word(&check(r#"{"version":2,"attestation_bundles":[]}"#)[0]), "unsupported");
    assert_eq!(
        word(&check(&object.replacen(r#""version":1,"verification"#, r#""version":7,"verification"#, 1))[0]),
        "unsupported"
    );
}

#[test]
fn what_was_not_demanded_is_told() {
    let world = World::new();
    let unnamed = Subject::new(digests(BYTES));
    let bundle = world.bundle().to_string();
    let found = formats::bundle::verify(bundle.as_bytes(), &unnamed, &Requirement::default(), world.trust());
    assert!(found.is_verified());
    for sentence in ["expected publisher", "under this name", "no witness"] {
        assert!(found.not_proven.iter().any(|s| s.contains(sentence)), "{sentence}: {:?}", found.not_proven);
    }
}
