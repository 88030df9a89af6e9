//! Makes the statements of an event, and signs them.
//!
//! The payloads depend on the event alone: the same event always has the same bytes, and so the same digests. Signatures
//! differ each time (ECDSA draws a random number), which is why the chain is over payloads.

use serde_json::json;
use sha2::Digest as _;
use tidegate_model::Sha256;

use crate::custody::statement::{DigestSet, PAYLOAD_TYPE, Statement, Subject};
use crate::dsse::Envelope;
use crate::signing::{SignError, SigningKey};

use super::bundle;
use super::event::{
    Dependency, Event, EventKind, InvalidEvent, MAX_RULES, Origin, PublisherSignature, UpstreamProvenance,
};
use super::predicate::{
    Annotations, Beside, CUSTODY_TYPE, Custody, CustodyDecision, DEPENDENCY_TYPE, Described, Identified,
    SUMMARY_TYPE, Summary, VerificationResult,
};

/// The version of SLSA whose words summaries use.
const SLSA_VERSION: &str = "1.2";

/// What was signed of one event.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The custody record. The digest of its payload is the `previous` of the next event.
    pub custody: SignedStatement,
    /// The verification summary.
    pub summary: SignedStatement,
    /// The ingestion provenance, of what was admitted from an upstream and is described well enough for the draft.
    pub dependency: Option<SignedStatement>,
}

impl Signed {
    /// Every statement, the custody record first.
    pub fn all(&self) -> impl Iterator<Item = &SignedStatement> {
        [Some(&self.custody), Some(&self.summary), self.dependency.as_ref()].into_iter().flatten()
    }
}

/// One statement in its bundle.
#[derive(Clone, Debug)]
pub struct SignedStatement {
    /// What it says.
    pub predicate_type: &'static str,
    /// SHA-256 of the payload, which is what other statements name it by.
    pub payload: Sha256,
    /// The bundle: JSON of [`BUNDLE_MEDIA_TYPE`](super::BUNDLE_MEDIA_TYPE).
    pub bundle: Vec<u8>,
}

/// Statements that were not made.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The event contradicts itself or names something that must not be in a statement.
    #[error("this event cannot be stated")]
    Event(#[source] InvalidEvent),
    /// The key cannot sign.
    #[error("the statement could not be signed")]
    Sign(#[source] SignError),
}

/// Makes and signs the statements of `event`.
///
/// # Errors
/// The event cannot be stated, or the key cannot sign; then nothing was signed that could be used.
pub fn sign(event: &Event, key: &dyn SigningKey) -> Result<Signed, StateError> {
    event.check().map_err(StateError::Event)?;
    let summary = (SUMMARY_TYPE, statement(event, SUMMARY_TYPE, summary(event)));
    let dependency = dependency(event).map(|predicate| {
        // The draft wants an ingestion's subject by one name and the digest of what is served.
        (DEPENDENCY_TYPE, statement(event, DEPENDENCY_TYPE, predicate))
    });
    let beside = [Some(&summary), dependency.as_ref()]
        .into_iter()
        .flatten()
        .map(|(predicate_type, payload)| Beside {
            predicate_type: (*predicate_type).to_owned(),
            digest: DigestSet::sha256(digest(payload)),
        })
        .collect();
    let custody = (CUSTODY_TYPE, statement(event, CUSTODY_TYPE, custody(event, beside)));
    let signed = |(predicate_type, payload): (&'static str, Vec<u8>)| {
        let envelope = Envelope::sign(PAYLOAD_TYPE, &payload, &[key]).map_err(StateError::Sign)?;
        Ok(SignedStatement { predicate_type, payload: digest(&payload), bundle: bundle::write(&envelope) })
    };
    Ok(Signed {
        custody: signed(custody)?,
        summary: signed(summary)?,
        dependency: dependency.map(signed).transpose()?,
    })
}

fn digest(payload: &[u8]) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(payload).into())
}

fn statement<P: serde::Serialize>(event: &Event, predicate_type: &str, predicate: P) -> Vec<u8> {
    let digest = DigestSet { sha256: Some(event.sha256.into()), sha512: event.sha512.clone() };
    Statement::about(Subject { name: event.purl.clone(), digest }, predicate_type, predicate).to_bytes()
}

fn summary(event: &Event) -> Summary {
    let passes = event.passes();
    let level = if passes { event.level.as_str() } else { "FAILED" };
    Summary {
        verifier: Identified { id: event.deployment.clone() },
        time_verified: event.at,
        resource_uri: event.purl.clone(),
        policy: Described {
            // The specification wants a URI; which policy it was, the digest says.
            uri: Some(format!("{}#policy", event.deployment)),
            digest: DigestSet::sha256(event.decided.policy),
            annotations: None,
        },
        input_attestations: event
            .attestations
            .iter()
            .map(|input| Described {
                uri: None,
                digest: DigestSet::sha256(input.sha256),
                annotations: Some(Annotations { predicate_type: input.predicate_type.clone() }),
            })
            .collect(),
        verification_result: if passes { VerificationResult::Passed } else { VerificationResult::Failed },
        verified_levels: vec![level.to_owned()],
        slsa_version: SLSA_VERSION.to_owned(),
    }
}

fn custody(event: &Event, statements: Vec<Beside>) -> Custody {
    let (fetched_from, promised) = match &event.origin {
        Origin::Upstream { name, promised } => {
            // The order in which an index lists digests means nothing; without sorting, bytes would depend on it.
            let mut promised: Vec<String> = promised.iter().map(ToString::to_string).collect();
            promised.sort_unstable();
            promised.dedup();
            (Some(name.clone()), promised)
        }
        Origin::Published => (None, Vec::new()),
    };
    let decided = &event.decided;
    Custody {
        deployment: event.deployment.clone(),
        resource_uri: event.purl.clone(),
        repository: event.repository.clone(),
        event: event.kind.as_str().to_owned(),
        time: event.at,
        fetched_from,
        promised,
        stored_at: event.stored_at,
        bytes: event.bytes,
        decision: CustodyDecision {
            id: decided.id,
            action: decided.action,
            enforced: decided.enforced,
            rules: decided.rules.iter().take(MAX_RULES).cloned().collect(),
            rules_left_out: decided.rules.len().saturating_sub(MAX_RULES) as u64,
            policy: DigestSet::sha256(decided.policy),
        },
        promotion: match &event.kind {
            EventKind::Promoted(stage) => Some(stage.clone()),
            _ => None,
        },
        actor: event.actor,
        ledger_record: event.record.clone(),
        statements,
        previous: event.previous.map(DigestSet::sha256),
    }
}

/// The ingestion provenance, as SLSA's draft of the dependency track has it; none for what did not come in, or was
/// refused: the draft forbids a statement that denies.
///
/// What is said here carries the draft's level 2, where a strong digest was promised and the publisher's signature was
/// verified or does not exist. Level 3 is not claimed: it wants the signature in a transparency log.
fn dependency(event: &Event) -> Option<serde_json::Value> {
    let about = event.dependency.as_ref()?;
    let Origin::Upstream { promised, .. } = &event.origin else { return None };
    if event.kind != EventKind::Stored || !event.passes() {
        return None;
    }
    let expected = DigestSet::strong(promised);
    let integrity = if expected.is_empty() {
        json!({ "result": "unverified" })
    } else {
        json!({ "method": "hash", "expected": expected, "result": "verified" })
    };
    let mut upstream = json!({ "registry": about.registry, "name": about.name, "version": about.version });
    if !expected.is_empty() {
        upstream["digest"] = json!(expected);
    }
    Some(json!({
        "ingestor": { "id": about.ingestor },
        "ingestionPlatform": { "id": event.deployment },
        "upstream": upstream,
        "ingestion": { "timestamp": event.at, "path": about.path },
        "integrity": integrity,
        "publisherSignature": publisher_signature(about),
        "policyEvaluations": [{
            "policy": {
                "id": format!("{}#policy", event.deployment),
                "version": event.decided.policy.to_string(),
            },
            "timestamp": event.at,
            "result": "allow",
        }],
        "upstreamProvenance": upstream_provenance(about),
        "ingestionIsolation": {
            "method": "no-dep-code-executed",
            "description": "Bytes are fetched, digested and read; nothing of them is executed, and they are looked into by confined worker processes that hold no keys.",
        },
    }))
}

fn publisher_signature(about: &Dependency) -> serde_json::Value {
    match &about.publisher_signature {
        PublisherSignature::Verified { method, key_id } => {
            json!({ "method": method, "keyId": key_id, "result": "verified" })
        }
        PublisherSignature::NotPublished => json!({ "availability": "unavailable" }),
        PublisherSignature::NotVerified => json!({ "result": "unverified" }),
    }
}

fn upstream_provenance(about: &Dependency) -> serde_json::Value {
    match &about.upstream_provenance {
        UpstreamProvenance::Verified(input) => json!({
            "predicateType": input.predicate_type,
            "ref": input.sha256.to_string(),
            "verification": { "result": "verified" },
        }),
        UpstreamProvenance::NotPublished => json!({ "availability": "unavailable" }),
        UpstreamProvenance::NotVerified => json!({ "verification": { "result": "not-attempted" } }),
    }
}
