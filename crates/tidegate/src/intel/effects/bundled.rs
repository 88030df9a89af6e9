//! What artifacts hold, as advisories see it: an advisory on a component touches whoever brings the component along.

use std::borrow::Cow;
use std::collections::BTreeSet;

use tidegate_ecosystems::inventory::{OsvPackage, Purl};
use tidegate_intel::Query;
use tidegate_model::coordinate::PackageRef;
use tidegate_model::{Coordinate, Ecosystem, PackageName, Timestamp, Version};
use tidegate_store::catalogue::ComponentHolder;

use super::look::{GraveFinding, word};
use crate::intel::Advisories;

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
        let Some(asked) = Component::of(purl) else { continue };
        let Some(query) = asked.query(now).filter(|q| advisories.snapshot.knows(q.ecosystem, q.name)) else {
            continue;
        };
        for finding in advisories.snapshot.matches(&query).items {
            if let Some(why) = word(advisories, &query, &finding) {
                found.push(GraveFinding { why, finding, through: Some(purl.to_owned()) });
            }
        }
    }
    found
}

/// A component as advisories name it.
pub(crate) struct Component {
    ecosystem: Cow<'static, str>,
    name: String,
    version: Option<String>,
}

impl Component {
    /// Of a package URL with version; none where advisories have no word for it.
    pub(crate) fn of(purl: &str) -> Option<Self> {
        // Names of our own ecosystems have one spelling.
        if let Ok(read) = PackageRef::parse(purl) {
            return Some(Self {
                ecosystem: Cow::Borrowed(read.name.ecosystem().as_str()),
                name: read.name.as_str().to_owned(),
                version: read.version.map(|version| version.as_str().to_owned()),
            });
        }
        let osv = OsvPackage::of(&purl.parse::<Purl>().ok()?, None).ok()?;
        Some(Self { ecosystem: Cow::Owned(osv.ecosystem), name: osv.name, version: osv.version })
    }

    /// What is asked about it.
    pub(crate) fn query(&self, now: Timestamp) -> Option<Query<'_>> {
        let version = self.version.as_deref()?;
        Some(Query { ecosystem: &self.ecosystem, name: &self.name, version, now })
    }
}
