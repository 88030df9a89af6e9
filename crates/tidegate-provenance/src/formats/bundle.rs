//! A Sigstore bundle as it stands (media types 0.1 to 0.3, logs of both generations): cosign's, GitHub's artifact
//! attestations, `.sigstore.json` files beside an artifact.

use crate::keys::KeyUsage;
use crate::requirement::Requirement;
use crate::roots::Trust;
use crate::sigstore;
use crate::subject::Subject;
use crate::verification::{Format, Verification};

/// Checks one bundle. GitHub's own instance, which has no public log, is asked for by
/// [`Requirement::instance`](crate::Requirement).
pub fn verify(bundle: &[u8], subject: &Subject, requirement: &Requirement, trust: Trust<'_>) -> Verification {
    sigstore::verify_text(Format::Bundle, bundle, KeyUsage::Any, subject, requirement, trust)
}
