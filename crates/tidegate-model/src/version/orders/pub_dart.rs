//! Dart's Pub (`pub_semver`): Semantic Versioning, but build metadata counts. A version with it sorts after the one
//! without; its identifiers compare as those of a pre-release do.

use super::semver;
use crate::version::key::{END, KeyWriter, VersionKey};

/// Build metadata follows: above its absence.
const BUILD: u8 = END + 1;

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    let (mut key, build) = semver::precedence(text, usize::MAX, KeyWriter::text)?;
    match build {
        None => key.mark(END),
        Some(build) => {
            key.mark(BUILD);
            semver::write_identifiers(build, KeyWriter::text, &mut key)?;
        }
    }
    Some(key.finish())
}
