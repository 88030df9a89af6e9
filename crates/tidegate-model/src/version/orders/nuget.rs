//! NuGet (`NuGetVersion`): Semantic Versioning with up to four numbers, and labels compared without regard to case.

use super::semver;
use crate::version::key::{KeyWriter, VersionKey};

/// Major, minor, patch, revision.
const MOST_NUMBERS: usize = 4;

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    let (key, _build) = semver::precedence(text, MOST_NUMBERS, KeyWriter::text_folded)?;
    Some(key.finish())
}
