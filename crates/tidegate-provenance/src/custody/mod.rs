//! Chain of custody: what tidegate itself says, and signs, of each artifact that came through it.
//!
//! For every [`Event`] (stored, quarantined, released, blocked, promoted) [`sign`] makes two or three in-toto statements
//! about the artifact's digest, each in a Sigstore bundle v0.3 whose key is named by a hint:
//!
//! * a SLSA verification summary ([`SUMMARY_TYPE`]): which policy was applied, with what result, from which attestations;
//! * our own custody record ([`CUSTODY_TYPE`]): where it came from, what upstream promised, what happened, by which
//!   decision and rules, which record of the ledger tells of it, and the digest of the custody record before it;
//! * for what is admitted from an upstream, the ingestion provenance of SLSA's dependency track, which is a draft
//!   ([`DEPENDENCY_TYPE`]).
//!
//! [`verify`] checks one of them, [`chain`] all of an artifact: offline, with nothing but the bundles, the [`OwnKeys`]
//! and, against replayed policies, the policy history from the ledger. Each failure has a stable word
//! ([`Problem::word`]). See `docs/concepts/custody.md`.
//!
//! What this module refuses to do: it puts no name of a person and no address with a credential into a statement, and it
//! takes nothing from a bundle that a signature does not cover.
//!
//! [`OwnKeys`]: crate::signing::OwnKeys

mod bundle;
mod chain;
mod event;
mod policies;
mod predicate;
mod problem;
mod sign;
pub mod statement;
mod verify;

pub use bundle::{BUNDLE_MEDIA_TYPE, MAX_BUNDLE_BYTES};
pub use chain::{Broken, Chain, Located, MAX_CHAIN_BUNDLES, chain};
pub use event::{
    Actor, BuildLevel, Decided, Dependency, Event, EventKind, InputAttestation, InvalidEvent, LedgerRecord,
    Origin, PublisherSignature, Stage, UpstreamProvenance,
};
pub use policies::{PolicyHistory, PolicyInForce};
pub use predicate::{
    CUSTODY_TYPE, Custody, DEPENDENCY_TYPE, Predicate, SUMMARY_TYPE, Summary, VerificationResult,
};
pub use problem::Problem;
pub use sign::{Signed, SignedStatement, StateError, sign};
pub use verify::{Artifact, Trust, Verified, verify};
