//! After a long silence a release appears, and it can do what the one before could not.
//!
//! Packages that nobody looks after are taken over. That a year passed says nothing; together with new abilities it does.
//!
//! **What to do:** see who published it, and compare the two releases. **Limits:** medium; it holds nothing by itself. The days come from the index.
//! **Example:** three years after `2.0.0`, `2.0.1` starts a program when it is loaded.

use super::common::*;
use super::diff_capability::of_releases;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/meta-dormant",
    catalogue: "META-DORMANT",
    title: "new abilities after a long silence",
    severity: Medium,
    ecosystems: &[],
    run: of_releases,
};
