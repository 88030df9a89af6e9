//! Reads package-lock files.

use super::{LintContext, LintFinding, LockError, Lockfile, Relocate};

const UNSUPPORTED: &str = "this build does not read package-lock files";

pub(super) fn parse(_text: &str) -> Result<Lockfile, LockError> {
    Err(LockError::Malformed(UNSUPPORTED.into()))
}

pub(super) fn lint(_text: &str, _context: &LintContext) -> Result<Vec<LintFinding>, LockError> {
    Err(LockError::Malformed(UNSUPPORTED.into()))
}

pub(super) fn rewrite(_text: &str, _target: &dyn Relocate) -> Result<String, LockError> {
    Err(LockError::Malformed(UNSUPPORTED.into()))
}
