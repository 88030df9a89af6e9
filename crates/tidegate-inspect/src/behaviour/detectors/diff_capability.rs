//! A small release can do what the one before could not: start programs, reach the network, send data, run at installation.
//!
//! Hijacked packages are good packages with one release too many. What changed between two releases is a few facts, and those that matter here rarely come in
//! a release that calls itself a fix.
//!
//! **What to do:** compare the two releases. **Limits:** a release that raises its first number is told as low, what is only called as medium; without an older release
//! nothing is told. **Example:** `1.4.2` reads a file, `1.4.3` posts it.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/diff-capability",
    catalogue: "DIFF-CAPABILITY",
    title: "a small release gains abilities",
    severity: High,
    ecosystems: &[],
    run: of_releases,
};

/// One release alone has nothing to be compared with: see [`crate::behaviour::diff`].
pub(super) fn of_releases(_: &Package, _: &mut Findings) {}
