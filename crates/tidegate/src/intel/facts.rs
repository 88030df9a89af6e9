//! From what feeds say to the facts that policy reads.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use tidegate_intel::matching::Package;
use tidegate_intel::{Finding, Findings, Query};
use tidegate_model::facts::{Group, MalwareFacts, Vulnerability, VulnerabilityFacts};
use tidegate_model::{Ecosystem, PackageName, Timestamp};
use tidegate_store::catalogue::HoldState;

use super::Advisories;
use super::holds::Holds;

/// Which version is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// Name of the package.
    pub name: &'a str,
    /// The version as published.
    pub version: &'a str,
    /// When.
    pub now: Timestamp,
}

impl<'a> Asked<'a> {
    /// The same as advisories are asked.
    pub fn query(&self) -> Query<'a> {
        Query { ecosystem: self.ecosystem.as_str(), name: self.name, version: self.version, now: self.now }
    }
}

/// What is known of a version: advisories, and reports of malice among them.
pub type Known = (Group<VulnerabilityFacts>, Group<MalwareFacts>);

/// What is known of the versions of one package. Its advisories are read once, and each version is looked up once: an
/// index may list thousands of files, and a package may have hundreds of advisories.
pub struct KnownVersions<'a> {
    advisories: &'a Advisories,
    name: &'a PackageName,
    now: Timestamp,
    package: OnceCell<Package<'a>>,
    versions: RefCell<HashMap<String, Rc<Known>>>,
}

impl<'a> KnownVersions<'a> {
    /// Nothing is looked up yet.
    pub fn new(advisories: &'a Advisories, name: &'a PackageName, now: Timestamp) -> Self {
        Self { advisories, name, now, package: OnceCell::new(), versions: RefCell::default() }
    }

    /// What is known of a version, as published.
    pub fn of(&self, version: &str) -> Rc<Known> {
        if let Some(known) = self.versions.borrow().get(version) {
            return Rc::clone(known);
        }
        let asked =
            Asked { ecosystem: self.name.ecosystem(), name: self.name.as_str(), version, now: self.now };
        let package = self
            .package
            .get_or_init(|| self.advisories.snapshot.package(asked.ecosystem.as_str(), asked.name, self.now));
        let known = Rc::new(known(self.advisories, &asked.query(), &package.matches(version)));
        self.versions.borrow_mut().insert(version.to_owned(), Rc::clone(&known));
        known
    }
}

impl std::fmt::Debug for KnownVersions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownVersions({})", self.name)
    }
}

/// What findings on a version of any ecosystem come to; a gap where no feed speaks of its ecosystem.
pub fn known(advisories: &Advisories, query: &Query<'_>, findings: &Findings) -> Known {
    let facts = advisories.snapshot.facts(query, findings, &|author| advisories.trusts(author));
    let fresh_until = advisories.fresh_until();
    // Until the oldest feed is too old, or a retraction that was announced comes into force.
    let until = |announced: Option<Timestamp>| fresh_until.into_iter().chain(announced).min();
    let (mut vulnerabilities, mut malware) = (facts.vulnerabilities, facts.malware);
    vulnerabilities.fresh_until = until(vulnerabilities.fresh_until);
    malware.fresh_until = until(malware.fresh_until);
    hold_back(&advisories.holds, vulnerabilities.value.as_mut(), malware.value.as_mut());
    (vulnerabilities, malware)
}

/// Says of each advisory whether its effect on what was admitted before is held back, and of the reports of malice whether
/// that of all of them is.
fn hold_back(
    holds: &Holds,
    vulnerabilities: Option<&mut VulnerabilityFacts>,
    malware: Option<&mut MalwareFacts>,
) {
    let items = vulnerabilities.map(|v| v.items.as_mut_slice()).unwrap_or_default();
    for item in items.iter_mut() {
        let ids = std::iter::once(&item.id).chain(&item.aliases).map(String::as_str);
        item.held = holds.state(ids).map(|state| state.as_str().to_owned());
    }
    let Some(malware) = malware.filter(|malware| !malware.reports.is_empty()) else { return };
    let held = |report: &String| items.iter().find(|item| item.id == *report)?.held.clone();
    let all: Option<Vec<String>> = malware.reports.iter().map(held).collect();
    let waiting = HoldState::Waiting.as_str();
    malware.held = all.and_then(|all| all.iter().find(|word| *word == waiting).or(all.first()).cloned());
}

/// What feeds say of a version.
pub fn findings(advisories: &Advisories, asked: &Asked<'_>) -> Findings {
    advisories.snapshot.matches(&asked.query())
}

/// One finding as a fact.
pub fn vulnerability(advisories: &Advisories, asked: &Asked<'_>, finding: &Finding) -> Vulnerability {
    vulnerability_of(advisories, &asked.query(), finding)
}

/// As [`vulnerability`], of any ecosystem.
pub fn vulnerability_of(advisories: &Advisories, query: &Query<'_>, finding: &Finding) -> Vulnerability {
    advisories.snapshot.vulnerability(query, finding, &|author| advisories.trusts(author))
}
