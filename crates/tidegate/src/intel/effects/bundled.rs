//! What artifacts hold, as advisories see it: an advisory on a component touches whoever brings the component along.

use std::collections::BTreeSet;

use tidegate_model::coordinate::PackageRef;
use tidegate_model::{Coordinate, Ecosystem, PackageName, Timestamp, Version};
use tidegate_store::catalogue::ComponentHolder;

use super::look::{GraveFinding, word};
use crate::intel::Advisories;
use crate::intel::facts::Asked;

/// The package URL of the version that holds a component; none where its name is not one.
pub(crate) fn holder_purl(holder: &ComponentHolder) -> Option<String> {
    let ecosystem: Ecosystem = holder.ecosystem.parse().ok()?;
    let name = PackageName::parse(ecosystem, &holder.package).ok()?;
    Some(Coordinate { name, version: Version::parse(ecosystem, &holder.version) }.purl())
}

/// What touches the components of a version gravely.
pub(super) fn graves<'c>(
    advisories: &Advisories,
    components: impl Iterator<Item = &'c ComponentHolder>,
    now: Timestamp,
) -> Vec<GraveFinding> {
    // The same component may lie in several places.
    let purls: BTreeSet<&str> = components.map(|component| component.purl.as_str()).collect();
    let mut found = Vec::new();
    for purl in purls {
        // Components of other ecosystems have no advisories here.
        let Ok(read) = PackageRef::parse(purl) else { continue };
        let Some(version) = read.version.as_ref().map(|version| version.as_str()) else { continue };
        let (ecosystem, name) = (read.name.ecosystem(), read.name.as_str());
        if !advisories.snapshot.knows(ecosystem.as_str(), name) {
            continue;
        }
        let known = advisories.snapshot.package(ecosystem.as_str(), name, now);
        let asked = Asked { ecosystem, name, version, now };
        for finding in known.matches(version).items {
            if let Some(why) = word(advisories, &asked, &finding) {
                found.push(GraveFinding { why, finding, through: Some(purl.to_owned()) });
            }
        }
    }
    found
}
