//! What the library refuses, in our words. Its own words follow as the detail.

use sigstore_verify::bundle::Error as BundleError;
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};
use tidegate_model::Timestamp;

use crate::roots::{FRESH_FOR_DAYS, Root};
use crate::verification::{Failure, Reason, State};

/// Media types that the library reads.
const KNOWN_MEDIA: [&str; 4] = [
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
];

/// Entries of logs that the library reads.
const KNOWN_ENTRIES: [(&str, &str); 4] =
    [("hashedrekord", "0.0.1"), ("hashedrekord", "0.0.2"), ("dsse", "0.0.1"), ("intoto", "0.0.2")];

/// A bundle that did not parse: newer than we are, or broken.
pub(super) fn unreadable(text: &str, error: &sigstore_verify::types::Error) -> Failure {
    let newer = serde_json::from_str::<serde_json::Value>(text).ok().and_then(|value| newer(&value));
    match newer {
        Some(what) => Failure::unsupported(format!("{what} is of a kind that this version cannot check")),
        None => Failure::malformed(format!("the bundle cannot be read: {error}")),
    }
}

fn newer(bundle: &serde_json::Value) -> Option<String> {
    let media = bundle.get("mediaType")?.as_str()?;
    if !KNOWN_MEDIA.contains(&media) {
        return media.starts_with("application/vnd.dev.sigstore.bundle").then(|| format!("`{media}`"));
    }
    let entries = bundle.pointer("/verificationMaterial/tlogEntries")?.as_array()?;
    entries.iter().find_map(|entry| {
        let kind = entry.pointer("/kindVersion/kind")?.as_str()?;
        let version = entry.pointer("/kindVersion/version")?.as_str()?;
        (!KNOWN_ENTRIES.contains(&(kind, version))).then(|| format!("a log entry `{kind}` `{version}`"))
    })
}

/// A bundle that was read and did not hold.
pub(super) fn refused(error: &Error, root: &Root, now: Timestamp) -> Failure {
    let (reason, of_root) = match error {
        Error::SignatureInvalid(_) | Error::Crypto(_) => (Reason::Signature, false),
        Error::ArtifactMismatch(_) => (Reason::ArtifactDigest, false),
        Error::Certificate(e) => certificate(e),
        Error::TransparencyLog(e) => transparency(e),
        Error::Timestamp(e) => timestamp(e),
        Error::Bundle(e) => return structure(e, root),
        Error::UnsupportedArtifact(_) | Error::UnsupportedBundle(_) => {
            return Failure::unsupported(error.to_string());
        }
        _ => return Failure::malformed(error.to_string()),
    };
    if of_root && root.is_stale(now) {
        return Failure {
            state: State::StaleRoot,
            detail: format!(
                "{error}; the trust root is {} days old, and after {FRESH_FOR_DAYS} it cannot say that something is unknown",
                root.age_days(now)
            ),
        };
    }
    Failure::invalid(reason, error.to_string())
}

/// Reason, and whether a newer root might know better.
fn certificate(error: &CertificateError) -> (Reason, bool) {
    match error {
        CertificateError::Malformed(_) => (Reason::Certificate, false),
        CertificateError::NoValidAuthority { .. } => (Reason::CertificateTime, true),
        CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => {
            (Reason::CertificateTime, false)
        }
        CertificateError::Sct(_) => (Reason::Sct, false),
        // The library does not tell these apart; its text does.
        CertificateError::ChainInvalid(detail)
            if detail.contains("CertNotValidYet") || detail.contains("CertExpired") =>
        {
            (Reason::CertificateTime, false)
        }
        CertificateError::ChainInvalid(detail) => {
            (Reason::CertificateChain, detail.contains("UnknownIssuer"))
        }
        _ => (Reason::CertificateChain, false),
    }
}

fn transparency(error: &TransparencyLogError) -> (Reason, bool) {
    match error {
        TransparencyLogError::UnknownLog { .. } => (Reason::UnknownLog, true),
        TransparencyLogError::InclusionProof(_) => (Reason::InclusionProof, false),
        TransparencyLogError::Checkpoint(detail) => {
            (Reason::Checkpoint, detail.contains("No matching Rekor key"))
        }
        TransparencyLogError::InclusionPromise(detail) if detail.starts_with("No log key") => {
            (Reason::UnknownLog, true)
        }
        TransparencyLogError::InclusionPromise(_) => (Reason::InclusionPromise, false),
        TransparencyLogError::IntegratedTime(_) => (Reason::IntegratedTime, false),
        _ => (Reason::LogEntry, false),
    }
}

fn timestamp(error: &TimestampError) -> (Reason, bool) {
    match error {
        TimestampError::NoVerifiedTimestamp(_) => (Reason::NoSignedTime, false),
        _ => (Reason::Timestamp, false),
    }
}

fn structure(error: &BundleError, root: &Root) -> Failure {
    let text = error.to_string();
    match error {
        BundleError::UnsupportedMediaType(_) | BundleError::UnsupportedVerificationMaterial => {
            Failure::unsupported(text)
        }
        BundleError::MissingSigningTimeEvidence | BundleError::MissingTimestamp if !root.log_required() => {
            Failure::invalid(Reason::NoSignedTime, text)
        }
        BundleError::MissingInclusionPromise(_)
        | BundleError::MissingInclusionProof(_)
        | BundleError::MissingSigningTimeEvidence
        | BundleError::MissingTimestamp => Failure::invalid(Reason::NoLogEvidence, text),
        BundleError::MissingCheckpoint | BundleError::CheckpointRootMismatch => {
            Failure::invalid(Reason::Checkpoint, text)
        }
        BundleError::LogIndexOutOfRange { .. } => Failure::invalid(Reason::InclusionProof, text),
        _ => Failure::malformed(text),
    }
}
