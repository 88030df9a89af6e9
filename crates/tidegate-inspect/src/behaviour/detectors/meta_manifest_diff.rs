//! What the index says of a version is not what the package says of itself.
//!
//! Clients and scanners read the index, the installer reads the package. Where the two disagree on scripts or dependencies, one of them is deceived.
//!
//! **What to do:** do not install it before the publisher has explained the difference. **Limits:** registries rewrite some fields; order, case of names and
//! spelling of versions are not compared. **Example:** an index without scripts, a package with `preinstall`.

use super::common::*;
use crate::behaviour::confusion;

pub(super) const DETECTOR: Detector = Detector {
    id: confusion::DETECTOR,
    catalogue: "META-MANIFEST-DIFF",
    title: "index and package disagree",
    severity: High,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let (Some(manifest), Some(index)) = (&package.manifest, &package.subject.index_manifest) else { return };
    for difference in confusion::compare(package.ecosystem, manifest, index) {
        let grade = if difference.is_grave { (High, Sure) } else { (Low, Likely) };
        findings.tell_at(
            &manifest.path,
            None,
            Stage::Install,
            grade,
            &difference.message,
            &difference.evidence,
        );
    }
}
