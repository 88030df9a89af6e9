//! The three predicates. Fields are written in the order in which they stand here.

use tidegate_model::{Action, DecisionId, Timestamp};

use crate::custody::statement::{DigestSet, PublicUri};

use super::event::{Actor, LedgerRecord, Stage};

/// SLSA's verification summary.
pub const SUMMARY_TYPE: &str = "https://slsa.dev/verification_summary/v1";
/// SLSA's dependency ingestion provenance, a draft: its fields may still change.
pub const DEPENDENCY_TYPE: &str = "https://slsa.dev/dependency/v1";
/// Our own custody record. `.example` is reserved (RFC 2606): the name belongs to nobody, can never be bought by somebody
/// else, and promises no page. It names the format; what it means stands in `docs/concepts/custody.md`.
pub const CUSTODY_TYPE: &str = "https://tidegate.example/custody/v1";

/// A predicate that a statement of ours can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// What happened, and what came before.
    Custody(Box<Custody>),
    /// Which policy was applied, with what result.
    Summary(Box<Summary>),
    /// How a dependency came in; not read back, since the draft moves.
    Dependency,
}

/// The predicate of a custody record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Custody {
    /// Who says it.
    pub deployment: PublicUri,
    /// What the artifact is called.
    pub resource_uri: String,
    /// The repository that the decision is about.
    pub repository: String,
    /// `stored`, `quarantined`, `released`, `blocked` or `promoted`.
    pub event: String,
    /// When it was decided.
    pub time: Timestamp,
    /// The name of the upstream in the configuration; null where it was published here.
    pub fetched_from: Option<String>,
    /// What the upstream promised of the bytes, `algorithm:hex`; weak algorithms included, since they were promised.
    pub promised: Vec<String>,
    /// When the bytes were stored.
    pub stored_at: Timestamp,
    /// Their number.
    pub bytes: u64,
    /// What was decided.
    pub decision: CustodyDecision,
    /// Between which stages it was promoted.
    pub promotion: Option<Stage>,
    /// The pseudonym of who did it, where a person did.
    pub actor: Option<Actor>,
    /// The ledger's record.
    pub ledger_record: LedgerRecord,
    /// The other statements that were made of the same event, by the digest of their payload.
    pub statements: Vec<Beside>,
    /// The digest of the payload of the custody record before; null in the first.
    pub previous: Option<DigestSet>,
}

/// The decision that a custody record names.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustodyDecision {
    /// Its id.
    pub id: DecisionId,
    /// What it does.
    pub action: Action,
    /// False where the policy only observes.
    pub enforced: bool,
    /// The rules behind it, at most 64.
    pub rules: Vec<String>,
    /// How many more there were.
    pub rules_left_out: u64,
    /// The policy.
    pub policy: DigestSet,
}

/// Another statement of the same event.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Beside {
    /// What it says.
    pub predicate_type: String,
    /// Digest of its payload.
    pub digest: DigestSet,
}

/// The predicate of a verification summary, SLSA VSA v1.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Who verified.
    pub verifier: Identified,
    /// When.
    pub time_verified: Timestamp,
    /// What the artifact is called.
    pub resource_uri: String,
    /// Against which policy.
    pub policy: Described,
    /// With which attestations: all of them.
    pub input_attestations: Vec<Described>,
    /// With what result.
    pub verification_result: VerificationResult,
    /// What was shown, one level for each track; `FAILED` where the policy was not met.
    pub verified_levels: Vec<String>,
    /// The version of SLSA whose words these are.
    pub slsa_version: String,
}

/// The result of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerificationResult {
    /// The policy was met.
    Passed,
    /// It was not.
    Failed,
}

/// Something named by a URI.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identified {
    /// Its URI.
    pub id: PublicUri,
}

/// An in-toto ResourceDescriptor: what, and by which digest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Described {
    /// Where it can be had, or how it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its digest.
    pub digest: DigestSet,
    /// The predicate type, of an attestation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
}

/// What is told of an attestation beside its digest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    /// Its predicate type.
    pub predicate_type: String,
}
