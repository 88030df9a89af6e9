//! R (`package_version`): numbers separated by dots or hyphens, which mean the same; compared one by one, a prefix sorts
//! first, so `1.8` < `1.8.0`.

use super::hackage;
use crate::version::key::VersionKey;

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> Option<VersionKey> {
    hackage::numbers(text, |separator| matches!(separator, '.' | '-'))
}
