//! Verifies one statement.

use serde_json::value::RawValue;
use sha2::Digest as _;
use tidegate_model::{Digest, Sha256, Timestamp};

use crate::custody::statement::{DigestSet, PAYLOAD_TYPE, STATEMENT_TYPE, Statement, Subject};
use crate::dsse;
use crate::signing::{KeyId, OwnKeys, Use};

use super::bundle;
use super::policies::PolicyHistory;
use super::predicate::{CUSTODY_TYPE, Custody, DEPENDENCY_TYPE, Predicate, SUMMARY_TYPE, Summary};
use super::problem::Problem;

/// The artifact that a statement is to be about.
#[derive(Clone, Copy, Debug)]
pub struct Artifact<'a> {
    /// Its bytes.
    pub sha256: Sha256,
    /// Its bytes once more, where that was computed.
    pub sha512: Option<&'a Digest>,
    /// Its package URL, where it is known; without it, any name is taken, and told.
    pub purl: Option<&'a str>,
}

/// What is believed.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The deployment's keys.
    pub keys: &'a OwnKeys,
    /// Which policy was in force when; without it, replayed policies are not noticed.
    pub policies: Option<&'a PolicyHistory>,
    /// The time of the check: nothing can be of a later one.
    pub at: Timestamp,
}

/// A statement that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who signed it.
    pub key: KeyId,
    /// SHA-256 of its payload.
    pub payload: Sha256,
    /// What it calls the artifact.
    pub purl: String,
    /// The time that it states.
    pub time: Timestamp,
    /// Its type.
    pub predicate_type: String,
    /// What it says.
    pub predicate: Predicate,
}

/// Verifies a bundle: signed by a key of the ring in that key's period, of a form and type that we make, about this
/// artifact, by this deployment, and under the policy that was in force.
///
/// # Errors
/// The first thing that does not hold. Nothing that the bundle says is believed then.
pub fn verify(artifact: &Artifact<'_>, bundle: &[u8], trust: &Trust<'_>) -> Result<Verified, Problem> {
    let read = bundle::read(bundle)?;
    let unknown = || Problem::KeyUnknown(read.hint.chars().take(80).collect());
    let id: KeyId = read.hint.parse().map_err(|_| unknown())?;
    let listed = trust.keys.key(id).ok_or_else(unknown)?;
    if listed.used_for != Use::Custody {
        return Err(Problem::KeyForOther(id));
    }
    if listed.revoked {
        return Err(Problem::KeyRevoked(id));
    }
    if !listed.key.verify(&dsse::pae(&read.payload_type, &read.payload), &read.signature) {
        return Err(Problem::Forged(id));
    }
    // From here on, what is read was signed.
    if read.payload_type != PAYLOAD_TYPE {
        return Err(Problem::OtherStatement(read.payload_type.chars().take(120).collect()));
    }
    let claims = Claims::read(&read.payload)?;
    if claims.time < listed.from {
        return Err(Problem::KeyEarly { key: id, from: listed.from, time: claims.time });
    }
    if let Some(until) = listed.until.filter(|until| claims.time >= *until) {
        return Err(Problem::KeyExpired { key: id, until, time: claims.time });
    }
    if claims.time > trust.at {
        return Err(Problem::FromTheFuture { time: claims.time, at: trust.at });
    }
    claims.is_by(trust.keys)?;
    claims.is_about(artifact)?;
    if let Some(policies) = trust.policies {
        claims.policy_was_in_force(policies)?;
    }
    Ok(Verified {
        key: id,
        payload: Sha256::new(sha2::Sha256::digest(&read.payload).into()),
        purl: claims.subject.name,
        time: claims.time,
        predicate_type: claims.predicate_type,
        predicate: claims.predicate,
    })
}

/// What is read of an ingestion provenance.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ingestion {
    ingestion_platform: Platform,
    ingestion: Moment,
}

#[derive(serde::Deserialize)]
struct Platform {
    id: String,
}

#[derive(serde::Deserialize)]
struct Moment {
    timestamp: Timestamp,
}

/// What a signed payload says, whatever its predicate.
struct Claims {
    subject: Subject,
    predicate_type: String,
    predicate: Predicate,
    by: String,
    time: Timestamp,
    /// What the predicate calls the artifact, where it does.
    resource: Option<String>,
}

impl Claims {
    fn read(payload: &[u8]) -> Result<Self, Problem> {
        let unreadable = |e: serde_json::Error| Problem::Malformed(e.to_string());
        let statement: Statement<&RawValue> = serde_json::from_slice(payload).map_err(unreadable)?;
        if statement.kind != STATEMENT_TYPE {
            return Err(Problem::OtherStatement(statement.kind.chars().take(120).collect()));
        }
        let one: Result<[Subject; 1], _> = statement.subject.try_into();
        let [subject] = one.map_err(|_| Problem::Malformed("it is not about exactly one artifact".into()))?;
        let predicate_type = statement.predicate_type;
        let text = statement.predicate.get();
        let (predicate, by, time, resource) = match predicate_type.as_str() {
            CUSTODY_TYPE => {
                let custody: Custody = serde_json::from_str(text).map_err(unreadable)?;
                let (by, time) = (custody.deployment.to_string(), custody.time);
                let resource = custody.resource_uri.clone();
                (Predicate::Custody(Box::new(custody)), by, time, Some(resource))
            }
            SUMMARY_TYPE => {
                let summary: Summary = serde_json::from_str(text).map_err(unreadable)?;
                let (by, time) = (summary.verifier.id.to_string(), summary.time_verified);
                let resource = summary.resource_uri.clone();
                (Predicate::Summary(Box::new(summary)), by, time, Some(resource))
            }
            DEPENDENCY_TYPE => {
                let Ingestion { ingestion_platform, ingestion } =
                    serde_json::from_str(text).map_err(unreadable)?;
                (Predicate::Dependency, ingestion_platform.id, ingestion.timestamp, None)
            }
            other => return Err(Problem::OtherStatement(other.chars().take(120).collect())),
        };
        Ok(Self { subject, predicate_type, predicate, by, time, resource })
    }

    /// Only pairs of a signer and the verifier that it signs for are accepted, as the specification of summaries wants.
    fn is_by(&self, keys: &OwnKeys) -> Result<(), Problem> {
        if self.by == keys.deployment().as_str() {
            return Ok(());
        }
        Err(Problem::OtherDeployment(self.by.chars().take(120).collect()))
    }

    fn is_about(&self, artifact: &Artifact<'_>) -> Result<(), Problem> {
        let wanted = DigestSet { sha256: Some(artifact.sha256.into()), sha512: artifact.sha512.cloned() };
        if self.subject.digest.sha256.is_none() || !self.subject.digest.agrees(&wanted) {
            return Err(Problem::OtherArtifact(artifact.sha256));
        }
        let name = &self.subject.name;
        let names = [artifact.purl, self.resource.as_deref()];
        match names.into_iter().flatten().find(|expected| expected != name) {
            None => Ok(()),
            Some(expected) => Err(Problem::OtherName { found: name.clone(), expected: expected.to_owned() }),
        }
    }

    fn policy_was_in_force(&self, policies: &PolicyHistory) -> Result<(), Problem> {
        let (policy, record) = match &self.predicate {
            Predicate::Custody(custody) => (&custody.decision.policy, Some(&custody.ledger_record)),
            Predicate::Summary(summary) => (&summary.policy.digest, None),
            Predicate::Dependency => return Ok(()),
        };
        let bytes = policy.sha256.as_ref().and_then(|digest| digest.as_bytes().try_into().ok());
        let claimed = bytes.map(Sha256::new);
        let claimed =
            claimed.ok_or_else(|| Problem::Malformed("it names no SHA-256 of its policy".to_owned()))?;
        policies.check(claimed, self.time, record)
    }
}
