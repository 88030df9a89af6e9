//! NuGet (`NuGetVersion`): Semantic Versioning with up to four numbers, and labels compared without regard to case.

use super::semver;
use crate::version::key::{KeyWriter, VersionKey};

/// Major, minor, patch, revision.
const MOST_NUMBERS: usize = 4;

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    let text = text.trim_start_matches(['v', 'V']);
    let mut key = KeyWriter::for_length(text.len());
    let rest = semver::numbers(text, MOST_NUMBERS, &mut key)?;
    let (before_build, _) = semver::cut_build(rest);
    semver::prerelease(before_build, KeyWriter::text_folded, &mut key)?;
    Some(key.finish())
}
