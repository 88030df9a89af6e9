//! A deployment with keys in a folder, and artifacts to state something about.

use std::sync::Arc;

use sha2::Digest as _;
use tempfile::TempDir;
use tidegate_model::{Action, Algorithm, DecisionId, Digest, Sha256, Timestamp};
use tidegate_provenance::custody::statement::PublicUri;
use tidegate_provenance::custody::{
    self, Artifact, BuildLevel, Decided, Dependency, Event, EventKind, InputAttestation, LedgerRecord,
    Origin, PolicyHistory, PolicyInForce, PublisherSignature, Signed, Trust, UpstreamProvenance,
};
use tidegate_provenance::signing::{FileKey, KeyAlgorithm, OwnKeys, PublicKey, SigningKey, Use};

pub(crate) const PURL: &str = "pkg:npm/left-pad@1.3.0";
/// The contents of every sample artifact.
pub(crate) const CONTENTS: &[u8] = b"module.exports = (text, width) => text.padStart(width)\n";

/// A point in time, in seconds after the deployment began.
pub(crate) fn at(seconds: i64) -> Timestamp {
    "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap().plus_seconds(seconds)
}

pub(crate) fn digest(bytes: &[u8]) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(bytes).into())
}

pub(crate) fn policy(number: u8) -> Sha256 {
    Sha256::new([number; 32])
}

/// A deployment with one key, whose history has policy 1 from the beginning and policy 2 from second 1000.
pub(crate) struct Deployment {
    pub(crate) folder: TempDir,
    pub(crate) key: Arc<FileKey>,
    pub(crate) ring: OwnKeys,
    pub(crate) policies: PolicyHistory,
}

impl Deployment {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = FileKey::create(&folder.path().join("custody.pem"), KeyAlgorithm::EcdsaP256, None).unwrap();
        let ring = OwnKeys::first(uri(), at(0), vec![(key.public_key().clone(), Use::Custody)]).unwrap();
        Self { folder, key: Arc::new(key), ring, policies: history() }
    }

    pub(crate) fn new_key(&self, name: &str, algorithm: KeyAlgorithm) -> FileKey {
        FileKey::create(&self.folder.path().join(name), algorithm, None).unwrap()
    }

    pub(crate) fn trust(&self) -> Trust<'_> {
        Trust { keys: &self.ring, policies: Some(&self.policies), at: at(100_000) }
    }

    pub(crate) fn sign(&self, event: &Event) -> Signed {
        custody::sign(event, &*self.key).unwrap()
    }

    /// Stored, quarantined, released and promoted, each following the one before.
    pub(crate) fn life(&self) -> Vec<Signed> {
        let stage = custody::Stage { from: "staging".into(), to: "production".into() };
        let steps = [
            (EventKind::Stored, Action::Allow, 10),
            (EventKind::Quarantined, Action::Quarantine, 500),
            (EventKind::Released, Action::Warn, 2000),
            (EventKind::Promoted(stage), Action::Allow, 3000),
        ];
        let mut previous = None;
        let mut made = Vec::new();
        for (number, (kind, action, seconds)) in steps.into_iter().enumerate() {
            let mut event = stored(seconds);
            event.kind = kind;
            event.decided.action = action;
            event.decided.policy = policy(if seconds < 1000 { 1 } else { 2 });
            event.record = record(if seconds < 1000 { 10 } else { 200 } + number as u64);
            event.previous = previous;
            let signed = self.sign(&event);
            previous = Some(signed.custody.payload);
            made.push(signed);
        }
        made
    }
}

pub(crate) fn uri() -> PublicUri {
    "https://tidegate.corp.example/".parse().unwrap()
}

pub(crate) fn record(number: u64) -> LedgerRecord {
    format!("node-1-{number}").parse().unwrap()
}

pub(crate) fn history() -> PolicyHistory {
    let entry = |number, seconds, byte| PolicyInForce {
        record: record(number),
        from: at(seconds),
        policy: policy(byte),
    };
    PolicyHistory::new(vec![entry(1, 0, 1), entry(100, 1000, 2)], at(100_000))
}

/// The sample artifact came in.
pub(crate) fn stored(seconds: i64) -> Event {
    let sha512 = Digest::from_bytes(Algorithm::Sha512, &sha2::Sha512::digest(CONTENTS)).unwrap();
    let provenance = InputAttestation {
        sha256: digest(b"a bundle"),
        predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
    };
    Event {
        deployment: uri(),
        purl: PURL.to_owned(),
        sha256: digest(CONTENTS),
        sha512: Some(sha512.clone()),
        bytes: CONTENTS.len() as u64,
        repository: "npm".to_owned(),
        kind: EventKind::Stored,
        at: at(seconds),
        stored_at: at(9),
        origin: Origin::Upstream { name: "npm-mirror".to_owned(), promised: vec![sha512] },
        decided: Decided {
            id: DecisionId::from_random([7; 10]),
            action: Action::Allow,
            enforced: true,
            rules: vec!["cooldown".to_owned(), "known-malware".to_owned()],
            policy: policy(1),
        },
        record: record(12),
        actor: None,
        attestations: vec![provenance.clone()],
        level: BuildLevel::Two,
        dependency: Some(Dependency {
            ingestor: "https://corp.example/".parse().unwrap(),
            registry: "https://registry.example/".parse().unwrap(),
            name: "left-pad".to_owned(),
            version: "1.3.0".to_owned(),
            path: "https://tidegate.corp.example/npm/left-pad/-/left-pad-1.3.0.tgz".parse().unwrap(),
            publisher_signature: PublisherSignature::NotPublished,
            upstream_provenance: UpstreamProvenance::Verified(provenance),
        }),
        previous: None,
    }
}

/// The sample artifact, as whoever has its bytes and name knows it.
pub(crate) fn artifact() -> Artifact<'static> {
    Artifact { sha256: digest(CONTENTS), sha512: None, purl: Some(PURL) }
}

/// The payload of a bundle, as JSON, unverified.
pub(crate) fn payload(bundle: &[u8]) -> serde_json::Value {
    serde_json::from_slice(&payload_bytes(bundle)).unwrap()
}

pub(crate) fn payload_bytes(bundle: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let bundle: serde_json::Value = serde_json::from_slice(bundle).unwrap();
    let text = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// A bundle of any statement, signed by any key: what an attacker, or a thief of a key, can make.
pub(crate) fn bundle_of(statement: &serde_json::Value, key: &dyn SigningKey) -> Vec<u8> {
    use base64::Engine as _;
    use tidegate_provenance::{custody::statement as form, dsse};
    let payload = serde_json::to_vec(statement).unwrap();
    let envelope = dsse::Envelope::sign(form::PAYLOAD_TYPE, &payload, &[key]).unwrap();
    assert_eq!(envelope.payload, base64::engine::general_purpose::STANDARD.encode(&payload));
    serde_json::to_vec(&serde_json::json!({
        "mediaType": custody::BUNDLE_MEDIA_TYPE,
        "verificationMaterial": { "publicKey": { "hint": key.public_key().key_id() } },
        "dsseEnvelope": envelope,
    }))
    .unwrap()
}

/// Changes a bundle's JSON.
pub(crate) fn edited(bundle: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut json = serde_json::from_slice(bundle).unwrap();
    edit(&mut json);
    serde_json::to_vec(&json).unwrap()
}

pub(crate) fn ring_of(key: &PublicKey) -> OwnKeys {
    OwnKeys::first(uri(), at(0), vec![(key.clone(), Use::Custody)]).unwrap()
}
