//! Comparing what was told of admitted versions with what is known now.
//!
//! No state before the change is needed: the catalogue keeps what was told. So a pass that was cut short is run again, and
//! a retraction is the same thing backwards.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_intel::{AdvisoryKind, Finding, Query};
use tidegate_ledger::entry::Grave;
use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_model::facts::Severity;
use tidegate_model::{Ecosystem, PackageName, Timestamp};
use tidegate_store::catalogue::{
    Admission, Catalogue, CatalogueError, ComponentHolder, Exposure, VersionExposure,
};

use super::bundled;
use crate::intel::Advisories;
use crate::intel::facts::{Asked, vulnerability_of};

/// Which packages are to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// These.
    Names(Names),
    /// Every package of which a version was admitted.
    Everything,
}

/// Packages by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Those that a door can serve: ecosystem and name in the form in which advisories are looked up.
    pub own: BTreeSet<(Ecosystem, String)>,
    /// Those that can only be components of something, as package URLs without version: packages of distributions, of ecosystems
    /// without a door.
    pub others: BTreeSet<String>,
}

impl Names {
    /// How many.
    pub fn len(&self) -> usize {
        self.own.len() + self.others.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Scope {
    /// Both.
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Names(mut all), Self::Names(more)) => {
                all.own.extend(more.own);
                all.others.extend(more.others);
                Self::Names(all)
            }
            _ => Self::Everything,
        }
    }
}

/// An advisory that touches an admitted version gravely.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GraveFinding {
    pub why: Grave,
    pub finding: std::sync::Arc<Finding>,
    /// The component that it touches, as a package URL; none where it touches the version itself.
    pub through: Option<String>,
}

/// An admitted version of which other things are known than were told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Touched {
    pub package: PackageRef,
    pub purl: String,
    pub admitted_at: Timestamp,
    /// What touches it and was not told, or was told to be less grave.
    pub new: Vec<GraveFinding>,
    /// What was told and touches it no more.
    pub gone: Vec<String>,
    /// What is to be noted as told.
    pub told: Vec<Exposure>,
}

impl Touched {
    /// Whether somebody should hear of it; else only ids or words changed.
    pub(super) fn is_news(&self) -> bool {
        !self.new.is_empty() || !self.gone.is_empty()
    }
}

/// How many packages are listed at a time when all are looked at.
const PACKAGES_AT_A_TIME: u32 = 1000;

/// Every admitted version of the scope of which other things are known than were told. Blocks.
pub(super) fn look(
    catalogue: &dyn Catalogue,
    advisories: &Advisories,
    scope: &Scope,
    now: Timestamp,
) -> Result<Vec<Touched>, CatalogueError> {
    let mut touched = Vec::new();
    match scope {
        Scope::Names(names) => {
            let mut holders = BTreeSet::new();
            for (ecosystem, name) in &names.own {
                // A name that its ecosystem does not allow was never admitted.
                let Ok(name) = PackageName::parse(*ecosystem, name) else { continue };
                let purl = package_purl(&name);
                let admitted = catalogue.admissions_as_spelled(&purl)?;
                package(catalogue, advisories, admitted, now, &mut touched)?;
                holders.extend(catalogue.component_holders(&purl)?.iter().filter_map(package_that_holds));
            }
            for purl in &names.others {
                holders.extend(catalogue.component_holders(purl)?.iter().filter_map(package_that_holds));
            }
            // Whoever brings one of them along, unless that one is in the scope by its own name.
            let in_scope = |purl: &String| {
                let read = PackageRef::parse(purl).ok();
                read.is_some_and(|r| names.own.contains(&(r.name.ecosystem(), r.name.as_str().to_owned())))
            };
            for purl in holders.iter().filter(|purl| !in_scope(purl)) {
                package(catalogue, advisories, catalogue.admissions(purl)?, now, &mut touched)?;
            }
        }
        Scope::Everything => {
            let mut after = String::new();
            loop {
                let packages = catalogue.admitted_packages(&after, PACKAGES_AT_A_TIME)?;
                let Some(last) = packages.last() else { break };
                after.clone_from(last);
                for purl in &packages {
                    package(catalogue, advisories, catalogue.admissions(purl)?, now, &mut touched)?;
                }
            }
        }
    }
    Ok(touched)
}

/// The package, as a package URL without version, whose file holds a component.
fn package_that_holds(holder: &ComponentHolder) -> Option<String> {
    let name = PackageName::parse(holder.ecosystem.parse().ok()?, &holder.package).ok()?;
    Some(package_purl(&name))
}

/// The admitted versions of one name, under whichever spelling.
fn package(
    catalogue: &dyn Catalogue,
    advisories: &Advisories,
    admitted: Vec<Admission>,
    now: Timestamp,
    touched: &mut Vec<Touched>,
) -> Result<(), CatalogueError> {
    let mut by_spelling: BTreeMap<String, Vec<(Admission, PackageRef)>> = BTreeMap::new();
    for admission in admitted {
        let Ok(read) = PackageRef::parse(&admission.purl) else { continue };
        by_spelling.entry(package_purl(&read.name)).or_default().push((admission, read));
    }
    for (purl, versions) in by_spelling {
        let told: BTreeMap<String, Vec<Exposure>> = catalogue
            .exposures(&purl)?
            .into_iter()
            .map(|version: VersionExposure| (version.purl, version.advisories))
            .collect();
        let Some((_, first)) = versions.first() else { continue };
        let name = first.name.clone();
        let components = catalogue.components_in(name.ecosystem().as_str(), name.as_str())?;
        let is_known = advisories.snapshot.knows(name.ecosystem().as_str(), name.as_str());
        if told.is_empty() && components.is_empty() && !is_known {
            continue;
        }
        let known = advisories.snapshot.package(name.ecosystem().as_str(), name.as_str(), now);
        for (admission, read) in versions {
            let Some(version) = read.version.as_ref().map(|version| version.as_str()) else { continue };
            let before = told.get(&admission.purl).map(Vec::as_slice).unwrap_or_default();
            let findings = known.matches(version).items;
            let asked = Asked { ecosystem: name.ecosystem(), name: name.as_str(), version, now };
            let grave = findings.into_iter().filter_map(|finding| {
                let why = word(advisories, &asked.query(), &finding)?;
                Some(GraveFinding { why, finding, through: None })
            });
            let inside = components.iter().filter(|component| component.version == version);
            let grave = grave.chain(bundled::graves(advisories, inside, now)).collect();
            let (new, gone, now_told) = compare(before, grave, now);
            if now_told.as_slice() != before {
                let purl = admission.purl;
                touched.push(Touched {
                    package: read,
                    purl,
                    admitted_at: admission.first_at,
                    new,
                    gone,
                    told: now_told,
                });
            }
        }
    }
    Ok(())
}

/// What is new, what is gone, and what to note. A finding is known again by any of its ids, since the one that is shown
/// changes when another database describes the same flaw.
fn compare(
    before: &[Exposure],
    grave: Vec<GraveFinding>,
    now: Timestamp,
) -> (Vec<GraveFinding>, Vec<String>, Vec<Exposure>) {
    let same = |told: &Exposure, one: &GraveFinding| one.finding.ids.contains(&told.advisory);
    let gone = before.iter().filter(|told| !grave.iter().any(|one| same(told, one)));
    let gone = gone.map(|told| told.advisory.clone()).collect();
    let mut told: Vec<Exposure> = Vec::new();
    let mut new = Vec::new();
    for one in grave {
        let known = before.iter().find(|told| same(told, &one));
        told.push(Exposure {
            advisory: one.finding.id.clone(),
            why: one.why,
            since: known.map_or(now, |known| known.since),
        });
        // The gravest word comes first. What touches a version itself is told before what touches what it holds.
        let is_told = new.iter().any(|other: &GraveFinding| other.finding.id == one.finding.id);
        if !is_told && known.is_none_or(|known| one.why < known.why) {
            new.push(one);
        }
    }
    told.sort_by(|a, b| a.advisory.cmp(&b.advisory));
    told.dedup_by(|a, b| a.advisory == b.advisory);
    (new, gone, told)
}

/// Why somebody should hear of a finding, if they should.
pub(super) fn word(advisories: &Advisories, query: &Query<'_>, finding: &Finding) -> Option<Grave> {
    let facts = vulnerability_of(advisories, query, finding);
    let answered =
        facts.vex.is_some_and(|vex| vex.trusted && matches!(&*vex.status, "not_affected" | "fixed"));
    match facts.effective_severity {
        _ if answered => None,
        _ if finding.kind == AdvisoryKind::Malware => Some(Grave::Malware),
        _ if facts.kev == Some(true) => Some(Grave::Exploited),
        Some(Severity::Critical) => Some(Grave::Critical),
        Some(Severity::High) => Some(Grave::High),
        _ => None,
    }
}

/// What touches a version, or what it holds, gravely, as it would be noted.
pub(super) fn exposure<'c>(
    advisories: &Advisories,
    asked: &Asked<'_>,
    components: impl Iterator<Item = &'c ComponentHolder>,
) -> Vec<Exposure> {
    let own = crate::intel::facts::findings(advisories, asked).items;
    let own = own.iter().filter_map(|finding| {
        let why = word(advisories, &asked.query(), finding)?;
        Some(Exposure { advisory: finding.id.clone(), why, since: asked.now })
    });
    let inside = bundled::graves(advisories, components, asked.now).into_iter().map(|grave| Exposure {
        advisory: grave.finding.id.clone(),
        why: grave.why,
        since: asked.now,
    });
    let mut all: Vec<Exposure> = own.chain(inside).collect();
    all.sort_by(|a, b| a.advisory.cmp(&b.advisory));
    all.dedup_by(|a, b| a.advisory == b.advisory);
    all
}
