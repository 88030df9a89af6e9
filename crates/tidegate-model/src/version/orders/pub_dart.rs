//! Dart's Pub (`pub_semver`): Semantic Versioning, but build metadata counts. A version with it sorts after the one
//! without; its identifiers compare as those of a pre-release do.

use super::semver;
use crate::version::key::{END, KeyWriter, VersionKey};

/// Build metadata follows: above its absence.
const BUILD: u8 = END + 1;

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    let text = text.trim_start_matches(['v', 'V', '=', ' ']);
    let mut key = KeyWriter::for_length(text.len());
    let rest = semver::numbers(text, usize::MAX, &mut key)?;
    let (before_build, build) = semver::cut_build(rest);
    semver::prerelease(before_build, KeyWriter::text, &mut key)?;
    match build {
        None => key.mark(END),
        Some(build) => {
            key.mark(BUILD);
            semver::write_identifiers(build, KeyWriter::text, &mut key)?;
        }
    }
    Some(key.finish())
}
